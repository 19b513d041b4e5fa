"""What is learned on two devices is what one learns from the same batches: every method, weight for weight."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

BACKEND = keras.backend.backend()
ROOT = Path(__file__).parents[2]
SEVERAL = pytest.mark.skipif(BACKEND == "torch", reason="Keras trains on one device with torch")
TENSORFLOW = pytest.mark.skipif(BACKEND != "tensorflow", reason="several hosts are TensorFlow's")


def start(file, *names, **variables):
    environment = {**os.environ, "KERAS_BACKEND": BACKEND, "PYTHONPATH": str(ROOT), **variables}
    command = [sys.executable, "-m", "tests.training.one_and_two", str(file), *names]
    return subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.PIPE, text=True)


def finish(process, status=0):
    _, error = process.communicate(timeout=900)
    assert process.returncode == status, error[-3000:]


def part(found, start):
    return {key.removeprefix(start): value for key, value in found.items() if key.startswith(start)}


def check_alike(one, two, method):
    """The change of a weight may differ by a tenth of the largest, and by what is nothing but rounding.

    One device differs that much from itself when its weights begin one millionth away.
    """
    weights = {key: value for key, value in one.items() if key.startswith("weight")}
    assert len(weights) > 10
    for key, value in one.items():
        size = 1e-6 * np.abs(value).max(initial=1e-2)
        if key in weights:
            began = one[key.replace("weight", "begin")]
            allowed = 0.1 * np.abs(value - began).max(initial=0.0) + size
        else:
            allowed = 1e3 * size
        np.testing.assert_allclose(two[key], value, rtol=0, atol=allowed, err_msg=f"{method}: {key}")
    replicas = {}
    for key, value in part(two, "copy ").items():
        replicas.setdefault(key.split()[0], []).append(value)
    assert not replicas or {len(copies) for copies in replicas.values()} == {2}
    for number, (first, second) in replicas.items():
        np.testing.assert_array_equal(first, second, err_msg=f"{method}: weight {number} differs between the replicas")


@SEVERAL
def test_two_devices_learn_what_one_does(tmp_path):
    finish(start(tmp_path / "found.npz", "baseline", "qaconv"))
    found = dict(np.load(tmp_path / "found.npz"))
    for method in ("baseline", "qaconv"):
        one, two = part(found, f"{method} one "), part(found, f"{method} two ")
        assert bool(part(two, "copy ")) == (BACKEND == "tensorflow")
        check_alike(one, two, method)
    memory = next(
        value
        for key, value in part(found, "qaconv two ").items()
        if key.startswith("weight") and key.endswith("memory/maps")
    )
    assert len(memory) == 4 and np.abs(memory).sum(axis=(1, 2, 3)).all()


@SEVERAL
@pytest.mark.slow
@pytest.mark.parametrize("method", ["qaconv_gs", "dcml", "gmn", "cmemd", "dgnet", "spgan"])
def test_two_devices_learn_what_one_does_with_every_method(method, tmp_path):
    finish(start(tmp_path / "found.npz", method))
    found = dict(np.load(tmp_path / "found.npz"))
    check_alike(part(found, f"{method} one "), part(found, f"{method} two "), method)


def cluster():
    """TF_CONFIG of two workers of this machine."""
    ports = []
    for _ in range(2):
        with socket.socket() as free:
            free.bind(("localhost", 0))
            ports.append(free.getsockname()[1])
    workers = [f"localhost:{port}" for port in ports]
    return [
        json.dumps({"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}) for index in range(2)
    ]


@TENSORFLOW
@pytest.mark.slow
def test_two_hosts_learn_what_one_does_and_survive_that_one_is_killed(tmp_path):
    finish(start(tmp_path / "one.npz", "baseline"))
    one = part(dict(np.load(tmp_path / "one.npz")), "baseline one ")
    files = [tmp_path / f"host{index}.npz" for index in range(2)]
    first, second = (
        start(file, "baseline", TF_CONFIG=task, STATE=str(tmp_path / "state"))
        for file, task in zip(files, cluster(), strict=True)
    )
    finish(second, status=-9)
    first.communicate(timeout=300)
    assert first.returncode not in (0, None), "the other host must notice"
    assert (tmp_path / "state" / "training_state.npz").exists()
    for process in [
        start(file, "baseline", TF_CONFIG=task, STATE=str(tmp_path / "state"))
        for file, task in zip(files, cluster(), strict=True)
    ]:
        finish(process)
    for file in files:
        found = part(dict(np.load(file)), "baseline hosts ")
        assert found.pop("began").tolist() in ([1, 1], [1, 2])  # in the middle of the second epoch
        one.pop("began", None)
        check_alike({key: value for key, value in one.items() if not key.startswith("loss")}, found, "baseline")
        np.testing.assert_allclose(found["loss loss"][-1], one["loss loss"][-1], rtol=1e-3)
