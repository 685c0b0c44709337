"""A page in a real browser, with a log of all that it said and asked for."""

import pytest

SIZE = {"width": 1280, "height": 760}


class Opened:
    """A page with a log of all that it said and asked for."""

    def __init__(self, page, path, fragment=""):
        self.page = page
        self.said, self.asked = [], []
        self.listeners = {
            "console": lambda message: self.said.append(message.text),
            "pageerror": lambda error: self.said.append(str(error)),
            "request": lambda request: self.asked.append(request.url),
        }
        for event, listener in self.listeners.items():
            page.on(event, listener)
        self.url = path.as_uri()
        page.goto(self.url + fragment)

    def leave(self):
        """The page is empty again, for the next test."""
        for event, listener in self.listeners.items():
            self.page.remove_listener(event, listener)
        self.page.goto("about:blank")
        self.page.set_viewport_size(SIZE)

    def press(self, key, times=1):
        for _ in range(times):
            self.page.keyboard.press(key)

    def go_through(self, js="() => null"):
        """Presses the right arrow until the last step; what a function says after each press."""
        return self.page.evaluate(
            f"""() => {{ const said = [];
              while (!document.getElementById("next").disabled) {{
                document.dispatchEvent(new KeyboardEvent("keydown", {{ key: "ArrowRight", bubbles: true }}));
                said.push(({js})());
              }}
              return said; }}"""
        )

    def slot(self, name):
        texts = self.page.eval_on_selector_all(f'[data-slot="{name}"]', "es => es.map(e => e.textContent)")
        assert len(set(texts)) == 1, "picture and table must agree"
        return texts[0]

    def count(self):
        return self.page.inner_text("#count")


@pytest.fixture(scope="module")
def empty_pages(browser):
    """Empty pages by what they were asked to be: making one takes longer than most tests."""
    pages = {}
    yield pages
    for spare in pages.values():
        for page in spare:
            page.context.close()


@pytest.fixture
def open_page(browser, empty_pages, tmp_path):
    opened = []

    def open_(page, fragment="", **options):
        options = {"reduced_motion": "reduce", **options}  # what moves is drawn sixty times a second
        path = page.save(tmp_path / f"page{len(opened)}.html")
        key = tuple(sorted(options.items()))
        spare = empty_pages.setdefault(key, [])
        tab = spare.pop() if spare else browser.new_page(viewport=SIZE, **options)
        opened.append((key, Opened(tab, path, fragment)))
        return opened[-1][1]

    yield open_
    for key, o in opened:
        assert o.said == []
        assert {url.partition("#")[0] for url in o.asked} == {o.url}, "a request left the page"
        o.leave()
        empty_pages[key].append(o.page)
