"""How the rounds train: how many, how long, at which rate."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from keras_reid import zoo
from keras_reid.adaptation.clustering import Clustering
from keras_reid.adaptation.credibility import CredibleMining
from keras_reid.checks import check_positive_int
from keras_reid.datasets import ReIDTable
from keras_reid.recipe import Recipe

__all__ = ["AdaptationPlan", "planned"]


@dataclass(frozen=True)
class AdaptationPlan:
    """The schedule of the rounds. The defaults are the paper's.

    A round trains for ``epochs`` epochs, the last ``last_epochs`` of them at ``factor`` times its rate. From each of
    ``round_milestones`` on the rounds' rate is ``factor`` times that of the round before. Every round begins with a
    new optimiser. A batch holds ``identities`` pseudo-identities with ``images`` images each, and an epoch about as
    many images as there are anchors.

    Attributes:
        rounds: Number of rounds.
        epochs: Epochs of a round.
        last_epochs: How many of them, at the end, run at the lower rate; fewer than ``epochs``.
        identities: Pseudo-identities of a batch; all there are, if those are fewer.
        images: Images of each.
        optimizer: As in `keras_reid.recipe.Recipe`; the rate is the first round's.
        round_milestones: Rounds, counted from 0, from which the rate is lower.
        factor: What the rate is multiplied with.
        transforms: As in `keras_reid.recipe.Recipe`.

    Raises:
        ValueError: A number is out of its range.

    Example:
        >>> from keras_reid.adaptation import AdaptationPlan
        >>> [AdaptationPlan().learning_rate(number) for number in (0, 2, 5)]
        [0.0005, 5e-05, 5e-06]

    Reference:
        Chen et al., "Deep Credible Metric Learning for Unsupervised Domain Adaptation Person Re-identification", ECCV
        2020, section 4.2. How far the rate sinks in the last epochs, the new optimiser and the augmentation, which is
        that of the source, are our choices.
    """

    rounds: int = 8
    epochs: int = 30
    last_epochs: int = 10
    identities: int = 14
    images: int = 16
    optimizer: Mapping[str, Any] = field(default_factory=lambda: {"name": "adam", "learning_rate": 5e-4, "l2": 1e-3})
    round_milestones: Sequence[int] = (2, 5)
    factor: float = 0.1
    transforms: Sequence[Mapping[str, Any]] = (
        {"name": "flip"},
        {"name": "pad_crop", "padding": 10},
        {"name": "random_erasing"},
    )

    def __post_init__(self) -> None:
        for name in ("rounds", "epochs", "identities"):
            check_positive_int(name, getattr(self, name))
        if not 0 <= self.last_epochs < self.epochs:
            raise ValueError(
                "`last_epochs`, the epochs of a round at the lower rate, must be fewer than its `epochs`. Received: "
                f"{self.last_epochs} of {self.epochs}."
            )
        if min(self.identities, self.images) < 2:
            raise ValueError(
                "A batch needs two `identities` with two `images` each, or there is no triplet. Received: "
                f"{self.identities} and {self.images}."
            )

    def learning_rate(self, round_number: int) -> float:
        """Returns the rate that a round begins with.

        Args:
            round_number: 0 for the first round.

        Returns:
            The learning rate.
        """
        drops = sum(round_number >= milestone for milestone in self.round_milestones)
        return float(f"{self.optimizer['learning_rate'] * self.factor**drops:.12g}")  # not 5.0000000000000004e-05

    def recipe(self, round_number: int, anchors: ReIDTable) -> Recipe:
        """Returns what a round trains by.

        Args:
            round_number: 0 for the first round.
            anchors: The table to train on.

        Returns:
            A `keras_reid.recipe.Recipe`.
        """
        identities = min(self.identities, anchors.num_persons)
        steps = math.ceil(len(anchors) / (identities * self.images))
        passes = max(1, round(steps / math.ceil(anchors.num_persons / identities)))
        return Recipe(
            name=f"round {round_number + 1}",
            epochs=self.epochs,
            steps_per_epoch=steps,
            sampler={"name": "pk", "identities": identities, "images": self.images, "passes": passes},
            transforms=self.transforms,
            optimizer={**self.optimizer, "learning_rate": self.learning_rate(round_number)},
            schedule={
                "milestones": [self.epochs - self.last_epochs] if self.last_epochs else [],
                "factor": self.factor,
            },
        )


def planned(recipe: str | None) -> tuple[AdaptationPlan, Clustering, CredibleMining]:
    """Returns how a zoo entry is adapted, as its card says; as the paper says where it says nothing.

    Args:
        recipe: Name of the zoo entry, or ``None``.

    Returns:
        The plan of the rounds, how clusters are made, and which images are trusted.

    Example:
        >>> from keras_reid.adaptation.plan import planned
        >>> plan, clustering, mining = planned("dcml_r50")
        >>> plan.rounds, clustering.closest_share, mining.start
        (8, 0.0016, 0.75)
    """
    options = {} if recipe is None else dict(zoo.recipe(recipe).adaptation)
    clustering, mining = Clustering(**options.pop("clustering", {})), CredibleMining(**options.pop("mining", {}))
    return AdaptationPlan(**options), clustering, mining
