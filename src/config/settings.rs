//! From what is in force to what the hub is started with: files are read, texts become values.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use lienthong_hub::{
    Clock, DirectoryImport, HttpAddress, ListFiles, Rates, ServerIdentity, Settings,
    StorageSettings,
};
use lienthong_model::Digest;
use lienthong_pki::pem;
use lienthong_trust::{Certificate, CertificateError, Holder};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::Effective;
use crate::agency;
use crate::routes;
use crate::say::Usage;
use crate::source;

/// Reads everything that the configuration names.
///
/// # Errors
/// [`Usage`] or an error that names the key, its origin and the file.
pub(crate) fn settings(effective: &Effective) -> anyhow::Result<Settings> {
    let clock = clock(effective)?;
    let listen = effective.one("listen").unwrap_or_default();
    let listen: SocketAddr = listen.parse().map_err(|_| {
        no_address(effective, "listen", listen).remedy(
            "ghi địa chỉ IP và cổng, như 127.0.0.1:7443 hoặc [::]:7443",
            "write an IP address and a port, such as 127.0.0.1:7443 or [::]:7443",
        )
    })?;
    let http = http(effective)?;
    let roots = all_certificates(effective, "root")?;
    if roots.is_empty() {
        return Err(Usage::new("trục chưa tin cậy gốc nào", "the hub trusts no root")
            .remedy(
                "đặt `root`, hoặc `pki` tới thư mục do `lienthong pki init THƯ_MỤC` tạo",
                "set `root`, or `pki` to a folder made by `lienthong pki init DIR`",
            )
            .into());
    }
    require_test_pki(effective, &clock, &roots)?;
    Ok(Settings {
        data: PathBuf::from(effective.one("data").unwrap_or_default()),
        listen,
        http,
        clock,
        identity: identity(effective)?,
        roots,
        authorities: all_certificates(effective, "authority")?,
        revocation_lists: Vec::new(),
        list_files: list_files(effective)?,
        rates: Rates {
            requests_per_second: number(effective, "requests-per-second")?,
            bytes_per_second: number(effective, "bytes-per-second")?,
            gateway_factor: number(effective, "gateway-factor")?,
        },
        directory: Some(directory(effective)?),
        rules: match effective.one("routes") {
            Some(path) => Some(routes::read(Path::new(path))?),
            None => None,
        },
        storage: StorageSettings::default(),
    })
}

/// Returns the one hub certificate of a folder that `lienthong pki` wrote.
///
/// # Errors
/// [`Usage`] when there is none or more than one.
pub(super) fn hub_certificate(pki: &Path) -> Result<PathBuf, Usage> {
    let agencies = std::fs::read_dir(pki.join("agencies")).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> =
        agencies.map(|entry| entry.path().join("hub.pem")).filter(|path| path.is_file()).collect();
    found.sort();
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => {
            let dir = pki.display();
            Err(Usage::new(
                format!("`{dir}` không có chứng thư của trục"),
                format!("`{dir}` has no certificate of a hub"),
            )
            .remedy(
                format!("cấp bằng `lienthong pki issue {dir} --agency G22 --hub localhost`"),
                format!("issue one with `lienthong pki issue {dir} --agency G22 --hub localhost`"),
            ))
        }
        several => {
            let names: Vec<String> = several.iter().map(|p| format!("`{}`", p.display())).collect();
            let names = names.join(", ");
            Err(Usage::new(
                format!("có nhiều chứng thư của trục: {names}"),
                format!("there are several hub certificates: {names}"),
            )
            .remedy(
                "nêu một chứng thư bằng --certificate và --key",
                "name one with --certificate and --key",
            ))
        }
    }
}

