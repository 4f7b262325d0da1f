"""Athena: DuckDB runs the queries over the Glue catalog and the objects that S3 holds at that moment."""

import datetime
import decimal
import re
import tempfile
import threading
import time
import uuid
from pathlib import Path

import duckdb
import pyarrow.parquet
from moto.athena.models import athena_backends
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.exceptions import ServiceException
from moto.glue.models import glue_backends
from moto.s3.models import s3_backends

from standin.glue import columns_of
from standin.projection import is_projected, projected_places
from standin.s3 import data_files


class Athena:
    """Queries, each on a thread of its own: QUEUED, RUNNING, then what DuckDB says."""

    def __init__(self, scratch, lock):
        self.queries, self.tokens, self.scratch, self.lock = {}, {}, scratch, lock

    def handle(self, operation, region, params, pass_on):
        if operation == "GetWorkGroup":
            find_group(region, params["WorkGroup"])
        if operation not in ("StartQueryExecution", "GetQueryExecution", "StopQueryExecution", "GetQueryResults"):
            return pass_on()
        if operation == "StartQueryExecution":
            return {"QueryExecutionId": self.start(region, params)}
        query = self.queries.get(params["QueryExecutionId"])
        if not query:
            raise ServiceException("InvalidRequestException", "QueryExecution was not found")
        status = query["execution"]["Status"]
        if operation == "GetQueryExecution":
            return {"QueryExecution": query["execution"]}
        if operation == "StopQueryExecution":
            if status["State"] in ("QUEUED", "RUNNING"):
                status |= {
                    "State": "CANCELLED",
                    "CompletionDateTime": time.time(),
                    "StateChangeReason": "Query cancelled by user",
                }
                query["stopped"].set()
            return {}
        if status["State"] in ("QUEUED", "RUNNING"):
            message = f"Query has not yet finished. Current state: {status['State']}"
            raise ServiceException("InvalidRequestException", message)
        if status["State"] != "SUCCEEDED":
            message = f"Query did not finish successfully. Final query state: {status['State']}"
            raise ServiceException("InvalidRequestException", message)
        return page_of(query, int(params.get("NextToken") or 0), params.get("MaxResults") or 1000)

    def start(self, region, params):
        token = params.get("ClientRequestToken")
        if token in self.tokens:
            return self.tokens[token]
        group = find_group(region, params.get("WorkGroup") or "primary")
        output = output_location(group, params.get("ResultConfiguration") or {})
        name = str(uuid.uuid4())
        execution = {
            "QueryExecutionId": name,
            "Query": params["QueryString"],
            "WorkGroup": group.name,
            "StatementType": "DML",
            "ResultConfiguration": {"OutputLocation": f"{output.rstrip('/')}/{name}.csv"},
            "QueryExecutionContext": params.get("QueryExecutionContext") or {},
            "Status": {"State": "QUEUED", "SubmissionDateTime": time.time()},
        }
        self.queries[name] = {"execution": execution, "rows": [], "columns": [], "stopped": threading.Event()}
        if token:
            self.tokens[token] = name
        threading.Thread(target=self.run, args=(self.queries[name], region), daemon=True).start()
        return name

    def run(self, query, region):
        execution, stopped = query["execution"], query["stopped"]
        status = execution["Status"]
        if stopped.wait(0.1):
            return
        with self.lock:
            status["State"] = "CANCELLED" if stopped.is_set() else "RUNNING"
        if stopped.wait(None if "/* hold */" in execution["Query"] else 0.1):
            return
        try:
            with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
                query["columns"], query["rows"] = run_sql(
                    execution, glue_backends[DEFAULT_ACCOUNT_ID][region], folder, self.lock
                )
                save_csv(execution["ResultConfiguration"]["OutputLocation"], query["rows"])
            outcome = {"State": "SUCCEEDED"}
        except Exception as error:  # whatever went wrong is the query's outcome
            reason = (
                f"{error.code}: {error.message}" if isinstance(error, ServiceException) else f"SYNTAX_ERROR: {error}"
            )
            outcome = {
                "State": "FAILED",
                "StateChangeReason": reason,
                "AthenaError": {"ErrorCategory": 2, "Retryable": False, "ErrorMessage": reason},
            }
        with self.lock:
            if not stopped.is_set():
                status |= outcome | {"CompletionDateTime": time.time()}


