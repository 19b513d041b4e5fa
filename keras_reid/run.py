"""One training run in one folder: configuration, log, state to resume from, model, report."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from keras_reid import zoo
from keras_reid.datasets import ReIDDataset

__all__ = ["run"]


def run(
    name: str,
    dataset: ReIDDataset,
    out: str | os.PathLike,
    *,
    test_sets: Sequence[ReIDDataset] = (),
    epochs: int | None = None,
    seed: int = 0,
    weights: str | os.PathLike | None = None,
    overrides: Mapping[str, Any] | None = None,
    cache: str | None = "memory",
    save_every: int = 50,
    sampler: Mapping[str, Any] | None = None,
    resume: bool = False,
    on_bad_image: str = "raise",
    tensorboard: bool = False,
    devices: int | None = None,
    verbose: int | str = "auto",
):
    """Trains a zoo entry by its recipe, evaluates it, and writes everything into ``out``.

    ``out`` then holds ``config.json``, ``log.csv`` (named losses by epoch), ``state/`` (to resume from),
    ``model.keras``, and ``report.html``, ``report.json`` and ``report.txt``.

    Args:
        name: Zoo entry.
        dataset: Data set to train on, and the first to be tested on.
        out: Folder of the run. Created; it must not hold another run unless ``resume``.
        test_sets: Further data sets to test on directly (no training there).
        epochs: Number of epochs; the recipe's own by default.
        seed: Seed of weights, order and augmentation.
        weights: As in `keras_reid.zoo.load`. A head among them is dropped: these identities get a new one.
        overrides: Constructor arguments that replace the card's.
        cache: Decoded images: ``"memory"``, a folder, or ``None`` (see `keras_reid.pipeline.training`).
        save_every: Steps between saved states.
        sampler: Options that replace the recipe's, as in `keras_reid.recipe.Recipe.fit`.
        resume: Go on with the run in ``out``; its configuration must be the same.
        on_bad_image: ``"raise"`` or ``"skip"``.
        tensorboard: Also write the named losses by epoch to ``tensorboard/``, for the viewer of that name.
        devices: Devices of this host that divide each batch, as in `keras_reid.training.several_devices`: GPUs, or
            without one virtual devices of the CPU, to try it. Of several hosts, which ``TF_CONFIG`` names, each runs
            this with the same arguments, and the first one writes.
        verbose: As in ``keras.Model.fit``.

    Returns:
        ``(model, {name of the data set: Report})``; on hosts other than the first one no reports.

    Raises:
        ValueError: ``out`` holds another run, or a run to resume with another configuration, or two data sets to test
            on have one name, or there are fewer devices.
        ImportError: ``tensorboard``, and that package is not installed.
        RuntimeError: The loss became NaN; the state before it is kept.
        KeyboardInterrupt: After Ctrl-C, with the state saved.

    Example:
        ``run("baseline_tiny", keras_reid.datasets.load("synthetic"), "runs/first")``
    """
    import keras

    from keras_reid.evaluation import evaluate
    from keras_reid.methods.loading import save_model
    from keras_reid.training import CollapseDetector, Resume, seed_everything, several_devices
    from keras_reid.visualize import write_html

    out = Path(out)
    config = {
        "name": name,
        "dataset": dataset.name,
        "train_images": len(dataset.train),
        "epochs": zoo.recipe(name).epochs if epochs is None else epochs,
        "seed": seed,
        "weights": None if weights is None else str(weights),
        "overrides": dict(overrides or {}),
        "sampler": dict(sampler or {}),
        "precision": keras.config.dtype_policy().name,
    }
    config = json.loads(json.dumps(config))  # as it comes back from the file: lists for tuples
    tested_sets = [dataset, *test_sets]
    if len({tested.name for tested in tested_sets}) < len(tested_sets):
        raise ValueError(
            f"The data sets to test on must differ in name: {[tested.name for tested in tested_sets]}. Rename one with "
            "dataclasses.replace(dataset, name=...)."
        )
    with several_devices(devices) as placed:
        if placed.first_host or resume:
            _check(out, config, resume)
        board = [_tensorboard(out)] if tensorboard else []
        seed_everything(seed)
        with placed.scope():
            model = zoo.load(name, weights=weights, head="drop", **config["overrides"])
        state = Resume(out / "state", every_steps=save_every)
        if resume and state.position()[0] >= config["epochs"]:
            print(f"The training in {out} is complete; it is evaluated again.")
        log = out / "log.csv"
        writers = []
        if placed.first_host:
            out.mkdir(parents=True, exist_ok=True)
            (out / "config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")
            writers = [keras.callbacks.CSVLogger(log, append=log.exists()), CollapseDetector(), *board]
        try:
            zoo.recipe(name).fit(
                model,
                dataset,
                epochs=config["epochs"],
                seed=seed,
                cache=cache,
                on_bad_image=on_bad_image,
                sampler=sampler,
                callbacks=[keras.callbacks.TerminateOnNaN(raise_error=True), *writers, state],
                verbose=verbose if placed.first_host else 0,
            )
        except BaseException:
            if placed.first_host and not state.file.exists():  # nothing was trained: free for the corrected command
                (out / "config.json").unlink()
                log.unlink(missing_ok=True)
            raise
        if not placed.first_host:
            return model, {}
        save_model(model, out)
        provenance = {"zoo entry": name, "trained on": dataset.name, "epochs": config["epochs"], "seed": seed}
        options = {"on_bad_image": on_bad_image, "progress": verbose != 0, "provenance": provenance}
        reports = {tested.name: evaluate(model, tested, **options) for tested in tested_sets}
        notes = [f"Zoo entry {name}, trained on {dataset.name} for {config['epochs']} epochs, seed {seed}."]
        labelled = {f"{dataset.name} → {tested}": report for tested, report in reports.items()}
        title = f"{name} trained on {dataset.name}"
        write_html(out / "report.html", title, labelled, history=log, notes=notes, model=model)
        text = "\n\n".join(str(report) for report in reports.values())
        (out / "report.txt").write_text(text + "\n", encoding="utf-8")
        (out / "report.json").write_text(
            json.dumps({key: report.to_dict() for key, report in reports.items()}, indent=1), encoding="utf-8"
        )
        return model, reports


def _tensorboard(out: Path):
    import keras

    try:
        import tensorboard  # noqa: F401  (Keras would only miss it after the first epoch)
    except ImportError as error:
        raise ImportError(
            "The log for TensorBoard needs that package: pip install tensorboard. log.csv holds the same numbers."
        ) from error
    return keras.callbacks.TensorBoard(out / "tensorboard", write_graph=False)


def _check(out: Path, config: dict, resume: bool) -> None:
    """Makes sure that nobody's run is overwritten and that a resumed run is the same run."""
    file = out / "config.json"
    if out.exists() and not out.is_dir():
        raise ValueError(f"{out} is a file. Give a folder for the run.")
    if not file.exists():
        if resume:
            raise ValueError(f"There is no run in {out} to go on with. Leave --resume out, or give the run's folder.")
        return
    if not resume:
        raise ValueError(f"{out} already holds a run. Give another folder, or --resume to go on with it.")
    found = json.loads(file.read_text(encoding="utf-8"))
    changed = {key: (found.get(key), value) for key, value in config.items() if found.get(key) != value}
    if changed:
        raise ValueError(
            f"The run in {out} was started otherwise: "
            + "; ".join(f"{key} was {old!r}, now {new!r}" for key, (old, new) in changed.items())
            + ". Resume with the same arguments."
        )
