"""GMN: a metric network that judges pairs of features, for data sets it was not trained on."""

from keras_reid.methods.gmn.model import GMN

__all__ = ["GMN"]
