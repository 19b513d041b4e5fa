"""The authors' checkpoints: which of their networks it is, read off the names of its tensors, and its weights."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_reid.backbones import assign_tensors, read_tensors, torchvision_variables
from keras_reid.methods.qaconv.model import QAConv

__all__ = ["qaconv_from_checkpoint"]

# What the checkpoints hold beside the weights in use: the last stage and classifier of the ImageNet network, counters.
_UNUSED = (r"base\.fc\..*", r".*\bnum_batches_tracked")
_MEMORY = ("class_memory", "valid_class")
# Blocks of the third stage of networks of bottlenecks and of basic blocks.
_BOTTLENECKS = {6: "resnet50", 23: "resnet101", 36: "resnet152"}
_BASIC_BLOCKS = {2: "resnet18", 6: "resnet34"}


def qaconv_from_checkpoint(
    checkpoint: str | os.PathLike | Mapping[str, Mapping[str, Any]], *, with_memory: bool = False, **options
) -> QAConv:
    """Builds the `QAConv` that a checkpoint of the authors' code holds, with its weights.

    The form, the depth, the instance normalisation, the stage and the number of channels are read off the tensors, for
    all releases of that code (1.0 to 2.1 and later). Every tensor is used, or is one of a part that QAConv never uses
    (the stages after ``last_stage``, ImageNet's classifier, counters, the class memory unless asked for); anything else
    is an error and nothing is loaded.

    Args:
        checkpoint: Path of a ``checkpoint.pth.tar`` (read through torch without running its pickle), or its content
            ``{"model": {name: array}, "criterion": {name: array}}``.
        with_memory: Also take over the class memory, to go on training on the same identities.
        **options: Further arguments of `QAConv`, e.g. ``image_size``.

    Returns:
        An uncompiled model.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The tensors are not those of a QAConv network, or there is no memory to take over.
        ImportError: A path, and torch is not installed.

    Example:
        >>> from keras_reid.methods.qaconv import qaconv_from_checkpoint
        >>> model = qaconv_from_checkpoint("QAConv_ResNet50_MSMT/checkpoint.pth.tar")  # doctest: +SKIP
        >>> model.extract(images).shape  # doctest: +SKIP
        (2, 24, 8, 128)

    Reference:
        github.com/ShengcaiLiao/QAConv, by its releases v1.0-eccv to v2.1.
    """
    parts = {}
    for name in ("model", "criterion"):
        if isinstance(checkpoint, Mapping):
            if name not in checkpoint:
                raise ValueError(
                    f"A checkpoint of QAConv holds 'model' and 'criterion', the matcher being in the latter. Received: "
                    f"{sorted(checkpoint)}."
                )
            parts[name] = {key: np.asarray(value) for key, value in checkpoint[name].items()}
        else:
            parts[name] = read_tensors(checkpoint, entry=name)
    network = {key.removeprefix("module."): value for key, value in parts["model"].items()}
    criterion = {
        key.removeprefix("module.").removeprefix("matcher."): value for key, value in parts["criterion"].items()
    }
    memory = {name: criterion.pop(name) for name in _MEMORY if name in criterion}
    arguments = _arguments(network)
    if with_memory:
        if "class_memory" not in memory:
            raise ValueError("The checkpoint holds no class memory. Leave out `with_memory`.")
        arguments["num_classes"] = len(memory["class_memory"])
    model = QAConv(**{**arguments, **options})
    absent = [rf"base\.layer{stage}\..*" for stage in range(arguments["last_stage"] + 1, 5)]
    assign_tensors(
        {**_network_variables(model), **model.matcher.torch_variables("")},
        {**network, **criterion},
        (*_UNUSED, *absent),
    )
    if with_memory:
        maps = np.transpose(memory["class_memory"], (0, 2, 3, 1))
        model.memory.maps.assign(np.ascontiguousarray(maps))
        # Version 1.0 did not say which identities it had seen: those whose maps are not all zero.
        seen = memory.get("valid_class", np.any(maps != 0, axis=(1, 2, 3)))
        model.memory.valid.assign(np.asarray(seen, "float32"))
    return model


def _network_variables(model: QAConv) -> dict[str, list]:
    variables = {f"base.{name}": found for name, found in model.backbone.torchvision_variables().items()}
    variables |= torchvision_variables(model.neck, "neck_conv.")
    if model.neck_norm is not None:
        variables |= torchvision_variables(model.neck_norm, "neck_bn.")
    return variables


def _arguments(network: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The constructor's arguments that the names and shapes of the tensors tell."""
    neck = network.get("neck_conv.weight")
    blocks = 1 + max((int(key.split(".")[2]) for key in network if key.startswith("base.layer3.")), default=-1)
    bottlenecks = "base.layer1.0.conv3.weight" in network
    depth = (_BOTTLENECKS if bottlenecks else _BASIC_BLOCKS).get(blocks)
    if neck is None or depth is None:
        raise ValueError(
            "The checkpoint must hold a ResNet named 'base.' and 'neck_conv.weight', as the authors' code names them. "
            f"Received {len(network)} tensors, the first of them {sorted(network)[:3]}."
        )
    ibn = "a" if "base.layer1.0.bn1.IN.weight" in network else None
    if "base.bn1.running_mean" not in network:
        ibn = "b"
    return {
        "version": "qaconv" if "neck_bn.weight" in network else "qaconv_gs",
        "backbone": depth,
        "ibn": ibn,
        "last_stage": {1: 2, 2: 3, 4: 4}[neck.shape[1] // (512 if bottlenecks else 128)],
        "channels": neck.shape[0],
    }
