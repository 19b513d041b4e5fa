"""Several devices: how a model gets onto them, and what the backends share about it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import keras

from keras_reid.checks import check_positive_int
from keras_reid.training import backend

__all__ = ["Devices", "several_devices"]


@dataclass(frozen=True)
class Devices:
    """The devices that models made within `scope` train on.

    Attributes:
        count: Number of devices, those of all hosts together.
        first_host: Whether this process is the one that writes what is written once: logs, states, models, reports.
        scope: Makes the context manager to make models in.

    Example:
        >>> from keras_reid.training.devices import Devices
        >>> Devices()
        Devices(count=1, first_host=True)
    """

    count: int = 1
    first_host: bool = True
    scope: Callable[[], AbstractContextManager] = nullcontext

    def __repr__(self) -> str:
        """Count and place; the scope says nothing to a reader."""
        return f"Devices(count={self.count}, first_host={self.first_host})"


@contextmanager
def several_devices(count: int | None = None) -> Iterator[Devices]:
    """Trains on several devices what is made and fitted within it; the same code on TensorFlow and JAX.

    TensorFlow takes a ``tf.distribute.MirroredStrategy`` over ``count`` devices of this host, or, where the environment
    variable ``TF_CONFIG`` names several workers, a ``MultiWorkerMirroredStrategy``. JAX takes a
    ``keras.distribution.DataParallel``. The devices are the GPUs; without one, and for trying things out, as many
    virtual devices of the CPU. Enter it before anything is computed. Each device gets its part of every batch, so that
    ``sampler`` says the batch of all devices together, and what is learned is what one device learns from that batch.

    Args:
        count: Devices of this host; ``None`` for one, and on several hosts for all that each has.

    Yields:
        `Devices`: make the model within its ``scope()`` and fit it after that.

    Raises:
        ValueError: There are fewer devices, or the backend is torch.

    Example:
        >>> from keras_reid import training, zoo
        >>> with training.several_devices(1) as devices:
        ...     with devices.scope():
        ...         model = zoo.load("baseline_tiny")
        >>> devices.count
        1
    """
    if count is not None:
        check_positive_int("devices", count)
    with backend.current().devices(count) as devices:
        yield devices


def too_few(count: int, found: Sequence[str]) -> ValueError:
    """The error that says what there is."""
    return ValueError(
        f"{count} devices were asked for and there are {len(found)}: {', '.join(found)}. Ask for at most {len(found)}; "
        "virtual devices of the CPU can be made only before anything is computed."
    )


def in_batches(x: Any, batch_size: int | None) -> Iterator[Any]:
    """The batches of a dataset, or those of an array or a dict of arrays."""
    if hasattr(x, "element_spec"):
        yield from x
        return
    size = batch_size or 32  # as in Keras
    for start in range(0, len(keras.tree.flatten(x)[0]), size):
        yield keras.tree.map_structure(lambda array, start=start: array[start : start + size], x)
