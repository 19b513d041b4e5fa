"""`keras-reid extract` and `rank` as a stranger types them, with models whose ranks can be worked out by hand."""

import csv
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_reid import cli, feature_extractor, retrieval
from tests.evaluation.fakes import BrightnessModel, MapModel

GALLERY = {"10.png": 10, "30.png": 30, "sub/90.jpg": 90, "sub/200.png": 200}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder to stand in, with queries, a gallery and a model."""
    monkeypatch.chdir(tmp_path)
    for name, brightness in {"query/12.png": 12, "query/a $1$ & b.png": 180}.items():
        draw(tmp_path / name, brightness, (17, 40))
    for name, brightness in GALLERY.items():
        draw(tmp_path / "gallery" / name, brightness, (brightness + 5, 31))
    use(monkeypatch, BrightnessModel())
    return tmp_path


def draw(path, brightness, size=(8, 16)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, brightness).save(path, quality=100)


def use(monkeypatch, model):
    monkeypatch.setattr(feature_extractor, "_loaded", lambda given, weights: model)


def ranks(folder):
    """Query -> [(file, score), ...] in the table, whose ranks must count up."""
    with Path(folder, "ranks.csv").open(encoding="utf-8", newline="") as stream:
        header, *lines = csv.reader(stream)
    assert header == ["query", "rank", "path", "score"]
    found = {}
    for query, rank, path, score in lines:
        found.setdefault(Path(query).name, []).append((Path(path).name, float(score)))
        assert len(found[Path(query).name]) == int(rank)
    return found


def names(results):
    return [name for name, _ in results]


def test_rank_writes_panels_a_page_and_a_table(here, capsys):
    assert cli.main(["rank", "m.keras", "query", "gallery", "--out", "new/panels", "--top", "3"]) == 0
    assert capsys.readouterr().out.strip().endswith(str(Path("new/panels/index.html")))
    panels = here / "new" / "panels"
    files = ["0001_12.png", "0002_a__1____b.png", "index.html", "ranks.csv"]
    assert sorted(path.name for path in panels.iterdir()) == files
    found = ranks(panels)
    assert names(found["12.png"]) == ["10.png", "30.png", "90.jpg"]
    assert names(found["a $1$ & b.png"]) == ["200.png", "90.jpg", "30.png"]
    np.testing.assert_allclose(
        [score for _, score in found["12.png"]], np.cos([2 / 255, 18 / 255, 78 / 255]), atol=1e-4
    )
    page = (panels / "index.html").read_text(encoding="utf-8")
    assert [one for one in files[:2] if f'src="{one}"' in page] == files[:2]
    assert "a $1$ &amp; b.png" in page
    with Image.open(panels / files[0]) as panel:
        assert panel.width > 400
    assert list(here.glob(".*")) == list((here / "new").glob(".*")) == []
    assert (panels.stat().st_mode & 0o777) == (here / "new").stat().st_mode & 0o777


def test_rank_prints_json_alone(here, capsys):
    command = ["rank", "m.keras", "query/12.png", "gallery", "--out", "panels", "--json"]
    assert cli.main(command) == 0
    printed = capsys.readouterr()
    (one,) = json.loads(printed.out)
    assert one["query"] == str(Path("query/12.png"))
    assert [(result["rank"], Path(result["path"]).name) for result in one["results"]] == list(
        enumerate(["10.png", "30.png", "90.jpg", "200.png"], start=1)
    )
    assert [result["score"] for result in one["results"]] == [score for _, score in ranks("panels")["12.png"]]
    assert "index.html" in printed.err


def test_a_query_does_not_find_its_own_file(here):
    assert cli.main(["rank", "m.keras", "gallery", str(here / "gallery"), "--out", "panels", "--top", "4"]) == 0
    assert {query: names(results)[0] for query, results in ranks("panels").items()} == {
        "10.png": "30.png",
        "30.png": "10.png",
        "90.jpg": "30.png",
        "200.png": "90.jpg",
    }
    assert all(len(results) == 3 for results in ranks("panels").values())


def test_pairwise_methods_and_reranking(here, monkeypatch):
    use(monkeypatch, MapModel())
    assert cli.main(["rank", "m.keras", "query", "gallery", "--out", "pairs"]) == 0
    assert names(ranks("pairs")["12.png"]) == ["10.png", "30.png", "90.jpg", "200.png"]
    assert cli.main(["rank", "m.keras", "query", "gallery", "--out", "reranked", "--rerank"]) == 0
    model = MapModel()
    features = [feature_extractor.FeatureExtractor("m.keras", progress=False)(one) for one in ("query", "gallery")]
    expected = retrieval.rerank(*features, score=model.score)[0]
    np.testing.assert_allclose([score for _, score in ranks("reranked")["12.png"]], np.sort(expected)[::-1], rtol=1e-6)
    assert "Re-ranked." in Path("reranked/index.html").read_text(encoding="utf-8")


def test_thermal_images(here, monkeypatch):
    class Modality(BrightnessModel):
        def extract(self, images, *, verbose=0):
            return np.concatenate([np.asarray(batch["modality"], "float32")[:, None] for batch in images])

    use(monkeypatch, Modality())
    command = ["rank", "m.keras", "query/12.png", "gallery", "--json", "--thermal-gallery", "--out"]
    assert cli.main([*command, "one"]) == 0
    assert {score for _, score in ranks("one")["12.png"]} == {0.0}
    assert cli.main([*command, "both", "--thermal-query"]) == 0
    assert {score for _, score in ranks("both")["12.png"]} == {1.0}
    assert cli.main(["extract", "m.keras", "gallery", "--thermal", "--out", "f.csv"]) == 0
    assert Path("f.csv").read_text(encoding="utf-8").split()[1].endswith(",1")


def test_extract_takes_files_and_folders(here, capsys):
    assert cli.main(["extract", "m.keras", "query/12.png", "gallery", "--out", "f.npz"]) == 0
    assert "Features [5, 2]: f.npz" in capsys.readouterr().out
    with np.load("f.npz") as read:
        brightness = np.arctan2(read["features"][:, 1], read["features"][:, 0]) * 255
        np.testing.assert_allclose(brightness, [12, 10, 30, 200, 90], atol=1)
        assert [Path(name).name for name in read["names"]] == ["12.png", "10.png", "30.png", "200.png", "90.jpg"]


def test_unreadable_images_may_be_left_out(here):
    (here / "gallery" / "text.jpg").write_text("no image")
    with pytest.warns(UserWarning, match=r"1 of 5 images cannot be read, the first is 'gallery.text.jpg'"):
        assert cli.main(["rank", "m", "query", "gallery", "--out", "panels", "--on-bad-image", "skip"]) == 0
    assert len(ranks("panels")["12.png"]) == 4


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["rank", "m", "query", "nothing", "--out", "x"], "Expected a folder of images. Received: 'nothing'"),
        (["rank", "m", "query", "query/12.png", "--out", "x"], "Expected a folder of images. Received: 'query"),
        (["rank", "m", "query", "empty", "--out", "x"], "No image .* in 'empty'"),
        (["rank", "m", "empty", "gallery", "--out", "x"], "No image .* in 'empty'"),
        (["rank", "m", "nothing.jpg", "gallery", "--out", "x"], "There is no file or folder 'nothing.jpg'"),
        (["rank", "m", "bad/text.jpg", "gallery", "--out", "x"], "Cannot read image '.*text.jpg'"),
        (["rank", "m", "query", "bad", "--out", "x"], "Cannot read image '.*text.jpg'"),
        (["rank", "m", "query", "gallery", "--out", "x", "--top", "0"], "`top` must be an integer of at least 1"),
        (["rank", "m", "query", "gallery", "--out", "gallery"], "gallery already holds files. Give another folder"),
        (["rank", "m", "query", "gallery", "--out", "query/12.png"], "12.png is a file. Give a folder"),
        (["rank", "m", "alone/a.png", "alone", "--out", "x"], "holds nothing but the query itself, 'alone.a.png'"),
        (["extract", "m", "nothing", "--out", "x.npz"], "There is no file or folder 'nothing'"),
        (["extract", "m", "bad", "--out", "x.npz"], "Cannot read image '.*text.jpg'"),
        (["extract", "m", "query", "--out", "x.txt"], "written to a .npz or .csv file. Received: 'x.txt'"),
    ],
)
def test_bad_input_is_a_sentence_and_leaves_nothing(here, arguments, sentence, capsys):
    (here / "empty").mkdir()
    (here / "bad").mkdir()
    (here / "bad" / "text.jpg").write_text("no image")
    draw(here / "alone" / "a.png", 7)
    before = sorted(here.rglob("*"))
    assert cli.main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("keras-reid: ")
    assert re.search(sentence, error)
    assert sorted(here.rglob("*")) == before


def test_what_is_no_model(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    draw(tmp_path / "a.png", 7)
    (tmp_path / "text.keras").write_text("no model")
    with zipfile.ZipFile("archive.keras", "w") as archive:
        archive.writestr("a.txt", "no model")
    before = sorted(tmp_path.rglob("*"))
    for model, sentence in {
        "none.keras": "There is no model none.keras",
        "text.keras": "no whole .keras file",
        "archive.keras": "no whole .keras file",
        ".": "There is no model model.keras",
        "baseline_tny": "Did you mean 'baseline_tiny'",
        "baseline_tiny": "No weights are published",
    }.items():
        assert cli.main(["extract", model, "a.png", "--out", "x.npz"]) == 2
        assert sentence in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before


def test_a_failure_while_drawing_leaves_nothing(here, monkeypatch, capsys):
    def full(figure, dpi):
        raise OSError("No space left on device")

    monkeypatch.setattr("keras_reid.visualize.style.figure_png", full)
    before = sorted(here.rglob("*"))
    assert cli.main(["rank", "m", "query", "gallery", "--out", "panels"]) == 2
    assert "No space left" in capsys.readouterr().err
    assert sorted(here.rglob("*")) == before
