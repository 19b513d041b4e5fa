import numpy as np
import pytest

from keras_reid.datasets import ReIDTable
from keras_reid.visualize import contact_sheet
from tests.visualize.people import COLOURS, people_table


def test_one_line_per_identity_ordered_by_camera(tmp_path):
    table = people_table(tmp_path, [0, 1, 0, 1, 0], [2, 0, 1, -1, 0])
    figure = contact_sheet(table)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == ["0", "camera 0", "camera 1", "camera 2", "1", "", "camera 0"]
    shown = [tuple(image.get_array()[64, 32].tolist()) for image in figure.axes[0].images]
    assert shown == [COLOURS[0]] * 3 + [COLOURS[1]] * 2


def test_the_choice_is_seeded_and_bounded(tmp_path):
    table = people_table(tmp_path, list(range(30)), [0] * 30)

    def chosen(seed):
        sheet = contact_sheet(table, identities=3, seed=seed)
        return [t.get_text() for t in sheet.axes[0].texts if not t.get_text().startswith("camera")]

    assert len(chosen(0)) == 3
    assert chosen(0) == chosen(0) != chosen(1)


def test_bad_arguments_are_refused():
    table = ReIDTable.from_columns([], np.zeros(0, int))
    with pytest.raises(ValueError, match=r"`table` must hold at least one image"):
        contact_sheet(table)
    with pytest.raises(ValueError, match=r"`identities` must be an integer of at least 1"):
        contact_sheet(table, identities=0)
