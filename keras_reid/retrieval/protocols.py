"""Which gallery images a query must not be judged on, by the name of the benchmark protocol."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from keras_reid.checks import unknown_name

__all__ = ["JUNK_ID", "Protocol", "get_protocol"]

JUNK_ID = -1
"""Identity of images that are nobody (detector errors); every protocol ignores them."""


@dataclass(frozen=True)
class Protocol:
    """A named rule that says which gallery images are left out of one query's ranking.

    An ignored image counts neither as a match nor as an error: it is as if it were not in the
    gallery of this query. Junk images (identity -1) are ignored whatever the rule says.

    Attributes:
        name: The protocol's name, as ``evaluate_scores(protocol=...)`` takes it.
        ignores: Callable (same_identity [G] bool, query_camera, gallery_cameras [G]) -> [G] bool,
            true where the gallery image is left out; whether one image is left out must not depend on
            the identities of the others. None: nothing is left out.
        because: What is true of queries that lose all their matches to the rule; ``{camera}`` stands
            for their cameras. It completes the sentence "All 133 queries ...".
        identity_cmc: Whether CMC ranks identities in place of images: of each identity only the first
            image in the ranked list stays. AP and INP are over the images all the same.

    Example:
        >>> import numpy as np
        >>> from keras_reid import retrieval
        >>> market = retrieval.get_protocol("market1501")
        >>> market.ignored(7, 0, np.array([7, 7, 8, -1]), np.array([0, 1, 0, 1]))
        array([ True, False, False,  True])
    """

    name: str
    ignores: Callable[[np.ndarray, int, np.ndarray], np.ndarray] | None
    because: str = ""
    identity_cmc: bool = False

    def ignored(
        self, query_id: int, query_camera: int, gallery_ids: np.ndarray, gallery_cameras: np.ndarray
    ) -> np.ndarray:
        """Returns which gallery images one query leaves out.

        Args:
            query_id: Identity of the query.
            query_camera: Camera of the query; -1 when unknown.
            gallery_ids: [G] identities.
            gallery_cameras: [G] cameras; -1 when unknown.

        Returns:
            [G] bool.
        """
        junk = gallery_ids == JUNK_ID
        if self.ignores is None:
            return junk
        return junk | self.ignores(gallery_ids == query_id, query_camera, gallery_cameras)


def _same_identity_and_camera(same_identity: np.ndarray, query_camera: int, gallery_cameras: np.ndarray) -> np.ndarray:
    if query_camera == -1:  # two unknown cameras are not known to be the same one
        return np.zeros_like(same_identity)
    return same_identity & (gallery_cameras == query_camera)


def _seen_from_the_same_place(same_identity: np.ndarray, query_camera: int, gallery_cameras: np.ndarray) -> np.ndarray:
    if query_camera != 2:
        return np.zeros_like(same_identity)
    return gallery_cameras == 1


_PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol("market1501", _same_identity_and_camera, "share {camera} with their matches"),
        Protocol("no_camera", None),
        Protocol(
            "sysu_mm01",
            _seen_from_the_same_place,
            "of {camera} have matches in camera 1 alone, which looks at the same place",
            identity_cmc=True,
        ),
    )
}


def get_protocol(name: str | Protocol) -> Protocol:
    """Finds a protocol by name; a ``Protocol`` of your own is returned as it is.

    ``"market1501"`` (Zheng et al. 2015; also CUHK03-NP, DukeMTMC-reID, MSMT17) leaves out images of
    the query's identity from the query's camera; ``"no_camera"`` (RegDB; data without cameras) leaves out
    nothing but junk; ``"sysu_mm01"`` (Wu et al. 2017; cameras from 0) leaves out, for queries of camera 2, every
    image of camera 1, which looks at the same place, and its CMC ranks identities.

    Args:
        name: A protocol's name, or a ``Protocol``.

    Returns:
        The protocol.

    Raises:
        ValueError: No protocol has this name.

    Example:
        >>> from keras_reid import retrieval
        >>> retrieval.get_protocol("no_camera").name
        'no_camera'

    Reference:
        Zheng et al., Scalable Person Re-identification: A Benchmark, ICCV 2015; Wu et al., RGB-Infrared
        Cross-Modality Person Re-Identification, ICCV 2017.
    """
    if isinstance(name, Protocol):
        return name
    if name not in _PROTOCOLS:
        raise unknown_name("protocol", name, _PROTOCOLS, "A `Protocol` object is accepted too.")
    return _PROTOCOLS[name]
