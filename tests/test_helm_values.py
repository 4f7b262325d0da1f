"""What the chart says to values that cannot work: where, and what would be right."""

import unittest
from typing import Any

from helm_chart import of_kind, refusal, render

JOB = {"name": "users", "schedule": "15 2 * * *", "table": "users"}


def job(**changed: Any) -> dict[str, Any]:
    """Values with one CronJob that differs from a right one."""
    return {"cronjobs": [JOB | changed]}


CATALOG = {"defaults": {"publish": "catalog"}}

# Values, and what the refusal must hold.
WRONG: list[tuple[dict[str, Any], list[str]]] = [
    # Of the schema: a wrong type, an unknown key, a missing one, a value out of range.
    (job(schedule=15), ["/cronjobs/0/schedule", "got number, want string"]),
    (job(sched="15 2 * * *"), ["/cronjobs/0", "'sched' not allowed"]),
    (job(suspend="yes"), ["/cronjobs/0/suspend", "got string, want boolean"]),
    (job(publish="glue"), ["/cronjobs/0/publish", "'crawler', 'catalog', 'none'"]),
    (job(workers=0), ["/cronjobs/0/workers", "want 1"]),
    (job(startingDeadlineSeconds=5), ["/cronjobs/0/startingDeadlineSeconds", "want 10"]),
    (job(terminationGracePeriodSeconds=5), ["/cronjobs/0/terminationGracePeriodSeconds", "want 15"]),
    (job(activeDeadlineSeconds=-1), ["/cronjobs/0/activeDeadlineSeconds", "want 60"]),
    (job(scratch="10 gigabytes"), ["/cronjobs/0/scratch", "10 gigabytes"]),
    (job(resources={"limits": {"memory": "1GB"}}), ["/cronjobs/0/resources/limits/memory", "1GB"]),
    (job(resources={"request": {}}), ["/cronjobs/0/resources", "'request' not allowed"]),
    (job(env=[{"name": "A", "value": 1}]), ["/cronjobs/0/env/0/value", "got number, want string"]),
    (job(env=[{"name": "A"}]), ["/cronjobs/0/env/0", "value"]),
    ({"cronjobs": []}, ["/cronjobs", "minItems: got 0, want 1"]),
    ({"cronjobs": [{"name": "users", "schedule": "@daily"}]}, ["/cronjobs/0", "missing property 'table'"]),
    ({"cronjob": []}, ["'cronjob' not allowed"]),
    ({"destination": {"upload": "lake"}}, ["/destination/upload", "s3://"]),
    ({"destination": {"crawlerRole": "crawler"}}, ["/destination/crawlerRole", "arn:"]),
    ({"destination": {"crawlerTimeout": "soon"}}, ["/destination/crawlerTimeout", "soon"]),
    ({"database": {"secret": {"name": ""}}}, ["/database/secret/name", "minLength"]),
    ({"database": {"uri": "postgres://u:p@h/d"}}, ["/database", "'uri' not allowed"]),
    ({"database": {"port": 70000}}, ["/database/port", "65,535"]),
    ({"image": {"digest": "sha256:abc"}}, ["/image/digest", "sha256:abc"]),
    ({"metrics": {"pushgateway": "pushgateway:9091"}}, ["/metrics/pushgateway", "https?://"]),
    ({"metrics": {"pushgateway": "http://ann:canary@push:9091"}}, ["/metrics/pushgateway", "https?://"]),
    ({"gc": {"enabled": "yes"}}, ["/gc/enabled"]),
    ({"gc": {"keepRuns": 0}}, ["/gc/keepRuns", "want 1"]),
    ({"gc": {"grace": "a week"}}, ["/gc/grace", "a week"]),
    ({"gc": {"table": "users"}}, ["/gc", "'table' not allowed"]),
    ({"logFormat": "xml"}, ["/logFormat", "'json', 'text'"]),
    ({"networkPolicy": {"databaseCidrs": ["10.0.0.1"]}}, ["/networkPolicy/databaseCidrs/0", "10.0.0.1"]),
    # Of the chart's own checks, which know how values go together.
    (job(name="Users"), ["cronjobs[0] (Users)", "lower-case letters, digits and dashes"]),
    (job(name="u" * 60), ["cronjobs[0]", "at most 52; shorten it"]),
    (job(schedule="nightly"), ['schedule "nightly" is not a cron expression of five fields, as in 15 2 * * *']),
    (job(schedule="0 15 2 * * *"), ["not a cron expression of five fields"]),
    (job(schedule="TZ=UTC 15 2 * * *"), ["not a cron expression of five fields"]),
    ({"cronjobs": [JOB, JOB]}, ["cronjobs[1] (users): another entry has this name"]),
    (job(**{"from": "01.02.2026"}), ['cronjobs[0] (users): from "01.02.2026" is not a date; write "2026-01-31", today']),
    (job(**{"to": "tomorrow"}), ['to "tomorrow" is not a date']),
    (job(**{"from": "7d"}), ['from "7d" is not a date']),
    (job(**{"from": "2026-02-01", "to": "2026-01-01"}), ["from 2026-02-01 is after to 2026-01-01"]),
    (job(args=["postgres://u:p@h/d"]), ["an argument begins with a dash", "database.secret"]),
    (job(env=[{"name": "PGPASSWORD", "value": "x"}]), ["PGPASSWORD is a secret", "secretKeyRef"]),
    ({"defaults": {"env": [{"name": "AWS_SECRET_ACCESS_KEY", "value": "x"}]}}, ["defaults: the variable AWS_SECRET"]),
    ({"destination": {"crawler": ""}}, ["destination.crawler is empty", "publish: catalog or none"]),
    ({"destination": {"glueDatabase": ""}}, ["destination.glueDatabase is empty", "publish: none"]),
    (CATALOG | {"destination": {"glueDatabase": ""}}, ["destination.glueDatabase is empty"]),
    (
        {"cronjobs": [JOB, JOB | {"name": "orders", "publish": "catalog"}]},
        ["cronjobs[1] (orders): publish: catalog, but cronjobs[0] (users) has publish: crawler, and a destination"],
    ),
    (
        CATALOG | {"cronjobs": [JOB, JOB | {"name": "orders", "publish": "crawler"}], "gc": {"schedule": "nightly"}},
        ["cronjobs[1] (orders): publish: crawler, but cronjobs[0] (users) has publish: catalog", "gc: schedule"],
    ),
    (job(then="./job.yaml"), ["/cronjobs/0/then", "job.yaml"]),
    (job(then="refresh", thenTimeout="soon"), ["/cronjobs/0/thenTimeout", "soon"]),
    (job(then="refresh", publish="none"), ["cronjobs[0] (users): with publish: none nothing is published"]),
    (job(thenTimeout="5m"), ["cronjobs[0] (users): thenTimeout says nothing without then"]),
    (job(then="refresh", thenTimeout="6h"), ["activeDeadlineSeconds is 21600", "before thenTimeout (6h) has passed"]),
    (job(then="refresh", activeDeadlineSeconds=3600), ["before thenTimeout (1h) has passed"]),
    (job(then="refresh", thenTimeout=21_600), ["before thenTimeout (21600) has passed"]),
    (job(then="refresh") | {"serviceAccount": {"create": False}}, ["those of every pod that has the service account default"]),
    (CATALOG | job(name="gc"), ["cronjobs[0] (gc): gc is the name of the CronJob that the value gc makes"]),
    (CATALOG | {"gc": {"schedule": "nightly"}}, ['gc: schedule "nightly" is not a cron expression']),
    (CATALOG | {"gc": {"args": ["postgres://u:p@h/d"]}}, ["gc: an argument begins with a dash"]),
    (CATALOG | {"gc": {"grace": "6h"}}, ["cronjobs[0] (all): activeDeadlineSeconds is 21600", "gc.grace (6h)"]),
    (CATALOG | {"gc": {"grace": 600}}, ["activeDeadlineSeconds is 21600", "gc.grace (600)"]),
    (CATALOG | job(activeDeadlineSeconds=259_200), ["activeDeadlineSeconds is 259200", "gc.grace (3d)", "longer"]),
]


