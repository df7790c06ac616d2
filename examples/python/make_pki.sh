#!/usr/bin/env bash
# Makes every certificate of the example with OpenSSL's command line (3.0 or newer), as
# docs/CERTIFICATES.md describes them: a root, an issuing authority, the hub, and for two agencies
# a node, a seal and a person each; and the revocation lists of both authorities.
#
#   make_pki.sh FOLDER [AGENCY_A [AGENCY_B]]
#
# FOLDER must not be there yet. The codes default to H36 and H36.12. The certificates are for
# trying things out; the keys are not encrypted.
set -euo pipefail

folder=${1:?usage: make_pki.sh FOLDER [AGENCY_A [AGENCY_B]]}
agency_a=${2:-H36}
agency_b=${3:-H36.12}

umask 077
mkdir "$folder"
cd "$folder"

# The names in certificates are UTF-8 on every machine; openssl says much that nobody needs.
quiet() { "$@" 2>openssl.log || { cat openssl.log >&2; return 1; }; }

configuration() { # AGENCY: writes lienthong.cnf with this agency in the alternative names
    cat >lienthong.cnf <<END
[req]
distinguished_name = subject
string_mask = utf8only
utf8 = yes
[subject]

[root]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash

[issuing]
basicConstraints = critical, CA:true, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash

[person]
keyUsage = critical, digitalSignature, nonRepudiation
extendedKeyUsage = 1.3.6.1.5.5.7.3.36
subjectAltName = URI:urn:lienthong:agency:$1, URI:urn:lienthong:person:an.nguyen

[seal]
keyUsage = critical, digitalSignature, nonRepudiation
extendedKeyUsage = 1.3.6.1.5.5.7.3.36
subjectAltName = URI:urn:lienthong:agency:$1

[node]
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
subjectAltName = URI:urn:lienthong:agency:$1

[hub]
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = URI:urn:lienthong:agency:$1, DNS:localhost, IP:127.0.0.1

[issued]
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always

[ca]
default_ca = lists
[lists]
database = index.txt
crlnumber = crlnumber
default_md = default
default_crl_days = 7
crl_extensions = list
[list]
authorityKeyIdentifier = keyid:always
END
}

issue() { # FILE SECTION SUBJECT ISSUER DAYS
    if [ "$2" = hub ]; then
        # TLS libraries that offer no Ed25519 (browsers, grpcio) can connect to this one too.
        openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key"
    else
        openssl genpkey -algorithm ed25519 -out "$1.key"
    fi
    quiet openssl req -new -config lienthong.cnf -reqexts "$2" -utf8 \
        -key "$1.key" -subj "$3" -out "$1.csr"
    quiet openssl x509 -req -in "$1.csr" -CA "$4.pem" -CAkey "$4.key" -CAcreateserial -days "$5" \
        -copy_extensions copyall -extfile lienthong.cnf -extensions issued -out "$1.pem"
    rm "$1.csr"
}

revocation_list() { # ISSUER: an empty one
    : >index.txt
    echo 01 >crlnumber
    quiet openssl ca -config lienthong.cnf -cert "$1.pem" -keyfile "$1.key" -gencrl -out "$1.crl"
    rm -f index.txt* crlnumber*
}

configuration G22
openssl genpkey -algorithm ed25519 -out root.key
quiet openssl req -new -x509 -config lienthong.cnf -extensions root -utf8 -days 7300 \
    -key root.key -subj "/C=VN/CN=Example root" -out root.pem
issue issuing issuing "/C=VN/CN=Example issuing authority" root 3650
issue hub hub "/C=VN/O=G22/CN=hub" issuing 730
# What a server or client shows in TLS: its own certificate, then its issuer's.
cat issuing.pem >>hub.pem

for agency in "$agency_a" "$agency_b"; do
    configuration "$agency"
    mkdir "$agency"
    issue "$agency/person" person "/C=VN/O=$agency/CN=Nguyễn Văn An/title=Chánh Văn phòng" issuing 730
    issue "$agency/seal" seal "/C=VN/O=$agency/CN=Con dấu $agency" issuing 730
    issue "$agency/node" node "/C=VN/O=$agency/CN=Nút $agency" issuing 730
    cat issuing.pem >>"$agency/node.pem"
done

revocation_list root
revocation_list issuing
quiet openssl verify -x509_strict -CAfile root.pem -untrusted issuing.pem hub.pem \
    "$agency_a/node.pem" "$agency_a/person.pem" "$agency_b/seal.pem" >openssl.log
rm -f openssl.log lienthong.cnf
