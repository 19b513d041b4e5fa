"""JAX: gradients by `jax.value_and_grad` inside the stateless scope that `ReIDModel.train_step` opens."""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress

import jax
import keras
import numpy as np

from keras_reid.pipeline.parts import undivided
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


def value_and_gradients(model, variables, loss_fn, scale):
    """Evaluates ``loss_fn`` and the gradient of ``scale * total`` with respect to ``variables``.

    State that the loss writes (batch-norm statistics, seeds) comes out of the differentiated function as an auxiliary
    value and is then assigned in the enclosing scope.

    Args:
        model: The ``keras.Model`` at work: every variable of it is visible to ``loss_fn``.
        variables: List of ``keras.Variable`` to differentiate by.
        loss_fn: Function without arguments that returns ``(total, {name: scalar})``.
        scale: Scalar the total is multiplied by before the gradient is taken.

    Returns:
        ``(terms, gradients)``.
    """
    chosen = {id(variable) for variable in variables}
    others = [variable for variable in model.variables if id(variable) not in chosen]
    frozen = [(variable, variable.value) for variable in others]

    def scaled_loss(values):
        mapping = [*frozen, *zip(variables, values, strict=True)]
        with keras.StatelessScope(state_mapping=mapping) as scope:
            total, terms = loss_fn()
            scaled = keras.ops.cast(total, "float32") * scale
        written = [scope.get_current_value(variable) for variable in others]
        return scaled, (terms, written)

    (_, (terms, written)), gradients = jax.value_and_grad(scaled_loss, has_aux=True)(
        [variable.value for variable in variables]
    )
    for variable, value in zip(others, written, strict=True):
        if value is not None:
            variable.assign(value)
    return terms, gradients


def value_and_input_gradient(function, inputs):
    """Evaluates a function and the gradient of the sum of its values with respect to its input.

    Args:
        function: Tensor -> tensor.
        inputs: Tensor [B, ...].

    Returns:
        ``(values, gradient)``, the gradient shaped like ``inputs``; both may be differentiated again.
    """
    values, pull_back = jax.vjp(function, jax.lax.stop_gradient(inputs))
    return values, pull_back(jax.numpy.ones_like(values))[0]


def apply(optimizer, gradients, variables) -> None:
    """Takes one optimiser step, stateless: a loss scale's branches may not write variables under `jit`."""
    values, slots = optimizer.stateless_apply(
        [variable.value for variable in optimizer.variables], gradients, [variable.value for variable in variables]
    )
    for variable, value in zip([*variables, *optimizer.variables], [*values, *slots], strict=True):
        variable.assign(value)


def enable_determinism() -> None:
    """JAX on CPU is deterministic; on a GPU XLA takes the flag from the environment before it starts."""


@contextmanager
def surviving(model) -> Iterator[None]:
    """Keeps the weights when `fit` fails before its first step ends.

    Keras takes the values out of the variables while it trains and puts them back after a step; where none ended (an
    unreadable image in the first batch, say) the model would be left empty.

    Raises:
        ValueError: A batch that the devices do not divide, of a dataset that did not tell its size before.
    """
    variables = [*model.variables, *model.optimizer.variables]
    kept = [(variable, variable.value) for variable in variables]
    try:
        yield
    except ValueError as error:
        odd = re.search(r"full shape: \((\d+),", str(error))
        if odd and "evenly divide" in str(error):
            raise undivided(int(odd[1]), _device_count()) from error
        raise
    finally:
        for variable, value in kept:
            if variable._value is None:
                variable.assign(value)


def placed_like(model) -> AbstractContextManager[None]:
    """The layout that ``keras.distribution`` set holds for every variable, whenever it is made."""
    del model
    return nullcontext()


def replicas() -> int:
    """One: XLA divides the work, not the program."""
    return 1


def gather_over_replicas(tensor):
    """The batch is the global one already."""
    return tensor


def own_rows(tensor):
    """All of them."""
    return tensor


def sum_over_replicas(tensors):
    """There is nothing to add."""
    return tensors


def reported(scalar):
    """Keras takes it as it is."""
    return scalar


def distributed(model, dataset):
    """Keras lays the batches out; a batch that the devices do not divide is refused before."""
    del model
    spec, count = getattr(dataset, "element_spec", None), _device_count()
    size = spec["image"].shape[0] if isinstance(spec, dict) and "image" in spec else None
    if size is not None and size % count:
        raise undivided(size, count)
    return dataset


def predict(model, keras_predict, x, batch_size, verbose):
    """Keras' own; on several devices batch by batch, the last one filled up, for it must be divisible too."""
    count = _device_count()
    if count == 1:
        return keras_predict(x, batch_size=batch_size, verbose=verbose)
    found = []
    for batch in in_batches(x, batch_size):
        batch = keras.tree.map_structure(np.asarray, batch)
        size = len(keras.tree.flatten(batch)[0])
        filled = keras.tree.map_structure(lambda a: np.concatenate([a, np.repeat(a[-1:], -len(a) % count, 0)]), batch)
        found.append(keras.tree.map_structure(lambda a, size=size: a[:size], model.predict_on_batch(filled)))
    return keras.tree.map_structure(lambda *parts: np.concatenate(parts), *found)


def _device_count() -> int:
    distribution = keras.distribution.distribution()
    return 1 if distribution is None else int(np.prod(distribution.device_mesh.shape))


@contextmanager
def devices(count: int | None) -> Iterator[Devices]:
    """``keras.distribution.DataParallel`` over the first devices, until the end of the block."""
    if count in (None, 1):
        yield Devices()
        return
    with suppress(RuntimeError):  # JAX has begun: it has the devices that it has
        jax.config.update("jax_num_cpu_devices", count)  # without effect where there is an accelerator
    found = keras.distribution.list_devices()
    if len(found) < count:
        raise too_few(count, found)
    previous = keras.distribution.distribution()
    keras.distribution.set_distribution(keras.distribution.DataParallel(devices=found[:count]))
    try:
        yield Devices(count)
    finally:
        keras.distribution.set_distribution(previous)


def is_first_host(model) -> bool:
    """There is one host."""
    del model
    return True


def over_hosts(model, numbers) -> np.ndarray:
    """There is one host."""
    del model
    return np.array([numbers], np.int64)
