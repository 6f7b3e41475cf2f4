"""The base of everything that is checked when it is made, and of every document."""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """Its checks are built when the first one is made: an instance pays at its start only for what its first request needs.

    (Which several threads may do at once only since pydantic 2.14.)
    """

    model_config = ConfigDict(defer_build=True)


class Document(Model):
    """A stored record: immutable. Reading ignores fields that a newer version of the code wrote, so that a roll-back can still read them."""

    model_config = ConfigDict(frozen=True, extra="ignore")


@dataclass(frozen=True)
class Personal:
    """Marks a document's field that says who a client is, or holds words about them. `erased`: what it says once they are forgotten.

    What may hold text and is not marked has to be named in `tests/adapters/test_personal_data.py`, with what it holds instead.
    """

    erased: object = None
