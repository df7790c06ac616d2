//! From what is in force to what the connector is started with: files are read, texts become values.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use lienthong_connector::{HttpSettings, Keyring, Settings, SigningKeys, WebhookSettings};
use lienthong_model::{AgencyCode, CodeKey};

use crate::agency::{self, AgencyFolder};
use crate::config::Effective;
use crate::connect::{WhoArgs, span};

/// Reads everything that the configuration names.
///
/// # Errors
/// [`Usage`](crate::say::Usage) or an error that names the key, its origin and the file.
pub(super) fn settings(effective: &Effective) -> anyhow::Result<Settings> {
    let who = who(effective);
    let folder = who.agency()?;
    let agency = folder.code()?;
    let roots = who.roots(&folder)?;
    let endpoint = who.endpoint(hub(effective), &folder, &roots)?;
    let gateway = is_on(effective, "gateway");
    let mailboxes = mailboxes(effective)?;
    if !gateway && mailboxes.iter().any(|code| code.key() != agency.key()) {
        let vi = format!("chỉ cổng kết nối mới nhận thay cơ quan khác ngoài {agency}");
        let en = format!("only a gateway receives for others than {agency}");
        return Err(effective
            .wrong("mailboxes", vi, en)
            .remedy(
                "đặt `gateway = true`, hoặc bỏ các hộp thư khác",
                "set `gateway = true`, or take the other mailboxes out",
            )
            .into());
    }
    Ok(Settings {
        root: root(effective),
        gateway,
        mailboxes,
        clock: who.clock()?,
        keyring: keyring(effective, &folder)?,
        http: http(effective)?,
        webhook: webhook(effective)?,
        poll: duration(effective, "poll")?,
        point: lienthong_ledger::crash::point,
        agency,
        endpoint,
        roots,
    })
}

/// Who connects and whom it trusts, as the flags of other commands say it.
pub(super) fn who(effective: &Effective) -> WhoArgs {
    let paths = |key| effective.many(key).iter().map(PathBuf::from).collect();
    WhoArgs {
        folder: effective.one("as").map(PathBuf::from),
        operator: None,
        root: paths("root"),
        revocation_list: paths("revocation-list"),
        clock: effective.one("clock").unwrap_or("real").to_owned(),
        server_name: effective.one("server-name").map(ToOwned::to_owned),
        wait: Duration::ZERO,
    }
}

/// The hub's address.
pub(super) fn hub(effective: &Effective) -> &str {
    effective.one("hub").unwrap_or_default()
}

/// The folder that holds all others: the one named, that of the file, or this one.
pub(super) fn root(effective: &Effective) -> PathBuf {
    let of_file = || effective.file.as_ref().and_then(|file| file.parent()).map(Path::to_owned);
    let named = effective.one("folder").map(PathBuf::from);
    let root = named.or_else(of_file).unwrap_or_default();
    if root.as_os_str().is_empty() { PathBuf::from(".") } else { root }
}

/// A file beside the folders, unless another is named.
pub(super) fn file(effective: &Effective, key: &str, default: &str) -> PathBuf {
    effective.one(key).map_or_else(|| root(effective).join(default), PathBuf::from)
}

pub(super) fn is_on(effective: &Effective, key: &str) -> bool {
    effective.one(key) == Some("true")
}

/// The mailboxes named.
///
/// # Errors
/// [`Usage`](crate::say::Usage) when one is no code.
pub(super) fn mailboxes(effective: &Effective) -> anyhow::Result<Vec<AgencyCode>> {
    let code = |text: &String| {
        AgencyCode::parse(text).map_err(|why| {
            let vi = format!("`{text}` không phải mã định danh");
            effective
                .wrong("mailboxes", vi, format!("`{text}`: {why}"))
                .remedy(
                    "ghi mã định danh của các cơ quan, như [\"H34\", \"H34.05\"]",
                    "write codes of agencies, such as [\"H34\", \"H34.05\"]",
                )
                .into()
        })
    };
    effective.many("mailboxes").iter().map(code).collect()
}

fn keyring(effective: &Effective, own: &AgencyFolder) -> anyhow::Result<Keyring> {
    let served = match effective.one("keys") {
        Some(folder) => served(Path::new(folder)).with_context(|| effective.shown("keys"))?,
        None => HashMap::new(),
    };
    let person = effective.one("person").map(ToOwned::to_owned);
    Ok(Keyring { own: own.signing_keys()?, served, person })
}

/// The keys of every agency that has a folder.
fn served(folder: &Path) -> anyhow::Result<HashMap<CodeKey, SigningKeys>> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))?;
    let mut served = HashMap::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Ok(code) = AgencyCode::parse(&name) else { continue };
        if path.is_dir() {
            served.insert(code.key(), AgencyFolder::of_signers(&path).signing_keys()?);
        }
    }
    Ok(served)
}

fn http(effective: &Effective) -> anyhow::Result<Option<HttpSettings>> {
    let Some(text) = effective.one("http") else { return Ok(None) };
    let listen: SocketAddr = text.parse().map_err(|_| {
        let vi = format!("`{text}` không phải địa chỉ");
        effective.wrong("http", vi, format!("`{text}` is no address")).remedy(
            "ghi địa chỉ IP và cổng, như 127.0.0.1:7490",
            "write an IP address and a port, such as 127.0.0.1:7490",
        )
    })?;
    if !listen.ip().is_loopback() && !is_on(effective, "http-beyond-loopback") {
        let vi = format!("máy khác truy cập được `{text}`, mà API không có TLS riêng");
        let en = format!(
            "`{text}` can be reached from other machines, and the API has no TLS of its own"
        );
        return Err(effective
            .wrong("http", vi, en)
            .remedy(
                "dùng 127.0.0.1, hoặc khẳng định chủ ý bằng http-beyond-loopback = true",
                "take 127.0.0.1, or say that it is meant with http-beyond-loopback = true",
            )
            .into());
    }
    Ok(Some(HttpSettings { listen, token: file(effective, "http-token", "http.token") }))
}

fn webhook(effective: &Effective) -> anyhow::Result<Option<WebhookSettings>> {
    let Some(url) = effective.one("webhook") else { return Ok(None) };
    let roots = match effective.one("webhook-root") {
        Some(path) => agency::read(Path::new(path))?,
        None => String::new(),
    };
    let secret = file(effective, "webhook-secret", "webhook.secret");
    Ok(Some(WebhookSettings { url: url.to_owned(), secret, roots }))
}

fn duration(effective: &Effective, key: &str) -> anyhow::Result<Duration> {
    let text = effective.one(key).unwrap_or_default();
    let read = span(text).ok().filter(|span| *span >= Duration::from_millis(50));
    read.ok_or_else(|| {
        let vi = format!("`{text}` không phải khoảng thời gian từ 50ms trở lên");
        effective
            .wrong(key, vi, format!("`{text}` is no span of at least 50ms"))
            .remedy(
                "ghi một số và đơn vị, như `1s` hoặc `5min`",
                "write a number and a unit, such as `1s` or `5min`",
            )
            .into()
    })
}
