"""The authors' weight files, four kinds of them, told apart by the names of their tensors."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_reid.backbones import assign_tensors, read_tensors
from keras_reid.methods.dgnet.model import DGNet
from keras_reid.methods.dgnet.teacher import TeacherNetwork

__all__ = ["checkpoint_kind", "dgnet_from_checkpoints"]

# Kind -> a tensor that only it has.
_SIGNS = {
    "generator": "enc_content.model.0.conv.weight",
    "discriminator": "cnns.0.0.conv.weight",
    "appearance": "classifier1.add_block.0.weight",
    "teacher": "classifier.add_block.0.weight",
}
# Counters, ImageNet's classifier, statistics that the adaptive norms never use, and whatever else hangs on a residual
# block beside its convolutions: the published generator has non-local blocks there that no forward pass runs through.
_UNUSED = (
    r".*\bnum_batches_tracked",
    r"model\.fc\..*",
    r"dec\.model\.1\.model\.\d\.model\.\d\.norm\.running_(mean|var)",
    r"(enc_content\.model\.4|dec\.model\.1)\.model\.\d\.(?!model\.).*",
)
# Blocks of the third stage.
_DEPTHS = {
    (6, True): "resnet50",
    (23, True): "resnet101",
    (36, True): "resnet152",
    (2, False): "resnet18",
    (6, False): "resnet34",
}

Checkpoint = str | os.PathLike | Mapping[str, Any]


def checkpoint_kind(tensors: Mapping[str, Any]) -> str:
    """Says what the authors' code saved: ``"generator"``, ``"discriminator"``, ``"appearance"`` or ``"teacher"``.

    Args:
        tensors: Names and arrays; only the names are read.

    Returns:
        The kind.

    Raises:
        ValueError: None of them.

    Example:
        >>> from keras_reid.methods.dgnet import checkpoint_kind
        >>> checkpoint_kind({"cnns.0.0.conv.weight": None})
        'discriminator'
    """
    kinds = [kind for kind, sign in _SIGNS.items() if sign in tensors]
    if len(kinds) != 1:
        raise ValueError(
            "The weights are none of DG-Net's four kinds (gen_*.pt, dis_*.pt, id_*.pt and the teacher's net_last.pth). "
            f"Exactly one of {sorted(_SIGNS.values())} must be there. Received {len(tensors)} tensors, the first of "
            f"them {sorted(tensors)[:3]}."
        )
    return kinds[0]


def dgnet_from_checkpoints(*checkpoints: Checkpoint, **options) -> DGNet:
    """Builds the `DGNet` that files of the authors' code hold together, with its weights.

    Widths, depth and number of identities are read off the tensors. Every tensor is used, or is one of a part that the
    network never uses; anything else is an error.

    Args:
        *checkpoints: In any order: ``gen_*.pt`` and ``id_*.pt``, to go on training also ``dis_*.pt`` and the teacher's
            ``net_last.pth``. Paths (read through torch without running their pickle), or their content.
        **options: Further arguments of `DGNet`, e.g. ``image_size``; and ``teacher_stride``, the stride of the
            teacher's last stage, which its ``opts.yaml`` says (2 if not).

    Returns:
        An uncompiled model.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A file is none of the four kinds, two are of one kind, one is missing, or tensors do not fit.
        ImportError: A path, and torch is not installed.

    Example:
        >>> from keras_reid.methods.dgnet import dgnet_from_checkpoints
        >>> model = dgnet_from_checkpoints("gen_00100000.pt", "id_00100000.pt")  # doctest: +SKIP
        >>> model.extract(images).shape  # doctest: +SKIP
        (2, 1024)

    Reference:
        github.com/NVlabs/DG-Net.
    """
    found: dict[str, dict[str, np.ndarray]] = {}
    for checkpoint in checkpoints:
        tensors = _tensors(checkpoint)
        kind = checkpoint_kind(tensors)
        if kind in found:
            raise ValueError(f"Two of the weight files are of the kind {kind!r}. Give one of each.")
        found[kind] = tensors
    if missing := sorted({"generator", "appearance"} - set(found)):
        raise ValueError(
            f"The weights of {missing} are missing; without them the model would be partly random. Received: "
            f"{sorted(found)}."
        )
    stride = options.pop("teacher_stride", 2)
    teacher = _teacher(found["teacher"], stride) if "teacher" in found else None
    model = DGNet(**{**_arguments(found), "teacher": teacher, **options})
    encoder = {f"enc_content.{name}": v for name, v in model.structure_encoder.torch_variables().items()}
    assign_tensors(encoder | model.decoder.torch_variables(), found["generator"], _UNUSED)
    assign_tensors(_appearance_variables(model.appearance_encoder), found["appearance"], _UNUSED)
    if "discriminator" in found:
        assign_tensors(model.discriminator.torch_variables(), found["discriminator"])
    return model


def _tensors(checkpoint: Checkpoint) -> dict[str, np.ndarray]:
    if not isinstance(checkpoint, Mapping):
        return read_tensors(checkpoint)
    content = checkpoint.get("a", checkpoint)
    return {name.removeprefix("module."): np.asarray(value) for name, value in content.items()}


def _backbone_variables(backbone) -> dict[str, list]:
    return {f"model.{name}": found for name, found in backbone.torchvision_variables().items()}


def _appearance_variables(encoder) -> dict[str, list]:
    heads = encoder.primary.torch_variables("classifier1") | encoder.fine.torch_variables("classifier2")
    return _backbone_variables(encoder.backbone) | heads


def _depth(tensors: Mapping[str, np.ndarray]) -> str:
    blocks = 1 + max((int(name.split(".")[2]) for name in tensors if name.startswith("model.layer3.")), default=-1)
    depth = _DEPTHS.get((blocks, "model.layer1.0.conv3.weight" in tensors))
    if depth is None:
        raise ValueError(f"The backbone is no ResNet of a known depth: its third stage has {blocks} blocks.")
    return depth


def _arguments(found: Mapping[str, Mapping[str, np.ndarray]]) -> dict[str, Any]:
    """The constructor's arguments that the tensors' shapes tell."""
    generator, appearance = found["generator"], found["appearance"]
    arguments = {
        "backbone": _depth(appearance),
        "structure_width": len(generator[_SIGNS["generator"]]),
        "style_width": len(generator["mlp_w1.model.0.fc.bias"]),
        "descriptor_width": len(appearance[_SIGNS["appearance"]]),
        "num_classes": len(appearance["classifier1.classifier.0.weight"]),
    }
    if "discriminator" in found:
        arguments["discriminator_width"] = len(found["discriminator"][_SIGNS["discriminator"]])
    return arguments


def _teacher(tensors: Mapping[str, np.ndarray], stride: int) -> TeacherNetwork:
    teacher = TeacherNetwork(
        len(tensors["classifier.classifier.0.weight"]),
        backbone=_depth(tensors),
        last_stride=stride,
        width=len(tensors[_SIGNS["teacher"]]),
    )
    variables = _backbone_variables(teacher.backbone) | teacher.head.torch_variables("classifier")
    assign_tensors(variables, tensors, _UNUSED)
    return teacher
