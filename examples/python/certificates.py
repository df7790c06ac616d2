"""Certificates as docs/CERTIFICATES.md has them, read from their bytes, and the chains they form.

Written from that page and docs/REFUSALS.md alone, so that it also serves as a second opinion on
the hub's reading. DER is read by hand, because the profile is stricter than general libraries are
(the bytes must be the one DER form) and must not stumble over extensions that it leaves alone.
Nothing here looks at a date or trusts anybody: that is `lienthong_client.verify_submission`.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from der import (
    BIT_STRING,
    BOOLEAN,
    INTEGER,
    OCTET_STRING,
    OID,
    PRINTABLE_STRING,
    SEQUENCE,
    SET,
    UTF8_STRING,
    Der,
    Refused,
    boolean,
    children,
    integer,
    malformed,
    moment,
    oid,
    only,
)

CERTIFICATE_BYTES_MAX = 8 * 1024
CHAIN_CERTIFICATES_MAX = 6
SIGNATURES_CHECKED_MAX = 4 * CHAIN_CERTIFICATES_MAX
ED25519 = bytes.fromhex("300506032b6570")  # AlgorithmIdentifier without parameters (RFC 8410)


# --- Ed25519, strictly (RFC 8032) -----------------------------------------------------

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
# The y of the eight points of small order; their x has either sign.
ORDER_8 = int.from_bytes(
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
)
SMALL_ORDER = {0, 1, P - 1, ORDER_8, P - ORDER_8}


def y_of(point: bytes) -> int:
    return int.from_bytes(point, "little") & (2**255 - 1)


def sound_key(octets: bytes) -> bytes:
    """The key, when it is canonical, on the curve and not of small order."""
    y = y_of(octets)
    x_squared = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    on_curve = pow(x_squared, (P - 1) // 2, P) in (0, 1)
    if len(octets) != 32 or y >= P or not on_curve or y in SMALL_ORDER:
        raise Refused("CERTIFICATE_KEY_WEAK", "the key is not a sound Ed25519 key")
    return octets


def verify(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature holds: without cofactor, and its first half not of small order."""
    if len(signature) != 64 or y_of(signature[:32]) % P in SMALL_ORDER:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


# --- The certificate ------------------------------------------------------------------

BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE = "2.5.29.19", "2.5.29.15", "2.5.29.37"
ALTERNATIVE_NAMES, SUBJECT_KEY_ID, AUTHORITY_KEY_ID = "2.5.29.17", "2.5.29.14", "2.5.29.35"
READ = {
    BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE,
    ALTERNATIVE_NAMES, SUBJECT_KEY_ID, AUTHORITY_KEY_ID,
}  # fmt: skip
FORBIDDEN = {"2.5.29.30", "2.5.29.36", "2.5.29.54"}  # name and policy constraints, inhibitAnyPolicy

DIGITAL_SIGNATURE, NON_REPUDIATION, KEY_CERT_SIGN, CRL_SIGN = 0, 1, 5, 6
DOCUMENT_SIGNING, CLIENT_AUTH, SERVER_AUTH = (
    "1.3.6.1.5.5.7.3.36", "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1",
)  # fmt: skip
COMMON_NAME, TITLE = "2.5.4.3", "2.5.4.12"


@dataclass(frozen=True)
class Certificate:
    """A certificate that keeps the profile. Its own signature is checked by `issued`."""

    fingerprint: bytes  # SHA-256 of the DER bytes
    signed: bytes
    signature: bytes
    serial: int
    issuer: bytes  # names are compared by their DER bytes
    subject: bytes
    not_before: int  # Unix time in milliseconds; both ends belong to the validity
    not_after: int
    key: bytes
    role: str  # authority, person, seal, node, operator, hub
    agency: str  # its code as the directory files it; empty for an authority
    path_length: int | None
    signs_lists: bool
    subject_key_id: bytes | None
    authority_key_id: bytes | None

    def answers_to(self, name: bytes, key_id: bytes | None) -> bool:
        """Whether the name is its subject and the key identifiers agree where both are there."""
        ids = {self.subject_key_id, key_id} - {None}
        return self.subject == name and len(ids) < 2

    def may_have_issued(self, child: Certificate) -> bool:
        named = self.answers_to(child.issuer, child.authority_key_id)
        return self.role == "authority" and named

    def issued(self, child: Certificate) -> bool:
        return self.may_have_issued(child) and verify(self.key, child.signed, child.signature)


