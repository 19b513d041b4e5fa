"""The QAConv authors' own outputs (tests/parity/make_retrieval_fixtures.py says how they were made)."""

from pathlib import Path

import numpy as np
import pytest

from keras_reid import retrieval

PARITY = Path(__file__).parents[1] / "parity"


def fixture(name):
    with np.load(PARITY / f"{name}.npz", allow_pickle=False) as arrays:
        return dict(arrays)


@pytest.mark.parametrize("suffix", ["", "_ties"])
def test_average_precision_of_both_kinds_and_cmc(suffix):
    arrays = fixture("metrics")
    labels = [arrays[f"metrics/{name}"] for name in ("query_ids", "gallery_ids", "query_cams", "gallery_cams")]
    for ap, theirs in (("step", "mAP"), ("trapezoid", "mAP_v10")):
        metrics = retrieval.evaluate_scores(-arrays[f"metrics/dist{suffix}"], *labels, ap=ap, max_rank=100)
        assert metrics.mean_ap == pytest.approx(float(arrays[f"metrics/{theirs}{suffix}"]), abs=1e-6)
        assert metrics.valid_queries == 29
        if not suffix:
            np.testing.assert_allclose(metrics.cmc, arrays["metrics/cmc"], atol=1e-6)


@pytest.mark.parametrize("distance", ["sigmoid10", "neglogit"])
@pytest.mark.parametrize(
    ("output", "options"),
    [
        ("out", {}),
        ("out_k1_10_k2_3_l05", {"k1": 10, "k2": 3, "lambda_value": 0.5}),
        ("out_k2_1", {"k2": 1}),
    ],
)
def test_reranking(distance, output, options):
    arrays = fixture("rerank")
    scores = 1.0 - arrays[f"rerank_{distance}/dist"]
    ours = retrieval.rerank(np.arange(30), np.arange(30, 180), score=lambda a, b: scores[np.ix_(a, b)], **options)
    # Their encodings are float16.
    np.testing.assert_allclose(1.0 - ours, arrays[f"rerank_{distance}/{output}"], atol=4e-3)


@pytest.mark.parametrize("case", ["tlift_a", "tlift_b"])
@pytest.mark.parametrize(
    ("scores", "output", "options"),
    [
        ("score", "out", {}),
        ("score_ties", "out_ties", {}),
        (
            "score",
            "out_tau30_sigma50_K3_alpha05",
            {"tau": 30.0, "sigma": 50.0, "k": 3, "alpha": 0.5},
        ),
    ],
)
def test_temporal_lift(case, scores, output, options):
    arrays = fixture("tlift")
    ours = retrieval.temporal_lift(
        arrays[f"{case}/{scores}"],
        arrays[f"{case}/prob_cam"],
        arrays[f"{case}/prob_time64"],
        arrays[f"{case}/gal_cam"],
        arrays[f"{case}/gal_time64"],
        **options,
    )
    np.testing.assert_allclose(ours, arrays[f"{case}/{output}"], atol=1e-5)
