"""The game of a generator and a discriminator of patches, and the penalty that keeps it calm."""

from collections.abc import Sequence

from keras import ops

from keras_reid.checks import unknown_name

__all__ = ["discriminator_loss", "generator_loss", "gradient_penalty"]

GAMES = ("least_squares", "log")


def discriminator_loss(real: Sequence, fake: Sequence, game: str = "least_squares"):
    r"""How badly a discriminator tells real patches from drawn ones, summed over its resolutions.

    Least squares: ``sum_k mean(D_k(fake)^2) + mean((D_k(real) - 1)^2)``; log:
    ``-sum_k mean(log(1 - p_k(fake))) + mean(log p_k(real))`` with ``p = sigmoid(D)``.

    Args:
        real: Per resolution a tensor of numbers D(real); any shapes, computed in float32.
        fake: Likewise D(fake).
        game: ``"least_squares"`` or ``"log"``.

    Returns:
        float32 scalar.

    Raises:
        ValueError: Unknown game.

    Example:
        >>> import numpy as np
        >>> from keras_reid.losses import discriminator_loss
        >>> float(discriminator_loss([np.array([[1.0, 0.0]])], [np.array([[0.0, 2.0]])]))
        2.5

    Reference:
        Mao et al., "Least Squares Generative Adversarial Networks", ICCV 2017; Goodfellow et al., "Generative
        Adversarial Nets", NeurIPS 2014.
    """
    _check(game)
    if game == "log":
        return sum(
            ops.mean(ops.softplus(_float(f))) + ops.mean(ops.softplus(-_float(r))) for r, f in _pairs(real, fake)
        )
    return sum(ops.mean(ops.square(_float(f))) + ops.mean(ops.square(_float(r) - 1.0)) for r, f in _pairs(real, fake))


def generator_loss(fake: Sequence, game: str = "least_squares"):
    r"""How badly a generator passes for real, summed over the discriminator's resolutions.

    Least squares: ``sum_k mean((D_k(fake) - 1)^2)``; log, in its form that does not saturate:
    ``-sum_k mean(log p_k(fake))``.

    Args:
        fake: Per resolution a tensor of numbers D(fake); computed in float32.
        game: ``"least_squares"`` or ``"log"``.

    Returns:
        float32 scalar.

    Raises:
        ValueError: Unknown game.

    Example:
        >>> import numpy as np
        >>> from keras_reid.losses import generator_loss
        >>> float(generator_loss([np.array([[1.0, 3.0]])]))
        2.0

    Reference:
        As `discriminator_loss`.
    """
    _check(game)
    if game == "log":
        return sum(ops.mean(ops.softplus(-_float(f))) for f in fake)
    return sum(ops.mean(ops.square(_float(f) - 1.0)) for f in fake)


def gradient_penalty(gradient):
    """Mean over the batch of the squared norm of D's gradient with respect to a real image (R1).

    ``mean_n |grad_n|^2``, the norm over all pixels and channels; without the factor 1/2 of the paper.

    Args:
        gradient: [B, H, W, C], the gradient of the sum of D's numbers of an image; computed in float32.

    Returns:
        float32 scalar.

    Example:
        >>> import numpy as np
        >>> from keras_reid.losses import gradient_penalty
        >>> float(gradient_penalty(np.full((2, 2, 1, 1), 3.0)))
        18.0

    Reference:
        Mescheder, Geiger and Nowozin, "Which Training Methods for GANs do actually Converge?", ICML 2018.
    """
    gradient = _float(gradient)
    return ops.mean(ops.sum(ops.square(gradient), axis=tuple(range(1, len(gradient.shape)))))


def _float(tensor):
    return ops.cast(tensor, "float32")


def _pairs(real: Sequence, fake: Sequence):
    return zip(real, fake, strict=True)


def _check(game: str) -> None:
    if game not in GAMES:
        raise unknown_name("adversarial game", game, GAMES)
