"""The strong baseline on one data set, searched as it is and re-ranked.

    python examples/supervised_baseline.py                                            # synthetic people, tiny network
    python examples/supervised_baseline.py --root /data/Market-1501-v15.09.15         # ResNet-50 from ImageNet weights
    python examples/supervised_baseline.py --data cuhk03_np --root /data/cuhk03-np    # boxes by the detector
    python examples/supervised_baseline.py --data msmt17 --root /data/MSMT17_V1

Time: synthetic people about 6 CPU minutes. Market-1501: 120 epochs of 188 batches of 64 images; on a GPU
not measured.

Paper: Rank-1 94.5, mAP 85.9 on Market-1501, not re-ranked (Luo et al., "Bag of Tricks and a Strong Baseline for Deep
Person Re-identification", CVPR Workshops 2019, abstract; with the centre loss, which the recipe leaves out). On the
other data sets we know of no number of theirs.

Writes: the folder --out, with data/ (drawn people) and run/: configuration, log, state to resume from, model.keras,
report.html, report.json, report.txt.
"""

import argparse
from pathlib import Path

import keras_reid
from keras_reid.retrieval import Rerank
from keras_reid.run import run

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", default="market1501", help="reader of the data set (%(default)s)")
parser.add_argument("--root", help="folder of the data set; synthetic people without it")
parser.add_argument("--name", help="zoo entry (default: baseline_r50, and baseline_tiny for synthetic people)")
parser.add_argument("--out", default="runs/supervised_baseline", type=Path, help="folder to write to (%(default)s)")
parser.add_argument("--epochs", type=int, help="number of epochs (default: the recipe's)")
parser.add_argument("--seed", type=int, default=0, help="one seed for everything (%(default)s)")
parser.add_argument("--identities", type=int, default=300, help="synthetic people to train on (%(default)s)")
parser.add_argument("--resume", action="store_true", help="go on with the run in --out")


def main(arguments=None):
    options = parser.parse_args(arguments)
    name = options.name or ("baseline_r50" if options.root else "baseline_tiny")

    # The data: three tables (train, query, gallery) and the protocol to judge by.
    if options.root:
        dataset = keras_reid.datasets.load(options.data, options.root)
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
        weights=None if name.endswith("tiny") else "imagenet",  # there are none for the tiny network
        resume=options.resume,
    )
    print(reports[dataset.name])

    # The same features, re-ranked. Published numbers name it when they use it, and so do ours.
    reranked = keras_reid.evaluate(model, dataset, post_process=[Rerank()])
    print(reranked)
    return reports[dataset.name], reranked


if __name__ == "__main__":
    main()