fn http(effective: &Effective) -> anyhow::Result<Option<HttpAddress>> {
    let text = effective.one("http").unwrap_or("off");
    if text == "off" {
        return Ok(None);
    }
    let address: SocketAddr = text.parse().map_err(|_| {
        no_address(effective, "http", text).remedy(
            "ghi địa chỉ IP và cổng, như 127.0.0.1:7480, hoặc `off`",
            "write an IP address and a port, such as 127.0.0.1:7480, or `off`",
        )
    })?;
    if let Some(certificate) = effective.one("http-certificate") {
        let key = effective.one("http-key").ok_or_else(|| {
            Usage::new(
                "cổng HTTP có chứng thư mà không có khóa",
                "the HTTP port has a certificate and no key",
            )
            .remedy("đặt cả `http-key`", "set `http-key`, too")
        })?;
        let identity = server_identity(Path::new(certificate), Path::new(key))?;
        return Ok(Some(HttpAddress::with_tls(address, identity)));
    }
    let address = HttpAddress::new(address).map_err(|error| {
        let vi = format!("`{address}` không phải địa chỉ loopback: qua mạng phải dùng TLS");
        effective.wrong("http", vi, error).remedy(
            "dùng 127.0.0.1 hoặc [::1], hoặc đặt `http-certificate` và `http-key`: chứng thư có \
             khóa ECDSA P-256",
            "take 127.0.0.1 or [::1], or set `http-certificate` and `http-key`: a certificate with \
             an ECDSA P-256 key",
        )
    })?;
    Ok(Some(address))
}

/// Says that a text is no address of a port.
fn no_address(effective: &Effective, key: &str, text: &str) -> Usage {
    let vi = format!("`{text}` không phải địa chỉ");
    effective.wrong(key, vi, format!("`{text}` is no address"))
}

fn clock(effective: &Effective) -> anyhow::Result<Clock> {
    let text = effective.one("clock").unwrap_or("real");
    Ok(Clock::parse(text).map_err(|error| {
        effective.wrong("clock", format!("`{text}` không phải đồng hồ"), error).remedy(
            "ghi `real`, hoặc start=2020-11-16T08:00+07:00,rate=600",
            "write `real`, or start=2020-11-16T08:00+07:00,rate=600",
        )
    })?)
}

/// A scenario's clock is for test certificates: with real ones it would make expired and revoked
/// certificates good again.
fn require_test_pki(effective: &Effective, clock: &Clock, roots: &[Bytes]) -> anyhow::Result<()> {
    let said = match effective.one("test-pki").unwrap_or("false") {
        "true" | "1" => true,
        "false" | "0" => false,
        other => {
            let found = format!("`{other}`");
            return Err(effective
                .wrong("test-pki", &found, &found)
                .remedy("ghi true hoặc false", "write true or false")
                .into());
        }
    };
    if *clock == Clock::Real || said {
        return Ok(());
    }
    for der in roots {
        let root = Certificate::parse(der.clone()).context("a root")?;
        let subject = root.subject().to_string();
        if !subject.to_lowercase().contains("test") {
            return Err(Usage::new(
                format!(
                    "đồng hồ kịch bản cần PKI thử nghiệm, mà tên gốc `{subject}` không cho biết đó \
                     là PKI thử nghiệm"
                ),
                format!(
                    "a scenario's clock needs a test PKI, and the root `{subject}` does not say \
                     that it is one"
                ),
            )
            .remedy(
                "dùng `clock = real`, hoặc khai đó là PKI thử nghiệm bằng --test-pki",
                "take `clock = real`, or say that it is one with --test-pki",
            )
            .into());
        }
    }
    Ok(())
}

fn identity(effective: &Effective) -> anyhow::Result<ServerIdentity> {
    let path = |name: &str| {
        effective.one(name).map(PathBuf::from).ok_or_else(|| {
            Usage::new(format!("trục chưa có `{name}`"), format!("the hub has no `{name}`")).remedy(
                "đặt `certificate` và `key`, hoặc `pki` tới thư mục do `lienthong pki init` tạo",
                "set `certificate` and `key`, or `pki` to a folder made by `lienthong pki init`",
            )
        })
    };
    let (certificate, key) = (path("certificate")?, path("key")?);
    if !is_hubs(&certificate)? {
        let shown = certificate.display();
        return Err(Usage::new(
            format!("`{shown}` không phải chứng thư của trục"),
            format!("`{shown}` is not a hub's certificate"),
        )
        .remedy(
            "cấp bằng `lienthong pki issue THƯ_MỤC --agency MÃ --hub TÊN`",
            "issue one with `lienthong pki issue DIR --agency CODE --hub NAMES`",
        )
        .into());
    }
    server_identity(&certificate, &key)
}

