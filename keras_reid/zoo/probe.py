"""The probe: an image and the embedding that the weights gave it, to see that they still do."""

from pathlib import Path

import numpy as np

from keras_reid.zoo.cards import Card
from keras_reid.zoo.files import check_file

__all__ = ["EMBEDDING", "IMAGE", "TOLERANCE", "check_probe", "check_probe_files", "write_probe"]

IMAGE, EMBEDDING = "probe.png", "probe.npy"
TOLERANCE = 0.01
"""How far an embedding may be off, as a share of its length: rounding on another device or backend stays far below."""


def write_probe(model, folder: Path) -> None:
    """Writes a drawn person of the model's image size, and what the model extracts from it.

    Args:
        model: A `keras_reid.methods.ReIDModel`.
        folder: Where to write `IMAGE` and `EMBEDDING`.
    """
    from PIL import Image

    from keras_reid.datasets import synthetic

    camera = synthetic.sample_cameras("A", 0)[0]
    pixels = synthetic.draw(synthetic.sample_person("A", 0, 0), camera, synthetic.sample_shot(camera, (0, 0)))
    height, width = model.image_size
    Image.fromarray(pixels).resize((width, height)).save(folder / IMAGE)
    np.save(folder / EMBEDDING, _embedding(model, folder))


def check_probe_files(entry: Card, folder: Path) -> None:
    """Raises ``ValueError`` unless the probe's files are those that the card describes."""
    for name in (IMAGE, EMBEDDING):
        check_file(folder / name, entry.weights.get("sha256", {}))


def check_probe(model, entry: Card, folder: Path) -> None:
    """Raises ``ValueError`` unless the model gives the probe the embedding that was written with the weights.

    Args:
        model: The model that was loaded.
        entry: The folder's card; says the tolerance, as a share of the embedding's length.
        folder: Where the probe is.
    """
    expected, received = np.load(folder / EMBEDDING), _embedding(model, folder)
    tolerance = entry.weights.get("tolerance", TOLERANCE)
    if received.shape != expected.shape:
        raise ValueError(
            f"The model in {folder} gives its probe image an embedding of the shape {received.shape}, and it was "
            f"{expected.shape} when it was saved."
        )
    difference = float(np.linalg.norm(received - expected) / np.linalg.norm(expected))
    if not difference <= tolerance:  # NaN is no embedding
        raise ValueError(
            f"The model in {folder} gives its probe image another embedding than when it was saved: they differ by "
            f"{difference:.2%} of its length, {tolerance:.2%} are allowed. The weights or what is done to an image "
            "have changed since; do not compare with features from before."
        )


def _embedding(model, folder: Path) -> np.ndarray:
    from PIL import Image

    with Image.open(folder / IMAGE) as image:
        pixels = np.asarray(image.convert("RGB"), "float32") / 255.0
    return np.asarray(model.extract(pixels[None])[0], "float32")
