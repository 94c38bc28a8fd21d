"""The S3 server that other tests build upon stores, lists, gives back and guards what it should."""

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def bucket(s3, fixtures):
    """A bucket with the four city models below a prefix."""
    client = s3.client()
    client.create_bucket(Bucket="cities")
    for archive in archives(fixtures):
        key = f"models/{archive.parent.name}/model.tar.gz"
        client.put_object(Bucket="cities", Key=key, Body=archive.read_bytes())
    return "cities"


def archives(fixtures):
    return sorted((fixtures / "houses" / "models").glob("*/model.tar.gz"))


def test_what_was_put_is_listed_and_given_back(s3, bucket, fixtures):
    client = s3.client()
    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix="models/", PaginationConfig={"PageSize": 3}
    )
    listed = {entry["Key"]: entry["Size"] for page in pages for entry in page["Contents"]}
    wanted = {f"models/{a.parent.name}/model.tar.gz": a.stat().st_size for a in archives(fixtures)}
    assert len(wanted) == 4
    assert listed == wanted
    for archive in archives(fixtures):
        key = f"models/{archive.parent.name}/model.tar.gz"
        assert client.get_object(Bucket=bucket, Key=key)["Body"].read() == archive.read_bytes()


def test_a_wrong_secret_is_refused(s3):
    with pytest.raises(ClientError) as refusal:
        s3.client(secret_key="another").list_buckets()
    assert refusal.value.response["Error"]["Code"] == "SignatureDoesNotMatch"
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