/// A certificate with its chain, and its key.
fn server_identity(certificate: &Path, key: &Path) -> anyhow::Result<ServerIdentity> {
    let chain = agency::certificates(certificate)?;
    let der = pem::decode(pem::SECRET_KEY, &agency::read(key)?)
        .with_context(|| format!("`{}`", key.display()))?;
    Ok(ServerIdentity {
        chain: chain.iter().map(|der| CertificateDer::from(der.to_vec())).collect(),
        key: PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(der)),
    })
}

/// Whether a file holds a hub's certificate. TLS libraries that do not offer Ed25519 (browsers,
/// grpcio) need one with an ECDSA P-256 key, which the profile has for nobody else; whether such a
/// key fits its certificate TLS itself checks.
fn is_hubs(path: &Path) -> anyhow::Result<bool> {
    let chain = agency::certificates(path)?;
    let Some(first) = chain.first() else { return Ok(false) };
    match Certificate::parse(first.clone()) {
        Ok(first) => Ok(matches!(first.holder(), Holder::Hub { .. })),
        Err(CertificateError::KeyAlgorithm(_)) => Ok(true),
        Err(error) => Err(error).with_context(|| format!("`{}`", path.display())),
    }
}

fn all_certificates(effective: &Effective, name: &str) -> anyhow::Result<Vec<Bytes>> {
    let mut all = Vec::new();
    for path in effective.many(name) {
        all.extend(agency::certificates(Path::new(path)).with_context(|| effective.shown(name))?);
    }
    Ok(all)
}

/// A whole number.
fn number<N: std::str::FromStr>(effective: &Effective, name: &str) -> anyhow::Result<N> {
    let text = effective.one(name).unwrap_or_default();
    let wrong = || {
        effective.wrong(name, format!("`{text}` không đúng"), format!("`{text}`")).remedy(
            "ghi một số nguyên, như 1000; 0 là không giới hạn tốc độ",
            "write a whole number, such as 1000; 0 for no bound on a rate",
        )
    };
    Ok(text.replace('_', "").parse().map_err(|_| wrong())?)
}

/// Which files of revocation lists are read, and how often.
fn list_files(effective: &Effective) -> anyhow::Result<ListFiles> {
    const KEY: &str = "revocation-list-every";
    let text = effective.one(KEY).unwrap_or_default();
    let bounds = Duration::from_secs(1)..=Duration::from_secs(24 * 3600);
    let every = humantime::parse_duration(text).ok().filter(|every| bounds.contains(every));
    let every = every.ok_or_else(|| {
        effective.wrong(KEY, format!("`{text}` không đúng"), format!("`{text}`")).remedy(
            "ghi một khoảng thời gian từ 1s đến 24h, như 30s hoặc 5min",
            "write a span between 1s and 24h, such as 30s or 5min",
        )
    })?;
    let paths = effective.many("revocation-list").iter().map(PathBuf::from).collect();
    Ok(ListFiles { paths, every })
}

fn directory(effective: &Effective) -> anyhow::Result<DirectoryImport> {
    let named = effective.one("directory").unwrap_or("builtin");
    if named == "builtin" {
        let entries = lienthong_country::entries()?;
        return Ok(DirectoryImport { source: named.to_owned(), entries });
    }
    let bytes = std::fs::read(named)
        .with_context(|| format!("{}: `{named}`", effective.shown("directory")))?;
    let entries = source::entries(named, &bytes)?;
    // The file's name without its folder, and what was in it.
    let file = Path::new(named).file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(DirectoryImport { source: format!("{file} sha256:{}", Digest::of(&bytes)), entries })
}
