"""What every method must keep. A new method's test is a subclass with `name` (a tiny zoo entry) and its own extras."""

import dataclasses
import inspect

import keras
import numpy as np
import pytest

import keras_reid
from keras_reid import pipeline, zoo
from keras_reid.training import Resume, TorchAdam, seed_everything


class Stop(Exception):
    """Raised to stop a training in the middle of an epoch."""


class StopAfter(keras.callbacks.Callback):
    """Stops after so many steps, without any warning to the other callbacks."""

    def __init__(self, epoch, step):
        super().__init__()
        self.at = (epoch, step)

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch + 1) == self.at:
            raise Stop


THOROUGH = (
    "test_resuming_equals_never_stopping[first epoch]",
    "test_resuming_equals_never_stopping[last step]",
    "test_mixed_precision[mixed_float16]",
    "test_compiled_by_xla",
    "test_one_seed_one_result",
    "test_evaluate_reports_the_same_names_and_changes_nothing",
    "test_dataset_that_does_not_fit",
    "test_an_unreadable_image_is_named_and_nothing_is_lost",
)
"""Slow (`pytest -m slow`) but for `thorough` classes: what they test is more `ReIDModel` than the method."""


class MethodContract:
    """Subclass it and set `name`, `image_size` and, where the method needs it, `overrides` and `sampler`.

    A method that needs other people (of two modalities, of several sources) defines a fixture `people` in its module.
    """

    name: str
    image_size = (64, 32)
    overrides: dict = {}
    rate = 1e-3
    thorough = False
    epochs = 12  # that suffice to tell separable people apart
    sampler = pipeline.PKSampler(2, 4)
    eager = False  # whether to take few steps untraced, for a method whose tracing lasts longer

    def model(self, seed=0, **overrides):
        seed_everything(seed)
        return zoo.load(self.name, image_size=self.image_size, **{**self.overrides, **overrides})

    def compiled(self, **options):
        model = self.model(**options.pop("model", {}))
        optimizer = model.optimizer if hasattr(model.optimizer, "groups") else TorchAdam(self.rate)
        model.compile(optimizer, **{"run_eagerly": self.eager, **options})
        return model

    def batches(self, people, seed=0, **options):
        options = {"sampler": self.sampler, "transforms": (pipeline.Flip(),), "cache": "memory", **options}
        return pipeline.training(people.train, image_size=self.image_size, seed=seed, **options)

    def test_named_losses_fall(self, people):
        history = self.compiled(run_eagerly=False).fit(self.batches(people), epochs=12, verbose=0).history
        assert set(history) == set(self.model().loss_names)
        assert np.mean(history["loss"][-2:]) < 0.9 * np.mean(history["loss"][:2])

    def test_separates_separable_people(self, people):
        model = self.compiled(run_eagerly=False)
        model.fit(self.batches(people), epochs=self.epochs, verbose=0)
        report = keras_reid.evaluate(model, people, progress=False)
        assert report.rank(1) > 0.9
        assert report.mean_ap > 0.7

    def test_every_layer_is_built_before_the_first_step(self):
        layers = self.model(num_classes=2)._flatten_layers()
        assert [layer.path for layer in layers if not layer.built] == []

    def test_chance_on_noise(self):
        rng = np.random.default_rng(0)
        features = self.model().extract(rng.random((60, *self.image_size, 3), dtype="float32"))
        scores = np.asarray(self.model().score(features[:20], features[20:]))
        metrics = keras_reid.retrieval.evaluate_scores(scores, np.arange(20) % 10, np.arange(40) % 10)
        assert metrics.mean_ap < 0.35

    def test_save_and_load(self, people, tmp_path):
        model, batches = self.compiled(), self.batches(people)
        model.fit(batches, epochs=1, verbose=0)
        model.save(tmp_path / "model.keras")
        model.save_weights(tmp_path / "model.weights.h5")
        images = np.random.default_rng(0).random((3, *self.image_size, 3), dtype="float32")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        again = self.compiled(model={"num_classes": model.num_classes})
        again.load_weights(tmp_path / "model.weights.h5")
        for other in (loaded, again):
            np.testing.assert_array_equal(other.extract(images), model.extract(images))
        assert_equal_variables(loaded.optimizer.variables, model.optimizer.variables)
        loaded.fit(batches, epochs=1, verbose=0)

    @pytest.mark.parametrize("stop", [(0, 1), (1, 1), (0, 2)], ids=["first epoch", "second epoch", "last step"])
    def test_resuming_equals_never_stopping(self, people, tmp_path, stop):
        batches = self.batches(people)
        assert batches.steps_per_epoch == 2
        straight = self.compiled()
        expected = straight.fit(batches, epochs=3, verbose=0).history
        with pytest.raises(Stop):
            callbacks = [Resume(tmp_path, every_steps=1), StopAfter(*stop)]
            self.compiled().fit(batches, epochs=3, verbose=0, callbacks=callbacks)
        resumed = self.compiled()
        history = resumed.fit(batches, epochs=3, verbose=0, callbacks=[Resume(tmp_path)]).history
        assert_equal_variables(resumed.variables, straight.variables, exact=keras.backend.backend() == "torch")
        np.testing.assert_allclose(history["loss"], expected["loss"][stop[0] :], rtol=1e-5)

    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
    def test_mixed_precision(self, people, policy):
        keras.config.set_dtype_policy(policy)
        try:
            model = self.compiled()
            losses = model.fit(self.batches(people), epochs=4, verbose=0).history["loss"]
            features = model.extract(np.zeros((2, *self.image_size, 3), "float32"))
        finally:
            keras.config.set_dtype_policy("float32")
        assert np.isfinite(losses).all()
        assert np.isfinite(np.asarray(features, dtype="float32")).all()
        assert {variable.dtype for variable in model.trainable_variables} == {"float32"}

    @pytest.mark.skipif(keras.backend.backend() == "torch", reason="torch.compile takes minutes on a CPU")
    def test_compiled_by_xla(self, people):
        model = self.compiled(run_eagerly=False, jit_compile=True)
        losses = model.fit(self.batches(people), epochs=2, verbose=0).history["loss"]
        assert np.isfinite(losses).all()

    def test_evaluate_reports_the_same_names_and_changes_nothing(self, people):
        model, batches = self.compiled(), self.batches(people)
        history = model.fit(batches, epochs=1, verbose=0, validation_data=self.batches(people, seed=1)).history
        assert {f"val_{name}" for name in model.loss_names} < set(history)
        metrics = {id(variable) for variable in model.metrics_variables}
        state = [*model.variables, *model.optimizer.variables]
        state = [variable for variable in state if id(variable) not in metrics]
        before = [np.array(keras.ops.convert_to_numpy(variable)) for variable in state]
        result = model.evaluate(batches, verbose=0, return_dict=True)
        assert set(result) == set(model.loss_names)
        for variable, value in zip(state, before, strict=True):
            np.testing.assert_array_equal(keras.ops.convert_to_numpy(variable), value, err_msg=variable.path)

    def test_one_seed_one_result(self, people):
        runs = [self.compiled().fit(self.batches(people), epochs=1, verbose=0).history["loss"] for _ in range(2)]
        np.testing.assert_allclose(runs[0], runs[1], rtol=1e-5)
        other = self.compiled(model={"seed": 1}).fit(self.batches(people), epochs=1, verbose=0).history["loss"]
        assert abs(other[0] - runs[0][0]) > 1e-6

    def test_config_is_the_signature(self):
        model = self.model(num_classes=4)
        arguments = set(inspect.signature(type(model).__init__).parameters) - {"self", "kwargs"}
        config = model.get_config()
        assert arguments <= set(config)
        assert type(model).from_config(config).get_config() == config

    def test_inference_model_has_no_heads(self, people):
        model = self.compiled()
        model.fit(self.batches(people), epochs=1, verbose=0)
        images = np.random.default_rng(0).random((2, *self.image_size, 3), dtype="float32")
        published = model.inference_model()
        published.run_eagerly = self.eager  # as the model, or they differ by rounding
        assert published.num_classes is None
        assert published.count_params() < model.count_params()
        np.testing.assert_array_equal(published.extract(images), model.extract(images))

    def test_extract_and_score(self):
        model = self.model()
        images = np.random.default_rng(0).random((5, *self.image_size, 3), dtype="float32")
        features = model.extract(images)
        assert len(features) == 5
        scores = np.asarray(model.score(features[:2], features))
        assert scores.shape == (2, 5)
        assert (scores.argmax(axis=1) == [0, 1]).all()

    def test_wrong_images(self):
        with pytest.raises(ValueError, match=r"must have the shape \[N, 64, 32, 3\]"):
            self.model().extract(np.zeros((1, 32, 32, 3), "float32"))
        with pytest.raises(ValueError, match=r"must be float RGB in \[0, 1\]"):
            self.model().extract(np.full((1, *self.image_size, 3), 200, "uint8"))

    def test_dataset_that_does_not_fit(self, people):
        batches = self.batches(people)
        with pytest.raises(ValueError, match="head for 2 identities and the training data have 4"):
            self.compiled(model={"num_classes": 2}).fit(batches, verbose=0)
        with pytest.raises(ValueError, match="does not know the number of training identities"):
            self.compiled().fit(batches.take(1), verbose=0)
        smaller = pipeline.training(people.train, image_size=(32, 32), sampler=self.sampler)
        with pytest.raises(ValueError, match=r"the dataset gives \(32, 32\)"):
            self.compiled().fit(smaller, verbose=0)

    def test_an_unreadable_image_is_named_and_nothing_is_lost(self, people, tmp_path):
        broken = tmp_path / "broken.jpg"
        broken.write_bytes(b"no image")
        paths = people.train.path.copy()
        paths[3] = str(broken)
        table = dataclasses.replace(people.train, path=paths)
        model, images = self.compiled(), np.zeros((1, *self.image_size, 3), "float32")
        batches = pipeline.training(table, image_size=self.image_size, sampler=self.sampler)
        with pytest.raises(ValueError, match=rf"Cannot read image .*{broken.name}"):
            model.fit(batches, verbose=0)
        assert np.isfinite(np.asarray(model.extract(images))).all()


def assert_equal_variables(first, second, exact=True):
    """Equal to the bit, or, where threads may reorder a sum, to rounding."""
    assert len(first) == len(second)
    for one, two in zip(first, second, strict=True):
        one_value, two_value = keras.ops.convert_to_numpy(one), keras.ops.convert_to_numpy(two)
        if exact:
            np.testing.assert_array_equal(one_value, two_value, err_msg=one.path)
        else:
            np.testing.assert_allclose(one_value, two_value, rtol=1e-3, atol=1e-5, err_msg=one.path)
