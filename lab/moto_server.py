"""moto, with a record of every call.

moto's own log has one line per request, but for EC2, RDS and STS that line says only `POST /`: the action is in the body.
This starts the same server and appends one JSON object per call to a file, so that a test can count calls by service,
action and client: {"time", "service", "action", "status", "userAgent"}. The lab's own calls are left out.

    python moto_server.py --port 5000 --calls calls.jsonl
"""

import argparse
import io
import json
import os
import signal
import sys
import threading
import time
from urllib.parse import parse_qs

from moto.core.responses import PaginatedResult
from moto.elasticache.responses import ElastiCacheResponse
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from moto.rds.models import RDSBackend
from werkzeug.serving import run_simple

# In the user agent of everything that the lab itself asks.
LAB = "zonestack-xtask"
FORM = "application/x-www-form-urlencoded"


def service_of(environ):
    """The service in the signature: `Credential=KEY/DATE/REGION/SERVICE/aws4_request`."""
    scope = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2].partition(",")[0]
    parts = scope.split("/")
    return parts[3] if len(parts) == 5 else ""


def action_of(environ):
    """The action of the query and JSON protocols; method and path of the REST ones."""
    target = environ.get("HTTP_X_AMZ_TARGET")
    if target:
        return target.rpartition(".")[2]
    if environ.get("CONTENT_TYPE", "").startswith(FORM):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        action = parse_qs(body.decode("utf-8", "replace")).get("Action")
        if action:
            return action[0]
    return f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO', '/')}"


class RecordedCalls:
    """WSGI middleware that writes a line when the answer begins, before the client can see it.

    One call of a service at a time: moto's lists fail when something is deleted from them meanwhile.
    """

    def __init__(self, app, path):
        self.app = app
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.turns = {}

    def __call__(self, environ, start_response):
        call = {
            "time": time.time(),
            "service": service_of(environ),
            "action": action_of(environ),
            "userAgent": environ.get("HTTP_USER_AGENT", ""),
        }
        internal = LAB in call["userAgent"] or environ.get("PATH_INFO", "").startswith("/moto-api")

        def record(status, headers, exc_info=None):
            if not internal:
                line = json.dumps({**call, "status": int(status.split()[0])}) + "\n"
                os.write(self.file, line.encode())
            return start_response(status, headers, exc_info)

        with self.turns.setdefault(call["service"], threading.Lock()):
            return self.app(environ, record)


def keep_modified_subnet_groups():
    """moto 5.2.5 takes a DB subnet group out of its table when it is modified, and never puts it back."""
    modify = RDSBackend.modify_db_subnet_group

    def keeping(self, subnet_name, *arguments, **named):
        group = modify(self, subnet_name, *arguments, **named)
        self.subnet_groups[subnet_name] = group
        return group

    RDSBackend.modify_db_subnet_group = keeping


def list_no_parameter_groups():
    """moto 5.2.5 makes no parameter groups of ElastiCache, and answers their listing with 500: there are none."""

    def listing(self):
        return PaginatedResult({"CacheParameterGroups": []})

    ElastiCacheResponse.describe_cache_parameter_groups = listing


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--calls", required=True, help="file that gets one JSON line per call")
    arguments = parser.parse_args()

    keep_modified_subnet_groups()
    list_no_parameter_groups()
    os.environ["MOTO_PORT"] = str(arguments.port)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    app = RecordedCalls(DomainDispatcherApplication(create_backend_app), arguments.calls)
    run_simple(
        "127.0.0.1", arguments.port, app, threaded=True, request_handler=MotoRequestHandler
    )


if __name__ == "__main__":
    main()
