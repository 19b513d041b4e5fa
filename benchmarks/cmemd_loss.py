"""What optimal transport costs in a training step of CM-EMD: three solvers, four and eight images per identity.

    python benchmarks/cmemd_loss.py      # some minutes

A batch is 64 images: 8 identities x (4 + 4), or 4 identities x (8 + 8). Measured is the CPU time of the transport
losses of all features with their gradient, compiled as in training, beside that of a whole training step on
TensorFlow: of `cmemd_tiny` as it is, and of `cmemd_r50` from a step of 16 images, counted four times, because 64 do not
fit into the memory of a small machine.
"""

import os
import time

from _measure import measure, write_result

BATCH, STEPS = 64, 5
IMAGES = (4, 8)
PLANS = ("exact", "sinkhorn", "uniform")
# entry -> images of the measured step, channels of the global feature and of the stripes
ENTRIES = {"cmemd_tiny": (64, 256, 64), "cmemd_r50": (16, 2048, 256)}
FINE = 11  # six stripes and five running means


def whole_step(name, batch):
    """Steps of the whole network, with the plan that costs next to nothing."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import numpy as np

    from keras_reid import zoo

    rng = np.random.default_rng(0)
    model = zoo.load(name, num_classes=395, plan="uniform")
    data = {
        "image": rng.random((batch, *model.image_size, 3)).astype("float32"),
        "person_id": np.tile(np.repeat(np.arange(batch // 8, dtype="int32"), 4), 2),
    }
    model.train_on_batch(data)
    steps = STEPS if name.endswith("tiny") else 1
    return lambda: [float(model.train_on_batch(data, return_dict=True)["loss"]) for _ in range(steps)]


def transport():
    """CPU seconds of the transport losses of one step, of all features, with their gradient."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import numpy as np
    import tensorflow as tf

    from keras_reid.losses import cross_modality_emd

    rng = np.random.default_rng(0)

    def prepared(plan, images, channels, part_channels):
        identities = BATCH // 2 // images
        shapes = [(identities, images, channels), (FINE * identities, images, part_channels)]
        features = [tf.constant(rng.normal(size=shape).astype("float32")) for shape in shapes for _ in range(2)]

        @tf.function
        def step(*features):
            with tf.GradientTape() as tape:
                tape.watch(features)
                total = cross_modality_emd(*features[:2], plan) + cross_modality_emd(*features[2:], plan)
            return total, tape.gradient(total, features)

        step(*features)  # compiles

        def seconds():
            before = time.process_time()
            for _ in range(STEPS):
                float(step(*features)[0])
            return (time.process_time() - before) / STEPS

        return seconds

    works = {
        f"{name} {images} {plan}": prepared(plan, images, channels, part_channels)
        for name, (_, channels, part_channels) in ENTRIES.items()
        for images in IMAGES
        for plan in PLANS
    }
    return lambda: {key: work() for key, work in works.items()}


def main():
    costs = measure(transport, threads=2)["value"]
    rows = []
    for name, (batch, _, _) in ENTRIES.items():
        steps = STEPS if name.endswith("tiny") else 1
        whole = measure(whole_step, name, batch, threads=2)["cpu_s"] / steps * BATCH / batch
        for images in IMAGES:
            for plan in PLANS:
                cost = costs[f"{name} {images} {plan}"]
                rows.append(
                    {
                        "entry": name,
                        "images_per_identity": images,
                        "plan": plan,
                        "transport_cpu_s": round(cost, 4),
                        "step_cpu_s": round(whole, 3),
                        "share": round(cost / whole, 4),
                    }
                )
    write_result(
        "cmemd_loss",
        {
            "what": "CPU seconds of the transport losses with gradient, of a whole step of 64 images, and their share",
            "sizes": {"batch": BATCH, "measured images of a step": {name: e[0] for name, e in ENTRIES.items()}},
            "seed": 0,
            "rows": rows,
        },
    )


if __name__ == "__main__":
    main()
