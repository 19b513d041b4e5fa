"""`keras-reid serve`: a page for one gallery."""

import os
import signal

from keras_reid.cli.common import add_command, check_gallery

__all__ = ["add"]

_AUTH = "KERAS_REID_SERVE_AUTH"


def add(commands) -> None:
    """Adds the command to the parser."""
    serve = add_command(commands, "serve", _serve, "a page to search a gallery in a browser, and to remove people")
    serve.add_argument("gallery", metavar="GALLERY", help="people.db, or http://host:19530 of a Milvus cluster")
    serve.add_argument("--model", required=True, help=".keras file, or the folder of a finished run")
    serve.add_argument("--name", default="people", help="name of the gallery (default: %(default)s)")
    serve.add_argument("--features", metavar="FOLDER", help="folder of a pairwise method's feature maps")
    serve.add_argument("--token", help="token or user:password of a cluster")
    serve.add_argument("--host", default="127.0.0.1", help=f"address to listen on; another needs {_AUTH}=user:password")
    serve.add_argument("--port", type=int, default=7860, help="port to listen on (default: %(default)s)")
    serve.add_argument("--max-upload-mb", type=float, default=5, help="size of an image file (default: %(default)s)")
    serve.add_argument("--top", type=int, default=10, help="matches that are shown (default: %(default)s)")


def _serve(options) -> int:
    from keras_reid.gallery import Gallery
    from keras_reid.methods.loading import load_model
    from keras_reid.serving import serve
    from keras_reid.serving.server import check_reachable

    auth = _password()
    check_reachable(options.host, auth)
    place = {"name": options.name, "features": options.features, "token": options.token}
    check_gallery(options)
    Gallery(options.gallery, **place).close()  # what is wrong with it is said before a model is loaded
    model = load_model(options.model)
    with Gallery(options.gallery, model, **place) as gallery:
        entries = len(gallery)
        # The gallery is closed and uploads are deleted however the page is stopped.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            serve(
                gallery,
                model,
                host=options.host,
                port=options.port,
                top=options.top,
                max_upload_mb=options.max_upload_mb,
                auth=auth,
                started=lambda address: print(f"{entries} entries at {address} (Ctrl-C stops)", flush=True),
            )
        except KeyboardInterrupt:
            print("Stopped.")
    return 0


def _password() -> tuple[str, str] | None:
    """User and password of the environment, which no list of processes shows."""
    given = os.environ.get(_AUTH)
    if given is None:
        return None
    user, _, password = given.partition(":")
    if not user or not password:
        raise ValueError(f"{_AUTH} must be user:password, neither of them empty.")
    return user, password
