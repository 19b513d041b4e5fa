"""Collects what the queries contribute, row by row, and makes the metrics of them."""

import numpy as np

from keras_reid.checks import check_positive_int, unknown_name
from keras_reid.retrieval.average_precision import AP_KINDS, judge_query
from keras_reid.retrieval.candidates import Candidates
from keras_reid.retrieval.invalid_queries import explain, reason
from keras_reid.retrieval.metrics import Metrics
from keras_reid.retrieval.problem import Problem
from keras_reid.retrieval.top_k import top_k_of_row

__all__ = ["Tally"]


class Tally:
    """The results of a problem's queries, added in their order.

    Args:
        problem: Who is who, and the protocol.
        ap: ``"step"`` or ``"trapezoid"``.
        max_rank: Length of the CMC curve.
        top_k: How many of the best images of every query to keep; 0 for none.

    Raises:
        ValueError: An argument is out of its range.

    Example:
        >>> import numpy as np
        >>> tally = Tally(Problem.checked([1], [2, 1], None, None, "no_camera"))
        >>> tally.add(np.array([0.9, 0.8]))
        >>> tally.metrics().mean_ap
        0.5
    """

    def __init__(self, problem: Problem, ap: str = "step", max_rank: int = 50, top_k: int = 0) -> None:
        if ap not in AP_KINDS:
            raise unknown_name("kind of average precision", ap, AP_KINDS)
        check_positive_int("max_rank", max_rank)
        if top_k:
            check_positive_int("top_k", top_k)
        queries, top_k = len(problem.query_ids), min(top_k, len(problem.gallery_ids))
        self.problem = problem
        self.candidates = Candidates(problem)
        self.ap = ap
        self.max_rank = max_rank
        self.done = 0
        self.results = np.full((3, queries), np.nan)
        self.reasons = np.full(queries, "", dtype="<U24")
        self.top_indices = np.full((queries, top_k), -1, dtype=np.int64)
        self.top_scores = np.full((queries, top_k), np.nan)

    def add(self, row: np.ndarray) -> None:
        """Judges the next query by its [G] scores."""
        query, self.done = self.done, self.done + 1
        matches, ignored = self.candidates.of(query)
        if len(matches):
            self.results[:, query] = judge_query(row, matches, ignored, self.ap)
            if self.problem.protocol.identity_cmc:
                self.results[2, query] = self._identity_rank(row, matches, ignored)
        else:
            known = len(self.candidates.same_identity(query)) > 0
            self.reasons[query] = reason(self.problem.query_ids[query], known)
        if self.top_indices.shape[1]:
            self._add_top(query, row, ignored)

    def _identity_rank(self, row: np.ndarray, matches: np.ndarray, ignored: np.ndarray) -> int:
        """Counts the identities that come no later than the first match, which is the last of them."""
        before = row >= row[matches].max()
        before[ignored] = False
        before[matches] = False
        return 1 + len(np.unique(self.problem.gallery_ids[before]))

    def _add_top(self, query: int, row: np.ndarray, ignored: np.ndarray) -> None:
        top_k = self.top_indices.shape[1]
        best = top_k_of_row(row, top_k + len(ignored))  # these hold the `top_k` best of those that count
        if len(ignored):
            best = best[~np.isin(best, ignored)][:top_k]
        self.top_indices[query, : len(best)] = best
        self.top_scores[query, : len(best)] = row[best]

    def metrics(self) -> Metrics:
        """Returns the metrics of all queries."""
        problem = self.problem
        precision, penalty, first = self.results
        valid = ~np.isnan(precision)
        count = int(valid.sum())
        reasons, counts = np.unique(self.reasons[~valid], return_counts=True)
        if count:
            ranks = np.arange(1, self.max_rank + 1)
            cmc = np.searchsorted(np.sort(first[valid]), ranks, side="right") / count
        else:
            cmc = np.full(self.max_rank, np.nan)
        has_top = self.top_indices.shape[1] > 0
        return Metrics(
            cmc=cmc,
            mean_ap=float(precision[valid].mean()) if count else float("nan"),
            mean_inp=float(penalty[valid].mean()) if count else float("nan"),
            valid_queries=count,
            num_queries=len(valid),
            num_gallery=len(problem.gallery_ids),
            average_precision=precision,
            inverse_negative_penalty=penalty,
            first_match_rank=first,
            invalid=dict(zip(reasons.tolist(), counts.tolist(), strict=True)),
            notes=explain(self.reasons, problem.query_cameras, problem.protocol),
            ap=self.ap,
            protocol=problem.protocol.name,
            top_indices=self.top_indices if has_top else None,
            top_scores=self.top_scores if has_top else None,
        )
