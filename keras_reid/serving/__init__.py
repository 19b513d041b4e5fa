"""A page for one gallery: drop a crop, see who is most like it, and why, and remove a person."""

from keras_reid.serving.page import page
from keras_reid.serving.server import serve

__all__ = ["page", "serve"]
