#!/usr/bin/env python3
"""One exchange between two agencies, from signing to tracking, against a running hub.

Agency A signs two documents (a person and the seal) and submits them; agency B receives them,
verifies them from their bytes, keeps and acknowledges them, and reports 01 and 03 on the second
with its seal; A asks what became of it, submits the same again (the first receipt comes back) and
then a changed content (which the hub refuses, and says why). Prints one JSON object.

    exchange.py --hub https://127.0.0.1:7443 --pki FOLDER --inbox FOLDER
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import sys
import uuid
from pathlib import Path

from grpclib.exceptions import GRPCError
from lienthong_client import (
    DOCUMENT,
    STATUS,
    Hub,
    Refusal,
    Signer,
    certificates,
    check,
    common_pb2,
    der_of,
    directory_pb2,
    document_pb2,
    exchange_pb2,
    sign,
)
from lienthong_client import new_id as new_message_id

CALL_S = 30
ATTACHMENT = "Nội dung của quyết định.\n".encode()


def document_of(sender: str, recipient: str, now_ms: int) -> document_pb2.Document:
    """A decision of the sender's with one attachment."""
    document = document_pb2.Document(
        id=new_message_id(now_ms),
        number="15",
        notation="QĐ-UBND",
        place_of_issue="Nam Định",
        type_name="Quyết định",
        subject="Về việc kết nối, liên thông phần mềm quản lý văn bản",
        recipients=[document_pb2.Recipient(code=recipient)],
        signer=document_pb2.Signer(position="Chánh Văn phòng", full_name="Nguyễn Văn An"),
        urgency=common_pb2.URGENCY_URGENT,
        pages=1,
        attachments=[
            document_pb2.AttachmentEntry(
                content_id="cid:document",
                name="15-QĐ-UBND.txt",
                media_type="text/plain",
                size=len(ATTACHMENT),
                sha256=hashlib.sha256(ATTACHMENT).digest(),
                is_document=True,
            )
        ],
    )
    getattr(document, "from").code = sender
    document.signed_at.FromMilliseconds(now_ms)
    return document


async def submit(hub: Hub, signed: exchange_pb2.SignedDocument) -> exchange_pb2.Receipt:
    request = exchange_pb2.SubmitDocumentRequest(
        document=signed,
        attachments=[exchange_pb2.Attachment(content_id="cid:document", content=ATTACHMENT)],
    )
    return (await hub.exchange.SubmitDocument(request, timeout=CALL_S)).receipt


async def receive(hub: Hub, agency: str, position: int, keep) -> exchange_pb2.Delivery:
    """Subscribes with a credit of 1 until the document at `position` has come.

    A delivery uses up credit; an acknowledgement does not give it back, so more is granted with
    each. `keep` is called with each delivery before it is acknowledged; when it raises, the
    delivery is not acknowledged and comes again.
    """
    say = exchange_pb2.SubscribeRequest
    async with hub.exchange.Subscribe.open(timeout=CALL_S) as stream:
        await stream.send_message(say(open=say.Open(agencies=[agency], credit=1)))
        wanted = None
        async for message in stream:
            kind = message.WhichOneof("response")
            if kind == "delivery":
                delivery = message.delivery
                await keep(delivery)
                key = exchange_pb2.DeliveryKey(
                    recipient=delivery.recipient, position=delivery.position
                )
                if delivery.position == position:
                    wanted = delivery
                await stream.send_message(say(acknowledge=say.Acknowledge(keys=[key])))
                await stream.send_message(say(credit=say.Credit(more=1)))
            elif kind == "refused_acknowledgement":
                raise RuntimeError(f"not taken: {message.refused_acknowledgement.refusal.code}")
            elif kind == "acknowledged" and wanted is not None:
                await stream.end()
                return wanted
    raise RuntimeError("the hub ended the subscription")


def report_of(
    delivery: exchange_pb2.Delivery,
    document: document_pb2.Document,
    code: int,
    now_ms: int,
) -> document_pb2.StatusReport:
    """What the recipient of a delivery reports on it."""
    sender = getattr(document, "from").code
    report = document_pb2.StatusReport(
        id=new_message_id(now_ms),
        document=document.id,
        answers=document_pb2.Answer(
            code=sender, document_code=f"{document.number}/{document.notation}"
        ),
        code=code,
    )
    getattr(report, "from").code = delivery.recipient
    report.time.FromMilliseconds(now_ms)
    report.signed_at.FromMilliseconds(now_ms)
    return report


async def sender_policy(hub: Hub, code: str) -> dict[str, str | None]:
    """What the directory says about the sender's signatures."""
    request = directory_pb2.GetAgencyRequest(code=code)
    agency = (await hub.directory.GetAgency(request, timeout=CALL_S)).agency
    name = common_pb2.SignaturePolicy.Name(agency.policy)
    policy = name.removeprefix("SIGNATURE_POLICY_").lower()
    return {"policy": policy, "gateway": agency.gateway or None}


def store(folder: Path, delivery: exchange_pb2.Delivery) -> None:
    """Writes a delivery to disk: only then may it be acknowledged."""
    with open(folder / f"{delivery.position}.pb", "wb") as file:
        file.write(delivery.SerializeToString())
        file.flush()
        os.fsync(file.fileno())
    entry = os.open(folder, os.O_RDONLY)
    os.fsync(entry)
    os.close(entry)


