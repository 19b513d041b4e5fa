"""One seed in, everything seeded."""

import keras

from keras_reid.training import backend

__all__ = ["seed_everything"]


def seed_everything(seed: int, deterministic: bool = False) -> None:
    """Seeds Python, numpy, the backend and Keras' seed generators.

    Two runs with the same seed on the same machine then start from the same weights and see the same batches. With
    ``deterministic`` their weights are equal to the last bit on a CPU (TensorFlow, JAX and torch); on a GPU the
    kernels decide, and JAX needs ``XLA_FLAGS=--xla_gpu_deterministic_ops=true`` in the environment.

    Args:
        seed: Any integer of at least 0.
        deterministic: Ask the backend for deterministic kernels (slower). Call this before the model is built.

    Example:
        >>> import keras
        >>> from keras_reid.training import seed_everything
        >>> seed_everything(7)
        >>> first = float(keras.random.uniform(()))
        >>> seed_everything(7)
        >>> float(keras.random.uniform(())) == first
        True
    """
    keras.utils.set_random_seed(seed)
    if deterministic:
        backend.current().enable_determinism()
