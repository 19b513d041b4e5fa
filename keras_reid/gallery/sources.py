"""What is enrolled or looked for: images of any kind, or features that were extracted before."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from keras_reid.datasets import ReIDTable
from keras_reid.pipeline.build import inference_from
from keras_reid.pipeline.decode import decode_picture
from keras_reid.pipeline.errors import clear_errors
from keras_reid.pipeline.inputs import gather, input_source
from keras_reid.pipeline.reading import read_all

__all__ = ["Features", "Images"]


class Images:
    """Images, and what their table knows about them.

    Args:
        model: The model that extracts.
        images: A ``ReIDTable``, or what `keras_reid.pipeline.inputs.gather` takes: files, folders, arrays, Pillow
            images.
        batch_size: Images at a time.
        on_bad_image: ``"raise"`` or ``"skip"``.
        modality: 0 visible or 1 thermal; a table says its own.
    """

    def __init__(self, model: Any, images: Any, batch_size: int = 64, on_bad_image: str = "raise", modality: int = 0):
        self.model, self.batch_size, self.skip = model, batch_size, on_bad_image == "skip"
        self.known: dict[str, list[Any]] = {}
        if isinstance(images, ReIDTable):
            self.table, self.items = images, list(images.path)
            self.known = {
                "camera": images.camera_id.tolist(),
                "time": images.time_s.tolist(),
                "tracklet": images.tracklet.tolist(),
                "person": images.person_id.tolist(),
                "path": self.items,
            }
        else:
            found = gather(images)
            names, self.items = [name for name, _ in found], [item for _, item in found]
            self.table = ReIDTable.from_columns(names, np.zeros(len(names), int), modality=modality)
            # The table's are absolute, for a gallery is opened from other folders too.
            places = zip(self.table.path, self.items, strict=True)
            self.known = {"path": [path if isinstance(item, str) else None for path, item in places]}

    def __len__(self) -> int:
        return len(self.items)

    def content(self, row: int) -> str:
        """Returns the checksum of an image: of its file's bytes, or of the pixels that the model sees.

        Args:
            row: Which image.

        Returns:
            32 hexadecimal digits.

        Raises:
            ValueError: There is no such file, or the image cannot be read.
        """
        item = self.items[row]
        if not isinstance(item, str):
            pixels = decode_picture(item, self.table.path[row])
            return _checksum(str(pixels.shape).encode(), pixels.tobytes())
        if not Path(item).is_file():
            raise ValueError(f"There is no image file {item!r}.")
        return _checksum(Path(item).read_bytes())

    def readable(self, rows: np.ndarray) -> np.ndarray:
        """Says which images are not to be left out: all, unless unreadable ones are skipped.

        Args:
            rows: ``[N]`` which images.

        Returns:
            ``[N]`` booleans.
        """
        found = np.ones(len(rows), bool)
        if not self.skip:
            return found
        files = [place for place, row in enumerate(rows) if isinstance(self.items[row], str)]
        read = read_all([self.items[rows[place]] for place in files], on_bad_image="skip")
        found[files] = [pixels is not None for pixels in read]
        for place in set(range(len(rows))).difference(files):
            found[place] = _is_whole(self.items[rows[place]])
        return found

    def extract(self, rows: np.ndarray) -> np.ndarray:
        """Extracts the features of some of the images.

        Args:
            rows: ``[N]`` which.

        Returns:
            ``[N, ...]`` features.

        Raises:
            ValueError: One cannot be read.
        """
        size = self.model.image_size
        source, _ = input_source([self.items[row] for row in rows], size, self.model.interpolation)
        batches = inference_from(source, self.table.take(rows), size, self.batch_size)
        with clear_errors():
            return np.asarray(self.model.extract(batches, verbose=0))


class Features:
    """Features that the gallery's model extracted before.

    Args:
        features: ``[N, ...]``.
        shape: What the gallery's model makes of one image.

    Raises:
        ValueError: They have another shape, or are not finite.
    """

    def __init__(self, features: Any, shape: tuple[int, ...]):
        self.features = np.asarray(features)
        self.known: dict[str, list[Any]] = {}
        if self.features.dtype.kind not in "fiu" or self.features.shape[1:] != shape or not len(self.features):
            raise ValueError(
                f"`features` must be numbers of the shape [N, {', '.join(map(str, shape))}], N > 0, as the gallery's "
                f"model extracts them. Received: {self.features.dtype} {self.features.shape}."
            )
        if not np.isfinite(self.features).all():
            raise ValueError("`features` must be finite. Received: NaN or infinity.")

    def __len__(self) -> int:
        return len(self.features)

    def content(self, row: int) -> str:
        """Returns the checksum of an image's features.

        Args:
            row: Which image.

        Returns:
            32 hexadecimal digits.
        """
        return _checksum(np.ascontiguousarray(self.features[row], "<f4").tobytes())

    def readable(self, rows: np.ndarray) -> np.ndarray:
        """Says that there is nothing to read.

        Args:
            rows: ``[N]`` which.

        Returns:
            As `Images.readable`.
        """
        return np.ones(len(rows), bool)

    def extract(self, rows: np.ndarray) -> np.ndarray:
        """Returns some of the features.

        Args:
            rows: ``[N]`` which.

        Returns:
            As `Images.extract`.
        """
        return self.features[rows]


def _is_whole(picture: Any) -> bool:
    try:
        decode_picture(picture, "")
    except ValueError:
        return False
    return True


def _checksum(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()[:32]
