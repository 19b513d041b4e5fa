"""Networks of full size: what the paper's tables count, and the authors' weight files by their names alone."""

import json
import zlib

import keras
import numpy as np
import pytest

from keras_reid.methods.dgnet import DGNet, checkpoint_kind, dgnet_from_checkpoints
from tests.methods.dgnet_fixture import FOLDER

KEYS = json.loads((FOLDER / "dgnet_keys.json").read_text(encoding="utf-8"))


def value(name):
    """Every tensor has one number of its own, so that none can stand in another's place."""
    return 0.001 + zlib.crc32(name.encode()) % 9973 / 1e6


def checkpoint(kind):
    return {name: np.full(shape, value(name), "float32") for name, shape in KEYS[kind].items()}


@pytest.fixture(scope="module")
def contents():
    return {kind: checkpoint(kind) for kind in ("gen", "dis", "id", "teacher")}


@pytest.fixture(scope="module")
def loaded(contents):
    # In the order and wrapping of the authors' files; the teacher's has none.
    wrapped = [{"a": contents["id"]}, {"a": contents["gen"]}, contents["teacher"], {"a": contents["dis"]}]
    return dgnet_from_checkpoints(*wrapped)


def count(*layers):
    return sum(int(np.prod(v.shape)) for layer in layers for v in layer.weights if v.trainable)


def test_the_paper_s_tables(loaded):
    encoder = loaded.appearance_encoder
    assert count(loaded.structure_encoder) == 380_544
    assert count(*loaded.decoder.scales, *loaded.decoder.shifts) == 8 * 1_443_072
    assert count(loaded.structure_encoder, loaded.decoder) == 13_380_675
    assert count(loaded.discriminator) == 1_025_571
    assert count(encoder.backbone) == 23_508_032
    assert count(encoder) == 28_427_782 - 2_049_000  # without ImageNet's classifier
    teacher = sum(int(np.prod(v.shape)) for v in loaded.teacher.weights if "moving" not in v.path)
    assert teacher == 24_943_407
    assert loaded.get_config()["num_classes"] == 751
    assert encoder.backbone.compute_output_shape((None, 256, 128, 3)) == (None, 16, 8, 2048)


def test_shapes_at_full_size(loaded):
    images = keras.ops.ones((1, 256, 128, 3))
    structure = loaded.structure_encoder(images)
    assert tuple(structure.shape) == (1, 64, 32, 128)
    assert tuple(loaded.decoder([structure, keras.ops.ones((1, 4, 2048))]).shape) == (1, 256, 128, 3)
    assert [tuple(p.shape) for p in loaded.discriminator(images)] == [(1, 64, 32, 1), (1, 32, 16, 1), (1, 16, 8, 1)]


def test_every_tensor_is_in_its_place(loaded):
    encoder, decoder = loaded.appearance_encoder, loaded.decoder
    places = {
        "enc_content.model.5.conv12.1.conv.weight": loaded.structure_encoder.branches[2][1].conv.kernel,
        "dec.model.1.model.2.model.1.conv.bias": decoder.blocks[2].convolutions[1].conv.bias,
        "dec.model.5.norm.gamma": decoder.upward[1].norm.gamma,
        "mlp_b3.model.1.fc.weight": decoder.shifts[2].layers[1].kernel,
        "cnns.2.7.model.0.conv.weight": loaded.discriminator.copies[2].blocks[2].convolutions[0].conv.kernel,
        "classifier2.add_block.1.running_var": encoder.fine.norm.moving_variance,
        "classifier1.classifier.0.weight": encoder.primary.classifier.kernel,
    }
    for name, variable in places.items():
        np.testing.assert_allclose(keras.ops.convert_to_numpy(variable), np.float32(value(name)), err_msg=name)
    classifier = keras.ops.convert_to_numpy(loaded.teacher.head.classifier.bias)
    np.testing.assert_allclose(classifier, np.float32(value("classifier.classifier.0.bias")))


def test_kinds_and_what_does_not_fit(contents):
    names = {"gen": "generator", "dis": "discriminator", "id": "appearance", "teacher": "teacher"}
    assert {kind: checkpoint_kind(tensors) for kind, tensors in contents.items()} == names
    with pytest.raises(ValueError, match="none of DG-Net's four kinds.* Received 1 tensors"):
        checkpoint_kind({"conv1.weight": 0})
    with pytest.raises(ValueError, match=r"weights of \['appearance'\] are missing"):
        dgnet_from_checkpoints(contents["gen"], contents["teacher"])
    with pytest.raises(ValueError, match="Two of the weight files are of the kind 'generator'"):
        dgnet_from_checkpoints(contents["gen"], contents["gen"])


def test_unused_blocks_are_left_out_and_others_are_not(contents):
    small = {"gen": {**contents["gen"], "dec.model.1.model.0.nonlocal_block.theta.weight": np.ones((1, 1, 1, 1))}}
    dgnet_from_checkpoints(small["gen"], contents["id"])
    small["gen"]["dec.model.9.conv.weight"] = small["gen"].pop("dec.model.8.conv.weight")
    with pytest.raises(ValueError, match=r"1 missing: dec.model.8.conv.weight; 1 unexpected: dec.model.9.conv.weight"):
        dgnet_from_checkpoints(small["gen"], contents["id"])


def test_a_torch_file(contents, tmp_path):
    torch = pytest.importorskip("torch")
    for kind, file in (("gen", "gen_00100000.pt"), ("id", "id_00100000.pt")):
        tensors = {name: torch.from_numpy(np.array(array)) for name, array in contents[kind].items()}
        torch.save({"a": tensors}, tmp_path / file)
    model = dgnet_from_checkpoints(tmp_path / "id_00100000.pt", tmp_path / "gen_00100000.pt")
    assert isinstance(model, DGNet) and model.teacher is None
