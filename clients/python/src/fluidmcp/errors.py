"""What can go wrong. Every error is a FluidMCPError, and its text says what, where and how to mend it.

FluidMCPError
├── APIConnectionError (also ConnectionError)        no answer: nothing listens, the connection broke
│   └── APITimeoutError (also TimeoutError)          no answer in time
├── StreamInterruptedError                           an answer that began and did not come to its end
│   └── StreamTimeoutError (also TimeoutError)       … because nothing came any more
└── APIError                                         an answer that says no
    ├── BadRequestError 400, AuthenticationError 401, PermissionDeniedError 403, NotFoundError 404,
    │   ConflictError 409, RateLimitError 429, InternalServerError 5xx
    └── InvalidResponseError                         an answer that says yes and cannot be read
"""

from __future__ import annotations

from typing import Any


class FluidMCPError(Exception):
    """The base of all errors of this package."""


# Every constructor takes its text alone by position and has a default for the rest: so the errors can be pickled.


class APIConnectionError(FluidMCPError, ConnectionError):
    """There was no answer.

    sent is False when the request certainly did not reach the server, so that it is safe to send it again.
    """

    def __init__(self, text: str = "", *, sent: bool = True) -> None:
        super().__init__(text)
        self.sent = sent


class APITimeoutError(APIConnectionError, TimeoutError):
    """There was no answer in time. When sent is True, the server may be at work on the request all the same."""


class StreamInterruptedError(FluidMCPError):
    """A stream did not come to its end: the answer is incomplete. Everything that came before has been yielded.

    received is the number of chunks that came. code, type and body are those of the error event that the server
    sent into the stream, if it could.
    """

    def __init__(
        self,
        text: str = "",
        *,
        received: int = 0,
        code: str | int | None = None,
        type: str | None = None,
        request_id: str | None = None,
        body: Any = None,
    ) -> None:
        super().__init__(text)
        self.received = received
        self.code = code
        self.type = type
        self.request_id = request_id
        self.body = body


class StreamTimeoutError(StreamInterruptedError, TimeoutError):
    """A stream fell silent for longer than the read timeout."""


class APIError(FluidMCPError):
    """The server answered with an error.

    status is the HTTP status. message, type, code and param are those of the OpenAI API's envelope {"error": {...}},
    None where it had none. request_id is how logs of the gateway and of the model server name the request. retry_after
    says in how many seconds it may be worth to try again. body is the decoded JSON body, or its text.
    """

    def __init__(
        self,
        text: str = "",
        *,
        status: int = 0,
        message: str = "",
        type: str | None = None,
        code: str | int | None = None,
        param: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        body: Any = None,
    ) -> None:
        super().__init__(text)
        self.status = status
        self.message = message
        self.type = type
        self.code = code
        self.param = param
        self.request_id = request_id
        self.retry_after = retry_after
        self.body = body


class BadRequestError(APIError):
    """400: the request has to be changed."""


class AuthenticationError(APIError):
    """401: the API key is missing or wrong."""


class PermissionDeniedError(APIError):
    """403: the key does not allow this."""


class NotFoundError(APIError):
    """404: there is no such model or path."""


class ConflictError(APIError):
    """409: the state or kind of the model does not allow this."""


class RateLimitError(APIError):
    """429: too many requests; retry_after may say when to come back."""


class InternalServerError(APIError):
    """5xx: the gateway or the model server failed, or (503) none can answer now: code says whether the model is
    loading, stopped or has failed.
    """


class InvalidResponseError(APIError):
    """The server reported success, but its answer is not what it should be. Something else may listen there."""


_BY_STATUS: dict[int, type[APIError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    429: RateLimitError,
}


def class_for(status: int) -> type[APIError]:
    """Return the class of the error for an HTTP status."""
    return _BY_STATUS.get(status, InternalServerError if status >= 500 else APIError)
