"""One sentence style for every bad argument: what is wrong, what was expected, what was received, what to do."""

import difflib
from collections.abc import Collection

__all__ = ["check_positive_int", "unknown_name"]


def unknown_name(kind: str, name: object, known: Collection[str], hint: str = "") -> ValueError:
    """Builds the error for a name that nobody registered; the nearest known names come first.

    Args:
        kind: What the name should denote, e.g. ``"zoo entry"``.
        name: What was received.
        known: Every accepted name.
        hint: One more sentence, if there is something else to do.

    Returns:
        A ``ValueError`` to raise.

    Example:
        >>> from keras_reid.checks import unknown_name
        >>> str(unknown_name("zoo entry", "baseline_r5", ["baseline_r50"]))
        "Unknown zoo entry 'baseline_r5'. Did you mean 'baseline_r50'? Known: baseline_r50."
    """
    near = difflib.get_close_matches(str(name), list(known), n=3)
    guess = f" Did you mean {', '.join(map(repr, near))}?" if near else ""
    message = f"Unknown {kind} {name!r}.{guess} Known: {', '.join(sorted(known))}."
    return ValueError(f"{message} {hint}".rstrip())


def check_positive_int(name: str, value: object) -> int:
    """Returns ``value`` if it is an integer of at least 1, else raises ``ValueError``.

    Args:
        name: The argument's name, for the message.
        value: What was received.

    Returns:
        The value as a plain ``int``.

    Raises:
        ValueError: It is not an integer, or below 1.

    Example:
        >>> from keras_reid.checks import check_positive_int
        >>> check_positive_int("batch_size", 64)
        64
    """
    if isinstance(value, bool) or not hasattr(value, "__index__") or value.__index__() < 1:
        raise ValueError(f"`{name}` must be an integer of at least 1. Received: {value!r}.")
    return int(value.__index__())
