import keras
import numpy as np
import pytest

from keras_reid.layers import FeatureBank


def unit(rows, width=4, seed=0):
    x = np.random.default_rng(seed).normal(size=(rows, width))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype("float32")


def bank(images=6, **options):
    layer = FeatureBank(**options)
    layer.size(images, 4)
    return layer


def numpy(tensor):
    return np.array(keras.ops.convert_to_numpy(tensor))


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
def test_a_step_moves_the_batch_s_rows_alone(momentum):
    layer, new = bank(momentum=momentum), unit(2, seed=1)
    layer.fill(unit(6), places=np.array([5, 2, 0]))
    layer.write(np.array([1, 0], "int32"), new)
    expected = unit(6)
    for place, feature in ((2, new[0]), (5, new[1])):
        mixed = momentum * expected[place] + (1 - momentum) * feature
        expected[place] = mixed / np.linalg.norm(mixed)
    np.testing.assert_allclose(numpy(layer.features), expected, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(numpy(layer.features), axis=1), 1.0, rtol=1e-6)


def test_of_an_image_that_comes_twice_the_last_counts():
    twice, once = bank(), bank()
    new = unit(3, seed=1)
    for layer in (twice, once):
        layer.fill(unit(6))
    twice.write(np.array([3, 3, 1], "int32"), new)
    once.write(np.array([3, 1], "int32"), new[1:])
    np.testing.assert_allclose(numpy(twice.features), numpy(once.features), atol=1e-6)


def test_only_what_was_written_is_valid():
    layer = bank()
    assert numpy(layer.read()[1]).tolist() == [0.0] * 6
    layer.write(np.array([4], "int32"), unit(1))
    assert numpy(layer.read()[1]).tolist() == [0, 0, 0, 0, 1, 0]
    np.testing.assert_allclose(numpy(layer.features)[4], unit(1)[0], atol=1e-6)
    layer.fill(unit(6))
    assert numpy(layer.read()[1]).all()


def test_places_survive_many_rows():
    layer = FeatureBank()
    layer.size(images=40000, width=1)
    layer.fill(np.ones((40000, 1)), places=np.arange(39999, -1, -1))
    assert numpy(layer.places_of(np.array([0, 39998], "int32"))).tolist() == [39999, 1]


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"`momentum` must lie in \[0, 1\)"):
        FeatureBank(momentum=1.0)
    with pytest.raises(ValueError, match=r"The bank holds \(6, 4\) embeddings. Received: \(5, 4\)"):
        bank().fill(unit(5))
    with pytest.raises(
        ValueError, match=r"`places` must be at most 6 rows of the bank, 0..5. Received: 1 rows, up to 6"
    ):
        bank().fill(unit(6), places=np.array([6]))
    assert FeatureBank.from_config(bank(momentum=0.2).get_config()).momentum == 0.2
