"""The list of migrations between two releases."""

import pytest

from scripts.deploy.migrations import between


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("0004", "0004", []),
        ("0002", "0004", ["0003_audit_log", "0004_families_and_recipients"]),
        ("", "0002", ["0001_first_schema", "0002_accounts_and_mails"]),
        ("0002", "", []),
    ],
)
def test_the_migrations_between_two_releases_are_named(before: str, after: str, expected: list[str]) -> None:
    assert between(before, after) == expected


def test_an_older_release_and_one_that_is_not_in_this_folder_are_reported() -> None:
    assert "the schema is not downgraded" in between("0004", "0002")[0]
    assert "git fetch" in between("9000", "9001")[0]
