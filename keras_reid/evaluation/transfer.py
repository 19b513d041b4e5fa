"""Direct transfer: models trained on one data set, tested on every other, in one table."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from keras_reid.datasets import ReIDDataset
from keras_reid.evaluation.evaluator import evaluate
from keras_reid.evaluation.extract import Extractor
from keras_reid.evaluation.report import Report

__all__ = ["TransferTable", "transfer_table"]


@dataclass(frozen=True, eq=False, repr=False)
class TransferTable:
    """What ``transfer_table`` returns.

    Attributes:
        reports: Name of the model -> name of the test set -> report.

    Example:
        >>> import numpy as np
        >>> from keras_reid import retrieval
        >>> from keras_reid.datasets import ReIDTable
        >>> from keras_reid.evaluation import Report, TransferTable
        >>> query = ReIDTable.from_columns(["/q.jpg"], [7], [0])
        >>> gallery = ReIDTable.from_columns(["/a.jpg", "/b.jpg"], [8, 7], [1, 1])
        >>> metrics = retrieval.evaluate_scores(np.array([[0.9, 0.8]]), [7], [8, 7], [0], [1, 1])
        >>> report = Report("mine", metrics, query, gallery)
        >>> print(TransferTable({"market1501": {"mine": report}}))
        | train on | mine: mAP | Rank-1 |
        | --- | --: | --: |
        | market1501 | 50.0 | 0.0 |
    """

    reports: Mapping[str, Mapping[str, Report]]

    def values(self, metric: str = "mean_ap") -> np.ndarray:
        """Returns a metric of all cells.

        Args:
            metric: As in ``Report.value``, e.g. ``"mean_ap"`` or ``"rank1"``.

        Returns:
            ``[models, test sets]`` shares from 0 to 1.

        Raises:
            ValueError: There is no such metric.
        """
        return np.array([[report.value(metric) for report in row.values()] for row in self.reports.values()])

    def to_markdown(self) -> str:
        """Returns the table in per cent; cells of a model named like the test set are in parentheses.

        Returns:
            Lines of Markdown.
        """
        tests = list(next(iter(self.reports.values())))
        columns = [column for test in tests for column in (f"{test}: mAP", "Rank-1")]
        lines = [["train on", *columns], ["---", *["--:"] * len(columns)]]
        for model, row in self.reports.items():
            cells = [model]
            for test, report in row.items():
                for value in (report.mean_ap, report.rank(1)):
                    said = "n/a" if np.isnan(value) else f"{100 * value:.1f}"
                    cells.append(f"({said})" if model == test else said)
            lines.append(cells)
        return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)

    def to_json(self, path: str | os.PathLike[str]) -> Path:
        """Writes the numbers of every cell and what made them (``Report.to_dict``).

        Args:
            path: The file to write; its folder is made if need be.

        Returns:
            The path.
        """
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        cells = {model: {test: report.to_dict() for test, report in row.items()} for model, row in self.reports.items()}
        target.write_text(json.dumps(cells, indent=2, allow_nan=False), encoding="utf-8")
        return target

    __repr__ = __str__ = to_markdown


def transfer_table(
    models: Mapping[str, Extractor], datasets: Mapping[str, ReIDDataset], **options: Any
) -> TransferTable:
    """Evaluates every model on every data set, as it is: nothing is adapted to the test set.

    Args:
        models: Name of what a model was trained on -> the model.
        datasets: Name -> data set to test on. Its images are extracted once per model.
        **options: Further arguments of ``keras_reid.evaluate``, the same for all cells.

    Returns:
        The table.

    Raises:
        ValueError: There is no model or no data set, or as in ``keras_reid.evaluate``.

    Example:
        >>> from keras_reid.evaluation import transfer_table
        >>> table = transfer_table({"msmt17": model}, {"market1501": market})  # doctest: +SKIP
        >>> print(table)  # doctest: +SKIP
    """
    if not models or not datasets:
        raise ValueError(
            f"A transfer table needs at least one model and one data set. Received: {len(models)} and {len(datasets)}."
        )
    return TransferTable(
        {
            name: {test: evaluate(model, dataset, **options) for test, dataset in datasets.items()}
            for name, model in models.items()
        }
    )
