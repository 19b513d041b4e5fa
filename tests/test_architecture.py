"""The rules of docs/architecture.md, held by reading the source without running it."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "keras_reid"
FILES = sorted(PACKAGE.rglob("*.py"))
MAX_LINES = 300

# Which files may import a backend, anywhere in them. The pipeline may import TensorFlow inside functions only.
BACKENDS = {
    "tensorflow": {"pipeline", "training/backend_tensorflow.py"},
    "jax": {"training/backend_jax.py"},
    "torch": {"training/backend_torch.py", "backbones/weights.py"},
}


def import_order() -> list[str]:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    block = re.search(r'```text title="import order"\n(.*?)```', page, re.DOTALL)
    assert block, 'docs/architecture.md must hold the block ```text title="import order"'
    return block[1].split()


ORDER = import_order()


@dataclass(frozen=True)
class Import:
    """One imported module: ``target`` is its dotted name, ``lazy`` whether the import stands in a function."""

    file: Path
    line: int
    target: str
    lazy: bool

    def __str__(self):
        return f"{self.file.relative_to(ROOT)}:{self.line} imports {self.target}"


def imports_of(source: str, file: Path) -> list[Import]:
    return list(_walk(ast.parse(source), file, lazy=False))


def _walk(node: ast.AST, file: Path, lazy: bool) -> Iterator[Import]:
    if isinstance(node, ast.If) and _is_type_checking(node.test):
        for child in node.orelse:
            yield from _walk(child, file, lazy)
        return
    if isinstance(node, ast.Import):
        # A bare `import keras_reid` counts where an attribute is taken from it, below.
        yield from (Import(file, node.lineno, name.name, lazy) for name in node.names if name.name != "keras_reid")
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, f"{file}:{node.lineno} imports relatively; name the module in full."
        yield from (Import(file, node.lineno, f"{node.module}.{name.name}", lazy) for name in node.names)
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "keras_reid":
        yield Import(file, node.lineno, f"keras_reid.{node.attr}", lazy)
    lazy = lazy or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    for child in ast.iter_child_nodes(node):
        yield from _walk(child, file, lazy)


def _is_type_checking(test: ast.expr) -> bool:
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"


def part_of(file: Path) -> str:
    """The folder or top-level module a file belongs to: the word that stands in the order."""
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def own_part(target: str) -> str | None:
    """The part a dotted name belongs to, if it is one of ours: keras_reid.evaluate is evaluation's."""
    names = target.split(".")
    if names[0] != "keras_reid" or names[1].startswith("__"):
        return None
    return "evaluation" if names[1] == "evaluate" else names[1]


# The root module only names the parts and loads them on demand.
IMPORTS = [found for file in FILES for found in imports_of(file.read_text(encoding="utf-8"), file)]
INNER = [found for found in IMPORTS if found.file != PACKAGE / "__init__.py"]


def against_the_order(found: Import) -> bool:
    target, source = own_part(found.target), part_of(found.file)
    return target is not None and ORDER.index(target) > ORDER.index(source)


def of_another_method(found: Import) -> bool:
    names = found.target.split(".")
    if part_of(found.file) != "methods" or names[:2] != ["keras_reid", "methods"] or len(names) < 3:
        return False
    return names[2] not in {"base", "ReIDModel", _method_of(found.file)}


def _method_of(file: Path) -> str:
    return file.relative_to(PACKAGE / "methods").parts[0].removesuffix(".py")


def of_a_backend_out_of_place(found: Import) -> bool:
    allowed = BACKENDS.get(found.target.split(".")[0])
    if allowed is None:
        return False
    place = found.file.relative_to(PACKAGE)
    if place.parts[0] == "pipeline" and "pipeline" in allowed:
        return not found.lazy
    return place.as_posix() not in allowed


def complain(findings, rule: str):
    assert not findings, f"{rule}\n" + "\n".join(map(str, findings))


def test_every_part_has_its_place_in_the_order():
    parts = {part_of(file) for file in FILES} - {"__init__", "__main__"}
    missing, gone = sorted(parts - set(ORDER)), sorted(set(ORDER) - parts)
    assert (missing, gone) == ([], []), (
        f"The import order of docs/architecture.md lacks {missing} and names {gone}, which do not exist. "
        "Put a new part where the data pass it."
    )


def test_imports_run_one_way():
    complain(
        [found for found in INNER if against_the_order(found)],
        "These imports run against the order of docs/architecture.md. Move what is needed to the part that both may "
        "import, or hand it over as an argument.",
    )


