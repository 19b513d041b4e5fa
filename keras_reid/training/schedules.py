"""Learning-rate schedules of the papers' recipes, as functions of the step."""

from collections.abc import Sequence

import keras
from keras import ops

__all__ = ["WarmupStepDecay"]


@keras.saving.register_keras_serializable(package="keras_reid")
class WarmupStepDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up to the base rate, then a drop by a factor at each boundary.

    Args:
        learning_rate: Base rate, reached at the end of the warm-up.
        boundaries: Step numbers in order; from each of them on the rate is multiplied by ``factor``.
        factor: Multiplier at each boundary.
        warmup_steps: Length of the warm-up in steps; 0 for none.
        warmup_start: Share of the base rate at step 0.

    Raises:
        ValueError: Boundaries that decrease, or a negative warm-up.

    Example:
        >>> from keras_reid.training import WarmupStepDecay
        >>> schedule = WarmupStepDecay(1.0, boundaries=[10], factor=0.1, warmup_steps=4, warmup_start=0.0)
        >>> [round(float(schedule(step)), 2) for step in (0, 2, 4, 9, 10)]
        [0.0, 0.5, 1.0, 1.0, 0.1]

    Reference:
        Warm-up and milestones of Luo et al., "Bag of Tricks and a Strong Baseline for Deep Person Re-identification",
        CVPR Workshops 2019, section 3.1.
    """

    def __init__(
        self,
        learning_rate: float,
        boundaries: Sequence[int] = (),
        factor: float = 0.1,
        warmup_steps: int = 0,
        warmup_start: float = 0.01,
    ):
        super().__init__()
        self.learning_rate = learning_rate
        self.boundaries = [int(boundary) for boundary in boundaries]
        self.factor = factor
        self.warmup_steps = int(warmup_steps)
        self.warmup_start = warmup_start
        if self.boundaries != sorted(self.boundaries):
            raise ValueError(f"`boundaries` must not decrease. Received: {list(boundaries)}.")
        if self.warmup_steps < 0:
            raise ValueError(f"`warmup_steps` must be at least 0. Received: {warmup_steps}.")

    def __call__(self, step):
        """Returns the learning rate at ``step``."""
        step = ops.cast(step, "float32")
        drops = sum((ops.cast(step >= boundary, "float32") for boundary in self.boundaries), 0.0)
        progress = ops.minimum(step / max(self.warmup_steps, 1), 1.0) if self.warmup_steps else 1.0
        warmup = self.warmup_start + (1.0 - self.warmup_start) * progress
        return self.learning_rate * warmup * ops.power(ops.cast(self.factor, "float32"), drops)

    def get_config(self) -> dict:
        """Returns the constructor's arguments."""
        return {
            "learning_rate": self.learning_rate,
            "boundaries": self.boundaries,
            "factor": self.factor,
            "warmup_steps": self.warmup_steps,
            "warmup_start": self.warmup_start,
        }
