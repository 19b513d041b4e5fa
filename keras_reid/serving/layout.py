"""What is where on the page, and which button does what."""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Any

from keras_reid.serving.cards import ANSWERS, CLICK, cards, crop, picture, said
from keras_reid.serving.desk import Desk, Found, Removal

__all__ = ["Handlers", "blocks_of", "events_of"]

_FORGOTTEN_AFTER = 3600.0  # seconds that the search of a closed page is remembered
_UNDER_WAY = 60.0  # seconds within which a file may be somebody's upload that is still being written
_LOG = logging.getLogger(__name__)
_SUGGESTION = (
    "The best match comes first, also when the person is not in the gallery. A match is a suggestion: somebody has to "
    "look, and to decide."
)

Answer = dict[str, Any]


def blocks_of(desk: Desk, uploads: Path) -> Any:
    """Lays the page out.

    Args:
        desk: What the buttons ask.
        uploads: The folder that uploads lie in.

    Returns:
        A ``gradio.Blocks``, not yet served.
    """
    import gradio

    do = Handlers(desk, uploads)
    with gradio.Blocks(title="Gallery", analytics_enabled=False, delete_cache=(60, 600)) as blocks:
        found = gradio.State(None, time_to_live=_FORGOTTEN_AFTER)
        pending = gradio.State(None, time_to_live=_FORGOTTEN_AFTER)
        gradio.HTML(f"<h1>Who is most like this crop?</h1><p>{_SUGGESTION}</p>")
        with gradio.Row():
            with gradio.Column(scale=1, min_width=260):
                upload = gradio.File(label="Drop a crop of one person", height=140)
                shown = gradio.HTML()
                camera = gradio.Textbox(label="Camera of the crop, if known", max_length=20)
                others = gradio.Checkbox(label="Other cameras only")
                again = gradio.Button("Search again")
            with gradio.Column(scale=4, min_width=320, elem_id=ANSWERS):
                message = gradio.HTML()
                with gradio.Group(visible=False) as question:
                    compact = gradio.Checkbox(label="Also take it off the disk now (takes long for a large gallery)")
                    with gradio.Row():
                        confirm = gradio.Button("Remove for good", variant="stop")
                        cancel = gradio.Button("Keep")
                pair = gradio.HTML()
                matches = gradio.HTML(js_on_load=CLICK)
        outputs = {
            "message": message, "found": found, "crop": shown, "matches": matches, "pair": pair, "pending": pending,
            "question": question, "upload": upload,
        }  # fmt: skip

        def written(answer: Answer) -> dict[Any, Any]:
            if "question" in answer:
                answer = {**answer, "question": gradio.update(visible=answer["question"])}
            return {outputs[name]: value for name, value in answer.items()}

        def listen(event: Any, handler: Callable[..., Answer], inputs: list[Any]) -> None:
            event(lambda *given: written(handler(*given)), inputs, list(outputs.values()), api_visibility="private")

        def listen_to_cards(event: Any, handler: Callable[[Found | None, Any], Answer]) -> None:
            def clicked(searched: Found | None, sent: gradio.EventData) -> dict[Any, Any]:
                return written(handler(searched, _number(sent._data)))

            event(clicked, [found], list(outputs.values()), api_visibility="private")

        listen(upload.upload, do.look, [upload, camera, others])
        listen(again.click, do.again, [found, camera, others])
        listen_to_cards(matches.select, do.open)
        listen_to_cards(matches.delete, do.ask)
        listen(confirm.click, do.remove, [found, pending, compact])
        listen(cancel.click, do.keep, [])
    return blocks.queue(max_size=32)


def events_of(blocks: Any) -> dict[int, tuple[type, ...]]:
    """Says what the page's events carry, for the guard.

    Args:
        blocks: What `blocks_of` returned.

    Returns:
        Number of the event -> types of its values.
    """
    kinds = {"file": dict, "textbox": str, "checkbox": bool}  # a state stays on the server, and nothing of it is sent
    return {
        number: tuple(kinds.get(part.get_block_name(), type(None)) for part in event.inputs)
        for number, event in blocks.fns.items()
    }


