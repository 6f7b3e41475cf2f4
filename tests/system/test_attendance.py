"""An operator notes who came."""

import time

from tests.studio import Studio


def test_who_came_is_noted_once_the_session_has_begun(empty_studio: Studio) -> None:
    booked = empty_studio.book(empty_studio.starts()[0])
    url = f"{empty_studio.base}/bookings/{booked.id}"
    early = empty_studio.http.post(f"{url}/complete", headers=empty_studio.operator)
    assert early.status_code == 409

    # The session began a minute ago: in its document, nobody waits a week.
    begun = int(time.time()) // 60 - 1
    session = empty_studio.store.client.document(f"accounts/{empty_studio.account}/sessions/{booked.session}")
    session.update({"start": begun})
    missed = empty_studio.http.post(f"{url}/no-show", headers=empty_studio.operator)
    assert missed.json()["status"] == "no_show"
    corrected = empty_studio.http.post(f"{url}/complete", headers=empty_studio.operator)
    assert corrected.json()["status"] == "completed"
    assert ("booking.completed", "operator") in booked.history()
    client = empty_studio.http.post(f"{url}/complete", headers={"Authorization": f"Bearer {booked.token}"})
    assert client.status_code == 401
