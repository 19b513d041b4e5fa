"""The three objectives of a step: of the discriminator, of structure encoder and decoder, of the appearance encoder.

A batch is two halves, a and b. Every image is drawn anew in the appearance of its counterpart in the other half: the
first half of ``drawn`` is G(s_a, f_b), the second G(s_b, f_a). A published sum over both halves is twice a mean here.
"""

from keras import ops

from keras_reid.losses import (
    discriminator_loss,
    distillation_loss,
    generator_loss,
    gradient_penalty,
    identity_loss,
)
from keras_reid.training import backend
from keras_reid.training.isolation import gated, isolated

__all__ = ["appearance_terms", "codes", "discriminator_terms", "generator_terms", "ramps", "swapped", "teacher_opinion"]

_IMAGE, _GENERATED_IDENTITY, _PENALTY, _FINE = 5.0, 0.5, 0.01, 0.2


def halves(tensor):
    """[2 B, ...] -> two of [B, ...]."""
    return ops.split(tensor, 2, axis=0)


def swapped(tensor):
    """Exchanges the halves: what belongs to the counterpart of each image."""
    first, second = halves(tensor)
    return ops.concatenate([second, first], axis=0)


def ramps(model) -> dict:
    """The weights: ``discriminative``, ``cycle``, ``codes``; ``active`` is 1 once drawn images are learned from."""
    progress = (ops.convert_to_tensor(model.iteration) - model.warmup_iterations) / model.ramp_iterations
    ramp = ops.clip(progress, 0.0, 1.0)
    discriminative = model.discriminative_weight * ramp
    return {
        "discriminative": discriminative,
        "cycle": model.rules.cycle_weight * ramp,
        "codes": ops.clip(2.0 * progress, 0.0, 1.0) if model.rules.ramped_codes else ops.ones(()),
        "active": ops.cast(discriminative > 0.0, "float32"),
    }


def codes(model, images, training):
    """Appearance codes [2 B, 4, D]; each half has batch statistics of its own."""
    return ops.concatenate(
        [model.appearance_encoder(half, training=training)["code"] for half in halves(images)], axis=0
    )


def discriminator_terms(model, images, drawn):
    """Real images against drawn ones, and the penalty on the gradient at the real ones, per resolution."""
    network, variant = model.discriminator, model.rules
    real, penalties = [], []
    for scale in range(network.scales):
        patches, gradient = backend.current().value_and_input_gradient(
            lambda x, scale=scale: _judged(network.at_scale(x, scale), variant.game), images
        )
        real.append(network.at_scale(images, scale) if variant.game == "log" else patches)
        penalties.append(gradient_penalty(gradient))
    penalty = 2.0 * _PENALTY * sum(penalties)
    total = 2.0 * discriminator_loss(real, network(drawn), variant.game) + penalty
    return total, {"discriminator": total, "gradient_penalty": penalty}


def generator_terms(model, images, labels, own, partner, weights, coin, training):
    """What trains structure encoder and decoder.

    Args:
        model: The `DGNet`.
        images: Normalised, [2 B, H, W, 3].
        labels: [2 B].
        own: Appearance codes of the images.
        partner: Appearance codes of other images of the same identities.
        weights: As `ramps` returns them.
        coin: 0 where the structure read back trains the encoder that reads, 1 where those who drew.
        training: Whether batch statistics are those of the batch.

    Returns:
        ``(total, {name: scalar})``.
    """
    rules, encoder, decoder = model.rules, model.appearance_encoder, model.decoder
    structure = model.structure_encoder(images)
    drawn = decoder([structure, swapped(own)])
    live = 1.0 if rules.joint_appearance else 0.0
    with isolated(encoder, gate=live):
        seen = [encoder(half, training=training, dropout=False) for half in halves(drawn)]
    pairs = [(output["code"], output["primary"][1]) for output in seen]
    code, logits = (ops.concatenate(parts, axis=0) for parts in zip(*pairs, strict=True))
    code = gated(code, live)
    to_drawing, to_reading = (coin, 1.0 - coin) if rules.coin_flip else (1.0, 1.0)
    with isolated(model.structure_encoder, gate=to_reading):
        read = model.structure_encoder(gated(drawn, to_drawing))
    terms = {
        "adversarial": 2.0 * rules.game_weight * generator_loss(model.discriminator(drawn), rules.game),
        "self_reconstruction": _distance(decoder([structure, own]), images),
        "partner_reconstruction": _distance(decoder([structure, partner]), images),
        "generated_identity": 2.0 * ops.mean(identity_loss(swapped(labels), logits, 0.0)),
        "structure_code": _distance(read, structure),
        "appearance_code": _distance(code, swapped(own)),
        "cycle": _distance(decoder([read, swapped(code)]), images) if rules.cycle_weight else ops.zeros(()),
    }
    total = (
        terms["adversarial"]
        + _IMAGE * (terms["self_reconstruction"] + terms["partner_reconstruction"])
        + _GENERATED_IDENTITY * model.identity_weight * terms["generated_identity"]
        + weights["codes"] * (terms["structure_code"] + terms["appearance_code"])
        + weights["cycle"] * terms["cycle"]
    )
    return total, {**terms, "generator": total}


