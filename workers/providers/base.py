"""The contract of a provider: adapters translate, the pipeline decides.

An adapter turns a `Request` into its provider's call and the answer into one of the values below. Retrying,
waiting, paying, storing and publishing are the pipeline's.

How `submit` ends says what may follow:

    Accepted       the provider has it and gave an id: poll until it ends
    Finished       a synchronous provider answered with the result
    Ended          a synchronous provider said its final word without a result, and may bill for it
    NotSent        raised: proven that the request never left (refused connection, DNS, TLS): free to retry
    Refused        raised: the provider said no (429, other 4xx): retry or fail as its error says
    anything else  raised (timeout, reset after the write, 5xx, an answer that cannot be read): unknown.
                   The pipeline never submits again before `find` has said what became of it.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Protocol
from uuid import UUID

from shared.catalog import ModelCard
from shared.errors import JobError
from shared.settings import Limits


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file input, at a URL that the provider (or we) can fetch for the next hour."""

    url: str
    mime: str | None = None
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One paid call. `submission_id` is the tag to give the provider wherever it takes one."""

    submission_id: UUID
    generation_id: UUID
    account_id: UUID
    kind: str
    model: str
    input: Mapping[str, Any]
    """The kind's parameters, validated, None where not given."""
    files: Mapping[str, InputFile]
    time_limit_s: float
    """After this the provider should stop by itself."""
    callback_url: str | None = None
    confirm: Callable[[], None] = field(default=lambda: None, repr=False, compare=False)
    """An adapter that waits for anything before the paid call (files, a version) calls this right before it.
    Raises NotSent in a process that was stopped for so long that others may have given the submission up."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """An output at the provider, copied at once."""

    url: str
    mime: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """What the provider says of how it was made, small and JSON-able: {seed: 7, tempo: 96}. A `seed` is one that
    makes it again; it is what a rerun with the same seed takes."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An output that a synchronous adapter already wrote through `Sink.write`."""

    key: str
    mime: str
    bytes: int
    sha256: str
    text: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """As those of a `RemoteFile`; the adapter adds them to what the sink returned."""
    virus: str | None = None
    """What the virus scanner found in it; it is not delivered."""
    unseen: bool = False
    """The virus scanner could not look at it yet, and must before it is delivered."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What the provider says it used, by unit (see `Kind.units`), or the exact cost where it names one."""

    units: Mapping[str, Decimal] = field(default_factory=dict)
    cost_nanos: int | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    remote_id: str


@dataclass(frozen=True, slots=True)
class Pending:
    """Still at the provider. `progress` is 0 to 1 where it is known."""

    running: bool
    progress: float | None = None
    queue_position: int | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """`remote_id` is what a synchronous provider calls the work, where it names it: so that nobody takes it for
    a lost submission's."""

    outputs: Sequence[RemoteFile | StoredFile]
    usage: Usage
    remote_id: str | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """The provider's final word without a result: it failed there, or was canceled there.

    `curable` says that another route may do better; a refused prompt or a bad parameter is never curable.
    """

    error: JobError
    usage: Usage = Usage()
    curable: bool = True
    canceled: bool = False


@dataclass(frozen=True, slots=True)
class Gone:
    """The provider does not know the id (any more)."""


Answer = Pending | Finished | Ended | Gone
Outcome = Accepted | Finished | Ended


@dataclass(frozen=True, slots=True)
class Found:
    """`find` met the submission at the provider under this id."""

    remote_id: str


@dataclass(frozen=True, slots=True)
class Absent:
    """The provider was asked and does not have it (yet)."""


@dataclass(frozen=True, slots=True)
class Unaskable:
    """This provider cannot be asked about submissions without an id."""


class NotSent(Exception):
    """The request never left us."""


class HeldBack(NotSent):
    """We did not send it, for a reason that is not the provider's: an input that cannot be read, or a process
    that may send nothing any more."""


class UnreadableAnswer(Exception):
    """The provider answered something that says neither yes nor no: what became of the call is unknown."""


