"""Gradient steps per backend, optimiser groups, schedules, callbacks, resuming and reproducibility."""

from keras_reid.training.adaptive_decay import AdaptiveDecay
from keras_reid.training.callbacks import CollapseDetector, PlanEpoch, SetEpoch
from keras_reid.training.optimizer_group import OptimizerGroup
from keras_reid.training.optimizers import TorchAdam, TorchSGD
from keras_reid.training.reproducibility import seed_everything
from keras_reid.training.resume import Resume
from keras_reid.training.schedules import WarmupStepDecay

__all__ = [
    "AdaptiveDecay",
    "CollapseDetector",
    "OptimizerGroup",
    "PlanEpoch",
    "Resume",
    "SetEpoch",
    "TorchAdam",
    "TorchSGD",
    "WarmupStepDecay",
    "seed_everything",
]
