"""What the page does, without the page: searching, opening a match, removing a person."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_reid.checks import check_positive_int
from keras_reid.serving.pictures import read_crop
from keras_reid.visualize import correspondences
from keras_reid.visualize.images import data_uri
from keras_reid.visualize.style import figure_png

if TYPE_CHECKING:
    from keras_reid.gallery import Gallery, Match

__all__ = ["Desk", "Found", "Removal"]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Found:
    """A crop that was looked for, and its matches. It stays on the server; the client has numbers of matches only.

    Attributes:
        crop: uint8 ``[height, width, 3]`` at the model's size: all that is kept of what was sent.
        matches: Best first.
    """

    crop: np.ndarray
    matches: "tuple[Match, ...]" = ()


@dataclass(frozen=True)
class Removal:
    """What a confirmation would remove.

    Attributes:
        person: Every entry of this person; or
        key: this entry alone, where nobody recorded who it is.
        entries: How many entries that is.
    """

    person: int | None
    key: str
    entries: int

    def __str__(self) -> str:
        if self.person is None:
            return f"the entry {self.key} will be removed. Whose it is was not recorded: their other entries stay."
        return f"{_entries(self.entries)} of person {self.person} will be removed."


class Desk:
    """Serves one gallery to several people at a time.

    Args:
        gallery: An open gallery.
        model: The model it was opened with.
        top: How many matches are shown.

    Example:
        >>> from keras_reid.serving.desk import Desk
        >>> desk = Desk(gallery, model, top=10)  # doctest: +SKIP
        >>> desk.search(desk.read(content), camera="3", other_cameras=True).matches[0].key  # doctest: +SKIP
        '0007_c1'
    """

    def __init__(self, gallery: "Gallery", model: Any, top: int = 10):
        check_positive_int("top", top)
        self.gallery, self.model, self.top = gallery, model, top
        # The gallery takes threads; a Keras model that extracts does not.
        self._lock = threading.Lock()
        self._closed = False

    def close(self) -> None:
        """Waits for what is under way, and begins nothing any more; the gallery stays open."""
        with self._lock:
            self._closed = True

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        with self._lock:
            if self._closed:
                raise ValueError("The page was stopped.")
            yield

    @property
    def compares_places(self) -> bool:
        """Whether the model has correspondences to show."""
        return hasattr(self.model, "correspondences")

    def read(self, content: bytes) -> np.ndarray:
        """Decodes what was sent; see `keras_reid.serving.pictures.read_crop`.

        Args:
            content: The file's bytes.

        Returns:
            uint8 ``[height, width, 3]``.

        Raises:
            ValueError: It is no image, or too large a one.
        """
        return read_crop(content, self.model.image_size, self.model.interpolation)

    def search(self, crop: np.ndarray, camera: str | None = None, other_cameras: bool = False) -> Found:
        """Finds who is most like a crop.

        Args:
            crop: As `read` returned it.
            camera: Its camera's number as it was typed; empty where unknown.
            other_cameras: Only entries of other cameras.

        Returns:
            The matches.

        Raises:
            ValueError: The camera is no number, or is needed and not given.
        """
        number = _whole_number("The camera", camera) if camera and camera.strip() else None
        if other_cameras and number is None:
            raise ValueError("To leave out the crop's own camera, say which it is.")
        with self._at_work():
            (matches,) = self.gallery.search([crop], top_k=self.top, cameras=number, other_cameras=bool(other_cameras))
        return Found(crop, tuple(matches))

    def correspondences(self, found: Found, number: Any) -> str:
        """Draws which place of the crop matched which place of a match.

        Args:
            found: What a search returned.
            number: Which match, from 1.

        Returns:
            The picture, as an address that holds it.

        Raises:
            ValueError: There is no such match, its file is gone, or the model does not compare places.
        """
        match = self._match(found, number)
        if not self.compares_places:
            raise ValueError(
                f"{type(self.model).__name__} does not compare images place by place, so it has no correspondences to "
                "show. QAConv does."
            )
        if match.path is None:
            raise ValueError("The gallery does not know this match's image file.")
        with self._at_work():
            try:
                figure = correspondences(self.model, found.crop.astype("float32") / 255.0, match.path)
            except ValueError as error:
                raise ValueError("This match's image file is gone, or cannot be read.") from error
            return data_uri("image/png", figure_png(figure, dpi=110))

    def removal(self, found: Found, number: Any) -> Removal:
        """Says what removing a match's person would remove; nothing is removed yet.

        Args:
            found: What a search returned.
            number: Which match, from 1.

        Returns:
            What a confirmation would remove.

        Raises:
            ValueError: There is no such match, or somebody has removed it meanwhile.
        """
        match = self._match(found, number)
        removal = Removal(match.person, match.key, 0)
        with self._at_work():
            return replace(removal, entries=self.gallery.count(_condition(removal)))

    def remove(self, found: Found, removal: Removal, compact: bool = False) -> tuple[Found, str]:
        """Removes what was confirmed.

        Args:
            found: What a search returned.
            removal: What `removal` returned.
            compact: Whether what was removed is taken off the disk at once.

        Returns:
            The search's matches without those that were removed, and what was done, in words.
        """
        with self._at_work():
            count = self.gallery.delete(where=_condition(removal))
            off_the_disk = compact and self._compacted()
            left = len(self.gallery)
        kept = tuple(match for match in found.matches if not _concerns(removal, match))
        said = f"{_entries(count)} removed, {left} left. Image files were not touched."
        if compact and not off_the_disk:
            said += " They are found no more, but still on the disk. The gallery's keeper finds the reason in the log."
        elif not compact:
            said += (
                " They are found no more; `keras-reid gallery delete ... --compact`, or a removal with the box ticked, "
                "takes them off the disk."
            )
        return replace(found, matches=kept), said

    def _compacted(self) -> bool:
        """Whether it could be done: that the removal was done is to be said either way."""
        try:
            self.gallery.compact()
        except (ValueError, OSError) as error:
            _LOG.error("%s", error)
            return False
        return True

    def _match(self, found: Found, number: Any) -> "Match":
        place = _whole_number("The match", number)
        if not 1 <= place <= len(found.matches):
            raise ValueError(f"There is no match {place} in this search.")
        match = found.matches[place - 1]
        with self._at_work():
            there = self.gallery.count(_condition(Removal(None, match.key, 1)))
        if not there:
            raise ValueError(f"Match {place} was removed meanwhile. Search again.")
        return match


def _condition(removal: Removal) -> Any:
    from keras_reid.gallery import field

    return field("key") == removal.key if removal.person is None else field("person") == removal.person


def _concerns(removal: Removal, match: "Match") -> bool:
    return match.key == removal.key if removal.person is None else match.person == removal.person


def _entries(count: int) -> str:
    return f"{count} {'entry' if count == 1 else 'entries'}"


def _whole_number(what: str, given: Any) -> int:
    text = str(given).strip()
    if not (text.isascii() and text.removeprefix("-").isdigit() and len(text) <= 9):
        raise ValueError(f"{what} must be a whole number. Received: {text[:40]!r}.")
    return int(text)
