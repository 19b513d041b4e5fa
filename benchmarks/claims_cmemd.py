"""CM-EMD's claims on synthetic people and their thermal twins: what each part adds, in both directions.

    python benchmarks/claims_cmemd.py                       # everything: sites C and D, seeds 100 to 102; hours
    python benchmarks/claims_cmemd.py --only identity emd   # some rows; finished cells are kept and not repeated

The rows add one part at a time: identity losses alone, all visible images drawn to all thermal ones (uniform plan), the
optimal plan, the ratio of variances, the local stream. The strong baseline has the same batches, augmentation,
optimiser and epochs. Every model is tested in both directions, on other people of the same site and cameras. The
modality gap is the squared distance between the modalities' means of an identity, averaged, as a share of the variance
between identities.
"""

import argparse
import dataclasses
import json
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from _measure import RESULTS, write_result

from keras_reid import datasets, evaluate, zoo
from keras_reid.datasets.synthetic import thermal
from keras_reid.evaluation import extract
from keras_reid.methods import CMEMD, Baseline
from keras_reid.training import seed_everything

NAME = "claims_cmemd"
GLOBAL = {"multi_granularity": False}
ROWS = {
    "identity": {"transport_weight": 0.0, "discrimination_weight": 0.0, **GLOBAL},
    "uniform": {"plan": "uniform", "discrimination_weight": 0.0, **GLOBAL},
    "emd": {"discrimination_weight": 0.0, **GLOBAL},
    "emd_dl": GLOBAL,
    "whole": {},
    "baseline": None,
}
DIRECTIONS = ("visible_to_thermal", "thermal_to_visible")
FIGURES = ("mean_ap", "rank1")

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--only", nargs="+", choices=ROWS, default=list(ROWS), help="rows (default: all)")
parser.add_argument("--layouts", nargs="+", choices=thermal.LAYOUTS, default=list(thermal.LAYOUTS))
parser.add_argument("--sites", nargs="+", default=["C", "D"])
parser.add_argument("--seeds", nargs="+", type=int, default=[100, 101, 102], help="of people, cameras and training")
parser.add_argument("--identities", type=int, default=150, help="people to train on; half as many to test on")
parser.add_argument("--epochs", type=int, default=20)
parser.add_argument("--rate", type=float, help="learning rate (default: the recipe's)")
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
    return CMEMD(**{**zoo.card("cmemd_tiny").constructor, **ROWS[row]})


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


def spread(values):
    return {
        "mean": round(statistics.mean(values), 3),
        "deviation": round(statistics.stdev(values), 3) if len(values) > 1 else None,
    }


def table(cells):
    """Layout -> row -> figures over the seeds; a seed's figure is the mean over the sites."""
    result = {}
    for layout in thermal.LAYOUTS:
        for row in ROWS:
            seeds = {}
            for cell in cells.values():
                if (cell["row"], cell["layout"]) == (row, layout):
                    seeds.setdefault(cell["seed"], []).append(cell)
            if not seeds:
                continue

            def figure(read, seeds=seeds):
                return spread([statistics.mean(map(read, found)) for found in seeds.values()])

            result.setdefault(layout, {})[row] = {
                **{
                    direction: {name: figure(lambda cell, d=direction, n=name: cell[d][n]) for name in FIGURES}
                    for direction in DIRECTIONS
                },
                "modality_gap": figure(lambda cell: cell["modality_gap"]),
            }
    return result


def main():
    options = parser.parse_args()
    settings = {
        "renderer": thermal.VERSION,
        "sites": options.sites,
        "identities": options.identities,
        "epochs": options.epochs,
        "recipe": "cmemd_tiny",
        "rate": options.rate,
    }
    path = RESULTS / f"{options.out}.json"
    kept = json.loads(path.read_text()) if path.exists() else {"settings": settings, "cells": {}}
    if kept["settings"] != settings:
        raise SystemExit(f"{path} was made with other settings: {kept['settings']}. Choose another --out.")
    cells = kept["cells"]
    plan = [(row, *rest) for rest in _places(options) for row in options.only]
    with tempfile.TemporaryDirectory() as folder:
        for row, layout, site, seed in plan:
            key = f"{row} {layout} {site} {seed}"
            if key in cells:
                continue
            cells[key] = train_and_test(row, layout, site, seed, Path(folder), options)
            print(cells[key], flush=True)
            write_result(options.out, {"settings": settings, "table": table(cells), "cells": cells})


def _places(options):
    """Seeds last, so that a stopped run has every row of some seed."""
    return [(layout, site, seed) for seed in options.seeds for layout in options.layouts for site in options.sites]


if __name__ == "__main__":
    main()
