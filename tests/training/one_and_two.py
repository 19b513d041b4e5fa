"""Trains methods on one device and then on two, from the same seed on the same batches: ``FILE METHOD ...``.

A process of its own, for virtual devices are made before anything is computed. The file holds, for ``one`` and ``two``
devices, the losses of every epoch, how every weight began and what it became, and on TensorFlow every replica's copy
of it.

Where ``TF_CONFIG`` names several hosts it trains on these alone, ``hosts``. With ``STATE`` in the environment it keeps
its state in that folder, and the second host dies there the first time, in the middle of the second epoch.
"""

import os
import signal
import sys
import tempfile

import numpy as np

SIZES = {"cmemd": (96, 48), "dgnet": (128, 64), "spgan": (64, 64)}


def makers():
    """Method by name: how it is made, from the training table, and its sampler."""
    import keras_reid.methods as methods
    from keras_reid.pipeline import CrossModalityPKSampler, DomainPKSampler, PKSampler, UniformSampler

    def dcml(size):
        rng = np.random.default_rng(0).normal(size=(24, 256)).astype("float32")
        source = methods.DCML(backbone="tiny", image_size=size)
        return source.target_model(rng / np.linalg.norm(rng, axis=1, keepdims=True))

    return {
        "baseline": (
            lambda size: methods.Baseline(backbone="tiny", centre_weight=0.1, image_size=size),
            PKSampler(4, 2, passes=3),
        ),
        "qaconv": (
            lambda size: methods.QAConv(backbone="tiny", channels=8, initialization="averaging", image_size=size),
            UniformSampler(8),
        ),
        "qaconv_gs": (
            lambda size: methods.QAConv(version="qaconv_gs", backbone="tiny", channels=8, image_size=size),
            PKSampler(4, 2),
        ),
        "dcml": (dcml, PKSampler(4, 2)),
        "gmn": (
            lambda size: methods.GMN(backbone="tiny", hidden=(8,), perturbation=0.5, warmup_steps=1, image_size=size),
            DomainPKSampler(4, 2),
        ),
        "cmemd": (
            lambda size: methods.CMEMD(backbone="tiny", part_channels=8, images_per_identity=2, image_size=size),
            CrossModalityPKSampler(2, 2),
        ),
        "dgnet": (
            lambda size: methods.DGNet(
                backbone="tiny",
                structure_width=4,
                style_width=8,
                discriminator_width=4,
                dropouts=(0.0, 0.0),
                image_size=size,
            ),
            UniformSampler(8),
        ),
        "spgan": (
            lambda size: methods.SPGAN(width=2, blocks=1, history=8, warmup_iterations=0, image_size=size),
            DomainPKSampler(4, 2),
        ),
    }


def optimizer(name):
    """Momentum, and for QAConv-GS clipping by the norm of the whole gradient."""
    import keras

    from keras_reid.training import OptimizerGroup

    # Small enough that rounding is not amplified (a ReLU or a hardest negative that flips, CM-EMD's steep ratio of
    # variances): what is compared are the steps, not where they lead.
    rate = 2e-5 if name == "cmemd" else 1e-4
    sgd = lambda: keras.optimizers.SGD(rate, momentum=0.9)  # noqa: E731
    if name == "qaconv_gs":
        return OptimizerGroup({"all": sgd()}, {"all": None}, clip_norms=[{"groups": ["all"], "norm": 0.5}])
    if name == "dgnet":
        parts = {"discriminator": r"(.*/)?discriminator/.*", "generator": r"(.*/)?(structure_encoder|decoder)/.*"}
        parts |= {"backbone": r"(.*/)?backbone/.*", "heads": None}
        return OptimizerGroup({group: sgd() for group in parts}, parts)
    if name == "spgan":
        parts = {"generator": r"(.*/)?generator_.*", "discriminator": r"(.*/)?discriminator_.*", "metric": None}
        return OptimizerGroup({group: sgd() for group in parts}, parts)
    return sgd()


def table_in(folder):
    """24 pictures of 4 persons, of two cameras, modalities and domains."""
    from keras_reid.datasets import ReIDTable
    from tests.pipeline.images import write_table

    persons = np.repeat(np.arange(4), 6)
    table = write_table(folder, persons)
    return ReIDTable.from_columns(
        table.path, persons, table.camera_id, modality=np.arange(24) % 2, domain=(persons >= 2).astype(int)
    )


def killed(devices, state):
    """Kills this process after five steps, if it is the second host and nothing was saved before."""
    import keras

    steps = iter(range(1, 100))

    def step_done(batch, logs):
        if next(steps) == 5:
            os.kill(os.getpid(), signal.SIGKILL)

    dies = not devices.first_host and not state.file.exists()
    return [keras.callbacks.LambdaCallback(on_train_batch_end=step_done)] if dies else []


def trained(name, devices, table, epochs=2, folder=None):
    """What a method is after training on the devices."""
    import keras

    from keras_reid import pipeline
    from keras_reid.training import Resume

    make, sampler = makers()[name]
    keras.utils.set_random_seed(0)
    with devices.scope():
        model = make(SIZES.get(name, (64, 32)))
        model.compile(optimizer(name))
    if name == "dgnet":  # what is drawn at random is drawn by each replica for itself
        model.erasing.probability = 0.0
    if name == "spgan":
        model.metric.dropout.rate = 0.0
    found = {}

    def begin(logs):
        found.update({f"begin {number} {weight.path}": weight.numpy() for number, weight in enumerate(model.weights)})

    data = pipeline.training(table, model.image_size, sampler=sampler, partner=model.uses_partner, cache="memory")
    callbacks, began = [keras.callbacks.LambdaCallback(on_train_begin=begin)], (0, 0)
    if folder is not None:
        state = Resume(folder, every_steps=1)
        began, callbacks = state.position(), [*callbacks, state, *killed(devices, state)]
    history = model.fit(data, epochs=epochs, verbose=0, callbacks=callbacks).history
    found |= {f"loss {key}": np.array(values) for key, values in history.items()} | {"began": np.array(began)}
    for number, weight in enumerate(model.weights):
        found[f"weight {number} {weight.path}"] = weight.numpy()
        for replica, copy in enumerate(getattr(weight.value, "values", ())):
            found[f"copy {number} {replica}"] = copy.numpy()
    features = model.extract(np.random.default_rng(1).random((5, *model.image_size, 3)))  # not divisible by two
    return found | {"features": features, "scores": model.score(features[:2], features)}


def main(file, names):
    """One device, then two."""
    from keras_reid.training import Devices, several_devices

    found = {}
    with tempfile.TemporaryDirectory() as folder:
        table = table_in(folder)
        if "TF_CONFIG" in os.environ:
            with several_devices() as devices:
                for name in names:
                    values = trained(name, devices, table, folder=os.environ.get("STATE"))
                    found |= {f"{name} hosts {key}": value for key, value in values.items()}
            np.savez(file, **found)
            return
        with several_devices(2) as devices:
            two = {name: trained(name, devices, table) for name in names}
        for name in names:
            for count, values in (("one", trained(name, Devices(), table)), ("two", two[name])):
                found |= {f"{name} {count} {key}": value for key, value in values.items()}
    np.savez(file, **found)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
