r"""Train on one data set, test on others without training there: QAConv, with and without re-ranking and TLift.

    python examples/cross_dataset_qaconv.py                                       # synthetic sites A -> A and B
    python examples/cross_dataset_qaconv.py --train market1501=/data/market \
        --test msmt17=/data/MSMT17_V1 cuhk03_np=/data/cuhk03-np                   # ResNet-50 from ImageNet weights
    python examples/cross_dataset_qaconv.py --train msmt17=/data/MSMT17_V1,train=all --test market1501=/data/market

A data set is reader=root, or reader=root,option=value. --name qaconv_gs_r50 is the version of 2022 with graph sampling
(its ImageNet weights need torch), --name qaconv_r152 the large network. TLift needs capture times.

Time: synthetic people about 9 CPU minutes. Market-1501: 60 epochs of 404 batches of 32 images; on a
GPU not measured. Re-ranking it takes 6 times as many pairs as the search.

Paper: Market-1501 to DukeMTMC-reID Rank-1 48.8, mAP 28.7, re-ranked and lifted 64.5 and 55.1; to MSMT17 22.6 and 7.0;
to CUHK03-NP (detected) 9.9 and 8.6. All of MSMT17 to Market-1501 72.6 and 43.1, re-ranked and lifted 86.5 and 72.2; to
CUHK03-NP 25.3 and 22.6 (Liao and Shao, ECCV 2020, ResNet-50; AP by trapezoids, which ours is not). Others: the cards.

Writes: the folder --out, with data/ (drawn people) and run/ (model.keras, log, state, reports before post-processing).
"""

import argparse
from pathlib import Path

import numpy as np

import keras_reid
from keras_reid.retrieval import Rerank, TemporalLift
from keras_reid.run import run

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--train", default="synthetic=A", help="data set to train on (%(default)s)")
parser.add_argument("--test", nargs="+", default=["synthetic=B"], help="data sets to test on (%(default)s)")
parser.add_argument("--name", help="zoo entry (default: qaconv_r50, and qaconv_tiny for synthetic people)")
parser.add_argument("--out", default="runs/cross_dataset_qaconv", type=Path, help="folder to write to (%(default)s)")
parser.add_argument("--epochs", type=int, help="number of epochs (default: the recipe's)")
parser.add_argument("--seed", type=int, default=0, help="one seed for everything (%(default)s)")
parser.add_argument("--identities", type=int, default=150, help="synthetic people to train on (%(default)s)")
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
    source, *targets = (load(text, options) for text in (options.train, *options.test))
    name = options.name or ("qaconv_tiny" if source.name.startswith("synthetic") else "qaconv_r50")
    tested = [dataset for dataset in (source, *targets) if len(dataset.query)]
    trained = source
    if tested[0] is not source:  # all of MSMT17, or RandPerson: nothing is left there to test on
        trained = keras_reid.datasets.combine([source], f"{source.name}->{tested[0].name}", target=tested[0])
    settings = {"epochs": options.epochs, "seed": options.seed, "resume": options.resume}
    weights = None if name.endswith("tiny") else "imagenet"  # there are none for the tiny network
    model, reports = run(name, trained, options.out / "run", test_sets=tested[1:], weights=weights, **settings)

    found = {}
    for dataset, report in zip(tested, reports.values(), strict=True):
        steps = {"as it is": None, "re-ranking": [Rerank()]}
        if all(np.isfinite(table.time_s).all() for table in (dataset.query, dataset.gallery)):
            steps |= {"TLift": [TemporalLift()], "re-ranking + TLift": [Rerank(), TemporalLift()]}
        for step, post_process in steps.items():
            if post_process:
                # TLift on plain scores wants most of them near 0: see QAConv's temperature.
                model.temperature = 1.0 if step == "TLift" else 10.0
                report = keras_reid.evaluate(model, dataset, post_process=post_process, progress=False)
            direction = f"{source.name} → {dataset.name}"
            found[direction, step] = report
            print(f"{direction:<28} {step:<20} Rank-1 {report.rank(1):6.1%}   mAP {report.mean_ap:6.1%}")
    return found


if __name__ == "__main__":
    main()
