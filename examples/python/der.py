"""DER (X.690), read by hand: one value after the other, and nothing but the one DER form."""

from __future__ import annotations

import calendar
import re


class Refused(Exception):
    """What is wrong, with its code of docs/REFUSALS.md."""

    def __init__(self, code: str, why: str):
        super().__init__(f"{code}: {why}")
        self.code = code


def malformed(why: str) -> Refused:
    return Refused("CERTIFICATE_MALFORMED", why)


BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, OID = 0x01, 0x02, 0x03, 0x04, 0x06
UTF8_STRING, PRINTABLE_STRING, UTC_TIME, GENERALIZED_TIME = 0x0C, 0x13, 0x17, 0x18
SEQUENCE, SET = 0x30, 0x31
# Universal types that a value of any type may have (X.680, table 1, without the obsolete ones).
UNIVERSAL = {*range(0x01, 0x07), 0x09, 0x0A, 0x0C, 0x0D, *range(0x12, 0x19), 0x1A, 0x1B, 0x1E,
             SEQUENCE, SET}  # fmt: skip


class Der:
    """Reads values one after the other; anything but the one DER form is refused."""

    def __init__(self, octets: bytes):
        self.octets, self.at = octets, 0

    def more(self) -> bool:
        return self.at < len(self.octets)

    def tag(self) -> int | None:
        return self.octets[self.at] if self.more() else None

    def element(self) -> tuple[int, bytes, bytes]:
        """Tag, content, and both with the length between them."""
        octets, start = self.octets, self.at
        if start + 2 > len(octets) or octets[start] & 0x1F == 0x1F:
            raise malformed("the bytes are not DER")
        if octets[start] < 0x40 and octets[start] not in UNIVERSAL:
            raise malformed(f"a value of the unknown type {octets[start]:#x}")
        length, body = octets[start + 1], start + 2
        if length >= 0x80:
            count = length & 0x7F
            length = int.from_bytes(octets[body : body + count], "big")
            body += count
            shortest = (length.bit_length() + 7) // 8
            if count == 0 or length < 0x80 or count != shortest:
                raise malformed("a length is not in its shortest form")
        if body + length > len(octets):
            raise malformed("the bytes end too early")
        self.at = body + length
        return octets[start], octets[body : self.at], octets[start : self.at]

    def take(self, tag: int) -> bytes:
        """The content of the next value, which must have the tag."""
        found, content, _ = self.element()
        if found != tag:
            raise malformed(f"tag {found:#x} where {tag:#x} belongs")
        return content

    def end(self) -> None:
        if self.more():
            raise malformed("bytes follow where none belong")


def children(content: bytes, tag: int | None = None) -> list[bytes]:
    """The values of a SEQUENCE OF or SET OF, whole; with `tag` each must have it."""
    reader, found = Der(content), []
    while reader.more():
        kind, _, whole = reader.element()
        if tag is not None and kind != tag:
            raise malformed(f"tag {kind:#x} where {tag:#x} belongs")
        found.append(whole)
    return found


def only(whole: bytes, tag: int) -> bytes:
    """The content of bytes that are exactly one value with the tag."""
    reader = Der(whole)
    content = reader.take(tag)
    reader.end()
    return content


def integer(content: bytes) -> int:
    redundant = len(content) > 1 and (content[0], content[1] >> 7) in ((0, 0), (0xFF, 1))
    if not content or redundant:
        raise malformed("an integer is not in its shortest form")
    return int.from_bytes(content, "big", signed=True)


def boolean(content: bytes) -> bool:
    if content not in (b"\x00", b"\xff"):
        raise malformed("a boolean is neither 00 nor FF")
    return content == b"\xff"


def oid(content: bytes) -> str:
    """An object identifier in dotted numbers; as the hub, no second number above 39."""
    arcs, arc = [], 0
    if not content or content[-1] & 0x80 or content[0] >= 120 or len(content) > 39:
        raise malformed("an object identifier ends too early, or is out of bounds")
    for index, octet in enumerate(content):
        if octet == 0x80 and (index == 0 or not content[index - 1] & 0x80):
            raise malformed("an object identifier is not in its shortest form")
        arc = arc << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, [first, arcs[0] - 40 * first, *arcs[1:]]))


def moment(tag: int, content: bytes) -> int:
    """UTCTime until 2049, GeneralizedTime from 2050, to the second; Unix time in milliseconds."""
    text = content.decode("ascii", "replace")
    if tag == UTC_TIME and re.fullmatch(r"[0-9]{12}Z", text):
        text = ("19" if text[0] >= "5" else "20") + text
    elif tag != GENERALIZED_TIME or not re.fullmatch(r"[0-9]{14}Z", text) or text < "2050":
        raise malformed("a time is not written as RFC 5280 demands")
    year, month, day = int(text[:4]), int(text[4:6]), int(text[6:8])
    hour, minute, second = int(text[8:10]), int(text[10:12]), int(text[12:14])
    fits = year >= 1970 and 1 <= month <= 12 and hour < 24 and minute < 60 and second < 60
    if not fits or not 1 <= day <= calendar.monthrange(year, month)[1]:
        raise malformed("a time does not exist")
    return calendar.timegm((year, month, day, hour, minute, second)) * 1000
