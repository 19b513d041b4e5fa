"""CM-EMD: visible and thermal images of a person, moved onto one another."""

from keras_reid.methods.cmemd.model import CMEMD

__all__ = ["CMEMD"]
