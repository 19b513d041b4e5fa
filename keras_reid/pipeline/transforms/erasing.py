"""Transforms that hide a rectangle: random erasing and random occlusion."""

from dataclasses import dataclass

import numpy as np

from keras_reid.pipeline.transforms._draw import (
    check_color,
    check_probability,
    check_range,
    generator,
)

__all__ = ["RandomErasing", "RandomOcclusion"]

_ATTEMPTS = 100


@dataclass(frozen=True)
class RandomErasing:
    """Fills a random rectangle with one colour, with some probability.

    A rectangle of area `s H W` and aspect `r` has height `sqrt(s H W r)` and width
    `sqrt(s H W / r)`; `s` and `r` are uniform and drawn again while the rectangle does not fit
    (100 times at most; then the image stays as it is).

    Args:
        probability: How often.
        area: Range of the erased share of the image.
        aspect: Range of height / width.
        fill: Red, green, blue of 0-255; the mean of ImageNet by default.

    Raises:
        ValueError: A probability, range or colour is impossible.

    Example:
        >>> import numpy as np
        >>> from keras_reid.pipeline.transforms import RandomErasing
        >>> image = np.zeros((256, 128, 3), np.uint8)
        >>> erased = RandomErasing(probability=1.0)(image, seed=np.uint64([0, 0]))
        >>> bool(0.02 <= (erased[..., 0] == 124).mean() <= 0.4)
        True

    Reference:
        Zhong, Zheng, Kang, Li, Yang: Random Erasing Data Augmentation, AAAI 2020.
    """

    probability: float = 0.5
    area: tuple[float, float] = (0.02, 0.4)
    aspect: tuple[float, float] = (0.3, 3.33)
    fill: tuple[int, int, int] = (124, 116, 104)

    def __post_init__(self) -> None:
        check_probability("probability", self.probability)
        object.__setattr__(self, "area", check_range("area", self.area, 0.0, 1.0))
        object.__setattr__(self, "aspect", check_range("aspect", self.aspect, 0.01, 100.0))
        object.__setattr__(self, "fill", check_color("fill", self.fill))

    def __call__(self, image: np.ndarray, seed: np.ndarray) -> np.ndarray:
        """Returns the image `[H, W, 3]`, with or without a hidden rectangle."""
        rng = generator(seed)
        if rng.random() >= self.probability:
            return image
        height, width = image.shape[:2]
        for _ in range(_ATTEMPTS):
            area = rng.uniform(*self.area) * height * width
            aspect = rng.uniform(*self.aspect)
            tall, wide = round((area * aspect) ** 0.5), round((area / aspect) ** 0.5)
            if 0 < tall <= height and 0 < wide <= width:
                top = rng.integers(height - tall + 1)
                left = rng.integers(width - wide + 1)
                return _filled(image, top, left, tall, wide, self.fill)
        return image


@dataclass(frozen=True)
class RandomOcclusion:
    """Fills a random square with one colour, in every image.

    With `S = min(H, W)`, the side is uniform over the integers from `max(1, int(S * smallest))`
    to `int(S * largest) - 1`; the place is uniform too.

    Args:
        smallest: Smallest side as a share of `S`.
        largest: Bound of the largest side as a share of `S`.
        fill: Red, green, blue of 0-255; white by default.

    Raises:
        ValueError: `0 <= smallest < largest <= 1` does not hold, or the colour is impossible; when
            called, that the image is too small for a square.

    Example:
        >>> import numpy as np
        >>> from keras_reid.pipeline.transforms import RandomOcclusion
        >>> image = np.zeros((384, 128, 3), np.uint8)
        >>> int(RandomOcclusion()(image, seed=np.uint64([0, 0])).max())
        255

    Reference:
        Liao, Shao: Interpretable and Generalizable Person Re-Identification with Query-Adaptive
        Convolution and Temporal Lifting, ECCV 2020 (the authors' code).
    """

    smallest: float = 0.0
    largest: float = 0.8
    fill: tuple[int, int, int] = (255, 255, 255)

    def __post_init__(self) -> None:
        if not 0 <= self.smallest < self.largest <= 1:
            raise ValueError(
                "`smallest` and `largest` must satisfy 0 <= smallest < largest <= 1. "
                f"Received: {self.smallest!r} and {self.largest!r}."
            )
        object.__setattr__(self, "fill", check_color("fill", self.fill))

    def __call__(self, image: np.ndarray, seed: np.ndarray) -> np.ndarray:
        """Returns the image `[H, W, 3]` with a hidden square."""
        rng = generator(seed)
        height, width = image.shape[:2]
        low, high = self.side_range(height, width)
        side = rng.integers(low, high)
        left, top = rng.integers(width - side), rng.integers(height - side)
        return _filled(image, top, left, side, side, self.fill)

    def side_range(self, height: int, width: int) -> tuple[int, int]:
        """Returns the smallest side and one more than the largest, in pixels.

        Args:
            height: The image's height.
            width: The image's width.

        Returns:
            Two integers, as `numpy.random.Generator.integers` takes them.

        Raises:
            ValueError: The image is too small for any square.
        """
        short = min(height, width)
        low, high = max(1, int(short * self.smallest)), int(short * self.largest)
        if high <= low:
            raise ValueError(
                f"RandomOcclusion({self.smallest}, {self.largest}) has no square for an image of "
                f"{height} x {width}. Use a larger image_size or range."
            )
        return low, high


def _filled(image: np.ndarray, top: int, left: int, height: int, width: int, fill: tuple[int, int, int]) -> np.ndarray:
    """Returns a copy of the image in which one rectangle has one colour."""
    copy = image.copy()
    rectangle = copy[top : top + height, left : left + width]
    # One row by colour, the others by that row: long copies instead of one per pixel.
    rectangle[0] = fill
    rectangle[1:] = rectangle[0]
    return copy
