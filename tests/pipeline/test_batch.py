import numpy as np
import pytest

from keras_reid.datasets import ReIDTable
from keras_reid.pipeline import check_batch
from keras_reid.pipeline.batch import identity_labels


def good():
    keys = ("person_id", "camera_id", "modality", "domain", "index")
    image = {"image": np.full((2, 8, 4, 3), 0.5, np.float32)}
    return image | {key: np.zeros(2, np.int32) for key in keys}


def test_a_good_batch_passes():
    check_batch(good())
    check_batch(good() | {"partner_image": np.zeros((2, 8, 4, 3), np.float32)})


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({"path": np.zeros(2, np.int32)}, r"Received also: \['path'\]"),
        ({"image": np.zeros((2, 8, 4, 3))}, "`image` must be float32. Received: float64."),
        ({"image": np.zeros((2, 8, 4), np.float32)}, r"must have shape \[B, H, W, 3\]"),
        ({"image": np.full((2, 8, 4, 3), 255, np.float32)}, r"must lie in \[0, 1\]"),
        ({"image": np.full((2, 8, 4, 3), np.nan, np.float32)}, r"must lie in \[0, 1\]"),
        ({"partner_image": np.zeros((1, 8, 4, 3), np.float32)}, "`partner_image` must have shape"),
        ({"index": np.zeros(2, np.int64)}, "`index` must be int32. Received: int64."),
        ({"domain": np.zeros(3, np.int32)}, r"`domain` must have shape \(2,\). Received: \(3,\)"),
    ],
)
def test_each_departure_is_named(entry, sentence):
    with pytest.raises(ValueError, match=sentence):
        check_batch(good() | entry)


def test_a_missing_key_is_named():
    batch = good()
    del batch["modality"]
    with pytest.raises(ValueError, match=r"Missing: \['modality'\]"):
        check_batch(batch)


def test_identities_are_numbered_in_the_order_of_their_ids():
    table = ReIDTable.from_columns(["/a", "/b", "/c", "/d"], [1501, 2, 1501, 0])
    labels, count = identity_labels(table)
    assert labels.tolist() == [2, 1, 2, 0]
    assert labels.dtype == np.int32
    assert count == 3
