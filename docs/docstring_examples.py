"""mkdocstrings extension: the section `Example:`, Keras's name for it, is read as griffe's `Examples:`."""

import re

import griffe


class ExampleSections(griffe.Extension):
    """Renames the section, so that `>>>` lines are shown as code."""

    def on_object(self, *, obj: griffe.Object, **kwargs) -> None:
        """Is called once for each class, function and module."""
        if obj.docstring is not None:
            obj.docstring.value = re.sub(r"^Example:$", "Examples:", obj.docstring.value, flags=re.MULTILINE)
