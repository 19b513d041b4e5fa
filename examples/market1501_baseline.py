"""The strong baseline on Market-1501, or on synthetic people when no data are at hand.

    python examples/market1501_baseline.py                                       # synthetic people, tiny network
    python examples/market1501_baseline.py --root /data/Market-1501-v15.09.15    # ResNet-50 from ImageNet weights

What to expect. Synthetic people and the tiny network: minutes on two CPU cores. Market-1501 and ResNet-50: 120 epochs,
meant for a GPU; neither its time nor its accuracy has been measured by us yet.

The paper's number: Rank-1 94.5, mAP 85.9 on Market-1501 without re-ranking (Luo et al., "Bag of Tricks and a Strong
Baseline for Deep Person Re-identification", CVPR Workshops 2019, abstract; the paper also has the centre loss, which
the recipe leaves out).
"""

import argparse
from pathlib import Path

import keras_reid
from keras_reid.retrieval import Rerank
from keras_reid.run import run

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--root", help="folder of Market-1501; synthetic people without it")
parser.add_argument("--name", choices=["baseline_r50", "baseline_tiny"], help="zoo entry (default: by --root)")
parser.add_argument("--out", default="runs/market1501_baseline", type=Path, help="folder of the run (%(default)s)")
parser.add_argument("--epochs", type=int, help="number of epochs (default: the recipe's)")
parser.add_argument("--seed", type=int, default=0, help="one seed for everything (%(default)s)")
parser.add_argument("--identities", type=int, default=300, help="synthetic people to train on (%(default)s)")
parser.add_argument("--resume", action="store_true", help="go on with the run in --out")


def main(arguments=None):
    options = parser.parse_args(arguments)

    name = options.name or ("baseline_r50" if options.root else "baseline_tiny")

    # The data: three tables (train, query, gallery) and the protocol to judge by.
    if options.root:
        dataset = keras_reid.datasets.load("market1501", options.root)
    else:
        people = {"train_identities": options.identities, "test_identities": max(options.identities // 2, 2)}
        dataset = keras_reid.datasets.load("synthetic", options.out / "data", seed=options.seed, **people)
    print(dataset.summary())

    # The training: recipe, log, state to resume from, model and report, all in one folder.
    model, reports = run(
        name,
        dataset,
        options.out / "run",
        epochs=options.epochs,
        seed=options.seed,
        weights="imagenet" if name == "baseline_r50" else None,  # there are none for the tiny network
        resume=options.resume,
    )
    print(reports[dataset.name])

    # The same features, re-ranked. Published numbers name it when they use it, and so do ours.
    reranked = keras_reid.evaluate(model, dataset, post_process=[Rerank()])
    print(reranked)
    return reports[dataset.name], reranked


if __name__ == "__main__":
    main()
