"""Opens Milvus: a folder beside you by Milvus Lite, or a server by its URI."""

import os
from pathlib import Path
from typing import Any

__all__ = ["Connection"]

# Within one process nobody has to ask whether the other is alive, and Milvus Lite's server complains of being asked.
_CALM = {"grpc.keepalive_time_ms": 2**31 - 1, "grpc.keepalive_permit_without_calls": False}


class Connection:
    """A client of Milvus, and what has to be given back when it closes.

    Args:
        uri: Path that ends in ``.db``, or ``http://host:port``.
        token: Token or ``user:password`` of a server.

    Raises:
        ImportError: pymilvus or Milvus Lite is not installed.
        ValueError: The URI is neither, or the folder is open already, or is something else.
        ConnectionError: The server does not answer.
    """

    folder: Path | None  # of Milvus Lite; None on a server
    client: Any

    def __init__(self, uri: str | os.PathLike, token: str | None = None):
        self.uri = os.fspath(uri)
        remote = "://" in self.uri
        self.folder = None if remote else Path(self.uri).absolute()
        if remote and not self.uri.startswith(("http://", "https://")):
            raise ValueError(
                f"`uri` must be a path that ends in .db, or the http:// or https:// address of a Milvus server. "
                f"Received: {self.uri!r}."
            )
        if self.folder is not None:
            _check(self.folder, self.uri)
        try:
            from pymilvus import MilvusClient, MilvusException
        except ImportError as error:
            raise _missing(error) from error
        address = self.uri if self.folder is None else str(self.folder)
        try:
            self.client = MilvusClient(uri=address, token=token or "", grpc_options=_CALM if self.folder else {})
        except MilvusException as error:
            raise ConnectionError(f"Milvus at {self.uri} does not answer: {error}") from error

    def close(self) -> None:
        """Closes the client; a folder is free for others then."""
        self.client.close()
        if self.folder is not None:
            from milvus_lite.server_manager import server_manager_instance

            server_manager_instance.release_server(str(self.folder))


def _check(folder: Path, uri: str) -> None:
    """Raises in words what Milvus Lite would write into a log only."""
    if folder.suffix != ".db":
        raise ValueError(f"`uri` must end in .db, or be the http:// address of a Milvus server. Received: {uri!r}.")
    if folder.is_file():
        raise ValueError(
            f"{uri} is a file. Milvus Lite from version 3 on keeps a folder; what an older one wrote is not read. "
            "Export it with that version, or give another path."
        )
    if not folder.parent.is_dir():
        raise ValueError(f"There is no folder {folder.parent} to keep {folder.name} in. Make it, or give another path.")
    try:
        from milvus_lite import MilvusLite
        from milvus_lite.exceptions import DataDirLockedError
    except ImportError as error:
        raise _missing(error) from error
    try:
        MilvusLite(str(folder)).close()
    except DataDirLockedError as error:
        raise ValueError(
            f"{uri} is open already, in this program or in another one. A folder is open once at a time; close it "
            "there (`gallery.close()`), or run a Milvus server, which takes many clients."
        ) from error


def _missing(error: ImportError) -> ImportError:
    return ImportError(
        f"A gallery needs pymilvus and Milvus Lite: pip install 'keras-reid[gallery]'. ({error})", name=error.name
    )
