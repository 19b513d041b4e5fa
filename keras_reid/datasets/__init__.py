"""What exists: tables of images, and the readers that make them. numpy only."""

import importlib
import inspect
import os

from keras_reid.checks import unknown_name
from keras_reid.datasets import folder, market1501
from keras_reid.datasets.dataset import RefusedDataset, ReIDDataset
from keras_reid.datasets.dataset_check import check
from keras_reid.datasets.multi_source import combine, leave_one_out
from keras_reid.datasets.table import ReIDTable

__all__ = [
    "ReIDDataset",
    "ReIDTable",
    "RefusedDataset",
    "check",
    "combine",
    "folder",
    "leave_one_out",
    "list_names",
    "load",
    "market1501",
]

# Name -> module and function; the function's first argument is `root`.
_READERS = {
    "csv": ("keras_reid.datasets.folder", "from_csv"),
    "folder": ("keras_reid.datasets.folder", "from_folder"),
    "synthetic": ("keras_reid.datasets.synthetic", "load"),
    "synthetic_thermal": ("keras_reid.datasets.synthetic.thermal", "load"),
    **{
        name: (f"keras_reid.datasets.{name}", "load")
        for name in (
            "cuhk03_np",
            "cuhk_sysu",
            "dukemtmc",
            "grid",
            "ilids",
            "market1501",
            "msmt17",
            "prid2011",
            "randperson",
            "regdb",
            "sysu_mm01",
            "viper",
        )
    },
}


def list_names() -> list[str]:
    """Returns the names that `load` knows, sorted.

    Returns:
        The names.

    Example:
        >>> from keras_reid import datasets
        >>> datasets.list_names()
        ['csv', 'cuhk03_np', 'cuhk_sysu', 'dukemtmc', 'folder', 'grid', 'ilids', 'market1501', ...]
    """
    return sorted(_READERS)


def load(name: str, root: str | os.PathLike[str] | None = None, **options: object) -> ReIDDataset:
    """Reads a data set by name.

    Args:
        name: One of `list_names()`.
        root: Where the data lie: the folder, or the file of `"csv"`. `"synthetic"` needs none.
        **options: Arguments of the reader: `market1501.load`, `folder.from_folder` (needs
            `pattern`), `folder.from_csv`, `synthetic.load`.

    Returns:
        Train, query and gallery tables, and the protocol.

    Raises:
        ValueError: The name or an option is unknown, `root` or an option is missing, or the data are not what the
            reader expects.

    Example:
        >>> from keras_reid import datasets
        >>> datasets.load("market1510", "/data")
        Traceback (most recent call last):
        ValueError: Unknown data set 'market1510'. Did you mean 'market1501'? ...
    """
    if name not in _READERS:
        raise unknown_name("data set", name, _READERS)
    if root is None and not name.startswith("synthetic"):
        raise ValueError(
            f"Data set {name!r} needs `root`, the place where it lies on this machine; nothing is "
            "downloaded. For people that the library draws itself, load 'synthetic'."
        )
    module, function = _READERS[name]
    # Imported on demand: the renderer is large, and most programs use one reader.
    reader = getattr(importlib.import_module(module), function)
    accepted = inspect.signature(reader).parameters
    for option in options:
        if option not in accepted:
            raise unknown_name(f"option of the reader {name!r}", option, [key for key in accepted if key != "root"])
    missing = [
        key
        for key, parameter in list(accepted.items())[1:]
        if parameter.default is parameter.empty and key not in options
    ]
    if missing:
        raise ValueError(
            f"Data set {name!r} needs the option(s) {missing}; see keras_reid.datasets.{name} and its page."
        )
    return reader(root, **options)