def parse(der: bytes) -> Certificate:
    """Reads a certificate; `Refused` names the first rule of the profile that it breaks."""
    if len(der) > CERTIFICATE_BYTES_MAX:
        raise malformed("it is too large")
    outer = Der(only(der, SEQUENCE))
    _, content, signed = outer.element()
    _, _, algorithm = outer.element()
    signature = outer.take(BIT_STRING)
    outer.end()
    if signed[0] != SEQUENCE:
        raise malformed("the bytes are not a certificate")
    tbs = Der(content)
    if tbs.tag() != 0xA0 or integer(only(tbs.take(0xA0), INTEGER)) != 2:
        raise malformed("it is not of version 3")
    serial = integer(tbs.take(INTEGER))
    algorithm_inside = tbs.element()[2]
    issuer, _ = name(tbs)
    validity = Der(tbs.take(SEQUENCE))
    not_before, not_after = moment(*validity.element()[:2]), moment(*validity.element()[:2])
    validity.end()
    subject, parts = name(tbs)
    key_algorithm, key_bits = subject_key(tbs.take(SEQUENCE))
    extensions = extensions_of(tbs.take(0xA3)) if tbs.tag() == 0xA3 else {}
    tbs.end()  # a unique identifier would stand between the two
    if issuer == b"\x30\x00":
        raise malformed("the issuer is empty")
    if algorithm != ED25519 or algorithm_inside != ED25519:
        raise malformed("it is not signed with Ed25519")
    if len(signature) != 65 or signature[0] != 0 or not_before > not_after:
        raise malformed("the signature's length or the validity is wrong")
    if key_algorithm != ED25519 or len(key_bits) != 33 or key_bits[0] != 0:
        raise Refused("CERTIFICATE_KEY_WEAK", "the key is not an Ed25519 key")
    key = sound_key(key_bits[1:])
    facts = holder(extensions, subject, parts)
    if not 0 < serial < 1 << 160:
        raise malformed("the serial number is not positive or too long")
    return Certificate(
        hashlib.sha256(der).digest(), signed, signature[1:], serial, issuer, subject,
        not_before, not_after, key, **facts,
    )  # fmt: skip


def name(tbs: Der) -> tuple[bytes, list[tuple[str, int, bytes]]]:
    """A distinguished name: its bytes, and its attributes as (kind, tag, content)."""
    tag, content, whole = tbs.element()
    if tag != SEQUENCE:
        raise malformed("a name is not a sequence")
    parts = []
    for relative in children(content, SET):
        attributes = children(only(relative, SET), SEQUENCE)
        if attributes != sorted(attributes):
            raise malformed("a set is not in its order")
        for attribute in attributes:
            reader = Der(only(attribute, SEQUENCE))
            kind = oid(reader.take(OID))
            parts.append((kind, *reader.element()[:2]))
            reader.end()
    return whole, parts


def subject_key(content: bytes) -> tuple[bytes, bytes]:
    """The algorithm, whole, and the content of the BIT STRING with the key."""
    reader = Der(content)
    algorithm = reader.element()[2]
    inside = Der(only(algorithm, SEQUENCE))
    oid(inside.take(OID))
    if inside.more():
        inside.element()
    inside.end()
    bits = reader.take(BIT_STRING)
    reader.end()
    if not bits or bits[0] > 7 or bits == bits[:1] != b"\0":
        raise malformed("a bit string cannot be decoded")
    return algorithm, bits


def extensions_of(content: bytes) -> dict[str, tuple[bool, bytes]]:
    """Extensions by kind: whether critical, and the bytes of the value."""
    found: dict[str, tuple[bool, bytes]] = {}
    for extension in children(only(content, SEQUENCE), SEQUENCE):
        reader = Der(only(extension, SEQUENCE))
        kind, critical = oid(reader.take(OID)), False
        if reader.tag() == BOOLEAN:
            critical = boolean(reader.take(BOOLEAN))
            if not critical:
                raise malformed("a default is written out")
        value = reader.take(OCTET_STRING)
        reader.end()
        if kind in found:
            raise malformed(f"the extension {kind} stands twice")
        found[kind] = (critical, value)
    return found


