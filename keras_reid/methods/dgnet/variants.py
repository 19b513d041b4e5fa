"""What the authors' code does and what their paper says, where the two differ and training depends on it."""

from dataclasses import dataclass

__all__ = ["VARIANTS", "Variant"]


@dataclass(frozen=True)
class Variant:
    """One reading of the method.

    Attributes:
        joint_appearance: Whether reconstruction, adversarial and code losses train the appearance encoder too, and the
            appearance-code loss anything at all. (Differences 1 and 2.)
        game: The adversarial loss, as in `keras_reid.losses.discriminator_loss`, (3)
        game_weight: and its weight on the generator's side.
        cycle_weight: Final weight of the cycle loss. (4)
        ramped_codes: Whether the code losses wait for the warm-up and rise from 0 to 1. (5)
        slices: What of the appearance code drives a residual block, as in `AppearanceEncoder`. (6)
        teacher_training: Whether the teacher works in training mode: batch statistics, dropout. (8)
        erasing: Whether rectangles of the real images are erased for the identity losses. (10)
        fine_identity: Whether the fine head learns the identities of real images too. (12)
        coin_flip: Whether chance decides, per step, if the structure of a drawn image trains the encoder that reads it
            or the networks that drew it; else both. (15)
    """

    joint_appearance: bool
    game: str
    game_weight: float
    cycle_weight: float
    ramped_codes: bool
    slices: str
    teacher_training: bool
    erasing: bool
    fine_identity: bool
    coin_flip: bool


VARIANTS = {
    "authors": Variant(
        joint_appearance=False,
        game="least_squares",
        game_weight=2.0,
        cycle_weight=2.0,
        ramped_codes=True,
        slices="channels",
        teacher_training=True,
        erasing=True,
        fine_identity=True,
        coin_flip=True,
    ),
    "paper": Variant(
        joint_appearance=True,
        game="log",
        game_weight=1.0,
        cycle_weight=0.0,
        ramped_codes=False,
        slices="parts",
        teacher_training=False,
        erasing=False,
        fine_identity=False,
        coin_flip=False,
    ),
}
