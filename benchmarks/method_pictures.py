"""Pictures of trained models for the methods' pages; the models are those of the claims, first seed.

    python benchmarks/method_pictures.py                # a training each: minutes, SPGAN's a quarter of an hour
    python benchmarks/method_pictures.py --only cmemd

CM-EMD: who is found across the modalities, the plan of an identity, the embedding before and after the training.
DCML: clusters of the site before the first and in the last round, the embedding before and after, purity and mAP.
SPGAN: images of the source, how they are drawn in the style of the site, and the site's own.
"""

import argparse
import io
import tempfile
from pathlib import Path

import claims_cmemd
import claims_dcml
import numpy as np
from PIL import Image

from keras_reid import evaluate, visualize, zoo
from keras_reid.adaptation import adapt
from keras_reid.evaluation import extract
from keras_reid.training import seed_everything
from keras_reid.visualize.images import thumbnail
from keras_reid.visualize.style import figure_png, new_axes, new_figure, theme_named

PAGES = Path(__file__).parents[1] / "docs" / "methods"
METHODS = ("cmemd", "dcml", "spgan")
SEED = 100
PEOPLE = 10  # of an embedding map, as many as there are colours to tell apart

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--only", nargs="+", choices=METHODS, default=METHODS)
parser.add_argument("--folder", type=Path, default=PAGES, help="where to write (%(default)s)")
parser.add_argument(
    "--weights", type=Path, help="folder that keeps what was trained on the source (see claims_dcml.py)"
)


def some_of(table):
    """The images of the first people."""
    return table.take(np.flatnonzero(np.isin(table.person_id, table.person_ids[:PEOPLE])))


def embedding_maps(title, model, table, groups, names, save, stage):
    """Some people of the table, by t-SNE."""
    features = extract(model, table, progress=False)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    figure = visualize.embedding_map(features, table.person_id, groups, group_names=names, title=f"{title}, {stage}")
    save(figure, f"map_{stage}")


def clusters(model, table):
    """Some clusters of the table as the model sees it."""
    labels = claims_dcml.CLUSTERING.labels_of(extract(model, table, progress=False)).labels
    return visualize.cluster_sheet(table, labels, clusters=6)


def cmemd(save, root, weights):
    """Optimal plan without CM-DL and local stream, the row of the claims that recognises best."""
    options = claims_cmemd.parser.parse_args([])
    tested = claims_cmemd.people(root, "regdb", "C", SEED, options.identities)
    asked = tested["visible_to_thermal"]
    seed_everything(SEED)
    model, recipe = claims_cmemd.model_of("emd"), zoo.recipe("cmemd_tiny")
    shown = some_of(asked.train)
    draw = ("CM-EMD, people of the training", model, shown, shown.modality, ("visible", "thermal"), save)
    embedding_maps(*draw, "before")
    recipe.fit(model, asked.train, epochs=options.epochs, seed=SEED, cache="memory", verbose=0)
    embedding_maps(*draw, "after")
    for direction, dataset in tested.items():
        report = evaluate(model, dataset, progress=False)
        save(visualize.ranked_panel(report, count=4, top_k=8), direction)
    person = asked.train.person_id == asked.train.person_ids[0]
    visible, thermal = (asked.train.path[person & (asked.train.modality == modality)][:6] for modality in (0, 1))
    save(visualize.transport_plan(model, visible, thermal), "plan")


def dcml(save, root, weights):
    """Credible anchors by prototypes, from the claims' network of the source."""
    options = claims_dcml.parser.parse_args(["--weights", str(weights)] if weights else [])
    source, target = claims_dcml.experiment(root, SEED, options)
    trained = claims_dcml.source_weights(SEED, source, target, False, weights or root, options)
    mining, spreading = claims_dcml.ROWS["prototype"]
    model = zoo.load(claims_dcml.ENTRY, weights=trained, image_size=claims_dcml.SIZE, spreading_weight=spreading)
    shown = some_of(target.train)
    cameras = tuple(f"camera {number}" for number in range(shown.camera_id.max() + 1))
    draw = ("DCML, people of the site", model, shown, shown.camera_id, cameras, save)
    embedding_maps(*draw, "before")
    save(clusters(model, target.train), "clusters_before")
    seed_everything(SEED)
    arguments = {"plan": claims_dcml.plan_of(options), "clustering": claims_dcml.CLUSTERING, "mining": mining}
    records = adapt(model, None, target.train, **arguments, evaluate_on=target, seed=SEED, verbose=False)
    embedding_maps(*draw, "after")
    save(clusters(model, target.train), "clusters_after")
    save(visualize.adaptation_curves(records), "curves")


def spgan(save, root, weights):
    """Four images of each site of the source."""
    options = claims_dcml.parser.parse_args([])
    source, target = claims_dcml.experiment(root, SEED, options)
    drawn = claims_dcml.drawn(source, target, weights or root, SEED, options)
    draw = np.random.default_rng(SEED)
    shown = np.concatenate([draw.choice(np.flatnonzero(source.domain == site), 4, False) for site in (0, 1, 2)])
    own = draw.choice(len(target.train), len(shown), False)
    rows = {"the source": source.path[shown], "drawn": drawn.path[shown], "the site": target.train.path[own]}
    theme = theme_named("light")
    figure = new_figure(8, 4.8, theme)
    for number, (title, paths) in enumerate(rows.items(), 1):
        axes = new_axes(figure, (3, 1, number), theme)
        axes.imshow(np.hstack([thumbnail(path) for path in paths]))
        axes.set_title(title, loc="left")
        axes.set_axis_off()
    save(figure, "drawings")


def main():
    options = parser.parse_args()
    for method in options.only:

        def save(figure, name, method=method):
            image = Image.open(io.BytesIO(figure_png(figure, dpi=80))).convert("RGB")
            image.save(options.folder / f"{method}_{name}.jpg", quality=75, optimize=True)

        with tempfile.TemporaryDirectory() as root:
            globals()[method](save, Path(root), options.weights)


if __name__ == "__main__":
    main()
