"""Gradient steps per backend, several devices, optimiser groups, schedules, callbacks, resuming, reproducibility."""

from keras_reid.training.adaptive_decay import AdaptiveDecay
from keras_reid.training.callbacks import CollapseDetector, PlanEpoch, SetEpoch
from keras_reid.training.devices import Devices, several_devices
from keras_reid.training.optimizer_group import OptimizerGroup
from keras_reid.training.optimizers import TorchAdam, TorchSGD
from keras_reid.training.reproducibility import seed_everything
from keras_reid.training.resume import Resume
from keras_reid.training.schedules import WarmupStepDecay

__all__ = [
    "AdaptiveDecay",
    "CollapseDetector",
    "Devices",
    "OptimizerGroup",
    "PlanEpoch",
    "Resume",
    "SetEpoch",
    "TorchAdam",
    "TorchSGD",
    "WarmupStepDecay",
    "seed_everything",
    "several_devices",
]
