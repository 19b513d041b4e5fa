"""Finding a benchmark's folders, its images, and the facts in their names."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["find_form", "find_root", "list_images", "parse_names"]

_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")


def find_root(name: str, root: str | os.PathLike[str], required: Sequence[str], nested: Sequence[str]) -> Path:
    """Returns the folder that holds every `required` sub-folder: `root`, or one it is known to nest.

    Args:
        name: The data set's name, for messages.
        root: What the user gave.
        required: Sub-folders that must be there.
        nested: Where below `root` people keep these data, in the order to look.

    Returns:
        The first folder that has them all.

    Raises:
        ValueError: None has; the message says what was expected and what is there.
    """
    return find_form(name, root, {"": required}, nested)[1]


def find_form(
    name: str, root: str | os.PathLike[str], forms: Mapping[str, Sequence[str]], nested: Sequence[str]
) -> tuple[str, Path]:
    """Returns which of several forms of a data set lies in `root`, or in a folder it is known to nest, and where.

    Args:
        name: The data set's name, for messages.
        root: What the user gave.
        forms: Form -> sub-folders that must be there. A folder that fits two is of the first.
        nested: Where below `root` people keep these data, in the order to look.

    Returns:
        The form, and the first folder that has all it needs.

    Raises:
        ValueError: None has; the message says what was expected and what is there.
    """
    given = Path(root).expanduser()
    for place in (given, *(given / folder for folder in nested)):
        for form, required in forms.items():
            if all((place / folder).is_dir() for folder in required):
                return form, place
    expected = "; or ".join(", ".join(required) for required in forms.values())
    raise ValueError(
        f"No {name} in {str(given)!r}. Expected the folders {expected} there, or in "
        f"one of its sub-folders {', '.join(nested)}. {_what_is_there(given, tuple(forms.values()))}"
    )


def _what_is_there(given: Path, forms: Sequence[Sequence[str]]) -> str:
    if given.is_dir() and any(given.name in required for required in forms):
        return f"This is the folder {given.name} itself: pass its parent, {str(given.parent)!r}."
    if given.is_file():
        return "This is a file: unpack it and pass the folder."
    if not given.exists():
        known = next(parent for parent in given.absolute().parents if parent.exists())
        return f"It does not exist; {str(known)!r} does and holds: {_contents(known)}."
    for required in forms:
        missing = [folder for folder in required if not (given / folder).is_dir()]
        if len(missing) < len(required):
            return f"Missing there: {', '.join(missing)}. Found: {_contents(given)}."
    return f"Found there: {_contents(given)}."


def _contents(folder: Path, count: int = 8) -> str:
    names = sorted(p.name + "/" * p.is_dir() for p in folder.iterdir())
    more = f" and {len(names) - count} more" if len(names) > count else ""
    return ", ".join(names[:count]) + more if names else "nothing"


def list_images(folder: Path, recursive: bool = False) -> list[str]:
    """Returns the image files of a folder, sorted by name; hidden files are left out.

    Args:
        folder: Where to look.
        recursive: Whether to look in sub-folders too.

    Returns:
        Paths relative to `folder`, with forward slashes.

    Raises:
        ValueError: There is no folder, or no image in it.
    """
    if not folder.is_dir():
        raise ValueError(f"Expected a folder of images. Received: {str(folder)!r}, which is none.")
    files = folder.rglob("*") if recursive else folder.iterdir()
    names = sorted(
        file.relative_to(folder).as_posix()
        for file in files
        # macOS archives carry a hidden "._0001.jpg" beside every image.
        if file.suffix.lower() in _SUFFIXES and not file.name.startswith(".")
    )
    if not names:
        raise ValueError(f"No image ({', '.join(_SUFFIXES)}) in {str(folder)!r}. Found there: {_contents(folder)}.")
    return names


def parse_names(
    names: Sequence[str], pattern: re.Pattern[str], folder: Path, example: str
) -> list[dict[str, str | None]]:
    """Returns the pattern's named groups for every file name.

    Args:
        names: Paths relative to `folder`.
        pattern: Matched at the start of the file name; of the whole relative path if the pattern
            has a "/" in it.
        folder: Where they lie, for messages.
        example: A name that fits, or whatever says what was expected.

    Returns:
        One dict per name: group -> text, or None where an optional group is absent.

    Raises:
        ValueError: Names do not fit; some of them are in the message.
    """
    whole = "/" in pattern.pattern
    matches = [pattern.match(name if whole else name.rpartition("/")[2]) for name in names]
    bad = [name for name, match in zip(names, matches, strict=True) if match is None]
    if bad:
        shown = ", ".join(bad[:5]) + (", ..." if len(bad) > 5 else "")
        raise ValueError(
            f"{len(bad)} of {len(names)} file names in {str(folder)!r} do not parse: {shown}. "
            f"Expected {example} (regular expression {pattern.pattern!r}). Move foreign files "
            "away, or rename them."
        )
    return [match.groupdict() for match in matches if match is not None]
