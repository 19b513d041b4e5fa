"""How far a colour histogram gets on synthetic people: the floor and the ceiling of their difficulty.

Joint RGB histograms (8 bins a channel, square roots of frequencies, cosine) of the whole picture and of
its central crop, by the Market-1501 protocol within each site; and the same with the query's camera
left out of the gallery, because distractors that share a background dominate there.

    python benchmarks/synthetic_difficulty.py                 # four sites, three draws of people and cameras each
"""

import argparse
import json
import statistics
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from _measure import write_result
from numpy.typing import NDArray
from PIL import Image

from keras_reid import retrieval
from keras_reid.datasets import ReIDDataset, ReIDTable, synthetic

BINS = 8
BAND = (5.0, 30.0)  # in which the central crop's mAP must lie, per cent
CROPS = {"whole": (slice(None), slice(None)), "central_crop": (slice(16, 112), slice(16, 48))}

OTHER_CAMERAS = retrieval.Protocol(
    "other_cameras",
    lambda same_identity, query_camera, gallery_cameras: gallery_cameras == query_camera,
    "share {camera} with their matches",
)


def histograms(table: ReIDTable, rows: slice, columns: slice) -> NDArray[np.float32]:
    """Joint colour histograms [N, BINS**3] of one crop of each picture, square-rooted."""
    features = np.empty((len(table), BINS**3), np.float32)
    for i, path in enumerate(table.path):
        with Image.open(path) as image:
            level = np.asarray(image.convert("RGB"))[rows, columns].reshape(-1, 3).astype(np.intp) * BINS // 256
        cell = (level[:, 0] * BINS + level[:, 1]) * BINS + level[:, 2]
        features[i] = np.sqrt(np.bincount(cell, minlength=BINS**3) / len(cell))
    return features


def evaluate(dataset: ReIDDataset, crop: str, protocol: str | retrieval.Protocol = "market1501") -> dict[str, float]:
    """Scores of one crop's histograms, in per cent."""
    query, gallery = dataset.query, dataset.gallery
    metrics = retrieval.evaluate_features(
        histograms(query, *CROPS[crop]),
        histograms(gallery, *CROPS[crop]),
        query.person_id,
        gallery.person_id,
        query.camera_id,
        gallery.camera_id,
        protocol=protocol,
    )
    return {"mean_ap": round(100 * metrics.mean_ap, 2), "rank1": round(100 * float(metrics.cmc[0]), 2)}


def measure(root: Path, site: str, seed: int) -> dict[str, Any]:
    """Renders one site and evaluates its test half."""
    started = time.process_time()
    dataset = synthetic.load(root, site, seed, camera_seed=seed, train_identities=1)
    seconds = time.process_time() - started
    images = len(dataset.train) + len(dataset.query) + len(dataset.gallery)
    return {
        "site": site,
        "seed": seed,
        "whole": evaluate(dataset, "whole"),
        "central_crop": evaluate(dataset, "central_crop"),
        "central_crop_other_cameras": evaluate(dataset, "central_crop", OTHER_CAMERAS),
        "images_per_cpu_second": round(images / seconds),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", nargs="+", default=list(synthetic.SITES), choices=sorted(synthetic.SITES))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], help="one draw of people and cameras each")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as root:
        for site in options.sites:
            for seed in options.seeds:
                rows.append(measure(Path(root), site, seed))
                print(json.dumps(rows[-1]), flush=True)
    means = {
        site: round(statistics.mean(row["central_crop"]["mean_ap"] for row in rows if row["site"] == site), 2)
        for site in options.sites
    }
    write_result(
        "synthetic_difficulty",
        {
            "renderer": synthetic.VERSION,
            "difficulty": asdict(synthetic.V1),
            "band": BAND,
            "central_crop_mean_ap": means,
            "in_band": all(BAND[0] <= value <= BAND[1] for value in means.values()),
            "draws": rows,
        },
    )


if __name__ == "__main__":
    main()
