"""Thermal twins: the same people by light and by heat, in the layout of SYSU-MM01 or of RegDB."""

import hashlib
import io
import json
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from keras_reid.checks import check_positive_int, unknown_name
from keras_reid.datasets.synthetic.difficulty import V1
from keras_reid.datasets.synthetic.layouts import regdb as regdb_layout
from keras_reid.datasets.synthetic.layouts import sysu_mm01 as sysu_layout
from keras_reid.datasets.synthetic.person import sample_person
from keras_reid.datasets.synthetic.scene import draw
from keras_reid.datasets.synthetic.sites import find_site
from keras_reid.datasets.synthetic.thermal_camera import ThermalCamera, draw_thermal
from keras_reid.datasets.synthetic.thermal_walk import Picture, regdb_pictures, sysu_mm01_pictures
from keras_reid.datasets.synthetic.tree import MANIFEST, check_seed, write_whole

if TYPE_CHECKING:
    from keras_reid.datasets.dataset import ReIDDataset

__all__ = ["LAYOUTS", "VERSION", "load", "render"]

VERSION = "thermal-v1"
LAYOUTS = {"sysu_mm01": ("search", "shots"), "regdb": ("trial", "direction")}
"""Layout -> the options of its reader."""

_IMAGES = {"sysu_mm01": 4, "regdb": 10}


@dataclass(frozen=True)
class _Parameters:
    """All that decides the bytes of a tree."""

    layout: str
    site: str
    seed: int
    camera_seed: int
    train_identities: int
    test_identities: int
    images_per_camera: int
    version: str = VERSION

    def __post_init__(self) -> None:
        find_site(self.site)
        for name in ("seed", "camera_seed"):
            object.__setattr__(self, name, check_seed(name, getattr(self, name)))
        for name in ("train_identities", "test_identities", "images_per_camera"):
            object.__setattr__(self, name, check_positive_int(name, getattr(self, name)))
        if self.train_identities + self.test_identities > 9999:
            raise ValueError(
                "`train_identities` + `test_identities` must be at most 9999, as many as four-digit "
                f"folder names can tell apart. Received: {self.train_identities} + {self.test_identities}."
            )

    def manifest(self) -> dict[str, object]:
        return {**asdict(self), "difficulty": asdict(V1)}

    def folder(self) -> str:
        digest = hashlib.sha256(json.dumps(self.manifest(), sort_keys=True).encode()).hexdigest()
        return f"{self.version}-{self.layout}-{self.site}-people{self.seed}-cameras{self.camera_seed}-{digest[:8]}"


