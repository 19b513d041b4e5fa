"""Neck, pooling, normalisation and classifier."""

import inspect

import keras
import numpy as np
import pytest

from keras_reid.layers import BNNeck, CosineClassifier, GeMPooling, ImageNormalization, ScalarBatchNormalization
from keras_reid.layers.dropout import seeded_dropout
from keras_reid.training import seed_everything
from tests.gradients import gradient

RNG = np.random.default_rng(0)


def numpy(tensor):
    return keras.ops.convert_to_numpy(keras.ops.cast(tensor, "float32"))


@pytest.mark.parametrize(
    ("cls", "arguments", "shape"),
    [
        (BNNeck, {}, (4, 6)),
        (GeMPooling, {"initial_exponent": 2.0}, (2, 4, 3, 5)),
        (ImageNormalization, {"statistics": None}, (2, 4, 3, 3)),
        (CosineClassifier, {"num_classes": 7}, (2, 6)),
    ],
)
@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_contract(cls, arguments, shape, policy, tmp_path):
    layer = cls(**arguments, name="mine", dtype=policy)
    named = {n for n, p in inspect.signature(cls).parameters.items() if p.kind is not p.VAR_KEYWORD}
    assert set(layer.get_config()) == named | {"name", "trainable", "dtype"}
    assert {key: layer.get_config()[key] for key in arguments} == arguments
    inputs = RNG.random(shape).astype("float32")
    model = keras.Sequential([keras.Input(shape[1:]), layer])
    expected = numpy(model(inputs))
    assert tuple(layer.compute_output_shape(shape)) == expected.shape
    assert all(keras.backend.standardize_dtype(v.dtype) == "float32" for v in layer.weights)
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(numpy(keras.saving.load_model(tmp_path / "model.keras")(inputs)), expected)


def test_neck_normalises_without_shift():
    neck = BNNeck()
    inputs = RNG.normal(3.0, 2.0, (64, 5)).astype("float32")
    received = numpy(neck(inputs, training=True))
    np.testing.assert_allclose(received, (inputs - inputs.mean(0)) / np.sqrt(inputs.var(0) + 1e-5), atol=1e-4)
    assert [v.name for v in neck.trainable_variables] == ["gamma"]
    np.testing.assert_allclose(numpy(neck.moving_mean), 0.1 * inputs.mean(0), atol=1e-5)


def test_scalar_normalization_is_one_affine_map():
    layer, mean, variance = ScalarBatchNormalization(), 0.0, 1.0
    layer.build()
    layer.gamma.assign([2.0])
    layer.beta.assign([0.5])
    for _ in range(3):
        inputs = RNG.normal(3.0, 2.0, (4, 5)).astype("float32")
        received = numpy(layer(inputs, training=True))
        expected = 2.0 * (inputs - inputs.mean()) / np.sqrt(inputs.var() + 1e-5) + 0.5
        np.testing.assert_allclose(received, expected, atol=1e-5)
        mean, variance = 0.9 * mean + 0.1 * inputs.mean(), 0.9 * variance + 0.1 * inputs.var(ddof=1)
    np.testing.assert_allclose([*numpy(layer.moving_mean), *numpy(layer.moving_variance)], [mean, variance], rtol=1e-5)
    expected = 2.0 * (inputs - mean) / np.sqrt(variance + 1e-5) + 0.5
    np.testing.assert_allclose(numpy(layer(inputs)), expected, atol=1e-5)
    assert set(layer.get_config()) == {"name", "trainable"}
    assert numpy(layer(np.array([7.0], "float32"), training=True)).tolist() == [0.5]
    assert np.isfinite(numpy(layer.moving_variance)).all()


@pytest.mark.parametrize("exponent", [1.0, 3.0, 6.5])
def test_gem_equals_its_formula(exponent):
    maps = RNG.normal(size=(2, 4, 3, 5)).astype("float32")
    expected = (np.maximum(maps.astype("float64"), 1e-6) ** exponent).mean((1, 2)) ** (1 / exponent)
    np.testing.assert_allclose(numpy(GeMPooling(exponent)(maps)), expected, rtol=1e-4)


