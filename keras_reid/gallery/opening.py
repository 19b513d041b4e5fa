"""What is decided when a gallery is opened: whose embeddings it takes, and what an entry holds."""

import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keras_reid.checks import unknown_name
from keras_reid.gallery.columns import all_columns, own_columns
from keras_reid.gallery.connection import Connection
from keras_reid.gallery.features import FeatureFile
from keras_reid.gallery.fingerprint import Fingerprint
from keras_reid.gallery.schema import INDEXES
from keras_reid.gallery.store import Store

__all__ = ["check_name", "feature_file", "kept_fields", "open_store"]

_NAME = re.compile(r"[A-Za-z]([A-Za-z0-9]|_(?!_)){0,63}\Z")


def check_name(name: str) -> str:
    """Returns a gallery's name if it can be one.

    Args:
        name: A letter, then letters, digits and single underscores.

    Returns:
        The name.

    Raises:
        ValueError: It is something else.
    """
    if not isinstance(name, str) or not _NAME.match(name) or name.endswith("_"):
        raise ValueError(
            f"`name` must be a letter and then letters, digits and single underscores, 64 at most. Received: {name!r}."
        )
    return name


def kept_fields(uri: str | os.PathLike, name: str, token: str | None) -> dict[str, type] | None:
    """Says which own fields a gallery has, and whether there is one; nothing is made.

    Args:
        uri: As in `Gallery`.
        name: As in `Gallery`.
        token: As in `Gallery`.

    Returns:
        Name -> type; ``None`` where there is no such gallery.

    Raises:
        ValueError: The gallery is open elsewhere, or the URI or the name cannot be.
        ConnectionError: The cluster does not answer.
    """
    check_name(name)
    if "://" not in os.fspath(uri) and not Path(uri).exists():
        return None
    connection = Connection(uri, token)
    try:
        about = Store(connection, name).about
    finally:
        connection.close()
    return None if about is None else {field: column.type for field, column in own_columns(about["fields"]).items()}


def open_store(
    connection: Connection,
    name: str,
    made_by: Fingerprint | None,
    fields: Mapping[str, Any] | None,
    index: str | None,
    pairwise: bool,
) -> Store:
    """Opens a gallery's collection and compares it with what the caller expects, or makes it.

    Args:
        connection: Where.
        name: The gallery's name.
        made_by: Fingerprint of the caller's model; ``None`` to take what is there.
        fields: Own fields the caller expects, or ``None``.
        index: Index the caller expects, or ``None``.
        pairwise: Whether the caller's model compares features.

    Returns:
        The collection.

    Raises:
        ValueError: It is another model's, has other fields or another index, or there is none and no model to make one.
    """
    own = None if fields is None else {key: column.type.__name__ for key, column in own_columns(fields).items()}
    if index is not None and index not in INDEXES:
        raise unknown_name("index", index, INDEXES)
    local = connection.folder is not None
    if index == "diskann" and local:
        raise ValueError("The index 'diskann' is for a Milvus cluster. Beside you take 'exact' or 'hnsw'.")
    if made_by is not None and made_by.feature_shape and not pairwise:
        raise ValueError(
            f"{made_by.method} compares pairs, which takes the model itself. Received: its Fingerprint as `model`."
        )
    store = Store(connection, name)
    where = f"{connection.uri}" + (f", gallery {name!r}" if name != "people" else "")
    if store.about is None:
        if made_by is None:
            raise ValueError(f"{where} does not exist yet. Give `model=` to make it.")
        about: dict[str, Any] = {
            "format": 1,
            "model": made_by.to_dict(),
            "dimension": made_by.dimension,
            "index": index or ("exact" if local else "hnsw"),
            "fields": own or {},
            "features": secrets.token_hex(4) if made_by.feature_shape else None,
        }
        store.create(about, all_columns(own_columns(about["fields"])).values())
        return store
    there = Fingerprint.from_dict(store.about["model"])
    if made_by is not None and (difference := there.difference(made_by)):
        raise ValueError(
            f"{where} holds the embeddings of another model ({there}), which cannot be compared with those of this one "
            f"({made_by}): it has {difference}. Open it with the model that made it, or enrol the images into a new "
            "gallery."
        )
    for word, given, kept in (("fields", own, store.about["fields"]), ("index", index, store.about["index"])):
        if given is not None and given != kept:
            raise ValueError(
                f"{where} was made with `{word}` {kept!r}. Received: {given!r}. Leave `{word}` out to open it, or "
                "export it and enrol into a new gallery."
            )
    return store


def feature_file(store: Store, folder: str | os.PathLike | None) -> FeatureFile | None:
    """Opens the file with what the matcher needs, if the gallery's method compares pairs.

    Args:
        store: The gallery's collection.
        folder: Where the file lies; ``None`` for a folder beside the database.

    Returns:
        The file, or ``None``.

    Raises:
        ValueError: The gallery is on a cluster and no folder is given, or the file of a gallery with entries is not
            there.
    """
    if not store.about or not store.about["features"]:
        return None
    beside = store.connection.folder
    if folder is None and beside is None:
        raise ValueError(
            "A pairwise method on a cluster keeps its feature maps in a folder of yours, on a disk that every machine "
            "reads that searches. Give it as `features=`."
        )
    place = Path(folder) if folder is not None else beside.with_suffix(".features")  # type: ignore[union-attr]
    path = place / store.file_name(store.about)
    if not path.exists() and store.count():
        raise ValueError(
            f"The feature maps of {store.connection.uri} are not in {path}. Give the folder they are in as `features=` "
            "(--features on the command line); a database that was renamed takes its folder's new name too. If they "
            "are lost, enrol the images into a new gallery."
        )
    return FeatureFile(path, store.about["model"]["feature_shape"])
