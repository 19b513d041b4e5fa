"""Transforms that mix colour channels."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from keras_reid.pipeline.transforms._draw import check_probability, generator

__all__ = ["ChannelAugmentation"]


@dataclass(frozen=True)
class ChannelAugmentation:
    """Takes the colour out of visible images, so that a network does not lean on what thermal ones lack.

    With probability 1/4 each, red, green or blue fills all three channels; in the remaining quarter the image becomes
    grey with some probability and else stays as it is.

    A thermal image has three equal channels, and every one of these steps returns such an image unchanged: so the
    transform need not know the modality. It stands before any transform that would colour thermal images.

    Args:
        grey: Probability of grey in the remaining quarter.

    Raises:
        ValueError: `grey` is outside of [0, 1].

    Example:
        >>> import numpy as np
        >>> from keras_reid.pipeline.transforms import ChannelAugmentation
        >>> image = np.uint8([[[10, 200, 60]]])
        >>> ChannelAugmentation()(image, seed=np.uint64([0, 0]))
        array([[[10, 10, 10]]], dtype=uint8)

    Reference:
        Ye et al., "Channel Augmented Joint Learning for Visible-Infrared Recognition", ICCV 2021 (the shares as in the
        authors' code).
    """

    grey: float = 0.5

    def __post_init__(self) -> None:
        check_probability("grey", self.grey)

    def __call__(self, image: np.ndarray, seed: np.ndarray) -> np.ndarray:
        """Returns the image `[H, W, 3]` with one channel, grey, or as it is."""
        rng = generator(seed)
        channel = rng.integers(4)
        if channel < 3:
            chosen = image[..., channel]
        elif rng.random() < self.grey:
            chosen = np.asarray(Image.fromarray(image).convert("L"))
        else:
            return image
        return np.repeat(chosen[..., None], 3, axis=-1)
