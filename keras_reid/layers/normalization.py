"""The part of a model's input contract that the pipeline leaves to the model."""

import keras
from keras import ops

from keras_reid.checks import unknown_name

__all__ = ["ImageNormalization"]

# name -> (mean, standard deviation) of red, green and blue in [0, 1]
STATISTICS = {"imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))}


@keras.saving.register_keras_serializable(package="keras_reid")
class ImageNormalization(keras.layers.Layer):
    """Subtracts the channels' means and divides by their standard deviations, ``[B, H, W, 3] -> [B, H, W, 3]``.

    Args:
        statistics: ``"imagenet"``, or ``None`` to pass images in [0, 1] on as they are.
        **kwargs: `keras.layers.Layer`'s own (``name``, ``dtype``).

    Raises:
        ValueError: ``statistics`` is unknown.

    Example:
        >>> import numpy as np
        >>> from keras_reid.layers import ImageNormalization
        >>> grey = np.full((1, 1, 1, 3), 0.456, "float32")
        >>> round(float(ImageNormalization("imagenet")(grey)[0, 0, 0, 1]), 4)
        0.0
    """

    def __init__(self, statistics: str | None = "imagenet", **kwargs):
        # Images stay float32 until they are normalised: half precision has steps of 1/2048 near 1.
        super().__init__(autocast=False, **kwargs)
        if statistics is not None and statistics not in STATISTICS:
            raise unknown_name("image statistics", statistics, STATISTICS, "`None` leaves images in [0, 1].")
        self.statistics = statistics

    def call(self, images):
        """Normalises and casts to the compute dtype."""
        images = ops.cast(images, "float32")
        if self.statistics is not None:
            mean, deviation = (ops.convert_to_tensor(values, "float32") for values in STATISTICS[self.statistics])
            images = (images - mean) / deviation
        return ops.cast(images, self.compute_dtype)

    def inverse(self, images):
        """Normalised images -> images in [0, 1] (or beyond, where they were drawn), float32."""
        images = ops.cast(images, "float32")
        if self.statistics is None:
            return images
        mean, deviation = (ops.convert_to_tensor(values, "float32") for values in STATISTICS[self.statistics])
        return images * deviation + mean

    def compute_output_shape(self, input_shape):
        """The shape stays."""
        return input_shape

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "statistics": self.statistics}