def appearance_terms(model, images, partners, labels, drawn, opinion, weights, training):
    """What trains the appearance encoder and its heads.

    Args:
        model: The `DGNet`.
        images: Normalised, [2 B, H, W, 3].
        partners: Other images of the same identities.
        labels: [2 B].
        drawn: Drawn images, as constants.
        opinion: The teacher's probabilities for them [2 B, K], or ``None``.
        weights: As `ramps` returns them.
        training: Whether batch statistics are those of the batch, and there is dropout and erasing.

    Returns:
        ``(total, {name: scalar})``.
    """
    rules, encoder = model.rules, model.appearance_encoder
    if rules.erasing and training:
        images, partners = model.erasing(images), model.erasing(partners)
    primary, fine = _logits([encoder(half, training=training) for half in halves(images)])
    others, _ = _logits([encoder(half, training=training) for half in halves(partners)])
    # Until drawn images count, the running statistics do not hear of them.
    with isolated(encoder, gate=1.0, keep=weights["active"]):
        second, first = [encoder(half, training=training) for half in reversed(halves(drawn))]
    student, student_fine = _logits([first, second])
    terms = {
        "identity": 2.0 * ops.mean(identity_loss(labels, primary, 0.0)),
        "fine_identity": 2.0 * ops.mean(identity_loss(labels, fine, 0.0)),
        "partner_identity": 2.0 * ops.mean(identity_loss(labels, others, 0.0)),
        # Appearance is the teacher's matter; the fine head must find the identity in the structure.
        "primary": ops.zeros(()) if opinion is None else 2.0 * ops.mean(distillation_loss(opinion, student)),
        "fine": 2.0 * ops.mean(identity_loss(labels, student_fine, 0.0)),
    }
    total = model.identity_weight * (terms["identity"] + terms["partner_identity"]) + weights["discriminative"] * (
        terms["primary"] + _FINE * model.identity_weight * terms["fine"]
    )
    if rules.fine_identity:
        total = total + _FINE * weights["discriminative"] * model.identity_weight * terms["fine_identity"]
    right = ops.cast(ops.equal(ops.argmax(primary, axis=-1), ops.cast(labels, "int32")), "float32")
    return total, {**terms, "accuracy": ops.mean(right), "appearance": total}


def teacher_opinion(model, drawn, training):
    """Mean of the teacher's softmax over an image and its mirror image, [2 B, K]; ``None`` without a teacher."""
    if model.teacher is None:
        return None
    images = model.normalization.inverse(drawn)
    training = training and model.rules.teacher_training
    found = []
    for half in halves(images):
        views = []
        for view in (half, ops.flip(half, axis=2)):
            with isolated(model.teacher):
                views.append(ops.softmax(ops.cast(model.teacher.logits(view, training=training), "float32")))
        found.append(views[0] + views[1])
    both = ops.stop_gradient(ops.concatenate(found, axis=0))
    return both / ops.sum(both, axis=-1, keepdims=True)


def _logits(outputs):
    """Outputs of the encoder for both halves -> logits of its two heads [2 B, K]."""
    return tuple(ops.concatenate([output[head][1] for output in outputs], axis=0) for head in ("primary", "fine"))


def _distance(received, expected):
    """Mean absolute difference, of both halves."""
    difference = ops.cast(received, "float32") - ops.stop_gradient(ops.cast(expected, "float32"))
    return 2.0 * ops.mean(ops.abs(difference))


def _judged(patches, game):
    return ops.sigmoid(patches) if game == "log" else patches
