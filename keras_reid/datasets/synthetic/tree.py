"""Writes a site's pictures as a folder tree in the layout and with the file names of Market-1501."""

import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from pathlib import Path

from PIL import Image

from keras_reid.checks import check_positive_int
from keras_reid.datasets.synthetic.camera import Camera, sample_cameras
from keras_reid.datasets.synthetic.difficulty import V1, VERSION
from keras_reid.datasets.synthetic.person import Person, sample_person
from keras_reid.datasets.synthetic.scene import Shot, draw, sample_shot
from keras_reid.datasets.synthetic.sites import find_site
from keras_reid.datasets.synthetic.walk import FRAMES_PER_SECOND, Passage, sample_passages

__all__ = ["FOLDERS", "MANIFEST", "Picture", "check_seed", "picture", "render", "write_whole"]

FOLDERS = ("bounding_box_train", "query", "bounding_box_test")
MANIFEST = "synthetic.json"
_FIRST_TEST_PERSON = 30_000  # the test people stay the same when more or fewer are trained on
_BETWEEN_SHOTS_S = 0.72  # eighteen frames
_VIEW_S = 6.0  # how long it takes to cross a camera's view


@dataclass(frozen=True)
class _Parameters:
    """All that decides the bytes of a tree."""

    site: str
    seed: int
    camera_seed: int
    train_identities: int
    test_identities: int
    images_per_camera: int
    groups: bool
    version: str = VERSION

    def __post_init__(self) -> None:
        find_site(self.site)
        for name in ("seed", "camera_seed"):
            object.__setattr__(self, name, check_seed(name, getattr(self, name)))
        for name in ("train_identities", "test_identities", "images_per_camera"):
            object.__setattr__(self, name, check_positive_int(name, getattr(self, name)))
        object.__setattr__(self, "groups", bool(self.groups))
        if self.images_per_camera < 2:
            raise ValueError(
                "`images_per_camera` must be at least 2, one for the query and one for the gallery. "
                f"Received: {self.images_per_camera!r}."
            )
        if self.train_identities + self.test_identities > 9999:
            raise ValueError(
                "`train_identities` + `test_identities` must be at most 9999, as many as four-digit "
                f"file names can tell apart. Received: {self.train_identities} + {self.test_identities}."
            )

    def manifest(self) -> dict[str, object]:
        return {**asdict(self), "difficulty": asdict(V1)}

    def folder(self) -> str:
        digest = hashlib.sha256(json.dumps(self.manifest(), sort_keys=True).encode()).hexdigest()
        return f"{self.version}-{self.site}-people{self.seed}-cameras{self.camera_seed}-{digest[:8]}"


@dataclass(frozen=True)
class Picture:
    """What a picture shows, the arguments of `draw`.

    Args:
        person: Whose picture it is.
        camera: Seen by which camera.
        shot: How.
        company: The other person in it, if there is one.
    """

    person: Person
    camera: Camera
    shot: Shot
    company: Person | None


@dataclass(frozen=True)
class _Job:
    """One picture to draw."""

    folder: str
    person: int
    company: int
    passage: Passage
    shot: int
    name: str


