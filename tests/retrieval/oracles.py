"""The same numbers by plain loops, written from the definitions and not from the library."""

import numpy as np


def judge(matches, others, ap):
    """AP, INP and first rank of one query from two lists of scores, threshold by threshold."""
    everything = sorted(set(matches) | set(others), reverse=True)
    total, area, before_found, before_seen = len(matches), 0.0, 0, 0
    for threshold in everything:
        found = sum(1 for score in matches if score >= threshold)
        seen = found + sum(1 for score in others if score >= threshold)
        precision = found / seen
        above = before_found / before_seen if before_seen else 1.0
        height = precision if ap == "step" else (precision + above) / 2
        area += (found - before_found) / total * height
        before_found, before_seen = found, seen
    # Worst order: non-matches first among equals.
    order = sorted([(-s, 1) for s in matches] + [(-s, 0) for s in others])
    ranks = [rank for rank, (_, is_match) in enumerate(order, 1) if is_match]
    return area, total / ranks[-1], ranks[0]


def evaluate(scores, query_ids, gallery_ids, query_cameras, gallery_cameras, ap="step", max_rank=50):
    """(cmc, mean AP, mean INP, AP per query) of the Market-1501 protocol; cameras None: no rule."""
    results = []
    for q, person in enumerate(query_ids):
        matches, others = [], []
        for g, other in enumerate(gallery_ids):
            if other == -1:
                continue
            same_camera = query_cameras is not None and query_cameras[q] == gallery_cameras[g]
            if query_cameras is not None and query_cameras[q] == -1:
                same_camera = False
            if other == person and same_camera:
                continue
            (matches if other == person else others).append(float(scores[q][g]))
        if matches:
            results.append(judge(matches, others, ap))
        else:
            results.append((np.nan, np.nan, np.nan))
    precision, penalty, first = np.array(results).T
    valid = ~np.isnan(precision)
    if not valid.any():
        return np.full(max_rank, np.nan), np.nan, np.nan, precision
    cmc = np.array([(first[valid] <= k).mean() for k in range(1, max_rank + 1)])
    return cmc, precision[valid].mean(), penalty[valid].mean(), precision


def jaccard(distance, k1, k2, rows=None, near=1, expanded=0, weight_scale=1.0, by_maximum=True):
    """Dense k-reciprocal Jaccard distances of the first ``rows`` items; row i: from item i."""
    size = len(distance)
    scaled = distance / distance.max(axis=1, keepdims=True) if by_maximum else distance
    order = np.argsort(scaled, axis=1, kind="stable")

    def mutual(i, k):
        return {j for j in order[i, :k] if i in order[j, :k]}

    encoding = np.zeros((size, size))
    wide = [mutual(i, k1 + near) for i in range(size)]
    narrow = [mutual(i, round(k1 / 2) + 1) for i in range(size)]
    for i in range(size):
        members = set(wide[i])
        for j in wide[i]:
            if len(narrow[j] & wide[i]) > 2 / 3 * len(narrow[j]):
                members |= narrow[j]
        members = sorted(members)
        weights = np.exp(-weight_scale * scaled[i, members])
        encoding[i, members] = weights / weights.sum()
    encoding = np.stack([encoding[order[i, : k2 + expanded]].mean(axis=0) for i in range(size)])
    shared = np.stack([np.minimum(row, encoding).sum(axis=1) for row in encoding[:rows]])
    return 1.0 - shared / (2.0 - shared)


def rerank(query, gallery, k1=20, k2=6, lambda_value=0.3, variant="zhong2017", score=None):
    """Dense re-ranked distances; the variants as the implementations say them."""
    if score is None:

        def score(a, b):
            a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b))
            return a @ b.T

    across = score(query, gallery)
    full = 1.0 - np.block([[score(query, query), across], [across.T, score(gallery, gallery)]]).T
    plain, options = full / full.max(axis=1, keepdims=True), {}
    if variant == "torchreid":
        full = full**2
        plain = full / full.max(axis=1, keepdims=True)
    elif variant == "fast_reid":
        plain, options = full, {"near": 0, "weight_scale": 2.0, "by_maximum": False}
    elif variant == "boxmot":
        plain, options = full, {"expanded": 1, "by_maximum": False}
    rows = len(query)
    overlap = jaccard(full, k1, k2, rows, **options)
    return ((1 - lambda_value) * overlap + lambda_value * plain[:rows])[:, rows:]


def temporal_lift(scores, query_cameras, query_times, gallery_cameras, gallery_times, **options):
    """TLift by a literal loop over (query, camera)."""
    options = {"tau": 100.0, "sigma": 200.0, "k": 10, "alpha": 0.2} | options
    lifted = np.zeros(scores.shape)
    for i in range(len(scores)):
        near = np.abs(query_times - query_times[i]) < options["tau"]
        companions = np.flatnonzero((query_cameras == query_cameras[i]) & near)
        for camera in np.unique(gallery_cameras):
            columns = np.flatnonzero(gallery_cameras == camera)
            block = scores[np.ix_(companions, columns)]
            bound = np.sort(block, axis=None)[::-1][: options["k"]][-1]
            pivots = gallery_times[columns][np.nonzero(block >= bound)[1]]
            gaps = gallery_times[columns][:, None] - pivots[None, :]
            probability = np.exp(-((gaps / options["sigma"]) ** 2)).mean(axis=1)
            lifted[i, columns] = (probability + options["alpha"]) * scores[i, columns]
    return lifted


def sysu_mm01(scores, query_ids, gallery_ids, query_cameras, gallery_cameras, max_rank=20):
    """(cmc, AP per query, INP per query) of SYSU-MM01: rank, drop the same place, then one image an identity."""
    first, precision, penalty = [], [], []
    for q, person in enumerate(query_ids):
        # Among equal scores wrong images first.
        order = sorted(range(len(gallery_ids)), key=lambda g, q=q, p=person: (-scores[q][g], gallery_ids[g] == p))
        ranked = [g for g in order if not (query_cameras[q] == 2 and gallery_cameras[g] == 1)]
        people = [gallery_ids[g] for g in ranked]
        if person not in people:
            precision.append(np.nan)
            penalty.append(np.nan)
            continue
        matches = [scores[q][g] for g in ranked if gallery_ids[g] == person]
        others = [scores[q][g] for g in ranked if gallery_ids[g] != person]
        area, inverse_penalty, _ = judge(matches, others, "step")
        precision.append(area)
        penalty.append(inverse_penalty)
        seen = []
        for other in people:
            if other not in seen:
                seen.append(other)
        first.append(seen.index(person) + 1)
    cmc = np.array([np.mean([rank <= k for rank in first]) if first else np.nan for k in range(1, max_rank + 1)])
    return cmc, np.array(precision), np.array(penalty)
