"""What a run tells a real Pushgateway and a file, and that both keep what must stay."""

import os
import ssl
import subprocess
import tempfile
import unittest
from pathlib import Path

import program
from certificates import authority, server
from operations_tools import promtool
from pushed_metrics import PUSHED, Series, read_series
from running_pushgateway import running_pushgateway
from throwaway_postgres import running_server

# Everything that a URL, a label or the text format could trip over.
ODD_TABLE = 'odd/"name"\\ <script>, ü'
LAST_SUCCESS = "project_task_last_success_timestamp_seconds"
EXIT_CODE = "project_run_last_exit_code"


def without_job(series: Series) -> Series:
    """The Pushgateway adds these two."""
    added = {("job", "project"), ("instance", "")}
    return {(name, labels - added): value for (name, labels), value in series.items()}


def of(series: Series, name: str, label: str) -> dict[str, float]:
    """The values of a metric by the value of one of its labels."""
    return {dict(labels).get(label, ""): value for (found, labels), value in series.items() if found == name}


class Metrics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(running_server())
        cls.server.load_shop()
        quoted = '"' + ODD_TABLE.replace('"', '""') + '"'
        cls.sql(f"CREATE TABLE {quoted} AS SELECT 1 AS id, 'infinity'::date AS \"until \\ \"\"when\"\"\"")
        cls.table = f"public.{quoted}"

    def setUp(self):
        self.gateway = self.enterContext(running_pushgateway())
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="project-metrics-")))
        self.file = self.folder / "project.prom"

    @classmethod
    def sql(cls, statement: str) -> None:
        cls.server.must("postgres", "shop", "-c", statement)

    def run_program(self, *arguments: str, code: int = 0) -> None:
        self.assertNotIn("Pushgateway", self.messages_of(*arguments, code=code))

    def messages_of(self, *arguments: str, code: int = 0, **variables: str) -> str:
        environment = {
            "PATH": os.environ["PATH"],
            "DATABASE_URL": self.server.uri("postgres", "shop"),
            "PROJECT_PUSHGATEWAY": self.gateway.url,
            "PROJECT_METRICS_FILE": str(self.file),
        }
        command = [program.binary(), *arguments]
        done = subprocess.run(
            command, env=environment | variables, cwd=self.folder, capture_output=True, text=True, timeout=120
        )
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stderr

    def pushed(self) -> Series:
        return without_job(read_series(self.gateway.metrics()))

    def test_both_say_the_same_and_prometheus_has_nothing_to_remark(self):
        self.run_program(f"--table=combined_orders,users,products,events,{self.table}")
        for text in (self.file.read_text(), self.gateway.metrics()):
            promtool("check", "metrics", input=text)
        pushed = self.pushed()
        self.assertEqual(pushed, read_series(self.file.read_text()))
        tasks = {"users", "combined_orders", "products", "events", self.table.replace("\\", "\\\\").replace('"', '\\"')}
        self.assertEqual(of(pushed, "project_task_rows", "task").keys(), tasks)
        self.assertEqual(sum(of(pushed, "project_task_changed_values", "policy").values()), 1)

    def test_names_and_labels_are_those_of_the_rules_and_the_dashboard(self):
        self.run_program(f"--table=users,{self.table}")
        labels: dict[str, set[str]] = {}
        for name, pairs in self.pushed():
            labels.setdefault(name, set()).update(label for label, _ in pairs)
        self.assertEqual(labels, PUSHED)

    def test_a_failure_erases_no_success_and_hides_no_other_failure(self):
        self.run_program("--table=users,products")
        before = self.pushed()
        self.sql("ALTER TABLE products RENAME COLUMN price TO cost")
        self.addCleanup(self.sql, "ALTER TABLE products RENAME COLUMN cost TO price")
        self.run_program("--table=users,products", code=65)
        self.run_program("--table=users")
        for after in (self.pushed(), read_series(self.file.read_text())):
            was, now = of(before, LAST_SUCCESS, "task"), of(after, LAST_SUCCESS, "task")
            self.assertEqual(now["products"], was["products"])
            self.assertGreater(now["users"], was["users"])
            self.assertEqual(of(after, EXIT_CODE, "selection"), {"users,products": 65, "users": 0})

    def test_a_server_with_tls_gets_them_if_its_authority_is_trusted(self):
        ours, other = authority(self.folder, "ours"), authority(self.folder, "other")
        certificate, key = server(ours, "IP:127.0.0.1")
        web = self.folder / "web.yml"
        web.write_text(f"tls_server_config: {{cert_file: {certificate}, key_file: {key}}}\n")
        gateway = self.enterContext(running_pushgateway(f"--web.config.file={web}", scheme="https"))
        for variables, refused in [
            ({"SSL_CERT_FILE": str(ours)}, None),
            ({"SSL_CERT_FILE": str(other)}, "UnknownIssuer"),
            ({}, "UnknownIssuer"),
            ({"SSL_CERT_FILE": str(self.folder / "none.pem")}, "none.pem cannot be used"),
            ({"SSL_CERT_FILE": str(web)}, "web.yml cannot be used"),
        ]:
            messages = self.messages_of("--table=users", PROJECT_PUSHGATEWAY=gateway.url, **variables)
            if refused is None:
                self.assertNotIn("not pushed", messages)
                self.assertIn('task="users"', gateway.metrics(ssl.create_default_context(cafile=ours)))
            else:
                self.assertIn("the metrics were not pushed", messages)
                self.assertIn(refused, messages)

    def test_what_was_changed_by_a_policy_is_forgotten_when_it_is_not_any_more(self):
        changed = "project_task_changed_values"
        self.run_program(f"--table={self.table}")
        self.assertEqual(of(self.pushed(), changed, "policy"), {"infinity=clamp": 1})
        self.run_program(f"--table={self.table}", "--config", self.without_the_column())
        self.assertEqual(of(self.pushed(), changed, "policy"), {"": 0})

    def without_the_column(self) -> str:
        config = self.folder / "project.toml"
        config.write_text(f"[tables.'{self.table}']\ncolumns = ['id']\n")
        return str(config)


if __name__ == "__main__":
    unittest.main()
