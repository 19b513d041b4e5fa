"""The matcher equals the authors' code, a plain loop, and itself in other blocks, precisions and orders."""

import inspect
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_reid.backbones import assign_tensors
from keras_reid.layers import Correspondences, QAConvMatcher
from tests.gradients import gradient

FIXTURE = np.load(Path(__file__).parents[1] / "parity" / "qaconv_matcher.npz", allow_pickle=False)
KINDS = {"qaconv": "eccv", "qaconv_gs": "gs"}
RNG = np.random.default_rng(0)


def numpy(tensor):
    return keras.ops.convert_to_numpy(keras.ops.cast(tensor, "float32"))


def maps(size, side):
    return FIXTURE[f"maps_{size}/{side}"].transpose(0, 2, 3, 1)


def unit_maps(count, height=3, width=2, channels=4):
    values = RNG.normal(size=(count, height, width, channels)).astype("float32")
    return values / np.linalg.norm(values, axis=-1, keepdims=True)


def torch_names(prefix, state="w"):
    """The fixture's arrays by the names of the authors' checkpoints."""
    leaves = {"gamma": "weight", "beta": "bias", "mean": "running_mean", "var": "running_var"}
    names = {f"{n}.{torch}": f"{n}_{ours}" for n in ("bn", "logit_bn") for ours, torch in leaves.items()}
    names |= {"fc.weight": "fc_weight", "fc.bias": "fc_bias"}
    return {name: FIXTURE[f"{prefix}/{state}_{key}"] for name, key in names.items()}


def published(version, size):
    """A matcher with the fixture's weights."""
    matcher = QAConvMatcher(version)
    matcher.build(maps(size, "probe").shape)
    assign_tensors(matcher.torch_variables(""), torch_names(f"matcher_{KINDS[version]}_{size}"))
    return matcher


def randomised(version, block_size=64, shape=(None, 3, 2, 4), dtype=None):
    """A small matcher whose every weight and statistic is random."""
    matcher = QAConvMatcher(version, block_size, dtype=dtype)
    matcher.build(shape)
    for number, variable in enumerate(matcher.weights):
        variable.assign(np.random.default_rng(number).uniform(0.5, 1.5, variable.shape).astype("float32"))
    return matcher


@pytest.mark.parametrize("size", ["small", "full"])
@pytest.mark.parametrize("version", KINDS)
def test_inference_equals_the_authors(version, size):
    key = "score_eval" if version == "qaconv_gs" else "logit_pg"
    expected = FIXTURE[f"matcher_{KINDS[version]}_{size}/{key}"]
    received = numpy(published(version, size)(maps(size, "probe"), maps(size, "gallery")))
    np.testing.assert_allclose(received, expected, atol=2e-5 * np.abs(expected).max())


@pytest.mark.parametrize("size", ["small", "full"])
def test_the_paper_version_has_a_direction(size):
    prefix = f"matcher_eccv_{size}"
    matcher = published("qaconv", size)
    for first, second, key in [("probe", "gallery", "sigmoid10_gp"), ("gallery", "probe", "sigmoid10_pg_swapped")]:
        logits = numpy(matcher(maps(size, first), maps(size, second)))
        expected = FIXTURE[f"{prefix}/{key}"]
        np.testing.assert_allclose(1.0 / (1.0 + np.exp(-logits.T / 10.0)), expected, atol=2e-5)


@pytest.mark.parametrize("block_size", [64, 3])
@pytest.mark.parametrize("size", ["small", "full"])
@pytest.mark.parametrize("version", KINDS)
def test_training_equals_the_authors(version, size, block_size):
    prefix = f"matcher_{KINDS[version]}_{size}"
    matcher = published(version, size)
    matcher.block_size = block_size
    key = "score_train" if version == "qaconv_gs" else "logit_pg_train"
    expected = FIXTURE[f"{prefix}/{key}"]
    received = numpy(matcher(maps(size, "probe"), maps(size, "gallery"), training=True))
    np.testing.assert_allclose(received, expected, atol=2e-4 * np.abs(expected).max())
    after = torch_names(prefix, "after")
    for name, (variable,) in matcher.torch_variables("").items():
        np.testing.assert_allclose(numpy(variable), after[name].T, rtol=2e-4, atol=1e-6, err_msg=name)


