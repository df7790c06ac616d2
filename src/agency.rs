//! An agency's folder as `lienthong pki` writes it: the node's certificate and key, the seal,
//! persons, operators. Keys are read here and nowhere else in the binary.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use bytes::Bytes;
use lienthong_client::{Identity, Roots, Signer};
use lienthong_connector::SigningKeys;
use lienthong_model::AgencyCode;
use lienthong_pki::pem;
use lienthong_trust::Certificate;

use crate::say::Usage;

/// An agency's folder.
#[derive(Debug, Clone)]
pub(crate) struct AgencyFolder {
    path: PathBuf,
    /// Who connects, as its files are called: `node`, or `operator-<id>`.
    caller: String,
}

impl AgencyFolder {
    /// Takes a folder that holds the certificate of whoever connects: an operator by their id, or
    /// the agency's node.
    ///
    /// # Errors
    /// [`Usage`] when it does not.
    pub(crate) fn open(path: &Path, operator: Option<&str>) -> anyhow::Result<Self> {
        let caller = operator.map_or_else(|| "node".to_owned(), |id| format!("operator-{id}"));
        if !path.join(format!("{caller}.pem")).is_file() {
            let flags = operator.map_or_else(
                || "--node".to_owned(),
                |id| format!("--operator {id} --name NAME --title TITLE"),
            );
            let shown = path.display();
            return Err(Usage::new(
                format!("`{shown}` không có `{caller}.pem`"),
                format!("`{shown}` has no `{caller}.pem`"),
            )
            .remedy(
                format!(
                    "chỉ thư mục của một cơ quan bằng --as (LIENTHONG_AS); `lienthong pki issue \
                     THƯ_MỤC --agency MÃ {flags}` tạo THƯ_MỤC/agencies/MÃ"
                ),
                format!(
                    "give the folder of an agency with --as (LIENTHONG_AS); \
                     `lienthong pki issue DIR --agency CODE {flags}` makes DIR/agencies/CODE"
                ),
            )
            .into());
        }
        Ok(Self { path: path.to_owned(), caller })
    }

    /// Takes a folder that may hold a seal and persons only.
    pub(crate) fn of_signers(path: &Path) -> Self {
        Self { path: path.to_owned(), caller: "node".to_owned() }
    }

    /// Returns where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the agency that the caller's certificate names.
    ///
    /// # Errors
    /// When the certificate cannot be read or is not an agency's.
    pub(crate) fn code(&self) -> anyhow::Result<AgencyCode> {
        let path = self.path.join(format!("{}.pem", self.caller));
        let certificate = first_certificate(&path)?;
        let code = certificate.agency().cloned();
        code.with_context(|| format!("`{}` is not an agency's certificate", path.display()))
    }

    /// Returns what the caller proves itself with.
    ///
    /// # Errors
    /// When a file is missing or cannot be read.
    pub(crate) fn identity(&self) -> anyhow::Result<Identity> {
        let (chain, key) = self.pair(&self.caller)?;
        Identity::from_pem(&chain, &key)
            .with_context(|| self.shown(&format!("{}.pem", self.caller)))
    }

    /// Returns the agency's seal; `None` when the folder has none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn seal(&self) -> anyhow::Result<Option<Signer>> {
        if !self.path.join("seal.pem").is_file() {
            return Ok(None);
        }
        self.signer("seal").map(Some)
    }

    /// Returns the persons whose keys the folder holds, by id.
    ///
    /// # Errors
    /// When one cannot be read.
    fn persons(&self) -> anyhow::Result<Vec<(String, Signer)>> {
        let entries = std::fs::read_dir(&self.path).with_context(|| self.shown(""))?;
        let mut ids = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            let id = name.to_str().and_then(|name| name.strip_prefix("person-"));
            ids.extend(id.and_then(|id| id.strip_suffix(".pem")).map(ToOwned::to_owned));
        }
        ids.sort();
        let person = |id: String| Ok((id.clone(), self.signer(&format!("person-{id}"))?));
        ids.into_iter().map(person).collect()
    }

    /// Returns every key with which the agency's documents can be signed.
    ///
    /// # Errors
    /// When one cannot be read.
    pub(crate) fn signing_keys(&self) -> anyhow::Result<SigningKeys> {
        Ok(SigningKeys { seal: self.seal()?, persons: self.persons()? })
    }

    /// Returns the roots found beside: the PKI's folder is two levels up (`agencies/<CODE>`), with
    /// its issuing authority and its revocation lists. `None` when there is no `root.pem`.
    ///
    /// # Errors
    /// When a file is there and cannot be read.
    pub(crate) fn roots(&self) -> anyhow::Result<Option<Roots>> {
        let Some(pki) = [self.path.clone(), self.path.join("../..")]
            .into_iter()
            .find(|folder| folder.join("root.pem").is_file())
        else {
            return Ok(None);
        };
        let mut roots = Roots::from_pem(&read(&pki.join("root.pem"))?)
            .with_context(|| format!("`{}`", pki.join("root.pem").display()))?;
        let issuing = pki.join("issuing.pem");
        if issuing.is_file() {
            for der in certificates(&issuing)? {
                roots = roots.with_authority(der)?;
            }
        }
        for list in ["crl/root.crl", "crl/issuing.crl"].map(|name| pki.join(name)) {
            if list.is_file() {
                roots = roots.with_revocation_list(revocation_list(&list)?);
            }
        }
        Ok(Some(roots))
    }

    fn signer(&self, stem: &str) -> anyhow::Result<Signer> {
        let (chain, key) = self.pair(stem)?;
        Signer::from_pem(&chain, &key).with_context(|| self.shown(&format!("{stem}.pem")))
    }

    fn pair(&self, stem: &str) -> anyhow::Result<(String, String)> {
        let certificate = self.path.join(format!("{stem}.pem"));
        Ok((read(&certificate)?, read(&certificate.with_extension("key"))?))
    }

    fn shown(&self, name: &str) -> String {
        format!("`{}`", self.path.join(name).display())
    }
}

/// Reads a text; the error names the file.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))
}

/// Reads every certificate of a PEM file, in DER.
///
/// # Errors
/// When there is none or one cannot be read.
pub(crate) fn certificates(path: &Path) -> anyhow::Result<Vec<Bytes>> {
    let found = pem::decode_all(pem::CERTIFICATE, &read(path)?);
    let found = found.with_context(|| format!("`{}`", path.display()))?;
    Ok(found.into_iter().map(Bytes::from).collect())
}

/// Reads the first certificate of a PEM file.
///
/// # Errors
/// When there is none or it breaks the profile.
pub(crate) fn first_certificate(path: &Path) -> anyhow::Result<Certificate> {
    let der = pem::decode(pem::CERTIFICATE, &read(path)?);
    let der = der.with_context(|| format!("`{}`", path.display()))?;
    Certificate::parse(der.into()).with_context(|| format!("`{}`", path.display()))
}

/// Reads a revocation list in PEM or DER; returns its DER.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn revocation_list(path: &Path) -> anyhow::Result<Bytes> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    match std::str::from_utf8(&bytes) {
        Ok(text) if text.contains("-----BEGIN") => {
            let der = pem::decode(pem::REVOCATION_LIST, text);
            Ok(der.with_context(|| format!("`{}`", path.display()))?.into())
        }
        _ => Ok(bytes.into()),
    }
}
