"""What a request is refused with: one class a gRPC status, so that the code that refuses says whose fault it is."""

from typing import ClassVar

import grpc


class Refused(Exception):
    """A request that is answered with a gRPC status instead of a result."""

    status: ClassVar[grpc.StatusCode] = grpc.StatusCode.INTERNAL


class InvalidArgument(Refused):
    """The request breaks a rule of Firestore, whatever is stored."""

    status = grpc.StatusCode.INVALID_ARGUMENT


class NotFound(Refused):
    """A document that must exist does not."""

    status = grpc.StatusCode.NOT_FOUND


class AlreadyExists(Refused):
    """A document that must not exist does."""

    status = grpc.StatusCode.ALREADY_EXISTS


class FailedPrecondition(Refused):
    """The stored document has another update time than the write requires."""

    status = grpc.StatusCode.FAILED_PRECONDITION


class Aborted(Refused):
    """A transaction read something that was changed before its commit. The client begins again."""

    status = grpc.StatusCode.ABORTED


class Unimplemented(Refused):
    """Firestore does this; the embedded stand-in does not."""

    status = grpc.StatusCode.UNIMPLEMENTED

    def __init__(self, what: str) -> None:
        super().__init__(f"the embedded Firestore stand-in does not serve {what}")
