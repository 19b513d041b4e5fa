import subprocess
import sys

import pytest

from keras_reid import datasets
from tests.datasets.trees import TINY_MARKET, write_tree


def test_each_name_calls_its_reader(tmp_path):
    write_tree(tmp_path, TINY_MARKET)
    market = datasets.load("market1501", tmp_path, corrected_times=True)
    assert (market.name, len(market.train)) == ("market1501", 4)
    own = datasets.load("folder", tmp_path / "bounding_box_train", pattern=r"(?P<person>\d+)_")
    assert own.protocol == "no_camera"
    file = tmp_path / "own.csv"
    lines = [f"{path},{person}" for path, person in zip(market.train.path, "1122", strict=True)]
    file.write_text("\n".join(["path,person_id", *lines]))
    assert datasets.load("csv", file).name == "own"


def test_synthetic_needs_no_root(monkeypatch):
    class Renderer:
        @staticmethod
        def load(root, seed=0):
            return root, seed

    monkeypatch.setitem(sys.modules, "keras_reid.datasets.synthetic", Renderer)
    assert datasets.load("synthetic", seed=3) == (None, 3)
    assert datasets.load("synthetic", "/here") == ("/here", 0)


def test_names():
    names = datasets.list_names()
    assert names == sorted(names)
    assert {"csv", "folder", "market1501", "msmt17", "regdb", "synthetic", "synthetic_thermal"} <= set(names)
    with pytest.raises(ValueError, match=r"Unknown data set 'market'\. Did you mean 'market1501'\?"):
        datasets.load("market", "/")
    with pytest.raises(ValueError, match=r"Data set 'market1501' needs `root`.*load 'synthetic'"):
        datasets.load("market1501")
    with pytest.raises(ValueError, match=r"Unknown option of the reader 'market1501' 'colour'.*Known: corrected_times"):
        datasets.load("market1501", "/", colour=1)
    with pytest.raises(ValueError, match=r"'folder' needs the option\(s\) \['pattern'\]"):
        datasets.load("folder", "/")


def test_importing_costs_no_framework():
    code = (
        "import sys, keras_reid.datasets as d;"
        "heavy = {'tensorflow', 'keras', 'torch', 'jax', 'PIL', 'matplotlib', 'scipy'};"
        "print(*heavy & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.stderr) == ("", "")
