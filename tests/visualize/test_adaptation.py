import numpy as np
import pytest
from matplotlib.patches import Rectangle

from keras_reid.adaptation import RoundRecord
from keras_reid.visualize import adaptation_curves, cluster_sheet
from keras_reid.visualize.style import THEMES
from tests.visualize.people import COLOURS, people_table


def frames(figure):
    """Which pictures are framed as wrong, in the order in which they are drawn."""
    from matplotlib.colors import to_hex

    found = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]
    return [to_hex(patch.get_edgecolor()) == THEMES["light"].mismatch for patch in found]


def test_wrong_images_are_framed_and_come_last(tmp_path):
    table = people_table(tmp_path, [0, 1, 0, 0, 1, 1], [2, 0, 1, -1, 0, 1])
    figure = cluster_sheet(table, [0, 0, 0, 0, 1, -1])
    texts = [text.get_text().removeprefix("\N{MULTIPLICATION X} ") for text in figure.axes[0].texts]
    assert texts[:7] == ["0", "4 images", "1 wrong", "", "camera 1", "camera 2", "camera 0"]
    assert texts[7:] == ["1", "1 images", "0 wrong", "camera 0"]
    assert frames(figure) == [False, False, False, True, False]
    shown = [tuple(image.get_array()[64, 32].tolist()) for image in figure.axes[0].images]
    assert shown == [COLOURS[0]] * 3 + [COLOURS[1]] * 2


def test_without_the_truth_nothing_is_framed(tmp_path):
    table = people_table(tmp_path, [0] * 4, [0] * 4)
    figure = cluster_sheet(table, [0, 0, 1, 1])
    assert frames(figure) == [False] * 4
    assert not [text for text in figure.axes[0].texts if "wrong" in text.get_text()]


def test_which_clusters_are_drawn(tmp_path):
    table = people_table(tmp_path, [0, 0, 0, 1, 0, 1, 1, 1, 1], [0] * 9)
    labels = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2])

    def drawn(**options):
        bold = [text for text in cluster_sheet(table, labels, **options).axes[0].texts if text.get_weight() == "bold"]
        return [text.get_text() for text in bold]

    assert drawn() == ["0", "1", "2"]
    assert drawn(order="largest", clusters=2) == ["2", "0"]
    assert drawn(order="impurest", clusters=1) == ["1"]
    assert drawn(clusters=1, seed=0) == drawn(clusters=1, seed=0)


def test_bad_arguments(tmp_path):
    table = people_table(tmp_path, [0, 0], [0, 0])
    with pytest.raises(ValueError, match=r"`labels` must be one per image of the table, \[2\]"):
        cluster_sheet(table, [0])
    with pytest.raises(ValueError, match="at least one cluster. Received: none but -1"):
        cluster_sheet(table, [-1, -1])
    with pytest.raises(ValueError, match="'impurest'. Received: 'impurest'"):
        cluster_sheet(table, [0, 0], order="impurest")
    with pytest.raises(ValueError, match="`clusters` must be an integer of at least 1"):
        cluster_sheet(table, [0, 0], clusters=0)
    with pytest.raises(ValueError, match="`records` must hold at least one round"):
        adaptation_curves([])


def record(number, **fields):
    return RoundRecord(number, 100, 0.4, 9, 80, 70 + number, 9, -0.5, 5e-4, **fields)


def test_curves_by_round():
    known = {"purity": 0.8, "anchor_purity": 0.9, "rank1_before": 0.4, "rank1": 0.5}
    records = [record(1, **known, mean_ap_before=0.2, mean_ap=0.3), record(2, **known, mean_ap_before=0.3, mean_ap=0.4)]
    quality, images = adaptation_curves(records).axes
    curves = {line.get_label(): (line.get_xdata().tolist(), line.get_ydata().tolist()) for line in quality.lines}
    assert set(curves) == {"purity of all labelled", "purity of the anchors", "mAP", "rank-1"}
    assert curves["mAP"] == ([0, 1, 2], pytest.approx([20, 30, 40]))
    assert curves["purity of the anchors"] == ([1, 2], pytest.approx([90, 90]))
    assert [line.get_label() for line in images.lines] == ["images of the site", "in a cluster", "trained on"]
    assert images.lines[2].get_ydata().tolist() == [71, 72]


def test_what_is_not_known_is_not_drawn():
    (images,) = adaptation_curves([record(1)]).axes
    assert len(images.lines) == 3
