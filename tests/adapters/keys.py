"""Fixed keys for the adapters' tests. They protect nothing."""

from functions.adapters.settings import SecretKey

OLD = SecretKey("2026", bytes(range(32)))
NEW = SecretKey("2027", bytes(range(100, 132)))
STRANGE = SecretKey("2027", bytes(range(200, 232)))  # another key under a name that we use
