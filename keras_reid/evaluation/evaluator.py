"""From a model and a data set to a report: extract, score by blocks, post-process, judge."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from keras_reid.checks import check_positive_int
from keras_reid.datasets import ReIDDataset, ReIDTable
from keras_reid.evaluation.extract import Extractor, extract_readable
from keras_reid.evaluation.provenance import provenance_of
from keras_reid.evaluation.report import Report
from keras_reid.retrieval import Ranking, evaluate_scores, score_blocks

__all__ = ["PostProcess", "evaluate"]

PostProcess = Callable[[Ranking], Ranking]


def evaluate(
    model: Extractor,
    dataset: ReIDDataset,
    *,
    post_process: Sequence[PostProcess] = (),
    batch_size: int = 64,
    ap: str = "step",
    max_rank: int = 50,
    top_k: int = 10,
    progress: bool = True,
    on_bad_image: str = "raise",
    provenance: Mapping[str, Any] | None = None,
) -> Report:
    """Looks for every query of a data set in its gallery, and judges what comes first.

    Scores are made and judged block by block, so memory grows with Q + G. Only post-processing
    needs the whole ``[Q, G]`` array.

    Args:
        model: A ``ReIDModel``, or anything with `extract`, `score`, `image_size`, `interpolation`
            and `name`.
        dataset: Its `query` and `gallery` are used, under its `protocol`.
        post_process: Steps ``Ranking -> Ranking`` in order, e.g. ``[retrieval.Rerank()]``.
        batch_size: Images at a time.
        ap: ``"step"`` or ``"trapezoid"``, the convention of the average precision.
        max_rank: Last rank of the CMC curve.
        top_k: Results per query that the report keeps for its pictures.
        progress: Whether to show progress bars.
        on_bad_image: ``"raise"`` at the first image that cannot be read, or ``"skip"``: it is left
            out of query or gallery, and the report's provenance counts and names it.
        provenance: Further entries for the report, e.g. ``{"seed": 0, "weights": "imagenet"}``;
            ``"date"`` replaces today's.

    Returns:
        The report. Queries without a match are left out of the means, counted and named.

    Raises:
        ValueError: The data set has no query or no gallery, or an image cannot be read.
        TypeError: ``dataset`` is no data set, a post-processing step is no callable, or it returns no ``Ranking``.

    Example:
        >>> import keras_reid
        >>> model = keras_reid.zoo.load("baseline_tiny")  # doctest: +SKIP
        >>> report = keras_reid.evaluate(model, dataset)  # doctest: +SKIP
        >>> report.rank(1), report.mean_ap  # doctest: +SKIP
        (0.93, 0.81)

    Reference:
        Zheng et al., "Scalable person re-identification: a benchmark", ICCV 2015.
    """
    if not isinstance(dataset, ReIDDataset):
        raise TypeError(
            f"`dataset` must be a ReIDDataset, e.g. from keras_reid.datasets.load. Received: {type(dataset).__name__}."
        )
    check_positive_int("top_k", top_k)
    _check_steps(post_process)
    for split in ("query", "gallery"):
        if not len(getattr(dataset, split)):
            raise ValueError(
                f"The data set {dataset.name!r} has no {split} images, so it cannot be evaluated; it "
                "is for training only."
            )
    tables, features, skipped = [], [], []
    for table in (dataset.query, dataset.gallery):
        found, readable = extract_readable(model, table, batch_size, progress, on_bad_image)
        features.append(found)
        tables.append(table.where(readable))
        skipped += table.path[~readable].tolist()
    blocks = score_blocks(model.score, *features)
    if progress:
        blocks = _with_progress(blocks, len(tables[0]))
    judge: dict[str, Any] = {
        "ap": ap,
        "max_rank": max_rank,
        "protocol": dataset.protocol,
        "top_k": top_k,
    }
    if post_process:
        metrics = _post_processed(_ranking(model, tables, features, blocks), post_process).metrics(**judge)
    else:
        people, cameras = ([getattr(t, column) for t in tables] for column in ("person_id", "camera_id"))
        metrics = evaluate_scores(blocks, *people, *cameras, **judge)
    made = provenance_of(model) | ({"skipped_images": skipped} if skipped else {}) | dict(provenance or {})
    return Report(
        dataset=dataset.name,
        metrics=metrics,
        query=tables[0],
        gallery=tables[1],
        post_process=tuple(_step_name(step) for step in post_process),
        provenance=made,
    )


def _ranking(
    model: Extractor, tables: Sequence[ReIDTable], features: Sequence[np.ndarray], blocks: Iterator[np.ndarray]
) -> Ranking:
    """Puts the blocks together, with all that a post-processing step may ask for."""
    query, gallery = tables
    return Ranking(
        scores=np.concatenate(list(blocks)),
        query_ids=query.person_id,
        gallery_ids=gallery.person_id,
        query_cameras=query.camera_id,
        gallery_cameras=gallery.camera_id,
        query_times=query.time_s,
        gallery_times=gallery.time_s,
        query_features=features[0],
        gallery_features=features[1],
        score=model.score,
    )


def _post_processed(ranking: Ranking, steps: Sequence[PostProcess]) -> Ranking:
    for step in steps:
        ranking = step(ranking)
        if not isinstance(ranking, Ranking):
            raise TypeError(
                f"The post-processing step {_step_name(step)} must return a Ranking. "
                f"Received: {type(ranking).__name__}."
            )
    return ranking


def _check_steps(steps: Sequence[PostProcess]) -> None:
    wrong = steps if callable(steps) else [step for step in steps if not callable(step) or isinstance(step, type)]
    if wrong:
        raise TypeError(
            "`post_process` must be a sequence of callables Ranking -> Ranking, e.g. "
            f"[retrieval.Rerank()]. Received: {wrong!r}."
        )


def _step_name(step: PostProcess) -> str:
    """A function by its name, a configured step by its arguments."""
    return str(getattr(step, "__name__", repr(step)))


def _with_progress(blocks: Iterator[np.ndarray], total: int) -> Iterator[np.ndarray]:
    """Passes blocks on and shows how many queries are scored."""
    import keras

    bar = keras.utils.Progbar(total, unit_name="query")
    for block in blocks:
        yield block
        bar.add(len(block))
