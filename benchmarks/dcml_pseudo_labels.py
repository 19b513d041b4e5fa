"""The pseudo-label stage of DCML on as many images as the benchmarks have, beside the products it cannot do without.

    python benchmarks/dcml_pseudo_labels.py            # some minutes, 3 GB

Claim: at 12,936 features of 2048 numbers (Market-1501) at most 2.5 times the CPU time of the blockwise products
``x @ x.T`` alone, and 1 GB beyond the features; at most 0.4 times the CPU time of a dense reference where that fits,
with the same clusters; at 32,621 (MSMT17) it runs.

The dense reference holds [N, N] matrices and does with them what the papers' codes do: it sorts whole rows, encodes
item by item, compares all pairs of encodings, and hands DBSCAN the whole matrix.
"""

import argparse
import json

import numpy as np
from _measure import RESULTS, measure, write_result

from keras_reid.adaptation import Clustering, CredibleMining, pseudo_labels, purity

NAME = "dcml_pseudo_labels"
WIDTH, NOISE, SEED = 2048, 2.5, 0
# Images of the training splits, and persons.
SIZES = {"market1501": (12936, 751), "msmt17": (32621, 1041)}
DENSE = SIZES["market1501"]
PARTS = ("equal_to_dense", "dense", *SIZES)

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="the others are kept from the last run")
parser.add_argument("--repeats", type=int, default=3, help="of the smaller ones (%(default)s)")


def features(images, people):
    """Unit vectors around the directions of people, and who they are."""
    rng = np.random.default_rng(SEED)
    centres = rng.standard_normal((people, WIDTH), dtype=np.float32)
    ids = rng.integers(0, people, images)
    x = rng.standard_normal((images, WIDTH), dtype=np.float32)
    x *= NOISE
    x += centres[ids]
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return x, ids


def products(images, people):
    x, _ = features(images, people)

    def work():
        return sum(float((x[start : start + 128] @ x.T)[0, 0]) for start in range(0, len(x), 128))

    return work


def stage(images, people, credibility):
    x, ids = features(images, people)

    def work():
        found = pseudo_labels(x, Clustering(), CredibleMining(credibility))
        labels, rows = found.labels.labels, found.anchors.rows
        return summary(labels, ids, found.labels.eps) | {"anchors": len(rows)}

    return work


def dense(images, people):
    x, ids = features(images, people)
    return lambda: summary(*dense_labels(x, ids))


def summary(labels, ids, eps):
    known = labels >= 0
    return {
        "clusters": int(labels.max() + 1),
        "labelled": int(known.sum()),
        "purity": round(purity(labels[known], ids[known]), 4),
        "eps": round(float(eps), 5),
    }


def dense_labels(x, ids, k1=20, k2=6, share=1.6e-3):
    from sklearn.cluster import DBSCAN

    count = len(x)
    distance = 2.0 - 2.0 * (x @ x.T)
    distance = (distance / distance.max(axis=0)).T
    rank = np.argsort(distance, axis=1)
    vectors = np.zeros_like(distance)

    def reciprocal(item, k):
        forward = rank[item, : k + 1]
        backward = rank[forward, : k + 1]
        return forward[(backward == item).any(axis=1)]

    for item in range(count):
        members = own = reciprocal(item, k1)
        for candidate in own:
            theirs = reciprocal(candidate, round(k1 / 2))
            if len(np.intersect1d(theirs, own)) > 2 / 3 * len(theirs):
                members = np.append(members, theirs)
        members = np.unique(members)
        weight = np.exp(-distance[item, members])
        vectors[item, members] = weight / weight.sum()
    vectors = np.stack([vectors[rank[item, :k2]].mean(axis=0) for item in range(count)])
    having = [np.flatnonzero(vectors[:, column]) for column in range(count)]
    jaccard = np.empty_like(distance)
    for item in range(count):
        shared = np.zeros(count)
        for column in np.flatnonzero(vectors[item]):
            rows = having[column]
            shared[rows] += np.minimum(vectors[item, column], vectors[rows, column])
        jaccard[item] = 1.0 - shared / (2.0 - shared)
    np.maximum(jaccard, 0.0, out=jaccard)
    upper = jaccard[np.triu_indices(count, 1)]
    upper = np.sort(upper[upper > 1e-6])
    eps = upper[: max(1, round(share * len(upper)))].mean()
    return DBSCAN(eps=eps, min_samples=4, metric="precomputed").fit_predict(jaccard.astype("float64")), ids, eps


def same_clusters():
    """On small problems of several kinds: whether the clusters are those of the dense reference."""
    found = {}
    for images, people in ((600, 40), (1200, 80), (1800, 60)):
        x, ids = features(images, people)
        expected, _, eps = dense_labels(x, ids)
        ours = Clustering().labels_of(x)
        pairs = set(zip(ours.labels.tolist(), expected.tolist(), strict=True))
        kept = np.unique(expected)
        equal = len(pairs) == len(kept) == len(np.unique(ours.labels)) and bool(
            ((ours.labels < 0) == (expected < 0)).all()
        )
        found[f"{images} images"] = {"equal": equal, "clusters": ours.clusters, "eps": [ours.eps, float(eps)]}
    return found


def beside_dense(repeats):
    reference = measure(dense, *DENSE)
    ours = measure(stage, *DENSE, "prototype", repeats=repeats)
    ratio = round(ours["cpu_s"] / reference["cpu_s"], 3)
    return {"images": DENSE[0], "people": DENSE[1], "reference": reference, "ours": ours, "ratio": ratio}


def beside_products(images, people, repeats):
    alone = measure(products, images, people, repeats=repeats)
    entry = {"images": images, "people": people, "products": alone}
    for credibility in ("prototype", "knn"):
        entry[credibility] = measure(stage, images, people, credibility, repeats=repeats)
        entry[f"ratio_{credibility}"] = round(entry[credibility]["cpu_s"] / alone["cpu_s"], 3)
    return entry


def main():
    options = parser.parse_args()
    file = RESULTS / f"{NAME}.json"
    before = json.loads(file.read_text()) if file.exists() else {}
    work = {
        "equal_to_dense": same_clusters,
        "dense": lambda: beside_dense(options.repeats),
        "market1501": lambda: beside_products(*SIZES["market1501"], options.repeats),
        "msmt17": lambda: beside_products(*SIZES["msmt17"], 1),
    }
    parts = {part: work[part]() if part in options.parts else before.get(part) for part in PARTS}
    result = {
        "what": "pseudo labels and anchors from features; CPU seconds, one thread",
        "width": WIDTH,
        "noise": NOISE,
        "seed": SEED,
        **parts,
        "claim": {"ratio_to_products": 2.5, "extra_mb": 1024, "ratio_to_dense": 0.4},
    }
    write_result(NAME, result)


if __name__ == "__main__":
    main()
