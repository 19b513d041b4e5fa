"""Which images of a batch each of several devices gets."""

import numpy as np

from keras_reid.checks import check_positive_int

__all__ = ["part_places", "undivided"]


def part_places(batch_size: int, parts: int, blocks: int = 1) -> np.ndarray:
    """Divides the places of a batch among devices: every place is one device's, and none is two's.

    A batch that a method reads by place (a visible half and a thermal half, say) consists of blocks, and every device
    gets its part of each; so a part is a batch of the same kind. The parts of one block, one after the other, are the
    block. The seed and the epoch have no say in it, so that all hosts divide alike.

    Args:
        batch_size: B, images of a batch on all devices together.
        parts: R, the number of devices.
        blocks: S, the number of blocks of a batch.

    Returns:
        Places in the batch, int64 `[R, B / R]`.

    Raises:
        ValueError: B is not a multiple of R * S, or an argument is not a positive integer.

    Example:
        >>> from keras_reid.pipeline.parts import part_places
        >>> part_places(8, parts=2)
        array([[0, 1, 2, 3],
               [4, 5, 6, 7]])
        >>> part_places(8, parts=2, blocks=2)
        array([[0, 1, 4, 5],
               [2, 3, 6, 7]])
    """
    check_positive_int("batch_size", batch_size)
    check_positive_int("parts", parts)
    check_positive_int("blocks", blocks)
    if batch_size % (parts * blocks):
        raise undivided(batch_size, parts, blocks)
    places = np.arange(batch_size, dtype=np.int64).reshape(blocks, parts, -1)
    return np.ascontiguousarray(places.transpose(1, 0, 2)).reshape(parts, -1)


def undivided(batch_size: int, parts: int, blocks: int = 1) -> ValueError:
    """Says that a batch cannot be divided.

    Args:
        batch_size: Images of the batch.
        parts: Devices.
        blocks: Blocks of the batch of which each device needs its part.

    Returns:
        The error, to be raised.
    """
    each = "" if blocks == 1 else f", each getting its part of all {blocks} blocks of the batch"
    return ValueError(
        f"A batch of {batch_size} images cannot be divided among {parts} devices{each}. Use a batch size that is a "
        f"multiple of {parts * blocks}, or another number of devices."
    )
