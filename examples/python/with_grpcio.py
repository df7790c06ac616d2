#!/usr/bin/env python3
"""Asks the hub for its clock with grpcio, whose own TLS (BoringSSL) offers no Ed25519 to servers.

Usage: with_grpcio.py --hub https://127.0.0.1:7443 --pki FOLDER [--agency H36]

It needs a hub with an ECDSA P-256 certificate, as make_pki.sh makes it; the node's own certificate
is Ed25519 like everybody's. Prints one JSON object.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import grpc
import grpc_tools
from grpc_tools import protoc

PROTO = Path(__file__).resolve().parents[2] / "proto"


def exchange_modules():
    """Compiles the interface with grpcio's own plugin and imports it."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = [
            "protoc",
            f"-I{PROTO}",
            f"-I{Path(grpc_tools.__file__).parent / '_proto'}",
            f"--python_out={folder}",
            f"--grpc_python_out={folder}",
            *(str(file) for file in sorted(PROTO.glob("lienthong/v1/*.proto"))),
        ]
        if protoc.main(arguments) != 0:
            raise RuntimeError(f"protoc cannot compile `{PROTO}`")
        sys.path.insert(0, folder)
        try:
            from lienthong.v1 import exchange_pb2, exchange_pb2_grpc
        finally:
            sys.path.remove(folder)
    return exchange_pb2, exchange_pb2_grpc


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hub", required=True)
    parser.add_argument("--pki", required=True, type=Path)
    parser.add_argument("--agency", default="H36")
    arguments = parser.parse_args()
    messages, services = exchange_modules()
    credentials = grpc.ssl_channel_credentials(
        root_certificates=(arguments.pki / "root.pem").read_bytes(),
        private_key=(arguments.pki / arguments.agency / "node.key").read_bytes(),
        certificate_chain=(arguments.pki / arguments.agency / "node.pem").read_bytes(),
    )
    with grpc.secure_channel(arguments.hub.removeprefix("https://"), credentials) as channel:
        stub = services.ExchangeServiceStub(channel)
        clock = stub.GetClock(messages.GetClockRequest(), timeout=10)
    print(json.dumps({"now": clock.now.ToJsonString(), "rate": clock.rate}))


main()
