"""A result that cannot be stored has its bill all the same."""

from collections.abc import Iterator
from contextlib import contextmanager

from workers.artifacts import ArtifactError
from workers.providers.base import Usage


@contextmanager
def billed(usage: Usage) -> Iterator[None]:
    """Whatever cannot be stored inside is settled by `usage`."""
    try:
        yield
    except ArtifactError as error:
        error.usage = usage
        raise
