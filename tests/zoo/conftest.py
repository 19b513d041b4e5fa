import numpy as np
import pytest

from keras_reid import zoo

SIZE = (64, 32)


@pytest.fixture(scope="session")
def images():
    return np.random.default_rng(0).random((2, *SIZE, 3), dtype="float32")


@pytest.fixture(scope="session")
def saved(tmp_path_factory, images):
    """A small Baseline for three identities as both kinds of file, and what it extracts."""
    folder = tmp_path_factory.mktemp("saved")
    model = zoo.load("baseline_tiny", num_classes=3, image_size=(128, 64))
    model.save(folder / "model.keras")
    model.save_weights(folder / "model.weights.h5")
    np.save(folder / "features.npy", model.extract(tall(images)))
    return folder


def tall(images):
    """The images at the size of `baseline_tiny`."""
    return images.repeat(2, axis=1).repeat(2, axis=2)
