"""The trouble a test has ordered for the messages to come."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Stage(StrEnum):
    """After which SMTP command the refusal is answered."""

    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"


class Refusal(BaseModel):
    """Answer the next `count` messages with `code` (RFC 5321: 4xx is temporary, 5xx is final)."""

    model_config = ConfigDict(extra="forbid")
    count: int = Field(default=1, ge=1)
    code: int = Field(default=451, ge=400, le=599)
    stage: Stage = Stage.DATA


class Drop(BaseModel):
    """Close the connection of the next `count` messages after their last line; `keep` says whether they were taken."""

    model_config = ConfigDict(extra="forbid")
    count: int = Field(default=1, ge=1)
    keep: bool = True


class Ordered(BaseModel):
    refuse: Refusal | None
    drop: Drop | None


class Trouble:
    """What is still to come. A refusal comes before a drop, and each is used up message by message."""

    def __init__(self) -> None:
        self._refusal: Refusal | None = None
        self._drop: Drop | None = None

    @property
    def ordered(self) -> Ordered:
        return Ordered(refuse=self._refusal, drop=self._drop)

    def order_refusal(self, refusal: Refusal) -> None:
        self._refusal = refusal

    def order_drop(self, drop: Drop) -> None:
        self._drop = drop

    def take_back(self) -> None:
        self._refusal = None
        self._drop = None

    def next_refusal(self, stage: Stage) -> int | None:
        """The code to answer with at this stage, or None to go on."""
        refusal = self._refusal
        if refusal is None or refusal.stage is not stage:
            return None
        left = refusal.count - 1
        self._refusal = refusal.model_copy(update={"count": left}) if left else None
        return refusal.code

    def next_drop(self) -> Drop | None:
        """The drop to make of this message, or None to answer it."""
        drop = self._drop
        if drop is None:
            return None
        left = drop.count - 1
        self._drop = drop.model_copy(update={"count": left}) if left else None
        return drop
