r"""Train on one data set, test on others without training there: QAConv, with and without re-ranking and TLift.

    python examples/cross_dataset_qaconv.py                                       # synthetic sites A -> A and B
    python examples/cross_dataset_qaconv.py --train market1501=/data/Market-1501-v15.09.15 \
        --test folder=/data/mine --name qaconv_r50                                # any pair of readers

A data set is given as reader=root, for every reader of `keras_reid.datasets.load`; for the synthetic people as
synthetic=site. Re-ranking needs the scores within queries and within gallery too, for QAConv six times the work of the
plain evaluation on Market-1501; TLift needs capture times.

What to expect. Synthetic people and the tiny network: minutes on two CPU cores. The real data sets and ResNet-50 are
meant for a GPU; neither their time nor their accuracy has been measured by us yet.

The paper's numbers for Market-1501 -> DukeMTMC-reID with ResNet-50 (Liao and Shao, ECCV 2020, AP by the trapezoid
rule): Rank-1 48.8, mAP 28.7; with re-ranking and TLift 64.5 and 55.1.
"""

import argparse
from pathlib import Path

import numpy as np

import keras_reid
from keras_reid.retrieval import Rerank, TemporalLift
from keras_reid.run import run

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--train", default="synthetic=A", help="data set to train on, reader=root (%(default)s)")
parser.add_argument("--test", nargs="+", default=["synthetic=B"], help="data sets to test on (%(default)s)")
parser.add_argument("--name", default="qaconv_tiny", help="zoo entry (%(default)s)")
parser.add_argument("--out", default="runs/cross_dataset_qaconv", type=Path, help="folder of the run (%(default)s)")
parser.add_argument("--epochs", type=int, help="number of epochs (default: the recipe's)")
parser.add_argument("--seed", type=int, default=0, help="one seed for everything (%(default)s)")
parser.add_argument("--identities", type=int, default=300, help="synthetic people to train on (%(default)s)")
parser.add_argument("--weights", help="'imagenet' or a file, as keras_reid.zoo.load takes it")
parser.add_argument("--resume", action="store_true", help="go on with the run in --out")


def load(text, options):
    """Reads "reader=root"."""
    reader, _, root = text.partition("=")
    if reader != "synthetic":
        return keras_reid.datasets.load(reader, root)
    people = {"train_identities": options.identities, "test_identities": max(options.identities // 2, 2)}
    return keras_reid.datasets.load("synthetic", options.out / "data", site=root or "A", seed=options.seed, **people)


def post_processing(dataset):
    """What is tried on a data set, by name: TLift only where every capture time is known."""
    steps = {"re-ranking": [Rerank()]}
    if all(np.isfinite(table.time_s).all() for table in (dataset.query, dataset.gallery)):
        steps |= {"TLift": [TemporalLift()], "re-ranking + TLift": [Rerank(), TemporalLift()]}
    return steps


def main(arguments=None):
    options = parser.parse_args(arguments)
    home, others = load(options.train, options), [load(text, options) for text in options.test]
    model, reports = run(
        options.name,
        home,
        options.out / "run",
        test_sets=others,
        epochs=options.epochs,
        seed=options.seed,
        weights=options.weights,
        resume=options.resume,
    )
    table = {}
    for dataset in (home, *others):
        direction = f"{home.name} → {dataset.name}"
        table[direction, "as it is"] = reports[dataset.name]
        for name, steps in post_processing(dataset).items():
            # TLift on plain scores wants most of them near 0: see QAConv's temperature.
            model.temperature = 1.0 if name == "TLift" else 10.0
            table[direction, name] = keras_reid.evaluate(model, dataset, post_process=steps, progress=False)
    for (direction, name), report in table.items():
        print(f"{direction:<28} {name:<20} Rank-1 {report.rank(1):6.1%}   mAP {report.mean_ap:6.1%}")
    return table


if __name__ == "__main__":
    main()
