"""What the chart renders: valid for Kubernetes, safe, and understood by the program."""

import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

import kubernetes_validate

import helm_chart
import program
from helm_chart import CHART, Manifest, container, of_kind, pods, render

CATALOG, IRSA, POD_IDENTITY, PRIVATE_NETWORK = (
    CHART / f"ci/{name}-values.yaml" for name in ("catalog", "irsa", "pod-identity", "private-network")
)
NEWEST_KUBERNETES = kubernetes_validate.latest_version()
MOUNTED_CONFIG = "/etc/project/config/project.toml"
# Nobody listens there.
NO_DATABASE = "postgres://reader:secret@127.0.0.1:1/shop"
NO_SENTRY = "http://key@127.0.0.1:1/1"
NO_AWS = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "AWS_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_EC2_METADATA_DISABLED": "true",
}
VERBS = {"check", "gc"}
UNFOLLOWED = {"name": "users", "schedule": "15 2 * * *", "table": "users"}
FOLLOWED = UNFOLLOWED | {"name": "all", "table": "all", "then": "refresh", "thenTimeout": "30m"}
# What --then needs, and nothing else.
LEAST_RIGHTS = {
    ("batch", "cronjobs"): {"get"},
    ("batch", "jobs"): {"create", "get", "delete"},
    ("", "pods"): {"list"},
    ("", "pods/log"): {"get"},
}
UNREACHABLE = 69


