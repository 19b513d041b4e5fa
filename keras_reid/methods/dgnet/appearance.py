"""E_a: what a person wears, as a code to paint with and as two features to recognise by."""

import keras
from keras import ops

from keras_reid.backbones import ResNet
from keras_reid.checks import unknown_name
from keras_reid.layers import IdentityClassifier, doubled
from keras_reid.layers.dropout import seeded_dropout
from keras_reid.methods.dgnet.decoder import PARTS

__all__ = ["AppearanceEncoder", "DescriptorHead"]

_SLICES = ("channels", "parts")


@keras.saving.register_keras_serializable(package="keras_reid")
class DescriptorHead(keras.layers.Layer):
    """Dense layer, batch norm, dropout, classifier: ``[B, D] -> descriptor [B, width], logits [B, K]``, float32.

    The classifier comes with `size`, once the number of identities is known; without it the logits are ``None``.

    Args:
        width: Length of the descriptor.
        dropout: Rate between batch norm and classifier.
        **kwargs: `keras.layers.Layer`'s own (``name``, ``dtype``).
    """

    def __init__(self, width: int = 512, dropout: float = 0.5, **kwargs):
        super().__init__(**kwargs)
        self.width, self.rate = width, dropout
        self.bottleneck = keras.layers.Dense(
            width,
            kernel_initializer=keras.initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal"),
            name="bottleneck",
            dtype=self.dtype_policy,
        )
        self.norm = keras.layers.BatchNormalization(epsilon=1e-5, momentum=0.9, name="norm", dtype=self.dtype_policy)
        self.dropout = seeded_dropout(dropout, name="dropout", dtype=self.dtype_policy)
        # Named after the head, for it is sized outside of it, where no path tells two heads apart.
        self.classifier = IdentityClassifier(use_bias=True, name=f"{self.name}_classifier", dtype=self.dtype_policy)

    def build(self, input_shape):
        """Creates every variable that does not depend on the number of identities."""
        self.bottleneck.build((None, input_shape[-1]))
        self.norm.build((None, self.width))
        self.dropout.build((None, self.width))

    def size(self, num_classes: int) -> None:
        """Creates the classifier."""
        self.classifier.size(self.width, num_classes)

    def call(self, inputs, training=False, dropout=None):
        """``dropout`` overrides ``training`` for the dropout alone."""
        descriptor = self.norm(self.bottleneck(inputs), training=training)
        logits = None
        if self.classifier.built:
            logits = self.classifier(self.dropout(descriptor, training=training if dropout is None else dropout))
        return ops.cast(descriptor, "float32"), logits

    def torch_variables(self, prefix: str) -> dict[str, list]:
        """Every variable by the name that the authors' checkpoints give it."""
        variables = {
            f"{prefix}.add_block.0.weight": [self.bottleneck.kernel],
            f"{prefix}.add_block.0.bias": [self.bottleneck.bias],
            f"{prefix}.add_block.1.weight": [self.norm.gamma],
            f"{prefix}.add_block.1.bias": [self.norm.beta],
            f"{prefix}.add_block.1.running_mean": [self.norm.moving_mean],
            f"{prefix}.add_block.1.running_var": [self.norm.moving_variance],
        }
        if self.classifier.built:
            variables[f"{prefix}.classifier.0.weight"] = [self.classifier.kernel]
            variables[f"{prefix}.classifier.0.bias"] = [self.classifier.bias]
        return variables

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "width": self.width, "dropout": self.rate}


@keras.saving.register_keras_serializable(package="keras_reid")
class AppearanceEncoder(keras.layers.Layer):
    """A backbone, the maxima of its map over four horizontal parts, and two heads on the maximum over all of it.

    Normalised images [B, H, W, 3] -> ``{"code": [B, 4, D], "primary": ([B, width], [B, K]), "fine": (...)}``, float32.
    Slice i of the code drives residual block i of the `Decoder`.

    Args:
        backbone: Depth of the `ResNet` (stride 1 in its last stage), or a layer with ``num_channels``, normalised
            images in, maps out (or the configuration of one).
        width: Length of each descriptor.
        dropouts: Rates of the primary and of the fine head.
        slices: What a slice of the code is: ``"channels"``, a quarter of the channels of all four parts, as in the
            authors' code, or ``"parts"``, all channels of one part, as the paper is understood.
        doubled_height: Images of at most this height are doubled first, as in the authors' code; 0 for none.
        **kwargs: `keras.layers.Layer`'s own (``name``, ``dtype``).

    Example:
        >>> import numpy as np
        >>> from keras_reid.methods.dgnet import AppearanceEncoder
        >>> encoder = AppearanceEncoder("tiny", width=8)
        >>> tuple(encoder(np.ones((1, 64, 40, 3), "float32"))["code"].shape)
        (1, 4, 256)

    Reference:
        Zheng et al., "Joint Discriminative and Generative Learning for Person Re-identification", CVPR 2019, table 5.
    """

    def __init__(
        self,
        backbone="resnet50",
        width: int = 512,
        dropouts: tuple[float, float] = (0.5, 0.75),
        slices: str = "channels",
        doubled_height: int = 128,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if slices not in _SLICES:
            raise unknown_name("kind of slices", slices, _SLICES)
        if isinstance(backbone, dict):
            backbone = keras.saving.deserialize_keras_object(backbone)
        policy = self.dtype_policy
        self.width, self.dropouts, self.slices = width, tuple(dropouts), slices
        self.doubled_height = doubled_height
        self.depth = backbone if isinstance(backbone, str) else None
        self.backbone = ResNet(depth=backbone, last_stride=1, dtype=policy) if isinstance(backbone, str) else backbone
        self.primary = DescriptorHead(width, self.dropouts[0], name="primary", dtype=policy)
        self.fine = DescriptorHead(width, self.dropouts[1], name="fine", dtype=policy)

    def build(self, input_shape):
        """Creates every variable that does not depend on the number of identities."""
        if not self.backbone.built:
            self.backbone.build(input_shape)
        for head in (self.primary, self.fine):
            head.build((None, self.backbone.num_channels))

    def call(self, images, training=False, dropout=None):
        """Runs the backbone once; ``dropout`` overrides ``training`` for the dropouts alone."""
        if images.shape[1] <= self.doubled_height:
            images = doubled(images)
        maps = ops.cast(self.backbone(images, training=training), "float32")
        parts = ops.stack([ops.max(part, axis=(1, 2)) for part in _rows(maps)], axis=1)  # [B, 4, D]
        whole = ops.max(parts, axis=1)
        if self.slices == "channels":
            parts = ops.reshape(ops.transpose(parts, (0, 2, 1)), (-1, *parts.shape[1:]))
        return {
            "code": parts,
            "primary": self.primary(whole, training=training, dropout=dropout),
            "fine": self.fine(whole, training=training, dropout=dropout),
        }

    def get_config(self):
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "backbone": self.depth or keras.saving.serialize_keras_object(self.backbone),
            "width": self.width,
            "dropouts": self.dropouts,
            "slices": self.slices,
            "doubled_height": self.doubled_height,
        }


def _rows(maps):
    """The map's rows in four parts, as even as may be; they overlap by a row where four does not divide the height."""
    height = maps.shape[1]
    return [maps[:, part * height // PARTS : -(-(part + 1) * height // PARTS)] for part in range(PARTS)]
