r"""Train on several data sets, test on one that was not among them: GMN, by its metric network and by the cosine.

    python examples/domain_generalization_gmn.py                                  # synthetic sites A, B, C -> D
    python examples/domain_generalization_gmn.py --name gmn_r50 --weights imagenet \
        --train market1501=/data/market msmt17=/data/msmt17 cuhk_sysu=/data/cuhk_sysu --test cuhk03_np=/data/cuhk03

A data set is given as reader=root, for every reader of `keras_reid.datasets.load`; for the synthetic people as
synthetic=site. With `--use all` all images of the sources are trained on (protocol 3 of the field), by default their
training images (protocol 2). The small sets VIPeR, PRID 2011, GRID and i-LIDS are read in their first of ten splits;
their protocol is the mean over all ten (`trial=0` to `9`).

What to expect. Synthetic people and the tiny network: minutes on two CPU cores. The real data sets and ResNet-50 are
meant for a GPU; neither their time nor their accuracy has been measured by us yet. Of the paper (Qi, Liu, Shi, Geng,
arXiv:2306.11991) only the abstract could be read, so there is no published number to compare with here.
"""

import argparse
from pathlib import Path

import keras_reid
from keras_reid.run import run

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
sources = ["synthetic=A", "synthetic=B", "synthetic=C"]
parser.add_argument("--train", nargs="+", default=sources, help="data sets to train on, reader=root (%(default)s)")
parser.add_argument("--test", default="synthetic=D", help="data set to test on (%(default)s)")
parser.add_argument("--use", choices=["train", "all"], default="train", help="images of the sources (%(default)s)")
parser.add_argument("--name", default="gmn_tiny", help="zoo entry (%(default)s)")
parser.add_argument(
    "--out", default="runs/domain_generalization_gmn", type=Path, help="folder of the run (%(default)s)"
)
parser.add_argument("--epochs", type=int, help="number of epochs (default: the recipe's)")
parser.add_argument("--seed", type=int, default=0, help="one seed for everything (%(default)s)")
parser.add_argument("--identities", type=int, default=100, help="synthetic people of each source (%(default)s)")
parser.add_argument("--weights", help="'imagenet' or a file, as keras_reid.zoo.load takes it")
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

    # One training table of all sources: identities and cameras numbered apart, `domain` says who is from where.
    target = load(options.test, options)
    dataset = keras_reid.datasets.combine(
        [load(text, options) for text in options.train], target=target, use=options.use
    )
    print(dataset.summary())

    # Every batch has as many identities of each source, so their number must be a multiple of the sources'.
    identities = keras_reid.zoo.recipe(options.name).sampler["identities"]
    share = max(identities // len(options.train), 2)
    model, reports = run(
        options.name,
        dataset,
        options.out / "run",
        epochs=options.epochs,
        seed=options.seed,
        weights=options.weights,
        sampler={"identities": share * len(options.train)},
        resume=options.resume,
    )

    # The same features, compared in three ways.
    found = {"mnet": reports[dataset.name]}
    for metric in ("cosine", "sum"):
        model.metric = metric
        found[metric] = keras_reid.evaluate(model, dataset, progress=False)
    for metric, report in found.items():
        print(f"{dataset.name} -> {target.name}, {metric:<7} Rank-1 {report.rank(1):6.1%}   mAP {report.mean_ap:6.1%}")
    return found


if __name__ == "__main__":
    main()
