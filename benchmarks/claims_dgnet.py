"""DG-Net's claims on synthetic people: what it draws, by the renderer's ground truth, and what it recognises.

    python benchmarks/claims_dgnet.py                         # everything: two seeds, hours; may be stopped at any time
    python benchmarks/claims_dgnet.py --only whole --seeds 0  # one row; finished cells are kept and not repeated

Rows: the teacher (a baseline; the paper's Table 3 calls it so), DG-Net, and the paper's ablations. "No online feeding":
drawn images are not learned from. "No identity supervision": no identity loss of real or drawn images either; in the
authors' code nothing else reaches the appearance encoder, which stays as chance made it. "Offline": the appearance
encoder learns from the beginning with the images of the finished generator of "no online feeding", which does
not go on. All have equal networks, batches and numbers of steps; a training that was stopped goes on where it was.

Drawn people are those of the test set, and of those trained with every third image, in each other's clothes; what is
measured on them says `_drawn_people.py`. The folder of a training holds its log and swap grids; the first seed's grid
becomes the picture in docs/methods.
"""

import argparse
import io
import itertools
import time
from pathlib import Path

import keras
import numpy as np
from _claims import Cells, spread, table
from _drawn_people import Finder, coloured, donors, exhibited, outlined, read
from keras import ops
from PIL import Image

import keras_reid
from keras_reid import pipeline, zoo
from keras_reid.datasets import load, synthetic
from keras_reid.evaluation import SwapGridCallback
from keras_reid.methods import DGNet
from keras_reid.methods.dgnet.objectives import appearance_terms, codes, ramps, swapped, teacher_opinion
from keras_reid.retrieval import evaluate_features
from keras_reid.training import Resume, seed_everything

NAME = "claims_dgnet"
PICTURE = Path(__file__).parents[1] / "docs" / "methods" / "dgnet_swaps.jpg"
BYTES = 80_000
ROWS = {  # row -> title, constructor arguments
    "teacher": ("baseline, the teacher", {}),
    "whole": ("DG-Net", {}),
    "no_feeding": ("no online feeding", {"discriminative_weight": 0.0}),
    "no_identity": ("no identity supervision", {"discriminative_weight": 0.0, "identity_weight": 0.0}),
    "offline": ("features after offline generation", {}),
}
FEATURES = ("primary", "fine", "both")

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--only", nargs="+", choices=ROWS, default=list(ROWS), help="rows (default: all)")
parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1], help="of people, cameras and training")
parser.add_argument("--iterations", type=int, default=2000, help="steps of every DG-Net (%(default)s)")
parser.add_argument("--teacher-epochs", type=int, default=20)
parser.add_argument("--batch-size", type=int, default=16)
parser.add_argument("--identities", type=int, default=100, help="people to train on")
parser.add_argument("--test-identities", type=int, default=60)
parser.add_argument("--pairs", type=int, default=300, help="drawn images to measure")
parser.add_argument("--draw-every", type=int, default=100, help="steps between two swap grids and saved states")
parser.add_argument("--root", type=Path, help="where synthetic people are kept (default: the library's cache)")
parser.add_argument("--work", type=Path, default=Path("runs") / NAME, help="folder of the trainings (%(default)s)")
parser.add_argument("--out", default=NAME, help="name of the result file")


class Stopwatch(keras.callbacks.Callback):
    """CPU seconds of a training, those before it was stopped included: `Resume` keeps them."""

    def __init__(self):
        super().__init__()
        self.before, self.start = 0.0, time.process_time()

    def state(self):
        """What is kept."""
        return {"cpu_s": np.array(self.before + time.process_time() - self.start)}

    def set_state(self, state):
        """Goes on from what was kept."""
        self.before, self.start = float(state["cpu_s"]), time.process_time()


class TaughtOffline(DGNet):
    """DG-Net whose appearance encoder learns from images of a generator that learns no more, `painter`."""

    loss_names = ("loss", "identity", "partner_identity", "fine_identity", "primary", "fine", "accuracy")

    def training_step(self, batch, training=True):
        """One step of the appearance encoder."""
        labels = batch["person_id"]
        images, partners = (self.normalization(batch[name]) for name in ("image", "partner_image"))
        weights, drawn = ramps(self), ops.stop_gradient(self.paint(images))
        opinion = teacher_opinion(self, drawn, training)
        terms = self.update(
            ("backbone", "heads"),
            lambda: appearance_terms(self, images, partners, labels, drawn, opinion, weights, training),
        )
        if training:
            self.iteration.assign(ops.convert_to_tensor(self.iteration) + 1.0)
        return {"loss": terms.pop("appearance"), **terms}


