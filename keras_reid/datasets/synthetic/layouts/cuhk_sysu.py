"""Synthetic people as the person crops of CUHK-SYSU: one folder, for training only."""

from pathlib import Path

from keras_reid.checks import unknown_name
from keras_reid.datasets.dataset import ReIDDataset
from keras_reid.datasets.synthetic.layouts._small import new_folder, put

__all__ = ["write"]

# Packing -> the folder, and names of a person and a scene.
_PACKINGS = {
    "cropped": ("cuhk_sysu/cropped_images", "p{person}_s{scene}_1"),
    "market": ("CUHK-SYSU/bounding_box_train", "{person:04d}_c1s1_{scene:06d}_00"),
}


def write(root: Path, people: ReIDDataset, packing: str = "cropped") -> None:
    """Writes the training images as `cuhk_sysu/cropped_images/p1_s1_1.jpg`; every image is a scene of its own.

    Persons keep their numbers; cameras and times are not kept.

    Args:
        root: Where the folder is made.
        people: Whose training table to write.
        packing: `"cropped"`, or `"market"` for `CUHK-SYSU/bounding_box_train/0001_c1s1_000001_00.jpg`.

    Raises:
        ValueError: The packing is unknown, or the folder is there already.
    """
    if packing not in _PACKINGS:
        raise unknown_name("packing of the layout 'cuhk_sysu'", packing, _PACKINGS)
    where, name = _PACKINGS[packing]
    folder = new_folder(root / where)
    for scene, (path, person) in enumerate(zip(people.train.path, people.train.person_id, strict=True), start=1):
        put(path, folder / (name.format(person=person, scene=scene) + Path(path).suffix))
