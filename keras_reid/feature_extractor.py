"""`FeatureExtractor`: features of any images by any model, in one line."""

import csv
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_reid.checks import check_positive_int, unknown_name
from keras_reid.datasets import ReIDTable
from keras_reid.pipeline.build import inference_from
from keras_reid.pipeline.errors import clear_errors
from keras_reid.pipeline.inputs import input_source
from keras_reid.pipeline.reading import ON_BAD_IMAGE

if TYPE_CHECKING:
    from keras_reid.evaluation.extract import Extractor

__all__ = ["Extraction", "FeatureExtractor", "check_feature_file"]

_SUFFIXES = (".npz", ".csv")


@dataclass(frozen=True, eq=False, repr=False)
class Extraction:
    """Features, and which images they are of.

    Attributes:
        features: Array ``[M, ...]`` float32, one for each image that could be read.
        names: Their M paths; ``"image 3"`` for the fourth of a list that was no file.
        kept: int64 ``[M]``: their places among all images, 0 to N-1. Where nothing was skipped, M = N.

    Example:
        >>> import numpy as np
        >>> from keras_reid.feature_extractor import Extraction
        >>> Extraction(np.zeros((2, 8), "float32"), ("a.jpg", "c.jpg"), np.array([0, 2]))
        Extraction(2 features of shape (8,))
    """

    features: np.ndarray
    names: tuple[str, ...]
    kept: np.ndarray

    def __repr__(self) -> str:
        return f"Extraction({len(self.features)} features of shape {self.features.shape[1:]})"

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes names and features to a file, whole or not at all; its folder is made if need be.

        Args:
            path: ``.npz``: arrays ``features``, ``names`` and ``kept``, for ``np.load``. ``.csv``: a line per image,
                its name and its numbers, which read back as the same float32; for embeddings only.

        Returns:
            The path.

        Raises:
            ValueError: The file has another suffix, or a CSV file is asked for features that are no vectors.
        """
        target = check_feature_file(path)
        part = target.with_name(f".{target.name}.part")
        if target.suffix.lower() == ".csv" and self.features.ndim != 2:
            raise ValueError(
                f"A CSV file holds embeddings [N, D]. Received: features {self.features.shape}, maps of a method that "
                "compares pairs. Write a .npz file."
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            if target.suffix.lower() == ".csv":
                self._write_csv(part)
            else:
                with part.open("wb") as stream:
                    np.savez(stream, features=self.features, names=np.array(self.names), kept=self.kept)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        return target

    def _write_csv(self, path: Path) -> None:
        with path.open("w", newline="", encoding="utf-8") as stream:
            lines = csv.writer(stream)
            lines.writerow(["name", *(f"feature_{column}" for column in range(self.features.shape[1]))])
            for name, row in zip(self.names, self.features, strict=True):
                lines.writerow([name, *(f"{value:.9g}" for value in row)])


class FeatureExtractor:
    """Features of any images by any model of the library.

    Images are read, converted and resized as `keras_reid.evaluate` does it, so that the features are the same:
    RGB; grey images get three equal channels, palettes are looked up, an alpha channel is dropped, and an EXIF
    orientation is not followed (``PIL.ImageOps.exif_transpose`` turns a photograph upright first).

    What comes out is what the model's ``score`` compares. Most methods have one embedding of an image, float32
    ``[N, D]`` of unit norm: the cosine is ``features @ features.T``. `QAConv` has maps ``[N, h, w, d]``, and `GMN` has
    pooled features that a second network compares. There, and for any model, ``extractor.score(images, others)``
    or ``extractor.model.score(features, other_features)`` is the comparison.

    Args:
        model: A ``ReIDModel``; the path of a ``.keras`` file; the folder of a finished run, or one that
            `keras_reid.zoo.save` wrote; or the name of a zoo entry.
        weights: For a zoo entry, as in `keras_reid.zoo.load`; by default those that its card names.
        batch_size: Images at a time.
        on_bad_image: ``"raise"`` at the first file that cannot be read, or ``"skip"``: leave it out, with a warning.
            ``extract(images).kept`` says which images are left.
        progress: Whether to show a progress bar.

    Attributes:
        model: The model.

    Raises:
        TypeError: ``model`` is nothing of the kind.
        ValueError: There is no such model, it is damaged, or it is a zoo entry without weights.

    Example:
        >>> import numpy as np
        >>> import keras_reid
        >>> from keras_reid.feature_extractor import FeatureExtractor
        >>> extractor = FeatureExtractor(keras_reid.zoo.load("baseline_tiny"), progress=False)
        >>> images = [np.zeros((90, 41, 3), "uint8"), np.ones((200, 80))]  # any size, grey too
        >>> extractor(images).shape
        (2, 256)
    """

    def __init__(
        self,
        model: "Extractor | str | os.PathLike[str]",
        weights: "str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None" = None,
        *,
        batch_size: int = 64,
        on_bad_image: str = "raise",
        progress: bool = True,
    ):
        self.batch_size = check_positive_int("batch_size", batch_size)
        if on_bad_image not in ON_BAD_IMAGE:
            raise unknown_name("value of `on_bad_image`", on_bad_image, ON_BAD_IMAGE)
        self.on_bad_image = on_bad_image
        self.progress = progress
        self.model = _loaded(model, weights)

    def __call__(self, images: Any, *, modality: int = 0) -> np.ndarray:
        """Computes the features of images, in their order.

        Args:
            images: A path; a folder, whose images are taken with those of its sub-folders, sorted by name; an array
                ``[H, W, 3]`` of uint8, or of floats in [0, 1], RGB (of OpenCV: ``image[..., ::-1]``), also ``[H, W]``
                and ``[H, W, 4]``; a Pillow image; an array ``[N, H, W, 3]``; a list of any of these.
            modality: 0 visible or 1 thermal, for methods that treat the two apart, as `CMEMD` does.

        Returns:
            Array ``[N, ...]`` float32; without the unreadable images if they are skipped.

        Raises:
            TypeError: The images are something else.
            ValueError: There is no image, one cannot be read, or an array has another shape or range.
        """
        return self.extract(images, modality=modality).features

    def extract(self, images: Any, *, modality: int = 0) -> Extraction:
        """Computes features, and says which images they are of.

        Args:
            images: As in a call.
            modality: As in a call.

        Returns:
            Features, names, and the places of the images that could be read.

        Raises:
            TypeError: As in a call.
            ValueError: As in a call.
        """
        size, interpolation = self.model.image_size, self.model.interpolation
        source, names = input_source(images, size, interpolation, self.on_bad_image)
        if source.skipped:
            warnings.warn(
                f"{len(source.skipped)} of {len(names)} images cannot be read, the first is {source.skipped[0]!r}. "
                "Skipped; `extract(images).kept` says which are left.",
                stacklevel=2,
            )
        table = ReIDTable.from_columns(names, np.zeros(len(names), int), modality=modality)
        batches = inference_from(source, table, size, self.batch_size)
        with clear_errors():
            features = np.asarray(self.model.extract(batches, verbose=int(self.progress)), "float32")
        return Extraction(features, tuple(names[row] for row in source.used), source.used)

    def score(self, query: Any, gallery: Any, *, query_modality: int = 0, gallery_modality: int = 0) -> np.ndarray:
        """Compares every query image with every gallery image.

        Features are computed anew in each call. For a gallery that stays, keep them:
        ``extractor.model.score(extractor(query), gallery_features)``.

        Args:
            query: Q images, as in a call.
            gallery: G images, as in a call.
            query_modality: 0 visible or 1 thermal: what the queries are.
            gallery_modality: The same of the gallery.

        Returns:
            Array ``[Q, G]``, higher is closer: the cosine of embeddings, or the method's own comparison.

        Raises:
            TypeError: As in a call.
            ValueError: As in a call.
        """
        features = self(query, modality=query_modality), self(gallery, modality=gallery_modality)
        return np.asarray(self.model.score(*features))


def check_feature_file(path: str | os.PathLike[str]) -> Path:
    """Returns the path of a file that `Extraction.save` can write; asked before anything is computed.

    Args:
        path: The file.

    Returns:
        The path.

    Raises:
        ValueError: It has another suffix.

    Example:
        >>> from keras_reid.feature_extractor import check_feature_file
        >>> check_feature_file("features.npy")
        Traceback (most recent call last):
            ...
        ValueError: Features are written to a .npz or .csv file. Received: 'features.npy'.
    """
    target = Path(path)
    if target.suffix.lower() not in _SUFFIXES:
        raise ValueError(f"Features are written to a {' or '.join(_SUFFIXES)} file. Received: {str(target)!r}.")
    return target


def _loaded(model: Any, weights: Any) -> "Extractor":
    """The model itself, from its file, or from the zoo."""
    is_path = isinstance(model, str | os.PathLike)
    path = Path(model).expanduser() if is_path else Path()
    if is_path and not path.exists() and path.suffix != ".keras":
        return _from_zoo(str(model), weights)
    if weights is not None:
        raise ValueError("`weights` are for the name of a zoo entry; a saved model has its own. Leave them out.")
    if is_path:
        from keras_reid import zoo
        from keras_reid.methods.loading import load_model

        return zoo.load(path) if (path / "card.toml").is_file() else load_model(path)
    missing = [name for name in ("extract", "score", "image_size", "interpolation") if not hasattr(model, name)]
    if missing:
        raise TypeError(
            "`model` must be a ReIDModel, a .keras file, the folder of a run, or the name of a zoo entry. "
            f"Received: a {type(model).__name__}, which has no {', '.join(missing)}."
        )
    return model


def _from_zoo(name: str, weights: Any) -> "Extractor":
    """The entry with published weights, unless others are given: random ones would find nobody."""
    from keras_reid import zoo

    if name not in zoo.list():
        raise unknown_name(
            "model", name, zoo.list(), "It is no file or folder either; give a .keras file or the folder of a run."
        )
    return zoo.load(name, weights="published" if weights is None else weights)
