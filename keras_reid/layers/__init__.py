"""Pooling, necks, normalisation, classifiers and matchers."""

from keras_reid.layers.cosine_classifier import CosineClassifier
from keras_reid.layers.identity_head import IdentityCentres, IdentityClassifier
from keras_reid.layers.neck import BNNeck
from keras_reid.layers.normalization import ImageNormalization
from keras_reid.layers.pooling import GeMPooling

__all__ = ["BNNeck", "CosineClassifier", "GeMPooling", "IdentityCentres", "IdentityClassifier", "ImageNormalization"]
