"""Which model made an embedding: its method, its configuration, its weights."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from keras_reid.checks import check_positive_int

__all__ = ["Fingerprint", "fingerprint_of"]

# What a model is called and how many people it was trained on do not change what it extracts.
_IRRELEVANT = ("name", "trainable", "num_classes")


@dataclass(frozen=True)
class Fingerprint:
    """What made the embeddings of a gallery, so that no other's get in.

    Attributes:
        method: The model's class, or any name for a model that is not of this library.
        dimension: Length of an embedding.
        weights: Checksum of the weights: SHA-256 in hexadecimal, or any text that changes with them.
        config: The constructor's arguments, as far as JSON can hold them.
        feature_shape: Shape of what the matcher of a pairwise method needs of an image; empty for the others.

    Raises:
        ValueError: The dimension is no positive integer.

    Example:
        >>> from keras_reid.gallery import Fingerprint
        >>> ours, theirs = Fingerprint("osnet", 512, "a1"), Fingerprint("osnet", 512, "b2")
        >>> ours.difference(theirs)
        'weights a1 and not b2'
    """

    method: str
    dimension: int
    weights: str
    config: Mapping[str, Any] = field(default_factory=dict)
    feature_shape: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        check_positive_int("dimension", self.dimension)
        # As it will be read back, so that a tuple in a configuration does not differ from a list.
        object.__setattr__(self, "config", json.loads(json.dumps(dict(self.config), sort_keys=True, default=str)))
        object.__setattr__(self, "feature_shape", tuple(int(side) for side in self.feature_shape))

    def to_dict(self) -> dict[str, Any]:
        """Returns what JSON can hold; `from_dict` makes a fingerprint of it.

        Returns:
            A dictionary.
        """
        return {
            "method": self.method,
            "dimension": self.dimension,
            "weights": self.weights,
            "config": self.config,
            "feature_shape": list(self.feature_shape),
        }

    @classmethod
    def from_dict(cls, written: Mapping[str, Any]) -> "Fingerprint":
        """Reads what `to_dict` returned.

        Args:
            written: The dictionary.

        Returns:
            The fingerprint.
        """
        return cls(**{**written, "feature_shape": tuple(written["feature_shape"])})

    def difference(self, other: "Fingerprint") -> str:
        """Says in what this fingerprint differs from another one.

        Args:
            other: The other one.

        Returns:
            Words for an error's sentence; empty if they are equal.
        """
        found = [
            f"{name} {_short(getattr(self, name))} and not {_short(getattr(other, name))}"
            for name in ("method", "dimension", "feature_shape", "weights")
            if getattr(self, name) != getattr(other, name)
        ]
        if self.method == other.method:  # the arguments of another method are other ones
            found += [
                f"{name}={self.config.get(name)!r} and not {other.config.get(name)!r}"
                for name in sorted({*self.config, *other.config})
                if self.config.get(name) != other.config.get(name)
            ]
        return ", ".join(found)

    def __str__(self) -> str:
        return f"{self.method}, {self.dimension} numbers, weights {_short(self.weights)}"


def fingerprint_of(model: Any) -> Fingerprint:
    """Takes a model's fingerprint.

    The checksum is taken over what `ReIDModel.inference_model` keeps, so neither classifier heads nor a class memory
    nor an optimiser's state are in it: a model has the same fingerprint before and after it is saved, and published.

    Args:
        model: A ``ReIDModel``; a `Fingerprint`, for embeddings that something else made; or an extractor that has a
            method ``fingerprint()``.

    Returns:
        The fingerprint.

    Raises:
        TypeError: It is none of these.

    Example:
        >>> import keras_reid
        >>> from keras_reid.gallery.fingerprint import fingerprint_of
        >>> fingerprint_of(keras_reid.zoo.load("baseline_tiny")).method
        'Baseline'
    """
    if isinstance(model, Fingerprint):
        return model
    if callable(getattr(model, "fingerprint", None)):
        return model.fingerprint()
    if not hasattr(model, "inference_model"):
        raise TypeError(
            "`model` must be a model of this library, or a Fingerprint that says what made the embeddings: "
            f"Fingerprint(method, dimension, weights). Received: {type(model).__name__}."
        )
    features = np.asarray(model.extract(np.zeros((1, *model.image_size, 3), "float32")))
    pairwise = hasattr(model, "embed")
    embeddings = model.embed(features) if pairwise else features
    published = model if model.num_classes is None else model.inference_model()
    config = {name: value for name, value in published.get_config().items() if name not in _IRRELEVANT}
    return Fingerprint(
        method=type(model).__name__,
        dimension=int(embeddings.shape[1]),
        weights=_checksum(published),
        config=config,
        feature_shape=features.shape[1:] if pairwise else (),
    )


def _checksum(model: Any) -> str:
    """SHA-256 of the weights in the order of their paths, which have the model's name in front of them or not."""
    from keras import ops

    weights = {weight.path.removeprefix(f"{model.name}/"): weight for weight in model.weights}
    digest = hashlib.sha256()
    for path in sorted(weights):
        array = np.ascontiguousarray(ops.convert_to_numpy(weights[path]))
        digest.update(f"{path} {array.dtype} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 16 else f"{text[:12]}..."
