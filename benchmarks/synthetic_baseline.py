"""How hard the synthetic people are for the tiny baseline: on its own site, and directly on another site's cameras.

    python benchmarks/synthetic_baseline.py                 # sites A and B, three draws of cameras

For each draw of cameras the recipe of `baseline_tiny` trains on the home site and is tested there and on the other
site (Market-1501 protocol). The renderer is calibrated on this and nothing else, and then frozen: mAP between 50 and
85 at home, and at least 15 lower away, mean over the draws.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from _measure import write_result

from keras_reid import datasets, evaluate, zoo
from keras_reid.training import seed_everything

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--sites", nargs=2, default=["A", "B"], metavar=("HOME", "AWAY"))
parser.add_argument("--draws", nargs="+", type=int, default=[0, 1, 2], help="camera seeds")
parser.add_argument("--seed", type=int, default=0, help="seed of the people and of the training")
parser.add_argument("--epochs", type=int, help="default: the recipe's")


def one_draw(root, home_site, away_site, draw, seed, epochs):
    home, away = (
        datasets.load("synthetic", root=root / f"{site}{draw}", site=site, seed=seed, camera_seed=draw)
        for site in (home_site, away_site)
    )
    seed_everything(seed)
    model = zoo.load("baseline_tiny")
    wall, cpu = time.perf_counter(), time.process_time()
    zoo.recipe("baseline_tiny").fit(model, home, epochs=epochs, seed=seed, cache="memory", verbose=0)
    row = {
        "camera_seed": draw,
        "training_wall_s": round(time.perf_counter() - wall, 1),
        "training_cpu_s": round(time.process_time() - cpu, 1),
    }
    for name, tested in (("home", home), ("away", away)):
        report = evaluate(model, tested, progress=False)
        row[name] = {"mean_ap": round(100 * report.mean_ap, 2), "rank1": round(100 * report.rank(1), 2)}
    print(row, flush=True)
    return row


def main():
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = [one_draw(Path(folder), *options.sites, draw, options.seed, options.epochs) for draw in options.draws]
    means = {
        place: {
            figure: round(statistics.mean(row[place][figure] for row in rows), 2) for figure in ("mean_ap", "rank1")
        }
        for place in ("home", "away")
    }
    write_result(
        "synthetic_baseline",
        {
            "renderer": datasets.synthetic.VERSION,
            "entry": "baseline_tiny",
            "epochs": options.epochs or zoo.recipe("baseline_tiny").epochs,
            "sites": {"home": options.sites[0], "away": options.sites[1]},
            "seed": options.seed,
            "draws": rows,
            "mean": means,
        },
    )


if __name__ == "__main__":
    main()
