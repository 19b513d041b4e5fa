"""E_s: what is left of a person without colour."""

import keras
from keras import ops

from keras_reid.layers import ReflectConvolution, ResidualBlock

__all__ = ["StructureEncoder", "check_image_size"]

_DILATIONS = (3, 6, 9)
_SHORTEST = 40  # reflecting 9 numbers needs maps of 10, a quarter of the image


def check_image_size(image_size) -> None:
    """Raises ``ValueError`` if the encoder cannot read images of this (height, width)."""
    if any(int(side) < _SHORTEST or int(side) % 4 for side in image_size):
        raise ValueError(
            f"DG-Net takes images whose sides are multiples of 4 and at least {_SHORTEST} pixels. Received: "
            f"{tuple(image_size)}."
        )


@keras.saving.register_keras_serializable(package="keras_reid")
class StructureEncoder(keras.layers.Layer):
    """Convolutions, residual blocks and a pyramid of dilated convolutions: images to structure codes.

    ``[B, H, W, 3] -> [B, H / 4, W / 4, 8 width]``, both sides at least 40 pixels. The image, normalised, becomes the
    plain mean of its channels first. Every convolution is followed by an instance norm, so that a code says nothing of
    contrast.

    Args:
        width: Channels of the first convolution.
        **kwargs: `keras.layers.Layer`'s own (``name``, ``dtype``).

    Example:
        >>> import numpy as np
        >>> from keras_reid.methods.dgnet import StructureEncoder
        >>> tuple(StructureEncoder(4)(np.ones((1, 64, 40, 3), "float32")).shape)
        (1, 16, 10, 32)

    Reference:
        Zheng et al., "Joint Discriminative and Generative Learning for Person Re-identification", CVPR 2019, table 6.
    """

    def __init__(self, width: int = 16, **kwargs):
        super().__init__(**kwargs)
        self.width = width
        options = {"norm": "instance", "dtype": self.dtype_policy}
        shape = ((width, 2), (2 * width, 1), (2 * width, 1), (4 * width, 2))
        self.convolutions = [
            ReflectConvolution(filters, 3, strides=strides, name=f"conv{number}", **options)
            for number, (filters, strides) in enumerate(shape)
        ]
        self.blocks = [ResidualBlock(4 * width, name=f"block{number}", **options) for number in range(4)]
        # In one list, for Keras saves no lists of lists: the first branch, then two convolutions of each other one.
        self.pyramid = [ReflectConvolution(2 * width, 1, activate=False, name="branch0", **options)]
        for number, dilation in enumerate(_DILATIONS, start=1):
            self.pyramid += [
                ReflectConvolution(2 * width, 1, name=f"branch{number}_0", **options),
                ReflectConvolution(
                    2 * width, 3, dilation=dilation, activate=False, name=f"branch{number}_1", **options
                ),
            ]
        self.fuse = ReflectConvolution(8 * width, 1, activate=False, name="fuse", **options)

    @property
    def branches(self) -> list[list[ReflectConvolution]]:
        """The pyramid's convolutions, branch by branch."""
        return [self.pyramid[:1], *(self.pyramid[start : start + 2] for start in (1, 3, 5))]

    def build(self, input_shape):
        """Creates every variable."""
        del input_shape
        width = self.width
        for convolution, channels in zip(self.convolutions, (1, width, 2 * width, 2 * width), strict=True):
            convolution.build((None, None, None, channels))
        for block in self.blocks:
            block.build((None, None, None, 4 * width))
        for first, *second in self.branches:
            first.build((None, None, None, 4 * width))
            for convolution in second:
                convolution.build((None, None, None, 2 * width))
        self.fuse.build((None, None, None, 8 * width))

    def call(self, images):
        """Normalised images [B, H, W, 3] -> structure codes [B, H / 4, W / 4, 8 width], float32."""
        x = ops.mean(images, axis=-1, keepdims=True)
        for layer in (*self.convolutions, *self.blocks):
            x = layer(x)
        ends = []
        for branch in self.branches:
            end = x
            for convolution in branch:
                end = convolution(end)
            ends.append(end)
        return ops.cast(self.fuse(ops.concatenate(ends, axis=-1)), "float32")

    def torch_variables(self) -> dict[str, list]:
        """Every variable by the name that the authors' checkpoints give it."""
        blocks = {f"model.{number}": layer for number, layer in enumerate(self.convolutions)}
        for number, block in enumerate(self.blocks):
            blocks |= {f"model.4.model.{number}.model.{half}": conv for half, conv in enumerate(block.convolutions)}
        blocks["model.5.conv1"] = self.branches[0][0]
        for name, branch in zip(("conv6", "conv12", "conv18"), self.branches[1:], strict=True):
            blocks |= {f"model.5.{name}.{number}": layer for number, layer in enumerate(branch)}
        blocks["model.5.fuse"] = self.fuse
        return convolution_variables(blocks)

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "width": self.width}


def convolution_variables(blocks: dict[str, ReflectConvolution]) -> dict[str, list]:
    """The variables of the blocks by the names of their tensors in torch."""
    variables = {}
    for name, block in blocks.items():
        variables[f"{name}.conv.weight"] = [block.conv.kernel]
        variables[f"{name}.conv.bias"] = [block.conv.bias]
        if block.norm is not None and block.norm.weights:
            variables[f"{name}.norm.gamma"] = [block.norm.gamma]
            variables[f"{name}.norm.beta"] = [block.norm.beta]
    return variables
