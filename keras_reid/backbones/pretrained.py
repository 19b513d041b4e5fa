"""ImageNet weights: downloaded once, kept in a cache, checked at every use."""

import hashlib
import os
import shutil
import urllib.request
from pathlib import Path
from typing import NamedTuple

__all__ = ["WEIGHTS", "WeightsFile", "cache_folder", "pretrained"]


class WeightsFile(NamedTuple):
    """Where a file of weights is published.

    ``sha256`` is the whole checksum, or the first eight digits where the publisher gives no more, or ``None`` where
    none is known to us; then the checksum of the first download is recorded and holds from there on.
    """

    url: str
    sha256: str | None = None


_HUB = "https://huggingface.co/timm/{depth}.tv_in1k/resolve/main/model.safetensors"
_IBN_NET = "https://github.com/XingangPan/IBN-Net/releases/download/v1.0/{depth}_ibn_{ibn}-{digits}.pth"

_HUB_SHA256 = {
    "resnet18": "694f673df6520a3158624e8a89af086f59923ee4cd7436fe5bc3bc71d295ad81",
    "resnet34": None,
    "resnet50": "5d061a3c593d795bfe682d9b152bafbcf550579873492def3515b46db1189888",
    "resnet101": None,
    "resnet152": "15897077afdf4d6334dc0c3f8e6fb483afb3faa9298c139f3c6eb29bca6ae5b2",
}
# By torch's convention the digits in the file's name are the first of its SHA-256.
_IBN_NET_SHA256 = {
    ("resnet18", "a"): "2f571257",
    ("resnet34", "a"): "94bc1577",
    ("resnet50", "a"): "d9d0bb7b",
    ("resnet101", "a"): "59ea0ac6",
    ("resnet18", "b"): "bc2f3c11",
    ("resnet34", "b"): "04134c37",
    ("resnet50", "b"): "9ca61e85",
    ("resnet101", "b"): "c55f6dba",
}
WEIGHTS: dict[tuple[str, str | None], WeightsFile] = {
    **{(depth, None): WeightsFile(_HUB.format(depth=depth), digits) for depth, digits in _HUB_SHA256.items()},
    **{
        (depth, ibn): WeightsFile(_IBN_NET.format(depth=depth, ibn=ibn, digits=digits), digits)
        for (depth, ibn), digits in _IBN_NET_SHA256.items()
    },
}


def cache_folder() -> Path:
    """Returns where downloads are kept: ``$KERAS_REID_CACHE``, or ``~/.cache/keras_reid``."""
    return Path(os.environ.get("KERAS_REID_CACHE") or Path.home() / ".cache" / "keras_reid")


def pretrained(depth: str, ibn: str | None = None) -> Path:
    """Returns the path of a network's ImageNet weights and downloads them at the first use.

    Plain networks come as safetensors (torchvision's ``IMAGENET1K_V1`` weights, converted by timm), IBN networks as the
    authors' ``.pth`` files, which need torch to be read.

    Args:
        depth: ``"resnet18"``, ``"resnet34"``, ``"resnet50"``, ``"resnet101"`` or ``"resnet152"``.
        ibn: ``None``, ``"a"`` or ``"b"``.

    Returns:
        The file in the cache (`cache_folder`), its checksum verified.

    Raises:
        ValueError: Nobody published such weights, or the file's checksum is wrong.
        ConnectionError: The file is not in the cache and cannot be downloaded.

    Example:
        >>> from keras_reid.backbones import pretrained
        >>> pretrained("resnet50")  # doctest: +SKIP
        PosixPath('/home/me/.cache/keras_reid/resnet50.safetensors')

    Reference:
        The checksums are those on the publishers' pages.
    """
    if (depth, ibn) not in WEIGHTS:
        known = ", ".join(name if style is None else f"{name} with ibn={style!r}" for name, style in WEIGHTS)
        raise ValueError(
            f"There are no ImageNet weights for depth={depth!r} with ibn={ibn!r}. Known: {known}. Train from random "
            "weights (`weights=None`), or give the path of a file of your own."
        )
    url, sha256 = WEIGHTS[depth, ibn]
    name = depth if ibn is None else f"{depth}_ibn_{ibn}"
    path = cache_folder() / f"{name}{Path(url).suffix}"
    if not path.exists():
        _download(url, path)
    _verify(path, sha256)
    return path


def _download(url: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    print(f"Downloading {url} to {path}", flush=True)
    try:
        with urllib.request.urlopen(url, timeout=60) as source, part.open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
            received, expected = target.tell(), source.headers.get("Content-Length")
        if expected is not None and received != int(expected):
            raise OSError(f"only {received} of {expected} bytes arrived")
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ConnectionError(
            f"Could not download {url}: {error}. Without a network, fetch that file elsewhere and put it at {path} "
            "(the folder is $KERAS_REID_CACHE or ~/.cache/keras_reid), or give the path of a local file instead of "
            "'imagenet'."
        ) from error
    # A whole file appears at once: an interrupted download never looks like one.
    part.replace(path)


def _verify(path: Path, sha256: str | None) -> None:
    with path.open("rb") as file:
        received = hashlib.file_digest(file, "sha256").hexdigest()
    record = path.with_name(f"{path.name}.sha256")
    if sha256 is None:
        if not record.exists():
            record.write_text(f"{received}\n", encoding="utf-8")
            print(f"No checksum is published for {path.name}; recorded {received} in {record}.", flush=True)
        sha256 = record.read_text(encoding="utf-8").strip()
    if not received.startswith(sha256):
        raise ValueError(
            f"{path} is not the published file: expected SHA-256 {sha256}, received {received}. "
            "Delete it, and it will be downloaded again."
        )
