"""Tables -> tf.data datasets of batches."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_reid.checks import check_positive_int
from keras_reid.datasets import ReIDTable
from keras_reid.pipeline._tensorflow import import_tensorflow
from keras_reid.pipeline.batch import identity_labels
from keras_reid.pipeline.cache import ImageCache
from keras_reid.pipeline.loader import COLUMNS, BatchLoader
from keras_reid.pipeline.parts import part_places
from keras_reid.pipeline.position import EpochPosition
from keras_reid.pipeline.samplers import PKSampler, Sampler
from keras_reid.pipeline.source import ImageSource, image_source
from keras_reid.pipeline.transforms import LIGHT, Flip, PadCrop, RandomErasing, Transform

if TYPE_CHECKING:
    import tensorflow as tf

__all__ = ["inference", "inference_from", "training"]

_DEFAULT_SAMPLER = PKSampler(16, 4)
_DEFAULT_TRANSFORMS = (Flip(), PadCrop(10), RandomErasing())


def training(
    table: ReIDTable,
    image_size: tuple[int, int] = (256, 128),
    sampler: Sampler = _DEFAULT_SAMPLER,
    transforms: Sequence[Transform] = _DEFAULT_TRANSFORMS,
    interpolation: str = "bilinear",
    cache: ImageCache | str | os.PathLike[str] | None = None,
    seed: int = 0,
    on_bad_image: str = "raise",
    partner: bool = False,
) -> "tf.data.Dataset":
    """Makes a dataset of augmented training batches; one iteration is one epoch.

    The bytes of batch k of epoch e depend on (seed, e, k) alone, not on caches, threads or what
    was iterated before.

    Args:
        table: N training images. `person_id` of the batch numbers its identities 0..K-1.
        image_size: Height and width.
        sampler: Which rows form which batch.
        transforms: Callables `(image, seed) -> image`, applied in order after resizing; by default
            flip, pad-and-crop and random erasing.
        interpolation: "bilinear" or "bicubic", antialiased.
        cache: Where decoded images are kept: None (nowhere), "memory", a folder, or a
            `MemoryCache` or `DiskCache`. A cache is filled before this function returns.
        seed: Of the order and of the augmentation.
        on_bad_image: "raise" at the first unreadable image, or "skip": every file is read once
            now, and those that cannot be read are left out, counted and listed in `.skipped`.
        partner: Adds `partner_image`: for each image another one of the same identity (itself if
            it is alone), transformed under a seed of its own.

    Returns:
        A `tf.data.Dataset` of dicts (see `keras_reid.pipeline.batch`) of known cardinality and
        static shapes, with the attributes `num_identities`, `steps_per_epoch`, `position` (set
        `position.epoch` before an iteration), `remainder(step)` (the same epoch from batch `step`
        on), `share(parts, of, blocks)` (what some of several devices get of every batch; see
        `keras_reid.pipeline.parts`), `skipped` (paths), and `sampler`, `table` (without the skipped) and `seed`.

    Raises:
        ImportError: TensorFlow is not installed.
        ValueError: An argument is impossible, the table has too few rows or identities for a
            batch, or an image cannot be read. While iterating, TensorFlow wraps the error; the
            sentence is in its message.

    Example:
        >>> import tempfile, pathlib
        >>> from PIL import Image
        >>> from keras_reid import pipeline
        >>> from keras_reid.datasets import ReIDTable
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     paths = [pathlib.Path(folder) / f"{n}.png" for n in range(4)]
        ...     for path in paths:
        ...         Image.new("RGB", (64, 128)).save(path)
        ...     table = ReIDTable.from_columns(paths, [7, 7, 9, 9])
        ...     batches = pipeline.training(table, sampler=pipeline.PKSampler(2, 2))
        ...     batch = next(iter(batches))
        >>> batches.num_identities, tuple(batch["image"].shape)
        (2, (4, 256, 128, 3))
    """
    tf = import_tensorflow()
    image_size = _check_size(image_size)
    if isinstance(seed, bool) or not hasattr(seed, "__index__") or seed < 0:
        raise ValueError(f"`seed` must be an integer of at least 0. Received: {seed!r}.")
    source = image_source(table, image_size, interpolation, cache, on_bad_image)
    table = table.take(source.used)
    labels, num_identities = identity_labels(table)
    loader = BatchLoader(table, labels, source.used, source.load, image_size, transforms, seed, partner)
    # Threads help where Pillow works, for it releases the interpreter lock. Where all is copying
    # of arrays they would only wait for the lock, at a third more CPU time.
    light = source.ready and all(isinstance(transform, LIGHT) for transform in transforms)
    steps, batch_size = np.shape(sampler.batches(table, seed, 0))
    position = EpochPosition()

    def plan(first: int, places: np.ndarray) -> tuple[np.ndarray, ...]:
        epoch = int(position.epoch)
        rows = np.asarray(sampler.batches(table, seed, epoch), np.int64)
        if rows.shape != (steps, batch_size):
            raise ValueError(
                f"A sampler must plan as many batches in every epoch: {(steps, batch_size)} in "
                f"epoch 0. Received {rows.shape} in epoch {epoch} from {sampler!r}."
            )
        count = len(places)  # every batch comes as often as there are parts of it
        rows, numbers = np.repeat(rows[first:], count, axis=0), np.repeat(np.arange(first, steps), count)
        return rows, np.full(len(rows), epoch), numbers, np.tile(places, (steps - first, 1))

    def planned(first: "tf.Tensor", places: "tf.Tensor") -> "tf.data.Dataset":
        # Inside of the dataset, so that the epoch is read and planned anew in every iteration.
        rows, epochs, numbers, chosen = tf.numpy_function(plan, [first, places], [tf.int64] * 4)
        rows.set_shape([None, batch_size])
        epochs.set_shape([None])
        numbers.set_shape([None])
        chosen.set_shape([None, places.shape[1]])
        return tf.data.Dataset.from_tensor_slices((rows, epochs, numbers, chosen))

    def batches(first: int, places: np.ndarray) -> "tf.data.Dataset":
        with tf.device("CPU"):
            dataset = tf.data.Dataset.from_tensors((np.int64(first), places)).flat_map(planned)
            dataset = dataset.apply(tf.data.experimental.assert_cardinality((steps - first) * len(places)))
            dataset = _load(dataset, loader, places.shape[1], image_size, partner, not light)
        dataset.num_identities, dataset.steps_per_epoch = num_identities, steps
        dataset.position, dataset.remainder, dataset.skipped = position, remainder, source.skipped
        dataset.sampler, dataset.table, dataset.seed = sampler, table, seed

        def share(parts: Sequence[int], of: int, blocks: int = 1) -> "tf.data.Dataset":
            return batches(first, part_places(batch_size, of, blocks)[list(parts)])

        dataset.share = share
        return dataset

    def remainder(step: int) -> "tf.data.Dataset":
        if not 0 <= step <= steps:
            raise ValueError(f"`step` must lie in 0..{steps}, the epoch. Received: {step!r}.")
        return batches(step, part_places(batch_size, 1))

    return remainder(0)


def inference(
    table: ReIDTable,
    image_size: tuple[int, int] = (256, 128),
    batch_size: int = 64,
    interpolation: str = "bilinear",
    on_bad_image: str = "raise",
) -> "tf.data.Dataset":
    """Makes a dataset of a table's images in their order, without augmentation.

    Args:
        table: N images, for example a query or a gallery.
        image_size: Height and width.
        batch_size: Images per batch; the last batch may have fewer.
        interpolation: "bilinear" or "bicubic", antialiased.
        on_bad_image: "raise" at the first unreadable image, or "skip": every file is read once
            now, and those that cannot be read are left out, counted and listed in `.skipped`.

    Returns:
        A `tf.data.Dataset` of dicts (see `keras_reid.pipeline.batch`) of known cardinality.
        `person_id` is the table's own, `index` its row. The attribute `skipped` lists paths.

    Raises:
        ImportError: TensorFlow is not installed.
        ValueError: An argument is impossible, or an image cannot be read. While iterating,
            TensorFlow wraps the error; the sentence is in its message.

    Example:
        >>> import tempfile, pathlib
        >>> from PIL import Image
        >>> from keras_reid import pipeline
        >>> from keras_reid.datasets import ReIDTable
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "query.png"
        ...     Image.new("RGB", (64, 128)).save(path)
        ...     batch = next(iter(pipeline.inference(ReIDTable.from_columns([path], [7]))))
        >>> batch["person_id"].numpy()
        array([7], dtype=int32)
    """
    import_tensorflow()  # whether it is there is said before any file is read
    image_size = _check_size(image_size)
    check_positive_int("batch_size", batch_size)
    source = image_source(table, image_size, interpolation, None, on_bad_image)
    return inference_from(source, table, image_size, batch_size)


def inference_from(
    source: ImageSource, table: ReIDTable, image_size: tuple[int, int], batch_size: int
) -> "tf.data.Dataset":
    """Makes the dataset of `inference` from images that come from anywhere.

    Args:
        source: Where the images come from.
        table: What is known about them; N rows, of which those in `source.used` are taken.
        image_size: Height and width of what `source` loads.
        batch_size: Images per batch.

    Returns:
        As `inference`.

    Raises:
        ImportError: TensorFlow is not installed.

    Example:
        See `keras_reid.FeatureExtractor`, which calls it.
    """
    tf = import_tensorflow()
    table = table.take(source.used)
    loader = BatchLoader(table, table.person_id, source.used, source.load, image_size)
    whole = len(table) % batch_size == 0
    with tf.device("CPU"):
        rows = tf.data.Dataset.range(len(table)).batch(batch_size, drop_remainder=whole)
        dataset = rows.map(lambda rows: (rows, np.int64(0), np.int64(0)))
        dataset = _load(dataset, loader, batch_size if whole else None, image_size)
    dataset.skipped = source.skipped
    return dataset


def _load(
    plan: "tf.data.Dataset",
    loader: BatchLoader,
    batch_size: int | None,
    image_size: tuple[int, int],
    partner: bool = False,
    threads: bool = True,
) -> "tf.data.Dataset":
    """Turns (rows, epoch, step), and places, into batches, in order; several at a time with `threads`."""
    tf = import_tensorflow()
    images = ("image", "partner_image") if partner else ("image",)
    dtypes = [tf.uint8] * len(images) + [tf.int32] * len(COLUMNS)

    def batch(*planned: "tf.Tensor") -> dict[str, Any]:
        arrays = tf.numpy_function(loader, planned, dtypes, stateful=False)
        entries = dict(zip(images + COLUMNS, arrays, strict=True))
        for name, tensor in entries.items():
            tensor.set_shape([batch_size, *image_size, 3] if name in images else [batch_size])
        return entries

    def floats(entries: dict[str, Any]) -> dict[str, Any]:
        # As late as possible: bytes are four times less to move.
        return entries | {name: _to_unit_range(entries[name]) for name in images}

    calls = tf.data.AUTOTUNE if threads else None
    dataset = plan.map(batch, num_parallel_calls=calls, deterministic=True if threads else None)
    dataset = dataset.map(floats, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return dataset.prefetch(tf.data.AUTOTUNE)


def _to_unit_range(images: "tf.Tensor") -> "tf.Tensor":
    """Returns uint8 as float32 times 1/255, exactly, in one pass over the memory instead of two."""
    tf = import_tensorflow()
    return tf.quantization.dequantize(tf.bitcast(images, tf.quint8), 0.0, 1.0, mode="MIN_COMBINED")


def _check_size(image_size: tuple[int, int]) -> tuple[int, int]:
    if len(tuple(image_size)) != 2:
        raise ValueError(f"`image_size` must be (height, width). Received: {image_size!r}.")
    height, width = (check_positive_int("image_size", side) for side in image_size)
    return height, width
