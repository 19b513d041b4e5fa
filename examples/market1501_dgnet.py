"""DG-Net on Market-1501, or on synthetic people when no data are at hand: a teacher first, then the swaps.

    python examples/market1501_dgnet.py                                       # synthetic people, tiny networks
    python examples/market1501_dgnet.py --root /data/Market-1501-v15.09.15    # ResNet-50 from ImageNet weights

What to expect. Synthetic people and the tiny networks: meant for a look at the pictures in `swaps/`, not for accuracy;
they were not tuned. Market-1501 and ResNet-50: 100,000 steps, two to three days on one GPU by the authors' users;
neither its time nor its accuracy has been measured by us yet.

The paper's numbers: Rank-1 94.8, mAP 86.0 on Market-1501 with both features, 89.6 and 74.5 for its teacher (Zheng et
al., "Joint Discriminative and Generative Learning for Person Re-identification", CVPR 2019).
"""

import argparse
from pathlib import Path

import keras

import keras_reid
from keras_reid.evaluation import SwapGridCallback
from keras_reid.run import run
from keras_reid.training import Resume, seed_everything

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--root", help="folder of Market-1501; synthetic people without it")
parser.add_argument("--out", default="runs/market1501_dgnet", type=Path, help="folder of the run (%(default)s)")
parser.add_argument("--teacher-epochs", type=int, help="number of epochs of the teacher (default: the recipe's)")
parser.add_argument("--epochs", type=int, help="number of epochs of DG-Net (default: the recipe's)")
parser.add_argument("--draw-every", type=int, default=500, help="steps between two pictures (%(default)s)")
parser.add_argument("--seed", type=int, default=0, help="one seed for everything (%(default)s)")
parser.add_argument("--identities", type=int, default=100, help="synthetic people to train on (%(default)s)")


def main(arguments=None):
    options = parser.parse_args(arguments)
    size = "r50" if options.root else "tiny"
    weights = "imagenet" if options.root else None  # there are none for the tiny network

    if options.root:
        dataset = keras_reid.datasets.load("market1501", options.root)
    else:
        people = {"train_identities": options.identities, "test_identities": max(options.identities // 2, 2)}
        dataset = keras_reid.datasets.load("synthetic", options.out / "data", seed=options.seed, **people)
    print(dataset.summary())

    # The teacher: a baseline trained on the same table, so that its labels mean the same persons.
    folder = options.out / "teacher"
    if (folder / "model.keras").is_file():
        teacher = keras_reid.load_model(folder)
    else:
        teacher, _ = run(
            f"baseline_{size}",
            dataset,
            folder,
            epochs=options.teacher_epochs,
            seed=options.seed,
            weights=weights,
            resume=folder.exists(),
        )

    # DG-Net. Started again with the same --out, it goes on where it was stopped.
    seed_everything(options.seed)
    model = keras_reid.zoo.load(f"dgnet_{size}", weights=weights, teacher=teacher)
    looked_at = dataset.query.path[:: max(len(dataset.query) // 5, 1)][:5]
    options.out.mkdir(parents=True, exist_ok=True)
    keras_reid.zoo.recipe(f"dgnet_{size}").fit(
        model,
        dataset,
        epochs=options.epochs,
        seed=options.seed,
        cache="memory",
        callbacks=[
            keras.callbacks.CSVLogger(options.out / "log.csv", append=True),
            SwapGridCallback(options.out / "swaps", looked_at, every_steps=options.draw_every),
            Resume(options.out / "state", every_steps=options.draw_every),
        ],
    )
    model.save(options.out / "model.keras")
    keras_reid.visualize.swap_grid(model, looked_at).savefig(options.out / "swaps.png")

    report = keras_reid.evaluate(model, dataset)
    print(report)
    return report


if __name__ == "__main__":
    main()
