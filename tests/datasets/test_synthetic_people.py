"""Synthetic people before JPEG: frozen pixels, determinism, look-alikes, views, cameras."""

import hashlib
from dataclasses import fields, replace
from math import pi

import numpy as np
import pytest

from keras_reid.datasets import synthetic
from keras_reid.datasets.synthetic.camera import CAMERAS, develop
from keras_reid.datasets.synthetic.dress import Material, pattern_mask
from keras_reid.datasets.synthetic.figure import body_solids
from keras_reid.datasets.synthetic.paint import visible_palette
from keras_reid.datasets.synthetic.person import PATTERNS
from keras_reid.datasets.synthetic.raster import Canvas, Capsule, Lathe, Light, draw_solid
from keras_reid.datasets.synthetic.stage import Pose

LIGHT = Light(0.3, -0.5, 0.8, 0.5)
PLAIN = synthetic.Shot(yaw=0.0, phase=0.3)


def picture(site: str, index: int, seed: int = 0) -> np.ndarray:
    camera = synthetic.sample_cameras(site, seed)[index % CAMERAS]
    shot = synthetic.sample_shot(camera, (seed, index), away=index % 2 == 1, time_s=float(index))
    company = synthetic.sample_person(site, seed, index + 40)
    return synthetic.draw(synthetic.sample_person(site, seed, index), camera, shot, company)


def test_v1_is_frozen():
    """A change of any pixel is a new version: then every published number has to be measured again."""
    pictures = [picture(site, index) for site in "ABCD" for index in range(6)]
    assert all(image.shape == (128, 64, 3) and image.dtype == np.uint8 for image in pictures)
    digest = hashlib.sha256(np.stack(pictures).tobytes()).hexdigest()
    assert digest == "a6b9395e45be064847187b0ec6edff534fbd82bcb5290734013bfd1762cb3b33"


def test_drawing_is_a_function_of_its_arguments():
    assert np.array_equal(picture("B", 3), picture("B", 3))
    assert not np.array_equal(picture("B", 3), picture("B", 3, seed=1))
    people = [synthetic.sample_person("C", 5, index) for index in range(12)]
    assert people == [synthetic.sample_person("C", 5, index) for index in range(12)]
    assert len(set(people)) == 12


def test_camera_seed_leaves_the_people_alone():
    one, other = synthetic.sample_cameras("A", 0), synthetic.sample_cameras("A", 1)
    assert one != other
    # Stratified: each sixth of a range belongs to one camera, whatever the draw.
    for cameras in (one, other):
        axes = np.array([camera.axis for camera in cameras])
        assert sorted((axes / pi * CAMERAS).astype(int)) == list(range(CAMERAS))
    shot = synthetic.sample_shot(one[0], (0, 1))
    assert replace(shot, yaw=0, company_yaw=0) == replace(synthetic.sample_shot(other[0], (0, 1)), yaw=0, company_yaw=0)


def test_lookalikes_share_an_outfit_and_nothing_else():
    for first in range(0, 30, synthetic.V1.lookalikes):
        group = [synthetic.sample_person("D", 0, first + i) for i in range(synthetic.V1.lookalikes)]
        for name in ("upper", "upper_pattern", "lower", "sleeves", "skirt"):
            assert len({getattr(person, name) for person in group}) == 1
        for name in ("skin", "shoes", "bulk", "stride"):
            assert len({getattr(person, name) for person in group}) == len(group)
    uppers = {synthetic.sample_person("D", 0, index).upper for index in range(30)}
    assert len(uppers) == 30 // synthetic.V1.lookalikes


def painted(person: synthetic.Person, yaw: float, material: Material) -> int:
    """How many pixels show a material, looking from ``yaw``."""
    pixels = np.zeros((1, 192, 96), np.float32)
    palette = np.zeros((1, len(Material)), np.float32)
    palette[0, material] = 1
    canvas = Canvas(pixels, palette, LIGHT)
    for solid in body_solids(person, Pose(48, 180, 165, yaw, 0.4)):
        draw_solid(canvas, solid)
    return int((pixels > 0.25).sum())


def test_front_and_back_differ():
    plain = replace(
        synthetic.sample_person("A", 0, 0),
        upper_pattern="plain", open_front=False, scarf=False, hat="none", hair_style="short", beard=False,
        glasses=False, logo="disc", back_print="none", bag="none",
    )  # fmt: skip
    assert painted(plain, 0, Material.LOGO) > 15
    assert painted(plain, pi, Material.LOGO) == 0
    assert painted(plain, 0, Material.SKIN) > 1.5 * painted(plain, pi, Material.SKIN)
    backpack = replace(plain, bag="backpack")
    assert painted(backpack, pi, Material.BAG) > 500
    assert painted(backpack, 0, Material.BAG) < 0.5 * painted(backpack, pi, Material.BAG)
    assert painted(replace(plain, back_print="square"), pi, Material.LOGO) > 15


def test_bags_hang_on_their_side():
    left = replace(synthetic.sample_person("A", 0, 0), bag="hand", bag_side=1)
    pixels = np.zeros((1, 192, 96), np.float32)
    palette = np.zeros((1, len(Material)), np.float32)
    palette[0, [Material.BAG, Material.BAG_TRIM]] = 1
    for solid in body_solids(left, Pose(48, 180, 165, 0.0, 0.4)):
        draw_solid(Canvas(pixels, palette, LIGHT), solid)
    columns = np.nonzero(pixels[0].sum(0))[0]
    assert columns.min() > 48  # the left hand of somebody who faces us is to our right


