"""QAConv: maps of local features, compared location by location."""

from keras_reid.methods.qaconv.model import QAConv

__all__ = ["QAConv"]
