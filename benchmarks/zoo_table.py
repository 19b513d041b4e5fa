"""Every zoo entry once: loaded, trained for a step on synthetic people, saved, loaded again, embeddings compared.

    python benchmarks/zoo_table.py                        # all that were not tried before
    python benchmarks/zoo_table.py --only baseline_tiny   # some of them, anew

Each entry runs in a process of its own. Images are small and people few, so that the entries of full width fit into a
few gigabytes; it is a trial of the software, not of the methods' accuracy. The entry's zoo page shows the outcome
(`python -m docs.zoo_page` writes zoo/README.md anew).
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
from _claims import Cells, table
from _measure import measure

NAME = "zoo_table"
PEOPLE = {"train_identities": 8, "test_identities": 2}
SIZES = {"CMEMD": (96, 48), "DGNet": (64, 40), "SPGAN": (64, 64)}
SMALLEST = (64, 32)
HEADER = ("entry", "parameters", "loss of the step", ".keras", ".weights.h5", "zoo.save", "CPU s", "peak MB")


def training_table(method, root):
    from keras_reid.adaptation import site_pairs
    from keras_reid.datasets import synthetic
    from keras_reid.datasets.synthetic import thermal

    if method == "CMEMD":
        return thermal.load(root, **PEOPLE).train
    people = synthetic.load(root, **PEOPLE).train
    return site_pairs(people, synthetic.load(root, site="B", **PEOPLE).train) if method == "SPGAN" else people


def small_batch(sampler):
    """Options that bring the recipe's sampler down to batches of 8 to 16."""
    if "batch_size" in sampler:
        return {"batch_size": 8}
    return {"identities": 4, "images": min(sampler["images"], 4)}


def trial(name, root):
    """Loads what is imported beforehand; the callable is what is measured."""
    from keras_reid import load_model, zoo

    card, recipe = zoo.card(name), zoo.recipe(name)
    size = SIZES.get(card.method, SMALLEST)
    people = training_table(card.method, root)
    images = np.random.default_rng(0).random((2, *size, 3), dtype="float32")

    def work():
        model = zoo.load(name, image_size=size)
        data = recipe.training_data(model, people, sampler=small_batch(recipe.sampler))
        history = model.fit(data, steps_per_epoch=1, verbose=0).history
        with tempfile.TemporaryDirectory() as place:
            place = Path(place)
            model.save(place / "model.keras")
            model.save_weights(place / "model.weights.h5")
            zoo.save(model, place / "saved", name)
            expected = model.extract(images)
            again = {
                ".keras": load_model(place / "model.keras"),
                ".weights.h5": zoo.load(name, model.num_classes, place / "model.weights.h5", image_size=size),
                "zoo.save": zoo.load(place / "saved"),
            }
            differences = {kind: float(np.abs(other.extract(images) - expected).max()) for kind, other in again.items()}
        return {
            "image_size": size,
            "parameters": again["zoo.save"].count_params(),
            "loss": history["loss"][0],
            "differences": differences,
            "largest_difference": max(differences.values()),
        }

    return work


def tables(cells):
    rows = [
        [
            name,
            f"{cell['parameters'] / 1e6:.1f} M",
            f"{cell['loss']:.3f}",
            *("equal" if value == 0.0 else f"{value:.1e}" for value in cell["differences"].values()),
            f"{cell['cpu_s']:.0f}",
            f"{cell['peak_mb']:.0f}",
        ]
        for name, cell in sorted(cells.items())
    ]
    return [table("Loaded, trained for a step, saved, loaded again", HEADER, rows)]


def main():
    from keras_reid import zoo

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=zoo.list(), help="entries (default: all not tried before)")
    options = parser.parse_args()
    cells = Cells(NAME, {"people": PEOPLE, "sizes": {**SIZES, "others": SMALLEST}}, tables)
    with tempfile.TemporaryDirectory() as root:
        for name in options.only or [name for name in zoo.list() if name not in cells.values]:
            cost = measure(trial, name, root)
            cells.add(name, {**cost.pop("value"), "cpu_s": cost["cpu_s"], "peak_mb": cost["peak_mb"]})
    for row in (list(HEADER), *tables(cells.values)[0]["rows"]):
        sys.stdout.write("  ".join(f"{cell:<16}" for cell in row) + "\n")


if __name__ == "__main__":
    main()
