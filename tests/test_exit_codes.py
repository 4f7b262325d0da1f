"""The exit codes are an interface: the program, its help and the README name the same ones, and each has a test."""

import re
import unittest

import program

ENUM = (program.SOURCES / "exit_code.rs").read_text()
README = (program.REPOSITORY / "README.md").read_text()
# Of a run as a whole, and, for a panic, which no input provokes, of the place where it would arrive.
TESTS = [*(program.REPOSITORY / "project_cli/tests").rglob("*.rs"), program.SOURCES / "error_tracking/tests.rs"]


class ExitCodes(unittest.TestCase):
    def test_program_help_and_readme_name_the_same(self):
        codes = {int(code) for code in re.findall(r"^    \w+ = (\d+),", ENUM, re.MULTILINE)}
        self.assertGreater(len(codes), 10)
        self.assertEqual(program.exit_codes(), codes)
        (table,) = re.findall(r"^\| code \| meaning.*?\n\n", README, re.MULTILINE | re.DOTALL)
        rows = [row.strip("|").split("|") for row in table.split("\n")[2:-2]]
        cells = [cell for row in rows for cell in (row[0], row[3])]
        self.assertEqual({int(code) for cell in cells for code in re.findall(r"\d+", cell)}, codes)

    def test_each_has_a_test(self):
        tests = "".join(file.read_text() for file in TESTS)
        for code in program.exit_codes():
            self.assertRegex(tests, rf'expect\({code}\)|\("exit_code", "{code}"\)')


if __name__ == "__main__":
    unittest.main()
