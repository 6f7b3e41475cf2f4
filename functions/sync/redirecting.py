"""Redirect: the sessions of a resource that lie ahead get their events where its destination is now. What has begun stays where it was written.

Page by page, from task to task: each session is one commit, so a crash loses nothing, and one that is right already is passed by. A session that is moved
meanwhile may slip past the page under way; therefore the walk begins again until it finds nothing more to do.
"""

from dataclasses import dataclass

from functions.adapters.store.pages import Part, Position, SessionFilter
from functions.adapters.store.queries import sessions_page
from functions.adapters.store.scenes import read_resources_of
from functions.adapters.store.store import Reader
from functions.domain.calendar import Calendar, Connection
from functions.domain.decision import Decision, Effect, Ref
from functions.domain.destinations import destinations_of, redirect
from functions.domain.instants import minute_of_millis
from functions.domain.session import Session
from functions.sync.work import Work

PAGE = 100


@dataclass(frozen=True)
class Walk:
    """How far a walk has come, and whether it has changed anything."""

    after: Position | None = None
    changed: bool = False

    @classmethod
    def of(cls, about: str | None) -> "Walk":
        if not about:
            return cls()
        start, session, changed = about.split(".")
        return cls(after=Position(int(start), session) if session else None, changed=changed == "changed")

    @property
    def about(self) -> str:
        start, session = (0, "") if self.after is None else self.after
        return f"{start}.{session}.{'changed' if self.changed else ''}"


def redirect_sessions(work: Work) -> None:
    """Of the subject resource, one page of them; `about` says which."""
    walk = Walk.of(work.about)
    wanted = SessionFilter(start=minute_of_millis(work.now()), resource=work.subject, status="open")
    page = sessions_page(work.store, work.account, wanted, Part(limit=PAGE, after=walk.after))
    changed = [session.id for session in page.documents if redirect_session(work, session.id)]
    further = Walk(after=page.last, changed=walk.changed or bool(changed))
    if page.last is None:
        if not further.changed:
            return
        further = Walk()
    again = Effect(kind="redirect", subject=work.subject, about=further.about)
    work.store.run(work.account, lambda reader: Decision(answer=None, effects=(again,)))


def redirect_session(work: Work, session_id: str) -> bool:
    """Whether it had to be."""

    def attempt(reader: Reader) -> Decision[bool]:
        session = reader.get(Ref(Session, session_id))
        if session is None:
            return Decision(answer=False)
        destinations = destinations_of(read_resources_of(reader, session))
        decision = redirect(session, destinations, _not_shown(reader, session))
        return decision.with_answer(not decision.writes_nothing)

    return work.store.run(work.account, attempt)


def _not_shown(reader: Reader, session: Session) -> frozenset[str]:
    """Those of its calendars that are gone, or whose connection an operator has ended: nothing can be deleted there, nor found there."""
    refs = [Ref(Calendar, name) for name in session.copies]
    reader.load(*refs)
    calendars = [calendar for ref in refs if (calendar := reader.get(ref)) is not None]
    reader.load(*(Ref(Connection, each.connection) for each in calendars))
    ended = {
        each.id
        for each in calendars
        if each.state == "gone"
        or (connection := reader.get(Ref(Connection, each.connection))) is None
        or connection.status == "disconnected"
    }
    return frozenset(ended | (session.copies.keys() - {each.id for each in calendars}))
