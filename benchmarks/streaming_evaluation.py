"""Evaluation from features at the size of MSMT17, beside the matrix multiplication that it cannot do without.

    python benchmarks/streaming_evaluation.py            # about a minute, 0.2 GB

A [Q, G] array of float32 scores would be 3.8 GB; none is built. Claims: less than 2.5 GB at the peak, and at most
two and a half times the CPU time of the product of the features alone, in the same blocks.
"""

import numpy as np
from _measure import measure, write_result

from keras_reid import retrieval

QUERIES, GALLERY, PEOPLE, CAMERAS, DIMENSIONS, BLOCK_ROWS, SEED = 11659, 82161, 3060, 15, 128, 128, 0


def problem():
    rng = np.random.default_rng(SEED)
    features = [rng.standard_normal((n, DIMENSIONS), dtype=np.float32) for n in (QUERIES, GALLERY)]
    ids = [rng.integers(0, PEOPLE, n).astype(np.int32) for n in (QUERIES, GALLERY)]
    cameras = [rng.integers(0, CAMERAS, n).astype(np.int32) for n in (QUERIES, GALLERY)]
    return features, ids, cameras


def product():
    (query, gallery), _, _ = problem()

    def work():
        for start in range(0, QUERIES, BLOCK_ROWS):
            query[start : start + BLOCK_ROWS] @ gallery.T

    return work


def evaluate(ap, top_k):
    features, ids, cameras = problem()

    def work():
        metrics = retrieval.evaluate_features(*features, *ids, *cameras, ap=ap, top_k=top_k, block_rows=BLOCK_ROWS)
        return {name: metrics.to_dict()[name] for name in ("mean_ap", "mean_inp", "valid_queries")}

    return work


def main():
    baseline = measure(product, repeats=3)
    ours = {
        "step": measure(evaluate, "step", 0, repeats=3),
        "trapezoid": measure(evaluate, "trapezoid", 0, repeats=3),
        "step_and_top_10": measure(evaluate, "step", 10, repeats=3),
    }
    write_result(
        "streaming_evaluation",
        {
            "what": "CMC, mAP, mINP of random float32 features at MSMT17's size; CPU seconds, one thread",
            "sizes": {
                "queries": QUERIES,
                "gallery": GALLERY,
                "people": PEOPLE,
                "cameras": CAMERAS,
                "dimensions": DIMENSIONS,
                "block_rows": BLOCK_ROWS,
            },
            "seed": SEED,
            "product_alone": baseline,
            "evaluate_features": ours,
            "ratio_to_product": {k: round(v["cpu_s"] / baseline["cpu_s"], 3) for k, v in ours.items()},
            "claim": {"ratio": 2.5, "peak_mb": 2500},
        },
    )


if __name__ == "__main__":
    main()
