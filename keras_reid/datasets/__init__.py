"""What exists: tables of images, and the readers that make them. numpy only."""

from keras_reid.datasets.dataset import ReIDDataset
from keras_reid.datasets.table import ReIDTable

__all__ = ["ReIDDataset", "ReIDTable"]
