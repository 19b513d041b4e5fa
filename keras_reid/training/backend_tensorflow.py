"""TensorFlow: gradients by `tf.GradientTape`. The only file of this folder that imports TensorFlow."""

import json
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

import keras
import numpy as np
import tensorflow as tf

from keras_reid.training.devices import Devices, in_batches, too_few

__all__ = [
    "apply",
    "devices",
    "distributed",
    "enable_determinism",
    "gather_over_replicas",
    "is_first_host",
    "over_hosts",
    "own_rows",
    "placed_like",
    "predict",
    "replicas",
    "reported",
    "sum_over_replicas",
    "surviving",
    "value_and_gradients",
    "value_and_input_gradient",
]


# What the collective operations of several hosts end in when one of the hosts does.
_GONE = (
    tf.errors.UnavailableError,
    tf.errors.DeadlineExceededError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.InternalError,
)


def value_and_gradients(model, variables, loss_fn, scale):
    """Evaluates ``loss_fn`` and the gradient of ``scale * total`` with respect to ``variables``.

    The gradients of several replicas are summed when they are applied; each is that of its share of the mean.

    Args:
        model: The ``keras.Model`` at work (not needed here; JAX needs it).
        variables: List of ``keras.Variable`` to differentiate by.
        loss_fn: Function without arguments that returns ``(total, {name: scalar})``.
        scale: Scalar the total is multiplied by before the gradient is taken.

    Returns:
        ``(terms, gradients)``; a gradient is ``None`` where the loss does not reach.
    """
    del model
    values = [variable.value for variable in variables]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(values)
        total, terms = loss_fn()
        scaled = keras.ops.cast(total, "float32") * scale / replicas()
    return terms, tape.gradient(scaled, values)


def value_and_input_gradient(function, inputs):
    """Evaluates a function and the gradient of the sum of its values with respect to its input.

    Args:
        function: Tensor -> tensor.
        inputs: Tensor [B, ...].

    Returns:
        ``(values, gradient)``, the gradient shaped like ``inputs``; both may be differentiated again.
    """
    inputs = keras.ops.stop_gradient(inputs)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(inputs)
        values = function(inputs)
    return values, tape.gradient(values, inputs)


def apply(optimizer, gradients, variables) -> None:
    """Takes one optimiser step."""
    optimizer.apply(gradients, variables)


def enable_determinism() -> None:
    """Makes TensorFlow choose deterministic kernels; call it before the first operation."""
    tf.config.experimental.enable_op_determinism()


@contextmanager
def surviving(model) -> Iterator[None]:
    """A failing `fit` leaves the weights of the last step here by itself; that another host is gone is said."""
    try:
        yield
    except _GONE as error:
        if _hosts(model.distribute_strategy) == 1:
            raise
        raise ConnectionError(
            "Another host of the training is gone or does not answer. Start all hosts again with the same command; "
            "with --resume (a `Resume` among the callbacks) they go on at the last saved state."
        ) from error


def placed_like(model) -> AbstractContextManager:
    """Variables made here are mirrored if the model was made under a ``tf.distribute`` strategy."""
    return model.distribute_strategy.scope()


