import numpy as np
import pytest

from keras_reid.pipeline import ChannelAugmentation

IMAGE = np.random.default_rng(0).integers(0, 256, (16, 8, 3), np.uint8)
SEEDS = np.arange(4000, dtype=np.uint64).reshape(-1, 2)


def kinds(transform):
    """What each seed made of the image."""
    grey = np.rint(IMAGE @ [0.299, 0.587, 0.114])
    for seed in SEEDS:
        result = transform(IMAGE, seed)
        if (result == IMAGE).all():
            yield "as it is"
            continue
        assert (result == result[..., :1]).all()
        same = [
            name for name, channel in zip("RGB", range(3), strict=True) if (result == IMAGE[..., channel, None]).all()
        ]
        if not same:
            assert np.abs(result[..., 0] - grey).max() <= 1
        yield same[0] if same else "grey"


def test_shares():
    found = list(kinds(ChannelAugmentation()))
    shares = {kind: found.count(kind) / len(found) for kind in set(found)}
    expected = {"R": 0.25, "G": 0.25, "B": 0.25, "grey": 0.125, "as it is": 0.125}
    assert shares == pytest.approx(expected, abs=0.03)
    assert "grey" not in set(kinds(ChannelAugmentation(grey=0.0)))
    assert "as it is" not in set(kinds(ChannelAugmentation(grey=1.0)))


def test_thermal_images_stay_as_they_are():
    thermal = np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16, 1), 3, axis=-1)
    for seed in SEEDS[:200]:
        np.testing.assert_array_equal(ChannelAugmentation()(thermal, seed), thermal)


def test_bad_probability():
    with pytest.raises(ValueError, match=r"`grey` must be a probability from 0 to 1. Received: 2"):
        ChannelAugmentation(grey=2)
