"""What the service refuses, and the gRPC status that each refusal becomes.

Codes and messages are those that the real service was seen to answer; the public conformance records of
aertje/cloud-tasks-emulator (test/conformance/golden) hold them.
"""

from __future__ import annotations

from typing import ClassVar

import grpc

NO_SUCH_QUEUE = (
    "Queue does not exist. If you just created the queue, wait at least a minute for the queue to initialize."
)
NO_SUCH_ENTITY = "Requested entity was not found."


class Refusal(Exception):
    """A call that is answered with an error status. Raised before anything has changed."""

    code: ClassVar[grpc.StatusCode] = grpc.StatusCode.UNKNOWN


class InvalidArgument(Refusal):
    """The request itself is wrong, whatever is stored."""

    code = grpc.StatusCode.INVALID_ARGUMENT


class NotFound(Refusal):
    """The queue or task does not exist, or no longer does."""

    code = grpc.StatusCode.NOT_FOUND


class AlreadyExists(Refusal):
    """The name is taken, or was until too short a time ago."""

    code = grpc.StatusCode.ALREADY_EXISTS


class FailedPrecondition(Refusal):
    """A queue of this name was deleted too recently."""

    code = grpc.StatusCode.FAILED_PRECONDITION


class Unimplemented(Refusal):
    """The real service does this, this one does not."""

    code = grpc.StatusCode.UNIMPLEMENTED
