"""A small client of the hub, from `proto/` alone: signing, connecting, and the receiver's check.

    DSSE v1 and Ed25519      `sign`
    ids (UUIDv7, RFC 9562)   `new_id`
    mutual TLS and gRPC      `Hub`
    refusals (google.rpc)    `Refusal`
    what was received        `verify_submission`, `check`

It is an example to read and to start from, not a finished library: no retries, no reconnecting.
"""

from __future__ import annotations

import hashlib
import secrets
import ssl
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import certificates
import grpc_tools
from certificates import Certificate, Refused
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2
from grpc_tools import protoc
from grpclib.client import Channel
from grpclib.exceptions import GRPCError
from revocation import is_current, is_revoked, lists_of, load_list


def _compile(proto: Path) -> None:
    """Compiles the interface into a folder that lasts until it is imported."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = [
            "protoc",
            f"-I{proto}",
            f"-I{Path(grpc_tools.__file__).parent / '_proto'}",
            f"--python_out={folder}",
            f"--grpclib_python_out={folder}",
            f"--plugin=protoc-gen-grpclib_python={_plugin()}",
            *(str(file) for file in sorted(proto.glob("lienthong/v1/*.proto"))),
        ]
        if protoc.main(arguments) != 0:
            raise RuntimeError(f"protoc cannot compile `{proto}`")
        sys.path.insert(0, folder)
        try:
            for module in ("common_pb2", "document_pb2", "exchange_grpc", "directory_grpc"):
                __import__(f"lienthong.v1.{module}")
        finally:
            sys.path.remove(folder)


def _plugin() -> Path:
    """grpclib's plugin for protoc, which stands beside the interpreter."""
    return Path(sys.executable).parent / "protoc-gen-grpclib_python"


_compile(Path(__file__).resolve().parents[2] / "proto")
from lienthong.v1 import (  # noqa: E402
    common_pb2,  # noqa: F401, for those who import this module
    directory_grpc,
    directory_pb2,  # noqa: F401
    document_pb2,
    exchange_grpc,
    exchange_pb2,
)

DOCUMENT = "application/vnd.lienthong.document.v1+protobuf"
STATUS = "application/vnd.lienthong.status.v1+protobuf"

# --- Signing --------------------------------------------------------------------------


def pre_authentication_encoding(content_type: str, content: bytes) -> bytes:
    """What is signed (DSSE v1): type and content with their lengths in bytes."""
    kind = content_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(content), content)


@dataclass(frozen=True)
class Signer:
    """A person's or a seal's certificate and key."""

    certificate: bytes  # DER
    key: object  # Ed25519PrivateKey

    @classmethod
    def load(cls, folder: Path, kind: str) -> Signer:
        """Reads `<kind>.pem` and `<kind>.key` of a folder."""
        key = (folder / f"{kind}.key").read_bytes()
        return cls(
            der_of((folder / f"{kind}.pem").read_bytes()),
            serialization.load_pem_private_key(key, password=None),
        )


def sign(
    content_type: str, content: bytes, signers: Iterable[Signer], issuers: Iterable[bytes]
) -> exchange_pb2.SignedDocument:
    """Signs bytes as they are; certificates of signers and issuers (DER) travel with them."""
    signers = list(signers)
    message = pre_authentication_encoding(content_type, content)
    signatures = [
        exchange_pb2.Signature(
            certificate_sha256=hashlib.sha256(signer.certificate).digest(),
            value=signer.key.sign(message),
        )
        for signer in signers
    ]
    return exchange_pb2.SignedDocument(
        content_type=content_type,
        content=content,
        signatures=signatures,
        certificates=[*(signer.certificate for signer in signers), *issuers],
    )


def new_id(now_ms: int) -> bytes:
    """A UUIDv7: 48 bits of Unix time in milliseconds, version, variant, 74 random bits."""
    value = now_ms << 80 | 7 << 76 | secrets.randbits(12) << 64 | 2 << 62 | secrets.randbits(62)
    return value.to_bytes(16, "big")


def der_of(octets: bytes) -> bytes:
    """The first certificate of a PEM file, or DER as it is."""
    if not octets.startswith(b"-----BEGIN"):
        return octets
    certificate = x509.load_pem_x509_certificate(octets)
    return certificate.public_bytes(serialization.Encoding.DER)


