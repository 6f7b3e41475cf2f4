"""The base of everything that is checked when it is made, and of every document."""

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """Its checks are built when the first one is made: an instance pays at its start only for what its first request needs.

    (Which several threads may do at once only since pydantic 2.14.)
    """

    model_config = ConfigDict(defer_build=True)


class Document(Model):
    """A stored record: immutable. Reading ignores fields that a newer version of the code wrote, so that a roll-back can still read them."""

    model_config = ConfigDict(frozen=True, extra="ignore")
