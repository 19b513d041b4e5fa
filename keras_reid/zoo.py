"""The model zoo: `list`, `card`, `load` and `recipe`, all read from the TOML cards."""

import builtins
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib import import_module
from pathlib import Path
from typing import Any

from keras_reid.checks import unknown_name
from keras_reid.recipe import Recipe

__all__ = ["Card", "card", "list", "load", "recipe"]


@dataclass(frozen=True)
class Card:
    """What is known of a zoo entry.

    Attributes:
        name: The name `load` takes.
        method: Class of `keras_reid.methods`.
        title: One line.
        summary: What it is for.
        paper: Title, authors, venue, year of the method's paper.
        constructor: Arguments of the method's constructor.
        input: The input contract: size, colour, range, normalisation, interpolation.
        recipe: How it is trained; see `keras_reid.recipe.Recipe`.
        paper_results: Published numbers, each with its source.
        our_results: Our numbers, each with the file that holds the measurement.
        our_choices: What is our choice because the paper leaves it open.
        limits: Intended use and limits.
        licence: Licence of card and weights.
        weights: ``{"status": ...}``, and where published the file and its SHA-256.
    """

    name: str
    method: str
    title: str
    summary: str
    paper: Mapping[str, Any]
    constructor: Mapping[str, Any]
    input: Mapping[str, Any]
    recipe: Mapping[str, Any]
    paper_results: builtins.list
    our_results: builtins.list
    our_choices: builtins.list
    limits: str
    licence: str
    weights: Mapping[str, Any]

    def __str__(self) -> str:
        """The card as text."""
        lines = [f"{self.name}: {self.title}", "", self.summary, ""]
        lines.append(f"method       {self.method}({', '.join(f'{k}={v!r}' for k, v in self.constructor.items())})")
        lines.append(f"input        {', '.join(f'{k} {v}' for k, v in self.input.items())}")
        lines.append(f"weights      {self.weights['status']}")
        lines.append(f'paper        {self.paper["authors"]}, "{self.paper["title"]}", {self.paper["venue"]}')
        for kind, rows in (("paper says", self.paper_results), ("we measured", self.our_results)):
            for row in rows:
                numbers = f"Rank-1 {row['rank1']}, mAP {row['mean_ap']}"
                lines.append(f"{kind:<12} {row['train']} -> {row['test']}: {numbers} ({row['source']})")
        lines += [f"our choice   {choice}" for choice in self.our_choices]
        lines += [f"limits       {self.limits}", f"licence      {self.licence}"]
        return "\n".join(lines)


def list() -> builtins.list[str]:
    """Returns the names `load` takes.

    Example:
        >>> import keras_reid
        >>> "baseline_r50" in keras_reid.zoo.list()
        True
    """
    return sorted(path.stem for path in _folder().glob("*.toml"))


def card(name: str) -> Card:
    """Returns the card of a zoo entry.

    Args:
        name: One of `list()`.

    Raises:
        ValueError: Unknown name (the nearest ones are named), or a card that lacks an entry.

    Example:
        >>> import keras_reid
        >>> keras_reid.zoo.card("baseline_r50").method
        'Baseline'
    """
    path = _folder() / f"{name}.toml"
    if name not in list():
        raise unknown_name("zoo entry", name, list())
    with path.open("rb") as stream:
        content = tomllib.load(stream)
    names = {entry.name for entry in fields(Card)} - {"name"}
    if set(content) != names:
        raise ValueError(
            f"The card {path.name} must have the entries {sorted(names)}. Missing: {sorted(names - set(content))}; "
            f"not known: {sorted(set(content) - names)}."
        )
    return Card(name=name, **content)


def recipe(name: str) -> Recipe:
    """Returns the training recipe of a zoo entry.

    Args:
        name: One of `list()`.

    Raises:
        ValueError: Unknown name.

    Example:
        >>> import keras_reid
        >>> keras_reid.zoo.recipe("baseline_r50").optimizer["name"]
        'adam'
    """
    return Recipe(name=name, **card(name).recipe)


