"""Files that run without this library: uint8 images in, features out."""

from keras_reid.deployment.exporting import ExportedFile, export

__all__ = ["ExportedFile", "export"]
