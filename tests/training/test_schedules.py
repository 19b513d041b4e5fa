import numpy as np
import pytest

from keras_reid.training import WarmupStepDecay


def test_warmup_then_steps():
    schedule = WarmupStepDecay(2.0, boundaries=[6, 8], factor=0.5, warmup_steps=4, warmup_start=0.5)
    rates = [float(schedule(step)) for step in range(10)]
    np.testing.assert_allclose(rates, [1.0, 1.25, 1.5, 1.75, 2.0, 2.0, 1.0, 1.0, 0.5, 0.5])


def test_without_warmup():
    assert float(WarmupStepDecay(2.0)(0)) == 2.0


def test_config():
    schedule = WarmupStepDecay(2.0, boundaries=[6, 8], factor=0.5, warmup_steps=4, warmup_start=0.5)
    assert WarmupStepDecay.from_config(schedule.get_config()).get_config() == schedule.get_config()


def test_bad_arguments():
    with pytest.raises(ValueError, match="must not decrease"):
        WarmupStepDecay(1.0, boundaries=[3, 2])
    with pytest.raises(ValueError, match="at least 0"):
        WarmupStepDecay(1.0, warmup_steps=-1)
