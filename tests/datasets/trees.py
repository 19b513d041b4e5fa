"""Small trees of images on disk, in the layouts that the readers know."""

from pathlib import Path

from PIL import Image

MARKET_FOLDERS = ("bounding_box_train", "query", "bounding_box_test")
TINY_MARKET: dict[str, list[str]] = {
    "bounding_box_train": [
        "0002_c1s1_000451_03.jpg",
        "0002_c2s1_000801_01.jpg",
        "0007_c1s1_001000_00.jpg",
        "0007_c3s2_000070_00.jpg",
    ],
    "query": ["0001_c1s1_000025_00.jpg", "0003_c6s1_000100_00.jpg"],
    "bounding_box_test": [
        "-1_c1s1_900000_01.jpg",
        "0000_c1s2_000050_01.jpg",
        "0001_c2s1_000301_00.jpg",
        "0003_c5s1_000200_00.jpg",
        "Thumbs.db",
        "._0003_c5s1_000200_00.jpg",
    ],
}


def write_image(path: Path) -> None:
    """Writes a grey 8x16 image."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 16), (90, 90, 90)).save(path)


def write_tree(root: Path, folders: dict[str, list[str]]) -> Path:
    """Writes one image per name; names that are no image become small text files."""
    for folder, names in folders.items():
        (root / folder).mkdir(parents=True, exist_ok=True)
        for name in names:
            if name.startswith(".") or not name.endswith(".jpg"):
                (root / folder / name).write_text("no image")
            else:
                write_image(root / folder / name)
    return root
