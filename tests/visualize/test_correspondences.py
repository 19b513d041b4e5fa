from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from keras_reid import zoo
from keras_reid.layers import Correspondences
from keras_reid.visualize import correspondences
from keras_reid.visualize.matches import local_matches
from keras_reid.visualize.style import THEMES

IMAGES = np.random.default_rng(0).random((2, 64, 32, 3)).astype("float32")


@pytest.mark.parametrize("name", ["qaconv_tiny", "qaconv_gs_tiny"])
def test_both_versions_are_drawn_with_so_many_lines(name):
    model = zoo.load(name, image_size=(64, 32))
    figure = correspondences(model, IMAGES[0], IMAGES[1], lines=5)
    (axes,) = figure.axes
    assert len(axes.images) == 2
    assert len(axes.lines) == 5
    assert "score 0." in figure.texts[0].get_text()
    drawn = {line.get_color() for line in axes.lines}
    assert drawn <= {THEMES["light"].match, THEMES["light"].mismatch}


def test_an_image_matches_itself_straight_across():
    model = zoo.load("qaconv_gs_tiny", image_size=(64, 32))
    figure = correspondences(model, IMAGES[0], IMAGES[0], lines=50)
    for line in figure.axes[0].lines:
        (x_a, x_b), (y_a, y_b) = line.get_data()
        assert y_a == y_b
        assert x_b - x_a == pytest.approx(32 * 1.35)


def test_mutual_matches_are_one():
    # Two locations: 0 and 0 find each other; 1 of the first finds 0, and 1 of the second finds 0.
    found = Correspondences(
        np.array([[[[3.0], [1.0]]]]), np.array([[[[0], [0]]]]), np.array([[[[5.0], [-2.0]]]]), np.array([[[[0], [0]]]])
    )
    model = SimpleNamespace(correspondences=lambda a, b: found, score=lambda a, b: np.array([[0.75]]))
    (matches,) = local_matches(model, None, None)
    np.testing.assert_allclose(matches.worth, [3.0 + 5.0, -2.0, 1.0])
    np.testing.assert_allclose(matches.in_query, [[0.5, 0.25], [0.5, 0.25], [0.5, 0.75]])
    np.testing.assert_allclose(matches.in_gallery, [[0.5, 0.25], [0.5, 0.75], [0.5, 0.25]])
    assert matches.totals == (9.0, -2.0)
    assert matches.score == 0.75


def test_what_matches_are_worth_adds_up_to_the_logit_but_for_a_constant():
    model = zoo.load("qaconv_tiny", image_size=(64, 32))
    maps = model.extract(np.random.default_rng(1).random((4, 64, 32, 3)))
    totals = [sum(matches.totals) for matches in local_matches(model, maps[:1], maps[1:])]
    np.testing.assert_allclose(np.diff(totals), np.diff(model.logits(maps[:1], maps[1:])[0]), atol=1e-4)


def test_files_are_resized(tmp_path):
    model = zoo.load("qaconv_tiny", image_size=(64, 32))
    for number in range(2):
        Image.fromarray((255 * IMAGES[number]).astype("uint8")).resize((50, 90)).save(tmp_path / f"{number}.png")
    figure = correspondences(model, tmp_path / "0.png", str(tmp_path / "1.png"), title="a pair", theme="dark")
    assert figure.texts[0].get_text() == "a pair"
    figure.savefig(tmp_path / "pair.png")


def test_bad_arguments():
    model = zoo.load("qaconv_tiny", image_size=(64, 32))
    with pytest.raises(ValueError, match=r"must have the shape \(64, 32, 3\), the model's. Received: \(8, 8, 3\)"):
        correspondences(model, IMAGES[0], np.zeros((8, 8, 3)))
    with pytest.raises(ValueError, match="`lines` must be an integer of at least 1"):
        correspondences(model, *IMAGES, lines=0)
    with pytest.raises(TypeError, match="location by location, as QAConv does. Received: Baseline"):
        correspondences(zoo.load("baseline_tiny"), *IMAGES)
