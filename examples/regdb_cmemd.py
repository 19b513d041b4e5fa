"""CM-EMD on RegDB: ten models, each trained and tested on its own split, in both directions.

    python examples/regdb_cmemd.py                          # synthetic people and their thermal twins
    python examples/regdb_cmemd.py --root /data/RegDB       # ResNet-50 from ImageNet weights

Each split is a run in a folder of its own; with --resume, finished ones are only evaluated again.

Time: synthetic people about 20 CPU minutes, 2 for a split. RegDB: ten times 80 epochs of 65 batches of 64 images;
on a GPU not measured.

Paper: Rank-1 94.37 from visible to thermal, 92.77 from thermal to visible, means over the ten splits (Ling et al.,
"Cross-Modality Earth Mover's Distance for Visible Thermal Person Re-Identification", AAAI 2023; its tables could not be
read, so the mAP is missing and much of the recipe is ours: docs/methods/cmemd.md).

Writes: the folder --out, with data/ (drawn people) and trial_1/ to trial_10/: configuration, log, state to resume from,
model.keras, report.html, .json, .txt. The means are printed.
"""

import argparse
import dataclasses
from pathlib import Path

from keras_reid import datasets
from keras_reid.datasets.regdb import DIRECTIONS
from keras_reid.evaluation import mean_reports
from keras_reid.run import run

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--root", help="folder of RegDB; synthetic people without it")
parser.add_argument("--name", help="zoo entry (default: cmemd_r50, and cmemd_tiny for synthetic people)")
parser.add_argument("--out", default="runs/regdb_cmemd", type=Path, help="folder to write to (%(default)s)")
parser.add_argument("--epochs", type=int, help="number of epochs (default: the recipe's)")
parser.add_argument("--trials", type=int, default=10, help="how many splits (%(default)s)")
parser.add_argument("--seed", type=int, default=0, help="one seed for everything (%(default)s)")
parser.add_argument("--identities", type=int, default=100, help="synthetic people to train on (%(default)s)")
parser.add_argument("--resume", action="store_true", help="go on with the runs in --out")


def load(options, trial, direction):
    """A split, tested in one direction."""
    if options.root:
        dataset = datasets.load("regdb", options.root, trial=trial, direction=direction)
    else:
        people = {"train_identities": options.identities, "test_identities": options.identities}
        people |= {"layout": "regdb", "trial": trial, "direction": direction, "seed": options.seed}
        dataset = datasets.load("synthetic_thermal", options.out / "data", **people)
    return dataclasses.replace(dataset, name=f"{dataset.name}, {direction.replace('_', ' ')}")


def main(arguments=None):
    options = parser.parse_args(arguments)
    name = options.name or ("cmemd_r50" if options.root else "cmemd_tiny")
    found = []
    for trial in range(1, options.trials + 1):
        visible, thermal = (load(options, trial, direction) for direction in DIRECTIONS)
        out = options.out / f"trial_{trial}"
        settings = {"epochs": options.epochs, "seed": options.seed}
        if not name.endswith("tiny"):  # the card is written for SYSU-MM01; and the tiny network has no ImageNet weights
            settings |= {"weights": "imagenet", "overrides": {"label_smoothing": 0.1, "part_exponent": 10.0}}
        settings["resume"] = options.resume and (out / "config.json").is_file()
        _, reports = run(name, visible, out, test_sets=[thermal], **settings)
        found += reports.values()
        print(f"After {trial} of {options.trials} splits:\n{mean_reports(found)}\n", flush=True)
    return mean_reports(found)


if __name__ == "__main__":
    main()
