"""People whom either modality shows, as files, in a second."""

import numpy as np
from PIL import Image

from keras_reid.datasets import ReIDDataset, ReIDTable


def two_modal_people(folder, identities: int = 8, images: int = 4, size=(64, 32), seed: int = 0) -> ReIDDataset:
    """Three bands of brightness per identity, tinted in visible images and paler in thermal ones.

    Half of the identities are for testing: thermal queries, visible gallery.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    bands = np.stack(np.meshgrid([60, 200], [60, 200], [60, 200]), -1).reshape(-1, 3)
    rows = []
    for identity in range(identities):
        for modality in (0, 1):
            for number in range(images):
                levels = 30 + 0.8 * bands[identity % 8] if modality else bands[identity % 8]
                grey = np.repeat(levels, [22, 21, 21]).astype("float64")[:, None] * np.ones(size[1])
                grey += rng.normal(0, 15, grey.shape)
                tint = np.ones(3) if modality else rng.uniform(0.8, 1.2, 3)
                pixels = np.clip(grey[..., None] * tint, 0, 255).astype("uint8")
                path = folder / f"{identity}_{modality}_{number}.png"
                Image.fromarray(pixels).save(path)
                rows.append((path, identity, modality))
    paths, persons, modality = (np.array(column, dtype=kind) for column, kind in zip(
        zip(*rows, strict=True), (object, "int32", "int32"), strict=True
    ))  # fmt: skip
    table = ReIDTable.from_columns(paths, persons, camera_id=modality, modality=modality)
    training = persons < identities // 2
    return ReIDDataset(
        "two modalities",
        table.where(training),
        table.where(~training & (modality == 1)),
        table.where(~training & (modality == 0)),
    )
