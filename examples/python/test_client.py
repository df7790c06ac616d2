"""Claims about `lienthong_client`, with certificates of make_pki.sh and without a hub:
`python -m unittest test_client`."""

import datetime
import subprocess
import sys
import tempfile
import time
import unittest
import uuid
from pathlib import Path

import lienthong_client as client
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from exchange import document_of
from lienthong_client import Signer, sign, verify_submission

A, B = "H36", "H36.12"
HOUR_MS = 3_600_000
DAY = datetime.timedelta(days=1)


def make_pki(folder: Path) -> Path:
    script = Path(__file__).resolve().with_name("make_pki.sh")
    subprocess.run([script, folder, A, B], check=True)
    return folder


class Verdicts(unittest.TestCase):
    """Each refusal has the code that docs/REFUSALS.md gives it."""

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.pki, cls.other = (make_pki(Path(folder.name) / name) for name in ("pki", "other"))
        cls.person, cls.seal = (Signer.load(cls.pki / A, kind) for kind in ("person", "seal"))
        cls.issuing = client.der_of((cls.pki / "issuing.pem").read_bytes())

    def signed(self, *signers, issuers=None, age_ms=0):
        now_ms = time.time_ns() // 1_000_000 - age_ms
        content = document_of(A, B, now_ms).SerializeToString()
        issuers = [self.issuing] if issuers is None else issuers
        return sign(client.DOCUMENT, content, signers, issuers)

    def verdict(self, signed, **how) -> str:
        lists = how.pop("lists", [(self.pki / "issuing.crl").read_bytes()])
        roots = [(self.pki / "root.pem").read_bytes()]
        return verify_submission(signed.SerializeToString(), roots, lists, **how)

    def revoke(self, signer: Signer, at: datetime.datetime) -> bytes:
        """The issuing authority's list with a signer in it."""
        issuing = x509.load_pem_x509_certificate((self.pki / "issuing.pem").read_bytes())
        key = (self.pki / "issuing.key").read_bytes()
        serial = x509.load_der_x509_certificate(signer.certificate).serial_number
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at).build()
        made = x509.CertificateRevocationListBuilder(issuing.subject, at, at + 7 * DAY, [], [entry])
        made = made.add_extension(x509.CRLNumber(2), critical=False)
        made = made.sign(serialization.load_pem_private_key(key, password=None), None)
        return made.public_bytes(serialization.Encoding.DER)

    def test_what_person_and_seal_signed_is_accepted(self):
        self.assertEqual(self.verdict(self.signed(self.person, self.seal)), "ACCEPTED")
        self.assertEqual(self.verdict(self.signed(self.person)), "ACCEPTED")

    def test_a_signature_of_another_length_or_a_signer_named_twice_is_malformed(self):
        short, twice = self.signed(self.person), self.signed(self.person)
        short.signatures[0].value = short.signatures[0].value[:63]
        twice.signatures.append(twice.signatures[0])
        self.assertEqual(self.verdict(short), "SIGNATURE_MALFORMED")
        self.assertEqual(self.verdict(twice), "SIGNATURE_MALFORMED")

    def test_a_certificate_that_was_not_sent_is_unknown(self):
        signed = self.signed(self.person)
        del signed.certificates[:]
        self.assertEqual(self.verdict(signed), "CERTIFICATE_UNKNOWN")

    def test_a_byte_after_the_certificate_makes_it_malformed(self):
        longer = Signer(self.person.certificate + b"\0", self.person.key)
        self.assertEqual(self.verdict(self.signed(longer)), "CERTIFICATE_MALFORMED")

    def test_a_node_or_an_authority_may_not_sign(self):
        node = Signer.load(self.pki / A, "node")
        authority = Signer.load(self.pki, "issuing")
        for signer in (node, authority):
            self.assertEqual(self.verdict(self.signed(signer)), "CERTIFICATE_UNSUITABLE")

    def test_without_the_issuing_authority_the_chain_is_broken(self):
        signed = self.signed(self.person, issuers=[])
        self.assertEqual(self.verdict(signed), "CERTIFICATE_CHAIN_BROKEN")
        self.assertEqual(self.verdict(signed, authorities=[self.issuing]), "ACCEPTED")

    def test_a_certificate_changed_after_it_was_issued_breaks_the_chain(self):
        changed = bytearray(self.person.certificate)
        changed[-1] ^= 1
        signed = self.signed(Signer(bytes(changed), self.person.key))
        self.assertEqual(self.verdict(signed), "CERTIFICATE_CHAIN_BROKEN")

    def test_a_content_changed_after_signing_is_invalid(self):
        signed = self.signed(self.person)
        signed.content = signed.content.replace(b"15", b"16", 1)
        self.assertEqual(self.verdict(signed), "SIGNATURE_INVALID")

    def test_the_signature_of_another_key_is_invalid(self):
        impostor = Signer(self.person.certificate, self.seal.key)
        self.assertEqual(self.verdict(self.signed(impostor)), "SIGNATURE_INVALID")

    def test_another_root_is_untrusted_although_its_chain_holds(self):
        issuers = [
            client.der_of((self.other / f"{name}.pem").read_bytes()) for name in ("issuing", "root")
        ]
        signed = self.signed(Signer.load(self.other / A, "person"), issuers=issuers)
        self.assertEqual(self.verdict(signed), "CERTIFICATE_UNTRUSTED")

    def test_what_was_signed_before_the_certificate_began_is_not_yet_valid(self):
        signed = self.signed(self.person, age_ms=2 * HOUR_MS)
        self.assertEqual(self.verdict(signed), "CERTIFICATE_NOT_YET_VALID")

    def test_what_is_received_after_the_certificate_ended_is_expired(self):
        later = time.time_ns() // 1_000_000 + 3 * 365 * 24 * HOUR_MS
        self.assertEqual(
            self.verdict(self.signed(self.person), received_ms=later), "CERTIFICATE_EXPIRED"
        )

    def test_a_revocation_counts_from_its_moment_on_and_for_its_certificate_alone(self):
        now = datetime.datetime.now(datetime.UTC)
        before, after = self.revoke(self.person, now - DAY), self.revoke(self.person, now + DAY)
        by_person, by_seal = self.signed(self.person), self.signed(self.seal)
        self.assertEqual(self.verdict(by_person, lists=[before]), "CERTIFICATE_REVOKED")
        self.assertEqual(self.verdict(by_person, lists=[after]), "ACCEPTED")
        self.assertEqual(self.verdict(by_seal, lists=[before], policy="transition"), "ACCEPTED")

    def test_a_list_of_another_authority_of_the_same_name_proves_nothing(self):
        roots = [(self.pki / "root.pem").read_bytes()]
        document = self.signed(self.person).SerializeToString()
        names = ("root", "issuing")
        own, foreign = (
            [(pki / f"{name}.crl").read_bytes() for name in names] for pki in (self.pki, self.other)
        )
        self.assertEqual(len(client.check(document, roots, own).unproven), 0)
        self.assertEqual(len(client.check(document, roots, foreign).unproven), 2)

    def test_a_seal_of_another_agency_is_refused_unless_it_is_the_gateway(self):
        foreign = self.signed(self.person, Signer.load(self.pki / B, "seal"))
        self.assertEqual(self.verdict(foreign), "SIGNER_OF_OTHER_AGENCY")
        self.assertEqual(self.verdict(foreign, gateway=B), "ACCEPTED")

    def test_the_seal_alone_is_enough_only_in_transition(self):
        sealed, unsigned = self.signed(self.seal), self.signed()
        self.assertEqual(self.verdict(sealed), "PERSONAL_SIGNATURE_REQUIRED")
        self.assertEqual(self.verdict(sealed, policy="transition"), "ACCEPTED")
        self.assertEqual(self.verdict(unsigned, policy="transition"), "SEAL_REQUIRED")

    def test_of_several_reasons_the_first_of_the_page_is_given(self):
        signed = self.signed(self.person, Signer.load(self.pki / A, "node"))
        signed.content += signed.content  # decodes still, but nobody signed it
        self.assertEqual(self.verdict(signed), "CERTIFICATE_UNSUITABLE")

    def test_an_attachment_that_differs_is_a_mismatch(self):
        verdict = self.verdict(self.signed(self.person), attachments={"cid:document": b"other"})
        self.assertEqual(verdict, "ATTACHMENT_MISMATCH")