def painted_by(painter):
    """Normalised images in each other's clothes, by a finished generator."""

    def paint(images):
        appearance = swapped(codes(painter, images, False))
        return painter.decoder([painter.structure_encoder(images), appearance])

    return paint


def experiment(seed, options):
    people = {"train_identities": options.identities, "test_identities": options.test_identities}
    return load("synthetic", options.root, seed=seed, camera_seed=seed, **people)


def folder_of(row, seed, options):
    return options.work / f"{row}-{seed}"


def trained_teacher(dataset, seed, options):
    """The baseline of a seed, trained once."""
    path = folder_of("teacher", seed, options) / "model.keras"
    if path.exists():
        return keras_reid.load_model(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    seed_everything(seed)
    model, recipe = zoo.load("baseline_tiny"), zoo.recipe("baseline_tiny")
    sampler = {"identities": min(options.identities, recipe.sampler["identities"])}
    recipe.fit(
        model, dataset, epochs=options.teacher_epochs, seed=seed, cache="memory", sampler=sampler, verbose=0,
        callbacks=[Resume(path.parent / "state")],
    )  # fmt: skip
    model.save(path)
    return model


def trained(row, dataset, seed, options):
    """The DG-Net of a row, and what its training cost and said last."""
    folder, recipe = folder_of(row, seed, options), zoo.recipe("dgnet_tiny")
    teacher = trained_teacher(dataset, seed, options)
    seed_everything(seed)
    lengths = {"warmup_iterations": round(0.3 * options.iterations), "ramp_iterations": round(0.1 * options.iterations)}
    model = zoo.load("dgnet_tiny", teacher=teacher, **lengths, **ROWS[row][1])
    if row == "offline":
        painter = keras_reid.load_model(folder_of("no_feeding", seed, options) / "model.keras")
        model = TaughtOffline.from_config({**model.get_config(), "teacher": teacher})
        model.paint = painted_by(painter)
    looked_at = exhibited(dataset.query)
    stopwatch = Stopwatch()
    callbacks = [
        keras.callbacks.CSVLogger(folder / "log.csv", append=True),
        stopwatch,
        *([] if row == "offline" else [SwapGridCallback(folder / "swaps", looked_at, every_steps=options.draw_every)]),
        Resume(folder / "state", every_steps=options.draw_every),
    ]
    folder.mkdir(parents=True, exist_ok=True)
    steps = len(dataset.train) // options.batch_size
    recipe.fit(
        model, dataset, epochs=max(round(options.iterations / steps), 1), seed=seed, cache="memory",
        sampler={"batch_size": options.batch_size}, callbacks=callbacks, verbose=0,
    )  # fmt: skip
    if row != "offline":
        model.inference_model().save(folder / "model.keras")
        if seed == options.seeds[0] and row == "whole":
            save_picture(keras_reid.visualize.swap_grid(model, looked_at), options)
    with (folder / "log.csv").open() as log:
        names, *_, last = [line.strip().split(",") for line in log]
    # Keras adds empty columns for a validation that there is not.
    losses = {name: round(float(value), 4) for name, value in zip(names, last, strict=True) if value != "NA"}
    return model, {"training_cpu_s": round(float(stopwatch.state()["cpu_s"])), "last_losses": losses}


def recognised(model, dataset, halves):
    """Gives mAP and Rank-1 of each feature in percent; a DG-Net's embedding is its two features side by side."""
    query, gallery = (
        model.extract(pipeline.inference(one, model.image_size, interpolation=model.interpolation))
        for one in (dataset.query, dataset.gallery)
    )
    width = query.shape[1] // 2
    parts = dict(zip(FEATURES, (slice(0, width), slice(width, None), slice(None)), strict=True))
    found = {}
    for name, part in (parts if halves else {"primary": slice(None)}).items():
        metrics = evaluate_features(
            query[:, part], gallery[:, part], dataset.query.person_id, dataset.gallery.person_id,
            dataset.query.camera_id, dataset.gallery.camera_id,
        )  # fmt: skip
        found[name] = {"mean_ap": round(100 * metrics.mean_ap, 2), "rank1": round(100 * metrics.rank(1), 2)}
    return found


def train_and_test(row, seed, options):
    """One cell of the result file."""
    dataset = experiment(seed, options)
    if row == "teacher":
        return {"row": row, "seed": seed, "found": recognised(trained_teacher(dataset, seed, options), dataset, False)}
    model, cell = trained(row, dataset, seed, options)
    cell = {"row": row, "seed": seed, **cell, "found": recognised(model, dataset, True)}
    if row != "offline":
        cell |= drawn_people(model, dataset, seed, options)
    return cell


def drawn_people(model, dataset, seed, options):
    """What is measured on drawings of people to test with, and their colours of people trained with."""
    keras.utils.set_random_seed(seed)
    tables = {"drawn": dataset.query, "drawn_known": dataset.train.take(np.arange(0, len(dataset.train), 3))}
    people = {name: read(one) for name, one in tables.items()}
    finder, found = Finder(*people["drawn_known"], seed), {}
    for name, (images, maps) in people.items():
        pairs = donors(tables[name], maps, options.pairs, seed)
        drawn, again = (model.generate(images[rows], images[pairs[1]]) for rows in pairs)
        found[name] = coloured(drawn, again, images, maps, pairs)
        if name == "drawn":
            found[name] |= outlined(drawn, images, maps, pairs, finder)
    return found


def save_picture(figure, options):
    """The swap grid as a JPEG, as good as the documentation has room for; for trial runs beside their states."""
    raw = io.BytesIO()
    figure.savefig(raw, dpi=110, format="png")
    path = PICTURE if options.out == NAME else options.work / PICTURE.name
    for quality in range(90, 20, -5):
        Image.open(raw).convert("RGB").save(path, "JPEG", quality=quality)
        if path.stat().st_size <= BYTES:
            return


def tables(cells):
    return [recognition_table(cells), colour_table(cells), outline_table(cells)]


def recognition_table(cells):
    rows = []
    for row, (title, _) in ROWS.items():
        own = [cell["found"] for cell in cells.values() if cell["row"] == row]
        for feature in FEATURES if row not in ("teacher", "no_feeding", "no_identity") else ("primary",):
            if own:
                numbers = [spread([one[feature][name] for one in own]) for name in ("mean_ap", "rank1")]
                rows.append([title, "" if row == "teacher" else feature, *numbers])
    return table("Other people of the same site recognised", ["", "feature", "mAP", "Rank-1"], rows)


def colour_table(cells):
    donors = {"to_appearance": "to the appearance donor", "to_structure": "to the structure donor"}
    columns = [
        *(("colour_error", name, f"error {title}") for name, title in donors.items()),
        ("colour_error", "between_donors", "between donors"),
        *(("lightness_error", name, f"of lightness {title}") for name, title in donors.items()),
        *(("ab_error", name, f"of a and b {title}") for name, title in donors.items()),
    ]
    rows = []
    for row, (title, _) in ROWS.items():
        for people, name in (("to test with", "drawn"), ("trained with", "drawn_known")):
            if own := drawings(cells, row, name):
                rows.append([title, people, *(spread([one[kind][to] for one in own]) for kind, to, _ in columns)])
    header = ["", "people", *(title for _, _, title in columns)]
    return table("Clothes of drawn people: distances in CIELAB", header, rows)


def outline_table(cells):
    columns = {
        "to_structure": "IoU with the structure donor",
        "to_appearance": "with the appearance donor",
        "between_donors": "between donors",
        "ceiling": "ceiling",
    }
    rows = [
        [title, *(spread([100 * one["outline_iou"][name] for one in own]) for name in columns)]
        for row, (title, _) in ROWS.items()
        if (own := drawings(cells, row, "drawn"))
    ]
    return table("Outlines of drawn people (%)", ["", *columns.values()], rows)


def drawings(cells, row, name):
    """What was measured on a row's drawings, seed by seed."""
    return [cell[name] for cell in cells.values() if cell["row"] == row and name in cell]


def main(arguments=None):
    options = parser.parse_args(arguments)
    names = ("iterations", "teacher_epochs", "batch_size", "identities", "test_identities", "pairs")
    settings = {
        "renderer": synthetic.VERSION,
        **{name: getattr(options, name) for name in names},
        "rows": {row: arguments for row, (_, arguments) in ROWS.items()},
    }
    cells = Cells(options.out, settings, tables)
    for seed, row in itertools.product(options.seeds, options.only):
        if f"{row} {seed}" not in cells.values:
            cells.add(f"{row} {seed}", train_and_test(row, seed, options))


if __name__ == "__main__":
    main()
