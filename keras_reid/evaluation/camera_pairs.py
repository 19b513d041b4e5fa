"""Which camera is hard to find people from, and in which: the metrics of every pair of cameras."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_reid.checks import unknown_name
from keras_reid.datasets import ReIDTable
from keras_reid.retrieval import Protocol, evaluate_scores

__all__ = ["CameraPairs", "camera_pairs"]

_METRICS = ("mean_ap", "rank1", "valid_queries")


@dataclass(frozen=True, eq=False, repr=False)
class CameraPairs:
    """What ``camera_pairs`` returns, for R query cameras and C gallery cameras; printed, it is a table.

    Attributes:
        query_cameras: [R] cameras of the queries, -1 if unknown.
        gallery_cameras: [C] cameras of the gallery.
        mean_ap: [R, C] mean average precision of the row's queries in the column's images; NaN where
            no query has a match.
        rank1: [R, C] share of the row's queries whose first image of the column is right.
        valid_queries: [R, C] how many queries a cell is over.
    """

    query_cameras: np.ndarray
    gallery_cameras: np.ndarray
    mean_ap: np.ndarray
    rank1: np.ndarray
    valid_queries: np.ndarray

    def to_markdown(self, metric: str = "mean_ap") -> str:
        """Returns one of the tables in Markdown, a row per query camera.

        Args:
            metric: ``"mean_ap"`` or ``"rank1"`` (in per cent), or ``"valid_queries"``.

        Returns:
            Lines, without a final line break.

        Raises:
            ValueError: There is no such table.
        """
        if metric not in _METRICS:
            raise unknown_name("table of camera pairs", metric, _METRICS)
        head = ["query in gallery of", *map(_name, self.gallery_cameras)]
        show = str if metric == "valid_queries" else _percent
        rows = [
            [_name(camera), *map(show, values)]
            for camera, values in zip(self.query_cameras, getattr(self, metric), strict=True)
        ]
        lines = [head, ["---", *["--:"] * len(self.gallery_cameras)], *rows]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values that JSON can hold; NaN is None.

        Returns:
            The five attributes as lists.
        """
        shares = {
            name: [[None if np.isnan(v) else float(v) for v in row] for row in getattr(self, name)]
            for name in ("mean_ap", "rank1")
        }
        counts = {name: getattr(self, name).tolist() for name in ("query_cameras", "gallery_cameras", "valid_queries")}
        return {**counts, **shares}

    def __repr__(self) -> str:
        return f"mAP by camera, in per cent\n{self.to_markdown()}\n\nRank-1\n{self.to_markdown('rank1')}"


def camera_pairs(
    scores: Any,
    query: ReIDTable,
    gallery: ReIDTable,
    *,
    protocol: str | Protocol = "market1501",
    ap: str = "step",
) -> CameraPairs:
    """Judges the queries of every camera in the images of every camera.

    Each cell is an evaluation of its own: the queries of one camera search the gallery images of one
    camera, under the protocol. So under ``"market1501"`` the diagonal is empty. Galleries differ in
    size, and a small one is easier to search: compare cells of one column, not of one row. Scores are
    read block by block, once.

    Args:
        scores: [Q, G] array, higher is closer, or an iterator over its row blocks [b, G], such as
            ``retrieval.score_blocks(model.score, query_features, gallery_features)``.
        query: The queries, Q rows.
        gallery: The images to search, G rows.
        protocol: As in ``retrieval.evaluate_scores``.
        ap: As in ``retrieval.evaluate_scores``.

    Returns:
        The tables.

    Raises:
        ValueError: Scores and tables do not fit, or a name is unknown.

    Example:
        >>> import numpy as np
        >>> from keras_reid.datasets import ReIDTable
        >>> from keras_reid.evaluation import camera_pairs
        >>> query = ReIDTable.from_columns(["/q.jpg"], [7], [0])
        >>> gallery = ReIDTable.from_columns(["/a.jpg", "/b.jpg", "/c.jpg"], [7, 8, 7], [1, 2, 2])
        >>> print(camera_pairs(np.array([[0.5, 0.9, 0.1]]), query, gallery).to_markdown())
        | query in gallery of | camera 1 | camera 2 |
        | --- | --: | --: |
        | camera 0 | 100.0 | 50.0 |

    Reference:
        Zheng et al., "Scalable person re-identification: a benchmark", ICCV 2015, report mAP and rank-1 by pair
        of cameras; that a cell searches one camera's images alone is our reading.
    """
    columns = {int(camera): np.flatnonzero(gallery.camera_id == camera) for camera in np.unique(gallery.camera_id)}
    precision, first = np.full((2, len(query), len(columns)), np.nan)
    done = 0
    for block in scores if hasattr(scores, "__next__") else iter((np.asarray(scores),)):
        block = np.asarray(block)
        rows = query.take(np.arange(done, min(done + len(block), len(query))))
        if block.ndim != 2 or block.shape[1] != len(gallery) or len(block) != len(rows):
            raise ValueError(_shapes(query, gallery, f"a block of shape {block.shape} after {done} rows"))
        for number, images in enumerate(columns.values()):
            metrics = evaluate_scores(
                block[:, images],
                rows.person_id,
                gallery.person_id[images],
                rows.camera_id,
                gallery.camera_id[images],
                ap=ap,
                max_rank=1,
                protocol=protocol,
            )
            precision[done : done + len(block), number] = metrics.average_precision
            first[done : done + len(block), number] = metrics.first_match_rank
        done += len(block)
    if done != len(query):
        raise ValueError(_shapes(query, gallery, f"{done} rows"))
    cameras = np.unique(query.camera_id)

    def by_camera(function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        return np.stack([function(query.camera_id == camera) for camera in cameras])

    valid = ~np.isnan(first)
    counts = by_camera(lambda mine: valid[mine].sum(axis=0))
    with np.errstate(invalid="ignore"):  # 0 / 0: no query of this camera has a match in that one
        return CameraPairs(
            query_cameras=cameras,
            gallery_cameras=np.array(list(columns)),
            mean_ap=by_camera(lambda mine: np.nansum(precision[mine], axis=0)) / counts,
            rank1=by_camera(lambda mine: (first[mine] == 1).sum(axis=0)) / counts,
            valid_queries=counts,
        )


def _shapes(query: ReIDTable, gallery: ReIDTable, received: str) -> str:
    return (
        f"Scores must have shape [queries, gallery] = {(len(query), len(gallery))}, as an array or in row blocks. "
        f"Received: {received}."
    )


def _name(camera: int) -> str:
    return "unknown" if camera < 0 else f"camera {camera}"


def _percent(value: float) -> str:
    return "–" if np.isnan(value) else f"{100 * value:.1f}"