def test_correspondences_equal_the_authors():
    matcher = published("qaconv", "small")
    # Their script gives the first half of the weights to the probe.
    kernel = numpy(matcher.kernel)
    matcher.kernel.assign(np.concatenate([kernel[24:], kernel[:24]]))
    received = matcher.correspondences(maps("small", "probe"), maps("small", "gallery"))
    for ours, theirs in [
        ("probe_score", "prob_score"),
        ("gallery_score", "gal_score"),
        ("index_in_gallery", "index_in_gal"),
        ("index_in_probe", "index_in_prob"),
    ]:
        np.testing.assert_allclose(numpy(getattr(received, ours)), FIXTURE[f"match_small/{theirs}"], atol=2e-5)


def loop_logits(matcher, probes, galleries):
    """The score of every pair, written as the paper writes it."""
    weights = {
        name: numpy(variables[0]).ravel().astype("float64") for name, variables in matcher.torch_variables("").items()
    }

    def normalise(values, name):
        mean, variance = weights[f"{name}.running_mean"], weights[f"{name}.running_var"]
        return weights[f"{name}.weight"] * (values - mean) / np.sqrt(variance + 1e-5) + weights[f"{name}.bias"]

    result = np.zeros((len(probes), len(galleries)))
    for p, probe in enumerate(probes.reshape(len(probes), -1, probes.shape[-1])):
        for g, gallery in enumerate(galleries.reshape(len(galleries), -1, galleries.shape[-1])):
            of_probe = normalise(np.array([max(f @ h for h in gallery) for f in probe]), "bn")
            of_gallery = normalise(np.array([max(f @ h for f in probe) for h in gallery]), "bn")
            kernel, bias = weights["fc.weight"], weights["fc.bias"]
            if matcher.version == "qaconv":
                z = kernel @ np.concatenate([of_gallery, of_probe]) + bias
            else:
                z = (kernel @ of_probe + bias) + (kernel @ of_gallery + bias)
            result[p, g] = normalise(z, "logit_bn")[0]
    return result


@pytest.mark.parametrize("version", KINDS)
def test_inference_equals_the_loop_in_any_block(version):
    probe, gallery = unit_maps(3), unit_maps(5)
    for block_size in (64, 5, 2, 1):
        matcher = randomised(version, block_size)
        expected = loop_logits(matcher, probe, gallery)
        np.testing.assert_allclose(numpy(matcher(probe, gallery)), expected, atol=1e-4)


def test_symmetry():
    first, second = unit_maps(3), unit_maps(4)
    shared, two_sided = randomised("qaconv_gs"), randomised("qaconv")
    np.testing.assert_allclose(numpy(shared(first, second)), numpy(shared(second, first)).T, atol=1e-5)
    assert np.abs(numpy(two_sided(first, second)) - numpy(two_sided(second, first)).T).max() > 1e-3


@pytest.mark.parametrize("version", KINDS)
def test_blocks_change_neither_gradients_nor_statistics(version):
    probe, gallery = unit_maps(3), unit_maps(5)
    matchers = [randomised(version, block_size) for block_size in (64, 2)]
    results = [
        gradient(lambda p, g, m=matcher: keras.ops.sum(m(p, g, training=True) ** 3), probe, gallery)
        for matcher in matchers
    ]
    for whole, blocks in zip(*results, strict=True):
        assert np.abs(whole).max() > 1e-2
        np.testing.assert_allclose(blocks, whole, rtol=1e-3, atol=1e-3 * np.abs(whole).max())
    states = [[numpy(v) for v in matcher.non_trainable_variables] for matcher in matchers]
    np.testing.assert_allclose(states[1], states[0], rtol=1e-5)


