"""Enrolling: batch by batch, each written wholly or not at all."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from keras_reid.checks import check_positive_int
from keras_reid.gallery.columns import Column
from keras_reid.gallery.enrolment import Enrolment, batches, column_values, entry_key, grouped, merged, unit
from keras_reid.gallery.sources import Features, Images
from keras_reid.gallery.store import Store

__all__ = ["Target"]

_MOST = 4096  # a server takes messages of 64 MB


class Target:
    """Where entries are written.

    Args:
        store: The gallery's collection.
        columns: Its columns.
        embed: Features ``[N, ...]`` -> embeddings ``[N, D]``.
    """

    def __init__(
        self,
        store: Store,
        columns: Mapping[str, Column],
        embed: Callable[[np.ndarray], np.ndarray],
    ):
        self.store, self.columns, self.embed = store, columns, embed

    def enrol(
        self,
        source: Images | Features,
        given: Mapping[str, Any],
        pool: bool,
        skip_known: bool,
        batch_size: int,
        progress: Callable[[int, int], None] | None,
    ) -> Enrolment:
        """Writes entries; see `Gallery.enrol`.

        Args:
            source: The images.
            given: What the caller says of them, by column; ``None`` for what the source knows.
            pool: As in `Gallery.enrol`.
            skip_known: As in `Gallery.enrol`.
            batch_size: As in `Gallery.enrol`.
            progress: As in `Gallery.enrol`.

        Returns:
            What was done.
        """
        if check_positive_int("batch_size", batch_size) > _MOST:
            raise ValueError(
                f"`batch_size` may be {_MOST} at most, so that a batch is one request. Received: {batch_size}."
            )
        count = len(source)
        values: dict[str, list[Any]] = {}
        for name, column in self.columns.items():
            if name == "images" or (name == "key" and given.get("key") is None):
                continue
            told = given.get(name)
            values[name] = column_values(column, source.known.get(name) if told is None else told, count)
        groups = grouped(values["camera"], values["tracklet"], pool)
        if "key" in values:
            _check_keys([values["key"][rows[0]] for rows in groups])
        # What is there is looked up only where there may be something: it takes as long as a search.
        replacing = not skip_known and self.store.count() > 0
        written = known = done = 0
        unreadable: list[str] = []
        for batch in batches(groups, batch_size):
            size = sum(map(len, batch))
            batch, bad = _readable(source, values["path"], batch)
            unreadable += bad
            named = self._named(source, values, batch)
            if skip_known:
                there = self.store.get(list(named), [])
                known += len(there)
                named = {key: rows for key, rows in named.items() if key not in there}
            if named:
                written += self._write(source, values, named, replacing)
            done += size
            if progress is not None:
                progress(done, count)
        return Enrolment(count, written, known, tuple(unreadable))

    def _named(
        self, source: Images | Features, values: Mapping[str, list[Any]], batch: list[np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Key -> rows; of two images of one content the later one counts."""
        own = values.get("key")
        return {own[rows[0]] if own else entry_key([source.content(int(row)) for row in rows]): rows for rows in batch}

    def _write(
        self,
        source: Images | Features,
        values: Mapping[str, list[Any]],
        named: dict[str, np.ndarray],
        replacing: bool,
    ) -> int:
        features = source.extract(np.concatenate(list(named.values())))
        embeddings = unit(self.embed(features))
        entries, kept, start = [], [], 0
        for key, rows in named.items():
            own = {"key": [key] * len(rows)} | {name: [column[row] for row in rows] for name, column in values.items()}
            embedding, nearest, entry = merged(embeddings[start : start + len(rows)], self.columns, own)
            entries.append({**entry, "embedding": embedding, "feature_row": -1})
            kept.append(start + nearest)
            start += len(rows)
        self._upsert(entries, features[kept], replacing)
        return len(entries)

    def _upsert(self, entries: list[dict[str, Any]], features: np.ndarray, replacing: bool) -> None:
        names = [column.stored for column in self.columns.values() if column.optional]
        keys = [entry["key"] for entry in entries]
        with self.store.lock:
            file = self.store.features
            replaced = self.store.get(keys, [*names, "feature_row"]) if replacing or file is not None else {}
            for entry in entries:  # what nobody says now is kept
                known = replaced.get(entry["key"], {})
                entry.update({name: known.get(name) for name in names if entry[name] is None})
            if file is None:
                self.store.upsert(entries)
                return
            # The features first, the entry that names their row second, and what it replaced last.
            for entry, row in zip(entries, file.append(keys, features), strict=True):
                entry["feature_row"] = int(row)
            self.store.upsert(entries)
            file.erase([row["feature_row"] for row in replaced.values()], list(replaced))


def _check_keys(keys: list[str]) -> None:
    """One key is one entry: images of one key would replace one another."""
    key, count = Counter(keys).most_common(1)[0]
    if count > 1:
        raise ValueError(
            "`keys` are one per entry: another one for every image, or one for the images of a tracklet. Received: "
            f"{key!r} for {count}. Say who is on an image by `persons=` (a number) or by a field of your own (a name)."
        )


def _readable(
    source: Images | Features, paths: list[Any], batch: list[np.ndarray]
) -> tuple[list[np.ndarray], list[str]]:
    """The entries without the images that are left out, and the names of those."""
    rows = np.concatenate(batch)
    there = source.readable(rows)
    kept = [group[np.isin(group, rows[there])] for group in batch]
    return [group for group in kept if len(group)], [str(paths[row] or f"image {row}") for row in rows[~there]]
