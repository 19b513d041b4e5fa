"""Exported files, run by what is made to run them, against the library itself."""

import importlib.util
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_reid import cli, deployment, zoo
from keras_reid.deployment import exporting, formats
from tests.pages import run_blocks

SIZE = (64, 32)
NEEDS = {"onnx": ("tf2onnx", "onnxruntime"), "litert": ("ai_edge_litert",), "tf_saved_model": ()}
PATHS = {"onnx": "model.onnx", "litert": "model.tflite", "tf_saved_model": "model"}

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="Keras exports these files on TensorFlow"
)


@pytest.fixture(scope="module")
def baseline():
    return zoo.load("baseline_tiny", image_size=SIZE, num_classes=3)


def images(count, size=SIZE):
    return np.random.default_rng(1).integers(0, 256, (count, *size, 3), dtype="uint8")


def features(path, batch):
    """What a stranger would type."""
    if path.suffix == ".onnx":
        import onnxruntime

        return onnxruntime.InferenceSession(path).run(None, {"images": batch})[0]
    if path.suffix == ".tflite":
        from ai_edge_litert.interpreter import Interpreter

        return Interpreter(str(path)).get_signature_runner()(images=batch)["features"]
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    return loaded.serve(batch)["features"].numpy()


def check(model, tmp_path, format, **options):
    for module in NEEDS[format]:
        pytest.importorskip(module)
    path = tmp_path / PATHS[format]
    file = deployment.export(model, path, **options)
    assert (file.path, file.format, list(file.differences)) == (path, format, [1, 2, 17])
    assert [found.name for found in tmp_path.iterdir()] == [path.name]
    batch = images(5, model.image_size)
    expected = model.extract(batch / 255.0, **options)
    assert file.feature_shape == expected.shape[1:]
    limit = 1e-5 * max(1.0, np.abs(expected).max())
    assert max(file.differences.values()) < limit
    np.testing.assert_allclose(features(path, batch), expected, rtol=0, atol=limit)


@pytest.mark.parametrize("format", ["onnx", pytest.param("litert", marks=pytest.mark.slow)])
def test_the_file_gives_what_extract_gives(baseline, tmp_path, format):
    check(baseline, tmp_path, format)


def test_maps_of_qaconv(tmp_path):
    check(zoo.load("qaconv_tiny", image_size=SIZE), tmp_path, "tf_saved_model")


@pytest.mark.slow
@pytest.mark.parametrize("format", NEEDS)
@pytest.mark.parametrize(
    ("name", "size", "options"),
    [
        ("qaconv_tiny", SIZE, {}),
        ("qaconv_gs_tiny", SIZE, {}),
        ("gmn_tiny", SIZE, {}),
        ("dcml_tiny", SIZE, {}),
        ("cmemd_tiny", (96, 48), {}),
        ("cmemd_tiny", (96, 48), {"modality": 1}),
        ("dgnet_tiny", (64, 48), {}),
        ("spgan_tiny", (64, 64), {}),
    ],
)
def test_every_method_in_every_format(tmp_path, name, size, format, options):
    check(zoo.load(name, image_size=size), tmp_path, format, **options)


class FileThatIsOff:
    """Stands for writing and opening a file: its features are the model's, but for batches of two."""

    def __init__(self, model, error):
        self.model, self.error = model, error
        self.precisions = set()

    def install(self, monkeypatch):
        fake = formats.Format("tf_saved_model", "", {}, lambda path: self)
        monkeypatch.setitem(formats.FORMATS, "tf_saved_model", fake)
        monkeypatch.setattr(exporting.Deployed, "export", lambda deployed, path, **options: path.mkdir())

    def __call__(self, batch):
        self.precisions.add(tensor_float_32())
        return self.model.extract(batch / 255.0) + (self.error if len(batch) == 2 else 0.0)


def tensor_float_32():
    import tensorflow as tf

    return tf.config.experimental.tensor_float_32_execution_enabled()


