"""Says in sentences why a query could not be judged, where other code asserts."""

import numpy as np

from keras_reid.retrieval.protocols import JUNK_ID, Protocol

__all__ = ["explain", "reason"]

_SHOWN_CAMERAS = 4


def reason(query_id: int, identity_in_gallery: bool) -> str:
    """Names why a query has no match left: the keys of ``Metrics.invalid``."""
    if query_id == JUNK_ID:
        return "junk"
    return "matches_ignored" if identity_in_gallery else "identity_not_in_gallery"


def explain(reasons: np.ndarray, query_cameras: np.ndarray, protocol: Protocol) -> tuple[str, ...]:
    """Turns the reasons of all queries (empty where valid) into sentences, one a reason.

    Example:
        >>> import numpy as np
        >>> from keras_reid.retrieval.protocols import get_protocol
        >>> print(*explain(np.array(["junk", ""]), np.array([0, 1]), get_protocol("market1501")))
        1 of 2 queries are junk (identity -1); left out of the metrics.
    """
    sentences = []
    outcome = "left out of the metrics" if (reasons == "").any() else "the metrics are NaN"
    for name in np.unique(reasons[reasons != ""]).tolist():
        chosen = reasons == name
        count, total = int(chosen.sum()), len(reasons)
        subject = f"All {total} queries" if count == total else f"{count} of {total} queries"
        if name == "junk":
            sentences.append(f"{subject} are junk (identity {JUNK_ID}); {outcome}.")
        elif name == "identity_not_in_gallery":
            sentences.append(f"{subject} have no image of their identity in the gallery; {outcome}.")
        else:
            because = protocol.because.format(camera=_cameras(query_cameras[chosen]))
            sentence = f"{subject} {because}, which protocol {protocol.name!r} does not count; {outcome}."
            if not protocol.identity_cmc:  # such a protocol is not to be had without its cameras
                sentence += " Without cameras (query_cameras=None, gallery_cameras=None) they do count."
            sentences.append(sentence)
    return tuple(sentences)


def _cameras(cameras: np.ndarray) -> str:
    numbers = [str(number) for number in np.unique(cameras)]
    if len(numbers) == 1:
        return f"camera {numbers[0]}"
    if len(numbers) > _SHOWN_CAMERAS:
        rest = len(numbers) - _SHOWN_CAMERAS
        return f"cameras {', '.join(numbers[:_SHOWN_CAMERAS])} and {rest} more"
    return f"cameras {', '.join(numbers[:-1])} and {numbers[-1]}"
