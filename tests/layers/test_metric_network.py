import keras
import numpy as np
import pytest
from keras import ops

from keras_reid.layers import MetricNetwork, squared_differences

RNG = np.random.default_rng(0)
FEATURES = RNG.random((6, 16)).astype("float32")


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def randomised(**options):
    """A network with weights and statistics of any sign."""
    network = MetricNetwork(**{"hidden": (8,), **options})
    network.build((None, 16))
    for number, variable in enumerate(network.weights):
        low = 0.5 if "variance" in variable.path or "gamma" in variable.path else -1.0
        variable.assign(np.random.default_rng(number).uniform(low, 1.5, variable.shape).astype("float32"))
    return network


def test_pairs_are_symmetric_zero_on_itself_and_come_once():
    pairs, first, second = squared_differences(FEATURES)
    assert pairs.shape == (15, 16) and (first < second).all()
    assert len(set(zip(first.tolist(), second.tolist(), strict=True))) == 15
    np.testing.assert_allclose(numpy(pairs), (FEATURES[first] - FEATURES[second]) ** 2, rtol=1e-6)
    turned, *_ = squared_differences(FEATURES[::-1].copy())
    np.testing.assert_array_equal(np.sort(numpy(turned), axis=0), np.sort(numpy(pairs), axis=0))
    same, *_ = squared_differences(np.ones((3, 4), "float32"))
    assert not numpy(same).any()


def test_pairs_need_a_known_batch():
    with pytest.raises(ValueError, match=r"batch of known size.*drop_remainder=True"):
        squared_differences(keras.KerasTensor((None, 4)))


def test_score_is_symmetric_and_constant_on_equal_images():
    network = randomised()
    ahead, back = ((FEATURES[:3] - FEATURES[3:]) ** 2, (FEATURES[3:] - FEATURES[:3]) ** 2)
    np.testing.assert_array_equal(numpy(network(ahead)), numpy(network(back)))
    constant = numpy(network(np.zeros((4, 16), "float32")))
    assert len(set(constant.tolist())) == 1


def test_it_begins_as_a_metric():
    network = MetricNetwork(hidden=(8, 4))
    pairs = np.linspace(0.0, 2.0, 7, dtype="float32")[:, None] * np.ones((1, 16), "float32")
    assert (np.diff(numpy(network(pairs))) < 0).all()


def test_dropout_is_off_before_its_time_and_in_inference():
    keras.utils.set_random_seed(0)
    network = randomised()
    pairs = RNG.random((20, 16)).astype("float32")

    def logits(**options):  # the running statistics are put back: only the draw may differ
        before = [np.array(numpy(variable)) for variable in network.weights]
        found = numpy(network(pairs, **options))
        for variable, value in zip(network.weights, before, strict=True):
            variable.assign(value)
        return found

    np.testing.assert_array_equal(logits(training=True, perturb=0.0), logits(training=True, perturb=0.0))
    np.testing.assert_array_equal(logits(), logits())
    assert np.abs(logits(training=True, perturb=1.0) - logits(training=True, perturb=1.0)).max() > 0.1
    network.perturbation = 0.0
    off = logits(training=True, perturb=1.0)
    network.perturbation = 0.5
    np.testing.assert_allclose(logits(training=True, perturb=0.0), off, rtol=1e-6)


def test_dropout_keeps_the_mean_and_acts_on_each_number_of_each_pair():
    keras.utils.set_random_seed(0)
    network = MetricNetwork(hidden=(1,), perturbation=0.25, input_norm=False)
    network.build((None, 400))
    seen = {}
    network.denses[0].call = lambda x, **_: seen.setdefault("x", x)[:, :1]
    network(np.ones((300, 400), "float32"), training=True)
    x = numpy(seen["x"])
    assert set(np.unique(x.round(5))) == {0.0, np.float32(4 / 3).round(5)}
    assert x.mean() == pytest.approx(1.0, abs=0.01)
    assert 0.6 < (x > 0).mean(axis=0).min() and (x > 0).mean(axis=1).max() < 0.9


@pytest.mark.parametrize("options", [{}, {"hidden": (8, 5)}, {"input_norm": False}])
def test_folded_layers_are_the_network(options):
    network = randomised(**options)
    x = pairs = RNG.random((20, 16)).astype("float32")
    layers = network.folded()
    assert len(layers) == len(network.hidden) + 1
    for number, (kernel, bias) in enumerate(layers):
        x = x @ kernel + bias
        x = np.maximum(x, 0.0) if number < len(layers) - 1 else x
    np.testing.assert_allclose(x[:, 0], numpy(network(pairs)), rtol=1e-4, atol=1e-4)


def test_the_published_width_is_about_a_million_weights():
    network = MetricNetwork()
    network.build((None, 2048))
    assert sum(int(np.prod(v.shape)) for v in network.trainable_variables) == 2 * 2048 + 2048 * 512 + 2 * 512 + 513


def test_config_and_bad_arguments():
    config = MetricNetwork(hidden=[8, 4], perturbation=0.1, input_norm=False, name="m").get_config()
    assert (config["hidden"], config["perturbation"], config["input_norm"]) == ((8, 4), 0.1, False)
    assert MetricNetwork.from_config(config).get_config() == config
    with pytest.raises(ValueError, match="`hidden` must name the width of one layer at least"):
        MetricNetwork(hidden=())
    with pytest.raises(ValueError, match="`hidden` must be an integer of at least 1. Received: 0"):
        MetricNetwork(hidden=(0,))
    with pytest.raises(ValueError, match=r"`perturbation` must be in \[0, 1\)\. Received: 1\.0"):
        MetricNetwork(perturbation=1.0)
