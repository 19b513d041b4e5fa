"""The one place where the pipeline gets TensorFlow from."""

import sys
from types import ModuleType

__all__ = ["import_tensorflow"]


def import_tensorflow() -> ModuleType:
    """Imports TensorFlow, which feeds every backend.

    Where Keras runs on JAX or torch, TensorFlow is told to leave the GPU alone: by default it
    would reserve all of its memory, although tf.data works on the CPU.

    Returns:
        The module.

    Raises:
        ImportError: TensorFlow is not installed; the message names the extra.
    """
    try:
        import tensorflow as tf
    except ImportError as error:
        raise ImportError(
            "keras_reid.pipeline needs TensorFlow (tf.data feeds every backend). "
            'Install it: pip install "keras-reid[cpu]"'
        ) from error
    keras = sys.modules.get("keras")
    if keras is not None and keras.backend.backend() != "tensorflow":
        try:
            tf.config.set_visible_devices([], "GPU")
        except RuntimeError:
            pass  # TensorFlow has been used before: what it holds, it holds already.
    return tf
