import os
import signal

import keras
import numpy as np
import pytest

from keras_reid import pipeline, zoo
from keras_reid.training import Resume, TorchAdam


def compiled(**overrides):
    model = zoo.load("baseline_tiny", image_size=(64, 32), **overrides)
    model.compile(TorchAdam(1e-3))
    return model


def batches(people):
    return pipeline.training(people.train, image_size=(64, 32), sampler=pipeline.PKSampler(2, 4))


def test_nothing_saved_is_the_beginning(tmp_path):
    assert Resume(tmp_path / "new").position() == (0, 0)


def test_a_finished_run_has_nothing_left_to_do(people, tmp_path):
    compiled().fit(batches(people), epochs=1, verbose=0, callbacks=[Resume(tmp_path)])
    assert Resume(tmp_path).position() == (1, 0)
    history = compiled().fit(batches(people), epochs=1, verbose=0, callbacks=[Resume(tmp_path)]).history
    assert history == {}


def test_another_models_state_is_refused(people, tmp_path):
    compiled().fit(batches(people), epochs=1, verbose=0, callbacks=[Resume(tmp_path)])
    with pytest.raises(ValueError, match="belongs to another model or optimiser"):
        compiled(pooling="gem").fit(batches(people), epochs=1, verbose=0, callbacks=[Resume(tmp_path)])


def test_a_half_written_state_is_never_seen(people, tmp_path, monkeypatch):
    model = compiled()
    resume = Resume(tmp_path)
    model.fit(batches(people), epochs=1, verbose=0, callbacks=[resume])

    def full_disk(*arguments, **options):
        raise OSError("No space left on device")

    monkeypatch.setattr(np, "savez", full_disk)
    with pytest.raises(OSError, match="No space left"):
        resume.save(7, 7)
    assert resume.position() == (1, 0)


@pytest.mark.parametrize(
    ("step", "place", "position"), [(0, "after step 1 of epoch 1", (0, 1)), (1, "after epoch 1", (1, 0))]
)
def test_control_c_finishes_the_step_and_saves(people, tmp_path, capsys, step, place, position):
    class PressControlC(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == step:  # of two
                os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt, match=place):
        compiled().fit(batches(people), epochs=2, verbose=0, callbacks=[Resume(tmp_path), PressControlC()])
    assert Resume(tmp_path).position() == position
    assert signal.getsignal(signal.SIGINT) is before
    assert "Stopping after this step" in capsys.readouterr().out


class StopInTheFirstEpoch(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = True


def test_a_training_that_was_stopped_stays_stopped(people, tmp_path):
    compiled().fit(batches(people), epochs=3, verbose=0, callbacks=[StopInTheFirstEpoch(), Resume(tmp_path)])
    history = compiled().fit(batches(people), epochs=3, verbose=0, callbacks=[Resume(tmp_path)]).history
    assert history == {}
    assert Resume(tmp_path).position() == (1, 0)


def test_nan_is_not_kept(people, tmp_path):
    model = compiled()
    model.fit(batches(people), epochs=1, verbose=0, callbacks=[Resume(tmp_path)])
    model.neck.gamma.assign(np.full(256, np.nan, "float32"))
    callbacks = [keras.callbacks.TerminateOnNaN(), Resume(tmp_path / "again")]
    model.fit(batches(people), epochs=2, verbose=0, callbacks=callbacks)
    assert Resume(tmp_path / "again").position() == (0, 0)


def test_a_failing_training_gives_control_c_back(people, tmp_path):
    class Fail(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise RuntimeError("full disk")

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(RuntimeError, match="full disk"):
        compiled().fit(batches(people), epochs=1, verbose=0, callbacks=[Resume(tmp_path), Fail()])
    assert signal.getsignal(signal.SIGINT) is before


def test_bad_arguments(tmp_path):
    with pytest.raises(ValueError, match="`every_steps` must be at least 1"):
        Resume(tmp_path, every_steps=0)


def test_a_dataset_without_its_order_cannot_go_on_in_an_epoch(people, tmp_path):
    data = batches(people)
    with pytest.raises(ValueError, match="after 1 steps.*has lost its order"):
        Resume(tmp_path).remainder(data.map(lambda batch: batch), 1)
    assert len(list(Resume(tmp_path).remainder(data, 1))) == data.steps_per_epoch - 1