def test_a_model_of_mixed_precision_is_exported_in_float32(baseline, tmp_path, monkeypatch):
    mixed = zoo.load("baseline_tiny", image_size=SIZE, num_classes=3, dtype="mixed_bfloat16")
    mixed.set_weights(baseline.get_weights())
    FileThatIsOff(baseline, 0.0).install(monkeypatch)
    file = deployment.export(mixed, tmp_path / "model")
    assert max(file.differences.values()) < 1e-6


@pytest.mark.parametrize("error", [2e-4, np.nan])
def test_a_file_that_disagrees_is_deleted(baseline, tmp_path, monkeypatch, error):
    FileThatIsOff(baseline, error).install(monkeypatch)
    with pytest.raises(ValueError, match=r"disagrees with the model by more than 1.0e-04 and was deleted") as caught:
        deployment.export(baseline, tmp_path / "model")
    assert f"\n    2  {error:.1e}\n" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_the_comparison_is_in_whole_float32(baseline, tmp_path, monkeypatch):
    file = FileThatIsOff(baseline, 5e-5)  # within the tolerance
    file.install(monkeypatch)
    assert tensor_float_32()  # TensorFlow's default
    deployment.export(baseline, tmp_path / "model")
    assert file.precisions == {False}
    assert tensor_float_32()
    assert (tmp_path / "model").is_dir()


@pytest.mark.parametrize(
    ("path", "options", "sentence"),
    [
        ("model.pb", {}, r"The suffix of `path` says the format: .onnx, .tflite .* Received: '.*model.pb'"),
        ("model", {"format": "onx"}, "Unknown export format 'onx'. Did you mean 'onnx'?"),
        ("", {}, "exists. Delete it, or give another path."),
        ("model", {"modality": 1}, "`modality` is 0 .* for CMEMD alone.* Received: 1 for Baseline"),
    ],
)
def test_bad_arguments(baseline, tmp_path, path, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        deployment.export(baseline, tmp_path / path, **options)
    assert list(tmp_path.iterdir()) == []


def test_not_a_model_of_ours(tmp_path):
    with pytest.raises(TypeError, match="takes a model of keras_reid.methods. Received: Sequential"):
        deployment.export(keras.Sequential(), tmp_path / "model")


def test_another_backend(baseline, tmp_path, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ValueError, match="exported by Keras on TensorFlow; here Keras runs on jax.*KERAS_BACKEND"):
        deployment.export(baseline, tmp_path / "model")


@pytest.mark.parametrize(
    ("path", "packages"), [("model.onnx", "onnx, tf2onnx, onnxruntime"), ("model.tflite", "ai-edge-litert")]
)
def test_a_missing_package_is_named(baseline, tmp_path, monkeypatch, path, packages):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=rf'needs {packages}, not installed.*pip install "keras-reid\[export\]"'):
        deployment.export(baseline, tmp_path / path)


def test_the_command(baseline, tmp_path, capsys):
    baseline.save(tmp_path / "model.keras")
    out = tmp_path / "deployed" / "model"
    assert cli.main(["export", str(tmp_path / "model.keras"), "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert f"{out} (tf_saved_model)\nimages    uint8 [N, 64, 32, 3], RGB\nfeatures  float32 [N, 256]\n" in printed
    assert [line.split()[0] for line in printed.splitlines()[-3:]] == ["1", "2", "17"]
    batch = images(5)
    np.testing.assert_allclose(features(out, batch), baseline.extract(batch / 255.0), rtol=0, atol=1e-5)

    assert cli.main(["export", str(tmp_path / "model.keras"), "--out", str(out)]) == 2
    assert "exists. Delete it" in capsys.readouterr().err


def test_the_page_runs(tmp_path, monkeypatch):
    for module in ("tf2onnx", "onnxruntime", "ai_edge_litert"):
        pytest.importorskip(module)
    monkeypatch.chdir(tmp_path)
    names = run_blocks(Path(__file__).parents[1] / "docs" / "concepts" / "export.md")
    expected = names["model"].extract(names["images"] / 255.0)
    for file in ("model.onnx", "model.tflite"):
        np.testing.assert_allclose(features(tmp_path / file, names["images"]), expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(names["features"], expected, rtol=0, atol=1e-5)
