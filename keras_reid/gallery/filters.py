"""Conditions on entries: objects, so that no text of a user's becomes part of the engine's language unquoted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from keras_reid.checks import unknown_name
from keras_reid.gallery.columns import Column

__all__ = ["Condition", "Field", "Keys", "field", "literal"]

# Both engines read these, and both take any other character as it stands.
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


class Condition:
    """What an entry must fulfil; made by `field`, joined by ``&`` and ``|``."""

    def __and__(self, other: "Condition") -> "Condition":
        """Both must hold."""
        return _Joined("and", self, _condition(other))

    def __or__(self, other: "Condition") -> "Condition":
        """One of both must hold."""
        return _Joined("or", self, _condition(other))

    def __bool__(self) -> bool:
        raise TypeError(
            "A condition has no truth value by itself. Join conditions by & and |, each in brackets: "
            '(field("camera") == 1) & (field("time") < 60); `a < field("time") < b` is `field("time").between(a, b)`.'
        )

    def expression(self, columns: Mapping[str, Column]) -> str:
        """Returns the condition in Milvus' language.

        Args:
            columns: The gallery's columns.

        Returns:
            The expression; every value in it is a literal.

        Raises:
            ValueError: The gallery has no such field, or cannot hold such a value.
            TypeError: A value has another type than the field.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class _Joined(Condition):
    word: str
    first: Condition
    second: Condition

    def expression(self, columns: Mapping[str, Column]) -> str:
        return f"({self.first.expression(columns)}) {self.word} ({self.second.expression(columns)})"


@dataclass(frozen=True)
class _Compared(Condition):
    name: str
    operator: str
    values: tuple[Any, ...]

    def expression(self, columns: Mapping[str, Column]) -> str:
        if self.name not in columns:
            raise unknown_name("field of the gallery", self.name, columns)
        column = columns[self.name]
        written = []
        for given in self.values:
            if given is None or (value := column.value(given)) is None:
                raise ValueError(
                    f"`{self.name}` cannot be compared with {given!r}, which stands for unknown: an entry that lacks "
                    "it fulfils nothing."
                )
            written.append(literal(value))
        if column.type is bool and self.operator not in ("==", "!="):
            raise TypeError(f"`{self.name}` holds bool and takes == and !=. Received: {self.operator}.")
        right = f"[{', '.join(written)}]" if self.operator.endswith("in") else written[0]
        compared = f"{column.stored} {self.operator} {right}"
        # The engines differ on what `!=` and `not in` say of an entry without a value; said so, they agree.
        return f"{column.stored} is not null and {compared}" if column.optional else compared


class Field:
    """A field of the entries, to be compared with values; see `field`."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, name: str):
        self.name = name

    def __eq__(self, value: Any) -> Condition:  # type: ignore[override]
        """The field has this value."""
        return _Compared(self.name, "==", (value,))

    def __ne__(self, value: Any) -> Condition:  # type: ignore[override]
        """The field has another value."""
        return _Compared(self.name, "!=", (value,))

    def __lt__(self, value: Any) -> Condition:
        """The field is less."""
        return _Compared(self.name, "<", (value,))

    def __le__(self, value: Any) -> Condition:
        """The field is at most this."""
        return _Compared(self.name, "<=", (value,))

    def __gt__(self, value: Any) -> Condition:
        """The field is more."""
        return _Compared(self.name, ">", (value,))

    def __ge__(self, value: Any) -> Condition:
        """The field is at least this."""
        return _Compared(self.name, ">=", (value,))

    def between(self, first: Any, last: Any) -> Condition:
        """``first <= field <= last``."""
        return (self >= first) & (self <= last)

    def is_in(self, values: Iterable[Any]) -> Condition:
        """The field has one of these values."""
        return _Compared(self.name, "in", _some(values))

    def not_in(self, values: Iterable[Any]) -> Condition:
        """The field has a value, and none of these."""
        return _Compared(self.name, "not in", _some(values))


def field(name: str) -> Field:
    r"""Names a field, to make a condition of it.

    An entry that lacks the field fulfils no condition on it: ``field("camera") != 3`` finds the entries that are known
    to be of another camera. That is our choice; engines differ there.

    Args:
        name: ``"key"``, ``"camera"``, ``"time"``, ``"tracklet"``, ``"person"``, ``"path"``, ``"images"`` or a field of
            your own.

    Returns:
        Something to compare by ``==``, ``!=``, ``<``, ``<=``, ``>``, ``>=``, ``between``, ``is_in`` and ``not_in``.

    Example:
        >>> from keras_reid.gallery import field
        >>> from keras_reid.gallery.columns import all_columns, own_columns
        >>> where = (field("camera") != 3) & (field("site") == 'the "north" gate')
        >>> print(where.expression(all_columns(own_columns({"site": str}))))
        (camera is not null and camera != 3) and (own_site is not null and own_site == "the \"north\" gate")
    """
    return Field(name)


class Keys:
    """Expressions for lists of keys, in pieces that an engine takes."""

    SIZE = 1000

    @classmethod
    def expressions(cls, keys: list[str]) -> Iterable[str]:
        """Yields ``key in [...]`` for every `SIZE` keys.

        Args:
            keys: Keys of entries.

        Yields:
            Expressions in Milvus' language.
        """
        for start in range(0, len(keys), cls.SIZE):
            yield f"key in [{', '.join(literal(key) for key in keys[start : start + cls.SIZE])}]"


def literal(value: str | int | float | bool) -> str:
    r"""Writes a value in Milvus' language.

    Args:
        value: A value that a column has passed (`Column.value`).

    Returns:
        The literal; text in double quotes with what would end it escaped.

    Example:
        >>> from keras_reid.gallery.filters import literal
        >>> print(literal('" or key != "'), literal(-2.5), literal(True))
        "\" or key != \"" -2.5 true
    """
    if isinstance(value, str):
        return '"' + "".join(_ESCAPES.get(character, character) for character in value) + '"'
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _some(values: Iterable[Any]) -> tuple[Any, ...]:
    if isinstance(values, str):
        raise TypeError(f"`is_in` and `not_in` take a list of values. Received: the text {values!r}.")
    found = tuple(values)
    if not found:
        raise ValueError("`is_in` and `not_in` need at least one value. Received: none.")
    return found


def _condition(other: Any) -> Condition:
    if not isinstance(other, Condition):
        raise TypeError(f'Only conditions are joined by & and |, such as field("camera") == 1. Received: {other!r}.')
    return other
