import re
from types import SimpleNamespace

import numpy as np
import pytest

from keras_reid.layers import Correspondences
from keras_reid.visualize import PanelImage, PanelRow, write_html
from keras_reid.visualize.html_matches import what_matched
from tests.visualize.people import people_report
from tests.visualize.test_html import Page


class Explainer:
    """Two locations per image, one above the other; each finds its like, which speaks for, and the lower against."""

    image_size, interpolation = (8, 4), "bilinear"

    def extract(self, images):
        assert images.shape[1:] == (8, 4, 3) and images.dtype == "float32" and images.max() <= 1.0
        return images

    def score(self, query, gallery):
        return np.linspace(0.75, 0.25, len(gallery))[None]

    def correspondences(self, query, gallery):
        worth = np.tile(np.array([[2.0], [-0.5]]), (1, len(gallery), 1, 1))
        own = np.tile(np.array([[0], [1]]), (1, len(gallery), 1, 1))
        return Correspondences(worth, own, 0.5 * worth, own)


@pytest.fixture
def report(tmp_path):
    return people_report(tmp_path / "images", provenance={"model": "tiny"})


def test_the_first_right_and_the_first_wrong_result_are_explained(report):
    (row,) = report.panel_rows([1])  # found at rank 2
    shown = what_matched(Explainer(), row)
    page = Page(shown)
    assert "✓ rank 2 · score 0.75 for +3.0, against −0.8" in page.text
    assert "✕ rank 1 · score 0.25" in page.text
    assert page.text.index("✓") < page.text.index("✕")
    assert len(page.addresses) == 4
    # The viewBox is two pictures of 100 x 200 with 40 between; the strongest line is drawn last.
    first = shown.split("</svg>")[0]
    assert 'viewBox="0 0 240 200"' in first
    assert re.findall(r'class="(for|against)" opacity="([\d.]+)"', first) == [("against", "0.57"), ("for", "0.95")]
    lines = re.findall(r'<line x1="([\d.]+)" y1="([\d.]+)" x2="([\d.]+)" y2="([\d.]+)"', first)
    assert lines == [("50.0", "150.0", "190.0", "150.0"), ("50.0", "50.0", "190.0", "50.0")]


def test_without_a_right_result_only_the_wrong_one_is_explained(report):
    (row,) = report.panel_rows([2], top_k=2)
    shown = what_matched(Explainer(), row)
    assert shown.count("<svg") == 1 and "✕ rank 1" in shown and "✓" not in shown
    assert what_matched(Explainer(), PanelRow(row.query, ())) == ""


def test_images_that_are_gone_leave_the_picture_out():
    row = PanelRow(PanelImage("/no/such.jpg"), (PanelImage("/nor/this.jpg", match=True),))
    assert what_matched(Explainer(), row) == ""


def test_the_page_explains_every_query_and_opens_the_first_of_each_choice(tmp_path, report):
    path = report.to_html(tmp_path / "report.html", model=Explainer())
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert all(address.startswith("data:image/") for address in page.addresses)
    folds = re.findall(r'<details class="why"( open)?>', text)
    assert folds == [" open", "", ""] * 3
    assert "Every location of either image looks for its like" in page.text


@pytest.mark.parametrize("model", [None, SimpleNamespace(extract=None)])
def test_a_model_of_one_embedding_explains_nothing(tmp_path, report, model):
    path = write_html(tmp_path / "report.html", "plain", {"A": report}, model=model)
    assert "What matched" not in path.read_text(encoding="utf-8")
