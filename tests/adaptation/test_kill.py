"""SIGKILL in the second round; resumed, the records and the weights are those of a run that was never killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

SCRIPT = """
import sys, time
from keras_reid.training import seed_everything
seed_everything(3, deterministic=True)
from pathlib import Path
import keras, numpy as np
from keras_reid import zoo
from keras_reid.adaptation import AdaptationPlan, Clustering, adapt
from tests.people import coloured_people

class Pace(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        print("step", flush=True)
        if sys.argv[3] == "slow":
            time.sleep(0.5)

out, resume = Path(sys.argv[2]), sys.argv[4] == "resume"
people = coloured_people(Path(sys.argv[1]))
model = zoo.load("dcml_tiny", image_size=(64, 32))
plan = AdaptationPlan(rounds=3, epochs=2, last_epochs=1, identities=2, images=4, transforms=({"name": "flip"},))
adapt(model, None, people, plan=plan, clustering=Clustering(k1=7, k2=3, closest_share=0.35), evaluate_on=people,
      out=out, resume=resume, save_every=1, callbacks=[Pace()], verbose=False)
np.savez(out / "weights.npz", *[keras.ops.convert_to_numpy(v) for v in model.inference_model().weights])
"""


def start(folder, out, pace="fast", how="begin"):
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", SCRIPT, str(folder), str(out), pace, how]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process):
    _, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors[-2000:]


def weights(out):
    with np.load(out / "weights.npz") as file:
        return [file[name] for name in file.files]


def test_killed_in_the_second_round_and_resumed_equals_never_killed(tmp_path):
    pytest.importorskip("tensorflow")
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    finish(start(tmp_path / "people", straight))
    process = start(tmp_path / "people", killed, "slow")
    while not (killed / "round_2" / "state").exists():  # its first step is saved
        assert process.stdout.readline() == "step\n", process.stderr.read()[-2000:]
    time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (killed / "round_3").exists()
    assert not (killed / "weights.npz").exists()
    finish(start(tmp_path / "people", killed, how="resume"))
    assert (straight / "adaptation.json").read_text() == (killed / "adaptation.json").read_text()
    for one, two in zip(weights(straight), weights(killed), strict=True):
        np.testing.assert_array_equal(one, two)
