"""Dropout that resumes: its masks come from a variable that is saved with the model, on every backend."""

import random

import keras

__all__ = ["seeded_dropout"]


def seeded_dropout(rate: float, **kwargs) -> keras.layers.Dropout:
    """Makes a dropout layer with a seed.

    Without one, Keras draws under torch from torch's global generator, which nobody saves and which loading data draws
    from too: a resumed training then gets other masks than one that never stopped.

    Args:
        rate: Share of numbers to drop, in [0, 1).
        **kwargs: `keras.layers.Dropout`'s own (``name``, ``dtype``).

    Returns:
        The layer; its seed is drawn as Keras draws it, so `keras_reid.training.seed_everything` decides it.

    Example:
        >>> from keras_reid.layers.dropout import seeded_dropout
        >>> seeded_dropout(0.5).seed is None
        False
    """
    return keras.layers.Dropout(rate, seed=random.randint(1, 10**9), **kwargs)
