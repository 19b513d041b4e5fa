"""The published losses: a pure function (labels first, as in Keras), then a thin class."""

from keras_reid.losses.adversarial import discriminator_loss, generator_loss, gradient_penalty
from keras_reid.losses.arcface import ArcFaceLoss, arcface_logits
from keras_reid.losses.base import ReIDLoss
from keras_reid.losses.centre import centre_loss, updated_centres
from keras_reid.losses.contrastive import contrastive_loss
from keras_reid.losses.distillation import distillation_loss
from keras_reid.losses.identity import IdentityLoss, identity_loss
from keras_reid.losses.pair_balanced import balanced_pair_loss
from keras_reid.losses.pair_focal import PairFocalLoss, pair_focal_loss
from keras_reid.losses.pair_identity_centre import pair_identity_centre_loss
from keras_reid.losses.pair_triplet import PairTripletLoss, pair_hard_triplet
from keras_reid.losses.spreading import instance_spreading
from keras_reid.losses.transport import cross_modality_emd, transport_plan
from keras_reid.losses.triplet import (
    TripletLoss,
    active_fraction,
    batch_hard_triplet,
    check_positives,
    valid_anchors,
)
from keras_reid.losses.variance_ratio import variance_ratio

__all__ = [
    "ArcFaceLoss",
    "IdentityLoss",
    "PairFocalLoss",
    "PairTripletLoss",
    "ReIDLoss",
    "TripletLoss",
    "active_fraction",
    "arcface_logits",
    "balanced_pair_loss",
    "batch_hard_triplet",
    "centre_loss",
    "check_positives",
    "contrastive_loss",
    "cross_modality_emd",
    "discriminator_loss",
    "distillation_loss",
    "generator_loss",
    "gradient_penalty",
    "identity_loss",
    "instance_spreading",
    "pair_focal_loss",
    "pair_hard_triplet",
    "pair_identity_centre_loss",
    "transport_plan",
    "updated_centres",
    "valid_anchors",
    "variance_ratio",
]
