"""A user processes a photo in a real browser."""

from pathlib import Path

import pytest
import pyvips
from playwright.sync_api import Page

from tests.actions import PASSWORD, sign_up_and_in
from tests.photos import make_photo
from tests.servers import LiveServer


@pytest.mark.usefixtures("worker")
def test_a_user_signs_in_uploads_a_photo_and_downloads_a_result(page: Page, server: LiveServer, tmp_path: Path) -> None:
    with server.client() as client:
        email = sign_up_and_in(client)["email"]
    photo = tmp_path / "Bag red.jpg"
    photo.write_bytes(make_photo(2000, 1500))

    page.goto("/")
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Choose photos").set_input_files(photo)
    card = page.get_by_role("article").filter(has_text="Bag red.jpg")
    card.get_by_text("Done").wait_for(timeout=30_000)
    with page.expect_download() as download:
        card.get_by_role("link", name="800 × 600").click()
    saved = tmp_path / "saved.webp"
    download.value.save_as(saved)

    assert download.value.suggested_filename == "Bag red-web-800.webp"
    image = pyvips.Image.new_from_file(str(saved))
    assert image.width == 800
    assert image.height == 600
