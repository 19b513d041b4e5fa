"""The question that scores answer: identities and cameras of both sides, and the protocol."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_reid.retrieval.labels import integer_labels, score_rows
from keras_reid.retrieval.protocols import Protocol, get_protocol

__all__ = ["Problem"]


@dataclass(frozen=True, eq=False)
class Problem:
    """Who is who in a ranking, and under which rule it is judged; every field is checked."""

    query_ids: np.ndarray
    gallery_ids: np.ndarray
    query_cameras: np.ndarray
    gallery_cameras: np.ndarray
    protocol: Protocol

    @classmethod
    def checked(
        cls,
        query_ids: Any,
        gallery_ids: Any,
        query_cameras: Any,
        gallery_cameras: Any,
        protocol: str | Protocol,
    ) -> "Problem":
        """Checks the labels; without cameras a rule on cameras becomes ``"no_camera"``."""
        query_ids = integer_labels("query_ids", query_ids)
        gallery_ids = integer_labels("gallery_ids", gallery_ids)
        if not len(query_ids) or not len(gallery_ids):
            raise ValueError(
                "Evaluation needs at least one query and one gallery image. "
                f"Received: {len(query_ids)} and {len(gallery_ids)}."
            )
        if (query_cameras is None) != (gallery_cameras is None):
            given = "gallery_cameras" if query_cameras is None else "query_cameras"
            raise ValueError(
                f"Only `{given}` was given. Pass both `query_cameras` and `gallery_cameras`, "
                "or neither to switch the camera rule off."
            )
        rule = get_protocol(protocol)
        if query_cameras is None:
            if rule.ignores is not None:
                if rule.identity_cmc:  # the other half of the protocol would stay, under a wrong name
                    raise ValueError(
                        f"Protocol {rule.name!r} needs `query_cameras` and `gallery_cameras`. Received: None. Pass "
                        'them, or protocol="no_camera" for a CMC of images without a rule on cameras.'
                    )
                rule = get_protocol("no_camera")
            query_cameras = np.full(len(query_ids), -1)
            gallery_cameras = np.full(len(gallery_ids), -1)
        return cls(
            query_ids,
            gallery_ids,
            integer_labels("query_cameras", query_cameras, len(query_ids)),
            integer_labels("gallery_cameras", gallery_cameras, len(gallery_ids)),
            rule,
        )

    def rows(self, scores: Any) -> Iterator[np.ndarray]:
        """Yields the checked rows of an array or of an iterator of blocks."""
        num_queries, num_gallery = len(self.query_ids), len(self.gallery_ids)
        expected = (
            f"Scores must have shape [queries, gallery] = {(num_queries, num_gallery)}, as the "
            "identities say (higher is closer)."
        )
        blocks = scores if hasattr(scores, "__next__") else iter((scores,))
        done = 0
        for block in blocks:
            block = score_rows(block, num_gallery, expected)
            if done + len(block) > num_queries:
                raise ValueError(f"{expected} Received: at least {done + len(block)} rows.")
            for row in block:
                if row.dtype.kind == "f" and np.isnan(row.min()):  # NaN outlives `min`, in half the time of `isnan`
                    raise ValueError(
                        f"Scores must not be NaN. Received: {int(np.isnan(row).sum())} NaN in the "
                        f"row of query {done}. Look for NaN in the features first."
                    )
                yield row
                done += 1
        if done != num_queries:
            raise ValueError(f"{expected} Received: {done} rows.")
