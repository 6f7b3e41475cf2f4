"""Which origins an account may allow: exact ones, encrypted, or on the very machine of the browser."""

import pytest

from functions.domain.origins import checked_origin


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://www.studio.example", "https://www.studio.example"),
        (" HTTPS://WWW.Studio.Example ", "https://www.studio.example"),
        ("https://studio.example:443", "https://studio.example"),
        ("https://studio.example:8443", "https://studio.example:8443"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("http://[::1]:80", "http://[::1]"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
    ],
)
def test_an_origin_is_kept_as_browsers_send_it(given: str, kept: str) -> None:
    assert checked_origin(given) == kept


@pytest.mark.parametrize(
    "given",
    [
        "",
        "null",
        "*",
        "https://*",
        "https://*.studio.example",
        "https://studio.example/",
        "https://studio.example/book",
        "https://studio.example?x",
        "https://kim@studio.example",
        "https://studio.example:0",
        "https://studio.example:99999",
        "https://studio..example",
        "https://-studio.example",
        "https://bücher.example",
        "http://studio.example",
        "http://localhost.studio.example",
        "ftp://studio.example",
        "studio.example",
        "https:studio.example",
        "https://a.example https://b.example",
    ],
)
def test_what_is_no_origin_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        checked_origin(given)