class Encodings(unittest.TestCase):
    def test_the_signed_bytes_are_those_of_the_dsse_test_vector(self):
        # github.com/secure-systems-lab/dsse, protocol.md, "Test Vectors".
        encoded = client.pre_authentication_encoding(
            "http://example.com/HelloWorld", b"hello world"
        )
        self.assertEqual(encoded, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world")

    def test_an_id_is_a_uuid_of_version_7_with_its_time_in_front(self):
        made = uuid.UUID(bytes=client.new_id(0x017F22E279B0))
        self.assertEqual((made.version, made.variant), (7, uuid.RFC_4122))
        self.assertTrue(str(made).startswith("017f22e2-79b0-7"))

    def test_both_written_forms_of_an_agency_code_are_one(self):
        for code in ("H36.12", "h36.12", "000.00.12.H36"):
            self.assertEqual(client.certificates.code_key(code), "H36.12")

    def test_keys_of_small_order_and_second_spellings_are_weak(self):
        one, spelt_twice = (1).to_bytes(32, "little"), (2**255 - 19 + 1).to_bytes(32, "little")
        for key in (one, spelt_twice, bytes(32), b"\xff" * 32):
            with self.assertRaisesRegex(client.Refused, "CERTIFICATE_KEY_WEAK"):
                client.certificates.sound_key(key)


if __name__ == "__main__":
    sys.exit(unittest.main())
