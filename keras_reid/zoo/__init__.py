"""The model zoo: `list`, `card`, `load`, `recipe` and `save`; what they know stands on TOML cards."""

from keras_reid.zoo.cards import Card, card, list, recipe
from keras_reid.zoo.loading import load
from keras_reid.zoo.saving import save

__all__ = ["Card", "card", "list", "load", "recipe", "save"]
