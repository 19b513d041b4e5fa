"""Files of weights: from the hub, and by their checksums."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from keras_reid.zoo.cards import Card

__all__ = ["HUB", "check_file", "existing", "hub_file", "is_hub_repository", "published", "sha256"]

HUB = "hf://"


def existing(path: Path) -> Path:
    """Returns the path if there is a file, else raises ``ValueError``."""
    if not path.is_file():
        raise ValueError(
            f"There is no weights file {path}. Give an existing path, 'imagenet', or None for random weights."
        )
    return path


def sha256(path: Path) -> str:
    """Returns a file's SHA-256 in hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def check_file(path: Path, digests: Mapping[str, str]) -> None:
    """Raises ``ValueError`` unless the file is the one whose SHA-256 the card names.

    Args:
        path: The file.
        digests: SHA-256 by file name, as on the card.
    """
    if path.name not in digests:
        raise ValueError(f"The card names {path.name} without its SHA-256, so that it cannot be checked.")
    received = sha256(existing(path))
    if received != digests[path.name]:
        raise ValueError(
            f"{path} is not the file that its card describes: expected SHA-256 {digests[path.name]}, received "
            f"{received}. It was changed or cut short; get it again."
        )


def is_hub_repository(weights: object) -> bool:
    """Whether this is ``hf://user/repository`` alone, which Keras loads itself."""
    return str(weights).startswith(HUB) and str(weights).count("/") == 3


def hub_file(handle: str) -> Path:
    """Downloads ``hf://user/repository/file``, once, and returns its path in the hub's cache.

    Args:
        handle: The handle.

    Raises:
        ValueError: The handle names no file.
        ImportError: huggingface_hub is not installed.
    """
    user, _, rest = handle.removeprefix(HUB).partition("/")
    repository, _, file = rest.partition("/")
    if not (user and repository and file):
        raise ValueError(f"A handle is hf://user/repository or hf://user/repository/file. Received: {handle!r}.")
    return Path(hub().hf_hub_download(repo_id=f"{user}/{repository}", filename=file, library_name="keras"))


def hub():
    """Returns the module huggingface_hub, or raises ``ImportError`` with what to install."""
    try:
        import huggingface_hub
    except ImportError as error:
        raise ImportError(
            "An hf:// handle needs the package huggingface_hub: pip install huggingface_hub. Or download the file and "
            "give its path."
        ) from error
    return huggingface_hub


def published(entry: Card, folder: Path) -> Path:
    """Returns the weights that a card names, downloaded if need be, its checksum verified.

    Args:
        entry: The card.
        folder: Where it lies, with its files.

    Raises:
        ValueError: There are none, or the file is another one than the card's.
    """
    file = entry.weights.get("file")
    if file is None:
        raise ValueError(
            f"No weights are published for {entry.name!r} (its card says: {entry.weights['status']}). Train it: "
            f"keras_reid.zoo.recipe({entry.name!r}).fit(model, dataset), or keras-reid train {entry.name}; or give "
            "`weights=` the path of a file."
        )
    path = hub_file(file) if file.startswith(HUB) else folder / file
    check_file(path, entry.weights.get("sha256", {}))
    return path
