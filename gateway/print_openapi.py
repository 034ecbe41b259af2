"""`python -m gateway.print_openapi`: the API's document, without any server. The studio's types are made of it."""

import sys

import orjson

from gateway import openapi
from gateway.routes import OPERATIONS

if __name__ == "__main__":
    sys.stdout.buffer.write(orjson.dumps(openapi.document(OPERATIONS, "http://127.0.0.1:8080")))
