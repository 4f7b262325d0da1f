"""docs/iam/*.json: known to AWS, exactly what the program calls, and enough for real runs."""

import json
import os
import re
import subprocess
import tempfile
import time
import unittest
import warnings
from fnmatch import fnmatchcase
from string import Template
from typing import Any

import program
from running_standin import REGION, running_standin
from throwaway_postgres import running_server

with warnings.catch_warnings():
    # It looks for its data in a way that setuptools calls outdated.
    warnings.simplefilter("ignore")
    import parliament

DOCS = program.REPOSITORY / "docs"
PLACES = {
    "BUCKET": "acme-lake",
    "PREFIX": "team/shop",
    "ACCOUNT": "123456789012",
    "REGION": REGION,
    "DATABASE": "shop",
    "CRAWLER": "shop-crawler",
    "CRAWLER_ROLE": "service-role/crawler",
    "WORKGROUP": "primary",
    "RESULTS_BUCKET": "acme-results",
    "RESULTS_PREFIX": "athena",
    "OIDC_PROVIDER": "oidc.eks.eu-central-1.amazonaws.com/id/ABC",
    "NAMESPACE": "lake",
    "SERVICE_ACCOUNT": "project",
}
Policy = dict[str, Any]

# Every operation that the program calls, with the actions that AWS asks for.
FILES = {
    "s3:HeadBucket": {"s3:ListBucket"},
    "s3:ListObjectsV2": {"s3:ListBucket"},
    "s3:HeadObject": {"s3:GetObject"},
    "s3:GetObject": {"s3:GetObject"},
    # Of `project gc`.
    "s3:ListMultipartUploads": {"s3:ListBucketMultipartUploads"},
    "s3:PutObject": {"s3:PutObject"},
    "s3:CreateMultipartUpload": {"s3:PutObject"},
    "s3:UploadPart": {"s3:PutObject"},
    "s3:CompleteMultipartUpload": {"s3:PutObject"},
    "s3:AbortMultipartUpload": {"s3:AbortMultipartUpload"},
    "s3:DeleteObjects": {"s3:DeleteObject"},
}
NIGHTLY = FILES | {
    "glue:GetCrawler": {"glue:GetCrawler"},
    "glue:StartCrawler": {"glue:StartCrawler"},
    "glue:UpdateCrawler": {"glue:UpdateCrawler"},
    "glue:GetTable": {"glue:GetTable"},
    "glue:BatchGetPartition": {"glue:BatchGetPartition"},
    "glue:GetPartitionIndexes": {"glue:GetPartitionIndexes"},
    "glue:CreatePartitionIndex": {"glue:CreatePartitionIndex"},
}
CATALOG = FILES | {
    # Of the file that is copied and of the copy.
    "s3:CopyObject": {"s3:GetObject", "s3:PutObject"},
    "glue:GetDatabase": {"glue:GetDatabase"},
    "glue:GetTable": {"glue:GetTable"},
    # Of `project gc`.
    "glue:GetTables": {"glue:GetTables"},
    "glue:CreateTable": {"glue:CreateTable"},
    "glue:UpdateTable": {"glue:UpdateTable"},
}
ONCE = {
    "glue:GetDatabase": {"glue:GetDatabase"},
    "glue:CreateDatabase": {"glue:CreateDatabase"},
    "glue:CreateCrawler": {"glue:CreateCrawler", "iam:PassRole"},
}
# Athena looks for tables, reads files and keeps results in the name of whoever asks.
IN_THE_NAME_OF_WHO_ASKS = {
    *("glue:GetDatabase", "glue:GetTable", "glue:GetTables", "glue:GetPartition", "glue:GetPartitions"),
    *("glue:BatchGetPartition", "s3:GetBucketLocation", "s3:ListBucket", "s3:GetObject", "s3:PutObject"),
    *("s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"),
}
QUERY = {
    "athena:StartQueryExecution": {"athena:StartQueryExecution"} | IN_THE_NAME_OF_WHO_ASKS,
    "athena:GetQueryExecution": {"athena:GetQueryExecution"},
    "athena:GetQueryResults": {"athena:GetQueryResults"},
    "athena:StopQueryExecution": {"athena:StopQueryExecution"},
}


def policy(name: str, **places: str) -> Policy:
    """A file of docs/iam with its places filled in; one that is not known is an error."""
    return json.loads(Template((DOCS / "iam" / name).read_text()).substitute(PLACES | places))


