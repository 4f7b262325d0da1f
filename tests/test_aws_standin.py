"""Shows through AWS's own client that the stand-in differs from moto where AWS does."""

import base64
import datetime
import decimal
import io
import json
import subprocess
import sys
import threading
import time
import unittest
import urllib.request
import zlib
from pathlib import Path

import boto3
import pyarrow
import pyarrow.parquet
from botocore.config import Config
from botocore.exceptions import ClientError

DATABASE, BUCKET, ROLE = "shop", "lake", "arn:aws:iam::123456789012:role/crawler"


def parquet(**columns):
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), buffer, compression="gzip")
    return buffer.getvalue()


def orders(*amounts):
    ids, now = range(len(amounts)), datetime.datetime(2026, 1, 2, 3, 4, 5, 678000)
    decimals = pyarrow.array([a and decimal.Decimal(a) for a in amounts], pyarrow.decimal128(18, 2))
    return parquet(
        Id=pyarrow.array(ids, pyarrow.int32()),
        amount=decimals,
        made=pyarrow.array([now] * len(amounts), pyarrow.timestamp("ms")),
    )


class StandInTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        script = Path(__file__).with_name("aws_standin.py")
        cls.process = subprocess.Popen(
            [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        cls.url = cls.process.stdout.readline().split()[1]
        config = Config(retries={"total_max_attempts": 1}, region_name="eu-central-1")
        access = {
            "endpoint_url": cls.url,
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
            "config": config,
        }
        cls.s3, cls.glue, cls.athena = (boto3.client(name, **access) for name in ("s3", "glue", "athena"))

    @classmethod
    def tearDownClass(cls):
        cls.process.stdin.close()
        assert cls.process.wait(10) == 0
        cls.process.stdout.close()

    def setUp(self):
        self.control("reset", {})
        self.control("crawl", {"running_seconds": 0.3, "stopping_seconds": 0.2})
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        self.glue.create_database(DatabaseInput={"Name": DATABASE})

    def control(self, what, value=None):
        data = None if value is None else json.dumps(value).encode()
        with urllib.request.urlopen(f"{self.url}/_standin/{what}", data) as answer:
            return json.load(answer)

    def fails(self, code, call, *args, **kwargs):
        with self.assertRaises(ClientError) as caught:
            call(*args, **kwargs)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)
        return caught.exception.response

    def put(self, key, body):
        return self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)

    def create_crawler(self, path="dest/", level=3, **more):
        grouping = {"Version": 1.0, "Grouping": {"TableLevelConfiguration": level}} if level else {"Version": 1.0}
        self.glue.create_crawler(
            Name="c",
            Role=ROLE,
            DatabaseName=DATABASE,
            Configuration=json.dumps(grouping),
            Targets={"S3Targets": [{"Path": f"s3://{BUCKET}/{path}"}]},
            **more,
        )

    def crawler(self):
        return self.glue.get_crawler(Name="c")["Crawler"]

    def wait_for(self, *states):
        seen, deadline = [], time.monotonic() + 5
        while not seen or seen[-1] != states[-1]:
            self.assertLess(time.monotonic(), deadline, f"{states} was not reached: {seen}")
            state = self.crawler()["State"]
            seen += [state] if seen[-1:] != [state] else []
            time.sleep(0.02)
        return seen

    def crawl(self):
        self.glue.start_crawler(Name="c")
        self.wait_for("READY")
        return self.crawler()["LastCrawl"]

    def query(self, sql, until=("SUCCEEDED", "FAILED", "CANCELLED"), **more):
        name = self.athena.start_query_execution(
            QueryString=sql,
            QueryExecutionContext={"Database": DATABASE},
            **{"ResultConfiguration": {"OutputLocation": f"s3://{BUCKET}/results/"}} | more,
        )
        return name["QueryExecutionId"], self.wait_for_query(name["QueryExecutionId"], until)

    def wait_for_query(self, name, until):
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            status = self.athena.get_query_execution(
                QueryExecutionId=name["QueryExecutionId"] if isinstance(name, dict) else name
            )
            if status["QueryExecution"]["Status"]["State"] in until:
                return status["QueryExecution"]["Status"]
            time.sleep(0.02)
        self.fail(f"the query did not reach {until}")

    def rows(self, sql):
        name, status = self.query(sql)
        self.assertEqual(status["State"], "SUCCEEDED", status)
        rows = self.athena.get_query_results(QueryExecutionId=name)["ResultSet"]["Rows"]
        return [[cell.get("VarCharValue") for cell in row["Data"]] for row in rows]

    def test_crawl_makes_tables_and_partitions_that_athena_reads(self):
        self.put("dest/orders/part-0.parquet", orders("1.50", None))
        self.put("dest/orders/_SUCCESS", b"")
        self.put("dest/events/dt=2026-01-01/a.parquet", orders("0.10"))
        self.put("dest/events/dt=__HIVE_DEFAULT_PARTITION__/a.parquet", orders("0.20"))
        self.create_crawler()
        self.assertEqual(self.crawl()["Status"], "SUCCEEDED")
        table = self.glue.get_table(DatabaseName=DATABASE, Name="orders")["Table"]
        self.assertEqual(
            [(c["Name"], c["Type"]) for c in table["StorageDescriptor"]["Columns"]],
            [("id", "int"), ("amount", "decimal(18,2)"), ("made", "timestamp")],
        )
        self.assertIn("ParquetHiveSerDe", table["StorageDescriptor"]["SerdeInfo"]["SerializationLibrary"])
        self.assertEqual((table["Parameters"]["classification"], table["PartitionKeys"]), ("parquet", []))
        keys = self.glue.get_table(DatabaseName=DATABASE, Name="events")["Table"]["PartitionKeys"]
        self.assertEqual(keys, [{"Name": "dt", "Type": "string"}])
        self.assertEqual(
            self.rows("SELECT id, amount, made FROM orders ORDER BY id"),
            [
                ["id", "amount", "made"],
                ["0", "1.50", "2026-01-02 03:04:05.678"],
                ["1", None, "2026-01-02 03:04:05.678"],
            ],
        )
        self.assertEqual(
            self.rows(
                f'SELECT dt, sum(amount) AS s FROM "awsdatacatalog"."{DATABASE}"."events" GROUP BY dt ORDER BY s'
            ),
            [["dt", "s"], ["2026-01-01", "0.10"], [None, "0.20"]],
        )
        self.put("dest/events/dt=2026-01-02/a.parquet", orders("5"))
        self.put("dest/orders/part-1.parquet", orders("2"))
        self.assertEqual(self.rows("SELECT count(*) FROM events")[1], ["2"], "an unregistered partition must not show")
        self.assertEqual(
            self.rows("SELECT count(*) FROM orders")[1], ["3"], "a new file in a known place needs no crawl"
        )
        self.assertEqual(self.crawl()["Status"], "SUCCEEDED")
        self.assertEqual(self.rows("SELECT count(*) FROM events")[1], ["3"])
        self.put("dest/orders/part-2.parquet", parquet(id=["text"]))
        self.assertIn("HIVE_BAD_DATA", self.query("SELECT * FROM orders")[1]["StateChangeReason"])

    def test_crawl_without_a_level_tells_tables_by_their_schemas(self):
        self.put("dest/orders/a.parquet", orders("1"))
        self.put("dest/users/a.parquet", parquet(name=["x"], country=["y"]))
        self.create_crawler(level=None)
        self.crawl()
        names = [t["Name"] for t in self.glue.get_tables(DatabaseName=DATABASE)["TableList"]]
        self.assertEqual(sorted(names), ["orders", "users"])
        self.glue.update_crawler(
            Name="c", Targets={"S3Targets": [{"Path": f"s3://{BUCKET}/dest/orders"}]}, TablePrefix="only_"
        )
        self.crawl()
        self.assertEqual(self.glue.get_table(DatabaseName=DATABASE, Name="only_orders")["Table"]["VersionId"], "1")

    def test_crawler_states_and_outcomes(self):
        self.put("dest/orders/a.parquet", orders("1"))
        self.create_crawler()
        self.assertNotIn("LastCrawl", self.crawler())
        self.glue.start_crawler(Name="c")
        self.fails("CrawlerRunningException", self.glue.start_crawler, Name="c")
        self.put("dest/late/a.parquet", orders("1"))
        self.assertNotIn("LastCrawl", self.crawler())
        self.assertEqual(self.wait_for("RUNNING", "STOPPING", "READY"), ["RUNNING", "STOPPING", "READY"])
        first = self.crawler()["LastCrawl"]
        self.fails("EntityNotFoundException", self.glue.get_table, DatabaseName=DATABASE, Name="late")
        self.put("dest/late/a.parquet", b"PAR1 but broken PAR1")
        broken = self.crawl()
        self.assertGreater(broken["StartTime"], first["StartTime"])
        self.assertEqual((first["Status"], broken["Status"]), ("SUCCEEDED", "FAILED"))
        self.assertIn("dest/late/a.parquet", broken["ErrorMessage"])
        self.glue.start_crawler(Name="c")
        self.assertEqual(self.crawler()["LastCrawl"], broken, "the last crawl is the last that ended")
        self.glue.stop_crawler(Name="c")
        self.wait_for("STOPPING", "READY")
        self.assertEqual(self.crawler()["LastCrawl"]["Status"], "CANCELLED")
        self.fails("CrawlerNotRunningException", self.glue.stop_crawler, Name="c")
        self.control("crawl", {"fail_with": "no rights"})
        self.assertEqual(self.crawl()["ErrorMessage"], "no rights")

    def test_crawler_refusals(self):
        self.create_crawler()
        self.fails("AlreadyExistsException", self.create_crawler)
        self.fails("EntityNotFoundException", self.glue.start_crawler, Name="other")
        targets = {"S3Targets": [{"Path": f"s3://{BUCKET}/dest/"}]}
        self.fails(
            "InvalidInputException", self.glue.create_crawler, Name="d", Role="arn:aws:iam::1:user/x", Targets=targets
        )
        self.glue.update_crawler(
            Name="c", DatabaseName="nowhere", Targets={"S3Targets": [{"Path": f"s3://{BUCKET}/x/"}]}
        )
        self.put("x/y/a.parquet", orders("1"))
        self.assertIn("nowhere", self.crawl()["ErrorMessage"])
        self.glue.update_crawler(Name="c", Targets={"S3Targets": [{"Path": "s3://no-such-bucket/x/"}]})
        self.assertIn("no-such-bucket", self.crawl()["ErrorMessage"])

    def test_update_table_is_compare_and_swap(self):
        table = {"Name": "t", "StorageDescriptor": {"Location": "s3://lake/1/", "Columns": []}}
        self.glue.create_table(DatabaseName=DATABASE, TableInput=table)
        version = self.glue.get_table(DatabaseName=DATABASE, Name="t")["Table"]["VersionId"]
        self.glue.update_table(DatabaseName=DATABASE, TableInput=table, VersionId=version, SkipArchive=True)
        self.fails(
            "ConcurrentModificationException",
            self.glue.update_table,
            DatabaseName=DATABASE,
            TableInput=table,
            VersionId=version,
        )
        self.assertEqual(len(self.glue.get_table_versions(DatabaseName=DATABASE, TableName="t")["TableVersions"]), 1)

    def test_athena_outcomes(self):
        missing = self.query("SELECT * FROM nothing")[1]
        self.assertEqual((missing["State"], missing["AthenaError"]["ErrorCategory"]), ("FAILED", 2))
        self.assertIn("nothing", missing["StateChangeReason"])
        self.assertEqual(self.query("DROP TABLE nothing")[1]["State"], "FAILED")
        name, _ = self.query("/* hold */ SELECT 1", until=("RUNNING",))
        self.fails("InvalidRequestException", self.athena.get_query_results, QueryExecutionId=name)
        time.sleep(0.5)  # it is finished long before that when it is not held
        self.wait_for_query(name, ("RUNNING",))
        self.athena.stop_query_execution(QueryExecutionId=name)
        self.assertEqual(self.wait_for_query(name, ("CANCELLED",))["State"], "CANCELLED")
        self.fails("InvalidRequestException", self.athena.start_query_execution, QueryString="SELECT 1")
        self.fails(
            "InvalidRequestException", self.athena.start_query_execution, QueryString="SELECT 1", WorkGroup="none"
        )
        self.athena.create_work_group(
            Name="g", Configuration={"ResultConfiguration": {"OutputLocation": f"s3://{BUCKET}/g/"}}
        )
        names = {
            self.athena.start_query_execution(QueryString="SELECT 1", WorkGroup="g", ClientRequestToken="t" * 32)[
                "QueryExecutionId"
            ]
            for _ in range(2)
        }
        self.assertEqual(len(names), 1, "the client request token makes a start idempotent")
        self.assertEqual(self.wait_for_query(names.pop(), ("SUCCEEDED",))["State"], "SUCCEEDED")

    def test_athena_pages(self):
        name, _ = self.query("SELECT i, true AS yes FROM range(5) r(i)")
        pages = self.athena.get_paginator("get_query_results").paginate(
            QueryExecutionId=name, PaginationConfig={"PageSize": 4}
        )
        pages = [
            [[cell["VarCharValue"] for cell in row["Data"]] for row in page["ResultSet"]["Rows"]] for page in pages
        ]
        self.assertEqual(
            pages, [[["i", "yes"], ["0", "true"], ["1", "true"], ["2", "true"]], [["3", "true"], ["4", "true"]]]
        )

    def test_s3_refuses_a_wrong_checksum(self):
        for name, value in {
            "ChecksumCRC32": "AAAAAA==",
            "ChecksumCRC32C": "AAAAAA==",
            "ChecksumCRC64NVME": "AAAAAAAAAAA=",
            "ContentMD5": "AAAAAAAAAAAAAAAAAAAAAA==",
        }.items():
            self.fails("BadDigest", self.s3.put_object, Bucket=BUCKET, Key="k", Body=b"data", **{name: value})
        self.assertEqual(self.raw_trailer(b"AAAAAA=="), 400)
        self.assertEqual(self.s3.list_objects_v2(Bucket=BUCKET)["KeyCount"], 0)
        self.assertEqual(self.raw_trailer(base64.b64encode(zlib.crc32(b"data").to_bytes(4, "big"))), 200)
        stored = self.s3.get_object(Bucket=BUCKET, Key="k")
        self.assertEqual((stored["Body"].read(), stored.get("ContentEncoding")), (b"data", None))
        for algorithm in ("CRC32", "CRC32C", "CRC64NVME", "SHA256"):
            self.s3.put_object(Bucket=BUCKET, Key="k", Body=io.BytesIO(b"data"), ChecksumAlgorithm=algorithm)
            self.assertIn(f"Checksum{algorithm}", self.s3.head_object(Bucket=BUCKET, Key="k", ChecksumMode="ENABLED"))

    def raw_trailer(self, crc):
        body = b"4\r\ndata\r\n0\r\nx-amz-checksum-crc32:" + crc + b"\r\n\r\n"
        headers = {
            "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            "x-amz-trailer": "x-amz-checksum-crc32",
            "content-encoding": "aws-chunked",
            "x-amz-decoded-content-length": "4",
            "x-amz-sdk-checksum-algorithm": "CRC32",
            "content-type": "application/octet-stream",
        }
        request = urllib.request.Request(f"{self.url}/{BUCKET}/k", body, headers, method="PUT")
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            error.close()
            return error.code

    def test_s3_multipart(self):
        upload = {"Bucket": BUCKET, "Key": "big"}
        upload |= {
            "UploadId": self.s3.create_multipart_upload(
                **upload, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT"
            )["UploadId"]
        }
        self.fails("BadDigest", self.s3.upload_part, **upload, PartNumber=1, Body=b"data", ChecksumCRC32="AAAAAA==")
        part = self.s3.upload_part(**upload, PartNumber=1, Body=b"data")
        started = self.s3.list_multipart_uploads(Bucket=BUCKET)["Uploads"][0]["Initiated"]
        self.assertLess(abs(datetime.datetime.now(datetime.UTC) - started), datetime.timedelta(minutes=1))
        parts = {"MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}, "ChecksumType": "FULL_OBJECT"}
        self.fails("BadDigest", self.s3.complete_multipart_upload, **upload, **parts, ChecksumCRC32="AAAAAA==")
        self.fails("InvalidRequest", self.s3.complete_multipart_upload, **upload, **parts, MpuObjectSize=5)
        self.fails("404", self.s3.head_object, Bucket=BUCKET, Key="big")
        crc = base64.b64encode(zlib.crc32(b"data").to_bytes(4, "big")).decode()
        self.s3.complete_multipart_upload(**upload, **parts, ChecksumCRC32=crc, MpuObjectSize=4)
        self.assertEqual(self.s3.head_object(Bucket=BUCKET, Key="big")["ContentLength"], 4)
        self.fails("NoSuchUpload", self.s3.complete_multipart_upload, **upload, **parts, ChecksumCRC32=crc)
        self.fails("NoSuchUpload", self.s3.upload_part, **upload, PartNumber=1, Body=b"data")
        self.fails("NoSuchUpload", self.s3.abort_multipart_upload, **upload)
        self.fails("NoSuchBucket", self.s3.put_object, Bucket="no-such-bucket", Key="k", Body=b"")
        self.fails("NoSuchBucket", self.s3.create_multipart_upload, Bucket="no-such-bucket", Key="k")

    def test_faults_and_log(self):
        put = {"service": "s3", "operation": "PutObject"}
        self.control(
            "faults",
            [
                put | {"mode": "reject", "key_contains": "orders", "status": 403, "code": "AccessDenied"},
                put | {"mode": "done_then_error", "key_contains": "users", "status": 503, "code": "SlowDown"},
                {
                    "service": "glue",
                    "operation": "GetTables",
                    "mode": "reject",
                    "status": 400,
                    "code": "ThrottlingException",
                },
            ],
        )
        self.fails("AccessDenied", self.put, "dest/orders", b"x")
        self.fails("SlowDown", self.put, "dest/users", b"x")
        self.fails("ThrottlingException", self.glue.get_tables, DatabaseName=DATABASE)
        self.put("dest/orders/2", b"x")
        keys = [item["Key"] for item in self.s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
        self.assertEqual(keys, ["dest/orders/2", "dest/users"])
        log = [(c["operation"], c["name"], c["status"]) for c in self.control("log") if c["operation"] == "PutObject"]
        self.assertEqual(
            log,
            [
                ("PutObject", f"{BUCKET}/dest/orders", 403),
                ("PutObject", f"{BUCKET}/dest/users", 503),
                ("PutObject", f"{BUCKET}/dest/orders/2", 200),
            ],
        )

    def test_a_held_answer_waits_until_it_is_released(self):
        self.control("faults", [{"service": "s3", "operation": "PutObject", "mode": "hold"}])
        held = threading.Thread(target=self.put, args=("k", b"x"))
        held.start()
        deadline = time.monotonic() + 5
        while "Contents" not in self.s3.list_objects_v2(Bucket=BUCKET):
            self.assertLess(time.monotonic(), deadline)
        self.assertIn(None, [c["status"] for c in self.control("log") if c["operation"] == "PutObject"])
        self.assertTrue(held.is_alive())
        self.control("faults", [])
        held.join(5)
        self.assertFalse(held.is_alive())
        self.control("faults", [{"service": "s3", "operation": "PutObject", "mode": "slow", "seconds": 0.3}])
        before = time.monotonic()
        self.put("k", b"x")
        self.assertGreaterEqual(time.monotonic() - before, 0.3)


if __name__ == "__main__":
    unittest.main()
