"""What Glue does and moto does not: crawlers that crawl and end by the clock, compare-and-swap, partition indexes."""

import hashlib
import io
import json
import re
import time
import uuid
from itertools import groupby

import pyarrow
import pyarrow.parquet
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.exceptions import JsonRESTError, ServiceException
from moto.glue.models import glue_backends

from standin.partition_indexes import PartitionIndexes
from standin.s3 import data_files


class Glue:
    def __init__(self):
        self.indexes = PartitionIndexes()
        self.crawlers, self.pace = {}, {"running_seconds": 0.6, "stopping_seconds": 0.2, "fail_with": None}
        self.pace["ignore_partition"] = None

    def handle(self, operation, region, params, pass_on):
        for crawler in self.crawlers.values():
            settle(crawler)
        if "Crawl" in operation:
            return self.handle_crawler(operation, region, params)
        if operation in ("CreatePartitionIndex", "GetPartitionIndexes"):
            return self.indexes.handle(operation, region, params)
        return update_table(region, params, pass_on) if operation == "UpdateTable" else pass_on()

    def handle_crawler(self, operation, region, params):
        if operation == "ListCrawlers":
            return {"CrawlerNames": [name for place, name in self.crawlers if place == region]}
        name, place = params["Name"], (region, params["Name"])
        if operation == "CreateCrawler":
            if place in self.crawlers:
                raise ServiceException("AlreadyExistsException", f"Crawler with name {name} already exists")
            check_settings(params)
            self.crawlers[place] = {"region": region, "settings": params, "crawl": None, "last": None}
            return {}
        if place not in self.crawlers:
            raise ServiceException("EntityNotFoundException", f"Crawler with name {name} does not exist")
        crawler = self.crawlers[place]
        if operation == "GetCrawler":
            return {"Crawler": describe(crawler)}
        if operation == "StopCrawler":
            self.stop(crawler)
        elif crawler["crawl"]:
            raise ServiceException("CrawlerRunningException", f"Crawler with name {name} has already started")
        elif operation == "StartCrawler":
            crawler["crawl"] = self.start(crawler["settings"])
        elif operation == "UpdateCrawler":
            check_settings(crawler["settings"] | params)
            crawler["settings"] |= params
        elif operation == "DeleteCrawler":
            del self.crawlers[place]
        else:
            raise ServiceException("UnknownOperationException", f"the stand-in has no {operation}")
        return {}

    def start(self, settings):
        """Takes the listing and the footers now: a file that comes later is not seen, as in the worst case of AWS."""
        now = time.time()
        stopping_at = now + self.pace["running_seconds"]
        crawl = {
            "id": str(uuid.uuid4()),
            "start": now,
            "stopping_at": stopping_at,
            "tables": {},
            "ready_at": stopping_at + self.pace["stopping_seconds"],
            "status": "SUCCEEDED",
            "message": None,
        }
        level = json.loads(settings.get("Configuration") or "{}").get("Grouping", {}).get("TableLevelConfiguration")
        try:
            for target in settings["Targets"]["S3Targets"]:
                path, files = target["Path"].removeprefix("s3://").rstrip("/"), {}
                folder = path
                for path, data in data_files(folder):
                    if self.pace["ignore_partition"] in path.split("/"):
                        continue  # as if its schema were too different: AWS only logs that
                    files[path] = pyarrow.parquet.read_schema(io.BytesIO(data))
                crawl["tables"] |= find_tables(folder, files, level)
        except (pyarrow.ArrowException, OSError, ServiceException) as error:
            crawl["message"] = f"s3://{path}: {error}"
        crawl["message"] = self.pace["fail_with"] or crawl["message"]
        return crawl | ({"status": "FAILED"} if crawl["message"] else {})

    def stop(self, crawler):
        name, crawl = crawler["settings"]["Name"], crawler["crawl"]
        if not crawl:
            raise ServiceException("CrawlerNotRunningException", f"Crawler with name {name} isn't running")
        if state(crawl) == "STOPPING":
            raise ServiceException("CrawlerStoppingException", f"Crawler with name {name} is stopping")
        now = time.time()
        crawl |= {
            "status": "CANCELLED",
            "message": None,
            "stopping_at": now,
            "ready_at": now + self.pace["stopping_seconds"],
        }


def settle(crawler):
    """Ends the crawl whose time has come; only then do its tables and its outcome appear."""
    crawl = crawler["crawl"]
    if not crawl or time.time() < crawl["ready_at"]:
        return
    try:
        for folder, files in crawl["tables"].items() if crawl["status"] == "SUCCEEDED" else ():
            register(glue_backends[DEFAULT_ACCOUNT_ID][crawler["region"]], crawler["settings"], folder, files)
    except (ServiceException, JsonRESTError) as error:
        crawl |= {"status": "FAILED", "message": error.message}
    crawler |= {"last": crawl, "crawl": None}


