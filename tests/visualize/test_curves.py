import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from keras_reid.visualize import cmc_curve, training_curves
from keras_reid.visualize.curves import read_history
from tests.visualize.people import people_report


def lines(axes):
    return {line.get_label(): line for line in axes.get_lines() if not line.get_label().startswith("_")}


def test_curves_show_the_values_in_per_cent(tmp_path):
    figure = cmc_curve({"A": people_report(tmp_path), "B": [0.5, 0.75], "C": np.linspace(0, 1, 50)}, max_rank=20)
    drawn = lines(figure.axes[0])
    assert list(drawn) == ["A  ·  rank-1 33.3", "B  ·  rank-1 50.0", "C  ·  rank-1 0.0"]
    np.testing.assert_allclose(drawn["B  ·  rank-1 50.0"].get_xydata(), [[1, 50], [2, 75]])
    assert len(drawn["C  ·  rank-1 0.0"].get_xdata()) == 20
    low, high = figure.axes[0].get_ylim()
    assert low == 0 and high == 100


def test_a_curve_without_any_valid_query_is_drawn_empty(tmp_path):
    figure = cmc_curve({"nobody": [np.nan, np.nan]})
    figure.savefig(tmp_path / "curve.png")


def test_bad_curves_are_refused():
    with pytest.raises(ValueError, match=r"`reports` must hold at least one curve"):
        cmc_curve({})
    with pytest.raises(ValueError, match=r"curve 'A' must be a vector .* Received shape: \(1, 2\)"):
        cmc_curve({"A": [[0.1, 0.2]]})


HISTORY = {
    "accuracy": [0.1, 0.2, 0.3],
    "triplet": [1.0, 0.5, 0.3],
    "loss": [4.0, 2.0, 1.0],
    "val_loss": [5.0, 3.0, 2.0],
    "val_mean_ap": [np.nan, 0.5, np.nan],
    "val_never": [np.nan] * 3,
    "learning_rate": [0.1, 0.1, 0.01],
}


def test_losses_and_quality_stand_apart_and_unmeasured_epochs_are_left_out():
    losses, quality = training_curves(HISTORY).axes
    drawn = lines(losses)
    assert list(drawn) == ["loss", "loss (validation)", "triplet"]
    assert drawn["loss"].get_color() == drawn["loss (validation)"].get_color() != drawn["triplet"].get_color()
    assert drawn["loss (validation)"].get_linestyle() == "--"
    np.testing.assert_array_equal(drawn["triplet"].get_ydata(), HISTORY["triplet"])
    assert list(lines(quality)) == ["accuracy (training)", "mAP"]
    np.testing.assert_array_equal(lines(quality)["mAP"].get_xydata(), [[2, 50]])
    assert losses.get_yscale() == "linear"


def test_losses_of_very_different_size_get_a_logarithm():
    assert training_curves({"a": [1.0], "b": [100.0]}).axes[0].get_yscale() == "log"
    assert training_curves({"a": [-1.0], "b": [100.0]}).axes[0].get_yscale() == "linear"


def test_many_losses_stay_apart():
    drawn = lines(training_curves({f"loss_{k}": [k + 1.0, k] for k in range(15)}).axes[0])
    assert len({(line.get_color(), line.get_linestyle()) for line in drawn.values()}) == 15


def test_history_is_read_from_whatever_holds_it(tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("epoch,loss,val_mean_ap,val_x\n0,4.0,NA,NA\n1,9.0,NA,NA\n1,2.0,0.5,\n")
    from_file = read_history(log)
    assert from_file["loss"].tolist() == [4.0, 2.0]  # epoch 1 was trained again: the later line counts
    np.testing.assert_array_equal(from_file["val_mean_ap"], [np.nan, 0.5])
    assert set(from_file) == {"loss", "val_mean_ap"}
    assert read_history(str(log)).keys() == from_file.keys()
    assert read_history(SimpleNamespace(history={"loss": [1.0]}))["loss"].tolist() == [1.0]
    with pytest.raises(TypeError, match=r"a dict of lists, or the path of a CSV log. Received: list"):
        read_history([1.0])
    with pytest.raises(ValueError, match=r"`history` must hold at least one loss"):
        training_curves({"learning_rate": [0.1]})


def test_no_global_state_is_touched(tmp_path):
    code = (
        "import sys, keras_reid.visualize as v\n"
        "assert 'matplotlib' not in sys.modules and 'keras' not in sys.modules\n"
        "v.cmc_curve({'a': [0.5, 1.0]}).savefig(sys.argv[1])\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.png")], check=True)
