import keras
import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from keras_reid.losses import cross_modality_emd, transport_plan
from tests.gradients import gradient

RNG = np.random.default_rng(0)


def sides(identities=3, visible=4, thermal=4, width=5):
    return (RNG.normal(size=(identities, count, width)).astype("float32") for count in (visible, thermal))


def plan_of(visible, thermal, *arguments, **options):
    return keras.ops.convert_to_numpy(transport_plan(visible, thermal, *arguments, **options))


def emd(visible, thermal, *arguments, **options):
    return float(cross_modality_emd(visible, thermal, *arguments, **options))


def costs_of(visible, thermal):
    return ((visible[:, :, None] - thermal[:, None]) ** 2).sum(axis=-1)


def assigned(visible, thermal):
    """The optimal plan of each identity by scipy."""
    plans = np.zeros((len(visible), visible.shape[1], visible.shape[1]))
    for plan, costs in zip(plans, costs_of(visible.astype("float64"), thermal.astype("float64")), strict=True):
        plan[linear_sum_assignment(costs)] = 1.0 / len(costs)
    return plans


@pytest.mark.parametrize("count", [1, 2, 4, 6, 8])
def test_the_exact_plan_is_scipy_s(count):
    visible, thermal = sides(5, count, count)
    np.testing.assert_allclose(plan_of(visible, thermal, "exact"), assigned(visible, thermal))


@pytest.mark.parametrize("plan", ["exact", "sinkhorn", "uniform"])
def test_marginals(plan):
    visible, thermal = sides()
    received = plan_of(visible, thermal, plan)
    assert received.min() >= 0.0
    np.testing.assert_allclose(received.sum(axis=1), 0.25, atol=1e-6)
    np.testing.assert_allclose(received.sum(axis=2), 0.25, atol=1e-2)
    long = plan_of(visible, thermal, plan, iterations=1000)
    np.testing.assert_allclose(long.sum(axis=2), 0.25, atol=5e-4)


@pytest.mark.parametrize("plan", ["sinkhorn", "uniform"])
def test_other_numbers_of_images_on_either_side(plan):
    received = plan_of(*sides(2, 3, 5), plan)
    assert received.shape == (2, 3, 5)
    np.testing.assert_allclose(received.sum(axis=1), 1 / 5, atol=1e-6)
    np.testing.assert_allclose(received.sum(axis=2), 1 / 3, atol=1e-2)


def test_sinkhorn_becomes_exact_without_its_regulariser():
    visible, thermal = sides()
    exact = assigned(visible, thermal)
    errors = [
        np.abs(plan_of(visible, thermal, regularization=epsilon, iterations=2000) - exact).max()
        for epsilon in (0.5, 0.05, 0.005)
    ]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 1e-3


def test_the_gap_between_the_modalities_does_not_change_the_plan():
    visible, thermal = sides()
    offset = 3.0 * RNG.normal(size=5).astype("float32")
    for plan in ("exact", "sinkhorn"):
        np.testing.assert_allclose(plan_of(visible, thermal + offset, plan), plan_of(visible, thermal, plan), atol=1e-4)


def test_the_value_is_the_gap_and_the_matched_rest():
    visible, thermal = sides()
    plan = plan_of(visible, thermal, "exact")
    centred = [side - side.mean(axis=1, keepdims=True) for side in (visible, thermal)]
    gap = ((visible.mean(axis=1) - thermal.mean(axis=1)) ** 2).sum(axis=-1)
    rest = (plan * costs_of(*centred)).sum(axis=(1, 2))
    assert emd(visible, thermal, "exact") == pytest.approx((gap + rest).mean(), rel=1e-5)
    both = sum((side**2).sum(axis=-1).mean(axis=1) for side in centred)
    assert emd(visible, thermal, "uniform") == pytest.approx((gap + both).mean(), rel=1e-5)


