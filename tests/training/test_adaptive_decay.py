from types import SimpleNamespace

import keras
import numpy as np
import pytest

from keras_reid import pipeline, zoo
from keras_reid.training import AdaptiveDecay, OptimizerGroup, Resume, TorchSGD, seed_everything
from tests.contracts import Stop, StopAfter


def followed(losses, **options):
    """Rates after each epoch and the number of epochs trained."""
    first, second = TorchSGD(0.1), TorchSGD(0.01)
    group = OptimizerGroup({"a": first, "b": second}, patterns={"a": "a", "b": None})
    callback = AdaptiveDecay(**options)
    callback.set_model(SimpleNamespace(optimizer=group, stop_training=False))
    rates = []
    for epoch, loss in enumerate(losses):
        callback.on_epoch_end(epoch, {"loss": loss})
        rates.append((round(float(first.learning_rate), 6), round(float(second.learning_rate), 6)))
        if callback.model.stop_training:
            break
    return rates, callback


def test_rates_drop_once_and_training_ends_half_as_late_again():
    rates, callback = followed([9.0, 10.0, 8.0, 7.1, 6.9, 1.0, 1.0, 1.0, 1.0])
    assert rates == [(0.1, 0.01)] * 4 + [(0.01, 0.001)] * 3
    assert callback.last_epoch == 7  # fallen after 5


def test_the_first_epoch_does_not_count():
    rates, callback = followed([100.0, 1.0, 0.9, 0.8])
    assert rates == [(0.1, 0.01)] * 4
    assert callback.last_epoch is None


def test_rates_change_within_fit_and_a_resumed_run_goes_on(people, tmp_path):
    def run(callbacks, epochs=4):
        seed_everything(0)
        model = zoo.load("qaconv_gs_tiny", image_size=(64, 32))
        model.compile(TorchSGD(1e-3))
        data = pipeline.training(people.train, image_size=(64, 32), sampler=pipeline.PKSampler(2, 4), cache="memory")
        history = model.fit(data, epochs=epochs, verbose=0, callbacks=callbacks).history
        return model, history

    model, history = run([AdaptiveDecay(threshold=0.999)], epochs=12)
    losses = history["loss"]
    fallen = next(number for number, loss in enumerate(losses, 1) if number > 2 and loss < 0.999 * losses[1])
    assert len(losses) == fallen + fallen // 2 < 12
    assert float(keras.ops.convert_to_numpy(model.optimizer.learning_rate)) == pytest.approx(1e-4)
    with pytest.raises(Stop):
        run([AdaptiveDecay(threshold=0.999), Resume(tmp_path, every_steps=1), StopAfter(fallen, 1)], epochs=12)
    # The state is in the middle of an epoch, which on some backends is the last one.
    callback = AdaptiveDecay(threshold=0.999)
    _, again = run([callback, Resume(tmp_path)], epochs=12)
    assert callback.last_epoch == len(losses)
    np.testing.assert_allclose(again["loss"], losses[fallen:], rtol=1e-3)
    with pytest.raises(ValueError, match="saved with 1 samplers and callbacks that have a state, this training has 0"):
        run([Resume(tmp_path)])


def test_recipes_use_it():
    recipe = zoo.recipe("qaconv_gs_r50")
    optimizer = recipe.make_optimizer()
    rates = {name: float(inner.learning_rate) for name, inner in optimizer.groups.items()}
    assert rates == pytest.approx({"backbone": 0.0005, "neck": 0.005, "matcher": 0.005})
    assert optimizer.clip_norms[1] == {"groups": ["matcher"], "norm": 8.0}


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"must lie between 0 and 1. Received: 1.0, 0.1"):
        AdaptiveDecay(threshold=1.0)


def test_training_that_goes_on_in_its_last_epoch_ends_with_it(people, tmp_path):
    class StopAfterSecondEpoch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    def run(*callbacks):
        model = zoo.load("qaconv_gs_tiny", image_size=(64, 32))
        data = pipeline.training(people.train, image_size=(64, 32), sampler=pipeline.PKSampler(2, 4), cache="memory")
        return model.fit(data, epochs=5, verbose=0, callbacks=[StopAfterSecondEpoch(), *callbacks]).history

    with pytest.raises(Stop):
        run(Resume(tmp_path, every_steps=1), StopAfter(1, 1))
    assert len(run(Resume(tmp_path))["loss"]) == 1
