"""The comparison of variables: the action for each, and refusals."""

import pytest

from scripts.deploy.errors import Refused
from scripts.deploy.variables import DeclaredVariables, Line, compare

DECLARED = DeclaredVariables(
    source="spec.yaml",
    fixed=frozenset({"ENVIRONMENT"}),
    open=frozenset({"S3_BUCKET", "SMTP_USERNAME", "STORAGE_ORIGINS"}),
    secret=frozenset({"SMTP_USERNAME"}),
)
ON_PLATFORM: dict[str, str | None] = {
    "ENVIRONMENT": "staging",
    "S3_BUCKET": "photos",
    "SMTP_USERNAME": None,
    "OLD": "x",
}


def actions(file: dict[str, str], *, prune: bool = False) -> dict[str, str]:
    return {line.key: line.action for line in compare(file, ON_PLATFORM, DECLARED, prune=prune)}


def test_a_variable_is_added_set_or_kept() -> None:
    file = {"S3_BUCKET": "photos", "SMTP_USERNAME": "u", "SMTP_HOST": "mail", "STORAGE_ORIGINS": "https://a.example"}
    expected = {"S3_BUCKET": "keep", "SMTP_USERNAME": "set", "SMTP_HOST": "add", "STORAGE_ORIGINS": "add"}
    assert actions(file) == expected | {"ENVIRONMENT": "keep", "OLD": "keep"}
    assert actions({"S3_BUCKET": "others"})["S3_BUCKET"] == "set"


def test_a_value_that_can_not_be_read_is_always_sent() -> None:
    (line, *_) = compare({"SMTP_USERNAME": "u"}, {"SMTP_USERNAME": None}, DECLARED, prune=False)
    assert line == Line("SMTP_USERNAME", True, "set", "can't be compared")


def test_pruning_removes_what_neither_the_file_nor_git_names() -> None:
    assert actions({"S3_BUCKET": "photos"}, prune=True) == {
        "S3_BUCKET": "keep",
        "ENVIRONMENT": "keep",
        "SMTP_USERNAME": "keep",
        "OLD": "remove",
    }


def test_secrets_are_those_of_the_settings_and_of_the_file_in_git() -> None:
    lines = compare({"SENTRY_DSN": "x", "SMTP_HOST": "y"}, {"SMTP_USERNAME": None}, DECLARED, prune=False)
    assert {line.key for line in lines if line.secret} == {"SENTRY_DSN", "SMTP_USERNAME"}
    assert Line("SMTP_USERNAME", True, "keep", "required, and not in the file") in lines


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ({"SMTP_PASWORD": "x"}, r"no setting SMTP_PASWORD \(did you mean SMTP_PASSWORD\?\)"),
        ({"STORAGE_ORIGIN": "x"}, r"did you mean STORAGE_ORIGINS\?"),
        ({"QWERTZ": "x", "SMTP_HOST": "y"}, r"no setting QWERTZ\. All settings are in \.env\.example"),
        ({"ENVIRONMENT": "x"}, r"spec\.yaml sets ENVIRONMENT"),
    ],
)
def test_unknown_names_and_names_set_in_git_are_refused(file: dict[str, str], message: str) -> None:
    with pytest.raises(Refused, match=message):
        compare(file, {}, DECLARED, prune=False)
