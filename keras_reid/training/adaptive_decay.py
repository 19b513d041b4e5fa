"""A schedule that looks at the loss instead of the clock."""

import keras
import numpy as np

__all__ = ["AdaptiveDecay"]


class AdaptiveDecay(keras.callbacks.Callback):
    """Drops the learning rate once the loss has fallen far enough, and trains half as long again.

    The first time that the mean loss of an epoch is below ``threshold`` times that of the second epoch, say at the end
    of epoch e (from 1), every learning rate is multiplied by ``factor`` and training ends after epoch ``e + e // 2``,
    or earlier if ``fit`` was asked for fewer. `keras_reid.training.Resume` keeps its `state`; give it before that one.

    Args:
        threshold: Share of the second epoch's loss.
        factor: Multiplier of the learning rates, which must be numbers and not schedules.

    Raises:
        ValueError: ``threshold`` or ``factor`` outside (0, 1).

    Example:
        >>> from keras_reid.training import AdaptiveDecay
        >>> AdaptiveDecay(threshold=0.7, factor=0.1).last_epoch is None
        True

    Reference:
        The authors' code of Liao and Shao, "Graph Sampling Based Deep Metric Learning for Generalizable Person
        Re-Identification", CVPR 2022.
    """

    def __init__(self, threshold: float = 0.7, factor: float = 0.1):
        super().__init__()
        if not (0.0 < threshold < 1.0 and 0.0 < factor < 1.0):
            raise ValueError(f"`threshold` and `factor` must lie between 0 and 1. Received: {threshold!r}, {factor!r}.")
        self.threshold = threshold
        self.factor = factor
        self.base_loss: float | None = None
        self.last_epoch: int | None = None

    def on_epoch_end(self, epoch, logs=None):
        """Compares, drops, stops."""
        done, loss = epoch + 1, float((logs or {})["loss"])
        if done == 2:
            self.base_loss = loss
        fallen = self.base_loss is not None and loss < self.threshold * self.base_loss
        if fallen and self.last_epoch is None:
            optimizer = self.model.optimizer
            for inner in getattr(optimizer, "optimizers", [optimizer]):
                inner.learning_rate = keras.ops.convert_to_numpy(inner.learning_rate) * self.factor
            self.last_epoch = done + done // 2
        if self.last_epoch is not None and done >= self.last_epoch:
            self.model.stop_training = True

    def state(self) -> dict[str, np.ndarray]:
        """Returns what it has seen, NaN and -1 for nothing yet."""
        return {
            "base_loss": np.array(np.nan if self.base_loss is None else self.base_loss),
            "last_epoch": np.array(-1 if self.last_epoch is None else self.last_epoch),
        }

    def set_state(self, state: dict[str, np.ndarray]) -> None:
        """Goes on where `state` was taken."""
        self.base_loss = None if np.isnan(state["base_loss"]) else float(state["base_loss"])
        self.last_epoch = None if state["last_epoch"] < 0 else int(state["last_epoch"])
