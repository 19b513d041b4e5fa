"""With converted weights the features equal those of a torch ResNet: the proof that published checkpoints fit."""

import keras
import numpy as np
import pytest

from keras_reid.backbones import ResNet, load_torchvision

torch = pytest.importorskip("torch")

from tests.backbones.torch_resnet import random_resnet  # noqa: E402

CASES = [
    ("resnet50", None, 1, (256, 128)),
    ("resnet50", None, 2, (384, 128)),
    ("resnet50", "a", 1, (256, 128)),
    ("resnet50", "b", 1, (384, 128)),
    ("resnet18", None, 2, (256, 128)),
    ("resnet18", "a", 1, (384, 128)),
    ("resnet18", "b", 2, (255, 127)),
]


@pytest.mark.parametrize(("depth", "ibn", "last_stride", "size"), CASES)
def test_features_equal_torch(depth, ibn, last_stride, size):
    network = random_resnet(depth, ibn, last_stride)
    model = ResNet(depth=depth, ibn=ibn, last_stride=last_stride)
    left_over = load_torchvision(model, {name: tensor.numpy() for name, tensor in network.state_dict().items()})
    assert {name.split(".")[0] for name in left_over if "num_batches" not in name} == {"fc"}
    images = np.random.default_rng(0).normal(size=(1, *size, 3)).astype("float32")
    with torch.no_grad():
        expected = network(torch.from_numpy(images.transpose(0, 3, 1, 2))).numpy().transpose(0, 2, 3, 1)
    received = keras.ops.convert_to_numpy(model(images, training=False))
    assert received.shape == expected.shape
    assert np.abs(received - expected).max() < 1e-4 * np.abs(expected).max()


def test_training_mode_equals_torch():
    network = random_resnet("resnet18", last_stride=1).train()
    model = ResNet(depth="resnet18", last_stride=1)
    load_torchvision(model, {name: tensor.numpy() for name, tensor in network.state_dict().items()})
    images = np.random.default_rng(0).normal(size=(4, 64, 32, 3)).astype("float32")
    with torch.no_grad():
        expected = network(torch.from_numpy(images.transpose(0, 3, 1, 2))).numpy().transpose(0, 2, 3, 1)
    received = keras.ops.convert_to_numpy(model(images, training=True))
    assert np.abs(received - expected).max() < 1e-3 * np.abs(expected).max()
    means = keras.ops.convert_to_numpy(model.stem.bn1.moving_mean)
    np.testing.assert_allclose(means, network.bn1.running_mean.numpy(), atol=1e-5)
