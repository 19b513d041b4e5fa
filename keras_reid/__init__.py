"""keras_reid: person re-identification for Keras 3.

`import keras_reid` loads neither Keras nor a backend; each part is loaded when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

__all__ = [
    "FeatureExtractor",
    "Gallery",
    "adapt",
    "adaptation",
    "backbones",
    "datasets",
    "deployment",
    "evaluate",
    "evaluation",
    "export",
    "gallery",
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
        deployment,
        evaluation,
        gallery,
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
    from keras_reid.deployment import export
    from keras_reid.evaluation import evaluate
    from keras_reid.feature_extractor import FeatureExtractor
    from keras_reid.gallery import Gallery
    from keras_reid.methods.loading import load_model


# These stand at the top because everybody types them.
_FUNCTIONS = {
    "FeatureExtractor": "keras_reid.feature_extractor",
    "Gallery": "keras_reid.gallery",
    "adapt": "keras_reid.adaptation",
    "evaluate": "keras_reid.evaluation",
    "export": "keras_reid.deployment",
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