def holder(extensions: dict[str, tuple[bool, bytes]], subject: bytes, parts: list) -> dict:
    """Whom it is for, from key usages, alternative names and subject."""
    for kind, (critical, _) in extensions.items():
        if kind in FORBIDDEN or (critical and kind not in READ):
            raise malformed(f"the extension {kind} is not allowed")
    value = {kind: octets for kind, (_, octets) in extensions.items()}
    usage = key_usage(value[KEY_USAGE]) if KEY_USAGE in value else None
    purposes = None
    if EXTENDED_KEY_USAGE in value:
        listed = children(only(value[EXTENDED_KEY_USAGE], SEQUENCE), OID)
        purposes = [oid(only(purpose, OID)) for purpose in listed]
    names = []
    if ALTERNATIVE_NAMES in value:
        listed = children(only(value[ALTERNATIVE_NAMES], SEQUENCE))
        names = [Der(one).element()[:2] for one in listed]
    authority, path_length = constraints(extensions.get(BASIC_CONSTRAINTS))
    if authority:
        role, agency = "authority", ""
        check_authority(subject, usage, purposes, names)
    else:
        role, agency = end_entity(usage, purposes, names, parts)
    return {
        "role": role,
        "agency": agency,
        "path_length": path_length,
        "signs_lists": authority and CRL_SIGN in usage,
        "subject_key_id": key_id(value.get(SUBJECT_KEY_ID), inside=False),
        "authority_key_id": key_id(value.get(AUTHORITY_KEY_ID), inside=True),
    }


