"""The same baseline on TensorFlow, JAX and torch from equal weights: losses and gradients of step 1, then 20 steps.

    python benchmarks/backend_agreement.py

Each backend runs in a process of its own on the same weights and batches (float32). Reported against TensorFlow: the
named losses and the gradients of the first step, and the losses of 20 steps with Adam at the recipe's learning rate,
and with a steep SGD, which amplifies rounding and may drift apart: that is shown, not hidden.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

BACKENDS = ("tensorflow", "jax", "torch")
BATCH, IDENTITIES, SIZE, STEPS = 16, 4, (64, 32), 20


def batches():
    """Images that differ by identity, labels: the same in every process."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(IDENTITIES, dtype="int32"), BATCH // IDENTITIES)
    colours = rng.random((IDENTITIES, 1, 1, 3))
    for _ in range(STEPS):
        noise = rng.random((BATCH, *SIZE, 3))
        yield {"image": (0.6 * colours[labels] + 0.4 * noise).astype("float32"), "person_id": labels}


def child(folder: Path) -> None:
    """One backend: the gradient of step 1 (an SGD step of rate 1), then 20 steps with each optimiser."""
    import keras

    from keras_reid import zoo
    from keras_reid.training import TorchAdam, TorchSGD

    def fresh(optimizer):
        model = zoo.load("baseline_tiny", image_size=SIZE, num_classes=IDENTITIES)
        if (folder / "weights.npz").exists():
            with np.load(folder / "weights.npz") as file:
                for index, variable in enumerate(model.weights):
                    variable.assign(file[str(index)])
        else:
            values = {str(index): keras.ops.convert_to_numpy(v) for index, v in enumerate(model.weights)}
            np.savez(folder / "weights.npz", **values)
        model.compile(optimizer)
        return model

    def values(model):
        if hasattr(model, "jax_state_sync"):
            model.jax_state_sync()
        return [np.array(keras.ops.convert_to_numpy(v)) for v in model.trainable_variables]

    result = {}
    model = fresh(TorchSGD(1.0))
    before = values(model)
    first = model.train_on_batch(next(iter(batches())), return_dict=True)
    gradients = [old - new for old, new in zip(before, values(model), strict=True)]
    result["first"] = {name: float(value) for name, value in first.items()}
    rate = zoo.recipe("baseline_r50").optimizer["learning_rate"]
    for name, optimizer in (("adam", TorchAdam(rate)), ("steep_sgd", TorchSGD(0.5, momentum=0.9))):
        model, losses = fresh(optimizer), []
        for batch in batches():
            model.reset_metrics()
            losses.append(float(model.train_on_batch(batch, return_dict=True)["loss"]))
        result[name] = losses
    backend = keras.backend.backend()
    np.savez(folder / f"{backend}_gradients.npz", *gradients)
    (folder / f"{backend}.json").write_text(json.dumps(result))


def compare(folder: Path) -> dict:
    """Greatest relative difference of each backend from TensorFlow."""
    results = {backend: json.loads((folder / f"{backend}.json").read_text()) for backend in BACKENDS}
    gradients = {}
    for backend in BACKENDS:
        with np.load(folder / f"{backend}_gradients.npz") as file:
            gradients[backend] = [file[name] for name in file.files]
    report = {}
    for backend in BACKENDS[1:]:
        pairs = list(zip(gradients["tensorflow"], gradients[backend], strict=True))
        ours, reference = results[backend], results["tensorflow"]
        report[backend] = {
            "first_losses": max(
                abs(ours["first"][k] - v) / max(abs(v), 1e-6) for k, v in reference["first"].items() if k != "accuracy"
            ),
            "first_gradients": max(float(np.linalg.norm(a - b) / max(np.linalg.norm(a), 1e-6)) for a, b in pairs),
            **{
                f"losses_of_{STEPS}_steps_{name}": max(
                    abs(a - b) / abs(a) for a, b in zip(reference[name], ours[name], strict=True)
                )
                for name in ("adam", "steep_sgd")
            },
        }
    return report


def main() -> dict:
    """Runs the three backends and returns the comparison."""
    with tempfile.TemporaryDirectory() as name:
        for backend in BACKENDS:
            environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(Path(__file__).parents[1])}
            subprocess.run([sys.executable, __file__, name], env=environment, check=True)
        return compare(Path(name))


if __name__ == "__main__":
    if len(sys.argv) == 2:
        child(Path(sys.argv[1]))
    else:
        from _measure import write_result

        outcome = main()
        print(json.dumps(outcome, indent=1))
        write_result("backend_agreement", {"against": "tensorflow", "relative_difference": outcome})
