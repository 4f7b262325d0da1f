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
TASK_GUIDE = (DOCS / "writing-a-task.md").read_text()
EXAMPLE = program.REPOSITORY / "project_tasks/tests/postgres/writing_a_task"
LINEITEM_ROWS = 6_001_215


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


class TaskGuide(unittest.TestCase):
    """docs/writing-a-task.md shows code that the tests compile and run."""

    def test_every_block_of_code_stands_in_the_file_that_it_names(self):
        blocks = re.findall(r"```rust\n// (\S+)\n(.*?)```", TASK_GUIDE, re.DOTALL)
        self.assertEqual(len(blocks), TASK_GUIDE.count("```rust"), "a block does not begin with the name of its file")
        for file in EXAMPLE.glob("*.rs"):
            self.assertIn(f"`{file.name}`", TASK_GUIDE)
        for name, code in blocks:
            self.assertIn(code, (EXAMPLE / name).read_text(), name)

    def test_the_two_lines_go_where_the_guide_says(self):
        (diff,) = re.findall(r"```diff\n(.*?)```", TASK_GUIDE, re.DOTALL)
        self.assertEqual(len(re.findall(r"^\+(?!\+\+ )", diff, re.MULTILINE)), 2)
        hunks = re.findall(r"^\+\+\+ b/(\S+)\n((?:[ +](?!\+\+ ).*\n)+)", diff, re.MULTILINE)
        self.assertEqual(len(hunks), 2)
        for file, hunk in hunks:
            before = "".join(line[1:] for line in hunk.splitlines(keepends=True) if line.startswith(" "))
            self.assertIn(before, (program.REPOSITORY / file).read_text(), file)

    def test_its_figures_are_those_of_the_benchmark(self):
        readme = (program.REPOSITORY / "README.md").read_text()
        for contender, path in (
            ("TPC-H lineitem | project", "huge and `schema.table`, 2 workers"),
            ("TPC-H lineitem | project --workers=1", "huge and `schema.table`, 1 worker"),
            ("lineitem through a struct | project", "stream: a struct for each row, 1 connection"),
        ):
            (row,) = re.findall(rf"^\| {re.escape(contender)} \| (.*) \|$", readme, re.MULTILINE)
            wall, _, _, cpu, peak, _ = row.split(" | ")
            millions = LINEITEM_ROWS / 1_000_000
            line = f"| {path} | {millions / float(wall):.2f} | {float(cpu) / millions:.2f} | {peak} |"
            self.assertIn(line, TASK_GUIDE, "the README has other figures")

    def test_the_program_knows_its_flags(self):
        flags = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", re.sub(r"`cargo .*?`", "", TASK_GUIDE)))
        self.assertLessEqual(flags, program.flags())


def places_of(file: Path) -> set[str]:
    return set(re.findall(r"\$\{([A-Z_]+)\}", file.read_text()))


if __name__ == "__main__":
    unittest.main()
