"""What each network of SPGAN is trained for, as functions of the model."""

from keras import ops

from keras_reid.losses import contrastive_loss, discriminator_loss, generator_loss

__all__ = ["discriminator_terms", "generator_terms", "metric_terms"]


def generator_terms(model, source, target, similarity):
    """Both generators: to pass for real, to come back, to leave their own site's images alone, to keep who is shown.

    Args:
        model: The `SPGAN`.
        source: Images [n,H,W,3] in [-1,1] of the source.
        target: Likewise of the target.
        similarity: Weight of the similarity term: 0 until it begins, then that of the model.

    Returns:
        The total, and the terms; ``"drawn"`` holds the images drawn, (in the target's style, in the source's).
    """
    as_target, as_source = model.to_target(source), model.to_source(target)
    adversarial = generator_loss([model.target_discriminator(as_target)])
    adversarial = adversarial + generator_loss([model.source_discriminator(as_source)])
    cycle = _distance(model.to_source(as_target), source) + _distance(model.to_target(as_source), target)
    identity = _distance(model.to_target(target), target) + _distance(model.to_source(source), source)
    own_source, own_target, drawn_target, drawn_source = (
        model.metric(images) for images in (source, target, as_target, as_source)
    )
    together = _pairs(own_source, drawn_target, True) + _pairs(own_target, drawn_source, True)
    apart = _pairs(drawn_target, own_target, False) + _pairs(drawn_source, own_source, False)
    preserved = (together + 0.5 * apart) / 4.0
    total = adversarial + model.cycle_weight * cycle + model.identity_weight * identity + similarity * preserved
    terms = {"generator": total, "adversarial": adversarial, "cycle": cycle, "identity": identity}
    return total, {**terms, "similarity": preserved, "drawn": (as_target, as_source)}


def discriminator_terms(model, source, target, as_target, as_source):
    """Both discriminators: least squares on real and drawn images."""
    loss = discriminator_loss([model.target_discriminator(target)], [model.target_discriminator(as_target)])
    loss = loss + discriminator_loss([model.source_discriminator(source)], [model.source_discriminator(as_source)])
    return loss, {"discriminator": loss}


def metric_terms(model, source, target, as_target, as_source, started, training):
    """The metric network: an image and its translation belong together, images of the two sites do not."""
    own_source, own_target, drawn_target, drawn_source = (
        model.metric(images, training=training) for images in (source, target, as_target, as_source)
    )
    together = _pairs(own_source, drawn_target, True) + _pairs(own_target, drawn_source, True)
    loss = (together + 2.0 * _pairs(own_source, own_target, False)) / 3.0
    return started * loss, {"metric": loss}


def _pairs(first, second, same):
    return ops.mean(contrastive_loss(first, second, same))


def _distance(first, second):
    return ops.mean(ops.abs(first - second))
