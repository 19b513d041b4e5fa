"""Enrolling: batch by batch, each written wholly or not at all."""

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
        written = known = done = 0
        unreadable: list[str] = []
        for batch in batches(groups, batch_size):
            named = self._named(source, values, batch)
            size = sum(map(len, batch))
            if skip_known:
                there = self.store.get(list(named), [])
                known += len(there)
                named = {key: rows for key, rows in named.items() if key not in there}
            if named:
                entries, bad = self._write(source, values, named)
                written += entries
                unreadable += bad
            done += size
            if progress is not None:
                progress(done, count)
        return Enrolment(count, written, known, tuple(unreadable))

    def _named(
        self, source: Images | Features, values: Mapping[str, list[Any]], batch: list[np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Key -> rows; of two entries of one key the later one counts."""
        own = values.get("key")
        return {own[rows[0]] if own else entry_key([source.content(int(row)) for row in rows]): rows for rows in batch}

    def _write(
        self, source: Images | Features, values: Mapping[str, list[Any]], named: dict[str, np.ndarray]
    ) -> tuple[int, list[str]]:
        rows = np.concatenate(list(named.values()))
        features, readable = source.extract(rows)
        bad = [str(values["path"][row] or f"image {row}") for row in rows[~readable]]
        place = {int(row): number for number, row in enumerate(rows[readable])}
        embeddings = unit(self.embed(features)) if len(features) else features
        entries, kept = [], []
        for key, group in named.items():
            used = [int(row) for row in group if int(row) in place]
            if not used:
                continue
            at = [place[row] for row in used]
            own = {name: [column[row] for row in used] for name, column in values.items()} | {"key": [key] * len(used)}
            if values.get("key") is not None:
                own["key"] = [values["key"][row] for row in used]
            embedding, nearest, entry = merged(embeddings[at], self.columns, own)
            entries.append({**entry, "embedding": embedding, "feature_row": -1})
            kept.append(at[nearest])
        if entries:
            self._upsert(entries, features[kept])
        return len(entries), bad

    def _upsert(self, entries: list[dict[str, Any]], features: np.ndarray) -> None:
        with self.store.lock:
            file = self.store.features
            if file is None:
                self.store.upsert(entries)
                return
            # The features first, the entry that names their row second, and what it replaced last.
            keys = [entry["key"] for entry in entries]
            replaced = self.store.get(keys, ["feature_row"])
            for entry, row in zip(entries, file.append(keys, features), strict=True):
                entry["feature_row"] = int(row)
            self.store.upsert(entries)
            file.erase([row["feature_row"] for row in replaced.values()])
