"""How far a colour histogram gets on synthetic people: the floor and the ceiling of their difficulty.

Joint RGB histograms (8 bins a channel, square roots of frequencies, cosine) of the whole picture and of
its central crop, by the Market-1501 protocol within each site; and the same with the query's camera
left out of the gallery, because distractors that share a background dominate there.

    python benchmarks/synthetic_difficulty.py --sites A B C D --seeds 0 1 2 \
        --output benchmarks/results/synthetic_difficulty.json
"""

import argparse
import json
import platform
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import PIL
from numpy.typing import NDArray
from PIL import Image

from keras_reid import retrieval
from keras_reid.datasets import ReIDDataset, ReIDTable, synthetic

BINS = 8
BAND = (5.0, 30.0)  # in which the central crop's mAP must lie, per cent
CROPS = {"whole": (slice(None), slice(None)), "central_crop": (slice(16, 112), slice(16, 48))}


def histograms(table: ReIDTable, rows: slice, columns: slice) -> NDArray[np.float32]:
    """Joint colour histograms [N, BINS**3] of one crop of each picture, square-rooted."""
    features = np.empty((len(table), BINS**3), np.float32)
    for i, path in enumerate(table.path):
        with Image.open(path) as image:
            level = np.asarray(image.convert("RGB"))[rows, columns].reshape(-1, 3).astype(np.intp) * BINS // 256
        cell = (level[:, 0] * BINS + level[:, 1]) * BINS + level[:, 2]
        features[i] = np.sqrt(np.bincount(cell, minlength=BINS**3) / len(cell))
    return features


def evaluate(dataset: ReIDDataset, crop: str, same_camera: bool) -> dict[str, float]:
    """Mean average precision and Rank-1 in per cent; without the query's camera in the gallery if not ``same_camera``."""
    query, gallery = dataset.query, dataset.gallery
    scores = histograms(query, *CROPS[crop]) @ histograms(gallery, *CROPS[crop]).T
    average, first = [], []
    for camera in np.unique(query.camera_id):
        # One camera's queries at a time: its images leave the gallery, or stay.
        mine = query.camera_id == camera
        kept = np.full(len(gallery), True) if same_camera else gallery.camera_id != camera
        metrics = retrieval.evaluate_scores(
            scores[np.ix_(mine, kept)],
            query.person_id[mine],
            gallery.person_id[kept],
            query.camera_id[mine],
            gallery.camera_id[kept],
        )
        average.append(metrics.mean_ap * metrics.valid_queries)
        first.append(metrics.cmc[0] * metrics.valid_queries)
    total = len(query)
    return {"mAP": round(100 * sum(average) / total, 2), "Rank-1": round(100 * float(sum(first)) / total, 2)}


def measure(root: Path, site: str, seed: int, camera_seed: int) -> dict[str, object]:
    """Renders one site and evaluates its test half."""
    started = time.process_time()
    dataset = synthetic.load(root, site, seed, camera_seed, train_identities=1)
    seconds = time.process_time() - started
    images = len(dataset.train) + len(dataset.query) + len(dataset.gallery)
    return {
        "site": site,
        "seed": seed,
        "camera_seed": camera_seed,
        "whole": evaluate(dataset, "whole", same_camera=True),
        "central_crop": evaluate(dataset, "central_crop", same_camera=True),
        "central_crop_other_cameras": evaluate(dataset, "central_crop", same_camera=False),
        "images_per_cpu_second": round(images / seconds),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", nargs="+", default=["A", "B"], choices=sorted(synthetic.SITES))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], help="people and cameras of a draw")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as root:
        for site in arguments.sites:
            for seed in arguments.seeds:
                rows.append(measure(Path(root), site, seed, camera_seed=seed))
                print(json.dumps(rows[-1]), flush=True)
    mean = {}
    for site in arguments.sites:
        values = [row["central_crop"]["mAP"] for row in rows if row["site"] == site]  # type: ignore[index]
        mean[site] = {"mAP": round(float(np.mean(values)), 2), "in_band": BAND[0] <= np.mean(values) <= BAND[1]}
    report = {
        "version": synthetic.VERSION,
        "difficulty": asdict(synthetic.V1),
        "band": BAND,
        "central_crop_mean": {site: {**value, "in_band": bool(value["in_band"])} for site, value in mean.items()},
        "rows": rows,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "pillow": PIL.__version__,
    }
    print(json.dumps(report["central_crop_mean"]))
    if arguments.output:
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
