import numpy as np
import pytest

from keras_reid.losses import variance_ratio
from tests.gradients import gradient

RNG = np.random.default_rng(0)
LABELS = np.array([0, 0, 7, 7, 7, 3], "int32")
FEATURES = RNG.normal(size=(6, 4)).astype("float32")


def oracle(labels, features):
    units = [feature / np.sqrt((feature**2).sum()) for feature in features.astype("float64")]
    persons = sorted(set(labels.tolist()))
    centres = {
        person: np.mean([unit for unit, label in zip(units, labels, strict=True) if label == person], axis=0)
        for person in persons
    }
    middle = np.mean([centres[person] for person in persons], axis=0)
    within = np.mean([((unit - centres[label]) ** 2).sum() for unit, label in zip(units, labels.tolist(), strict=True)])
    between = np.mean([((centres[person] - middle) ** 2).sum() for person in persons])
    return within / (between + 1e-6)


def test_equals_the_loops():
    assert float(variance_ratio(LABELS, FEATURES)) == pytest.approx(oracle(LABELS, FEATURES), rel=1e-5)


def test_length_does_not_matter():
    assert float(variance_ratio(LABELS, 7.0 * FEATURES)) == pytest.approx(float(variance_ratio(LABELS, FEATURES)), 1e-5)


def test_falls_as_identities_part():
    directions, noise = np.eye(4, dtype="float32"), RNG.normal(size=(12, 4)).astype("float32")
    labels = np.repeat(np.arange(4), 3)
    values = [float(variance_ratio(labels, scale * directions[labels] + noise)) for scale in (1.0, 3.0, 10.0)]
    assert values[0] > values[1] > values[2] > 0.0


def test_a_gap_between_the_modalities_is_variance_within():
    labels, modality = np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1])
    features = np.eye(3, dtype="float32")[labels]
    assert float(variance_ratio(labels, features)) < 1e-6
    assert float(variance_ratio(labels, features + modality[:, None] * np.float32([0, 0, 1]))) > 0.1


def test_one_identity_and_one_point_have_finite_gradients():
    assert float(variance_ratio(np.zeros(3, "int32"), np.ones((3, 2), "float32"))) == pytest.approx(0.0, abs=1e-6)
    for labels in (np.zeros(6, "int32"), LABELS):
        for features in (FEATURES, np.ones_like(FEATURES)):
            (received,) = gradient(lambda f, labels=labels: variance_ratio(labels, f), features)
            assert np.isfinite(received).all()


def test_labels_come_first():
    with pytest.raises(ValueError, match="Labels come first, features second"):
        variance_ratio(FEATURES, LABELS)
