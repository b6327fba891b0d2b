"""Mail templates: all render, and user input can't add lines to the subject."""

from backend.mails.render import FOLDER, render
from backend.settings import load_settings


def test_a_file_name_stays_in_one_line_of_the_subject() -> None:
    settings = load_settings()
    context = {"name": "N", "filename": "a\r\nBcc: b@example.com"}
    subject, _text, _html = render("job_finished", context, settings)
    assert "\r" not in subject
    assert "\n" not in subject


def test_every_template_renders_with_its_context() -> None:
    settings = load_settings()
    context = {"name": "N", "link": "https://x.example/", "filename": "f.jpg"}
    names = sorted(path.name.removesuffix(".subject.txt") for path in FOLDER.glob("*.subject.txt"))
    assert len(names) >= 6
    for name in names:
        subject, text, html = render(name, context, settings)
        assert subject
        assert settings.APP_NAME in text
        assert "<html" in html
