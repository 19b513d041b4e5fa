"""The four sites: what people wear there, what stands around, and which cameras look on."""

from dataclasses import dataclass

from keras_reid.checks import unknown_name

__all__ = ["SITES", "Site", "find_site"]

Range = tuple[float, float]


@dataclass(frozen=True)
class Site:
    """A place with its fashion and its cameras. Colours are hex strings, ranges are (low, high).

    Args:
        name: One of ``A`` to ``D``.
        number: Its number in the seeds.
        upper: Colours of the upper garments.
        lower: Colours of trousers, shorts and skirts.
        accents: Colours of patterns, logos, shoes, bags and hats.
        warm_weather: Probability of short sleeves; half of it is that of bare legs.
        walls: Colours of walls.
        floors: Colours of floors.
        things: Colours of doors, posters, plants and posts.
        surfaces: Kinds of wall: ``panels``, ``brick``, ``glass``, ``hedge``, ``plaster``.
        gain: Exposure.
        warmth: Red against blue; 0 is neutral.
        tint: Green against magenta; 0 is neutral.
        saturation: Strength of colour; 1 is neutral.
        gamma: Exponent of the tone curve; 1 is neutral.
        black: Level that black is lifted to (haze).
        ambient: Share of light without direction.
        blur: Radius of the lens blur in pixels.
        noise: Standard deviation of the sensor noise, of 1.
        resolution: Share of the picture's rows that the sensor has.
        quality: JPEG quality.
    """

    name: str
    number: int
    upper: tuple[str, ...]
    lower: tuple[str, ...]
    accents: tuple[str, ...]
    warm_weather: float
    walls: tuple[str, ...]
    floors: tuple[str, ...]
    things: tuple[str, ...]
    surfaces: tuple[str, ...]
    gain: Range
    warmth: Range
    tint: Range
    saturation: Range
    gamma: Range
    black: Range
    ambient: Range
    blur: Range
    noise: Range
    resolution: Range
    quality: Range


def _colours(text: str) -> tuple[str, ...]:
    return tuple(text.split())


