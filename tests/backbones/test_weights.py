import builtins
import sys

import keras
import numpy as np
import pytest
from safetensors.numpy import save_file

from keras_reid.backbones import ResNet, load_torchvision, torchvision_variables
from keras_reid.backbones.weights import assign_tensors, read_tensors


def random_tensors(model, seed=0):
    """Random torch tensors for every variable of a model, kernels as [out, in, h, w]."""
    rng = np.random.default_rng(seed)
    shapes = {name: tuple(v[0].shape) for name, v in model.torchvision_variables().items()}
    return {
        name: rng.random(shape if len(shape) == 1 else (shape[3], shape[2], shape[0], shape[1])).astype("float32")
        for name, shape in shapes.items()
    }


def test_every_variable_takes_its_tensor():
    model = ResNet(depth="tiny", ibn="a")
    tensors = random_tensors(model)
    extra = {"fc.weight": np.zeros((10, 256)), "fc.bias": np.zeros(10), "bn1.num_batches_tracked": np.array(7)}
    assert load_torchvision(model, tensors | extra) == ["bn1.num_batches_tracked", "fc.bias", "fc.weight"]
    kernel = keras.ops.convert_to_numpy(model.stem.conv1.kernel)
    np.testing.assert_array_equal(kernel, tensors["conv1.weight"].transpose(2, 3, 1, 0))
    variance = keras.ops.convert_to_numpy(model.stages[0].blocks[0].norms[0].batch.moving_variance)
    np.testing.assert_array_equal(variance, tensors["layer1.0.bn1.BN.running_var"])


def test_variables_do_not_share_memory_with_the_tensors():
    model = ResNet(depth="tiny", last_stage=2)
    tensors = random_tensors(model)
    load_torchvision(model, tensors)
    before = keras.ops.convert_to_numpy(model.stem.bn1.gamma).copy()
    tensors["bn1.weight"] += 1.0
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(model.stem.bn1.gamma), before)


def test_stages_beyond_the_last_are_left_over():
    whole, short = ResNet(depth="tiny"), ResNet(depth="tiny", last_stage=3)
    left_over = load_torchvision(short, random_tensors(whole))
    assert left_over and all(name.startswith("layer4.") for name in left_over)


def test_nothing_is_loaded_unless_everything_fits():
    model = ResNet(depth="tiny")
    before = model.get_weights()
    tensors = random_tensors(model)
    del tensors["conv1.weight"]
    tensors["layer1.7.conv1.weight"] = np.zeros((1, 1, 3, 3), "float32")
    tensors["bn1.weight"] = np.zeros(5, "float32")
    with pytest.raises(ValueError) as error:
        load_torchvision(model, tensors)
    assert "1 missing: conv1.weight" in str(error.value)
    assert "1 unexpected: layer1.7.conv1.weight" in str(error.value)
    assert "1 of another shape: bn1.weight (expected (32,), received (5,))" in str(error.value)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_a_deeper_networks_weights_are_refused():
    with pytest.raises(ValueError, match=r"unexpected: layer1.2"):
        load_torchvision(ResNet(depth="resnet18", last_stage=2), random_tensors(ResNet(depth="resnet34", last_stage=2)))


def test_two_variables_may_share_a_tensor():
    stems = [ResNet(depth="tiny", last_stage=2, name=name).stem for name in ("visible", "thermal")]
    first, second = (torchvision_variables(stem) for stem in stems)
    variables = {name: first[name] + second[name] for name in first}
    tensors = {n: t for n, t in random_tensors(ResNet(depth="tiny")).items() if n in variables}
    assert assign_tensors(variables, tensors) == []
    for a, b in zip(stems[0].weights, stems[1].weights, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(a), keras.ops.convert_to_numpy(b))


def test_loading_works_inside_and_after_a_saved_model(tmp_path):
    outer = keras.Sequential([keras.layers.Rescaling(2.0), ResNet(depth="tiny")])
    outer(np.zeros((1, 32, 32, 3), "float32"))
    outer.save(tmp_path / "outer.keras")
    again = keras.saving.load_model(tmp_path / "outer.keras")
    tensors = random_tensors(ResNet(depth="tiny"))
    assert load_torchvision(again.layers[1], tensors) == []


def test_safetensors_and_prefix(tmp_path):
    model = ResNet(depth="tiny")
    tensors = random_tensors(model)
    save_file({f"module.{name}": np.ascontiguousarray(t) for name, t in tensors.items()}, tmp_path / "w.safetensors")
    assert load_torchvision(model, tmp_path / "w.safetensors") == []
    mean = keras.ops.convert_to_numpy(model.stem.bn1.moving_mean)
    np.testing.assert_array_equal(mean, tensors["bn1.running_mean"])


@pytest.mark.parametrize("nest", ["flat", "state_dict", "model"])
def test_torch_files(tmp_path, nest):
    torch = pytest.importorskip("torch")
    state = {"module.fc.weight": torch.ones(2, 3, dtype=torch.float16), "module.n.num_batches_tracked": torch.tensor(3)}
    torch.save(state if nest == "flat" else {nest: state, "epoch": 3}, tmp_path / "w.pth")
    tensors = read_tensors(tmp_path / "w.pth")
    assert {name: array.dtype.name for name, array in tensors.items()} == {
        "fc.weight": "float32",
        "n.num_batches_tracked": "int64",
    }


class Hostile:
    def __reduce__(self):
        return (print, ("this must not run",))


def test_a_torch_file_with_code_is_refused(tmp_path, capsys):
    torch = pytest.importorskip("torch")
    torch.save({"state_dict": Hostile()}, tmp_path / "w.pth")
    with pytest.raises(ValueError, match="holds more than tensors and was not read"):
        read_tensors(tmp_path / "w.pth")
    assert capsys.readouterr().out == ""
    torch.save({"epoch": 3}, tmp_path / "w.pth")
    with pytest.raises(ValueError, match="does not hold a state dict"):
        read_tensors(tmp_path / "w.pth")


def test_without_torch_the_extra_is_named(tmp_path, monkeypatch):
    (tmp_path / "w.pth").write_bytes(b"")
    real_import = builtins.__import__

    def no_torch(name, *arguments, **keywords):
        if name == "torch":
            raise ImportError(name)
        return real_import(name, *arguments, **keywords)

    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr(builtins, "__import__", no_torch)
    with pytest.raises(ImportError, match=r"Reading 'w.pth' needs torch: pip install 'keras-reid\[torch\]'"):
        read_tensors(tmp_path / "w.pth")


def test_other_files_are_refused(tmp_path):
    (tmp_path / "w.npz").write_bytes(b"")
    with pytest.raises(ValueError, match=r"Weights must be a .safetensors file.*Received: 'w.npz'"):
        read_tensors(tmp_path / "w.npz")
    with pytest.raises(FileNotFoundError, match="There is no weights file"):
        read_tensors(tmp_path / "missing.pth")
