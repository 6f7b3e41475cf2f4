"""A session's video meeting: asked for once, its link kept and told once (case 118)."""

from typing import Any

import pytest

from functions.domain.google_copy import content_of, must_be_seen, new_event, patch_seen
from functions.domain.meet import Meeting, meeting_of, note_meeting
from functions.domain.session import GoogleCopy, Session
from tests.domain.builders import CALENDAR, booking, copy, google_event, resource, service, session, times

NINE = "2027-03-01T09:00Z/2027-03-01T10:00Z"
LINK = "https://meet.google.com/abc-defg-hij"
THERE = Meeting(link=LINK)
VIDEO = service(meet=True)


def meeting(**changes: Any) -> Session:
    """A session whose meeting was asked for with the event that Google holds."""
    fields = {"copies": {CALENDAR: copy(NINE, written=1, meeting="asked")}} | changes
    return session(**fields)


def conference(status: str, *uris: str) -> dict[str, Any]:
    request = {"requestId": "x", "status": {"statusCode": status}}
    points = [{"entryPointType": "phone", "uri": "tel:+1"}, *({"entryPointType": "video", "uri": uri} for uri in uris)]
    return {"conferenceData": {"createRequest": request} | ({"entryPoints": points} if uris else {})}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        pytest.param(google_event(), None, id="none"),
        pytest.param(google_event(**conference("pending")), Meeting(), id="not there yet"),
        pytest.param(google_event(**conference("success", LINK)), THERE, id="there"),
        pytest.param(google_event(**conference("failure")), Meeting(failed=True), id="it could not be made"),
        pytest.param({"conferenceData": {"entryPoints": None, "createRequest": None}}, Meeting(), id="nothing useful"),
    ],
)
def test_what_an_event_says_of_its_meeting(event: dict[str, Any], expected: Meeting | None) -> None:
    assert meeting_of(event) == expected


class TestAsking:
    def body(self, held: GoogleCopy, event: dict[str, Any] | None = None) -> dict[str, Any]:
        kept = session(copies={CALENDAR: held})
        content = content_of(kept, CALENDAR, VIDEO, [booking()])
        if event is None:
            return new_event(kept, held, content, account="demo", resource=resource())
        assert must_be_seen(held, content)
        return patch_seen(event, times(NINE), kept, held, content, account="demo", resource=resource())

    def test_a_new_event_asks_the_same_however_often_it_is_sent(self) -> None:
        request = self.body(copy())["conferenceData"]["createRequest"]
        assert request["requestId"] == self.body(copy())["conferenceData"]["createRequest"]["requestId"]
        assert request["requestId"] != self.body(copy(event="another"))["conferenceData"]["createRequest"]["requestId"]

    def test_an_event_from_before_the_service_had_meetings_asks_now(self) -> None:
        assert "conferenceData" in self.body(copy(NINE, etag='"1"', left='"1"'), google_event())

    def test_a_meeting_of_the_owners_stays(self) -> None:  # case 97
        assert "conferenceData" not in self.body(copy(NINE, etag='"1"'), google_event(**conference("success", LINK)))

    def test_one_session_has_one_meeting_and_its_other_event_says_the_link(self) -> None:
        both = {name: copy(NINE, calendar=name) for name in ("first", "second")}
        kept = session(copies=both, meet_link=LINK)
        first, second = (content_of(kept, name, VIDEO, [booking()]) for name in both)
        assert (first.meeting, second.meeting) == (True, False)
        assert LINK not in first.description
        assert second.description.startswith(f"Meeting: {LINK}\n")


class TestTheLink:
    def test_it_is_kept_and_those_who_come_are_told(self) -> None:
        decision = note_meeting(meeting(), CALENDAR, THERE)
        (kept,) = decision.documents
        assert isinstance(kept, Session)
        assert (kept.meet_link, kept.copies[CALENDAR].meeting) == (LINK, "made")
        assert not kept.copy_pending
        assert [(effect.kind, effect.subject, effect.about) for effect in decision.effects] == [
            ("notify", "booking1", "meeting")
        ]
        assert [(entry.what, entry.author.kind) for entry in decision.history] == [("session.meeting_made", "google")]
        assert note_meeting(kept, CALENDAR, THERE).writes_nothing  # told once

    def test_another_calendars_event_is_brought_to_say_it(self) -> None:
        copies = {name: copy(NINE, calendar=name, written=1, meeting="asked") for name in (CALENDAR, "other")}
        decision = note_meeting(meeting(copies=copies), CALENDAR, THERE)
        (kept,) = decision.documents
        assert isinstance(kept, Session)
        assert [name for name, held in kept.copies.items() if held.written < kept.version] == ["other"]
        assert [effect.kind for effect in decision.effects] == ["push", "notify"]

    def test_that_it_failed_is_noted_once_and_nobody_is_told(self) -> None:
        decision = note_meeting(meeting(), CALENDAR, Meeting(failed=True))
        assert ([entry.what for entry in decision.history], decision.effects) == (["session.meeting_failed"], ())
        (kept,) = decision.documents
        assert isinstance(kept, Session)
        assert note_meeting(kept, CALENDAR, Meeting(failed=True)).writes_nothing

    @pytest.mark.parametrize(
        "kept",
        [
            pytest.param(meeting(copies={CALENDAR: copy(NINE, written=1)}), id="nobody asked for one"),
            pytest.param(meeting(status="cancelled"), id="cancelled meanwhile"),
            pytest.param(meeting(copies={}), id="it has no event there any more"),
        ],
    )
    def test_a_meeting_that_is_not_ours_is_none(self, kept: Session) -> None:
        assert note_meeting(kept, CALENDAR, THERE).writes_nothing
