"""What an entry of a gallery holds beside its embedding: the columns we know, and the user's own, each of one type."""

import math
import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_reid.checks import unknown_name

__all__ = ["BUILT_IN", "OWN_TYPES", "Column", "all_columns", "own_columns"]

# Bytes of UTF-8. Milvus stops at 65535.
LONGEST = {"key": 255, "path": 4096}
_LONGEST_OWN = 4096
_OWN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,47}\Z")
# As in the tables of `keras_reid.datasets`; a person of -1 is junk there, somebody whom nobody named.
_MINUS_ONE_IS_UNKNOWN = ("camera", "tracklet", "person")
OWN_TYPES: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool}


@dataclass(frozen=True)
class Column:
    """One column of a gallery.

    Attributes:
        name: As the user writes it.
        type: ``str``, ``int``, ``float`` or ``bool``.
        stored: As the engine knows it. The user's own columns have a prefix there, so that no name of theirs is a word
            of the engine's language.
        optional: Whether an entry may lack it.

    Example:
        >>> from keras_reid.gallery.columns import BUILT_IN
        >>> BUILT_IN["camera"].value(3.0)
        Traceback (most recent call last):
            ...
        TypeError: `camera` holds int. Received: 3.0.
    """

    name: str
    type: type
    stored: str
    optional: bool = True

    def value(self, value: Any) -> Any:
        """Returns ``value`` as the column keeps it.

        Args:
            value: ``None`` or NaN where it is unknown, and -1 for camera, tracklet and person; else something of the
                column's type.

        Returns:
            A plain Python value, or ``None``.

        Raises:
            TypeError: It has another type.
            ValueError: It cannot be kept: too long, no text, out of range, or missing where it must not.
        """
        if value is None or (isinstance(value, float | np.floating) and math.isnan(value)):
            if not self.optional:
                raise ValueError(f"Every entry needs a `{self.name}`. Received: {value!r}.")
            return None
        if self.type is str:
            return self._text(value)
        if self.type is bool:
            if not isinstance(value, bool | np.bool_):
                raise self._wrong_type(value)
            return bool(value)
        if isinstance(value, bool | np.bool_):
            raise self._wrong_type(value)
        if self.type is float:
            return self._number(value)
        number = self._integer(value)
        return None if number == -1 and self.name in _MINUS_ONE_IS_UNKNOWN else number

    def _text(self, value: Any) -> str:
        if not isinstance(value, str):
            raise self._wrong_type(value)
        longest = LONGEST.get(self.stored, _LONGEST_OWN)
        try:
            size = len(value.encode())
        except UnicodeEncodeError as error:
            raise ValueError(f"`{self.name}` must be text that UTF-8 can hold. Received: {value[:40]!r}.") from error
        if size > longest:
            raise ValueError(f"`{self.name}` may have {longest} bytes. Received: {size}, {value[:40]!r}...")
        if "\x00" in value or (self.name == "key" and not value):
            raise ValueError(f"`{self.name}` must not be empty or hold the character 0. Received: {value[:40]!r}.")
        return str(value)

    def _integer(self, value: Any) -> int:
        try:
            number = operator.index(value)
        except TypeError:
            raise self._wrong_type(value) from None
        if abs(number) >= 2**63:
            raise ValueError(f"`{self.name}` holds integers of 64 bits. Received: {value!r}.")
        return number

    def _number(self, value: Any) -> float:
        if not isinstance(value, int | float | np.integer | np.floating):
            raise self._wrong_type(value)
        if not math.isfinite(value):
            raise ValueError(f"`{self.name}` must be finite, or NaN where it is unknown. Received: {value!r}.")
        return float(value)

    def _wrong_type(self, value: Any) -> TypeError:
        return TypeError(f"`{self.name}` holds {self.type.__name__}. Received: {value!r}.")


BUILT_IN: dict[str, Column] = {
    name: Column(name, kind, name, optional=name not in ("key", "images"))
    for name, kind in {
        "key": str,
        "camera": int,
        "time": float,
        "tracklet": int,
        "person": int,
        "path": str,
        "images": int,
    }.items()
}
# Columns of the engine that are nobody's to search by.
_TAKEN = {*BUILT_IN, "embedding", "feature_row", "score", "cosine"}


def own_columns(fields: Mapping[str, Any]) -> dict[str, Column]:
    """Makes the user's own columns.

    Args:
        fields: Name -> ``str``, ``int``, ``float`` or ``bool``, or the name of one of them.

    Returns:
        Name -> column.

    Raises:
        ValueError: A name that cannot be one, or a type that no column has.

    Example:
        >>> from keras_reid.gallery.columns import own_columns
        >>> own_columns({"site": str})["site"].stored
        'own_site'
    """
    made = {}
    for name, kind in fields.items():
        if not isinstance(name, str) or not _OWN_NAME.match(name) or name in _TAKEN:
            raise ValueError(
                "A field of your own is named by a letter and then letters, digits or underscores, 48 at most, and is "
                f"none of {', '.join(sorted(_TAKEN))}. Received: {name!r}."
            )
        word = kind.__name__ if isinstance(kind, type) else kind
        if word not in OWN_TYPES:
            raise unknown_name("type of a field", word, OWN_TYPES)
        made[name] = Column(name, OWN_TYPES[word], f"own_{name}")
    return made


def all_columns(own: Mapping[str, Column]) -> dict[str, Column]:
    """Returns the built-in columns and the user's.

    Args:
        own: What `own_columns` made.

    Returns:
        Name -> column.

    Example:
        >>> from keras_reid.gallery.columns import all_columns
        >>> list(all_columns({}))
        ['key', 'camera', 'time', 'tracklet', 'person', 'path', 'images']
    """
    return {**BUILT_IN, **own}
