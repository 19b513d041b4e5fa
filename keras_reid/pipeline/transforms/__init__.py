"""Stateless augmentation: `transform(image, seed) -> image`.

`image` is a read-only uint8 array `[H, W, 3]` (RGB), `seed` two uint64 numbers; the result has the
same shape and dtype and depends on nothing else. Any callable of that form is a transform.
"""

from collections.abc import Callable, Sequence

import numpy as np

from keras_reid.pipeline.transforms.channels import ChannelAugmentation
from keras_reid.pipeline.transforms.color import ColorJitter
from keras_reid.pipeline.transforms.erasing import RandomErasing, RandomOcclusion
from keras_reid.pipeline.transforms.geometry import Flip, PadCrop, Rotation

__all__ = [
    "LIGHT",
    "TRANSFORMS",
    "ChannelAugmentation",
    "ColorJitter",
    "Flip",
    "PadCrop",
    "RandomErasing",
    "RandomOcclusion",
    "Rotation",
    "Transform",
    "apply",
]

LIGHT = (Flip, PadCrop, RandomErasing, RandomOcclusion)
"""Transforms that only copy arrays; the others spend their time in Pillow."""

Transform = Callable[[np.ndarray, np.ndarray], np.ndarray]

TRANSFORMS: dict[str, Callable[..., Transform]] = {
    "channel_augmentation": ChannelAugmentation,
    "color_jitter": ColorJitter,
    "flip": Flip,
    "pad_crop": PadCrop,
    "random_erasing": RandomErasing,
    "random_occlusion": RandomOcclusion,
    "rotation": Rotation,
}
"""Transforms by the name that recipes use."""


def apply(transforms: Sequence[Transform], image: np.ndarray, seed: np.ndarray) -> np.ndarray:
    """Applies transforms in order, each with a seed of its own.

    Args:
        transforms: Callables `(image, seed) -> image`.
        image: uint8 `[H, W, 3]`.
        seed: The image's seed, two uint64 numbers. Transform n gets `seed + [0, n]`.

    Returns:
        uint8 `[H, W, 3]`.

    Raises:
        ValueError: A transform returned another shape or dtype.

    Example:
        >>> import numpy as np
        >>> from keras_reid.pipeline.transforms import Flip, PadCrop, apply
        >>> image = np.zeros((256, 128, 3), np.uint8)
        >>> apply((Flip(), PadCrop(10)), image, np.uint64([3, 1])).shape
        (256, 128, 3)
    """
    for number, transform in enumerate(transforms):
        result = transform(image, seed + np.array([0, number], np.uint64))
        if result.shape != image.shape or result.dtype != np.uint8:
            raise ValueError(
                f"A transform must return uint8 {image.shape}. "
                f"Received {result.dtype} {result.shape} from {transform!r}."
            )
        image = result
    return image
