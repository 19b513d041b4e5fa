"""SIGKILL in the middle of an epoch, and in the middle of filling the disk cache; resumed, nothing is lost."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

SCRIPT = """
import sys
from keras_reid.training import seed_everything
seed_everything(3, deterministic=True)
from pathlib import Path
import keras, numpy as np
from keras_reid import pipeline, zoo
from keras_reid.training import Resume, TorchAdam
from tests.people import coloured_people

class Slow(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        print("step", flush=True)
        if sys.argv[3] == "slow":
            import time
            time.sleep(0.5)

folder, out = Path(sys.argv[1]), Path(sys.argv[2])
people = coloured_people(folder)
model = zoo.load("baseline_tiny", image_size=(64, 32))
model.compile(TorchAdam(1e-3))
data = pipeline.training(people.train, image_size=(64, 32), sampler=pipeline.PKSampler(2, 4), cache=folder / "cache")
callbacks = [Resume(out / "state", every_steps=1), Slow()]
model.fit(data, epochs=4, verbose=0, callbacks=callbacks)
np.savez(out / "weights.npz", *[keras.ops.convert_to_numpy(v) for v in model.weights])
"""


def start(folder, out, pace="fast"):
    out.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", SCRIPT, str(folder), str(out), pace]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process):
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors[-2000:]


def weights(out):
    with np.load(out / "weights.npz") as file:
        return [file[name] for name in file.files]


def test_killed_and_resumed_equals_never_killed(tmp_path):
    pytest.importorskip("tensorflow")
    straight = start(tmp_path / "a", tmp_path / "straight")
    killed = start(tmp_path / "b", tmp_path / "killed", "slow")
    for _ in range(3):  # two steps an epoch: the third is the first of the second epoch
        assert killed.stdout.readline() == "step\n", killed.stderr.read()[-2000:]
    time.sleep(0.1)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert not (tmp_path / "killed" / "weights.npz").exists()
    finish(start(tmp_path / "b", tmp_path / "killed"))
    finish(straight)
    for one, two in zip(weights(tmp_path / "straight"), weights(tmp_path / "killed"), strict=True):
        np.testing.assert_array_equal(one, two)