def render(
    root: str | os.PathLike[str],
    site: str = "A",
    seed: int = 0,
    camera_seed: int = 0,
    *,
    train_identities: int = 300,
    test_identities: int = 150,
    images_per_camera: int = 4,
    groups: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Draws a site's people and writes them as a Market-1501 tree; does nothing if it is there.

    The tree gets a folder of its own under ``root``, named after its parameters. Each file is put in
    place in one step and the manifest ``synthetic.json`` comes last: a tree with a manifest is whole,
    and one that was interrupted is completed by the next call.

    Of each passage of a test person one picture is the query, the others go to the gallery. File names
    are ``PPPP_cCsS_FFFFFF_NN.jpg``: person, camera from 1, session 1, frame at 25 a second, shot.

    Args:
        root: Where trees are kept.
        site: ``A`` (concourse), ``B`` (campus), ``C`` (evening street) or ``D`` (promenade).
        seed: Seed of the people, their walks and poses.
        camera_seed: Seed of the site's cameras and sceneries.
        train_identities: People in ``bounding_box_train``, numbered from 1.
        test_identities: People in ``query`` and ``bounding_box_test``, numbered on from there.
        images_per_camera: Pictures of a person's passage before a camera.
        groups: Whether people walk in groups.
        progress: Called with (pictures done, pictures in all) after each picture.

    Returns:
        The tree's folder.

    Raises:
        ValueError: The site is unknown, a number is below 1 or a seed below 0, there are more than 9999
            people, or fewer than two pictures a camera.

    Example:
        >>> import tempfile
        >>> from keras_reid.datasets import synthetic
        >>> with tempfile.TemporaryDirectory() as root:
        ...     tree = synthetic.render(root, train_identities=2, test_identities=2)
        ...     sorted(path.name for path in tree.iterdir())
        ['bounding_box_test', 'bounding_box_train', 'query', 'synthetic.json']
    """
    parameters = _Parameters(site, seed, camera_seed, train_identities, test_identities, images_per_camera, groups)
    tree = Path(root).expanduser().resolve() / parameters.folder()
    if (tree / MANIFEST).is_file():
        return tree
    for folder in FOLDERS:
        (tree / folder).mkdir(parents=True, exist_ok=True)
    jobs = list(_jobs(parameters))
    cameras = sample_cameras(site, camera_seed)
    for done, job in enumerate(jobs, start=1):
        path = tree / job.folder / job.name
        if not path.exists():
            _write_picture(path, parameters, cameras[job.passage.camera], job)
        if progress is not None:
            progress(done, len(jobs))
    counts = {folder: sum(job.folder == folder for job in jobs) for folder in FOLDERS}
    manifest = {**parameters.manifest(), "images": counts}
    write_whole(tree / MANIFEST, (json.dumps(manifest, indent=2) + "\n").encode())
    return tree


def _jobs(parameters: _Parameters) -> Iterator[_Job]:
    train, test, shots = parameters.train_identities, parameters.test_identities, parameters.images_per_camera
    # Of each part: people, the first one's number in file names, and in the stream of people.
    for part, people, label, first in ((0, train, 1, 0), (1, test, train + 1, _FIRST_TEST_PERSON)):
        for passage in sample_passages(parameters.site, parameters.seed, people, part=part, groups=parameters.groups):
            for shot in range(shots):
                folder = "bounding_box_train" if part == 0 else "bounding_box_test"
                if part == 1 and shot == passage.person % shots:
                    folder = "query"
                frame = round(_time_s(passage, shot) * FRAMES_PER_SECOND)
                name = f"{label + passage.person:04d}_c{passage.camera + 1}s1_{frame:06d}_{shot + 1:02d}.jpg"
                # Somebody of the same part; which one is as good as random, and differs by picture.
                step = 1 + (31 * passage.camera + 7 * shot) % max(people - 1, 1)
                company = first + (passage.person + step) % people
                yield _Job(folder, first + passage.person, company, passage, shot, name)


def _time_s(passage: Passage, shot: int) -> float:
    return passage.time_s + _BETWEEN_SHOTS_S * shot


def picture(path: str | os.PathLike[str]) -> Picture:
    """Says what a picture of a tree shows: all that `draw` needs to draw it again.

    Args:
        path: A picture of a tree of people in colour, as `render` writes them.

    Returns:
        The picture.

    Raises:
        ValueError: There is no such picture, or it was not drawn by this version of the renderer.

    Example:
        >>> import tempfile
        >>> from keras_reid.datasets import synthetic
        >>> from keras_reid.datasets.synthetic.tree import picture
        >>> with tempfile.TemporaryDirectory() as root:
        ...     dataset = synthetic.load(root, train_identities=2, test_identities=2)
        ...     shown = picture(dataset.query.path[0])
        >>> shown.person == synthetic.sample_person("A", 0, 30_000)
        True
    """
    path = Path(path).expanduser().resolve()
    jobs = _jobs_by_name(path.parents[1])
    if (path.parent.name, path.name) not in jobs:
        raise ValueError(f"Expected a picture that `synthetic.render` wrote. Received a file that it did not: {path}.")
    return _shown(*jobs[path.parent.name, path.name])


@lru_cache(maxsize=8)
def _jobs_by_name(tree: Path) -> dict[tuple[str, str], tuple[_Parameters, Camera, _Job]]:
    try:
        manifest = json.loads((tree / MANIFEST).read_text())
        parameters = _Parameters(**{one.name: manifest[one.name] for one in fields(_Parameters)})
    except (FileNotFoundError, KeyError):
        raise ValueError(
            f"Expected a tree of people in colour, as `synthetic.render` writes it, with its {MANIFEST}. "
            f"Received: {tree}."
        ) from None
    if parameters.version != VERSION:
        raise ValueError(
            f"The tree {tree} was drawn by version {parameters.version} of the renderer, this is {VERSION}: render it "
            "again."
        )
    cameras = sample_cameras(parameters.site, parameters.camera_seed)
    return {(job.folder, job.name): (parameters, cameras[job.passage.camera], job) for job in _jobs(parameters)}


def _shown(parameters: _Parameters, camera: Camera, job: _Job) -> Picture:
    seed, time_s = parameters.seed, _time_s(job.passage, job.shot)
    across = min((time_s - job.passage.time_s) / _VIEW_S, 1.0)
    start = (job.person * 0.618) % 1.0
    shot = sample_shot(
        camera,
        (seed, job.person, job.passage.camera, job.shot),
        away=job.passage.away,
        time_s=time_s,
        place=0.25 * start + 0.55 * (across if job.passage.away else 1 - across) + 0.1,
    )
    person = sample_person(parameters.site, seed, job.person)
    company = sample_person(parameters.site, seed, job.company) if shot.company_x else None
    return Picture(person, camera, shot, company)


def _write_picture(path: Path, parameters: _Parameters, camera: Camera, job: _Job) -> None:
    shown = _shown(parameters, camera, job)
    pixels = draw(shown.person, camera, shown.shot, shown.company)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=round(camera.quality))
    write_whole(path, buffer.getvalue())


def check_seed(name: str, value: object) -> int:
    """Returns ``value`` if it is an integer of at least 0, as a plain ``int``: numpy's integers are not JSON's.

    Args:
        name: The argument's name, for the message.
        value: What was received.

    Returns:
        The value.

    Raises:
        ValueError: It is not an integer, or below 0.
    """
    if isinstance(value, bool) or not hasattr(value, "__index__") or value.__index__() < 0:
        raise ValueError(f"`{name}` must be an integer of at least 0. Received: {value!r}.")
    return int(value.__index__())


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file so that it is either whole or absent, whoever else writes it at the same time.

    Args:
        path: The file, in a folder that exists.
        content: What it will hold.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_bytes(content)
    part.replace(path)
