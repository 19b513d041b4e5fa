"""The strong baseline: the template that the next method copies."""

from collections.abc import Sequence

import keras
from keras import ops

from keras_reid.backbones import ResNet
from keras_reid.checks import unknown_name
from keras_reid.layers import BNNeck, GeMPooling, IdentityCentres, IdentityClassifier, ImageNormalization
from keras_reid.layers.unit_vectors import unit_vectors
from keras_reid.losses import batch_hard_triplet, centre_loss, check_positives, identity_loss, updated_centres
from keras_reid.methods.base import ReIDModel
from keras_reid.training import backend

__all__ = ["Baseline"]

_POOLINGS = ("average", "gem")


@keras.saving.register_keras_serializable(package="keras_reid")
class Baseline(ReIDModel):
    """ResNet, pooling, batch-norm neck; label-smoothed identity loss and batch-hard triplet loss.

    Shapes: images [B,H,W,3] -> map [B,h,w,C] -> pooled f_t [B,C] -> neck f_i [B,C] -> logits [B,K]. The triplet
    (and the centre) loss acts on f_t, the identity loss on the logits of f_i, retrieval on f_i / |f_i|:

        L = L_identity(W f_i) + L_triplet(f_t) + beta L_centre(f_t)

    Args:
        backbone: Depth of the `ResNet`, e.g. ``"resnet50"`` or ``"tiny"``.
        ibn: ``None``, ``"a"`` or ``"b"``, as in `ResNet`.
        last_stride: Stride of the last stage; 1 doubles the map's height and width.
        pooling: ``"average"`` or ``"gem"``.
        label_smoothing: Share of the target spread over all identities.
        margin: Margin of the triplet loss; ``None`` for the soft margin.
        centre_weight: beta; 0 leaves the centre loss out (then it is not reported either).
        image_size: (height, width) in pixels.
        interpolation: How the pipeline resizes, ``"bilinear"`` or ``"bicubic"``.
        num_classes: Number of training identities; ``None`` until the first ``fit``.
        **kwargs: ``name``, ``dtype`` and the like, for ``keras.Model``.

    Raises:
        ValueError: An argument out of its range.

    Example:
        >>> import numpy as np
        >>> from keras_reid.methods import Baseline
        >>> model = Baseline(backbone="tiny", image_size=(64, 32))
        >>> tuple(model(np.zeros((2, 64, 32, 3), "float32")).shape)
        (2, 256)

    Reference:
        Luo et al., "Bag of Tricks and a Strong Baseline for Deep Person Re-identification", CVPR Workshops 2019. The
        paper's. Departs from it: GeM pooling is an option (Radenovic et al. 2019); the centre loss is off by default.
    """

    loss_names = ("loss", "identity", "triplet", "accuracy")

    def __init__(
        self,
        *,
        backbone: str = "resnet50",
        ibn: str | None = None,
        last_stride: int = 1,
        pooling: str = "average",
        label_smoothing: float = 0.1,
        margin: float | None = 0.3,
        centre_weight: float = 0.0,
        image_size: Sequence[int] = (256, 128),
        interpolation: str = "bilinear",
        num_classes: int | None = None,
        name: str = "baseline",
        **kwargs,
    ):
        if pooling not in _POOLINGS:
            raise unknown_name("pooling", pooling, _POOLINGS)
        if not 0.0 <= label_smoothing < 1.0:
            raise ValueError(f"`label_smoothing` must be in [0, 1). Received: {label_smoothing!r}.")
        if (margin is not None and margin < 0.0) or centre_weight < 0.0:
            raise ValueError(
                f"`margin` and `centre_weight` must not be negative. Received: {margin!r}, {centre_weight!r}."
            )
        if centre_weight:
            self.loss_names = (*self.loss_names, "centre")
        super().__init__(
            image_size=image_size, interpolation=interpolation, num_classes=num_classes, name=name, **kwargs
        )
        policy = self.dtype_policy
        self.normalization = ImageNormalization("imagenet", name="normalization", dtype=policy)
        self.backbone = ResNet(depth=backbone, ibn=ibn, last_stride=last_stride, dtype=policy)
        self.pooling = (
            GeMPooling(name="pooling", dtype=policy)
            if pooling == "gem"
            else keras.layers.GlobalAveragePooling2D(data_format="channels_last", name="pooling", dtype=policy)
        )
        self.neck = BNNeck(name="neck", dtype=policy)
        self.classifier = IdentityClassifier(name="classifier", dtype=policy)
        self.centres = IdentityCentres(name="centres") if centre_weight else None
        self.label_smoothing = label_smoothing
        self.margin = margin
        self.centre_weight = centre_weight
        self._arguments = {"backbone": backbone, "ibn": ibn, "last_stride": last_stride, "pooling": pooling}
        self.build((None, *self.image_size, 3))

    def build(self, input_shape):
        """Creates every variable that does not depend on the number of identities, and the heads if it is known."""
        self.normalization.build(input_shape)
        self.pooling.build((None, None, None, self.backbone.num_channels))
        self.neck.build((None, self.backbone.num_channels))
        if self.num_classes is not None:
            self.build_heads(self.num_classes)

    def build_heads(self, num_classes: int) -> None:
        """Creates the classifier, and the centres where there is a centre loss."""
        self.classifier.size(self.backbone.num_channels, num_classes)
        if self.centres is not None:
            self.centres.size(self.backbone.num_channels, num_classes)

    def check_labels(self, labels) -> None:
        """Refuses batches in which no image has another one of its identity: there is no triplet."""
        check_positives(labels)

    def pooled(self, images, training=False):
        """Images [B,H,W,3] in [0,1] -> f_t [B,C], float32: what the triplet loss sees."""
        maps = self.backbone(self.normalization(images), training=training)
        return ops.cast(self.pooling(maps), "float32")

    def call(self, images, training=False):
        """Images [B,H,W,3] in [0,1] -> unit-norm embeddings [B,C], float32."""
        neck = self.neck(self.pooled(images, training=training), training=training)
        return unit_vectors(neck)

    def logits(self, images, training=False):
        """Images [B,H,W,3] in [0,1] -> logits [B,K], float32: what a student is taught."""
        return self.classifier(self.neck(self.pooled(images, training=training), training=training))

    def training_step(self, batch, training=True):
        """One step of Luo et al. 2019: L_identity + L_triplet + beta L_centre, one gradient over everything."""
        labels = batch["person_id"]
        gather = backend.current().gather_over_replicas

        def losses():
            pooled = self.pooled(batch["image"], training=training)  # [B, C]
            logits = self.classifier(self.neck(pooled, training=training))  # [B, K]
            identity = ops.mean(identity_loss(labels, logits, self.label_smoothing))
            everyone, features = gather(labels), gather(pooled)  # of all replicas
            triplet = ops.mean(batch_hard_triplet(everyone, features, self.margin))
            accuracy = ops.mean(ops.cast(ops.equal(ops.argmax(logits, axis=-1), labels), "float32"))
            total, terms = identity + triplet, {"identity": identity, "triplet": triplet, "accuracy": accuracy}
            if self.centres is not None:
                terms["centre"] = ops.mean(centre_loss(labels, pooled, self.centres.centres))
                total = total + self.centre_weight * terms["centre"]
                if training:
                    self.centres.centres.assign(updated_centres(everyone, features, self.centres.centres))
            return total, {"loss": total, **terms}

        return self.update(None, losses)

    def get_config(self) -> dict:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            **self._arguments,
            "label_smoothing": self.label_smoothing,
            "margin": self.margin,
            "centre_weight": self.centre_weight,
        }
