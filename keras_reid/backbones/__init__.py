"""Images to feature maps."""

from keras_reid.backbones.pretrained import pretrained
from keras_reid.backbones.resnet import ResNet
from keras_reid.backbones.weights import load_torchvision, torchvision_variables

__all__ = ["ResNet", "load_torchvision", "pretrained", "torchvision_variables"]
