"""A second opinion on submissions: reads JSON lines, writes one verdict a line.

    {"root": hex of DER, "received_ms": number}                 first
    {"request": hex of a SubmitDocumentRequest, "fields": bool} then each submission

With `fields` the content is read too and everything is judged; without, only what follows from
envelope, signatures and certificates: `FACTS HOLD`, or the code of docs/REFUSALS.md.
`tests/verdicts.rs` compares it with the hub's own verdict.
"""

from __future__ import annotations

import json
import sys

import certificates
import lienthong_client as client
from certificates import Refused
from google.protobuf.message import DecodeError

INLINE_ATTACHMENT_BYTES_MAX = 1 << 20
ATTACHMENTS_MAX = 64


def verdict(request: bytes, root: bytes, received_ms: int, *, fields: bool) -> str:
    """The verdict on the bytes of a SubmitDocumentRequest."""
    message = client.exchange_pb2.SubmitDocumentRequest()
    try:
        message.ParseFromString(request)
    except DecodeError as error:
        raise Refused("CONTENT_MALFORMED", "not a SubmitDocumentRequest") from error
    if not message.HasField("document"):
        raise Refused("FIELD_MISSING", "document")
    delivered = [(one.content_id, one.content) for one in message.attachments]
    size = sum(len(content) for _, content in delivered)
    if size > INLINE_ATTACHMENT_BYTES_MAX or len(delivered) > ATTACHMENTS_MAX:
        raise Refused("CONTENT_TOO_LARGE", "attachments")
    client.within_bounds(message.document)
    if not fields:
        trusted = [certificates.parse(root)]
        client.signer_chains(message.document, trusted, trusted)
        return "FACTS HOLD"
    if len(dict(delivered)) < len(delivered):
        client.read_document(message.document)
        raise Refused("ATTACHMENT_MISMATCH", "a content id stands twice")
    client.check(
        message.document.SerializeToString(),
        [root],
        [],
        received_ms=received_ms,
        attachments=dict(delivered),
    )
    return client.ACCEPTED


def main() -> None:
    first = json.loads(next(sys.stdin))
    root, received_ms = bytes.fromhex(first["root"]), first["received_ms"]
    for line in sys.stdin:
        asked = json.loads(line)
        request = bytes.fromhex(asked["request"])
        try:
            said, why = verdict(request, root, received_ms, fields=asked["fields"]), ""
        except Refused as refused:
            said, why = refused.code, str(refused)
        print(json.dumps({"verdict": said, "why": why}))


if __name__ == "__main__":
    main()