def actions(*policies: Policy) -> set[str]:
    return {action for one in policies for statement in one["Statement"] for action in listed(statement["Action"])}


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def operations_in_sources() -> set[str]:
    """Every call of an AWS client in the Rust sources, as `service:Operation`."""
    sources = [
        file for crate in ("project_aws", "project_cli") for file in (program.REPOSITORY / crate / "src").rglob("*.rs")
    ]
    found = set()
    for file in sources:
        for service, method in re.findall(r"\.(s3|glue|athena)\s*\.\s*([a-z_0-9]+)\(\)", file.read_text()):
            if method != "config":
                found.add(f"{service}:{''.join(word.capitalize() for word in method.split('_'))}")
    return found


class Policies(unittest.TestCase):
    def test_aws_knows_every_action_and_its_resources(self):
        for name in ("writer", "catalog-writer", "crawler-setup", "reader", "crawler-role"):
            checked = parliament.analyze_policy_string(json.dumps(policy(f"{name}.json")))
            self.assertEqual([str(finding) for finding in checked.findings], [], name)

    def test_no_action_and_no_resource_is_everything(self):
        for file in (DOCS / "iam").iterdir():
            for statement in policy(file.name)["Statement"]:
                self.assertEqual(statement["Effect"], "Allow")
                for action in listed(statement["Action"]):
                    self.assertNotIn("*", action, file.name)
                # The one action of these that AWS grants for no single resource.
                if statement["Action"] == "glue:CreateCrawler":
                    continue
                for resource in listed(statement.get("Resource", [])):
                    self.assertRegex(resource, r"acme-|shop|:catalog$|/primary$|/crawler$|aws-glue/crawlers", file.name)

    def test_roles_are_assumed_by_one_service_account_and_by_glue(self):
        for name, who in {
            "trust-irsa.json": "system:serviceaccount:lake:project",
            "trust-pod-identity.json": "kubernetes-service-account': 'project'",
            "crawler-role-trust.json": "aws:SourceAccount': '123456789012'",
        }.items():
            (statement,) = policy(name)["Statement"]
            self.assertTrue(all(action.startswith("sts:") for action in listed(statement["Action"])))
            self.assertIn(who, str(statement["Condition"]), name)

    def test_every_call_of_the_sources_has_its_actions_and_no_action_is_unused(self):
        self.assertEqual(operations_in_sources(), {*NIGHTLY, *CATALOG, *ONCE, *QUERY})
        modes = {"writer": NIGHTLY, "catalog-writer": CATALOG, "crawler-setup": ONCE, "reader": QUERY}
        for name, calls in modes.items():
            self.assertEqual(actions(policy(f"{name}.json")), set().union(*calls.values()), name)


