"""What the documents name must be there."""

import json
import re
import unittest
from pathlib import Path

import yaml

import program
from helm_chart import of_kind, render

DOCS = program.REPOSITORY / "docs"
GUIDE = (DOCS / "operations.md").read_text()


class Documents(unittest.TestCase):
    def test_every_link_leads_to_a_file(self):
        for document in (program.REPOSITORY / "README.md", *DOCS.glob("*.md")):
            for link in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
                if "://" not in link:
                    self.assertTrue((document.parent / link).exists(), f"{document.name}: {link}")

    def test_every_file_of_docs_is_linked(self):
        for file in DOCS.rglob("*"):
            if file.is_file() and file.suffix != ".md":
                self.assertIn(f"({file.relative_to(DOCS)})", GUIDE)

    def test_every_place_of_the_json_files_is_explained(self):
        places = {place for file in DOCS.rglob("*.json") for place in places_of(file)}
        (table,) = re.findall(r"\| variable \| example \|\n(.*?)\n\n", GUIDE, re.DOTALL)
        self.assertEqual(set(re.findall(r"`([A-Z_]+)`", table)), places)

    def test_the_values_of_the_guide_install(self):
        (values,) = re.findall(r"cat > lake\.yaml\n(.*?)\n\$ helm", GUIDE, re.DOTALL)
        jobs = of_kind(render(yaml.safe_load(values)), "CronJob")
        self.assertEqual([job["metadata"]["name"] for job in jobs], ["night-project-small", "night-project-events"])

    def test_the_program_knows_the_flags_of_every_command(self):
        commands = re.findall(r"^\$ project (.*?)(?: +#|$)", GUIDE, re.MULTILINE)
        commands += re.findall(r"\.args \|?= (.*?)' (?:\\|\|)", GUIDE)
        self.assertEqual(len(commands), 7)
        for command in commands:
            flags = set(re.findall(r"--[a-z][a-z-]+", command))
            self.assertLessEqual(flags, program.flags(), command)

    def test_the_table_of_retries_is_the_policy_of_the_chart(self):
        (job, *_) = of_kind(render(), "CronJob")
        _, never, again = job["spec"]["jobTemplate"]["spec"]["podFailurePolicy"]["rules"]
        (tried, ended) = re.findall(r"^\| ((?:\d+, )+\d+)", GUIDE, re.MULTILINE)
        self.assertEqual(json.loads(f"[{ended}]"), never["onExitCodes"]["values"])
        # What no rule names counts as well.
        self.assertLessEqual(set(again["onExitCodes"]["values"]), set(json.loads(f"[{tried}]")))


def places_of(file: Path) -> set[str]:
    return set(re.findall(r"\$\{([A-Z_]+)\}", file.read_text()))


if __name__ == "__main__":
    unittest.main()