class Recipient:
    """Agency B: checks, keeps, acknowledges, reports."""

    def __init__(self, hub: Hub, pki: Path, inbox: Path):
        self.hub, self.pki, self.inbox = hub, pki, inbox
        self.checked = None

    async def keep(self, delivery: exchange_pb2.Delivery) -> None:
        document = document_pb2.Document.FromString(delivery.document.content)
        self.checked = check(
            delivery.document.SerializeToString(),
            roots=[(self.pki / "root.pem").read_bytes()],
            crls=[(self.pki / f"{issuer}.crl").read_bytes() for issuer in ("root", "issuing")],
            received_ms=delivery.received_at.ToMilliseconds(),
            attachments={one.content_id: one.content for one in delivery.attachments},
            **await sender_policy(self.hub, getattr(document, "from").code),
        )
        store(self.inbox, delivery)

    async def report(self, delivery: exchange_pb2.Delivery, code: int, seal: Signer) -> dict:
        report = report_of(delivery, self.checked.document, code, self.hub.now_ms())
        issuers = [der_of((self.pki / "issuing.pem").read_bytes())]
        signed = sign(STATUS, report.SerializeToString(), [seal], issuers)
        request = exchange_pb2.ReportStatusRequest(report=signed)
        receipt = (await self.hub.exchange.ReportStatus(request, timeout=CALL_S)).receipt
        return {"code": code, "position": receipt.position, "repeated": receipt.repeated}


def shown(receipt: exchange_pb2.Receipt) -> dict:
    return {
        "id": str(uuid.UUID(bytes=receipt.id)),
        "position": receipt.position,
        "repeated": receipt.repeated,
        "signature": common_pb2.SignatureKind.Name(receipt.signature),
        "routes": {one.code: common_pb2.Route.Name(one.route) for one in receipt.routes},
    }


async def run(arguments: argparse.Namespace) -> dict:
    pki, a, b = arguments.pki, arguments.sender, arguments.recipient
    arguments.inbox.mkdir(parents=True, exist_ok=True)
    issuers = [der_of((pki / "issuing.pem").read_bytes())]
    async with (
        Hub(arguments.hub, pki / "root.pem", pki / a) as hub_a,
        Hub(arguments.hub, pki / "root.pem", pki / b) as hub_b,
    ):
        signers = [Signer.load(pki / a, kind) for kind in ("person", "seal")]
        for _ in range(2):
            content = document_of(a, b, hub_a.now_ms()).SerializeToString()
            signed = sign(DOCUMENT, content, signers, issuers)
            receipt = await submit(hub_a, signed)

        recipient = Recipient(hub_b, pki, arguments.inbox)
        delivery = await receive(hub_b, b, receipt.position, recipient.keep)
        seal = Signer.load(pki / b, "seal")
        arrived, accepted = common_pb2.STATUS_CODE_ARRIVED, common_pb2.STATUS_CODE_ACCEPTED
        reported = [await recipient.report(delivery, code, seal) for code in (arrived, accepted)]

        request = exchange_pb2.TrackDocumentRequest(sender=a, id=receipt.id)
        tracked = (await hub_a.exchange.TrackDocument(request, timeout=CALL_S)).document
        repeated = await submit(hub_a, signed)
        return {
            "submitted": shown(receipt),
            "received": received(recipient, delivery),
            "reported": reported,
            "tracked": followed(tracked),
            "repeated": shown(repeated),
            "changed": await refused_change(hub_a, signed),
        }


def received(recipient: Recipient, delivery: exchange_pb2.Delivery) -> dict:
    checked = recipient.checked
    return {
        "position": delivery.position,
        "attempt": delivery.attempt,
        "subject": checked.document.subject,
        "signers": [{"role": one.role, "agency": one.agency} for one in checked.signers],
        "personal": checked.personal,
        "sealed": checked.sealed,
        "revocation_not_proven": len(checked.unproven),
        "attachments": [one.content.decode() for one in delivery.attachments],
    }


def followed(tracked: exchange_pb2.TrackedDocument) -> list[dict]:
    return [
        {
            "recipient": one.recipient,
            "acknowledged": one.HasField("acknowledged_at"),
            "attempts": one.attempts,
            "statuses": [status.code for status in one.statuses],
        }
        for one in tracked.deliveries
    ]


async def refused_change(hub: Hub, signed: exchange_pb2.SignedDocument) -> dict:
    """Submits another content under the signatures of the first; returns the hub's refusal."""
    document = document_pb2.Document.FromString(signed.content)
    document.subject += " (đã sửa)"
    changed = exchange_pb2.SignedDocument()
    changed.CopyFrom(signed)
    changed.content = document.SerializeToString()
    try:
        await submit(hub, changed)
    except GRPCError as error:
        refusal = Refusal.of(error)
        return {
            "status": refusal.status,
            "code": refusal.code,
            "fields": [field for field, _ in refusal.violations],
            "remedy": refusal.remedy,
            "document": refusal.document,
            "localized": refusal.localized,
        }
    raise RuntimeError("the hub took a content that was changed after signing")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hub", required=True, help="https://host:port")
    parser.add_argument("--pki", required=True, type=Path, help="the folder of make_pki.sh")
    parser.add_argument("--inbox", required=True, type=Path, help="where B keeps what it receives")
    parser.add_argument("--sender", default="H36", help="the code of agency A")
    parser.add_argument("--recipient", default="H36.12", help="the code of agency B")
    try:
        result = asyncio.run(run(parser.parse_args()))
    except GRPCError as error:
        print(f"the hub refused: {error.message}: {Refusal.of(error)}", file=sys.stderr)
        return 1
    except certificates.Refused as refused:
        print(f"not acknowledged, the check failed: {refused}", file=sys.stderr)
        return 1
    print(json.dumps(result, ensure_ascii=False, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
