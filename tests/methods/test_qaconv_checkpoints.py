"""The authors' networks with weights drawn anew from their names, and every release's checkpoint by its names alone."""

import json
import zlib
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_reid.methods.qaconv import qaconv_from_checkpoint

FIXTURE = np.load(Path(__file__).parents[1] / "parity" / "qaconv_networks.npz", allow_pickle=False)
KEYS = json.loads(str(FIXTURE["keys"]))
# Network -> its criterion and what must be recognised.
NETWORKS = {
    "eccv_r50": ("eccv_criterion", "qaconv", "resnet50", None, 128),
    "eccv_r152": ("eccv_criterion", "qaconv", "resnet152", None, 128),
    "v12_r50_ibnb_neck64": ("v12_criterion", "qaconv", "resnet50", "b", 64),
    "gs_r50_ibnb": ("head_triplet_criterion", "qaconv_gs", "resnet50", "b", 128),
    "gs_r50_ibna": ("head_triplet_criterion", "qaconv_gs", "resnet50", "a", 128),
    "gs_r50": ("head_triplet_criterion", "qaconv_gs", "resnet50", None, 128),
}
IMAGES = np.random.RandomState(123).uniform(0, 1, (2, 3, 384, 128)).astype("float32").transpose(0, 2, 3, 1)


def tensor(name, shape):
    """The weight that the recorded outputs were computed with."""
    if name.startswith(("base.layer4.", "base.fc.")) or name.endswith("num_batches_tracked"):
        return np.broadcast_to(np.float32(0.0), shape)  # not used
    rng = np.random.RandomState(zlib.crc32(name.encode()))
    if name.endswith("running_var"):
        value = rng.uniform(0.5, 1.5, shape)
    elif name.endswith("running_mean"):
        value = 0.1 * rng.randn(*shape)
    elif len(shape) == 4:
        value = rng.randn(*shape) * np.sqrt(1.0 / np.prod(shape[1:]))
    elif len(shape) == 2:
        value = 0.01 * rng.randn(*shape)
    elif name.endswith(".bias"):
        value = 0.1 * rng.randn(*shape)
    else:
        value = rng.uniform(0.5, 1.5, shape)
    return np.asarray(value, "float32")


def checkpoint(network, locations=192, classes=3):
    criterion = {}
    for name, shape in KEYS[NETWORKS[network][0]].items():
        if name == "class_memory":
            shape = [classes, shape[1], 24, 8]
        elif name == "valid_class":
            shape = [classes]
        elif name.endswith("fc.weight"):
            shape = [1, shape[1] * locations // 192]
        criterion[name] = tensor(name, shape)
    return {"model": {name: tensor(name, shape) for name, shape in KEYS[network].items()}, "criterion": criterion}


def recorded(name):
    return FIXTURE[f"networks/{name}"].transpose(0, 2, 3, 1)


@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_is_recognised_and_gives_the_authors_maps(network):
    _, version, depth, ibn, channels = NETWORKS[network]
    model = qaconv_from_checkpoint(checkpoint(network, locations=8), image_size=(64, 32))
    config = model.get_config()
    assert (config["version"], config["backbone"], config["ibn"]) == (version, depth, ibn)
    assert (config["channels"], config["last_stage"], config["num_classes"]) == (channels, 3, None)
    received = model.extract(IMAGES[:1, :64, :32])
    np.testing.assert_allclose(received, recorded(f"{network}_small64_out"), atol=1e-4)
    # Locations follow from the image, so that any size may be compared: here three maps high.
    received = keras.ops.convert_to_numpy(model(IMAGES[:1, :96, :32]))
    np.testing.assert_allclose(received, recorded(f"{network}_small96_out"), atol=1e-4)


@pytest.mark.parametrize("network", ["eccv_r50", "gs_r50_ibnb"])
def test_full_size_equals_the_authors(network):
    content = checkpoint(network)
    model = qaconv_from_checkpoint(content)
    received = model.extract(IMAGES)
    assert received.shape == (2, 24, 8, 128)
    np.testing.assert_allclose(received, recorded(f"{network}_out"), atol=1e-4)
    fully_connected = next(v for name, v in content["criterion"].items() if name.endswith("fc.weight"))
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(model.matcher.kernel), fully_connected.T)


def test_the_memory_comes_along_when_asked_for():
    content = checkpoint("eccv_r50", classes=4)
    content["criterion"]["class_memory"][2] = 0.0
    model = qaconv_from_checkpoint(content, with_memory=True, memory_storage="float16")
    assert model.num_classes == 4
    maps, valid = (keras.ops.convert_to_numpy(part) for part in model.memory.read())
    np.testing.assert_allclose(maps, content["criterion"]["class_memory"].transpose(0, 2, 3, 1), atol=2e-3)
    assert valid.tolist() == [1.0, 1.0, 0.0, 1.0]
    with pytest.raises(ValueError, match="holds no class memory. Leave out `with_memory`"):
        qaconv_from_checkpoint(checkpoint("gs_r50", locations=8), with_memory=True, image_size=(64, 32))


def test_a_torch_file(tmp_path):
    torch = pytest.importorskip("torch")
    content = checkpoint("gs_r50", locations=8)
    as_tensors = {
        part: {f"module.{name}": torch.from_numpy(np.array(value)) for name, value in tensors.items()}
        for part, tensors in content.items()
    }
    torch.save({**as_tensors, "epoch": 3, "optim": {"state": {}}}, tmp_path / "checkpoint.pth.tar")
    model = qaconv_from_checkpoint(tmp_path / "checkpoint.pth.tar", image_size=(64, 32))
    np.testing.assert_allclose(model.extract(IMAGES[:1, :64, :32]), recorded("gs_r50_small64_out"), atol=1e-4)
    torch.save({"model": as_tensors["model"]}, tmp_path / "network.pth")
    with pytest.raises(ValueError, match="has no entry 'criterion'. It holds: model"):
        qaconv_from_checkpoint(tmp_path / "network.pth")


def test_every_tensor_is_accounted_for():
    content = checkpoint("gs_r50", locations=8)
    content["model"]["base.extra.weight"] = np.zeros(3, "float32")
    del content["criterion"]["matcher.logit_bn.bias"]
    with pytest.raises(ValueError, match=r"1 missing: logit_bn.bias; 1 unexpected: base.extra.weight"):
        qaconv_from_checkpoint(content, image_size=(64, 32))
    with pytest.raises(ValueError, match="holds 'model' and 'criterion'.* Received: \\['model'\\]"):
        qaconv_from_checkpoint({"model": content["model"]})
    with pytest.raises(ValueError, match="must hold a ResNet named 'base.' and 'neck_conv.weight'"):
        qaconv_from_checkpoint({"model": {"conv1.weight": np.zeros(1)}, "criterion": {}})
