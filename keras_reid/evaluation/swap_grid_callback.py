"""Look on while a model learns to draw."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from keras_reid.checks import check_positive_int
from keras_reid.visualize import swap_grid

__all__ = ["SwapGridCallback"]


class SwapGridCallback(keras.callbacks.Callback):
    """Writes a `keras_reid.visualize.swap_grid` of the same images after every n-th step of the training.

    Args:
        directory: Where the pictures go, ``swaps_00000500.png`` and so on; created when needed.
        appearances: Paths, or arrays [H, W, 3] in [0, 1].
        structures: Likewise; the same images by default.
        every_steps: n, counted over all epochs, and over a resumed training's first part too.

    Raises:
        ValueError: ``every_steps`` below 1.

    Example:
        >>> from keras_reid.evaluation import SwapGridCallback
        >>> SwapGridCallback("swaps", [], every_steps=500).every_steps
        500
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        appearances: Sequence[Any],
        structures: Sequence[Any] | None = None,
        every_steps: int = 1000,
    ) -> None:
        super().__init__()
        self.directory = Path(directory)
        self.appearances, self.structures = appearances, structures
        self.every_steps = check_positive_int("every_steps", every_steps)
        self._step = 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Begins to count where the model stands."""
        del logs
        self._step = int(keras.ops.convert_to_numpy(self.model.iteration))

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Draws if it is time to."""
        del batch, logs
        self._step += 1
        if self._step % self.every_steps == 0:
            if hasattr(self.model, "jax_state_sync"):  # on JAX the weights are elsewhere while `fit` runs
                self.model.jax_state_sync()
            self.directory.mkdir(parents=True, exist_ok=True)
            figure = swap_grid(self.model, self.appearances, self.structures)
            figure.savefig(self.directory / f"swaps_{self._step:08d}.png", dpi=100)
