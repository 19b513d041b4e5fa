"""Files of tensors with torch's names: a backbone, or a checkpoint of a method's authors, told apart by the names."""

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from keras_reid.zoo.cards import Card

__all__ = ["SUFFIXES", "from_authors", "kind_of"]

SUFFIXES = (".safetensors", ".pth", ".pt", ".bin", ".tar")

Tensors = Mapping[str, np.ndarray]


def kind_of(tensors: Tensors) -> str:
    """Says what a file of tensors holds, by the names alone.

    Args:
        tensors: {name: array}.

    Returns:
        ``"torchvision"`` for a backbone, ``"QAConv"`` or ``"DGNet"`` for their authors' networks.

    Raises:
        ValueError: None of these.
    """
    from keras_reid.methods.dgnet import checkpoint_kind

    if {"conv1.weight", "layer1.0.conv1.weight"} <= set(tensors):
        return "torchvision"
    if "neck_conv.weight" in tensors:
        return "QAConv"
    try:
        checkpoint_kind(tensors)
    except ValueError as error:
        shapes = ", ".join(f"{name} {np.shape(tensors[name])}" for name in sorted(tensors)[:5])
        raise ValueError(
            f"It holds {len(tensors)} tensors, the first of them {shapes}. Known are backbones with torchvision's "
            "names ('conv1.weight', 'layer1.0.conv1.weight'), checkpoints of QAConv's authors ('base.conv1.weight', "
            "'neck_conv.weight') and the files of DG-Net's (gen_*.pt, id_*.pt, dis_*.pt, net_last.pth)."
        ) from error
    return "DGNet"


def from_authors(entry: Card, kind: str, paths: Sequence[Path], files: Sequence[Tensors], head: str, overrides):
    """Builds an entry's model from a checkpoint of the method's authors.

    Args:
        entry: The card.
        kind: What the files are, by `kind_of`.
        paths: The files.
        files: Their tensors.
        head: As in `keras_reid.zoo.load`; QAConv's class memory is read only to be kept.
        overrides: Constructor arguments that replace the card's.

    Returns:
        An uncompiled `keras_reid.methods.ReIDModel`, with the checkpoint's own head or memory.

    Raises:
        ValueError: The files are another method's, or do not fit the entry.
    """
    from keras_reid import methods
    from keras_reid.backbones import read_tensors
    from keras_reid.methods.dgnet import dgnet_from_checkpoints
    from keras_reid.methods.qaconv import qaconv_from_checkpoint

    names = ", ".join(str(path) for path in paths)
    if kind != entry.method:
        raise ValueError(f"{names} comes from the authors of {kind}, and {entry.name!r} is a {entry.method}.")
    signature = inspect.signature(getattr(methods, kind)).parameters
    # The checkpoint says the number of identities and, for DG-Net, brings the teacher. All else is the entry's, so that
    # another network than the entry's does not fit.
    told = ("num_classes", "teacher", "kwargs")
    defaults = {name: value.default for name, value in signature.items() if name not in told}
    options = {**defaults, **entry.constructor, **overrides}
    try:
        if kind == "DGNet":
            return dgnet_from_checkpoints(*files, **options)
        criterion = read_tensors(paths[0], entry="criterion")
        with_memory = head == "keep" and any(name.endswith("class_memory") for name in criterion)
        content = {"model": files[0], "criterion": criterion}
        return qaconv_from_checkpoint(content, with_memory=with_memory, **options)
    except ValueError as error:
        builder = {"DGNet": "dgnet.dgnet_from_checkpoints", "QAConv": "qaconv.qaconv_from_checkpoint"}[kind]
        raise ValueError(
            f"{names} comes from the authors of {kind}, but is no {entry.name!r}: {error} keras_reid.methods.{builder} "
            "builds whatever network it holds."
        ) from error
