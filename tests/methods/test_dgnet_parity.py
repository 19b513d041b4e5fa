"""One whole iteration of the authors' code, both sides of the coin: losses, gradients, who moves, and to where."""

import numpy as np
import pytest
from keras import ops

from keras_reid.backbones import assign_tensors
from keras_reid.losses import discriminator_loss, generator_loss
from keras_reid.methods.dgnet import Discriminator
from keras_reid.methods.dgnet.objectives import discriminator_terms
from keras_reid.training import backend
from tests.methods.dgnet_fixture import (
    FOLDER,
    appearance_variables,
    authors_batch,
    authors_model,
    generator_variables,
    tensors,
)

ITERATION = np.load(FOLDER / "dgnet_iteration.npz", allow_pickle=False)
DISCRIMINATOR = np.load(FOLDER / "dgnet_discriminator.npz", allow_pickle=False)


def numpy(value):
    return np.array(ops.convert_to_numpy(value))


def in_torch(value):
    """Keras' layout -> torch's."""
    value = numpy(value)
    return value.transpose({4: (3, 2, 0, 1), 2: (1, 0)}.get(value.ndim, range(value.ndim)))


def expected_losses(side):
    found = tensors(ITERATION, f"{side}/loss/loss_")

    def both(name):
        return found[f"{name}_a"] + found[f"{name}_b"]

    return {
        "discriminator": found["dis_total"],
        "adversarial": both("gen_adv"),
        "self_reconstruction": both("gen_recon_x"),
        "partner_reconstruction": both("gen_recon_xp"),
        "generated_identity": found["gen_recon_id"],
        "structure_code": both("gen_recon_s"),
        "appearance_code": both("gen_recon_f"),
        "cycle": both("gen_cycrecon_x"),
        "partner_identity": found["pid"],
        "loss": found["gen_total"],
    }


@pytest.mark.parametrize(("side", "coin"), [("A", 0.0), ("B", 1.0)])
def test_one_iteration(side, coin, monkeypatch):
    model = authors_model(ITERATION)
    model.flip = lambda training: ops.convert_to_tensor(coin)
    module, moved = backend.current(), []
    take = module.value_and_gradients

    def recorded(owner, variables, loss_fn, scale):
        terms, gradients = take(owner, variables, loss_fn, scale)
        moved.append({id(v): g for v, g in zip(variables, gradients, strict=True)})
        return terms, gradients

    monkeypatch.setattr(module, "value_and_gradients", recorded)
    networks = {
        "dis": model.discriminator.torch_variables(),
        "gen": generator_variables(model),
        "id": appearance_variables(model),
    }
    terms = {name: float(numpy(value)) for name, value in model.training_step(authors_batch(ITERATION)).items()}
    assert set(terms) == set(model.loss_names)
    for name, value in expected_losses(side).items():
        # The discriminator has taken a step of Adam without momentum by then: a gradient of rounding decides its sign.
        assert terms[name] == pytest.approx(value, rel=5e-5 if name == "adversarial" else 1e-5), name
    losses = tensors(ITERATION, f"{side}/loss/loss_")
    assert terms["identity"] + 0.4 * terms["fine_identity"] == pytest.approx(losses["id"], rel=1e-5)
    assert terms["primary"] + 0.2 * terms["fine"] == pytest.approx(losses["teacher"], rel=1e-5)
    # Who is moved by which update: nobody by two.
    assert len(moved) == 3
    for number, (kind, variables) in enumerate(networks.items()):
        trainable = {name: found[0] for name, found in variables.items() if found[0].trainable}
        assert set(moved[number]) == {id(variable) for variable in trainable.values()}
        for name, variable in trainable.items():
            received = np.linalg.norm(numpy(moved[number][id(variable)]))
            expected = float(ITERATION[f"{side}/grad_norm/{kind}/{name}"])
            # A bias in front of a norm has no gradient but rounding.
            assert received == pytest.approx(expected, rel=1e-2, abs=2e-4), name
    for name, (variable,) in networks["id"].items():
        if variable.trainable:
            head = in_torch(variable).ravel()[:32]
            np.testing.assert_allclose(head, ITERATION[f"{side}/new_head/id/{name}"], atol=2e-6, err_msg=name)
        elif name.endswith("running_mean"):  # after ten batches, in their order
            buffer = ITERATION[f"{side}/new_buffer/id/{name}"]
            np.testing.assert_allclose(numpy(variable), buffer, rtol=1e-4, atol=1e-5, err_msg=name)


