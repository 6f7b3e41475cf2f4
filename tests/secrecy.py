"""No secret in a log, a task, a document, a problem or in what tests print (law 12): what a run of the tests has produced is searched for every secret that
was issued in it.

What was issued is known in three ways. By its form: what begins like a token of Google's, an API key or a signed token can be nothing else. By derivation:
the platform's own keys, and every manage token that follows from them. And from the wire: cookies, tokens in answers, links in mails that a test read.
Secrets are kept in this process's memory only, as short pieces; a process of its own (xdist) searches what its own platform has produced.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

from functions.adapters.settings import read_settings
from functions.adapters.signing import manage_token
from functions.adapters.store.documents import COLLECTIONS
from functions.adapters.store.store import Store
from infra.local.platform import Platform

FORMS: Mapping[str, re.Pattern[bytes]] = {
    "refresh token": re.compile(rb"1(?://|%2[Ff]%2[Ff]|\\/\\/)[\w-]{40,}"),
    "access token": re.compile(rb"ya29\.[\w-]{40,}"),
    "authorization code": re.compile(rb"(?<![\w/.-])4(?:/|%2[Ff]|\\/)[\w-]{40,}"),
    "API key": re.compile(rb"bok_[\w-]{40,}"),
    "channel token": re.compile(rb"\.\d{10}\.[\w-]{43}(?![\w-])"),
    "signed token": re.compile(rb"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{40,}"),
}

# Of whatever is issued, this much in one run of letters is enough to know it again, also where it is glued to something or cut off.
SHORTEST = 32
PIECE = 12
_STEP = SHORTEST - PIECE + 1  # so that of any such run one piece lies on a step
_RUN = re.compile(rf"[\w-]{{{SHORTEST},}}", re.ASCII)
_LONG_RUN = re.compile(r"[\w-]{40,}", re.ASCII)

# Fields of answers that hold what only the one who is answered may know.
_SECRET_FIELD = re.compile(r"((manage|refresh|access|invitation|csrf)_token|(api_)?key|token|secret)$")
_SECRET_QUERY = frozenset({"code", "state", "token", "invitation"})
LARGEST_ANSWER = 1_000_000


@dataclass(frozen=True)
class Leak:
    """`beginning`: enough to look for, too little to use."""

    where: str
    kind: str
    beginning: str


@dataclass
class Issued:
    """What was issued, in pieces, each with what kind of secret it is of."""

    pieces: dict[bytes, str] = field(default_factory=dict, repr=False)

    def add(self, kind: str, secret: str) -> None:
        """Too short a secret is none: it could be guessed, and could be part of anything."""
        for run in _RUN.findall(secret):
            data = run.encode()
            for place in range(len(data) - PIECE + 1):
                self.pieces.setdefault(data[place : place + PIECE], kind)

    def leaks(self, where: str, data: bytes) -> list[Leak]:
        """One of each kind that is in it."""
        pieces = (data[place : place + PIECE] for place in range(0, len(data) - PIECE + 1, _STEP))
        found = {kind: piece for piece in pieces if (kind := self.pieces.get(piece)) is not None}
        found |= {kind: secret for kind, form in FORMS.items() for secret in form.findall(data)}
        return [Leak(where, kind, _beginning(secret)) for kind, secret in found.items()]


def _beginning(secret: bytes) -> str:
    return secret[:8].decode(errors="replace") + "…"


@dataclass
class Secrecy:
    """One process's: what it saw issued, and what it saw come out."""

    issued: Issued = field(default_factory=Issued, repr=False)
    told: list[tuple[str, str]] = field(default_factory=list, repr=False)

    def hear(self, answer: requests.Response) -> None:
        """An answer as it came over the wire: what it issues, and what it complains of."""
        for name, value in _cookies(answer):
            self.issued.add(f"cookie {name}", _seal(value))
        for name, value in _led_to(answer):
            self.issued.add(f"{name} of a redirect", value)
        if "json" not in answer.headers.get("Content-Type", "") or len(answer.content) > LARGEST_ANSWER:
            return
        if answer.status_code >= 400:
            self.told.append((f"the answer of {answer.request.method} {answer.request.path_url}", answer.text))
        elif isinstance(body := _json(answer.text), dict | list):
            for name, value in _named(body):
                if _SECRET_FIELD.fullmatch(name):
                    self.issued.add(name.replace("_", " "), _seal(value))
                elif name == "text":  # of a mail, which holds what is meant for who gets it, and nobody else
                    for run in _LONG_RUN.findall(value):
                        self.issued.add("link of a mail", run)

    def print_of(self, test: str, sections: Iterable[tuple[str, str]]) -> None:
        """What a test printed and logged."""
        self.told += [(f"{title} of {test}", text) for title, text in sections]

    def leaks(self, platform: Platform, store: Store) -> list[Leak]:
        """In everything that this process's platform has produced until now."""
        self._know_own(platform)
        documents = dict(_documents(store))
        for name in ("bookings", "waitlist"):
            for document, _ in documents[name]:
                self._know_manage_tokens(platform, document)
        found = [leak for name, all_ in documents.items() for _, data in all_ for leak in self.issued.leaks(name, data)]
        tasks = requests.get(f"{platform.addresses.tasks_http}/control/log", timeout=60).content
        found += self.issued.leaks("a task", tasks)
        found += [leak for where, text in self.told for leak in self.issued.leaks(where, text.encode())]
        return [*found, *self.leaks_in_logs(platform.configuration.directory)]

    def leaks_in_logs(self, directory: Path) -> list[Leak]:
        """In all logs that lie below."""
        logs = [file for file in directory.rglob("logs/*") if file.is_file()]
        return [leak for file in logs for leak in self.issued.leaks(str(file), file.read_bytes())]

    def _know_own(self, platform: Platform) -> None:
        held = platform.configuration.credentials
        for name in ("client_secret", "signing_keys", "token_keys"):
            for key in getattr(held, name).split(","):
                self.issued.add(name.replace("_", " "), key)

    def _know_manage_tokens(self, platform: Platform, document: str) -> None:
        for key in read_settings(platform.configuration.functions_environment).signing_keys:
            self.issued.add("manage token", manage_token(key, document))