# --- The hub --------------------------------------------------------------------------


class Hub:
    """A connection to the hub with a node's certificate, and its clock."""

    def __init__(self, address: str, root: Path, node: Path):
        """Takes `https://host:port`, the root's PEM, and the folder of `node.pem`, `node.key`."""
        context = ssl.create_default_context(cafile=str(root))
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(str(node / "node.pem"), str(node / "node.key"))
        context.set_alpn_protocols(["h2"])
        host, _, port = address.removeprefix("https://").rpartition(":")
        self.channel = Channel(host.strip("[]"), int(port), ssl=context)
        self.exchange = exchange_grpc.ExchangeServiceStub(self.channel)
        self.directory = directory_grpc.DirectoryServiceStub(self.channel)
        self._asked, self._clock = 0.0, None

    async def __aenter__(self) -> Hub:
        self._clock = await self.exchange.GetClock(exchange_pb2.GetClockRequest(), timeout=10)
        self._asked = time.monotonic()
        ahead_s = abs(self._clock.now.ToMilliseconds() / 1000 - time.time())
        if not self._clock.scenario and ahead_s > 60:
            print(f"this machine's clock and the hub's differ by {ahead_s:.0f} s", file=sys.stderr)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.channel.close()

    def now_ms(self) -> int:
        """Business time, in which ids and `signed_at` are made: Unix time in milliseconds."""
        if not self._clock.scenario:
            return time.time_ns() // 1_000_000
        passed = (time.monotonic() - self._asked) * self._clock.rate
        return self._clock.now.ToMilliseconds() + int(passed * 1000)


@dataclass(frozen=True)
class Refusal:
    """Why the hub declined a call, from the details of its gRPC status."""

    status: str  # the gRPC code
    code: str  # the stable code of docs/REFUSALS.md; empty when the status has no details
    remedy: str
    document: str  # the id of the message concerned, where it is known
    violations: list[tuple[str, str]]  # field, and what was found there
    localized: str  # in Vietnamese

    @classmethod
    def of(cls, error: GRPCError) -> Refusal:
        code = remedy = document = localized = ""
        violations: list[tuple[str, str]] = []
        for detail in error.details or []:
            if isinstance(detail, error_details_pb2.ErrorInfo) and detail.domain == "lienthong":
                code, remedy = detail.reason, detail.metadata["remedy"]
                document = detail.metadata["document_id"]
            elif isinstance(detail, error_details_pb2.BadRequest):
                violations = [(one.field, one.description) for one in detail.field_violations]
            elif isinstance(detail, error_details_pb2.LocalizedMessage):
                localized = detail.message
        return cls(error.status.name, code, remedy, document, violations, localized)


# --- The receiver's check -------------------------------------------------------------

ACCEPTED = "ACCEPTED"
SIGNERS = ("person", "seal")

# Codes in the order of docs/REFUSALS.md: of several, the first is given.
ORDER = [
    "CONTENT_TYPE_UNKNOWN", "CONTENT_TOO_LARGE", "CONTENT_MALFORMED", "FIELD_MISSING",
    "ATTACHMENT_MISMATCH", "SIGNATURE_MALFORMED", "CERTIFICATE_UNKNOWN", "CERTIFICATE_MALFORMED",
    "CERTIFICATE_KEY_WEAK", "CERTIFICATE_UNSUITABLE", "CERTIFICATE_CHAIN_BROKEN",
    "SIGNATURE_INVALID", "CERTIFICATE_UNTRUSTED", "CERTIFICATE_NOT_YET_VALID",
    "CERTIFICATE_EXPIRED", "CERTIFICATE_REVOKED", "SIGNER_OF_OTHER_AGENCY",
    "PERSONAL_SIGNATURE_REQUIRED", "SEAL_REQUIRED",
]  # fmt: skip


@dataclass(frozen=True)
class Checked:
    """A document whose signatures hold."""

    document: document_pb2.Document
    signers: list[Certificate]
    personal: bool
    sealed: bool
    # Issuers (DER names) whose revocations are not proven: no list, or one past its next update.
    unproven: list[bytes] = field(default_factory=list)


