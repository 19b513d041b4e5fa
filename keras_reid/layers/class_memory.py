"""The class memory: the latest feature map of every training identity."""

import keras
from keras import ops

from keras_reid.checks import check_positive_int, unknown_name

__all__ = ["ClassMemory"]

STORAGE = ("float32", "float16")


@keras.saving.register_keras_serializable(package="keras_reid")
class ClassMemory(keras.layers.Layer):
    """Keeps the latest map of every identity ``[K, h, w, d]`` and whether there is one ``[K]``.

    A sample is compared with the memory as it was before the step and written into it after the loss, so that it never
    meets itself. The maps are not trained and no gradient flows into them. They are saved with the model, to resume.

    Args:
        storage: ``"float32"``, or ``"float16"`` for half the space (``K h w d`` numbers: 74 MB in float32 for 751
            identities and maps of 24 x 8 x 128).
        **kwargs: `keras.layers.Layer`'s own (``name``).

    Raises:
        ValueError: ``storage`` is unknown.

    Example:
        >>> import numpy as np
        >>> from keras_reid.layers import ClassMemory
        >>> memory = ClassMemory()
        >>> memory.size(map_shape=(2, 1, 3), num_classes=4)
        >>> memory.write(np.array([2, 2]), np.stack([np.zeros((2, 1, 3)), np.ones((2, 1, 3))]))
        >>> np.asarray(memory.valid), float(np.asarray(memory.maps)[2].mean())
        (array([0., 0., 1., 0.], dtype=float32), 1.0)

    Note:
        The memory lives on the device that trains: 403 MB for the 4,101 identities of all of MSMT17, half of it in
        float16. It cannot stay on the CPU beside a GPU, for every step compares the batch with all of it. A variable
        made under ``keras.device("cpu")`` is refused by TensorFlow's XLA (the default on one GPU), is on the device
        after one step with JAX, and is copied there whole at each reading with torch.

    Reference:
        Liao and Shao, "Interpretable and Generalizable Person Re-Identification with Query-Adaptive Convolution and
        Temporal Lifting", ECCV 2020. The mask of identities seen is from the authors' later code. Of several images of
        an identity in one batch the last is kept (the authors' code leaves that open on a GPU).
    """

    def __init__(self, storage: str = "float32", **kwargs):
        super().__init__(**kwargs)
        if storage not in STORAGE:
            raise unknown_name("storage of the class memory", storage, STORAGE)
        self.storage = storage

    def size(self, map_shape: tuple[int, int, int], num_classes: int) -> None:
        """Creates the memory for maps [h, w, d]."""
        self.num_classes = check_positive_int("num_classes", num_classes)
        self.build((None, *map_shape))

    def build(self, input_shape):
        """Creates the memory, once `size` has said how many identities there are."""
        options = {"initializer": "zeros", "trainable": False, "autocast": False}
        shape = (self.num_classes, *input_shape[1:])
        self.maps = self.add_weight(name="maps", shape=shape, dtype=self.storage, **options)
        self.valid = self.add_weight(name="valid", shape=shape[:1], dtype="float32", **options)

    def read(self):
        """The maps [K, h, w, d] and the mask [K] of the identities that have one, as tensors."""
        return ops.convert_to_tensor(self.maps), ops.convert_to_tensor(self.valid)

    def write(self, labels, maps) -> None:
        """Replaces the maps of the batch's identities.

        Several replicas must each write the rows of all of them, as `keras_reid.methods.QAConv` does, so that their
        memories stay equal.

        Args:
            labels: Identities, integers [B] in [0, K).
            maps: [B, h, w, d].
        """
        labels = ops.cast(labels, "int32")
        # Every duplicate writes the map of its last one, so that the order of writing does not matter.
        same = ops.equal(labels[:, None], labels[None, :])
        last = ops.max(ops.where(same, ops.arange(ops.shape(labels)[0])[None, :], -1), axis=1)
        maps = ops.stop_gradient(ops.cast(ops.take(maps, last, axis=0), self.storage))
        places = labels[:, None]
        self.maps.assign(ops.scatter_update(self.maps, places, maps))
        self.valid.assign(ops.scatter_update(self.valid, places, ops.ones_like(labels, "float32")))

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "storage": self.storage}
