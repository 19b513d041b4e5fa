"""The outcome of an evaluation: numbers, who was skipped, what was found, and what made it."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_reid.datasets import ReIDTable
from keras_reid.evaluation.report_json import FORMAT, report_fields, tables_and_queries
from keras_reid.evaluation.report_panel import panel_rows
from keras_reid.evaluation.report_text import report_text
from keras_reid.evaluation.statistics import (
    Interval,
    drawn_means,
    interval_of,
    metric_value,
    standard_deviation,
    values_per_query,
)
from keras_reid.retrieval import Metrics

if TYPE_CHECKING:
    from keras_reid.visualize.panel import PanelRow

__all__ = ["Report"]

_LEFT_OUT = {
    "market1501": "gallery images of the query's own person from its own camera",
    "no_camera": "nothing",
}


@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """What ``keras_reid.evaluate`` returns.

    Attributes:
        dataset: Name of the data set.
        metrics: The metrics, over all queries and for each.
        query: The queries, Q rows.
        gallery: The images that were searched, G rows.
        post_process: Names of the post-processing steps, in order.
        provenance: What made these numbers: model, versions, date, seed.
        trials: The metrics of each trial, where the protocol draws several galleries; `metrics` is
            then their mean. Empty: there is one gallery.

    Raises:
        ValueError: Metrics and tables do not belong together.

    Example:
        >>> import numpy as np
        >>> from keras_reid import retrieval
        >>> from keras_reid.datasets import ReIDTable
        >>> from keras_reid.evaluation import Report
        >>> query = ReIDTable.from_columns(["/q.jpg"], [7], [0])
        >>> gallery = ReIDTable.from_columns(["/a.jpg", "/b.jpg"], [8, 7], [1, 1])
        >>> metrics = retrieval.evaluate_scores(
        ...     np.array([[0.9, 0.8]]), [7], [8, 7], [0], [1, 1], max_rank=2, top_k=2)
        >>> report = Report("mine", metrics, query, gallery)
        >>> report.rank(1), report.rank(2), report.mean_ap
        (0.0, 1.0, 0.5)
    """

    dataset: str
    metrics: Metrics
    query: ReIDTable
    gallery: ReIDTable
    post_process: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    trials: tuple[Metrics, ...] = ()

    def __post_init__(self) -> None:
        hold = (len(self.query), len(self.gallery))
        for metrics in (self.metrics, *self.trials):
            said = (metrics.num_queries, metrics.num_gallery)
            # A trial searches a part of the gallery.
            if said != hold and not (self.trials and said[0] == hold[0] and said[1] <= hold[1]):
                raise ValueError(
                    f"The metrics are of {said[0]} queries and {said[1]} gallery images, the tables "
                    f"hold {hold[0]} and {hold[1]}."
                )

    @property
    def cmc(self) -> np.ndarray:
        """``[max_rank]``: share of queries with a match among the first 1, 2, ... images."""
        return self.metrics.cmc

    @property
    def mean_ap(self) -> float:
        """Mean average precision."""
        return self.metrics.mean_ap

    @property
    def mean_inp(self) -> float:
        """Mean inverse negative penalty."""
        return self.metrics.mean_inp

    @property
    def skipped_queries(self) -> int:
        """Number of queries that have no match and count neither way."""
        return self.metrics.num_queries - self.metrics.valid_queries

    @property
    def left_out(self) -> str:
        """What the protocol takes out of a query's ranking, in words."""
        name = self.metrics.protocol
        return f"{_LEFT_OUT.get(name, 'what its rule names')} (protocol {name})"

    def rank(self, k: int) -> float:
        """Returns the share of queries with a match among the first `k` images.

        Args:
            k: 1 to the `max_rank` of the evaluation.

        Returns:
            A share from 0 to 1; NaN if no query has a match.

        Raises:
            ValueError: The curve does not reach that far.
        """
        return self.metrics.rank(k)

    def value(self, metric: str) -> float:
        """Returns a metric by its name.

        Args:
            metric: ``"mean_ap"``, ``"mean_inp"``, or ``"rank1"``, ``"rank5"``, ...

        Returns:
            A share from 0 to 1; NaN if no query has a match.

        Raises:
            ValueError: There is no such metric, or the curve does not reach that far.
        """
        return metric_value(self.metrics, metric)

    def spread(self, metric: str) -> float:
        """Returns the standard deviation of a metric over the trials (divided by n - 1).

        It says what the choice of the gallery does, not what other people or another training would.

        Args:
            metric: As in `value`.

        Returns:
            The standard deviation; NaN of fewer than two trials.

        Raises:
            ValueError: As in `value`.
        """
        return standard_deviation([metric_value(trial, metric) for trial in self.trials])

    def values_per_query(self, metric: str) -> np.ndarray:
        """Returns what each query contributes to a metric, in each trial.

        Args:
            metric: As in `value`.

        Returns:
            [Q, trials], [Q, 1] without trials; NaN where the query is left out.

        Raises:
            ValueError: There is no such metric.
        """
        return np.stack([values_per_query(each, metric) for each in self.trials or (self.metrics,)], axis=1)

    def confidence(self, metric: str = "mean_ap", level: float = 0.95, samples: int = 1000, seed: int = 0) -> Interval:
        """Returns a metric with its bootstrap interval, drawn over identities.

        Queries of one person succeed and fail together, so persons are drawn, not queries. The
        interval is about other people before these cameras with this gallery; it says nothing of
        another training run: see ``mean_reports``.

        Args:
            metric: As in `value`.
            level: Share of the draws inside the interval.
            samples: How often to draw.
            seed: Seed of the draws.

        Returns:
            The value and both ends of the interval.

        Raises:
            ValueError: An argument is out of range, or fewer than two identities have a counted query.
        """
        value = self.value(metric)
        means, identities = drawn_means(self.values_per_query(metric), self.query.person_id, samples, seed)
        low, high = interval_of(means, level)
        return Interval(metric, low, value, high, level, identities)

    def skipped_sentences(self) -> list[str]:
        """Returns how many queries were skipped, why, and who they show; empty if all counted."""
        if not self.skipped_queries:
            return []
        persons = np.unique(self.query.person_id[np.isnan(self.metrics.average_precision)])
        named = ", ".join(map(str, persons[:20])) + (", ..." if len(persons) > 20 else "")
        noun = "person" if len(persons) == 1 else "persons"
        return [*self.metrics.notes, f"Skipped queries show {len(persons)} {noun}: {named}."]

    def panel_rows(
        self,
        queries: str | Sequence[int] = "random",
        *,
        count: int = 10,
        top_k: int = 10,
        seed: int = 0,
    ) -> "list[PanelRow]":
        """Returns queries with their best results, as ``visualize.ranked_panel`` draws them.

        Args:
            queries: ``"random"``, ``"hardest"``, ``"easiest"``, or row numbers of `query`.
            count: How many queries, if chosen by name.
            top_k: How many results per query; no more than the evaluation kept.
            seed: Seed of the random choice.

        Returns:
            One row per query.

        Raises:
            ValueError: No such choice, or the evaluation kept no results.
        """
        return panel_rows(self, queries, count, top_k, seed)

    def to_dict(self) -> dict[str, Any]:
        """Returns the numbers and what made them, without the single queries: a small record.

        Returns:
            Plain values that JSON can hold; NaN is None.
        """
        return {
            "format": FORMAT,
            "dataset": self.dataset,
            "post_process": list(self.post_process),
            "metrics": self.metrics.to_dict(),
            "trials": [trial.to_dict() for trial in self.trials],
            "provenance": dict(self.provenance),
        }

    def to_json(self, path: str | os.PathLike[str]) -> Path:
        """Writes everything, rankings and image paths included; `from_json` reads it.

        Args:
            path: The file to write; its folder is made if need be.

        Returns:
            The path.
        """
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        whole = {**self.to_dict(), **tables_and_queries(self)}
        target.write_text(json.dumps(whole, allow_nan=False), encoding="utf-8")
        return target

    @classmethod
    def from_json(cls, path: str | os.PathLike[str]) -> "Report":
        """Reads a report that `to_json` wrote.

        Args:
            path: The file.

        Returns:
            The report.

        Raises:
            ValueError: The file is no report, or one of another version.
        """
        whole = json.loads(Path(path).read_text(encoding="utf-8"))
        found = whole.get("format") if isinstance(whole, dict) else None
        if found != FORMAT or "queries" not in whole:
            raise ValueError(
                f"{os.fspath(path)!r} must be a file of `Report.to_json`, format {FORMAT}. Received: format {found}."
            )
        return cls(**report_fields(whole))

    def to_html(self, path: str | os.PathLike[str], title: str | None = None, model: Any = None) -> Path:
        """Writes the report as one page; ``visualize.write_html`` puts several on one.

        Args:
            path: The file to write.
            title: The heading; the data set's name by default.
            model: The model, to draw what matched if it can say so, as in ``visualize.write_html``.

        Returns:
            The path.
        """
        from keras_reid.visualize import write_html

        return write_html(path, title or f"Retrieval on {self.dataset}", {self.dataset: self}, model=model)

    def __str__(self) -> str:
        return report_text(self)

    __repr__ = __str__
