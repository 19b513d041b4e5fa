import keras
import numpy as np
import pytest

from keras_reid.backbones import ResNet, TwoStreamResNet, load_torchvision

IMAGES = np.random.default_rng(0).random((4, 64, 32, 3)).astype("float32")
MODALITY = np.array([0, 0, 1, 1], "int32")


def numpy(maps):
    return [keras.ops.convert_to_numpy(one) for one in maps]


def tiny(**options):
    keras.utils.set_random_seed(0)
    return TwoStreamResNet(depth="tiny", **options)


def test_what_is_shared_and_what_is_not():
    model = tiny()
    parts = [{v.path for v in part.weights} for part in (model.visible, model.thermal, *model.streams)]
    assert len(set.union(*parts)) == sum(map(len, parts)) == len(model.weights)
    assert "backbone/thermal/layer2/0/conv1/kernel" in parts[1]
    assert "backbone/global_stream/layer3/0/bn1/gamma" in parts[2]
    single = tiny(local_stream=False)
    assert len(single.streams) == 1
    assert len(single.weights) == len(model.weights) - len(parts[3])


def test_both_modalities_begin_alike():
    model = tiny()
    for visible, thermal in zip(model.visible.get_weights(), model.thermal.get_weights(), strict=True):
        np.testing.assert_array_equal(visible, thermal)
    assert not np.array_equal(model.streams[0].get_weights()[0], model.streams[1].get_weights()[0])


def test_size_of_the_full_network():
    model = TwoStreamResNet()
    millions = [part.count_params() / 1e6 for part in (model.visible, *model.streams)]
    np.testing.assert_allclose(millions, [1.45, 22.1, 22.1], atol=0.06)


@pytest.mark.parametrize("last_stride", [1, 2])
def test_shapes(last_stride):
    model = tiny(last_stride=last_stride)
    for height, width in [(96, 48), (95, 47)]:
        maps = model(np.zeros((2, height, width, 3), "float32"))
        received = tuple(tuple(one.shape) for one in maps)
        assert received == ((2, -(-height // model.stride), -(-width // model.stride), 256),) * 2
        assert model.compute_output_shape((2, height, width, 3)) == received
    assert model.compute_output_shape((None, None, None, 3))[0] == (None, None, None, 256)


def test_by_half_and_by_modality_are_the_same():
    model = tiny()
    halves = numpy(model(IMAGES))
    for received in (
        model(IMAGES, modality=MODALITY),
        [np.concatenate(pair) for pair in zip(
            numpy(model(IMAGES[:2], modality=MODALITY[:2])), numpy(model(IMAGES[2:], modality=MODALITY[2:])),
            strict=True,
        )],
    ):  # fmt: skip
        for one, two in zip(received, halves, strict=True):
            np.testing.assert_allclose(keras.ops.convert_to_numpy(one), two, atol=1e-5)
    order = np.array([2, 0, 3, 1])
    mixed = numpy(model(IMAGES[order], modality=MODALITY[order]))
    np.testing.assert_allclose(mixed[0], halves[0][order], atol=1e-5)


def test_one_modality_runs_only_its_own_part():
    model = tiny()
    for layer in (model.thermal, model.visible):
        for variable in layer.weights:
            variable.assign(np.full(variable.shape, np.nan, "float32"))
        other = 1 - int(layer is model.thermal)
        assert np.isfinite(numpy(model(IMAGES, modality=np.full(4, other, "int32")))[0]).all()
        for variable in layer.weights:
            variable.assign(np.ones(variable.shape, "float32"))


def test_training_needs_halves_and_updates_both_parts():
    model = tiny()
    with pytest.raises(ValueError, match="Training needs batches of a visible and a thermal half, and no `modality`"):
        model(IMAGES, modality=MODALITY, training=True)
    model(IMAGES, training=True)
    for part in (model.visible, model.thermal, *model.streams):
        for variable in part.weights:
            if "moving_mean" in variable.path:
                assert np.abs(keras.ops.convert_to_numpy(variable)).max() > 0, variable.path


def test_a_torchvision_checkpoint_fills_both_modalities_and_both_streams():
    source, model = ResNet(depth="tiny", last_stride=1), tiny()
    load_torchvision(model, exported(source))
    expected = keras.ops.convert_to_numpy(source(IMAGES))
    for received in numpy(model(IMAGES)):
        np.testing.assert_allclose(received, expected, atol=1e-5)


def exported(model):
    """The model's weights as torchvision stores them."""
    values = {name: keras.ops.convert_to_numpy(found[0]) for name, found in model.torchvision_variables().items()}
    return {name: value.transpose(3, 2, 0, 1) if value.ndim == 4 else value for name, value in values.items()}


def test_saving_keeps_the_maps(tmp_path):
    model = tiny(local_stream=False, last_stride=2)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.get_config() == model.get_config()
    np.testing.assert_array_equal(numpy(again(IMAGES))[0], numpy(model(IMAGES))[0])


def test_bad_arguments():
    with pytest.raises(ValueError, match="Unknown ResNet depth 'resnet5'. Did you mean 'resnet50'"):
        TwoStreamResNet(depth="resnet5")
    with pytest.raises(ValueError, match="`last_stride` must be 1 or 2. Received: 3"):
        TwoStreamResNet(last_stride=3)
