"""Where in a run the data stands."""

from dataclasses import dataclass

__all__ = ["EpochPosition"]


@dataclass
class EpochPosition:
    """Says which epoch the next iteration over a training dataset is.

    It is read when an iteration asks for its first batch; an iteration that has begun keeps its
    epoch.

    Attributes:
        epoch: The epoch's number, from 0.

    Example:
        >>> from keras_reid.pipeline import EpochPosition
        >>> position = EpochPosition()
        >>> position.epoch = 3
        >>> position
        EpochPosition(epoch=3)
    """

    epoch: int = 0
