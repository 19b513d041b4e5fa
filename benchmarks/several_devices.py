"""One device, two devices and two hosts train the same thing: loss curves, class memory, and a host that is killed.

    python benchmarks/several_devices.py

Every training is a process of its own: on one device, on two virtual devices of the CPU (TensorFlow's MirroredStrategy,
JAX's DataParallel), and as two workers of this machine (MultiWorkerMirroredStrategy). All have the batch of 8 images in
common, and the seed. For scale, one device once more from weights one millionth away ("nudged"): rounding alone sets
trainings apart, for a ReLU or a hardest negative flips. Then the second worker is killed at step 23 of 50, and both are
started again.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

SIZE, PERSONS, IMAGES, STEPS = (64, 32), 8, 5, 50
KILLED_AT, SAVED_EVERY, LIMIT_S = 23, 10, 1800
RATE = {"baseline_tiny": 0.002, "qaconv_tiny": 0.002}


def table_in(folder: Path):
    """Pictures of noise in a colour of the person's: something to learn, and small."""
    from PIL import Image

    from keras_reid.datasets import ReIDTable

    rng = np.random.default_rng(0)
    folder.mkdir(exist_ok=True)
    persons = np.repeat(np.arange(PERSONS), IMAGES)
    paths = [folder / f"{row:03d}.png" for row in range(len(persons))]
    colours = rng.random((PERSONS, 1, 1, 3))
    for path, person in zip(paths, persons, strict=True):
        picture = 0.6 * colours[person] + 0.4 * rng.random((*SIZE, 3))
        Image.fromarray((255 * picture).astype("uint8")).save(path)
    return ReIDTable.from_columns(paths, persons, np.arange(len(persons)) % 2)


def train(name: str, devices, folder: Path, file: Path, kill: bool, nudged: bool) -> None:
    """Trains one method and keeps its curve, its weights and its class memory."""
    import keras

    from keras_reid import pipeline, zoo
    from keras_reid.pipeline import PKSampler, UniformSampler
    from keras_reid.training import Resume, TorchSGD

    keras.utils.set_random_seed(0)
    with devices.scope():
        model = zoo.load(name, image_size=SIZE)
        model.compile(TorchSGD(RATE[name], momentum=0.9))
    if nudged:
        rng = np.random.default_rng(1)
        for weight in model.trainable_weights:
            weight.assign(weight.numpy() * (1 + 1e-6 * rng.standard_normal(weight.shape)))
    sampler = PKSampler(4, 2, passes=5) if name == "baseline_tiny" else UniformSampler(8)
    data = pipeline.training(table_in(folder / f"images{os.getpid()}"), SIZE, sampler=sampler, cache="memory")
    callbacks = [Resume(folder / f"state_{file.stem.split('-')[0]}", every_steps=SAVED_EVERY)] if kill else []
    first = not callbacks or not callbacks[0].file.exists()
    if kill and first and not devices.first_host:
        callbacks.append(keras.callbacks.LambdaCallback(on_train_batch_end=_die_in_time(data.steps_per_epoch)))
    began = callbacks[0].position() if callbacks else (0, 0)
    history = model.fit(data, epochs=STEPS // data.steps_per_epoch, callbacks=callbacks, verbose=0).history
    found = {f"weight_{index}": weight.numpy() for index, weight in enumerate(model.weights)}
    if name == "qaconv_tiny":
        found |= {"maps": model.memory.maps.numpy(), "valid": model.memory.valid.numpy()}
    np.savez(file, curve=np.array(history["loss"]), began=np.array(began), **found)


def _die_in_time(steps_per_epoch: int):
    done = iter(range(1, STEPS + 1))

    def step_done(batch, logs):
        if next(done) == KILLED_AT:
            os.kill(os.getpid(), signal.SIGKILL)

    return step_done


def child(name: str, count: str, folder: str, file: str, kill: str) -> None:
    """One training in a process of its own."""
    from keras_reid.training import several_devices

    number = {"hosts": None, "nudged": 1}.get(count, count)
    with several_devices(number and int(number)) as devices:
        train(name, devices, Path(folder), Path(file), kill == "kill", count == "nudged")


def start(backend: str, name: str, count: str, folder: Path, file: Path, kill: bool = False, cluster: str = ""):
    """Starts a training; several hosts are told of each other by TF_CONFIG."""
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(Path(__file__).parents[1])}
    environment |= {"TF_CONFIG": cluster} if cluster else {}
    arguments = [name, count, str(folder), str(file), "kill" if kill else "live"]
    command = [sys.executable, __file__, *arguments]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)


