"""Seconds from the frame numbers in benchmark file names, for temporal lifting."""

import numpy as np

__all__ = ["dukemtmc_times", "market1501_times"]

_MARKET1501_FPS = 25.0
_DUKEMTMC_FPS = 59.94
# First synchronised frame of the cameras 1..8 on the master clock.
_DUKEMTMC_OFFSETS = np.array([5542, 3606, 27243, 31181, 0, 22401, 18967, 46765])


def market1501_times(
    camera_id: np.ndarray, session: np.ndarray, frame: np.ndarray, corrected: bool = False
) -> np.ndarray:
    r"""Puts Market-1501's recording sessions one after another and returns seconds.

    Frame numbers restart in every session (the `s` in the file name). With $M_{c,s}$ the largest
    frame number of camera $c$ in session $s$ over all images given,

    $$t = (f + o_{c,s}) / 25, \qquad o_{c,1} = 0, \qquad o_{c,s} = M_{c,s-1} + 2\,o_{c,s-1}$$

    where a session without images hands its offset on unchanged. This recurrence is the authors':
    it adds the previous offset twice, which only widens the gaps between sessions. `corrected=True`
    is the plain cumulative time line that the paper describes, $o_{c,s} = M_{c,s-1} + o_{c,s-1}$.

    Args:
        camera_id: Cameras, `[N]` integers.
        session: Sessions, `[N]` integers from 1.
        frame: Frame numbers, `[N]` integers.
        corrected: Whether to use the plain cumulative time line.

    Returns:
        `[N]` float64 seconds. Give train, query and gallery together (without junk): the offsets
        depend on every image.

    Example:
        >>> import numpy as np
        >>> from keras_reid.datasets.times import market1501_times
        >>> camera, session, frame = np.array([0, 0, 0]), np.array([1, 2, 3]), np.array([100, 50, 0])
        >>> market1501_times(camera, session, frame)
        array([ 4.,  6., 10.])
        >>> market1501_times(camera, session, frame, corrected=True)
        array([4., 6., 6.])

    Reference:
        S. Liao, L. Shao, "Interpretable and Generalizable Person Re-Identification with
        Query-Adaptive Convolution and Temporal Lifting", ECCV 2020, and the authors' published
        code (the default here).
    """
    frames = np.asarray(frame, dtype=np.int64)
    cameras, sessions = np.asarray(camera_id), np.asarray(session)
    offsets = np.zeros(len(frames), dtype=np.int64)
    for camera in np.unique(cameras):
        own = cameras == camera
        offset = 0
        for number in np.unique(sessions[own]):
            rows = own & (sessions == number)
            offsets[rows] = offset
            offset = int(frames[rows].max()) + (offset if corrected else 2 * offset)
    return (frames + offsets) / _MARKET1501_FPS


def dukemtmc_times(camera_id: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """Returns seconds on DukeMTMC's master clock, `(frame + offset of the camera) / 59.94`.

    Args:
        camera_id: Cameras from 0, `[N]` integers in 0..7.
        frame: Frame numbers, `[N]` integers.

    Returns:
        `[N]` float64 seconds.

    Raises:
        ValueError: A camera is not among the eight.

    Example:
        >>> import numpy as np
        >>> from keras_reid.datasets.times import dukemtmc_times
        >>> dukemtmc_times(np.array([4]), np.array([5994]))
        array([100.])

    Reference:
        The offsets are those of the DukeMTMC release, as used by S. Liao, L. Shao (ECCV 2020).
    """
    cameras = np.asarray(camera_id)
    if cameras.size and (cameras.min() < 0 or cameras.max() >= len(_DUKEMTMC_OFFSETS)):
        bad = cameras[(cameras < 0) | (cameras >= len(_DUKEMTMC_OFFSETS))][0]
        raise ValueError(f"`camera_id` must lie in 0..7 for DukeMTMC. Received: {bad}.")
    return (np.asarray(frame, dtype=np.int64) + _DUKEMTMC_OFFSETS[cameras]) / _DUKEMTMC_FPS
