"""QAConv: maps of local features, compared location by location."""

from keras_reid.methods.qaconv.checkpoints import qaconv_from_checkpoint
from keras_reid.methods.qaconv.model import QAConv

__all__ = ["QAConv", "qaconv_from_checkpoint"]
