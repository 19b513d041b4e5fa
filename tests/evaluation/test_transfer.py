import json

import numpy as np
import pytest

from keras_reid.evaluation import evaluate, transfer_table
from tests.evaluation.fakes import BrightnessModel, grey_dataset


@pytest.fixture
def datasets(tmp_path):
    for name in ("grey", "plain"):
        (tmp_path / name).mkdir()
    return {"grey": grey_dataset(tmp_path / "grey"), "plain": grey_dataset(tmp_path / "plain", "no_camera")}


class Reversed(BrightnessModel):
    def score(self, query_features, gallery_features):
        return -super().score(query_features, gallery_features)


def test_each_cell_is_an_evaluation_and_each_data_set_is_extracted_once_per_model(tmp_path, datasets):
    models = {"grey": BrightnessModel(), "worse": Reversed()}
    table = transfer_table(models, datasets, progress=False)
    assert [model.extracted for model in models.values()] == [[5, 5, 5, 5]] * 2
    expected = [[evaluate(m, d, progress=False).mean_ap for d in datasets.values()] for m in models.values()]
    np.testing.assert_array_equal(table.values(), expected)
    assert table.values("rank1").shape == (2, 2) and table.values("rank1")[0, 0] == pytest.approx(2 / 3)
    lines = str(table).splitlines()
    assert lines[0] == "| train on | grey: mAP | Rank-1 | plain: mAP | Rank-1 |"
    assert lines[2] == "| grey | (83.3) | (66.7) | 87.5 | 75.0 |"  # in parentheses: trained on what it is tested on
    written = json.loads(table.to_json(tmp_path / "new" / "table.json").read_text())
    assert written["worse"]["plain"]["metrics"]["mean_ap"] == table.values()[1, 1]
    assert written["worse"]["plain"]["provenance"]["model"] == "brightness"


def test_an_empty_table_is_refused(datasets):
    with pytest.raises(ValueError, match="at least one model and one data set. Received: 0 and 2"):
        transfer_table({}, datasets)
