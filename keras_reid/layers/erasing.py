"""Random erasing inside a model, for methods that need an image with and without it."""

import keras
from keras import ops

__all__ = ["RandomErasing"]

_ATTEMPTS = 10


@keras.saving.register_keras_serializable(package="keras_reid")
class RandomErasing(keras.layers.Layer):
    """Sets a random rectangle to zero, each image by itself, ``[B, H, W, C] -> [B, H, W, C]``.

    A rectangle of area ``s H W`` and aspect ``r`` has height ``sqrt(s H W r)`` and width ``sqrt(s H W / r)``, both
    uniform; the first of ten that fits is taken. Zero is the mean colour where images are normalised. Where every image
    is wanted erased, `keras_reid.pipeline.RandomErasing` does it on the way.

    Args:
        probability: How often.
        area: Range of the erased share of the image.
        aspect: Range of height / width.
        seed: Seed of the draws; ``None`` for one that follows ``keras.utils.set_random_seed``.
        **kwargs: `keras.layers.Layer`'s own (``name``, ``dtype``).

    Raises:
        ValueError: ``probability`` outside [0, 1].

    Example:
        >>> import keras, numpy as np
        >>> from keras_reid.layers import RandomErasing
        >>> erased = RandomErasing(1.0)(np.ones((2, 64, 32, 3), "float32"))
        >>> bool(0.6 <= float(keras.ops.mean(erased)) <= 0.99)
        True

    Reference:
        Zhong, Zheng, Kang, Li and Yang, "Random Erasing Data Augmentation", AAAI 2020.
    """

    def __init__(
        self,
        probability: float = 0.5,
        area: tuple[float, float] = (0.02, 0.4),
        aspect: tuple[float, float] = (0.3, 1 / 0.3),
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not 0.0 <= probability <= 1.0:
            raise ValueError(f"`probability` must lie in [0, 1]. Received: {probability!r}.")
        self.probability, self.area, self.aspect, self.seed = probability, tuple(area), tuple(aspect), seed
        self.generator = keras.random.SeedGenerator(seed)

    def _draw(self, shape, low=0.0, high=1.0):
        return keras.random.uniform(shape, low, high, dtype="float32", seed=self.generator)

    def call(self, images):
        """Erases."""
        count, (height, width) = ops.shape(images)[0], images.shape[1:3]
        area = self._draw((count, _ATTEMPTS), *self.area) * (height * width)
        aspect = self._draw((count, _ATTEMPTS), *self.aspect)
        tall, wide = ops.round(ops.sqrt(area * aspect)), ops.round(ops.sqrt(area / aspect))
        fits = ops.cast(ops.logical_and(tall < height, wide < width), "float32")
        first = ops.one_hot(ops.argmax(fits, axis=1), _ATTEMPTS, dtype="float32") * fits
        tall, wide = (ops.sum(sides * first, axis=1) for sides in (tall, wide))  # 0 where none fits
        places = self._draw((count, 3))
        rows = _inside(ops.floor(places[:, 0] * (height - tall + 1.0)), tall, height)
        columns = _inside(ops.floor(places[:, 1] * (width - wide + 1.0)), wide, width)
        chosen = ops.cast(places[:, 2] < self.probability, "float32")[:, None, None]
        hidden = rows[:, :, None] * columns[:, None, :] * chosen
        return images * ops.cast(1.0 - hidden, images.dtype)[..., None]

    def compute_output_shape(self, input_shape):
        """The shape stays."""
        return input_shape

    def get_config(self):
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "probability": self.probability,
            "area": self.area,
            "aspect": self.aspect,
            "seed": self.seed,
        }


def _inside(start, length, size: int):
    """[B] starts and lengths -> [B, size], 1 between start and start + length."""
    places = ops.arange(size, dtype="float32")[None]
    return ops.cast(ops.logical_and(places >= start[:, None], places < (start + length)[:, None]), "float32")
