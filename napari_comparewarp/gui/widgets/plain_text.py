"""Text of files in labels and tooltips, which Qt would take for HTML where it looks like it."""

from html import escape

__all__ = ["as_plain", "elided", "without_tags"]


def as_plain(text: str) -> str:
    """Return a text so that a tooltip or a message box shows it letter by letter.

    Parameters
    ----------
    text : str
        Ids, names of files and whatever else is not of this program.
    """
    if "<" not in text and "&" not in text:
        return text
    return f'<p style="white-space: pre-wrap">{escape(text)}</p>'


def without_tags(text: str) -> str:
    """Return a text that napari's own labels, whose format is not ours to set, show as it is.

    Parameters
    ----------
    text : str
        An unseen letter after each ``<`` keeps it from being the start of a tag.
    """
    return text.replace("<", "<\u200b")


def elided(text: str, most: int = 24) -> str:
    """Return a text that takes no more room than `most` letters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
