"""The loop: extract, cluster, choose, train, and again."""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from keras_reid import zoo
from keras_reid.adaptation.clustering import Clustering
from keras_reid.adaptation.credibility import CredibleMining
from keras_reid.adaptation.plan import AdaptationPlan, planned
from keras_reid.adaptation.pseudo_labels import Stage, pseudo_labels, purity, unit_rows
from keras_reid.adaptation.records import AdaptationFolder, RoundRecord
from keras_reid.adaptation.style import translated
from keras_reid.checks import check_positive_int
from keras_reid.datasets import ReIDDataset, ReIDTable
from keras_reid.evaluation import evaluate, extract

__all__ = ["adapt"]


def adapt(
    model: Any,
    source: ReIDDataset | ReIDTable | None,
    target: ReIDDataset | ReIDTable,
    *,
    recipe: str | None = None,
    plan: AdaptationPlan | None = None,
    clustering: Clustering | None = None,
    mining: CredibleMining | None = None,
    source_epochs: int | None = None,
    style_transfer: Any = None,
    evaluate_on: ReIDDataset | None = None,
    out: str | os.PathLike[str] | None = None,
    resume: bool = False,
    seed: int = 0,
    save_every: int = 50,
    callbacks: Sequence = (),
    verbose: bool = True,
) -> list[RoundRecord]:
    """Adapts a model to a site without labels, and returns what happened in each round.

    If there is a source, the model is trained on it first, by the recipe of its zoo entry. Then, round by round: the
    features of all target images, their clusters, the most credible images of them, and training on these under their
    pseudo-identities. The identities in the target's table are never trained on; where it holds at least two, the
    records say how pure the clusters are.

    Any method whose `extract` returns embeddings can be adapted. One that wants to see the whole site (`DCML`) has a
    ``target_model``, which is given the site's features; any other trains by its own losses, with a new head in every
    round. When a round is done, the weights of ``model`` are the new ones; a head it had is left as it was.

    Args:
        model: A `ReIDModel`. Changed in place.
        source: Labelled data to train on first; ``None`` if the model has been trained.
        target: The site: a table, or a data set whose ``train`` table is taken.
        recipe: Zoo entry that says how the source is trained on, and how the rounds go.
        plan: Schedule of the rounds, instead of the recipe's; the paper's if neither is given.
        clustering: How clusters are made, instead of the recipe's way. A measured radius is that of the first round.
        mining: Which images are trusted, instead of the recipe's way.
        source_epochs: Epochs on the source; the recipe's own by default.
        style_transfer: An `SPGAN` trained from the source to the target: the source is trained on as it draws it. The
            pictures are kept in ``out``.
        evaluate_on: Data set whose queries and gallery are evaluated before the first and after every round.
        out: Folder to keep records, weights, pseudo labels and the training's state in; nothing is kept by default.
        resume: Go on with the adaptation in ``out``, between rounds or within one, as if it had never stopped. The
            model must be made as it was then.
        seed: Seed of weights of heads, order and augmentation; that of the program is set to it.
        save_every: Steps between saved states.
        callbacks: Keras callbacks for every training.
        verbose: Whether to print a line per round.

    Returns:
        One `RoundRecord` per round.

    Raises:
        ValueError: An argument is wrong; or a round found nothing to train on: no cluster, a single one, too few
            credible images. The sentence says what to change, and the model is as it was before that round.
        TypeError: ``target`` is neither table nor data set.

    Example:
        >>> import keras_reid
        >>> model = keras_reid.zoo.load("dcml_tiny")  # doctest: +SKIP
        >>> records = keras_reid.adapt(model, site_a, site_b, recipe="dcml_tiny", out="runs/ab")  # doctest: +SKIP
        >>> records[-1].clusters  # doctest: +SKIP
        148

    Reference:
        Chen et al., "Deep Credible Metric Learning for Unsupervised Domain Adaptation Person Re-identification", ECCV
        2020, algorithm 1.
    """
    table = _table(target, "target")
    recipe_plan, recipe_clustering, recipe_mining = planned(recipe)
    plan, clustering, mining = plan or recipe_plan, clustering or recipe_clustering, mining or recipe_mining
    check_positive_int("save_every", save_every)
    if source is not None and recipe is None:
        raise ValueError(
            "Training on the source needs to know how: give `recipe=`, the name of a zoo entry, or `source=None` for "
            "a model that has been trained."
        )
    if style_transfer is not None and (source is None or out is None):
        raise ValueError("`style_transfer` draws the source anew: give a `source`, and `out` to keep the pictures in.")
    settings = {
        "model": type(model).__name__,
        "source_images": None if source is None else len(_table(source, "source")),
        "target_images": len(table),
        "evaluate_on": None if evaluate_on is None else evaluate_on.name,
        "recipe": recipe,
        "source_epochs": source_epochs,
        "seed": seed,
        "plan": asdict(plan),
        "clustering": asdict(clustering),
        "mining": asdict(mining),
        "style_transfer": None if style_transfer is None else type(style_transfer).__name__,
    }
    folder = AdaptationFolder(out, settings, resume)
    rounds = _Rounds(model, table, plan, clustering, mining, evaluate_on, folder, seed, save_every, callbacks, verbose)
    try:
        rounds.begin(source, recipe, source_epochs, style_transfer)
        for number in range(folder.finished, plan.rounds):
            rounds.run(number)
    except BaseException:
        folder.free()
        raise
    return folder.records


