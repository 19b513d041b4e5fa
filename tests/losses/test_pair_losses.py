"""The losses on pairs, alone and behind the matcher as the QAConv authors computed them."""

from pathlib import Path

import keras
import numpy as np
import pytest

from keras_reid.backbones import assign_tensors
from keras_reid.layers import ClassMemory, QAConvMatcher
from keras_reid.losses import PairFocalLoss, PairTripletLoss, pair_focal_loss, pair_hard_triplet
from tests import oracles
from tests.gradients import gradient

FIXTURE = np.load(Path(__file__).parents[1] / "parity" / "qaconv_losses.npz", allow_pickle=False)
RNG = np.random.default_rng(0)
LABELS = np.array([0, 3, 3, 1], "int32")
LOGITS = RNG.normal(0.0, 3.0, (4, 5)).astype("float32")
TRIPLET_LABELS = np.array([0, 1, 0, 2, 1, 1, 3], "int32")
SCORES = RNG.normal(0.0, 10.0, (7, 7)).astype("float32")


def numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


def matcher_of(prefix, version):
    matcher = QAConvMatcher(version)
    matcher.build((None, 6, 4, 16))
    leaves = {"gamma": "weight", "beta": "bias", "mean": "running_mean", "var": "running_var"}
    names = {f"{n}.{torch}": f"{n}_{ours}" for n in ("bn", "logit_bn") for ours, torch in leaves.items()}
    names |= {"fc.weight": "fc_weight", "fc.bias": "fc_bias"}
    assign_tensors(matcher.torch_variables(""), {name: FIXTURE[f"{prefix}/w_{key}"] for name, key in names.items()})
    return matcher


def gradients_of(matcher, maps, gallery, loss):
    """Of a mean loss: by the probe maps, and by the matcher's weights as {torch name: array}."""
    variables = matcher.trainable_variables
    rest = [numpy(v) for v in matcher.non_trainable_variables]

    def total(probe, *weights):
        columns = probe if gallery is None else keras.ops.convert_to_tensor(gallery)
        logits, _ = matcher.stateless_call(list(weights), rest, probe, columns, training=True)
        return keras.ops.mean(loss(logits))

    of_maps, *of_weights = gradient(total, maps, *[numpy(v) for v in variables])
    of_paths = dict(zip([v.path for v in variables], of_weights, strict=True))
    return of_maps, {name: of_paths[v.path] for name, (v,) in matcher.torch_variables("").items() if v.path in of_paths}


def close(received, expected, tolerance):
    np.testing.assert_allclose(received, expected, atol=tolerance * np.abs(expected).max())


@pytest.mark.parametrize(
    ("prefix", "version", "masked"),
    [
        ("classmem_eccv_mbs16", "qaconv", False),
        ("classmem_v12_mbs16", "qaconv", True),
        ("classmem_head_mbs16", "qaconv_gs", True),
    ],
)
def test_two_steps_with_class_memory_equal_the_authors(prefix, version, masked):
    labels, start = FIXTURE["loss_inputs/target"], FIXTURE["loss_inputs/memory0"].transpose(0, 2, 3, 1)
    matcher, memory = matcher_of(prefix, version), ClassMemory()
    memory.size(start.shape[1:], len(start))
    known = np.flatnonzero(np.abs(start).sum((1, 2, 3)))
    memory.write(known, start[known])
    for step in (1, 2):
        maps = FIXTURE[f"loss_inputs/x{step}"].transpose(0, 2, 3, 1)
        gallery, valid = (numpy(part) for part in memory.read())
        valid = valid if masked else None
        of_maps, of_weights = gradients_of(
            matcher, maps, gallery, lambda logits, valid=valid: pair_focal_loss(labels, logits, valid)
        )
        logits = matcher(maps, gallery, training=True)
        close(numpy(pair_focal_loss(labels, logits, valid)), FIXTURE[f"{prefix}/loss{step}"], 5e-4)
        close(of_maps, FIXTURE[f"{prefix}/grad_x{step}"].transpose(0, 2, 3, 1), 1e-3)
        close(of_weights["fc.weight"], FIXTURE[f"{prefix}/grad_fc_weight{step}"].T, 1e-3)
        of_scale = FIXTURE[f"{prefix}/grad_logit_bn_gamma{step}"]
        close(of_weights["logit_bn.weight"], of_scale, 1e-3)
        # The second normalisation undoes the first one's scale: nothing but rounding is left of its gradient.
        assert np.abs(FIXTURE[f"{prefix}/grad_bn_gamma{step}"]) < 1e-4 * np.abs(of_scale)
        assert np.abs(of_weights["bn.weight"]) < 1e-4 * np.abs(of_scale)
        correct = numpy(logits).argmax(axis=1) == labels
        np.testing.assert_array_equal(correct, FIXTURE[f"{prefix}/acc{step}"])
        for name in ("bn", "logit_bn"):
            layer = getattr(matcher, name)
            close(numpy(layer.moving_mean), FIXTURE[f"{prefix}/after{step}_{name}_mean"], 2e-4)
            close(numpy(layer.moving_variance), FIXTURE[f"{prefix}/after{step}_{name}_var"], 2e-4)
        memory.write(labels, maps)
        np.testing.assert_array_equal(numpy(memory.maps), FIXTURE[f"{prefix}/memory{step}"].transpose(0, 2, 3, 1))
        if masked:
            np.testing.assert_array_equal(numpy(memory.valid), FIXTURE[f"{prefix}/valid{step}"])


