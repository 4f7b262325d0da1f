"""S3, Glue and Athena on a loopback port, faithful enough to prove a client right.

moto answers everything that it answers as AWS does. Where it does not, this file does: crawlers that crawl and end
by the clock, Athena queries that DuckDB runs over the Glue catalog, compare-and-swap in UpdateTable, S3 checksums
that are checked. Faults can be injected into any call, and every call is logged.

It takes a port, or finds a free one, prints `ready http://127.0.0.1:PORT` and serves until its standard input ends.

  GET  /_standin/log     every call in order: service, operation, name, status (null while unanswered), time
  POST /_standin/faults  a list that replaces the faults in force and releases every held answer, each
                         {service, operation, key_contains, conditional, mode, status, code, message, seconds, times};
                         the mode is reject (not done), done_then_error, slow (`seconds` before it is done), hold
                         (done; the answer waits for the next POST here, `seconds` at most), flip (a bit of the
                         contents changes on the way or in the copy) or unconditional (If-Match and If-None-Match are
                         ignored); conditional: only requests that have one of these; times -1 is for ever
  POST /_standin/crawl   {running_seconds, stopping_seconds, fail_with: null or the message of the failure,
                         ignore_partition: null or the folder that crawls pass over, such as dt=2026-01-01}
  POST /_standin/reset   forget everything
  GET  /_standin/keys/BUCKET, /_standin/uploads/BUCKET   the keys, and those of the pending multipart uploads

A request with the header `x-standin-setup` is the test's own: no fault applies to it and it is not logged.
"""

import io
import json
import re
import sys
import tempfile
import threading
import time
from xml.sax.saxutils import escape

from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.exceptions import JsonRESTError, ServiceException
from moto.moto_api._internal.models import moto_api_backend
from moto.s3.models import s3_backends
from moto.server import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from standin.athena import Athena
from standin.glue import Glue
from standin.s3 import S3, operation_of


NAMES = ("Name", "TableName", "QueryExecutionId", "QueryString", "DatabaseName")  # what a call is about
MODES = ("reject", "done_then_error", "slow", "hold", "flip", "unconditional")
CONDITIONS = ("if-match", "if-none-match")