def test_retrieval_knows_only_arrays():
    complain(
        [
            found
            for found in INNER
            if part_of(found.file) == "retrieval" and own_part(found.target) not in (None, "retrieval", "checks")
        ],
        "`retrieval` takes and returns arrays; it may import `keras_reid.checks` and nothing else of ours.",
    )


def test_no_method_imports_another():
    complain(
        [found for found in INNER if of_another_method(found) and found.file.name != "__init__.py"],
        "A method must be readable without the others. Shared parts go to layers, losses, training or methods/base.py.",
    )


def test_backends_stay_in_their_files():
    complain(
        [found for found in IMPORTS if of_a_backend_out_of_place(found)],
        "A backend may be imported in its own file of training/ only (TensorFlow also inside functions of pipeline/, "
        "torch also to read .pth files). Use keras.ops.",
    )


@pytest.mark.parametrize("folder", ["keras_reid", "tests", "examples", "benchmarks"])
def test_files_stay_short(folder):
    lengths = {
        file.relative_to(ROOT).as_posix(): len(file.read_text(encoding="utf-8").splitlines())
        for file in (ROOT / folder).rglob("*.py")
    }
    long = {name: lines for name, lines in lengths.items() if lines >= MAX_LINES}
    assert not long, f"A file holds one idea in fewer than {MAX_LINES} lines. Split: {long}."


def modules_loaded_by(statement: str) -> set[str]:
    code = f"import sys; before = set(sys.modules); {statement}; print(*(set(sys.modules) - before), sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return {name.split(".")[0] for name in done.stdout.split()}


def test_importing_the_package_loads_nothing():
    heavy = {"tensorflow", "keras", "torch", "jax", "matplotlib", "sklearn", "scipy", "numpy", "PIL"}
    assert modules_loaded_by("import keras_reid") & heavy == set()


def test_importing_what_needs_no_model_loads_no_framework():
    light = "datasets, evaluation, pipeline, retrieval, visualize"
    heavy = {"tensorflow", "keras", "torch", "jax", "matplotlib", "sklearn"}
    assert modules_loaded_by(f"from keras_reid import {light}") & heavy == set()


@pytest.mark.parametrize(
    ("file", "source", "rule"),
    [
        ("datasets/table.py", "from keras_reid import pipeline", against_the_order),
        ("datasets/table.py", "def f():\n    from keras_reid.zoo import load", against_the_order),
        ("losses/triplet.py", "import keras_reid\nkeras_reid.evaluate", against_the_order),
        ("methods/qaconv/model.py", "from keras_reid.methods.baseline import Baseline", of_another_method),
        ("methods/qaconv/model.py", "from keras_reid.methods import Baseline", of_another_method),
        ("pipeline/build.py", "import tensorflow as tf", of_a_backend_out_of_place),
        ("methods/base.py", "def f():\n    import tensorflow as tf", of_a_backend_out_of_place),
        ("losses/triplet.py", "from torch import nn", of_a_backend_out_of_place),
    ],
)
def test_the_rules_bite(file, source, rule):
    assert any(rule(found) for found in imports_of(source, PACKAGE / file))


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("methods/qaconv/model.py", "from keras_reid.methods.qaconv.memory import Memory"),
        ("methods/baseline.py", "from keras_reid.methods.base import ReIDModel"),
        ("pipeline/build.py", "def f():\n    import tensorflow as tf"),
        ("visualize/panel.py", "if TYPE_CHECKING:\n    from keras_reid.evaluation.report import Report"),
        ("evaluation/provenance.py", "import keras_reid\nkeras_reid.__version__"),
    ],
)
def test_the_rules_let_pass(file, source):
    rules = (against_the_order, of_another_method, of_a_backend_out_of_place)
    assert not [found for found in imports_of(source, PACKAGE / file) for rule in rules if rule(found)]


def test_every_saved_class_has_a_name_of_its_own():
    """Keras keeps the last class of a name, without a word, and makes a saved model of the wrong one."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                for mark in node.decorator_list:
                    if isinstance(mark, ast.Call) and ast.unparse(mark.func).endswith("register_keras_serializable"):
                        found.setdefault((ast.unparse(mark.keywords[0].value), node.name), []).append(path.name)
    assert len(found) > 20
    assert {name: paths for name, paths in found.items() if len(paths) > 1} == {}
