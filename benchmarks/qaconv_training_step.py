"""One training step of QAConv with ResNet-50 as the paper trains it, on this machine: time and memory.

    python benchmarks/qaconv_training_step.py                    # a minute
    python benchmarks/qaconv_training_step.py --classes 4101     # all of MSMT17 alone

Images of 384 x 128, a batch of 8, TensorFlow, float32, and in the class memory the 751 identities of Market-1501
(74 MB) or the 4,101 of all of MSMT17 (403 MB). The first step compiles; the second is timed.
"""

import argparse
import os

from _measure import measure, write_result

BATCH, IDENTITIES, SIZE = 8, (751, 4101), (384, 128)


def training_step(identities):
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import numpy as np

    from keras_reid import zoo

    rng = np.random.default_rng(0)
    model = zoo.load("qaconv_r50", num_classes=identities)
    batch = {
        "image": rng.random((BATCH, *SIZE, 3)).astype("float32"),
        "person_id": np.arange(BATCH, dtype="int32"),
    }
    model.train_on_batch(batch)
    return lambda: float(model.train_on_batch(batch, return_dict=True)["loss"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--classes", type=int, nargs="+", default=IDENTITIES, help="identities (%(default)s)")
    classes = parser.parse_args().classes
    write_result(
        "qaconv_training_step",
        {
            "what": "one step; peak_mb is the whole process, TensorFlow included; the process may use two threads. "
            "Read cpu_s: the machine had other work, so wall_s says little",
            "sizes": {"batch": BATCH, "identities": classes, "image": SIZE},
            "seed": 0,
            "steps": {str(identities): measure(training_step, identities, threads=2) for identities in classes},
        },
    )


if __name__ == "__main__":
    main()
