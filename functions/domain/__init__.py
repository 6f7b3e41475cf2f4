"""The rules of the business: pure functions over plain values.

Nothing here does I/O, reads a clock, draws a random number or knows Firestore, Flask or Google's client. Imports: the standard library,
pydantic and dateutil. `tests/domain/test_purity.py` holds that.
"""
