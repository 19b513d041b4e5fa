"""How real and how varied drawn images are: the Fréchet distance of features, and structural (dis)similarity."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from keras_reid.checks import check_positive_int

__all__ = ["Dissimilarity", "FrechetDistance", "dissimilarity", "frechet_distance", "structural_similarity"]

_WINDOW = 7
_WHITE = np.array([0.95047, 1.0, 1.08883])  # D65
_TO_XYZ = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])


@dataclass(frozen=True)
class FrechetDistance:
    """A distance between two sets of images, and what it was measured with.

    Attributes:
        value: The distance; 0 for equal means and covariances.
        extractor: Name of the network whose features were compared. Distances by two networks cannot be compared.
        images: Numbers of images in the first and the second set; few images make it larger.
    """

    value: float
    extractor: str
    images: tuple[int, int]

    def __str__(self) -> str:
        """One line, with the extractor."""
        first, second = self.images
        return f"Fréchet distance {self.value:.2f} (features of {self.extractor}; {first} and {second} images)"


def frechet_distance(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    extractor: str,
    features: Callable[[np.ndarray], npt.ArrayLike] | None = None,
    batch_size: int = 50,
) -> FrechetDistance:
    """Compares two sets of images by the means and covariances of their features.

    ``|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2))``, covariances with n - 1, in double precision.

    Args:
        first: Images [N, H, W, 3], or features [N, D] if ``features`` is ``None``.
        second: Likewise, of M images.
        extractor: What the features come from; it is printed with the number. Published FIDs are of the Inception
            network of 2015 with a resizing of its own; ``keras.applications.InceptionV3`` has other weights, and its
            number is another one.
        features: Function from a batch of images to features [B, D].
        batch_size: Images at a time.

    Returns:
        The distance, with the extractor's name.

    Raises:
        ValueError: Fewer than two images in a set, or features of different lengths.

    Example:
        >>> import numpy as np
        >>> from keras_reid.evaluation import frechet_distance
        >>> features = np.random.default_rng(0).normal(size=(100, 4))
        >>> print(frechet_distance(features, features + 1.0, "random numbers"))
        Fréchet distance 4.00 (features of random numbers; 100 and 100 images)

    Reference:
        Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium",
        NeurIPS 2017.
    """
    check_positive_int("batch_size", batch_size)
    sets = [np.asarray(images) for images in (first, second)]
    if features is not None:
        sets = [
            np.concatenate(
                [np.asarray(features(x[start : start + batch_size])) for start in range(0, len(x), batch_size)]
            )
            for x in sets
        ]
    one, two = (x.astype("float64") for x in sets)
    if one.ndim != 2 or two.ndim != 2 or one.shape[1] != two.shape[1] or min(len(one), len(two)) < 2:
        raise ValueError(
            "The Fréchet distance compares features [N, D] and [M, D] of at least two images each. Received: "
            f"{one.shape} and {two.shape}. Give images together with `features`."
        )
    covariances = [np.atleast_2d(np.cov(x, rowvar=False)) for x in (one, two)]
    # tr (S1 S2)^(1/2) is that of the symmetric S1^(1/2) S2 S1^(1/2), whose root is real.
    values, vectors = np.linalg.eigh(covariances[0])
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    crossed = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ covariances[1] @ root), 0.0)).sum()
    means = np.square(one.mean(axis=0) - two.mean(axis=0)).sum()
    value = means + np.trace(covariances[0]) + np.trace(covariances[1]) - 2.0 * crossed
    return FrechetDistance(float(max(value, 0.0)), extractor, (len(one), len(two)))


@dataclass(frozen=True)
class Dissimilarity:
    """How different images of one person are from each other.

    Attributes:
        dssim: (1 - SSIM) / 2, what the authors' script prints and their paper calls SSIM: higher is more varied.
        half_range: Half of the range of the rounds' running means of it.
        ssim: Structural similarity, 1 for equal images.
        pairs: Number of pairs of images.
    """

    dssim: float
    half_range: float
    ssim: float
    pairs: int

    def __str__(self) -> str:
        """One line that says which is which."""
        return f"DSSIM {self.dssim:.3f} ± {self.half_range:.3f}, SSIM {self.ssim:.3f} ({self.pairs} pairs, in CIELAB)"


def dissimilarity(
    images: npt.ArrayLike, person_id: npt.ArrayLike, pairs: int = 10, rounds: int = 5, seed: int = 0
) -> Dissimilarity:
    """Measures `structural_similarity` between random pairs of images of the same person.

    Args:
        images: [N, H, W, 3] in [0, 1]; all sets that are compared at one size.
        person_id: [N]; persons with one image are left out.
        pairs: Pairs per person and round.
        rounds: Rounds.
        seed: Seed of the choice.

    Returns:
        DSSIM and SSIM.

    Raises:
        ValueError: No person has two images.

    Example:
        >>> import numpy as np
        >>> from keras_reid.evaluation import dissimilarity
        >>> print(dissimilarity(np.ones((3, 16, 8, 3)), [1, 1, 2], pairs=2, rounds=1))
        DSSIM 0.000 ± 0.000, SSIM 1.000 (2 pairs, in CIELAB)

    Reference:
        Zheng et al., "Joint Discriminative and Generative Learning for Person Re-identification", CVPR 2019, table 2,
        and the evaluation script its authors point to.
    """
    check_positive_int("pairs", pairs)
    check_positive_int("rounds", rounds)
    pixels, persons = np.asarray(images), np.asarray(person_id)
    groups = [rows for person in np.unique(persons) if len(rows := np.flatnonzero(persons == person)) > 1]
    if not groups:
        raise ValueError("`dissimilarity` needs a person with at least two images. Received none.")
    generator = np.random.default_rng(seed)
    found: list[float] = []
    running = []
    for _ in range(rounds):
        for rows in groups:
            for _ in range(pairs):
                one, two = generator.choice(rows, 2, replace=False)
                found.append(structural_similarity(pixels[one], pixels[two]))
        running.append((1.0 - np.mean(found)) / 2.0)
    similarity = float(np.mean(found))
    half_range = float(np.ptp(running) / 2.0)
    return Dissimilarity(float((max(running) + min(running)) / 2.0), half_range, similarity, len(found))


def structural_similarity(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Structural similarity of two images in CIELAB: 7x7 uniform windows, sample covariances, range 100.

    Args:
        first: [H, W, 3] in [0, 1], sRGB.
        second: Likewise.

    Returns:
        The mean over pixels (without a border of 3) and channels, at most 1.

    Raises:
        ValueError: The images differ in shape or are smaller than a window.

    Example:
        >>> import numpy as np
        >>> from keras_reid.evaluation import structural_similarity
        >>> structural_similarity(np.zeros((8, 8, 3)), np.zeros((8, 8, 3)))
        1.0

    Reference:
        Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity", IEEE TIP 2004.
    """
    one, two = (np.asarray(image, "float64") for image in (first, second))
    if one.shape != two.shape or one.ndim != 3 or one.shape[2] != 3 or min(one.shape[:2]) < _WINDOW:
        raise ValueError(
            f"Two images [H, W, 3] of one size and at least {_WINDOW} pixels are compared. Received: {one.shape} and "
            f"{two.shape}."
        )
    one, two = _lab(one), _lab(two)
    numbers = _WINDOW**2
    mean_one, mean_two = _window_means(one), _window_means(two)
    unbiased = numbers / (numbers - 1)
    variances = unbiased * (_window_means(one**2) - mean_one**2 + _window_means(two**2) - mean_two**2)
    covariance = unbiased * (_window_means(one * two) - mean_one * mean_two)
    c1, c2 = (0.01 * 100.0) ** 2, (0.03 * 100.0) ** 2
    similarity = (2.0 * mean_one * mean_two + c1) * (2.0 * covariance + c2)
    return float(np.mean(similarity / ((mean_one**2 + mean_two**2 + c1) * (variances + c2))))


def _lab(image: np.ndarray) -> np.ndarray:
    """Colours from sRGB in [0, 1] to CIELAB under D65."""
    linear = np.where(image > 0.04045, ((np.maximum(image, 0.0) + 0.055) / 1.055) ** 2.4, image / 12.92)
    ratio = linear @ _TO_XYZ.T / _WHITE
    cubic = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16.0 / 116.0)
    x, y, z = np.moveaxis(cubic, -1, 0)
    return np.stack([116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)], axis=-1)


def _window_means(image: np.ndarray) -> np.ndarray:
    """Means over the windows that lie inside of the image, [H, W, C] -> [H - 6, W - 6, C]."""
    sums = np.pad(image, ((1, 0), (1, 0), (0, 0))).cumsum(axis=0).cumsum(axis=1)
    size = _WINDOW
    return (sums[size:, size:] - sums[:-size, size:] - sums[size:, :-size] + sums[:-size, :-size]) / size**2
