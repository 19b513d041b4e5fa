"""What needs no model: changing, forgetting, counting, exporting, compacting."""

import os
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Self

from keras_reid.checks import unknown_name
from keras_reid.gallery.columns import Column
from keras_reid.gallery.connection import Connection
from keras_reid.gallery.export import export
from keras_reid.gallery.features import FeatureFile
from keras_reid.gallery.filters import Condition
from keras_reid.gallery.fingerprint import Fingerprint
from keras_reid.gallery.store import Store

__all__ = ["Upkeep"]

_PAGE = 1000


class Upkeep:
    """The part of `Gallery` that works without a model."""

    made_by: Fingerprint
    _columns: Mapping[str, Column]
    _store: Store
    _connection: Connection | None

    def update(self, keys: str | Sequence[str], **changes: Any) -> int:
        """Changes what is known about entries; each is written whole or not at all.

        Args:
            keys: Which entries.
            **changes: ``camera``, ``time``, ``tracklet``, ``person``, ``path`` or fields of your own.

        Returns:
            Number of entries.

        Raises:
            ValueError: A key or a field is not there, or a value cannot be kept.
            TypeError: A value has another type.
        """
        wanted = [keys] if isinstance(keys, str) else list(keys)
        allowed = {name: column for name, column in self._columns.items() if name not in ("key", "images")}
        values = {}
        for name, value in changes.items():
            if name not in allowed:
                raise unknown_name("field to change", name, allowed)
            values[allowed[name].stored] = allowed[name].value(value)
        names = [*(column.stored for column in self._columns.values()), "embedding", "feature_row"]
        for start in range(0, len(wanted), _PAGE):
            page = wanted[start : start + _PAGE]
            with self._open.lock:
                rows = self._open.get(page, names)
                if missing := [key for key in page if key not in rows]:
                    raise ValueError(f"{len(missing)} keys are not in the gallery, the first is {missing[0]!r}.")
                self._open.upsert([{**row, **values} for row in rows.values()])
        return len(wanted)

    def delete(self, keys: str | Sequence[str] | None = None, *, where: Condition | None = None) -> int:
        """Takes entries out: they are in no search from now on, and `compact` takes them off the disk.

        Feature maps are overwritten by zeros at once. A second call finishes what a crash interrupted.

        Args:
            keys: Which entries; those that are not there are passed over.
            where: Or a condition: all entries of ``field("person") == 7``.

        Returns:
            Number of entries.

        Raises:
            ValueError: Neither or both are given.
        """
        if (keys is None) == (where is None):
            raise ValueError("`delete` takes keys or a condition `where`, one of the two.")
        wanted = [keys] if isinstance(keys, str) else list(keys or ())
        with self._open.lock:
            if where is None:
                pages = [list(self._open.get(wanted, ["feature_row"]).values())]
            else:
                pages = list(self._open.pages(where.expression(self._columns), ["feature_row"]))
            for page in pages:
                if self._open.features is not None:  # before the entry, which alone knows the row
                    self._open.features.erase([row["feature_row"] for row in page], [row["key"] for row in page])
                self._open.delete([row["key"] for row in page])
        return sum(map(len, pages))

    def count(self, where: Condition | None = None) -> int:
        """Counts entries.

        Args:
            where: What they must fulfil; all by default.

        Returns:
            Their number.
        """
        return self._open.count("" if where is None else where.expression(self._columns))

    def export(self, path: str | os.PathLike, where: Condition | None = None) -> int:
        """Writes entries to a file, whole or not at all.

        Args:
            path: ``.npz``: every column and ``embedding``; where a column is not known of all, ``<column>_known`` says
                of which. ``.csv``: the columns without the embeddings.
            where: Which entries; all by default.

        Returns:
            Number of entries.

        Raises:
            ValueError: The file has another suffix.
        """
        expression = "" if where is None else where.expression(self._columns)
        names = [*(column.stored for column in self._columns.values()), "embedding"]
        with self._open.lock:
            return export(path, self._open.pages(expression, names), self._columns, self.made_by.dimension)

    def compact(self) -> None:
        """Takes what was deleted or written over off the disk.

        Beside you every entry is copied into a new collection and the old one is removed; when this returns, no file of
        the gallery holds a deleted entry. A cluster is asked to compact, and removes files on its own schedule.
        """
        if self._open.connection.folder is None:
            self._open.compact()
            return
        with self._open.lock:
            self._rewrite()

    def _rewrite(self) -> None:
        store, columns = self._open, list(self._columns.values())
        if store.features is None:
            store.rewrite(dict(store.about or {}), columns, lambda rows, old, new: rows)
            return
        store.rewrite({**(store.about or {}), "features": secrets.token_hex(4)}, columns, _moved)

    def flush(self) -> None:
        """Waits until the disk has everything: then a power failure loses nothing either."""
        self._open.flush()
        if self._open.connection.folder is not None and hasattr(os, "sync"):
            os.sync()  # Milvus Lite leaves its segments to the operating system

    def stats(self) -> dict[str, Any]:
        """Says how large the gallery is and what it is made of.

        Returns:
            A dictionary that JSON can hold.
        """
        store, folder, about = self._open, self._open.connection.folder, self._open.about or {}
        found: dict[str, Any] = {
            "uri": store.connection.uri,
            "name": store.name,
            "entries": store.count(),
            "index": about["index"],
            "fields": about["fields"],
            "model": self.made_by.to_dict(),
        }
        if folder is not None:
            found["disk_bytes"] = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        if store.features is not None:
            found |= {"feature_bytes": store.features.size, "feature_rows": len(store.features)}
        return found

    def close(self) -> None:
        """Closes the gallery; its folder is free for others then. A ``with`` block does it by itself."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            if self._store.features is not None:
                self._store.features.close()
            connection.close()
            self._store.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __len__(self) -> int:
        return self.count()

    def __repr__(self) -> str:
        state = f"{len(self)} entries" if self._connection is not None else "closed"
        return f"Gallery({self._store.connection.uri!r}, {state}, made by {self.made_by})"

    @property
    def _open(self) -> Store:
        if self._connection is None:
            raise ValueError("The gallery is closed. Open it again: Gallery(uri, model).")
        return self._store


def _moved(rows: list[dict[str, Any]], old: FeatureFile, new: FeatureFile) -> list[dict[str, Any]]:
    """Entries with their features in the new file, without those whose deletion was cut short."""
    keys, places = [row["key"] for row in rows], [row["feature_row"] for row in rows]
    there, stored = old.read(places, keys)
    damaged = [key for key, gone in zip(keys, ~there & ~old.erased(places), strict=True) if gone]
    if damaged:
        raise ValueError(
            f"The features of {len(damaged)} entries are damaged, the first is {damaged[0]!r}. Enrol their images "
            "again, or delete them; nothing was compacted."
        )
    kept = [row for row, whole in zip(rows, there, strict=True) if whole]
    moved = new.append([row["key"] for row in kept], stored)
    return [{**row, "feature_row": int(place)} for row, place in zip(kept, moved, strict=True)]
