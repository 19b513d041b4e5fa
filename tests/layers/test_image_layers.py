import keras
import numpy as np
import pytest
from keras import ops

from keras_reid.layers import (
    IdentityClassifier,
    ImageNormalization,
    InstanceNormalization,
    RandomErasing,
    ReflectConvolution,
    ResidualBlock,
    SampleNormalization,
    average_halved,
    doubled,
)

RNG = np.random.default_rng(0)
MAPS = RNG.normal(2.0, 3.0, (2, 6, 5, 4)).astype("float32")


def numpy(value):
    return np.array(ops.convert_to_numpy(value))


def test_instance_normalization_with_and_without_a_style():
    expected = (MAPS - MAPS.mean((1, 2), keepdims=True)) / np.sqrt(MAPS.var((1, 2), keepdims=True) + 1e-5)
    layer = InstanceNormalization()
    np.testing.assert_allclose(numpy(layer(MAPS)), expected, atol=1e-5)
    scale, shift = RNG.normal(size=(2, 2, 4)).astype("float32")
    styled = expected * scale[:, None, None] + shift[:, None, None]
    np.testing.assert_allclose(numpy(layer(MAPS, scale, shift)), styled, atol=1e-5)
    half = InstanceNormalization(dtype="mixed_float16")(5e3 * MAPS.astype("float32"))
    assert np.isfinite(numpy(half)).all()


def test_sample_normalization_divides_by_the_unbiased_deviation():
    layer = SampleNormalization()
    layer.build(MAPS.shape)
    layer.gamma.assign([1.0, 2.0, 3.0, 4.0])
    layer.beta.assign([0.0, 0.0, 1.0, 1.0])
    deviation = MAPS.reshape(2, -1).std(axis=1, ddof=1)[:, None, None, None]
    whole = (MAPS - MAPS.mean((1, 2, 3), keepdims=True)) / (deviation + 1e-5)
    np.testing.assert_allclose(numpy(layer(MAPS)), whole * [1, 2, 3, 4] + [0, 0, 1, 1], atol=1e-5)
    assert np.isfinite(numpy(layer(np.ones((1, 4, 4, 4), "float32")))).all()


def test_reflection_stands_at_the_border():
    layer = ReflectConvolution(1, 3, activate=False)
    layer.build((None, None, None, 1))
    layer.conv.kernel.assign(np.ones((3, 3, 1, 1), "float32"))
    image = np.arange(12, dtype="float32").reshape(1, 3, 4, 1)
    padded = np.pad(image[0, :, :, 0], 1, mode="reflect")
    expected = sum(padded[y : y + 3, x : x + 4] for y in range(3) for x in range(3))
    np.testing.assert_allclose(numpy(layer(image))[0, :, :, 0], expected)
    assert tuple(ReflectConvolution(2, 3, dilation=2)(MAPS).shape) == (2, 6, 5, 2)
    with pytest.raises(ValueError, match="Unknown normalisation 'instanc'. Did you mean 'instance'"):
        ReflectConvolution(1, 3, norm="instanc")


def test_residual_block_gives_each_half_of_the_style_to_one_convolution():
    block = ResidualBlock(4, norm="instance")
    block.build(MAPS.shape)
    scale, shift = np.zeros((2, 8), "float32"), np.zeros((2, 8), "float32")
    shift[:, 4:] = 7.0
    np.testing.assert_allclose(numpy(block(MAPS, scale, shift)), MAPS + 7.0, atol=1e-5)
    block = ResidualBlock.from_config(block.get_config())
    assert tuple(block(MAPS).shape) == MAPS.shape


def test_doubling_repeats_and_halving_leaves_the_outside_out():
    np.testing.assert_array_equal(numpy(doubled(MAPS)), MAPS.repeat(2, axis=1).repeat(2, axis=2))
    received = numpy(average_halved(MAPS))
    assert received.shape == (2, 3, 3, 4)
    for row in range(3):
        for column in range(3):
            window = MAPS[:, max(2 * row - 1, 0) : 2 * row + 2, max(2 * column - 1, 0) : 2 * column + 2]
            np.testing.assert_allclose(received[:, row, column], window.mean((1, 2)), atol=1e-5)


def test_erasing_is_each_image_s_own_and_as_large_as_said():
    keras.utils.set_random_seed(0)
    layer = RandomErasing(0.5)
    erased = numpy(layer(np.ones((400, 32, 16, 3), "float32")))
    assert set(np.unique(erased)) == {0.0, 1.0}
    share = 1.0 - erased[..., 0].mean((1, 2))
    assert 0.4 < (share > 0).mean() < 0.6
    assert share[share > 0].min() > 0.01 and share.max() < 0.45
    assert (erased == erased[..., :1]).all()
    rows = (erased[..., 0] == 0).any(2).sum(1)[share > 0]
    columns = (erased[..., 0] == 0).any(1).sum(1)[share > 0]
    np.testing.assert_allclose(share[share > 0], rows * columns / 512)  # rectangles
    assert rows.max() < 32 and columns.max() < 16
    again = RandomErasing.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    with pytest.raises(ValueError, match=r"`probability` must lie in \[0, 1\]. Received: 2"):
        RandomErasing(2)


def test_normalisation_and_back():
    images = RNG.random((1, 4, 4, 3)).astype("float32")
    for statistics in ("imagenet", None):
        layer = ImageNormalization(statistics)
        np.testing.assert_allclose(numpy(layer.inverse(layer(images))), images, atol=1e-6)


def test_a_classifier_with_bias():
    classifier = IdentityClassifier(use_bias=True)
    classifier.size(features=4, num_classes=3)
    classifier.bias.assign([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(numpy(classifier(np.zeros((1, 4), "float32")))[0], [1.0, 2.0, 3.0])
    assert IdentityClassifier.from_config(classifier.get_config()).use_bias
