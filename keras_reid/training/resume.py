"""Resuming that equals never stopping: weights, optimiser slots, seeds, running means and the place in the epoch."""

import json
import os
import signal
import threading
from pathlib import Path

import keras
import numpy as np

from keras_reid.training import backend

__all__ = ["Resume"]

_FILE = "training_state.npz"


class Resume(keras.callbacks.Callback):
    """Saves the whole training state now and then; `ReIDModel.fit` continues from it.

    Keras' own ``BackupAndRestore`` keeps neither the seed generators (dropout) nor the place in the epoch. This keeps
    both, and the running means of the named losses, so that a run that was killed ends with the weights of one that
    was not. The file is replaced atomically: a kill while saving leaves the state before it.

    Two things make a resumed run differ: an optimiser with ``use_ema``, whose averages Keras writes into the weights
    at the end of every ``fit``, and under torch a dropout layer of your own without a seed, which draws from torch's
    generator (`keras_reid.layers.dropout.seeded_dropout` has one).

    Of several hosts the first one writes and all read, so the directory must be one that all of them see.

    Ctrl-C finishes the step under way, saves, and raises ``KeyboardInterrupt``; a second Ctrl-C stops at once.

    Args:
        directory: Where the state lives. Created when needed.
        every_steps: Save after this many steps of an epoch, besides the end of each epoch; ``None`` for epochs only.

    Raises:
        ValueError: ``every_steps`` below 1; or, when the training begins, a state that belongs to another model.

    Example:
        >>> import tempfile
        >>> from keras_reid.training import Resume
        >>> resume = Resume(tempfile.mkdtemp(), every_steps=100)
        >>> resume.position()  # nothing saved yet: epoch 0, step 0
        (0, 0)
    """

    def __init__(self, directory: str | os.PathLike, every_steps: int | None = None):
        super().__init__()
        if every_steps is not None and every_steps < 1:
            raise ValueError(f"`every_steps` must be at least 1 or None. Received: {every_steps}.")
        self.directory = Path(directory)
        self.every_steps = every_steps
        # Set by `fit`: what else has a `state()` to keep, as a sampler that depends on the weights, or a callback.
        self.kept: list = []
        self._epoch = 0
        self._first_step = 0
        self._metrics: list[np.ndarray] | None = None
        self.stopped = False
        self._interrupted = False
        self._previous_handler = None

    @property
    def file(self) -> Path:
        """The state's file."""
        return self.directory / _FILE

    def position(self) -> tuple[int, int]:
        """Returns (epoch, step) at which training goes on; (0, 0) when nothing was saved."""
        if not self.file.exists():
            return 0, 0
        with np.load(self.file) as state:
            manifest = json.loads(str(state["manifest"]))
        return manifest["epoch"], manifest["step"]

    def restore(self, model: keras.Model) -> tuple[int, int]:
        """Puts the saved state into a built model with a built optimiser.

        Args:
            model: The model that goes on training.

        Returns:
            (epoch, step) at which to go on.

        Raises:
            ValueError: The state was saved by a model with other variables.
        """
        self._metrics, self._first_step = None, 0
        if not self.file.exists():
            return 0, 0
        with np.load(self.file) as state:
            manifest = json.loads(str(state["manifest"]))
            values = [state[f"variable_{index}"] for index in range(len(manifest["variables"]))]
            kept = [
                {name: state[f"kept_{index}_{name}"] for name in names}
                for index, names in enumerate(manifest.get("kept", ()))
            ]
        metrics = len(model.metrics_variables)
        variables = [*_variables(model), *model.metrics_variables]
        described = _describe(variables)
        if described != manifest["variables"]:
            other = next(
                (pair for pair in zip(manifest["variables"], described, strict=False) if pair[0] != pair[1]),
                (f"{len(manifest['variables'])} variables", f"{len(described)} variables"),
            )
            raise ValueError(
                f"The training state in {self.file} belongs to another model or optimiser: it holds {other[0]} where "
                f"this one has {other[1]}. Give another directory, or delete the file to start afresh."
            )
        if len(kept) != len(self.kept):
            raise ValueError(
                f"The training state in {self.file} was saved with {len(kept)} samplers and callbacks that "
                f"have a state, this training has {len(self.kept)}. Give the same ones, or delete the file to start "
                "afresh."
            )
        for variable, value in zip(_variables(model), values[: len(values) - metrics], strict=True):
            variable.assign(value)
        self._metrics = values[len(values) - metrics :]
        for keeper, state in zip(self.kept, kept, strict=True):
            keeper.set_state(state)
        self._first_step = manifest["step"]
        self.stopped = manifest["stopped"]
        return manifest["epoch"], manifest["step"]

    def save(self, epoch: int, step: int) -> None:
        """Writes the state: training goes on at ``step`` of ``epoch``."""
        if hasattr(self.model, "jax_state_sync"):
            self.model.jax_state_sync()
        variables = [*_variables(self.model), *self.model.metrics_variables]
        manifest = {
            "epoch": epoch,
            "step": step,
            "stopped": bool(self.model.stop_training),
            "keras": keras.__version__,
            "backend": keras.backend.backend(),
            "variables": _describe(variables),
        }
        # Before the other hosts are left out: reading a running mean asks all of them.
        arrays = {f"variable_{index}": _to_numpy(variable) for index, variable in enumerate(variables)}
        if not backend.current().is_first_host(self.model):
            return
        states = [keeper.state() for keeper in self.kept]
        manifest["kept"] = [list(state) for state in states]
        for index, state in enumerate(states):
            arrays |= {f"kept_{index}_{name}": array for name, array in state.items()}
        self.directory.mkdir(parents=True, exist_ok=True)
        temporary = self.file.with_suffix(".tmp")
        with temporary.open("wb") as stream:
            np.savez(stream, manifest=np.array(json.dumps(manifest)), **arrays)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(self.file)

    def remainder(self, dataset, step: int):
        """What is left of the epoch that goes on at ``step``.

        Raises:
            ValueError: The dataset does not know its order.
        """
        if not hasattr(dataset, "remainder"):
            raise ValueError(
                f"The training state in {self.file} stands in the middle of an epoch, after {step} steps, and this "
                "dataset cannot begin there. Pass one made by keras_reid.pipeline.training as it is: what `map`, `take`"
                " and the like return has lost its order. Or delete the file to start afresh."
            )
        return dataset.remainder(step)

    def on_train_begin(self, logs=None):
        """Takes over Ctrl-C (where signals can be handled: the main thread)."""
        del logs
        self._interrupted = False
        if threading.current_thread() is threading.main_thread():
            self._previous_handler = signal.signal(signal.SIGINT, self._on_interrupt)

    def on_train_end(self, logs=None):
        """Gives Ctrl-C back."""
        del logs
        self.release_interrupt()

    def on_epoch_begin(self, epoch, logs=None):
        """In the epoch that goes on, the running means go on too."""
        del logs
        self._epoch = epoch
        if self._metrics is not None and self._first_step:
            for variable, value in zip(self.model.metrics_variables, self._metrics, strict=True):
                variable.assign(value)
        self._metrics = None

    def on_train_batch_end(self, batch, logs=None):
        """Saves every so many steps, and when Ctrl-C was pressed."""
        del logs
        if batch + 1 == self.params.get("steps"):
            return  # the epoch ends here, and its end is what is saved
        done = self._first_step + batch + 1
        if self._interrupted:
            self.save(self._epoch, done)
            self._stop(f"after step {done} of epoch {self._epoch + 1}")
        if self.every_steps and done % self.every_steps == 0:
            self.save(self._epoch, done)

    def on_epoch_end(self, epoch, logs=None):
        """Saves: the next epoch begins at its first step."""
        if self.model.stop_training and not np.isfinite(float((logs or {}).get("loss", 0.0))):
            return  # the state before the NaN is the one to keep
        self._first_step = 0
        self.save(epoch + 1, 0)
        if self._interrupted:
            self._stop(f"after epoch {epoch + 1}")

    def _on_interrupt(self, number, frame):
        if self._interrupted:  # the second time: at once
            self.release_interrupt()
            raise KeyboardInterrupt
        self._interrupted = True
        print("\nStopping after this step; press Ctrl-C again to stop at once.", flush=True)

    def _stop(self, place: str):
        self.release_interrupt()
        raise KeyboardInterrupt(f"Training stopped {place}; its state is in {self.file}.")

    def release_interrupt(self) -> None:
        """Gives Ctrl-C back to whoever had it before the training."""
        if self._previous_handler is not None:
            signal.signal(signal.SIGINT, self._previous_handler)
            self._previous_handler = None


def _variables(model: keras.Model) -> list[keras.Variable]:
    """Everything but the metrics: weights, seed generators' states, optimiser slots; each once."""
    metrics = {id(variable) for variable in model.metrics_variables}
    found: dict[int, keras.Variable] = {}
    for variable in [
        *model.trainable_variables,
        *model.non_trainable_variables,
        *model.optimizer.variables,
    ]:
        if id(variable) not in metrics:
            found[id(variable)] = variable
    return list(found.values())


def _describe(variables: list[keras.Variable]) -> list[str]:
    """Shape and type of each variable; not the name, which counts the models made before."""
    return [f"{variable.dtype} {tuple(variable.shape)}" for variable in variables]


def _to_numpy(variable: keras.Variable) -> np.ndarray:
    """A copy; bfloat16, which numpy's files cannot hold, travels as float32."""
    value = variable.numpy()  # not `convert_to_numpy`, which cannot read a mirrored variable of TensorFlow
    return np.array(value, dtype="float32" if variable.dtype == "bfloat16" else value.dtype)
