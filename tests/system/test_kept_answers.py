"""Answers may be kept and are asked for again each time: what did not change is not sent, what did change is seen at once."""

from datetime import timedelta

import pytest

from tests.studio import DAY, Studio, until
from tests.system.asking import everything


class TestAnswersThatAreKept:
    @pytest.mark.parametrize(("what", "query"), everything())
    def test_the_same_is_not_sent_again_and_a_booking_is_seen_at_once(
        self, empty_studio: Studio, what: str, query: dict[str, str]
    ) -> None:
        first = empty_studio.ask(what, **query)
        etag = first.headers["ETag"]
        assert first.headers["Cache-Control"] == "private, no-cache"
        again = empty_studio.ask(what, etag=etag, **query)
        assert (again.status_code, again.content) == (304, b"")
        assert (again.headers["ETag"], again.headers["Cache-Control"]) == (etag, "private, no-cache")
        assert "Content-Length" not in again.headers
        assert empty_studio.ask(what, etag=f'"other", W/{etag}', **query).status_code == 304
        assert empty_studio.ask(what, etag="*", **query).status_code == 304
        assert empty_studio.ask(what, etag='"other"', **query).status_code == 200

        booking = empty_studio.book(empty_studio.starts()[0])
        changed = empty_studio.ask(what, etag=etag, **query)
        assert changed.status_code == 200
        assert changed.headers["ETag"] != etag
        assert changed.json() != first.json()
        if what == "availability":
            assert changed.json()["days"][0]["starts"] == first.json()["days"][0]["starts"][1:]

        booking.cancel()
        assert empty_studio.ask(what, etag=etag, **query).status_code == 304

    def test_a_change_of_rules_is_seen_at_once(self, empty_studio: Studio) -> None:
        for what, query in everything():
            etag = empty_studio.ask(what, **query).headers["ETag"]
            empty_studio.open(start="10:00")
            assert empty_studio.ask(what, etag=etag, **query).status_code == 200
            empty_studio.open()
            assert empty_studio.ask(what, etag=etag, **query).status_code == 304

    def test_other_questions_have_other_tags(self, empty_studio: Studio) -> None:
        empty_studio.offer(capacity=2)
        asked = (
            {"start": str(DAY), "end": str(DAY + timedelta(days=n)), "time_zone": z}
            for n in (1, 2)
            for z in ("UTC", "Asia/Tokyo")
        )
        assert len({empty_studio.ask("availability", **query).headers["ETag"] for query in asked}) == 4

    def test_what_was_refused_is_not_kept(self, empty_studio: Studio) -> None:
        refused = empty_studio.ask("availability", etag="*", start=str(DAY), end=str(DAY))
        assert (refused.status_code, refused.headers.get("ETag")) == (422, None)

    def test_a_change_in_google_is_seen_with_the_same_tag(self, studio: Studio) -> None:
        (query,) = [query for what, query in everything() if what == "availability"]
        first = studio.ask("availability", **query)
        start = first.json()["days"][0]["starts"][2]
        studio.person.add(start["start"], start["end"])
        until(lambda: studio.ask("availability", etag=first.headers["ETag"], **query).status_code == 200)
        assert start["start"] not in studio.starts()
