"""The page as an application: its folder for uploads, Gradio's switches, and the guard before it."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

from keras_reid.serving.cards import STYLE
from keras_reid.serving.desk import Desk
from keras_reid.serving.guard import Guard

if TYPE_CHECKING:
    from keras_reid.gallery import Gallery

__all__ = ["page"]


@contextmanager
def page(
    gallery: "Gallery", model: Any, *, top: int = 10, max_upload_mb: float = 5, auth: tuple[str, str] | None = None
) -> Iterator[Any]:
    """Makes the page of a gallery, as an ASGI application, to run under a server of your own.

    Within the ``with`` block the folder for uploads exists. It is a temporary one of its own, and an upload is deleted
    once it was read.

    Args:
        gallery: An open gallery.
        model: The model that it was opened with.
        top: How many matches are shown.
        max_upload_mb: Size of an image file, in MB of 2^20 bytes.
        auth: User and password that the page asks for. Without it, it answers to this computer's own names only.

    Yields:
        The application: a ``fastapi.FastAPI``.

    Raises:
        ImportError: Gradio is not installed.
        ValueError: A number is not positive.

    Example:
        >>> import uvicorn  # doctest: +SKIP
        >>> from keras_reid.serving import page
        >>> with Gallery("people.db", model) as gallery, page(gallery, model) as app:  # doctest: +SKIP
        ...     uvicorn.run(app, host="127.0.0.1", port=7860)
    """
    if not max_upload_mb > 0:
        raise ValueError(f"`max_upload_mb` must be positive. Received: {max_upload_mb!r}.")
    desk = Desk(gallery, model, top)
    with tempfile.TemporaryDirectory(prefix="keras_reid_serve_") as folder:
        # Gradio takes the folder from the environment only, and asks for it at every upload.
        with mock.patch.dict(os.environ, {"GRADIO_TEMP_DIR": folder, "GRADIO_ANALYTICS_ENABLED": "False"}):
            try:
                yield _application(desk, Path(folder), int(max_upload_mb * 2**20), auth)
            finally:
                desk.close()  # a removal that is under way goes through before the gallery is closed


def _application(desk: Desk, uploads: Path, most_bytes: int, auth: tuple[str, str] | None) -> Any:
    try:
        import gradio
        from fastapi import FastAPI
    except ImportError as error:
        raise ImportError(
            f"The page needs Gradio: pip install 'keras-reid[serve]'. ({error})", name=error.name
        ) from error
    from keras_reid.serving.layout import blocks_of, events_of

    own = [gradio.themes.Font(name) for name in ("system-ui", "sans-serif")]  # no font is fetched from anywhere
    blocks = blocks_of(desk, uploads)
    app = gradio.mount_gradio_app(
        FastAPI(docs_url=None, redoc_url=None, openapi_url=None),
        blocks,
        path="/",
        auth=auth,
        max_file_size=most_bytes,
        show_error=False,
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        css=STYLE,
        theme=gradio.themes.Default(font=own, font_mono=own),
    )
    # Gradio looks where a file lies that an event names only if it believes that `launch` started the page.
    blocks.has_launched = True
    app.add_middleware(
        Guard, uploads=uploads, most_bytes=most_bytes, events=events_of(blocks), any_host=auth is not None
    )
    return app
