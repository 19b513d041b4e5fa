"""Every example runs, on people so few that it takes seconds, and says what it is, what it costs and what to expect."""

import importlib.util
import json
import re
import shlex
from pathlib import Path

import pytest

from keras_reid import zoo
from keras_reid.datasets import synthetic
from keras_reid.datasets.synthetic.layouts import write_layout

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
PAGE = (ROOT / "docs" / "examples.md").read_text(encoding="utf-8")

# Arguments that make each example small. A new example needs a line here.
SMALL = {
    "adaptation_dcml.py": "--identities 16 --source-epochs 1 --rounds 1 --epochs 2 --closest-share 0.06",
    "cross_dataset_qaconv.py": "--epochs 1 --identities 16",
    "domain_generalization_gmn.py": "--epochs 1 --identities 12",
    "regdb_cmemd.py": "--epochs 1 --identities 8 --trials 2",
    "supervised_baseline.py": "--epochs 1 --identities 16",
    "supervised_dgnet.py": "--epochs 1 --teacher-epochs 1 --identities 16 --draw-every 2",
    "sysu_mm01_cmemd.py": "--epochs 1 --identities 16",
}


def loaded(name: str):
    spec = importlib.util.spec_from_file_location(Path(name).stem, EXAMPLES / name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def ran(name: str, out: Path, *more: str):
    """Runs an example's `main` on few people."""
    return loaded(name).main([*shlex.split(SMALL[name]), "--out", str(out), *more])


@pytest.fixture(scope="module")
def trees(tmp_path_factory):
    """Sixteen synthetic people under the file names of three benchmarks."""
    folder = tmp_path_factory.mktemp("trees")
    people = synthetic.load(folder / "drawn", train_identities=16, test_identities=8)
    return {name: write_layout(name, folder / name, people) for name in ("cuhk03_np", "dukemtmc", "msmt17")}


def test_every_example_is_run_here():
    assert sorted(SMALL) == sorted(path.name for path in EXAMPLES.glob("*.py")), "Add the example to SMALL."


@pytest.mark.parametrize("name", SMALL)
def test_example_says_command_time_number_and_output(name):
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 80, "An example is a recipe, not a program."
    commands, *paragraphs = loaded(name).__doc__.split("\n\n")[1:]
    first, *others = (line.strip() for line in commands.splitlines())
    assert re.fullmatch(rf"python examples/{name} +# synthetic .*", first), "The first command needs no data."
    assert any(f"python examples/{name} --" in line and "/data/" in commands for line in others)
    found = {paragraph.split(":")[0]: " ".join(paragraph.split()) for paragraph in paragraphs}
    assert {"Time", "Paper", "Writes"} <= set(found)
    assert re.search(r"\d CPU minutes", found["Time"])
    assert "not measured" in found["Time"]
    assert "--out" in found["Writes"]


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.[ip]*y*")))
def test_example_is_on_the_page(name):
    assert f"`{name}`" in PAGE


def test_examples_that_texts_name_exist():
    texts = [ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("zoo/*.toml"), *EXAMPLES.iterdir()]
    named = {
        name for text in texts if text.is_file() for name in re.findall(r"examples/(\w+\.\w+)", text.read_text("utf-8"))
    }
    assert named
    assert {name for name in named if not (EXAMPLES / name).is_file()} == set()


def published():
    """Every number of a paper that a card reports, with what it is of."""
    for name in zoo.list():
        for row in zoo.card(name).paper_results:
            yield pytest.param(name, row, id=f"{name}-{row['train']}-{row['test']}-{row['mean_ap']}")


@pytest.mark.parametrize(("name", "row"), list(published()))
def test_every_published_number_has_its_command_on_the_page(name, row):
    number = f"| {row['rank1']} / {'—' if row['mean_ap'] == 'not read' else row['mean_ap']} |"
    lines = [line for line in PAGE.splitlines() if number in line and f"`{name}`" in line]
    assert lines, f"No line of docs/examples.md has `{name}` and {number}"
    assert any(row["test"].split(" ")[0].rstrip(",") in line and "--" in line for line in lines)


def test_supervised_baseline(tmp_path):
    plain, reranked = ran("supervised_baseline.py", tmp_path)
    assert plain.dataset == "synthetic-A"
    assert 0 < plain.mean_ap <= 1
    assert reranked.post_process[0].startswith("Rerank(")
    assert (tmp_path / "run" / "model.keras").is_file()
    assert "<html" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("data", ["cuhk03_np", "dukemtmc", "msmt17"])
def test_supervised_baseline_reads_every_benchmark(tmp_path, trees, data):
    place = ["--data", data, "--root", str(trees[data]), "--name", "baseline_tiny"]
    plain, reranked = ran("supervised_baseline.py", tmp_path, *place)
    assert plain.dataset == reranked.dataset == data


@pytest.mark.slow
def test_supervised_dgnet(tmp_path):
    report = ran("supervised_dgnet.py", tmp_path)
    assert 0 < report.mean_ap <= 1
    assert report.metrics.ap == "trapezoid"
    assert (tmp_path / "swaps.png").is_file()
    assert len(list((tmp_path / "swaps").glob("*.png"))) >= 1


@pytest.mark.slow
def test_cross_dataset_qaconv(tmp_path):
    found = ran("cross_dataset_qaconv.py", tmp_path)
    directions = {"synthetic-A → synthetic-A", "synthetic-A → synthetic-B"}
    steps = {"as it is", "re-ranking", "TLift", "re-ranking + TLift"}
    assert set(found) == {(direction, step) for direction in directions for step in steps}
    assert all(0 < report.mean_ap <= 1 for report in found.values())
    lifted = found["synthetic-A → synthetic-B", "re-ranking + TLift"]
    assert [step.split("(")[0] for step in lifted.post_process] == ["Rerank", "TemporalLift"]


@pytest.mark.slow
def test_cross_dataset_qaconv_from_a_set_without_test(tmp_path, trees):
    places = [
        "--train",
        f"msmt17={trees['msmt17']},train=all",
        "--test",
        *(f"{n}={trees[n]}" for n in ("cuhk03_np", "dukemtmc")),
    ]
    found = ran("cross_dataset_qaconv.py", tmp_path, "--name", "qaconv_tiny", *places)
    tried = {("msmt17 → cuhk03_np", "re-ranking"), ("msmt17 → dukemtmc", "re-ranking + TLift")}
    assert tried < set(found)
    assert ("msmt17 → cuhk03_np", "TLift") not in found  # its names tell no time


def test_domain_generalization_gmn(tmp_path):
    found = ran("domain_generalization_gmn.py", tmp_path)
    assert set(found) == {"mnet", "cosine", "sum"}
    assert all(0 < report.mean_ap <= 1 for report in found.values())
    assert found["mnet"].dataset == "synthetic-A+synthetic-B+synthetic-C"


def test_adaptation_dcml(tmp_path):
    (record,) = ran("adaptation_dcml.py", tmp_path, "--credibility", "knn")
    settings = json.loads((tmp_path / "run" / "adaptation.json").read_text())["settings"]
    assert settings["mining"] == {"credibility": "knn", "start": 0.5, "step": 0.1, "k": 8}  # the card's but one
    assert record.clusters >= 2
    assert 0 < record.mean_ap <= 1
    files = ("model.keras", "adaptation.json", "clusters.png", "rounds.png")
    assert all((tmp_path / "run" / file).is_file() for file in files)


@pytest.mark.slow
def test_adaptation_dcml_with_style_transfer(tmp_path):
    ran("adaptation_dcml.py", tmp_path, "--style-epochs", "1")
    assert (tmp_path / "spgan.keras").is_file()
    drawn = {path.stem[7:] for path in (tmp_path / "run" / "translated").glob("*.png")}  # behind the row's number
    assert drawn == {path.stem for path in (tmp_path / "data").glob("*-A-*/bounding_box_train/*")}


@pytest.mark.slow
def test_regdb_cmemd(tmp_path):
    means = ran("regdb_cmemd.py", tmp_path).means
    assert set(means) == {f"synthetic-regdb-A, {way}" for way in ("visible to thermal", "thermal to visible")}
    assert all(mean["mean_ap"].count == 2 and 0 < mean["mean_ap"].mean <= 1 for mean in means.values())


def test_sysu_mm01_cmemd(tmp_path):
    reports = ran("sysu_mm01_cmemd.py", tmp_path)
    assert set(reports) == {f"synthetic-sysu_mm01-A, {search} search" for search in ("all", "indoor")}
    assert all(0 < report.mean_ap <= 1 and len(report.trials) == 10 for report in reports.values())
    assert {"plan.png", "map.png", "report.html"} <= {path.name for path in (tmp_path / "run").iterdir()}
