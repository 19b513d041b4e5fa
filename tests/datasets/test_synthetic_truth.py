"""What the renderer knows of its pictures: whom they show, and which pixel is what."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from keras_reid.datasets import synthetic
from keras_reid.datasets.synthetic.tree import MANIFEST, Picture, picture
from keras_reid.datasets.synthetic.truth import Material, material_map


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return synthetic.load(tmp_path_factory.mktemp("trees"), train_identities=6, test_identities=4)


def test_a_picture_is_drawn_again_from_what_is_said_of_it(dataset):
    for table, first in ((dataset.train, -1), (dataset.query, 30_000 - 7)):
        for row in (0, len(table) - 1):
            shown = picture(table.path[row])
            assert shown.person == synthetic.sample_person("A", 0, first + int(table.person_id[row]))
            again = synthetic.draw(shown.person, shown.camera, shown.shot, shown.company).astype(int)
            on_disk = np.asarray(Image.open(table.path[row])).astype(int)
            assert np.abs(again - on_disk).mean() < 6  # JPEG


def test_the_map_covers_what_another_person_would_change(dataset):
    shown = picture(dataset.train.path[0])
    camera, shot = shown.camera, shown.shot
    seen = material_map(shown)
    assert seen.shape == (128, 64) and seen.dtype == np.uint8
    fields = ("skin", "hair", "upper", "upper_second", "inner", "lower", "lower_second", "shoes", "logo_colour")
    fields += ("hat_colour", "bag_colour", "bag_trim")
    black, white = (replace(shown.person, **dict.fromkeys(fields, (value,) * 3)) for value in (0.0, 1.0))
    pictures = [synthetic.draw(person, camera, shot, shown.company).astype(int) for person in (black, white)]
    changed = np.abs(pictures[0] - pictures[1]).max(axis=-1) > 60
    both, either = (changed & (seen > 0)).sum(), (changed | (seen > 0)).sum()
    assert both / either > 0.85


def test_one_colour_is_one_material(dataset):
    """Where the map says upper garment, a change of its colour changes the picture, and hardly elsewhere."""
    shown = picture(dataset.train.path[0])
    garment = {"upper": (0.0, 0.9, 0.0), "upper_second": (0.0, 0.9, 0.0)}
    one = synthetic.draw(shown.person, shown.camera, shown.shot, shown.company).astype(int)
    two = synthetic.draw(replace(shown.person, **garment), shown.camera, shown.shot, shown.company).astype(int)
    change = np.abs(one - two).max(axis=-1)
    upper = np.isin(material_map(shown), (Material.UPPER, Material.UPPER_SECOND))
    assert upper.sum() > 300
    assert change[upper].mean() > 8 * change[~upper].mean()


def test_another_person_and_obstacles_are_nothing():
    camera = synthetic.sample_cameras("A", 0)[0]
    person, other = (synthetic.sample_person("A", 0, number) for number in (0, 9))
    shot = synthetic.Shot(yaw=0.0, phase=0.0)
    alone = material_map(Picture(person, camera, shot, None))
    beside = replace(shot, company_x=0.45, company_before=True)
    covered = material_map(Picture(person, camera, beside, other))
    assert (alone > 0).sum() > (covered > 0).sum() > 500
    assert not ((covered > 0) & (alone == 0)).any()
    post = material_map(Picture(person, camera, replace(shot, obstacle="post"), None))
    assert (post[:, 31:33] == Material.NOTHING).all()


def test_other_pictures_are_refused(dataset, tmp_path):
    with pytest.raises(ValueError, match=f"its {MANIFEST}. Received: "):
        picture(tmp_path / "query" / "0001.jpg")
    with pytest.raises(ValueError, match="Expected a picture that `synthetic.render` wrote"):
        picture(dataset.query.path[0].replace(".jpg", "0.jpg"))
    folder = tmp_path / "old"
    (folder / "query").mkdir(parents=True)
    manifest = json.loads((synthetic.render(tmp_path, train_identities=2, test_identities=2) / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**manifest, "version": "synthetic-0"}))
    with pytest.raises(ValueError, match="drawn by version synthetic-0 of the renderer"):
        picture(folder / "query" / "0001.jpg")
