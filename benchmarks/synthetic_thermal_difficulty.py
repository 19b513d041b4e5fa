"""How far grey levels and edges get from a visible picture to a thermal one: the floor of the twins' difficulty.

Two matchers without training see the central crop: the histogram of grey levels (32 bins), and histograms of
gradient directions without sign (12 x 4 cells of 9 bins), centred per modality. 100 test persons, the rules of
each layout; chance is a matcher of random scores.

    python benchmarks/synthetic_thermal_difficulty.py            # four sites, both layouts
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from _measure import write_result
from numpy.typing import NDArray
from PIL import Image

from keras_reid import retrieval
from keras_reid.datasets import ReIDDataset, ReIDTable, synthetic
from keras_reid.datasets.synthetic import thermal

PERSONS = 100
CROP = slice(16, 112), slice(16, 48)
CELLS, DIRECTIONS = (12, 4), 9

Floats = NDArray[np.float64]


def crops(table: ReIDTable) -> Floats:
    """Grey central crops [N, 96, 32] in [0, 1]."""
    return np.stack([np.asarray(Image.open(path).convert("L"))[CROP] for path in table.path]) / 255


def grey_levels(images: Floats) -> Floats:
    """Square roots of the frequencies of 32 grey levels [N, 32]."""
    return np.stack([np.sqrt(np.histogram(image, 32, (0, 1))[0] / image.size) for image in images])


def gradients(images: Floats) -> Floats:
    """Histograms of gradient directions, each cell of unit length [N, 432]."""
    down, across = np.gradient(images, axis=(1, 2))
    strength = np.hypot(down, across)
    direction = (np.arctan2(down, across) % np.pi / np.pi * DIRECTIONS).astype(int) % DIRECTIONS
    count, (rows, columns) = len(images), CELLS
    shape = count, rows, images.shape[1] // rows, columns, images.shape[2] // columns
    cells = np.stack([(strength * (direction == d)).reshape(shape).sum((2, 4)) for d in range(DIRECTIONS)], -1)
    cells /= np.linalg.norm(cells, axis=-1, keepdims=True) + 0.05
    features = cells.reshape(count, -1)
    return features - features.mean(0)


def cosine(query: Floats, gallery: Floats) -> Floats:
    """Scores [Q, G]."""
    query, gallery = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (query, gallery))
    return query @ gallery.T


def judge(dataset: ReIDDataset, scores: Floats) -> dict[str, float]:
    """Returns mAP and Rank-1 by the data set's protocol, in per cent."""
    query, gallery = dataset.query, dataset.gallery
    metrics = retrieval.mean_metrics(
        retrieval.evaluate_trials(
            scores,
            dataset.trials or [np.arange(len(gallery))],
            query.person_id,
            gallery.person_id,
            query.camera_id,
            gallery.camera_id,
            protocol=dataset.protocol,
        )
    )
    return {"mean_ap": round(100 * metrics.mean_ap, 1), "rank1": round(100 * metrics.rank(1), 1)}


def measure(root: Path, site: str, layout: str) -> dict[str, Any]:
    """Renders the test persons of one site in one layout and judges the matchers."""
    started = time.process_time()
    dataset = thermal.load(root, layout, site=site, train_identities=1, test_identities=PERSONS)
    seconds = time.process_time() - started
    images = len(dataset.train) + len(dataset.query) + len(dataset.gallery)
    query, gallery = crops(dataset.query), crops(dataset.gallery)
    return {
        "site": site,
        "layout": layout,
        "grey_levels": judge(dataset, cosine(grey_levels(query), grey_levels(gallery))),
        "gradients": judge(dataset, cosine(gradients(query), gradients(gallery))),
        "chance": judge(dataset, np.random.default_rng(0).random((len(query), len(gallery)))),
        "images_per_cpu_second": round(images / seconds),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", nargs="+", default=list(synthetic.SITES), choices=sorted(synthetic.SITES))
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as root:
        for layout in thermal.LAYOUTS:
            for site in options.sites:
                rows.append(measure(Path(root), site, layout))
                print(json.dumps(rows[-1]), flush=True)
    write_result("synthetic_thermal_difficulty", {"renderer": thermal.VERSION, "persons": PERSONS, "draws": rows})


if __name__ == "__main__":
    main()
