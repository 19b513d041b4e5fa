"""Adaptation to a site without labels: pseudo labels, credible anchors, and training on them, round by round."""

from keras_reid.adaptation.clustering import Clustering, PseudoLabels, neighbourhood_radius
from keras_reid.adaptation.credibility import Anchors, CredibleMining, neighbour_credibility, prototype_credibility
from keras_reid.adaptation.plan import AdaptationPlan
from keras_reid.adaptation.pseudo_labels import Stage, pseudo_labels, purity
from keras_reid.adaptation.records import RoundRecord
from keras_reid.adaptation.rounds import adapt
from keras_reid.adaptation.style import site_pairs, translated

__all__ = [
    "AdaptationPlan",
    "Anchors",
    "Clustering",
    "CredibleMining",
    "PseudoLabels",
    "RoundRecord",
    "Stage",
    "adapt",
    "neighbour_credibility",
    "neighbourhood_radius",
    "prototype_credibility",
    "pseudo_labels",
    "purity",
    "site_pairs",
    "translated",
]