def test_gem_lies_between_average_and_maximum_and_survives_half_precision():
    maps = 200.0 * RNG.random((2, 4, 3, 5)).astype("float32")
    pooled = numpy(GeMPooling(dtype="mixed_float16")(maps))
    assert (pooled > maps.mean((1, 2))).all() and (pooled < maps.max((1, 2))).all()
    np.testing.assert_allclose(numpy(GeMPooling(200.0)(maps / 200.0)), maps.max((1, 2)) / 200.0, rtol=0.02)


@pytest.mark.parametrize("exponent", [3.0, 10.0])
def test_gem_has_a_gradient_where_a_channel_is_dead(exponent):
    layer = GeMPooling(exponent)
    layer.build((None, None, None, 2))
    maps = np.stack([np.zeros((4, 3)), RNG.random((4, 3))], axis=-1)[None]
    (found,) = gradient(lambda x: keras.ops.sum(layer(x)), maps)
    live, mean = maps[..., 1], (maps[..., 1] ** exponent).mean()
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found[..., 1], live ** (exponent - 1) * mean ** (1 / exponent - 1) / 12, rtol=1e-3)
    model = keras.Sequential([layer])
    model.compile(keras.optimizers.SGD(0.01), "mse")
    model.fit(maps.astype("float32"), np.ones((1, 2), "float32"), verbose=0)
    assert np.isfinite(numpy(layer.exponent))


def test_gem_learns_its_exponent():
    model = keras.Sequential([GeMPooling()])
    model.compile(keras.optimizers.SGD(1.0), "mse")
    maps = RNG.random((4, 4, 3, 2)).astype("float32")
    model.fit(maps, maps.max((1, 2)), epochs=3, verbose=0)
    exponent = numpy(model.layers[0].exponent)
    assert np.isfinite(exponent) and exponent > 3.0


def test_image_normalization():
    images = RNG.random((2, 4, 3, 3)).astype("float32")
    expected = (images - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    np.testing.assert_allclose(numpy(ImageNormalization()(images)), expected, atol=1e-5)
    np.testing.assert_array_equal(numpy(ImageNormalization(None)(images)), images)
    half = ImageNormalization(dtype="mixed_float16")(images)
    # Normalised in float32 and rounded once.
    np.testing.assert_array_equal(numpy(half), numpy(ImageNormalization()(images)).astype("float16").astype("float32"))


def test_cosine_classifier_is_bounded_and_ignores_length():
    classifier = CosineClassifier(7)
    features = RNG.normal(size=(3, 4)).astype("float32")
    cosines = numpy(classifier(features))
    np.testing.assert_allclose(numpy(classifier(5.0 * features)), cosines, atol=1e-6)
    kernel = numpy(classifier.kernel)
    np.testing.assert_allclose(numpy(classifier(kernel.T))[range(7), range(7)], 1.0, atol=1e-6)
    late = CosineClassifier()
    late.size(4, 7)
    assert tuple(late(features).shape) == (3, 7)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: GeMPooling(0.0), "`initial_exponent` must be positive. Received: 0.0."),
        (lambda: ImageNormalization("imagnet"), "Unknown image statistics 'imagnet'. Did you mean 'imagenet'?"),
        (lambda: CosineClassifier(0), "`num_classes` must be an integer of at least 1. Received: 0."),
    ],
)
def test_bad_arguments(make, sentence):
    with pytest.raises(ValueError) as error:
        make()
    assert sentence in str(error.value)


def test_dropout_draws_from_a_variable_and_from_nothing_else():
    seed_everything(0)
    layer, ones = seeded_dropout(0.5), np.ones((2, 50), "float32")
    first = numpy(layer(ones, training=True))
    state = keras.ops.convert_to_numpy(layer.seed_generator.state).copy()
    second = numpy(layer(ones, training=True))
    if keras.backend.backend() == "torch":
        import torch

        torch.rand(3)  # as a data loader does
    layer.seed_generator.state.assign(state)
    np.testing.assert_array_equal(numpy(layer(ones, training=True)), second)
    assert (first != second).any()
