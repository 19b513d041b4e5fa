"""Images to feature maps."""

from keras_reid.backbones.resnet import ResNet

__all__ = ["ResNet"]
