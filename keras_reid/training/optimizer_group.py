"""One optimiser that holds several, each owning the variables whose path matches its pattern."""

import re
from collections.abc import Mapping, Sequence

import keras

__all__ = ["OptimizerGroup", "select_groups", "with_loss_scale"]


@keras.saving.register_keras_serializable(package="keras_reid")
class OptimizerGroup(keras.optimizers.Optimizer):
    r"""Named optimisers behind the one optimiser that ``compile`` takes.

    Because it is a single ``keras.optimizers.Optimizer``, saving, loading, ``ModelCheckpoint`` and loading on another
    backend see every slot of every inner optimiser. `ReIDModel.update` applies the inner ones by name.

    Patterns are matched against the whole variable path with ``re.fullmatch``. The path of a subclassed model's
    variables begins with the model's name before saving and without it after loading, hence ``(.*/)?`` in front. A
    group that matches nothing, and a variable that two groups or none match, are errors: never a silent freeze.

    Args:
        optimizers: Group name -> ``keras.optimizers.Optimizer``. Learning-rate schedules sit in these.
        patterns: Group name -> regular expression on variable paths. Left out, group ``name`` owns
            ``(.*/)?name/.*``. At most one group may have ``None``: it owns every variable that no pattern matches.
        clip_norms: Sequence of ``{"groups": [names], "norm": c}``: the gradients of these groups together are scaled
            down to a norm of at most c, as torch's ``clip_grad_norm_`` does. A group may stand in one of them.
        name: Name of the optimiser.

    Raises:
        ValueError: No optimiser, patterns for other names than the optimisers', two groups with ``None``, or a clipping
            norm that is not positive, or of groups that do not exist or are clipped already.

    Example:
        >>> import keras
        >>> from keras_reid.training import OptimizerGroup
        >>> group = OptimizerGroup(
        ...     {"backbone": keras.optimizers.SGD(0.001), "new": keras.optimizers.SGD(0.01)},
        ...     patterns={"backbone": r"(.*/)?backbone/.*", "new": None},
        ... )
        >>> sorted(group.groups)
        ['backbone', 'new']
    """

    def __init__(
        self,
        optimizers: Mapping[str, keras.optimizers.Optimizer],
        patterns: Mapping[str, str | None] | None = None,
        clip_norms: Sequence[Mapping] = (),
        name: str = "optimizer_group",
    ):
        super().__init__(learning_rate=0.0, name=name)
        if not optimizers:
            raise ValueError("`optimizers` must hold at least one named optimiser. Received: {}.")
        if patterns is None:
            patterns = {group: rf"(.*/)?{re.escape(group)}/.*" for group in optimizers}
        if set(patterns) != set(optimizers):
            raise ValueError(
                f"`patterns` must name the same groups as `optimizers`: {sorted(optimizers)}. "
                f"Received: {sorted(patterns)}."
            )
        if sum(pattern is None for pattern in patterns.values()) > 1:
            raise ValueError(
                "At most one group may own the remaining variables (pattern None). Received: "
                f"{[group for group, pattern in patterns.items() if pattern is None]}."
            )
        self.groups = dict(optimizers)
        self.patterns = dict(patterns)
        self.clip_norms = [{"groups": list(clip["groups"]), "norm": float(clip["norm"])} for clip in clip_norms]
        clipped = [group for clip in self.clip_norms for group in clip["groups"]]
        if not set(clipped) <= set(self.groups) or len(set(clipped)) < len(clipped):
            raise ValueError(
                f"`clip_norms` must name groups among {sorted(self.groups)}, each at most once. Received: {clipped}."
            )
        if any(not clip["norm"] > 0.0 for clip in self.clip_norms):
            raise ValueError(f"A clipping norm must be positive. Received: {self.clip_norms}.")

    def clip(self, optimizers: Sequence[keras.optimizers.Optimizer], parts: list[list], scale) -> list[list]:
        """Scales the gradients of each clipping set down to its norm.

        Args:
            optimizers: Inner optimisers at work.
            parts: The gradients of each, ``None`` where the loss does not reach; all multiplied by ``scale``.
            scale: Loss scale, which the norm leaves out.

        Returns:
            The gradients, likewise.
        """
        for clip in self.clip_norms:
            owners = [id(self.groups[group]) for group in clip["groups"]]
            members = [index for index, optimizer in enumerate(optimizers) if id(optimizer) in owners]
            squares = [
                keras.ops.sum(keras.ops.square(keras.ops.cast(gradient, "float32") / scale))
                for index in members
                for gradient in parts[index]
                if gradient is not None
            ]
            if squares:
                norm = keras.ops.sqrt(sum(squares))
                factor = keras.ops.minimum(1.0, clip["norm"] / (norm + 1e-6))
                for index in members:
                    parts[index] = [g if g is None else g * keras.ops.cast(factor, g.dtype) for g in parts[index]]
        return parts

    def split(self, variables: Sequence[keras.Variable]) -> dict[str, list[keras.Variable]]:
        """Sorts ``variables`` into the groups by path.

        Raises:
            ValueError: A variable that two groups or no group match, or a group without variables.
        """
        owned: dict[str, list[keras.Variable]] = {group: [] for group in self.groups}
        rest = next((group for group, pattern in self.patterns.items() if pattern is None), None)
        for variable in variables:
            hits = [
                group
                for group, pattern in self.patterns.items()
                if pattern is not None and re.fullmatch(pattern, variable.path)
            ]
            if not hits and rest is not None:
                hits = [rest]
            if len(hits) != 1:
                raise ValueError(
                    f"The variable {variable.path!r} must belong to exactly one optimiser group. It is matched by "
                    f"{hits or 'none'} of {self.patterns}. Change the patterns of the OptimizerGroup."
                )
            owned[hits[0]].append(variable)
        empty = [group for group, members in owned.items() if not members]
        if empty:
            raise ValueError(
                f"The optimiser group(s) {empty} match no variable, so nothing would train there. Patterns: "
                f"{self.patterns}. Paths begin like: {sorted({v.path for v in variables})[:4]}."
            )
        return owned

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Creates the slots of every inner optimiser."""
        if self.built:
            return
        for group, members in self.split(variables).items():
            self.groups[group].build(members)
        super().build(variables)

    @property
    def variables(self) -> list[keras.Variable]:
        """Own variables, then those of the inner optimisers in order."""
        inner = [variable for optimizer in self.optimizers for variable in optimizer.variables]
        return [*self._variables, *inner]

    @property
    def optimizers(self) -> list[keras.optimizers.Optimizer]:
        """The inner optimisers; Keras' learning-rate callbacks look for this name."""
        return list(self.groups.values())

    def scale_loss(self, loss):
        """Returns the loss as it is: each inner optimiser scales its own part in `ReIDModel.update`."""
        return loss

    def apply(self, grads, trainable_variables=None):
        """Refuses: the inner optimisers are applied one by one.

        Raises:
            RuntimeError: Always.
        """
        raise RuntimeError(
            "An OptimizerGroup is applied group by group. Train through a keras_reid model, whose `update` does so."
        )

    def finalize_variable_values(self, var_list) -> None:
        """Hands each inner optimiser its variables at the end of training (moving averages)."""
        for group, members in self.split(var_list).items():
            self.groups[group].finalize_variable_values(members)

    def get_config(self) -> dict:
        """Returns the constructor's arguments."""
        return {
            "optimizers": {
                group: keras.saving.serialize_keras_object(optimizer) for group, optimizer in self.groups.items()
            },
            "patterns": self.patterns,
            "clip_norms": self.clip_norms,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> "OptimizerGroup":
        """Builds the group from `get_config`'s result."""
        optimizers = {
            group: keras.saving.deserialize_keras_object(inner, custom_objects=custom_objects)
            for group, inner in config["optimizers"].items()
        }
        return cls(**{**config, "optimizers": optimizers})


def select_groups(optimizer, groups: str | Sequence[str] | None, method: str) -> list[keras.optimizers.Optimizer]:
    """Returns the optimisers that a method names.

    Args:
        optimizer: What ``compile`` was given.
        groups: Name(s) of groups; ``None`` for all, or for an optimiser without groups.
        method: Name of the method, for the message.

    Raises:
        ValueError: The optimiser has no groups, or not these.
    """
    if not isinstance(optimizer, OptimizerGroup):
        if groups is not None:
            raise ValueError(
                f"{method} trains the groups {groups!r} apart. Compile it with "
                "keras_reid.training.OptimizerGroup({name: optimizer}), or load it by keras_reid.zoo.load, which does "
                f"so. Received: {type(optimizer).__name__}."
            )
        return [optimizer]
    names = list(optimizer.groups) if groups is None else [groups] if isinstance(groups, str) else list(groups)
    unknown = [name for name in names if name not in optimizer.groups]
    if unknown:
        raise ValueError(f"{method} needs the optimiser groups {unknown}; this optimiser has {list(optimizer.groups)}.")
    return [optimizer.groups[name] for name in names]


def with_loss_scale(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    """Wraps an optimiser, or each of a group, in a loss scale of its own, once."""
    if isinstance(optimizer, OptimizerGroup):
        optimizer.groups = {name: with_loss_scale(inner) for name, inner in optimizer.groups.items()}
        return optimizer
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return optimizer
    return keras.optimizers.LossScaleOptimizer(optimizer, name=f"{optimizer.name}_loss_scale")
