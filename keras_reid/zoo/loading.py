"""`load`: an entry with weights from wherever they are, compiled."""

import os
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from keras_reid.zoo.cards import CARD, Card, card, card_file, recipe
from keras_reid.zoo.checkpoints import SUFFIXES, from_authors, kind_of
from keras_reid.zoo.files import HUB, existing, hub, hub_file, is_hub_repository, published
from keras_reid.zoo.heads import check_head, check_left_over, unbuilt_layers, with_head
from keras_reid.zoo.probe import check_probe, check_probe_files

__all__ = ["load"]

Weights = str | os.PathLike | Sequence[str | os.PathLike] | None


def load(
    name: str | os.PathLike, num_classes: int | None = None, weights: Weights = None, head: str = "keep", **overrides
):
    """Builds a zoo entry, compiled with its recipe's optimiser.

    Nothing that is loaded can run code: torch files are read as tensors alone, Keras files in Keras's safe mode.

    Args:
        name: One of `list()`, or a folder that `save` wrote. Of a folder, checksums are compared, and the embedding of
            its probe image.
        num_classes: Number of training identities; ``None`` lets the first ``fit`` say it.
        weights: One of

            - ``None``: random weights; the folder's own, if ``name`` is a folder;
            - ``"imagenet"``: an ImageNet backbone, downloaded once;
            - ``"published"``: those that the card names;
            - the path of a ``.keras`` or ``.weights.h5`` file of this entry;
            - the path of a ``.safetensors`` or torch file (``.pth``, ``.pt``, ``.tar``): a backbone with torchvision's
              names, or the checkpoint of QAConv's authors; for DG-Net several, ``[gen_*.pt, id_*.pt]``;
            - ``"hf://user/repository"``, a model that Keras saved there, or ``"hf://user/repository/file"``, one of the
              files above.
        head: What becomes of the identity head (or class memory) of a whole model's weights: ``"keep"``: it must be
            for ``num_classes``, if that is given; ``"drop"``: the model has none, the first ``fit`` makes one;
            ``"new"``: a new one for ``num_classes``.
        **overrides: Constructor arguments that replace the card's.

    Returns:
        A `keras_reid.methods.ReIDModel`.

    Raises:
        ValueError: Unknown name, weights that do not exist or do not fit, a file that is not what its card says.
        ImportError: A torch file without torch, a handle of the hub without huggingface_hub.

    Example:
        >>> import keras_reid
        >>> model = keras_reid.zoo.load("baseline_tiny", num_classes=10)
        >>> model.num_classes
        10
    """
    check_head(head, num_classes)
    entry, place = card(name), card_file(name)
    folder, saved = place.parent, place.name == CARD
    own = weights == "published" or (saved and weights is None)
    if own:
        if saved:
            check_probe_files(entry, folder)
        weights = published(entry, folder)
    model = _with_weights(entry, num_classes, weights, head, overrides)
    if own and saved:
        check_probe(model, entry, folder)
    if not model.compiled:
        model.compile(recipe(name).make_optimizer())
    return model


def _with_weights(entry: Card, num_classes: int | None, weights: Any, head: str, overrides: Mapping[str, Any]):
    if weights is None:
        return _built(entry, num_classes, overrides)
    if weights == "imagenet":
        from keras_reid.backbones import load_torchvision, pretrained

        model = _built(entry, num_classes, overrides)
        backbone = _backbone(model)
        load_torchvision(backbone, pretrained(backbone.depth, backbone.ibn))
        return model
    if is_hub_repository(weights):
        return with_head(_whole(entry, weights, overrides), head, num_classes, weights)
    paths = [_local(one) for one in (weights if isinstance(weights, list | tuple) else [weights])]
    path = paths[0]
    if all(one.suffix in SUFFIXES for one in paths):
        return _from_tensors(entry, num_classes, paths, head, overrides)
    if len(paths) == 1 and path.suffix == ".keras":
        return with_head(_whole(entry, path, overrides), head, num_classes, str(path))
    if len(paths) == 1 and path.name.endswith(".weights.h5"):
        return _from_weights_file(entry, num_classes, path, head, overrides)
    raise ValueError(
        "`weights` must be None, 'imagenet', 'published', or a .keras, .weights.h5, .safetensors or torch file (.pth, "
        f".pt, .tar); several only for DG-Net. Received: {weights!r}."
    )


def _built(entry: Card, num_classes: int | None, overrides: Mapping[str, Any]):
    method = getattr(import_module("keras_reid.methods"), entry.method)
    return method(**{**entry.constructor, "num_classes": num_classes, **overrides})


def _backbone(model):
    if not hasattr(model, "backbone"):
        raise ValueError(f"{type(model).__name__} has no backbone to give ImageNet's or torchvision's weights to.")
    return model.backbone


def _local(weights: str | os.PathLike) -> Path:
    return hub_file(str(weights)) if str(weights).startswith(HUB) else existing(Path(weights))


def _whole(entry: Card, source: str | Path, overrides: Mapping[str, Any]):
    """A model that was saved with its configuration, if it is the entry's."""
    from keras_reid.methods.loading import load_model

    if overrides:
        raise ValueError(f"A saved model brings its own constructor arguments. Leave out {sorted(overrides)}.")
    if is_hub_repository(source):
        import keras

        hub()  # a sentence on what to install
        model = keras.saving.load_model(source)
    else:
        model = load_model(source)
    config = model.get_config()
    other = {key: config.get(key) for key, value in entry.constructor.items() if not _equal(config.get(key), value)}
    if type(model).__name__ != entry.method or other:
        raise ValueError(
            f"{source} holds a {type(model).__name__} and not the zoo entry {entry.name!r}; it differs in {other}. "
            "keras_reid.load_model loads it as it is."
        )
    return model


def _from_weights_file(entry: Card, num_classes: int | None, path: Path, head: str, overrides: Mapping[str, Any]):
    keep = head == "keep"
    model = _built(entry, num_classes if keep else None, overrides)
    try:
        model.load_weights(path, objects_to_skip=[] if keep else unbuilt_layers(model))
    except ValueError as error:
        raise ValueError(
            f"The weights in {path} do not fit {type(model).__name__} with num_classes={model.num_classes}. Give the "
            "`num_classes` and constructor arguments they were trained with, or `head='new'` or `head='drop'` for "
            f"other identities. Keras says: {error}"
        ) from error
    if keep and num_classes is None:
        check_left_over(model, path)
    return with_head(model, head, num_classes, str(path))


def _from_tensors(entry: Card, num_classes: int | None, paths: Sequence[Path], head: str, overrides):
    from keras_reid.backbones import load_torchvision, read_tensors

    files = [read_tensors(path) for path in paths]
    try:
        kinds = {kind_of(tensors) for tensors in files}
    except ValueError as error:
        raise ValueError(f"The weights {[str(path) for path in paths]} are of no known kind. {error}") from error
    if kinds == {"torchvision"} and len(files) == 1:
        model = _built(entry, num_classes, overrides)
        load_torchvision(_backbone(model), files[0])
        return model
    if len(kinds) > 1 or (len(files) > 1 and kinds != {"DGNet"}):
        raise ValueError(
            f"Several files are for DG-Net alone, whose networks lie in files of their own. Received: {sorted(kinds)}."
        )
    model = from_authors(entry, kinds.pop(), paths, files, head, overrides)
    return with_head(model, head, num_classes, str(paths[0]))


def _equal(one, other) -> bool:
    """Whether two arguments are the same; cards have lists where models have tuples."""
    return tuple(one) == tuple(other) if isinstance(one, tuple | list) else one == other
