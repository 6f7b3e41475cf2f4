"""Pages of our own, as HTML: the frame, and what browsers are told about them.

What goes into a page goes through `Markup`, which escapes whatever is not marked up itself. A script or style is allowed by its hash, so that nothing else
can run there, whoever wrote it into the page.
"""

from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from urllib.parse import urlsplit

from flask import Response
from markupsafe import Markup

_STYLE = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 40rem; padding: 1rem 1.25rem 4rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
form { margin: 1rem 0; } label { display: block; margin: .75rem 0; }
label.check { display: inline-block; margin: 0 1rem .25rem 0; }
fieldset { border: 1px solid #8888; border-radius: .5rem; margin: 1rem 0; }
input, select { border: 1px solid #767676; border-radius: .35rem; box-sizing: border-box; font: inherit; padding: .4rem .5rem; }
label:not(.check) > input:not([type=time], [type=number]), select { display: block; width: 100%; }
button, a.button { background: #0b57d0; border: 1px solid #0b57d0; border-radius: .35rem; color: #fff; display: inline-block; font: inherit;
  padding: .45rem .9rem; text-decoration: none; }
button.quiet { background: transparent; border-color: #767676; color: inherit; }
:focus-visible { outline: 3px solid #c76b00; outline-offset: 2px; }
.problem { border-left: .25rem solid #c5221f; padding-left: .75rem; }
"""


def page(title: str, body: Markup, *, status: int = 200, script: str = "", leads_to: Iterable[str] = ()) -> Response:
    """`leads_to`: addresses outside to which a form of this page can lead by way of a redirect."""
    html = Markup(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        "<title>{title}</title><style>{style}</style></head><body><main><h1>{title}</h1>{body}</main>{script}</body></html>"
    ).format(
        title=title,
        style=Markup(_STYLE),  # noqa: S704  our own
        body=body,
        script=Markup("<script>{}</script>").format(Markup(script)) if script else "",  # noqa: S704  our own
    )
    response = Response(str(html), status=status, content_type="text/html; charset=utf-8")
    targets = " ".join(["'self'", *(_origin(address) for address in leads_to)])
    scripts = f"script-src '{_hash(script)}'; connect-src 'self'; " if script else ""
    response.headers.update(
        {
            "Content-Security-Policy": f"default-src 'none'; style-src '{_hash(_STYLE)}'; {scripts}form-action {targets}; "
            "base-uri 'none'; frame-ancestors 'none'",
            # The address may hold a code or a state: neither goes on to another site, nor into a cache. Not `no-referrer`, with which browsers send the
            # forms of a page with `Origin: null`, and then nobody can tell that they are ours (see `cross_site`).
            "Referrer-Policy": "same-origin",
            "Cache-Control": "no-store",
        }
    )
    return response


def problems(*texts: str) -> Markup:
    """What is wrong with what was sent, above the form; where there is anything, who reads the page begins there."""
    lines = Markup("").join(Markup("<p>{}</p>").format(text) for text in texts)
    return (
        Markup('<div class="problem" role="alert" tabindex="-1" autofocus>{}</div>').format(lines) if texts else lines
    )


def message(title: str, text: str, *, status: int = 200, sign_in: bool = False) -> Response:
    """A page that says one thing, with a way to sign in where that is what comes next."""
    link = Markup('<p><a class="button" href="/signin">Sign in with Google</a></p>') if sign_in else ""
    return page(title, Markup("<p>{}</p>{}").format(text, link), status=status)


def redirect(address: str) -> Response:
    """To be asked for with GET, whatever led there."""
    headers = {"Location": address, "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
    return Response(status=303, headers=headers)


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
