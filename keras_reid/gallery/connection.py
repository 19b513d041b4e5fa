"""Opens Milvus: a folder beside you by Milvus Lite, or a server by its URI."""

import importlib
import logging.config
import os
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

__all__ = ["Connection", "imported"]

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
        pymilvus = imported("pymilvus")
        address = self.uri if self.folder is None else str(self.folder)
        try:
            self.client = self.in_words(
                pymilvus.MilvusClient(uri=address, token=token or "", grpc_options=_CALM if self.folder else {})
            )
        except pymilvus.MilvusException as error:
            raise ConnectionError(f"Milvus at {self.uri} does not answer: {error}") from error

    def in_words(self, part: Any) -> Any:
        """Returns a part of pymilvus whose errors are sentences.

        Args:
            part: The client, or an iterator that it returned.

        Returns:
            What has the same methods; they raise ``ConnectionError`` where Milvus refuses or does not answer.
        """
        return _InWords(part, self.uri)

    def close(self) -> None:
        """Closes the client; a folder is free for others then."""
        self.client.close()
        if self.folder is not None:
            from milvus_lite.server_manager import server_manager_instance

            server_manager_instance.release_server(str(self.folder))


class _InWords:
    """Passes everything on to a part of pymilvus, and puts what its methods raise into words."""

    def __init__(self, part: Any, uri: str):
        self._part, self._uri = part, uri

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._part, name)
        if not callable(method):
            return method

        def call(*values: Any, **named: Any) -> Any:
            # Which errors are retried and wrapped depends on their code: some arrive as gRPC's own.
            from grpc import RpcError
            from pymilvus import MilvusException

            try:
                return method(*values, **named)
            except (MilvusException, RpcError) as error:
                raise ConnectionError(f"Milvus at {self._uri} failed in `{name}`: {error}") from error

        return call


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
    lite = imported("milvus_lite")
    try:
        lite.MilvusLite(str(folder)).close()
    except imported("milvus_lite.exceptions").DataDirLockedError as error:
        raise ValueError(
            f"{uri} is open already, in this program or in another one. A folder is open once at a time; close it "
            "there (`gallery.close()`), or run a Milvus server, which takes many clients."
        ) from error


def imported(name: str) -> ModuleType:
    """Imports a part of Milvus; what the program logs and where is left alone.

    pymilvus configures logging while it is imported, which closes every handler there is (pymilvus issue 3794).

    Args:
        name: Name of a module of pymilvus or Milvus Lite.

    Raises:
        ImportError: It is not installed.

    Example:
        >>> from keras_reid.gallery.connection import imported
        >>> imported("pymilvus").MilvusClient.__name__
        'MilvusClient'
    """
    try:
        with mock.patch.object(logging.config, "dictConfig"):
            return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            f"A gallery needs pymilvus and Milvus Lite: pip install 'keras-reid[gallery]'. ({error})", name=error.name
        ) from error
