"""QAConv's claims on synthetic people: the paper's Tables 1 and 2 by direct transfer, small networks, minutes.

    python benchmarks/claims_qaconv.py                      # everything: sites C -> D, seeds 100 to 102; hours
    python benchmarks/claims_qaconv.py --only qaconv        # one row; finished cells are kept and not repeated

Table 1: four losses on pooled vectors, QAConv, and the strong baseline by its own sampler and losses; equal backbone,
optimiser, augmentation and epochs; the CPU time of each row stands in the table. Each model is tested on other people
of another site under several draws of its cameras (Market-1501 protocol).
Table 2: QAConv with temporal lifting, with re-ranking, with both; also with nobody walking in groups.
"""

import argparse
import itertools
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from _claims import Cells, spread, table
from _losses_compared import LOSSES, PooledVectors

from keras_reid import datasets, evaluate
from keras_reid.datasets import synthetic
from keras_reid.methods import Baseline, QAConv
from keras_reid.recipe import Recipe
from keras_reid.retrieval import Rerank, TemporalLift
from keras_reid.training import seed_everything

NAME = "claims_qaconv"
ROWS = (*LOSSES, "baseline", "qaconv")
TITLES = {
    "softmax": "softmax cross-entropy",
    "arc": "Arc loss",
    "centre": "centre loss",
    "class_memory": "class memory, pooled vectors",
    "baseline": "Baseline, by its own sampler and losses",
    "qaconv": "QAConv",
}
STARTS = ("averaging", "weights", "offset", "published")
UNIFORM = {"name": "uniform", "batch_size": 32}
BALANCED = {"name": "pk", "identities": 16, "images": 4, "passes": 4}
TRANSFORMS = ({"name": "flip"}, {"name": "color_jitter"}, {"name": "random_occlusion"})
# Learning rate and weight decay: the best of three trials each, A -> B, seed 0 (1e-3 or 2e-3, 5e-4 or 1e-5).
TUNED = {
    "softmax": (1e-3, 5e-4),
    "arc": (2e-3, 5e-4),
    "centre": (1e-3, 5e-4),
    "class_memory": (1e-3, 5e-4),
    "baseline": (1e-3, 1e-5),
    "qaconv": (1e-3, 1e-5),
}

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--only", nargs="+", choices=ROWS, default=ROWS, help="rows of Table 1 (default: all)")
parser.add_argument("--sites", nargs=2, default=["C", "D"], metavar=("HOME", "AWAY"))
parser.add_argument("--seeds", nargs="+", type=int, default=[100, 101, 102], help="of people, cameras and training")
parser.add_argument("--draws", type=int, default=3, help="draws of the other site's cameras for Table 1")
parser.add_argument("--identities", type=int, default=150, help="people to train on")
parser.add_argument("--epochs", type=int, default=24)
parser.add_argument("--rate", type=float, help="learning rate (default: the tuned one)")
parser.add_argument("--l2", type=float, help="weight decay (default: the tuned one)")
parser.add_argument("--out", default=NAME, help="name of the result file")
parser.add_argument("--start", default="averaging", choices=STARTS, help="of QAConv's matcher (%(default)s)")
parser.add_argument("--no-jitter", action="store_true", help="train without colour jitter")
parser.add_argument("--no-table-2", action="store_true")


def recipe_of(row, options):
    """One optimiser, schedule and augmentation for all; the baseline keeps its sampler and its warm-up."""
    optimizer = {"name": "adam", "learning_rate": options.rate or TUNED[row][0], "l2": options.l2 or TUNED[row][1]}
    schedule = {"milestones": [16, 21], "factor": 0.1, "warmup_epochs": 0.5 if row == "baseline" else 0}
    transforms = [one for one in TRANSFORMS if not (options.no_jitter and one["name"] == "color_jitter")]
    return Recipe(row, 24, 1, BALANCED if row == "baseline" else UNIFORM, transforms, optimizer, schedule)


def model_of(row, options):
    if row == "baseline":
        return Baseline(backbone="tiny", image_size=(128, 64), interpolation="bicubic")
    if row == "qaconv":
        return started(QAConv(backbone="tiny", channels=64, image_size=(128, 64)), options.start)
    return PooledVectors(row)


