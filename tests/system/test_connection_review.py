"""Connections as an operator looks at them: what was granted, how the calendars are, and what it means for clients at this moment."""

from functions.domain.instants import MINUTE_MS
from tests.studio import Studio, until


def test_a_connection_that_is_well_shows_what_it_does(studio: Studio) -> None:
    studio.person.add(studio.starts()[0], studio.starts()[1])
    until(lambda: studio.look("health")["calendars"][0].get("last_change_at"))
    (listed,) = studio.look("connections")["connections"]
    shown = studio.look(f"connections/{listed['id']}")
    assert (shown["email"], shown["state"], shown["for_clients"]) == (studio.person.email, "active", [])
    assert shown["since"] <= shown["last_success_at"]
    assert "trouble" not in shown
    assert [each["asks"] for each in shown["permissions"]][1] == "View and edit events on all your calendars"
    (calendar,) = shown["calendars"]
    assert (calendar["id"], calendar["role"], calendar["time_zone"]) == (studio.calendar, "owner", "Europe/Berlin")
    assert (calendar["blocks"], calendar["destination_for"], calendar["watched"]) == (["anna"], ["anna"], True)
    assert calendar["watched_until"]
    assert calendar["lag_ms"] >= 0
    assert calendar == studio.look(f"connections/{listed['id']}/calendars")["calendars"][0]
    assert listed.items() <= shown.items()
    for nobody in ("connections/nobody", "connections/nobody/calendars"):
        assert studio.http.get(f"{studio.base}/{nobody}", headers=studio.operator).status_code == 404


def test_who_withdraws_access_at_google_is_seen_to_close_with_since_when_and_why(studio: Studio) -> None:
    # A password that is changed ends no grant to calendars.
    person = f"users/{studio.person.email}"
    studio.google_control("PATCH", person, {"password": "another horse"})
    before = studio.look("health")["calendars"][0]["last_success_at"]
    studio.poll()
    until(lambda: studio.look("health")["calendars"][0]["last_success_at"] > before)
    (connection,) = studio.look("connections")["connections"]
    assert connection["state"] == "active"

    studio.google_control("POST", "grants/revoke", {"email": studio.person.email})
    waiting = studio.book(studio.starts()[0])
    until(lambda: studio.look("connections")["connections"][0]["state"] == "needs_reconnect")
    lost = studio.look(f"connections/{connection['id']}")
    assert studio.person.email in lost["trouble"]
    told = {each["what"]: each for each in lost["for_clients"]}
    assert told.keys() == {"closing", "not_written"}
    assert told["not_written"]["since"] == lost["lost_at"]
    assert studio.starts(), "what it knows still counts"

    # Six hours go by in which nobody renews it.
    read_at = int(_read_at(studio) - 361 * MINUTE_MS)
    studio.hold_off_pulls(last_success_at=read_at)
    assert studio.starts() == []
    (closed,) = [
        each for each in studio.look(f"connections/{connection['id']}")["for_clients"] if each["what"] == "closed"
    ]
    assert closed["resource"] == "anna"
    assert closed["services"] == ["consult"]
    assert closed["text"].startswith("Anna's ")
    assert "is closed to booking (Consultation) since" in closed["text"]
    assert "(Europe/Berlin), because" in closed["text"]
    assert studio.person.email in closed["text"]
    assert waiting.look()["status"] == "confirmed"


def _read_at(studio: Studio) -> float:
    calendar = studio.store.client.document(f"accounts/{studio.account}/calendars/{studio.calendar}").get().to_dict()
    assert calendar is not None
    return float(calendar["last_success_at"])