def test_triplet_of_a_batch_equals_the_authors():
    prefix, labels = "triplet_m16", FIXTURE["pair_inputs/target"]
    maps = FIXTURE["pair_inputs/x"].transpose(0, 2, 3, 1)
    matcher = matcher_of(prefix, "qaconv_gs")
    of_maps, of_weights = gradients_of(matcher, maps, None, lambda logits: pair_hard_triplet(labels, logits))
    logits = matcher(maps, maps, training=True)
    close(numpy(logits), FIXTURE[f"{prefix}/score"], 2e-4)
    close(numpy(pair_hard_triplet(labels, logits)), FIXTURE[f"{prefix}/loss"], 5e-4)
    close(of_maps, FIXTURE[f"{prefix}/grad_x"].transpose(0, 2, 3, 1), 1e-3)
    close(of_weights["fc.weight"], FIXTURE[f"{prefix}/grad_fc_weight"].T, 1e-3)


@pytest.mark.parametrize("gamma", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("valid", [np.ones(5), np.array([1.0, 0.0, 1.0, 0.0, 1.0])])
def test_focal_equals_the_loop(gamma, valid):
    expected = oracles.pair_focal_loss(LABELS, LOGITS.astype("float64"), valid, gamma)
    np.testing.assert_allclose(numpy(pair_focal_loss(LABELS, LOGITS, valid, gamma)), expected, rtol=1e-5, atol=1e-6)


def test_focal_closed_forms():
    np.testing.assert_allclose(numpy(pair_focal_loss(LABELS, np.zeros((4, 5)))), 5 * 0.25 * np.log(2.0), rtol=1e-6)
    right = np.where(np.eye(5)[LABELS] > 0, 1e4, -1e4)
    np.testing.assert_array_equal(numpy(pair_focal_loss(LABELS, right)), 0.0)
    np.testing.assert_allclose(numpy(pair_focal_loss(LABELS, -right)), 5e4, rtol=1e-6)
    assert np.isfinite(gradient(lambda z: keras.ops.sum(pair_focal_loss(LABELS, z)), -right)[0]).all()
    assert numpy(pair_focal_loss(LABELS, LOGITS, np.zeros(5))).tolist() == [0.0] * 4


def test_focal_gradient_equals_finite_differences():
    received = gradient(lambda z: keras.ops.sum(pair_focal_loss(LABELS, z)), LOGITS)[0]
    logits, step, ones = LOGITS.astype("float64"), 1e-6, np.ones(5)
    for place in np.ndindex(logits.shape):
        ahead, behind = logits.copy(), logits.copy()
        ahead[place] += step
        behind[place] -= step
        values = [oracles.pair_focal_loss(LABELS, z, ones, 2.0).sum() for z in (ahead, behind)]
        assert abs(received[place] - (values[0] - values[1]) / (2 * step)) < 1e-4


@pytest.mark.parametrize("margin", [0.0, 16.0])
def test_triplet_equals_the_loop(margin):
    expected = oracles.pair_hard_triplet(TRIPLET_LABELS, SCORES.astype("float64"), margin)
    assert (expected > 0).any() and expected[3] == expected[6] == 0.0
    np.testing.assert_allclose(numpy(pair_hard_triplet(TRIPLET_LABELS, SCORES, margin)), expected, rtol=1e-5)
    order = RNG.permutation(7)
    received = numpy(pair_hard_triplet(TRIPLET_LABELS[order], SCORES[order][:, order] + 100.0, margin))
    np.testing.assert_allclose(received, expected[order], atol=1e-4)


@pytest.mark.parametrize(
    "labels", [np.arange(5), np.zeros(5, "int32"), np.array([0])], ids=["no positive", "one identity", "one image"]
)
def test_degenerate_batches_have_zero_triplet_loss_and_gradient(labels):
    scores = SCORES[: len(labels), : len(labels)]
    assert numpy(pair_hard_triplet(labels, scores)).tolist() == [0.0] * len(labels)
    received = gradient(lambda s: keras.ops.sum(pair_hard_triplet(labels, s)), scores)[0]
    assert np.array_equal(received, np.zeros_like(received))


def test_a_separated_batch_costs_nothing():
    labels = np.array([0, 0, 1, 1])
    scores = np.where(labels[:, None] == labels[None, :], 8.0, -8.0)
    assert numpy(pair_hard_triplet(labels, scores)).tolist() == [0.0] * 4
    assert float(PairTripletLoss()(labels, -scores)) == 32.0


@pytest.mark.parametrize(
    ("cls", "arguments"),
    [
        (PairFocalLoss, {"gamma": 1.0, "name": "a", "reduction": "sum"}),
        (PairTripletLoss, {"margin": 4.0, "name": "b", "reduction": None}),
    ],
)
def test_config_is_the_signature(cls, arguments):
    again = keras.losses.deserialize(keras.losses.serialize(cls(**arguments)))
    assert type(again) is cls and again.get_config() == arguments


def test_classes_reduce_the_functions():
    np.testing.assert_allclose(
        float(PairFocalLoss()(LABELS, LOGITS)), numpy(pair_focal_loss(LABELS, LOGITS)).mean(), rtol=1e-6
    )
