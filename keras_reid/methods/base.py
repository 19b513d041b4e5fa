"""`ReIDModel`: what every method is. Its training step reads like the paper; this file holds what surrounds it."""

from collections.abc import Callable, Sequence

import keras
import numpy as np

from keras_reid.pipeline.arrays import image_array
from keras_reid.pipeline.errors import clear_errors
from keras_reid.training import backend, steps
from keras_reid.training.fitting import fit
from keras_reid.training.optimizer_group import select_groups, with_loss_scale

__all__ = ["ReIDModel"]


class ReIDModel(keras.Model):
    """Base class of the methods.

    A method says
      - `loss_names`: the names of the scalars its training step returns, the first one the total ``"loss"``;
      - ``call(images, training)``: images [B,H,W,3] in [0,1] -> what inference needs, by default the unit-norm
        embedding [B,D];
      - ``training_step(batch, training)`` -> {name: scalar}: the paper's training step. Inside it
        ``self.update(groups, loss_fn)`` takes one gradient and one optimiser step per named group. Writing state
        beside it (a memory, a bank) is done only when ``training`` is true;
      - ``build_heads(num_classes)``, if it has parts that depend on the number of identities.

    ``compile``, ``fit``, ``evaluate``, ``save`` and ``load_model`` work as Keras users know them, on every backend.

    Args:
        image_size: (height, width) in pixels of the images the method takes.
        interpolation: How the pipeline resizes to it: ``"bilinear"`` or ``"bicubic"``.
        num_classes: Number of training identities; ``None`` until the first ``fit`` says it.
        **kwargs: ``name``, ``dtype`` and the like, for ``keras.Model``.

    Example:
        >>> import numpy as np
        >>> import keras_reid
        >>> model = keras_reid.zoo.load("baseline_tiny")
        >>> features = model.extract(np.zeros((2, 128, 64, 3), "float32"))
        >>> model.score(features, features).shape
        (2, 2)
    """

    loss_names: tuple[str, ...] = ("loss",)
    # Whether training batches must hold `partner_image`, another image of each one's identity.
    uses_partner = False
    # How many blocks a batch consists of that the method tells apart by place; each device gets its part of each.
    batch_blocks = 1

    def __init__(
        self,
        *,
        image_size: Sequence[int] = (256, 128),
        interpolation: str = "bilinear",
        num_classes: int | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if len(image_size) != 2 or any(int(side) < 32 for side in image_size):
            raise ValueError(
                f"`image_size` must be (height, width), both at least 32 pixels. Received: {tuple(image_size)}."
            )
        self.image_size = tuple(int(side) for side in image_size)
        self.interpolation = interpolation
        self.num_classes = num_classes
        self.loss_trackers = [keras.metrics.Mean(name=name) for name in self.loss_names]

    # --- what a method defines ---------------------------------------------------------------------------------------

    def training_step(self, batch: dict, training: bool = True) -> dict:
        """Runs the paper's training step on one batch and returns its named scalars."""
        raise NotImplementedError(f"{type(self).__name__} must define `training_step(batch, training)`.")

    def build_heads(self, num_classes: int) -> None:
        """Creates what depends on the number of identities. Nothing by default."""

    def check_labels(self, labels: np.ndarray) -> None:
        """Raises ``ValueError`` if nothing can be learned from a batch of these identities. Accepts all by default."""

    # --- training ----------------------------------------------------------------------------------------------------

    def update(self, groups: str | Sequence[str] | None, loss_fn: Callable[[], tuple]) -> dict:
        """Takes one gradient over the union of ``groups`` and hands each group its part, with its own optimiser.

        Args:
            groups: Name(s) of the `OptimizerGroup`'s groups; ``None`` for every trainable variable.
            loss_fn: Function without arguments that returns ``(total, {name: scalar})``: the total is differentiated,
                the named scalars are reported.

        Returns:
            The named scalars. While evaluating, nothing is differentiated or changed.

        Raises:
            ValueError: A group the optimiser does not have.
        """
        if self._evaluating:
            return loss_fn()[1]
        return steps.update(self, select_groups(self.optimizer, groups, type(self).__name__), loss_fn)

    def compile(self, optimizer, *, run_eagerly=False, steps_per_execution=1, jit_compile="auto"):
        """Sets the optimiser; the losses are the method's own.

        Args:
            optimizer: A ``keras.optimizers.Optimizer`` or an `OptimizerGroup`. Under ``mixed_float16`` each is wrapped
                in a ``LossScaleOptimizer``.
            run_eagerly: As in Keras.
            steps_per_execution: As in Keras.
            jit_compile: As in Keras.
        """
        if self.dtype_policy.name == "mixed_float16":
            optimizer = with_loss_scale(keras.optimizers.get(optimizer))
        super().compile(
            optimizer=optimizer,
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
            jit_compile=jit_compile,
            auto_scale_loss=False,
        )
        if self.num_classes is not None:  # so that `load_weights` finds the slots it has values for
            self.optimizer.build(self.trainable_variables)

    def compile_from_config(self, config: dict) -> None:
        """Compiles again when a saved model is loaded (Keras leaves an overridden ``compile`` to us)."""
        config = keras.saving.deserialize_keras_object(config)
        self.compile(**{key: config[key] for key in ("optimizer", "run_eagerly", "steps_per_execution", "jit_compile")})

    def fit(self, x=None, *, epochs: int = 1, initial_epoch: int = 0, callbacks=None, **kwargs):
        """Trains as ``keras.Model.fit`` does, and knows the pipeline.

        The first time, what depends on the number of identities is sized from the pipeline's ``num_identities``. The
        pipeline is told which epoch begins. With a `keras_reid.training.Resume` among the callbacks training goes on
        where it says, in the middle of an epoch if need be.

        Args:
            x: A dataset made by `keras_reid.pipeline.training`, or any that yields its batches.
            epochs: Number of the last epoch.
            initial_epoch: Epoch to start from.
            callbacks: List of Keras callbacks.
            **kwargs: Further arguments of ``keras.Model.fit``.

        Returns:
            The Keras ``History``.

        Raises:
            ValueError: The number of identities is unknown or does not fit, or the images have another size, or the
                batches cannot be divided among the devices.
        """
        with backend.current().placed_like(self):
            self._prepare(x)
        return fit(self, super().fit, x, epochs, initial_epoch, callbacks, **kwargs)

    def _prepare(self, dataset):
        """Sizes the heads, builds the optimiser, and compares the dataset with the model before anything is trained."""
        found = getattr(dataset, "num_identities", None)
        if self.num_classes is None:
            if found is None:
                raise ValueError(
                    f"{type(self).__name__} does not know the number of training identities. Pass a dataset made by "
                    "keras_reid.pipeline.training, which knows it, or give `num_classes=` when the model is made."
                )
            self.num_classes = int(found)
            self.build_heads(self.num_classes)
        elif found is not None and found > self.num_classes:
            raise ValueError(
                f"The model has a head for {self.num_classes} identities and the training data have {found}. Load the "
                "weights with keras_reid.zoo.load(..., head='drop') (a new head), or train on identities it knows."
            )
        spec = getattr(dataset, "element_spec", None)
        size = tuple(spec["image"].shape[1:3]) if isinstance(spec, dict) and "image" in spec else self.image_size
        if size != self.image_size:
            raise ValueError(
                f"The model takes images of {self.image_size} (height, width) and the dataset gives {size}. Make it "
                f"with keras_reid.pipeline.training(table, image_size={self.image_size})."
            )
        if self.compiled and not self.optimizer.built:
            self.optimizer.build(self.trainable_variables)

    # --- Keras' hooks ------------------------------------------------------------------------------------------------

    _evaluating = False

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Every variable is there already; looking for one Keras would add up a batch over the hosts, and fail."""

    @property
    def metrics(self):
        """One running mean per named loss."""
        return self.loss_trackers

    def train_step(self, *arguments):
        """Runs `training_step` and tracks each named scalar."""
        return steps.train_batch(self, lambda batch: self.training_step(batch, training=True), *arguments)

    def test_step(self, *arguments):
        """Reports the same named scalars and changes no state."""
        self._evaluating = True
        try:
            return steps.evaluate_batch(self, lambda batch: self.training_step(batch, training=False), *arguments)
        finally:
            self._evaluating = False

    def evaluate(self, x=None, **kwargs):
        """Reports the named losses as ``keras.Model.evaluate`` does, with every batch divided among the devices.

        Args:
            x: As in `fit`.
            **kwargs: Further arguments of ``keras.Model.evaluate``.

        Returns:
            What Keras returns.
        """
        return super().evaluate(backend.current().distributed(self, x), **kwargs)

    # --- inference ---------------------------------------------------------------------------------------------------

    def predict(self, x, batch_size=None, verbose="auto"):
        """Runs `call` batch by batch, as ``keras.Model.predict`` does, on the devices there are.

        Args:
            x: Array [N,H,W,3], or a dataset of batches of images.
            batch_size: Images at a time, for an array.
            verbose: As in Keras.

        Returns:
            What `call` returns for all images, as numpy arrays.
        """
        return backend.current().predict(self, super().predict, x, batch_size, verbose)

    def extract(self, images, batch_size: int = 64, verbose: int | str = 0) -> np.ndarray:
        """Computes the features that `score` compares.

        Args:
            images: Array [N,H,W,3] in [0,1] RGB of the model's `image_size`, or a dataset of `keras_reid.pipeline`.
            batch_size: Images at a time, for an array.
            verbose: Progress bar, as in ``keras.Model.predict``.

        Returns:
            Array [N, ...]; by default unit-norm embeddings [N,D].

        Raises:
            ValueError: The array has another shape or lies outside [0,1].
        """
        if hasattr(images, "element_spec"):
            with clear_errors():
                return self.predict(images.map(lambda batch: batch["image"]), verbose=verbose)
        return self.predict(image_array(images, self.image_size), batch_size=batch_size, verbose=verbose)

    def score(self, query_features, gallery_features) -> np.ndarray:
        """Compares every query with every gallery item; by default the cosine of their embeddings.

        Args:
            query_features: Array [Q,D] from `extract`.
            gallery_features: Array [G,D] from `extract`.

        Returns:
            Array [Q,G] float32; higher is closer.
        """
        query, gallery = (np.asarray(x, dtype="float32") for x in (query_features, gallery_features))
        if query.ndim != 2 or gallery.ndim != 2 or query.shape[1] != gallery.shape[1]:
            raise ValueError(
                f"`score` compares embeddings [Q,D] and [G,D] of `extract`. Received: {query.shape}, {gallery.shape}."
            )
        query, gallery = (x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12) for x in (query, gallery))
        return query @ gallery.T

    def inference_model(self) -> "ReIDModel":
        """Returns a copy without classifier heads and without training state: what is published.

        Returns:
            An uncompiled model of the same class with ``num_classes=None``.
        """
        copy = type(self).from_config({**self.get_config(), "num_classes": None})
        values = {variable.path.removeprefix(f"{self.name}/"): variable for variable in self.variables}
        for variable in copy.variables:
            variable.assign(values[variable.path.removeprefix(f"{copy.name}/")].numpy())
        return copy

    def get_config(self) -> dict:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "image_size": self.image_size,
            "interpolation": self.interpolation,
            "num_classes": self.num_classes,
        }
