"""The methods: one module or package per paper, all on `ReIDModel`."""

from keras_reid.methods.base import ReIDModel
from keras_reid.methods.baseline import Baseline
from keras_reid.methods.cmemd import CMEMD
from keras_reid.methods.dcml import DCML
from keras_reid.methods.dgnet import DGNet
from keras_reid.methods.gmn import GMN
from keras_reid.methods.qaconv import QAConv
from keras_reid.methods.spgan import SPGAN

__all__ = ["CMEMD", "DCML", "GMN", "SPGAN", "Baseline", "DGNet", "QAConv", "ReIDModel"]
