"""ResNet as torchvision defines it, so that published re-ID checkpoints fit to the last digit."""

import keras
from keras import ops

from keras_reid.backbones.blocks import (
    PACKAGE,
    BasicBlock,
    Bottleneck,
    batch_norm,
    convolution,
    instance_norm,
    padded,
)
from keras_reid.backbones.weights import torchvision_variables
from keras_reid.checks import unknown_name

__all__ = ["DEPTHS", "ResNet", "ResNetStage", "ResNetStem"]

# name -> (block, blocks per stage, width per stage)
DEPTHS: dict[str, tuple[type, tuple[int, ...], tuple[int, ...]]] = {
    "resnet18": (BasicBlock, (2, 2, 2, 2), (64, 128, 256, 512)),
    "resnet34": (BasicBlock, (3, 4, 6, 3), (64, 128, 256, 512)),
    "resnet50": (Bottleneck, (3, 4, 6, 3), (64, 128, 256, 512)),
    "resnet101": (Bottleneck, (3, 4, 23, 3), (64, 128, 256, 512)),
    "resnet152": (Bottleneck, (3, 8, 36, 3), (64, 128, 256, 512)),
    "tiny": (BasicBlock, (1, 1, 1, 1), (32, 64, 128, 256)),
}


@keras.saving.register_keras_serializable(package=PACKAGE)
class ResNetStem(keras.layers.Layer):
    """7x7 convolution of stride 2, normalisation, ReLU, 3x3 max pooling of stride 2.

    ``[B, H, W, 3] -> [B, ceil(H / 4), ceil(W / 4), width]``.

    Args:
        width: Output channels.
        ibn: ``"b"`` normalises per image (IBN-b); anything else per batch.
        **kwargs: `keras.layers.Layer`'s own (``name``, ``dtype``).

    Example:
        >>> import numpy as np
        >>> from keras_reid.backbones.resnet import ResNetStem
        >>> tuple(ResNetStem(8)(np.ones((1, 16, 8, 3), "float32")).shape)
        (1, 4, 2, 8)
    """

    def __init__(self, width: int, ibn: str | None = None, **kwargs):
        super().__init__(**kwargs)
        self.width, self.ibn = width, ibn
        self.conv1 = convolution(7, width, 2, "conv1", self.dtype_policy)
        self.bn1 = (instance_norm if ibn == "b" else batch_norm)("bn1", self.dtype_policy)

    def build(self, input_shape):
        """Creates every variable; only the number of channels matters."""
        self.conv1.build((None, None, None, input_shape[-1]))
        self.bn1.build((None, None, None, self.width))

    def call(self, inputs, training=None):
        """Quarters the resolution."""
        x = self.conv1(padded(inputs, 3))
        x = self.bn1(x) if self.ibn == "b" else self.bn1(x, training=training)
        # After a ReLU, padding with zeros is torch's padding with minus infinity.
        return ops.max_pool(padded(ops.relu(x), 1), 3, strides=2, padding="valid", data_format="channels_last")


@keras.saving.register_keras_serializable(package=PACKAGE)
class ResNetStage(keras.layers.Layer):
    """The residual blocks of one resolution: torchvision's ``layer1`` to ``layer4``.

    ``[B, h, w, in_channels] -> [B, ceil(h / strides), ceil(w / strides), num_channels]``.

    Args:
        depth: The network the stage belongs to, a key of `DEPTHS`.
        stage: 1 to 4.
        strides: Stride of the first block.
        ibn: ``None``, ``"a"`` (all blocks of stages 1-3) or ``"b"`` (last block of stages 1 and 2).
        **kwargs: `keras.layers.Layer`'s own (``name``, ``dtype``).

    Example:
        >>> import numpy as np
        >>> from keras_reid.backbones.resnet import ResNetStage
        >>> tuple(ResNetStage("tiny", 2, strides=2)(np.ones((1, 4, 2, 32), "float32")).shape)
        (1, 2, 1, 64)
    """

    def __init__(self, depth: str, stage: int, strides: int = 1, ibn: str | None = None, **kwargs):
        super().__init__(**kwargs)
        self.depth, self.stage, self.strides, self.ibn = depth, stage, strides, ibn
        block, repeats, widths = DEPTHS[depth]
        width, last = widths[stage - 1], repeats[stage - 1] - 1
        self.in_channels = widths[0] if stage == 1 else widths[stage - 2] * block.expansion
        self.num_channels = width * block.expansion
        self.blocks = []
        for number in range(last + 1):
            everywhere = ibn == "a" and stage <= 3
            at_the_end = ibn == "b" and stage <= 2 and number == last
            self.blocks.append(
                block(
                    self.in_channels if number == 0 else self.num_channels,
                    width,
                    strides=strides if number == 0 else 1,
                    ibn=ibn if everywhere or at_the_end else None,
                    name=str(number),
                    dtype=self.dtype_policy,
                )
            )

    def build(self, input_shape):
        """Creates every block's variables."""
        for block in self.blocks:
            block.build((None, None, None, block.in_channels))

    def call(self, inputs, training=None):
        """Runs the blocks in order."""
        x = inputs
        for block in self.blocks:
            x = block(x, training=training)
        return x


