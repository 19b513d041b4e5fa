"""GMN's claims on synthetic people: train on three sites, test on the fourth, with each part of the method left out.

    python benchmarks/claims_gmn.py                          # everything; hours, in trainings of two minutes
    python benchmarks/claims_gmn.py --only all --targets D   # one row; finished cells are kept and not repeated

Every row is one training, and its model is tested by the cosine of the neck's features, by M-Net and by the sum of
both: rows that differ in the comparison alone share weights. Equal sampler, optimiser, augmentation and steps.
The gap between sources and target is measured on each model: the maximum mean discrepancy (Gretton et al., JMLR 2012)
between their features, and between their pair features, of which half are of one person in both.
"""

import argparse
import itertools
import time
from pathlib import Path

import numpy as np
from _claims import Cells, spread, table

from keras_reid import evaluate, pipeline, zoo
from keras_reid.datasets import combine, load, synthetic
from keras_reid.training import seed_everything

NAME = "claims_gmn"
SITES = ("A", "B", "C", "D")
PARTS = {  # row -> title, constructor arguments
    "baseline": ("baseline", {"metric_network": False, "metric": "cosine", "pair_centre_weight": 0.0}),
    "mnet": ("+ M-Net", {"perturbation": 0.0, "pair_centre_weight": 0.0}),
    "mnet_dropout": ("+ M-Net + perturbation", {"pair_centre_weight": 0.0}),
    "mnet_centre": ("+ M-Net + pair-identity centres", {"perturbation": 0.0}),
    "all": ("all of GMN", {}),
}
METRICS = {"cosine": "cosine", "mnet": "M-Net", "sum": "M-Net and cosine"}
SIZE = (96, 48)  # so that a training takes two minutes of one core
SAMPLES = 400  # features, and pairs, of each side of a gap

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="rows (default: all)")
parser.add_argument("--targets", nargs="+", choices=SITES, default=SITES, help="sites to leave out (default: each)")
parser.add_argument("--seeds", nargs="+", type=int, default=[100, 101, 102], help="of people, cameras and training")
parser.add_argument("--identities", type=int, default=100, help="people to train on, of each site")
parser.add_argument("--test-identities", type=int, default=100)
parser.add_argument("--epochs", type=int, default=10)
parser.add_argument("--batch-identities", type=int, default=12, help="a multiple of the three sources")
parser.add_argument("--root", type=Path, help="where synthetic people are kept (default: the library's cache)")
parser.add_argument("--out", default=NAME, help="name of the result file")


def experiment(target, seed, options):
    """The three sources as one, and the target's people under a draw of its cameras."""
    people = {"train_identities": options.identities, "test_identities": options.test_identities}
    sites = {site: load("synthetic", options.root, site=site, seed=seed, camera_seed=seed, **people) for site in SITES}
    return combine([sites[site] for site in SITES if site != target], target=sites[target])


