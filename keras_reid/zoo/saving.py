"""`save`: a folder with all that somebody else needs to use a trained model."""

import inspect
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from keras_reid.checks import unknown_name
from keras_reid.zoo.cards import CARD, Card, card
from keras_reid.zoo.cards import list as entries
from keras_reid.zoo.files import sha256
from keras_reid.zoo.loading import load
from keras_reid.zoo.probe import EMBEDDING, IMAGE, TOLERANCE, write_probe
from keras_reid.zoo.toml_text import toml_text

__all__ = ["save"]

_MODEL = "model.keras"
# What the model decides.
_FIXED = ("name", "method", "constructor", "input", "weights")


def save(model, folder: str | os.PathLike, entry: str | os.PathLike, **changes) -> Path:
    """Writes a trained model as a folder that `load` takes: card, weights, a probe image and its embedding, checksums.

    The weights are those of ``model.inference_model()``: no identity head, no class memory, nothing of single training
    images. The folder appears whole or not at all, and only after it has been loaded once.

    Args:
        model: A trained `keras_reid.methods.ReIDModel`.
        folder: The folder to write; it must not exist.
        entry: The zoo entry (or saved folder) that the model was trained from: its card says the rest.
        **changes: Entries of the `Card` that are to read otherwise, e.g. ``title``, ``limits``, ``licence``, and
            ``our_results`` for these very weights: rows of ``train``, ``test``, ``rank1``, ``mean_ap`` and ``source``.

    Returns:
        The folder.

    Raises:
        ValueError: The folder exists or is called like an entry of the zoo, the model is of another method than the
            entry, or an entry is no one's to change.

    Example:
        >>> import tempfile, pathlib, keras_reid
        >>> model = keras_reid.zoo.load("baseline_tiny", image_size=(64, 32))
        >>> place = pathlib.Path(tempfile.mkdtemp()) / "mine"
        >>> sorted(file.name for file in keras_reid.zoo.save(model, place, "baseline_tiny").iterdir())
        ['card.toml', 'model.keras', 'probe.npy', 'probe.png']
        >>> keras_reid.zoo.load(place).image_size
        (64, 32)
    """
    folder, described = Path(folder), card(entry)
    if os.fspath(folder) in entries():
        raise ValueError(f"{str(folder)!r} is an entry of the zoo, which would be loaded instead. Give another folder.")
    if folder.exists():
        raise ValueError(f"{folder} exists already. Give another folder; nothing is overwritten.")
    if type(model).__name__ != described.method:
        raise ValueError(
            f"The model is a {type(model).__name__}, and {described.name!r} describes a {described.method}. Name the "
            "entry that the model was trained from."
        )
    for name in changes:
        if name in _FIXED or name not in described.__dataclass_fields__:
            raise unknown_name("entry of the card", name, {one.name for one in fields(Card)} - set(_FIXED))
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as place:
        part = Path(place) / folder.name
        part.mkdir()
        model.inference_model().save(part / _MODEL)
        write_probe(model, part)
        weights = {
            "status": "in this folder",
            "file": _MODEL,
            "tolerance": TOLERANCE,
            "sha256": {name: sha256(part / name) for name in (_MODEL, IMAGE, EMBEDDING)},
        }
        described = replace(
            described,
            **{"our_results": [], **changes},  # the entry's own were measured with other weights
            constructor=_constructor(model, described),
            input={**described.input, "size": list(model.image_size), "interpolation": model.interpolation},
            weights=weights,
        )
        content = {name: value for name, value in asdict(described).items() if name != "name"}
        (part / CARD).write_text(toml_text(content), encoding="utf-8")
        load(part)
        part.rename(folder)
    return folder


def _constructor(model, described: Card) -> dict[str, Any]:
    """The model's arguments that are not the defaults, as far as a card can hold them."""
    config = model.get_config()
    return {
        name: config[name]
        for name, parameter in inspect.signature(type(model)).parameters.items()
        if name not in ("name", "num_classes", "kwargs")
        and (name in described.constructor or config[name] != parameter.default)
        and not isinstance(config[name], Mapping | None)
    }