def find_group(region, name):
    groups = athena_backends[DEFAULT_ACCOUNT_ID][region].work_groups
    if name not in groups:
        raise ServiceException("InvalidRequestException", f"WorkGroup {name} is not found.")
    return groups[name]


def output_location(group, asked):
    configured = group.configuration.get("ResultConfiguration") or {}
    choices = [configured] if group.configuration["EnforceWorkGroupConfiguration"] else [asked, configured]
    output = next((choice["OutputLocation"] for choice in choices if choice.get("OutputLocation")), None)
    if not output:
        raise ServiceException(
            "InvalidRequestException",
            "No output location provided. An output location is required either "
            "through the Workgroup result configuration setting or as an API input.",
        )
    bucket = output.removeprefix("s3://").split("/")[0]
    if bucket not in s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets:
        raise ServiceException("InvalidRequestException", f"Unable to verify/create output bucket {bucket}")
    return output


def page_of(query, first, size):
    rows = query["rows"][first : first + size]
    page = {
        "UpdateCount": 0,
        "ResultSet": {
            "ResultSetMetadata": {"ColumnInfo": query["columns"]},
            "Rows": [{"Data": [{} if text is None else {"VarCharValue": text} for text in row]} for row in rows],
        },
    }
    return page | ({"NextToken": str(first + size)} if first + size < len(query["rows"]) else {})


def save_csv(location, rows):
    bucket, _, key = location.removeprefix("s3://").partition("/")
    lines = [
        ",".join("" if text is None else '"' + text.replace('"', '""') + '"' for text in row) + "\n" for row in rows
    ]
    s3_backends[DEFAULT_ACCOUNT_ID]["aws"].put_object(bucket, key, "".join(lines).encode())


def run_sql(execution, glue, folder, lock):
    text = execution["Query"]
    current = execution["QueryExecutionContext"].get("Database")
    if not re.match(r"(\s|--.*\n|/\*.*?\*/)*(select|with|values|\()", text, re.IGNORECASE):
        raise ServiceException("NOT_SUPPORTED", "the stand-in runs queries only")
    with duckdb.connect(config={"threads": 2, "python_enable_replacements": False}) as engine:
        engine.execute("SET TimeZone = 'UTC'; ATTACH ':memory:' AS awsdatacatalog")
        with lock:
            for database in glue.databases.values():
                engine.execute(f"CREATE SCHEMA IF NOT EXISTS awsdatacatalog.{quote(database.name)}")
                for table in database.tables.values():
                    if re.search(rf"(?<!\w){re.escape(table.name)}(?!\w)", text, re.IGNORECASE):
                        target = f"awsdatacatalog.{quote(database.name)}.{quote(table.name)}"
                        engine.execute(f"CREATE VIEW {target} AS {table_sql(table, folder)}")
        if current and current not in glue.databases:
            raise ServiceException("SCHEMA_NOT_FOUND", f"Schema '{current}' does not exist")
        if current or "default" in glue.databases:
            engine.execute(f"USE awsdatacatalog.{quote(current or 'default')}")
        found = engine.execute(text)
        columns = [{"Name": name, "Label": name, "Type": athena_type(typ)} for name, typ, *_ in found.description]
        return columns, [[c["Name"] for c in columns]] + [[as_text(value) for value in row] for row in found.fetchall()]


def quote(name):
    return '"' + name.replace('"', '""') + '"'


