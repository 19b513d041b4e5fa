"""The methods: one module or package per paper, all on `ReIDModel`."""

from keras_reid.methods.base import ReIDModel
from keras_reid.methods.baseline import Baseline
from keras_reid.methods.qaconv import QAConv

__all__ = ["Baseline", "QAConv", "ReIDModel"]
