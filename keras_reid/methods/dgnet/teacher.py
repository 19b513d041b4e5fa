"""Who teaches the primary head: the form of the authors' teacher, and how any teacher is taken in."""

import keras
from keras import ops

from keras_reid.backbones import ResNet
from keras_reid.layers import ImageNormalization
from keras_reid.methods.dgnet.appearance import DescriptorHead

__all__ = ["TeacherNetwork", "own_copy"]


@keras.saving.register_keras_serializable(package="keras_reid")
class TeacherNetwork(keras.Model):
    """The authors' teacher: ResNet, average pooling, one `DescriptorHead`. Images in [0, 1] -> logits [B, K].

    To train a teacher, take a `keras_reid.methods.Baseline`; this is the form of the authors' published weights.

    Args:
        num_classes: K.
        backbone: Depth of the `ResNet`.
        last_stride: Stride of its last stage.
        width: Length of the descriptor.
        dropout: Rate before the classifier.
        **kwargs: ``name``, ``dtype`` and the like, for ``keras.Model``.

    Example:
        >>> import numpy as np
        >>> from keras_reid.methods.dgnet import TeacherNetwork
        >>> tuple(TeacherNetwork(5, backbone="tiny", width=8).logits(np.ones((1, 64, 32, 3), "float32")).shape)
        (1, 5)
    """

    def __init__(
        self,
        num_classes: int,
        backbone: str = "resnet50",
        last_stride: int = 2,
        width: int = 512,
        dropout: float = 0.5,
        name: str = "teacher",
        **kwargs,
    ):
        super().__init__(name=name, **kwargs)
        self.num_classes = num_classes
        self._arguments = {"backbone": backbone, "last_stride": last_stride, "width": width, "dropout": dropout}
        policy = self.dtype_policy
        self.normalization = ImageNormalization("imagenet", name="normalization", dtype=policy)
        self.backbone = ResNet(depth=backbone, last_stride=last_stride, dtype=policy)
        self.head = DescriptorHead(width, dropout, name="head", dtype=policy)
        self.build((None, None, None, 3))

    def build(self, input_shape):
        """Creates every variable."""
        self.normalization.build(input_shape)
        self.head.build((None, self.backbone.num_channels))
        self.head.size(self.num_classes)

    def call(self, images, training=False):
        """Images [B, H, W, 3] in [0, 1] -> logits [B, K], float32."""
        maps = ops.cast(self.backbone(self.normalization(images), training=training), "float32")
        return self.head(ops.mean(maps, axis=(1, 2)), training=training)[1]

    def logits(self, images, training=False):
        """As `call`: what `DGNet` asks of a teacher."""
        return self(images, training=training)

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "num_classes": self.num_classes, **self._arguments}


def own_copy(teacher):
    """A copy that no optimiser touches and that brings none along."""
    if teacher is None:
        return None
    if isinstance(teacher, dict):
        teacher = keras.saving.deserialize_keras_object(teacher)
    if not hasattr(teacher, "logits") or getattr(teacher, "num_classes", None) is None:
        raise ValueError(
            "`teacher` must be a trained model with `logits(images, training)` and a number of identities, such as a "
            f"Baseline after `fit`. Received: {type(teacher).__name__}, num_classes "
            f"{getattr(teacher, 'num_classes', None)}."
        )
    copy = type(teacher).from_config(teacher.get_config())
    for target, source in zip(copy.weights, teacher.weights, strict=True):
        target.assign(source.numpy())
        # Not `copy.trainable`: that would also put its batch norms into inference mode.
        target.trainable = False
    return copy
