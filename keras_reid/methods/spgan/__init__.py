"""SPGAN: style transfer between sites."""

from keras_reid.methods.spgan.model import SPGAN

__all__ = ["SPGAN"]