SITES = {
    # A station concourse in autumn: coats, muted colours, lamps, grey stone.
    "A": Site(
        name="A",
        number=0,
        upper=_colours("2b2d33 3c4048 5b6068 8a8d92 c9c6bd 26324a 3f4f6b 5a3038 4a4a35 6b5a46 94826a"),
        lower=_colours("202226 2c3038 2a3448 3a4458 51555c 6e6657 4b4238 857a68"),
        accents=_colours("e8e4da 1c1d20 7a2b2b 2f5d50 b08d57 335c81 6d4c7d 8f9aa5 a05a2c"),
        warm_weather=0.2,
        walls=_colours("8d8f8e a39f96 7a8288 b0aca0 6d7073"),
        floors=_colours("77746c 8b8a86 5f6366 968f82"),
        things=_colours("3c4a52 6b4f3a 2e3b32 8c6a4f 4d5560 a3a7a8"),
        surfaces=("panels", "plaster", "glass"),
        gain=(0.7, 1.15),
        warmth=(-0.14, 0.12),
        tint=(-0.08, 0.06),
        saturation=(0.65, 1.0),
        gamma=(0.85, 1.25),
        black=(0.0, 0.08),
        ambient=(0.55, 0.75),
        blur=(0.2, 0.8),
        noise=(0.008, 0.024),
        resolution=(0.55, 0.95),
        quality=(60, 90),
    ),
    # A campus on a summer's day: bright shirts, hard sun, brick and lawn.
    "B": Site(
        name="B",
        number=1,
        upper=_colours("f2f0ea d93a34 2f7fd0 f2c230 3fae5a ef7fa7 7f5ac8 f08a2c 1f1f24 9ad0e8 b9e07a"),
        lower=_colours("3e5f94 5b7fb5 24355c d8c7a0 f0ece0 2a2a2e 7d8a5a b3543e"),
        accents=_colours("ffffff e6352b 12a0c8 ffd23a 2a2a2e 58b84a e85fb0 ff8a1e 4a3ab0"),
        warm_weather=0.75,
        walls=_colours("b8613f c98a5e d8c8a8 a7b8c4 c4553d"),
        floors=_colours("b9ad94 8f9a72 6f9a4a c7b48a a89a8c"),
        things=_colours("2f7a3a c43d2e e8e0d0 3f6fa8 d9a632 5a4632"),
        surfaces=("brick", "hedge", "plaster"),
        gain=(0.8, 1.3),
        warmth=(-0.1, 0.34),
        tint=(-0.14, 0.14),
        saturation=(0.95, 1.45),
        gamma=(0.75, 1.35),
        black=(0.0, 0.04),
        ambient=(0.25, 0.5),
        blur=(0.1, 0.6),
        noise=(0.006, 0.02),
        resolution=(0.65, 1.0),
        quality=(70, 95),
    ),
    # A shopping street in the evening: dark layers, lit windows, wet asphalt.
    "C": Site(
        name="C",
        number=2,
        upper=_colours("1d2026 2d3a3f 1f4a4d 7a3f1d b58a2a 59243c 3a2f5a 78808a d6d0c4 4f5d33 94472f"),
        lower=_colours("17191d 262a35 1f3047 3d3a36 54432f 2f4136 6b6f78"),
        accents=_colours("f0e6c8 d8a021 1f8a86 b5324a 15161a 8a9fb8 c86f2d 5f7a3a"),
        warm_weather=0.15,
        walls=_colours("4a3d38 5c5248 3a4048 6e5a44 2f3338"),
        floors=_colours("3f4146 4c4a48 5a544c 34383d"),
        things=_colours("e8b860 c85a3c 2a6a72 d9d2c0 7a4a8a 2c3a2e"),
        surfaces=("glass", "brick", "panels"),
        gain=(0.8, 2.0),
        warmth=(-0.08, 0.44),
        tint=(-0.15, 0.16),
        saturation=(0.6, 1.25),
        gamma=(0.75, 1.35),
        black=(0.0, 0.07),
        ambient=(0.4, 0.65),
        blur=(0.2, 0.9),
        noise=(0.012, 0.032),
        resolution=(0.55, 0.95),
        quality=(60, 90),
    ),
    # A harbour promenade on a hazy morning: pastels, white walls, sea light.
    "D": Site(
        name="D",
        number=3,
        upper=_colours("f4f2ee e9b7a8 a8cfd4 f3d9a2 c3b3dc 8fb8a0 2e4668 d86a5c f0f4f8 6f8fb0 b8435a"),
        lower=_colours("e8e2d2 c9d3da 6d86a6 33496b b9a78a 9aa89a 2c3038 d8b8a8"),
        accents=_colours("fdfdfd 22425f e2604a 2fa39a f2b84b 8a5f9e 34363c c9dd8a"),
        warm_weather=0.65,
        walls=_colours("e4e0d6 cfd8dc d8c8b4 b4c6d0 efe8da"),
        floors=_colours("c8c2b4 b0b6b8 d4c29a a4988a"),
        things=_colours("2f6f9a e0573f f0c05a 4a8a7a f6f4ee 8a6a4a"),
        surfaces=("plaster", "glass", "hedge"),
        gain=(0.8, 1.2),
        warmth=(-0.24, 0.06),
        tint=(-0.08, 0.1),
        saturation=(0.75, 1.35),
        gamma=(0.75, 1.15),
        black=(0.0, 0.09),
        ambient=(0.35, 0.65),
        blur=(0.1, 0.7),
        noise=(0.006, 0.025),
        resolution=(0.6, 1.0),
        quality=(65, 95),
    ),
}


def find_site(name: str) -> Site:
    """Returns the site of this name.

    Args:
        name: One of ``A``, ``B``, ``C``, ``D``.

    Returns:
        The site.

    Raises:
        ValueError: There is no such site.

    Example:
        >>> from keras_reid.datasets.synthetic.sites import find_site
        >>> find_site("B").number
        1
    """
    if name not in SITES:
        raise unknown_name("synthetic site", name, SITES)
    return SITES[name]