# What stands close to what is wrong.
RIGHT: list[dict[str, Any]] = [
    CATALOG | {"destination": {"crawler": ""}},
    CATALOG | {"cronjobs": [JOB, JOB | {"name": "orders", "publish": "none"}]},
    CATALOG | job(name="gc") | {"gc": {"enabled": False, "grace": "1s"}},
    CATALOG | job(activeDeadlineSeconds=259_199),
    CATALOG | {"gc": {"grace": "361m"}},
    CATALOG | job(publish="none", activeDeadlineSeconds=1_000_000) | {"gc": {"enabled": True}},
    job(name="gc"),
    job(then="refresh", thenTimeout="359m"),
    job(then="refresh") | {"serviceAccount": {"create": False, "name": "runs"}},
    {"defaults": {"publish": "none"}, "destination": {"glueDatabase": "", "crawler": ""}},
]


class WrongValues(unittest.TestCase):
    def test_each_is_refused_with_its_place_and_the_reason(self):
        for values, words in WRONG:
            with self.subTest(values=values):
                said = refusal(values)
                for word in words:
                    self.assertIn(word, said)

    def test_what_stands_close_to_them_is_taken(self):
        for values in RIGHT:
            with self.subTest(values=values):
                self.assertTrue(of_kind(render(values), "CronJob"))

    def test_all_mistakes_are_told_at_once(self):
        said = refusal({"cronjobs": [JOB | {"schedule": "daily"}, JOB | {"name": "B"}]})
        for word in ("cronjobs[0] (users): schedule", "cronjobs[1] (B): a name has"):
            self.assertIn(word, said)

    def test_a_refusal_repeats_no_secret(self):
        said = refusal(job(args=["postgres://u:canary@h/d"], env=[{"name": "PGPASSWORD", "value": "canary"}]))
        self.assertNotIn("canary", said)


if __name__ == "__main__":
    unittest.main()
