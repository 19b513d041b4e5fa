"""The ten random splits that the small data sets are tested by."""

import numpy as np

__all__ = ["NUM_TRIALS", "check_trial", "training_half"]

NUM_TRIALS = 10


def check_trial(name: str, trial: object) -> int:
    """Returns the number of a trial, 0 to 9.

    Args:
        name: The data set's name, for the message.
        trial: What was received.

    Returns:
        The number as a plain ``int``.

    Raises:
        ValueError: It is no integer from 0 to 9.
    """
    if isinstance(trial, bool) or not hasattr(trial, "__index__") or not 0 <= trial.__index__() < NUM_TRIALS:
        raise ValueError(
            f"`trial` must be an integer from 0 to {NUM_TRIALS - 1}: {name} is tested by {NUM_TRIALS} random splits, "
            f"and the mean is reported. Received: {trial!r}."
        )
    return int(trial.__index__())


def training_half(name: str, persons: np.ndarray, trial: int) -> np.ndarray:
    """Draws the persons to train on, half of them (rounded down); the others are for testing.

    Args:
        name: The data set's name, for the message.
        persons: Whom to draw from, distinct.
        trial: The number of the split; the draw depends on it and on `persons` alone.

    Returns:
        The training persons, sorted.

    Raises:
        ValueError: There are fewer than two persons.
    """
    if len(persons) < 2:
        raise ValueError(
            f"{name} needs two persons at least, one to train on and one to test, each with an image to look for and "
            f"one to find. Received: {len(persons)}."
        )
    return np.sort(np.random.default_rng(trial).permutation(np.sort(persons))[: len(persons) // 2])