def started(model, start):
    """The parts of QAConv's `initialization="averaging"` one by one: the weights' and the logits' start."""
    matcher = model.matcher
    if start in ("averaging", "weights"):
        matcher.kernel.assign(np.full(matcher.kernel.shape, 1.0 / matcher.kernel.shape[0], "float32"))
        matcher.bias.assign([0.0])
    if start in ("averaging", "offset"):
        matcher.logit_bn.beta.assign([-3.0])
    return model


def people(root, site, seed, draw, train, **options):
    """A site's people as `seed` draws them, under its cameras as `draw` draws them."""
    return datasets.load("synthetic", root, site=site, seed=seed, camera_seed=draw, train_identities=train, **options)


def figures(model, dataset, steps=(), temperature=10.0):
    if isinstance(model, QAConv):
        # Lifting alone wants most scores near 0, see QAConv's `temperature`; it changes no order by itself.
        model.temperature = temperature
    report = evaluate(model, dataset, post_process=steps, progress=False)
    return {"mean_ap": round(100 * report.mean_ap, 2), "rank1": round(100 * report.rank(1), 2)}


def post_processed(model, dataset):
    return {
        "QAConv": figures(model, dataset),
        "+ TLift": figures(model, dataset, [TemporalLift()], temperature=1.0),
        "+ re-ranking": figures(model, dataset, [Rerank()]),
        "+ both": figures(model, dataset, [Rerank(), TemporalLift()]),
    }


def train_and_test(row, seed, root, options):
    """Trains one model and tests it; the cell of the result file."""
    home, away = options.sites
    source = people(root, home, seed, seed, options.identities)
    seed_everything(seed)
    model = model_of(row, options)
    wall, cpu = time.perf_counter(), time.process_time()
    history = recipe_of(row, options).fit(model, source, epochs=options.epochs, seed=seed, cache="memory", verbose=0)
    cell = {
        "row": row,
        "seed": seed,
        "training_cpu_s": round(time.process_time() - cpu, 1),
        "training_wall_s": round(time.perf_counter() - wall, 1),
        "training_accuracy": round(history.history["accuracy"][-1], 3),
        "home": figures(model, source),
        "away": {
            str(draw): figures(model, people(root, away, seed, draw, 2))
            for draw in range(seed, seed + 10 * options.draws, 10)
        },
    }
    if row == "qaconv" and not options.no_table_2:
        cell["groups"] = post_processed(model, people(root, away, seed, seed, 2))
        cell["alone"] = post_processed(model, people(root, away, seed, seed, 2, groups=False))
    return cell


def tables(cells):
    return [table_1(cells), table_2(cells, "groups"), table_2(cells, "alone")]


def table_1(cells):
    rows = []
    for row in ROWS:
        found = [cell for cell in cells.values() if cell["row"] == row]
        if found:
            away = [
                spread([statistics.mean(draw[figure] for draw in cell["away"].values()) for cell in found])
                for figure in ("mean_ap", "rank1")
            ]
            home = [spread([cell["home"][figure] for cell in found]) for figure in ("mean_ap", "rank1")]
            cost = spread([cell["training_cpu_s"] for cell in found])
            rows.append([TITLES[row], *away, *home, cost])
    header = ["", "mAP away", "Rank-1 away", "mAP at home", "Rank-1 at home", "CPU s of training"]
    return table("The losses, at equal epochs", header, rows)


def table_2(cells, people):
    found = [cell for cell in cells.values() if people in cell]
    names = list(found[0][people]) if found else []
    rows = [
        [name, *(spread([cell[people][name][figure] for cell in found]) for figure in ("mean_ap", "rank1"))]
        for name in names
    ]
    title = "Post-processing, people walk in groups" if people == "groups" else "Post-processing, everybody walks alone"
    return table(title, ["", "mAP away", "Rank-1 away"], rows)


def main():
    options = parser.parse_args()
    settings = {
        "renderer": synthetic.VERSION,
        "sites": options.sites,
        "identities": options.identities,
        "epochs": options.epochs,
        "jitter": not options.no_jitter,
        "start": options.start,
        "rate_and_decay": {row: (options.rate or rate, options.l2 or decay) for row, (rate, decay) in TUNED.items()},
    }
    cells = Cells(options.out, settings, tables)
    with tempfile.TemporaryDirectory() as folder:
        for seed, row in itertools.product(options.seeds, options.only):
            if f"{row} {seed}" not in cells.values:
                cells.add(f"{row} {seed}", train_and_test(row, seed, Path(folder), options))


if __name__ == "__main__":
    main()
