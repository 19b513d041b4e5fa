"""TensorFlow wraps what goes wrong while a batch is made; here the sentence comes out again."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["clear_errors"]


@contextmanager
def clear_errors() -> Iterator[None]:
    """Raises the `ValueError` of an unreadable image as such, instead of TensorFlow's error around it.

    Raises:
        ValueError: The sentence of the pipeline's own error.

    Example:
        >>> from keras_reid.pipeline.errors import clear_errors
        >>> with clear_errors():
        ...     pass
    """
    try:
        yield
    except Exception as error:
        # TensorFlow's classes cannot be named without importing it.
        found = re.search(r": ValueError: (.*?)\n", f"{error}\n")
        if not type(error).__module__.startswith("tensorflow.") or not found:
            raise
        raise ValueError(found[1]) from error