@pytest.mark.parametrize("site", "ABCD")
def test_every_kind_of_person_can_be_painted(site):
    person = synthetic.sample_person(site, 0, 0)
    camera = synthetic.sample_cameras(site, 0)[0]
    seen = set()
    for name, choices in {
        "hair_style": ("short", "long", "bun", "tail", "round", "bald"),
        "hat": ("none", "cap", "beanie", "brim", "hood"),
        "bag": ("none", "backpack", "shoulder", "hand"),
        "upper_pattern": PATTERNS,
        "lower_pattern": ("plain", "side", "check", "camouflage"),
        "skirt": (0.0, 0.25),
        "logo": ("none", "disc", "bar", "square", "chevron"),
    }.items():
        for choice in choices:
            start = replace(person, hat="none", bag="none", open_front=False, skirt=0.0, logo="none")
            for yaw in (0.0, 1.6, 3.1, 4.5):
                shot = replace(PLAIN, yaw=yaw)
                seen.add(synthetic.draw(replace(start, **{name: choice}), camera, shot).tobytes())
    assert len(seen) > 100


def test_obstacles_and_company_cover_something():
    person, other = (synthetic.sample_person("A", 0, index) for index in (0, 9))
    camera = synthetic.sample_cameras("A", 0)[1]
    plain = synthetic.draw(person, camera, PLAIN).astype(int)
    for obstacle in ("post", "box", "bush"):
        hidden = synthetic.draw(person, camera, replace(PLAIN, obstacle=obstacle, obstacle_x=0.5))
        assert (np.abs(hidden - plain).max(2) > 20).mean() > 0.05
    beside = replace(PLAIN, company_x=0.5, company_before=True)
    assert np.abs(synthetic.draw(person, camera, beside, other) - plain).max() > 40
    assert np.array_equal(synthetic.draw(person, camera, beside), plain)  # nobody was given


def test_a_solid_is_where_it_should_be():
    pixels = np.zeros((1, 60, 60), np.float32)
    canvas = Canvas(pixels, np.ones((1, 2), np.float32), Light(0, 0, 0, 1.0))
    draw_solid(canvas, Capsule((20.0, 20.0), (40.0, 40.0), 6.0, 6.0, 1))
    area = pi * 36 + 12 * 20 * 2**0.5
    assert pixels.astype(bool).sum() == pytest.approx(area, rel=0.15)
    assert pixels[0, 30, 30] > 0 == pixels[0, 40, 20]
    pixels[:] = 0
    draw_solid(canvas, Lathe((30.0, 10.0), (30.0, 50.0), ((0, 10, 5), (1, 10, 5)), pi / 2, 1))
    assert pixels.astype(bool).sum() == pytest.approx(40 * 10, rel=0.2)  # from the side its depth shows
    before = pixels.copy()
    draw_solid(canvas, Capsule((200.0, 20.0), (240.0, 40.0), 6.0, 6.0, 1))  # out of the picture
    assert np.array_equal(pixels, before)


def test_patterns_cover_a_part_of_the_cloth():
    u, v = np.meshgrid(np.linspace(3, 5, 200, dtype=np.float32), np.linspace(0, 1, 200, dtype=np.float32))
    for name in PATTERNS[1:]:
        assert 0.15 < pattern_mask(name, u, v, 5.0).mean() < 0.7, name


def test_camera_does_what_it_says():
    camera = synthetic.sample_cameras("A", 0)[0]
    neutral = replace(
        camera, gain=1.0, warmth=0.0, tint=0.0, saturation=1.0, gamma=1.0, black=0.0, blur=0.0, noise=0.0,
        resolution=1.0, hue=0.0,
    )  # fmt: skip
    scene = np.random.default_rng(0).random((3, 192, 96), np.float32)
    flat = np.full((3, 192, 96), 0.5, np.float32)

    def seen(view=flat, **traits):
        return develop(view, replace(neutral, **traits), (128, 64), 1.0, (0, 0)).astype(float)

    assert np.abs(seen() - 127.5).max() <= 0.5
    assert seen(gain=1.5).mean() == pytest.approx(1.5 * 127, abs=1)
    red, _, blue = seen(warmth=0.2).mean((0, 1))
    assert red > 150 > 105 > blue
    assert seen(gamma=2.0).mean() == pytest.approx(64, abs=1)
    assert seen(noise=0.05).std() == pytest.approx(255 * 0.05, rel=0.15)
    assert seen(scene, saturation=0.0).std(2).max() < 1
    assert seen(scene, resolution=0.5).std() < 0.8 * seen(scene).std()
    assert seen(scene, blur=1.5).std() < 0.6 * seen(scene).std()


def test_sites_differ_in_cameras_and_people():
    means = {}
    for site in "ABCD":
        stack = np.stack([picture(site, index) for index in range(24)]).astype(float)
        means[site] = stack.mean((0, 1, 2))
        assert 25 < stack.mean() < 210
        assert stack.std() > 20
    for one, other in (("A", "B"), ("C", "D"), ("A", "C"), ("B", "D")):
        assert np.abs(means[one] - means[other]).max() > 12


def test_palette_has_a_colour_for_each_material():
    person = synthetic.sample_person("A", 0, 0)
    palette = visible_palette(person)
    assert palette.shape == (3, len(Material))
    assert np.allclose(palette[:, Material.UPPER], person.upper)
    # Physical parameters only: a colour is stored as the light it reflects, never as pixels.
    assert {field.type for field in fields(person)} <= {float, int, str, bool, synthetic.person.Colour}
