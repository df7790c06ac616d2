//! Certificates and keys: whether each is what it is taken for, in force, and to be relied on.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::DecodePrivateKey as _;
use lienthong_client::Roots;
use lienthong_model::{AgencyCode, Timestamp};
use lienthong_trust::{Certificate, Chain, Holder, RevocationList};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};

use super::{Finding, Grade, both};

const CHECK: &str = "certificate";
/// How long before its end a certificate is warned of.
const EXPIRES_SOON: Duration = Duration::from_secs(30 * 24 * 3600);

/// What a certificate is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Proves who connects.
    Node,
    /// Signs for the agency.
    Seal,
    /// Signs for a person of the agency.
    Person,
}

/// A certificate and its key as they lie in files; `None` where a file cannot be read.
#[derive(Debug, Clone)]
pub struct Presented<'p> {
    /// The certificate and its issuers, in PEM.
    pub chain: Option<&'p str>,
    /// The key, PKCS#8 in PEM.
    pub key: Option<&'p str>,
    /// The file, as findings name it.
    pub file: &'p str,
}

/// What a certificate must be.
#[derive(Debug, Clone, Copy)]
pub struct Holding<'h> {
    /// What it is taken for.
    pub role: Role,
    /// Whose it must be.
    pub agency: &'h AgencyCode,
}

/// Whom to trust, and as of when.
#[derive(Debug, Clone, Copy)]
pub struct Trust<'t> {
    /// The roots, authorities and revocation lists.
    pub roots: &'t Roots,
    /// Business time.
    pub now: Timestamp,
}

impl Role {
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Node => ("node", "nút"),
            Self::Seal => ("seal", "con dấu"),
            Self::Person => ("person", "cá nhân"),
        }
    }

    fn is_of(self, holder: &Holder) -> bool {
        match holder {
            Holder::Node { .. } => self == Self::Node,
            Holder::Seal { .. } => self == Self::Seal,
            Holder::Person { .. } => self == Self::Person,
            Holder::Authority { .. } | Holder::Operator { .. } | Holder::Hub { .. } => false,
        }
    }
}

/// Looks at one certificate and its key. Everything that is wrong is found, not only the first;
/// one that is as it should be gives one finding that says so.
pub fn certificate(
    presented: &Presented<'_>,
    holding: Holding<'_>,
    trust: Trust<'_>,
) -> Vec<Finding> {
    let problem = |found| Finding::problem(CHECK, presented.file, found);
    let Some(text) = presented.chain else {
        let found = both("the certificate cannot be read", "không đọc được chứng thư");
        return vec![problem(found).remedy(
            "put the agency's certificates into its folder; `lienthong pki issue` makes them",
            "đặt chứng thư của cơ quan vào thư mục; `lienthong pki issue` tạo chứng thư",
        )];
    };
    let (leaf, issuers) = match parse(text) {
        Ok(parsed) => parsed,
        Err(why) => {
            let found =
                (format!("it is no certificate: {why}"), format!("không phải chứng thư: {why}"));
            return vec![problem(found).remedy(
                "use a certificate that follows docs/CERTIFICATES.md, in PEM",
                "dùng chứng thư dạng PEM theo docs/CERTIFICATES.md",
            )];
        }
    };
    let mut findings = Vec::new();
    findings.extend(holder(&leaf, holding).map(problem_of(presented.file)));
    findings.extend(key(&leaf, presented.key).map(problem_of(presented.file)));
    findings.extend(dates(&leaf, presented.file, trust.now));
    findings.extend(chain(&leaf, &issuers, presented.file, trust));
    if findings.iter().all(|finding| finding.grade == Grade::Ok) {
        let (until, agency) = (leaf.not_after(), holding.agency);
        let (en, vi) = holding.role.names();
        let found = (
            format!("{en} of {agency}, trusted, in force until {until}"),
            format!("{vi} của {agency}, tin cậy, hiệu lực đến {until}"),
        );
        findings.push(Finding::ok(CHECK, presented.file, found));
    }
    findings
}

