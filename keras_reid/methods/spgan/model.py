"""Style transfer between two sites that leaves people who they are."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from keras_reid.checks import check_positive_int, unknown_name
from keras_reid.methods.base import ReIDModel
from keras_reid.methods.spgan.history import ImageHistory
from keras_reid.methods.spgan.networks import Generator, MetricNetwork, PatchDiscriminator
from keras_reid.methods.spgan.objectives import discriminator_terms, generator_terms, metric_terms
from keras_reid.pipeline.arrays import image_array
from keras_reid.training import backend

__all__ = ["SPGAN"]

_SITES = ("target", "source")


@keras.saving.register_keras_serializable(package="keras_reid")
class SPGAN(ReIDModel):
    """Draws images of one site in the style of another, and keeps what tells people apart.

    G takes the source's images to the target's style, F the other way; D_T and D_S judge patches; M embeds images:

        L_G = L_adv + 10 L_cycle + 5 L_identity + 2 L_similarity
        L_similarity = [c(x, Gx) + c(y, Fy) + 1/2 (c'(Gx, y) + c'(Fy, x))] / 4
        L_M = [c(x, Gx) + c(y, Fy) + 2 c'(x, y)] / 3,  c = d^2, c' = max(0, 2 - d)^2, d = |M - M|

    A batch is two halves, the source's images (domain 0) and as many of the target's (domain 1). A step is two
    iterations of the authors' code, which trains the generators in every second one: discriminators and M on the first
    half of either, then all on the second. Optimiser groups ``"generator"``, ``"discriminator"``, ``"metric"``.

    Args:
        width: Channels of the first convolution of each network.
        blocks: Residual blocks of a generator.
        cycle_weight: 10 above.
        identity_weight: 5 above.
        similarity_weight: 2 above.
        warmup_iterations: Steps before M is trained; after twice as many L_similarity counts. An epoch, as published.
        history: Images drawn before that the discriminators are shown again.
        image_size: (height, width) in pixels, multiples of 4 of at least 64.
        interpolation: How the pipeline resizes, ``"bilinear"`` or ``"bicubic"``.
        num_classes: What the pipeline counts as identities; nothing depends on it.
        **kwargs: ``name``, ``dtype`` and the like, for ``keras.Model``.

    Raises:
        ValueError: An argument out of its range.

    Example:
        >>> import numpy as np
        >>> from keras_reid.methods import SPGAN
        >>> model = SPGAN(width=4, blocks=1, history=4, image_size=(64, 64))
        >>> model.translate(np.random.default_rng(0).random((2, 64, 64, 3))).shape
        (2, 64, 64, 3)

    Reference:
        Deng et al., "Image-Image Domain Adaptation with Preserved Self-Similarity and Domain-Dissimilarity for Person
        Re-identification", CVPR 2018; networks, weights and schedule as in the authors' code. Its loss of the metric
        network begins after the first epoch, and counts for the generators after the second.
    """

    loss_names = ("loss", "generator", "adversarial", "cycle", "identity", "similarity", "discriminator", "metric")
    batch_blocks = 4  # source and target, each in two parts

    def __init__(
        self,
        *,
        width: int = 64,
        blocks: int = 9,
        cycle_weight: float = 10.0,
        identity_weight: float = 5.0,
        similarity_weight: float = 2.0,
        warmup_iterations: int = 1000,
        history: int = 50,
        image_size: Sequence[int] = (256, 128),
        interpolation: str = "bilinear",
        num_classes: int | None = None,
        name: str = "spgan",
        **kwargs,
    ):
        if any(int(side) < 64 or int(side) % 4 for side in image_size):
            raise ValueError(
                "SPGAN takes images whose sides are multiples of 4 and at least 64 pixels. Received: "
                f"{tuple(image_size)}."
            )
        if min(cycle_weight, identity_weight, similarity_weight, warmup_iterations) < 0:
            raise ValueError(
                "Weights and `warmup_iterations` must not be negative. Received: "
                f"{cycle_weight!r}, {identity_weight!r}, {similarity_weight!r}, {warmup_iterations!r}."
            )
        super().__init__(
            image_size=image_size, interpolation=interpolation, num_classes=num_classes, name=name, **kwargs
        )
        check_positive_int("width", width), check_positive_int("blocks", blocks)
        policy = self.dtype_policy
        self.to_target = Generator(width, blocks, name="generator_to_target", dtype=policy)
        self.to_source = Generator(width, blocks, name="generator_to_source", dtype=policy)
        self.target_discriminator = PatchDiscriminator(width, name="discriminator_target", dtype=policy)
        self.source_discriminator = PatchDiscriminator(width, name="discriminator_source", dtype=policy)
        self.metric = MetricNetwork(width, name="metric", dtype=policy)
        self.target_history = ImageHistory(history, name="history_target", dtype="float32")
        self.source_history = ImageHistory(history, name="history_source", dtype="float32")
        self.iteration = self.add_weight(
            name="iteration", shape=(), initializer="zeros", trainable=False, dtype="float32", autocast=False
        )
        self.cycle_weight, self.identity_weight = cycle_weight, identity_weight
        self.similarity_weight, self.warmup_iterations = similarity_weight, int(warmup_iterations)
        self._arguments = {"width": width, "blocks": blocks, "history": history}
        self.build((None, *self.image_size, 3))

    def build(self, input_shape):
        """Creates every variable; nothing depends on the number of identities."""
        for layer in (
            *(self.to_target, self.to_source, self.target_discriminator, self.source_discriminator),
            *(self.metric, self.target_history, self.source_history),
        ):
            layer.build(input_shape)

    def call(self, images, training=False):
        """Images [B,H,W,3] in [0,1] -> unit-norm embeddings [B,width] of the metric network."""
        return self.metric(_signed(images), training=training)

    def training_step(self, batch, training=True):
        """Two iterations of Deng et al. 2018: discriminators and M; then the generators, discriminators and M."""
        images = _signed(batch["image"])
        half = images.shape[0] // 2
        source, target = images[:half], images[half:]
        first, second = slice(0, half // 2), slice(half // 2, half)
        started = ops.cast(ops.convert_to_tensor(self.iteration) >= self.warmup_iterations, "float32")
        similarity = ops.cast(ops.convert_to_tensor(self.iteration) >= 2 * self.warmup_iterations, "float32")
        drawn = tuple(
            ops.stop_gradient(draw(x[first])) for draw, x in ((self.to_target, source), (self.to_source, target))
        )
        self._judges(source[first], target[first], drawn, started, training)
        terms = dict(
            self.update(
                "generator",
                lambda: generator_terms(self, source[second], target[second], self.similarity_weight * similarity),
            )
        )
        drawn = tuple(ops.stop_gradient(x) for x in terms.pop("drawn"))
        terms |= self._judges(source[second], target[second], drawn, started, training)
        if training:
            self.iteration.assign(ops.convert_to_tensor(self.iteration) + 1.0)
        return {"loss": terms["generator"] + terms["discriminator"] + started * terms["metric"], **terms}

    def _judges(self, source, target, drawn, started, training):
        """Discriminators, on new images and some of earlier ones, and the metric network."""
        shown = drawn
        if training:
            here = backend.current()
            histories = (self.target_history, self.source_history)
            shown = tuple(
                here.own_rows(history.exchange(here.gather_over_replicas(images)))
                for history, images in zip(histories, drawn, strict=True)
            )
        terms = dict(self.update("discriminator", lambda: discriminator_terms(self, source, target, *shown)))
        terms |= self.update("metric", lambda: metric_terms(self, source, target, *drawn, started, training))
        return terms

    def check_labels(self, labels) -> None:
        """Refuses a batch that has no two halves with two parts each."""
        if len(labels) % 4:
            raise ValueError(
                "SPGAN needs batches of a multiple of 4 images: half of the source, half of the target, each in two "
                f"parts. Received: {len(labels)}."
            )

    def translate(self, images, to: str = "target", batch_size: int = 16) -> np.ndarray:
        """Draws images in the other site's style.

        Args:
            images: [N,H,W,3] in [0,1] RGB of the model's `image_size`.
            to: The style: ``"target"`` for the source's images, ``"source"`` for the target's.
            batch_size: Images at a time.

        Returns:
            Array [N,H,W,3] float32 in [0,1].

        Raises:
            ValueError: An unknown style, or an array of another shape or outside of [0,1].
        """
        if to not in _SITES:
            raise unknown_name("style", to, _SITES)
        images, draw = image_array(images, self.image_size), self.to_target if to == "target" else self.to_source
        parts = [images[start : start + batch_size] for start in range(0, len(images), batch_size)]
        return np.concatenate([0.5 + 0.5 * ops.convert_to_numpy(draw(_signed(part))) for part in parts])

    def inference_model(self) -> "SPGAN":
        """Returns a copy without remembered images: what is published.

        Returns:
            An uncompiled model with a ``history`` of one image.
        """
        copy = type(self).from_config({**self.get_config(), "num_classes": None, "history": 1})
        networks = ("to_target", "to_source", "target_discriminator", "source_discriminator", "metric")
        for name in networks:
            for own, other in zip(getattr(self, name).weights, getattr(copy, name).weights, strict=True):
                other.assign(np.array(own.numpy()))
        return copy

    def get_config(self) -> dict:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            **self._arguments,
            "cycle_weight": self.cycle_weight,
            "identity_weight": self.identity_weight,
            "similarity_weight": self.similarity_weight,
            "warmup_iterations": self.warmup_iterations,
        }


def _signed(images):
    """[0,1] -> [-1,1]."""
    return 2.0 * ops.cast(images, "float32") - 1.0
