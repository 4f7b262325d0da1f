"""The Dockerfiles and compose.yaml, as far as they can be proven without a container engine."""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import tomllib
import unittest
from fnmatch import fnmatchcase
from typing import Any

import yaml

import program
from operations_tools import tool
from program import REPOSITORY
from running_standin import running_standin
from throwaway_postgres import SMALL_SHOP, running_server

HADOLINT = REPOSITORY / "target/test-venv/bin/hadolint"
DOCKERFILE, STANDIN = REPOSITORY / "Dockerfile", REPOSITORY / "tests/standin.Dockerfile"
CARGO = tomllib.loads((REPOSITORY / "Cargo.toml").read_text())
# Of the stand-in in compose.yaml.
ENDPOINT = "127.0.0.1:5000"
# The Debian of distroless images by number, that of Rust's by name.
DEBIAN = {"12": "bookworm", "13": "trixie"}


class Images(unittest.TestCase):
    dockerfile = DOCKERFILE.read_text()

    def test_the_linter_has_nothing_to_say(self):
        done = subprocess.run([HADOLINT, DOCKERFILE, STANDIN], capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)

    def test_the_program_is_built_by_the_rust_of_the_workspace(self):
        (version,) = re.findall(r"^FROM rust:([\d.]+)-", self.dockerfile, re.MULTILINE)
        self.assertEqual(version, CARGO["workspace"]["package"]["rust-version"])

    def test_both_stages_have_the_same_c_library(self):
        build, runtime = re.findall(
            r"^FROM \S+?(?:-(bookworm|trixie)|-debian(\d+):nonroot)", self.dockerfile, re.MULTILINE
        )
        self.assertEqual(build[0], DEBIAN[runtime[1]])

    def test_what_is_built_and_copied_exists(self):
        (profile,) = re.findall(r"--profile (\w+)", self.dockerfile)
        self.assertIn(profile, CARGO["profile"])
        (member,) = re.findall(r"-p (\w+)", self.dockerfile)
        self.assertIn(member, CARGO["workspace"]["members"])
        manifest = tomllib.loads((REPOSITORY / member / "Cargo.toml").read_text())
        (binary,) = manifest["bin"]
        self.assertIn(f"cp target/{profile}/{binary['name']} /usr/local/bin/{binary['name']}", self.dockerfile)
        self.assertIn(f'ENTRYPOINT ["/usr/local/bin/{binary["name"]}"]', self.dockerfile)

    def test_it_runs_as_the_user_of_the_chart(self):
        (user,) = re.findall(r"^USER (\d+):\d+$", self.dockerfile, re.MULTILINE)
        self.assertIn(f"runAsUser: {user}\n", (REPOSITORY / "helm/templates/_pod.tpl").read_text())

    def test_the_build_sees_the_workspace_and_nothing_else(self):
        listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
        done = subprocess.run(listing, cwd=REPOSITORY, capture_output=True, text=True, check=True)
        seen = {file for file in done.stdout.splitlines() if is_in_context(file)}
        needed = {"Cargo.toml", "Cargo.lock"}
        for member in CARGO["workspace"]["members"]:
            files = (file for file in (REPOSITORY / member).rglob("*") if file.suffix in (".rs", ".toml", ".txt"))
            needed |= {str(file.relative_to(REPOSITORY)) for file in files}
        self.assertEqual(needed - seen, set())
        self.assertEqual(
            {file.split("/")[0] for file in seen}, {*CARGO["workspace"]["members"], "Cargo.toml", "Cargo.lock"}
        )
        for secret in (".git/config", "target/debug/project", "lake/users/0.parquet", ".env", "project_bench/run.py"):
            self.assertFalse(is_in_context(secret), secret)


class Compose(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        done = subprocess.run(
            [tool("compose-spec"), "-format=json", REPOSITORY / "compose.yaml"], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        cls.services = json.loads(done.stdout)["services"]
        cls.written = yaml.safe_load((REPOSITORY / "compose.yaml").read_text())["services"]

    def test_what_it_mounts_and_builds_exists(self):
        for service in self.services.values():
            for volume in service.get("volumes", []):
                self.assertTrue(os.path.isfile(volume["source"]), volume)
            if build := service.get("build"):
                self.assertTrue(os.path.isfile(os.path.join(build["context"], build["dockerfile"])), build)

    def test_the_program_knows_every_flag_and_variable(self):
        for name in ("project", "query"):
            for variable in self.written[name]["environment"]:
                self.assertTrue(variable in program.variables() or variable.startswith("AWS_"), variable)
        for argument in self.written["project"]["command"]:
            self.assertIn(argument.partition("=")[0], program.flags())

    def test_its_commands_copy_the_shop_and_answer_a_query(self):
        """The same commands and variables, with the addresses of servers of ours."""
        script, port = self.written["aws"]["command"]
        self.assertEqual((script, f"127.0.0.1:{port}"), ("aws_standin.py", ENDPOINT))
        with (
            running_server() as postgres,
            running_standin(free_port()) as aws,
            tempfile.TemporaryDirectory() as scratch,
        ):
            postgres.load_shop()
            ours = {ENDPOINT: aws.url.removeprefix("http://"), "@postgres:5432": f"@{postgres.address}"}

            def run(command: list[Any], service: str) -> str:
                environment = {"PATH": os.environ["PATH"]} | environment_of(self.written[service], ours)
                if "PROJECT_SCRATCH" in environment:
                    environment["PROJECT_SCRATCH"] = scratch
                done = subprocess.run(
                    command, env=environment, cwd=scratch, capture_output=True, text=True, timeout=120
                )
                self.assertEqual(done.returncode, 0, done.stderr)
                return done.stdout

            # Compose starts it again for every command that depends on it.
            for _ in range(2):
                run([sys.executable, *self.written["bucket"]["command"]], "bucket")
            run([program.binary(), *self.written["project"]["command"]], "project")
            verb = self.written["query"]["entrypoint"][1:]
            answer = run([program.binary(), *verb, "--format=csv", *self.written["query"]["command"]], "query")
        self.assertEqual(answer.splitlines()[0], "country,users")
        self.assertEqual(sum(int(line.rpartition(",")[2]) for line in answer.splitlines()[1:]), SMALL_SHOP["users"])


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return str(probe.getsockname()[1])


def environment_of(service: dict[str, Any], ours: dict[str, str]) -> dict[str, str]:
    environment = {name: str(value) for name, value in service["environment"].items()}
    for theirs, address in ours.items():
        environment = {name: value.replace(theirs, address) for name, value in environment.items()}
    return environment


def is_in_context(path: str) -> bool:
    """What .dockerignore leaves of the build's context: the last pattern that matches the path or a folder of it decides."""
    patterns = [line for line in (REPOSITORY / ".dockerignore").read_text().split("\n") if line and line[0] != "#"]
    parts, ignored = path.split("/"), False
    above = ["/".join(parts[: length + 1]) for length in range(len(parts))]
    for pattern in patterns:
        wanted = pattern.removeprefix("!")
        anywhere = wanted.startswith("**/")
        names = parts if anywhere else [name for name in above if name.count("/") == wanted.count("/")]
        if any(fnmatchcase(name, wanted.removeprefix("**/")) for name in names):
            ignored = not pattern.startswith("!")
    return not ignored


if __name__ == "__main__":
    unittest.main()
