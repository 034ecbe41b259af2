"""Nobody is left out: each provider that Penstock knows takes part in this suite."""

from tests.contract.cases import CASES, LOCAL_TEXT, Unknown
from workers.providers import registry


def test_every_provider_has_a_case() -> None:
    told = {case.outside.entry for case in (*CASES, LOCAL_TEXT)}
    assert told == set(registry.ENTRIES)


def test_case_names_are_unique() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)


def test_what_can_be_polled_can_be_found() -> None:
    """A provider that gives ids also lists what it made, so none of its work is given up unasked."""
    assert [case.name for case in CASES if case.polled and case.unknown is not Unknown.FOUND] == []
