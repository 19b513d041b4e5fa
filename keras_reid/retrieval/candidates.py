"""Which gallery images are a query's matches and which are left out, found without reading the gallery."""

from functools import lru_cache

import numpy as np

from keras_reid.retrieval.problem import Problem
from keras_reid.retrieval.protocols import JUNK_ID

__all__ = ["Candidates"]

_CAMERAS_KEPT = 64


class Candidates:
    """Positions of the matches and of the ignored images of every query of a problem.

    A protocol's rule looks at identity and cameras only. So what it says of images of the query's identity
    and of all others is worked out once per query camera, and a query costs as much as it has matches.

    Args:
        problem: The problem.

    Example:
        >>> from keras_reid.retrieval.problem import Problem
        >>> problem = Problem.checked([7], [7, 8, 7, -1], [0], [0, 0, 1, 1], "market1501")
        >>> Candidates(problem).of(0)
        (array([2]), array([0, 3]))
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.order = np.argsort(problem.gallery_ids, kind="stable")
        ordered = problem.gallery_ids[self.order]
        self.first, self.last = (np.searchsorted(ordered, problem.query_ids, side) for side in ("left", "right"))
        self._rule = lru_cache(_CAMERAS_KEPT)(self._rule_of)

    def same_identity(self, query: int) -> np.ndarray:
        """Returns the ascending positions of the gallery images of a query's identity."""
        return self.order[self.first[query] : self.last[query]]

    def of(self, query: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns the positions of a query's matches, and those of the images that do not count for it."""
        problem = self.problem
        same = self.same_identity(query)
        same_ignored, others_ignored = self._rule(int(problem.query_cameras[query]))
        if len(others_ignored):
            others_ignored = others_ignored[problem.gallery_ids[others_ignored] != problem.query_ids[query]]
        ignored_here = same_ignored[same]
        return same[~ignored_here], np.concatenate([same[ignored_here], others_ignored])

    def _rule_of(self, camera: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns [G] bool, true where an image of the query's identity is ignored, and the positions of others."""
        problem = self.problem
        junk = problem.gallery_ids == JUNK_ID
        if problem.protocol.ignores is None:
            return junk, np.flatnonzero(junk)
        same, other = (
            junk | problem.protocol.ignores(np.full(len(junk), value), camera, problem.gallery_cameras)
            for value in (True, False)
        )
        return same, np.flatnonzero(other)
