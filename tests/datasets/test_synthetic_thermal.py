"""Thermal twins: frozen pixels, what heat shows and hides, the two trees and their readers."""

import hashlib
import json
from dataclasses import replace
from math import pi
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_reid import datasets
from keras_reid.datasets import synthetic
from keras_reid.datasets.synthetic import thermal
from keras_reid.datasets.synthetic.dress import Material
from keras_reid.datasets.synthetic.paint import thermal_palette
from keras_reid.datasets.synthetic.person import PATTERNS, Person
from keras_reid.datasets.synthetic.thermal_camera import draw_thermal, sample_thermal_camera
from keras_reid.datasets.synthetic.thermal_walk import sysu_mm01_pictures

FRONT = synthetic.Shot(yaw=0.0, phase=0.3, seed=5)
COLOURS = (
    "skin hair upper upper_second inner lower lower_second shoes logo_colour hat_colour bag_colour bag_trim"
).split()


def camera(site: str = "A", number: int = 2):
    return sample_thermal_camera(synthetic.sample_cameras(site, 0)[number])


def picture(site: str, index: int) -> np.ndarray:
    eye = camera(site, index % 6)
    shot = synthetic.sample_shot(eye.view, (0, index), away=index % 2 == 1, time_s=float(index))
    company = synthetic.sample_person(site, 0, index + 40)
    return draw_thermal(synthetic.sample_person(site, 0, index), eye, shot, company)


def everyday(**changes: object) -> Person:
    plain = replace(
        synthetic.sample_person("A", 0, 0), upper_pattern="plain", lower_pattern="plain", open_front=False, skirt=0.0,
        scarf=False, hat="none", hair_style="short", beard=False, glasses=False, logo="none", back_print="none",
        bag="none", sleeves=1.0, hem=0.0, leg_cover=1.0, bulk=1.0,
    )  # fmt: skip
    return replace(plain, **changes)


def seen(person: Person, yaw: float = 0.0) -> np.ndarray:
    return draw_thermal(person, camera(), replace(FRONT, yaw=yaw))[..., 0].astype(float)


def test_v1_is_frozen():
    """A change of any pixel is a new version: then every published number has to be measured again."""
    pictures = [picture(site, index) for site in "ABCD" for index in range(6)]
    assert all(image.shape == (128, 64, 3) and image.dtype == np.uint8 for image in pictures)
    assert all((image == image[..., :1]).all() for image in pictures)
    digest = hashlib.sha256(np.stack(pictures).tobytes()).hexdigest()
    frozen = "1806dd84468de945e444c40250c369a1d492a4df0dba1c2e2b9c23ea51d79e30"
    assert (thermal.VERSION, digest) == ("thermal-v1", frozen)


def test_v1_pictures_the_same_people_from_the_same_places():
    plan = list(sysu_mm01_pictures("B", 1, 2, 2, 2, 3))
    assert all(picture.shot.obstacle == "none" and picture.shot.company_x == 0 for picture in plan)
    numbers = [(picture.name, picture.person, round(picture.shot.yaw, 6)) for picture in plan]
    digest = hashlib.sha256(json.dumps(numbers).encode()).hexdigest()
    assert digest == "8c6fd694ea7e663a1511c1d8a4803dd839dfba3373bdf909c637597601fdd665"


@pytest.mark.parametrize("index", range(6))
def test_no_colour_of_skin_hair_or_clothes_is_seen(index):
    person = synthetic.sample_person("B", 0, index)
    other = replace(person, **dict.fromkeys(COLOURS, (0.9, 0.1, 0.4)))
    shot = replace(FRONT, yaw=1.1 * index)
    assert np.array_equal(draw_thermal(person, camera(), shot), draw_thermal(other, camera(), shot))


def test_no_pattern_and_no_print_is_seen():
    for yaw in (0.0, 1.2, pi):
        plain = seen(everyday(), yaw)
        for pattern in PATTERNS:
            assert np.array_equal(seen(everyday(upper_pattern=pattern, upper_scale=5.0), yaw), plain), pattern
        for pattern in ("side", "check", "camouflage"):
            assert np.array_equal(seen(everyday(lower_pattern=pattern), yaw), plain), pattern
        assert np.array_equal(seen(everyday(logo="disc", back_print="square"), yaw), plain)


