"""Files of variables are parsed strictly: unknown syntax is refused by line and name, without the value."""

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scripts.deploy.env_file import LONGEST, parse
from scripts.deploy.errors import Refused
from scripts.deploy.sync import read_values

HIDDEN = "hidden"


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=b", "b"),
        ("A=b c", "b c"),
        ("A=b=c==", "b=c=="),
        ("A=b#c", "b#c"),
        ("A=$HOME/${X}/`id`", "$HOME/${X}/`id`"),
        (r"A=b\n", r"b\n"),
        ("A=it's", "it's"),
        ("A='b # c '", "b # c "),
        (r"A='$X \n \" \\'", r"$X \n \" \\"),
        ("A='\"'", '"'),
        (r'A="b\nc"', "b\nc"),
        (r'A="\"\\\$"', '"\\$'),
        ('A=" it\'s # $X "', " it's # $X "),
        ("A=ü\u2028ß", "ü\u2028ß"),
        ("_a1=b", "b"),
    ],
)
def test_a_value_is_read_as_written(line: str, value: str) -> None:
    (read,) = parse(f"# a comment\n\n  # another\n{line}\n", "file").values()
    assert read == value


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (f"A={HIDDEN}\r", "line 2: has a Windows line ending (CR LF)"),
        (f"A='{HIDDEN}\rx'", "line 2: has a Windows line ending (CR LF)"),
        (f"export A={HIDDEN}", "line 2: starts with `export `"),
        (f" A={HIDDEN}", "line 2: starts with a space"),
        (f"A ={HIDDEN}", "line 2: is not NAME=value"),
        (HIDDEN, "line 2: is not NAME=value"),
        (f"1A={HIDDEN}", "line 2: is not NAME=value"),
        (f"A.B={HIDDEN}", "line 2: is not NAME=value"),
        (f"\ufeffA={HIDDEN}", "line 2: is not NAME=value"),
        (f"A= {HIDDEN}", "line 2: A starts or ends with a space"),
        (f"A={HIDDEN} ", "line 2: A starts or ends with a space"),
        (f"A={HIDDEN} # why", "line 2: A starts or ends with a space, or has a comment"),
        ("A=", "line 2: A is empty"),
        ("A=''", "line 2: A is empty"),
        ('A=""', "line 2: A is empty"),
        (f"A='{HIDDEN}", "line 2: A has a quote that is not closed"),
        (f'A="{HIDDEN}', "line 2: A has a quote that is not closed"),
        ("A='", "line 2: A has a quote that is not closed"),
        (f'A="{HIDDEN}\\"', r"""line 2: A has a " or \ that is not written"""),
        (f"A='{HIDDEN}' # why", "line 2: A has a quote that is not closed"),
        (f"A='{HIDDEN}'x'", "line 2: A has a single quote inside"),
        (f'A="{HIDDEN}"x"', r"""line 2: A has a " or \ that is not written"""),
        (f'A="{HIDDEN}\\t"', r"""line 2: A has a " or \ that is not written"""),
        (f"A={HIDDEN}\0", "line 2: A contains a NUL"),
        (f"A=EV[1:{HIDDEN}]", "line 2: A is a value that App Platform encrypted"),
        (f"A='EV[1:{HIDDEN}]'", "line 2: A is a value that App Platform encrypted"),
        (f"A={HIDDEN * LONGEST}", f"line 2: A is longer than {LONGEST} bytes"),
        (f"B={HIDDEN}", "line 2: B is set twice"),
    ],
)
def test_unknown_syntax_is_refused_by_line_and_name(line: str, message: str) -> None:
    with pytest.raises(Refused) as refused:
        parse(f"B=x\n{line}\n", ".env.staging")
    assert str(refused.value).startswith(f".env.staging, {message}")
    assert HIDDEN not in str(refused.value)


# Any value that a file can contain.
VALUES = st.text(min_size=1, max_size=200).filter(lambda text: not set("\r\0") & set(text) and text[:3] != "EV[")


@settings(max_examples=300, deadline=None)
@given(values=st.lists(VALUES, max_size=4))
@example(values=["\\", '"', "\n", "$", "\\n", " #'", "\ufeff"])
def test_every_value_can_be_written_in_double_quotes(values: list[str]) -> None:
    def quoted(value: str) -> str:
        for written, meant in (("\\\\", "\\"), ('\\"', '"'), ("\\$", "$"), ("\\n", "\n")):
            value = value.replace(meant, written)
        return f'"{value}"'

    text = "".join(f"V{number}={quoted(value)}\n" for number, value in enumerate(values))
    assert parse(text, "file") == {f"V{number}": value for number, value in enumerate(values)}


@settings(max_examples=300, deadline=None)
@given(value=VALUES)
def test_every_value_of_one_line_without_single_quotes_can_be_written_in_them(value: str) -> None:
    if not set("'\n") & set(value):
        assert parse(f"A='{value}'", "file") == {"A": value}


@settings(max_examples=300, deadline=None)
@given(text=st.text(alphabet="AB='\"\\ #\nn$", max_size=40))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        values = parse(text, "file")
    except Refused:
        return
    assert all(values.values())


def test_a_file_is_read_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "env"
    for content in (b"A=b\r\n", b"A=\xff\n"):
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(Refused, match=r"CR LF|can't be read"):
            read_values(str(path))
    path.write_bytes(b"\xef\xbb\xbfA=\xc3\xbc")
    # The byte order mark that some editors write is not part of the first name.
    assert read_values(str(path)) == {"A": "ü"}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_file_that_others_can_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "env"
    path.write_text("A=b")
    path.chmod(mode)
    with pytest.raises(Refused, match=f"chmod 600 {path}"):
        read_values(str(path))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="none can't be read"):
        read_values(str(tmp_path / "none"))
