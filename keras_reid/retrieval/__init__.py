"""Scores and rankings: metrics by the field's protocols, re-ranking, temporal lifting. Plain numpy."""

from keras_reid.retrieval.evaluator import evaluate_features, evaluate_scores
from keras_reid.retrieval.metrics import Metrics
from keras_reid.retrieval.protocols import Protocol, get_protocol
from keras_reid.retrieval.ranking import Ranking
from keras_reid.retrieval.reranking import Rerank, k_reciprocal_jaccard, rerank
from keras_reid.retrieval.similarity import cosine_similarity, score_blocks
from keras_reid.retrieval.temporal_lifting import TemporalLift, temporal_lift
from keras_reid.retrieval.trials import evaluate_trials, mean_metrics

__all__ = [
    "Metrics",
    "Protocol",
    "Ranking",
    "Rerank",
    "TemporalLift",
    "cosine_similarity",
    "evaluate_features",
    "evaluate_scores",
    "evaluate_trials",
    "get_protocol",
    "k_reciprocal_jaccard",
    "mean_metrics",
    "rerank",
    "score_blocks",
    "temporal_lift",
]
