"""CM-EMD's claims on synthetic people and their thermal twins: what each part adds, in both directions.

    python benchmarks/claims_cmemd.py                       # RegDB layout, site C, seeds 100 to 102: an hour
    python benchmarks/claims_cmemd.py --only identity emd   # some rows; finished cells are kept and not repeated

The rows add one part at a time: identity losses alone, all visible images drawn to all thermal ones (uniform plan), the
optimal plan, the ratio of variances, the local stream. The strong baseline has the same batches, augmentation,
optimiser and epochs. Every model is tested in both directions, on other people of the same site and cameras. The
modality gap is the squared distance between the modalities' means of an identity, averaged, as a share of the variance
between identities.
"""

import argparse
import dataclasses
import itertools
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from _claims import Cells, spread, table

from keras_reid import datasets, evaluate, zoo
from keras_reid.datasets.synthetic import thermal
from keras_reid.evaluation import extract
from keras_reid.methods import CMEMD, Baseline
from keras_reid.training import seed_everything

NAME = "claims_cmemd"
GLOBAL = {"multi_granularity": False}
ROWS = {  # row -> title, constructor arguments
    "baseline": ("the strong baseline", None),
    "identity": ("identity losses", {"transport_weight": 0.0, "discrimination_weight": 0.0, **GLOBAL}),
    "uniform": ("+ uniform plan", {"plan": "uniform", "discrimination_weight": 0.0, **GLOBAL}),
    "emd": ("+ optimal plan (CM-EMD)", {"discrimination_weight": 0.0, **GLOBAL}),
    "emd_dl": ("+ discrimination (CM-DL)", GLOBAL),
    "whole": ("+ local stream: all of the method", {}),
    "tenth_global": ("CM-EMD + a tenth of CM-DL", {"discrimination_weight": 0.1, **GLOBAL}),
    "tenth": ("all of the method, a tenth of CM-DL", {"discrimination_weight": 0.1}),
}
DIRECTIONS = ("visible_to_thermal", "thermal_to_visible")
FIGURES = ("mean_ap", "rank1")

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--only", nargs="+", choices=ROWS, default=list(ROWS), help="rows (default: all)")
parser.add_argument("--layouts", nargs="+", choices=thermal.LAYOUTS, default=["regdb"])
parser.add_argument("--sites", nargs="+", default=["C"])
parser.add_argument("--seeds", nargs="+", type=int, default=[100, 101, 102], help="of people, cameras and training")
parser.add_argument("--identities", type=int, default=300, help="people to train on; half as many to test on")
parser.add_argument("--epochs", type=int, default=10)
parser.add_argument("--rate", type=float, help="learning rate (default: the recipe's)")
parser.add_argument("--root", type=Path, help="where synthetic people are kept (default: a temporary folder)")
parser.add_argument("--out", default=NAME, help="name of the result file")


def people(root, layout, site, seed, identities):
    """The data set of each direction; they share the training table."""
    options = {
        "layout": layout,
        "site": site,
        "seed": seed,
        "camera_seed": seed,
        "train_identities": identities,
        "test_identities": max(identities // 2, 2),
    }
    if layout == "regdb":
        return {name: datasets.load("synthetic_thermal", root, direction=name, **options) for name in DIRECTIONS}
    published = datasets.load("synthetic_thermal", root, **options)
    # The benchmark asks with infrared images only; turned round, the whole of both tables is taken.
    turned = dataclasses.replace(
        published, query=published.gallery, gallery=published.query, trials=(), protocol="no_camera"
    )
    return dict(zip(DIRECTIONS, (turned, published), strict=True))


def model_of(row):
    if row == "baseline":
        return Baseline(backbone="tiny", image_size=(96, 48))
    return CMEMD(**{**zoo.card("cmemd_tiny").constructor, **ROWS[row][1]})


def modality_gap(model, dataset):
    """|mean visible - mean thermal|^2 of an identity over the variance between identities."""
    query, gallery = (extract(model, table, progress=False) for table in (dataset.query, dataset.gallery))
    means = [
        np.stack([features[table.person_id == person].mean(axis=0) for person in dataset.query.person_ids])
        for features, table in ((query, dataset.query), (gallery, dataset.gallery))
    ]
    centres = (means[0] + means[1]) / 2
    between = np.square(centres - centres.mean(axis=0)).sum(axis=1).mean()
    return float(np.square(means[0] - means[1]).sum(axis=1).mean() / between)


def train_and_test(row, layout, site, seed, root, options):
    """Trains one model and tests it both ways; the cell of the result file."""
    tested = people(root, layout, site, seed, options.identities)
    seed_everything(seed)
    model = model_of(row)
    recipe = zoo.recipe("cmemd_tiny")
    if options.rate:
        recipe = dataclasses.replace(recipe, optimizer={**recipe.optimizer, "learning_rate": options.rate})
    sampler = {"identities": min(recipe.sampler["identities"], options.identities)}
    train, cpu = tested[DIRECTIONS[0]], time.process_time()
    history = recipe.fit(
        model, train, epochs=options.epochs, seed=seed, cache="memory", sampler=sampler, verbose=0
    ).history
    cell = {
        "row": row,
        "layout": layout,
        "site": site,
        "seed": seed,
        "training_cpu_s": round(time.process_time() - cpu, 1),
        "training_accuracy": round(history["accuracy"][-1], 3),
        "modality_gap": round(modality_gap(model, train), 4),
    }
    for direction, dataset in tested.items():
        report = evaluate(model, dataset, progress=False)
        cell[direction] = {"mean_ap": round(100 * report.mean_ap, 2), "rank1": round(100 * report.rank(1), 2)}
    return cell


def tables(cells):
    """One table per layout: a row's figures over the seeds; a seed's figure is the mean over its sites."""
    return [
        _table(layout, cells) for layout in thermal.LAYOUTS if any(one["layout"] == layout for one in cells.values())
    ]


def _table(layout, cells):
    rows = []
    for row, (title, _) in ROWS.items():
        seeds = {}
        for cell in cells.values():
            if (cell["row"], cell["layout"]) == (row, layout):
                seeds.setdefault(cell["seed"], []).append(cell)
        if seeds:
            readers = [lambda cell, d=d, f=f: cell[d][f] for d, f in itertools.product(DIRECTIONS, FIGURES)]
            readers.append(lambda cell: 100 * cell["modality_gap"])
            rows.append([title, *(spread([statistics.mean(map(read, s)) for s in seeds.values()]) for read in readers)])
    named = {"visible_to_thermal": "visible to thermal", "thermal_to_visible": "thermal to visible"}
    figures = [f"{named[d]}: {f}" for d, f in itertools.product(DIRECTIONS, ("mAP", "Rank-1"))]
    return table(f"Layout of {layout}", ["", *figures, "modality gap, %"], rows)


def main():
    options = parser.parse_args()
    settings = {
        "renderer": thermal.VERSION,
        "identities": options.identities,
        "epochs": options.epochs,
        "recipe": "cmemd_tiny",
        "rate": options.rate,
    }
    cells = Cells(options.out, settings, tables)
    with tempfile.TemporaryDirectory() as folder:
        # Seeds first, so that a stopped run has every row of some seed.
        places = itertools.product(options.seeds, options.layouts, options.sites, options.only)
        for seed, layout, site, row in places:
            if f"{row} {layout} {site} {seed}" not in cells.values:
                found = train_and_test(row, layout, site, seed, options.root or Path(folder), options)
                cells.add(f"{row} {layout} {site} {seed}", found)
                print(found, flush=True)
    cells.close()


if __name__ == "__main__":
    main()
