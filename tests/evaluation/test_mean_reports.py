import dataclasses
import json

import numpy as np
import pytest

from keras_reid.datasets import ReIDTable
from keras_reid.evaluation import mean_reports
from tests.evaluation.results import random_report


def test_mean_and_spread_by_data_set():
    runs = [random_report(1.0, seed) for seed in range(3)]
    other = dataclasses.replace(random_report(2.0), dataset="other", post_process=("Rerank()",))
    found = mean_reports([*runs, other])
    assert list(found.means) == ["drawn", "other after Rerank()"]
    precision = found.means["drawn"]["mean_ap"]
    values = [run.mean_ap for run in runs]
    assert precision.mean == pytest.approx(np.mean(values))
    assert precision.standard_deviation == pytest.approx(np.std(values, ddof=1))
    assert precision.count == 3
    assert list(found.means["drawn"]) == ["rank1", "rank5", "rank10", "mean_ap", "mean_inp"]

    lines = str(found).splitlines()
    assert lines[0].split() == ["data", "set", "runs", "rank-1", "rank-5", "rank-10", "mAP", "mINP"]
    assert f"{100 * precision.mean:.1f} ± {100 * precision.standard_deviation:.1f}" in lines[1]
    assert "±" not in lines[2]
    assert found.to_markdown().splitlines()[1] == "| --- | --: | --: | --: | --: | --: | --: |"

    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["drawn"]["mean_ap"]["count"] == 3
    assert plain["other after Rerank()"]["rank1"]["standard_deviation"] is None


def test_ranks_reach_as_far_as_every_curve():
    short = random_report(1.0)
    short = dataclasses.replace(short, metrics=dataclasses.replace(short.metrics, cmc=short.cmc[:5]))
    found = mean_reports([short, dataclasses.replace(random_report(1.0, 1), dataset="long")])
    assert list(found.means["drawn"]) == ["rank1", "rank5", "mean_ap", "mean_inp"]
    assert found.to_markdown().splitlines()[2].split("|")[5].strip() == "–"


def test_a_run_without_any_match_is_not_hidden():
    lost = random_report(1.0)
    nothing = dataclasses.replace(lost.metrics, mean_ap=float("nan"))
    found = mean_reports([lost, dataclasses.replace(lost, metrics=nothing)])
    assert str(found.means["drawn"]["mean_ap"]) == "n/a"
    assert found.to_dict()["drawn"]["mean_ap"]["mean"] is None


def test_what_must_not_be_averaged():
    report = random_report(1.0)
    trapezoid = dataclasses.replace(report, metrics=dataclasses.replace(report.metrics, ap="trapezoid"))
    with pytest.raises(ValueError, match=r"do not answer one question.*'trapezoid', 'visible'\). Average them apart"):
        mean_reports([report, trapezoid])
    thermal = ReIDTable.from_columns(report.query.path, report.query.person_id, modality=np.ones(120, int))
    with pytest.raises(ValueError, match=r"'step', 'visible'\), \('market1501', 'step', 'thermal'\)"):
        mean_reports([report, dataclasses.replace(report, query=thermal)])
    with pytest.raises(ValueError, match=r"at least one report. Received none"):
        mean_reports([])