class StandIn:
    """The WSGI application."""

    def __init__(self, scratch):
        self.moto = DomainDispatcherApplication(create_backend_app)
        self.lock = threading.RLock()  # over moto's state and ours
        self.scratch, self.released = scratch, threading.Event()
        self.forget()

    def forget(self):
        self.set_faults([])
        self.calls, self.s3, self.glue, self.athena = [], S3(), Glue(), Athena(self.scratch, self.lock)

    def set_faults(self, faults):
        self.faults = faults
        self.released.set()
        self.released = threading.Event()

    def __call__(self, environ, start_response):
        body = Request(environ).get_data()
        environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        request = Request(environ)
        answer = self.control if request.path.startswith("/_standin/") else self.serve
        return answer(request, body)(environ, start_response)

    def control(self, request, body):
        with self.lock:
            match request.path.removeprefix("/_standin/"):
                case "log":
                    return json_response(self.calls)
                case "faults":
                    faults = json.loads(body)
                    if not all(
                        {"service", "operation"} <= fault.keys() and fault.get("mode") in MODES for fault in faults
                    ):
                        return json_response({"message": f"a fault needs service, operation and one of {MODES}"}, 400)
                    self.set_faults(faults)
                case "crawl":
                    self.glue.pace |= json.loads(body)
                case "reset":
                    moto_api_backend.reset()
                    self.forget()
                case what if what.startswith(("keys/", "uploads/")):
                    return self.list_bucket(*what.split("/"))
                case what:
                    return json_response({"message": f"the stand-in has no {what}"}, 404)
            return json_response({})

    def list_bucket(self, what, name):
        buckets = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets
        if name not in buckets:
            return json_response({"message": f"there is no bucket {name}"}, 404)
        uploads = [upload.key_name for upload in buckets[name].multiparts.values()]
        return json_response(
            sorted(key for key, _ in buckets[name].keys.items()) if what == "keys" else sorted(uploads)
        )

    def serve(self, request, body):
        scope = re.search(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/", request.headers.get("authorization", ""))
        region, service = scope.groups() if scope else ("us-east-1", "s3")
        if service == "s3":
            params, name = {}, request.path.strip("/")
            operation = (
                operation_of(request.method, "/" in name, request.args, request.headers) if name else "ListBuckets"
            )
        else:
            operation = request.headers.get("x-amz-target", ".").split(".")[1]
            params = json.loads(body) if operation else {}
            named = params.get("DatabaseInput", {}) | params.get("TableInput", {}) | params
            name = next((named[key] for key in NAMES if key in named), "")
        setup = "x-standin-setup" in request.headers
        call = {"service": service, "operation": operation, "name": name, "status": None, "time": time.time()}
        with self.lock:
            self.calls += [] if setup else [call]
            fault, released = None if setup else self.take_fault(call, request.headers), self.released
        mode = fault and fault["mode"]
        response = self.perform_with(
            fault, released, lambda: self.perform(request, service, operation, region, params, mode)
        )
        call["status"] = response.status_code
        return response

    def take_fault(self, call, headers):
        for fault in self.faults:
            meant = fault["service"] == call["service"] and fault["operation"] == call["operation"]
            meant = meant and (not fault.get("conditional") or any(name in headers for name in CONDITIONS))
            if meant and fault.get("key_contains", "") in call["name"] and fault.setdefault("times", 1) != 0:
                fault["times"] -= 1
                return fault
        return None

    def perform_with(self, fault, released, perform):
        if not fault:
            return perform()
        mode = fault["mode"]
        if mode == "slow":
            time.sleep(fault.get("seconds", 1.0))
        response = None if mode == "reject" else perform()
        if mode == "hold":
            released.wait(fault.get("seconds", 60.0))
        if mode not in ("reject", "done_then_error"):
            return response
        status, code = (403, "AccessDenied") if mode == "reject" else (500, "InternalError")
        told = fault.get("code", code), fault.get("message", "injected fault"), fault.get("status", status)
        return error_response(fault["service"], *told)

    def perform(self, request, service, operation, region, params, mode):
        if mode == "unconditional":
            for name in CONDITIONS:
                request.environ.pop("HTTP_" + name.upper().replace("-", "_"), None)

        def pass_on(changed=request):
            return Response.from_app(self.moto, changed.environ, buffered=True)

        handlers = {"glue": self.glue, "athena": self.athena}
        try:
            with self.lock:
                if service == "s3":
                    return self.s3.handle(operation, request, pass_on, mode == "flip")
                answer = (
                    handlers[service].handle(operation, region, params, pass_on) if service in handlers else pass_on()
                )
                return json_response(answer) if isinstance(answer, dict) else answer
        except ServiceException as error:
            return error_response(service, error.code, error.message, 404 if error.code == "NoSuchBucket" else 400)
        except JsonRESTError as error:
            return error_response(service, error.error_type, error.message, 400)


def error_response(service, code, message, status):
    if service == "s3":
        body = f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
        return Response(body, status, content_type="application/xml")
    return json_response({"__type": code, "message": message, "Message": message}, status)


def json_response(value, status=200):
    return Response(json.dumps(value), status, content_type="application/x-amz-json-1.1")


class Handler(MotoRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_expect_100(self):
        return True  # werkzeug sends the 100 itself

    def log(self, *_):
        pass


def main():
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    with tempfile.TemporaryDirectory(prefix="aws-standin-") as scratch:
        server = make_server("127.0.0.1", port, StandIn(scratch), threaded=True, request_handler=Handler)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        print(f"ready http://127.0.0.1:{server.port}", flush=True)
        sys.stdin.buffer.read()
        server.shutdown()


if __name__ == "__main__":
    main()