def load(
    root: str | os.PathLike[str] | None = None,
    layout: str = "sysu_mm01",
    seed: int = 0,
    camera_seed: int = 0,
    *,
    site: str = "A",
    train_identities: int = 200,
    test_identities: int = 100,
    images_per_camera: int | None = None,
    search: str | None = None,
    shots: int | None = None,
    trial: int | None = None,
    direction: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> "ReIDDataset":
    """Renders people by light and by heat, unless that was done before, and reads them with the layout's reader.

    Args:
        root: Where trees are kept; `synthetic.cache_folder` by default.
        layout: ``"sysu_mm01"`` (six cameras, others for each modality) or ``"regdb"`` (one camera each, side by
            side).
        seed: Seed of the people.
        camera_seed: Seed of the cameras.
        site: ``A`` to ``D``.
        train_identities: People to train on.
        test_identities: People to test on.
        images_per_camera: Pictures of a person before a camera: 4 in SYSU-MM01's layout, 10 in RegDB's by default.
        search: For SYSU-MM01's layout; see `sysu_mm01.load`.
        shots: For SYSU-MM01's layout.
        trial: For RegDB's layout; see `regdb.load`. Splits 2 to 10 deal the people anew.
        direction: For RegDB's layout.
        progress: Called with (pictures done, pictures in all).

    Returns:
        The data set, named ``synthetic-``, the layout and the site.

    Raises:
        ValueError: An argument is out of range, or belongs to the other layout.

    Example:
        >>> import tempfile
        >>> from keras_reid.datasets.synthetic import thermal
        >>> with tempfile.TemporaryDirectory() as root:
        ...     dataset = thermal.load(root, "regdb", train_identities=2, test_identities=1)
        >>> dataset.train
        ReIDTable(40 images, 2 persons, 2 cameras, 20 thermal)
    """
    from keras_reid.datasets import ReIDDataset, regdb, sysu_mm01
    from keras_reid.datasets.synthetic import cache_folder

    given = {"search": search, "shots": shots, "trial": trial, "direction": direction}
    options = {name: value for name, value in given.items() if value is not None}
    foreign = sorted(set(options) - set(LAYOUTS.get(layout, options)))
    if foreign:
        raise ValueError(
            f"Layout {layout!r} has no option {', '.join(foreign)}. Its options: {', '.join(LAYOUTS[layout])}."
        )
    tree = render(
        cache_folder() if root is None else root,
        layout,
        seed,
        camera_seed,
        site=site,
        train_identities=train_identities,
        test_identities=test_identities,
        images_per_camera=images_per_camera,
        progress=progress,
    )
    readers: dict[str, Callable[..., ReIDDataset]] = {"sysu_mm01": sysu_mm01.load, "regdb": regdb.load}
    return replace(readers[layout](tree, **options), name=f"synthetic-{layout}-{site}")


def render(
    root: str | os.PathLike[str],
    layout: str = "sysu_mm01",
    seed: int = 0,
    camera_seed: int = 0,
    *,
    site: str = "A",
    train_identities: int = 200,
    test_identities: int = 100,
    images_per_camera: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Draws the people and writes them in a layout; does nothing if the tree is there.

    As `synthetic.render`: a folder of its own under ``root``, each file in place in one step, the manifest
    last. The arguments are those of `load`.

    In SYSU-MM01's layout each person passes two to four visible and one or two thermal cameras, at times and
    in directions of their own; camera 3 stands where camera 2 stands. In RegDB's layout ten pictures show a person
    from the front or from the back, each with a twin of about the same pose. In both everybody is alone in the
    picture and wears another outfit: that the modalities differ is hard enough.

    Args:
        root: Where trees are kept.
        layout: ``"sysu_mm01"`` or ``"regdb"``.
        seed: Seed of the people.
        camera_seed: Seed of the cameras.
        site: ``A`` to ``D``.
        train_identities: People to train on, numbered from 1.
        test_identities: People to test on, numbered on from there.
        images_per_camera: Pictures of a person before a camera; the layout's number by default.
        progress: Called with (pictures done, pictures in all) after each picture.

    Returns:
        The tree's folder.

    Raises:
        ValueError: An argument is out of range.

    Example:
        >>> import tempfile
        >>> from keras_reid.datasets.synthetic import thermal
        >>> with tempfile.TemporaryDirectory() as root:
        ...     tree = thermal.render(root, "regdb", train_identities=1, test_identities=1, images_per_camera=1)
        ...     sorted(path.name for path in tree.iterdir())
        ['Thermal', 'Visible', 'idx', 'synthetic.json']
    """
    if layout not in LAYOUTS:
        raise unknown_name("layout of thermal twins", layout, LAYOUTS)
    images = _IMAGES[layout] if images_per_camera is None else images_per_camera
    parameters = _Parameters(layout, site, seed, camera_seed, train_identities, test_identities, images)
    tree = Path(root).expanduser().resolve() / parameters.folder()
    if (tree / MANIFEST).is_file():
        return tree
    writer = {"sysu_mm01": sysu_layout, "regdb": regdb_layout}[layout]
    for folder in writer.FOLDERS:
        (tree / folder).mkdir(parents=True, exist_ok=True)
    plan = {"sysu_mm01": sysu_mm01_pictures, "regdb": regdb_pictures}[layout]
    jobs = list(
        plan(
            site,
            parameters.seed,
            parameters.camera_seed,
            parameters.train_identities,
            parameters.test_identities,
            parameters.images_per_camera,
        )
    )
    for done, job in enumerate(jobs, start=1):
        if not (tree / job.name).exists():
            (tree / job.name).parent.mkdir(exist_ok=True)
            write_whole(tree / job.name, _picture(parameters, job))
        if progress is not None:
            progress(done, len(jobs))
    _write_lists(tree, parameters, jobs)
    write_whole(tree / MANIFEST, (json.dumps({**parameters.manifest(), "images": len(jobs)}, indent=2) + "\n").encode())
    return tree


def _write_lists(tree: Path, parameters: _Parameters, jobs: list[Picture]) -> None:
    labels = sorted({job.label for job in jobs})
    train, test = labels[: parameters.train_identities], labels[parameters.train_identities :]
    if parameters.layout == "sysu_mm01":
        counts = Counter((job.place, job.label) for job in jobs)
        sysu_layout.write_lists(tree, train, test, counts, seed=parameters.seed)
        return
    names: dict[tuple[int, int], list[str]] = {}
    for job in jobs:
        names.setdefault((job.place, job.label), []).append(job.name)
    regdb_layout.write_lists(tree, train, test, names, seed=parameters.seed)


def _picture(parameters: _Parameters, job: Picture) -> bytes:
    person = sample_person(parameters.site, parameters.seed, job.person)
    if isinstance(job.camera, ThermalCamera):
        pixels, quality = draw_thermal(person, job.camera, job.shot), job.camera.view.quality
    else:
        pixels, quality = draw(person, job.camera, job.shot), job.camera.quality
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=round(quality))
    return buffer.getvalue()
