"""DG-Net: a network that recognises people learns from images that it draws itself."""

from keras_reid.methods.dgnet.appearance import AppearanceEncoder, DescriptorHead
from keras_reid.methods.dgnet.checkpoints import checkpoint_kind, dgnet_from_checkpoints
from keras_reid.methods.dgnet.decoder import Decoder, StyleNetwork
from keras_reid.methods.dgnet.discriminator import Discriminator, PatchDiscriminator
from keras_reid.methods.dgnet.model import DGNet
from keras_reid.methods.dgnet.structure import StructureEncoder
from keras_reid.methods.dgnet.teacher import TeacherNetwork
from keras_reid.methods.dgnet.variants import VARIANTS, Variant

__all__ = [
    "VARIANTS",
    "AppearanceEncoder",
    "DGNet",
    "Decoder",
    "DescriptorHead",
    "Discriminator",
    "PatchDiscriminator",
    "StructureEncoder",
    "StyleNetwork",
    "TeacherNetwork",
    "Variant",
    "checkpoint_kind",
    "dgnet_from_checkpoints",
]
