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

/// Reads everything that the configuration names.
///
/// # Errors
/// [`Usage`] or an error that names the key, its origin and the file.
pub(crate) fn settings(effective: &Effective) -> anyhow::Result<Settings> {
    let clock = clock(effective)?;
    let listen = effective.one("listen").unwrap_or_default();
    let listen: SocketAddr = listen.parse().map_err(|_| {
        Usage::new(format!("{}: `{listen}` is no address", effective.shown("listen")))
            .remedy("write an IP address and a port, such as 127.0.0.1:7443 or [::]:7443")
    })?;
    let http = http(effective)?;
    let roots = all_certificates(effective, "root")?;
    if roots.is_empty() {
        return Err(Usage::new("the hub trusts no root")
            .remedy("set `root`, or `pki` to a folder made by `lienthong pki init DIR`")
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
        [] => Err(Usage::new(format!("`{}` has no certificate of a hub", pki.display())).remedy(
            format!(
                "issue one with `lienthong pki issue {} --agency G22 --hub localhost`",
                pki.display()
            ),
        )),
        several => {
            let names: Vec<String> = several.iter().map(|p| format!("`{}`", p.display())).collect();
            Err(Usage::new(format!("there are several hub certificates: {}", names.join(", ")))
                .remedy("name one with --certificate and --key"))
        }
    }
}

fn http(effective: &Effective) -> anyhow::Result<Option<HttpAddress>> {
    let text = effective.one("http").unwrap_or("off");
    if text == "off" {
        return Ok(None);
    }
    let wrong = |why: &str| Usage::new(format!("{}: {why}", effective.shown("http")));
    let address: SocketAddr = text.parse().map_err(|_| {
        wrong(&format!("`{text}` is no address"))
            .remedy("write an IP address and a port, such as 127.0.0.1:7480, or `off`")
    })?;
    if let Some(certificate) = effective.one("http-certificate") {
        let key = effective.one("http-key").ok_or_else(|| {
            Usage::new("the HTTP port has a certificate and no key").remedy("set `http-key`, too")
        })?;
        let identity = server_identity(Path::new(certificate), Path::new(key))?;
        return Ok(Some(HttpAddress::with_tls(address, identity)));
    }
    let address = HttpAddress::new(address).map_err(|error| {
        wrong(&error.to_string()).remedy(
            "take 127.0.0.1 or [::1], or set `http-certificate` and `http-key`: a certificate with \
             an ECDSA P-256 key",
        )
    })?;
    Ok(Some(address))
}

fn clock(effective: &Effective) -> anyhow::Result<Clock> {
    let text = effective.one("clock").unwrap_or("real");
    Ok(Clock::parse(text).map_err(|error| {
        Usage::new(format!("{}: {error}", effective.shown("clock")))
            .remedy("write `real`, or start=2020-11-16T08:00+07:00,rate=600")
    })?)
}

/// A scenario's clock is for test certificates: with real ones it would make expired and revoked
/// certificates good again.
fn require_test_pki(effective: &Effective, clock: &Clock, roots: &[Bytes]) -> anyhow::Result<()> {
    let said = match effective.one("test-pki").unwrap_or("false") {
        "true" | "1" => true,
        "false" | "0" => false,
        other => {
            return Err(Usage::new(format!("{}: `{other}`", effective.shown("test-pki")))
                .remedy("write true or false")
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
            return Err(Usage::new(format!(
                "a scenario's clock needs a test PKI, and the root `{subject}` does not say that it \
                 is one"
            ))
            .remedy("take `clock = real`, or say that it is one with --test-pki")
            .into());
        }
    }
    Ok(())
}

fn identity(effective: &Effective) -> anyhow::Result<ServerIdentity> {
    let path = |name: &str| {
        effective.one(name).map(PathBuf::from).ok_or_else(|| {
            Usage::new(format!("the hub has no `{name}`")).remedy(
                "set `certificate` and `key`, or `pki` to a folder made by `lienthong pki init`",
            )
        })
    };
    let (certificate, key) = (path("certificate")?, path("key")?);
    if !is_hubs(&certificate)? {
        return Err(Usage::new(format!("`{}` is not a hub's certificate", certificate.display()))
            .remedy("issue one with `lienthong pki issue DIR --agency CODE --hub NAMES`")
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
        Usage::new(format!("{}: `{text}`", effective.shown(name)))
            .remedy("write a whole number, such as 1000; 0 for no bound on a rate")
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
        Usage::new(format!("{}: `{text}`", effective.shown(KEY)))
            .remedy("write a span between 1s and 24h, such as 30s or 5min")
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
    let entries = lienthong_country::read_csv(bytes.as_slice())
        .map_err(|error| Usage::new(format!("`{named}`: {error}")))?;
    // The file's name without its folder, and what was in it.
    let file = Path::new(named).file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(DirectoryImport { source: format!("{file} sha256:{}", Digest::of(&bytes)), entries })
}
