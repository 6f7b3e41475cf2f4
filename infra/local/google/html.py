"""The frame of every page, and the few pieces pages are made of. Plain HTML, no script."""

from collections.abc import Iterable
from html import escape
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem 1.25rem 4rem; }
header { align-items: baseline; border-bottom: 1px solid #8886; display: flex; gap: 1rem; margin-bottom: 1rem; }
header strong { letter-spacing: .01em; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin: 1.5rem 0 .5rem; }
a { color: #1a66d0; } @media (prefers-color-scheme: dark) { a { color: #8ab8ff; } }
form { margin: 0; } fieldset { border: 1px solid #8886; border-radius: .5rem; margin: 1rem 0; padding: .75rem 1rem; }
label { display: inline-flex; flex-direction: column; font-size: .9rem; margin: .25rem .75rem .25rem 0; }
label.check { align-items: center; display: flex; flex-direction: row; gap: .5rem; }
input, select, button { border: 1px solid #888; border-radius: .35rem; font: inherit; padding: .35rem .5rem; }
button { background: #1a66d0; border-color: #1a66d0; color: #fff; cursor: pointer; }
button.quiet { background: transparent; border-color: #888; color: inherit; }
:focus-visible { outline: 3px solid #f5a623; outline-offset: 2px; }
article { border-left: .25rem solid #1a66d0; margin: .5rem 0; padding: .1rem .75rem; }
article.free { border-left-color: #8888; } .muted { opacity: .75; } .problem { color: #c5221f; }
.row { align-items: end; display: flex; flex-wrap: wrap; gap: .25rem; }
"""


def page(title: str, body: str, *, status: int = 200) -> HTMLResponse:
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>"
        '<header><strong>Local Google stand-in</strong> <a href="/">People and calendars</a></header>'
        f"<main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )
    return HTMLResponse(text, status_code=status, headers={"Cache-Control": "no-store", "X-Frame-Options": "DENY"})


def hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'


def field(label: str, name: str, *, kind: str = "text", value: str = "", extra: str = "") -> str:
    """A labelled input."""
    return f'<label>{escape(label)} <input type="{kind}" name="{escape(name)}" value="{escape(value)}" {extra}></label>'


def checkbox(label: str, name: str, value: str, *, checked: bool = False) -> str:
    mark = " checked" if checked else ""
    return (
        f'<label class="check"><input type="checkbox" name="{escape(name)}" value="{escape(value)}"{mark}> '
        f"{escape(label)}</label>"
    )


def problem(text: str) -> str:
    return f'<p class="problem" role="alert">{escape(text)}</p>' if text else ""


def items(lines: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{line}</li>" for line in lines) + "</ul>"


class Form:
    """The fields of a posted form (application/x-www-form-urlencoded)."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._pairs = pairs

    def get(self, name: str, default: str = "") -> str:
        return next((value for key, value in self._pairs if key == name), default)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self._pairs if key == name]


async def read_form(request: Request) -> Form:
    text = (await request.body()).decode("utf-8", "replace")
    return Form(parse_qsl(text, keep_blank_values=True))
