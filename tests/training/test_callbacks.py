import keras
import numpy as np

from keras_reid import pipeline
from keras_reid.training import CollapseDetector, SetEpoch, seed_everything


def test_the_pipeline_learns_which_epoch_begins(people):
    data = pipeline.training(people.train, image_size=(64, 32), sampler=pipeline.PKSampler(2, 4))
    callback = SetEpoch(data.position)
    orders = []
    for epoch in (0, 1, 0):
        callback.on_epoch_begin(epoch)
        orders.append(np.concatenate([np.asarray(batch["index"]) for batch in data]))
    assert not np.array_equal(orders[0], orders[1])
    np.testing.assert_array_equal(orders[0], orders[2])


def test_a_collapse_is_said_once(capsys):
    detector = CollapseDetector(resting_value=0.3, patience=2)
    for epoch, value in enumerate([0.3, 0.5, 0.3, 0.3, 0.3]):
        detector.on_epoch_end(epoch, {"triplet": value})
    assert capsys.readouterr().out.count("as if all images had one embedding") == 1


def test_a_falling_loss_is_no_collapse(capsys):
    detector = CollapseDetector(patience=1)
    for epoch, logs in enumerate([{"triplet": 0.2}, {"loss": 0.3}, None]):
        detector.on_epoch_end(epoch, logs)
    assert capsys.readouterr().out == ""


def test_one_seed_seeds_weights_and_numpy():
    draws = []
    for seed in (5, 5, 6):
        seed_everything(seed)
        weights = keras.layers.Dense(3)
        weights.build((None, 2))
        draws.append(np.concatenate([keras.ops.convert_to_numpy(weights.kernel).ravel(), np.random.rand(2)]))
    np.testing.assert_array_equal(draws[0], draws[1])
    assert not np.array_equal(draws[0], draws[2])
