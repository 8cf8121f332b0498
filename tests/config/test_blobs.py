import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from django.core.files.storage import FileSystemStorage, storages
from storages.backends.s3 import S3Storage

from config.lib import blobs

XML = '<?xml version="1.0"?><{0} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{1}</{0}>'
VERSION = "<Version><Key>{}</Key><VersionId>{}</VersionId></Version>"


class Body(io.BytesIO):
    def stream(self, **_: object) -> Iterator[bytes]:
        yield self.read()


class Bucket:
    """A versioned bucket behind the wire: it answers what S3 would."""

    def __init__(self) -> None:
        self.versions: dict[str, list[bytes]] = {}

    def answer(self, request: Any, **_: object) -> AWSResponse:
        path, _, query = request.url.partition("?")
        key = path.partition("/bucket/")[2]
        act = {"PUT": self._put, "GET": self._get, "HEAD": self._get, "POST": self._delete}
        status, headers, body = act[request.method](request, key, query)
        return AWSResponse(
            request.url, status, {**headers, "Content-Length": str(len(body))}, Body(body)
        )

    def _put(self, request: Any, key: str, _query: str) -> tuple[int, dict[str, str], bytes]:
        self.versions.setdefault(key, []).append(request.body.read())
        return 200, {}, b""

    def _get(self, request: Any, key: str, query: str) -> tuple[int, dict[str, str], bytes]:
        if "versions" in query:
            prefix = re.search(r"prefix=([^&]*)", query)
            return 200, {}, self._listed(prefix[1].replace("%2F", "/") if prefix else "").encode()
        if key not in self.versions:
            return 404, {}, b""
        whole = self.versions[key][-1]
        span = re.search(rb"bytes=(\d+)-(\d+)", request.headers.get("Range") or b"")
        return 206, {}, whole[int(span[1]) : int(span[2]) + 1] if span else whole

    def _delete(self, request: Any, _key: str, _query: str) -> tuple[int, dict[str, str], bytes]:
        body = request.body if isinstance(request.body, bytes) else request.body.encode()
        for name in re.findall(rb"<Key>(.*?)</Key>", body):
            self.versions.pop(name.decode(), None)
        return 200, {}, XML.format("DeleteResult", "").encode()

    def _listed(self, prefix: str) -> str:
        found = [
            VERSION.format(name, number)
            for name, bodies in self.versions.items()
            if name.startswith(prefix)
            for number in range(len(bodies))
        ]
        return XML.format("ListVersionsResult", "".join(found))


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Bucket:
    made = Bucket()
    storage = S3Storage(
        bucket_name="bucket",
        access_key="a",
        secret_key="b",
        region_name="eu-central-1",
        endpoint_url="http://127.0.0.1:1",
        addressing_style="path",
        file_overwrite=False,
    )
    storage.connection.meta.client.meta.events.register("before-send.s3", made.answer)
    monkeypatch.setitem(storages._storages, "default", storage)  # type: ignore[attr-defined]
    return made


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    local = FileSystemStorage(location=tmp_path)
    monkeypatch.setitem(storages._storages, "default", local)  # type: ignore[attr-defined]
    return tmp_path


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(request.param)


def test_any_part_of_an_object_is_read(place: None) -> None:
    data = bytes(range(256)) * 8000
    blobs.write(name="ab/abc", chunks=[data[:70_000], data[70_000:]])
    with blobs.reader(name="ab/abc") as read:
        assert read(0, 10) == data[:10]
        assert read(1_500_000, 20) == data[1_500_000:1_500_020]
        assert read(len(data) - 3, 10) == data[-3:]


def test_a_removed_object_is_gone_and_may_be_removed_again(place: None) -> None:
    blobs.write(name="ab/abc", chunks=[b"x"])
    blobs.remove(name="ab/abc")
    blobs.remove(name="ab/abc")
    with pytest.raises(blobs.BlobMissing), blobs.reader(name="ab/abc") as read:
        read(0, 1)


def test_every_version_in_a_bucket_goes(bucket: Bucket) -> None:
    blobs.write(name="ab/abc", chunks=[b"x"])
    bucket.versions["ab/abc"].append(b"y")
    bucket.versions["ab/other"] = [b"z"]
    blobs.remove(name="ab/abc")
    assert bucket.versions == {"ab/other": [b"z"]}


def test_what_lies_in_the_folder_is_listed(folder: Path) -> None:
    assert list(blobs.names()) == []
    blobs.write(name="ab/abc", chunks=[b"x"])
    assert list(blobs.names()) == ["ab/abc"]
