"""What S3 does and moto does not: checksums and sizes are checked, copies have conditions, pending uploads pages."""

import base64
import datetime
import hashlib
import io
import re
from xml.sax.saxutils import escape

from awscrt import checksums
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.exceptions import ServiceException
from moto.s3.models import FakeKey, s3_backends
from werkzeug.wrappers import Request, Response

DIGESTS = {
    "content-md5": lambda data: hashlib.md5(data).digest(),
    "x-amz-checksum-crc32": lambda data: checksums.crc32(data).to_bytes(4, "big"),
    "x-amz-checksum-crc32c": lambda data: checksums.crc32c(data).to_bytes(4, "big"),
    "x-amz-checksum-crc64nvme": lambda data: checksums.crc64nvme(data).to_bytes(8, "big"),
    "x-amz-checksum-sha1": lambda data: hashlib.sha1(data).digest(),
    "x-amz-checksum-sha256": lambda data: hashlib.sha256(data).digest(),
}


class S3:
    def __init__(self):
        self.started = {}  # upload id: when

    def handle(self, operation, request, pass_on, damaged=False):
        """`damaged`: a bit of the contents changes on the way in, on the way out, or in the copy."""
        bucket = request.path.split("/")[1]
        uploads = find_bucket(bucket).multiparts if "uploadId" in request.args else {}
        upload = uploads.get(request.args.get("uploadId"))
        if operation in ("UploadPart", "CompleteMultipartUpload") and not upload:
            return no_such_upload()
        if operation in ("PutObject", "UploadPart"):
            if "STREAMING" in request.headers.get("x-amz-content-sha256", ""):
                request = unchunked(request)
            data = with_a_bit_changed(request.get_data()) if damaged else request.get_data()
            check_digests(request.headers, data)
            request.environ["wsgi.input"] = io.BytesIO(data)
        if operation == "CompleteMultipartUpload":
            check_whole(request.headers, b"".join(part.value for _, part in sorted(upload.parts.items())))
        if operation == "ListMultipartUploads":
            return self.list_uploads(bucket, request.args)
        if operation == "CopyObject":
            return copy(request, pass_on, damaged)
        response = pass_on(request)
        if operation == "CreateMultipartUpload" and (
            found := re.search("<UploadId>(.+)</UploadId>", response.get_data(as_text=True))
        ):
            self.started[found[1]] = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        if operation == "GetObject" and damaged:
            response.set_data(with_a_bit_changed(response.get_data()))
        return response

    def list_uploads(self, bucket, query):
        """In pages, by key and then by age."""
        marker = query.get("key-marker", ""), query.get("upload-id-marker", "")
        pending = [(u.key_name, self.started[u.id], u.id) for u in find_bucket(bucket).multiparts.values()]
        pending = sorted(upload for upload in pending if upload[0].startswith(query.get("prefix", "")))
        ends = [(key, name) for key, _, name in pending]
        first = ends.index(marker) + 1 if marker in ends else sum(key <= marker[0] for key, _ in ends)
        page = pending[first : first + int(query.get("max-uploads", 1000))]
        items = "".join(
            f"<Upload><Key>{escape(key)}</Key><UploadId>{name}</UploadId><Initiated>{started}</Initiated></Upload>"
            for key, started, name in page
        )
        more = bool(page) and page[-1] != pending[-1]
        head = f"<Bucket>{bucket}</Bucket><IsTruncated>{str(more).lower()}</IsTruncated>"
        if more:
            key, _, name = page[-1]
            head += f"<NextKeyMarker>{escape(key)}</NextKeyMarker><NextUploadIdMarker>{name}</NextUploadIdMarker>"
        body = f"<ListMultipartUploadsResult>{head}{items}</ListMultipartUploadsResult>"
        return Response(body, 200, content_type="application/xml")


