import keras
import numpy as np
import pytest

from keras_reid.training import OptimizerGroup, TorchSGD


def group(**options):
    return OptimizerGroup({name: TorchSGD(1.0) for name in "abc"}, patterns={"a": "a", "b": "b", "c": None}, **options)


def clipped(optimizers, parts, scale=1.0, **options):
    parts = [[None if g is None else keras.ops.convert_to_tensor(g) for g in part] for part in parts]
    found = optimizers.clip(list(optimizers.groups.values()), parts, scale)
    return [[None if g is None else keras.ops.convert_to_numpy(g) for g in part] for part in found]


def test_groups_of_a_set_share_a_norm_and_others_are_left_alone():
    optimizers = group(clip_norms=[{"groups": ["a", "b"], "norm": 1.0}, {"groups": ["c"], "norm": 50.0}])
    parts = [[np.array([3.0], "float32"), None], [np.array([4.0], "float32")], [np.array([30.0], "float32")]]
    first, second, third = clipped(optimizers, parts)
    np.testing.assert_allclose([first[0][0], second[0][0], third[0][0]], [0.6, 0.8, 30.0], rtol=1e-5)
    assert first[1] is None


def test_the_loss_scale_is_left_out_of_the_norm():
    optimizers = group(clip_norms=[{"groups": ["a"], "norm": 1.0}])
    parts = [[np.array([8192.0], "float16")], [], []]
    assert clipped(optimizers, parts, scale=1024.0)[0][0] == pytest.approx(1024.0, rel=1e-3)


def test_equals_torch():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    values = [rng.normal(size=shape).astype("float32") for shape in ((4, 3), (5,))]
    tensors = [torch.nn.Parameter(torch.zeros(value.shape)) for value in values]
    for tensor, value in zip(tensors, values, strict=True):
        tensor.grad = torch.tensor(value)
    torch.nn.utils.clip_grad_norm_(tensors, 0.5)
    ours = clipped(group(clip_norms=[{"groups": ["a", "b"], "norm": 0.5}]), [[values[0]], [values[1]], []])
    for (mine,), theirs in zip(ours, tensors, strict=False):
        np.testing.assert_allclose(mine, theirs.grad.numpy(), rtol=1e-5)


def test_training_takes_clipped_steps_and_saving_keeps_the_norms():
    from keras_reid import zoo

    model = zoo.load("qaconv_gs_tiny", image_size=(64, 32), num_classes=2)
    norm = 1e-3
    model.compile(
        OptimizerGroup(
            {"matcher": TorchSGD(1.0), "network": TorchSGD(1.0)},
            patterns={"matcher": "(.*/)?matcher/.*", "network": None},
            clip_norms=[{"groups": ["network"], "norm": norm}],
        )
    )
    before = [np.array(keras.ops.convert_to_numpy(v)) for v in model.trainable_variables]
    rng = np.random.default_rng(0)
    batch = {"image": rng.random((4, 64, 32, 3)).astype("float32"), "person_id": np.array([0, 0, 1, 1], "int32")}
    model.train_on_batch(batch)
    moved = {"matcher": 0.0, "network": 0.0}
    for variable, old in zip(model.trainable_variables, before, strict=True):
        part = "matcher" if "matcher/" in variable.path else "network"
        moved[part] += float(np.square(keras.ops.convert_to_numpy(variable) - old).sum())
    assert np.sqrt(moved["network"]) == pytest.approx(norm, rel=1e-2)
    assert np.sqrt(moved["matcher"]) > 2 * norm
    again = OptimizerGroup.from_config(model.optimizer.get_config())
    assert again.clip_norms == [{"groups": ["network"], "norm": norm}]


def test_bad_arguments():
    with pytest.raises(
        ValueError, match=r"must name groups among \['a', 'b', 'c'\], each at most once. Received: \['d'"
    ):
        group(clip_norms=[{"groups": ["d"], "norm": 1.0}])
    with pytest.raises(ValueError, match="each at most once"):
        group(clip_norms=[{"groups": ["a"], "norm": 1.0}, {"groups": ["a"], "norm": 1.0}])
    with pytest.raises(ValueError, match="A clipping norm must be positive"):
        group(clip_norms=[{"groups": ["a"], "norm": 0.0}])
