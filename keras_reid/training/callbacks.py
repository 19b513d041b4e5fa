"""Callbacks that every run wants: the epoch handed to the pipeline, and a collapse that is noticed."""

import keras

__all__ = ["CollapseDetector", "PlanEpoch", "SetEpoch"]


class SetEpoch(keras.callbacks.Callback):
    """Tells a training pipeline which epoch begins, so that its order and augmentation change with it.

    `ReIDModel.fit` adds it by itself; add it when you train another ``keras.Model`` on `pipeline.training`.

    Args:
        position: The ``position`` attribute of a dataset made by `keras_reid.pipeline.training`.

    Example:
        >>> from types import SimpleNamespace
        >>> from keras_reid.training import SetEpoch
        >>> position = SimpleNamespace(epoch=0)
        >>> SetEpoch(position).on_epoch_begin(3)
        >>> position.epoch
        3
    """

    def __init__(self, position):
        super().__init__()
        self.position = position

    def on_epoch_begin(self, epoch, logs=None):
        """Sets the epoch before the iterator is made."""
        del logs
        self.position.epoch = epoch


class PlanEpoch(keras.callbacks.Callback):
    """Lets a sampler that depends on the weights plan the epoch before its first batch is drawn.

    `ReIDModel.fit` adds it by itself; add it when you train another ``keras.Model``, with `extract` and `score`, on
    `keras_reid.pipeline.GraphSampler`.

    Args:
        dataset: A dataset made by `keras_reid.pipeline.training` whose sampler has ``plan(model, table, seed, epoch)``.

    Example:
        >>> from types import SimpleNamespace
        >>> from keras_reid.training import PlanEpoch
        >>> sampler = SimpleNamespace(plan=lambda model, table, seed, epoch: print("plans epoch", epoch))
        >>> PlanEpoch(SimpleNamespace(sampler=sampler, table=None, seed=0)).on_epoch_begin(3)
        plans epoch 3
    """

    def __init__(self, dataset):
        super().__init__()
        self.dataset = dataset

    def on_epoch_begin(self, epoch, logs=None):
        """Plans with the present weights."""
        del logs
        self.dataset.sampler.plan(self.model, self.dataset.table, self.dataset.seed, epoch)


def pipeline_callbacks(dataset) -> list[keras.callbacks.Callback]:
    """Returns the callbacks that a dataset of `keras_reid.pipeline.training` needs; none for another one."""
    found: list[keras.callbacks.Callback] = []
    if hasattr(getattr(dataset, "sampler", None), "plan"):
        found.append(PlanEpoch(dataset))
    if hasattr(dataset, "position"):
        found.append(SetEpoch(dataset.position))
    return found


class CollapseDetector(keras.callbacks.Callback):
    """Says so when every image gets the same embedding: the triplet loss then rests at its margin.

    Watches the named loss ``triplet``. With all distances zero the batch-hard loss equals the margin (or ln 2 in its
    soft form) exactly; resting there for ``patience`` epochs is the collapse that users report as "mAP 0.2 %".

    Args:
        resting_value: The loss of a collapsed network: the margin.
        patience: Epochs at that value before the advice is printed.
        tolerance: How near counts as resting.

    Example:
        >>> from keras_reid.training import CollapseDetector
        >>> detector = CollapseDetector(resting_value=0.3, patience=1)
        >>> detector.on_epoch_end(0, {"triplet": 0.3})
        The triplet loss rests at 0.300, as if all images had one embedding. Lower the learning rate, lengthen the \
warm-up, or raise P in the P x K batch.
    """

    def __init__(self, resting_value: float = 0.3, patience: int = 3, tolerance: float = 1e-3):
        super().__init__()
        self.resting_value = resting_value
        self.patience = patience
        self.tolerance = tolerance
        self.epochs_at_rest = 0

    def on_epoch_end(self, epoch, logs=None):
        """Counts epochs at rest and prints the advice once."""
        del epoch
        value = (logs or {}).get("triplet")
        at_rest = value is not None and abs(value - self.resting_value) < self.tolerance
        self.epochs_at_rest = self.epochs_at_rest + 1 if at_rest else 0
        if self.epochs_at_rest == self.patience:
            print(
                f"The triplet loss rests at {value:.3f}, as if all images had one embedding. Lower the learning rate, "
                "lengthen the warm-up, or raise P in the P x K batch."
            )