def finish(process) -> tuple[int, str]:
    """Exit status and last line of the error of a process."""
    _, error = process.communicate(timeout=LIMIT_S)
    return process.returncode, (error.strip().splitlines() or [""])[-1]


def alone(backend: str, name: str, count: str, folder: Path) -> dict:
    """A training on one host."""
    file = folder / f"{backend}_{name}_{count}.npz"
    status, error = finish(start(backend, name, count, folder, file))
    if status:
        raise SystemExit(f"{backend} {name} on {count}: {error}")
    return dict(np.load(file))


def as_hosts(
    name: str, folder: Path, label: str, kill: bool = False
) -> tuple[list[tuple[int, str]], list[Path], float]:
    """A training by two workers of this machine: how they ended, what they wrote, and after how many seconds."""
    ports = []
    for _ in range(2):
        with socket.socket() as free:
            free.bind(("localhost", 0))
            ports.append(free.getsockname()[1])
    workers = [f"localhost:{port}" for port in ports]
    files, processes, began = [folder / f"{label}-{index}.npz" for index in range(2)], [], time.time()
    for index, file in enumerate(files):
        task = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
        processes.append(start("tensorflow", name, "hosts", folder, file, kill, json.dumps(task)))
    return [finish(process) for process in processes], files, time.time() - began


def difference(one: dict, two: dict) -> dict:
    """Curves side by side, and the greatest differences relative to the largest number."""

    def relative(key):
        return float(np.abs(one[key] - two[key]).max() / max(np.abs(one[key]).max(), 1e-6))

    found = {"curve": two["curve"].round(5).tolist(), "curve_difference": relative("curve")}
    found["weights_difference"] = max(relative(key) for key in one if key.startswith("weight_") and one[key].size)
    if "maps" in one:
        found["class_memory_difference"] = relative("maps")
        found["identities_in_memory"] = [int(x["valid"].sum()) for x in (one, two)]
    return found


def main() -> dict:
    """Runs everything and returns what is written."""
    outcome: dict = {"curves": {}}
    with tempfile.TemporaryDirectory() as name_of_folder:
        folder = Path(name_of_folder)
        for name in RATE:
            for backend in ("tensorflow", "jax"):
                one, two, nudged = (alone(backend, name, count, folder) for count in ("1", "2", "nudged"))
                row = {
                    "one_device_curve": one["curve"].round(5).tolist(),
                    "two_devices": difference(one, two),
                    "one_device_nudged": difference(one, nudged),
                }
                if backend == "tensorflow":
                    ends, files, _ = as_hosts(name, folder, name)
                    if any(status for status, _ in ends):
                        raise SystemExit(f"Two hosts, {name}: {ends}")
                    hosts = [dict(np.load(file)) for file in files]
                    row["two_hosts"] = difference(one, hosts[0])
                    row["hosts_agree"] = all(np.array_equal(hosts[0][key], hosts[1][key]) for key in hosts[0])
                outcome["curves"][f"{name} {backend}"] = row
        whole = dict(np.load(folder / "baseline_tiny-0.npz"))
        ends, _, seconds = as_hosts("baseline_tiny", folder, "killed", kill=True)
        again, files, _ = as_hosts("baseline_tiny", folder, "killed", kill=True)
        after = dict(np.load(files[0]))
        outcome["killed"] = {
            "second_worker_killed_at_step": KILLED_AT,
            "ends": [{"status": status, "error": error} for status, error in ends],
            "seconds_until_both_ended": round(seconds, 1),
            "restarted_ends": [status for status, _ in again],
            "restarted_at_epoch_and_step": after["began"].tolist(),
            "curve_after": after["curve"].round(5).tolist(),
            "weights_difference_from_never_killed": difference(whole, {**after, "curve": whole["curve"]})[
                "weights_difference"
            ],
        }
    return outcome


if __name__ == "__main__":
    if len(sys.argv) > 1:
        child(*sys.argv[1:])
    else:
        from _measure import write_result

        settings = {"size": SIZE, "persons": PERSONS, "images": IMAGES, "steps": STEPS, "batch": 8, "rate": RATE}
        write_result("several_devices", {"settings": settings, **main()})
