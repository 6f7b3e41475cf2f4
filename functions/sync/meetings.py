"""Meetings that Google has made for events of ours: found by a push in Google's answer, or by a pull in the change that follows it."""

from functions.adapters.google_calendar import Event
from functions.adapters.store.store import Reader
from functions.domain.decision import Decision, Ref
from functions.domain.meet import meeting_of, note_meeting
from functions.domain.session import Session
from functions.sync.work import Work


def take_meeting(work: Work, session_id: str, calendar: str, event: Event) -> None:
    """What the event says of its meeting becomes the session's. Harmless to repeat; reads nothing where it says nothing."""
    meeting = meeting_of(event)
    if meeting is None or (meeting.link is None and not meeting.failed):
        return

    def attempt(reader: Reader) -> Decision[None]:
        session = reader.get(Ref(Session, session_id))
        copy = None if session is None else session.copies.get(calendar)
        if session is None or copy is None or copy.event != event["id"]:
            return Decision(answer=None)
        return note_meeting(session, calendar, meeting)

    work.store.run(work.account, attempt)
