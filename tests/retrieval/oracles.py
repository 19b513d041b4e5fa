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
