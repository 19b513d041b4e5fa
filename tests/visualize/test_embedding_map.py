import numpy as np
import pytest

from keras_reid.visualize import embedding_map
from keras_reid.visualize.style import THEMES

RNG = np.random.default_rng(0)
LABELS = np.repeat([3, 5, 9], 6)
GROUPS = np.tile([0, 1], 9)
FEATURES = 20 * np.eye(3, 5)[np.repeat([0, 1, 2], 6)] + RNG.normal(size=(18, 5))


def test_neighbours_stay_neighbours_and_labels_have_colours():
    (axes,) = embedding_map(FEATURES, LABELS, GROUPS, group_names=("visible", "thermal")).axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["visible", "thermal"]
    points = np.concatenate([np.asarray(group.get_offsets()) for group in axes.collections])
    labels = np.concatenate([LABELS[group == GROUPS] for group in (0, 1)])
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1) + 1e9 * np.eye(18)
    assert (labels[distances.argmin(axis=1)] == labels).all()
    colours = np.concatenate([group.get_facecolors() for group in axes.collections])
    assert len(np.unique(colours, axis=0)) == 3
    assert all(len(np.unique(colours[labels == label], axis=0)) == 1 for label in (3, 5, 9))


def test_one_group_needs_no_legend_and_many_labels_have_colours_too(tmp_path):
    labels = np.arange(18) - 1
    figure = embedding_map(FEATURES, labels, title="people", theme="dark")
    (axes,) = figure.axes
    assert axes.get_legend() is None
    assert len(np.unique(axes.collections[0].get_facecolors(), axis=0)) == 18
    assert figure.texts[0].get_text() == "people"
    figure.savefig(tmp_path / "map.png")


def test_nobody_is_grey():
    from matplotlib.colors import to_rgba

    (axes,) = embedding_map(FEATURES, np.where(LABELS == 3, -1, LABELS)).axes
    np.testing.assert_allclose(axes.collections[0].get_facecolors()[0][:3], to_rgba(THEMES["light"].muted)[:3])


def test_one_seed_one_map():
    maps = [embedding_map(FEATURES, LABELS, seed=seed).axes[0].collections[0].get_offsets() for seed in (0, 0)]
    np.testing.assert_array_equal(*maps)


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"Received: \(18, 5\), \(17,\), \(17,\)"):
        embedding_map(FEATURES, LABELS[:-1])
    with pytest.raises(ValueError, match=r"`groups` must be integers from 0 to 5. Received: \[0, 9\]"):
        embedding_map(FEATURES, LABELS, 9 * GROUPS)
    with pytest.raises(ValueError, match=r"Group 1 has no name. Received the names: \['visible'\]"):
        embedding_map(FEATURES, LABELS, GROUPS, group_names=["visible"])
