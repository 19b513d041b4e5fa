"""The network and its training step."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from keras_reid.backbones import TwoStreamResNet
from keras_reid.checks import check_positive_int, unknown_name
from keras_reid.layers import BNNeck, GeMPooling, IdentityClassifier, ImageNormalization
from keras_reid.layers.unit_vectors import unit_vectors
from keras_reid.losses import cross_modality_emd, identity_loss, variance_ratio
from keras_reid.losses.transport import PLANS
from keras_reid.methods.base import ReIDModel
from keras_reid.methods.cmemd.heads import HolisticFeature, PartClassifiers, StripeHead, accumulated
from keras_reid.pipeline.arrays import image_array
from keras_reid.pipeline.errors import clear_errors
from keras_reid.training import backend

__all__ = ["CMEMD"]


@keras.saving.register_keras_serializable(package="keras_reid")
class CMEMD(ReIDModel):
    r"""Cross-modality earth mover's distance: visible and thermal images of a person in one space of embeddings.

    Shapes: images [B,H,W,3], a visible half and a thermal half -> `TwoStreamResNet` -> two maps [B,h,w,C]. The global
    one is pooled to g [B,C]; the local one is cut into p stripes l_1..l_p [B,d], whose running means are a_2..a_p, and
    whose weighted concatenation is h [B,p*d]:

        L = L_ID(g) + sum_f L_ID(f) + alpha (L_EMD(g) + mean_f L_EMD(f)) + beta L_DL(h),   f = l_1..l_p, a_2..a_p

    with the `cross_modality_emd` of unit-norm features and the `variance_ratio`. An embedding is ``(g', h) / sqrt(2)``,
    g' being g after its batch norm and both of unit norm.

    An image's modality decides through which shallow part it goes. Datasets bring it along; `extract` takes it for
    arrays.

    Args:
        backbone: Depth of the `TwoStreamResNet`, e.g. ``"resnet50"`` or ``"tiny"``.
        stripes: p, a divisor of the map's height: 18 rows for images of 288 pixels, 6 for 96.
        part_channels: d.
        part_exponent: Initial exponent of the stripes' generalised mean.
        multi_granularity: Whether there is a local stream. Without it only g is left, also as the embedding and in
            place of h.
        plan: ``"sinkhorn"``, ``"exact"`` or ``"uniform"``, as in `keras_reid.losses.transport_plan`.
        transport_weight: alpha; 0 leaves L_EMD out (then it is not reported either).
        discrimination_weight: beta; 0 leaves L_DL out, and the weights in h equal.
        label_smoothing: Share of the target spread over all identities.
        images_per_identity: K, the images of an identity and modality in a training batch.
        image_size: (height, width) in pixels.
        interpolation: How the pipeline resizes, ``"bilinear"`` or ``"bicubic"``.
        num_classes: Number of training identities; ``None`` until the first ``fit``.
        **kwargs: ``name``, ``dtype`` and the like, for ``keras.Model``.

    Raises:
        ValueError: An argument out of its range, or stripes that do not divide the map.

    Example:
        >>> import numpy as np
        >>> from keras_reid.methods import CMEMD
        >>> model = CMEMD(backbone="tiny", part_channels=32, image_size=(96, 48))
        >>> images = np.random.default_rng(0).random((4, 96, 48, 3))
        >>> features = model.extract(images, modality=np.array([0, 0, 1, 1]))
        >>> features.shape  # 256 + 6 * 32
        (4, 448)

    Reference:
        Ling, Zhong, Luo, Yang, Cao, Lin, Li and Sebe, "Cross-Modality Earth Mover's Distance for Visible Thermal Person
        Re-Identification", AAAI 2023. Only the abstract and the caption of figure 2 could be read. The paper's: the
        split of the backbone, the four kinds of features, which loss acts on which, and what the plan and the ratio are
        for. Our choice: stripes and their heads, running means, the form of the weights, both losses' formulas, one
        transport problem per identity, alpha = beta = 1, and the embedding.
    """

    batch_blocks = 2  # visible, thermal

    def __init__(
        self,
        *,
        backbone: str = "resnet50",
        stripes: int = 6,
        part_channels: int = 256,
        part_exponent: float = 3.0,
        multi_granularity: bool = True,
        plan: str = "sinkhorn",
        transport_weight: float = 1.0,
        discrimination_weight: float = 1.0,
        label_smoothing: float = 0.0,
        images_per_identity: int = 4,
        image_size: Sequence[int] = (288, 144),
        interpolation: str = "bilinear",
        num_classes: int | None = None,
        name: str = "cmemd",
        **kwargs,
    ):
        if plan not in PLANS:
            raise unknown_name("transport plan", plan, PLANS)
        if transport_weight < 0.0 or discrimination_weight < 0.0:
            raise ValueError(
                "`transport_weight` and `discrimination_weight` must not be negative. Received: "
                f"{transport_weight!r}, {discrimination_weight!r}."
            )
        if not 0.0 <= label_smoothing < 1.0:
            raise ValueError(f"`label_smoothing` must be in [0, 1). Received: {label_smoothing!r}.")
        self.loss_names = (
            *("loss", "identity", "accuracy"),
            *(["transport"] if transport_weight else []),
            *(["discrimination"] if discrimination_weight else []),
        )
        super().__init__(
            image_size=image_size, interpolation=interpolation, num_classes=num_classes, name=name, **kwargs
        )
        policy = self.dtype_policy
        self.normalization = ImageNormalization("imagenet", name="normalization", dtype=policy)
        self.backbone = TwoStreamResNet(depth=backbone, local_stream=multi_granularity, dtype=policy)
        self.pooling = GeMPooling(name="pooling", dtype=policy)
        self.neck = BNNeck(name="neck", dtype=policy)
        self.classifier = IdentityClassifier(name="classifier", dtype=policy)
        self.parts = self.holistic = self.part_classifiers = None
        if multi_granularity:
            channels = check_positive_int("part_channels", part_channels)
            stripes = check_positive_int("stripes", stripes)
            self.parts = StripeHead(stripes, channels, part_exponent, name="parts", dtype=policy)
            # Nothing but the ratio of variances has a gradient for these weights.
            self.holistic = HolisticFeature(name="holistic", trainable=discrimination_weight > 0.0, dtype=policy)
            self.part_classifiers = PartClassifiers(name="part_classifiers", dtype=policy)
            rows = self.backbone.compute_output_shape((None, *self.image_size, 3))[0][1]
            if rows % stripes:
                raise ValueError(
                    f"`stripes` must divide the map's height, {rows} for images of {self.image_size}. Received: "
                    f"{stripes}. Six stripes need a height of 96 pixels or a multiple of it."
                )
        self.plan = plan
        self.transport_weight = transport_weight
        self.discrimination_weight = discrimination_weight
        self.label_smoothing = label_smoothing
        self.images_per_identity = check_positive_int("images_per_identity", images_per_identity)
        self._arguments = {
            "backbone": backbone,
            "stripes": stripes,
            "part_channels": part_channels,
            "part_exponent": part_exponent,
            "multi_granularity": multi_granularity,
        }
        self.build((None, *self.image_size, 3))

    def build(self, input_shape):
        """Creates every variable that does not depend on the number of identities, and the heads if it is known."""
        channels = self.backbone.num_channels
        self.normalization.build(input_shape)
        self.pooling.build((None, None, None, channels))
        self.neck.build((None, channels))
        if self.parts is not None:
            self.parts.build((None, None, None, channels))
            self.holistic.build((None, self.parts.stripes, self.parts.channels))
        if self.num_classes is not None:
            self.build_heads(self.num_classes)

    def build_heads(self, num_classes: int) -> None:
        """Creates the classifiers: of g, of each stripe and of each running mean."""
        self.classifier.size(self.backbone.num_channels, num_classes)
        if self.parts is not None:
            self.part_classifiers.size_parts(2 * self.parts.stripes - 1, self.parts.channels, num_classes)

    def check_labels(self, labels) -> None:
        """Refuses batches that are not a visible half and a thermal half of the same identities, K images each."""
        labels, images = np.asarray(labels), self.images_per_identity
        grouped = labels.reshape(2, -1, images) if labels.size % (2 * images) == 0 else None
        if grouped is None or (grouped != grouped[:1, :, :1]).any():
            raise ValueError(
                f"CM-EMD needs batches of a visible half and a thermal half, {images} neighbouring images of each "
                f"identity in either (`images_per_identity`). Received the identities {labels.tolist()}. Sample with "
                f"CrossModalityPKSampler(identities, images={images}), 'cross_modality_pk' in recipes."
            )

    def features(self, images, modality=None, training=False):
        """Images [B,H,W,3] in [0,1] -> g [B,C] and the stripes [B,p,d] (or ``None``), float32.

        Args:
            images: A visible half and a thermal half, if `modality` is not given.
            modality: [B], 0 visible and 1 thermal; not for training.
            training: As in Keras.
        """
        maps = self.backbone(self.normalization(images), modality=modality, training=training)
        pooled = ops.cast(self.pooling(maps[0]), "float32")
        if self.parts is None:
            return pooled, None
        return pooled, ops.cast(self.parts(maps[1], training=training), "float32")

    def call(self, inputs, training=False):
        """Images in [0,1] -> unit-norm embeddings [B, C + p*d], float32.

        ``inputs`` is ``{"image": [B,H,W,3], "modality": [B]}``, or visible images [B,H,W,3] alone.
        """
        if not isinstance(inputs, dict):
            inputs = {"image": inputs, "modality": ops.zeros((ops.shape(inputs)[0],), "int32")}
        pooled, parts = self.features(inputs["image"], inputs["modality"], training)
        embedding = unit_vectors(self.neck(pooled, training=training))
        if parts is None:
            return embedding
        holistic = unit_vectors(self.holistic(parts))
        return ops.concatenate([embedding, holistic], axis=-1) * 0.5**0.5

    def extract(self, images, batch_size: int = 64, verbose: int | str = 0, modality=0) -> np.ndarray:
        """Computes the embeddings that `score` compares; see `ReIDModel.extract`.

        Args:
            images: Array [N,H,W,3] in [0,1] RGB of the model's `image_size`, or a dataset of `keras_reid.pipeline`.
            batch_size: Images at a time, for an array.
            verbose: Progress bar, as in ``keras.Model.predict``.
            modality: For an array: 0 (visible) or 1 (thermal), for all images or one each. A dataset brings its own.

        Returns:
            Unit-norm embeddings [N,D].

        Raises:
            ValueError: The array has another shape or lies outside [0,1], or a modality is neither 0 nor 1.
        """
        if hasattr(images, "element_spec"):
            with clear_errors():
                chosen = images.map(lambda batch: {key: batch[key] for key in ("image", "modality")})
                return self.predict(chosen, verbose=verbose)
        images = image_array(images, self.image_size)
        modality = np.asarray(modality)
        if modality.shape not in ((), (len(images),)) or not np.isin(modality, (0, 1)).all():
            raise ValueError(
                f"`modality` must be 0 (visible) or 1 (thermal), for all images or one each. Received: {modality} for "
                f"{len(images)} images."
            )
        inputs = {"image": images, "modality": np.full(len(images), modality, "int32")}
        return self.predict(inputs, batch_size=batch_size, verbose=verbose)

    def training_step(self, batch, training=True):
        """One step: L_ID + alpha L_EMD + beta L_DL, one gradient over everything."""
        labels = batch["person_id"]

        def losses():
            pooled, parts = self.features(batch["image"], training=training)  # [B, C], [B, p, d]
            logits = self.classifier(self.neck(pooled, training=training))  # [B, K]
            identity = ops.mean(identity_loss(labels, logits, self.label_smoothing))
            accuracy = ops.mean(ops.cast(ops.equal(ops.argmax(logits, axis=-1), labels), "float32"))
            aligned, holistic = [pooled[:, None]], pooled
            if parts is not None:
                fine = ops.concatenate([parts, accumulated(parts)], axis=1)  # [B, 2p - 1, d]
                identity = identity + self._part_identity(labels, fine)
                aligned, holistic = [*aligned, fine], self.holistic(parts)
            terms = {"identity": identity, "accuracy": accuracy}
            total = identity
            if self.transport_weight:
                terms["transport"] = sum(self._transport(features) for features in aligned)
                total = total + self.transport_weight * terms["transport"]
            if self.discrimination_weight:
                gather = backend.current().gather_over_replicas  # the variances are those of all replicas' images
                terms["discrimination"] = variance_ratio(gather(labels), gather(holistic))
                total = total + self.discrimination_weight * terms["discrimination"]
            return total, {"loss": total, **terms}

        return self.update(None, losses)

    def _part_identity(self, labels, parts):
        """Sum over the parts of their mean identity losses."""
        count = parts.shape[1]
        logits = self.part_classifiers(parts)  # [B, s, K]
        flat = ops.reshape(logits, (-1, logits.shape[-1]))
        return count * ops.mean(identity_loss(ops.repeat(labels, count), flat, self.label_smoothing))

    def _transport(self, features):
        """[B, s, D] -> mean over identities and features of the distance between the halves."""
        count, width = features.shape[1:]
        images = self.images_per_identity
        grouped = ops.reshape(unit_vectors(features), (2, -1, images, count, width))
        grouped = ops.reshape(ops.transpose(grouped, (0, 1, 3, 2, 4)), (2, -1, images, width))
        return cross_modality_emd(grouped[0], grouped[1], self.plan)

    def get_config(self) -> dict:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            **self._arguments,
            "plan": self.plan,
            "transport_weight": self.transport_weight,
            "discrimination_weight": self.discrimination_weight,
            "label_smoothing": self.label_smoothing,
            "images_per_identity": self.images_per_identity,
        }
