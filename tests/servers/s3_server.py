"""An S3 service for tests, and boto3 as an independent view of its content."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import Any

import boto3

from batchscribe.storage.access import Access, AwsCredentials
from batchscribe.storage.routed import connect
from batchscribe.storage.store import Store


@dataclass(frozen=True)
class S3Server:
    endpoint: str
    access_key_id: str
    secret_access_key: str

    def access(self, **credentials: str) -> Access:
        """Return access for the service's user; `credentials` replace parts of the key."""
        key = AwsCredentials(self.access_key_id, self.secret_access_key)
        return Access(aws=replace(key, **credentials), s3_endpoint=self.endpoint, s3_allow_http=True)

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

    def client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key,
            region_name="us-east-1",
        )