def check_settings(settings):
    role = settings.get("Role", "")
    if not re.fullmatch(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+|[\w+=,.@-]+", role):
        raise ServiceException(
            "InvalidInputException", f"Service is unable to assume role {role}. Please verify role's TrustPolicy"
        )
    targets = settings.get("Targets", {}).get("S3Targets") or []
    if not targets or any(not target["Path"].startswith("s3://") or target.get("Exclusions") for target in targets):
        raise ServiceException(
            "InvalidInputException", "the stand-in crawls S3 targets without exclusions and nothing else"
        )


def state(crawl):
    return "READY" if not crawl else "RUNNING" if time.time() < crawl["stopping_at"] else "STOPPING"


def describe(crawler):
    answer, last = crawler["settings"] | {"State": state(crawler["crawl"])}, crawler["last"]
    if last:
        answer["LastCrawl"] = {
            "Status": last["status"],
            "StartTime": last["start"],
            "LogGroup": "/aws-glue/crawlers",
            "LogStream": crawler["settings"]["Name"],
            "MessagePrefix": last["id"],
        }
        answer["LastCrawl"] |= {"ErrorMessage": last["message"]} if last["message"] else {}
    return answer


def find_tables(folder, files, level):
    """Which folders are tables: those at `level` (the bucket is 1), else the highest whose files are alike."""
    columns = [{field.name.lower() for field in schema} for schema in files.values()]
    alike = all(len(other & columns[0]) >= 0.7 * len(other | columns[0]) for other in columns)
    depth = folder.count("/") + 1
    if folder in files and level:
        return {}  # a file above the level of the tables belongs to none
    if files and (depth >= level if level else alike or folder in files):
        return {folder: files}
    tables = {}
    for child, paths in groupby(sorted(files), key=lambda path: "/".join(path.split("/")[: depth + 1])):
        tables |= find_tables(child, {path: files[path] for path in paths}, level)
    return tables


def register(glue, settings, folder, files):
    """Creates or updates one table, and its partitions from the folders between it and its files."""
    database = settings.get("DatabaseName", "default")
    tables = glue.get_database(database).tables
    name = settings.get("TablePrefix", "") + re.sub(r"[^a-z0-9_]", "_", folder.split("/")[-1].lower())
    if name in tables and tables[name].as_dict()["StorageDescriptor"]["Location"].rstrip("/") != f"s3://{folder}":
        name += "_" + hashlib.md5(folder.encode()).hexdigest()  # the name is taken by a table elsewhere
    columns = columns_of(files.values())
    levels = [path.removeprefix(folder + "/").split("/")[:-1] for path in files]
    pairs = [
        [part.split("=", 1) if "=" in part else [f"partition_{i}", part] for i, part in enumerate(level)]
        for level in levels
    ]
    keys = [key.lower() for key, _ in max(pairs, key=len)]
    parameters = {
        "classification": "parquet",
        "compressionType": "none",
        "typeOfData": "file",
        "objectCount": str(len(files)),
        "UPDATED_BY_CRAWLER": settings["Name"],
    }
    table_input = {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": parameters,
        "Owner": "owner",
        "Retention": 0,
        "PartitionKeys": [{"Name": key, "Type": "string"} for key in keys],
        "StorageDescriptor": storage(folder, columns),
    }
    if name not in tables:
        glue.create_table(database, name, table_input)
    elif settings.get("SchemaChangePolicy", {}).get("UpdateBehavior") != "LOG":
        tables[name].update(table_input)
    table = tables[name]
    for level, values in zip(levels, [[value for _, value in pair] for pair in pairs], strict=True):
        if keys and len(values) == len(keys):
            partition = {
                "Values": values,
                "Parameters": parameters,
                "StorageDescriptor": storage("/".join([folder, *level]), columns),
            }
            table.update_partition(values, partition) if str(values) in table.partitions else table.create_partition(
                partition
            )


def storage(folder, columns):
    hive = "org.apache.hadoop.hive.ql.io.parquet"
    return {
        "Columns": columns,
        "Location": f"s3://{folder}/",
        "InputFormat": f"{hive}.MapredParquetInputFormat",
        "OutputFormat": f"{hive}.MapredParquetOutputFormat",
        "Compressed": False,
        "NumberOfBuckets": -1,
        "SerdeInfo": {
            "SerializationLibrary": f"{hive}.serde.ParquetHiveSerDe",
            "Parameters": {"serialization.format": "1"},
        },
        "BucketColumns": [],
        "SortColumns": [],
        "StoredAsSubDirectories": False,
    }


def columns_of(schemas):
    columns = {}
    for schema in schemas:
        for field in schema:
            columns.setdefault(field.name.lower(), glue_type(field.type))
    return [{"Name": name, "Type": typ} for name, typ in columns.items()]


def glue_type(arrow):
    """What a crawler calls the type of a Parquet column."""
    if pyarrow.types.is_decimal(arrow):
        return f"decimal({arrow.precision},{arrow.scale})"
    if pyarrow.types.is_timestamp(arrow):
        return "timestamp"
    if pyarrow.types.is_list(arrow):
        return f"array<{glue_type(arrow.value_type)}>"
    if pyarrow.types.is_map(arrow):
        return f"map<{glue_type(arrow.key_type)},{glue_type(arrow.item_type)}>"
    if pyarrow.types.is_struct(arrow):
        return f"struct<{','.join(f'{field.name}:{glue_type(field.type)}' for field in arrow)}>"
    if pyarrow.types.is_fixed_size_binary(arrow):
        return "binary"
    if pyarrow.types.is_dictionary(arrow):
        return glue_type(arrow.value_type)
    names = {
        "bool": "boolean",
        "int8": "tinyint",
        "int16": "smallint",
        "int32": "int",
        "int64": "bigint",
        "date32[day]": "date",
        "large_string": "string",
        "string_view": "string",
        "large_binary": "binary",
        "binary_view": "binary",
        "extension<arrow.json>": "string",
    }
    return names.get(str(arrow), str(arrow))


def update_table(region, params, pass_on):
    database = glue_backends[DEFAULT_ACCOUNT_ID][region].databases.get(params["DatabaseName"])
    table = database and database.tables.get(params["TableInput"]["Name"])
    version = table and table.as_dict()["VersionId"]
    if table and params.get("VersionId", version) != version:
        message = f"Update table failed due to concurrent modifications: it has version {version}."
        raise ServiceException("ConcurrentModificationException", message)
    response = pass_on()
    if table and params.get("SkipArchive"):
        table.delete_version(version)
    return response
