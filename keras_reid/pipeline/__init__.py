"""How a data set reaches a model: samplers, augmentation, caches and tf.data.

The batch contract is in `keras_reid.pipeline.batch`.
"""

from keras_reid.pipeline.batch import BATCH_DTYPES, check_batch
from keras_reid.pipeline.build import inference, training
from keras_reid.pipeline.cross_modality_sampler import CrossModalityPKSampler
from keras_reid.pipeline.disk_cache import DiskCache
from keras_reid.pipeline.domain_sampler import DomainPKSampler
from keras_reid.pipeline.graph_sampler import GraphSampler
from keras_reid.pipeline.memory_cache import MemoryCache
from keras_reid.pipeline.position import EpochPosition
from keras_reid.pipeline.samplers import SAMPLERS, PKSampler, Sampler, UniformSampler
from keras_reid.pipeline.transforms import (
    TRANSFORMS,
    ChannelAugmentation,
    ColorJitter,
    Flip,
    PadCrop,
    RandomErasing,
    RandomOcclusion,
    Rotation,
)

__all__ = [
    "BATCH_DTYPES",
    "SAMPLERS",
    "TRANSFORMS",
    "ChannelAugmentation",
    "ColorJitter",
    "CrossModalityPKSampler",
    "DiskCache",
    "DomainPKSampler",
    "EpochPosition",
    "Flip",
    "GraphSampler",
    "MemoryCache",
    "PKSampler",
    "PadCrop",
    "RandomErasing",
    "RandomOcclusion",
    "Rotation",
    "Sampler",
    "UniformSampler",
    "check_batch",
    "inference",
    "training",
]
