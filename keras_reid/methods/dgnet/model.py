"""The networks together, and their training step."""

from collections.abc import Sequence

import keras
from keras import ops

from keras_reid.checks import check_positive_int, unknown_name
from keras_reid.layers import ImageNormalization, RandomErasing
from keras_reid.layers.unit_vectors import unit_vectors
from keras_reid.methods.base import ReIDModel
from keras_reid.methods.dgnet.appearance import AppearanceEncoder
from keras_reid.methods.dgnet.decoder import Decoder
from keras_reid.methods.dgnet.discriminator import Discriminator
from keras_reid.methods.dgnet.generation import Generation
from keras_reid.methods.dgnet.objectives import (
    appearance_terms,
    codes,
    discriminator_terms,
    generator_terms,
    ramps,
    swapped,
    teacher_opinion,
)
from keras_reid.methods.dgnet.structure import StructureEncoder, check_image_size
from keras_reid.methods.dgnet.teacher import own_copy
from keras_reid.methods.dgnet.variants import VARIANTS
from keras_reid.training.isolation import isolated

__all__ = ["DGNet"]


@keras.saving.register_keras_serializable(package="keras_reid")
class DGNet(Generation, ReIDModel):
    r"""DG-Net: draws people in each other's clothes, and learns to recognise people from what it draws.

    ``s = E_s(x)`` is an image's structure, ``f = E_a(x)`` its appearance, ``G(s_j, f_i)`` the image with the appearance
    of i and the structure of j. Three updates a step, with the optimiser groups ``"discriminator"``; ``"generator"``
    (E_s and G); ``"backbone"`` and ``"heads"`` (E_a):

        L_D = sum_k [ mean D_k(fake)^2 + mean (D_k(real) - 1)^2 + 0.01 |grad D_k(real)|^2 ]
        L_G = L_adv + 5 L_self + 5 L_partner + 0.5 L_id(G) + w_code (L_structure + L_appearance) + w_cycle L_cycle
        L_E = L_id + L_id(partners) + w (L_prim + 0.2 L_fine + 0.2 L_fine_id)

    ``w``, ``w_cycle`` and ``w_code`` are 0 for the warm-up and rise linearly then. A batch of 2 B images is two halves;
    each image is drawn in the appearance of its counterpart in the other half. The pipeline must bring a partner of
    each image: ``pipeline.training(..., partner=True)``.

    An embedding is ``[u_prim, sqrt(beta) u_fine] / sqrt(1 + beta)``, ``u`` the unit-norm sums of a head's unit-norm
    descriptors of the image and its mirror image.

    Args:
        backbone: Depth of the `ResNet` of E_a, or a layer with ``num_channels``, normalised images in, maps out.
        variant: ``"authors"``, what their code does and made the published numbers, or ``"paper"``; see `VARIANTS`.
        teacher: A trained model with ``logits(images, training)`` and ``num_classes`` of the same labels, e.g. a
            `Baseline`; copied, never trained. ``None`` leaves L_prim out.
        structure_width: Channels of the first convolution of E_s; a structure code has eight times as many.
        style_width: Width of the networks from appearance codes to styles.
        discriminator_width: Channels of the first convolution of D.
        descriptor_width: Length of each head's descriptor.
        dropouts: Rates of the primary and the fine head.
        warmup_iterations: Steps before images drawn are learned from.
        ramp_iterations: Steps after that until w and w_cycle reach 2; w_code reaches 1 in half of them.
        discriminative_weight: Final w. 0: no online feeding, an ablation; the fine head then learns nothing.
        identity_weight: Factor on all identity losses of real and drawn images. 0: no identity supervision, likewise,
            but for what the teacher thinks of drawn ones.
        doubled_height: Images of at most this height are doubled for E_a, as in the authors' code; 0 for none.
        fine_weight: beta.
        image_size: (height, width) in pixels, multiples of 4 of at least 40.
        interpolation: How the pipeline resizes, ``"bilinear"`` or ``"bicubic"``.
        num_classes: Number of training identities; ``None`` until the first ``fit``.
        **kwargs: ``name``, ``dtype`` and the like, for ``keras.Model``. The discriminator stays float32.

    Raises:
        ValueError: An argument out of its range, or a teacher of other labels.

    Example:
        >>> import numpy as np
        >>> from keras_reid.methods import DGNet
        >>> model = DGNet(backbone="tiny", structure_width=4, style_width=8, descriptor_width=16, image_size=(64, 40))
        >>> images = np.random.default_rng(0).random((2, 64, 40, 3), dtype="float32")
        >>> model.generate(images[:1], images[1:]).shape
        (1, 64, 40, 3)

    Reference:
        Zheng, Yang, Yu, Zheng, Yang and Kautz, "Joint Discriminative and Generative Learning for Person
        Re-identification", CVPR 2019, and the authors' code, which differs in fifteen points (`Variant`). Departs from
        both: one order of the images for both halves; losses of weight 0 are computed and left out by that weight.
    """

    loss_names = (
        *("loss", "discriminator", "gradient_penalty", "adversarial", "self_reconstruction", "partner_reconstruction"),
        *("generated_identity", "structure_code", "appearance_code", "cycle", "identity", "partner_identity"),
        *("fine_identity", "primary", "fine", "discriminative_weight", "accuracy"),
    )
    uses_partner = True
    batch_blocks = 2  # each image is drawn in the appearance of its counterpart in the other half

    def __init__(
        self,
        *,
        backbone="resnet50",
        variant: str = "authors",
        teacher=None,
        structure_width: int = 16,
        style_width: int = 512,
        discriminator_width: int = 32,
        descriptor_width: int = 512,
        dropouts: Sequence[float] = (0.5, 0.75),
        warmup_iterations: int = 30_000,
        ramp_iterations: int = 4_000,
        discriminative_weight: float = 2.0,
        identity_weight: float = 1.0,
        doubled_height: int = 128,
        fine_weight: float = 0.5,
        image_size: Sequence[int] = (256, 128),
        interpolation: str = "bicubic",
        num_classes: int | None = None,
        name: str = "dgnet",
        **kwargs,
    ):
        if variant not in VARIANTS:
            raise unknown_name("DG-Net variant", variant, VARIANTS)
        numbers = {
            "warmup_iterations": warmup_iterations,
            "discriminative_weight": discriminative_weight,
            "identity_weight": identity_weight,
            "doubled_height": doubled_height,
            "fine_weight": fine_weight,
        }
        for argument, value in numbers.items():
            if value < 0:
                raise ValueError(f"`{argument}` must not be negative. Received: {value!r}.")
        check_image_size(image_size)
        super().__init__(
            image_size=image_size, interpolation=interpolation, num_classes=num_classes, name=name, **kwargs
        )
        policy, channels = self.dtype_policy, 8 * check_positive_int("structure_width", structure_width)
        self.rules = VARIANTS[variant]
        # Targets of reconstruction, so in float32; the networks cast for themselves.
        self.normalization = ImageNormalization("imagenet", name="normalization", dtype="float32")
        self.erasing = RandomErasing(name="erasing", dtype="float32")
        self.appearance_encoder = AppearanceEncoder(
            backbone,
            check_positive_int("descriptor_width", descriptor_width),
            tuple(dropouts),
            self.rules.slices,
            int(doubled_height),
            name="appearance_encoder",
            dtype=policy,
        )
        self.structure_encoder = StructureEncoder(structure_width, name="structure_encoder", dtype=policy)
        self.decoder = Decoder(
            channels,
            self.backbone.num_channels,
            check_positive_int("style_width", style_width),
            name="decoder",
            dtype=policy,
        )
        # The penalty's second derivatives overflow in half precision.
        self.discriminator = Discriminator(
            check_positive_int("discriminator_width", discriminator_width), name="discriminator", dtype="float32"
        )
        self.teacher = own_copy(teacher)
        self.coin = keras.random.SeedGenerator()
        self.iteration = self.add_weight(
            name="iteration", shape=(), initializer="zeros", trainable=False, dtype="float32", autocast=False
        )
        self.discriminative_weight, self.identity_weight = discriminative_weight, identity_weight
        self.warmup_iterations, self.fine_weight = warmup_iterations, fine_weight
        self.ramp_iterations = check_positive_int("ramp_iterations", ramp_iterations)
        self._arguments = {
            **numbers,
            "variant": variant,
            "structure_width": structure_width,
            "style_width": style_width,
            "discriminator_width": discriminator_width,
            "descriptor_width": descriptor_width,
            "dropouts": tuple(dropouts),
        }
        self.build((None, *self.image_size, 3))

    @property
    def backbone(self):
        """The appearance encoder's."""
        return self.appearance_encoder.backbone

    def build(self, input_shape):
        """Creates every variable that does not depend on the number of identities, and the heads if it is known."""
        for layer in (
            *(self.normalization, self.erasing, self.appearance_encoder, self.structure_encoder),
            *(self.decoder, self.discriminator),
        ):
            layer.build(input_shape)
        if self.num_classes is not None:
            self.build_heads(self.num_classes)

    def build_heads(self, num_classes: int) -> None:
        """Creates both classifiers."""
        if self.teacher is not None and self.teacher.num_classes != num_classes:
            raise ValueError(
                f"The teacher knows {self.teacher.num_classes} identities and there are {num_classes} to learn. Train "
                "the teacher on the same table, so that label for label they mean the same persons."
            )
        for head in (self.appearance_encoder.primary, self.appearance_encoder.fine):
            head.size(num_classes)

    def check_labels(self, labels) -> None:
        """Refuses a batch that has no two halves."""
        if len(labels) % 2 or len(labels) < 4:
            raise ValueError(
                "DG-Net needs an even number of at least 4 images per batch: each is drawn in the appearance of its "
                f"counterpart in the other half. Received: {len(labels)}."
            )

    # --- training ----------------------------------------------------------------------------------------------------

    def flip(self, training):
        """Heads, 1: those who drew an image learn from its structure; tails, 0: the encoder that reads it."""
        if not training:
            return ops.zeros(())
        return ops.cast(keras.random.uniform((), seed=self.coin) > 0.5, "float32")

    def training_step(self, batch, training=True):
        """One iteration: discriminator, then structure encoder and decoder, then appearance encoder and heads."""
        if "partner_image" not in batch:
            raise ValueError(
                "DG-Net needs for each image another one of the same identity, `partner_image`. Make the data with "
                "keras_reid.pipeline.training(..., partner=True)."
            )
        labels = batch["person_id"]
        images, partners = (self.normalization(batch[name]) for name in ("image", "partner_image"))
        weights, coin = ramps(self), self.flip(training)
        if self.rules.joint_appearance:
            with isolated(self.appearance_encoder):
                own, partner = (codes(self, x, training) for x in (images, partners))
        else:
            own, partner = (ops.stop_gradient(codes(self, x, training)) for x in (images, partners))
        drawn = ops.stop_gradient(self.decoder([self.structure_encoder(images), swapped(own)]))
        opinion = teacher_opinion(self, drawn, training)

        def generator(own=own, partner=partner):
            return generator_terms(self, images, labels, own, partner, weights, coin, training)

        def appearance():
            return appearance_terms(self, images, partners, labels, drawn, opinion, weights, training)

        def joint():
            own, partner = (codes(self, x, training) for x in (images, partners))
            (first, one), (second, other) = generator(own, partner), appearance()
            return first + second, {**one, **other}

        terms = self.update("discriminator", lambda: discriminator_terms(self, images, drawn))
        if self.rules.joint_appearance:
            terms |= self.update(("generator", "backbone", "heads"), joint)
        else:  # no loss reaches both, so that these are the two halves of one backward pass
            terms |= self.update("generator", generator) | self.update(("backbone", "heads"), appearance)
        if training:
            self.iteration.assign(ops.convert_to_tensor(self.iteration) + 1.0)
        loss = terms.pop("generator") + terms.pop("appearance")
        return {"loss": loss, **terms, "discriminative_weight": weights["discriminative"]}

    # --- inference ---------------------------------------------------------------------------------------------------

    def call(self, images, training=False):
        """Images [B,H,W,3] in [0,1] -> unit-norm embeddings [B, 2 descriptor_width], float32."""
        images = self.normalization(images)
        views = [self.appearance_encoder(view, training=training) for view in (images, ops.flip(images, axis=2))]
        primary, fine = (
            unit_vectors(sum(unit_vectors(view[head][0]) for view in views)) for head in ("primary", "fine")
        )
        whole = ops.concatenate([primary, self.fine_weight**0.5 * fine], axis=-1)
        return whole / (1.0 + self.fine_weight) ** 0.5

    def inference_model(self) -> "DGNet":
        """Returns an uncompiled copy without classifiers and teacher: what is published; it still draws."""
        copy = type(self).from_config({**self.get_config(), "num_classes": None, "teacher": None})
        for target, source in zip(copy._published(), self._published(), strict=True):
            target.assign(source.numpy())
        return copy

    def _published(self) -> list:
        heads = (self.appearance_encoder.primary, self.appearance_encoder.fine)
        layers = (self.backbone, self.structure_encoder, self.decoder, self.discriminator)
        parts = [*layers, *(part for head in heads for part in (head.bottleneck, head.norm))]
        return [variable for part in parts for variable in part.weights]

    def get_config(self) -> dict:
        """Returns the constructor's arguments."""
        teacher = None if self.teacher is None else keras.saving.serialize_keras_object(self.teacher)
        return {
            **super().get_config(),
            **self._arguments,
            "backbone": self.appearance_encoder.get_config()["backbone"],
            "teacher": teacher,
            "ramp_iterations": self.ramp_iterations,
            "fine_weight": self.fine_weight,
        }
