"""Who a person is: body, hair and clothes as physical parameters. Nothing is painted here."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from keras_reid.datasets.synthetic.difficulty import V1
from keras_reid.datasets.synthetic.sites import Site, find_site

__all__ = ["PATTERNS", "Person", "sample_person"]

Colour = tuple[float, float, float]

PATTERNS = ("plain", "stripes", "pinstripes", "check", "dots", "block", "diagonal", "camouflage")
_PATTERN_ODDS = (0.4, 0.12, 0.08, 0.1, 0.07, 0.1, 0.06, 0.07)
_SKINS = ("f3cfb3", "e6b48f", "cf9368", "a86d45", "7a4a2c", "54321f")
_HAIRS = ("17130f", "2d1f16", "4a3020", "7a5230", "b8884a", "a5482a", "8d8a86", "d8d4cc")
_HAIR_STYLES = ("short", "long", "bun", "tail", "round", "bald")
_HAIR_ODDS = (0.42, 0.2, 0.08, 0.12, 0.1, 0.08)
_STREAM = 7001  # keeps the people's random numbers apart from every other use of the same seed


@dataclass(frozen=True)
class Person:
    """One identity. Lengths are fractions of the stature, colours are RGB in [0, 1].

    Args:
        bulk: Girth of the body; 1 is average.
        shoulders: Half the breadth of the shoulders.
        hips: Half the breadth of the hips.
        legs: Length of the legs.
        head: Size of the head; 1 is average.
        stride: Largest angle of the thigh in walking, radians.
        arm_swing: Largest angle of the upper arm in walking, radians.
        stoop: Forward lean of the trunk, radians.
        skin: Colour of the skin.
        hair: Colour of the hair.
        hair_style: ``short``, ``long``, ``bun``, ``tail``, ``round`` or ``bald``.
        beard: Whether there is a beard.
        glasses: Whether there are glasses.
        upper: Colour of the upper garment.
        upper_second: Second colour of its pattern.
        upper_pattern: One of `PATTERNS`.
        upper_scale: Repeats of the pattern along the trunk.
        sleeves: Length of the sleeves; 0 none, 1 to the wrist.
        hem: How far the upper garment reaches below the hips.
        open_front: Whether it is open and shows an inner shirt.
        inner: Colour of the inner shirt and of the collar.
        lower: Colour of the lower garment.
        lower_second: Colour of its side stripe or pattern.
        lower_pattern: ``plain``, ``side`` or one of `PATTERNS`.
        leg_cover: Length of the trousers; 1 to the ankle.
        skirt: Length of the skirt; 0 for trousers.
        shoes: Colour of the shoes.
        logo: Mark on the chest: ``none``, ``disc``, ``bar``, ``square`` or ``chevron``.
        logo_colour: Its colour.
        back_print: Mark on the back, as for the chest.
        hat: ``none``, ``cap``, ``beanie``, ``brim`` or ``hood``.
        hat_colour: Its colour.
        bag: ``none``, ``backpack``, ``shoulder`` or ``hand``.
        bag_colour: Its colour.
        bag_trim: Colour of its pocket.
        bag_side: 1 left, -1 right.
        scarf: Whether a scarf in the second colour is worn.
    """

    bulk: float
    shoulders: float
    hips: float
    legs: float
    head: float
    stride: float
    arm_swing: float
    stoop: float
    skin: Colour
    hair: Colour
    hair_style: str
    beard: bool
    glasses: bool
    upper: Colour
    upper_second: Colour
    upper_pattern: str
    upper_scale: float
    sleeves: float
    hem: float
    open_front: bool
    inner: Colour
    lower: Colour
    lower_second: Colour
    lower_pattern: str
    leg_cover: float
    skirt: float
    shoes: Colour
    logo: str
    logo_colour: Colour
    back_print: str
    hat: str
    hat_colour: Colour
    bag: str
    bag_colour: Colour
    bag_trim: Colour
    bag_side: int
    scarf: bool


# What look-alikes have in common; all else is drawn for each of them.
_SHARED = (
    "upper upper_second upper_pattern sleeves hem open_front inner lower lower_second lower_pattern leg_cover skirt"
).split()


def _colour(rng: np.random.Generator, choices: tuple[str, ...], jitter: float = 0.035) -> Colour:
    text = choices[int(rng.integers(len(choices)))]
    base = np.array([int(text[i : i + 2], 16) / 255 for i in (0, 2, 4)])
    red, green, blue = np.clip(base + rng.normal(0, jitter, 3), 0.02, 0.98).tolist()
    return red, green, blue


def _choice(rng: np.random.Generator, names: tuple[str, ...], odds: tuple[float, ...]) -> str:
    return names[int(np.searchsorted(np.cumsum(odds), rng.random() * sum(odds), side="right"))]


def _draw(rng: np.random.Generator, site: Site) -> Person:
    chance = rng.random
    woman = chance() < 0.5
    warm = chance() < site.warm_weather
    coat = not warm and chance() < 0.35
    skirt = float(rng.uniform(0.16, 0.3)) if woman and chance() < 0.3 else 0.0
    bare_legs = warm and chance() < 0.5
    hair_odds = (0.15, 0.4, 0.15, 0.2, 0.1, 0.0) if woman else (0.62, 0.04, 0.02, 0.04, 0.12, 0.16)
    second = _colour(rng, site.accents)
    return Person(
        bulk=float(np.clip(rng.normal(1.0, 0.13), 0.78, 1.35)),
        shoulders=float(rng.normal(0.112 if woman else 0.126, 0.006)),
        hips=float(rng.normal(0.098 if woman else 0.09, 0.005)),
        legs=float(rng.normal(0.505, 0.016)),
        head=float(rng.normal(1.0, 0.05)),
        stride=float(rng.uniform(0.3, 0.55)),
        arm_swing=float(rng.uniform(0.15, 0.55)),
        stoop=float(np.clip(rng.normal(0.04, 0.04), -0.03, 0.16)),
        skin=_colour(rng, _SKINS, 0.02),
        hair=_colour(rng, _HAIRS, 0.02),
        hair_style=_choice(rng, _HAIR_STYLES, hair_odds),
        beard=not woman and chance() < 0.3,
        glasses=chance() < 0.2,
        upper=_colour(rng, site.upper),
        upper_second=second,
        upper_pattern=_choice(rng, PATTERNS, _PATTERN_ODDS),
        upper_scale=float(rng.uniform(3.0, 7.0)),
        sleeves=float(rng.uniform(0.2, 0.5)) if warm else 1.0,
        hem=float(rng.uniform(0.1, 0.2)) if coat else float(rng.uniform(0.0, 0.04)),
        open_front=not warm and chance() < 0.35,
        inner=_colour(rng, site.upper + site.accents),
        lower=_colour(rng, site.lower),
        lower_second=_colour(rng, site.accents),
        lower_pattern=_choice(rng, ("plain", "side", "check", "camouflage"), (0.72, 0.16, 0.07, 0.05)),
        leg_cover=float(rng.uniform(0.4, 0.55)) if bare_legs else float(rng.uniform(0.96, 1.0)),
        skirt=skirt,
        shoes=_colour(rng, site.accents + site.lower),
        logo=_choice(rng, ("none", "disc", "bar", "square", "chevron"), (0.4, 0.15, 0.15, 0.15, 0.15)),
        logo_colour=_colour(rng, site.accents),
        back_print=_choice(rng, ("none", "disc", "bar", "square"), (0.7, 0.1, 0.1, 0.1)),
        hat=_choice(rng, ("none", "cap", "beanie", "brim", "hood"), (0.66, 0.13, 0.1, 0.06, 0.05)),
        hat_colour=_colour(rng, site.accents),
        bag=_choice(rng, ("none", "backpack", "shoulder", "hand"), (0.4, 0.27, 0.2, 0.13)),
        bag_colour=_colour(rng, site.accents + site.lower),
        bag_trim=_colour(rng, site.accents),
        bag_side=1 if chance() < 0.5 else -1,
        scarf=not warm and chance() < 0.15,
    )


@lru_cache(maxsize=4096)
def sample_person(site: str, seed: int, index: int) -> Person:
    """Draws the ``index``-th person of a site: a pure function of its arguments.

    Neighbouring numbers are look-alikes: `Difficulty.lookalikes` people share one outfit (garments,
    colours, kind of pattern), and differ in body, hair, skin, shoes, logo, bag and hat.

    Args:
        site: ``A`` to ``D``.
        seed: The people's seed.
        index: Number of the person, from 0.

    Returns:
        The person.

    Raises:
        ValueError: There is no such site.

    Example:
        >>> from keras_reid.datasets.synthetic import sample_person
        >>> one, other = sample_person("A", 0, 0), sample_person("A", 0, 1)
        >>> one.upper == other.upper, one.shoes == other.shoes
        (True, False)
    """
    place = find_site(site)
    outfit, own = divmod(index, V1.lookalikes)
    person = _draw(np.random.default_rng((_STREAM, place.number, seed, index)), place)
    if own == 0:
        return person
    model = _draw(np.random.default_rng((_STREAM, place.number, seed, outfit * V1.lookalikes)), place)
    return replace(person, **{name: getattr(model, name) for name in _SHARED})
