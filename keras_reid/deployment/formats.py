"""The formats a model is exported to, and how a file of each is run again."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keras_reid.checks import unknown_name
from keras_reid.pipeline._tensorflow import import_tensorflow

__all__ = ["FORMATS", "Format", "choose_format"]

Runner = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Format:
    """A format of Keras' ``model.export``.

    Attributes:
        name: Keras' name of it.
        suffix: What its files end with; ``""`` for a folder.
        packages: What writing and running it needs beside TensorFlow: name of the import -> name to install.
        open: Loads a file and returns the function images -> features.
    """

    name: str
    suffix: str
    packages: dict[str, str]
    open: Callable[[Path], Runner]

    def check_packages(self) -> None:
        """Raises ``ImportError`` if a package is missing, before any work is done."""
        missing = [package for module, package in self.packages.items() if importlib.util.find_spec(module) is None]
        if missing:
            raise ImportError(
                f"Exporting to {self.name!r} needs {', '.join(missing)}, not installed here. "
                'Install what every format needs: pip install "keras-reid[export]"'
            )


def choose_format(name: str | None, path: Path) -> Format:
    """Returns the format of that name, or where it is ``None`` the one that the path's suffix says."""
    if name is not None:
        if name not in FORMATS:
            raise unknown_name("export format", name, FORMATS)
        return FORMATS[name]
    for candidate in FORMATS.values():
        if candidate.suffix == path.suffix:
            return candidate
    raise ValueError(
        f"The suffix of `path` says the format: .onnx, .tflite (LiteRT), or none for the folder of a TensorFlow "
        f"SavedModel. Received: {str(path)!r}. Rename it, or give `format`, one of {', '.join(FORMATS)}."
    )


def _open_saved_model(path: Path) -> Runner:
    loaded = import_tensorflow().saved_model.load(str(path))  # holds the variables: `serve` alone does not
    return lambda images: loaded.serve(images)["features"].numpy()


def _open_onnx(path: Path) -> Runner:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda images: session.run(["features"], {"images": images})[0]


def _open_litert(path: Path) -> Runner:
    from ai_edge_litert.interpreter import Interpreter

    run = Interpreter(str(path)).get_signature_runner()
    return lambda images: run(images=images)["features"]


# By Keras' names.
FORMATS = {
    found.name: found
    for found in (
        Format("tf_saved_model", "", {}, _open_saved_model),
        Format("onnx", ".onnx", {"onnx": "onnx", "tf2onnx": "tf2onnx", "onnxruntime": "onnxruntime"}, _open_onnx),
        Format("litert", ".tflite", {"ai_edge_litert": "ai-edge-litert"}, _open_litert),
    )
}
