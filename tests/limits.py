"""What one caller may ask for, where a test is not about that: all the clients of a test run call from one address."""

GENEROUS = {
    "BOOKINGS_PER_ADDRESS": "1000000/60",
    "BOOKINGS_PER_EMAIL": "1000000/60",
    "CHANGES_PER_ADDRESS": "1000000/60",
    "REFUSALS_PER_ADDRESS": "1000000/60",
    "SIGN_INS_PER_ADDRESS": "1000000/60",
    "HOLDS_PER_ADDRESS": "1000000",
    "INVITATIONS_PER_ACCOUNT": "1000000/60",
    "INVITATIONS_PER_EMAIL": "1000000/60",
}