class _Rounds:
    """What all rounds share."""

    def __init__(self, model, table, plan, clustering, mining, evaluate_on, folder, seed, save_every, callbacks, say):
        self.model, self.table = model, table
        self.plan, self.clustering, self.mining = plan, clustering, mining
        self.evaluate_on, self.folder, self.seed = evaluate_on, folder, seed
        self.save_every, self.callbacks, self.say = save_every, callbacks, say

    def begin(self, source, recipe, epochs, style_transfer):
        """Makes the model the one that the next round begins with."""
        from keras_reid.training import seed_everything

        folder = self.folder
        if folder.finished == 0 and folder.weights(0) is None:
            folder.keep_records([], folder.before)
            if source is not None:
                if style_transfer is not None:
                    source = translated(style_transfer, _table(source, "source"), folder.path / "translated")
                seed_everything(self.seed)
                place = None if folder.path is None else folder.path / "source"
                self._fit(zoo.recipe(recipe), self.model, source, place, epochs=epochs, seed=self.seed)
                folder.keep_weights(self.model.inference_model(), 0)
        elif (file := folder.weights(folder.finished)) is not None:
            stored = self.model.inference_model()
            stored.load_weights(file)
            _copy_weights(stored, self.model)
        if folder.before is None and self.evaluate_on is not None:
            folder.keep_records(folder.records, self._quality())

    def run(self, number):
        """One round: pseudo labels, training, record."""
        from keras_reid.training import seed_everything

        folder, records = self.folder, self.folder.records
        features = unit_rows(extract(self.model, self.table, progress=False))
        stage = folder.stage(number)
        if stage is None:
            eps = records[0].eps if records else None
            stage = pseudo_labels(features, self.clustering, self.mining, number, eps, self.table.camera_id)
            folder.keep_stage(number, stage)
        rows = stage.anchors.rows
        table = self.table.take(rows).with_labels(stage.labels.labels[rows])
        seed_everything(self.seed + number + 1)
        student = _student(self.model, features, rows)
        recipe = self.plan.recipe(number, table)
        self._fit(recipe, student, table, folder.round(number), seed=self.seed + number + 1)
        published = student.inference_model()
        folder.keep_weights(published, number + 1)
        _copy_weights(published, self.model)
        record = self._record(number, stage, table)
        folder.keep_records([*records, record], folder.before)
        if self.say:
            print(record, flush=True)

    def _fit(self, recipe, model, data, place: Path | None, **options) -> None:
        """Trains, with a log and a state where files are kept."""
        import keras

        from keras_reid.training import Resume

        callbacks = [keras.callbacks.TerminateOnNaN(raise_error=True), *self.callbacks]
        with ExitStack() as stack:
            if place is not None:
                place.mkdir(parents=True, exist_ok=True)
                log = keras.callbacks.CSVLogger(place / "log.csv", append=(place / "log.csv").exists())
                stack.callback(lambda: log.csv_file and log.csv_file.close())  # Keras leaves it open on an error
                callbacks += [log, Resume(place / "state", every_steps=self.save_every)]
            recipe.fit(model, data, callbacks=callbacks, verbose=0, **options)

    def _record(self, number: int, stage: Stage, table: ReIDTable) -> RoundRecord:
        labels, rows = stage.labels.labels, stage.anchors.rows
        persons, known = self.table.person_id, labels >= 0
        truth = self.table.num_persons > 1
        before = self.folder.before
        if self.folder.records and before is not None:
            last = self.folder.records[-1]
            before = {"mean_ap": last.mean_ap, "rank1": last.rank1}
        after = self._quality() if self.evaluate_on is not None else {}
        return RoundRecord(
            round=number + 1,
            images=len(labels),
            eps=stage.labels.eps,
            clusters=stage.labels.clusters,
            labelled=stage.labels.labelled,
            anchors=len(rows),
            identities=table.num_persons,
            threshold=stage.anchors.threshold,
            learning_rate=self.plan.learning_rate(number),
            purity=purity(labels[known], persons[known]) if truth else None,
            anchor_purity=purity(labels[rows], persons[rows]) if truth else None,
            mean_ap_before=before and before["mean_ap"],
            rank1_before=before and before["rank1"],
            **after,
        )

    def _quality(self) -> dict[str, float]:
        report = evaluate(self.model, self.evaluate_on, progress=False)
        return {"mean_ap": float(report.mean_ap), "rank1": float(report.rank(1))}


def _student(model, features: np.ndarray, rows: np.ndarray):
    """What a round trains: a copy without the last one's head."""
    if hasattr(model, "target_model"):
        return model.target_model(features, rows)
    return model.inference_model()


def _copy_weights(source, model) -> None:
    """Gives ``model`` the weights of ``source``, which has no head."""
    from keras import ops

    own = {variable.path.removeprefix(f"{model.name}/"): variable for variable in model.weights}
    for variable in source.weights:
        own[variable.path.removeprefix(f"{source.name}/")].assign(np.array(ops.convert_to_numpy(variable)))


def _table(data: Any, name: str) -> ReIDTable:
    table = data.train if isinstance(data, ReIDDataset) else data
    if not isinstance(table, ReIDTable):
        raise TypeError(
            f"`{name}` must be a ReIDDataset or a ReIDTable, e.g. from keras_reid.datasets.load. Received: "
            f"{type(data).__name__}."
        )
    if not len(table):
        raise ValueError(f"`{name}` must hold at least one image to train on. Received an empty table.")
    return table
