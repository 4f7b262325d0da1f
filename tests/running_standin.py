"""The AWS stand-in as a process of its own, for programs that are told its address."""

import json
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from ready_process import ready_process

REGION = "eu-central-1"


def leave_out_of_the_log(request: Any, **_: Any) -> None:
    request.headers.add_header("x-standin-setup", "1")


class Standin:
    """Its variables, its log, and clients that its log leaves out."""

    def __init__(self, url: str) -> None:
        self.environment = {
            "AWS_ENDPOINT_URL": url,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        self.url = url

    def client(self, service: str) -> Any:
        client = boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        client.meta.events.register("before-sign.*.*", leave_out_of_the_log)
        return client

    def create_bucket(self, name: str) -> None:
        self.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})

    def log(self) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self.url}/_standin/log") as answer:
            return json.load(answer)


@contextmanager
def running_standin(*arguments: str) -> Iterator[Standin]:
    """A stand-in that ends with the block, or with this process."""
    command = [sys.executable, Path(__file__).with_name("aws_standin.py"), *arguments]
    with ready_process(command, "the AWS stand-in", 10) as url:
        yield Standin(url)
