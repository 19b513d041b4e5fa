"""Where weights come from, and what is refused."""

import os
import sys
import types
import zipfile

import keras
import numpy as np
import pytest

from keras_reid import zoo
from tests.zoo.conftest import tall


def test_loaded_models_come_compiled_and_extract_at_once(images):
    model = zoo.load("baseline_tiny")
    assert model.optimizer is not None
    assert model.extract(tall(images)).shape == (2, 256)


@pytest.mark.parametrize("file", ["model.keras", "model.weights.h5"])
def test_weights_by_path(saved, images, file):
    loaded = zoo.load("baseline_tiny", num_classes=3, weights=saved / file)
    np.testing.assert_array_equal(loaded.extract(tall(images)), np.load(saved / "features.npy"))


def test_a_file_of_another_entry_is_refused(saved):
    with pytest.raises(ValueError, match=r"not the zoo entry 'baseline_r50'; it differs in .*'backbone': 'tiny'"):
        zoo.load("baseline_r50", weights=saved / "model.keras")


def test_files_that_do_not_fit(saved, tmp_path):
    with pytest.raises(ValueError, match=r"brings its own constructor arguments\. Leave out \['margin'\]"):
        zoo.load("baseline_tiny", weights=saved / "model.keras", margin=0.1)
    with pytest.raises(ValueError, match="There is no weights file"):
        zoo.load("baseline_tiny", weights=tmp_path / "none.weights.h5")
    (tmp_path / "weights.txt").touch()
    with pytest.raises(ValueError, match="`weights` must be None, 'imagenet', 'published', or a .keras"):
        zoo.load("baseline_tiny", weights=tmp_path / "weights.txt")
    with pytest.raises(ValueError, match="several only for DG-Net"):
        zoo.load("baseline_tiny", weights=[saved / "model.keras", saved / "model.keras"])


def test_no_weights_are_published_yet():
    with pytest.raises(ValueError, match=r"No weights are published for 'baseline_tiny' \(its card says: none .*fit\("):
        zoo.load("baseline_tiny", weights="published")


def test_imagenet_weights_without_a_network(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_REID_CACHE", str(tmp_path))
    monkeypatch.setitem(os.environ, "https_proxy", "http://127.0.0.1:9")
    with pytest.raises((ValueError, OSError), match="resnet18"):
        zoo.load("baseline_r50", weights="imagenet", backbone="resnet18")


def test_a_method_without_a_backbone():
    with pytest.raises(ValueError, match="SPGAN has no backbone to give ImageNet's or torchvision's weights to"):
        zoo.load("spgan_tiny", weights="imagenet", width=4, image_size=(64, 64))


def test_a_keras_file_with_code_is_refused(tmp_path):
    layers = [keras.layers.Input((2,)), keras.layers.Lambda(lambda x: x)]
    keras.Sequential(layers).save(tmp_path / "code.keras")
    with pytest.raises(ValueError, match="unsafe|safe_mode"):
        zoo.load("baseline_tiny", weights=tmp_path / "code.keras")


@pytest.fixture
def hub(monkeypatch):
    """The package huggingface_hub, without a network: what it would download lies in ``hub.folder``."""
    from keras.src.saving import saving_lib

    def hf_hub_download(repo_id, filename, **options):
        hub.asked.append((repo_id, filename))
        return str(hub.folder / filename)

    def snapshot_download(repo_id, **options):
        hub.asked.append(repo_id)
        return str(hub.folder)

    hub = types.SimpleNamespace(
        asked=[], folder=None, hf_hub_download=hf_hub_download, snapshot_download=snapshot_download
    )
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    monkeypatch.setattr(saving_lib, "huggingface_hub", hub)
    return hub


def test_a_file_on_the_hub(hub, saved, images):
    hub.folder = saved
    loaded = zoo.load("baseline_tiny", weights="hf://user/people/model.keras")
    assert hub.asked == [("user/people", "model.keras")]
    np.testing.assert_array_equal(loaded.extract(tall(images)), np.load(saved / "features.npy"))


def test_a_repository_on_the_hub(hub, saved, images, tmp_path):
    with zipfile.ZipFile(saved / "model.keras") as archive:
        archive.extractall(tmp_path)  # how Keras lays a repository out
    hub.folder = tmp_path
    loaded = zoo.load("baseline_tiny", weights="hf://user/people", head="drop")
    assert hub.asked == ["user/people"]
    assert loaded.num_classes is None
    np.testing.assert_array_equal(loaded.extract(tall(images)), np.load(saved / "features.npy"))


@pytest.mark.parametrize("handle", ["hf://user/people", "hf://user/people/model.keras"])
def test_the_hub_without_its_package(monkeypatch, handle):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match="needs the package huggingface_hub: pip install"):
        zoo.load("baseline_tiny", weights=handle)


def test_a_handle_that_names_nothing(hub):
    with pytest.raises(ValueError, match=r"A handle is hf://user/repository.* Received: 'hf://people'"):
        zoo.load("baseline_tiny", weights="hf://people")
