"""What is written runs: the examples in docstrings, their Args, and the code of the documentation's pages."""

import doctest
import importlib
import inspect
import operator
import re
import tomllib
from pathlib import Path

import pytest

from keras_reid import datasets, zoo
from keras_reid.recipe import Recipe
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
    "faq.md",
    "ethics.md",
    "adding_a_method.md",
    "zoo.md",
    "concepts/recipes.md",
    "concepts/gallery.md",
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


METHOD_PAGES = sorted({path.stem for path in (ROOT / "docs" / "methods").glob("*.md")} - {"index"})


@pytest.mark.parametrize("name", METHOD_PAGES)
def test_method_pages_name_files_and_what_is_in_them(name):
    cells = [cell for table in tables(ROOT / "docs" / "methods" / f"{name}.md") for cell in table.get("file", [])]
    assert len(cells) >= 5, "The page of a method has a table from the paper to the files."
    for cell in cells:
        module = None
        for word in re.findall(r"`([^`]+)`", cell):
            if word.endswith(".py"):
                assert (ROOT / "keras_reid" / word).is_file(), f"There is no keras_reid/{word}."
                module = importlib.import_module(f"keras_reid.{word.removesuffix('.py').replace('/', '.')}")
            else:
                assert module is not None, f"{cell}: a file, then what is in it."
                operator.attrgetter(word)(module)


# What docs/adding_a_method.md lets the reader write.
WRITTEN_BY_READERS = {
    "keras_reid/methods/pcb.py",
    "zoo/pcb_tiny.toml",
    "zoo/pcb_r50.toml",
    "tests/methods/test_pcb.py",
    "docs/methods/pcb.md",
}
NAMED_FILE = re.compile(r"`([\w.-]+(?:/[\w.-]+)+\.(?:py|json|toml|ipynb|css))`")


def test_files_named_by_pages_exist():
    missing = []
    for page in sorted((ROOT / "docs").rglob("*.md")):
        for path in NAMED_FILE.findall(page.read_text(encoding="utf-8")):
            places = (ROOT / path, ROOT / "keras_reid" / path)
            if path not in WRITTEN_BY_READERS and not any(place.is_file() for place in places):
                missing.append(f"{page.relative_to(ROOT)}: {path}")
    assert not missing


def test_pictures_are_small_and_drawn_by_the_script():
    script = (ROOT / "docs" / "pictures.py").read_text(encoding="utf-8")
    for name in re.findall(r'^    "([\w/]+\.(?:jpg|png))":', script, re.MULTILINE):
        assert (ROOT / "docs" / name).is_file(), f"python -m docs.pictures {name}"
    for picture in [*(ROOT / "docs").rglob("*.jpg"), *(ROOT / "docs").rglob("*.png")]:
        assert picture.stat().st_size <= 100_000, f"{picture.name} is larger than 100 kB."


def test_every_page_is_in_the_navigation():
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = [path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")]
    assert [page for page in sorted(pages) if f": {page}\n" not in navigation] == []


def test_the_card_of_the_page_on_adding_a_method_is_one():
    page = (ROOT / "docs" / "adding_a_method.md").read_text(encoding="utf-8")
    content = tomllib.loads(re.search(r"```toml\n(.*?)```", page, re.DOTALL)[1])
    card = zoo.Card(name="pcb_tiny", **content)
    assert Recipe(name=card.name, **card.recipe).epochs == 20
    assert set(content) == set(tomllib.loads((ROOT / "zoo" / "baseline_tiny.toml").read_text(encoding="utf-8")))


def test_the_overview_of_data_sets_has_the_readers_and_the_published_counts():
    (table,) = tables(ROOT / "docs" / "datasets" / "index.md")
    names = [re.findall(r"`(\w+)`", cell) for cell in table["`load(...)`"]]
    assert sorted(name for cell in names for name in cell) == datasets.list_names()
    for (name, *_), train, test in zip(
        names, table["train: persons, images"], table["test: query, gallery images"], strict=True
    ):
        if name in ("market1501", "msmt17", "cuhk03_np", "dukemtmc", "sysu_mm01", "regdb", "cuhk_sysu", "randperson"):
            counts = importlib.import_module(f"keras_reid.datasets.{name}").PUBLISHED_COUNTS
            counts = counts.get("train") if isinstance(counts.get("train"), dict) else counts
            counts = counts.get("detected", counts)
            assert [int(number) for number in re.findall(r"\d+", train)] == list(counts["train"])
            images = [counts[split][1] for split in ("query", "gallery") if split in counts]
            assert [int(number) for number in re.findall(r"\d+", test)] == images


def tables(page: Path) -> list[dict[str, list[str]]]:
    """The tables of a Markdown page: the name of a column -> its cells."""
    found = []
    for block in re.findall(r"((?:^\|.*\n)+)", page.read_text(encoding="utf-8"), re.MULTILINE):
        header, _, *rows = [
            [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in block.splitlines()
        ]
        found.append({name: [row[place] for row in rows] for place, name in enumerate(header)})
    return found


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
