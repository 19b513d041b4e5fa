"""Torch weights into Keras variables: every tensor accounted for, in both directions."""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import keras
import numpy as np

__all__ = ["assign_tensors", "load_torchvision", "read_tensors", "torchvision_variables"]

_LEAVES = {
    "kernel": "weight",
    "gamma": "weight",
    "beta": "bias",
    "bias": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
# What a torchvision checkpoint holds beside the network's features.
_IGNORED = (r"fc\..*", r".*\bnum_batches_tracked")


def torchvision_variables(layer: keras.layers.Layer, prefix: str = "") -> dict[str, list]:
    """Returns the variables of a stem, a stage or a block by their torchvision names.

    Args:
        layer: A built layer of `keras_reid.backbones`.
        prefix: What stands before the layer's own names, e.g. ``"layer1."``.

    Returns:
        {name: [variable]}; a list, because networks with two streams fill two variables from one tensor.

    Example:
        >>> from keras_reid.backbones import ResNet, torchvision_variables
        >>> list(torchvision_variables(ResNet(depth="tiny").stages[0], "layer1."))[0]
        'layer1.0.conv1.weight'
    """
    variables = {}
    for variable in layer.weights:
        *parents, leaf = variable.path.removeprefix(f"{layer.path}/").split("/")
        variables[prefix + ".".join([*parents, _LEAVES[leaf]])] = [variable]
    return variables


def read_tensors(path: str | os.PathLike, entry: str | None = None) -> dict[str, np.ndarray]:
    """Reads the tensors of a ``.safetensors`` file, or of a ``.pth`` file through torch without running its pickle.

    Nested ``{"state_dict": ...}``, ``{"model": ...}`` and ``{"a": ...}`` are opened and the prefix ``module.`` is taken
    off.

    Args:
        path: The file: ``.safetensors``, ``.pth``, ``.pt``, ``.bin`` or ``.tar``.
        entry: Of a torch file: the nested state dict to open instead of those.

    Returns:
        {name: array}, floating point as float32.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is of another kind, or holds more than tensors.
        ImportError: A torch file, and torch is not installed.

    Example:
        >>> import tempfile, numpy as np
        >>> from pathlib import Path
        >>> from safetensors.numpy import save_file
        >>> from keras_reid.backbones.weights import read_tensors
        >>> path = Path(tempfile.mkdtemp()) / "one.safetensors"
        >>> save_file({"module.fc.bias": np.zeros(3, "float32")}, path)
        >>> read_tensors(path)
        {'fc.bias': array([0., 0., 0.], dtype=float32)}
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no weights file {str(path)!r}.")
    if path.suffix == ".safetensors":
        from safetensors.numpy import load_file

        tensors = load_file(path)
    elif path.suffix in (".pth", ".pt", ".bin", ".tar"):
        tensors = _read_torch(path, entry)
    else:
        raise ValueError(
            "Weights must be a .safetensors file, or a torch file named .pth, .pt, .bin or .tar. "
            f"Received: {path.name!r}."
        )
    return {name.removeprefix("module."): _float32(array) for name, array in tensors.items()}


def _read_torch(path: Path, entry: str | None) -> dict[str, np.ndarray]:
    import pickle

    try:
        import torch
    except ImportError as error:
        raise ImportError(
            f"Reading {path.name!r} needs torch: pip install 'keras-reid[torch]'. A .safetensors file needs nothing."
        ) from error
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError(
            f"{str(path)!r} holds more than tensors and was not read, for it could run code. Expected a state dict. "
            "Load it where you trust it, and save its state dict alone."
        ) from error
    if entry is not None and isinstance(content, Mapping) and entry not in content:
        raise ValueError(f"{str(path)!r} has no entry {entry!r}. It holds: {', '.join(map(str, content))}.")
    for key in ("state_dict", "model", "a") if entry is None else (entry,):
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping) or not all(isinstance(value, torch.Tensor) for value in content.values()):
        raise ValueError(
            f"{str(path)!r} does not hold a state dict. Expected {{name: tensor}}, perhaps inside 'state_dict' or "
            "'model'."
        )
    return {name: (t.float() if t.is_floating_point() else t).detach().numpy() for name, t in content.items()}


def _float32(array: np.ndarray) -> np.ndarray:
    return array if np.issubdtype(array.dtype, np.integer) else array.astype("float32", copy=False)


def assign_tensors(
    variables: Mapping[str, list], tensors: Mapping[str, np.ndarray], ignored: Iterable[str] = ()
) -> list[str]:
    """Assigns torch tensors to variables of the same names, all of them or none.

    Kernels are transposed from torch's [out, in, h, w] and [out, in] to Keras' [h, w, in, out] and [in, out].

    Args:
        variables: {torch name: variables that take the tensor}.
        tensors: {torch name: array}.
        ignored: Regular expressions of whole names that may be left over.

    Returns:
        The names that were left over, sorted.

    Raises:
        ValueError: A variable has no tensor, a tensor no variable, or shapes differ; all of them are named.

    Example:
        >>> import keras, numpy as np
        >>> from keras_reid.backbones.weights import assign_tensors
        >>> dense = keras.layers.Dense(2, use_bias=False)
        >>> dense.build((None, 3))
        >>> assign_tensors({"fc.weight": [dense.kernel]}, {"fc.weight": np.ones((2, 3)), "n": np.ones(1)}, ["n"])
        ['n']
    """
    left_over = sorted(set(tensors) - set(variables))
    unexpected = [name for name in left_over if not any(re.fullmatch(pattern, name) for pattern in ignored)]
    missing = sorted(set(variables) - set(tensors))
    values = {name: np.transpose(tensors[name], _axes(tensors[name])) for name in variables if name in tensors}
    different = [
        f"{name} (expected {tuple(variable.shape)}, received {values[name].shape})"
        for name in sorted(values)
        for variable in variables[name]
        if tuple(variable.shape) != values[name].shape
    ]
    problems = [("missing", missing), ("unexpected", unexpected), ("of another shape", different)]
    if any(names for _, names in problems):
        found = "; ".join(f"{len(names)} {kind}: {_listed(names)}" for kind, names in problems if names)
        raise ValueError(f"The weights do not fit the model, nothing was loaded. Tensors {found}.")
    for name, value in values.items():
        for variable in variables[name]:
            # A copy: JAX may keep a view of the array, which its owner may change.
            variable.assign(np.array(value, order="C"))
    return left_over


def _axes(array: np.ndarray) -> tuple[int, ...]:
    return {4: (2, 3, 1, 0), 2: (1, 0)}.get(array.ndim, tuple(range(array.ndim)))


def _listed(names: list[str], most: int = 12) -> str:
    more = f", and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def load_torchvision(model, weights: Mapping[str, np.ndarray] | str | os.PathLike) -> list[str]:
    """Loads a torchvision or IBN-Net checkpoint into a backbone, exactly or not at all.

    Args:
        model: A backbone with ``torchvision_variables()``, e.g. `keras_reid.backbones.ResNet`.
        weights: {torchvision name: array}, or the path of a file that `read_tensors` reads.

    Returns:
        The names that were left over, sorted: ``fc.*``, ``*.num_batches_tracked``, and stages the model does not have.

    Raises:
        ValueError: A variable has no tensor, any other tensor no variable, or shapes differ; all of them are named.
        FileNotFoundError: There is no such file.

    Example:
        >>> from keras_reid.backbones import ResNet, load_torchvision
        >>> model = ResNet(depth="tiny", last_stage=3)
        >>> load_torchvision(model, {})  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        ValueError: The weights do not fit the model, nothing was loaded. Tensors 45 missing: bn1.bias, ...
    """
    tensors = weights if isinstance(weights, Mapping) else read_tensors(weights)
    variables = model.torchvision_variables()
    stages = {name.split(".")[0] for name in variables}
    absent = [rf"layer{stage}\..*" for stage in range(1, 5) if f"layer{stage}" not in stages]
    return assign_tensors(variables, tensors, (*_IGNORED, *absent))
