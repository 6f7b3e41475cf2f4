"""The people who have a Google account here."""

import hashlib
import hmac
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

from infra.local.google import errors
from infra.local.google.persistence import Rows
from infra.local.google.zones import zone_names


@dataclass
class Person:
    """An account: the e-mail address is also the id of its primary calendar. `sub` never changes."""

    email: str
    name: str
    sub: str
    time_zone: str
    password_hash: str
    suspended: bool = False
    # Off: the Workspace administrator has switched Calendar off for this person (403 notACalendarUser).
    calendar_service: bool = True
    settings: dict[str, str] = field(default_factory=dict)
    settings_version: int = 0


def check_zone(name: str) -> str:
    if name not in zone_names():
        raise errors.invalid(f"Invalid time zone: {name}")
    return name


class People:
    """All accounts, by e-mail address (case does not matter)."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._by_email = {row["email"]: Person(**row) for row in rows.load("person")}

    def __iter__(self) -> Iterator[Person]:
        return iter(sorted(self._by_email.values(), key=lambda p: p.email))

    def find(self, email: str) -> Person | None:
        return self._by_email.get(email.strip().lower())

    def get(self, email: str) -> Person:
        person = self.find(email)
        if person is None:
            raise errors.not_found()
        return person

    def create(self, *, email: str, name: str, password: str, time_zone: str) -> Person:
        email = email.strip().lower()
        if "@" not in email:
            raise errors.invalid(f"Not an e-mail address: {email}")
        if email in self._by_email:
            raise errors.duplicate()
        person = Person(
            email=email,
            name=name,
            sub=str(10**20 + secrets.randbelow(10**20)),
            time_zone=check_zone(time_zone),
            password_hash=_hash(password),
        )
        self._by_email[email] = person
        self.save(person)
        return person

    def delete(self, person: Person) -> None:
        del self._by_email[person.email]
        self._rows.delete("person", person.email)

    def save(self, person: Person) -> None:
        self._rows.put("person", person.email, asdict(person))

    def sign_in(self, email: str, password: str) -> Person | None:
        person = self.find(email)
        if person is None or person.suspended or not _matches(person.password_hash, password):
            return None
        return person

    def set_password(self, person: Person, password: str) -> None:
        person.password_hash = _hash(password)
        self.save(person)


def _hash(password: str, salt: str | None = None) -> str:
    salt = salt or secrets.token_hex(8)
    # Cheap on purpose: made-up people on one machine, many of them in tests.
    return salt + ":" + hashlib.scrypt(password.encode(), salt=salt.encode(), n=2**10, r=8, p=1).hex()


def _matches(stored: str, password: str) -> bool:
    return hmac.compare_digest(stored, _hash(password, stored.split(":")[0]))
