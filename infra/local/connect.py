"""`python -m infra.local connect`: use a refresh token that was granted elsewhere."""

from __future__ import annotations

from pathlib import Path

from infra.local.addresses import NotRunning, running_addresses
from infra.local.client import BookingApi
from infra.local.connections import connect_granted, wait_for_calendars


def connect(directory: Path, *, email: str, refresh_token: str) -> None:
    """Connect the account and print its calendars. The token is never printed.

    Raises NotRunning, ApiError or TimeoutError.
    """
    addresses = running_addresses(directory)
    if addresses.account is None or addresses.operator is None:
        raise NotRunning("the platform runs without its demo account: start it with all its parts")
    with BookingApi(addresses.booking, account=addresses.account, api_key=addresses.operator.api_key) as api:
        connection = connect_granted(api, email=email, refresh_token=refresh_token)
        print(f"Connected {email} as {connection}. Its calendars:")
        for calendar in wait_for_calendars(api, connection):
            primary = ", primary" if calendar["primary"] else ""
            print(f"  {calendar['id']}  {calendar['summary']} ({calendar['role']}{primary}, {calendar['time_zone']})")
