"""Weights that go to other identities."""

import keras
import numpy as np
import pytest

from keras_reid import zoo
from tests.zoo.conftest import SIZE, tall

FILES = ("model.keras", "model.weights.h5")


@pytest.mark.parametrize("file", FILES)
def test_a_head_is_dropped_or_made_anew(saved, images, file):
    expected = np.load(saved / "features.npy")
    dropped = zoo.load("baseline_tiny", weights=saved / file, head="drop")
    assert dropped.num_classes is None and not dropped.classifier.built
    new = zoo.load("baseline_tiny", num_classes=5, weights=saved / file, head="new")
    assert new.num_classes == 5 and tuple(new.classifier.kernel.shape) == (256, 5)
    for model in (dropped, new):
        assert model.optimizer is not None
        np.testing.assert_array_equal(model.extract(tall(images)), expected)


def test_a_model_without_a_head_gets_one(saved, tmp_path):
    zoo.load("baseline_tiny", weights=saved / "model.keras", head="drop").save(tmp_path / "bare.keras")
    model = zoo.load("baseline_tiny", num_classes=5, weights=tmp_path / "bare.keras")
    assert tuple(model.classifier.kernel.shape) == (256, 5)
    assert model.optimizer is not None


def test_a_head_that_is_kept_must_fit(saved):
    with pytest.raises(ValueError, match="has a head for 3 identities; `num_classes` is 5.* take `head='new'`"):
        zoo.load("baseline_tiny", num_classes=5, weights=saved / "model.keras")
    with pytest.raises(ValueError, match=r"do not fit Baseline with num_classes=5.* or `head='new'`"):
        zoo.load("baseline_tiny", num_classes=5, weights=saved / "model.weights.h5")


def test_a_head_is_not_lost_in_silence(saved, tmp_path, images):
    with pytest.raises(ValueError, match=r"holds a head, .* none to keep it in: classifier/vars/0 \(256, 3\)\. Give"):
        zoo.load("baseline_tiny", weights=saved / "model.weights.h5")
    zoo.load("baseline_tiny", weights=saved / "model.keras", head="drop").save_weights(tmp_path / "bare.weights.h5")
    bare = zoo.load("baseline_tiny", weights=tmp_path / "bare.weights.h5")
    np.testing.assert_array_equal(bare.extract(tall(images)), np.load(saved / "features.npy"))


def test_a_new_head_skips_nothing_else(saved):
    with pytest.raises(ValueError, match="do not fit Baseline"):
        zoo.load("baseline_tiny", 5, saved / "model.weights.h5", head="new", pooling="gem", backbone="resnet18")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"head": "keeep"}, "Unknown `head` 'keeep'. Did you mean 'keep'"),
        ({"head": "drop", "num_classes": 5}, "leaves no head for `num_classes=5`"),
        ({"head": "new"}, "`head='new'` needs `num_classes`"),
        ({"num_classes": 0}, "`num_classes` must be an integer of at least 1"),
    ],
)
def test_contradictions(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        zoo.load("baseline_tiny", **options)


@pytest.mark.parametrize("file", FILES)
def test_a_class_memory_is_kept_dropped_or_made_anew(tmp_path, images, file):
    constructor = {"image_size": SIZE, "channels": 8}
    model = zoo.load("qaconv_tiny", num_classes=3, **constructor)
    features = model.extract(images)
    model.memory.write(np.array([0, 2]), features)
    loading = {"weights": tmp_path / file, **constructor}
    if file == "model.keras":  # brings its constructor arguments, so that the card must have them
        place = zoo.save(model, tmp_path / "card", "qaconv_tiny")
        model.save(tmp_path / file)
        name, loading = place, {"weights": tmp_path / file}
    else:
        model.save_weights(tmp_path / file)
        name = "qaconv_tiny"
    for options, valid in (
        ({"num_classes": 3}, [1.0, 0.0, 1.0]),
        ({"head": "drop"}, None),
        ({"head": "new", "num_classes": 2}, [0.0, 0.0]),
    ):
        loaded = zoo.load(name, **options, **loading)
        assert loaded.memory.built == (valid is not None)
        assert valid is None or keras.ops.convert_to_numpy(loaded.memory.valid).tolist() == valid
        np.testing.assert_array_equal(loaded.extract(images), features)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "constructor"),
    [
        ("cmemd_tiny", {"image_size": (96, 48)}),
        ("dcml_tiny", {"image_size": SIZE}),
        ("dgnet_tiny", {"image_size": (64, 40)}),
        ("gmn_tiny", {"image_size": SIZE}),
        ("qaconv_gs_tiny", {"image_size": SIZE}),
        ("spgan_tiny", {"image_size": (64, 64), "width": 4}),
    ],
)
def test_every_method_gets_a_new_head(tmp_path, name, constructor):
    model = zoo.load(name, num_classes=3, **constructor)
    images = np.random.default_rng(0).random((2, *constructor["image_size"], 3), dtype="float32")
    place = zoo.save(model, tmp_path / "card", name)
    model.save(tmp_path / "model.keras")
    model.save_weights(tmp_path / "model.weights.h5")
    for head, count in (("drop", None), ("new", 2)):
        whole = zoo.load(place, count, tmp_path / "model.keras", head)
        body = zoo.load(name, count, tmp_path / "model.weights.h5", head, **constructor)
        for loaded in (whole, body):
            assert loaded.num_classes == count
            np.testing.assert_allclose(loaded.extract(images), model.extract(images), rtol=1e-5, atol=1e-7)
