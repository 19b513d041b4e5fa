"""From a shortlist to matches: exact scores of a pairwise method, re-ranking, temporal lifting."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from keras_reid.gallery.features import FeatureFile
from keras_reid.retrieval import Ranking, cosine_similarity
from keras_reid.retrieval.top_k import top_k_of_row

__all__ = ["Candidates", "Match", "post_processed", "rescored"]

# For a query: what the engine found, best first, each with its columns, `key` and `cosine`.
Candidates = list[dict[str, Any]]


@dataclass(frozen=True)
class Match:
    """An entry that was found.

    Attributes:
        key: The entry's key.
        score: How alike it is to the query, higher is closer: what the last stage said.
        cosine: Cosine of the embeddings: what the first stage said.
        camera: Camera, or ``None`` where unknown.
        time: Capture time in seconds, or ``None``.
        tracklet: Tracklet number, or ``None``.
        person: Identity, or ``None``.
        path: Image file, or ``None``.
        images: How many images the entry was made of.
        fields: Your own fields.

    Example:
        See `keras_reid.Gallery`.
    """

    key: str
    score: float
    cosine: float
    camera: int | None = None
    time: float | None = None
    tracklet: int | None = None
    person: int | None = None
    path: str | None = None
    images: int = 1
    fields: dict[str, Any] = field(default_factory=dict)


def rescored(
    score: Callable[[Any, Any], Any], features: np.ndarray, found: list[Candidates], file: FeatureFile
) -> tuple[list[Candidates], list[np.ndarray]]:
    """Compares every query exactly with its candidates.

    Args:
        score: The pairwise model's comparison.
        features: ``[Q, ...]`` of the queries.
        found: Candidates of each query.
        file: The entries' features.

    Returns:
        The candidates whose features are there (those of an entry whose deletion was cut short are not), and their
        scores, for each query.
    """
    kept, scores = [], []
    for query, candidates in zip(features, found, strict=True):
        there, stored = file.read([row["feature_row"] for row in candidates], [row["key"] for row in candidates])
        kept.append([row for row, whole in zip(candidates, there, strict=True) if whole])
        scores.append(np.asarray(score(query[None], stored.astype(np.float32)))[0] if len(stored) else np.zeros(0))
    return kept, scores


def post_processed(
    post_process: Sequence[Callable[[Ranking], Ranking]],
    found: list[Candidates],
    queries: dict[str, Any],
    score: Callable[[Any, Any], Any] | None,
    file: FeatureFile | None,
) -> tuple[list[Candidates], list[np.ndarray]]:
    """Applies what knows all queries and all candidates at once, such as ``Rerank()`` and ``TemporalLift()``.

    The ranking holds every query against the union of all shortlists; a query's matches stay within its own.

    Args:
        post_process: Callables ``Ranking -> Ranking``.
        found: Candidates of each query.
        queries: ``features``, ``embeddings``, ``cameras`` and ``times`` of the queries.
        score: The pairwise model's comparison, or ``None`` for cosines.
        file: The entries' features, for a pairwise model.

    Returns:
        The candidates (without those whose features another program has just erased) and their new scores, for each
        query.
    """
    rows = list({row["key"]: row for candidates in found for row in candidates}.values())
    compare: Callable[[Any, Any], Any]
    if score is None or file is None:
        compare, query = cosine_similarity, queries["embeddings"]
        gallery = np.asarray([row["embedding"] for row in rows], np.float32)
    else:
        compare, query = score, queries["features"]
        there, stored = file.read([row["feature_row"] for row in rows], [row["key"] for row in rows])
        rows = [row for row, whole in zip(rows, there, strict=True) if whole]
        gallery = stored.astype(np.float32)
    place = {row["key"]: number for number, row in enumerate(rows)}
    found = [[row for row in candidates if row["key"] in place] for candidates in found]
    if not rows:
        return found, [np.zeros(0) for _ in found]
    ranking = Ranking(
        np.asarray(compare(query, gallery)),
        np.zeros(len(query), int),  # who they are is not known; scores do not need it
        np.zeros(len(rows), int),
        query_cameras=queries["cameras"],
        gallery_cameras=[-1 if row["camera"] is None else row["camera"] for row in rows],
        query_times=queries["times"],
        gallery_times=[np.nan if row["time"] is None else row["time"] for row in rows],
        query_features=query,
        gallery_features=gallery,
        score=compare,
    )
    for step in post_process:
        ranking = step(ranking)
    return found, [
        ranking.scores[number, [place[row["key"]] for row in candidates]] for number, candidates in enumerate(found)
    ]


def best(found: list[Candidates], scores: list[np.ndarray], k: int, own: Sequence[str]) -> list[list[Match]]:
    """Makes matches of the best candidates.

    Args:
        found: Candidates of each query.
        scores: Their scores.
        k: How many.
        own: The user's own fields.

    Returns:
        For each query at most ``k``, best first.
    """
    return [
        [_match(candidates[place], float(values[place]), own) for place in top_k_of_row(np.asarray(values), k)]
        for candidates, values in zip(found, scores, strict=True)
    ]


def _match(row: dict[str, Any], score: float, own: Sequence[str]) -> Match:
    known = {name: row[name] for name in ("camera", "time", "tracklet", "person", "path", "images")}
    return Match(row["key"], score, row["cosine"], **known, fields={name: row[f"own_{name}"] for name in own})
