import numpy as np
import pytest

from keras_reid.evaluation import dissimilarity, frechet_distance, structural_similarity
from keras_reid.evaluation.generative import _lab

RNG = np.random.default_rng(0)


def test_frechet_distance_of_known_gaussians():
    one = RNG.normal(size=(4000, 3))
    one = (one - one.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(one, rowvar=False))).T  # exactly N(0, 1)
    two = one * [2.0, 3.0, 1.0] + [1.0, 0.0, 2.0]
    found = frechet_distance(one, two, "numbers")
    assert found.value == pytest.approx(5.0 + 1.0 + 4.0, rel=1e-9)
    assert frechet_distance(one, one, "numbers").value == pytest.approx(0.0, abs=1e-9)
    assert "features of numbers; 4000 and 4000" in str(found)


def test_frechet_distance_of_images_and_correlated_features():
    scipy = pytest.importorskip("scipy.linalg")
    images = RNG.random((2, 60, 4, 2, 3))
    project = RNG.normal(size=(24, 5))

    def features(batch):
        assert len(batch) <= 16
        return batch.reshape(len(batch), -1) @ project

    found = frechet_distance(*images, "a projection", features, batch_size=16).value
    one, two = (features(x[:16]) for x in images[:, :16])
    one, two = (x.reshape(60, -1) @ project for x in images)
    s1, s2 = np.cov(one, rowvar=False), np.cov(two, rowvar=False)
    expected = ((one.mean(0) - two.mean(0)) ** 2).sum() + np.trace(s1 + s2 - 2 * scipy.sqrtm(s1 @ s2).real)
    assert found == pytest.approx(expected, rel=1e-6)


def test_structural_similarity_by_plain_loops():
    one, two = RNG.random((2, 9, 8, 3))
    values = []
    lab = [_lab(one), _lab(two)]
    for row in range(3):
        for column in range(2):
            for channel in range(3):
                a, b = (x[row : row + 7, column : column + 7, channel].ravel() for x in lab)
                c = np.cov(a, b)
                top = (2 * a.mean() * b.mean() + 1.0) * (2 * c[0, 1] + 9.0)
                values.append(top / ((a.mean() ** 2 + b.mean() ** 2 + 1.0) * (c[0, 0] + c[1, 1] + 9.0)))
    assert structural_similarity(one, two) == pytest.approx(np.mean(values), rel=1e-9)
    assert structural_similarity(one, one) == pytest.approx(1.0)


def test_colours_in_lab():
    colours = np.array([[[1.0, 1.0, 1.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.5, 0.5, 0.5]]])
    expected = [[100.0, 0.0, 0.0], [0.0, 0.0, 0.0], [53.24, 80.09, 67.20], [53.39, 0.0, 0.0]]
    np.testing.assert_allclose(_lab(colours)[0], expected, atol=0.02)


def test_dissimilarity_pairs_images_of_a_person():
    images = np.concatenate([np.zeros((2, 16, 8, 3)), RNG.random((2, 16, 8, 3)), np.ones((1, 16, 8, 3))])
    found = dissimilarity(images, [0, 0, 1, 1, 2], pairs=3, rounds=2)
    expected = (1.0 + structural_similarity(images[2], images[3])) / 2.0
    assert found.ssim == pytest.approx(expected) and found.pairs == 12
    assert found.dssim == pytest.approx((1.0 - expected) / 2.0) and found.half_range == pytest.approx(0.0)
    assert "DSSIM" in str(found) and "SSIM" in str(found)


def test_what_cannot_be_compared():
    with pytest.raises(ValueError, match=r"features \[N, D\] and \[M, D\].* Received: \(3, 2\) and \(3, 1\)"):
        frechet_distance(np.ones((3, 2)), np.ones((3, 1)), "x")
    with pytest.raises(ValueError, match="of one size and at least 7 pixels"):
        structural_similarity(np.ones((6, 9, 3)), np.ones((6, 9, 3)))
    with pytest.raises(ValueError, match="needs a person with at least two images"):
        dissimilarity(np.ones((2, 8, 8, 3)), [0, 1])
