"""Draws the pictures of these pages: `python -m docs.pictures`, with names of pictures those alone.

People are synthetic, nothing is trained, every draw has a seed: the same versions and fonts give the same files.
"""

import io
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from docs import diagrams
from docs.diagrams import COLOURS, show, stage, write
from keras_reid import retrieval
from keras_reid.datasets import ReIDDataset, ReIDTable, synthetic
from keras_reid.datasets.synthetic import thermal
from keras_reid.visualize import PanelImage, PanelRow, ranked_panel
from keras_reid.visualize.panel import draw_image
from keras_reid.visualize.style import figure_png

DOCS = Path(__file__).parent
PIXELS = 1160  # nearly twice the width of a page's column


@cache
def people() -> ReIDDataset:
    """Synthetic people of site A."""
    return synthetic.load(site="A", train_identities=12, test_identities=24)


@cache
def people_by_light_and_heat() -> ReIDDataset:
    """Synthetic people in the layout of SYSU-MM01."""
    return thermal.load(site="A", train_identities=2, test_identities=6)


def pipeline_picture() -> Figure:
    """Two pictures, what each transform makes of them, and a batch of the P x K sampler."""
    from keras_reid.pipeline import (
        ColorJitter,
        Flip,
        PadCrop,
        PKSampler,
        RandomErasing,
        RandomOcclusion,
        Rotation,
    )
    from keras_reid.pipeline.decode import decode

    table = people().train
    steps = [None, Flip(1.0), PadCrop(10), RandomErasing(1.0), RandomOcclusion(), ColorJitter(), Rotation(8)]
    figure, axes = stage(8.6, 7.1)
    for row, number in enumerate((2, 47)):
        image = decode(table.path[number], (256, 128), "bilinear")
        for column, step in enumerate(steps):
            drawn = image if step is None else step(image, np.uint64([row, column + 5]))
            show(axes, drawn, 0.15 + 1.2 * column, 0.5 + 2.15 * row)
            if row == 0:
                name = "as stored" if step is None else type(step).__name__
                write(axes, 0.65 + 1.2 * column, 0.27, name, 8)
    write(
        axes, 0.15, 5.1, "One batch of PKSampler(identities=4, images=4), from as many cameras as possible", ha="left"
    )
    batch = PKSampler(4, 4).batches(table, seed=0, epoch=0)[0]
    for place, index in enumerate(batch):
        left = 0.15 + 0.5 * place + 0.107 * (place // 4)
        show(axes, decode(table.path[index], (128, 64), "bilinear"), left, 5.35, 0.47)
        write(axes, left + 0.235, 6.45, f"c{table.camera_id[index]}", 6.5, color=COLOURS.muted)
    for identity in range(4):
        left = 0.15 + identity * 2.107
        axes.plot([left, left + 1.97], [6.63, 6.63], color=COLOURS.series[identity], linewidth=2)
        write(axes, left + 0.985, 6.85, f"person {table.person_id[batch[4 * identity]]}", 7.5)
    return figure


def _gallery_rows(table: ReIDTable, person: int, matches: list[bool]) -> list[int]:
    """Rows of the table that show `person` where asked, and others elsewhere."""
    same, other = np.flatnonzero(table.person_id == person), np.flatnonzero(table.person_id != person)
    return [int(same[5 * i % len(same)] if match else other[37 * i % len(other)]) for i, match in enumerate(matches)]


def evaluation_picture() -> Figure:
    """One query's ranked list, and the numbers that come of it."""
    dataset = people()
    matches = [True, False, True, True, False, False, True, False]
    rows = _gallery_rows(dataset.gallery, int(dataset.query.person_id[0]), matches)
    scores = np.linspace(0.9, 0.5, len(matches))
    gallery_ids = [7 if match else 100 + i for i, match in enumerate(matches)]
    judged = {ap: retrieval.evaluate_scores(scores[None], [7], gallery_ids, ap=ap) for ap in ("step", "trapezoid")}
    figure, axes = stage(10.9, 4.75)
    write(axes, 0.65, 0.3, "query", 9)
    draw_image(axes, PanelImage(dataset.query.path[0]), 0.15, 0.5, COLOURS)
    found = 0
    for rank, (row, match) in enumerate(zip(rows, matches, strict=True), start=1):
        left = 0.5 + 1.14 * rank
        write(axes, left + 0.5, 0.3, f"rank {rank}", 9)
        draw_image(axes, PanelImage(dataset.gallery.path[row], "", match=match), left, 0.5, COLOURS)
        found += match
        if match:
            write(axes, left + 0.5, 2.98, f"{found} / {rank}", 10, fontweight="bold", color=COLOURS.match)
    write(axes, 0.65, 2.98, "precision", 9)
    step, trapezoid = judged["step"], judged["trapezoid"]
    lines = [
        f"rank-1: the first image is a match, so this query counts {step.cmc[0]:.0f}.",
        f'AP, ap="step": the mean of the four precisions, {step.mean_ap:.3f}.',
        f'AP, ap="trapezoid": each averaged with the precision just above it, {trapezoid.mean_ap:.3f}.',
        f"INP: four matches, the last at rank 7, 4 / 7 = {step.mean_inp:.3f}.",
    ]
    for number, line in enumerate(lines):
        write(axes, 0.15, 3.45 + 0.34 * number, line, 9, ha="left")
    return figure


def protocols_picture() -> Figure:
    """What each protocol leaves out of one query's gallery, asked of the protocols themselves."""
    visible, mixed = people(), people_by_light_and_heat()
    person = int(visible.query.person_id[0])
    other = np.flatnonzero(visible.gallery.person_id != person)
    mine = np.flatnonzero(visible.gallery.person_id == person)
    camera = int(visible.query.camera_id[0])
    mine = mine[np.argsort(visible.gallery.camera_id[mine] != camera, kind="stable")]  # the query's camera first
    stranger = other[visible.gallery.camera_id[other] == camera][0]
    market = np.array([mine[0], mine[1], mine[-1], mine[-5], stranger, other[40], other[90]])

    heat = int(np.flatnonzero(mixed.query.camera_id == 2)[0])
    who, ids, cameras = int(mixed.query.person_id[heat]), mixed.gallery.person_id, mixed.gallery.camera_id
    wanted = [(True, 1), (True, 0), (True, 3), (False, 1), (False, 0), (False, 3), (False, 4)]
    sysu = np.array([np.flatnonzero(((ids == who) == same) & (cameras == place))[0] for same, place in wanted])

    cases = [
        ("market1501", "its person from its camera is left out", visible, 0, market),
        ("no_camera", "nothing is left out", visible, 0, market),
        ("sysu_mm01", "a thermal query of camera 2: all of camera 1 is left out", mixed, heat, sysu),
    ]
    figure, axes = stage(9.55, 8.85)
    for line, (name, rule, dataset, query, rows) in enumerate(cases):
        top = 0.1 + 2.95 * line
        write(axes, 0.15, top + 0.15, f'"{name}"', 10, ha="left", fontweight="bold")
        write(axes, 1.75, top + 0.15, rule, 9.5, ha="left")
        top += 0.4
        ids, cameras = dataset.gallery.person_id[rows], dataset.gallery.camera_id[rows]
        who, place = int(dataset.query.person_id[query]), int(dataset.query.camera_id[query])
        left_out = retrieval.get_protocol(name).ignored(who, place, ids, cameras)
        draw_image(axes, PanelImage(dataset.query.path[query], f"query, camera {place}"), 0.15, top, COLOURS)
        for column, row in enumerate(rows):
            left = 1.6 + 1.13 * column
            right = None if left_out[column] else bool(ids[column] == who)
            image = PanelImage(dataset.gallery.path[row], f"camera {cameras[column]}", right)
            draw_image(axes, image, left, top, COLOURS)
            if left_out[column]:
                axes.fill([left, left + 1, left + 1, left], [top, top, top + 2, top + 2], color="#ffffffd8", zorder=3)
                write(axes, left + 0.5, top + 1, "left out", 9, zorder=4, fontweight="bold")
    return figure


def histograms(table: ReIDTable) -> np.ndarray:
    """Joint colour histograms [N, 512] of the middle of each picture: a ranker that needs no training."""
    features = np.empty((len(table), 512), "float32")
    for number, path in enumerate(table.path):
        with Image.open(path) as image:
            level = np.asarray(image.convert("RGB"))[16:112, 16:48].reshape(-1, 3).astype(int) // 32
        features[number] = np.bincount(level @ [64, 8, 1], minlength=512) / len(level)
    return np.sqrt(features)  # of unit norm


def ranked_by_colour(chosen: list[int], top_k: int = 8) -> Figure:
    """Queries by how well colour alone finds them, 0 the best, and what it finds."""
    query, gallery = people().query, people().gallery
    metrics = retrieval.evaluate_features(
        histograms(query), histograms(gallery), query.person_id, gallery.person_id, query.camera_id, gallery.camera_id,
        top_k=top_k,
    )  # fmt: skip
    order = np.argsort(-metrics.average_precision, kind="stable")
    rows = []
    for number in order[chosen]:
        found = metrics.top_indices[number]
        results = tuple(
            PanelImage(gallery.path[i], f"{score:.2f}", match=bool(gallery.person_id[i] == query.person_id[number]))
            for i, score in zip(found, metrics.top_scores[number], strict=True)
        )
        title = f"person {query.person_id[number]}, average precision {100 * metrics.average_precision[number]:.0f} %"
        rows.append(PanelRow(PanelImage(query.path[number], f"camera {query.camera_id[number]}"), results, title))
    return ranked_panel(rows, top_k=top_k)


def report_picture() -> Figure:
    """An easy query, a middling one, a hard one."""
    return ranked_by_colour([2, 60, -8])


def strip(axes, feature: np.ndarray, left: float, top: float, width: float) -> None:
    """Draws a feature vector as a row of shades."""
    shades = np.asarray(feature, float)[None] / feature.max()
    axes.imshow(shades, extent=(left, left + width, top + 0.28, top), aspect="auto", cmap="Blues", vmin=-0.15)


def extracting_picture() -> Figure:
    """Images as they come, the size of the model, and a vector for each."""
    table = people().gallery
    rows, shapes = [3, 101, 200, 252], [(0.8, 1.25), (0.62, 1.6), (1.0, 1.5), (0.72, 1.1)]
    features = histograms(table.take(np.array(rows))).reshape(4, 32, 16).sum(axis=2)
    figure, axes = stage(9.6, 3.35)
    write(axes, 2.2, 0.25, "images of any size: files, folders, arrays", 9)
    write(axes, 5.15, 0.25, "as the model takes them", 9)
    write(axes, 8.0, 0.25, "features [N, D], in the same order", 9)
    for number, (row, (width, height)) in enumerate(zip(rows, shapes, strict=True)):
        with Image.open(table.path[row]) as image:
            pixels = np.asarray(image.convert("RGB"))
        axes.imshow(pixels, extent=(0.15 + 1.1 * number, 0.15 + 1.1 * number + width, 2.4, 2.4 - height), aspect="auto")
        write(axes, 0.15 + 1.1 * number + width / 2, 2.6, f"{number}.jpg", 7.5, color=COLOURS.muted)
        show(axes, pixels, 4.75 + 0.42 * (number % 2), 0.55 + 0.95 * (number // 2), 0.4)
        strip(axes, features[number], 6.85, 0.68 + 0.46 * number, 2.5)
        write(axes, 6.45, 0.82 + 0.46 * number, f"{number}.jpg", 7.5, color=COLOURS.muted)
    diagrams.arrow(axes, (4.4, 1.5), (4.7, 1.5))
    diagrams.arrow(axes, (5.75, 1.5), (6.1, 1.5))
    write(axes, 0.15, 3.05, "Resized and scaled exactly as in evaluation, so the features are the same.", 9, ha="left")
    return figure


def gallery_picture() -> Figure:
    """People enrolled, one searched for, one forgotten."""
    query, table = people().query, people().gallery
    asked = int(np.flatnonzero(query.person_id == query.person_ids[3])[0])
    same = np.flatnonzero((table.person_id == query.person_id[asked]) & (table.camera_id != query.camera_id[asked]))
    rows = np.array([same[0], 40, 120, same[-1], 200, 260])
    features = histograms(table.take(rows))
    scores = features @ histograms(query.take(np.array([asked])))[0]
    order, forgotten = np.argsort(-scores), 4
    figure, axes = stage(11.1, 4.6)
    write(axes, 0.65, 0.25, "search", 10, fontweight="bold")
    draw_image(axes, PanelImage(query.path[asked], "a new image"), 0.15, 0.75, COLOURS)
    diagrams.arrow(axes, (1.35, 1.75), (1.85, 1.75))
    write(axes, 2.0, 0.25, "enrolled: image, key, camera, time, your own fields", 10, ha="left", fontweight="bold")
    for place, row in enumerate(rows):
        left = 2.0 + 1.5 * place
        show(axes, np.asarray(Image.open(table.path[row]).convert("RGB")), left, 0.75)
        strip(axes, features[place].reshape(16, 32).sum(axis=1), left, 2.85, 1.0)
        write(axes, left + 0.5, 3.3, f"key {row}", 8)
        write(axes, left + 0.5, 3.55, f"camera {table.camera_id[row]}", 8, color=COLOURS.muted)
        if place == forgotten:
            axes.fill([left, left + 1, left + 1, left], [0.75, 0.75, 3.15, 3.15], color="#ffffffd8", zorder=3)
            write(axes, left + 0.5, 1.75, "forgotten", 9, zorder=4, fontweight="bold", color=COLOURS.mismatch)
    found = [place for place in order if place != forgotten][:3]
    text = ",  ".join(f"key {rows[place]} ({scores[place]:.2f})" for place in found)
    write(axes, 2.0, 4.15, f"found, best first:  {text}", 10, ha="left")
    return figure


PICTURES: dict[str, Callable[[], Figure]] = {
    "found.jpg": lambda: ranked_by_colour([12]),
    "concepts/pipeline.jpg": pipeline_picture,
    "concepts/evaluation.jpg": evaluation_picture,
    "concepts/protocols.jpg": protocols_picture,
    "concepts/report.jpg": report_picture,
    "concepts/adaptation.png": diagrams.adaptation,
    "concepts/extracting.jpg": extracting_picture,
    "concepts/gallery.jpg": gallery_picture,
    "concepts/several_devices.png": diagrams.several_devices,
    "concepts/export.png": diagrams.export,
    "concepts/recipes.png": diagrams.recipes,
}


def save(name: str) -> Path:
    """Draws one picture; photographs become JPEG, diagrams PNG of 64 colours."""
    figure = PICTURES[name]()
    image = Image.open(io.BytesIO(figure_png(figure, dpi=PIXELS / figure.get_figwidth()))).convert("RGB")
    if name.endswith(".jpg"):
        image.save(DOCS / name, quality=60, optimize=True)
    else:
        image.quantize(64, dither=Image.Dither.NONE).save(DOCS / name, optimize=True)
    return DOCS / name


if __name__ == "__main__":
    for wanted in sys.argv[1:] or PICTURES:
        path = save(wanted)
        print(f"{path.relative_to(DOCS)}: {path.stat().st_size / 1000:.0f} kB")