def _in_sentences(handler: Callable[..., Answer]) -> Callable[..., Answer]:
    """What the desk refuses becomes a sentence of the page."""

    @wraps(handler)
    def answered(*given: Any) -> Answer:
        try:
            return handler(*given)
        except (ValueError, TypeError) as error:
            return {"message": said(str(error), wrong=True), "upload": None}
        except OSError as error:  # Milvus does not answer, the disk is full: what it says is not the visitor's
            _LOG.error("%s", error)
            return {"message": said("The gallery does not answer. Its keeper finds the reason in the log.", wrong=True)}

    return answered


class Handlers:
    """What happens on each event. An answer names the parts of the page that change.

    Args:
        desk: What is asked.
        uploads: The folder that uploads lie in.
    """

    def __init__(self, desk: Desk, uploads: Path):
        self._desk, self._uploads = desk, uploads

    @_in_sentences
    def look(self, upload: str | None, camera: str, others: bool) -> Answer:
        """Searches for what was dropped, and deletes the file."""
        if upload is None:
            return {"upload": None}
        return self._answer(self._desk.search(self._desk.read(self._taken(Path(upload))), camera, others))

    @_in_sentences
    def again(self, found: Found | None, camera: str, others: bool) -> Answer:
        """Searches for the same crop under other options."""
        if found is None:
            raise ValueError("Drop a crop first.")
        return self._answer(self._desk.search(found.crop, camera, others))

    @_in_sentences
    def open(self, found: Found | None, number: Any) -> Answer:
        """Shows the correspondences of a match."""
        drawn = self._desk.correspondences(_searched(found), number)
        return {"pair": picture(drawn, f"Correspondences of match {number}"), "message": "", **_NO_QUESTION}

    @_in_sentences
    def ask(self, found: Found | None, number: Any) -> Answer:
        """Says what a removal would remove."""
        removal = self._desk.removal(_searched(found), number)
        return {
            "message": said(f"Match {number}: {removal}", wrong=True), "pending": removal, "pair": "",
            "question": True,
        }  # fmt: skip

    @_in_sentences
    def remove(self, found: Found | None, pending: Removal | None, compact: bool) -> Answer:
        """Removes what was asked for and confirmed."""
        if pending is None:
            raise ValueError("Choose first whom to remove.")
        left, sentence = self._desk.remove(_searched(found), pending, compact is True)
        return {**self._answer(left), "message": said(sentence)}

    def keep(self) -> Answer:
        """Removes nothing."""
        return {"message": said("Nothing was removed."), **_NO_QUESTION}

    def _answer(self, found: Found) -> Answer:
        shown = cards(found, self._desk.compares_places)
        return {
            "found": found, "crop": crop(found), "matches": shown, "message": "", "pair": "", "upload": None,
            **_NO_QUESTION,
        }  # fmt: skip

    def _taken(self, upload: Path) -> bytes:
        """The bytes of an upload, whose file is deleted."""
        try:
            content = upload.read_bytes()
            upload.unlink()
        except FileNotFoundError as error:
            raise ValueError("The image is not there any more. Drop it again.") from error
        if upload.parent != self._uploads:  # a folder that is called like the image's checksum
            with suppress(OSError):  # somebody drops the same image now
                upload.parent.rmdir()
        for left in self._uploads.iterdir():  # Gradio forgets an empty file per upload, and what was too large
            with suppress(FileNotFoundError):
                if left.is_file() and time.time() - left.stat().st_mtime > _UNDER_WAY:
                    left.unlink()
        return content


_NO_QUESTION: Answer = {"pending": None, "question": False}


def _searched(found: Found | None) -> Found:
    if found is None:
        raise ValueError("This search is too old. Drop the crop again.")
    return found


def _number(sent: Any) -> Any:
    """The number that a click sent; whether there is such a match is for the desk to say."""
    return sent.get("number") if isinstance(sent, dict) else sent
