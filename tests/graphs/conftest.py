"""A page in a real browser, with a log of all that it said and asked for."""

import pytest


class Opened:
    """A page with a log of all that it said and asked for."""

    def __init__(self, browser, path, fragment="", **options):
        self.page = browser.new_page(viewport={"width": 1280, "height": 760}, **options)
        self.said, self.asked = [], []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.url = path.as_uri()
        self.page.goto(self.url + fragment)

    def press(self, key, times=1):
        for _ in range(times):
            self.page.keyboard.press(key)

    def slot(self, name):
        texts = {e.text_content() for e in self.page.query_selector_all(f'[data-slot="{name}"]')}
        assert len(texts) == 1, "picture and table must agree"
        return texts.pop()

    def count(self):
        return self.page.inner_text("#count")


@pytest.fixture
def open_page(browser, tmp_path):
    opened = []

    def open_(page, fragment="", **options):
        path = page.save(tmp_path / f"page{len(opened)}.html")
        opened.append(Opened(browser, path, fragment, **options))
        return opened[-1]

    yield open_
    for o in opened:
        assert o.said == []
        assert {url.partition("#")[0] for url in o.asked} == {o.url}, "a request left the page"
        o.page.close()
