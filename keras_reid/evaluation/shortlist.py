"""Exact comparison of the likeliest gallery images only, and what that loses."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from keras_reid.checks import check_positive_int
from keras_reid.retrieval.top_k import top_k_of_row

__all__ = ["shortlist_recall", "shortlist_scorer"]

_SAMPLED_QUERIES = 32
_BEST = 10


def shortlist_scorer(model: Any, shortlist: int) -> Callable[[Any, Any], Any]:
    """Returns the model's `score`, told to compare only ``shortlist`` gallery images per query.

    Args:
        model: A model whose `score` takes `shortlist`.
        shortlist: How many.

    Returns:
        A callable of query and gallery features.

    Raises:
        ValueError: `shortlist` is no positive integer, or the model's `score` does not take one.

    Example:
        See ``keras_reid.evaluate``, which calls it.
    """
    check_positive_int("shortlist", shortlist)
    if "shortlist" not in inspect.signature(model.score).parameters:
        raise ValueError(
            f"`shortlist` is for models that compare pairs and whose `score` takes it, such as QAConv. Received: a "
            f"{type(model).__name__}, whose `score` compares everything. Leave `shortlist` out."
        )
    return partial(model.score, shortlist=shortlist)


def shortlist_recall(model: Any, shortlist: int, query: np.ndarray, gallery: np.ndarray) -> dict[str, Any]:
    """Measures, on a sample of the queries, how many of the best images by exact scores a shortlist keeps.

    An image of the exact best ``k`` that is on the shortlist is among the best ``k`` of the shortlisted scores
    too, and one that is not stands behind the whole shortlist. So the share of the one among the other is the
    recall, and nothing has to be known of how the model chooses.

    Args:
        model: A model whose `score` takes `shortlist`.
        shortlist: How many gallery images are compared.
        query: ``[Q, ...]`` features.
        gallery: ``[G, ...]`` features.

    Returns:
        Entries for the report's provenance: the length, the recall of the best image and of the best ten, and
        how many queries it was measured on (32 drawn from seed 0, or all if there are fewer).

    Example:
        See ``keras_reid.evaluate``, which calls it.
    """
    rows = np.random.default_rng(0).permutation(len(query))[:_SAMPLED_QUERIES]
    exact = np.asarray(model.score(query[rows], gallery))
    kept = np.asarray(model.score(query[rows], gallery, shortlist=shortlist))
    measured: dict[str, Any] = {"shortlist": shortlist}
    for best in (1, min(_BEST, shortlist, len(gallery))):
        shares = [
            np.isin(top_k_of_row(one, best), top_k_of_row(other, best)).mean()
            for one, other in zip(exact, kept, strict=True)
        ]
        measured[f"shortlist_recall_top{best}"] = round(float(np.mean(shares)), 4)
    return {**measured, "shortlist_recall_queries": len(rows)}
