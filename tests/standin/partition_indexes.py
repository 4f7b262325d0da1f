"""Partition indexes of Glue tables: being created for a moment, then active; at most three for a table."""

import time

from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.exceptions import ServiceException
from moto.glue.models import glue_backends

SECONDS_TO_CREATE = 0.3


class PartitionIndexes:
    def __init__(self):
        self.of_tables = {}  # the indexes of a table by its identity: one that is dropped and made anew has none

    def handle(self, operation, region, params):
        database, name = params["DatabaseName"], params["TableName"]
        table = glue_backends[DEFAULT_ACCOUNT_ID][region].get_table(database, name)
        indexes = self.of_tables.setdefault((region, database, name, table.created_time), {})
        if operation == "CreatePartitionIndex":
            self.create(table, indexes, params["PartitionIndex"])
            return {}
        return {"PartitionIndexDescriptorList": [describe(name, index, table) for name, index in indexes.items()]}

    def create(self, table, indexes, wanted):
        name, keys = wanted["IndexName"], [key.lower() for key in wanted["Keys"]]
        known = [key["Name"] for key in table.as_dict().get("PartitionKeys") or []]
        if not keys or not set(keys) <= set(known):
            raise ServiceException("InvalidInputException", f"Keys {keys} are not partition keys of {table.name}")
        if name in indexes or any(index["keys"] == keys for index in indexes.values()):
            raise ServiceException("AlreadyExistsException", f"An index {name} or one with these keys exists already")
        if len(indexes) == 3:
            raise ServiceException("ResourceNumberLimitExceededException", "A table has at most 3 partition indexes")
        indexes[name] = {"keys": keys, "active_at": time.time() + SECONDS_TO_CREATE}


def describe(name, index, table):
    types = {key["Name"]: key["Type"] for key in table.as_dict()["PartitionKeys"]}
    return {
        "IndexName": name,
        "Keys": [{"Name": key, "Type": types[key]} for key in index["keys"]],
        "IndexStatus": "ACTIVE" if time.time() >= index["active_at"] else "CREATING",
    }