class Refused(Exception):
    """The provider refused the request and bills nothing.

    `retry_after_s` asks for a cool-down of the credential: nothing is sent with it until then, and no
    attempt is spent. `curable` says that another route may do better.
    """

    def __init__(self, error: JobError, *, retry_after_s: float | None = None, curable: bool = True) -> None:
        super().__init__(error.message)
        self.error = error
        self.retry_after_s = retry_after_s
        self.curable = curable


@dataclass(frozen=True, slots=True)
class Job:
    """An accepted submission, as `poll` and `cancel` need it."""

    submission_id: UUID
    remote_id: str
    kind: str
    model: str
    input: Mapping[str, Any]
    accepted_at: datetime | None = None
    """When we wrote its id down: not before it was made."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A submission without an id, as `find` needs it.

    `taken` are ids at the provider that belong to other submissions of ours; `alone` says that no other
    submission of an equal request is without an id, so that an unclaimed equal job can only be this one.
    """

    request: Request
    intent_at: datetime
    taken: frozenset[str] = frozenset()
    alone: bool = False


@dataclass(frozen=True, slots=True)
class RemoteJob:
    """A job as the provider's own list shows it; `callback_url` is the one it was submitted with, if shown."""

    remote_id: str
    created_at: datetime
    callback_url: str | None = None
    model: str | None = None
    status: str | None = None


class Sink(Protocol):
    """What a synchronous adapter writes to while it works."""

    async def write(
        self, n: int, mime: str, chunks: AsyncIterator[bytes], *, text: str | None = None
    ) -> StoredFile:
        """Stores output `n` under the submission's key. Doing it twice is harmless."""

    async def progress(self, fraction: float, stage: str = "provider_running") -> None:
        """Shows how far it is, 0 to 1; sent at most four times a second."""

    async def delta(self, offset: int, text: str) -> None:
        """Shows text as it is written; `offset` is its place in the whole, in characters."""


class Provider(ABC):
    """One provider with one credential. Raise nothing from the constructor for a missing key: say it in
    `unavailable_reason`, and the cards are listed as unavailable."""

    name: ClassVar[str]
    credential: str = "platform"
    """Which account of ours at the provider; limits and cool-downs are kept for each."""
    limits: ClassVar[Limits] = Limits()
    """What the provider allows a credential unless its account has other terms (PROVIDER_LIMITS)."""
    submit_timeout_s: ClassVar[float] = 30.0
    """The longest that `submit` may take; a lease that does not surely last so long starts no call."""
    interruptible: ClassVar[bool] = False
    """Whether `submit` may be cut off at any time because it costs nothing: true of work done here."""
    lists_jobs: ClassVar[bool] = False
    """Whether `recent` answers, so that a daily audit can set the provider's list against our record."""
    find_window_s: ClassVar[float] = 60.0
    """How long after the intent an unknown submission may still turn up; after that it is lost."""

    @property
    @abstractmethod
    def cards(self) -> Sequence[ModelCard]: ...

    @property
    def unavailable_reason(self) -> str | None:
        return None

    @abstractmethod
    async def submit(self, request: Request, sink: Sink) -> Outcome: ...

    async def poll(self, jobs: Sequence[Job]) -> Mapping[UUID, Answer | Exception]:
        """The state of each job by submission id; an exception is a question to be asked again later."""
        raise LookupError(f"{self.name} accepts nothing that could be polled")

    async def cancel(self, job: Job) -> None:
        """Asks the provider to stop. Raises if that could not be asked; the final word comes by `poll`."""
        raise LookupError(f"{self.name} accepts nothing that could be canceled")

    async def find(self, lost: Lost) -> Found | Absent | Unaskable:
        """What became of a submission whose answer never reached us. Raises if it cannot be asked now."""
        return Unaskable()

    def recent(self, since: datetime, until: datetime) -> AsyncIterator[Sequence[RemoteJob]]:
        """All jobs that were made in this time with our credential, by whomever, in pages. Raises when the list
        cannot be read to its end."""
        raise LookupError(f"{self.name} has no list of jobs")

    def headers_for(self, url: str) -> Mapping[str, str]:
        """What to send when an output is fetched from `url`; nothing unless the URL is this provider's own and
        asks for its credential."""
        return {}

    async def close(self) -> None:  # noqa: B027  # most adapters have nothing to end
        """Ends connections."""
