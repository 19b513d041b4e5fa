"""The losses on pair features: balanced_pair_loss and pair_identity_centre_loss."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_reid.losses import balanced_pair_loss, pair_identity_centre_loss
from tests.gradients import gradient

RNG = np.random.default_rng(0)
LABELS = np.array([4, 7, 4, 9, 7, 4, 2, 9, 7], "int32")  # three, three, two, and one image
FEATURES = RNG.normal(size=(9, 6)).astype("float32")


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def loops(labels, features):
    """The definition, pair by pair, in float64."""
    groups = {}
    for p in range(len(labels)):
        for q in range(p + 1, len(labels)):
            key = tuple(sorted((labels[p], labels[q])))
            groups.setdefault(key, []).append((features[p] - features[q]).astype("float64") ** 2)
    spreads = []
    for pairs in groups.values():
        pairs = np.stack(pairs)
        spreads.append(np.mean(np.sum((pairs - pairs.mean(axis=0)) ** 2, axis=1)))
    return np.mean(spreads) / features.shape[1]


def direct(labels, features, hold_centres):
    """The definition on tensors, every pair feature made, centres in the gradient or not."""
    total, number = 0.0, 0
    for a in np.unique(labels):
        for b in np.unique(labels[labels >= a]):
            first, second = np.nonzero((labels[:, None] == a) & (labels[None, :] == b))
            keep = (first < second) | (a != b)
            if keep.any():
                pairs = ops.square(ops.take(features, first[keep], axis=0) - ops.take(features, second[keep], axis=0))
                centre = ops.mean(pairs, axis=0)
                centre = ops.stop_gradient(centre) if hold_centres else centre
                total, number = total + ops.mean(ops.sum(ops.square(pairs - centre), axis=1)), number + 1
    return total / number / features.shape[1]


def test_the_moments_equal_the_pairs():
    np.testing.assert_allclose(numpy(pair_identity_centre_loss(LABELS, FEATURES)), loops(LABELS, FEATURES), rtol=1e-5)
    far = FEATURES + 100.0  # differences stay, and with them the precision
    np.testing.assert_allclose(numpy(pair_identity_centre_loss(LABELS, far)), loops(LABELS, far), rtol=1e-3)
    wide, labels = RNG.normal(size=(64, 128)).astype("float32"), np.repeat(np.arange(16, dtype="int32"), 4)
    np.testing.assert_allclose(numpy(pair_identity_centre_loss(labels, wide)), loops(labels, wide), rtol=1e-5)
    tight = np.repeat(wide[:16], 4, axis=0) + 1e-2 * wide  # small spreads between distant identities
    np.testing.assert_allclose(numpy(pair_identity_centre_loss(labels, tight)), loops(labels, tight), rtol=1e-3)


def test_identical_images_cost_nothing():
    centres = RNG.normal(size=(3, 5)).astype("float32")
    labels = np.array([0, 1, 2, 0, 1, 2], "int32")
    assert abs(float(pair_identity_centre_loss(labels, centres[labels]))) < 1e-5
    spread = centres[labels] + RNG.normal(size=(6, 5)).astype("float32")
    assert float(pair_identity_centre_loss(labels, spread)) > 0.1


def test_holding_the_centres_changes_no_gradient():
    moments, held, free = (
        gradient(function, FEATURES)[0]
        for function in (
            lambda x: pair_identity_centre_loss(LABELS, x),
            lambda x: direct(LABELS, x, True),
            lambda x: direct(LABELS, x, False),
        )
    )
    assert np.abs(free).max() > 0.1
    np.testing.assert_allclose(held, free, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(moments, free, rtol=1e-4, atol=1e-5)


def test_every_pair_identity_counts_once():
    # Twice the images of one identity: the same moments, so the same spread of its pairs with the others.
    labels, features = np.array([0, 0, 1, 1], "int32"), FEATURES[:4]
    assert float(pair_identity_centre_loss(labels, features)) == pytest.approx(loops(labels, features), rel=1e-5)
    order = RNG.permutation(9)
    shuffled = pair_identity_centre_loss(LABELS[order], FEATURES[order])
    np.testing.assert_allclose(numpy(shuffled), numpy(pair_identity_centre_loss(LABELS, FEATURES)), rtol=1e-5)


def test_degenerate_batches():
    assert float(pair_identity_centre_loss(np.array([3]), FEATURES[:1])) == 0.0
    alone = np.arange(9, dtype="int32")  # each pair-identity has a single pair
    assert abs(float(pair_identity_centre_loss(alone, FEATURES))) < 1e-5
    one = np.zeros(9, "int32")
    np.testing.assert_allclose(numpy(pair_identity_centre_loss(one, FEATURES)), loops(one, FEATURES), rtol=1e-5)
    for labels in (alone, one):
        assert np.isfinite(gradient(lambda x, y=labels: pair_identity_centre_loss(y, x), FEATURES)[0]).all()
    with pytest.raises(ValueError, match="Labels must be integers"):
        pair_identity_centre_loss(FEATURES[:, 0], FEATURES)


def test_half_precision_is_computed_in_float32():
    half = ops.cast(FEATURES, "bfloat16")
    found = pair_identity_centre_loss(LABELS, half)
    assert keras.backend.standardize_dtype(found.dtype) == "float32"
    assert float(found) == pytest.approx(loops(LABELS, FEATURES), rel=0.05)


POSITIVE = np.array([True, False, False, True, False])
LOGITS = np.array([2.0, -1.0, 0.5, -3.0, 4.0], "float32")


def softplus(x):
    return np.logaddexp(0.0, x)


def test_the_balanced_loss_equals_its_definition():
    expected = 0.5 * softplus(-LOGITS[POSITIVE]).mean() + 0.5 * softplus(LOGITS[~POSITIVE]).mean()
    assert float(balanced_pair_loss(POSITIVE, LOGITS)) == pytest.approx(expected, rel=1e-6)


def test_more_of_the_same_negatives_change_nothing():
    positive = np.concatenate([POSITIVE, *[POSITIVE[~POSITIVE]] * 19])
    logits = np.concatenate([LOGITS, *[LOGITS[~POSITIVE]] * 19])
    assert float(balanced_pair_loss(positive, logits)) == pytest.approx(float(balanced_pair_loss(POSITIVE, LOGITS)))


def test_pairs_that_do_not_count():
    counted = np.array([True, True, False, True, False])
    expected = float(balanced_pair_loss(POSITIVE[counted], LOGITS[counted]))
    assert float(balanced_pair_loss(POSITIVE, LOGITS, counted)) == pytest.approx(expected, rel=1e-6)
    assert gradient(lambda z: balanced_pair_loss(POSITIVE, z, counted), LOGITS)[0][~counted].tolist() == [0.0, 0.0]


def test_a_kind_that_is_missing_adds_nothing():
    assert float(balanced_pair_loss(POSITIVE[POSITIVE], LOGITS[POSITIVE])) == pytest.approx(
        0.5 * softplus(-LOGITS[POSITIVE]).mean(), rel=1e-6
    )
    none = np.zeros(5, bool)
    assert float(balanced_pair_loss(POSITIVE, LOGITS, none)) == 0.0
    assert np.isfinite(gradient(lambda z: balanced_pair_loss(POSITIVE, z, none), LOGITS)[0]).all()


def test_extreme_logits_stay_finite():
    logits = np.array([-1e4, 1e4, 1e4, 1e4, -1e4], "float32")
    assert float(balanced_pair_loss(POSITIVE, logits)) == pytest.approx(0.5 * 5e3 + 0.5 * 2e4 / 3, rel=1e-5)
