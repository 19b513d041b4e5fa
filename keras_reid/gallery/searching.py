"""Searching: a shortlist by the engine, and for a pairwise method exact scores of it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from keras_reid.checks import check_positive_int
from keras_reid.gallery.columns import BUILT_IN, Column
from keras_reid.gallery.enrolment import column_values, unit
from keras_reid.gallery.filters import Condition, field
from keras_reid.gallery.matching import Candidates, Match, best, post_processed, rescored
from keras_reid.gallery.recall import ShortlistRecall, recall_of
from keras_reid.gallery.sources import Features, Images
from keras_reid.gallery.store import Store
from keras_reid.retrieval import Ranking

__all__ = ["Queries", "Searcher"]

_MOST = 16384  # of one search, by Milvus
_TOGETHER = 256  # queries in one request


class Queries:
    """What is looked for.

    Args:
        source: Images or features.
        embed: Features ``[N, ...]`` -> embeddings ``[N, D]``.
        cameras: Their cameras, where the source does not know them.
        times: Their capture times.
        sample: Take so many of them only, drawn from seed 0.
    """

    def __init__(
        self,
        source: Images | Features,
        embed: Callable[[np.ndarray], np.ndarray],
        cameras: Any = None,
        times: Any = None,
        sample: int | None = None,
    ):
        rows = np.arange(len(source))
        if sample is not None:
            rows = np.sort(np.random.default_rng(0).permutation(rows)[: check_positive_int("sample", sample)])
        self.features = source.extract(rows)
        self.embeddings = unit(embed(self.features))
        self.cameras, self.times = (
            column_values(BUILT_IN[name], source.known.get(name) if given is None else given, len(source))
            for name, given in (("camera", cameras), ("time", times))
        )


class Searcher:
    """A gallery, as far as it is searched.

    Args:
        store: Its collection.
        columns: Its columns.
        score: The pairwise model's comparison, else ``None``.
    """

    def __init__(
        self,
        store: Store,
        columns: Mapping[str, Column],
        score: Callable[[Any, Any], Any] | None,
    ):
        self.store, self.columns, self.score = store, columns, score

    def search(
        self,
        queries: Queries,
        top_k: int,
        where: Condition | None,
        other_cameras: bool,
        shortlist: int,
        post_process: tuple[Callable[[Ranking], Ranking], ...],
    ) -> list[list[Match]]:
        """Finds matches; see `Gallery.search`.

        Args:
            queries: What is looked for.
            top_k: As in `Gallery.search`.
            where: As in `Gallery.search`.
            other_cameras: As in `Gallery.search`.
            shortlist: As in `Gallery.search`.
            post_process: As in `Gallery.search`.

        Returns:
            For every query its matches.
        """
        check_positive_int("top_k", top_k)
        check_positive_int("shortlist", shortlist)
        staged = self.store.features is not None or bool(post_process)
        length = max(top_k, shortlist) if staged else top_k
        cameras = queries.cameras if other_cameras else None
        with_embeddings = bool(post_process) and self.store.features is None
        with self.store.lock:
            found = self._shortlists(queries.embeddings, length, where, cameras, with_embeddings)
            scores = [np.array([row["cosine"] for row in candidates]) for candidates in found]
            if self.store.features is not None and self.score is not None:
                found, scores = rescored(self.score, queries.features, found, self.store.features)
            if post_process:
                facts = {
                    "features": queries.features,
                    "embeddings": queries.embeddings,
                    "cameras": [-1 if camera is None else camera for camera in queries.cameras],
                    "times": [np.nan if time is None else time for time in queries.times],
                }
                found, scores = post_processed(post_process, found, facts, self.score, self.store.features)
        own = [name for name in self.columns if name not in BUILT_IN]
        return best(found, scores, top_k, own)

    def recall(self, queries: Queries, shortlist: int, top: int) -> ShortlistRecall:
        """Measures a shortlist; see `Gallery.shortlist_recall`.

        Args:
            queries: What is looked for.
            shortlist: Its length.
            top: How many of the exact best are looked for.

        Returns:
            The recall.
        """
        check_positive_int("shortlist", shortlist)
        check_positive_int("top", top)
        with self.store.lock:
            found = self._shortlists(queries.embeddings, shortlist, None, None, False)
            return recall_of(self._exact(queries), found, shortlist, top)

    def _exact(self, queries: Queries) -> Iterator[tuple[list[str], np.ndarray]]:
        """Keys and exact scores of every entry, in pieces."""
        for page in self.store.pages("", ["feature_row"] if self.store.features is not None else ["embedding"]):
            keys = [row["key"] for row in page]
            if self.store.features is None or self.score is None:
                yield keys, queries.embeddings @ np.asarray([row["embedding"] for row in page], np.float32).T
                continue
            there, stored = self.store.features.read([row["feature_row"] for row in page], keys)
            if len(stored):
                whole = [key for key, kept in zip(keys, there, strict=True) if kept]
                yield whole, np.asarray(self.score(queries.features, stored.astype(np.float32)))

    def _shortlists(
        self,
        embeddings: np.ndarray,
        length: int,
        where: Condition | None,
        cameras: list[int | None] | None,
        with_embeddings: bool,
    ) -> list[Candidates]:
        if length > _MOST:
            raise ValueError(f"`top_k` and `shortlist` may be {_MOST} at most. Received: {length}.")
        names = [column.stored for column in self.columns.values() if column.name != "key"]
        names += ["feature_row"] + ["embedding"] * with_embeddings
        found: list[Candidates] = [[] for _ in embeddings]
        for expression, rows in self._conditions(where, cameras, len(embeddings)).items():
            for start in range(0, len(rows), _TOGETHER):
                part = rows[start : start + _TOGETHER]
                for row, candidates in zip(
                    part, self.store.search(embeddings[part], length, expression, names), strict=True
                ):
                    found[row] = candidates
        return found

    def _conditions(
        self, where: Condition | None, cameras: list[int | None] | None, count: int
    ) -> dict[str, list[int]]:
        """Expression -> the queries that it holds for: those of one camera are searched together."""
        if cameras is None:
            return {"" if where is None else where.expression(self.columns): list(range(count))}
        found: dict[str, list[int]] = {}
        for row, camera in enumerate(cameras):
            if camera is None:
                raise ValueError(
                    f"`other_cameras` needs the camera of every query. Received: none for query {row}. Give `cameras=`."
                )
            elsewhere = field("camera") != camera
            joined = elsewhere if where is None else elsewhere & where
            found.setdefault(joined.expression(self.columns), []).append(row)
        return found