def train_and_test(row, target, seed, options):
    """Trains one model and tests it by every comparison; the cell of the result file."""
    dataset = experiment(target, seed, options)
    recipe, sampler = zoo.recipe("gmn_tiny"), {"identities": options.batch_identities}
    steps = recipe.sampler["passes"] * -(-dataset.train.num_persons // options.batch_identities) * options.epochs
    seed_everything(seed)
    # The dropout begins after a sixth of the training, as after 10 of 60 epochs.
    model = zoo.load("gmn_tiny", **{"image_size": SIZE, "warmup_steps": steps // 6, **PARTS[row][1]})
    wall, cpu = time.perf_counter(), time.process_time()
    history = recipe.fit(
        model, dataset, epochs=options.epochs, seed=seed, cache="memory", sampler=sampler, verbose=0
    ).history
    cell = {
        "row": row,
        "target": target,
        "seed": seed,
        "steps": steps,
        "training_cpu_s": round(time.process_time() - cpu, 1),
        "training_wall_s": round(time.perf_counter() - wall, 1),
        "last_losses": {name: round(values[-1], 4) for name, values in history.items()},
        "found": {},
        "gap": gaps(model, dataset, seed),
    }
    for metric in METRICS if model.metric_network is not None else ("cosine",):
        model.metric = metric
        report = evaluate(model, dataset, progress=False)
        cell["found"][metric] = {"mean_ap": round(100 * report.mean_ap, 2), "rank1": round(100 * report.rank(1), 2)}
    return cell


def gaps(model, dataset, seed):
    """The discrepancy between sources and target in both spaces; that of two halves of the sources for scale."""
    rng = np.random.default_rng(seed)
    spaces = {"images": [], "pairs": []}
    for one in (dataset.train, dataset.train, dataset.gallery):
        chosen = one.take(rng.permutation(len(one))[: 4 * SAMPLES])
        features = model.extract(pipeline.inference(chosen, model.image_size, interpolation=model.interpolation))
        spaces["images"].append(features[:SAMPLES])
        spaces["pairs"].append(some_pairs(features, chosen, rng))
    return {
        space: {"to_target": discrepancy(first, target), "within_sources": discrepancy(first, second)}
        for space, (first, second, target) in spaces.items()
    }


def some_pairs(features, chosen, rng):
    """Squared differences of random pairs within one source, half of them of one person."""
    same = (chosen.person_id[:, None] == chosen.person_id[None, :]) & ~np.eye(len(chosen), dtype=bool)
    other = (chosen.person_id[:, None] != chosen.person_id[None, :]) & (chosen.domain[:, None] == chosen.domain[None])
    rows = []
    for kind in (same, other):
        places = np.argwhere(np.triu(kind))
        rows.append(places[rng.permutation(len(places))[: SAMPLES // 2]])
    first, second = np.concatenate(rows).T
    return np.square(features[first] - features[second])


def discrepancy(first, second):
    """Maximum mean discrepancy, biased estimate, by a Gaussian as wide as the median distance: free of scale."""
    both = np.concatenate([first, second]).astype("float64")
    squares = (both**2).sum(1)
    distances = np.maximum(squares[:, None] + squares[None, :] - 2.0 * both @ both.T, 0.0)
    kernel = np.exp(-distances / np.median(distances[np.triu_indices(len(both), 1)]))
    n = len(first)
    return round(float(np.sqrt(kernel[:n, :n].mean() + kernel[n:, n:].mean() - 2.0 * kernel[:n, n:].mean())), 4)


def tables(cells):
    return [*(accuracy(cells, target) for target in (None, *SITES)), gap_table(cells)]


def accuracy(cells, target):
    """One line per training and comparison: the mean over targets (then over seeds), or one target's."""
    rows = []
    for (row, (title, _)), (metric, compared) in itertools.product(PARTS.items(), METRICS.items()):
        found = [cell for cell in cells.values() if cell["row"] == row and target in (None, cell["target"])]
        by_seed = {}
        for cell in found:
            if metric in cell["found"]:
                by_seed.setdefault(cell["seed"], []).append(cell["found"][metric])
        if by_seed:
            figures = [
                spread([np.mean([one[figure] for one in ones]) for ones in by_seed.values()])
                for figure in ("mean_ap", "rank1")
            ]
            rows.append([f"{title}, by {compared}", *figures])
    title = "Three sites -> the fourth, mean over targets" if target is None else f"The other sites -> {target}"
    return table(title, ["", "mAP", "Rank-1"], rows)


def gap_table(cells):
    rows = []
    for row, (title, _) in PARTS.items():
        found = [cell["gap"] for cell in cells.values() if cell["row"] == row]
        if found:
            columns = [(space, kind) for space in ("images", "pairs") for kind in ("to_target", "within_sources")]
            rows.append([title, *(f"{np.mean([one[space][kind] for one in found]):.3f}" for space, kind in columns)])
    header = ["", "images: to target", "images: within sources", "pairs: to target", "pairs: within sources"]
    return table("Maximum mean discrepancy", header, rows)


def main(arguments=None):
    options = parser.parse_args(arguments)
    settings = {
        "renderer": synthetic.VERSION,
        "identities": options.identities,
        "test_identities": options.test_identities,
        "epochs": options.epochs,
        "batch_identities": options.batch_identities,
        "image_size": SIZE,
        "rows": {row: arguments for row, (_, arguments) in PARTS.items()},
    }
    cells = Cells(options.out, settings, tables)
    for seed, target, row in itertools.product(options.seeds, options.targets, options.only):
        if f"{row} {target} {seed}" not in cells.values:
            cells.add(f"{row} {target} {seed}", train_and_test(row, target, seed, options))
    cells.close()


if __name__ == "__main__":
    main()
