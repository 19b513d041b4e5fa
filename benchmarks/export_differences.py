"""Exported files against the Keras model: greatest absolute differences for R50 models in every format.

    python benchmarks/export_differences.py

Random weights, and random statistics in the batch norms, so that they do something. GMN's features are not of unit
norm: `greatest_feature` says how large they are.
"""

import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
from _measure import write_result

MODELS = ("baseline_r50", "qaconv_r50", "gmn_r50")
SUFFIXES = ("", ".onnx", ".tflite")


def random_model(name: str):
    """A zoo entry whose batch norms have statistics other than 0 and 1."""
    import keras

    from keras_reid import zoo

    keras.utils.set_random_seed(0)
    model, rng = zoo.load(name), np.random.default_rng(0)
    for variable in model.variables:
        if variable.path.endswith("moving_mean"):
            variable.assign(0.1 * rng.normal(size=variable.shape))
        elif variable.path.endswith("moving_variance"):
            variable.assign(rng.uniform(0.5, 1.5, size=variable.shape))
    return model


def megabytes(path: Path) -> float:
    """Size of a file, or of all files of a folder."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return round(sum(file.stat().st_size for file in files) / 2**20, 1)


def main() -> dict:
    """Exports every model to every format and returns the differences."""
    from keras_reid.deployment import export

    outcome = {}
    for name in MODELS:
        model = random_model(name)
        images = np.random.default_rng(0).random((2, *model.image_size, 3))
        results = {"greatest_feature": float(np.abs(model.extract(images)).max())}
        for suffix in SUFFIXES:
            with tempfile.TemporaryDirectory() as folder:
                began = time.process_time()
                file = export(model, Path(folder) / f"model{suffix}")
                results[file.format] = {
                    "greatest_difference": {str(size): value for size, value in file.differences.items()},
                    "megabytes": megabytes(file.path),
                    "cpu_s": round(time.process_time() - began, 1),
                }
        outcome[name] = {"image_size": model.image_size, "feature_shape": file.feature_shape, **results}
    return outcome


if __name__ == "__main__":
    packages = {name: version(name) for name in ("onnx", "tf2onnx", "onnxruntime", "ai-edge-litert")}
    write_result("export_differences", {"float32 on": "CPU", "models": main(), "packages": packages})
