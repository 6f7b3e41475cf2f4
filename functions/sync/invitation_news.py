"""The mail to somebody who is invited to an account. The token that it carries is made here, when it is sent (law 12)."""

from functions.adapters.signing import stored_invitation_token
from functions.adapters.store.documents import ACCOUNT
from functions.adapters.store.store import Reader
from functions.domain.decision import Ref
from functions.domain.instants import MINUTE_MS
from functions.domain.invitation import Invitation
from functions.domain.session import Client
from functions.domain.zones import zone
from functions.sync.wording import News, when
from functions.sync.work import Work

ABOUT_INVITATIONS = frozenset({"invited"})


def invitation_news(work: Work, reader: Reader) -> News | None:
    """None where it was used or taken back meanwhile, or has run out."""
    reader.load(ACCOUNT, Ref(Invitation, work.subject))
    account, invitation = reader.get(ACCOUNT), reader.get(Ref(Invitation, work.subject))
    if account is None or invitation is None or not invitation.is_open(work.now()):
        return None
    settings = work.application.settings
    token = stored_invitation_token(settings.signing_keys, work.account, invitation.id, invitation.token_hash)
    if token is None:
        return None
    until = when(invitation.expires_at // MINUTE_MS, zone(account.time_zone))
    return News(
        client=Client(name=invitation.email, email=invitation.email),
        subject=f"You are invited to {account.name}",
        lines=(
            f"You can run the bookings of {account.name}, as {invitation.role}. You were invited by {invitation.invited_by}.",
            f"Join until {until}: {settings.booking_url}/invitation#{token}",
            "Sign in there with a Google account that has this very address. If you expected no invitation, there is nothing to do.",
        ),
    )
