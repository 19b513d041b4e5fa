"""Evaluate inside `fit`, and keep the best model."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_reid.checks import check_positive_int, unknown_name
from keras_reid.datasets import ReIDDataset
from keras_reid.evaluation.evaluator import PostProcess, evaluate
from keras_reid.evaluation.report import Report

__all__ = ["EvaluationCallback"]

_MONITORS = ("val_mean_ap", "val_mean_inp", "val_rank1")


class EvaluationCallback(keras.callbacks.Callback):
    """Evaluates retrieval every n epochs, logs it, and saves the model whenever it is the best yet.

    Adds ``val_mean_ap``, ``val_mean_inp`` and ``val_rank1`` to the logs, so ``History``,
    ``CSVLogger``, ``TensorBoard`` and ``EarlyStopping`` see them if they come later in the list. In
    epochs without an evaluation they are NaN: every epoch has a value, and no old one is repeated.

    The best value stands in a JSON file beside the model. A run that goes on, or another one with
    the same path, replaces the model only by a better one.

    Args:
        dataset: What to evaluate on: its query and gallery.
        every: Evaluate after every n-th epoch.
        keep_best: Path of a ``.keras`` file for the best model; None to keep none.
        monitor: Which value is the best: ``"val_mean_ap"``, ``"val_mean_inp"`` or ``"val_rank1"``.
        batch_size: Images at a time.
        post_process: As in ``keras_reid.evaluate``.
        verbose: Whether to print a line per evaluation.

    Attributes:
        report: The last report; None before the first evaluation.

    Raises:
        ValueError: A bad argument, or the JSON file is of another data set or monitor.

    Example:
        >>> from keras_reid.evaluation import EvaluationCallback
        >>> EvaluationCallback(dataset=None, keep_best="best.h5")
        Traceback (most recent call last):
            ...
        ValueError: `keep_best` must be a path that ends in '.keras'. Received: 'best.h5'.

    Note:
        Choosing the best epoch on the test split of a benchmark, as much of the field does, makes
        numbers look better than they are. Evaluate on people held out of the training split.
    """

    def __init__(
        self,
        dataset: ReIDDataset,
        every: int = 1,
        keep_best: str | os.PathLike[str] | None = None,
        monitor: str = "val_mean_ap",
        batch_size: int = 64,
        post_process: Sequence[PostProcess] = (),
        verbose: bool = True,
    ) -> None:
        super().__init__()
        if monitor not in _MONITORS:
            raise unknown_name("monitor", monitor, _MONITORS)
        if keep_best is not None and Path(keep_best).suffix != ".keras":
            raise ValueError(f"`keep_best` must be a path that ends in '.keras'. Received: {os.fspath(keep_best)!r}.")
        self.dataset = dataset
        self.every = check_positive_int("every", every)
        self.keep_best = None if keep_best is None else Path(keep_best)
        self.monitor = monitor
        self.batch_size = check_positive_int("batch_size", batch_size)
        self.post_process = post_process
        self.verbose = verbose
        self.report: Report | None = None
        self.best = -np.inf

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Reads the best value so far from the file beside the model."""
        del logs
        if self.keep_best is None or not self.keep_best.exists():
            return
        if not self._record.exists():
            raise ValueError(
                f"{str(self.keep_best)!r} exists, but {self._record.name!r} beside it, which says "
                "how good it is, does not. Move the model away, or choose another path."
            )
        record = json.loads(self._record.read_text(encoding="utf-8"))
        found = (record["dataset"], record["monitor"])
        if found != (self.dataset.name, self.monitor):
            raise ValueError(
                f"{str(self.keep_best)!r} is the best by {found[1]} on {found[0]!r}; this run "
                f"compares {self.monitor} on {self.dataset.name!r}. Choose another path."
            )
        self.best = record["value"]
        self._say(
            f"{self.keep_best} holds {self.monitor} {self.best:.4f} (epoch {record['epoch']}); only a "
            "better model replaces it."
        )

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Evaluates if it is time to, writes into `logs`, and saves the best model."""
        values = dict.fromkeys(_MONITORS, float("nan"))
        if (epoch + 1) % self.every == 0:
            self.report = evaluate(
                self.model,
                self.dataset,
                post_process=self.post_process,
                batch_size=self.batch_size,
                progress=False,
            )
            values = {
                "val_mean_ap": self.report.mean_ap,
                "val_mean_inp": self.report.mean_inp,
                "val_rank1": self.report.rank(1),
            }
            self._say(
                f"epoch {epoch + 1}: {self.dataset.name}: mAP {100 * values['val_mean_ap']:.1f} %, "
                f"rank-1 {100 * values['val_rank1']:.1f} %"
            )
            if values[self.monitor] > self.best:
                self.best = values[self.monitor]
                self._save(epoch)
        if logs is not None:
            logs.update(values)

    @property
    def _record(self) -> Path:
        """The JSON file beside the model."""
        return Path(f"{self.keep_best}.json")

    def _save(self, epoch: int) -> None:
        """Writes model, then record; each appears whole or not at all."""
        if self.keep_best is None:
            return
        self.keep_best.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.keep_best.with_name(f".{self.keep_best.stem}.unfinished.keras")
        self.model.save(unfinished)
        unfinished.replace(self.keep_best)
        record = {
            "dataset": self.dataset.name,
            "monitor": self.monitor,
            "value": self.best,
            "epoch": epoch + 1,
        }
        unfinished = self._record.with_name(f".{self._record.name}.unfinished")
        unfinished.write_text(json.dumps(record), encoding="utf-8")
        unfinished.replace(self._record)

    def _say(self, sentence: str) -> None:
        if self.verbose:
            print(sentence)
