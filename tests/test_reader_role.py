"""docs/reader_role.sql on a real server: the role reads all that the program reads, and writes nothing."""

import os
import subprocess
import tempfile
import unittest

import program
from throwaway_postgres import running_server

ROLE_SQL = program.REPOSITORY / "docs/reader_role.sql"
READER, OWNER, DATABASE = "project_reader", "shop_owner", "shop"
EVERYTHING = "--table=combined_orders,users,products,events,public.*"

INSUFFICIENT_PRIVILEGE = "42501"
WRITES = [
    "INSERT INTO users (id) VALUES (-1)",
    "UPDATE users SET name = ''",
    "DELETE FROM users",
    "TRUNCATE users",
    "COPY users (id) FROM STDIN",
    "COPY users TO '/tmp/users'",
    "COPY (SELECT 1) TO PROGRAM 'cat'",
    "SELECT * FROM users FOR UPDATE",
    "BEGIN; LOCK TABLE users IN ROW EXCLUSIVE MODE",
    "ALTER TABLE users ADD COLUMN x int",
    "DROP TABLE users",
    "CREATE INDEX ON users (name)",
    "CREATE TABLE own (id int)",
    "CREATE SCHEMA own",
    "CREATE ROLE other",
    f"ALTER ROLE {READER} SUPERUSER",
    "SELECT nextval('numbers')",
    "SELECT pg_read_file('/etc/passwd')",
]


class ReaderRole(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(running_server())
        must = cls.server.must
        must("postgres", "postgres", "-c", f"CREATE ROLE {OWNER} LOGIN")
        cls.server.load_shop(OWNER)
        must(OWNER, DATABASE, "-c", "CREATE SEQUENCE numbers")
        # Twice: it may be run again.
        for _ in range(2):
            said = must("postgres", DATABASE, "-v", f"owner={OWNER}", "-f", ROLE_SQL)
            assert said == "", said

    def project(self, *arguments: str, role: str = READER) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": os.environ["PATH"], "DATABASE_URL": self.server.uri(role, DATABASE)}
        with tempfile.TemporaryDirectory(prefix="project-reader-") as folder:
            command = [program.binary(), *arguments]
            return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=120)

    def test_the_program_reads_everything_as_this_role(self):
        for arguments in (["check", EVERYTHING], [EVERYTHING]):
            done = self.project(*arguments)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_without_the_grants_it_reads_nothing(self):
        self.server.must("postgres", "postgres", "-c", "CREATE ROLE nobody_special LOGIN")
        done = self.project("--table=all", role="nobody_special")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("public.users", done.stderr)

    def test_tables_of_tomorrow_are_readable(self):
        self.server.must(OWNER, DATABASE, "-c", "CREATE TABLE tomorrow AS SELECT 1 AS id")
        done = self.project("--table=public.tomorrow")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_every_write_is_refused_by_a_missing_right(self):
        # A role can switch its own default off, so that default must not be what keeps it from writing.
        writable = ["-v", "VERBOSITY=sqlstate", "-c", "SET default_transaction_read_only = off"]
        for sql in WRITES:
            with self.subTest(sql=sql):
                done = self.server.psql(READER, DATABASE, *writable, "-c", sql)
                self.assertEqual(done.stderr, f"ERROR:  {INSUFFICIENT_PRIVILEGE}\n")

    def test_the_owner_may_do_what_the_role_may_not(self):
        """Else the list above would prove nothing but bad SQL."""
        for sql in WRITES[:5]:
            with self.subTest(sql=sql):
                self.server.must(OWNER, DATABASE, "-c", f"BEGIN; {sql}")

    def test_its_transactions_are_read_only_by_themselves(self):
        said = self.server.must(READER, DATABASE, "-c", "SHOW transaction_read_only")
        self.assertEqual(said, "on\n")

    def test_a_schema_where_everybody_may_create_is_told(self):
        self.server.must(OWNER, DATABASE, "-c", 'CREATE SCHEMA "Open"; GRANT CREATE ON SCHEMA "Open" TO PUBLIC')
        said = self.server.must("postgres", DATABASE, "-v", "schema=Open", "-v", f"owner={OWNER}", "-f", ROLE_SQL)
        self.assertIn('REVOKE CREATE ON SCHEMA "Open" FROM PUBLIC;', said)


if __name__ == "__main__":
    unittest.main()
