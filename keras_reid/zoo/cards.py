"""The cards: what is known of every entry, read from TOML."""

import builtins
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from keras_reid.checks import unknown_name
from keras_reid.recipe import Recipe

__all__ = ["CARD", "Card", "card", "card_file", "cards_folder", "list", "recipe"]

CARD = "card.toml"
"""Name of the card in a folder that `save` wrote."""

_RESULT = {"train", "test", "rank1", "mean_ap", "source"}


@dataclass(frozen=True)
class Card:
    """What is known of a zoo entry.

    Attributes:
        name: The name `load` takes.
        method: Class of `keras_reid.methods`.
        title: One line.
        summary: What it is for.
        paper: Title, authors and venue (with the year) of the method's paper.
        constructor: Arguments of the method's constructor.
        input: The input contract: size, colour, range, normalisation, interpolation.
        recipe: How it is trained; see `keras_reid.recipe.Recipe`.
        paper_results: Published numbers, each with its source.
        our_results: Our numbers. ``source`` begins with the result file, ``at`` says where in it they stand, for the
            test that compares: paths of keys for ``rank1`` and ``mean_ap``, or a ``table``, its ``row``, the columns.
        our_choices: What is our choice because the paper leaves it open.
        limits: Intended use and limits.
        licence: Licence of card and weights.
        weights: ``{"status": ...}``; where there are weights also ``file``, a name in the card's folder or an
            ``hf://user/repository/file`` handle, ``sha256`` by file name, and the ``tolerance`` of the probe.
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

    @property
    def bibtex(self) -> str:
        """The paper as a BibTeX entry."""
        authors, title = self.paper["authors"], self.paper["title"]
        venue, _, year = self.paper["venue"].rpartition(" ")
        key = f"{authors.split(',')[0].split()[-1]}{year}{title.split()[0]}".lower()
        kind, where = ("misc", "howpublished") if venue.startswith("arXiv") else ("inproceedings", "booktitle")
        lines = {
            "title": f"{{{title}}}",
            "author": authors.replace(", ", " and "),
            where: venue.rstrip(","),
            "year": year,
        }
        return f"@{kind}{{{key},\n" + "".join(f"  {k} = {{{v}}},\n" for k, v in lines.items()) + "}"

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
        lines += [f"limits       {self.limits}", f"licence      {self.licence}", "", self.bibtex]
        return "\n".join(lines)


def list() -> builtins.list[str]:
    """Returns the names `load` takes.

    Example:
        >>> import keras_reid
        >>> "baseline_r50" in keras_reid.zoo.list()
        True
    """
    return sorted(path.stem for path in cards_folder().glob("*.toml"))


def card(name: str | os.PathLike) -> Card:
    """Returns the card of a zoo entry.

    Args:
        name: One of `list()`, or a folder that `save` wrote.

    Raises:
        ValueError: Unknown name (the nearest ones are named), a folder without a card, or a card that lacks an entry.

    Example:
        >>> import keras_reid
        >>> keras_reid.zoo.card("baseline_r50").method
        'Baseline'
    """
    path = card_file(name)
    with path.open("rb") as stream:
        content = tomllib.load(stream)
    names = {entry.name for entry in fields(Card)} - {"name"}
    if set(content) != names:
        raise ValueError(
            f"The card {path.name} must have the entries {sorted(names)}. Missing: {sorted(names - set(content))}; "
            f"not known: {sorted(set(content) - names)}."
        )
    for row in (*content["paper_results"], *content["our_results"]):
        if not set(row) >= _RESULT:
            raise ValueError(
                f"Every result on the card {path.name} must have {sorted(_RESULT)}. Missing: "
                f"{sorted(_RESULT - set(row))} in {row}."
            )
    return Card(name=path.resolve().parent.name if path.name == CARD else path.stem, **content)


def recipe(name: str | os.PathLike) -> Recipe:
    """Returns the training recipe of a zoo entry.

    Args:
        name: One of `list()`, or a folder that `save` wrote.

    Raises:
        ValueError: Unknown name, or a folder without a card.

    Example:
        >>> import keras_reid
        >>> keras_reid.zoo.recipe("baseline_r50").optimizer["name"]
        'adam'
    """
    entry = card(name)
    return Recipe(name=entry.name, **entry.recipe)


def card_file(name: str | os.PathLike) -> Path:
    """Returns the path of an entry's card: `CARD` in a folder that `save` wrote, ``<name>.toml`` in the library.

    Args:
        name: One of `list()`, or a folder.

    Raises:
        ValueError: Neither.
    """
    if isinstance(name, str) and name in list():
        return cards_folder() / f"{name}.toml"
    path = Path(name) / CARD
    if path.is_file():
        return path
    if path.parent.is_dir():
        raise ValueError(
            f"The folder {path.parent} holds no {CARD}, so keras_reid.zoo.save did not write it. A model.keras is "
            "loaded by keras_reid.load_model, or with `weights=` and the name of its entry."
        )
    raise unknown_name("zoo entry", str(name), list())


def cards_folder() -> Path:
    """Returns where the library's cards are: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    return package / "cards" if (package / "cards").is_dir() else package.parent / "zoo"
