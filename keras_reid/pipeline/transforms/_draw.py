"""Random numbers and argument checks that the transforms share."""

from collections.abc import Sequence

import numpy as np
from numpy.random.bit_generator import ISeedSequence

__all__ = ["check_color", "check_probability", "check_range", "generator"]


class _Key(ISeedSequence):
    """Hands a seed to a bit generator as it is: no hashing, no entropy from the system."""

    def __init__(self, seed: np.ndarray) -> None:
        self._seed = seed

    def generate_state(self, n_words: int, dtype: type = np.uint32) -> np.ndarray:
        return self._seed


def generator(seed: np.ndarray) -> np.random.Generator:
    """Returns the generator of an image's seed: the same numbers whenever it is asked.

    The seed is the key of a Philox generator, so that neighbouring seeds are independent. It is the
    one that `Philox(key=seed)` makes, in a third of the time.
    """
    return np.random.Generator(np.random.Philox(_Key(np.asarray(seed, np.uint64))))


def check_probability(name: str, value: float) -> None:
    """Raises `ValueError` unless `value` lies in [0, 1]."""
    if not 0 <= value <= 1:
        raise ValueError(f"`{name}` must be a probability from 0 to 1. Received: {value!r}.")


def check_range(name: str, value: Sequence[float], smallest: float, largest: float) -> tuple[float, float]:
    """Returns `value` as an ordered pair within [smallest, largest], or raises `ValueError`."""
    pair = tuple(value)
    if len(pair) != 2 or not smallest <= pair[0] <= pair[1] <= largest:
        raise ValueError(
            f"`{name}` must be two numbers (low, high), {smallest} <= low <= high <= {largest}. Received: {value!r}."
        )
    return pair


def check_color(name: str, value: Sequence[int]) -> tuple[int, int, int]:
    """Returns `value` as three integers from 0 to 255, or raises `ValueError`."""
    color = tuple(value)
    if len(color) != 3 or any(channel not in range(256) for channel in color):
        raise ValueError(f"`{name}` must be three integers (red, green, blue) from 0 to 255. Received: {value!r}.")
    return color
