"""GMN: features by a network, judged in pairs by a second, small one."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from keras_reid.backbones import ResNet
from keras_reid.checks import unknown_name
from keras_reid.layers import (
    BNNeck,
    GeMPooling,
    IdentityClassifier,
    ImageNormalization,
    MetricNetwork,
    squared_differences,
)
from keras_reid.losses import (
    balanced_pair_loss,
    batch_hard_triplet,
    check_positives,
    identity_loss,
    pair_identity_centre_loss,
)
from keras_reid.methods.base import ReIDModel
from keras_reid.methods.gmn.comparison import METRICS, PairComparison
from keras_reid.training import backend

__all__ = ["GMN"]

_POOLINGS = ("average", "gem")


@keras.saving.register_keras_serializable(package="keras_reid")
class GMN(PairComparison, ReIDModel):
    """Generalizable Metric Network: trained on several data sets, used on one that it has not seen.

    Shapes: images [B,H,W,3] -> map [B,h,w,C] -> pooled f [B,C] -> neck [B,C] -> logits [B,K] over the identities of all
    sources. Pairs of the batch give ``f_sp = (f_p - f_q)^2`` [N,C], and `MetricNetwork` (M-Net) a logit of each [N]:

        L = L_identity + L_triplet(f) + L_pair(M-Net(f_sp)) + lambda L_pair_centre(f)

    The reason, by the authors: what differs between data sets differs less in the space of pairs than in that of
    images. After ``warmup_steps`` M-Net sees pairs of which numbers are dropped. `score` asks M-Net.

    Each part can be left out: ``metric_network=False`` (with ``metric="cosine"``) leaves identity and triplet loss,
    ``perturbation=0`` the dropout, ``pair_centre_weight=0`` the pair-identity centres.

    Args:
        backbone: Depth of the `ResNet`, e.g. ``"resnet50"`` or ``"tiny"``.
        ibn: ``None``, ``"a"`` or ``"b"``, as in `ResNet`.
        last_stride: Stride of the last stage; 1 doubles the map's height and width.
        pooling: ``"average"`` or ``"gem"``.
        label_smoothing: Share of the target spread over all identities.
        margin: Margin of the triplet loss; ``None`` for the soft margin.
        metric_network: Whether there is an M-Net.
        hidden: Widths of M-Net's hidden layers.
        perturbation: Rate of the dropout on pairs.
        warmup_steps: Training steps before the dropout begins. They are counted in a variable of the model, so that
            saving, resuming and compiled steps know them.
        pair_centre_weight: lambda.
        cross_domain_negatives: Whether negative pairs of two sources count in L_pair. At test all images are of one
            data set, and two sources are easy to tell apart.
        metric: What `score` compares by: ``"mnet"``, ``"cosine"`` (of what the neck makes of the features) or
            ``"sum"`` of both. It may be set at any time: ``model.metric = "cosine"``.
        image_size: (height, width) in pixels.
        interpolation: How the pipeline resizes, ``"bilinear"`` or ``"bicubic"``.
        num_classes: Number of training identities; ``None`` until the first ``fit``.
        **kwargs: ``name``, ``dtype`` and the like, for ``keras.Model``. M-Net is float32 in any case.

    Raises:
        ValueError: An argument out of its range.

    Example:
        >>> import numpy as np
        >>> from keras_reid.methods import GMN
        >>> model = GMN(backbone="tiny", hidden=(32,), image_size=(64, 32))
        >>> features = model.extract(np.random.default_rng(0).random((3, 64, 32, 3)))
        >>> features.shape, model.score(features[:2], features).shape
        ((3, 256), (2, 3))

    Reference:
        Qi, Liu, Shi and Geng, "Generalizable Metric Network for Cross-Domain Person Re-Identification",
        arXiv:2306.11991. Only its abstract could be read. The paper's: the pair feature, an M-Net after the main
        network that scores pairs at test, dropout on pairs after a warm-up, pair-identity centres, the objective.
        Our choice: the layers and widths, the losses' formulas, the rate, the warm-up's length, lambda, which pairs.
        The trunk is that of Luo et al., CVPR Workshops 2019.
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
        metric_network: bool = True,
        hidden: Sequence[int] = (512,),
        perturbation: float = 0.5,
        warmup_steps: int = 4000,
        pair_centre_weight: float = 1.0,
        cross_domain_negatives: bool = True,
        metric: str = "mnet",
        image_size: Sequence[int] = (256, 128),
        interpolation: str = "bilinear",
        num_classes: int | None = None,
        name: str = "gmn",
        **kwargs,
    ):
        if pooling not in _POOLINGS:
            raise unknown_name("pooling", pooling, _POOLINGS)
        if not 0.0 <= label_smoothing < 1.0:
            raise ValueError(f"`label_smoothing` must be in [0, 1). Received: {label_smoothing!r}.")
        if (margin is not None and margin < 0.0) or pair_centre_weight < 0.0 or warmup_steps < 0:
            raise ValueError(
                "`margin`, `pair_centre_weight` and `warmup_steps` must not be negative. Received: "
                f"{margin!r}, {pair_centre_weight!r}, {warmup_steps!r}."
            )
        names = {"pair": metric_network, "pair_centre": pair_centre_weight > 0.0}
        self.loss_names = (*self.loss_names, *(name for name, there in names.items() if there))
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
        pair_network = MetricNetwork(hidden, perturbation, name="metric_network", dtype="float32")
        self.metric_network = pair_network if metric_network else None
        self.label_smoothing = label_smoothing
        self.margin = margin
        self.warmup_steps = warmup_steps
        self.pair_centre_weight = pair_centre_weight
        self.cross_domain_negatives = cross_domain_negatives
        self.metric = metric
        self._arguments = {
            "backbone": backbone,
            "ibn": ibn,
            "last_stride": last_stride,
            "pooling": pooling,
            "metric_network": metric_network,
            "hidden": pair_network.hidden,
            "perturbation": perturbation,
        }
        self.build((None, *self.image_size, 3))

    @property
    def metric(self) -> str:
        """What `score` compares by."""
        return self._metric

    @metric.setter
    def metric(self, metric: str):
        if metric not in METRICS:
            raise unknown_name("metric", metric, METRICS)
        if metric != "cosine" and self.metric_network is None:
            raise ValueError(f"Without a metric network the metric is 'cosine'. Received: {metric!r}.")
        self._metric = metric

    def build(self, input_shape):
        """Creates every variable that does not depend on the number of identities, and the head if it is known."""
        self.normalization.build(input_shape)
        self.pooling.build((None, None, None, self.backbone.num_channels))
        self.neck.build((None, self.backbone.num_channels))
        if self.metric_network is not None:
            self.metric_network.build((None, self.backbone.num_channels))
        self.steps_trained = self.add_weight(
            name="steps_trained",
            shape=(),
            dtype="int32",
            initializer="zeros",
            trainable=False,
            autocast=False,
            aggregation="only_first_replica",
        )
        if self.num_classes is not None:
            self.build_heads(self.num_classes)

    def build_heads(self, num_classes: int) -> None:
        """Creates the classifier."""
        self.classifier.size(self.backbone.num_channels, num_classes)

    def check_labels(self, labels) -> None:
        """Refuses batches in which no image has another one of its identity: there is no positive pair."""
        check_positives(labels)

    def call(self, images, training=False):
        """Images [B,H,W,3] in [0,1] -> pooled features f [B,C], float32: what pairs are made of."""
        maps = self.backbone(self.normalization(images), training=training)
        return ops.cast(self.pooling(maps), "float32")

    def training_step(self, batch, training=True):
        """One step: L_identity + L_triplet + L_pair + lambda L_pair_centre, one gradient over everything."""
        terms = self.update(None, lambda: self._objective(batch, training))
        if training:
            self.steps_trained.assign_add(1)
        return terms

    def _objective(self, batch, training):
        labels = batch["person_id"]
        features = self(batch["image"], training=training)  # [B, C]
        logits = self.classifier(self.neck(features, training=training))  # [B, K]
        identity = ops.mean(identity_loss(labels, logits, self.label_smoothing))
        accuracy = ops.mean(ops.cast(ops.equal(ops.argmax(logits, axis=-1), labels), "float32"))
        # Triplets, pairs and centres are those of the images of all replicas.
        gather = backend.current().gather_over_replicas
        labels, features = gather(labels), gather(features)
        terms = {"identity": identity, "triplet": ops.mean(batch_hard_triplet(labels, features, self.margin))}
        total = terms["identity"] + terms["triplet"]
        if self.metric_network is not None:
            terms["pair"] = self._pair_loss(labels, gather(batch["domain"]), features, training)
            total = total + terms["pair"]
        if self.pair_centre_weight:
            terms["pair_centre"] = pair_identity_centre_loss(labels, features)
            total = total + self.pair_centre_weight * terms["pair_centre"]
        return total, {"loss": total, "accuracy": accuracy, **terms}

    def _pair_loss(self, labels, domains, features, training):
        pairs, first, second = squared_differences(features)  # [N, C]
        warm = ops.cast(self.steps_trained >= self.warmup_steps, "float32")
        logits = self.metric_network(pairs, training=training, perturb=warm)  # [N]
        positive = _equal(labels, first, second)
        counted = None if self.cross_domain_negatives else ops.logical_or(positive, _equal(domains, first, second))
        return balanced_pair_loss(positive, logits, counted)

    def get_config(self) -> dict:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            **self._arguments,
            "label_smoothing": self.label_smoothing,
            "margin": self.margin,
            "warmup_steps": self.warmup_steps,
            "pair_centre_weight": self.pair_centre_weight,
            "cross_domain_negatives": self.cross_domain_negatives,
            "metric": self.metric,
        }


def _equal(numbers, first: np.ndarray, second: np.ndarray):
    return ops.equal(ops.take(numbers, first), ops.take(numbers, second))
