"""keras_reid: person re-identification for Keras 3.

`import keras_reid` loads neither Keras nor a backend; each part is loaded when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

__all__ = [
    "FeatureExtractor",
    "adapt",
    "adaptation",
    "backbones",
    "datasets",
    "evaluate",
    "evaluation",
    "layers",
    "load_model",
    "losses",
    "methods",
    "pipeline",
    "retrieval",
    "training",
    "visualize",
    "zoo",
]

if TYPE_CHECKING:
    from keras_reid import (
        adaptation,
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
    from keras_reid.adaptation import adapt
    from keras_reid.evaluation import evaluate
    from keras_reid.feature_extractor import FeatureExtractor
    from keras_reid.methods.loading import load_model


# These stand at the top because everybody types them.
_FUNCTIONS = {
    "FeatureExtractor": "keras_reid.feature_extractor",
    "adapt": "keras_reid.adaptation",
    "evaluate": "keras_reid.evaluation",
    "load_model": "keras_reid.methods.loading",
}


def __getattr__(name: str):
    if name not in __all__:
        raise AttributeError(f"module 'keras_reid' has no attribute {name!r}. It has: {', '.join(__all__)}.")
    if name in _FUNCTIONS:
        return getattr(import_module(_FUNCTIONS[name]), name)
    return import_module(f"keras_reid.{name}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
