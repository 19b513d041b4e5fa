"""A report as plain values that JSON can hold, and back: exactly the same numbers."""

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_reid.datasets import ReIDTable
from keras_reid.retrieval import Metrics

if TYPE_CHECKING:
    from keras_reid.evaluation.report import Report

__all__ = ["FORMAT", "report_fields", "tables_and_queries"]

FORMAT = 1
"""Raised whenever an older reader would misunderstand the file."""

_PER_QUERY = ("average_precision", "inverse_negative_penalty", "first_match_rank", "top_scores")


def tables_and_queries(report: "Report") -> dict[str, Any]:
    """Returns what ``Report.to_dict`` leaves out: both tables and the results of each query.

    Args:
        report: The report.

    Returns:
        Lists of plain values; NaN is None.

    Example:
        See ``Report.to_json``, which writes them.
    """
    tables = {"query": report.query, "gallery": report.gallery}
    return {
        "queries": _queries(report.metrics),
        "trial_queries": [_queries(trial) for trial in report.trials],
        **{name: _table_columns(table) for name, table in tables.items()},
    }


def report_fields(whole: Mapping[str, Any]) -> dict[str, Any]:
    """Makes a report's fields again from the plain values of the file.

    Args:
        whole: What ``Report.to_json`` wrote.

    Returns:
        The arguments of ``Report``.

    Example:
        See ``Report.from_json``, which calls it.
    """
    # Files of before there were trials have no such keys.
    trials = zip(whole.get("trials", ()), whole.get("trial_queries", ()), strict=True)
    return {
        "dataset": whole["dataset"],
        "metrics": _metrics(whole["metrics"], whole["queries"]),
        "query": _table(whole["query"]),
        "gallery": _table(whole["gallery"]),
        "post_process": tuple(whole["post_process"]),
        "provenance": whole["provenance"],
        "trials": tuple(_metrics(*trial) for trial in trials),
    }


def _queries(metrics: Metrics) -> dict[str, Any]:
    """What ``Metrics.to_dict`` leaves out: the results of each query."""
    return {name: _plain(getattr(metrics, name)) for name in (*_PER_QUERY, "top_indices")}


def _metrics(means: Mapping[str, Any], queries: Mapping[str, Any]) -> Metrics:
    """Makes metrics again from ``Metrics.to_dict`` and `_queries`."""
    means = dict(means)
    arrays = {name: _floats(queries[name]) for name in _PER_QUERY}
    if queries["top_indices"] is not None:
        arrays["top_indices"] = np.array(queries["top_indices"], np.int64)
    cmc, *both = (np.array(means.pop(name), np.float64) for name in ("cmc", "mean_ap", "mean_inp"))
    mean_ap, mean_inp = map(float, both)
    notes = tuple(means.pop("notes"))
    return Metrics(cmc=cmc, mean_ap=mean_ap, mean_inp=mean_inp, notes=notes, **means, **arrays)


def _plain(values: np.ndarray | None) -> Any:
    """Lists with None in place of NaN, which JSON does not know."""
    if values is None or values.dtype.kind not in "f":
        return None if values is None else values.tolist()
    plain = values.astype(object)
    plain[np.isnan(values)] = None
    return plain.tolist()


def _floats(values: Any) -> Any:
    return None if values is None else np.array(values, np.float64)


def _table_columns(table: ReIDTable) -> dict[str, Any]:
    return {field.name: _plain(getattr(table, field.name)) for field in fields(table)}


def _table(columns: Mapping[str, Any]) -> ReIDTable:
    return ReIDTable.from_columns(**{**columns, "time_s": _floats(columns["time_s"])})
