"""How well a model finds people: extract, score, post-process, judge, report."""

from typing import TYPE_CHECKING, Any

from keras_reid.evaluation.camera_pairs import CameraPairs, camera_pairs
from keras_reid.evaluation.comparison import Comparison, compare
from keras_reid.evaluation.evaluator import evaluate
from keras_reid.evaluation.extract import extract
from keras_reid.evaluation.generative import (
    Dissimilarity,
    FrechetDistance,
    dissimilarity,
    frechet_distance,
    structural_similarity,
)
from keras_reid.evaluation.mean_reports import MeanOverRuns, ReportMean, mean_reports
from keras_reid.evaluation.report import Report
from keras_reid.evaluation.selection import select_queries
from keras_reid.evaluation.statistics import Interval
from keras_reid.evaluation.transfer import TransferTable, transfer_table

if TYPE_CHECKING:
    from keras_reid.evaluation.callback import EvaluationCallback
    from keras_reid.evaluation.swap_grid_callback import SwapGridCallback

__all__ = [
    "CameraPairs",
    "Comparison",
    "Dissimilarity",
    "EvaluationCallback",
    "FrechetDistance",
    "Interval",
    "MeanOverRuns",
    "Report",
    "ReportMean",
    "SwapGridCallback",
    "TransferTable",
    "camera_pairs",
    "compare",
    "dissimilarity",
    "evaluate",
    "extract",
    "frechet_distance",
    "mean_reports",
    "select_queries",
    "structural_similarity",
    "transfer_table",
]


def __getattr__(name: str) -> Any:
    """Imports a callback on first use: its base class needs Keras, the rest of the folder does not."""
    if name == "EvaluationCallback":
        from keras_reid.evaluation.callback import EvaluationCallback

        return EvaluationCallback
    if name == "SwapGridCallback":
        from keras_reid.evaluation.swap_grid_callback import SwapGridCallback

        return SwapGridCallback
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
