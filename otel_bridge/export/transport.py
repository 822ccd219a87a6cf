"""What a transport is: one request goes out, and what the receiver made of it comes back."""

from enum import Enum
from typing import Final, NamedTuple, Protocol

NO_RECEIVER: Final = "no receiver"
"""The `error.type`, and the reason of drops, where nothing can be sent."""


class Outcome(Enum):
    """What the receiver made of a request: https://opentelemetry.io/docs/specs/otlp/#failures."""

    ACCEPTED = "accepted"
    """It has the records, except those that it says it rejected."""
    UNAVAILABLE = "unavailable"
    """It may take the same request later."""
    TOO_LARGE = "too large"
    """It may take the records in smaller requests."""
    REFUSED = "refused"
    """It will never take this request; records that are not at fault may pass without those that are."""


class Answer(NamedTuple):
    """The receiver's answer to one request."""

    outcome: Outcome
    rejected: int = 0
    """Records of an accepted request that the receiver did not take: OTLP's partial success."""
    retry_after: float | None = None
    """Seconds that the receiver asks to wait; `None` where it does not say."""
    error_type: str | None = None
    """For `error.type`: a status code, or the class of the error of the connection; `None` where all went well."""
    message: str = ""
    """One line for people, without secrets."""


class Transport(Protocol):
    """
    Sends encoded requests over one connection, from one thread of one process.

    A transport is made in the process that uses it, and never used by a forked child of it.
    """

    def send(self, request: bytes, timeout: float) -> Answer:
        """
        Send one `ExportLogsServiceRequest`.

        Args:
            request: The encoded message.
            timeout: Seconds for the whole call.

        Returns:
            The answer; an error of the connection is one too. Never raises an `Exception`.
        """
        ...

    def close(self) -> None:
        """Close the connection. Never raises."""
        ...


class Nowhere:
    """
    Stands for a receiver that the environment names wrongly: what waits is kept for a process that knows better.

    Args:
        why: What is wrong, as a sentence.
    """

    def __init__(self, why: str) -> None:
        self._answer = Answer(Outcome.UNAVAILABLE, error_type=NO_RECEIVER, message=why)

    def send(self, request: bytes, timeout: float) -> Answer:  # noqa: ARG002 - see `Transport`
        """Send nothing."""
        return self._answer

    def close(self) -> None:
        """Do nothing."""
