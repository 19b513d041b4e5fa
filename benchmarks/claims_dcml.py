"""DCML's claims on synthetic people: the paper's Table 2 sites without labels, a small network, minutes per row.

    python benchmarks/claims_dcml.py                           # everything, seeds 100 to 102; hours
    python benchmarks/claims_dcml.py --only direct plain       # some rows; finished cells are kept and not repeated

The source is the three sites A, B and C together, the site without labels D. A network is trained on the source once
per seed; every row but those of the style begins with its weights. "direct" tests them on the site; "uncentred" and
"plain" adapt with all clustered images and the triplet loss alone, the latter, as all further rows, with centred
cameras; "spreading" adds instance margin spreading; "knn" and "prototype" train on credible anchors; "style" is
"prototype" from a network that was trained on the source as an SPGAN draws it in the site's style. All rows have the
same number of rounds, epochs and images of a batch.
"""

import argparse
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path

from _claims import Cells, spread, table

import keras_reid
from keras_reid import zoo
from keras_reid.adaptation import CredibleMining, adapt, site_pairs, translated
from keras_reid.adaptation.plan import planned
from keras_reid.datasets import combine, load, synthetic
from keras_reid.training import seed_everything

NAME = "claims_dcml"
ENTRY = "dcml_tiny"
PLAN, CLUSTERING, MINING = planned(ENTRY)
# Row -> the mining and the weight of the spreading loss.
ROWS = {
    "direct": None,
    "uncentred": (CredibleMining(start=1.0), 0.0),
    "plain": (CredibleMining(start=1.0), 0.0),
    "spreading": (CredibleMining(start=1.0), 0.01),
    "knn": (replace(MINING, credibility="knn"), 0.01),
    "prototype": (MINING, 0.01),
    "style_direct": None,
    "style": (MINING, 0.01),
}
TITLES = {
    "direct": "direct transfer",
    "uncentred": "plain clustering, cameras not centred",
    "plain": "plain clustering",
    "spreading": "+ instance margin spreading",
    "knn": "+ credible anchors (k-NN)",
    "prototype": "+ credible anchors (prototype)",
    "style_direct": "direct transfer, source in the site's style",
    "style": "+ credible anchors (prototype), source in the site's style",
}
SIZE = (96, 48)  # so that a training takes two minutes of one core
FIGURES = ("mean_ap", "rank1", "rank5", "rank10")

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--only", nargs="+", choices=ROWS, default=list(ROWS), help="rows (default: all)")
parser.add_argument("--source", nargs="+", default=["A", "B", "C"], help="sites with labels (%(default)s)")
parser.add_argument("--target", default="D", help="site without (%(default)s)")
parser.add_argument("--seeds", nargs="+", type=int, default=[100, 101, 102], help="of people, cameras and training")
parser.add_argument("--source-identities", type=int, default=100, help="people of each source (%(default)s)")
parser.add_argument("--identities", type=int, default=200, help="people to adapt to (%(default)s)")
parser.add_argument("--source-epochs", type=int, help="(default: the recipe's)")
parser.add_argument("--style-epochs", type=int, help="of the SPGAN (default: the recipe's)")
parser.add_argument("--rounds", type=int, help="(default: the recipe's)")
parser.add_argument("--epochs", type=int, help="of a round (default: the recipe's)")
parser.add_argument("--rate", type=float, help="of the first round (default: the recipe's)")
parser.add_argument("--root", type=Path, help="where synthetic people are kept (default: a temporary folder)")
parser.add_argument("--out", default=NAME, help="name of the result file (%(default)s)")
parser.add_argument("--weights", type=Path, help="folder that keeps the networks trained on the source")


