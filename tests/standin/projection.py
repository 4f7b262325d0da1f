"""Partition projection: the partitions that a table's own parameters describe, instead of those that are registered."""

import itertools

from moto.core.exceptions import ServiceException


def is_projected(parameters):
    return parameters.get("projection.enabled", "").lower() == "true"


def projected_places(name, parameters, keys, location):
    """Every combination of the values of the keys, and the folder of each. Whether it has files is not asked."""
    values = [values_of(name, parameters, key) for key in keys]
    standard = location.rstrip("/") + "/" + "".join(f"{key}=${{{key}}}/" for key in keys)
    template = parameters.get("storage.location.template", standard)
    missing = [key for key in keys if f"${{{key}}}" not in template]
    if missing or not template.endswith("/"):
        refuse(name, f"the storage location template {template} lacks {missing or 'the slash at its end'}")
    for combination in itertools.product(*values):
        place = template
        for key, value in zip(keys, combination, strict=True):
            place = place.replace(f"${{{key}}}", value)
        yield list(combination), place


def values_of(name, parameters, key):
    kind, values = (parameters.get(f"projection.{key}.{setting}") for setting in ("type", "values"))
    if not kind:
        refuse(name, f"the partition column {key} is missing projection configuration")
    if kind != "enum":
        raise ServiceException("NOT_SUPPORTED", f"the stand-in projects enum and not {kind}")
    if not values:
        refuse(name, f"projection.{key}.values is missing")
    return [value.strip() for value in values.split(",")]


def refuse(name, why):
    message = f"Table {name} is configured for partition projection, but {why}"
    raise ServiceException("HIVE_METASTORE_ERROR", message)
