"""Shows through AWS's own client what the stand-in does for tables that are published without a crawler."""

import base64
import datetime
import io
import json
import time
import unittest
import urllib.request
import zlib

import boto3
import pyarrow
import pyarrow.parquet
from botocore.config import Config
from botocore.exceptions import ClientError

from running_standin import REGION, running_standin

BUCKET, DATABASE, NULL = "lake", "shop", "__HIVE_DEFAULT_PARTITION__"


def crc32(data):
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


def parquet(*ids):
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"id": pyarrow.array(ids, pyarrow.int64())}), buffer)
    return buffer.getvalue()


class CatalogModeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.standin = cls.enterClassContext(running_standin())
        once = Config(retries={"total_max_attempts": 1}, region_name=REGION)
        access = {"endpoint_url": cls.standin.url, "aws_access_key_id": "test", "aws_secret_access_key": "test"}
        cls.s3, cls.glue, cls.athena = (
            boto3.client(name, config=once, **access) for name in ("s3", "glue", "athena")
        )

    def setUp(self):
        self.control("reset", {})
        self.standin.create_bucket(BUCKET)
        self.glue.create_database(DatabaseInput={"Name": DATABASE})

    def control(self, what, value):
        with urllib.request.urlopen(f"{self.standin.url}/_standin/{what}", json.dumps(value).encode()) as answer:
            return json.load(answer)

    def fault(self, operation, mode, **more):
        self.control("faults", [{"service": "s3", "operation": operation, "mode": mode} | more])

    def fails(self, code, call, **arguments):
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)

    def put(self, key, body, **more):
        return self.s3.put_object(Bucket=BUCKET, Key=key, Body=body, **more)

    def get(self, key):
        return self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()

    def test_conditional_puts(self):
        etag = self.put("k", b"first", IfNoneMatch="*")["ETag"]
        self.fails("PreconditionFailed", self.put, key="k", body=b"second", IfNoneMatch="*")
        self.fails("PreconditionFailed", self.put, key="k", body=b"second", IfMatch='"another"')
        self.fails("NoSuchKey", self.put, key="nothing", body=b"second", IfMatch=etag)
        self.assertEqual(self.get("k"), b"first")
        self.put("k", b"second", IfMatch=etag)
        self.assertEqual(self.get("k"), b"second")

    def test_a_conditional_completion(self):
        self.put("big", b"first")
        upload = {"Bucket": BUCKET, "Key": "big"}
        upload |= {"UploadId": self.s3.create_multipart_upload(**upload)["UploadId"]}
        part = self.s3.upload_part(**upload, PartNumber=1, Body=b"second")
        parts = {"MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}}
        self.fails("PreconditionFailed", self.s3.complete_multipart_upload, **upload, **parts, IfNoneMatch="*")
        self.assertEqual(self.get("big"), b"first")
        self.s3.delete_object(Bucket=BUCKET, Key="big")
        self.s3.complete_multipart_upload(**upload, **parts, IfNoneMatch="*")
        self.assertEqual(self.get("big"), b"second")

    def test_copies_have_checksums_and_conditions(self):
        self.put("a/dt=1/x", b"data", ChecksumAlgorithm="CRC32")
        copy = {"Bucket": BUCKET, "CopySource": {"Bucket": BUCKET, "Key": "a/dt=1/x"}, "ChecksumAlgorithm": "CRC32"}
        copied = self.s3.copy_object(**copy, Key="b/dt=1/x", IfNoneMatch="*", TaggingDirective="REPLACE")
        self.assertEqual(copied["CopyObjectResult"]["ChecksumCRC32"], crc32(b"data"))
        self.assertEqual(self.get("b/dt=1/x"), b"data")
        self.fails("PreconditionFailed", self.s3.copy_object, **copy, Key="b/dt=1/x", IfNoneMatch="*")
        copy["CopySource"]["Key"] = "nothing"
        self.fails("NoSuchKey", self.s3.copy_object, **copy, Key="c")

    def test_a_flipped_bit_is_refused_on_the_way_in_and_seen_on_the_way_out_and_in_a_copy(self):
        self.fault("PutObject", "flip")
        self.fails("BadDigest", self.put, key="k", body=b"data", ChecksumAlgorithm="CRC32")
        self.put("k", b"data", ChecksumAlgorithm="CRC32")
        self.fault("GetObject", "flip")
        answer = self.s3.get_object(Bucket=BUCKET, Key="k")
        self.assertNotEqual(answer["Body"]._raw_stream.read(), b"data")
        self.assertEqual(answer["ChecksumCRC32"], crc32(b"data"))
        self.fault("CopyObject", "flip")
        source = {"Bucket": BUCKET, "Key": "k"}
        self.s3.copy_object(Bucket=BUCKET, Key="copy", CopySource=source, ChecksumAlgorithm="CRC32")
        stored = self.s3.head_object(Bucket=BUCKET, Key="copy", ChecksumMode="ENABLED")
        self.assertEqual(stored["ChecksumCRC32"], crc32(self.get("copy")))
        self.assertNotEqual(stored["ChecksumCRC32"], crc32(b"data"))

    def test_a_store_without_conditional_writes_refuses_them_or_ignores_them(self):
        self.fault("PutObject", "reject", conditional=True, status=501, code="NotImplemented", times=-1)
        self.fails("NotImplemented", self.put, key="k", body=b"first", IfNoneMatch="*")
        self.put("k", b"first")
        self.fault("PutObject", "unconditional")
        self.put("k", b"second", IfNoneMatch="*")
        self.assertEqual(self.get("k"), b"second")
        self.fails("PreconditionFailed", self.put, key="k", body=b"third", IfNoneMatch="*")

    def test_pending_uploads_come_in_pages(self):
        begun = [
            (key, self.s3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"])
            for key in ("a/2", "a/1", "a/1", "a&b", "a/3")
        ]
        pages = self.s3.get_paginator("list_multipart_uploads").paginate(
            Bucket=BUCKET, Prefix="a/", PaginationConfig={"PageSize": 2}
        )
        pages = [page["Uploads"] for page in pages]
        self.assertEqual([[upload["Key"] for upload in page] for page in pages], [["a/1", "a/1"], ["a/2", "a/3"]])
        listed = {(upload["Key"], upload["UploadId"]) for page in pages for upload in page}
        self.assertEqual(listed, {upload for upload in begun if upload[0] != "a&b"})
        self.assertEqual(self.s3.list_multipart_uploads(Bucket=BUCKET, Prefix="a&")["Uploads"][0]["Key"], "a&b")
        age = datetime.datetime.now(datetime.UTC) - pages[0][0]["Initiated"]
        self.assertLess(abs(age), datetime.timedelta(minutes=1))

    def create_events(self, **parameters):
        hive = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
        table = {
            "Name": "events",
            "TableType": "EXTERNAL_TABLE",
            "PartitionKeys": [{"Name": "dt", "Type": "string"}],
            "Parameters": {"classification": "parquet"} | parameters,
            "StorageDescriptor": {
                "Location": f"s3://{BUCKET}/run=1/events/",
                "Columns": [{"Name": "id", "Type": "bigint"}],
                "SerdeInfo": {"SerializationLibrary": hive},
            },
        }
        self.glue.create_table(DatabaseName=DATABASE, TableInput=table)
        return table

    def query(self, sql):
        output = {"OutputLocation": f"s3://{BUCKET}/results/"}
        name = self.athena.start_query_execution(
            QueryString=sql, QueryExecutionContext={"Database": DATABASE}, ResultConfiguration=output
        )["QueryExecutionId"]
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            status = self.athena.get_query_execution(QueryExecutionId=name)["QueryExecution"]["Status"]
            if status["State"] == "SUCCEEDED":
                rows = self.athena.get_query_results(QueryExecutionId=name)["ResultSet"]["Rows"]
                return [[cell.get("VarCharValue") for cell in row["Data"]] for row in rows[1:]]
            if status["State"] == "FAILED":
                return status["StateChangeReason"]
            time.sleep(0.02)
        self.fail("the query did not end")

    def test_projection_shows_its_values_and_nothing_that_is_registered(self):
        template = f"s3://{BUCKET}/run=%s/events/dt=${{dt}}/"
        projection = {
            "projection.enabled": "true",
            "projection.dt.type": "enum",
            "projection.dt.values": f"2026-01-01,2026-01-02,{NULL}",
            "storage.location.template": template % 1,
        }
        table = self.create_events(**projection)
        for run, dt, ids in [(1, "2026-01-01", [1]), (1, NULL, [2]), (1, "2026-01-03", [3]), (2, "2026-01-02", [4])]:
            self.put(f"run={run}/events/dt={dt}/a.parquet", parquet(*ids))
        registered = {"Location": f"s3://{BUCKET}/run=1/events/dt=2026-01-03/", "Columns": []}
        self.glue.create_partition(
            DatabaseName=DATABASE,
            TableName="events",
            PartitionInput={"Values": ["2026-01-03"], "StorageDescriptor": registered},
        )
        rows = "SELECT id, dt FROM events ORDER BY id"
        self.assertEqual(self.query(rows), [["1", "2026-01-01"], ["2", None]], "an empty folder has no rows")
        table["Parameters"] = projection | {"storage.location.template": template % 2}
        self.glue.update_table(DatabaseName=DATABASE, TableInput=table)
        self.assertEqual(self.query(rows), [["4", "2026-01-02"]], "all partitions switch at once")
        for setting, value in [
            ("projection.dt.type", None),
            ("projection.dt.values", None),
            ("storage.location.template", f"s3://{BUCKET}/run=1/"),
            ("storage.location.template", (template % 1).removesuffix("/")),
        ]:
            broken = projection | ({setting: value} if value else {})
            table["Parameters"] = {name: text for name, text in broken.items() if value or name != setting}
            self.glue.update_table(DatabaseName=DATABASE, TableInput=table)
            self.assertIn("HIVE_METASTORE_ERROR", self.query(rows), setting)
        table["Parameters"] = projection | {"projection.enabled": "false"}
        self.glue.update_table(DatabaseName=DATABASE, TableInput=table)
        self.assertEqual(self.query(rows), [["3", "2026-01-03"]])

    def test_partition_indexes(self):
        self.create_events()
        table = {"DatabaseName": DATABASE, "TableName": "events"}
        index = {"PartitionIndex": {"IndexName": "by_dt", "Keys": ["dt"]}}
        self.assertEqual(self.glue.get_partition_indexes(**table)["PartitionIndexDescriptorList"], [])
        self.glue.create_partition_index(**table, **index)
        (described,) = self.glue.get_partition_indexes(**table)["PartitionIndexDescriptorList"]
        self.assertEqual((described["IndexStatus"], described["Keys"][0]["Name"]), ("CREATING", "dt"))
        self.fails("AlreadyExistsException", self.glue.create_partition_index, **table, **index)
        wrong = {"PartitionIndex": {"IndexName": "by_id", "Keys": ["id"]}}
        self.fails("InvalidInputException", self.glue.create_partition_index, **table, **wrong)
        time.sleep(0.4)
        (described,) = self.glue.get_partition_indexes(**table)["PartitionIndexDescriptorList"]
        self.assertEqual(described["IndexStatus"], "ACTIVE")
        missing = {"DatabaseName": DATABASE, "TableName": "nothing"}
        self.fails("EntityNotFoundException", self.glue.get_partition_indexes, **missing)


if __name__ == "__main__":
    unittest.main()
