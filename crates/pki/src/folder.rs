//! The folder that `lienthong pki` writes.
//!
//! ```text
//! root.pem root.key issuing.pem issuing.key     the authorities
//! crl/root.crl crl/issuing.crl                  their revocation lists (PEM)
//! agencies/<CODE>/{node,seal,hub,person-<id>,operator-<id>}.pem
//!                                               certificate, then its issuing authority's
//! agencies/<CODE>/{…}.key                       PKCS#8 of version 1, mode 0600
//! issued.csv                                    what was issued and what was revoked
//! ```
//! A key is never written over. Certificates, lists and the register are replaced by renaming a
//! whole new file. One process at a time is expected to write.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lienthong_model::{AgencyCode, Fingerprint, Timestamp};
use lienthong_trust::{Certificate, RevocationList, RevocationListError};

use crate::authority::{Authority, AuthorityError, IssueError, Serial, Validity};
use crate::identity::Identity;
use crate::key::{KeyError, KeySource};
use crate::pem::{self, PemError};
use crate::profile::Profile;
use crate::register::{Listed, Register, RegisterError, Withdrawal};
use crate::request::Request;

/// An open PKI folder: its authorities are loaded.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    root: Authority,
    issuing: Authority,
}

/// Why the folder could not be made, read or changed.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The operating system refused.
    #[error("cannot {doing} `{path}`: {source}")]
    Io {
        /// What was being done, as a verb.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// A secret key is there already.
    #[error("`{0}` exists: a secret key is never written over")]
    KeyExists(PathBuf),
    /// A certificate is there already.
    #[error("`{0}` exists: move it away to issue another one")]
    CertificateExists(PathBuf),
    /// An authority cannot be taken up.
    #[error("the authority in `{path}`: {source}")]
    Authority {
        /// The certificate's file.
        path: PathBuf,
        /// Why not.
        source: AuthorityError,
    },
    /// A revocation list is damaged.
    #[error("the revocation list in `{path}`: {source}")]
    RevocationList {
        /// The list's file.
        path: PathBuf,
        /// What is wrong.
        source: RevocationListError,
    },
    /// The register is damaged, or does not have what was asked for.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// No key could be made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Nothing could be issued.
    #[error(transparent)]
    Issue(#[from] IssueError),
    /// A text is not PEM.
    #[error(transparent)]
    Pem(#[from] PemError),
}

impl Folder {
    /// Makes a folder with a root, an issuing authority below it, empty revocation lists from
    /// `validity.not_before` until `next_update`, and an empty register.
    ///
    /// # Errors
    /// [`FolderError::KeyExists`] when there is a PKI already; nothing is changed then.
    pub fn create(
        path: &Path,
        keys: &KeySource,
        validity: Validity,
        next_update: Timestamp,
    ) -> Result<Self, FolderError> {
        let (of_root, of_issuing) = match keys {
            // Whoever has the seed has every key: such a PKI is for tests, and says so.
            KeySource::Seed(_) => ("Lienthong test root", "Lienthong test authority"),
            KeySource::System => ("Lienthong root", "Lienthong authority"),
        };
        let root = Authority::root(of_root, validity, keys.key("root")?)?;
        let issuing = root.issuing_authority(of_issuing, validity, keys.key("issuing")?, 0)?;
        Self::adopt(path, root, issuing, validity.not_before, next_update)
    }

    /// Makes a folder for a root and an issuing authority that there are already, with empty
    /// revocation lists from `this_update` until `next_update`, and an empty register.
    ///
    /// # Errors
    /// [`FolderError::KeyExists`] when there is a PKI already; nothing is changed then.
    pub fn adopt(
        path: &Path,
        root: Authority,
        issuing: Authority,
        this_update: Timestamp,
        next_update: Timestamp,
    ) -> Result<Self, FolderError> {
        for name in ["root.key", "issuing.key"] {
            let file = path.join(name);
            if file.exists() {
                return Err(FolderError::KeyExists(file));
            }
        }
        make_folder(&path.join("crl"))?;
        make_folder(&path.join("agencies"))?;
        write_key(&path.join("root.key"), &root.key().to_pkcs8_pem())?;
        write_key(&path.join("issuing.key"), &issuing.key().to_pkcs8_pem())?;
        replace(&path.join("root.pem"), &certificate_pem(root.certificate())?)?;
        replace(&path.join("issuing.pem"), &certificate_pem(issuing.certificate())?)?;
        let mut register = Register::default();
        register.add(issuing.certificate());
        replace(&path.join("issued.csv"), &register.to_csv())?;
        let folder = Self { path: path.to_owned(), root, issuing };
        folder.write_list(Listed::Authorities, 1, this_update, next_update, &register)?;
        folder.write_list(Listed::EndEntities, 1, this_update, next_update, &register)?;
        Ok(folder)
    }

    /// Opens a folder that [`Folder::create`] made.
    ///
    /// # Errors
    /// [`FolderError`] when an authority's file is missing or damaged.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        let load = |name: &str| {
            let certificate = path.join(format!("{name}.pem"));
            let (text, key) = (read(&certificate)?, read(&path.join(format!("{name}.key")))?);
            Authority::from_pem(&text, &key)
                .map_err(|source| FolderError::Authority { path: certificate, source })
        };
        Ok(Self { path: path.to_owned(), root: load("root")?, issuing: load("issuing")? })
    }

    /// The root.
    pub fn root(&self) -> &Authority {
        &self.root
    }

    /// The authority that issues to agencies.
    pub fn issuing(&self) -> &Authority {
        &self.issuing
    }

    /// Where the certificate of a holder is; its key is beside it with the ending `key`.
    pub fn certificate_path(&self, profile: &Profile) -> PathBuf {
        self.agency_path(profile.agency()).join(format!("{}.pem", profile.stem()))
    }

    /// The folder of an agency.
    pub fn agency_path(&self, agency: &AgencyCode) -> PathBuf {
        // A code has letters, digits and single dots between them only: it cannot climb.
        self.path.join("agencies").join(agency.as_str())
    }

    /// Makes key and certificate of a holder and enters it in the register.
    ///
    /// # Errors
    /// [`FolderError::KeyExists`] or [`FolderError::CertificateExists`] when there is one already.
    pub fn enrol(
        &self,
        profile: &Profile,
        keys: &KeySource,
        validity: Validity,
    ) -> Result<Identity, FolderError> {
        let path = self.certificate_path(profile);
        refuse_existing(&path)?;
        let key = keys.key(&profile.key_label())?;
        let public = key.public_key().map_err(KeyError::from)?;
        let serial = self.serial(keys)?;
        let certificate = Arc::new(self.issuing.issue(profile, &public, validity, serial)?);
        let identity = Identity { certificate, key };
        self.keep_identity(profile, &identity)?;
        Ok(identity)
    }

    /// Keeps an identity that the folder's authority has issued already, and enters it in the
    /// register.
    ///
    /// # Errors
    /// [`FolderError::KeyExists`] or [`FolderError::CertificateExists`] when there is one already.
    pub fn keep_identity(&self, profile: &Profile, identity: &Identity) -> Result<(), FolderError> {
        let path = self.certificate_path(profile);
        refuse_existing(&path)?;
        make_folder(&self.agency_path(profile.agency()))?;
        write_key(&path.with_extension("key"), &identity.key.to_pkcs8_pem())?;
        self.keep(&path, &identity.certificate)
    }

    /// Issues what a request asks for and enters it in the register; the key stays where it is.
    ///
    /// # Errors
    /// [`FolderError::CertificateExists`] when the holder has one already.
    pub fn certify(
        &self,
        request: &Request,
        validity: Validity,
    ) -> Result<Arc<Certificate>, FolderError> {
        let path = self.certificate_path(request.profile());
        if path.exists() {
            return Err(FolderError::CertificateExists(path));
        }
        let certificate = self.issuing.issue_request(request, validity, Serial::random()?)?;
        make_folder(&self.agency_path(request.profile().agency()))?;
        self.keep(&path, &certificate)?;
        Ok(Arc::new(certificate))
    }

    /// The register as it stands.
    ///
    /// # Errors
    /// [`FolderError`] when it cannot be read.
    pub fn register(&self) -> Result<Register, FolderError> {
        Ok(Register::parse(&read(&self.path.join("issued.csv"))?)?)
    }

    /// Revokes a certificate of the register and writes both lists anew, valid from `this_update`.
    ///
    /// # Errors
    /// [`RegisterError`] when it is not there or revoked already; nothing is changed then.
    pub fn revoke(
        &self,
        fingerprint: &Fingerprint,
        withdrawal: Withdrawal,
        this_update: Timestamp,
        next_update: Timestamp,
    ) -> Result<(), FolderError> {
        let mut register = self.register()?;
        register.withdraw(fingerprint, withdrawal)?;
        // The list goes first: a list with too much in it harms less than one with too little.
        self.write_lists(&register, this_update, next_update)?;
        replace(&self.path.join("issued.csv"), &register.to_csv())
    }

    /// Writes both revocation lists anew, each with the next number.
    ///
    /// # Errors
    /// [`FolderError`] when a list or the register is damaged or cannot be written.
    pub fn renew_lists(
        &self,
        this_update: Timestamp,
        next_update: Timestamp,
    ) -> Result<(), FolderError> {
        self.write_lists(&self.register()?, this_update, next_update)
    }

    fn write_lists(
        &self,
        register: &Register,
        this_update: Timestamp,
        next_update: Timestamp,
    ) -> Result<(), FolderError> {
        for of in [Listed::Authorities, Listed::EndEntities] {
            let number = self.list(of)?.number.saturating_add(1);
            self.write_list(of, number, this_update, next_update, register)?;
        }
        Ok(())
    }

    /// The list as it stands, for its number.
    fn list(&self, of: Listed) -> Result<RevocationList, FolderError> {
        let (path, issuer) = self.list_of(of);
        let der = pem::decode(pem::REVOCATION_LIST, &read(&path)?)?;
        RevocationList::parse(&der, std::slice::from_ref(issuer.certificate()))
            .map_err(|source| FolderError::RevocationList { path, source })
    }

    fn list_of(&self, of: Listed) -> (PathBuf, &Authority) {
        match of {
            Listed::Authorities => (self.path.join("crl/root.crl"), &self.root),
            Listed::EndEntities => (self.path.join("crl/issuing.crl"), &self.issuing),
        }
    }

    fn write_list(
        &self,
        of: Listed,
        number: u64,
        this_update: Timestamp,
        next_update: Timestamp,
        register: &Register,
    ) -> Result<(), FolderError> {
        let (path, issuer) = self.list_of(of);
        let der =
            issuer.revocation_list(number, this_update, next_update, &register.revoked(of))?;
        replace(&path, &pem::encode(pem::REVOCATION_LIST, &der)?)
    }

    /// Enters a certificate in the register, then writes it with its issuer's.
    fn keep(&self, path: &Path, certificate: &Certificate) -> Result<(), FolderError> {
        let mut register = self.register()?;
        register.add(certificate);
        replace(&self.path.join("issued.csv"), &register.to_csv())?;
        let chain = certificate_pem(certificate)? + &certificate_pem(self.issuing.certificate())?;
        replace(path, &chain)
    }

    fn serial(&self, keys: &KeySource) -> Result<Serial, FolderError> {
        Ok(match keys {
            KeySource::Seed(_) => Serial::Derived,
            KeySource::System => Serial::random()?,
        })
    }
}

