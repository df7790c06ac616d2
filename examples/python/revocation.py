"""Revocation lists (RFC 5280, section 5): complete ones that an authority signs itself."""

from __future__ import annotations

import certificates
from certificates import Certificate
from cryptography import x509

PARTIAL = (x509.DeltaCRLIndicator, x509.IssuingDistributionPoint)


def load_list(octets: bytes) -> x509.CertificateRevocationList:
    """A complete list in PEM or DER. Its signature is checked where its issuer is known."""
    pem = octets.startswith(b"-----BEGIN")
    found = x509.load_pem_x509_crl(octets) if pem else x509.load_der_x509_crl(octets)
    for extension in found.extensions:
        read = isinstance(extension.value, (x509.CRLNumber, x509.AuthorityKeyIdentifier))
        partial = isinstance(extension.value, PARTIAL)
        if partial or (extension.critical and not read):
            raise ValueError(f"the list is not complete, or has {extension.oid.dotted_string}")
    return found


def lists_of(
    issuer: Certificate, lists: list[x509.CertificateRevocationList]
) -> list[x509.CertificateRevocationList]:
    """The lists that an authority signed."""
    return [
        one
        for one in lists
        if issuer.signs_lists
        and issuer.answers_to(one.issuer.public_bytes(), list_key_id(one))
        and certificates.verify(issuer.key, one.tbs_certlist_bytes, one.signature)
    ]


def list_key_id(one: x509.CertificateRevocationList) -> bytes | None:
    try:
        found = one.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    except x509.ExtensionNotFound:
        return None
    return found.value.key_identifier


def is_current(one: x509.CertificateRevocationList, at_ms: int) -> bool:
    return one.next_update_utc is None or at_ms <= one.next_update_utc.timestamp() * 1000


def is_revoked(
    one: Certificate,
    issuer: Certificate,
    lists: list[x509.CertificateRevocationList],
    at_ms: int,
) -> bool:
    entries = [
        found.get_revoked_certificate_by_serial_number(one.serial)
        for found in lists_of(issuer, lists)
    ]
    return any(entry and entry.revocation_date_utc.timestamp() * 1000 <= at_ms for entry in entries)