def table_sql(table, folder):
    """The files of a table, or of its projected or else its registered partitions, by the types of the catalog."""
    described = table.as_dict()
    columns = {column["Name"]: column["Type"] for column in described["StorageDescriptor"]["Columns"]}
    keys = {key["Name"]: key["Type"] for key in described.get("PartitionKeys") or []}
    if columns.keys() & keys.keys():
        raise ServiceException(
            "HIVE_INVALID_METADATA", f"Table {table.name}: duplicate columns {columns.keys() & keys.keys()}"
        )
    places = partition_places(table, described, keys) if keys else [([], described["StorageDescriptor"]["Location"])]
    empty = [f"CAST(NULL AS {duckdb_type(typ)}) AS {quote(name)}" for name, typ in (columns | keys).items()]
    selects = [f"SELECT {', '.join(empty)} WHERE false"]
    for values, location in places:
        fixed = [
            f"CAST({'NULL' if value == '__HIVE_DEFAULT_PARTITION__' else quote_text(value)} AS {duckdb_type(typ)})"
            for value, typ in zip(values, keys.values(), strict=True)
        ]
        for key, data in data_files(location.removeprefix("s3://")):
            path = Path(folder, f"{uuid.uuid4()}.parquet")
            path.write_bytes(data)
            found = {column["Name"]: column["Type"] for column in columns_of([pyarrow.parquet.read_schema(path)])}
            for name in columns.keys() & found.keys():
                if duckdb_type(columns[name]) != duckdb_type(found[name]):
                    raise ServiceException(
                        "HIVE_BAD_DATA",
                        f"Field {name}'s type {found[name]} in parquet file s3://{key} "
                        f"is incompatible with type {columns[name]} defined in table schema",
                    )
            read = [
                f"CAST({quote(name) if name in found else 'NULL'} AS {duckdb_type(typ)})"
                for name, typ in columns.items()
            ]
            selects.append(
                f"SELECT {', '.join(read + fixed)} FROM read_parquet({quote_text(path)}, hive_partitioning = false)"
            )
    return " UNION ALL ".join(selects)


def partition_places(table, described, keys):
    parameters = described.get("Parameters") or {}
    if is_projected(parameters):
        return projected_places(table.name, parameters, keys, described["StorageDescriptor"]["Location"])
    return [(p.values, p.partition_input["StorageDescriptor"]["Location"]) for p in table.partitions.values()]


def quote_text(value):
    return "'" + str(value).replace("'", "''") + "'"


def duckdb_type(typ):
    """Athena's timestamps have milliseconds."""
    kind, _, inside = typ.removesuffix(">").partition("<")
    if kind == "array":
        return f"{duckdb_type(inside)}[]"
    if kind == "map":
        return f"MAP({', '.join(map(duckdb_type, parts(inside)))})"
    if kind == "struct":
        members = (member.split(":", 1) for member in parts(inside))
        return f"STRUCT({', '.join(f'{quote(name)} {duckdb_type(member)}' for name, member in members)})"
    names = {"string": "VARCHAR", "binary": "BLOB", "timestamp": "TIMESTAMP_MS", "int": "INTEGER"}
    return names.get(typ, "VARCHAR" if typ.startswith(("varchar", "char")) else typ.upper())


def parts(inside):
    """What stands between commas, but for those inside of brackets."""
    found, depth = [""], 0
    for character in inside:
        depth += (character in "<(") - (character in ">)")
        if character == "," and depth == 0:
            found.append("")
        else:
            found[-1] += character
    return found


def athena_type(typ):
    name = str(typ).lower()
    return {"hugeint": "bigint", "timestamp_ms": "timestamp", "blob": "varbinary"}.get(name, name.split("(")[0])


def as_text(value):
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.") + f"{value.microsecond // 1000:03}"
    if isinstance(value, decimal.Decimal):
        return f"{value:f}"
    if isinstance(value, bytes):
        return value.hex(" ")
    return value if value is None else str(value).lower() if isinstance(value, bool) else str(value)
