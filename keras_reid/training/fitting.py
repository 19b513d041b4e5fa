"""What `ReIDModel.fit` does around Keras' `fit`: the pipeline's callbacks, resuming, several devices and hosts."""

import zlib
from collections.abc import Callable, Sequence
from contextlib import ExitStack

import keras
import numpy as np

from keras_reid.pipeline.errors import clear_errors
from keras_reid.pipeline.parts import part_places
from keras_reid.training import backend
from keras_reid.training.callbacks import pipeline_callbacks
from keras_reid.training.resume import Resume

__all__ = ["fit"]


def fit(model, keras_fit: Callable, x, epochs: int, initial_epoch: int, callbacks: Sequence | None, **options):
    """Trains a prepared model, from where a `Resume` among the callbacks says.

    Args:
        model: A `ReIDModel` that knows its number of identities.
        keras_fit: Its ``keras.Model.fit``.
        x: The dataset.
        epochs: Number of the last epoch.
        initial_epoch: Epoch to start from.
        callbacks: List of Keras callbacks.
        **options: Further arguments of ``keras.Model.fit``.

    Returns:
        The Keras ``History``.

    Raises:
        ValueError: The batches cannot be trained on or divided among the devices, or the hosts are not in step.
        ConnectionError: Another host is gone.
    """
    if hasattr(x, "element_spec"):  # a dataset brings its own order; Keras would warn of its default
        options.setdefault("shuffle", False)
    callbacks = [*pipeline_callbacks(x), *(callbacks or [])]
    resumes = [callback for callback in callbacks if isinstance(callback, Resume)]
    initial_epoch, step = _restored(model, resumes, [*callbacks, getattr(x, "sampler", None)], initial_epoch)
    if _check_hosts(model, x, initial_epoch, step) and hasattr(getattr(x, "sampler", None), "plan"):
        callbacks.insert(1, FirstHostsPlan(x.sampler))  # after `PlanEpoch`
    if options.get("validation_data") is not None:
        options["validation_data"] = backend.current().distributed(model, options["validation_data"])
    history = {}
    with ExitStack() as stack:
        stack.enter_context(backend.current().surviving(model))
        stack.enter_context(clear_errors())
        for resume in resumes:  # Keras calls no `on_train_end` when training fails
            stack.callback(resume.release_interrupt)
        whole = backend.current().distributed(model, x)
        if hasattr(x, "element_spec"):
            _check_labels(model, x, divided=whole is not x)
        if step:
            rest = backend.current().distributed(model, resumes[-1].remainder(x, step))
            first = keras_fit(
                rest, epochs=initial_epoch + 1, initial_epoch=initial_epoch, callbacks=callbacks, **options
            )
            if model.stop_training:  # by a callback, in the epoch that went on
                return first
            history, initial_epoch = first.history, initial_epoch + 1
        if any(resume.stopped for resume in resumes):  # a callback had ended that training
            epochs = initial_epoch
        result = keras_fit(whole, epochs=epochs, initial_epoch=initial_epoch, callbacks=callbacks, **options)
    if history:
        result.history = {key: history.get(key, []) + result.history.get(key, []) for key in history}
    return result


def _restored(model, resumes: Sequence[Resume], keepers: Sequence, initial_epoch: int) -> tuple[int, int]:
    """Tells each `Resume` what has a state to keep, restores what it saved, and says where to go on."""
    step = 0
    for resume in resumes:
        resume.kept = [keeper for keeper in keepers if hasattr(keeper, "set_state")]
        if resume.file.exists():
            initial_epoch, step = resume.restore(model)
    return initial_epoch, step


def _check_labels(model, dataset, divided: bool) -> None:
    """Asks the method whether it can learn from the first batch, and from what one device gets of it.

    Identities may be divided: triplets and pairs are those of all devices' images. Blocks may not.
    """
    labels = np.asarray(next(iter(dataset))["person_id"])
    model.check_labels(labels)
    if divided and model.batch_blocks > 1:
        count = model.distribute_strategy.num_replicas_in_sync
        part = labels[part_places(len(labels), count, model.batch_blocks)[0]]
        try:
            model.check_labels(part)
        except ValueError as error:
            raise ValueError(
                f"Of a batch of {len(labels)} images each of {count} devices gets {len(part)}, and these are no batch. "
                f"{error}"
            ) from error


class FirstHostsPlan(keras.callbacks.Callback):
    """Every host takes the first one's plan: scores differ by rounding where the hosts' hardware does.

    Args:
        sampler: A sampler that depends on the weights, with ``state`` and ``set_state``.
    """

    def __init__(self, sampler):
        super().__init__()
        self.sampler = sampler

    def on_epoch_begin(self, epoch, logs=None):
        """Asks the first host for all that the sampler has just planned."""
        state = self.sampler.state()
        over_hosts = backend.current().over_hosts
        self.sampler.set_state(
            {name: over_hosts(self.model, array.ravel())[0].reshape(array.shape) for name, array in state.items()}
        )


def _check_hosts(model, dataset, epoch: int, step: int) -> bool:
    """Makes sure that all hosts train on the same batches from the same place; says whether there are several."""
    plan = 0
    if hasattr(dataset, "sampler"):
        batches = dataset.sampler.batches(dataset.table, dataset.seed, epoch)
        order = np.concatenate([np.ravel(batches), dataset.table.person_id, [dataset.seed]])
        plan = zlib.crc32(np.ascontiguousarray(order, np.int64).tobytes())
    said = backend.current().over_hosts(model, [epoch, step, plan])
    if (said[:, :2] != said[0, :2]).any():
        places = ", ".join(f"epoch {one} step {other}" for one, other in np.unique(said[:, :2], axis=0))
        raise ValueError(
            f"The hosts do not go on at the same place, but at {places}. The folder of the training's state must be "
            "one that all hosts see: the first one writes it, all read it."
        )
    if (said[:, 2] != said[0, 2]).any():
        raise ValueError(
            "The hosts plan different batches. Give each of them the same images in the same order, the same sampler "
            "and the same seed."
        )
    return len(said) > 1
