"""An S3 service for tests, and boto3 as an independent view of its content."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import Any

import boto3

from batchscribe.storage.access import Access
from batchscribe.storage.s3.s3_credentials import AwsCredentials
from batchscribe.storage.schemes import connect
from batchscribe.storage.store import Store
from tests.servers.accesses import access_with


@dataclass(frozen=True)
class S3Server:
    endpoint: str
    access_key_id: str
    secret_access_key: str
    scheme: str = "s3"

    def access(self, **credentials: str) -> Access:
        """Return access for the service's user; `credentials` replace parts of the key."""
        key = AwsCredentials(self.access_key_id, self.secret_access_key)
        return access_with(replace(key, **credentials), s3_endpoint=self.endpoint, s3_allow_http=True)

    def store(self, **credentials: str) -> Store:
        return connect(self.access(**credentials))

    def new_bucket(self, **objects: bytes) -> str:
        """Create a bucket with `objects`. Return its name."""
        name = f"bucket-{uuid.uuid4().hex[:12]}"
        self.client().create_bucket(Bucket=name)
        for key, data in objects.items():
            self.put(name, key, data)
        return name

    def put(self, bucket: str, key: str, data: bytes) -> None:
        self.client().put_object(Bucket=bucket, Key=key, Body=data)

    def objects(self, bucket: str) -> dict[str, bytes]:
        found = self.client().list_objects_v2(Bucket=bucket).get("Contents", [])
        return {each["Key"]: self.client().get_object(Bucket=bucket, Key=each["Key"])["Body"].read() for each in found}

    def content_type(self, bucket: str, key: str) -> str:
        return str(self.client().head_object(Bucket=bucket, Key=key)["ContentType"])

    def client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key,
            region_name="us-east-1",
        )
