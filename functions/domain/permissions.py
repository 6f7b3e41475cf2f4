"""What an operator may do: permissions, and the roles that are made of them.

A member of an account has a role; an API key has the permissions that it was made with.
"""

from collections.abc import Mapping
from typing import Literal

Permission = Literal["read", "bookings", "settings", "connections", "members", "personal_data"]
Role = Literal["owner", "manager", "viewer"]

# `bookings`: sessions, bookings, the waitlist and the inbox. `settings`: services, resources, presets, the account. `connections`: Google accounts and
# their calendars. `members`: who belongs to the account, and its API keys. `personal_data`: export and erasure of a client.
EVERYTHING: frozenset[Permission] = frozenset(
    ("read", "bookings", "settings", "connections", "members", "personal_data")
)
OF_ROLE: Mapping[Role, frozenset[Permission]] = {
    "owner": EVERYTHING,
    "manager": frozenset(("read", "bookings", "settings", "connections")),
    "viewer": frozenset(("read",)),
}


def role_within(role: Role, may: frozenset[Permission]) -> bool:
    """Whether who may do this may also give that role to somebody, or take it away: nobody gives what they do not have."""
    return OF_ROLE[role] <= may