def experiment(root, seed, options):
    """The table of all sources, and the site under a draw of its cameras."""
    sites = []
    for site in (*options.source, options.target):
        count = options.identities if site == options.target else options.source_identities
        people = {"train_identities": count, "test_identities": max(count // 2, 2)}
        sites.append(load("synthetic", root, site=site, seed=seed, camera_seed=seed, **people))
    return combine(sites[:-1], target=sites[-1]).train, sites[-1]


def plan_of(options):
    epochs = options.epochs or PLAN.epochs
    rate = options.rate or PLAN.optimizer["learning_rate"]
    return replace(
        PLAN,
        rounds=options.rounds or PLAN.rounds,
        epochs=epochs,
        last_epochs=min(PLAN.last_epochs, epochs - 1),
        optimizer={**PLAN.optimizer, "learning_rate": rate},
    )


def figures(model, dataset):
    report = keras_reid.evaluate(model, dataset, progress=False)
    values = {"mean_ap": report.mean_ap} | {f"rank{k}": report.rank(k) for k in (1, 5, 10)}
    return {name: round(100 * value, 2) for name, value in values.items()}


def name_of(seed, options):
    """What is trained on a source is kept under it."""
    return "_".join(map(str, (*options.source, options.source_identities, options.source_epochs, seed)))


def source_weights(seed, source, target, style, folder, options):
    """Trains on the source, as it is or in the site's style, unless that was done before."""
    name = name_of(seed, options)
    file = folder / f"{f'style_{options.target}' if style else 'source'}_{name}.weights.h5"
    if not file.exists():
        seed_everything(seed)
        table = drawn(source, target, folder, seed, options) if style else source
        seed_everything(seed)
        model = zoo.load(ENTRY, image_size=SIZE)
        zoo.recipe(ENTRY).fit(model, table, epochs=options.source_epochs, seed=seed, cache="memory", verbose=0)
        model.inference_model().save_weights(file)
    return file


def drawn(source, target, folder, seed, options):
    """The source's images in the style of the site, by an SPGAN trained on both unless all are there."""
    folder = folder / f"drawn_{name_of(seed, options)}_{options.target}"
    model = zoo.load("spgan_tiny")
    if len(list(folder.glob("*.png"))) < len(source):
        pairs = site_pairs(source, target.train)
        zoo.recipe("spgan_tiny").fit(model, pairs, epochs=options.style_epochs, seed=seed, cache="memory", verbose=0)
    return translated(model, source, folder)


def cell(row, seed, root, folder, options):
    """Adapts by one row's rules and tests; the cell of the result file."""
    source, target = experiment(root, seed, options)
    weights = source_weights(seed, source, target, row.startswith("style"), folder, options)
    seed_everything(seed)
    mining, spreading = ROWS[row] or (None, 0.0)
    model = zoo.load(ENTRY, weights=weights, image_size=SIZE, spreading_weight=spreading)
    started, records = time.process_time(), []
    if mining is not None:
        clustering = replace(CLUSTERING, center_cameras=row != "uncentred")
        arguments = {"plan": plan_of(options), "clustering": clustering, "mining": mining, "seed": seed}
        records = adapt(model, None, target.train, **arguments, verbose=False)
    return {
        "row": row,
        "seed": seed,
        "adaptation_cpu_s": round(time.process_time() - started, 1),
        "rounds": [
            {
                name: getattr(record, name)
                for name in ("clusters", "labelled", "anchors", "purity", "anchor_purity", "eps")
            }
            for record in records
        ],
        **figures(model, target),
    }


def tables(cells):
    rows = []
    for row, title in TITLES.items():
        found = [value for value in cells.values() if value["row"] == row]
        if found:
            last = [value["rounds"][-1] for value in found if value["rounds"]]
            purity = spread([100 * one["anchor_purity"] for one in last]) if last else "—"
            rows.append([title, *(spread([value[figure] for value in found]) for figure in FIGURES), purity])
    header = ["", "mAP", "Rank-1", "Rank-5", "Rank-10", "purity of the last anchors"]
    return [table("A site without labels", header, rows)]


def main():
    options = parser.parse_args()
    plan = plan_of(options)
    settings = {
        "renderer": synthetic.VERSION,
        "entry": ENTRY,
        "source": options.source,
        "target": options.target,
        "source_identities": options.source_identities,
        "identities": options.identities,
        "source_epochs": options.source_epochs or zoo.recipe(ENTRY).epochs,
        "style_epochs": options.style_epochs or zoo.recipe("spgan_tiny").epochs,
        "image_size": SIZE,
        "rounds": plan.rounds,
        "epochs": plan.epochs,
        "rate": plan.optimizer["learning_rate"],
        "clustering": asdict(CLUSTERING),
        "mining": asdict(MINING),
    }
    cells = Cells(options.out, settings, tables)
    with tempfile.TemporaryDirectory() as folder:
        kept = options.weights or Path(folder)
        kept.mkdir(parents=True, exist_ok=True)
        for seed in options.seeds:
            for row in options.only:
                if f"{row} {seed}" not in cells.values:
                    found = cell(row, seed, options.root or Path(folder) / "people", kept, options)
                    cells.add(f"{row} {seed}", found)
                    print(found, flush=True)
    cells.close()


if __name__ == "__main__":
    main()
