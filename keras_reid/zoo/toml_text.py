"""Writes TOML (the standard library only reads it)."""

import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["toml_text"]


def toml_text(content: Mapping[str, Any]) -> str:
    """Returns a table as TOML that `tomllib` reads back equal; tuples come back as lists.

    Args:
        content: Strings, numbers, booleans, lists and tables of them, by key.

    Returns:
        Plain values first, then a ``[table]`` for each table and a ``[[table]]`` for each list of tables.

    Raises:
        TypeError: A value that TOML has no form for, such as ``None``.

    Example:
        >>> from keras_reid.zoo.toml_text import toml_text
        >>> print(toml_text({"title": "one", "input": {"size": (64, 32)}}))
        title = "one"
        <BLANKLINE>
        [input]
        size = [64, 32]
        <BLANKLINE>
    """
    plain, tables = [], []
    for key, value in content.items():
        if isinstance(value, Mapping):
            tables.append(f"\n[{_key(key)}]\n" + _lines(value))
        elif isinstance(value, list) and value and all(isinstance(row, Mapping) for row in value):
            tables += [f"\n[[{_key(key)}]]\n" + _lines(row) for row in value]
        else:
            plain.append(f"{_key(key)} = {_value(value)}\n")
    return "".join([*plain, *tables])


def _lines(table: Mapping[str, Any]) -> str:
    return "".join(f"{_key(key)} = {_value(value)}\n" for key, value in table.items())


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _value(key)


def _value(value: Any) -> str:
    if isinstance(value, str | bool):
        # JSON escapes what TOML wants escaped, but for one control character.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, np.generic):
        return _value(value.item())
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items()) + " }"
    raise TypeError(f"TOML holds strings, numbers, booleans, lists and tables. Received: {value!r}.")
