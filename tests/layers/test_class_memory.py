import keras
import numpy as np
import pytest

from keras_reid.layers import ClassMemory
from tests.gradients import gradient

SHAPE = (2, 1, 3)


def numpy(tensor):
    return keras.ops.convert_to_numpy(keras.ops.cast(tensor, "float32"))


def memory(storage="float32", num_classes=5):
    layer = ClassMemory(storage)
    layer.size(SHAPE, num_classes)
    return layer


def batch(*values):
    return np.stack([np.full(SHAPE, value, "float32") for value in values])


def test_the_last_duplicate_wins_and_others_stay():
    layer = memory()
    layer.write(np.array([3, 1, 3, 3]), batch(1.0, 2.0, 3.0, 4.0))
    assert numpy(layer.maps)[:, 0, 0, 0].tolist() == [0.0, 2.0, 0.0, 4.0, 0.0]
    assert numpy(layer.valid).tolist() == [0.0, 1.0, 0.0, 1.0, 0.0]
    layer.write(np.array([0]), batch(9.0))
    assert numpy(layer.maps)[:, 0, 0, 0].tolist() == [9.0, 2.0, 0.0, 4.0, 0.0]
    assert numpy(layer.valid).tolist() == [1.0, 1.0, 0.0, 1.0, 0.0]


def test_the_order_of_writing_does_not_matter(monkeypatch):
    """A GPU writes duplicates in any order; here they are written backwards."""
    scatter = keras.ops.scatter_update
    monkeypatch.setattr(
        "keras_reid.layers.class_memory.ops.scatter_update",
        lambda inputs, indices, updates: scatter(inputs, keras.ops.flip(indices, 0), keras.ops.flip(updates, 0)),
    )
    layer = memory()
    layer.write(np.array([3, 1, 3, 3]), batch(1.0, 2.0, 3.0, 4.0))
    assert numpy(layer.maps)[:, 0, 0, 0].tolist() == [0.0, 2.0, 0.0, 4.0, 0.0]


def test_writing_equals_a_loop():
    rng, layer, expected = np.random.default_rng(0), memory(num_classes=7), np.zeros((7, *SHAPE), "float32")
    for _ in range(5):
        labels, maps = rng.integers(0, 7, 6), rng.normal(size=(6, *SHAPE)).astype("float32")
        layer.write(labels, maps)
        for label, values in zip(labels, maps, strict=True):
            expected[label] = values
    np.testing.assert_array_equal(numpy(layer.maps), expected)


def test_no_gradient_flows_into_what_is_read_or_written():
    layer = memory()

    def loss(maps):
        layer.write(np.array([2]), maps)
        return keras.ops.sum(layer.read()[0]) + keras.ops.sum(maps)

    np.testing.assert_array_equal(gradient(loss, batch(1.0))[0], np.ones((1, *SHAPE)))


@pytest.mark.parametrize("storage", ["float32", "float16"])
def test_storage_and_precision_do_not_depend_on_the_policy(storage):
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        layer = memory(storage)
    finally:
        keras.config.set_dtype_policy(previous)
    layer.write(np.array([0]), batch(1.0 + 2.0**-9))
    maps, valid = layer.read()
    assert keras.backend.standardize_dtype(maps.dtype) == storage
    assert keras.backend.standardize_dtype(valid.dtype) == "float32"
    assert numpy(maps)[0, 0, 0, 0] == 1.0 + 2.0**-9
    assert layer.trainable_variables == []


class Remembers(keras.Model):
    """Writes every training batch into its memory."""

    def __init__(self):
        super().__init__()
        self.memory = memory()
        self.dense = keras.layers.Dense(3)

    def build(self, input_shape):
        self.dense.build(input_shape)

    def call(self, maps):
        return self.dense(maps)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        if training:
            self.memory.write(y, x)
        return keras.ops.mean(keras.ops.square(y_pred))


@pytest.mark.parametrize("jit_compile", [False, True])
def test_fit_writes_and_evaluate_does_not(jit_compile, tmp_path):
    if jit_compile and keras.backend.backend() == "torch":
        pytest.skip("torch has no XLA; its compiler warns at every layer")
    model = Remembers()
    model.compile("sgd", jit_compile=jit_compile)
    model.fit(batch(1.0, 2.0, 3.0), np.array([4, 0, 4]), batch_size=3, shuffle=False, verbose=0)
    expected = [2.0, 0.0, 0.0, 0.0, 3.0]
    assert numpy(model.memory.maps)[:, 0, 0, 0].tolist() == expected
    model.evaluate(batch(7.0), np.array([1]), verbose=0)
    assert numpy(model.memory.maps)[:, 0, 0, 0].tolist() == expected
    model.save_weights(tmp_path / "m.weights.h5")
    again = Remembers()
    again.build((None, *SHAPE))
    again.load_weights(tmp_path / "m.weights.h5")
    assert numpy(again.memory.maps)[:, 0, 0, 0].tolist() == expected
    assert numpy(again.memory.valid).tolist() == [1.0, 0.0, 0.0, 0.0, 1.0]


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"Unknown storage of the class memory 'float8'. Did you mean 'float"):
        ClassMemory("float8")
    with pytest.raises(ValueError, match=r"`num_classes` must be an integer of at least 1"):
        ClassMemory().size(SHAPE, 0)
    assert ClassMemory("float16").get_config()["storage"] == "float16"