class RealRuns(unittest.TestCase):
    """The program against the stand-in, each of whose logged calls must be allowed."""

    @classmethod
    def setUpClass(cls):
        cls.postgres = cls.enterClassContext(running_server())
        cls.postgres.load_shop()

    def setUp(self):
        self.aws = self.enterContext(running_standin())
        for bucket in (PLACES["BUCKET"], PLACES["RESULTS_BUCKET"]):
            self.aws.create_bucket(bucket)
        self.seen = 0

    def calls_of(self, *arguments: str) -> list[tuple[str, list[str]]]:
        """Runs the program and returns what it called: the operation and the resources it is about."""
        environment = {"PATH": os.environ["PATH"], "DATABASE_URL": self.postgres.uri("postgres", "shop")}
        lake = f"--upload=s3://{PLACES['BUCKET']}/{PLACES['PREFIX']}"
        command = [program.binary(), *arguments, lake, f"--glue-database={PLACES['DATABASE']}", "--s3-path-style"]
        with tempfile.TemporaryDirectory(prefix="project-iam-") as scratch:
            environment |= self.aws.environment | {"PROJECT_SCRATCH": scratch}
            done = subprocess.run(command, env=environment, cwd=scratch, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        calls, self.seen = self.aws.log()[self.seen :], len(self.aws.log())
        return [(f"{call['service']}:{call['operation']}", resources(call)) for call in calls]

    def run_night(self) -> list[tuple[str, list[str]]]:
        role = f"arn:aws:iam::{PLACES['ACCOUNT']}:role/{PLACES['CRAWLER_ROLE']}"
        tables = "--table=combined_orders,users,products,events,public.orders"
        return self.calls_of(tables, f"--crawler={PLACES['CRAWLER']}", f"--crawler-role={role}")

    def test_runs_and_queries_are_allowed_what_they_do(self):
        writer, setup, reader = (policy(f"{name}.json") for name in ("writer", "crawler-setup", "reader"))
        first = self.run_night()
        self.assertEqual(denied(first, NIGHTLY | ONCE, writer, setup), [])
        self.assertTrue(denied(first, NIGHTLY | ONCE, writer), "the crawler was made without a right to make it")
        old = f"{PLACES['PREFIX']}/users/of-an-earlier-run.parquet"
        self.aws.client("s3").put_object(Bucket=PLACES["BUCKET"], Key=old, Body=b"")
        second = self.run_night()
        self.assertIn("s3:DeleteObjects", [operation for operation, _ in second])
        self.assertEqual(denied(second, NIGHTLY | ONCE, writer), [])
        results = f"--athena-output=s3://{PLACES['RESULTS_BUCKET']}/{PLACES['RESULTS_PREFIX']}"
        query = self.calls_of("query", "SELECT count(*) FROM users", results)
        self.assertEqual(denied(query, {name: {name} for name in QUERY}, reader), [])

    def test_runs_without_a_crawler_rollback_and_gc_are_allowed_what_they_do(self):
        writer = policy("catalog-writer.json")
        self.aws.client("glue").create_database(DatabaseInput={"Name": PLACES["DATABASE"]})
        whole = self.calls_of("--table=users,events", "--publish=catalog")
        # Dates that are not read again are copied.
        window = self.calls_of("--table=events", "--publish=catalog", "--from=-1d", "--to=today", "--force")
        back = self.calls_of("rollback", "--table=events")
        time.sleep(1.1)
        swept = self.calls_of("runs") + self.calls_of("gc", "--keep-runs=1", "--grace=1s")
        called = {operation for operation, _ in whole + window + back + swept}
        self.assertLessEqual({"s3:CopyObject", "s3:ListMultipartUploads", "glue:GetTables", "glue:UpdateTable"}, called)
        self.assertEqual(denied(whole + window + back + swept, CATALOG, writer), [])
        for place in ("BUCKET", "PREFIX", "DATABASE", "REGION"):
            self.assertTrue(denied(whole, CATALOG, policy("catalog-writer.json", **{place: "elsewhere"})), place)

    def test_the_rights_end_at_the_prefix_the_database_and_the_crawler(self):
        night = self.run_night()
        for place in ("BUCKET", "PREFIX", "DATABASE", "CRAWLER", "REGION"):
            elsewhere = [policy(f"{name}.json", **{place: "elsewhere"}) for name in ("writer", "crawler-setup")]
            self.assertTrue(denied(night, NIGHTLY | ONCE, *elsewhere), place)


class Lifecycle(unittest.TestCase):
    def test_s3_takes_the_rule_and_it_is_longer_than_the_longest_run(self):
        rules = json.loads(Template((DOCS / "s3-lifecycle.json").read_text()).substitute(PLACES))
        with running_standin() as aws:
            aws.create_bucket(PLACES["BUCKET"])
            s3 = aws.client("s3")
            s3.put_bucket_lifecycle_configuration(Bucket=PLACES["BUCKET"], LifecycleConfiguration=rules)
            (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=PLACES["BUCKET"])["Rules"]
        self.assertEqual((rule["Status"], rule["Filter"]["Prefix"]), ("Enabled", f"{PLACES['PREFIX']}/"))
        days = rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]
        values = (program.REPOSITORY / "helm/values.yaml").read_text()
        longest_run = int(re.search(r"activeDeadlineSeconds: (\d+)", values)[1])
        self.assertGreater(days * 24 * 3600, longest_run)


def resources(call: dict[str, Any]) -> list[str]:
    """The ARNs that AWS asks the rights for."""
    operation, name = call["operation"], call["name"]
    if call["service"] == "s3":
        # The keys of DeleteObjects stand in its body, which the log leaves out.
        key = f"{name}/{PLACES['PREFIX']}/any.parquet" if operation == "DeleteObjects" else name
        return [f"arn:aws:s3:::{key}"]
    account = f"{call['service']}:{REGION}:{PLACES['ACCOUNT']}"
    if call["service"] == "athena":
        return [f"arn:aws:{account}:workgroup/{PLACES['WORKGROUP']}"]
    if operation == "CreateCrawler":
        return ["*"]
    if "Crawler" in operation:
        return [f"arn:aws:{account}:crawler/{name}"]
    database = name if "Database" in operation else PLACES["DATABASE"]
    found = [f"arn:aws:{account}:catalog", f"arn:aws:{account}:database/{database}"]
    return found if "Database" in operation else [*found, f"arn:aws:{account}:table/{database}/{name}"]


def denied(calls: list[tuple[str, list[str]]], needs: dict[str, set[str]], *policies: Policy) -> list[str]:
    """The calls for which an action or a resource is missing; PassRole is about the role and not about the call."""
    statements = [statement for one in policies for statement in one["Statement"]]
    missing = set()
    for operation, arns in calls:
        for action in needs[operation] - {"iam:PassRole"}:
            rights = [statement for statement in statements if action in listed(statement["Action"])]
            granted = [pattern for statement in rights for pattern in listed(statement["Resource"])]
            missing |= {f"{action} on {arn}" for arn in arns if not any(fnmatchcase(arn, p) for p in granted)}
    return sorted(missing)


if __name__ == "__main__":
    unittest.main()
