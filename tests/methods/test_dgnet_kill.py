"""SIGKILL within an epoch of DG-Net: four optimisers, a coin and two schedules go on as if nothing had been."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = """
import sys
from keras_reid.training import seed_everything
seed_everything(3, deterministic=True)
from pathlib import Path
import json, keras
from keras_reid import pipeline, zoo
from keras_reid.methods import Baseline
from keras_reid.training import Resume
from tests.methods.test_dgnet import SIZE, SMALL
from tests.people import coloured_people

class Say(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        print(json.dumps({name: float(value) for name, value in logs.items()}), flush=True)
        if sys.argv[3] == "slow":
            import time
            time.sleep(0.5)

folder, out = Path(sys.argv[1]), Path(sys.argv[2])
people = coloured_people(folder)
teacher = Baseline(backbone="tiny", image_size=SIZE, num_classes=4)
model = zoo.load("dgnet_tiny", image_size=SIZE, teacher=teacher, **SMALL)
data = pipeline.training(people.train, image_size=SIZE, sampler=pipeline.UniformSampler(16), partner=True)
model.fit(data, epochs=3, verbose=0, callbacks=[Resume(out / "state", every_steps=1), Say()])
"""


def start(folder, out, pace="fast"):
    out.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", SCRIPT, str(folder), str(out), pace]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def losses(process):
    said, errors = process.communicate(timeout=1200)
    assert process.returncode == 0, errors[-2000:]
    return [json.loads(line) for line in said.splitlines()]


@pytest.mark.slow
def test_the_losses_after_a_kill_are_those_of_a_run_that_was_not_killed(tmp_path):
    pytest.importorskip("tensorflow")
    expected = losses(start(tmp_path / "people", tmp_path / "straight"))
    assert len(expected) == 6  # three epochs of two steps
    killed = start(tmp_path / "people", tmp_path / "killed", "slow")
    first = [json.loads(killed.stdout.readline()) for _ in range(3)]
    time.sleep(0.1)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert first == expected[:3]
    assert losses(start(tmp_path / "people", tmp_path / "killed")) == expected[3:]