def load(name: str, num_classes: int | None = None, weights: str | os.PathLike | None = None, **overrides):
    """Builds a zoo entry, compiled with its recipe's optimiser.

    Args:
        name: One of `list()`.
        num_classes: Number of training identities; ``None`` lets the first ``fit`` say it.
        weights: ``None`` for random weights; ``"imagenet"`` for an ImageNet backbone (downloaded once); the path of a
            ``.keras`` or ``.weights.h5`` file saved by this model; or of a ``.safetensors`` or ``.pth`` file with
            torchvision's names for the backbone.
        **overrides: Constructor arguments that replace the card's.

    Returns:
        A `keras_reid.methods.ReIDModel`.

    Raises:
        ValueError: Unknown name, file that does not exist or does not fit.

    Example:
        >>> import keras_reid
        >>> model = keras_reid.zoo.load("baseline_tiny", num_classes=10)
        >>> model.num_classes
        10
    """
    entry = card(name)
    if weights is not None and Path(weights).suffix == ".keras":
        return _load_saved(entry, Path(weights), num_classes, overrides)
    method = getattr(import_module("keras_reid.methods"), entry.method)
    model = method(**{**entry.constructor, "num_classes": num_classes, **overrides})
    if weights is not None:
        _load_weights(model, weights)
    model.compile(recipe(name).make_optimizer())
    return model


def _load_saved(entry: Card, path: Path, num_classes, overrides):
    from keras_reid.methods.loading import load_model

    if overrides:
        raise ValueError(f"A .keras file brings its own constructor arguments. Leave out {sorted(overrides)}.")
    model = load_model(_existing(path))
    config = model.get_config()
    other = {key: config.get(key) for key, value in entry.constructor.items() if not _equal(config.get(key), value)}
    if type(model).__name__ != entry.method or other:
        raise ValueError(
            f"{path} holds a {type(model).__name__} and not the zoo entry {entry.name!r}; it differs in {other}. "
            "keras_reid.load_model loads it as it is."
        )
    if model.num_classes is None and num_classes is not None:  # saved without a head: a new one
        model.num_classes = num_classes
        model.build_heads(num_classes)
    if not model.compiled:
        model.compile(recipe(entry.name).make_optimizer())
    if num_classes is not None and num_classes != model.num_classes:
        raise ValueError(
            f"{path} has a head for {model.num_classes} identities; `num_classes` is {num_classes}. Leave it out, or "
            "take `model.inference_model()` for the weights without the head."
        )
    return model


def _load_weights(model, weights: str | os.PathLike) -> None:
    from keras_reid.backbones import load_torchvision, pretrained

    if weights == "imagenet":
        load_torchvision(model.backbone, pretrained(model.backbone.depth, model.backbone.ibn))
        return
    path = _existing(Path(weights))
    if path.suffix in (".safetensors", ".pth"):
        load_torchvision(model.backbone, path)
        return
    if not path.name.endswith(".weights.h5"):
        raise ValueError(
            "`weights` must be None, 'imagenet', or a .keras, .weights.h5, .safetensors or .pth file. "
            f"Received: {str(weights)!r}."
        )
    try:
        model.load_weights(path)
    except ValueError as error:
        raise ValueError(
            f"The weights in {path} do not fit {type(model).__name__} with num_classes={model.num_classes}. Give the "
            f"`num_classes` and constructor arguments they were trained with. Keras says: {error}"
        ) from error


def _equal(one, other) -> bool:
    """Whether two arguments are the same; cards have lists where models have tuples."""
    return tuple(one) == tuple(other) if isinstance(one, tuple | builtins.list) else one == other


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise ValueError(
            f"There is no weights file {path}. Give an existing path, 'imagenet', or None for random weights."
        )
    return path


def _folder() -> Path:
    """The cards: inside the installed package, or beside it in a checkout."""
    here = Path(__file__).resolve().parent
    return here / "cards" if (here / "cards").is_dir() else here.parent / "zoo"