def test_matching_costs_less_than_comparing_all_with_all():
    for _ in range(20):
        visible, thermal = sides()
        exact, sinkhorn, uniform = (emd(visible, thermal, plan) for plan in ("exact", "sinkhorn", "uniform"))
        assert exact <= sinkhorn + 1e-2 < uniform


def test_the_same_images_in_another_order_cost_nothing():
    visible, _ = sides()
    assert emd(visible, visible[:, [2, 0, 3, 1]], "exact") == 0.0
    assert emd(visible, visible[:, [2, 0, 3, 1]], "sinkhorn") < 1e-2


@pytest.mark.parametrize("plan", ["exact", "sinkhorn", "uniform"])
def test_the_plan_is_a_constant_in_the_gradient(plan):
    visible, thermal = sides()
    weights = plan_of(visible, thermal, plan)[..., None]
    differences = visible[:, :, None] - thermal[:, None]
    of_visible, of_thermal = gradient(lambda v, t: cross_modality_emd(v, t, plan), visible, thermal)
    np.testing.assert_allclose(of_visible, 2 * (weights * differences).sum(axis=2) / 3, atol=1e-5)
    np.testing.assert_allclose(of_thermal, -2 * (weights * differences).sum(axis=1) / 3, atol=1e-5)


@pytest.mark.parametrize("plan", ["exact", "sinkhorn", "uniform"])
def test_collapsed_features_are_no_danger(plan):
    same = np.ones((2, 4, 3), "float32")
    assert emd(same, same, plan) == 0.0
    for received in gradient(lambda v, t: cross_modality_emd(v, t, plan), same, same):
        np.testing.assert_array_equal(received, 0.0)


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="torch.compile takes minutes on a CPU")
@pytest.mark.parametrize("plan", ["exact", "sinkhorn", "uniform"])
def test_compiled_by_xla(plan):
    if keras.backend.backend() == "jax":
        from jax import jit
    else:
        import tensorflow as tf

        def jit(function):
            return tf.function(function, jit_compile=True)

    visible, thermal = sides()
    compiled = jit(lambda v, t: cross_modality_emd(v, t, plan))
    assert float(compiled(visible, thermal)) == pytest.approx(emd(visible, thermal, plan), rel=1e-5)
    plain = gradient(lambda v, t: cross_modality_emd(v, t, plan), visible, thermal)
    for received, expected in zip(gradient(compiled, visible, thermal), plain, strict=True):
        np.testing.assert_allclose(received, expected, atol=1e-5)


def test_half_precision_features_are_compared_in_float32():
    visible, thermal = (side.astype("float16") for side in sides())
    result = cross_modality_emd(visible, thermal)
    assert keras.backend.standardize_dtype(result.dtype) == "float32"
    whole = emd(visible.astype("float32"), thermal.astype("float32"))
    assert float(result) == pytest.approx(whole, rel=1e-6)


def test_bad_arguments():
    visible, thermal = sides()
    with pytest.raises(ValueError, match=r"Unknown transport plan 'exakt'\. Did you mean 'exact'"):
        transport_plan(visible, thermal, "exakt")
    with pytest.raises(
        ValueError, match=r"must be \[N, K, D\] and \[N, M, D\].* Received: \(3, 4, 5\) and \(2, 4, 5\)"
    ):
        transport_plan(visible, thermal[:2])
    with pytest.raises(ValueError, match=r"must be \[N, K, D\] and \[N, M, D\]"):
        cross_modality_emd(visible[0], thermal[0])
    with pytest.raises(ValueError, match=r"at most 8\. Received: 4 and 3\. Use plan='sinkhorn'"):
        transport_plan(visible, thermal[:, :3], "exact")
    with pytest.raises(ValueError, match=r"at most 8\. Received: 9 and 9"):
        transport_plan(*sides(1, 9, 9), "exact")
    with pytest.raises(ValueError, match="`regularization` must be positive. Received: 0"):
        transport_plan(visible, thermal, regularization=0)
    with pytest.raises(ValueError, match="`iterations` must be an integer of at least 1"):
        transport_plan(visible, thermal, iterations=0)
