"""One adaptation of a zoo entry in one folder: records, pseudo labels, state, model, pictures."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from keras_reid import zoo
from keras_reid.adaptation.plan import planned
from keras_reid.adaptation.records import RoundRecord
from keras_reid.adaptation.rounds import adapt
from keras_reid.datasets import ReIDDataset

__all__ = ["run"]


def run(
    name: str,
    source: ReIDDataset | None,
    target: ReIDDataset,
    out: str | os.PathLike[str],
    *,
    weights: str | os.PathLike[str] | None = None,
    rounds: int | None = None,
    epochs: int | None = None,
    eps: float | None = None,
    closest_share: float | None = None,
    center_cameras: bool | None = None,
    credibility: str | None = None,
    source_epochs: int | None = None,
    seed: int = 0,
    resume: bool = False,
    **options: Any,
) -> tuple[Any, list[RoundRecord]]:
    """Loads a zoo entry, trains it on the source, adapts it to the target, and writes everything into ``out``.

    ``out`` then holds what `keras_reid.adapt` keeps, ``model.keras`` without head and memory, and ``rounds.png``. If
    the target has queries and a gallery, it is evaluated before the first and after every round.

    Args:
        name: Zoo entry.
        source: Labelled data to train on first; ``None`` if ``weights`` are those of a trained model.
        target: The site; only its images are used for training.
        out: Folder of the adaptation.
        weights: As in `keras_reid.zoo.load`.
        rounds: Number of rounds; the recipe's own by default.
        epochs: Epochs of a round; the recipe's own by default. The share of those at the lower rate stays.
        eps: DBSCAN's radius, as in `keras_reid.adaptation.Clustering`.
        closest_share: Share of all pairs that the radius is measured by, as there.
        center_cameras: Whether each camera's mean embedding is subtracted, as there; the recipe's own by default.
        credibility: ``"prototype"`` or ``"knn"``; the recipe's own by default.
        source_epochs: Epochs on the source; the recipe's own by default.
        seed: Seed of everything.
        resume: Go on with the adaptation in ``out``.
        **options: Further arguments of `keras_reid.adapt`.

    Returns:
        The model and the records of the rounds.

    Raises:
        ValueError: Neither source nor weights are given, or what `keras_reid.adapt` raises.

    Example:
        ``run("dcml_tiny", site_a, site_b, "runs/ab")``
    """
    from keras_reid.methods.loading import save_model
    from keras_reid.training import seed_everything
    from keras_reid.visualize import adaptation_curves

    if source is None and weights in (None, "imagenet"):
        raise ValueError(
            "The network knows nothing of persons yet: give a source to train on first, or the weights of a trained "
            "model."
        )
    plan, clustering, mining = planned(name)
    plan = plan if rounds is None else replace(plan, rounds=rounds)
    if epochs is not None:
        last = min(round(plan.last_epochs * epochs / plan.epochs), epochs - 1)
        plan = replace(plan, epochs=epochs, last_epochs=max(last, 0))
    if closest_share is not None:  # a radius of the recipe's would never be measured
        clustering = replace(clustering, eps=None)
    asked = {"eps": eps, "closest_share": closest_share, "center_cameras": center_cameras}
    clustering = replace(clustering, **{name: value for name, value in asked.items() if value is not None})
    seed_everything(seed)
    model = zoo.load(name, weights=weights)
    records = adapt(
        model,
        source,
        target,
        recipe=name,
        plan=plan,
        clustering=clustering,
        mining=mining if credibility is None else replace(mining, credibility=credibility),
        source_epochs=source_epochs,
        evaluate_on=target if len(target.query) and len(target.gallery) else None,
        out=out,
        resume=resume,
        seed=seed,
        **options,
    )
    save_model(model.inference_model(), out)
    adaptation_curves(records).savefig(Path(out) / "rounds.png", dpi=160)
    return model, records
