"""Files of tensors: a backbone, the authors' checkpoints, and what is neither."""

import pickle

import keras
import numpy as np
import pytest
from safetensors.numpy import save_file

from keras_reid import zoo
from keras_reid.methods import DGNet, QAConv
from keras_reid.methods.dgnet.checkpoints import _appearance_variables
from keras_reid.methods.qaconv.checkpoints import _network_variables
from tests.zoo.conftest import SIZE, tall

QACONV = {"backbone": "resnet18", "last_stage": 2, "channels": 8, "image_size": SIZE}
DGNET = {"backbone": "resnet18", "structure_width": 4, "style_width": 8, "descriptor_width": 16, "image_size": (64, 40)}


def as_torch(variables):
    """{torch name: array in torch's layout} of variables by their torch names."""
    axes = {4: (3, 2, 0, 1), 2: (1, 0)}
    values = {name: keras.ops.convert_to_numpy(found[0]) for name, found in variables.items()}
    return {n: np.ascontiguousarray(v.transpose(axes.get(v.ndim, range(v.ndim)))) for n, v in values.items()}


def test_a_backbone(tmp_path, images):
    model = zoo.load("baseline_tiny")
    path = tmp_path / "backbone.safetensors"
    save_file(as_torch(model.backbone.torchvision_variables()), path)
    loaded = zoo.load("baseline_tiny", num_classes=3, weights=path)
    np.testing.assert_array_equal(loaded.extract(tall(images)), model.extract(tall(images)))


def test_dgnets_authors(tmp_path):
    model = DGNet(**DGNET, num_classes=3)
    encoder = {f"enc_content.{name}": found for name, found in model.structure_encoder.torch_variables().items()}
    parts = {"gen": encoder | model.decoder.torch_variables(), "id": _appearance_variables(model.appearance_encoder)}
    for name, variables in parts.items():
        save_file(as_torch(variables), tmp_path / f"{name}.safetensors")
    files = [tmp_path / "gen.safetensors", tmp_path / "id.safetensors"]
    images = np.random.default_rng(0).random((2, 64, 40, 3), dtype="float32")
    loaded = zoo.load("dgnet_r50", num_classes=5, weights=files, head="new", **DGNET)
    assert loaded.num_classes == 5 and loaded.optimizer is not None
    np.testing.assert_array_equal(loaded.extract(images), model.extract(images))
    with pytest.raises(ValueError, match=r"comes from the authors of DGNet, but is no 'dgnet_tiny'.*dgnet_from_check"):
        zoo.load("dgnet_tiny", weights=files)
    with pytest.raises(ValueError, match=r"weights of \['appearance'\] are missing"):
        zoo.load("dgnet_r50", weights=files[0], **DGNET)
    with pytest.raises(ValueError, match="comes from the authors of DGNet, and 'baseline_tiny' is a Baseline"):
        zoo.load("baseline_tiny", weights=files)


@pytest.fixture(scope="module")
def qaconv(tmp_path_factory):
    """A checkpoint as QAConv's authors save it, and its model with the class memory of three identities."""
    torch = pytest.importorskip("torch")
    model = QAConv(**QACONV, num_classes=3)
    maps, _ = model.memory.read()
    model.memory.write(np.arange(3), np.random.default_rng(0).random(maps.shape).astype("float32"))
    content = {
        # The authors' network has the stages that it does not use.
        "model": {**as_torch(_network_variables(model)), "base.layer3.1.conv1.weight": np.zeros((1, 1), "float32")},
        "criterion": {
            **{f"matcher.{name}": value for name, value in as_torch(model.matcher.torch_variables("")).items()},
            "class_memory": keras.ops.convert_to_numpy(model.memory.maps).transpose(0, 3, 1, 2).copy(),
            "valid_class": np.ones(3, "float32"),
        },
    }
    path = tmp_path_factory.mktemp("qaconv") / "checkpoint.pth.tar"
    tensors = {part: {n: torch.from_numpy(np.array(v)) for n, v in some.items()} for part, some in content.items()}
    torch.save({**tensors, "epoch": 15, "optim": {"state": {}}}, path)
    return path, model


def test_qaconvs_authors(qaconv, images):
    path, model = qaconv
    kept = zoo.load("qaconv_r50", weights=path, **QACONV)
    assert kept.num_classes == 3
    expected, _ = model.memory.read()
    np.testing.assert_array_equal(kept.memory.read()[0], expected)
    dropped = zoo.load("qaconv_r50", weights=path, head="drop", **QACONV)
    new = zoo.load("qaconv_r50", 2, path, "new", **QACONV)
    assert (dropped.num_classes, new.num_classes) == (None, 2)
    for loaded in (kept, dropped, new):
        assert loaded.optimizer is not None
        np.testing.assert_array_equal(loaded.extract(images), model.extract(images))


def test_qaconvs_authors_for_another_entry(qaconv):
    with pytest.raises(ValueError, match=r"but is no 'qaconv_tiny'.* missing.*qaconv_from_checkpoint builds whatever"):
        zoo.load("qaconv_tiny", weights=qaconv[0])
    with pytest.raises(ValueError, match="Several files are for DG-Net alone"):
        zoo.load("qaconv_r50", weights=[qaconv[0], qaconv[0]], **QACONV)


def test_what_a_strange_file_looks_like(tmp_path):
    save_file({"encoder.weight": np.zeros((2, 3), "float32"), "n": np.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match=r"no known kind.*2 tensors, the first of them encoder.weight \(2, 3\), n"):
        zoo.load("baseline_tiny", weights=tmp_path / "other.safetensors")


class Attack:
    """What unpickling would create a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_a_pickle_with_code_is_refused(tmp_path):
    torch = pytest.importorskip("torch")
    written = tmp_path / "written"
    torch.save({"state_dict": Attack(written)}, tmp_path / "new.pth")
    (tmp_path / "old.pth").write_bytes(pickle.dumps(Attack(written), protocol=2))
    for name in ("new.pth", "old.pth"):
        with pytest.raises(ValueError, match="was not read, for it could run code"):
            zoo.load("baseline_tiny", weights=tmp_path / name)
    assert not written.exists()
