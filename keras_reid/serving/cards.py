"""Matches as HTML. Whatever the gallery holds is text here, and nothing of it becomes a tag, a script or an address."""

from html import escape
from typing import TYPE_CHECKING

from keras_reid.serving.pictures import picture_uri, thumbnail_uri

if TYPE_CHECKING:
    from keras_reid.gallery import Match
    from keras_reid.serving.desk import Found

__all__ = ["ANSWERS", "CLICK", "STYLE", "cards", "crop", "picture", "said"]

_LONGEST = 300
# The page's script language has templates of its own; braces and the like are written so that it sees none.
_TEMPLATES = str.maketrans({"{": "&#123;", "}": "&#125;", "$": "&#36;", "`": "&#96;", "\\": "&#92;"})

ANSWERS = "reid-answers"  # where what a click asked for appears

# Which button of which card: the number is all that a click sends.
CLICK = """element.addEventListener('click', event => {
  const button = event.target.closest('button[data-number]');
  if (!button) return;
  trigger(button.dataset.action, {number: button.dataset.number});
  document.getElementById('ANSWERS').scrollIntoView({behavior: 'smooth'});
});""".replace("ANSWERS", ANSWERS)

STYLE = """
.reid-cards {display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 12px;}
.reid-card {border: 1px solid var(--border-color-primary); border-radius: 8px; padding: 10px; min-width: 0;
  background: var(--background-fill-primary);}
.reid-card img, .reid-gone, .reid-crop img {width: 80px; height: 160px; display: block; margin: 0 auto 8px;
  border-radius: 4px;}
.reid-gone {border: 1px dashed var(--border-color-primary); font-size: 12px; padding: 56px 6px 0; text-align: center;
  color: var(--body-text-color-subdued);}
.reid-card dl {display: grid; grid-template-columns: auto 1fr; gap: 0 8px; margin: 4px 0 8px; font-size: 13px;}
.reid-card dt {color: var(--body-text-color-subdued);}
.reid-card dd {margin: 0; overflow-wrap: anywhere; unicode-bidi: isolate;}
.reid-card button {display: block; width: 100%; padding: 5px 2px; margin-top: 5px; border-radius: 6px; font-size: 12px;
  font-weight: 500; cursor: pointer; border: 1px solid var(--border-color-primary); color: var(--body-text-color);
  background: var(--background-fill-secondary);}
.reid-card button:hover, .reid-card button:focus-visible {border-color: var(--color-accent);}
.reid-wide img {display: block; max-width: 100%; max-height: 520px; margin: 8px auto; border-radius: 6px;}
.reid-said {border-left: 4px solid var(--color-accent); padding: 8px 12px; overflow-wrap: anywhere;}
.reid-said.wrong {border-color: #c0392b;}
"""


def _text(value: object) -> str:
    """The value as text of a page: escaped, cut where it is very long, without what steers or reorders a line."""
    written = str(value)
    written = written if len(written) <= _LONGEST else written[: _LONGEST - 1] + "…"
    shown = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in written)
    return escape(shown, quote=True).translate(_TEMPLATES)


def said(sentence: str, wrong: bool = False) -> str:
    """Returns a sentence as a box of the page.

    Args:
        sentence: What is said; it may hold what somebody typed.
        wrong: Whether it refuses something.

    Returns:
        HTML; none of an empty sentence.

    Example:
        >>> from keras_reid.serving.cards import said
        >>> said("<b>", wrong=True)
        '<p class="reid-said wrong" role="alert">&lt;b&gt;</p>'
    """
    if not sentence:
        return ""
    return f'<p class="reid-said{" wrong" * wrong}" role="{"alert" if wrong else "status"}">{_text(sentence)}</p>'


def picture(address: str, text: str, kind: str = "reid-wide") -> str:
    """Returns one picture.

    Args:
        address: What `keras_reid.serving.pictures` or a figure made: an address that holds the picture.
        text: What it shows, for those who do not see it.
        kind: Its class.

    Returns:
        HTML.

    Example:
        >>> from keras_reid.serving.cards import picture
        >>> picture("data:image/png;base64,UE5H", "a crop")
        '<div class="reid-wide"><img src="data:image/png;base64,UE5H" alt="a crop"></div>'
    """
    return f'<div class="{kind}"><img src="{_text_of_address(address)}" alt="{_text(text)}"></div>'


def cards(found: "Found", places: bool = True) -> str:
    """Returns the crop's matches, best first, each with its score, camera, time, and what else is known.

    Args:
        found: What a search returned.
        places: Whether the model compares place by place: then each match has a button for its correspondences.

    Returns:
        HTML.
    """
    if not found.matches:
        return said("Nobody was found: no entry fulfils this.")
    made = "".join(_card(number, match, places) for number, match in enumerate(found.matches, start=1))
    return f'<div class="reid-cards">{made}</div>'


def crop(found: "Found") -> str:
    """Returns the crop that was looked for.

    Args:
        found: What a search returned.

    Returns:
        HTML.
    """
    return picture(picture_uri(found.crop), "The crop that is looked for", "reid-crop")


def _card(number: int, match: "Match", places: bool) -> str:
    address = thumbnail_uri(match.path)
    if address is not None:
        image = f'<img src="{_text_of_address(address)}" alt="Match {number}">'
    else:
        image = f'<div class="reid-gone">{"no image file" if match.path is None else "the image file is gone"}</div>'
    known = {
        "score": f"{match.score:.4f}",
        "camera": "unknown" if match.camera is None else match.camera,
        "time": "unknown" if match.time is None else f"{match.time:g} s",
        "person": "unknown" if match.person is None else match.person,
        "key": match.key,
        **({"images": match.images} if match.images > 1 else {}),
        **{name: value for name, value in match.fields.items() if value is not None},
    }
    rows = "".join(f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>" for name, value in known.items())
    labels = {**({"select": "Correspondences"} if places else {}), "delete": "Remove this person…"}
    buttons = "".join(
        f'<button type="button" data-action="{action}" data-number="{number}">{label}</button>'
        for action, label in labels.items()
    )
    return f'<article class="reid-card"><strong>{number}</strong>{image}<dl>{rows}</dl>{buttons}</article>'


def _text_of_address(address: str) -> str:
    return escape(address, quote=True)
