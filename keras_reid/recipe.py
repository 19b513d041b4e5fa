"""A recipe: how a zoo entry is trained. Optimiser groups, schedule, sampler and augmentation, read from its card."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from keras_reid.checks import check_positive_int, unknown_name
from keras_reid.datasets import ReIDDataset, ReIDTable

__all__ = ["Recipe"]

_OPTIMIZERS = ("adam", "sgd")


@dataclass(frozen=True)
class Recipe:
    """What `fit` needs besides the model and the data.

    Attributes:
        name: The zoo entry it belongs to.
        epochs: Number of epochs of the recipe. Another number given to `fit` scales warm-up and milestones with it.
        steps_per_epoch: Steps of an epoch on the data the recipe was written for; the schedule of a freshly loaded
            model counts with it until `fit` knows better.
        sampler: ``{"name": ..., options}`` of `keras_reid.pipeline.SAMPLERS`.
        transforms: Sequence of ``{"name": ..., options}`` of `keras_reid.pipeline.TRANSFORMS`, in order.
        optimizer: ``{"name": "adam" | "sgd", "learning_rate": ..., options}`` with torch's update rule.
        schedule: ``warmup_epochs``, ``warmup_start``, ``milestones`` (epochs) and ``factor``.
            ``adaptive = {threshold, factor}`` instead follows the loss; see `keras_reid.training.AdaptiveDecay`.
        groups: Group name -> ``{"pattern": ..., "multiplier": ...}``, and ``"optimizer"`` where it is not the recipe's;
            empty for one optimiser over everything.
        clip_norms: As in `keras_reid.training.OptimizerGroup`.
        adaptation: How `keras_reid.adapt` goes on from there on a site without labels: arguments of
            `keras_reid.adaptation.AdaptationPlan`, and ``clustering`` and ``mining``, those of `Clustering` and
            `CredibleMining`.

    Example:
        >>> import keras_reid
        >>> recipe = keras_reid.zoo.recipe("baseline_r50")
        >>> recipe.epochs, recipe.sampler["name"]
        (120, 'pk')
    """

    name: str
    epochs: int
    steps_per_epoch: int
    sampler: Mapping[str, Any]
    transforms: Sequence[Mapping[str, Any]]
    optimizer: Mapping[str, Any]
    schedule: Mapping[str, Any] = field(default_factory=dict)
    groups: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    clip_norms: Sequence[Mapping[str, Any]] = ()
    adaptation: Mapping[str, Any] = field(default_factory=dict)

    def training_data(
        self,
        model,
        table: ReIDTable,
        *,
        seed: int = 0,
        cache=None,
        on_bad_image: str = "raise",
        sampler: Mapping[str, Any] | None = None,
    ):
        """Makes the training pipeline of the recipe for ``model`` on ``table``.

        Args:
            model: A `ReIDModel`: gives the image size and the interpolation.
            table: Training images.
            seed: Seed of order and augmentation.
            cache: As in `keras_reid.pipeline.training`.
            on_bad_image: As in `keras_reid.pipeline.training`.
            sampler: Options that replace the recipe's, e.g. ``{"identities": 4}`` for a table of few persons.

        Returns:
            A ``tf.data.Dataset``, as `keras_reid.pipeline.training` describes it.
        """
        from keras_reid import pipeline

        return pipeline.training(
            table,
            image_size=model.image_size,
            interpolation=model.interpolation,
            sampler=_made(pipeline.SAMPLERS, "sampler", {**self.sampler, **(sampler or {})}),
            transforms=tuple(_made(pipeline.TRANSFORMS, "transform", options) for options in self.transforms),
            cache=cache,
            seed=seed,
            on_bad_image=on_bad_image,
            partner=model.uses_partner,
        )

    def make_optimizer(self, steps_per_epoch: int | None = None, epochs: int | None = None):
        """Builds the optimiser, its schedule counted in steps.

        Args:
            steps_per_epoch: Steps of an epoch; the recipe's own by default.
            epochs: Planned epochs; warm-up and milestones are scaled by ``epochs / self.epochs``.

        Returns:
            A ``keras.optimizers.Optimizer``; an `OptimizerGroup` when the recipe has groups.
        """
        from keras_reid.training import OptimizerGroup

        steps = steps_per_epoch or self.steps_per_epoch
        scale = (epochs or self.epochs) / self.epochs * steps
        if not self.groups:
            return self._optimizer(self.optimizer, scale, 1.0)
        return OptimizerGroup(
            {
                name: self._optimizer(group.get("optimizer", self.optimizer), scale, group.get("multiplier", 1.0))
                for name, group in self.groups.items()
            },
            patterns={name: group.get("pattern") for name, group in self.groups.items()},
            clip_norms=self.clip_norms,
        )

    def _optimizer(self, described: Mapping[str, Any], steps_per_unit: float, multiplier: float):
        from keras_reid.training import TorchAdam, TorchSGD, WarmupStepDecay

        options = dict(described)
        name, rate = options.pop("name"), options.pop("learning_rate")
        if name not in _OPTIMIZERS:
            raise unknown_name("optimiser in the recipe", name, _OPTIMIZERS)
        if "adaptive" in self.schedule:  # a number, which the callback changes
            return {"adam": TorchAdam, "sgd": TorchSGD}[name](rate * multiplier, **options)
        schedule = WarmupStepDecay(
            rate * multiplier,
            boundaries=[round(epoch * steps_per_unit) for epoch in self.schedule.get("milestones", ())],
            factor=self.schedule.get("factor", 0.1),
            warmup_steps=round(self.schedule.get("warmup_epochs", 0) * steps_per_unit),
            warmup_start=self.schedule.get("warmup_start", 0.01),
        )
        return {"adam": TorchAdam, "sgd": TorchSGD}[name](schedule, **options)

    def fit(
        self,
        model,
        dataset: ReIDDataset | ReIDTable,
        *,
        epochs: int | None = None,
        seed: int = 0,
        cache=None,
        on_bad_image: str = "raise",
        sampler: Mapping[str, Any] | None = None,
        callbacks: Sequence = (),
        verbose: int | str = "auto",
    ):
        """Trains ``model`` as the recipe says, scaled to the data at hand.

        Args:
            model: A `ReIDModel`.
            dataset: A data set (its ``train`` table is used) or a table.
            epochs: Number of epochs; the recipe's own by default.
            seed: Seed of order and augmentation (the weights' seed is `keras_reid.training.seed_everything`'s).
            cache: As in `keras_reid.pipeline.training`.
            on_bad_image: As in `keras_reid.pipeline.training`.
            sampler: As in `training_data`.
            callbacks: Keras callbacks.
            verbose: As in ``keras.Model.fit``.

        Returns:
            The Keras ``History``.
        """
        from keras_reid.training import AdaptiveDecay

        table = dataset.train if isinstance(dataset, ReIDDataset) else dataset
        epochs = self.epochs if epochs is None else check_positive_int("epochs", epochs)
        data = self.training_data(model, table, seed=seed, cache=cache, on_bad_image=on_bad_image, sampler=sampler)
        model.compile(self.make_optimizer(data.steps_per_epoch, epochs))
        if "adaptive" in self.schedule:
            callbacks = [AdaptiveDecay(**self.schedule["adaptive"]), *callbacks]
        return model.fit(data, epochs=epochs, callbacks=list(callbacks), verbose=verbose)


def _made(registry: Mapping[str, type], kind: str, options: Mapping[str, Any]):
    """Builds a sampler or transform from its table in the card."""
    options = dict(options)
    name = options.pop("name", None)
    if name not in registry:
        raise unknown_name(f"{kind} in the recipe", name, registry)
    try:
        return registry[name](**options)
    except TypeError as error:
        raise ValueError(f"The {kind} {name!r} does not take these options: {options}. {error}") from error
