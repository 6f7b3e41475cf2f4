"""Sync tokens of the Google stand-in: incremental lists, paging, tombstones, 410."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from googleapiclient.errors import HttpError

from tests.platform.test_google_fixtures import Someone, at, refusal

pytest_plugins = ["tests.platform.test_google_fixtures"]


def test_an_incremental_list_tells_changes_and_tombstones(anna: Someone) -> None:
    # case 58
    kept, changed, deleted = anna.insert(), anna.insert(), anna.insert()
    full = anna.list()
    assert set(full.ids) == {kept["id"], changed["id"], deleted["id"]}
    anna.patch(changed["id"], summary="New")
    anna.delete(deleted["id"])
    added = anna.insert()
    news = anna.list(syncToken=full.token)
    assert news.ids == [changed["id"], deleted["id"], added["id"]]
    # A tombstone carries what Google guarantees and no more.
    assert news.items[1] == {"id": deleted["id"], "status": "cancelled"}
    assert anna.list(syncToken=news.token).items == []
    # The old token is still good: a client that crashed starts over from it.
    assert anna.list(syncToken=full.token).ids == news.ids


def test_deleted_events_are_hidden_from_a_full_list(anna: Someone) -> None:
    event = anna.insert()
    anna.delete(event["id"])
    assert anna.list().items == []
    assert anna.list(showDeleted=True).items == [{"id": event["id"], "status": "cancelled"}]


def test_an_event_that_came_and_went_is_a_tombstone(anna: Someone) -> None:
    # case 60
    token = anna.list().token
    event = anna.insert()
    anna.delete(event["id"])
    assert anna.list(syncToken=token).items == [{"id": event["id"], "status": "cancelled"}]


def test_pages_carry_one_token_each_and_the_sync_token_comes_last(anna: Someone) -> None:
    # case 40
    ids = [anna.insert()["id"] for _ in range(5)]
    first = anna.events.list(calendarId="primary", maxResults=2).execute()
    assert "nextSyncToken" not in first
    listed = anna.list(maxResults=2)
    assert (listed.ids, listed.pages) == (ids, 3)
    for event_id in ids:
        anna.patch(event_id, summary="New")
    news = anna.list(maxResults=2, syncToken=listed.token)
    assert (news.ids, news.pages) == (ids, 3)


def test_a_full_last_page_has_no_successor(anna: Someone) -> None:
    for _ in range(4):
        anna.insert()
    assert anna.list(maxResults=2).pages == 2


def test_changes_during_paging_are_not_missed(anna: Someone) -> None:
    # case 53
    ids = [anna.insert()["id"] for _ in range(4)]
    first = anna.events.list(calendarId="primary", maxResults=2).execute()
    anna.patch(ids[0], summary="Changed behind the reader")
    anna.delete(ids[3])
    last = anna.events.list(calendarId="primary", maxResults=2, pageToken=first["nextPageToken"]).execute()
    seen = {item["id"] for item in anna.list(syncToken=last["nextSyncToken"]).items}
    assert {ids[0], ids[3]} <= seen


def test_changes_while_paging_an_incremental_list_are_not_missed(anna: Someone) -> None:
    token = anna.list().token
    ids = [anna.insert()["id"] for _ in range(4)]
    first = anna.events.list(calendarId="primary", maxResults=2, syncToken=token).execute()
    anna.patch(ids[2], summary="Moved to the end of the log")
    rest = anna.events.list(
        calendarId="primary", maxResults=2, syncToken=token, pageToken=first["nextPageToken"]
    ).execute()
    seen = [*first["items"], *rest["items"], *anna.list(syncToken=rest["nextSyncToken"]).items]
    assert [item["summary"] for item in seen if item["id"] == ids[2]] == ["Moved to the end of the log"]


@pytest.mark.parametrize(
    "forbidden",
    [
        {"timeMin": "2027-01-01T00:00:00Z"},
        {"timeMax": "2027-01-01T00:00:00Z"},
        {"q": "cut"},
        {"iCalUID": "x@y"},
        {"orderBy": "updated"},
        {"updatedMin": "2027-01-01T00:00:00Z"},
        {"privateExtendedProperty": "a=b"},
        {"sharedExtendedProperty": "a=b"},
        {"showDeleted": False},
    ],
    ids=lambda parameters: next(iter(parameters)),
)
def test_a_token_goes_with_no_filter(anna: Someone, forbidden: dict[str, object]) -> None:
    call = anna.events.list(calendarId="primary", syncToken=anna.list().token, **forbidden)
    assert refusal(call) == (400, "invalid")


def test_a_token_is_bound_to_its_query(anna: Someone) -> None:
    # case 71
    token = anna.list().token
    assert refusal(anna.events.list(calendarId="primary", syncToken=token, singleEvents=True)) == (400, "invalid")
    assert refusal(anna.events.list(calendarId="primary", syncToken=token, eventTypes=["default"])) == (400, "invalid")
    assert refusal(anna.events.list(calendarId="primary", syncToken="nonsense")) == (400, "invalid")


def test_a_token_is_bound_to_person_and_calendar(anna: Someone, ben: Someone) -> None:
    # case 56
    anna.google.control("PUT", f"calendars/{anna.email}/roles", {"email": ben.email, "role": "owner"})
    token = anna.list().token
    others = ben.events.list(calendarId=anna.email, syncToken=token)
    assert refusal(others) == (410, "fullSyncRequired")
    second = anna.service.calendars().insert(body={"summary": "Second"}).execute()["id"]
    assert refusal(anna.events.list(calendarId=second, syncToken=token)) == (410, "fullSyncRequired")


def test_a_page_token_belongs_to_the_same_query(anna: Someone) -> None:
    # case 67
    for _ in range(3):
        anna.insert()
    token = anna.events.list(calendarId="primary", maxResults=1).execute()["nextPageToken"]
    other = anna.events.list(calendarId="primary", maxResults=1, pageToken=token, q="cut")
    assert refusal(other) == (400, "invalid")
    assert refusal(anna.events.list(calendarId="primary", pageToken="nonsense")) == (400, "invalid")


def test_tokens_expire_on_demand_also_between_pages(anna: Someone) -> None:
    # case 46
    token = anna.list().token
    for _ in range(3):
        anna.insert()
    first = anna.events.list(calendarId="primary", maxResults=1, syncToken=token).execute()
    anna.google.control("POST", f"calendars/{anna.email}/expire-sync-tokens")
    second = anna.events.list(calendarId="primary", maxResults=1, syncToken=token, pageToken=first["nextPageToken"])
    assert refusal(second) == (410, "fullSyncRequired")
    assert len(anna.list(syncToken=anna.list().token).items) == 0


def test_a_changed_role_makes_tokens_worthless(anna: Someone, ben: Someone) -> None:
    # case 74
    roles = f"calendars/{anna.email}/roles"
    anna.google.control("PUT", roles, {"email": ben.email, "role": "writer"})
    anna.insert(summary="Secret")
    token = ben.list(anna.email).token
    anna.google.control("PUT", roles, {"email": ben.email, "role": "freeBusyReader"})
    assert refusal(ben.events.list(calendarId=anna.email, syncToken=token)) == (410, "fullSyncRequired")
    full = ben.events.list(calendarId=anna.email).execute()
    assert full["accessRole"] == "freeBusyReader"
    assert "summary" not in full["items"][0]


def test_pages_can_be_capped_and_empty(anna: Someone) -> None:
    # case 52
    ids = [anna.insert()["id"] for _ in range(3)]
    anna.google.control("PUT", "paging", {"calendar": anna.email, "max_page": 1, "empty_every": 2})
    first = anna.events.list(calendarId="primary").execute()
    assert first["items"] == []
    assert "nextPageToken" in first
    listed = anna.list()
    assert listed.ids == ids
    assert listed.pages > 3


def test_a_list_may_lag_behind(anna: Someone) -> None:
    # case 21
    token = anna.list().token
    anna.google.control("PUT", "lag", {"calendar": anna.email, "lists": 1})
    event = anna.insert()
    late = anna.list(syncToken=token)
    assert late.items == []
    assert anna.list(syncToken=late.token).ids == [event["id"]]


def test_a_window_takes_what_overlaps(anna: Someone) -> None:
    # case 65
    early, inside, late = (anna.insert(hour=hour)["id"] for hour in (8, 10, 12))
    long = anna.insert(start=at(9, day=1), end=at(9, day=28))["id"]
    longer = anna.insert(start={"date": "2026-10-01"}, end={"date": "2027-05-01"})["id"]
    window = {"timeMin": "2027-03-01T10:00:00+01:00", "timeMax": "2027-03-01T12:00:00+01:00"}
    assert set(anna.list(**window).ids) == {inside, long, longer}
    ordered = anna.list(**window, singleEvents=True, orderBy="startTime")
    assert ordered.ids == [longer, long, inside]
    paged = anna.list(**window, singleEvents=True, orderBy="startTime", maxResults=1)
    assert (paged.ids, paged.pages) == (ordered.ids, 3)
    # Both bounds are exclusive: what ends at timeMin or starts at timeMax is outside.
    assert not {early, late} & set(ordered.ids)


def test_all_day_events_are_placed_with_the_calendars_zone(make_person: Callable[..., Someone]) -> None:
    # case 124
    tokyo = make_person("yuki", time_zone="Asia/Tokyo")
    event = tokyo.insert(start={"date": "2027-03-02"}, end={"date": "2027-03-03"})
    in_day = {"timeMin": "2027-03-01T15:30:00Z", "timeMax": "2027-03-01T16:00:00Z"}
    before = {"timeMin": "2027-03-01T14:00:00Z", "timeMax": "2027-03-01T15:00:00Z"}
    assert tokyo.list(**in_day).ids == [event["id"]]
    assert tokyo.list(**before).ids == []
    tokyo.service.calendars().patch(calendarId="primary", body={"timeZone": "Europe/Berlin"}).execute()
    # case 78
    assert tokyo.list(**in_day).ids == []


def test_lists_can_be_narrowed_and_ordered(anna: Someone) -> None:
    booked = anna.insert(summary="Colour", extendedProperties={"private": {"bookingId": "b1"}})
    other = anna.insert(summary="Cut", attendees=[{"email": "x@else.example"}])
    assert anna.list(privateExtendedProperty="bookingId=b1").ids == [booked["id"]]
    assert anna.list(q="colour").ids == [booked["id"]]
    assert anna.list(iCalUID=other["iCalUID"]).ids == [other["id"]]
    anna.patch(booked["id"], location="Shop")
    assert anna.list(orderBy="updated").ids == [other["id"], booked["id"]]
    assert anna.list(eventTypes=["focusTime"]).ids == []
    assert refusal(anna.events.list(calendarId="primary", orderBy="startTime")) == (400, "invalid")


def test_every_page_tells_role_and_zone(anna: Someone) -> None:
    page = anna.events.list(calendarId="primary").execute()
    assert (page["accessRole"], page["timeZone"]) == ("owner", "Europe/Berlin")


def test_a_calendar_that_is_gone_is_not_found(anna: Someone) -> None:
    # case 72
    second = anna.service.calendars().insert(body={"summary": "Second"}).execute()["id"]
    token = anna.list(second).token
    anna.service.calendars().delete(calendarId=second).execute()
    assert refusal(anna.events.list(calendarId=second, syncToken=token)) == (404, "notFound")


def test_a_large_calendar_pages_evenly(anna: Someone) -> None:
    # case 66
    second = anna.service.calendars().insert(body={"summary": "Large"}).execute()["id"]
    fill = {"count": 6000, "start": "2027-01-01T00:00:00+01:00"}
    anna.google.control("POST", f"calendars/{second}/fill", fill)
    listed = anna.list(second, maxResults=2500)
    assert (len(set(listed.ids)), listed.pages) == (6000, 3)
    with pytest.raises(HttpError):
        anna.get("fill99999999", second)
