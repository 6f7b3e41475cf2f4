"""People who signed in long ago and belong to no account any more: the system forgets them, and the browsers in which they were signed in."""

from functools import partial

from functions.adapters.store.across_accounts import memberships, people_from_before
from functions.adapters.store.documents import NO_ACCOUNT
from functions.adapters.store.store import Reader, Store
from functions.domain.decision import Decision, Ref
from functions.domain.instants import DAY_MINUTES, MINUTE_MS, Millis
from functions.domain.person import Person, forget
from functions.sync.work import Work


def forget_people(work: Work) -> None:
    """They are few, and each is one commit, which fails where they come back at that very moment."""
    before = work.now() - work.application.settings.people_kept_days * DAY_MINUTES * MINUTE_MS
    for person in people_from_before(work.store, before):
        if person.last_signed_in < before:
            work.store.run(NO_ACCOUNT, partial(_forgotten, work.store, person.id, before))


def _forgotten(store: Store, person_id: str, before: Millis, reader: Reader) -> Decision[bool]:
    person = reader.get(Ref(Person, person_id))
    if person is None:
        return Decision(answer=False)
    return forget(person, belongs=bool(memberships(store, person.id)), before=before)
