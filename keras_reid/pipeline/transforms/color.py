"""Transforms that change colours."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageEnhance

from keras_reid.pipeline.transforms._draw import check_range, generator

__all__ = ["ColorJitter"]


@dataclass(frozen=True)
class ColorJitter:
    """Changes brightness, contrast, saturation and hue by random amounts, in a random order.

    A factor of 1 (and a hue shift of 0) leaves the image as it is. Every factor is uniform in its
    range.

    Args:
        brightness: Range of the factor of brightness.
        contrast: Range of the factor of contrast (about the mean grey).
        saturation: Range of the factor of saturation (about the image's own grey version).
        hue: Range of the hue shift, as a share of the colour circle.

    Raises:
        ValueError: A range is impossible.

    Example:
        >>> import numpy as np
        >>> from keras_reid.pipeline.transforms import ColorJitter
        >>> grey = np.full((8, 4, 3), 100, np.uint8)
        >>> darker = ColorJitter((0.5, 0.5), (1, 1), (1, 1), (0, 0))
        >>> int(darker(grey, seed=np.uint64([0, 0])).max())
        50

    Reference:
        The defaults are those of Liao, Shao: Graph Sampling Based Deep Metric Learning for
        Generalizable Person Re-Identification, CVPR 2022 (the authors' code).
    """

    brightness: tuple[float, float] = (0.5, 2.0)
    contrast: tuple[float, float] = (0.5, 2.0)
    saturation: tuple[float, float] = (0.5, 2.0)
    hue: tuple[float, float] = (-0.1, 0.1)

    def __post_init__(self) -> None:
        for name in ("brightness", "contrast", "saturation"):
            pair = check_range(name, getattr(self, name), 0.0, 100.0)
            object.__setattr__(self, name, pair)
        object.__setattr__(self, "hue", check_range("hue", self.hue, -0.5, 0.5))

    def __call__(self, image: np.ndarray, seed: np.ndarray) -> np.ndarray:
        """Returns the recoloured image `[H, W, 3]`."""
        rng = generator(seed)
        steps = (
            (lambda picture, factor: ImageEnhance.Brightness(picture).enhance(factor)),
            (lambda picture, factor: ImageEnhance.Contrast(picture).enhance(factor)),
            (lambda picture, factor: ImageEnhance.Color(picture).enhance(factor)),
            _shift_hue,
        )
        ranges = (self.brightness, self.contrast, self.saturation, self.hue)
        factors = [rng.uniform(*pair) for pair in ranges]
        picture = Image.fromarray(image)
        for number in rng.permutation(4):
            picture = steps[number](picture, factors[number])
        return np.asarray(picture)


def _shift_hue(picture: Image.Image, share: float) -> Image.Image:
    hue, saturation, value = picture.convert("HSV").split()
    shift = np.uint8(int(share * 255) % 256)
    shifted = Image.fromarray(np.asarray(hue) + shift)  # uint8 wraps around the colour circle
    return Image.merge("HSV", (shifted, saturation, value)).convert("RGB")
