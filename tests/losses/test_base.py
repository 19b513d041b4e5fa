import keras
import numpy as np
import pytest

from keras_reid.losses import (
    ArcFaceLoss,
    IdentityLoss,
    ReIDLoss,
    TripletLoss,
    batch_hard_triplet,
    centre_loss,
    identity_loss,
)

LABELS = np.array([0, 0, 1, 1], "int32")
FEATURES = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")


def numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


def test_reduction_and_sample_weight_are_those_of_keras():
    values = numpy(batch_hard_triplet(LABELS, FEATURES, 3.0))
    weights = np.array([1.0, 0.0, 2.0, 0.5], "float32")
    expected = {
        "sum_over_batch_size": (values.mean(), (values * weights).sum() / 4),
        "mean": (values.mean(), (values * weights).sum() / 4),
        "sum": (values.sum(), (values * weights).sum()),
        "mean_with_sample_weight": (values.mean(), (values * weights).sum() / weights.sum()),
        None: (values, values * weights),
    }
    for reduction, (plain, weighted) in expected.items():
        loss = TripletLoss(3.0, reduction=reduction)
        np.testing.assert_allclose(numpy(loss(LABELS, FEATURES)), plain, rtol=1e-6)
        np.testing.assert_allclose(numpy(loss(LABELS, FEATURES, sample_weight=weights)), weighted, rtol=1e-6)


class LabelsSeen(ReIDLoss):
    def call(self, y_true, y_pred):
        assert keras.backend.standardize_dtype(y_true.dtype) == "int32"
        assert keras.backend.standardize_dtype(y_pred.dtype) == "float32"
        return keras.ops.cast(y_true, "float32") + 0.0 * y_pred[:, 0]


def test_labels_stay_integers_through_fit_in_half_precision():
    """A Keras loss would cast them: 1041 is 1040 in bfloat16."""
    assert int(LabelsSeen(reduction="sum")(np.array([1041]), np.zeros((1, 2), "float16"))) == 1041
    model = keras.Sequential([keras.layers.Dense(2, dtype="mixed_bfloat16")])
    model.compile("sgd", LabelsSeen())
    history = model.fit(np.zeros((2, 3), "float32"), np.array([1041, 1041]), verbose=0)
    assert history.history["loss"] == [1041.0]


@pytest.mark.parametrize("loss", [IdentityLoss(), TripletLoss(margin=None), ArcFaceLoss()])
def test_half_precision_predictions_are_computed_in_float32(loss):
    half = FEATURES.astype("float16")
    np.testing.assert_array_equal(numpy(loss(LABELS, half)), numpy(loss(LABELS, half.astype("float32"))))


@pytest.mark.parametrize(
    ("cls", "arguments"),
    [
        (IdentityLoss, {"label_smoothing": 0.2, "name": "a", "reduction": "sum"}),
        (TripletLoss, {"margin": None, "squared": True, "name": "b", "reduction": None}),
        (ArcFaceLoss, {"margin": 0.3, "scale": 16.0, "name": "c", "reduction": "mean"}),
    ],
)
def test_config_is_the_signature_and_serializes(cls, arguments):
    loss = cls(**arguments)
    assert loss.get_config() == arguments
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert type(again) is cls and again.get_config() == arguments


@pytest.mark.parametrize("function", [batch_hard_triplet, identity_loss, lambda *a: centre_loss(*a, np.zeros((2, 3)))])
@pytest.mark.parametrize("labels", [np.array([0.0, 1.0]), np.array([[0], [1]])])
def test_labels_that_are_no_labels(function, labels):
    with pytest.raises(ValueError, match=r"Labels must be integers of shape \(B,\).*Labels come first"):
        function(labels, np.zeros((2, 3)))


def test_swapped_arguments_are_noticed():
    with pytest.raises(ValueError, match="Labels come first, features second"):
        TripletLoss()(FEATURES, LABELS)
