"""A source in the style of the site: labels kept, pictures drawn anew."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from keras_reid.checks import check_positive_int
from keras_reid.datasets import ReIDTable

__all__ = ["site_pairs", "translated"]


def site_pairs(source: ReIDTable, target: ReIDTable) -> ReIDTable:
    """Puts two sites into the one table that style transfer is trained on; no identity is looked at.

    Args:
        source: Images of the source; they become domain 0.
        target: Images of the site; they become domain 1.

    Returns:
        Both, every image being an identity of its own, for batches of as many images of either site.

    Example:
        >>> from keras_reid.adaptation import site_pairs
        >>> from keras_reid.datasets import ReIDTable
        >>> source = ReIDTable.from_columns(["/a.jpg", "/b.jpg"], [7, 7])
        >>> site_pairs(source, ReIDTable.from_columns(["/c.jpg"], [3])).domain
        array([0, 0, 1], dtype=int32)
    """
    tables = [replace(table, domain=np.full(len(table), domain)) for domain, table in enumerate((source, target))]
    whole = ReIDTable.concatenate(tables)
    return whole.with_labels(np.arange(len(whole)))


def translated(model: Any, table: ReIDTable, folder: str | os.PathLike[str], batch_size: int = 16) -> ReIDTable:
    """Writes a table's images in the style of the target, as PNG files; images that are there are not drawn again.

    Args:
        model: A trained `SPGAN`, or anything with ``translate(images)`` and ``image_size``.
        table: Images of the source.
        folder: Where to write. Keep one folder per model.
        batch_size: Images at a time.

    Returns:
        The same table with the new paths.

    Raises:
        ValueError: An image cannot be read.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> from PIL import Image
        >>> from keras_reid.adaptation import translated
        >>> from keras_reid.datasets import ReIDTable
        >>> class Negative:
        ...     image_size = (64, 32)
        ...     def translate(self, images):
        ...         return 1.0 - images
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Image.new("RGB", (32, 64)).save(f"{folder}/a.png")
        ...     new = translated(Negative(), ReIDTable.from_columns([f"{folder}/a.png"], [7]), f"{folder}/new")
        ...     int(np.asarray(Image.open(new.path[0])).min())
        255
    """
    from PIL import Image

    from keras_reid.pipeline.decode import decode

    check_positive_int("batch_size", batch_size)
    folder = Path(folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{row:06d}_{Path(path).stem}.png" for row, path in enumerate(table.path)]
    missing = [row for row, path in enumerate(paths) if not path.exists()]
    for start in range(0, len(missing), batch_size):
        rows = missing[start : start + batch_size]
        images = np.stack([decode(table.path[row], model.image_size, "bilinear") for row in rows])
        drawn = model.translate(images.astype("float32") / 255.0)
        for row, image in zip(rows, drawn, strict=True):
            unfinished = folder / "unfinished.png"
            Image.fromarray(np.round(255.0 * np.clip(image, 0.0, 1.0)).astype("uint8")).save(unfinished)
            unfinished.replace(paths[row])
    return replace(table, path=np.asarray([str(path) for path in paths], dtype=object))
