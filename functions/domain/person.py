"""Somebody who signs in with Google, and the browsers in which they are signed in.

A person belongs to no account; `membership` says which accounts they belong to. They are whoever Google says they are (its subject), never an address,
which may change hands.
"""

from collections.abc import Mapping
from hashlib import sha256

from pydantic import Field

from functions.domain.decision import Decision, Ref
from functions.domain.instants import DAY_MINUTES, MINUTE_MS, Millis
from functions.domain.model import Document

# A browser is signed out where it was not used for so long, and where it was signed in so long ago whatever it did.
IDLE_MS = 12 * 60 * MINUTE_MS
LONGEST_MS = 14 * DAY_MINUTES * MINUTE_MS
MOST_BROWSERS = 20  # of one person; the one that was signed in the longest ago is signed out


class Person(Document):
    """`browsers`: those that are signed in, by the id of that sign-in, with when it was. `founded`: the accounts that they made. `signed_in_at`: when they
    did so last; it is not in what was stored before there was that field.
    """

    id: str
    email: str
    name: str = ""
    browsers: Mapping[str, Millis] = Field(default_factory=dict)
    founded: tuple[str, ...] = ()
    created_at: Millis
    signed_in_at: Millis | None = None

    @property
    def last_signed_in(self) -> Millis:
        return self.signed_in_at or max(self.browsers.values(), default=self.created_at)

    def signed_in(self, browser: str, now: Millis) -> bool:
        since = self.browsers.get(browser)
        return since is not None and now < since + LONGEST_MS


def person_id(subject: str) -> str:
    """The id of whom Google calls by this subject: the same in every account."""
    return sha256(f"google\0{subject}".encode()).hexdigest()[:32]


def sign_in(known: Person | None, identity: Person, browser: str, *, now: Millis) -> Decision[Person]:
    """`identity`: who Google says they are today, with the address and the name that they have there now."""
    today = {"email": identity.email, "name": identity.name, "signed_in_at": now}
    person = (known or identity).model_copy(update=today)
    lasting = {each: since for each, since in person.browsers.items() if person.signed_in(each, now)}
    newest = sorted((lasting | {browser: now}).items(), key=lambda item: item[1])[-MOST_BROWSERS:]
    return _with_browsers(person, dict(newest))


def sign_out(person: Person, browser: str) -> Decision[Person]:
    """Whoever has a copy of that browser's cookie is signed out too."""
    return _with_browsers(person, {each: since for each, since in person.browsers.items() if each != browser})


def sign_out_everywhere(person: Person) -> Decision[Person]:
    return _with_browsers(person, {})


def forget(person: Person, *, belongs: bool, before: Millis) -> Decision[bool]:
    """Whoever belongs to no account, and has not signed in since `before`, is deleted with all that is known of their browsers. Answers whether they are."""
    if belongs or person.last_signed_in >= before:
        return Decision(answer=False)
    return Decision(answer=True, deletions=(Ref(Person, person.id),))


def _with_browsers(person: Person, browsers: Mapping[str, Millis]) -> Decision[Person]:
    changed = person.model_copy(update={"browsers": browsers})
    return Decision(answer=changed, documents=(changed,))
