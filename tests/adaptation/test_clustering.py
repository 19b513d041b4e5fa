import numpy as np
import pytest
from scipy.sparse import csr_array

from keras_reid.adaptation import Clustering, PseudoLabels, neighbourhood_radius
from keras_reid.adaptation.pseudo_labels import unit_rows


def people(count=12, images=8, noise=0.25, width=32, seed=0):
    """Unit vectors around the people's own directions, shuffled, and who they are."""
    rng = np.random.default_rng(seed)
    ids = rng.permutation(np.repeat(np.arange(count), images))
    centres = rng.normal(size=(count, width))
    return unit_rows(centres[ids] + noise * rng.normal(size=(len(ids), width))), ids


def dense_distances(features, k1, k2):
    """Jaccard distances as the papers write them: whole matrices, plain loops."""
    squared = 2.0 - 2.0 * features @ features.T
    distance = (squared / squared.max(axis=0)).T
    rank = np.argsort(distance, axis=1, kind="stable")
    count = len(features)

    def reciprocal(item, k):
        forward = rank[item, : k + 1]
        return [j for j in forward if item in rank[j, : k + 1]]

    vectors = np.zeros((count, count))
    for item in range(count):
        own = reciprocal(item, k1)
        members = set(own)
        for candidate in own:
            theirs = reciprocal(candidate, round(k1 / 2))
            if len(set(theirs) & set(own)) > 2 / 3 * len(theirs):
                members |= set(theirs)
        members = sorted(members)
        weights = np.exp(-distance[item, members])
        vectors[item, members] = weights / weights.sum()
    vectors = np.stack([vectors[rank[item, :k2]].mean(axis=0) for item in range(count)])
    shared = np.minimum(vectors[:, None], vectors[None]).sum(axis=2)
    return np.maximum(1.0 - shared / (2.0 - shared), 0.0)


def dense_radius(distances, share):
    upper = distances[np.triu_indices(len(distances), 1)]
    upper = np.sort(upper[upper > 1e-6])
    return upper[: max(1, round(share * len(upper)))].mean()


@pytest.mark.parametrize("noise", [0.15, 0.3, 0.5])
def test_clusters_equal_those_of_the_dense_distances(noise):
    from sklearn.cluster import DBSCAN

    features, _ = people(noise=noise)
    distances = dense_distances(features.astype("float64"), k1=10, k2=4)
    eps = dense_radius(distances, share=0.05)
    expected = DBSCAN(eps=eps, min_samples=4, metric="precomputed").fit_predict(distances)
    found = Clustering(k1=10, k2=4, closest_share=0.05).labels_of(features)
    assert found.eps == pytest.approx(eps, rel=1e-5)
    assert found.clusters == expected.max() + 1
    assert found.clusters > 3
    np.testing.assert_array_equal(found.labels >= 0, expected >= 0)
    pairs = set(zip(found.labels.tolist(), expected.tolist(), strict=True))
    assert len(pairs) == len(np.unique(expected))  # one name for one name


def test_people_that_are_apart_are_found():
    features, ids = people(noise=0.1)
    found = Clustering(k1=7, k2=3, eps=0.6).labels_of(features)
    assert found.clusters == 12
    assert found.labelled == len(ids)
    assert len(set(zip(found.labels.tolist(), ids.tolist(), strict=True))) == 12
    firsts = [np.flatnonzero(found.labels == cluster)[0] for cluster in range(12)]
    assert firsts == sorted(firsts)


def similarity(distances):
    return csr_array(np.where(np.asarray(distances) < 1.0, 1.0 - np.asarray(distances), 0.0))


def test_the_radius_by_hand():
    distances = np.ones((5, 5))
    np.fill_diagonal(distances, 0.0)
    for one, two, value in ((0, 1, 0.2), (1, 2, 0.4), (2, 3, 0.6), (0, 4, 0.0)):
        distances[one, two] = distances[two, one] = value
    # Ten pairs, one of them at distance 0, so nine count.
    assert neighbourhood_radius(similarity(distances), 1 / 9) == pytest.approx(0.2)
    assert neighbourhood_radius(similarity(distances), 2 / 9) == pytest.approx(0.3)
    assert neighbourhood_radius(similarity(distances), 5 / 9) == pytest.approx((0.2 + 0.4 + 0.6 + 1 + 1) / 5)
    assert neighbourhood_radius(similarity(distances), 1e-9) == pytest.approx(0.2)


def test_a_radius_that_was_measured_before_is_used():
    features, _ = people()
    assert Clustering(k1=10, k2=4).labels_of(features, eps=0.55).eps == 0.55
    assert Clustering(k1=10, k2=4, eps=0.5).labels_of(features).eps == 0.5


def test_small_clusters_are_dropped(monkeypatch):
    from keras_reid.adaptation import clustering

    monkeypatch.setattr(clustering, "_dbscan", lambda *_: np.array([2, 2, 0, 0, 0, 2, 1, 1, -1]))
    found = Clustering(k1=3, k2=1, eps=0.5).labels_of(np.eye(9))
    assert found.labels.tolist() == [0, 0, 1, 1, 1, 0, -1, -1, -1]
    assert (found.clusters, found.labelled) == (2, 6)


def test_all_noise_says_what_to_change():
    features, _ = people(noise=0.6)
    with pytest.raises(ValueError, match=r"No cluster was found among 96 images: within eps=0.0100 .* Raise `eps`"):
        Clustering(k1=10, k2=2, eps=0.01).labels_of(features)


def test_one_cluster_says_what_to_change():
    features = unit_rows(np.ones(16) + 0.3 * np.random.default_rng(0).normal(size=(24, 16)))
    with pytest.raises(ValueError, match=r"One cluster alone was found, with 24 of 24 images.* Lower `eps`"):
        Clustering(k1=12, k2=6, eps=0.95).labels_of(features)
    features, _ = people()
    with pytest.raises(ValueError, match=r"One cluster alone was found, with 8 of 96 images.* Raise `eps`"):
        Clustering(k1=10, k2=4, eps=0.01).labels_of(features)


def test_features_that_are_all_alike():
    with pytest.raises(ValueError, match="the features are all alike"):
        Clustering(k1=20, k2=6).labels_of(np.ones((8, 4)))


def test_images_that_share_no_neighbour():
    with pytest.raises(ValueError, match=r"The 1 closest pairs of images share no neighbour.* Raise `k1`"):
        neighbourhood_radius(csr_array(np.eye(20)))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"eps": 1.0}, "`eps` is a Jaccard distance and must lie between 0 and 1"),
        ({"eps": 0.0}, "`eps` is a Jaccard distance"),
        ({"closest_share": 0.0}, r"`closest_share` must lie in \(0, 1\]"),
        ({"min_samples": 0}, "`min_samples` must be an integer of at least 1"),
        ({"k1": 5}, "`k2` must not exceed `k1`"),
        ({"variant": "zong"}, "Unknown re-ranking variant 'zong'"),
    ],
)
def test_bad_arguments(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        Clustering(**arguments)


def test_no_labels_at_all():
    empty = PseudoLabels(np.full(3, -1, "int32"), 0.5)
    assert (empty.clusters, empty.labelled) == (0, 0)
