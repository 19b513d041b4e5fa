"""Deep credible metric learning: what is trained on the source, and then on a site without labels."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from keras_reid.backbones import ResNet
from keras_reid.layers import BNNeck, FeatureBank, IdentityClassifier, ImageNormalization
from keras_reid.layers.unit_vectors import unit_vectors
from keras_reid.losses import batch_hard_triplet, check_positives, identity_loss, instance_spreading
from keras_reid.methods.base import ReIDModel
from keras_reid.training import backend

__all__ = ["DCML"]


@keras.saving.register_keras_serializable(package="keras_reid")
class DCML(ReIDModel):
    """Triplet loss on pseudo-identities, and instance margin spreading against all images of the site.

    Shapes: images [B,H,W,3] -> map [B,h,w,C] -> pooled [B,C] -> f = pooled / |pooled|, which is what is clustered,
    compared and retrieved by. It has two stages. On the labelled source (``bank_size=None``) it learns as the strong
    baseline does, by identities behind a batch-norm neck and by triplets of the pooled vectors:

        L = L_identity + L_triplet

    On a site without labels, whose images `keras_reid.adapt` gives pseudo-identities (a bank of ``bank_size`` images):

        L = L_tri + w L_ims,  L_tri = max(0, |f - f_p|^2 - |f - f_n|^2 + m),
        L_ims = log(1 + sum_i exp(m_a - |f - v_i|)), v_i the other images of the site

    Args:
        backbone: Depth of the `ResNet`, e.g. ``"resnet50"`` or ``"tiny"``.
        ibn: ``None``, ``"a"`` or ``"b"``, as in `ResNet`.
        last_stride: Stride of the last stage.
        label_smoothing: Share of the target spread over all identities of the source.
        margin: m, the margin of the triplet losses.
        spreading_margin: m_a above.
        spreading_weight: w above.
        bank_momentum: Share of the old embedding when the bank is updated, as in `FeatureBank`.
        bank_size: Number of images of the site; ``None`` while training on the source. `target_model` sets it.
        image_size: (height, width) in pixels.
        interpolation: How the pipeline resizes, ``"bilinear"`` or ``"bicubic"``.
        num_classes: Number of training identities; ``None`` until the first ``fit``.
        **kwargs: ``name``, ``dtype`` and the like, for ``keras.Model``.

    Raises:
        ValueError: An argument out of its range.

    Example:
        >>> import numpy as np
        >>> from keras_reid.methods import DCML
        >>> model = DCML(backbone="tiny", image_size=(64, 32))
        >>> features = model.extract(np.random.default_rng(0).random((5, 64, 32, 3)))
        >>> site = model.target_model(features)
        >>> model.loss_names, site.loss_names
        (('loss', 'identity', 'triplet', 'accuracy'), ('loss', 'triplet', 'spreading'))

    Reference:
        Chen et al., "Deep Credible Metric Learning for Unsupervised Domain Adaptation Person Re-identification", ECCV
        2020. The paper's. Our readings, where it is silent: unit vectors on the site; the other images are kept in a
        bank; the source stage is that of the strong baseline (Luo et al. 2019).
    """

    loss_names = ("loss", "identity", "triplet", "accuracy")

    def __init__(
        self,
        *,
        backbone: str = "resnet50",
        ibn: str | None = None,
        last_stride: int = 1,
        label_smoothing: float = 0.1,
        margin: float = 0.3,
        spreading_margin: float = 0.1,
        spreading_weight: float = 0.01,
        bank_momentum: float = 0.5,
        bank_size: int | None = None,
        image_size: Sequence[int] = (256, 128),
        interpolation: str = "bilinear",
        num_classes: int | None = None,
        name: str = "dcml",
        **kwargs,
    ):
        if not 0.0 <= label_smoothing < 1.0:
            raise ValueError(f"`label_smoothing` must be in [0, 1). Received: {label_smoothing!r}.")
        if margin < 0.0 or spreading_weight < 0.0:
            raise ValueError(
                f"`margin` and `spreading_weight` must not be negative. Received: {margin!r}, {spreading_weight!r}."
            )
        if bank_size is not None:
            self.loss_names = ("loss", "triplet", "spreading")
        super().__init__(
            image_size=image_size, interpolation=interpolation, num_classes=num_classes, name=name, **kwargs
        )
        policy = self.dtype_policy
        self.normalization = ImageNormalization("imagenet", name="normalization", dtype=policy)
        self.backbone = ResNet(depth=backbone, ibn=ibn, last_stride=last_stride, dtype=policy)
        self.pooling = keras.layers.GlobalAveragePooling2D(data_format="channels_last", name="pooling", dtype=policy)
        source = bank_size is None
        self.neck = BNNeck(name="neck", dtype=policy) if source else None
        self.classifier = IdentityClassifier(name="classifier", dtype=policy) if source else None
        self.bank = None if source else FeatureBank(bank_momentum, name="bank", dtype="float32")
        self.label_smoothing = label_smoothing
        self.margin = margin
        self.spreading_margin = spreading_margin
        self.spreading_weight = spreading_weight
        self._arguments = {
            "backbone": backbone,
            "ibn": ibn,
            "last_stride": last_stride,
            "bank_momentum": bank_momentum,
            "bank_size": bank_size,
        }
        self.build((None, *self.image_size, 3))

    def build(self, input_shape):
        """Creates every variable that does not depend on the number of identities, and the heads if it is known."""
        self.normalization.build(input_shape)
        self.pooling.build((None, None, None, self.backbone.num_channels))
        if self.bank is not None:
            self.bank.size(self._arguments["bank_size"], self.backbone.num_channels)
        if self.num_classes is not None:
            self.build_heads(self.num_classes)

    def build_heads(self, num_classes: int) -> None:
        """Creates neck and classifier of the source stage; the site's stage has neither."""
        if self.bank is None:
            self.neck.build((None, self.backbone.num_channels))
            self.classifier.size(self.backbone.num_channels, num_classes)

    def check_labels(self, labels) -> None:
        """Refuses batches in which no image has another one of its identity: there is no triplet."""
        check_positives(labels)

    def pooled(self, images, training=False):
        """Images [B,H,W,3] in [0,1] -> pooled vectors [B,C], float32."""
        maps = self.backbone(self.normalization(images), training=training)
        return ops.cast(self.pooling(maps), "float32")

    def call(self, images, training=False):
        """Images [B,H,W,3] in [0,1] -> unit-norm embeddings f [B,C], float32."""
        return unit_vectors(self.pooled(images, training=training))

    def training_step(self, batch, training=True):
        """One step on the source, or one of Chen et al. 2020 on the site: L_tri + w L_ims, then the bank."""
        if self.bank is None:
            return self.update(None, lambda: self._source_losses(batch, training))
        terms = dict(self.update(None, lambda: self._site_losses(batch, training)))
        features = terms.pop("features")
        if training:  # after the loss
            gather = backend.current().gather_over_replicas
            self.bank.write(gather(batch["index"]), gather(features))
        return terms

    def _source_losses(self, batch, training):
        labels = batch["person_id"]
        pooled = self.pooled(batch["image"], training=training)  # [B, C]
        logits = self.classifier(self.neck(pooled, training=training))  # [B, K]
        identity = ops.mean(identity_loss(labels, logits, self.label_smoothing))
        triplet = self._triplet(labels, pooled, squared=False)
        accuracy = ops.mean(ops.cast(ops.equal(ops.argmax(logits, axis=-1), labels), "float32"))
        loss = identity + triplet
        return loss, {"loss": loss, "identity": identity, "triplet": triplet, "accuracy": accuracy}

    def _site_losses(self, batch, training):
        features = self(batch["image"], training=training)  # [B, C]
        triplet = self._triplet(batch["person_id"], features, squared=True)
        places = self.bank.places_of(batch["index"])
        spreading = ops.mean(instance_spreading(places, features, *self.bank.read(), margin=self.spreading_margin))
        loss = triplet + self.spreading_weight * spreading
        return loss, {"loss": loss, "triplet": triplet, "spreading": spreading, "features": features}

    def _triplet(self, labels, features, squared):
        """Triplets are looked for among the images of all replicas."""
        gather = backend.current().gather_over_replicas
        return ops.mean(batch_hard_triplet(gather(labels), gather(features), self.margin, squared=squared))

    def target_model(self, features, places=None) -> "DCML":
        """Returns a copy that learns on a site: its bank holds the site's embeddings.

        Args:
            features: Unit-norm embeddings [N, C] of all images of the site, by this model.
            places: Which of them, integers [M], the table to train on consists of; all of them by default.

        Returns:
            An uncompiled model of the same weights, without a head. Its ``fit`` wants a table of the chosen images, in
            their order, with pseudo-identities.

        Raises:
            ValueError: Features of another width, or places outside of them.
        """
        copy = self._copy(bank_size=len(features))
        copy.bank.fill(features, places)
        return copy

    def inference_model(self) -> "DCML":
        """Returns a copy without neck, classifier and bank: what is published.

        Returns:
            An uncompiled model of the same class with ``num_classes=None`` and ``bank_size=None``.
        """
        return self._copy(bank_size=None)

    def _copy(self, bank_size):
        copy = type(self).from_config({**self.get_config(), "num_classes": None, "bank_size": bank_size})
        # All that is not head, memory or constant.
        copy.backbone.set_weights([np.array(value) for value in self.backbone.get_weights()])
        return copy

    def get_config(self) -> dict:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            **self._arguments,
            "label_smoothing": self.label_smoothing,
            "margin": self.margin,
            "spreading_margin": self.spreading_margin,
            "spreading_weight": self.spreading_weight,
        }