fn certificate_pem(certificate: &Certificate) -> Result<String, PemError> {
    pem::encode(pem::CERTIFICATE, certificate.der())
}

fn refuse_existing(certificate: &Path) -> Result<(), FolderError> {
    let key = certificate.with_extension("key");
    if key.exists() {
        return Err(FolderError::KeyExists(key));
    }
    if certificate.exists() {
        return Err(FolderError::CertificateExists(certificate.to_owned()));
    }
    Ok(())
}

fn make_folder(path: &Path) -> Result<(), FolderError> {
    fs::create_dir_all(path).map_err(failed("make the folder", path))
}

fn read(path: &Path) -> Result<String, FolderError> {
    fs::read_to_string(path).map_err(failed("read", path))
}

/// Writes a new file that only its owner may read.
fn write_key(path: &Path, text: &str) -> Result<(), FolderError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => FolderError::KeyExists(path.to_owned()),
        _ => failed("write", path)(source),
    })?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed("write", path))
}

/// Puts a whole new file in the place of the old one.
fn replace(path: &Path, text: &str) -> Result<(), FolderError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    fs::File::create(&beside)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&beside, path))
        .map_err(failed("write", path))
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FolderError {
    let path = path.to_owned();
    move |source| FolderError::Io { doing, path, source }
}

#[cfg(test)]
mod tests;
