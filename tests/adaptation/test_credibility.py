from dataclasses import replace

import numpy as np
import pytest

from keras_reid.adaptation import (
    Clustering,
    CredibleMining,
    neighbour_credibility,
    prototype_credibility,
    pseudo_labels,
    purity,
)
from keras_reid.adaptation.pseudo_labels import unit_rows
from tests.adaptation.test_clustering import people


@pytest.fixture
def toy():
    """Two people of six images; the last of each is far out."""
    rng = np.random.default_rng(0)
    features = np.repeat(np.eye(2, 8), 6, axis=0) + 0.05 * rng.normal(size=(12, 8))
    features[[5, 11], 2] += 0.8
    return unit_rows(features), np.repeat([0, 1], 6)


def test_prototype_credibility_is_the_distance_to_the_mean(toy):
    features, labels = toy
    labels = labels.copy()
    labels[3] = -1
    expected = np.full(12, -np.inf)
    for row in range(12):
        if labels[row] >= 0:
            mean = np.mean([features[i] for i in range(12) if labels[i] == labels[row]], axis=0)
            expected[row] = -np.sqrt(((features[row] - mean) ** 2).sum())
    np.testing.assert_allclose(prototype_credibility(features, labels), expected, rtol=1e-5)


@pytest.mark.parametrize("k", [1, 3, 11])
def test_neighbour_credibility_is_the_distance_to_the_kth(toy, k):
    features, _ = toy
    features = features.astype("float64")
    distances = np.sqrt(((features[:, None] - features[None]) ** 2).sum(axis=2))
    expected = -np.sort(distances, axis=1)[:, k]
    np.testing.assert_allclose(neighbour_credibility(features, k), expected, atol=1e-3)


@pytest.mark.parametrize("kind", ["prototype", "knn"])
def test_outliers_are_the_least_credible(toy, kind):
    features, labels = toy
    anchors = CredibleMining(kind, start=10 / 12, k=3).anchors(features, labels, 0)
    assert anchors.rows.tolist() == [0, 1, 2, 3, 4, 6, 7, 8, 9, 10]
    assert CredibleMining(kind, start=1.0, k=3).anchors(features, labels, 0).threshold < anchors.threshold < 0


@pytest.mark.parametrize("kind", ["prototype", "knn"])
def test_an_image_without_a_label_is_no_anchor(toy, kind):
    features, labels = toy
    labels = np.where(np.arange(12) == 0, -1, labels)
    anchors = CredibleMining(kind, start=1.0, k=3).anchors(features, labels, 0)
    assert anchors.rows.tolist() == list(range(1, 12))


def test_the_numbers_of_anchors_by_round():
    mining = CredibleMining()
    found = [mining.count(number, 16522, 16522) for number in range(8)]
    assert found == [12392, 13218, 14044, 14870, 15696, 16522, 16522, 16522]
    assert mining.count(0, 16522, labelled=9000) == 9000
    assert mining.count(1, 15, 15) == 12  # and not 13, though 0.8 * 15 may be a little more than 12


def test_the_stage_as_a_whole():
    features, ids = people(noise=0.1)
    stage = pseudo_labels(3.0 * features, Clustering(k1=7, k2=3, eps=0.6), CredibleMining("knn", k=5))
    assert stage.labels.clusters == 12
    assert len(stage.anchors.rows) == 72
    assert purity(stage.labels.labels[stage.anchors.rows], ids[stage.anchors.rows]) == 1.0
    alone = neighbour_credibility(features, 5)
    assert alone[stage.anchors.rows].min() == pytest.approx(stage.anchors.threshold, abs=1e-4)


def test_what_a_camera_adds_to_all_its_images_does_not_count():
    features, ids = people(noise=0.1)
    cameras = np.arange(len(ids)) % 2
    cast = np.hstack([features, 2.0 * np.eye(2)[cameras]])
    clustering = Clustering(k1=7, k2=3, eps=0.6)
    apart = pseudo_labels(cast, clustering).labels.labels
    assert all(len(set(cameras[apart == label])) == 1 for label in range(apart.max() + 1))
    centred = replace(clustering, center_cameras=True)
    together = pseudo_labels(cast, centred, cameras=cameras + 5).labels
    assert together.clusters == 12 and purity(together.labels, ids) == 1.0
    with pytest.raises(ValueError, match=r"needs the camera of each of the 96 images\. Received: `cameras` None"):
        pseudo_labels(cast, centred)


def test_an_anchor_that_is_alone_has_no_positive():
    features, _ = people(noise=0.1)
    clustering = Clustering(k1=7, k2=3, eps=0.6)
    for count in (13, 20, 40):
        stage = pseudo_labels(features, clustering, CredibleMining(start=count / 96, step=0.0))
        labels = stage.labels.labels[stage.anchors.rows]
        assert np.bincount(labels)[labels].min() > 1


def test_too_few_anchors_say_what_to_change():
    features, _ = people(noise=0.1)
    with pytest.raises(ValueError, match=r"Of 12 clusters fewer than two .* Raise the mining's `start`"):
        pseudo_labels(features, Clustering(k1=7, k2=3, eps=0.6), CredibleMining(start=0.011))


def test_what_is_no_embedding():
    with pytest.raises(ValueError, match=r"clusters embeddings \[N, D\]\. Received features of shape \(2, 3, 4\)"):
        pseudo_labels(np.zeros((2, 3, 4)))
    with pytest.raises(ValueError, match="The embedding of image 1 is not finite"):
        pseudo_labels(np.array([[1.0], [np.nan]]))


def test_purity():
    assert purity([0, 0, 0, 1, 1], [5, 5, 9, 9, 9]) == 0.8
    assert np.isnan(purity([], []))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"credibility": "protoype"}, "Unknown credibility 'protoype'. Did you mean 'prototype'"),
        ({"start": 0.0}, r"`start` must lie in \(0, 1\]"),
        ({"step": -0.1}, r"`step` in \[0, 1\]"),
        ({"k": 0}, "`k` must be an integer of at least 1"),
    ],
)
def test_bad_arguments(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        CredibleMining(**arguments)


def test_more_neighbours_than_images():
    with pytest.raises(ValueError, match="The 8 nearest images of each need at least 9 images. Received: 8"):
        neighbour_credibility(np.eye(8), k=8)
