"""The names that `make create-model` is given arrive at the program as they are, whatever make and the shell think of them."""

import os
import subprocess
import unittest

from program import REPOSITORY

NAMES = ("orders", "Order Lines", 'a "b"', "it's", "$x $(y) ${z}", "a$(b", "$$", "#1", "a.b\\c", "`id`;exit", "été")


def arrived(variable: str, arguments: list[str], environment: dict[str, str]) -> str:
    # In the place of the program: it prints the variable, and takes no notice of the verb.
    command = ["make", "--silent", *arguments, f"CODEGEN=printenv {variable}; :"]
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(command, cwd=REPOSITORY, env=plain | environment, capture_output=True, text=True, timeout=60)
    return done.stdout.removesuffix("\n") if done.returncode == 0 else done.stderr


class MakeVariables(unittest.TestCase):
    def test_every_name_arrives_as_it_is(self):
        for name in NAMES:
            for variable in ("TABLE", "SCHEMA", "PARTITION_BY"):
                self.assertEqual(arrived(variable, ["create-model", f"{variable}={name}"], {}), name)
            self.assertEqual(arrived("TABLES", ["create-models", f"TABLES={name}"], {}), name)
            self.assertEqual(arrived("TABLE", ["create-model"], {"TABLE": name}), name)

    def test_what_is_not_given_is_empty(self):
        self.assertEqual(arrived("KIND", ["create-model", "TABLE=orders"], {}), "")


if __name__ == "__main__":
    unittest.main()
