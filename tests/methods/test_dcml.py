import keras
import numpy as np
import pytest

from keras_reid import pipeline, zoo
from keras_reid.layers import FeatureBank
from keras_reid.losses import batch_hard_triplet, instance_spreading
from keras_reid.methods import DCML
from keras_reid.training import TorchSGD, seed_everything
from tests.contracts import MethodContract

SIZE = (64, 32)


class TestOnTheSource(MethodContract):
    name = "dcml_tiny"


class TestOnTheSite(MethodContract):
    """The four people's 32 images are the site; their identities stand for pseudo labels.

    They are apart from the beginning, so the margin must be wide if there is to be anything to learn.
    """

    name = "dcml_tiny"
    overrides = {"bank_size": 32, "margin": 1.5}


def site(people, **options):
    """A model on its site: a bank of all images of the people, batches of every second one."""
    seed_everything(0)
    model = DCML(backbone="tiny", image_size=SIZE, **options)
    images = pipeline.inference(people.train, image_size=SIZE)
    features = model.extract(images)
    rows = np.arange(0, 32, 2)
    return model.target_model(features, rows), features, people.train.take(rows)


def test_one_step_on_the_site(people):
    model, features, table = site(people, spreading_weight=0.5, bank_momentum=0.25)
    rate = 1e-12  # next to no step, so that the embeddings before and after are the same
    model.compile(TorchSGD(rate))
    data = pipeline.training(table, image_size=SIZE, sampler=pipeline.PKSampler(2, 2), transforms=())
    batch = next(iter(data.take(1)))
    places = 2 * np.asarray(batch["index"])
    model._prepare(data)
    seen = np.asarray(keras.ops.convert_to_numpy(model(keras.ops.convert_to_tensor(batch["image"]), training=True)))
    logs = model.train_on_batch({name: np.asarray(value) for name, value in batch.items()}, return_dict=True)
    triplet = keras.ops.mean(batch_hard_triplet(np.asarray(batch["person_id"]), seen, 0.3, squared=True))
    spreading = keras.ops.mean(instance_spreading(places.astype("int32"), seen, features))
    assert float(logs["triplet"]) == pytest.approx(float(triplet), rel=1e-4)
    assert float(logs["spreading"]) == pytest.approx(float(spreading), rel=1e-4)
    assert float(logs["loss"]) == pytest.approx(float(triplet + 0.5 * spreading), rel=1e-4)
    bank = np.asarray(keras.ops.convert_to_numpy(model.bank.features))
    changed = np.flatnonzero(np.abs(bank - features).max(axis=1) > 1e-5)
    assert set(changed) <= set(places)
    assert len(changed)
    expected = 0.25 * features[places] + 0.75 * seen
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(bank[places[-1]], expected[-1], atol=1e-4)


def test_evaluating_leaves_the_bank_alone(people):
    model, features, table = site(people)
    model.compile(TorchSGD(0.1))
    data = pipeline.training(table, image_size=SIZE, sampler=pipeline.PKSampler(2, 2))
    model._prepare(data)
    model.evaluate(data, verbose=0)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(model.bank.features), features, atol=1e-6)


def test_the_bank_is_saved_and_not_published(people, tmp_path):
    model, features, _ = site(people)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(loaded.bank.features), keras.ops.convert_to_numpy(model.bank.features)
    )
    published = model.inference_model()
    assert not [layer for layer in published._flatten_layers() if isinstance(layer, FeatureBank)]
    assert published.count_params() + features.size + 64 == model.count_params()
    images = np.random.default_rng(0).random((2, *SIZE, 3), dtype="float32")
    np.testing.assert_array_equal(published.extract(images), model.extract(images))


def test_full_size_network_has_the_published_number_of_parameters():
    model = DCML(backbone="resnet50", num_classes=751)
    trainable = sum(int(np.prod(v.shape)) for v in model.trainable_variables)
    assert trainable == 23_508_032 + 2048 + 2048 * 751
    assert zoo.recipe("dcml_r50").adaptation["rounds"] == 8


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"label_smoothing": 1.0}, r"`label_smoothing` must be in \[0, 1\)"),
        ({"margin": -0.1}, "`margin` and `spreading_weight` must not be negative"),
        ({"spreading_weight": -0.1}, "`margin` and `spreading_weight` must not be negative"),
        ({"bank_size": 0}, "`images` must be an integer of at least 1"),
        ({"bank_size": 4, "bank_momentum": 1.0}, r"`momentum` must lie in \[0, 1\)"),
    ],
)
def test_bad_arguments(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        DCML(backbone="tiny", image_size=SIZE, **arguments)
