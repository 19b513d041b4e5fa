"""From a model and a data set to a report: extract, score by blocks, post-process, judge."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from keras_reid.checks import check_positive_int
from keras_reid.datasets import ReIDDataset, ReIDTable
from keras_reid.evaluation.extract import Extractor, extract_readable
from keras_reid.evaluation.multi_query import QueryGroups
from keras_reid.evaluation.provenance import provenance_of
from keras_reid.evaluation.report import Report
from keras_reid.evaluation.shortlist import shortlist_recall, shortlist_scorer
from keras_reid.retrieval import Metrics, Ranking, evaluate_scores, evaluate_trials, mean_metrics, score_blocks
from keras_reid.retrieval.trials import with_rows_of

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
    multi_query: bool = False,
    shortlist: int | None = None,
) -> Report:
    """Looks for every query of a data set in its gallery, and judges what comes first.

    Scores are made and judged block by block, so memory grows with Q + G. Only post-processing
    needs the whole ``[Q, G]`` array.

    Where the data set names the galleries of several `trials`, features are extracted and compared once,
    every trial is judged on its own gallery (post-processed on it too), and the report's metrics are the
    mean; the results it keeps for its pictures are those of the first trial.

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
        multi_query: Whether all queries of a person from one camera are one query: the mean of their
            embeddings (the average pooling of the Market-1501 paper) or, where features are maps, of their
            scores (our choice). The report's queries are then the first images of each.
        shortlist: Compare exactly only the so many likeliest images of the whole gallery with a query. For
            models whose `score` takes it, such as ``QAConv``; the report's provenance says how many of the best
            images by exact scores the shortlist holds, measured on 32 queries.

    Returns:
        The report. Queries without a match are left out of the means, counted and named.

    Raises:
        ValueError: The data set has no query or no gallery, an image cannot be read, the model takes no
            `shortlist`, or a camera is unknown that `multi_query` needs.
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
    check_positive_int("top_k", top_k)
    _check_dataset(dataset)
    _check_steps(post_process)
    score = model.score if shortlist is None else shortlist_scorer(model, shortlist)
    query, query_readable = extract_readable(model, dataset.query, batch_size, progress, on_bad_image)
    gallery, gallery_readable = extract_readable(model, dataset.gallery, batch_size, progress, on_bad_image)
    tables = [dataset.query.where(query_readable), dataset.gallery.where(gallery_readable)]
    made = provenance_of(model)
    skipped = [*dataset.query.path[~query_readable], *dataset.gallery.path[~gallery_readable]]
    if skipped:
        made["skipped_images"] = skipped
    if shortlist is not None:
        made |= shortlist_recall(model, shortlist, query, gallery)
    vectors: np.ndarray | None = query  # what post-processing may compare queries by
    if multi_query:
        groups = QueryGroups(tables[0])
        made["multi_query"] = f"{len(tables[0])} images asked for as {len(groups.table)} queries"
        tables[0] = groups.table
        vectors, blocks = groups.compared(score, query, gallery)
    else:
        blocks = score_blocks(score, query, gallery)
    if progress:
        blocks = _with_progress(blocks, len(tables[0]))
    trials = _readable_trials(dataset, gallery_readable)
    judge: dict[str, Any] = {"ap": ap, "max_rank": max_rank, "protocol": dataset.protocol, "top_k": top_k}
    if post_process:
        whole = _ranking(score, tables, (vectors, gallery), blocks)
        judged = tuple(_post_processed_metrics(whole, rows, post_process, judge) for rows in trials or (None,))
    else:
        judged = _judged(blocks, tables, trials, judge)
    return Report(
        dataset=dataset.name,
        metrics=_mean(judged) if trials else judged[0],
        query=tables[0],
        gallery=tables[1],
        post_process=tuple(_step_name(step) for step in post_process),
        provenance=made | dict(provenance or {}),
        trials=judged if trials else (),
    )


def _judged(
    blocks: Iterator[np.ndarray], tables: Sequence[ReIDTable], trials: Sequence[np.ndarray], judge: Mapping[str, Any]
) -> tuple[Metrics, ...]:
    """Judges the blocks as they come, in the whole gallery or in those of all trials."""
    labels = [getattr(table, column) for column in ("person_id", "camera_id") for table in tables]
    if trials:
        return evaluate_trials(blocks, trials, *labels, **judge)
    return (evaluate_scores(blocks, *labels, **judge),)


def _mean(trials: Sequence[Metrics]) -> Metrics:
    """The mean of all trials, with the results of the first one for pictures."""
    first = trials[0]
    return replace(mean_metrics(trials), top_indices=first.top_indices, top_scores=first.top_scores)


def _readable_trials(dataset: ReIDDataset, readable: np.ndarray) -> tuple[np.ndarray, ...]:
    """The trials' rows in the gallery without its unreadable images."""
    places = np.cumsum(readable) - 1
    trials = tuple(places[rows[readable[rows]]] for rows in map(np.asarray, dataset.trials))
    for number, rows in enumerate(trials):
        if not len(rows):
            raise ValueError(f"None of the images of trial {number} of {dataset.name!r} can be read.")
    return trials


def _ranking(
    score: Callable[[Any, Any], Any],
    tables: Sequence[ReIDTable],
    features: Sequence[np.ndarray | None],
    blocks: Iterator[np.ndarray],
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
        score=score,
    )


def _post_processed_metrics(
    whole: Ranking, rows: np.ndarray | None, steps: Sequence[PostProcess], judge: Mapping[str, Any]
) -> Metrics:
    """Post-processes and judges the whole gallery, or the rows of a trial alone."""
    if rows is None:
        return _post_processed(whole, steps).metrics(**judge)
    columns = ("gallery_ids", "gallery_cameras", "gallery_times", "gallery_features")
    part = {name: getattr(whole, name)[rows] for name in columns}
    ranking = replace(whole, scores=whole.scores[:, rows], **part)
    return with_rows_of(_post_processed(ranking, steps).metrics(**judge), rows)


def _post_processed(ranking: Ranking, steps: Sequence[PostProcess]) -> Ranking:
    for step in steps:
        ranking = step(ranking)
        if not isinstance(ranking, Ranking):
            raise TypeError(
                f"The post-processing step {_step_name(step)} must return a Ranking. "
                f"Received: {type(ranking).__name__}."
            )
    return ranking


def _check_dataset(dataset: ReIDDataset) -> None:
    if not isinstance(dataset, ReIDDataset):
        raise TypeError(
            f"`dataset` must be a ReIDDataset, e.g. from keras_reid.datasets.load. Received: {type(dataset).__name__}."
        )
    for split in ("query", "gallery"):
        if not len(getattr(dataset, split)):
            raise ValueError(
                f"The data set {dataset.name!r} has no {split} images, so it cannot be evaluated; it "
                "is for training only."
            )


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
