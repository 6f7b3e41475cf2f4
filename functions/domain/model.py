"""The base of every document: immutable, closed (unknown fields are errors in requests, ignored when read back from the store)."""

from pydantic import BaseModel, ConfigDict


class Document(BaseModel):
    """A stored record. Reading ignores fields that a newer version of the code wrote, so that a roll-back can still read them."""

    model_config = ConfigDict(frozen=True, extra="ignore")