/// What is wrong, and what to do about it.
struct Wrong {
    found: (String, String),
    remedy: (String, String),
}

fn problem_of(file: &str) -> impl Fn(Wrong) -> Finding + '_ {
    move |wrong| Finding::problem(CHECK, file, wrong.found).remedy(wrong.remedy.0, wrong.remedy.1)
}

type Parsed = (Arc<Certificate>, Vec<Arc<Certificate>>);

fn parse(text: &str) -> Result<Parsed, String> {
    let mut certificates = Vec::new();
    for der in CertificateDer::pem_slice_iter(text.as_bytes()) {
        let der = der.map_err(|why| why.to_string())?;
        let parsed = Certificate::parse(Bytes::copy_from_slice(&der));
        certificates.push(Arc::new(parsed.map_err(|why| why.to_string())?));
    }
    let mut certificates = certificates.into_iter();
    let leaf = certificates.next().ok_or("there is none in the file")?;
    Ok((leaf, certificates.collect()))
}

fn holder(leaf: &Certificate, holding: Holding<'_>) -> Option<Wrong> {
    let (en, vi) = holding.role.names();
    let remedy = both(
        "put the right certificate there; `lienthong pki show FILE` says what one is for",
        "đặt đúng chứng thư; `lienthong pki show FILE` cho biết chứng thư dùng để làm gì",
    );
    if !holding.role.is_of(leaf.holder()) {
        let found = (
            format!("it is not a certificate of a {en}"),
            format!("không phải chứng thư của {vi}"),
        );
        return Some(Wrong { found, remedy });
    }
    let of = leaf.agency()?;
    (of.key() != holding.agency.key()).then(|| Wrong {
        found: (
            format!("it belongs to {of}, not to {}", holding.agency),
            format!("thuộc về {of}, không phải {}", holding.agency),
        ),
        remedy,
    })
}

fn key(leaf: &Certificate, key: Option<&str>) -> Option<Wrong> {
    let Some(text) = key else {
        return Some(Wrong {
            found: both("its key cannot be read", "không đọc được khóa"),
            remedy: both(
                "put the key beside it, readable by this user",
                "đặt khóa cạnh chứng thư, cho phép người dùng này đọc",
            ),
        });
    };
    let read = PrivatePkcs8KeyDer::from_pem_slice(text.as_bytes()).ok();
    let read = read.and_then(|der| SigningKey::from_pkcs8_der(der.secret_pkcs8_der()).ok());
    let fits = |key: &SigningKey| key.verifying_key().as_bytes() == leaf.key().as_bytes();
    match read {
        Some(key) if fits(&key) => None,
        Some(_) => Some(Wrong {
            found: both(
                "the key does not belong to the certificate",
                "khóa không thuộc về chứng thư",
            ),
            remedy: both(
                "put the key there with which the certificate was requested, or request a new one",
                "đặt đúng khóa đã dùng để xin chứng thư, hoặc xin chứng thư mới",
            ),
        }),
        None => Some(Wrong {
            found: both(
                "the key is not an Ed25519 key in PKCS#8",
                "khóa không phải khóa Ed25519 dạng PKCS#8",
            ),
            remedy: both(
                "make one with `lienthong pki request` or `openssl genpkey -algorithm ed25519`",
                "tạo khóa bằng `lienthong pki request` hoặc `openssl genpkey -algorithm ed25519`",
            ),
        }),
    }
}

