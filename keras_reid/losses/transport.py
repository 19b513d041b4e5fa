"""Cross-modality earth mover's distance: which visible image of a person is compared with which thermal one.

There is no loss class here, nor for the other losses over a set: a set has no value per anchor, so `reduction` and
`sample_weight` of a `keras.losses.Loss` would mean nothing.
"""

import itertools

import numpy as np
from keras import ops

from keras_reid.checks import check_positive_int, unknown_name

__all__ = ["PLANS", "cross_modality_emd", "transport_plan"]

PLANS = ("exact", "sinkhorn", "uniform")
"""How a plan is found, see `transport_plan`."""

_MOST_ENUMERATED = 8  # 40,320 permutations


def transport_plan(visible, thermal, plan: str = "sinkhorn", regularization: float = 0.05, iterations: int = 50):
    r"""How the mass of each identity's visible images is spread over its thermal ones, ``[N, K, M]``.

    ``T* = argmin sum_ij T_ij C_ij`` over ``T >= 0`` whose rows sum to ``1/K`` and whose columns sum to ``1/M``, where
    ``C_ij = |(v_i - mean v) - (t_j - mean t)|^2``. Without the means the optimum would be the same: they add to every
    ``C_ij`` what depends on i or on j alone. But Sinkhorn's regulariser would be measured by the gap between the
    modalities instead of by what distinguishes the images.

    Args:
        visible: Features ``v``, [N, K, D]: N identities with K images each, of any float type; computed in float32.
        thermal: Features ``t``, [N, M, D].
        plan: ``"exact"``: the cheapest of the K! assignments, for K = M <= 8. ``"sinkhorn"``: the optimum under an
            entropic regulariser, for any K and M. ``"uniform"``: ``1 / (K M)`` everywhere, which matches nothing.
        regularization: Of Sinkhorn: its epsilon as a share of an identity's mean cost. 0 would be the exact optimum,
            which takes the more iterations the smaller it is.
        iterations: Of Sinkhorn.

    Returns:
        float32 [N, K, M], through which no gradient flows.

    Raises:
        ValueError: An unknown plan, shapes that do not fit each other or the plan, or a number out of its range.

    Example:
        >>> import keras
        >>> from keras_reid.losses import transport_plan
        >>> visible, thermal = [[[0.0], [1.0]]], [[[3.0], [2.0]]]
        >>> keras.ops.convert_to_numpy(transport_plan(visible, thermal, "exact"))
        array([[[0. , 0.5],
                [0.5, 0. ]]], dtype=float32)

    Reference:
        Ling et al., "Cross-Modality Earth Mover's Distance for Visible Thermal Person Re-Identification", AAAI 2023,
        for the role of the plan (abstract). The ground cost, one problem per identity and the solvers are our choice;
        Sinkhorn: Cuturi, "Sinkhorn Distances: Lightspeed Computation of Optimal Transport", NeurIPS 2013.
    """
    visible, thermal = _checked(visible, thermal, plan, regularization, iterations)
    visible, thermal = ops.stop_gradient(visible), ops.stop_gradient(thermal)
    centred = [images - ops.mean(images, axis=1, keepdims=True) for images in (visible, thermal)]
    costs = _squared_distances(*centred)  # [N, K, M]
    if plan == "uniform":
        return ops.full_like(costs, 1.0 / (costs.shape[1] * costs.shape[2]))
    # The solvers' own operations (argmin, a loop) have no gradient to offer, and none is wanted.
    return ops.stop_gradient(_assignment(costs) if plan == "exact" else _sinkhorn(costs, regularization, iterations))


