"""Every example runs, on people so few that it takes seconds."""

import importlib.util
import shlex
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"

# Arguments that make each example small. A new example needs a line here.
SMALL = {
    "cross_dataset_qaconv.py": "--epochs 1 --identities 16",
    "domain_generalization_gmn.py": "--epochs 1 --identities 12",
    "market_to_msmt17_dcml.py": "--identities 16 --source-epochs 1 --rounds 1 --epochs 2 --closest-share 0.06",
    "market1501_baseline.py": "--epochs 1 --identities 16",
    "market1501_dgnet.py": "--epochs 1 --teacher-epochs 1 --identities 16 --draw-every 2",
    "regdb_cmemd.py": "--epochs 1 --identities 8 --trials 2",
    "sysu_mm01_cmemd.py": "--epochs 1 --identities 16",
}


def loaded(name: str):
    spec = importlib.util.spec_from_file_location(Path(name).stem, EXAMPLES / name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_example_is_run_here():
    assert sorted(SMALL) == sorted(path.name for path in EXAMPLES.glob("*.py")), "Add the example to SMALL."


@pytest.mark.parametrize("name", SMALL)
def test_example_says_how_to_run_it(name):
    assert f"python examples/{name}" in loaded(name).__doc__


def test_market1501_baseline(tmp_path):
    name = "market1501_baseline.py"
    plain, reranked = loaded(name).main([*shlex.split(SMALL[name]), "--out", str(tmp_path)])
    assert plain.dataset == "synthetic-A"
    assert 0 < plain.mean_ap <= 1
    assert reranked.post_process[0].startswith("Rerank(")
    assert (tmp_path / "run" / "model.keras").is_file()
    assert "<html" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_market1501_dgnet(tmp_path):
    name = "market1501_dgnet.py"
    report = loaded(name).main([*shlex.split(SMALL[name]), "--out", str(tmp_path)])
    assert 0 < report.mean_ap <= 1
    assert (tmp_path / "swaps.png").is_file()
    assert len(list((tmp_path / "swaps").glob("*.png"))) >= 1


def test_cross_dataset_qaconv(tmp_path):
    name = "cross_dataset_qaconv.py"
    table = loaded(name).main([*shlex.split(SMALL[name]), "--out", str(tmp_path)])
    directions = {"synthetic-A → synthetic-A", "synthetic-A → synthetic-B"}
    steps = {"as it is", "re-ranking", "TLift", "re-ranking + TLift"}
    assert set(table) == {(direction, step) for direction in directions for step in steps}
    assert all(0 < report.mean_ap <= 1 for report in table.values())
    lifted = table["synthetic-A → synthetic-B", "re-ranking + TLift"]
    assert [step.split("(")[0] for step in lifted.post_process] == ["Rerank", "TemporalLift"]


def test_domain_generalization_gmn(tmp_path):
    name = "domain_generalization_gmn.py"
    found = loaded(name).main([*shlex.split(SMALL[name]), "--out", str(tmp_path)])
    assert set(found) == {"mnet", "cosine", "sum"}
    assert all(0 < report.mean_ap <= 1 for report in found.values())
    assert found["mnet"].dataset == "synthetic-A+synthetic-B+synthetic-C"


def test_market_to_msmt17_dcml(tmp_path):
    name = "market_to_msmt17_dcml.py"
    (record,) = loaded(name).main([*shlex.split(SMALL[name]), "--out", str(tmp_path)])
    assert record.clusters >= 2
    assert 0 < record.mean_ap <= 1
    files = ("model.keras", "adaptation.json", "clusters.png", "rounds.png")
    assert all((tmp_path / "run" / file).is_file() for file in files)


def test_regdb_cmemd(tmp_path):
    name = "regdb_cmemd.py"
    means = loaded(name).main([*shlex.split(SMALL[name]), "--out", str(tmp_path)]).means
    assert set(means) == {f"synthetic-regdb-A, {way}" for way in ("visible to thermal", "thermal to visible")}
    assert all(mean["mean_ap"].count == 2 and 0 < mean["mean_ap"].mean <= 1 for mean in means.values())


def test_sysu_mm01_cmemd(tmp_path):
    name = "sysu_mm01_cmemd.py"
    reports = loaded(name).main([*shlex.split(SMALL[name]), "--out", str(tmp_path)])
    assert set(reports) == {f"synthetic-sysu_mm01-A, {search} search" for search in ("all", "indoor")}
    assert all(0 < report.mean_ap <= 1 and len(report.trials) == 10 for report in reports.values())
    assert {"plan.png", "map.png", "report.html"} <= {path.name for path in (tmp_path / "run").iterdir()}
