"""The methods: one module or package per paper, all on `ReIDModel`."""

from keras_reid.methods.base import ReIDModel
from keras_reid.methods.baseline import Baseline

__all__ = ["Baseline", "ReIDModel"]
