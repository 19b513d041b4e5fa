"""keras_reid: person re-identification for Keras 3.

`import keras_reid` loads neither Keras nor a backend; each part is loaded when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

# name -> module that holds it (a name without a dot in front of it is the module itself)
_PUBLIC = {
    "backbones": "keras_reid.backbones",
    "datasets": "keras_reid.datasets",
    "evaluate": "keras_reid.evaluation",
    "evaluation": "keras_reid.evaluation",
    "layers": "keras_reid.layers",
    "losses": "keras_reid.losses",
    "methods": "keras_reid.methods",
    "pipeline": "keras_reid.pipeline",
    "retrieval": "keras_reid.retrieval",
    "training": "keras_reid.training",
    "visualize": "keras_reid.visualize",
    "zoo": "keras_reid.zoo",
}

__all__ = [*_PUBLIC]  # noqa: PLE0604 - names, read from the table above

if TYPE_CHECKING:
    from keras_reid import (
        backbones,
        datasets,
        evaluation,
        layers,
        losses,
        methods,
        pipeline,
        retrieval,
        training,
        visualize,
        zoo,
    )
    from keras_reid.evaluation import evaluate


def __getattr__(name: str):
    if name not in _PUBLIC:
        raise AttributeError(f"module 'keras_reid' has no attribute {name!r}. It has: {', '.join(sorted(_PUBLIC))}.")
    module = import_module(_PUBLIC[name])
    return module if _PUBLIC[name].endswith(f".{name}") else getattr(module, name)


def __dir__() -> list[str]:
    return sorted([*_PUBLIC, "__version__"])
