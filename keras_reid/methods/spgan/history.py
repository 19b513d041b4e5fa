"""Images drawn before: so that a discriminator does not forget what generators did earlier."""

import keras
from keras import ops

from keras_reid.checks import check_positive_int

__all__ = ["ImageHistory"]


@keras.saving.register_keras_serializable(package="keras_reid")
class ImageHistory(keras.layers.Layer):
    """Keeps drawn images, and hands some of them out instead of new ones.

    Until it is full every image is kept and handed back. Then each image is, with probability 1/2, exchanged for a
    random one of those kept. The images are saved with the model, to resume.

    Args:
        size: Number of images kept.
        **kwargs: `keras.layers.Layer`'s own (``name``).

    Example:
        >>> import keras, numpy as np
        >>> from keras_reid.methods.spgan.history import ImageHistory
        >>> history = ImageHistory(size=2)
        >>> history.build((None, 1, 1, 3))
        >>> keras.ops.convert_to_numpy(history.exchange(np.ones((2, 1, 1, 3), "float32")))[:, 0, 0, 0]
        array([1., 1.], dtype=float32)

    Reference:
        Shrivastava et al., "Learning from Simulated and Unsupervised Images through Adversarial Training", CVPR 2017.
    """

    def __init__(self, size: int = 50, **kwargs):
        super().__init__(**kwargs)
        self.images_kept = check_positive_int("size", size)
        self.generator = keras.random.SeedGenerator()

    def build(self, input_shape):
        """Creates the memory for images [H,W,3]."""
        options = {"initializer": "zeros", "trainable": False, "autocast": False, "dtype": "float32"}
        self.images = self.add_weight(name="images", shape=(self.images_kept, *input_shape[1:]), **options)
        self.count = self.add_weight(name="count", shape=(), **options)

    def exchange(self, images):
        """New images [B,H,W,3] -> images to learn from [B,H,W,3]; B not larger than the memory."""
        number = images.shape[0]
        draws = keras.random.uniform((self.images_kept + number,), seed=self.generator)
        count = ops.cast(self.count, "int32")
        full = count >= self.images_kept
        random_places = ops.argsort(draws[: self.images_kept])[:number]  # all different
        next_places = ops.mod(count + ops.arange(number), self.images_kept)
        places = ops.where(full, random_places, next_places)
        swapped = ops.logical_and(full, draws[self.images_kept :] < 0.5)[:, None, None, None]
        kept = ops.take(self.images, places, axis=0)
        new = ops.stop_gradient(ops.cast(images, "float32"))
        stored = ops.where(ops.logical_and(full, ops.logical_not(swapped)), kept, new)
        self.images.assign(ops.scatter_update(self.images, places[:, None], stored))
        self.count.assign(ops.minimum(self.count + float(number), float(self.images_kept)))
        return ops.where(swapped, kept, new)

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "size": self.images_kept}
