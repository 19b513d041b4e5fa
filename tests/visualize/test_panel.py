import time

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from keras_reid.visualize import PanelImage, PanelRow, ranked_panel
from keras_reid.visualize.style import THEMES
from tests.visualize.people import people_report, people_table


def frames(figure):
    return [to_hex(patch.get_edgecolor()) for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_right_is_green_and_wrong_is_red_also_without_colour(tmp_path, theme):
    colours = THEMES[theme]
    figure = ranked_panel(people_report(tmp_path), "hardest", theme=theme)
    right, wrong, query = colours.match, colours.mismatch, colours.muted
    assert frames(figure) == [query, wrong, wrong, right, query, wrong, right, wrong, query, right, wrong, wrong]
    assert texts(figure)[0] == "person 2 · AP 33.3 %"
    assert texts(figure)[1:5] == ["camera 0", "✕ 0.90 · camera 1", "✕ 0.80 · camera 1", "✓ 0.70 · camera 2"]
    assert to_hex(figure.get_facecolor()) == colours.background


def test_each_picture_is_the_file_it_claims_to_be(tmp_path):
    figure = ranked_panel(people_report(tmp_path), [1], top_k=2)
    shown = [image.get_array()[64, 32].tolist() for image in figure.axes[0].images]
    assert shown == [[40, 200, 40], [200, 40, 40], [40, 200, 40]]


def test_rows_of_ones_own_need_no_report(tmp_path):
    table = people_table(tmp_path, [0, 1], [0, 1])
    row = PanelRow(PanelImage(table.path[0]), (PanelImage(table.path[1], "0.9"),), "who is this?")
    figure = ranked_panel([row])
    assert frames(figure) == [THEMES["light"].muted] * 2
    assert texts(figure) == ["who is this?", "", "0.9"]


def test_a_missing_file_is_a_crossed_field_not_a_crash():
    figure = ranked_panel([PanelRow(PanelImage("/no/such.jpg"), (PanelImage("/nor/this.jpg"),))])
    pixels = np.asarray(figure.axes[0].images[0].get_array())
    assert set(np.unique(pixels)) == {140, 205}


def test_ten_queries_are_drawn_quickly(tmp_path):
    table = people_table(tmp_path, [k % 4 for k in range(11)], [0] * 11)
    images = tuple(PanelImage(path, "0.90", True) for path in table.path)
    start = time.process_time()
    ranked_panel([PanelRow(images[0], images[1:])] * 10).savefig(tmp_path / "panel.png")
    assert time.process_time() - start < 4  # measured: 1


def test_a_notebook_shows_the_figure(tmp_path):
    assert ranked_panel(people_report(tmp_path), [1])._repr_png_().startswith(b"\x89PNG")


def test_nothing_to_draw_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"There is no query to draw"):
        ranked_panel([])
    with pytest.raises(ValueError, match=r"Unknown theme 'drak'. Did you mean 'dark'"):
        ranked_panel(people_report(tmp_path), theme="drak")
