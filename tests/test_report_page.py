"""The report's page in a real browser: on a phone and on a desk, light and dark, without a network."""

import itertools
import json
import struct
import tempfile
import unittest
from collections.abc import Callable
from pathlib import Path

import program
from headless_browser import browser_page
from report_scenes import HOSTILE, LONG, Scenes
from running_standin import running_standin
from throwaway_postgres import running_server

# Kept, for whoever wants to see them.
SCREENSHOTS = program.REPOSITORY / "target/screenshots"
SCREENS = {"phone": (360, 740), "tablet": (768, 1000), "desktop": (1280, 900)}
SCHEMES = ("light", "dark")

# What sticks out of the screen, or out of what it stands in and is cut off.
OVERFLOWING = """
[...document.querySelectorAll("body *")].filter(element => {
  const box = element.getBoundingClientRect(), style = getComputedStyle(element);
  if (element.closest(".hidden, thead") && style.clipPath !== "none" || !box.width) return false;
  if (element.closest("thead") && getComputedStyle(element.closest("thead")).clipPath !== "none") return false;
  const cut = style.overflowX !== "visible" && element.scrollWidth > element.clientWidth + 1;
  return box.left < -1 || box.right > innerWidth + 1 || cut;
}).map(element => element.outerHTML.slice(0, 120))
"""
SCROLLS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"

# Texts whose contrast is below what WCAG AA asks of small ones.
FAINT = """
(() => {
  const channels = color => color.match(/[\\d.]+/g).map(Number);
  const light = color => {
    const [r, g, b] = channels(color).map(c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = element => {
    for (; element; element = element.parentElement) {
      const color = getComputedStyle(element).backgroundColor, [, , , alpha = 1] = channels(color);
      if (alpha === 1) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let seen = 0; walker.nextNode(); ) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || element.closest("script, title")) continue;
    const style = getComputedStyle(element), color = element.closest("svg") ? style.fill : style.color;
    const [a, b] = [light(color), light(behind(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) found.push([walker.currentNode.data, ratio]);
  }
  return found;
})()
"""


class ReportPage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="project-report-")))
        server, standin = cls.enterClassContext(running_server()), cls.enterClassContext(running_standin())
        scenes = Scenes(server, standin, folder)
        cls.pages = {"good": scenes.good_night("good.html"), "bad": scenes.bad_night("bad.html")}
        cls.browser = cls.enterClassContext(browser_page())

    def in_every_view(self, check: Callable[[str, str, str], None]) -> None:
        """Checks each page on each screen, light and dark, while it is open there."""
        for view in itertools.product(self.pages, SCREENS, SCHEMES):
            with self.subTest(view=view):
                self.look_at(*view)
                check(*view)

    def look_at(self, name: str, screen: str = "desktop", scheme: str = "light") -> None:
        self.browser.look_at(self.pages[name], *SCREENS[screen], scheme)

    def text(self) -> str:
        return self.browser.evaluate("document.body.innerText")

    def test_nothing_sticks_out_and_nothing_has_to_be_pushed_sideways(self):
        def check(*_: str) -> None:
            self.assertFalse(self.browser.evaluate(SCROLLS))
            self.assertEqual(self.browser.evaluate(OVERFLOWING), [])

        self.in_every_view(check)

    def test_every_text_can_be_read(self):
        self.in_every_view(lambda *_: self.assertEqual(self.browser.evaluate(FAINT), []))

    def test_it_asks_for_nothing_and_the_browser_has_nothing_to_remark(self):
        def check(name: str, *_: str) -> None:
            self.assertEqual(self.browser.requests(), [self.pages[name].as_uri()])
            self.assertEqual(self.browser.complaints(), [])

        self.in_every_view(check)

    def test_screenshots(self):
        pictures: set[bytes] = set()

        def check(name: str, screen: str, scheme: str) -> None:
            picture = self.browser.screenshot(SCREENSHOTS / f"{name}-{screen}-{scheme}.png")
            width, height = struct.unpack(">II", picture[16:24])
            self.assertEqual(width, SCREENS[screen][0])
            self.assertGreater(height, SCREENS[screen][1])
            self.assertNotIn(picture, pictures, "it looks like another one, such as dark like light")
            pictures.add(picture)

        self.in_every_view(check)

    def test_the_failure_and_what_to_do_stand_first(self):
        self.look_at("bad", "phone")
        text = self.text()
        order = ["1 of 5 tables failed", "public.refused", "raise --rejects", "What to do.", "Rows", "Timeline", "Tables"]
        self.assertEqual(sorted(order, key=text.index), order)
        top = self.browser.evaluate("document.querySelector('.remedy').getBoundingClientRect().top")
        self.assertLess(top, SCREENS["phone"][1], "somebody would have to scroll to it")

    def test_it_tells_what_deserves_a_look(self):
        self.look_at("bad")
        for told in ["\u22122,000 (\u221266.6 %)", "Left out: 1 row of public.measured that the lake cannot hold", "infinity=clamp"]:
            self.assertIn(told, self.text())

    def test_a_name_stays_text(self):
        self.look_at("bad")
        self.assertIn(HOSTILE, self.text())
        self.assertIn("valid <b>until</b>", self.text())
        self.assertTrue(self.browser.evaluate("document.title").startswith("failed: 1 of 5 tables failed"))
        self.assertEqual(self.browser.evaluate("document.scripts.length"), 1)
        self.assertEqual(self.browser.evaluate("document.querySelectorAll('b').length"), 0)

    def test_the_timeline_is_in_the_order_of_the_run(self):
        self.look_at("good")
        bars = self.browser.evaluate(
            "[...document.querySelectorAll('.lane rect')].map(bar => [bar.classList[0], bar.getBoundingClientRect().left])"
        )
        starts = {kind: min(left for found, left in bars if found == kind) for kind, _ in bars}
        self.assertEqual(sorted(starts, key=starts.get), ["reading", "publishing", "crawling"])
        self.assertEqual([kind for kind, _ in bars].count("reading"), 5)

    def test_tables_are_tables_for_whoever_cannot_see_them(self):
        for screen in SCREENS:
            with self.subTest(screen=screen):
                self.look_at("bad", screen)
                roles = self.browser.roles()
                names = {role: [name for found, name in roles if found == role] for role, _ in roles}
                self.assertEqual(len(names["table"]), 3)
                self.assertEqual(len(names["rowheader"]), 5 + 1 + 2)
                self.assertIn("Rows/s", names["columnheader"])
                self.assertEqual(names["heading"][0], "1 of 5 tables failed")
                told = " ".join(names["image"])
                self.assertIn("reading from", told)
                self.assertIn("rows of the last 2 runs: 3,000, 1,000", told)

    def test_the_page_and_the_json_of_a_run_hold_the_same(self):
        self.look_at("good")
        held = json.loads(self.browser.evaluate("document.getElementById('project-report').textContent"))
        self.assertEqual(held["run_id"], held["runs"][0]["run_id"])
        self.assertEqual(len(held["runs"]), 4)
        self.assertIn(held["run_id"], self.text())
        self.assertIn("+1 (+", self.text())


if __name__ == "__main__":
    unittest.main()