def cross_modality_emd(visible, thermal, plan: str = "sinkhorn", regularization: float = 0.05, iterations: int = 50):
    r"""Cost of moving each identity's visible features onto its thermal ones, the mean over the identities.

    ``L = mean_n sum_ij T_ij |v_i - t_j|^2``, with the `transport_plan` of each identity. It equals
    ``|mean v - mean t|^2 + sum_ij T_ij |(v_i - mean v) - (t_j - mean t)|^2``: the gap between the modalities in full,
    and what remains of the variation within the identity after like was matched with like. With ``"uniform"`` the
    second part is the whole variance of both sides.

    The plan counts as a constant in the gradient, ``dL/dv_i = 2 sum_j T_ij (v_i - t_j)``. For the optimal plan that is
    the gradient of the optimum itself (envelope theorem).

    Args:
        visible: Features ``v``, [N, K, D]: N identities with K images each, of any float type; computed in float32.
        thermal: Features ``t``, [N, M, D].
        plan: ``"exact"``, ``"sinkhorn"`` or ``"uniform"``, as in `transport_plan`.
        regularization: As in `transport_plan`.
        iterations: As in `transport_plan`.

    Returns:
        float32 scalar.

    Raises:
        ValueError: As in `transport_plan`.

    Example:
        >>> from keras_reid.losses import cross_modality_emd
        >>> visible, thermal = [[[0.0], [1.0]]], [[[3.0], [2.0]]]
        >>> float(cross_modality_emd(visible, thermal, "exact"))
        4.0
        >>> float(cross_modality_emd(visible, thermal, "uniform"))
        4.5

    Reference:
        Ling et al., "Cross-Modality Earth Mover's Distance for Visible Thermal Person Re-Identification", AAAI 2023.
        That pairs of small intra-identity variation get high weights is the paper's (abstract); the formula is ours.
    """
    weights = transport_plan(visible, thermal, plan, regularization, iterations)
    costs = _squared_distances(ops.cast(visible, "float32"), ops.cast(thermal, "float32"))
    return ops.mean(ops.sum(weights * costs, axis=(1, 2)))


def _checked(visible, thermal, plan, regularization, iterations):
    """Both sides as float32 tensors, once everything fits."""
    if plan not in PLANS:
        raise unknown_name("transport plan", plan, PLANS)
    check_positive_int("iterations", iterations)
    if not regularization > 0.0:
        raise ValueError(f"`regularization` must be positive. Received: {regularization!r}.")
    visible, thermal = (ops.cast(ops.convert_to_tensor(images), "float32") for images in (visible, thermal))
    shapes = tuple(visible.shape), tuple(thermal.shape)
    if any(len(shape) != 3 for shape in shapes) or shapes[0][::2] != shapes[1][::2]:
        raise ValueError(
            "Visible and thermal features must be [N, K, D] and [N, M, D], the images of each of N identities. "
            f"Received: {shapes[0]} and {shapes[1]}."
        )
    if plan == "exact" and (shapes[0][1] != shapes[1][1] or shapes[0][1] > _MOST_ENUMERATED):
        raise ValueError(
            "The exact plan needs as many visible as thermal images of an identity, and at most "
            f"{_MOST_ENUMERATED}. Received: {shapes[0][1]} and {shapes[1][1]}. Use plan='sinkhorn'."
        )
    return visible, thermal


def _squared_distances(visible, thermal):
    """[N, K, D] and [N, M, D] -> [N, K, M], by differences: products lose what near images differ in."""
    return ops.sum(ops.square(visible[:, :, None] - thermal[:, None]), axis=-1)


def _assignment(costs):
    """The exact plan: equal masses on both sides, so that some permutation is optimal (Birkhoff)."""
    count = costs.shape[1]
    permutations = np.array(list(itertools.permutations(range(count))), "int32")  # [K!, K]
    totals = sum(ops.take(costs[:, row], permutations[:, row], axis=1) for row in range(count))  # [N, K!]
    best = ops.take(ops.convert_to_tensor(permutations), ops.argmin(totals, axis=1), axis=0)  # [N, K]
    return ops.one_hot(best, count, dtype="float32") / count


def _sinkhorn(costs, regularization, iterations):
    """The entropic plan, in the logarithmic domain: small epsilons do not underflow. Its columns are exact."""
    count, other_count = costs.shape[1:]
    epsilon = regularization * ops.mean(costs, axis=(1, 2), keepdims=True)
    scaled = costs / ops.maximum(epsilon, 1e-12)  # identical images cost nothing, whatever the plan
    log_row, log_column = -float(np.log(count)), -float(np.log(other_count))

    def iterate(_, potentials):
        _, column = potentials
        row = log_row - ops.logsumexp(column - scaled, axis=2, keepdims=True)  # [N, K, 1]
        column = log_column - ops.logsumexp(row - scaled, axis=1, keepdims=True)  # [N, 1, M]
        return row, column

    start = ops.zeros_like(scaled[:, :, :1]), ops.zeros_like(scaled[:, :1])
    row, column = ops.fori_loop(0, iterations, iterate, start)
    return ops.exp(row + column - scaled)
