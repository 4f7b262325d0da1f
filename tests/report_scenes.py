"""Reports of real runs, for the test that looks at them: one night in which all went well, one in which much did not."""

import os
import subprocess
from pathlib import Path

import program
from running_standin import Standin
from throwaway_postgres import Server

# A name that would be markup if it were not escaped, and one that is longer than a phone is wide.
HOSTILE = "<script>document.title = 'taken over'</script>"
LONG = "customer_relationship_management_quarterly_snapshots_v2"
ROLE = "arn:aws:iam::123456789012:role/crawler"


class Scenes:
    """Runs in one folder against one server."""

    def __init__(self, server: Server, standin: Standin, folder: Path) -> None:
        self.server, self.standin, self.folder = server, standin, folder
        server.load_shop()
        standin.create_bucket("lake")
        self.sql(
            f'CREATE TABLE "{HOSTILE}" AS SELECT id, \'infinity\'::date AS "valid <b>until</b>" FROM generate_series(1, 9) AS id;'
            f"CREATE TABLE {LONG} AS SELECT id, md5(id::text) AS hash FROM generate_series(1, 3000) AS id;"
            "CREATE TABLE measured (id int PRIMARY KEY, at date); INSERT INTO measured VALUES (1, 'infinity'), (2, '2026-01-01');"
            "CREATE TABLE refused AS SELECT 'NaN'::numeric AS amount FROM generate_series(1, 9)"
        )

    def sql(self, statement: str) -> None:
        self.server.must("postgres", "shop", "-c", statement)

    def run(self, *arguments: str, code: int) -> None:
        environment = {
            "PATH": os.environ["PATH"],
            "DATABASE_URL": self.server.uri("postgres", "shop"),
            **self.standin.environment,
        }
        command = [program.binary(), *arguments]
        done = subprocess.run(command, env=environment, cwd=self.folder, capture_output=True, text=True, timeout=120)
        if done.returncode != code:
            raise AssertionError(f"{arguments}: {done.returncode}\n{done.stderr}")

    def good_night(self, name: str) -> Path:
        """Everything goes to S3 and is crawled; the nights before it are remembered."""
        arguments = [
            "--table=combined_orders,users,products,events,public.orders",
            "--upload=s3://lake/shop",
            "--s3-path-style",
            "--glue-database=shop",
            "--crawler=shop",
            f"--crawler-role={ROLE}",
            f"--report={name}",
        ]
        for _ in range(4):
            self.run(*arguments, code=0)
            self.sql("INSERT INTO users SELECT max(id) + 1, 'new', 'DE', now(), NULL FROM users")
        return self.folder / name

    def bad_night(self, name: str) -> Path:
        """One table is refused, one has half of its rows, others have names and values that are hard to show."""
        tables = ["users", f'public."{HOSTILE}"', f"public.{LONG}", "public.measured", "public.refused"]
        arguments = [f"--table={','.join(tables)}", f"--report={name}"]
        (self.folder / "project.toml").write_text('[tables."public.measured"]\ninfinity = "error"\n')
        arguments += ["--config=project.toml", "--rejects=5"]
        self.run(*arguments, code=0)
        self.sql(f"DELETE FROM {LONG} WHERE id > 1000")
        self.run(*arguments, "--nan=error", "--max-shrink=80", code=65)
        return self.folder / name
