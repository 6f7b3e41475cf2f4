"""The video meeting of a session: asked for with its event, made by Google a moment later (case 118).

`createRequest` is answered at once with `pending`; that the meeting is there is a further change of the event, which a pull brings. The link is then
the session's, and who comes is told, once. One session has one meeting, however many calendars its event stands in.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from functions.domain.decision import Author, Decision, Effect, HistoryEntry
from functions.domain.session import GoogleCopy, Session

GOOGLE = Author(kind="google")


@dataclass(frozen=True)
class Meeting:
    """What an event says of its meeting. No link: it is not there yet, or `failed`."""

    link: str | None = None
    failed: bool = False


def carries_meeting(session: Session, calendar: str) -> bool:
    """Whether it is this calendar's event that has the session's meeting."""
    return calendar == min((copy.calendar for copy in session.present_copies), default=None)


def meeting_request(copy: GoogleCopy) -> dict[str, Any]:
    """Google makes one meeting for a `requestId`, however often it is asked; each event has one of its own."""
    solution = {"type": "hangoutsMeet"}
    return {"conferenceData": {"createRequest": {"requestId": copy.event, "conferenceSolutionKey": solution}}}


def meeting_of(event: Mapping[str, Any]) -> Meeting | None:
    """None where the event has no meeting at all."""
    data = event.get("conferenceData")
    if not data:
        return None
    video = (point.get("uri") for point in data.get("entryPoints") or () if point.get("entryPointType") == "video")
    status = ((data.get("createRequest") or {}).get("status") or {}).get("statusCode")
    return Meeting(link=next((uri for uri in video if uri), None), failed=status == "failure")


def note_meeting(session: Session, calendar: str, meeting: Meeting) -> Decision[None]:
    """Keeps the link, and tells those who have seats in it. Nothing where we did not ask for a meeting, or know of it already."""
    copy = session.copies.get(calendar)
    if copy is None or copy.meeting is None or copy.leaving is not None or session.status != "open":
        return Decision(answer=None)
    if meeting.link is not None and meeting.link != session.meet_link:
        return _there(session, copy, meeting.link)
    if meeting.failed and copy.meeting != "failed":
        failed = session.with_copy(copy.model_copy(update={"meeting": "failed"}))
        return Decision(answer=None, documents=(failed,), history=(_entry(session, copy, "session.meeting_failed"),))
    return Decision(answer=None)


def _there(session: Session, copy: GoogleCopy, link: str) -> Decision[None]:
    """Where there are other calendars their events are to say it too; this one has it already."""
    version = session.version + (1 if len(session.copies) > 1 else 0)
    written = version if copy.written == session.version else copy.written
    after = session.model_copy(update={"meet_link": link, "version": version}).with_copy(
        copy.model_copy(update={"meeting": "made", "written": written})
    )
    told = tuple(Effect(kind="notify", subject=booking, about="meeting") for booking in session.seats)
    return Decision(
        answer=None,
        documents=(after,),
        history=(_entry(session, copy, "session.meeting_made", link),),
        effects=(*((Effect(kind="push", subject=session.id),) if version > session.version else ()), *told),
    )


def _entry(session: Session, copy: GoogleCopy, what: str, link: str | None = None) -> HistoryEntry:
    after = {"meet_link": link} if link else {}
    return HistoryEntry(what=what, author=GOOGLE, session=session.id, calendar=copy.calendar, after=after)
