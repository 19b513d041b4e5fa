import re
from html.parser import HTMLParser

import pytest

from keras_reid import retrieval
from keras_reid.datasets import ReIDTable
from keras_reid.evaluation import Report
from keras_reid.visualize import write_html
from tests.visualize.people import people_report

VOID = {"meta", "img", "br", "source"}


class Page(HTMLParser):
    """Collects addresses and text, and checks that every tag is closed where it should be."""

    def __init__(self, text):
        super().__init__()
        self.open, self.addresses, self.words = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        if tag not in VOID:
            self.open.append(tag)
        self.addresses += [value for name, value in attributes if name in ("src", "href", "srcset")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def page_of(path, *arguments, **options):
    return Page(write_html(path, *arguments, **options).read_text(encoding="utf-8"))


@pytest.fixture
def report(tmp_path):
    made = {"model": "tiny", "date": "2024-05-01", "parameters": 1234567, "weights": None}
    return people_report(tmp_path / "images", provenance=made)


def test_the_page_says_it_all_and_loads_nothing(tmp_path, report):
    other = people_report(tmp_path / "images", "elsewhere", provenance={"model": "tiny", "date": "2024-05-02"})
    history = {"loss": [2.0, 1.0], "val_mean_ap": [0.1, 0.2]}
    page = page_of(tmp_path / "new" / "report.html", "A to B", {"A": report, "B": other}, history, ["Drawn people."])
    assert page.addresses and all(address.startswith("data:image/") for address in page.addresses)
    # Three charts in two themes; 3 queries with 3 results each, in three choices, for two reports.
    assert sum(address.startswith("data:image/png") for address in page.addresses) == 3 * 2
    assert sum(address.startswith("data:image/jpeg") for address in page.addresses) == 3 * 4 * 3 * 2
    for said in (
        "A to B",
        "tiny · 2024-05-01, 2024-05-02",
        "Drawn people.",
        "A on people 33.3 100.0 100.0",
        "elsewhere",
        "1 of 4 queries have no image of their identity in the gallery",
        "Skipped queries show 1 person: 3.",
        "1,234,567",
        "weights not given",
        "query's own person from its own camera (protocol market1501)",
    ):
        assert said in page.text, said


def test_text_is_escaped(tmp_path, report):
    import dataclasses

    evil = "<script>alert('&')</script>"
    table = dataclasses.replace(report.query, path=[f"/folder/{k}{evil.replace('/', '')}" for k in range(4)])
    hostile = dataclasses.replace(
        report, query=table, dataset=evil, post_process=(evil,), provenance={evil: evil, "model": evil}
    )
    path = write_html(tmp_path / "report.html", evil, {evil: hostile}, notes=[evil])
    text = path.read_text(encoding="utf-8")
    assert "<script" not in text
    assert Page(text).text.count(evil) >= 8


def test_the_numbers_of_the_table_are_the_reports(tmp_path, report):
    page = page_of(tmp_path / "report.html", "one", {"A": report})
    cells = re.search(r"skipped A on people (.*?) Ranks, mAP", page.text).group(1).split()
    # Ranks 1, 5, 10, mAP, mINP, counted, skipped; found at ranks 1, 2 and 3.
    assert cells == ["33.3", "100.0", "100.0", "61.1", "61.1", "3", "1"]


def test_a_report_without_any_match_is_still_a_page(tmp_path):
    table = ReIDTable.from_columns(["/a.jpg"], [1], [0])
    metrics = retrieval.evaluate_scores([[1.0]], [1], [1], [0], [0], max_rank=3, top_k=1)
    page = page_of(tmp_path / "report.html", "one camera", {"A": Report("one", metrics, table, table)})
    assert "All 1 queries share camera 0 with their matches" in page.text
    assert "Rankings: A" not in page.text
    assert "A on one – – – – – 0 1 Ranks" in page.text


def test_a_report_that_kept_no_rankings_shows_none(tmp_path):
    report = people_report(tmp_path / "images", top_k=0)
    assert "Rankings" not in page_of(tmp_path / "report.html", "numbers", {"A": report}).text.split("How to read")[0]


def test_moved_images_do_not_cost_the_page(tmp_path, report):
    for file in (tmp_path / "images").iterdir():
        file.unlink()
    assert "Hardest queries" in page_of(tmp_path / "report.html", "moved", {"A": report}).text


def test_long_lists_are_counted_and_shortened(tmp_path, report):
    report.provenance["skipped_images"] = [f"/{k}.jpg" for k in range(7)]
    page = page_of(tmp_path / "report.html", "one", {"A": report})
    assert "7: /0.jpg, /1.jpg, /2.jpg, /3.jpg, /4.jpg, ..." in page.text


def test_to_html_is_the_page_of_one_report(tmp_path, report):
    page = Page(report.to_html(tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "Retrieval on people" in page.text


def test_no_report_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"`reports` must hold at least one report"):
        write_html(tmp_path / "report.html", "none", {})
