"""What made a number: versions, model, date. Without it a number cannot be compared."""

import datetime
import platform
from typing import Any

import numpy as np

import keras_reid

__all__ = ["provenance_of"]


def provenance_of(model: Any) -> dict[str, Any]:
    """Describes a model and the software that runs it.

    Args:
        model: The model that was evaluated.

    Returns:
        Plain values: model, class, number of parameters, input, versions, date.

    Example:
        >>> from keras_reid.evaluation.provenance import provenance_of
        >>> class Model:
        ...     name, image_size, interpolation = "mine", (128, 64), "bilinear"
        >>> provenance_of(Model())["input"]
        '128 x 64, bilinear'
    """
    import keras

    height, width = model.image_size
    count = getattr(model, "count_params", None)
    return {
        "model": model.name,
        "method": type(model).__name__,
        "parameters": None if count is None else int(count()),
        "input": f"{height} x {width}, {model.interpolation}",
        "date": datetime.date.today().isoformat(),
        "keras_reid": keras_reid.__version__,
        "keras": keras.__version__,
        "backend": _backend(keras.backend.backend()),
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def _backend(name: str) -> str:
    """Name and version of the backend, which Keras has imported already."""
    import importlib

    return f"{name} {importlib.import_module(name).__version__}" if name != "numpy" else name