@keras.saving.register_keras_serializable(package=PACKAGE)
class ResNet(keras.Model):
    """ResNet with torchvision's arithmetic: normalised images in, one feature map out.

    ``[B, H, W, 3] -> [B, ceil(H / stride), ceil(W / stride), num_channels]``, channels last on
    every backend. Explicit symmetric padding, the stride of a bottleneck on its 3x3 convolution,
    epsilon 1e-5: with converted weights the features equal torch's. The input is already normalised
    (`keras_reid.layers.ImageNormalization`). All variables exist after construction, whatever the
    image size. Their paths are torchvision's names with ``/`` for ``.`` (and ``stem/`` before
    ``conv1`` and ``bn1``).

    Args:
        depth: ``"resnet18"``, ``"resnet34"``, ``"resnet50"``, ``"resnet101"``, ``"resnet152"``, or
            ``"tiny"``: one basic block per stage at half the width, 1.2 million parameters, for
            tests and demonstrations.
        ibn: ``None``; ``"a"``: half of the first norm of every block of stages 1-3 is instance
            normalisation; ``"b"``: instance normalisation in the stem and at the end of stages 1
            and 2.
        last_stage: The stage whose map is returned, 2, 3 or 4; later stages do not exist.
        last_stride: Stride of that last stage, 2 as published for ImageNet, or 1, usual in re-ID (a
            map of twice the height and width at the same weights).
        name: Name of the model, the first part of its variables' paths.
        **kwargs: `keras.Model`'s own (``dtype``, ``trainable``).

    Raises:
        ValueError: An argument is none of those listed.

    Example:
        >>> import numpy as np
        >>> from keras_reid.backbones import ResNet
        >>> backbone = ResNet(depth="tiny", last_stride=1)
        >>> tuple(backbone(np.zeros((1, 128, 64, 3), "float32")).shape)
        (1, 8, 4, 256)
        >>> backbone.stride, backbone.num_channels
        (16, 256)

    Reference:
        He et al., "Deep Residual Learning for Image Recognition", CVPR 2016. Pan et al., "Two at
        Once: Enhancing Learning and Generalization Capacities via IBN-Net", ECCV 2018. ``tiny`` is
            our choice.
    """

    def __init__(
        self,
        *,
        depth: str = "resnet50",
        ibn: str | None = None,
        last_stage: int = 4,
        last_stride: int = 2,
        name: str = "backbone",
        **kwargs,
    ):
        if depth not in DEPTHS:
            raise unknown_name("ResNet depth", depth, DEPTHS)
        if ibn not in (None, "a", "b"):
            raise ValueError(f"`ibn` must be None, 'a' or 'b'. Received: {ibn!r}.")
        if last_stage not in (2, 3, 4):
            raise ValueError(f"`last_stage` must be 2, 3 or 4. Received: {last_stage!r}.")
        if last_stride not in (1, 2):
            raise ValueError(f"`last_stride` must be 1 or 2. Received: {last_stride!r}.")
        super().__init__(name=name, **kwargs)
        self.depth, self.ibn = depth, ibn
        self.last_stage, self.last_stride = last_stage, last_stride
        self.stem = ResNetStem(DEPTHS[depth][2][0], ibn, name="stem", dtype=self.dtype_policy)
        strides = (1, *(2,) * (last_stage - 2), last_stride)
        self.stages = [
            ResNetStage(depth, number, step, ibn, name=f"layer{number}", dtype=self.dtype_policy)
            for number, step in enumerate(strides, start=1)
        ]
        self.build((None, None, None, 3))

    @property
    def num_channels(self) -> int:
        """Channels of the returned map."""
        return self.stages[-1].num_channels

    @property
    def stride(self) -> int:
        """Pixels of the image per step in the returned map."""
        return 4 * 2 ** (self.last_stage - 2) * self.last_stride

    def build(self, input_shape):
        """Creates every variable; the image size does not matter."""
        if self.built:
            return
        self.stem.build(input_shape)
        for stage in self.stages:
            stage.build((None, None, None, stage.in_channels))

    def call(self, images, training=None):
        """Computes the feature map of normalised images."""
        x = self.stem(images, training=training)
        for stage in self.stages:
            x = stage(x, training=training)
        return x

    def torchvision_variables(self) -> dict[str, list]:
        """Every variable by its torchvision name, for `load_torchvision`."""
        variables = torchvision_variables(self.stem)
        for stage in self.stages:
            variables |= torchvision_variables(stage, f"{stage.name}.")
        return variables

    def compute_output_shape(self, input_shape):
        """The map's shape; unknown sizes stay unknown."""
        batch, height, width, _ = input_shape
        rows, columns = (None if n is None else -(-n // self.stride) for n in (height, width))
        return (batch, rows, columns, self.num_channels)

    def get_config(self):
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "depth": self.depth,
            "ibn": self.ibn,
            "last_stage": self.last_stage,
            "last_stride": self.last_stride,
        }