@pytest.mark.parametrize(
    "changes",
    [
        {"bag": "backpack"},
        {"bag": "shoulder"},
        {"hat": "beanie"},
        {"hair_style": "bald"},
        {"sleeves": 0.3},
        {"leg_cover": 0.5},
        {"skirt": 0.25},
        {"hem": 0.18},
        {"open_front": True},
        {"bulk": 1.3},
        {"glasses": True},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_build_hair_bags_and_cut_are_seen(changes):
    assert np.abs(seen(everyday(**changes), pi - 0.6) - seen(everyday(), pi - 0.6)).max() > 12 or (
        np.abs(seen(everyday(**changes)) - seen(everyday())).max() > 12
    )


def test_what_is_warm_and_what_is_not():
    for site in "ABCD":
        for index in range(30):
            person = synthetic.sample_person(site, 0, index)
            warmth = dict(zip(Material, thermal_palette(person)[0].tolist(), strict=True))
            assert warmth[Material.SKIN] > warmth[Material.INNER] > warmth[Material.UPPER] > warmth[Material.BAG]
            assert warmth[Material.SKIN] > warmth[Material.LOWER] > warmth[Material.SHOE]
            assert warmth[Material.SKIN] > warmth[Material.HAIR] > warmth[Material.HAT]
            same = {warmth[m] for m in (Material.UPPER, Material.UPPER_SECOND, Material.LOGO)}
            assert len(same) == len({warmth[Material.LOWER], warmth[Material.LOWER_SECOND]}) == 1
    shirt, coat = (thermal_palette(everyday(**cut))[0, Material.UPPER] for cut in ({"sleeves": 0.3}, {"hem": 0.15}))
    assert shirt > thermal_palette(everyday())[0, Material.UPPER] > coat


def test_skin_is_hotter_than_clothes_than_the_background():
    """On the pictures themselves, over sites and cameras: face, chest, and the upper corners."""
    face, chest, wall = [], [], []
    for site in "ABCD":
        for number in range(6):
            image = draw_thermal(everyday(), camera(site, number), FRONT)[..., 0].astype(float)
            face.append(image[19:22, 30:34].mean())
            chest.append(image[40:55, 27:37].mean())
            wall.append(image[4:60, [*range(8), *range(56, 64)]].mean())
    assert np.mean(face) > np.mean(chest) + 20 > np.mean(wall) + 60
    assert (np.array(face) > np.array(chest)).all()
    assert (np.array(chest) > np.array(wall) + 20).all()


def test_cameras_differ_and_keep_their_range():
    eyes = [camera("C", number) for number in range(6)]
    assert len({eye.gain for eye in eyes}) == 6
    assert camera("C", 1) == camera("C", 1)
    assert all(0 < eye.air < 0.35 < eye.gain < 1 for eye in eyes)
    same = replace(camera(), noise=0.0, stripes=0.0)
    assert (
        np.std(draw_thermal(everyday(), replace(same, noise=0.05), FRONT) - 1.0 * draw_thermal(everyday(), same, FRONT))
        > 8
    )


def test_the_visible_picture_of_a_twin_has_colours():
    plan = [p for p in sysu_mm01_pictures("B", 0, 0, 1, 1, 1) if p.label == 1]
    assert {p.place in (2, 5) for p in plan} == {True, False}
    assert len({round(p.shot.yaw, 3) for p in plan}) == len(plan)  # other passages, other views


@pytest.fixture(scope="module")
def trees(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("trees")


FEW = {"train_identities": 4, "test_identities": 3}


def test_sysu_mm01_layout_is_read_with_the_official_galleries(trees):
    dataset = datasets.load("synthetic_thermal", trees, images_per_camera=2, **FEW)
    assert (dataset.name, dataset.protocol, dataset.notes) == ("synthetic-sysu_mm01-A", "sysu_mm01", ())
    assert dataset.train.person_ids.tolist() == [1, 2, 3, 4]
    assert dataset.query.person_ids.tolist() == dataset.gallery.person_ids.tolist() == [5, 6, 7]
    assert dataset.findable.all()
    tree = Path(dataset.train.path[0]).parents[2]
    assert [(tree / "exp" / f"{part}_id.txt").read_text() for part in ("train", "val", "test")] == [
        "1,2,3\n", "4\n", "5,6,7\n",
    ]  # fmt: skip
    for table in (dataset.train, dataset.query, dataset.gallery):
        for person in table.person_ids:
            for number in set(table.camera_id[table.person_id == person].tolist()):
                mine = table.path[(table.person_id == person) & (table.camera_id == number)]
                assert [Path(path).name for path in mine] == ["0001.jpg", "0002.jpg"]
    grey = np.asarray(Image.open(dataset.query.path[0]))
    assert grey.shape == (128, 64, 3)
    assert (grey == grey[..., :1]).all()
    assert np.ptp(np.asarray(Image.open(dataset.gallery.path[0])).astype(int), axis=2).max() > 20
    single = datasets.load("synthetic_thermal", trees, images_per_camera=2, shots=1, **FEW)
    double = datasets.load("synthetic_thermal", trees, images_per_camera=2, shots=2, **FEW)
    assert 2 * len(single.trials[0]) == len(double.trials[0]) == len(double.gallery)


def test_regdb_layout_has_ten_splits_and_ten_twins(trees):
    dataset = datasets.load("synthetic_thermal", trees, layout="regdb", site="B", **FEW)
    assert (dataset.name, dataset.protocol) == ("synthetic-regdb-B", "no_camera")
    assert (len(dataset.train), len(dataset.query), len(dataset.gallery)) == (80, 30, 30)
    assert dataset.train.person_ids.tolist() == [1, 2, 3, 4]
    later = thermal.load(trees, "regdb", site="B", trial=10, direction="thermal_to_visible", **FEW)
    assert (later.train.num_persons, later.query.num_persons) == (4, 3)
    assert later.query.modality.min() == 1


def test_an_interrupted_tree_is_completed(trees, tmp_path):
    options = {"layout": "regdb", "images_per_camera": 2, "train_identities": 2, "test_identities": 1}

    def stop(done: int, total: int) -> None:
        if done == total // 2:
            raise KeyboardInterrupt

    def files(tree: Path) -> dict[str, bytes]:
        return {str(path.relative_to(tree)): path.read_bytes() for path in tree.rglob("*") if path.is_file()}

    with pytest.raises(KeyboardInterrupt):
        thermal.render(tmp_path, progress=stop, **options)
    half = files(tmp_path)
    assert len(half) == 6
    calls = []
    tree = thermal.render(tmp_path, progress=lambda *call: calls.append(call), **options)
    assert calls[-1] == (12, 12)
    whole = files(tree)
    assert files(thermal.render(trees, **options)) == whole
    assert json.loads(whole["synthetic.json"])["version"] == "thermal-v1"
    before = {path: path.stat().st_mtime_ns for path in tree.rglob("*")}
    assert thermal.render(tmp_path, **options) == tree
    assert {path: path.stat().st_mtime_ns for path in tree.rglob("*")} == before


def test_the_test_people_stay_when_more_are_trained_on():
    few, more = (
        [(p.place, p.person, p.shot) for p in sysu_mm01_pictures("A", 0, 0, train, 2, 1) if p.label > train]
        for train in (1, 5)
    )
    assert few == more


def test_cameras_2_and_3_share_a_place():
    places = {p.place: p.camera for p in sysu_mm01_pictures("A", 0, 0, 30, 1, 1)}
    assert places[2].view.scenery_seed == places[1].scenery_seed
    assert len({places[number].scenery_seed for number in (0, 1, 3, 4)} | {places[5].view.scenery_seed}) == 5


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"layout": "regdp"},
            "Unknown layout of thermal twins 'regdp'. Did you mean 'regdb'? Known: regdb, sysu_mm01.",
        ),
        ({"trial": 2}, "Layout 'sysu_mm01' has no option trial. Its options: search, shots."),
        ({"layout": "regdb", "shots": 1}, "Layout 'regdb' has no option shots. Its options: trial, direction."),
        ({"site": "E"}, "Unknown synthetic site 'E'."),
        ({"seed": -1}, "`seed` must be an integer of at least 0. Received: -1."),
        ({"images_per_camera": 0}, "`images_per_camera` must be an integer of at least 1. Received: 0."),
        ({"test_identities": 9999}, "must be at most 9999, as many as four-digit folder names can tell apart."),
    ],
)
def test_bad_arguments(tmp_path, options, sentence):
    with pytest.raises(ValueError) as error:
        thermal.load(tmp_path, **options)
    assert sentence in str(error.value)
    assert not list(tmp_path.iterdir())
