"""What counts as public, for the tests that walk over it."""

import importlib
import importlib.util
import inspect
import pkgutil
from collections.abc import Iterator

import keras_reid

FOLDERS = (
    "adaptation",
    "backbones",
    "datasets",
    "deployment",
    "evaluation",
    "gallery",
    "layers",
    "losses",
    "methods",
    "pipeline",
    "retrieval",
    "training",
    "visualize",
)
# Modules beside and within the folders whose names are typed as well.
MODULES = (
    "datasets.cuhk03_np",
    "datasets.cuhk_sysu",
    "datasets.dukemtmc",
    "datasets.folder",
    "datasets.grid",
    "datasets.ilids",
    "datasets.market1501",
    "datasets.msmt17",
    "datasets.prid2011",
    "datasets.randperson",
    "datasets.regdb",
    "datasets.synthetic",
    "datasets.synthetic.thermal",
    "datasets.sysu_mm01",
    "datasets.viper",
    "demo",
    "recipe",
    "run",
    "zoo",
)


def surface() -> list[str]:
    """Every name a user may type, dotted: those of the package, of its folders and of some modules."""
    names = [f"keras_reid.{name}" for name in keras_reid.__all__]
    for part in (*FOLDERS, *MODULES):
        module = importlib.import_module(f"keras_reid.{part}")
        names += [f"keras_reid.{part}.{name}" for name in module.__all__]
    return sorted(names)


def modules() -> list[str]:
    """Every module of the package that can be imported here: not the step of a backend that is not running."""
    import keras

    other = {f"keras_reid.training.backend_{name}" for name in ("tensorflow", "jax", "torch")}
    other.remove(f"keras_reid.training.backend_{keras.backend.backend()}")
    found = [module.name for module in pkgutil.walk_packages(keras_reid.__path__, "keras_reid.")]
    return ["keras_reid", *(name for name in found if name not in other)]


def callables() -> Iterator[tuple[str, object]]:
    """The public classes and functions, each once, by the shortest of its names."""
    seen = set()
    for name in sorted(surface(), key=lambda name: (name.count("."), name)):
        module, _, attribute = name.rpartition(".")
        value = getattr(importlib.import_module(module), attribute)
        if (inspect.isclass(value) or inspect.isfunction(value)) and value not in seen:
            seen.add(value)
            yield name, value
