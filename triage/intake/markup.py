"""HTML of a mail becomes the text that a reader of it would see."""

from __future__ import annotations

import re
from html import unescape
from typing import Final

from inscriptis import get_text
from inscriptis.css_profiles import RELAXED_CSS_PROFILE
from inscriptis.html_properties import Display
from inscriptis.model.config import ParserConfig
from inscriptis.model.html_element import HtmlElement

HTML_CHARS: Final = 2_000_000
"""Characters of HTML that are rendered; a mail with more is a mistake or an attack."""

_UNSHOWN: Final = ("head", "style", "script", "title", "template", "noscript")
_BLOCKS: Final = (
    "section", "center", "form", "fieldset", "legend", "dl", "dt", "dd", "details", "summary",
    "option", "caption", "button",
)  # fmt: skip
_CONFIG: Final = ParserConfig(
    css=RELAXED_CSS_PROFILE
    | {name: HtmlElement(display=Display.none) for name in _UNSHOWN}
    | {name: HtmlElement(display=Display.block) for name in _BLOCKS},
    display_images=False,
    display_links=False,
)
# The renderer puts a table right behind the words before it, and ignores rules.
_UNBROKEN: Final = re.compile(
    r"(?:(?<=[^>\s])|(?<=</[abiu]>)|(?<=</span>)|(?<=</font>)|(?<=</strong>))\s*(?=<table\b)|<hr\b[^<>]*>",
    re.IGNORECASE,
)
_STYLE: Final = re.compile(r"style\s*=\s*(\"[^\"]*\"|'[^']*')", re.IGNORECASE)
_HIDING: Final = re.compile(
    r"mso-hide\s*:\s*all|max-height\s*:\s*0|opacity\s*:\s*0(?![.\d])|visibility\s*:\s*hidden"
    r"|font-size\s*:\s*[01](?:px|pt)?\s*(?:;|!|[\"'])",
    re.IGNORECASE,
)
_INVISIBLE: Final = re.compile(
    r"<(script|style|head)\b.*?(?:</\1\s*>|\Z)|<!--.*?-->", re.IGNORECASE | re.DOTALL
)
_TAG: Final = re.compile(r"<[^<>]*>")
_BREAK: Final = re.compile(r"<(?:br|/?p|/?div|/?tr|/?li|/?h[1-6]|/?table)\b[^<>]*>", re.IGNORECASE)
_GAP: Final = re.compile(r"(?<=\S) {3,}")


def html_text(html: str) -> str:
    """The visible text of an HTML document, one line a block or table row.

    Hidden preview texts, scripts and styles are left out. HTML that cannot be rendered still gives
    its text, without the layout.
    """
    html = html[:HTML_CHARS].replace("\0", "")
    if not html.strip():
        return ""
    text = _rendered(_UNBROKEN.sub("<br>", _STYLE.sub(_hide, html)))
    whole = _stripped(html)
    if len(whole.split()) > 2 * len(text.split()):
        text = whole  # the parser gives up below 256 levels; or nearly all was marked as hidden
    lines = (_GAP.sub("  ", line.replace("\xa0", " ").strip()) for line in text.split("\n"))
    return "\n".join(lines).strip("\n")


def _hide(style: re.Match[str]) -> str:
    """Preview texts are hidden in several ways at once; any one alone is also used for layout."""
    return 'style="display:none"' if len(_HIDING.findall(style.group(1))) > 1 else style.group()


def _rendered(html: str) -> str:
    try:
        return str(get_text(html, _CONFIG))
    except Exception:  # noqa: BLE001 - whatever the renderer trips over, the text is not lost
        return _stripped(html)


def _stripped(html: str) -> str:
    visible = _BREAK.sub("\n", _INVISIBLE.sub(" ", html))
    return unescape(_TAG.sub(" ", visible))
