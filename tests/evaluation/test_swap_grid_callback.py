from types import SimpleNamespace

import numpy as np
import pytest

from keras_reid.evaluation import SwapGridCallback


def test_a_grid_every_so_many_steps_and_after_resuming(tmp_path):
    callback = SwapGridCallback(tmp_path / "swaps", [np.zeros((8, 4, 3))], every_steps=2)
    model = SimpleNamespace(
        image_size=(8, 4),
        interpolation="bilinear",
        generate=lambda appearance, structure: structure,
        iteration=np.ones(()),
    )
    callback.set_model(model)
    callback.on_train_begin()
    for batch in range(4):
        callback.on_train_batch_end(batch)
    assert sorted(file.name for file in (tmp_path / "swaps").iterdir()) == ["swaps_00000002.png", "swaps_00000004.png"]


def test_bad_arguments():
    with pytest.raises(ValueError, match="`every_steps` must be an integer of at least 1. Received: 0"):
        SwapGridCallback("swaps", [], every_steps=0)
