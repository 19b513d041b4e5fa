"""Saved models: loading one in a program that has not used the library's methods yet, and writing a run's."""

import os
import zipfile
from pathlib import Path

import keras

from keras_reid.methods import ReIDModel  # registers every method with Keras

__all__ = ["load_model", "save_model"]


def load_model(path: str | os.PathLike) -> ReIDModel:
    """Loads a ``.keras`` file that a method saved; safe loading only.

    ``keras.saving.load_model`` does the same once `keras_reid.methods` has been imported: Keras finds only classes that
    are registered, and ``import keras_reid`` alone loads nothing.

    Args:
        path: The ``.keras`` file, or the folder of a finished run.

    Returns:
        The model, compiled if it was saved so.

    Raises:
        ValueError: There is no such file, it is damaged or no ``.keras`` file, or it holds another kind of model.

    Example:
        >>> import tempfile, pathlib, keras_reid
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "model.keras"
        >>> keras_reid.zoo.load("baseline_tiny").save(path)
        >>> keras_reid.load_model(path).name
        'baseline'
    """
    path = Path(path)
    path = path / "model.keras" if path.is_dir() else path
    if not path.is_file():
        raise ValueError(f"There is no model {path}. Give a .keras file or the folder of a finished run.")
    if path.suffix != ".keras" or not _is_archive_of_a_model(path):
        raise ValueError(f"{path} is no whole .keras file: it has another format, or it was cut short.")
    model = keras.saving.load_model(path)
    if not isinstance(model, ReIDModel):
        raise ValueError(f"{path} holds a {type(model).__name__}, which is no model of this library.")
    return model


def save_model(model: ReIDModel, folder: str | os.PathLike) -> None:
    """Writes ``model.keras`` into the folder of a run; whatever stops the program, it is there whole or not at all.

    Args:
        model: The model.
        folder: An existing folder.

    Example:
        >>> import tempfile, keras_reid
        >>> from keras_reid.methods.loading import save_model
        >>> folder = tempfile.mkdtemp()
        >>> save_model(keras_reid.zoo.load("baseline_tiny"), folder)
        >>> keras_reid.load_model(folder).name
        'baseline'
    """
    unfinished = Path(folder) / "unfinished.keras"
    model.save(unfinished)
    unfinished.replace(Path(folder) / "model.keras")


def _is_archive_of_a_model(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return "config.json" in archive.namelist()