def copy(request, pass_on, damaged):
    bucket, _, key = request.path.strip("/").partition("/")
    keys = find_bucket(bucket).keys
    if request.headers.get("if-none-match") == "*" and key in keys:
        return refusal("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412)
    response = pass_on(request)
    if damaged and response.status_code == 200:
        # The store has damaged it before it made its checksum.
        stored = keys[key]
        stored.value = with_a_bit_changed(stored.value)
        stored.checksum_value = base64.b64encode(DIGESTS["x-amz-checksum-crc32"](stored.value)).decode()
    return response


def with_a_bit_changed(data):
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :] if data else data


def operation_of(method, key, query, headers):
    if "uploadId" in query:
        names = {"PUT": "UploadPart", "POST": "CompleteMultipartUpload", "DELETE": "AbortMultipartUpload"}
        return names.get(method, "ListParts")
    if key:
        if "x-amz-copy-source" in headers:
            return "CopyObject"
        names = {"PUT": "PutObject", "HEAD": "HeadObject", "DELETE": "DeleteObject", "POST": "CreateMultipartUpload"}
        return names.get(method, "GetObject")
    if method == "GET":
        listings = {"uploads": "ListMultipartUploads", "list-type": "ListObjectsV2", "location": "GetBucketLocation"}
        return next((name for word, name in listings.items() if word in query), "ListObjects")
    return {"PUT": "CreateBucket", "HEAD": "HeadBucket", "DELETE": "DeleteBucket", "POST": "DeleteObjects"}.get(
        method, method
    )


def unchunked(request):
    """The same request without `aws-chunked`: the checksum of its trailer becomes a header."""
    environ, stream, plain = request.environ.copy(), io.BytesIO(request.get_data()), bytearray()
    while size := int(stream.readline().split(b";")[0], 16):
        plain += stream.read(size)
        stream.readline()
    for line in stream.read().decode().splitlines():
        name, _, value = line.partition(":")
        if name.startswith("x-amz-checksum-"):
            environ["HTTP_" + name.upper().replace("-", "_")] = value.strip()
    encodings = environ.pop("HTTP_CONTENT_ENCODING", "").replace("aws-chunked", "").strip(", ")
    environ |= {"HTTP_CONTENT_ENCODING": encodings} if encodings else {}
    for name in ("HTTP_X_AMZ_TRAILER", "HTTP_X_AMZ_DECODED_CONTENT_LENGTH"):
        environ.pop(name, None)
    environ |= {
        "HTTP_X_AMZ_CONTENT_SHA256": "UNSIGNED-PAYLOAD",
        "CONTENT_LENGTH": str(len(plain)),
        "wsgi.input": io.BytesIO(plain),
    }
    return Request(environ)


def check_digests(headers, data):
    for name, digest in DIGESTS.items():
        if name in headers and headers[name] != base64.b64encode(digest(data)).decode():
            raise ServiceException("BadDigest", f"The {name} you specified did not match the calculated checksum.")


def check_whole(headers, data):
    if int(headers.get("x-amz-mp-object-size", len(data))) != len(data):
        message = "The provided 'x-amz-mp-object-size' header value does not match the size of the parts."
        raise ServiceException("InvalidRequest", message)
    if headers.get("x-amz-checksum-type") == "FULL_OBJECT":
        check_digests(headers, data)


def no_such_upload():
    message = "The specified upload does not exist. The upload ID may be invalid, or it was aborted or completed."
    return refusal("NoSuchUpload", message, 404)


def refusal(code, message, status):
    body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Response(body, status, content_type="application/xml")


def find_bucket(name):
    return s3_backends[DEFAULT_ACCOUNT_ID]["aws"].get_bucket(name)


def data_files(folder):
    """The files below `bucket/prefix` that a crawler and Athena look at: no name with a leading `_` or `.`."""
    bucket, _, prefix = folder.rstrip("/").partition("/")
    prefix += "/" if prefix else ""
    for key in list(find_bucket(bucket).keys.values()):
        hidden = any(part.startswith(("_", ".")) for part in key.name.removeprefix(prefix).split("/"))
        if isinstance(key, FakeKey) and key.name.startswith(prefix) and not hidden and not key.name.endswith("/"):
            yield f"{bucket}/{key.name}", key.value
