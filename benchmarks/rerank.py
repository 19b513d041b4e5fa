"""k-reciprocal re-ranking of a Market-1501-sized problem, beside its unavoidable first step.

    python benchmarks/rerank.py            # about a minute, 1 GB

Claim: at most 4 times the CPU time of the feature product `x @ x.T` in blocks with the row-wise `argpartition`
for the nearest neighbours, and a peak of at most 700 MB.
"""

import numpy as np
from _measure import measure, write_result

from keras_reid import retrieval

QUERIES, GALLERY, WIDTH, PEOPLE, NOISE, SEED = 3368, 15913, 512, 750, 2.5, 0
K1 = 20


def features():
    rng = np.random.default_rng(SEED)
    centres = rng.standard_normal((PEOPLE, WIDTH), dtype=np.float32)
    ids = [rng.integers(0, PEOPLE, n) for n in (QUERIES, GALLERY)]
    sides = []
    for labels in ids:
        x = rng.standard_normal((len(labels), WIDTH), dtype=np.float32)
        x *= NOISE
        x += centres[labels]
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        sides.append(x)
    return *sides, *ids


def product_and_neighbours():
    query, gallery, *_ = features()
    x = np.concatenate([query, gallery])

    def work():
        checksum = 0
        for start in range(0, len(x), 128):
            similarity = x[start : start + 128] @ x.T
            near = np.argpartition(similarity, len(x) - K1 - 1, axis=1)[:, -K1 - 1 :]
            checksum += int(near.sum())
        return checksum

    return work


def plain():
    query, gallery, *ids = features()
    return lambda: quality(retrieval.evaluate_features(query, gallery, *ids))


def rerank(variant):
    query, gallery, *ids = features()
    return lambda: quality(retrieval.evaluate_scores(retrieval.rerank(query, gallery, variant=variant), *ids))


def quality(metrics):
    return {"rank_1": metrics.rank(1), "mean_ap": metrics.mean_ap}


def main():
    baseline = measure(product_and_neighbours, repeats=3)
    ours = {name: measure(rerank, name, repeats=3) for name in ("zhong2017", "fast_reid")}
    write_result(
        "rerank",
        {
            "what": "re-ranking from features and its evaluation; CPU seconds, one thread",
            "sizes": {
                "queries": QUERIES,
                "gallery": GALLERY,
                "width": WIDTH,
                "people": PEOPLE,
                "noise": NOISE,
            },
            "seed": SEED,
            "product_and_argpartition": baseline,
            "evaluate_features_without_reranking": measure(plain),
            "rerank": ours,
            "ratio": {k: round(v["cpu_s"] / baseline["cpu_s"], 3) for k, v in ours.items()},
            "claim": {"ratio": 4.0, "peak_mb": 700},
        },
    )


if __name__ == "__main__":
    main()
