"""Identity heads: what is kept of them when weights go to other identities."""

from keras_reid.checks import check_positive_int, unknown_name

__all__ = ["check_head", "unbuilt_layers", "with_head"]

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
