"""Errors and settings of several devices, in this process, which has one."""

import json
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from keras_reid import methods, pipeline, training
from keras_reid.training import backend, fitting
from keras_reid.training.devices import too_few
from tests.pipeline.images import write_table

BACKEND = keras.backend.backend()


def test_one_device_is_what_it_was():
    with training.several_devices() as devices, devices.scope():
        assert (devices.count, devices.first_host) == (1, True)
        assert repr(devices) == "Devices(count=1, first_host=True)"


@pytest.mark.skipif(BACKEND != "tensorflow", reason="what there is depends on the backend")
def test_fewer_devices_than_asked_for():
    keras.ops.zeros(1)  # from now on there are no new virtual devices
    with pytest.raises(ValueError, match="64 devices were asked for and there are 1: CPU:0. Ask for at most 1"):
        with training.several_devices(64):
            pass
    assert "there are 2: GPU:0, GPU:1" in str(too_few(3, ["GPU:0", "GPU:1"]))


@pytest.mark.skipif(BACKEND != "torch", reason="the others can")
def test_torch_trains_on_one():
    with pytest.raises(ValueError, match="Keras trains on one device with torch. Received: devices=2"):
        with training.several_devices(2):
            pass


def test_a_number_of_devices_is_a_positive_integer():
    with pytest.raises(ValueError, match="`devices` must be an integer of at least 1. Received: 0"):
        with training.several_devices(0):
            pass


class Hosts:
    """A backend on which two hosts say different things."""

    def __init__(self, *said):
        self.said = np.array(said)

    def over_hosts(self, model, numbers):
        return self.said


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ([(2, 10, 5), (0, 0, 5)], "not go on at the same place, but at epoch 0 step 0, epoch 2 step 10. The folder"),
        ([(0, 0, 5), (0, 0, 6)], "The hosts plan different batches. Give each of them the same images"),
    ],
)
def test_hosts_that_are_not_in_step(monkeypatch, said, message):
    monkeypatch.setattr(backend, "current", lambda: Hosts(*said))
    with pytest.raises(ValueError, match=message):
        fitting._check_hosts(None, SimpleNamespace(), 0, 0)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="several hosts are TensorFlow's")
def test_a_host_that_is_gone_is_a_sentence(monkeypatch):
    import tensorflow as tf

    from keras_reid.training import backend_tensorflow

    model = SimpleNamespace(distribute_strategy=tf.distribute.get_strategy())
    gone = tf.errors.UnavailableError(None, None, "Collective ops is aborted by: Socket closed")
    with pytest.raises(tf.errors.UnavailableError), backend_tensorflow.surviving(model):
        raise gone
    monkeypatch.setattr(backend_tensorflow, "_hosts", lambda strategy: 2)
    with pytest.raises(ConnectionError, match="gone or does not answer. Start all hosts again.*--resume"):
        with backend_tensorflow.surviving(model):
            raise gone


def test_the_first_host_plans_for_all(monkeypatch):
    labels = np.repeat(np.arange(4), 3)
    samplers = []
    for seed in (0, 1):
        sampler = pipeline.GraphSampler(batch_size=4, images=2)
        sampler._plan = sampler.arrange(labels, np.random.default_rng(seed).random((4, 4)), np.random.default_rng(seed))
        sampler._epoch = 3
        samplers.append(sampler)
    first, second = samplers
    said = iter(first.state().values())
    assert not np.array_equal(first.state()["plan"], second.state()["plan"])
    host = SimpleNamespace(over_hosts=lambda model, numbers: np.stack([next(said).ravel(), numbers]))
    monkeypatch.setattr(backend, "current", lambda: host)
    fitting.FirstHostsPlan(second).on_epoch_begin(3)
    for name, array in first.state().items():
        np.testing.assert_array_equal(second.state()[name], array)


def test_a_part_of_a_batch_that_is_no_batch():
    model = methods.CMEMD(backbone="tiny", part_channels=8, images_per_identity=2, image_size=(96, 48))
    several = SimpleNamespace(
        check_labels=model.check_labels,
        batch_blocks=model.batch_blocks,
        distribute_strategy=SimpleNamespace(num_replicas_in_sync=4),
    )
    data = [{"person_id": np.array([0, 0, 1, 1, 0, 0, 1, 1])}]
    fitting._check_labels(several, data, divided=False)
    with pytest.raises(ValueError, match="Of a batch of 8 images each of 4 devices gets 2, and these are no batch. CM"):
        fitting._check_labels(several, data, divided=True)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="JAX clips the gradient of the whole batch")
def test_an_optimiser_that_clips_by_itself():
    from keras_reid.training.backend_tensorflow import _check_clipping

    _check_clipping(keras.optimizers.SGD(0.1))
    group = training.OptimizerGroup({"all": keras.optimizers.Adam(0.1, global_clipnorm=1.0)}, {"all": None})
    for optimizer in (keras.optimizers.SGD(0.1, clipnorm=1.0), group):
        with pytest.raises(ValueError, match="clips each one's share of the gradient apart.*OptimizerGroup"):
            _check_clipping(optimizer)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="TF_CONFIG is TensorFlow's")
def test_a_cluster_of_one_is_one_host(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": {"worker": ["localhost:1"]}, "task": {"index": 0}}))
    with training.several_devices() as devices:
        assert devices.count == 1


def test_every_dataset_of_the_pipeline_can_be_divided(tmp_path):
    data = pipeline.training(write_table(tmp_path), (48, 24), sampler=pipeline.PKSampler(2, 2))
    assert data.share([0], 2).steps_per_epoch == data.remainder(1).share([1], 2).steps_per_epoch == data.steps_per_epoch
