import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

import keras_reid
from keras_reid import zoo


def test_a_program_that_only_imports_the_library_can_load(tmp_path):
    zoo.load("baseline_tiny", num_classes=3).save(tmp_path / "model.keras")
    program = f"import keras_reid; print(keras_reid.load_model({str(tmp_path)!r}).num_classes)"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    result = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert result.stdout.split()[-1:] == ["3"], result.stderr[-2000:]


def test_files_that_are_no_models(tmp_path):
    with pytest.raises(ValueError, match="There is no model"):
        keras_reid.load_model(tmp_path / "none.keras")
    (tmp_path / "cut.keras").write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(ValueError, match="no whole .keras file"):
        keras_reid.load_model(tmp_path / "cut.keras")
    other = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)])
    other.save(tmp_path / "other.keras")
    with pytest.raises(ValueError, match="holds a Sequential"):
        keras_reid.load_model(tmp_path / "other.keras")
