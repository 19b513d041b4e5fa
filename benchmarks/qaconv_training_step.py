"""One training step of QAConv with ResNet-50 as the paper trains it, on this machine: time and memory.

    python benchmarks/qaconv_training_step.py      # half a minute

Images of 384 x 128, a batch of 8, 751 identities in the class memory (74 MB), TensorFlow, float32. The first step
compiles; the second is timed.
"""

import os

from _measure import measure, write_result

BATCH, IDENTITIES, SIZE = 8, 751, (384, 128)


def training_step():
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import numpy as np

    from keras_reid import zoo

    rng = np.random.default_rng(0)
    model = zoo.load("qaconv_r50", num_classes=IDENTITIES)
    batch = {
        "image": rng.random((BATCH, *SIZE, 3)).astype("float32"),
        "person_id": np.arange(BATCH, dtype="int32"),
    }
    model.train_on_batch(batch)
    return lambda: float(model.train_on_batch(batch, return_dict=True)["loss"])


def main():
    write_result(
        "qaconv_training_step",
        {
            "what": "one step; peak_mb is the whole process, TensorFlow included; the process may use two threads",
            "sizes": {"batch": BATCH, "identities": IDENTITIES, "image": SIZE},
            "seed": 0,
            "step": measure(training_step, threads=2),
        },
    )


if __name__ == "__main__":
    main()
