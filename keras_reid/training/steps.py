"""What Keras' `train_step` and `test_step` do around a method's own training step, on each backend."""

import keras
from keras import ops

from keras_reid.training import backend
from keras_reid.training.optimizer_group import OptimizerGroup

__all__ = ["evaluate_batch", "train_batch", "update"]


def update(model, optimizers, loss_fn) -> dict:
    """Takes one gradient of ``loss_fn`` over the variables of all ``optimizers`` and one step of each.

    Args:
        model: The model at work.
        optimizers: Built optimisers, each with variables of its own.
        loss_fn: Function without arguments that returns ``(total, {name: scalar})``.

    Returns:
        The named scalars.
    """
    owned = [list(optimizer._trainable_variables) for optimizer in optimizers]
    # A loss scale multiplies before the gradient; where optimisers share one gradient, each expects its own.
    scales = [optimizer.scale_loss(ops.ones((), "float32")) for optimizer in optimizers]
    chosen = [variable for variables in owned for variable in variables]
    terms, gradients = backend.current().value_and_gradients(model, chosen, loss_fn, scales[0])
    clips = isinstance(model.optimizer, OptimizerGroup) and bool(model.optimizer.clip_norms)
    if clips:  # the norm is that of the sum over the replicas
        gradients = backend.current().sum_over_replicas(gradients)
    if len(optimizers) > 1 or backend.current().replicas() > 1:
        gradients = _all_or_none_finite(optimizers, gradients)
    parts = []
    for variables in owned:
        parts.append(list(gradients[: len(variables)]))
        gradients = gradients[len(variables) :]
    if clips:
        parts = model.optimizer.clip(optimizers, parts, scales[0])
        share = 1.0 / backend.current().replicas()  # the optimiser adds the replicas' gradients up again
        parts = [[g if g is None or share == 1.0 else g * ops.cast(share, g.dtype) for g in part] for part in parts]
    for optimizer, variables, part, scale in zip(optimizers, owned, parts, scales, strict=True):
        if scale is not scales[0]:
            part = [g if g is None else g * ops.cast(scale / scales[0], g.dtype) for g in part]
        backend.current().apply(optimizer, part, variables)
    return terms


def _all_or_none_finite(optimizers, gradients):
    """Where one loss scale or one replica overflows, all do: skipping and halving together, they stay in step.

    The loss is multiplied by the first one's scale alone, so an optimiser that halved its own by itself would skip the
    next step too, and every one after it.
    """
    if not any(isinstance(optimizer, keras.optimizers.LossScaleOptimizer) for optimizer in optimizers):
        return gradients
    finite = ops.all(ops.stack([ops.all(ops.isfinite(g)) for g in gradients if g is not None]))
    (overflows,) = backend.current().sum_over_replicas([1.0 - ops.cast(finite, "float32")])
    finite = ops.equal(overflows, 0.0)
    return [g if g is None else ops.where(finite, g, ops.full_like(g, float("nan"))) for g in gradients]


def train_batch(model, step, *arguments):
    """Runs ``step(batch) -> {name: scalar}`` and tracks its scalars; the body of a ``train_step``.

    Args:
        model: The model, with `loss_trackers`.
        step: The method's training step.
        *arguments: What Keras hands a ``train_step``: ``data``, or on JAX ``(state, data)``.

    Returns:
        What Keras expects: the running means, and on JAX also the new state.
    """
    if keras.backend.backend() != "jax":
        batch = _batch(arguments[0])
        return _track(model, step(batch), batch)
    return _stateless(model, lambda batch: _track(model, step(batch), batch), *arguments)


def evaluate_batch(model, step, *arguments):
    """Runs ``step`` and tracks its scalars, and drops whatever else it writes; the body of a ``test_step``.

    Args:
        model: The model, with `loss_trackers`.
        step: The method's training step, not training.
        *arguments: What Keras hands a ``test_step``.

    Returns:
        What Keras expects: the running means, and on JAX also the state.
    """
    if keras.backend.backend() != "jax":
        batch = _batch(arguments[0])
        with keras.StatelessScope():
            terms = step(batch)
        return _track(model, terms, batch)
    (trainable, non_trainable, metrics), data = arguments
    state = (trainable, non_trainable, [variable.value for variable in model.optimizer.variables], metrics)
    logs, (_, _, _, metrics) = train_batch(model, step, state, data)
    return logs, (trainable, non_trainable, metrics)


def _stateless(model, step, state, data):
    """JAX: runs ``step`` with every variable's value taken from, and returned as, explicit state."""
    groups = (
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables,
        model.metrics_variables,
    )
    mapping = [pair for group, values in zip(groups, state, strict=True) for pair in zip(group, values, strict=True)]
    with keras.StatelessScope(state_mapping=mapping) as scope:
        logs = step(_batch(data))
    return logs, tuple([scope.get_current_value(variable) for variable in group] for group in groups)


def _track(model, terms, batch):
    if set(terms) != set(model.loss_names):
        raise ValueError(
            f"{type(model).__name__}.training_step must return the scalars {sorted(model.loss_names)} named in "
            f"`loss_names`. Received: {sorted(terms)}."
        )
    count = ops.shape(batch["person_id"])[0]
    for tracker in model.loss_trackers:
        tracker.update_state(ops.cast(terms[tracker.name], "float32"), sample_weight=count)
    return {tracker.name: backend.current().reported(tracker.result()) for tracker in model.loss_trackers}


def _batch(data):
    """The dict of tensors in what Keras hands a step; `train_on_batch` wraps it and leaves numpy arrays in it."""
    batch, _, _ = keras.utils.unpack_x_y_sample_weight(data)
    return keras.tree.map_structure(ops.convert_to_tensor, batch)
