"""Identity heads: what is kept of them when weights go to other identities."""

import tempfile
from pathlib import Path

from keras_reid.checks import check_positive_int, unknown_name

__all__ = ["check_head", "check_left_over", "unbuilt_layers", "with_head"]

_HEADS = ("keep", "drop", "new")


def check_head(head: str, num_classes: int | None) -> None:
    """Raises ``ValueError`` for an unknown ``head``, or one that contradicts ``num_classes``."""
    if head not in _HEADS:
        raise unknown_name("`head`", head, _HEADS)
    if head == "drop" and num_classes is not None:
        raise ValueError(
            f"`head='drop'` leaves no head for `num_classes={num_classes}`. Leave it out, or take `head='new'`."
        )
    if head == "new" and num_classes is None:
        raise ValueError("`head='new'` needs `num_classes`. With `head='drop'` the first `fit` makes a head.")
    if num_classes is not None:
        check_positive_int("num_classes", num_classes)


def with_head(model, head: str, num_classes: int | None, source: str):
    """Returns the model with the head that was asked for.

    Args:
        model: A `keras_reid.methods.ReIDModel` with the weights of ``source``, with or without a head.
        head: ``"keep"``, ``"drop"`` or ``"new"``; see `keras_reid.zoo.load`.
        num_classes: Number of identities, or ``None``.
        source: What the weights came from, for the message.

    Returns:
        The same model, or a copy of it.

    Raises:
        ValueError: A head to keep that is for another number of identities.
    """
    from keras_reid.methods import ReIDModel

    found = model.num_classes
    if head == "keep" and None not in (found, num_classes) and found != num_classes:
        raise ValueError(
            f"{source} has a head for {found} identities; `num_classes` is {num_classes}. Leave it out, or take "
            "`head='new'` for the body's weights and a new head, `head='drop'` for no head."
        )
    has_head = type(model).build_heads is not ReIDModel.build_heads
    if head != "keep":
        if has_head and found is not None:
            model = model.inference_model()  # without head, memory or bank
        model.num_classes = None
    if num_classes is not None and model.num_classes is None:
        model.num_classes = num_classes
        model.build_heads(num_classes)
    return model


def unbuilt_layers(model) -> list:
    """The layers of a model made without `num_classes` that wait for it: its head."""
    return [layer for layer in model._flatten_layers() if not layer.built]  # Keras has no public walk over all layers


def check_left_over(model, path: Path) -> None:
    """Raises ``ValueError`` if a ``.weights.h5`` file holds a head and the model was made without one.

    Keras loads such a file without a word: a layer that is not built has no variable that could be missing.

    Args:
        model: A model made without `num_classes`.
        path: The file.
    """
    with tempfile.TemporaryDirectory() as place:
        own = Path(place) / "own.weights.h5"
        model.save_weights(own)
        found, known = _shapes(path), _shapes(own)
    extra = [f"{name} {found[name]}" for name in sorted(set(found) - set(known)) if not name.startswith("optimizer/")]
    if extra:
        raise ValueError(
            f"{path} holds a head, and the model has none to keep it in: {', '.join(extra)}. Give the `num_classes` of "
            "the head, or `head='drop'`, or `head='new'` with another `num_classes`."
        )


def _shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """{name of a variable in the file: shape}."""
    import h5py

    shapes = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: shapes.update({name: item.shape} if isinstance(item, h5py.Dataset) else {}))
    return shapes