class RenderedValues:
    """What must hold for every file of values."""

    values: Path | None

    @classmethod
    def setUpClass(cls):
        cls.manifests = render(cls.values)
        cls.pods = list(pods(cls.manifests))
        cls.jobs = of_kind(cls.manifests, "CronJob")

    def test_helm_lint_has_nothing_to_say(self):
        given = ["--values", self.values] if self.values else []
        done = helm_chart.helm("lint", CHART, "--strict", "--quiet", *given)
        self.assertEqual((done.returncode, done.stdout.strip()), (0, ""), done.stderr)

    def test_kubernetes_knows_every_field(self):
        for version in (helm_chart.OLDEST_KUBERNETES, NEWEST_KUBERNETES):
            for manifest in self.manifests:
                kubernetes_validate.validate(manifest, version, strict=True)

    def test_the_program_knows_every_flag_and_variable(self):
        for pod in self.pods:
            for argument in container(pod)["args"]:
                if argument not in VERBS:
                    self.assertIn(argument.partition("=")[0], program.flags())
            for variable in container(pod)["env"]:
                self.assertTrue(is_known(variable["name"]), variable)

    def test_the_program_accepts_every_configuration(self):
        for pod in self.pods:
            done = run_as_configured(pod, self.manifests)
            # Past its configuration, at the database or the bucket that is not there.
            self.assertEqual(done.returncode, UNREACHABLE, done.stderr)

    def test_pods_meet_the_restricted_standard(self):
        for pod in self.pods:
            self.assertEqual(restricted_faults(pod), [])

    def test_only_the_sized_scratch_volume_can_be_written(self):
        for pod in self.pods:
            only = container(pod)
            self.assertTrue(only["securityContext"]["readOnlyRootFilesystem"])
            writable = [mount for mount in only["volumeMounts"] if not mount.get("readOnly")]
            self.assertEqual(writable, [{"name": "scratch", "mountPath": "/scratch"}])
            self.assertEqual(only["workingDir"], "/scratch")
            (scratch,) = [volume for volume in pod["volumes"] if volume["name"] == "scratch"]
            self.assertRegex(scratch["emptyDir"]["sizeLimit"], r"^\d+Gi$")
            self.assertEqual(value_of(only, "PROJECT_SCRATCH"), "/scratch")

    def test_secrets_are_named_and_never_held(self):
        self.assertEqual(of_kind(self.manifests, "Secret"), [])
        for pod in self.pods:
            for variable in container(pod)["env"]:
                if variable["name"] in ("DATABASE_URL", "PGPASSWORD", "SENTRY_DSN", "AWS_SECRET_ACCESS_KEY"):
                    self.assertEqual(list(variable["valueFrom"]), ["secretKeyRef"])

    def test_a_run_is_never_doubled_and_never_endless(self):
        for job in self.jobs:
            spec, run = job["spec"], job["spec"]["jobTemplate"]["spec"]
            self.assertEqual(spec["concurrencyPolicy"], "Forbid")
            self.assertGreaterEqual(spec["startingDeadlineSeconds"], 10)
            self.assertGreater(run["activeDeadlineSeconds"], 0)
            # The program stops within 10 seconds.
            self.assertGreater(run["template"]["spec"]["terminationGracePeriodSeconds"], 10)
            self.assertEqual(run["template"]["spec"]["restartPolicy"], "Never")

    def test_the_network_policy_is_for_all_pods_of_the_chart(self):
        (policy,) = of_kind(self.manifests, "NetworkPolicy")
        selected = policy["spec"]["podSelector"]["matchLabels"].items()
        # Not by a version: pods of the chart before and after an upgrade are meant as well.
        self.assertEqual(len(selected), 2)
        labels = [pod["metadata"]["labels"] for pod in of_kind(self.manifests, "Pod")]
        labels += [job["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["labels"] for job in self.jobs]
        for found in labels:
            self.assertLessEqual(selected, found.items())
        self.assertEqual(policy["spec"]["ingress"], [])

    def test_gc_looks_after_a_lake_that_keeps_its_runs_and_has_no_way_into_the_database(self):
        publishing = {argument for job in runs(self.jobs) for argument in container(pod_of(job))["args"]}
        collections = [job for job in self.jobs if is_gc(job)]
        self.assertEqual(len(collections), int("--publish=catalog" in publishing))
        for job in collections:
            text = str(pod_of(job))
            for reading in ("DATABASE_URL", "PGPASSWORD", "SENTRY_DSN", "secretKeyRef", "database-ca", "configMap"):
                self.assertNotIn(reading, text)

    def test_helm_test_checks_what_the_runs_read(self):
        (pod,) = of_kind(self.manifests, "Pod")
        self.assertEqual(pod["metadata"]["annotations"]["helm.sh/hook"], "test")
        verb, tables = container(pod["spec"])["args"]
        self.assertEqual(verb, "check")
        for job in runs(self.jobs):
            read = container(pod_of(job))["args"][0].removeprefix("--table=")
            self.assertIn(read, tables)

    def test_the_notes_name_every_job(self):
        notes = helm_chart.notes(self.values)
        for job in self.jobs:
            self.assertIn(job["metadata"]["name"], notes)
        self.assertEqual("SET THE DESTINATION" in notes, self.values is None)


class Defaults(RenderedValues, unittest.TestCase):
    values = None


class Catalog(RenderedValues, unittest.TestCase):
    values = CATALOG


class Irsa(RenderedValues, unittest.TestCase):
    values = IRSA


class PodIdentity(RenderedValues, unittest.TestCase):
    values = POD_IDENTITY


class PrivateNetwork(RenderedValues, unittest.TestCase):
    values = PRIVATE_NETWORK


class Chart(unittest.TestCase):
    def test_every_file_of_values_is_looked_at(self):
        self.assertEqual({CATALOG, IRSA, POD_IDENTITY, PRIVATE_NETWORK}, set((CHART / "ci").iterdir()))

    def test_templates_name_no_flag_or_variable_that_the_program_does_not_know(self):
        """Also in branches that no value file reaches."""
        for file in (CHART / "templates").rglob("*.*"):
            text = file.read_text()
            for name in re.findall(r"\b(?:PROJECT|AWS|PG|SENTRY|DATABASE)_[A-Z_]+\b", text):
                self.assertTrue(is_known(name), f"{file.name}: {name}")
            if file.suffix == ".yaml":
                for flag in re.findall(r'"(--[a-z][a-z-]*)', text):
                    self.assertIn(flag, program.flags(), file.name)
                for word in re.findall(r"range \$flag := list (.*?) }}", text):
                    self.assertLessEqual({f"--{flag}" for flag in re.findall(r'"(\w+)"', word)}, program.flags())

    def test_defaults_are_all_stream_tasks_and_one_table(self):
        jobs = of_kind(render(), "CronJob")
        tables = [container(pod_of(job))["args"] for job in jobs]
        self.assertEqual(tables, [[f"--table={t}", "--workers=2"] for t in ("all", "stream_tasks", "public.orders")])

    def test_in_the_catalog_runs_switch_their_tables_and_know_of_no_crawler(self):
        jobs = {job["metadata"]["name"]: container(pod_of(job)) for job in of_kind(render(CATALOG), "CronJob")}
        arguments = {name.removeprefix("night-project-"): only["args"] for name, only in jobs.items()}
        self.assertIn("--publish=catalog", arguments["small"])
        nightly = ["--table=huge_tasks", "--publish=catalog", "--from=-3d", "--to=yesterday", "--workers=2"]
        self.assertEqual(arguments["huge-tasks"], [*nightly, "--max-shrink=20"])
        self.assertIn("--no-upload", arguments["rehearsal"])
        self.assertNotIn("--publish=catalog", arguments["rehearsal"])
        self.assertEqual(arguments["gc"], ["gc", "--keep-runs=7", "--grace=5d"])
        for only in jobs.values():
            self.assertNotIn("CRAWLER", str(only["env"]))
        self.assertIn("PROJECT_CRAWLER", str(render(IRSA)))

    def test_gc_has_what_the_runs_have_unless_it_says_otherwise(self):
        env = [{"name": "A", "value": "b"}]
        values = {
            "defaults": {"publish": "catalog", "backoffLimit": 5, "args": ["--verify"], "env": env},
            "gc": {"keepRuns": 1_000, "grace": 1_000_000, "activeDeadlineSeconds": 600},
        }
        collections = [job for job in of_kind(render(values), "CronJob") if is_gc(job)]
        run = collections[0]["spec"]["jobTemplate"]["spec"]
        only = container(pod_of(collections[0]))
        self.assertEqual((run["backoffLimit"], run["activeDeadlineSeconds"]), (5, 600))
        self.assertEqual(only["args"], ["gc", "--keep-runs=1000", "--grace=1000000"])
        self.assertEqual(value_of(only, "A"), "b")
        self.assertEqual(only["resources"]["limits"], {"memory": "256Mi"})

    def test_gc_is_there_when_it_is_asked_for_and_for_a_lake_that_keeps_its_runs(self):
        for enabled, publish, expected in [
            ("", "crawler", 0),
            ("", "none", 0),
            ("", "catalog", 1),
            (True, "crawler", 1),
            (False, "catalog", 0),
        ]:
            rendered = render({"gc": {"enabled": enabled}, "defaults": {"publish": publish}})
            found = [job for job in of_kind(rendered, "CronJob") if is_gc(job)]
            self.assertEqual(len(found), expected, (enabled, publish))

    def test_the_grace_that_the_checks_assume_is_the_programs(self):
        (grace,) = re.findall(r"--grace=<TIME>.*?\((\w+) when not given\)", program.USAGE, re.DOTALL)
        self.assertIn(f'$gc.grace | default "{grace}"', (CHART / "templates/_checks.tpl").read_text())

    def test_every_exit_code_has_one_rule(self):
        (job, *_) = of_kind(render(), "CronJob")
        disruption, never, again = job["spec"]["jobTemplate"]["spec"]["podFailurePolicy"]["rules"]
        self.assertEqual((disruption["action"], never["action"], again["action"]), ("Ignore", "FailJob", "Count"))
        self.assertEqual(disruption["onPodConditions"], [{"type": "DisruptionTarget", "status": "True"}])
        never, again = never["onExitCodes"]["values"], again["onExitCodes"]["values"]
        self.assertEqual(never, [2, 65, 70, 77, 78, 101])
        self.assertEqual(again, [69, 74, 75])
        # 101 is Rust's own for a panic that nobody caught; 130 and 143 are signals, which nobody sends for nothing.
        self.assertEqual({*never, *again} - {101}, program.exit_codes() - {0, 130, 143})

    def test_an_entry_wins_over_the_defaults_even_with_false_and_zero(self):
        rendered = of_kind(render(POD_IDENTITY), "CronJob")
        jobs = {job["metadata"]["name"]: job["spec"] for job in rendered}
        orders, rehearsal = jobs["night-project-orders"], jobs["night-project-new-table"]
        self.assertEqual((orders["suspend"], rehearsal["suspend"]), (False, True))
        limits = [job["jobTemplate"]["spec"]["backoffLimit"] for job in (orders, rehearsal)]
        self.assertEqual(limits, [0, 5])
        self.assertEqual(orders["timeZone"], "Europe/Berlin")
        rehearsed = rehearsal["jobTemplate"]["spec"]["template"]["spec"]
        self.assertIn("--no-upload", container(rehearsed)["args"])

    def test_numbers_stay_numbers(self):
        jobs = of_kind(render(IRSA), "CronJob")
        self.assertEqual(jobs[1]["spec"]["jobTemplate"]["spec"]["activeDeadlineSeconds"], 1_000_000)

    def test_roles_come_by_annotation_or_by_the_agent_of_pod_identity(self):
        irsa, identity = render(IRSA), render(POD_IDENTITY)
        (account,) = of_kind(irsa, "ServiceAccount")
        role = "arn:aws:iam::123456789012:role/shop-lake"
        self.assertEqual(account["metadata"]["annotations"]["eks.amazonaws.com/role-arn"], role)
        self.assertEqual({pod["serviceAccountName"] for pod in pods(irsa)}, {account["metadata"]["name"]})
        self.assertIn("169.254.170.23/32", str(of_kind(identity, "NetworkPolicy")))
        self.assertNotIn("169.254.170.23/32", str(of_kind(irsa, "NetworkPolicy")))

    def test_the_network_policy_opens_these_ports_and_no_other(self):
        def ports(values: Path | None) -> list[int]:
            (policy,) = of_kind(render(values), "NetworkPolicy")
            return [port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]]

        self.assertEqual(ports(None), [53, 53, 5432, 443])
        self.assertEqual(ports(POD_IDENTITY), [53, 53, 5432, 443, 80, 9091])
        self.assertEqual(ports(PRIVATE_NETWORK), [53, 53, 6432, 443, 9000])

    def test_only_an_entry_that_starts_a_follow_up_may_do_something_in_kubernetes(self):
        rendered = render({"cronjobs": [FOLLOWED, FOLLOWED | {"name": "again"}, UNFOLLOWED]})
        (role,), (binding,) = of_kind(rendered, "Role"), of_kind(rendered, "RoleBinding")
        rights = {(rule["apiGroups"][0], *rule["resources"]): rule for rule in role["rules"]}
        self.assertEqual({key: set(rule["verbs"]) for key, rule in rights.items()}, LEAST_RIGHTS)
        self.assertEqual(rights["batch", "cronjobs"]["resourceNames"], ["refresh"])
        (account,) = of_kind(rendered, "ServiceAccount")
        self.assertEqual([subject["name"] for subject in binding["subjects"]], [account["metadata"]["name"]])
        followed, _, unfollowed = (pod_of(cronjob) for cronjob in of_kind(rendered, "CronJob"))
        self.assertEqual(container(followed)["args"][-2:], ["--then=refresh", "--then-timeout=30m"])
        tokens = [pod["automountServiceAccountToken"] for pod in (followed, unfollowed)]
        self.assertEqual(tokens, [True, False])
        self.assertIn(6443, [port["port"] for port in ports_of(rendered)])
        for pod in pods(rendered):
            self.assertEqual(restricted_faults(pod), [])
        for manifest in rendered:
            kubernetes_validate.validate(manifest, helm_chart.OLDEST_KUBERNETES, strict=True)
        for values in (None, IRSA, CATALOG):
            self.assertEqual(of_kind(render(values), "Role") + of_kind(render(values), "RoleBinding"), [])

    def test_one_address_leads_metrics_to_the_pushgateway_and_opens_the_way(self):
        for address, port in [
            ("http://pushgateway.monitoring:9091", 9091),
            ("http://push.monitoring/below", 80),
            ("https://push.monitoring", 443),
        ]:
            rendered = render({"metrics": {"pushgateway": address}})
            for job in of_kind(rendered, "CronJob"):
                self.assertEqual(value_of(container(pod_of(job)), "PROJECT_PUSHGATEWAY"), address)
            (policy,) = of_kind(rendered, "NetworkPolicy")
            opened = policy["spec"]["egress"][-1]
            self.assertEqual([entry["port"] for entry in opened["ports"]], [port])
            self.assertIn("'kubernetes.io/metadata.name': 'monitoring'", str(opened["to"]))
        self.assertNotIn("PUSHGATEWAY", str(render()))


def pod_of(cronjob: Manifest) -> Manifest:
    return cronjob["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def ports_of(manifests: list[Manifest]) -> list[Manifest]:
    (policy,) = of_kind(manifests, "NetworkPolicy")
    return [port for rule in policy["spec"]["egress"] for port in rule["ports"]]


def is_gc(cronjob: Manifest) -> bool:
    return container(pod_of(cronjob))["args"][0] == "gc"


def runs(cronjobs: list[Manifest]) -> list[Manifest]:
    return [cronjob for cronjob in cronjobs if not is_gc(cronjob)]


def is_known(variable: str) -> bool:
    """The AWS SDK reads its own variables."""
    return variable in program.variables() or variable.startswith("AWS_")


def starts_follow_up(pod: Manifest) -> bool:
    return any(argument.startswith("--then=") for argument in container(pod)["args"])


def value_of(only: Manifest, variable: str) -> str:
    (found,) = [entry["value"] for entry in only["env"] if entry["name"] == variable]
    return found


def run_as_configured(pod: Manifest, manifests: list[Manifest]) -> subprocess.CompletedProcess[str]:
    """Runs the program with the container's arguments and variables, where neither database nor bucket is reached."""
    with tempfile.TemporaryDirectory(prefix="project-chart-") as folder:
        secrets = {"DATABASE_URL": NO_DATABASE, "SENTRY_DSN": NO_SENTRY}
        environment = {"PATH": os.environ["PATH"], **NO_AWS}
        for variable in container(pod)["env"]:
            name = variable["name"]
            environment[name] = variable.get("value") or secrets.get(name, "secret")
        if environment.get("PROJECT_CONFIG") == MOUNTED_CONFIG:
            (config,) = of_kind(manifests, "ConfigMap")
            file = Path(folder) / "project.toml"
            file.write_text(config["data"]["project.toml"])
            environment["PROJECT_CONFIG"] = str(file)
        command = [program.binary(), *container(pod)["args"]]
        return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=60)


def restricted_faults(pod: Manifest) -> list[str]:
    """Where a pod breaks the Pod Security Standard "restricted"."""
    only, context = container(pod), pod["securityContext"]
    own = only["securityContext"]
    volumes = {kind for volume in pod["volumes"] for kind in volume if kind != "name"}
    demands = {
        "no host namespaces": not any(pod.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")),
        "no host ports": not only.get("ports"),
        "not privileged": not own.get("privileged"),
        "no privilege escalation": own["allowPrivilegeEscalation"] is False,
        "no capabilities": own["capabilities"] == {"drop": ["ALL"]},
        "not root": context["runAsNonRoot"] is True and context["runAsUser"] > 0,
        "seccomp": context["seccompProfile"] == {"type": "RuntimeDefault"},
        "restricted volumes": volumes <= {"emptyDir", "configMap", "secret", "projected"},
        "no token": pod["automountServiceAccountToken"] is starts_follow_up(pod),
        "no init containers": not pod.get("initContainers"),
    }
    return [demand for demand, is_met in demands.items() if not is_met]


if __name__ == "__main__":
    unittest.main()
