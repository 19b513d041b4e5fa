"""DG-Net's training step with the full-size networks on this machine, and 200 small steps in half precision.

    python benchmarks/dgnet_training_step.py                    # some ten minutes of CPU time
    python benchmarks/dgnet_training_step.py --only bfloat16

Full size: ResNet-50, 751 identities, images of 256 x 128, two pairs (four images and a partner of each), a ResNet-50
baseline as teacher, all losses at work, TensorFlow, float32. Three steps, run eagerly so that each of the three updates
can be timed; "codes, drawing, teacher" is what they share.
Half precision: the tiny networks under mixed_bfloat16, 64 x 40, eight images, a warm-up of 50 steps and a ramp of 50;
counted are the steps in which any loss is not finite.
"""

import argparse
import os
import time

from _measure import measure, write_result

PAIRS, IDENTITIES, SIZE, STEPS = 2, 751, (256, 128), 3
SMALL_STEPS, SMALL_SIZE, PEOPLE = 200, (64, 40), 8
PARTS = ("full_size", "bfloat16")


def full_size():
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import numpy as np

    from keras_reid import zoo
    from keras_reid.training import seed_everything

    seed_everything(0)
    teacher = zoo.load("baseline_r50", num_classes=IDENTITIES)
    model = zoo.load("dgnet_r50", num_classes=IDENTITIES, teacher=teacher, warmup_iterations=0, ramp_iterations=1)
    model.compile(model.optimizer, run_eagerly=True)
    model.iteration.assign(10.0)
    rng = np.random.default_rng(0)
    images = rng.random((2, 2 * PAIRS, *SIZE, 3)).astype("float32")
    batch = {"image": images[0], "partner_image": images[1], "person_id": np.arange(2 * PAIRS, dtype="int32")}
    spent, plain = {}, model.update

    def timed(groups, loss_fn):
        cpu = time.process_time()
        terms = plain(groups, loss_fn)
        name = groups if isinstance(groups, str) else "appearance encoder and heads"
        spent[name] = round(time.process_time() - cpu, 2)
        return terms

    model.update = timed

    def steps():
        found = []
        for _ in range(STEPS):
            spent.clear()
            cpu = time.process_time()
            loss = float(model.train_on_batch(batch, return_dict=True)["loss"])
            whole = round(time.process_time() - cpu, 2)
            rest = {"codes, drawing, teacher": round(whole - sum(spent.values()), 2)}
            found.append({"loss": round(loss, 3), "cpu_s": {**spent, **rest, "whole": whole}})
        return found

    return steps


def bfloat16():
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras
    import numpy as np

    from keras_reid import zoo
    from keras_reid.methods import Baseline
    from keras_reid.training import seed_everything

    seed_everything(0)
    keras.config.set_dtype_policy("mixed_bfloat16")
    widths = {"structure_width": 4, "style_width": 16, "discriminator_width": 8, "descriptor_width": 32}
    model = zoo.load(
        "dgnet_tiny", image_size=SMALL_SIZE, num_classes=PEOPLE, warmup_iterations=50, ramp_iterations=50, **widths,
        teacher=Baseline(backbone="tiny", image_size=SMALL_SIZE, num_classes=PEOPLE),
    )  # fmt: skip
    model.compile(model.optimizer)
    rng = np.random.default_rng(0)
    colours = rng.random((PEOPLE, 2, 1, 1, 3))

    def pictures(persons):
        halves = np.repeat(colours[persons], SMALL_SIZE[0] // 2, axis=2).reshape(-1, SMALL_SIZE[0], 1, 3)
        noisy = halves + rng.normal(0.0, 0.1, (len(persons), *SMALL_SIZE, 3))
        return np.clip(noisy, 0.0, 1.0).astype("float32")

    def steps():
        broken, first, last = 0, {}, {}
        for _ in range(SMALL_STEPS):
            persons = rng.permutation(PEOPLE).astype("int32")
            batch = {"image": pictures(persons), "partner_image": pictures(persons), "person_id": persons}
            model.reset_metrics()
            last = {name: float(value) for name, value in model.train_on_batch(batch, return_dict=True).items()}
            broken += not np.isfinite(list(last.values())).all()
            first = first or last
        rounded = [{name: round(value, 3) for name, value in terms.items()} for terms in (first, last)]
        return {"steps": SMALL_STEPS, "not_finite": broken, "first": rounded[0], "last": rounded[1]}

    return steps


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="parts (%(default)s)")
    only = parser.parse_args().only
    work = {"full_size": full_size, "bfloat16": bfloat16}
    write_result(
        "dgnet_training_step",
        {
            "what": "three steps at full size, and small steps in half precision; peak_mb is the whole process, "
            "TensorFlow included; the process may use two threads. Read cpu_s: the machine had other work",
            "sizes": {"pairs": PAIRS, "identities": IDENTITIES, "image": SIZE, "small_image": SMALL_SIZE},
            "seed": 0,
            **{part: measure(work[part], threads=2) for part in only},
        },
    )


if __name__ == "__main__":
    main()
