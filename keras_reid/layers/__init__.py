"""Pooling, necks, normalisation, classifiers and matchers."""

from keras_reid.layers.class_memory import ClassMemory
from keras_reid.layers.cosine_classifier import CosineClassifier
from keras_reid.layers.erasing import RandomErasing
from keras_reid.layers.feature_bank import FeatureBank
from keras_reid.layers.identity_head import IdentityCentres, IdentityClassifier
from keras_reid.layers.instance_normalization import InstanceNormalization, SampleNormalization
from keras_reid.layers.metric_network import MetricNetwork, squared_differences
from keras_reid.layers.neck import BNNeck
from keras_reid.layers.normalization import ImageNormalization
from keras_reid.layers.pooling import GeMPooling
from keras_reid.layers.qaconv import Correspondences, QAConvMatcher
from keras_reid.layers.reflect_convolution import ReflectConvolution, ResidualBlock, average_halved, doubled
from keras_reid.layers.scalar_normalization import ScalarBatchNormalization

__all__ = [
    "BNNeck",
    "ClassMemory",
    "Correspondences",
    "CosineClassifier",
    "FeatureBank",
    "GeMPooling",
    "IdentityCentres",
    "IdentityClassifier",
    "ImageNormalization",
    "InstanceNormalization",
    "MetricNetwork",
    "QAConvMatcher",
    "RandomErasing",
    "ReflectConvolution",
    "ResidualBlock",
    "SampleNormalization",
    "ScalarBatchNormalization",
    "average_halved",
    "doubled",
    "squared_differences",
]
