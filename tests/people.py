"""A data set that is separable by eye, as files, in a second."""

import numpy as np
from PIL import Image

from keras_reid.datasets import ReIDDataset, ReIDTable


def coloured_people(folder, identities: int = 8, images: int = 8, size=(64, 32), seed: int = 0) -> ReIDDataset:
    """One colour per identity and half of the body, noise on top; half of the identities are for testing."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    paths, persons, cameras = [], [], []
    colours = rng.permutation(np.stack(np.meshgrid([40, 220], [40, 220], [40, 220]), -1).reshape(-1, 3))
    for identity in range(identities):
        upper, lower = colours[identity % 8], colours[(identity * 3 + 1) % 8]
        for number in range(images):
            pixels = np.empty((*size, 3))
            pixels[: size[0] // 2], pixels[size[0] // 2 :] = upper, lower
            pixels = np.clip(pixels + rng.normal(0, 20, pixels.shape), 0, 255).astype("uint8")
            paths.append(folder / f"{identity:04d}_{number:02d}.png")
            if not paths[-1].exists():
                Image.fromarray(pixels).save(paths[-1])
            persons.append(identity)
            cameras.append(number % 2)
    table = ReIDTable.from_columns([str(path) for path in paths], persons, camera_id=cameras)
    training = np.asarray(persons) < identities // 2
    queries = ~training & (np.arange(len(paths)) % images == 0)
    return ReIDDataset("coloured", table.where(training), table.where(queries), table.where(~training & ~queries))
