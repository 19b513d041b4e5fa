"""Images to feature maps."""

from keras_reid.backbones.pretrained import pretrained
from keras_reid.backbones.resnet import ResNet
from keras_reid.backbones.two_stream import TwoStreamResNet
from keras_reid.backbones.weights import assign_tensors, load_torchvision, read_tensors, torchvision_variables

__all__ = [
    "ResNet",
    "TwoStreamResNet",
    "assign_tensors",
    "load_torchvision",
    "pretrained",
    "read_tensors",
    "torchvision_variables",
]
