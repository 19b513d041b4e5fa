"""The feature bank: the latest embedding of every image of a site."""

import keras
import numpy as np
from keras import ops

from keras_reid.checks import check_positive_int
from keras_reid.layers.unit_vectors import unit_vectors

__all__ = ["FeatureBank"]


@keras.saving.register_keras_serializable(package="keras_reid")
class FeatureBank(keras.layers.Layer):
    """Keeps a unit-norm embedding of every image ``[N, D]``, also of images that are not trained on.

    After a step, what it holds of the batch's images moves towards their new embeddings:
    ``v <- (q v + (1 - q) f) / |q v + (1 - q) f|``. Nothing in it is trained and no gradient flows into it. It is saved
    with the model, to resume, and is no part of the published weights.

    Batches are drawn from a table of some of the N images; which ones is said when the bank is filled.

    Args:
        momentum: q above, the share of the old embedding.
        **kwargs: `keras.layers.Layer`'s own (``name``).

    Raises:
        ValueError: ``momentum`` outside [0, 1).

    Example:
        >>> import numpy as np
        >>> from keras_reid.layers import FeatureBank
        >>> bank = FeatureBank(momentum=0.5)
        >>> bank.size(images=4, width=2)
        >>> bank.fill(np.tile([[1.0, 0.0]], (4, 1)), places=np.array([1, 3]))
        >>> bank.write(np.array([1]), np.array([[0.0, 1.0]]))  # the second row of the table is the bank's fourth
        >>> np.asarray(bank.features)[3].round(2)
        array([0.71, 0.71], dtype=float32)

    Reference:
        Chen et al., "Deep Credible Metric Learning for Unsupervised Domain Adaptation Person Re-identification", ECCV
        2020, speaks of all other samples and not of how they are kept. The bank and its rule are those of Wu et al.,
        "Unsupervised Feature Learning via Non-Parametric Instance Discrimination", CVPR 2018.
    """

    def __init__(self, momentum: float = 0.5, **kwargs):
        super().__init__(**kwargs)
        if not 0.0 <= momentum < 1.0:
            raise ValueError(f"`momentum` must lie in [0, 1). Received: {momentum!r}.")
        self.momentum = momentum

    def size(self, images: int, width: int) -> None:
        """Creates the bank for ``images`` embeddings of ``width`` numbers."""
        self.images = check_positive_int("images", images)
        self.build((None, check_positive_int("width", width)))

    def build(self, input_shape):
        """Creates the bank, once `size` has said how many images there are."""
        options = {"trainable": False, "autocast": False, "dtype": "float32"}
        self.features = self.add_weight(
            name="features", shape=(self.images, input_shape[-1]), initializer="zeros", **options
        )
        self.valid = self.add_weight(name="valid", shape=(self.images,), initializer="zeros", **options)
        # Floats, exact up to 16 million rows: not every backend keeps integer variables on an accelerator.
        self.places = self.add_weight(
            name="places",
            shape=(self.images,),
            initializer=lambda shape, dtype=None: ops.cast(ops.arange(shape[0]), dtype),
            **options,
        )

    def fill(self, features, places=None) -> None:
        """Replaces all embeddings.

        Args:
            features: Unit-norm embeddings [N, D].
            places: Rows of the bank, integers [M], of the table that batches are drawn from; its own rows by default.

        Raises:
            ValueError: Another shape than the bank's, or places outside of it.
        """
        features = np.array(features, dtype="float32")
        if features.shape != tuple(self.features.shape):
            raise ValueError(f"The bank holds {tuple(self.features.shape)} embeddings. Received: {features.shape}.")
        places = np.arange(self.images) if places is None else np.asarray(places)
        if len(places) > self.images or not ((places >= 0) & (places < self.images)).all():
            raise ValueError(
                f"`places` must be at most {self.images} rows of the bank, 0..{self.images - 1}. Received: "
                f"{len(places)} rows, up to {places.max(initial=0)}."
            )
        padded = np.zeros(self.images, "float32")
        padded[: len(places)] = places
        self.features.assign(features)
        self.valid.assign(np.ones(self.images, "float32"))
        self.places.assign(padded)

    def places_of(self, rows):
        """Rows of the bank [B] of the table's rows [B]."""
        return ops.cast(ops.take(self.places, ops.cast(rows, "int32"), axis=0), "int32")

    def read(self):
        """The embeddings [N, D] and the mask [N] of those that are there, as tensors."""
        return ops.convert_to_tensor(self.features), ops.convert_to_tensor(self.valid)

    def write(self, rows, features) -> None:
        """Moves the embeddings of a batch's images.

        Args:
            rows: Rows of the table, integers [B]. Of an image that comes twice the last embedding counts.
            features: Its unit-norm embeddings [B, D].
        """
        places = self.places_of(rows)
        same = ops.equal(places[:, None], places[None, :])
        # Every duplicate writes the value of the last one, so that the order of writing does not matter.
        last = ops.max(ops.where(same, ops.arange(ops.shape(places)[0])[None, :], -1), axis=1)
        features = ops.stop_gradient(ops.cast(ops.take(features, last, axis=0), "float32"))
        mixed = self.momentum * ops.take(self.features, places, axis=0) + (1.0 - self.momentum) * features
        self.features.assign(ops.scatter_update(self.features, places[:, None], unit_vectors(mixed)))
        self.valid.assign(ops.scatter_update(self.valid, places[:, None], ops.ones_like(places, "float32")))

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "momentum": self.momentum}