fn dates(leaf: &Certificate, file: &str, now: Timestamp) -> Option<Finding> {
    let renew =
        |finding: Finding| finding.remedy("have a new certificate issued", "xin cấp chứng thư mới");
    let (begins, ends) = (leaf.not_before(), leaf.not_after());
    if now < begins {
        let found = (
            format!("it is in force from {begins}, now it is {now}"),
            format!("có hiệu lực từ {begins}, bây giờ là {now}"),
        );
        return Some(
            Finding::problem(CHECK, file, found)
                .remedy("check this machine's clock, or wait", "kiểm tra đồng hồ máy này hoặc chờ"),
        );
    }
    if now > ends {
        let found = (
            format!("it has expired at {ends}, now it is {now}"),
            format!("đã hết hạn lúc {ends}, bây giờ là {now}"),
        );
        return Some(renew(Finding::problem(CHECK, file, found)));
    }
    (now.plus(EXPIRES_SOON) > ends).then(|| {
        let days = (ends.millis() - now.millis()) / 86_400_000;
        let found = (
            format!("it expires in {days} days, at {ends}"),
            format!("còn {days} ngày là hết hạn, lúc {ends}"),
        );
        renew(Finding::warning(CHECK, file, found))
    })
}

fn chain(
    leaf: &Arc<Certificate>,
    issuers: &[Arc<Certificate>],
    file: &str,
    trust: Trust<'_>,
) -> Vec<Finding> {
    let Trust { roots, now } = trust;
    let pool: Vec<Arc<Certificate>> =
        roots.roots().iter().chain(roots.authorities()).chain(issuers).cloned().collect();
    let problem = |en: String, vi: String| Finding::problem(CHECK, file, (en, vi));
    let chain = match Chain::build(leaf.clone(), &pool) {
        Ok(chain) => chain,
        Err(why) => {
            return vec![
                problem(
                    format!("it does not lead to a root: {why}"),
                    format!("không dẫn tới chứng thư gốc: {why}"),
                )
                .remedy(
                    "put the issuing authority's certificate behind it, or give the axis' root",
                    "đặt chứng thư nơi cấp sau nó, hoặc khai chứng thư gốc của trục",
                ),
            ];
        }
    };
    let root = chain.root().fingerprint();
    if !roots.roots().iter().any(|trusted| trusted.fingerprint() == root) {
        let subject = chain.root().subject();
        return vec![
            problem(
                format!("its root `{subject}` is not one that is trusted here"),
                format!("chứng thư gốc `{subject}` không được tin cậy ở đây"),
            )
            .remedy(
                "use a certificate of the axis' own authority, or give its root",
                "dùng chứng thư do tổ chức của trục cấp, hoặc khai chứng thư gốc của nó",
            ),
        ];
    }
    let mut findings = Vec::new();
    for der in roots.revocation_lists() {
        match RevocationList::parse(der, &pool) {
            Ok(list) => findings.extend(revoked(&chain, &list, file, now)),
            Err(why) => findings.push(
                problem(
                    format!("a revocation list cannot be relied on: {why}"),
                    format!("danh sách thu hồi không tin cậy được: {why}"),
                )
                .remedy("get the newest list", "lấy danh sách thu hồi mới nhất"),
            ),
        }
    }
    findings
}

fn revoked(chain: &Chain, list: &RevocationList, file: &str, now: Timestamp) -> Option<Finding> {
    for pair in chain.certificates().windows(2) {
        let [certificate, issuer] = pair else { continue };
        if *issuer.authority() != list.authority {
            continue;
        }
        if let Some(entry) = list.find(certificate.serial()) {
            let (subject, at) = (certificate.subject(), entry.at);
            let found = (
                format!("`{subject}` was revoked at {at}"),
                format!("`{subject}` đã bị thu hồi lúc {at}"),
            );
            let finding = Finding::problem(CHECK, file, found);
            return Some(finding.remedy("have a new one issued", "xin cấp chứng thư mới"));
        }
        if let Some(next) = list.next_update.filter(|next| *next < now) {
            let found = (
                format!(
                    "the revocation list of `{}` was to be renewed by {next}",
                    issuer.subject()
                ),
                format!("danh sách thu hồi của `{}` lẽ ra phải đổi trước {next}", issuer.subject()),
            );
            let finding = Finding::warning(CHECK, file, found);
            return Some(finding.remedy("get the newest list", "lấy danh sách thu hồi mới nhất"));
        }
    }
    None
}
