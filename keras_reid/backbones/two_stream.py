"""A ResNet for two modalities: what lies near the pixels is each one's own, what lies deep is shared."""

import keras
from keras import ops

from keras_reid.backbones.blocks import PACKAGE
from keras_reid.backbones.resnet import DEPTHS, ResNetStage, ResNetStem
from keras_reid.backbones.weights import torchvision_variables
from keras_reid.checks import unknown_name

__all__ = ["TwoStreamResNet"]


@keras.saving.register_keras_serializable(package=PACKAGE)
class TwoStreamResNet(keras.Model):
    """ResNet whose stem and stages 1 and 2 exist per modality, and stages 3 and 4 per stream.

    ``[B, H, W, 3] -> (map of the first stream, ...)``, each ``[B, ceil(H / stride), ceil(W / stride), num_channels]``.
    The streams see the maps of both modalities as one batch, so their batch norms have common statistics. Arithmetic
    and images are `ResNet`'s.

    Every shape is static, on every backend. Training takes batches of a visible half and a thermal half, as
    `keras_reid.pipeline.CrossModalityPKSampler` makes them. For inference each image has a modality; if all images of a
    batch have the same, only that modality's shallow part is run.

    Args:
        depth: As in `ResNet`.
        local_stream: Whether there is a second stream beside the global one.
        last_stride: Stride of stage 4, as in `ResNet`.
        name: Name of the model, the first part of its variables' paths.
        **kwargs: `keras.Model`'s own (``dtype``, ``trainable``).

    Raises:
        ValueError: An argument is none of those listed.

    Example:
        >>> import numpy as np
        >>> from keras_reid.backbones import TwoStreamResNet
        >>> backbone = TwoStreamResNet(depth="tiny", last_stride=1)
        >>> of_global, of_local = backbone(np.zeros((4, 96, 48, 3), "float32"))  # two visible, two thermal
        >>> tuple(of_local.shape)
        (4, 6, 3, 256)

    Reference:
        Ling et al., "Cross-Modality Earth Mover's Distance for Visible Thermal Person Re-Identification", AAAI 2023
        (caption of figure 2). The paper's.
    """

    def __init__(
        self,
        *,
        depth: str = "resnet50",
        local_stream: bool = True,
        last_stride: int = 1,
        name: str = "backbone",
        **kwargs,
    ):
        if depth not in DEPTHS:
            raise unknown_name("ResNet depth", depth, DEPTHS)
        if last_stride not in (1, 2):
            raise ValueError(f"`last_stride` must be 1 or 2. Received: {last_stride!r}.")
        super().__init__(name=name, **kwargs)
        self.depth, self.last_stride, self.local_stream = depth, last_stride, local_stream
        self.ibn = None  # `zoo.load` asks for it, to find the ImageNet weights
        policy = self.dtype_policy
        self.visible = Shallow(depth, name="visible", dtype=policy)
        self.thermal = Shallow(depth, name="thermal", dtype=policy)
        names = ("global_stream", "local_stream") if local_stream else ("global_stream",)
        self.streams = [Deep(depth, last_stride, name=stream, dtype=policy) for stream in names]
        self.build((None, None, None, 3))

    @property
    def num_channels(self) -> int:
        """Channels of each returned map."""
        return self.streams[0].stages[-1].num_channels

    @property
    def stride(self) -> int:
        """Pixels of the image per step in the returned maps."""
        return 16 * self.last_stride

    def build(self, input_shape):
        """Creates every variable; the image size does not matter."""
        if self.built:
            return
        for part in (self.visible, self.thermal, *self.streams):
            part.build(input_shape)
        # Both begin alike, as they do with ImageNet weights: random ones of their own would be two languages.
        for thermal, visible in zip(self.thermal.variables, self.visible.variables, strict=True):
            thermal.assign(visible)

    def call(self, images, modality=None, training=None):
        """Computes the map of each stream.

        Args:
            images: Normalised images [B,H,W,3].
            modality: [B], 0 for visible and 1 for thermal; for inference. ``None``: the first half of the batch is
                visible, the second thermal.
            training: Whether the batch norms use, and follow, the statistics of the batch.

        Returns:
            Tuple of maps [B,h,w,C], one per stream.

        Raises:
            ValueError: Training with `modality`: batch norms cannot learn from a part of unknown size.
        """
        if modality is None:
            half = images.shape[0] // 2 if images.shape[0] is not None else ops.shape(images)[0] // 2
            maps = [self.visible(images[:half], training=training), self.thermal(images[half:], training=training)]
            shallow = ops.concatenate(maps, axis=0)
        elif training:
            raise ValueError("Training needs batches of a visible and a thermal half, and no `modality`.")
        else:
            shallow = self._by_modality(images, modality)
        return tuple(stream(shallow, training=training) for stream in self.streams)

    def _by_modality(self, images, modality):
        thermal = ops.cast(modality, "bool")  # [B]
        shape = (ops.shape(images)[0], *self.visible.compute_output_shape(images.shape)[1:])

        def nothing():
            return ops.zeros(shape, self.compute_dtype)

        # Only what is needed: of a batch of one modality, the other's part is not run.
        of_visible = ops.cond(ops.all(thermal), nothing, lambda: self.visible(images, training=False))
        of_thermal = ops.cond(ops.any(thermal), lambda: self.thermal(images, training=False), nothing)
        return ops.where(thermal[:, None, None, None], of_thermal, of_visible)

    def torchvision_variables(self) -> dict[str, list]:
        """Every variable by its torchvision name; each tensor goes to both modalities, or to every stream."""
        variables: dict[str, list] = {}
        for part in (self.visible, self.thermal, *self.streams):
            for layer in part.stages:
                prefix = "" if layer.name == "stem" else f"{layer.name}."
                for name, found in torchvision_variables(layer, prefix).items():
                    variables.setdefault(name, []).extend(found)
        return variables

    def compute_output_shape(self, input_shape, modality=None):
        """The maps' shapes; unknown sizes stay unknown."""
        batch, height, width, _ = input_shape
        rows, columns = (None if n is None else -(-n // self.stride) for n in (height, width))
        return ((batch, rows, columns, self.num_channels),) * len(self.streams)

    def get_config(self):
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "depth": self.depth,
            "local_stream": self.local_stream,
            "last_stride": self.last_stride,
        }


class _Chain(keras.layers.Layer):
    """Parts of a ResNet, one after the other."""

    def build(self, input_shape):
        """Creates every part's variables."""
        for stage in self.stages:
            stage.build((None, None, None, getattr(stage, "in_channels", 3)))

    def call(self, inputs, training=None):
        """Runs the parts in order."""
        for stage in self.stages:
            inputs = stage(inputs, training=training)
        return inputs


class Shallow(_Chain):
    """Stem and stages 1 and 2 of one modality, ``[B, H, W, 3] -> [B, ceil(H / 8), ceil(W / 8), C]``."""

    def __init__(self, depth: str, **kwargs):
        super().__init__(**kwargs)
        policy = self.dtype_policy
        self.stages = [
            ResNetStem(DEPTHS[depth][2][0], name="stem", dtype=policy),
            ResNetStage(depth, 1, name="layer1", dtype=policy),
            ResNetStage(depth, 2, strides=2, name="layer2", dtype=policy),
        ]

    def compute_output_shape(self, input_shape):
        """An eighth of height and width."""
        batch, height, width, _ = input_shape
        return (batch, -(-height // 8), -(-width // 8), self.stages[-1].num_channels)


class Deep(_Chain):
    """Stages 3 and 4 of one stream."""

    def __init__(self, depth: str, last_stride: int, **kwargs):
        super().__init__(**kwargs)
        policy = self.dtype_policy
        self.stages = [
            ResNetStage(depth, 3, strides=2, name="layer3", dtype=policy),
            ResNetStage(depth, 4, strides=last_stride, name="layer4", dtype=policy),
        ]
