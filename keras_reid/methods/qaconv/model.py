"""The network and its training step, in both published forms."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from keras_reid.backbones import ResNet
from keras_reid.checks import check_positive_int, unknown_name
from keras_reid.layers import ClassMemory, ImageNormalization, QAConvMatcher
from keras_reid.layers.unit_vectors import unit_vectors
from keras_reid.losses import pair_focal_loss, pair_hard_triplet
from keras_reid.losses.pair_triplet import score_gaps
from keras_reid.methods.base import ReIDModel
from keras_reid.methods.qaconv.comparison import MapComparison
from keras_reid.training import backend

__all__ = ["QAConv"]

_INITIALIZATIONS = ("published", "averaging")


@keras.saving.register_keras_serializable(package="keras_reid")
class QAConv(MapComparison, ReIDModel):
    r"""Query-adaptive convolution: the locations of one image are the kernels that search the other.

    Shapes: images [B,H,W,3] -> backbone map [B,h,w,C] -> 3x3 neck [B,h,w,d], of unit norm at every location. A pair of
    maps gives one logit through `keras_reid.layers.QAConvMatcher`. Two published forms:

    - ``"qaconv"`` (ECCV 2020): batch norm in the neck, weights for both maps' locations. Each image is compared with
      the latest map of every identity in a class memory and the loss is `pair_focal_loss` over all identities,
      ``L = mean_i sum_j v_j (1 - q_ij)^2 (-log q_ij)``; then its map is written into the memory.
    - ``"qaconv_gs"`` (CVPR 2022): one weight per location for both maps. The images of a batch, which
      `keras_reid.pipeline.GraphSampler` makes hard, are compared with each other and the loss is `pair_hard_triplet` on
      the logits, ``L = mean_i max(0, m - min_p s_ip + max_n s_in)``.

    `score` returns ``sigmoid(logit / temperature)``.

    Args:
        version: ``"qaconv"`` or ``"qaconv_gs"``.
        backbone: Depth of the `ResNet`, e.g. ``"resnet50"`` or ``"tiny"``.
        ibn: ``None``, ``"a"`` or ``"b"``, as in `ResNet`.
        last_stage: Stage of the backbone whose map is used: 2, 3 or 4.
        channels: d above.
        margin: m above, in units of the logits (``qaconv_gs``).
        mask_empty: Whether identities that the memory has not seen yet are left out of the loss, as in the authors'
            later code. False is the paper's code: an empty map counts like any other.
        memory_storage: ``"float32"`` or ``"float16"``, how the class memory is kept.
        frozen_statistics: Whether the backbone normalises by its running statistics while it trains (its scales and
            shifts are trained all the same). ``None``: as published, true for ``qaconv_gs`` alone.
        initialization: ``"published"``: the matcher starts as the authors' code does. ``"averaging"``: its weights
            start as the average over locations and its logits at -3, most pairs being negative. Our choice for small
            networks from random weights, which did not learn otherwise.
        temperature: What `score` divides the logits by; 10 as in the authors' code. With 1 most scores are near 0,
            which is what `keras_reid.retrieval.TemporalLift` without re-ranking wants.
        image_size: (height, width) in pixels; the matcher's weights belong to it.
        interpolation: How the pipeline resizes, ``"bilinear"`` or ``"bicubic"``.
        num_classes: Number of training identities; ``None`` until the first ``fit``.
        **kwargs: ``name``, ``dtype`` and the like, for ``keras.Model``. Maps and matcher are float32 in any case.

    Raises:
        ValueError: An argument out of its range.

    Example:
        >>> import numpy as np
        >>> from keras_reid.methods import QAConv
        >>> model = QAConv(backbone="tiny", channels=32, image_size=(64, 32))
        >>> maps = model.extract(np.random.default_rng(0).random((3, 64, 32, 3)))
        >>> maps.shape, model.score(maps[:2], maps).shape
        ((3, 4, 2, 32), (2, 3))

    Reference:
        Liao and Shao, "Interpretable and Generalizable Person Re-Identification with Query-Adaptive Convolution and
        Temporal Lifting", ECCV 2020; "Graph Sampling Based Deep Metric Learning for Generalizable Person
        Re-Identification", CVPR 2022. The paper's. The network is that of the authors' code, which has a 3x3 neck where
        the paper says 1x1; so is the absence of any mean and deviation in the input.
    """

    loss_names = ("loss", "accuracy")

    def __init__(
        self,
        *,
        version: str = "qaconv",
        backbone: str = "resnet50",
        ibn: str | None = None,
        last_stage: int = 3,
        channels: int = 128,
        margin: float = 16.0,
        mask_empty: bool = True,
        memory_storage: str = "float32",
        frozen_statistics: bool | None = None,
        initialization: str = "published",
        temperature: float = 10.0,
        image_size: Sequence[int] = (384, 128),
        interpolation: str = "bicubic",
        num_classes: int | None = None,
        name: str = "qaconv",
        **kwargs,
    ):
        if initialization not in _INITIALIZATIONS:
            raise unknown_name("initialization", initialization, _INITIALIZATIONS)
        if not (margin > 0.0 and temperature > 0.0):
            raise ValueError(f"`margin` and `temperature` must be positive. Received: {margin!r}, {temperature!r}.")
        super().__init__(
            image_size=image_size, interpolation=interpolation, num_classes=num_classes, name=name, **kwargs
        )
        policy = self.dtype_policy
        self.normalization = ImageNormalization(None, name="normalization", dtype=policy)
        self.backbone = ResNet(depth=backbone, ibn=ibn, last_stage=last_stage, dtype=policy)
        self.matcher = QAConvMatcher(version, name="matcher", dtype="float32")
        self.neck = keras.layers.Conv2D(
            check_positive_int("channels", channels),
            3,
            padding="same",
            data_format="channels_last",
            use_bias=version == "qaconv_gs",
            name="neck",
            dtype=policy,
        )
        self.neck_norm = (
            keras.layers.BatchNormalization(epsilon=1e-5, momentum=0.9, name="neck_norm", dtype=policy)
            if version == "qaconv"
            else None
        )
        self.memory = ClassMemory(memory_storage, name="memory") if version == "qaconv" else None
        self.margin = margin
        self.mask_empty = mask_empty
        self.temperature = temperature
        self._arguments = {
            "version": version,
            "backbone": backbone,
            "ibn": ibn,
            "last_stage": last_stage,
            "channels": channels,
            "memory_storage": memory_storage,
            "frozen_statistics": frozen_statistics,
            "initialization": initialization,
        }
        self.frozen_statistics = version == "qaconv_gs" if frozen_statistics is None else frozen_statistics
        self.build((None, *self.image_size, 3))

    @property
    def map_shape(self) -> tuple[int, int, int]:
        """(h, w, d) of the maps that `extract` returns."""
        return (*self.backbone.compute_output_shape((None, *self.image_size, 3))[1:3], self.neck.filters)

    def build(self, input_shape):
        """Creates every variable that does not depend on the number of identities, and the memory if it is known."""
        self.normalization.build(input_shape)
        self.neck.build((None, None, None, self.backbone.num_channels))
        if self.neck_norm is not None:
            self.neck_norm.build((None, *self.map_shape))
        self.matcher.build((None, *self.map_shape))
        if self._arguments["initialization"] == "averaging":
            kernel = self.matcher.kernel
            kernel.assign(np.full(kernel.shape, 1.0 / kernel.shape[0], "float32"))
            self.matcher.bias.assign(np.zeros(1, "float32"))
            self.matcher.logit_bn.beta.assign(np.full(1, -3.0, "float32"))
        if self.num_classes is not None:
            self.build_heads(self.num_classes)

    def build_heads(self, num_classes: int) -> None:
        """Creates the class memory, if the version has one."""
        if self.memory is not None:
            self.memory.size(self.map_shape, num_classes)

    def call(self, images, training=False):
        """Images [B,H,W,3] in [0,1] -> maps [B,h,w,d], of unit norm at every location, float32."""
        maps = self.backbone(self.normalization(images), training=training and not self.frozen_statistics)
        maps = self.neck(maps)
        if self.neck_norm is not None:
            maps = self.neck_norm(maps, training=training)
        return unit_vectors(maps)

    def training_step(self, batch, training=True):
        """One step of Liao and Shao: 2020 with the class memory, or 2022 within the batch."""
        if self.memory is None:
            return self.update(None, lambda: self._batch_losses(batch, training))
        terms = dict(self.update(None, lambda: self._memory_losses(batch, training)))
        maps = terms.pop("maps")
        if training:  # after the loss, so that no image meets itself
            gather = backend.current().gather_over_replicas
            self.memory.write(gather(batch["person_id"]), gather(maps))
        return terms

    def _memory_losses(self, batch, training):
        labels = batch["person_id"]
        maps = self(batch["image"], training=training)  # [B, h, w, d]
        remembered, valid = self.memory.read()  # [K, h, w, d], [K]
        logits = self.matcher(maps, remembered, training=training)  # [B, K]
        loss = ops.mean(pair_focal_loss(labels, logits, valid if self.mask_empty else None))
        accuracy = ops.mean(ops.cast(ops.equal(ops.argmax(logits, axis=-1), labels), "float32"))
        return loss, {"loss": loss, "accuracy": accuracy, "maps": maps}

    def _batch_losses(self, batch, training):
        labels = batch["person_id"]
        gather = backend.current().gather_over_replicas
        maps = self(batch["image"], training=training)  # [B, h, w, d]
        logits = gather(self.matcher(maps, gather(maps), training=training))  # [B, B], each replica its own rows
        labels = gather(labels)
        loss = ops.mean(pair_hard_triplet(labels, logits, self.margin))
        gaps, valid = score_gaps(labels, logits)
        right = ops.sum(ops.cast(ops.logical_and(valid, gaps >= 0.0), "float32"))
        accuracy = ops.divide_no_nan(right, ops.sum(ops.cast(valid, "float32")))
        return loss, {"loss": loss, "accuracy": accuracy}

    def get_config(self) -> dict:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            **self._arguments,
            "margin": self.margin,
            "mask_empty": self.mask_empty,
            "temperature": self.temperature,
        }