def test_codes_and_images():
    model = authors_model(ITERATION)
    images = model.normalization(authors_batch(ITERATION)["image"])
    structure = model.structure_encoder(images)
    seen = [model.appearance_encoder(half, training=True) for half in ops.split(images, 2)]
    np.testing.assert_allclose(numpy(structure)[:1].transpose(0, 3, 1, 2), ITERATION["out/s_a"], atol=1e-5)
    np.testing.assert_allclose(numpy(seen[0]["code"]).reshape(4, -1), ITERATION["out/f_a"], atol=1e-5)
    np.testing.assert_allclose(numpy(seen[0]["primary"][1]), ITERATION["out/p_a0"], atol=2e-5)
    np.testing.assert_allclose(numpy(seen[0]["fine"][1]), ITERATION["out/p_a1"], atol=2e-5)
    drawn = model.decoder([structure[:1], seen[1]["code"][:1]])
    np.testing.assert_allclose(numpy(drawn).transpose(0, 3, 1, 2), ITERATION["out/x_ab"], atol=2e-5)


class Judge:
    """As much of a model as the discriminator's objective needs."""

    def __init__(self, game):
        self.discriminator = Discriminator()
        self.discriminator.build((None, None, None, 3))
        assign_tensors(self.discriminator.torch_variables(), tensors(DISCRIMINATOR, "w/dis/"))
        self.rules = type("Rules", (), {"game": game})
        self.variables = self.discriminator.variables


@pytest.mark.parametrize(("game", "prefix"), [("least_squares", ""), ("log", "nsgan_")])
def test_discriminator(game, prefix):
    judge = Judge(game)
    real, fake = (
        ops.convert_to_tensor(DISCRIMINATOR[f"in/d_{kind}"].astype("float32").transpose(0, 2, 3, 1))
        for kind in ("real", "fake")
    )
    for kind, images in (("real", real), ("fake", fake)):
        for scale, patches in enumerate(judge.discriminator(images)):
            expected = DISCRIMINATOR[f"out/d_{kind}/scale{scale}"].transpose(0, 2, 3, 1)
            np.testing.assert_allclose(numpy(patches), expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())

    def objective():
        return discriminator_terms(judge, real, fake)

    variables = judge.discriminator.trainable_variables
    terms, gradients = backend.current().value_and_gradients(judge, variables, objective, ops.ones(()))
    # What is recorded is of one pair of real and drawn images, the objective of a step is of two.
    penalty = float(numpy(terms["gradient_penalty"])) / 2.0
    whole = float(numpy(discriminator_loss(judge.discriminator(real), judge.discriminator(fake), game))) + penalty
    assert penalty == pytest.approx(float(DISCRIMINATOR[f"loss/{prefix}dis_r1"]), rel=2e-5)
    expected = float(DISCRIMINATOR[f"loss/{prefix}dis_total"])
    if game == "log":  # theirs takes the logarithm of a sigmoid rounded to 1 for -100; ours that of the number itself
        real_found, fake_found = (
            [DISCRIMINATOR[f"out/d_{kind}/scale{scale}"].astype("float64") for scale in range(3)]
            for kind in ("real", "fake")
        )
        expected = penalty + sum(np.logaddexp(0.0, x).mean() for x in fake_found)
        expected += sum(np.logaddexp(0.0, -x).mean() for x in real_found)
    assert whole == pytest.approx(expected, rel=2e-5)
    weight = 2.0 if game == "least_squares" else 1.0
    adversarial = weight * float(numpy(generator_loss(judge.discriminator(fake), game)))
    assert adversarial == pytest.approx(float(DISCRIMINATOR[f"loss/{prefix}gen_adv"]), rel=2e-5)
    assert all(gradient is not None for gradient in gradients)
    if game == "least_squares":
        names = {id(found[0]): name for name, found in judge.discriminator.torch_variables().items()}
        for variable, gradient in zip(variables, gradients, strict=True):
            recorded = float(DISCRIMINATOR[f"grad/dis/{names[id(variable)]}"])
            assert np.linalg.norm(numpy(gradient)) / 2.0 == pytest.approx(recorded, rel=1e-2), names[id(variable)]