def key_usage(value: bytes) -> frozenset[int]:
    """The bits that are set (RFC 5280, section 4.2.1.3), written without zeros at the end."""
    content = only(value, BIT_STRING)
    bits = frozenset(
        index
        for index in range(8 * (len(content) - 1))
        if content[1 + index // 8] >> (7 - index % 8) & 1
    )
    length = max(bits) + 1 if bits else 0
    if length > 9 or content[:1] != bytes([-length % 8]) or len(content) != 1 + -(-length // 8):
        raise malformed("the key usage is not in its DER form")
    return bits


def constraints(extension: tuple[bool, bytes] | None) -> tuple[bool, int | None]:
    """Whether it is an authority, and how many authorities may stand below it."""
    if extension is None:
        return False, None
    critical, value = extension
    reader, authority, path_length = Der(only(value, SEQUENCE)), False, None
    if reader.tag() == BOOLEAN:
        authority = boolean(reader.take(BOOLEAN))
        if not authority:
            raise malformed("a default is written out")
    if reader.more():
        path_length = integer(reader.take(INTEGER))
    reader.end()
    if path_length is not None and not (authority and 0 <= path_length <= 255):
        raise malformed("the path length is wrong")
    if authority and not critical:
        raise malformed("the basic constraints of an authority are not critical")
    return authority, path_length


def unsuitable(why: str) -> Refused:
    return Refused("CERTIFICATE_UNSUITABLE", why)


def check_authority(subject: bytes, usage, purposes, names) -> None:
    if subject == b"\x30\x00" or names:
        raise malformed("an authority has no subject, or an alternative name")
    allowed = {KEY_CERT_SIGN, CRL_SIGN, DIGITAL_SIGNATURE}
    if usage is None or KEY_CERT_SIGN not in usage or not usage <= allowed:
        raise unsuitable("the key usage is not that of an authority")
    if purposes is not None:
        raise unsuitable("an authority has an extended key usage")


def end_entity(usage, purposes, names, parts) -> tuple[str, str]:
    """Role and agency of a person, seal, node, operator or hub."""
    purpose = purposes[0] if purposes and len(purposes) == 1 else None
    signs = purpose == DOCUMENT_SIGNING
    expected = {DIGITAL_SIGNATURE, NON_REPUDIATION} if signs else {DIGITAL_SIGNATURE}
    if purpose not in (DOCUMENT_SIGNING, CLIENT_AUTH, SERVER_AUTH) or usage != expected:
        raise unsuitable("the key usages are not those of one kind of holder")
    agencies, persons, hosts, mailboxes = sorted_names(names)
    if len(agencies) != 1:
        raise malformed("it names no agency, or several")
    agency = code_key(agencies[0])
    server = purpose == SERVER_AUTH
    if (hosts > 0) != server or (server and (persons or mailboxes)) or len(persons) > 1:
        raise malformed("its alternative names are not those of its kind")
    if persons:
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", persons[0]):
            raise malformed("the person's id has other characters")
        for kind in (COMMON_NAME, TITLE):
            check_text([(tag, text) for found, tag, text in parts if found == kind])
        return ("person" if signs else "operator"), agency
    if signs:
        return "seal", agency
    if mailboxes:
        raise malformed("its alternative names are not those of its kind")
    return ("hub" if server else "node"), agency


def sorted_names(names) -> tuple[list[str], list[str], int, int]:
    """Agencies, persons, number of hosts, number of e-mail addresses."""
    agencies, persons, hosts, mailboxes = [], [], 0, 0
    for tag, content in names:
        text = content.decode("latin-1")
        if tag == 0x86 and text.isascii() and text.startswith("urn:lienthong:agency:"):
            agencies.append(text.removeprefix("urn:lienthong:agency:"))
        elif tag == 0x86 and text.isascii() and text.startswith("urn:lienthong:person:"):
            persons.append(text.removeprefix("urn:lienthong:person:"))
        elif tag == 0x82 and re.fullmatch(r"[A-Za-z0-9.*-]+", text):
            hosts += 1
        elif tag == 0x87 and len(content) in (4, 16):
            hosts += 1
        elif tag == 0x81 and text.isascii():
            mailboxes += 1
        else:
            raise malformed("an alternative name does not belong there")
    return agencies, persons, hosts, mailboxes


def check_text(found: list[tuple[int, bytes]]) -> None:
    """A person's name or position: one UTF8String or PrintableString."""
    if len(found) != 1 or found[0][0] not in (UTF8_STRING, PRINTABLE_STRING):
        raise malformed("a part of the person's name is missing or of another type")
    tag, content = found[0]
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise malformed("a part of the person's name is not UTF-8") from error
    printable = tag == UTF8_STRING or re.fullmatch(r"[A-Za-z0-9 '()+,./:=?-]*", text)
    control = any(unicodedata.category(character) == "Cc" for character in text)
    if not text.strip() or len(text) > 500 or control or not printable:
        raise malformed("a part of the person's name is empty, too long or not printable")


def key_id(value: bytes | None, *, inside: bool) -> bytes | None:
    """A key identifier: the whole value, or `inside` an AuthorityKeyIdentifier its field [0]."""
    if value is None:
        return None
    if not inside:
        found = only(value, OCTET_STRING)
    else:
        fields = [Der(one).element()[:2] for one in children(only(value, SEQUENCE))]
        tags = [tag for tag, _ in fields]
        if tags != [tag for tag in (0x80, 0xA1, 0x82) if tag in tags]:
            raise malformed("the authority key identifier cannot be decoded")
        if tags[:1] != [0x80]:
            return None
        found = fields[0][1]
    if not 1 <= len(found) <= 64:
        raise malformed("a key identifier is empty or too long")
    return found


def code_key(code: str) -> str:
    """The spelling under which the directory files an agency's code."""
    groups = code.split(".")
    if len(code) > 35 or not all(re.fullmatch(r"[A-Za-z0-9]+", group) for group in groups):
        raise malformed("the agency's code is not one")
    groups = [group for group in groups if group.strip("0")] or groups
    if len(groups) > 1 and groups[-1][0].isalpha() and not groups[0][0].isalpha():
        groups.reverse()
    return ".".join(groups).upper()


# --- Chains ---------------------------------------------------------------------------


def chain(
    leaf: Certificate, pool: list[Certificate], trusted: list[Certificate]
) -> list[Certificate]:
    """The leaf, its issuers, and last a root that signed itself.

    Of several issuers with the same name the first with which a chain to a trusted root can be
    completed is taken; when there is none, the first with which any can be.
    """
    left = SIGNATURES_CHECKED_MAX
    otherwise: list[Certificate] | None = None

    def signed(issuer: Certificate, child: Certificate) -> bool:
        nonlocal left
        if left == 0 or not issuer.may_have_issued(child):
            return False
        left -= 1
        return issuer.issued(child)

    def complete(path: list[Certificate]) -> list[Certificate] | None:
        nonlocal otherwise
        last = path[-1]
        if last.subject == last.issuer and signed(last, last):
            if last in trusted:
                return path
            otherwise = otherwise or path
            return None
        if len(path) == CHAIN_CERTIFICATES_MAX:
            return None
        for issuer in pool:
            below = len(path) - 1
            short = issuer.path_length is not None and issuer.path_length < below
            if issuer in path or short or not signed(issuer, last):
                continue
            found = complete([*path, issuer])
            if found:
                return found
        return None

    found = complete([leaf]) or otherwise
    if not found:
        raise Refused("CERTIFICATE_CHAIN_BROKEN", "no chain leads to a root")
    return found
