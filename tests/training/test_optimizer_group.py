from typing import ClassVar

import keras
import numpy as np
import pytest
from keras import ops

from keras_reid.methods import ReIDModel
from keras_reid.training import OptimizerGroup, TorchSGD


@keras.saving.register_keras_serializable(package="tests")
class TwoParts(ReIDModel):
    """Two vectors; each step pulls both towards the images' mean, each by its own loss."""

    loss_names = ("loss", "left", "right")
    weights_of_losses: ClassVar = {"left": 1.0, "right": 1.0}

    def __init__(self, together=True, **kwargs):
        super().__init__(image_size=(32, 32), num_classes=2, name="two_parts")
        self.together = together
        self.left = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones", name="left")
        self.right = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones", name="right")
        self.build((None, 32, 32, 3))

    def build(self, input_shape):
        self.left.build((None, 1))
        self.right.build((None, 1))

    def call(self, images, training=False):
        return ops.mean(images, axis=(1, 2))

    def training_step(self, batch, training=True):
        def loss(*parts):
            def losses():
                weights = self.weights_of_losses
                values = {part: ops.sum(getattr(self, part).kernel) * 2.0 * weights[part] for part in parts}
                return sum(values.values()), values

            return losses

        if self.together:
            terms = self.update(("left", "right"), loss("left", "right"))
        else:
            terms = {**self.update("left", loss("left")), **self.update("right", loss("right"))}
        return {"loss": terms["left"] + terms["right"], **terms}


def batch():
    return {"image": np.zeros((2, 32, 32, 3), "float32"), "person_id": np.zeros(2, "int32")}


def group(left=1.0, right=0.1, **options):
    return OptimizerGroup({"left": TorchSGD(left), "right": TorchSGD(right)}, **options)


@pytest.mark.parametrize("together", [True, False])
def test_each_group_moves_by_its_own_rate(together):
    model = TwoParts(together)
    model.compile(group())
    model.train_on_batch(batch())
    if hasattr(model, "jax_state_sync"):
        model.jax_state_sync()
    assert float(ops.convert_to_numpy(model.left.kernel)[0, 0]) == pytest.approx(1.0 - 1.0 * 2.0)
    assert float(ops.convert_to_numpy(model.right.kernel)[0, 0]) == pytest.approx(1.0 - 0.1 * 2.0)


@pytest.mark.parametrize("together", [True, False])
def test_loss_scales_cancel(together):
    model = TwoParts(together)
    scaled = OptimizerGroup(
        {
            "left": keras.optimizers.LossScaleOptimizer(TorchSGD(1.0), initial_scale=8.0),
            "right": keras.optimizers.LossScaleOptimizer(TorchSGD(0.1), initial_scale=1024.0),
        }
    )
    model.compile(scaled)
    model.train_on_batch(batch())
    assert float(ops.convert_to_numpy(model.left.kernel)[0, 0]) == pytest.approx(-1.0)
    assert float(ops.convert_to_numpy(model.right.kernel)[0, 0]) == pytest.approx(0.8)


def test_an_overflow_in_one_group_stops_none_for_good():
    model = TwoParts()
    model.weights_of_losses = {"left": 1.0, "right": 1e34}
    scales = {
        name: keras.optimizers.LossScaleOptimizer(TorchSGD(1e-30), initial_scale=2.0**15) for name in ("left", "right")
    }
    model.compile(OptimizerGroup(scales))
    for _ in range(8):  # 1e34 * 2 * 2^15 is infinite in float32, and finite below 2^14
        model.train_on_batch(batch())
    assert float(ops.convert_to_numpy(model.right.kernel)[0, 0]) < 1.0
    assert float(ops.convert_to_numpy(scales["left"].dynamic_scale)) == float(
        ops.convert_to_numpy(scales["right"].dynamic_scale)
    )


def test_the_rest_goes_to_the_group_without_a_pattern():
    optimizer = group(patterns={"left": r"(.*/)?left/.*", "right": None})
    owned = optimizer.split(TwoParts().trainable_variables)
    assert [len(members) for members in owned.values()] == [1, 1]


@pytest.mark.parametrize(
    ("patterns", "sentence"),
    [
        ({"left": ".*kernel", "right": ".*right.*"}, "matched by .*left.*right"),
        ({"left": ".*left.*", "right": ".*up.*"}, "matched by none"),
        ({"left": ".*", "right": None}, r"group\(s\) \['right'\] match no variable"),
    ],
)
def test_never_a_silent_freeze(patterns, sentence):
    with pytest.raises(ValueError, match=sentence):
        group(patterns=patterns).build(TwoParts().trainable_variables)


def test_bad_arguments():
    with pytest.raises(ValueError, match="at least one named optimiser"):
        OptimizerGroup({})
    with pytest.raises(ValueError, match="must name the same groups"):
        group(patterns={"left": ".*"})
    with pytest.raises(ValueError, match="At most one group"):
        group(patterns={"left": None, "right": None})
    with pytest.raises(RuntimeError, match="applied group by group"):
        group().apply([], [])


def test_missing_groups_are_named():
    model = TwoParts()
    model.compile(TorchSGD(0.1))
    with pytest.raises(ValueError, match=r"trains the groups \('left', 'right'\) apart"):
        model.train_on_batch(batch())
    model = TwoParts()
    model.compile(OptimizerGroup({"left": TorchSGD(0.1)}, patterns={"left": None}))
    with pytest.raises(ValueError, match=r"needs the optimiser groups \['right'\]"):
        model.train_on_batch(batch())


def test_config():
    optimizer = group(patterns={"left": r"(.*/)?left/.*", "right": None})
    again = OptimizerGroup.from_config(optimizer.get_config())
    assert again.get_config() == optimizer.get_config()


def test_names_of_the_scalars_are_checked():
    model = TwoParts()
    model.loss_names = ("loss", "left")
    model.compile(group())
    with pytest.raises(ValueError, match="must return the scalars"):
        model.train_on_batch(batch())
