from pathlib import Path

import numpy as np
import pytest

from keras_reid.datasets import ReIDTable
from keras_reid.evaluation import extract
from tests.evaluation.fakes import BrightnessModel, grey_images


@pytest.fixture
def table(tmp_path):
    return grey_images(tmp_path, [(f"image_{k}", 20 * k, k, 0) for k in range(5)])


def test_features_stand_in_the_order_of_the_table_whatever_the_batch(table):
    expected = np.arange(5) * 20 / 255
    for batch_size in (1, 2, 5, 64):
        features = extract(BrightnessModel(), table, batch_size=batch_size, progress=False)
        np.testing.assert_allclose(np.arctan2(features[:, 1], features[:, 0]), expected, atol=1e-6)


def test_a_skipped_image_has_nan_features(table):
    Path(table.path[2]).write_bytes(b"no image")
    with pytest.warns(UserWarning, match=r"1 of 5 images cannot be read"):
        features = extract(BrightnessModel(), table, progress=False, on_bad_image="skip")
    assert np.isnan(features).all(axis=1).tolist() == [False, False, True, False, False]


def test_errors_say_what_is_wrong(table):
    class Forgetful(BrightnessModel):
        def extract(self, images, *, verbose=0):
            return super().extract(images)[1:]

    with pytest.raises(ValueError, match=r"must return one feature per image, 5. Received: 4"):
        extract(Forgetful(), table, progress=False)
    with pytest.raises(ValueError, match=r"`table` must hold at least one image"):
        extract(BrightnessModel(), ReIDTable.from_columns([], np.zeros(0, int)), progress=False)
    with pytest.raises(ValueError, match=r"`batch_size` must be an integer of at least 1"):
        extract(BrightnessModel(), table, batch_size=0, progress=False)
