"""Images that come to a model as an array, and not through the pipeline."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["image_array"]


def image_array(images: npt.ArrayLike, image_size: Sequence[int]) -> np.ndarray:
    """Returns images as a model takes them, once they are what it takes.

    Args:
        images: `[N, H, W, 3]` in [0, 1], RGB.
        image_size: (H, W), the model's.

    Returns:
        float32 `[N, H, W, 3]`.

    Raises:
        ValueError: The array has another shape, no image, or lies outside of [0, 1].

    Example:
        >>> import numpy as np
        >>> from keras_reid.pipeline.arrays import image_array
        >>> image_array(np.zeros((1, 64, 32, 3)), (64, 32)).dtype
        dtype('float32')
    """
    array = np.asarray(images)
    if array.ndim != 4 or not len(array) or array.shape[1:] != (*image_size, 3):
        raise ValueError(
            f"`images` must have the shape [N, {image_size[0]}, {image_size[1]}, 3], N > 0. Received: "
            f"{array.shape}. keras_reid.pipeline.inference resizes files to it; images[None] makes one a batch."
        )
    if array.dtype == np.uint8 or array.min() < 0.0 or array.max() > 1.0:
        raise ValueError(
            f"`images` must be float RGB in [0, 1]. Received: {array.dtype} in [{array.min()}, {array.max()}]. "
            "Divide uint8 images by 255; the model normalises by itself."
        )
    return array.astype("float32")
