"""monitoring/: rules that alert, a dashboard that asks for metrics that there are."""

import json
import re
import tempfile
import unittest
from pathlib import Path
from typing import Any

import yaml

import program
from operations_tools import promtool
from pushed_metrics import PUSHED, PUSHGATEWAYS

MONITORING = program.REPOSITORY / "monitoring"

# Rust's own exit code for a panic that nobody caught.
PANIC = 101


def metrics(expression: str) -> set[str]:
    return set(re.findall(r"\b(?:project|push)_[a-z_]+\b", expression))


class Alerts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        (group,) = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"]
        cls.rules = {rule["alert"]: rule for rule in group["rules"]}

    def test_prometheus_understands_the_rules_and_has_nothing_to_remark(self):
        promtool("check", "rules", "--lint=all", "--lint-fatal", MONITORING / "alerts.yaml")

    def test_they_alert_when_they_should_and_only_then(self):
        promtool("test", "rules", MONITORING / "alerts_test.yaml")

    def test_each_rule_is_tested(self):
        tests = (MONITORING / "alerts_test.yaml").read_text()
        for alert in self.rules:
            self.assertIn(alert, tests)

    def test_they_ask_for_metrics_that_are_pushed(self):
        for rule in self.rules.values():
            self.assertLessEqual(metrics(rule["expr"]), PUSHED.keys() | PUSHGATEWAYS)

    def test_every_exit_code_but_0_is_in_one_rule(self):
        codes = [int(code) for rule in self.rules.values() for code in re.findall(r"exit_code == (\d+)", rule["expr"])]
        self.assertEqual(sorted(codes), sorted({*program.exit_codes(), PANIC} - {0}))


class Guide(unittest.TestCase):
    def test_it_explains_every_metric(self):
        guide = (program.REPOSITORY / "docs/operations.md").read_text()
        for name in PUSHED:
            # Those of one row share their beginning.
            short = "_" + name.split("_", 2)[2]
            self.assertTrue(f"`{name}`" in guide or f"`{short}`" in guide, name)


class Dashboard(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dashboard = json.loads((MONITORING / "dashboard.json").read_text())
        cls.panels = cls.dashboard["panels"]

    def expressions(self) -> list[str]:
        targets = [target["expr"] for panel in self.panels for target in panel.get("targets", [])]
        return targets + [annotation["expr"] for annotation in self.dashboard["annotations"]["list"]]

    def test_prometheus_understands_every_expression(self):
        rules = [
            {"record": f"panel:{number}", "expr": expression.replace("$task", ".*")}
            for number, expression in enumerate(self.expressions())
        ]
        with tempfile.TemporaryDirectory(prefix="project-dashboard-") as folder:
            file = Path(folder) / "rules.yaml"
            file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
            promtool("check", "rules", file)

    def test_it_shows_every_metric_and_no_other(self):
        self.assertEqual(set().union(*map(metrics, self.expressions())), PUSHED.keys())

    def test_labels_are_those_of_the_metrics(self):
        for expression in self.expressions():
            grouped = {label for by in re.findall(r"by \(([^)]*)\)", expression) for label in by.split(", ")}
            for metric in metrics(expression):
                self.assertLessEqual(grouped, PUSHED[metric], expression)

    def test_panels_have_a_place_of_their_own_and_the_chosen_data_source(self):
        taken: set[tuple[int, int]] = set()
        for panel in self.panels:
            place = cells(panel["gridPos"])
            self.assertFalse(taken & place, panel["title"])
            self.assertLessEqual(max(x for x, _ in place), 23, panel["title"])
            taken |= place
            if panel["type"] != "row":
                sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
                self.assertTrue(all(source["uid"] == "${datasource}" for source in sources), panel["title"])
        self.assertEqual(len({panel["id"] for panel in self.panels}), len(self.panels))

    def test_every_exit_code_has_its_words(self):
        (panel,) = [panel for panel in self.panels if "exit_code" in str(panel.get("targets"))]
        (mapping,) = panel["fieldConfig"]["defaults"]["mappings"]
        self.assertEqual({int(code) for code in mapping["options"]}, program.exit_codes() | {PANIC})


def cells(place: dict[str, Any]) -> set[tuple[int, int]]:
    columns, rows = range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])
    return {(x, y) for x in columns for y in rows}


if __name__ == "__main__":
    unittest.main()
