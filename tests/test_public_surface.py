"""The public names are a checked-in list, and each of them is tested where it belongs."""

import importlib
import re
from pathlib import Path

import pytest

from tests.public_names import surface

TESTS = Path(__file__).parent
LIST = TESTS / "public_surface.txt"


def test_the_public_surface_is_the_list():
    written, found = set(LIST.read_text(encoding="utf-8").split()), set(surface())
    new, gone = sorted(found - written), sorted(written - found)
    assert (new, gone) == ([], []), (
        f"The public names differ from {LIST.name}. New: {new}. Gone: {gone}. If that is meant, run "
        "`python -m tests.test_public_surface`, which writes the list anew, and say it in CHANGELOG.md; a name that "
        "goes breaks somebody's program. If not, take it out of the folder's `__all__`."
    )


def parts() -> list[tuple[str, str]]:
    """The building blocks, (folder, name): each must have a test of its own."""
    from keras_reid import pipeline

    found = [
        (folder, name)
        for folder in ("backbones", "layers", "losses")
        for name in importlib.import_module(f"keras_reid.{folder}").__all__
    ]
    return found + [
        ("pipeline", part.__name__) for part in (*pipeline.SAMPLERS.values(), *pipeline.TRANSFORMS.values())
    ]


@pytest.mark.parametrize("folder", sorted({folder for folder, _ in parts()}))
def test_every_part_is_tested(folder):
    files = sorted((TESTS / folder).rglob("test_*.py"))
    words = set(re.findall(r"\w+", "\n".join(file.read_text(encoding="utf-8") for file in files)))
    untested = [name for where, name in parts() if where == folder and name not in words]
    assert not untested, (
        f"keras_reid.{folder} offers {untested}, and no test in tests/{folder} speaks of them. A loss, a layer, a "
        "sampler, a transform needs a test of its behaviour, with an oracle where there is one (CONTRIBUTING.md)."
    )


def test_every_method_keeps_the_contract():
    from keras_reid import methods, zoo
    from tests.contracts import MethodContract

    files = (TESTS / "methods").rglob("test_*.py")
    for name in [".".join(file.relative_to(TESTS).with_suffix("").parts) for file in files]:
        importlib.import_module(f"tests.{name}")
    kept = {zoo.card(contract.name).method for contract in MethodContract.__subclasses__()}
    classes = {name for name in methods.__all__ if isinstance(getattr(methods, name), type)}
    without = sorted(classes - kept - {"ReIDModel"})
    assert not without, (
        f"{without} have no contract test. Add a class to tests/methods: "
        "`class TestX(MethodContract): name = '<its tiny zoo entry>'`."
    )


def write() -> None:
    LIST.write_text("\n".join(surface()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
