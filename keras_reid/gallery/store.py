"""The entries in Milvus: beside you by Milvus Lite, or on a cluster by its URI. The code is the same."""

import json
import re
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from keras_reid.gallery.columns import Column
from keras_reid.gallery.connection import Connection
from keras_reid.gallery.features import FeatureFile
from keras_reid.gallery.filters import Keys
from keras_reid.gallery.schema import ABOUT, INDEXES, new_collection

__all__ = ["Store"]

_PAGE = 1000


class Store:
    """One gallery's collection.

    A gallery's name is an alias; the collection has a name of its own. So a collection that was made anew becomes the
    gallery's in one step, and what a crash leaves behind has a name that nothing points to.

    Args:
        connection: An open connection.
        name: The gallery's.

    Attributes:
        features: What a matcher needs of the entries, for a pairwise model.
        lock: Held while something is searched or changed, so that threads may share a gallery: Milvus Lite does not
            take two writers, and a compaction takes the collection away from under a search.
    """

    def __init__(self, connection: Connection, name: str):
        self.connection, self.name = connection, name
        self.client = connection.client
        self.lock = threading.RLock()
        self.features: FeatureFile | None = None
        self.about: dict[str, Any] | None = None
        self._collection = ""
        folder = connection.folder
        self._mark = None if folder is None else folder / f"keras_reid.{name}.open"
        if self.client.has_collection(name):
            self._collection = self._target()
            self.about = self._about(self._collection)
        if self.about is not None:
            self.client.load_collection(self._collection)

    def _target(self) -> str:
        known = self.client.list_collections()
        if self.name in known:
            raise ValueError(
                f"{self.connection.uri} has a collection {self.name!r} that is no gallery of this library. Give the "
                "gallery another `name`."
            )
        return self.client.describe_alias(alias=self.name)["collection_name"]

    def _about(self, collection: str) -> dict[str, Any]:
        described = self.client.describe_collection(collection)
        # Milvus Lite keeps properties and no description; every Milvus keeps descriptions.
        return json.loads(described["properties"].get(ABOUT) or described["description"])

    def _clear(self, folder: Path) -> None:
        """Removes what a crash left of collections that are not the gallery's. Nobody else has the file open."""
        own = re.compile(re.escape(self.name) + r"__[0-9a-f]{8}\Z")
        for name in self.client.list_collections():
            if own.match(name) and name != self._collection:
                if self.features is not None:  # no other file of the folder is ours to remove
                    self.features.path.with_name(self.file_name(self._about(name))).unlink(missing_ok=True)
                self.client.drop_collection(name)
        listed = set(self.client.list_collections())
        for left in (folder / "collections").iterdir():  # a removal that was cut short leaves what is not listed
            if own.match(left.name) and left.name not in listed:
                shutil.rmtree(left)

    def file_name(self, about: Mapping[str, Any]) -> str:
        """Names the file with the features of a collection.

        Args:
            about: What the collection remembers.

        Returns:
            The name, which no other collection's file has.
        """
        return f"{self.name}.{about['features']}.bin"

    def create(self, about: Mapping[str, Any], columns: Iterable[Column]) -> None:
        """Makes an empty collection and gives it the gallery's name.

        Args:
            about: What is to be remembered; with ``dimension`` and ``index``.
            columns: The columns beside the embedding.
        """
        made = new_collection(self.client, self.name, about, columns)
        self.client.create_alias(collection_name=made, alias=self.name)
        self.about, self._collection = dict(about), made

    def begin(self, columns: Iterable[Column]) -> None:
        """Removes and mends what a kill left, if the gallery was not closed the last time, and says it is open.

        Killed after it has written a segment and before it has removed its log, Milvus Lite reads the log again and
        has the segment's entries twice. Written once more they are there once.

        Args:
            columns: The columns beside the embedding.
        """
        if self._mark is None:
            return
        self._clear(self._mark.parent)
        if self._mark.exists():
            rows = self.client.query(self._collection, filter='key != ""', output_fields=["key"])
            twice = [key for key, count in Counter(row["key"] for row in rows).items() if count > 1]
            names = [*(column.stored for column in columns), "embedding", "feature_row"]
            for start in range(0, len(twice), _PAGE):
                self.upsert(list(self.get(twice[start : start + _PAGE], names).values()))
        self._mark.touch()

    def end(self) -> None:
        """Says that the gallery was closed."""
        if self._mark is not None:
            self._mark.unlink(missing_ok=True)

    def upsert(self, rows: list[dict[str, Any]]) -> None:
        """Writes entries, over those of the same key. One call is written wholly or not at all.

        Args:
            rows: Values by the columns' stored names.
        """
        self.client.upsert(self._collection, rows)

    def get(self, keys: list[str], names: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Reads entries.

        Args:
            keys: Their keys; those that are not there are left out.
            names: Stored names of the columns.

        Returns:
            Key -> values.
        """
        found = {}
        with self.lock:  # a compaction exchanges the collection
            for expression in Keys.expressions(keys):
                for row in self.client.query(self._collection, filter=expression, output_fields=["key", *names]):
                    found[row["key"]] = row
        return found

    def pages(self, expression: str, names: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
        """Reads the entries that fulfil an expression, a thousand at a time.

        Args:
            expression: In Milvus' language; empty for all.
            names: Stored names of the columns.

        Yields:
            Lists of values by column; ``key`` is always among them.
        """
        wanted = ["key", *(name for name in names if name != "key")]
        if self.connection.folder is not None:  # Milvus Lite would sort all keys anew for every page
            rows = self.client.query(self._collection, filter=expression or 'key != ""', output_fields=["key"])
            keys = sorted(row["key"] for row in rows)
            for start in range(0, len(keys), _PAGE):
                yield list(self.get(keys[start : start + _PAGE], wanted[1:]).values())
            return
        pages = self.connection.in_words(
            self.client.query_iterator(self._collection, filter=expression, output_fields=wanted, batch_size=_PAGE)
        )
        try:
            while page := pages.next():
                yield [dict(row) for row in page]
        finally:
            pages.close()

    def count(self, expression: str = "") -> int:
        """Counts the entries that fulfil an expression.

        Args:
            expression: In Milvus' language; empty for all.

        Returns:
            Their number.
        """
        with self.lock:
            return self.client.query(self._collection, filter=expression, output_fields=["count(*)"])[0]["count(*)"]

    def search(self, embeddings: Any, k: int, expression: str, names: Sequence[str]) -> list[list[dict[str, Any]]]:
        """Finds the nearest entries.

        Args:
            embeddings: ``[Q, D]`` of unit norm.
            k: How many.
            expression: What they must fulfil; empty for nothing.
            names: Stored names of the columns to return.

        Returns:
            For every query the entries, best first: the columns, ``key`` and ``cosine``.
        """
        params = INDEXES[(self.about or {})["index"]][2](k)
        if expression and "ef" in params and self.connection.folder is not None:
            # Beside you the walk through the graph stops after `ef` entries, whether they fulfil the expression or not.
            # How many fulfil it is counted as far as a page: Milvus Lite counts by reading every one of them.
            fulfil = self.client.query(self._collection, filter=expression, output_fields=["key"], limit=_PAGE)
            entries = self.count()
            params["ef"] = min(entries, params["ef"] * entries // max(len(fulfil), 1))
        found = self.client.search(
            self._collection,
            data=list(embeddings),
            limit=k,
            filter=expression,
            output_fields=["key", *names],
            search_params={"metric_type": "IP", "params": params},
        )
        return [
            [{**hit["entity"], "key": hit["key"], "cosine": float(hit["distance"])} for hit in hits] for hits in found
        ]

    def delete(self, keys: list[str]) -> None:
        """Takes entries out of every search.

        Args:
            keys: Their keys.
        """
        for expression in Keys.expressions(keys):  # pymilvus' own `ids=` does not escape quotes
            self.client.delete(self._collection, filter=expression)

    def flush(self) -> None:
        """Waits until everything that was written has reached the disk as segments."""
        self.client.flush(self._collection)

    def compact(self) -> None:
        """Asks a cluster to merge its segments and to leave out what was deleted."""
        self.client.compact(self._collection)

    def rewrite(
        self,
        about: Mapping[str, Any],
        columns: Sequence[Column],
        change: Callable[[list[dict[str, Any]], Any, Any], list[dict[str, Any]]],
    ) -> None:
        """Copies every entry to a new collection, makes it the gallery's, and drops the old one.

        Until the name changes hands the old collection and its features are whole; from then on the new ones are.

        Args:
            about: What is to be remembered from now on; ``features`` names the new file of features, if there is one.
            columns: The columns beside the embedding.
            change: Rows as they were, the old and the new file of features -> rows to write.
        """
        old, old_features, features = self._collection, self.features, None
        made = new_collection(self.client, self.name, about, columns)
        names = [column.stored for column in columns] + ["embedding", "feature_row"]
        try:
            if old_features is not None:
                features = FeatureFile(old_features.path.with_name(self.file_name(about)), old_features.shape)
            for rows in self.pages("", names):
                if rows := change(rows, old_features, features):
                    self.client.upsert(made, rows)
            self.client.flush(made)
            self.client.alter_alias(collection_name=made, alias=self.name)
        finally:  # an interruption may come before the name has changed hands, or after
            switched = self._target() == made
            if switched:
                self._collection, self.about, self.features = made, dict(about), features
            self._forget(*((old, old_features) if switched else (made, features)))

    def _forget(self, collection: str, features: FeatureFile | None) -> None:
        """Removes what is not the gallery's: the file first, as long as there is a collection that names it."""
        if features is not None:
            features.remove()
        self.client.drop_collection(collection)