def replicas() -> int:
    """How many replicas run the step."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def gather_over_replicas(tensor):
    """Joins the replicas' rows in their order; the gradient finds its way back to each.

    A sum in which every replica has zeros in place of the others' rows: TensorFlow's `all_gather` fails on hosts of one
    device. Labels travel as floats, which every collective operation takes.
    """
    if replicas() == 1:
        return tensor
    context, rows = tf.distribute.get_replica_context(), tf.shape(tensor)[0]
    before = context.replica_id_in_sync_group * rows
    padding = [[before, (replicas() - 1) * rows - before], *[[0, 0]] * (len(tensor.shape) - 1)]
    values = tensor if tensor.dtype.is_floating else tf.cast(tensor, tf.float32)
    joined = context.all_reduce(tf.distribute.ReduceOp.SUM, tf.pad(values, padding))
    known = None if tensor.shape[0] is None else tensor.shape[0] * replicas()
    return tf.ensure_shape(tf.cast(joined, tensor.dtype), [known, *tensor.shape[1:]])


def own_rows(tensor):
    """The rows of this replica among those that `gather_over_replicas` joined."""
    if replicas() == 1:
        return tensor
    rows = tensor.shape[0] // replicas()
    start = tf.distribute.get_replica_context().replica_id_in_sync_group * rows
    return tf.ensure_shape(tensor[start : start + rows], [rows, *tensor.shape[1:]])


def sum_over_replicas(tensors):
    """Adds up what the replicas have; ``None`` stays ``None``."""
    there = [tensor for tensor in tensors if tensor is not None]
    if replicas() == 1 or not there:
        return tensors
    summed = iter(tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, there))
    return [None if tensor is None else next(summed) for tensor in tensors]


def reported(scalar):
    """On several hosts Keras averages over a leading axis, which a scalar does not have."""
    return scalar[None] if _hosts(tf.distribute.get_strategy()) > 1 else scalar


def distributed(model, dataset):
    """Divides every batch among the replicas, and lets the batch norms see the batch of all of them."""
    strategy = model.distribute_strategy
    count = strategy.num_replicas_in_sync
    if count == 1:
        return dataset
    for layer in model._flatten_layers():
        if hasattr(layer, "synchronized"):  # Keras' batch norm, and ours
            layer.synchronized = count
    _check_clipping(model.optimizer)
    if not hasattr(dataset, "share"):
        if model.batch_blocks > 1 and hasattr(dataset, "element_spec"):
            raise ValueError(
                f"A batch of {type(model).__name__} consists of {model.batch_blocks} blocks, and each device needs its "
                "part of each. Only a dataset of keras_reid.pipeline.training can be divided so; several devices take "
                "no other one here."
            )
        return dataset

    def local(context):
        share = count // context.num_input_pipelines
        first = context.input_pipeline_id * share
        return dataset.share(range(first, first + share), count, model.batch_blocks)

    divided = strategy.distribute_datasets_from_function(local)
    # TensorFlow counts what the replicas of this host take one by one; Keras asks for the number of steps.
    divided._cardinality //= len(strategy.extended.worker_devices)
    return divided


def _check_clipping(optimizer) -> None:
    for inner in getattr(optimizer, "optimizers", [optimizer]):
        inner = getattr(inner, "inner_optimizer", inner)
        if any(getattr(inner, name, None) is not None for name in ("clipnorm", "clipvalue", "global_clipnorm")):
            raise ValueError(
                f"On several devices Keras clips each one's share of the gradient apart. Received: {inner.name} with "
                "a clipping of its own. Use keras_reid.training.OptimizerGroup(clip_norms=...), which clips the sum."
            )


def predict(model, keras_predict, x, batch_size, verbose):
    """Keras' own; of several hosts each computes what it asks for by itself, for the others may not be asking."""
    if _hosts(model.distribute_strategy) == 1:
        return keras_predict(x, batch_size=batch_size, verbose=verbose)
    infer = tf.function(lambda batch: model(batch, training=False), reduce_retracing=True)
    parts = [infer(keras.tree.map_structure(tf.convert_to_tensor, batch)) for batch in in_batches(x, batch_size)]
    return keras.tree.map_structure(lambda *tensors: np.concatenate([t.numpy() for t in tensors]), *parts)


@contextmanager
def devices(count: int | None) -> Iterator[Devices]:
    """A strategy over the first devices of this host, or of all hosts that ``TF_CONFIG`` names."""
    gpus = tf.config.list_physical_devices("GPU")
    if _workers(json.loads(os.environ.get("TF_CONFIG") or "{}").get("cluster", {})) > 1:
        if gpus and count is not None:
            tf.config.set_visible_devices(gpus[:count], "GPU")
        strategy = tf.distribute.MultiWorkerMirroredStrategy()  # must come before anything runs
        _check_count(count, strategy.extended.worker_devices)
        yield Devices(strategy.num_replicas_in_sync, _is_first(strategy), strategy.scope)
        _over_hosts(strategy, [0])  # a host that left now would be missed by one that still writes
        return
    if count in (None, 1):
        yield Devices()
        return
    cpu = tf.config.list_physical_devices("CPU")[0]
    if not gpus and tf.config.get_logical_device_configuration(cpu) is None:
        with suppress(RuntimeError):  # TensorFlow has begun: it has the devices that it has
            tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * count)
    kind = "GPU" if gpus else "CPU"
    names = [f"{kind}:{place}" for place in range(len(tf.config.list_logical_devices(kind)))]
    _check_count(count, names)
    strategy = tf.distribute.MirroredStrategy(names[:count])
    yield Devices(count, True, strategy.scope)


def _check_count(count: int | None, names) -> None:
    if count is not None and len(names) < count:
        raise too_few(count, names)


def _workers(cluster: dict) -> int:
    return sum(len(cluster.get(job, ())) for job in ("chief", "worker"))


def _hosts(strategy) -> int:
    resolver = strategy.cluster_resolver
    return 1 if resolver is None else max(1, _workers(resolver.cluster_spec().as_dict()))


def _is_first(strategy) -> bool:
    if _hosts(strategy) == 1:
        return True
    resolver = strategy.cluster_resolver
    first = "chief" if "chief" in resolver.cluster_spec().as_dict() else "worker"
    return (resolver.task_type, resolver.task_id) == (first, 0)


def is_first_host(model) -> bool:
    """Whether this process writes what is written once."""
    return _is_first(model.distribute_strategy)


def over_hosts(model, numbers) -> np.ndarray:
    """What every host says."""
    return _over_hosts(model.distribute_strategy, numbers)


def _over_hosts(strategy, numbers) -> np.ndarray:
    said = np.array([numbers], np.int64)
    if _hosts(strategy) == 1:
        return said
    values = strategy.experimental_distribute_values_from_function(lambda context: tf.constant(said))
    return strategy.gather(values, axis=0).numpy()
