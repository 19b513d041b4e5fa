"""How well a model finds people: extract, score, post-process, judge, report."""

from typing import TYPE_CHECKING, Any

from keras_reid.evaluation.camera_pairs import CameraPairs, camera_pairs
from keras_reid.evaluation.comparison import Comparison, compare
from keras_reid.evaluation.evaluator import evaluate
from keras_reid.evaluation.extract import extract
from keras_reid.evaluation.mean_reports import MeanOverRuns, ReportMean, mean_reports
from keras_reid.evaluation.report import Report
from keras_reid.evaluation.selection import select_queries
from keras_reid.evaluation.statistics import Interval
from keras_reid.evaluation.transfer import TransferTable, transfer_table

if TYPE_CHECKING:
    from keras_reid.evaluation.callback import EvaluationCallback

__all__ = [
    "CameraPairs",
    "Comparison",
    "EvaluationCallback",
    "Interval",
    "MeanOverRuns",
    "Report",
    "ReportMean",
    "TransferTable",
    "camera_pairs",
    "compare",
    "evaluate",
    "extract",
    "mean_reports",
    "select_queries",
    "transfer_table",
]


def __getattr__(name: str) -> Any:
    """Imports the callback on first use: its base class needs Keras, the rest of the folder does not."""
    if name == "EvaluationCallback":
        from keras_reid.evaluation.callback import EvaluationCallback

        return EvaluationCallback
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
