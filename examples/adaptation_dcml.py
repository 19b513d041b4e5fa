r"""Adapt to a site that nobody has labelled: DCML, from one data set to another.

    python examples/adaptation_dcml.py                                            # synthetic sites A -> B
    python examples/adaptation_dcml.py --source cuhk03_np=/data/cuhk03-np \
        --target market1501=/data/market                                          # ResNet-50 from ImageNet weights

A data set is reader=root, or reader=root,option=value. With --style-epochs 6 the source is first drawn in the site's
style. The target's identities are never trained on; where they are known, the records say how pure the clusters are.

Time: synthetic people about 8 CPU minutes. ResNet-50: 120 epochs on the source, 8 rounds of 30; on a GPU not measured.

Paper: Rank-1 and mAP 78.7 and 59.5 from CUHK03-NP (detected) to Market-1501, 79.3 and 63.5 from Market-1501 to
DukeMTMC-reID, 88.2 and 72.3 back, with style transfer; without it 75.9 and 60.2, 85.4 and 69.2 (Chen et al., "Deep
Credible Metric Learning for Unsupervised Domain Adaptation Person Re-identification", ECCV 2020).

Writes: the folder --out, with data/ (drawn people) and run/: model.keras, adaptation.json (settings and records),
weights and pseudo labels by round, clusters.png, rounds.png; with style transfer spgan.keras and run/translated/.
"""

import argparse
from pathlib import Path

import numpy as np

import keras_reid
from keras_reid.adaptation.run import run

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--source", default="synthetic=A", help="labelled data set (%(default)s)")
parser.add_argument("--target", default="synthetic=B", help="the site (%(default)s)")
parser.add_argument("--name", help="zoo entry (default: dcml_r50, and dcml_tiny for synthetic people)")
parser.add_argument("--out", default="runs/adaptation_dcml", type=Path, help="folder to write to (%(default)s)")
parser.add_argument("--style-epochs", type=int, default=0, help="epochs of style transfer; none without (%(default)s)")
parser.add_argument("--source-epochs", type=int, help="epochs on the source (default: the recipe's)")
parser.add_argument("--rounds", type=int, help="rounds on the site (default: the recipe's)")
parser.add_argument("--epochs", type=int, help="epochs of a round (default: the recipe's)")
parser.add_argument("--credibility", help="of an image: prototype or knn (default: the recipe's)")
parser.add_argument("--closest-share", type=float, help="share of pairs DBSCAN's radius is measured by (the recipe's)")
parser.add_argument("--seed", type=int, default=0, help="one seed for everything (%(default)s)")
parser.add_argument("--identities", type=int, default=300, help="synthetic people to train on (%(default)s)")
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
    source, target = (load(text, options) for text in (options.source, options.target))
    name = options.name or ("dcml_tiny" if source.name.startswith("synthetic") else "dcml_r50")
    keys = ("credibility", "closest_share", "source_epochs", "rounds", "epochs", "seed", "resume")
    settings = {key: getattr(options, key) for key in keys}
    settings["weights"] = None if name.endswith("tiny") else "imagenet"  # there are none for the tiny network
    # The source in the style of the site, drawn by an SPGAN that sees both without their labels.
    if options.style_epochs:
        drawing, file = "spgan_tiny" if name.endswith("tiny") else "spgan", options.out / "spgan.keras"
        if not file.is_file():
            keras_reid.training.seed_everything(options.seed)
            model, pairs = keras_reid.zoo.load(drawing), keras_reid.adaptation.site_pairs(source.train, target.train)
            keras_reid.zoo.recipe(drawing).fit(model, pairs, epochs=options.style_epochs, seed=options.seed)
            file.parent.mkdir(parents=True, exist_ok=True)
            model.save(file)
        settings["style_transfer"] = keras_reid.load_model(file)

    folder = options.out / "run"
    _, records = run(name, source, target, folder, **settings)
    with np.load(folder / f"round_{len(records)}" / "pseudo_labels.npz") as stage:
        keras_reid.visualize.cluster_sheet(target.train, stage["labels"]).savefig(folder / "clusters.png", dpi=160)
    return records


if __name__ == "__main__":
    main()
