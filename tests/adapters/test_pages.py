"""Pages of our own: the frame, read without a mouse and without eyes."""

from markupsafe import Markup

from functions.booking.pages import page, problems


def test_a_page_says_its_language_and_its_title_and_has_one_heading_for_all() -> None:
    html = page("Nord & Süd", Markup("<p>Hello</p>")).get_data(as_text=True)
    assert html.startswith('<!doctype html><html lang="en">')
    assert "<title>Nord &amp; Süd</title>" in html
    assert html.count("<h1>") == html.count("<main>") == 1


def test_who_is_told_what_is_wrong_begins_there() -> None:
    """Many readers do not read out an alert that was there when the page was shown."""
    assert problems() == ""
    told = problems("a < b", "c")
    assert told == '<div class="problem" role="alert" tabindex="-1" autofocus><p>a &lt; b</p><p>c</p></div>'
