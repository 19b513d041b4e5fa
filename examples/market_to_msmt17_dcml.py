r"""Adapt to a site that nobody has labelled: DCML, from one data set to another.

    python examples/market_to_msmt17_dcml.py                                      # synthetic sites A -> B
    python examples/market_to_msmt17_dcml.py --source market1501=/data/Market-1501-v15.09.15 \
        --target msmt17=/data/MSMT17_V1 --name dcml_r50 --weights imagenet        # any pair of readers

A data set is given as reader=root, for every reader of `keras_reid.datasets.load`; for the synthetic people as
synthetic=site. The identities of the target's training images are never looked at for training; where they are known,
the records say how pure the clusters are, and the sheet of clusters frames the wrong images. The folder also holds the
curves by round. A run that was stopped goes on with --resume.

What to expect. Synthetic people and the tiny network: minutes on two CPU cores. The real data sets and ResNet-50 are
meant for a GPU; neither their time nor their accuracy has been measured by us yet. The paper reports no numbers on
MSMT17; it reports mAP 63.5 and Rank-1 79.3 from Market-1501 to DukeMTMC-reID (Chen et al., ECCV 2020, Table 1).
"""

import argparse
from pathlib import Path

import numpy as np

import keras_reid
from keras_reid.adaptation.run import run
from keras_reid.visualize import cluster_sheet

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--source", default="synthetic=A", help="labelled data set, reader=root (%(default)s)")
parser.add_argument("--target", default="synthetic=B", help="the site, reader=root (%(default)s)")
parser.add_argument("--name", default="dcml_tiny", help="zoo entry (%(default)s)")
parser.add_argument("--out", default="runs/market_to_msmt17_dcml", type=Path, help="folder (%(default)s)")
parser.add_argument("--weights", help="'imagenet' or a file, as keras_reid.zoo.load takes it")
parser.add_argument("--credibility", default="prototype", choices=("prototype", "knn"), help="(%(default)s)")
parser.add_argument("--source-epochs", type=int, help="epochs on the source (default: the recipe's)")
parser.add_argument("--rounds", type=int, help="rounds on the site (default: the recipe's)")
parser.add_argument("--epochs", type=int, help="epochs of a round (default: the recipe's)")
parser.add_argument("--closest-share", type=float, help="share of pairs DBSCAN's radius is measured by (the recipe's)")
parser.add_argument("--seed", type=int, default=0, help="one seed for everything (%(default)s)")
parser.add_argument("--identities", type=int, default=300, help="synthetic people to train on (%(default)s)")
parser.add_argument("--resume", action="store_true", help="go on with the run in --out")


def load(text, options):
    """Reads "reader=root"."""
    reader, _, root = text.partition("=")
    if reader != "synthetic":
        return keras_reid.datasets.load(reader, root)
    people = {"train_identities": options.identities, "test_identities": max(options.identities // 2, 2)}
    return keras_reid.datasets.load("synthetic", options.out / "data", site=root or "A", seed=options.seed, **people)


def main(arguments=None):
    options = parser.parse_args(arguments)
    source, target = load(options.source, options), load(options.target, options)
    folder = options.out / "run"
    names = ("weights", "credibility", "closest_share", "source_epochs", "rounds", "epochs", "seed", "resume")
    _, records = run(options.name, source, target, folder, **{name: getattr(options, name) for name in names})
    with np.load(folder / f"round_{len(records)}" / "pseudo_labels.npz") as stage:
        order = "impurest" if target.train.num_persons > 1 else "random"
        cluster_sheet(target.train, stage["labels"], order=order).savefig(folder / "clusters.png", dpi=160)
    if records[-1].mean_ap is not None:
        first, last = records[0], records[-1]
        print(f"Before: Rank-1 {first.rank1_before:6.1%}   mAP {first.mean_ap_before:6.1%}   (direct transfer)")
        print(f"After:  Rank-1 {last.rank1:6.1%}   mAP {last.mean_ap:6.1%}")
    print(f"Records, model and pictures are in {folder}")
    return records


if __name__ == "__main__":
    main()
