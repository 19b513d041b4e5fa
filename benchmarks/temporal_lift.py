"""TLift of 3000 queries and 15000 gallery images of six cameras, beside a literal loop over (query, camera).

    python benchmarks/temporal_lift.py            # about two minutes, 1 GB

Claim: at least 10 times faster than the loop, with equal results.
"""

import numpy as np
from _measure import measure, write_result

from keras_reid import retrieval

QUERIES, GALLERY, CAMERAS, SPAN_S, SEED = 3000, 15000, 6, 3600.0, 0
TAU, SIGMA, K, ALPHA = 100.0, 200.0, 10, 0.2


def problem(queries, gallery):
    rng = np.random.default_rng(SEED)
    scores = rng.random((queries, gallery), dtype=np.float32) ** 8  # most near 0, as after re-ranking
    sides = [(rng.integers(0, CAMERAS, n), rng.uniform(0.0, SPAN_S, n)) for n in (queries, gallery)]
    return scores, *sides[0], *sides[1]


def literal(scores, query_cameras, query_times, gallery_cameras, gallery_times):
    lifted = np.empty_like(scores)
    groups = [np.flatnonzero(gallery_cameras == camera) for camera in np.unique(gallery_cameras)]
    for i in range(len(scores)):
        near = np.abs(query_times - query_times[i]) < TAU
        companions = np.flatnonzero(near & (query_cameras == query_cameras[i]))
        for columns in groups:
            block = scores[np.ix_(companions, columns)]
            bound = np.sort(block, axis=None)[-min(K, block.size)]
            times = gallery_times[columns]
            pivots = times[np.nonzero(block >= bound)[1]]
            kernel = np.exp(-np.square((times[:, None] - pivots) / SIGMA))
            lifted[i, columns] = (kernel.mean(axis=1) + ALPHA) * scores[i, columns]
    return lifted


def loop(queries, gallery):
    given = problem(queries, gallery)
    return lambda: float(literal(*given).sum(dtype=np.float64))


def lift(queries, gallery):
    given = problem(queries, gallery)
    return lambda: float(retrieval.temporal_lift(*given).sum(dtype=np.float64))


def largest_difference(queries, gallery):
    given = problem(queries, gallery)
    return lambda: float(np.abs(retrieval.temporal_lift(*given) - literal(*given)).max())


def main():
    baseline = measure(loop, QUERIES, GALLERY)
    ours = measure(lift, QUERIES, GALLERY, repeats=3)
    write_result(
        "temporal_lift",
        {
            "what": "TLift at the authors' settings; CPU seconds, one thread",
            "sizes": {
                "queries": QUERIES,
                "gallery": GALLERY,
                "cameras": CAMERAS,
                "span_s": SPAN_S,
            },
            "seed": SEED,
            "literal_loop": baseline,
            "temporal_lift": ours,
            "times_faster": round(baseline["cpu_s"] / ours["cpu_s"], 1),
            "largest_difference_at_300_by_1500": measure(largest_difference, 300, 1500)["value"],
            "claim": {"times_faster": 10},
        },
    )


if __name__ == "__main__":
    main()