def verify_submission(
    signed_document: bytes,
    roots: Iterable[bytes],
    crls: Iterable[bytes],
    **how: object,
) -> str:
    """The verdict on the bytes of a SignedDocument: `ACCEPTED`, or the code of docs/REFUSALS.md.

    Takes what `check` takes.
    """
    try:
        check(signed_document, roots, crls, **how)
    except Refused as refused:
        return refused.code
    return ACCEPTED


def check(
    signed_document: bytes,
    roots: Iterable[bytes],
    crls: Iterable[bytes],
    *,
    authorities: Iterable[bytes] = (),
    received_ms: int | None = None,
    policy: str = "required",
    gateway: str | None = None,
    attachments: dict[str, bytes] | None = None,
) -> Checked:
    """Checks a document from its bytes; nothing that the hub says about it is believed.

    Roots, authorities and lists are PEM or DER. `authorities` are issuers that are known without
    being sent. `received_ms` is when the hub received it (now, if not said): revocation counts as
    of then. `policy` is that of the sender: `required` (a person's signature), `transition` (the
    seal is enough) or `information`; `gateway` an agency whose seal stands for the sender's.
    With `attachments`, what travelled beside the content, each must be one that the document
    names. Fields are not checked beyond those needed here, and neither is what only the hub knows:
    who may send to whom, the times of id and signature, what was sent before.

    Raises `Refused` with the code that the hub would give.
    """
    received_ms = time.time_ns() // 1_000_000 if received_ms is None else received_ms
    trusted = [certificates.parse(der_of(root)) for root in roots]
    known = trusted + [certificates.parse(der_of(authority)) for authority in authorities]
    lists = [load_list(octets) for octets in crls]

    signed = exchange_pb2.SignedDocument()
    try:
        signed.ParseFromString(signed_document)
    except DecodeError as error:
        raise Refused("CONTENT_MALFORMED", "not a SignedDocument") from error
    within_bounds(signed)
    document = read_document(signed)
    if attachments is not None:
        attachments_match(document, attachments)

    chains = signer_chains(signed, known, trusted)
    dates = (document.signed_at.ToNanoseconds() // 1_000_000, received_ms)
    judge_certificates(chains, trusted, lists, dates)
    personal, sealed = judge_holders(chains, code_of(document), gateway)
    if policy == "required" and not personal:
        raise Refused("PERSONAL_SIGNATURE_REQUIRED", "no person signed")
    if policy == "transition" and not (personal or sealed):
        raise Refused("SEAL_REQUIRED", "nobody signed")
    unproven = [
        issuer.subject
        for chain in chains
        for issuer in chain[1:]
        if not any(is_current(one, received_ms) for one in lists_of(issuer, lists))
    ]
    return Checked(document, [chain[0] for chain in chains], personal, sealed, unproven)


def within_bounds(signed: exchange_pb2.SignedDocument) -> None:
    if (
        len(signed.content) > 1 << 20
        or len(signed.signatures) > 16
        or len(signed.certificates) > 64
        or any(len(der) > certificates.CERTIFICATE_BYTES_MAX for der in signed.certificates)
    ):
        raise Refused("CONTENT_TOO_LARGE", "larger than the bounds of exchange.proto")
    named = [signature.certificate_sha256 for signature in signed.signatures]
    lengths = [(len(one.certificate_sha256), len(one.value)) for one in signed.signatures]
    if any(length != (32, 64) for length in lengths) or len(set(named)) < len(named):
        raise Refused("SIGNATURE_MALFORMED", "not 64 bytes by 32 bytes, or a signer twice")


def read_document(signed: exchange_pb2.SignedDocument) -> document_pb2.Document:
    if signed.content_type != DOCUMENT:
        raise Refused("CONTENT_TYPE_UNKNOWN", signed.content_type)
    document = document_pb2.Document()
    try:
        document.ParseFromString(signed.content)
    except DecodeError as error:
        raise Refused("CONTENT_MALFORMED", "not a Document") from error
    for name, value in (
        ("id", document.id),
        ("from.code", code_of(document)),
        ("recipients", document.recipients),
        ("subject", document.subject),
        ("signed_at", document.HasField("signed_at")),
    ):
        if not value:
            raise Refused("FIELD_MISSING", name)
    return document


def code_of(document: document_pb2.Document) -> str:
    """The sender's code; the field is called `from`, which is a word of Python."""
    return getattr(document, "from").code


def attachments_match(document: document_pb2.Document, delivered: dict[str, bytes]) -> None:
    """Whether what travelled beside the content is named in it, byte for byte.

    What is named and did not travel beside it was uploaded, and is downloaded and compared then.
    """
    named = {entry.content_id: (entry.size, entry.sha256) for entry in document.attachments}
    for content_id, octets in delivered.items():
        if named.get(content_id) != (len(octets), hashlib.sha256(octets).digest()):
            raise Refused("ATTACHMENT_MISMATCH", "not an attachment that is named")


def signer_chains(
    signed: exchange_pb2.SignedDocument, known: list[Certificate], trusted: list[Certificate]
) -> list[list[Certificate]]:
    """One chain for each signature; of all refusals the first in the order of the page."""
    found, refusals = [], []
    for signature in signed.signatures:
        try:
            found.append(signer_chain(signature, signed, known, trusted))
        except Refused as refused:
            refusals.append(refused)
    raise_first(refusals)
    return found


def raise_first(refusals: list[Refused]) -> None:
    if refusals:
        raise min(refusals, key=lambda refused: ORDER.index(refused.code))


def signer_chain(
    signature: exchange_pb2.Signature,
    signed: exchange_pb2.SignedDocument,
    known: list[Certificate],
    trusted: list[Certificate],
) -> list[Certificate]:
    """The chain of the certificate that made a signature; both hold."""
    sent = {hashlib.sha256(der).digest(): der for der in signed.certificates}
    if signature.certificate_sha256 in sent:
        leaf = certificates.parse(sent.pop(signature.certificate_sha256))
    else:
        same = [one for one in known if one.fingerprint == signature.certificate_sha256]
        if not same:
            raise Refused("CERTIFICATE_UNKNOWN", signature.certificate_sha256.hex())
        leaf = same[0]
    if leaf.role not in SIGNERS:
        raise Refused("CERTIFICATE_UNSUITABLE", f"a signature of {leaf.role}")
    pool = list(known)
    for der in sent.values():
        try:
            pool.append(certificates.parse(der))
        except Refused:
            continue  # a superfluous certificate harms nobody
    chain = certificates.chain(leaf, pool, trusted)
    message = pre_authentication_encoding(signed.content_type, signed.content)
    if not certificates.verify(leaf.key, message, signature.value):
        raise Refused("SIGNATURE_INVALID", "changed after signing, or signed by another key")
    return chain


def judge_certificates(
    chains: list[list[Certificate]],
    trusted: list[Certificate],
    lists: list[x509.CertificateRevocationList],
    dates: tuple[int, int],
) -> None:
    """Trusted root, validity when signed and when received, revocation before receipt."""
    signed_ms, received_ms = dates
    refusals = []
    for chain in chains:
        if chain[-1] not in trusted:
            refusals.append(Refused("CERTIFICATE_UNTRUSTED", chain[-1].fingerprint.hex()))
            continue
        for one in chain:
            if signed_ms < one.not_before:
                refusals.append(Refused("CERTIFICATE_NOT_YET_VALID", one.fingerprint.hex()))
            elif max(dates) > one.not_after:
                refusals.append(Refused("CERTIFICATE_EXPIRED", one.fingerprint.hex()))
        for one, issuer in zip(chain, chain[1:], strict=False):
            if is_revoked(one, issuer, lists, received_ms):
                refusals.append(Refused("CERTIFICATE_REVOKED", one.fingerprint.hex()))
    raise_first(refusals)


def judge_holders(
    chains: list[list[Certificate]], sender: str, gateway: str | None
) -> tuple[bool, bool]:
    """Whether a person of the sender signed, and whether its seal or its gateway's did."""
    personal = sealed = False
    own = certificates.code_key(sender)
    seals = {own, certificates.code_key(gateway)} if gateway else {own}
    for leaf, *_ in chains:
        if leaf.role == "person" and leaf.agency == own:
            personal = True
        elif leaf.role == "seal" and leaf.agency in seals:
            sealed = True
        else:
            raise Refused("SIGNER_OF_OTHER_AGENCY", leaf.agency)
    return personal, sealed
