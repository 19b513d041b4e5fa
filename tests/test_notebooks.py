"""Every notebook of examples/ runs from its first cell to its last, and is stored without what it printed."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))

# Runs the cells in one namespace and, as a notebook does, draws a figure that a cell ends with. No kernel is needed.
RUNNER = """
import ast, io, json, sys
namespace = {"__name__": "__main__"}
for number, cell in enumerate(json.load(open(sys.argv[1], encoding="utf-8"))["cells"]):
    if cell["cell_type"] != "code":
        continue
    tree, name = ast.parse("".join(cell["source"])), f"cell {number}"
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), namespace)
    value = eval(compile(ast.Expression(last.value), name, "eval"), namespace) if last else None
    if hasattr(value, "savefig"):
        value.savefig(io.BytesIO())
        print("drew a figure", flush=True)
"""


def cells(notebook, kind):
    return [cell for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == kind]


def run(notebook, folder):
    environment = {
        **os.environ,
        "KERAS_REID_CACHE": str(folder / "cache"),
        "MPLBACKEND": "Agg",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-c", RUNNER, str(notebook)]
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, f"{notebook.name}: {done.stderr[-3000:]}"
    return done.stdout


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.name)
def test_notebooks_are_stored_without_outputs(notebook):
    whole = json.loads(notebook.read_text(encoding="utf-8"))
    assert whole["nbformat"] == 4
    assert whole["cells"][0]["cell_type"] == "markdown"
    assert [cell["outputs"] for cell in cells(notebook, "code") if cell["outputs"]] == []
    assert {cell["execution_count"] for cell in cells(notebook, "code")} == {None}


def test_explain_a_match(tmp_path):
    said = run(ROOT / "examples" / "explain_a_match.ipynb", tmp_path)
    assert said.count("drew a figure") == 4
    right, other = (
        [float(word) for word in line.split()[2:]] for line in said.splitlines() if line.startswith(("right", "other"))
    )
    # for + against + constant = logit; the constant is the same for both; the right person's score is the higher.
    for numbers in (right, other):
        assert abs(sum(numbers[:3]) - numbers[3]) < 0.05
    assert right[2] == other[2] and right[4] > other[4]
    assert "What matched" in (tmp_path / "explained.html").read_text(encoding="utf-8")


def test_train_and_search(tmp_path):
    said = run(ROOT / "examples" / "train_and_search.ipynb", tmp_path)
    assert said.count("drew a figure") == 4
    percent = [float(word) for line in said.splitlines() for word in re.findall(r"([\d.]+)%", line)]
    assert percent[0] > 20 and percent[3] > 15, "Rank-1 and mAP of a model that learned something."
    assert float(re.search(r"differs by ([\d.e+-]+)\.", said)[1]) < 1e-5
    assert np.load(tmp_path / "gallery.npz")["features"].shape[1] == 256
    assert "<html" in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow  # CI runs it beside the tests of JAX
def test_adapt_to_your_cameras(tmp_path):
    said = run(ROOT / "examples" / "adapt_to_your_cameras.ipynb", tmp_path)
    assert said.count("drew a figure") == 5
    assert re.findall(r"^round (\d):", said, re.MULTILINE) == ["1", "2", "3"]
    home, away = (float(mean) for mean in re.findall(r"^site .: Rank-1 .*mAP ([\d.]+)%", said, re.MULTILINE))
    before, after = (float(mean) for mean in re.search(r"^mAP: ([\d.]+) % to ([\d.]+) %", said, re.MULTILINE).groups())
    assert away == before < home, "Other cameras are harder."
    assert after > before, "The rounds helped."
    assert (tmp_path / "site_b.keras").is_file()


@pytest.mark.slow
def test_swap_clothes(tmp_path):
    said = run(ROOT / "examples" / "swap_clothes.ipynb", tmp_path)
    assert said.count("drew a figure") == 4
    assert 0 <= int(re.search(r"nearer to the wanted colour: (\d) of 6", said)[1]) <= 6


def test_every_notebook_has_a_test_of_its_own():
    """What a notebook must print is its own; here only that none is forgotten."""
    missing = [notebook.name for notebook in NOTEBOOKS if f"test_{notebook.stem}" not in globals()]
    assert missing == [], "Test the notebook here."
