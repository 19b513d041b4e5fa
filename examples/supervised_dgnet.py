"""DG-Net on one data set: a teacher first, then people in each other's clothes.

    python examples/supervised_dgnet.py                                        # synthetic people, tiny networks
    python examples/supervised_dgnet.py --root /data/Market-1501-v15.09.15     # ResNet-50 from ImageNet weights
    python examples/supervised_dgnet.py --data msmt17 --root /data/MSMT17_V1   # or cuhk03_np, or dukemtmc

Time: synthetic people about 70 CPU minutes; --epochs 2 for a first look. Market-1501: 100,000 steps of 8 pairs after
the teacher, two to three days on one GPU by the authors' users; ours not measured. A stopped one goes on by itself.

Paper: Rank-1 and mAP 94.8 and 86.0 on Market-1501, 86.6 and 74.8 on DukeMTMC-reID, 77.2 and 52.3 on MSMT17, 65.6 and
61.1 on CUHK03-NP; teacher on Market-1501 89.6 and 74.5 (Zheng et al., "Joint Discriminative and Generative Learning for
Person Re-identification", CVPR 2019; average precision by trapezoids, as here).

Writes: the folder --out, with data/ (drawn people), teacher/ (a run), log.csv, state/, swaps/ (pictures during the
training), swaps.png, model.keras, report.html.
"""

import argparse
from pathlib import Path

import keras

import keras_reid
from keras_reid.run import run
from keras_reid.training import Resume, seed_everything

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", default="market1501", help="reader of the data set (%(default)s)")
parser.add_argument("--root", help="folder of the data set; synthetic people without it")
parser.add_argument("--out", default="runs/supervised_dgnet", type=Path, help="folder to write to (%(default)s)")
parser.add_argument("--teacher-epochs", type=int, help="number of epochs of the teacher (default: the recipe's)")
parser.add_argument("--epochs", type=int, help="number of epochs of DG-Net (default: as many as the steps above)")
parser.add_argument("--draw-every", type=int, default=500, help="steps between two pictures (%(default)s)")
parser.add_argument("--seed", type=int, default=0, help="one seed for everything (%(default)s)")
parser.add_argument("--identities", type=int, default=100, help="synthetic people to train on (%(default)s)")


def main(arguments=None):
    options = parser.parse_args(arguments)
    size, weights = ("r50", "imagenet") if options.root else ("tiny", None)
    if options.root:
        dataset = keras_reid.datasets.load(options.data, options.root)
    else:
        people = {"train_identities": options.identities, "test_identities": max(options.identities // 2, 2)}
        dataset = keras_reid.datasets.load("synthetic", options.out / "data", seed=options.seed, **people)
    print(dataset.summary())

    # The teacher: a baseline trained on the same table, so that its labels mean the same persons.
    folder = options.out / "teacher"
    if (folder / "model.keras").is_file():
        teacher = keras_reid.load_model(folder)
    else:
        settings = {"epochs": options.teacher_epochs, "seed": options.seed, "weights": weights}
        teacher, _ = run(f"baseline_{size}", dataset, folder, **settings, resume=folder.exists())

    # DG-Net is trained by steps: the authors took 150,000 of 16 images for MSMT17, 100,000 elsewhere.
    epochs = options.epochs
    if options.root and epochs is None:
        epochs = round((150_000 if options.data == "msmt17" else 100_000) / (len(dataset.train) // 16))
    seed_everything(options.seed)
    model = keras_reid.zoo.load(f"dgnet_{size}", weights=weights, teacher=teacher)
    looked_at = dataset.query.path[:: max(len(dataset.query) // 5, 1)][:5]
    callbacks = [
        keras.callbacks.CSVLogger(options.out / "log.csv", append=True),
        keras_reid.evaluation.SwapGridCallback(options.out / "swaps", looked_at, every_steps=options.draw_every),
        Resume(options.out / "state", every_steps=options.draw_every),
    ]
    recipe = keras_reid.zoo.recipe(f"dgnet_{size}")
    recipe.fit(model, dataset, epochs=epochs, seed=options.seed, cache="memory", callbacks=callbacks)
    model.save(options.out / "model.keras")
    keras_reid.visualize.swap_grid(model, looked_at).savefig(options.out / "swaps.png")

    report = keras_reid.evaluate(model, dataset, ap="trapezoid")
    report.to_html(options.out / "report.html")
    print(report)
    return report


if __name__ == "__main__":
    main()
