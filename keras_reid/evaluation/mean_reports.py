"""Several runs as one line of a table: mean and standard deviation over seeds, splits or trainings."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_reid.evaluation.statistics import metric_title, metric_value, standard_deviation

if TYPE_CHECKING:
    from keras_reid.evaluation.report import Report

__all__ = ["MeanOverRuns", "ReportMean", "mean_reports"]

_RANKS = (1, 5, 10)


@dataclass(frozen=True)
class MeanOverRuns:
    """One metric over several runs.

    Attributes:
        mean: Its mean.
        standard_deviation: Its standard deviation over the runs (divided by n - 1); NaN of one run.
        count: How many runs.

    Example:
        >>> from keras_reid.evaluation.mean_reports import MeanOverRuns
        >>> print(MeanOverRuns(0.812, 0.004, 3))
        81.2 ± 0.4
    """

    mean: float
    standard_deviation: float
    count: int

    def __str__(self) -> str:
        mean, spread = (f"{100 * value:.1f}" for value in (self.mean, self.standard_deviation))
        if np.isnan(self.mean):
            return "n/a"
        return mean if self.count == 1 else f"{mean} ± {spread}"


@dataclass(frozen=True)
class ReportMean:
    """What ``mean_reports`` returns; printed, it is a table.

    Attributes:
        means: Data set -> metric -> its mean over the runs. A data set that was evaluated with
            post-processing is an entry of its own.
    """

    means: dict[str, dict[str, MeanOverRuns]]

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values that JSON can hold; NaN is None.

        Returns:
            Data set -> metric -> `mean`, `standard_deviation`, `count`.
        """
        return {
            label: {
                metric: {key: None if value != value else value for key, value in asdict(mean).items()}  # NaN
                for metric, mean in metrics.items()
            }
            for label, metrics in self.means.items()
        }

    def to_markdown(self) -> str:
        """Returns the table in Markdown, in per cent.

        Returns:
            Lines, without a final line break.
        """
        head, *rows = self._cells()
        lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def __str__(self) -> str:
        cells = self._cells()
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [
            "  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))])
            for row in cells
        ]
        return "\n".join([*lines, "in per cent; ± is the standard deviation over the runs"])

    def _cells(self) -> list[list[str]]:
        """Heading and rows as text."""
        metrics = max(self.means.values(), key=len)  # the longest curve has every column
        rows = [
            [label, str(row["mean_ap"].count), *(str(row[name]) if name in row else "–" for name in metrics)]
            for label, row in self.means.items()
        ]
        return [["data set", "runs", *map(metric_title, metrics)], *rows]


def mean_reports(reports: "Iterable[Report]") -> ReportMean:
    """Averages reports of several runs: seeds, the ten splits of RegDB, trainings on other machines.

    Reports are grouped by data set and post-processing. Every run counts once, however many queries
    it has, as in the field's tables.

    Args:
        reports: The reports, of one or more data sets.

    Returns:
        Mean, standard deviation and number of runs of every metric and data set.

    Raises:
        ValueError: There is none, or reports of one data set differ in protocol, kind of average
            precision or direction between the modalities.

    Example:
        >>> import numpy as np
        >>> from keras_reid import retrieval
        >>> from keras_reid.datasets import ReIDTable
        >>> from keras_reid.evaluation import Report, mean_reports
        >>> query = ReIDTable.from_columns(["/q.jpg"], [7])
        >>> gallery = ReIDTable.from_columns(["/a.jpg", "/b.jpg"], [8, 7])
        >>> runs = [
        ...     Report("mine", retrieval.evaluate_scores(np.array([s]), [7], [8, 7], max_rank=2), query, gallery)
        ...     for s in ([0.1, 0.9], [0.9, 0.1])
        ... ]
        >>> print(mean_reports(runs))
        data set  runs       rank-1          mAP         mINP
        mine         2  50.0 ± 70.7  75.0 ± 35.4  75.0 ± 35.4
        in per cent; ± is the standard deviation over the runs
    """
    groups: dict[str, list[Report]] = {}
    for report in reports:
        after = f" after {', '.join(report.post_process)}" if report.post_process else ""
        groups.setdefault(report.dataset + after, []).append(report)
    if not groups:
        raise ValueError("`reports` must hold at least one report. Received none.")
    return ReportMean({label: _means(label, group) for label, group in groups.items()})


def _means(label: str, group: "list[Report]") -> dict[str, MeanOverRuns]:
    kinds = list(dict.fromkeys(map(_kind, group)))
    if len(kinds) > 1:
        raise ValueError(
            f"The reports of {label!r} do not answer one question, so their mean says nothing. Received (protocol, "
            f"ap, query modality): {', '.join(map(str, kinds))}. Average them apart."
        )
    reach = min(len(report.cmc) for report in group)
    names = [*(f"rank{k}" for k in _RANKS if k <= reach), "mean_ap", "mean_inp"]
    means = {}
    for name in names:
        values = [metric_value(report.metrics, name) for report in group]
        means[name] = MeanOverRuns(float(np.mean(values)), standard_deviation(values), len(values))
    return means


def _kind(report: "Report") -> tuple[str, str, str]:
    modalities = np.unique(report.query.modality)
    named = " and ".join(("visible", "thermal")[modality] for modality in modalities)
    return report.metrics.protocol, report.metrics.ap, named
