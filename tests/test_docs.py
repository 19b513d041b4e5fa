"""What is written runs: the examples in docstrings, their Args, and the code of the documentation's pages."""

import doctest
import importlib
import inspect
import re
from pathlib import Path

import pytest

from tests.pages import run_blocks
from tests.public_names import callables, modules

ROOT = Path(__file__).parents[1]
# What every Keras object takes; a docstring may leave it to "As in Keras" under **kwargs.
KERAS_ARGUMENTS = {"name", "dtype"}
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
# The pages whose code runs as it stands; the others need data that only the reader has.
RUNNING_PAGES = [
    "datasets/synthetic.md",
    "start.md",
    "zoo.md",
    "concepts/pipeline.md",
    "concepts/evaluation.md",
    "concepts/protocols.md",
    "datasets/checking.md",
    "methods/baseline.md",
    "methods/gmn.md",
    "methods/qaconv.md",
    "methods/cmemd.md",
]


@pytest.mark.parametrize("name", modules())
def test_examples_in_docstrings_run(name):
    module = importlib.import_module(name)
    result = doctest.testmod(module, optionflags=FLAGS)
    assert result.failed == 0, f"{result.failed} examples of {name} print something else; see above."


@pytest.mark.parametrize("page", RUNNING_PAGES)
def test_code_of_the_pages_runs(page, small_synthetic):
    run_blocks(ROOT / "docs" / page)


@pytest.mark.parametrize("value", [pytest.param(value, id=name) for name, value in callables()])
def test_public_names_are_documented(value):
    text = inspect.getdoc(value) or ""
    assert text.split("\n\n")[0].rstrip().endswith((".", ":")), "A docstring begins with a full sentence."
    names = described(text)
    expected = [name for name in arguments(value) if name in names or name not in KERAS_ARGUMENTS]
    assert names == expected, (
        "The docstring's Args (Attributes, for a dataclass) must name the signature's arguments in their order."
    )


def arguments(value) -> list[str]:
    """The names of a callable's arguments as a docstring writes them."""
    if inspect.isclass(value) and (getattr(value, "_is_protocol", False) or not _has_own_constructor(value)):
        return []
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    parameters = inspect.signature(value).parameters.values()
    return [stars.get(parameter.kind, "") + parameter.name for parameter in parameters]


def _has_own_constructor(cls: type) -> bool:
    """Whether the constructor is ours, and not one that Keras or Python gives."""
    owner = next(base for base in cls.__mro__ if "__init__" in vars(base))
    return owner.__module__.startswith("keras_reid")


def described(text: str) -> list[str]:
    """The names under Args: of a Google docstring, under Attributes: where there is no Args."""
    sections = dict(re.findall(r"^(Args|Attributes):\n((?:[ ]+.*\n|\n)+)", text + "\n", re.MULTILINE))
    section = sections.get("Args", sections.get("Attributes", ""))
    entries = re.findall(r"^ {4}([*\w]+(?:, [*\w]+)*)(?: \(.*?\))?:", section, re.MULTILINE)
    return [name for entry in entries for name in entry.split(", ")]
