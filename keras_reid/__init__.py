"""keras_reid: person re-identification for Keras 3."""

__version__ = "0.1.0"
