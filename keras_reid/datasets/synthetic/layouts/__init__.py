"""Synthetic people under the file names of the benchmarks, so that every reader meets a real tree of its kind."""

import importlib
import os
from pathlib import Path

from keras_reid.checks import unknown_name
from keras_reid.datasets.dataset import ReIDDataset

__all__ = ["LAYOUTS", "write_layout"]

LAYOUTS = (
    "cuhk03_np",
    "cuhk_sysu",
    "dukemtmc",
    "grid",
    "ilids",
    "msmt17",
    "prid2011",
    "randperson",
    "regdb",
    "sysu_mm01",
    "viper",
)
"""The layouts that can be written: the module of this folder, and the reader of the same name."""


def write_layout(name: str, root: str | os.PathLike[str], people: ReIDDataset, **options: object) -> Path:
    """Copies the images of a data set into the layout of a benchmark.

    Only folders and file names are the benchmark's; cameras and identities are renumbered as the layout
    needs them. Layouts with a thermal side need tables with both modalities, e.g. of `synthetic.thermal`.

    Args:
        name: One of `LAYOUTS`.
        root: A folder that is made; it must not hold such a tree yet.
        people: What to write, e.g. of `synthetic.load`.
        **options: Variant of the layout, e.g. ``version="v2"`` of ``"msmt17"``; see the module.

    Returns:
        The folder to give to the reader of that name.

    Raises:
        ValueError: The layout is unknown, or the people do not fit in it.

    Example:
        >>> from keras_reid.datasets.synthetic.layouts import LAYOUTS
        >>> "msmt17" in LAYOUTS
        True
    """
    if name not in LAYOUTS:
        raise unknown_name("layout", name, LAYOUTS)
    module = importlib.import_module(f"keras_reid.datasets.synthetic.layouts.{name}")
    module.write(Path(root), people, **options)
    return Path(root)
