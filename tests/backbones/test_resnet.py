import inspect

import keras
import numpy as np
import pytest

from keras_reid.backbones import ResNet
from keras_reid.backbones.blocks import BasicBlock, InstanceBatchNormalization

IMAGES = np.random.default_rng(0).random((2, 64, 32, 3)).astype("float32")


def numpy(tensor):
    return keras.ops.convert_to_numpy(keras.ops.cast(tensor, "float32"))


@pytest.mark.parametrize(
    ("depth", "channels", "millions"),
    [("resnet18", 512, 11.2), ("resnet34", 512, 21.3), ("resnet50", 2048, 23.6), ("tiny", 256, 1.2)],
)
def test_sizes(depth, channels, millions):
    model = ResNet(depth=depth)
    assert model.num_channels == channels
    # torchvision's counts: without the classifier, with the running statistics.
    assert abs(model.count_params() / 1e6 - millions) < 0.06


@pytest.mark.parametrize(
    ("last_stage", "last_stride", "stride", "channels"),
    [(4, 2, 32, 256), (4, 1, 16, 256), (3, 2, 16, 128), (3, 1, 8, 128), (2, 2, 8, 64)],
)
def test_last_stage_and_stride(last_stage, last_stride, stride, channels):
    model = ResNet(depth="tiny", last_stage=last_stage, last_stride=last_stride)
    assert (model.stride, model.num_channels) == (stride, channels)
    for height, width in [(128, 64), (95, 47)]:
        received = tuple(model(np.zeros((1, height, width, 3), "float32")).shape)
        assert received == (1, -(-height // stride), -(-width // stride), channels)
        assert model.compute_output_shape((1, height, width, 3)) == received
    assert model.compute_output_shape((None, None, None, 3)) == (None, None, None, channels)


def test_variables_exist_without_an_image_and_bear_torchvision_names():
    model = ResNet(depth="resnet50", ibn="b")
    paths = {variable.path for variable in model.weights}
    assert len(paths) == len(model.weights)
    assert {
        "backbone/stem/conv1/kernel",
        "backbone/layer1/0/downsample/1/gamma",
        "backbone/layer2/3/IN/beta",
        "backbone/layer4/2/bn3/moving_variance",
    } <= paths
    model.build((None, None, None, 3))
    assert {variable.path for variable in model.weights} == paths


def test_ibn_places():
    def places(ibn):
        names = ResNet(depth="resnet18", ibn=ibn).torchvision_variables()
        return {name.removesuffix(".weight") for name in names if ".IN.weight" in name}

    assert places(None) == set()
    assert places("a") == {f"layer{stage}.{block}.bn1.IN" for stage in (1, 2, 3) for block in (0, 1)}
    assert places("b") == {"layer1.1.IN", "layer2.1.IN"}
    assert "bn1.running_mean" not in ResNet(depth="tiny", ibn="b").torchvision_variables()


@pytest.mark.parametrize("ibn", [None, "a", "b"])
def test_saving_keeps_the_features(tmp_path, ibn):
    model = ResNet(depth="tiny", ibn=ibn, last_stage=3, last_stride=1, name="trunk")
    expected = numpy(model(IMAGES))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(numpy(again(IMAGES)), expected)
    assert [v.path for v in again.weights] == [v.path for v in model.weights]


def test_config_is_the_signature():
    arguments = {"depth": "tiny", "ibn": "a", "last_stage": 3, "last_stride": 1, "name": "trunk"}
    config = ResNet(**arguments).get_config()
    named = {n for n, p in inspect.signature(ResNet).parameters.items() if p.kind is p.KEYWORD_ONLY}
    assert named == set(arguments)
    assert set(config) == named | {"dtype", "trainable"}
    assert {key: config[key] for key in arguments} == arguments
    assert ResNet.from_config(config).get_config() == config


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_is_close_and_keeps_float32_variables(policy):
    model = ResNet(depth="tiny", ibn="a")
    half = ResNet(depth="tiny", ibn="a", dtype=policy)
    half.set_weights(model.get_weights())
    output = half(IMAGES)
    assert keras.backend.standardize_dtype(output.dtype) == policy.removeprefix("mixed_")
    assert {keras.backend.standardize_dtype(v.dtype) for v in half.weights} == {"float32"}
    expected = numpy(model(IMAGES))
    assert np.abs(numpy(output) - expected).max() < 0.05 * expected.max()


def test_the_seed_decides_the_weights():
    def weights(seed):
        keras.utils.set_random_seed(seed)
        return ResNet(depth="tiny").get_weights()

    first, again, other = weights(1), weights(1), weights(2)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])
    kernels = [w for w in first if w.shape == (3, 3, 32, 32)]
    assert not np.array_equal(kernels[0], kernels[1])
    # Kaiming normal, fan out: variance 2 / (3 * 3 * 32).
    assert abs(kernels[0].std() / np.sqrt(2 / (9 * 32)) - 1) < 0.05


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="torch has no XLA; its compiler warns at every layer")
def test_trains_under_xla():
    model = keras.Sequential([ResNet(depth="tiny", ibn="a", last_stage=2), keras.layers.GlobalAveragePooling2D()])
    model.compile("sgd", "mse", jit_compile=True)
    history = model.fit(IMAGES, np.zeros((2, 64), "float32"), epochs=3, batch_size=2, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]


def test_instance_batch_normalization_halves():
    layer = InstanceBatchNormalization()
    inputs = np.random.default_rng(0).normal(2.0, 3.0, (3, 5, 4, 6)).astype("float32")
    received = numpy(layer(inputs, training=True))
    instance, batch = inputs[..., :3], inputs[..., 3:]
    for axes, part, half in [((1, 2), instance, slice(0, 3)), ((0, 1, 2), batch, slice(3, 6))]:
        mean, variance = part.mean(axes, keepdims=True), part.var(axes, keepdims=True)
        np.testing.assert_allclose(received[..., half], (part - mean) / np.sqrt(variance + 1e-5), atol=1e-5)


def test_a_block_is_the_sum_of_branch_and_shortcut():
    block = BasicBlock(4, 4)
    inputs = np.random.default_rng(0).random((1, 3, 3, 4)).astype("float32")
    block(inputs)
    block.norms[1].gamma.assign(np.zeros(4, "float32"))
    np.testing.assert_array_equal(numpy(block(inputs)), inputs)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"depth": "resnet51"}, "Unknown ResNet depth 'resnet51'. Did you mean 'resnet50'"),
        ({"ibn": "c"}, "`ibn` must be None, 'a' or 'b'. Received: 'c'."),
        ({"last_stage": 5}, "`last_stage` must be 2, 3 or 4. Received: 5."),
        ({"last_stride": 4}, "`last_stride` must be 1 or 2. Received: 4."),
    ],
)
def test_bad_arguments(arguments, sentence):
    with pytest.raises(ValueError) as error:
        ResNet(**arguments)
    assert sentence in str(error.value)
