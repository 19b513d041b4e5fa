r"""Train on several data sets, test on one that was not among them: GMN, by its metric network and by the cosine.

    python examples/domain_generalization_gmn.py                                  # synthetic sites A, B, C -> D
    python examples/domain_generalization_gmn.py --train market1501=/data/market msmt17=/data/msmt17 \
        cuhk_sysu=/data/cuhk_sysu --test cuhk03_np=/data/cuhk03                   # ResNet-50 from ImageNet weights

A data set is reader=root, or reader=root,option=value. The sources' training images are trained on (protocol 2 of the
field), or all their images with --use all (protocol 3; to the small sets VIPeR, PRID 2011, GRID and i-LIDS, protocol 1:
the mean over their splits, viper=/data/viper,trial=0 to trial=9).

Time: synthetic people about 3 CPU minutes. ResNet-50: 20 epochs of 1,140 batches of 60 images, not measured.

Paper: of Qi, Liu, Shi, Geng, "Generalizable Metric Network for Cross-domain Person Re-identification", only the
abstract could be read (arXiv:2306.11991), so there is no published number to compare with.

Writes: the folder --out, with data/ (drawn people) and run/: configuration, log, state to resume from, model.keras,
report.html, report.json, report.txt.
"""

import argparse
from pathlib import Path

import keras_reid
from keras_reid.run import run

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
sources = ["synthetic=A", "synthetic=B", "synthetic=C"]
parser.add_argument("--train", nargs="+", default=sources, help="data sets to train on (%(default)s)")
parser.add_argument("--test", default="synthetic=D", help="data set to test on (%(default)s)")
parser.add_argument("--use", choices=["train", "all"], default="train", help="images of the sources (%(default)s)")
parser.add_argument("--name", help="zoo entry (default: gmn_r50, and gmn_tiny for synthetic people)")
parser.add_argument("--out", default="runs/domain_generalization_gmn", type=Path, help="where to write (%(default)s)")
parser.add_argument("--epochs", type=int, help="number of epochs (default: the recipe's)")
parser.add_argument("--seed", type=int, default=0, help="one seed for everything (%(default)s)")
parser.add_argument("--identities", type=int, default=100, help="synthetic people of each source (%(default)s)")
parser.add_argument("--resume", action="store_true", help="go on with the run in --out")


def load(text, options):
    """Reads reader=root,option=value; the root of synthetic people is their site."""
    (reader, root), *pairs = (pair.partition("=")[::2] for pair in text.split(","))
    extra = {key: int(value) if value.isdigit() else value for key, value in pairs}
    if reader == "synthetic":
        people = {"train_identities": options.identities, "test_identities": max(options.identities // 2, 2)}
        root, extra = options.out / "data", {"site": root or "A", "seed": options.seed, **people, **extra}
    return keras_reid.datasets.load(reader, root, **extra)


def main(arguments=None):
    options = parser.parse_args(arguments)
    target, *sources = (load(text, options) for text in (options.test, *options.train))
    name = options.name or ("gmn_tiny" if target.name.startswith("synthetic") else "gmn_r50")

    # One training table of all sources: identities and cameras numbered apart, `domain` says who is from where.
    dataset = keras_reid.datasets.combine(sources, target=target, use=options.use)
    print(dataset.summary())

    # Every batch has as many identities of each source, so their number must be a multiple of the sources'.
    recipe = keras_reid.zoo.recipe(name)
    identities = max(recipe.sampler["identities"] // len(sources), 2) * len(sources)
    epochs = options.epochs or recipe.epochs
    settings = {"epochs": epochs, "seed": options.seed, "resume": options.resume, "sampler": {"identities": identities}}
    settings["weights"] = None if name.endswith("tiny") else "imagenet"  # there are none for the tiny network
    # The perturbation begins after 15 % of the steps, as in the recipe, however many steps these sources give.
    steps = recipe.sampler.get("passes", 1) * -(-dataset.train.num_persons // identities) * epochs
    settings["overrides"] = {"warmup_steps": round(0.15 * steps)}
    model, reports = run(name, dataset, options.out / "run", **settings)

    # The same features, compared in three ways.
    found = {"mnet": reports[dataset.name]}
    for metric in ("cosine", "sum"):
        model.metric = metric
        found[metric] = keras_reid.evaluate(model, dataset, progress=False)
    for metric, report in found.items():
        print(f"{dataset.name} → {target.name}, {metric:<7} Rank-1 {report.rank(1):6.1%}   mAP {report.mean_ap:6.1%}")
    return found


if __name__ == "__main__":
    main()
