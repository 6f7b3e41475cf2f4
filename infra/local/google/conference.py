"""Conference data: asked for with `createRequest`, pending at first, there a moment later as a further change."""

import hashlib
from dataclasses import dataclass
from typing import Any

from infra.local.google import errors

Json = dict[str, Any]

_SOLUTIONS = ("hangoutsMeet", "eventHangout", "eventNamedHangout")


@dataclass
class ConferenceSettings:
    """How long a conference takes to be made, and whether it then fails."""

    delay_ms: int = 300
    fail: bool = False


def conference_part(old: Json, given: Json, *, version: int, replace: bool) -> Json:
    """`conferenceData` and `hangoutLink` after a change of an event.

    With conferenceDataVersion 0 a client does not know of conferences: what it sends is ignored, what was there stays.
    """
    kept: Json = {name: old[name] for name in ("conferenceData", "hangoutLink") if name in old}
    if version == 0:
        return kept
    if "conferenceData" not in given:
        return {} if replace else kept
    data = given["conferenceData"]
    if not data:
        return {}
    request = data.get("createRequest")
    if request is None:
        return {**kept, "conferenceData": data} if "entryPoints" in data else kept
    if not request.get("requestId"):
        raise errors.required("Missing conference request id.")
    if old.get("conferenceData", {}).get("createRequest", {}).get("requestId") == request["requestId"]:
        return kept
    solution = request.get("conferenceSolutionKey", {}).get("type", "hangoutsMeet")
    if solution not in _SOLUTIONS:
        raise errors.invalid("Invalid conference type value.")
    return {
        "conferenceData": {
            "createRequest": {
                "requestId": request["requestId"],
                "conferenceSolutionKey": {"type": solution},
                "status": {"statusCode": "pending"},
            }
        }
    }


def is_pending(body: Json) -> bool:
    request = body.get("conferenceData", {}).get("createRequest", {})
    return bool(request.get("status", {}).get("statusCode") == "pending")


def completed(body: Json, *, fail: bool) -> Json:
    """The event with its conference made, or with the failure noted."""
    request = body["conferenceData"]["createRequest"]
    if fail:
        return {**body, "conferenceData": {"createRequest": {**request, "status": {"statusCode": "failure"}}}}
    letters = "".join(chr(ord("a") + byte % 26) for byte in hashlib.sha256(request["requestId"].encode()).digest())
    code = f"{letters[:3]}-{letters[3:7]}-{letters[7:10]}"
    link = f"https://meet.google.com/{code}"
    data = {
        "createRequest": {**request, "status": {"statusCode": "success"}},
        "entryPoints": [{"entryPointType": "video", "uri": link, "label": f"meet.google.com/{code}"}],
        "conferenceSolution": {"key": request["conferenceSolutionKey"], "name": "Google Meet"},
        "conferenceId": code,
    }
    return {**body, "conferenceData": data, "hangoutLink": link}