def test_correspondences_add_up_to_the_logit():
    for version, biases in [("qaconv", 1.0), ("qaconv_gs", 2.0)]:
        matcher = randomised(version)
        probe, gallery = unit_maps(2), unit_maps(3)
        found = matcher.correspondences(probe, gallery)
        assert isinstance(found, Correspondences)
        total = numpy(found.probe_score).sum((2, 3)) + numpy(found.gallery_score).sum((2, 3))
        logits = matcher.logit_bn(total + biases * numpy(matcher.bias))
        np.testing.assert_allclose(numpy(logits), numpy(matcher(probe, gallery)), rtol=1e-4)


def test_an_image_matches_itself_location_by_location():
    probe = unit_maps(1)
    found = randomised("qaconv").correspondences(probe, probe)
    assert numpy(found.index_in_gallery).ravel().tolist() == list(range(6))
    assert numpy(found.index_in_probe).ravel().tolist() == list(range(6))


def test_initial_weights_are_the_authors():
    keras.utils.set_random_seed(0)
    paper, sampled = QAConvMatcher("qaconv"), QAConvMatcher("qaconv_gs")
    for matcher in (paper, sampled):
        matcher.build((None, 24, 8, 16))
    kernel, bound = numpy(paper.kernel), 384**-0.5
    assert kernel.shape == (384, 1) and np.abs(kernel).max() <= bound and abs(kernel.std() / bound - 3**-0.5) < 0.05
    np.testing.assert_allclose(numpy(sampled.kernel), np.full((192, 1), 1 / 192), rtol=1e-6)
    assert 0 < np.abs(numpy(sampled.bias))[0] <= 192**-0.5


@pytest.mark.parametrize(("policy", "tolerance"), [("mixed_float16", 0.02), ("mixed_bfloat16", 0.2)])
def test_half_precision_touches_the_similarities_only(policy, tolerance):
    probe, gallery = unit_maps(3), unit_maps(5)
    half = randomised("qaconv", dtype=policy)
    logits = half(probe, gallery)
    assert keras.backend.standardize_dtype(logits.dtype) == "float32"
    expected = numpy(randomised("qaconv")(probe, gallery))
    assert np.abs(numpy(logits) - expected).max() < tolerance
    # Weights that half precision cannot hold still count: 1 + 1/4096 is 1 in float16.
    before = numpy(logits)
    half.logit_bn.gamma.assign(numpy(half.logit_bn.gamma) * (1.0 + 1.0 / 4096.0))
    half.logit_bn.beta.assign(numpy(half.logit_bn.beta) * (1.0 + 1.0 / 4096.0))
    assert (numpy(half(probe, gallery)) != before).all()


def test_config_is_the_signature_and_saving_keeps_the_scores(tmp_path):
    named = {n for n, p in inspect.signature(QAConvMatcher).parameters.items() if p.kind is not p.VAR_KEYWORD}
    config = QAConvMatcher("qaconv_gs", 7).get_config()
    assert set(config) == named | {"name", "trainable", "dtype"}
    assert (config["version"], config["block_size"]) == ("qaconv_gs", 7)
    inputs = [keras.Input((3, 2, 4)), keras.Input((3, 2, 4))]
    model = keras.Model(inputs, QAConvMatcher("qaconv_gs", 2)(*inputs))
    probe, gallery = unit_maps(3), unit_maps(3)
    expected = numpy(model([probe, gallery]))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(numpy(again([probe, gallery])), expected)


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"Unknown QAConv version 'qaconv_sg'. Did you mean 'qaconv_gs'"):
        QAConvMatcher("qaconv_sg")
    with pytest.raises(ValueError, match=r"`block_size` must be an integer of at least 1. Received: 0"):
        QAConvMatcher(block_size=0)
    with pytest.raises(ValueError, match=r"needs feature maps .* of known height and width"):
        QAConvMatcher().build((None, None, None, 4))
    with pytest.raises(ValueError, match="a weight for each location of maps of 3 x 2"):
        randomised("qaconv")(unit_maps(1), unit_maps(1, height=4))