def listening(secrecy: Secrecy) -> Callable[..., requests.Response]:
    """In place of `requests.Session.send`."""
    send = requests.Session.send

    def heard(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        answer = send(session, request, **options)
        if not options.get("stream"):
            secrecy.hear(answer)
        return answer

    return heard


def _seal(issued: str) -> str:
    """Of what is signed, what it says is known (and in other places too), and its seal is not."""
    return issued.rpartition(".")[2]


def _cookies(answer: requests.Response) -> list[tuple[str, str]]:
    return re.findall(r"(?:^|,\s*)([\w-]+)=([^;,]+)", answer.headers.get("Set-Cookie", ""))


def _led_to(answer: requests.Response) -> Iterator[tuple[str, str]]:
    parts = urlsplit(answer.headers.get("Location", ""))
    return ((name, value) for name, value in parse_qsl(f"{parts.query}&{parts.fragment}") if name in _SECRET_QUERY)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _named(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every text in it, by the name of its field."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _named(inner, str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from _named(inner, name)
    elif isinstance(value, str):
        yield name, value


def _documents(store: Store) -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """By collection, the id and the bytes of every document that there is: as Firestore sends them, which is much faster than to make values of them."""
    for name in ("accounts", "people", "months", "events", *COLLECTIONS.values()):
        query = {"parent": f"{store.client._database_string}/documents"}
        request = query | {"structured_query": store.client.collection_group(name)._to_protobuf()}
        answers = (type(each).pb(each) for each in store.client._firestore_api.run_query(request=request))
        found = (each.document for each in answers if each.HasField("document"))
        yield name, [(document.name.rpartition("/")[2], document.SerializeToString()) for document in found]
