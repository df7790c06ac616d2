//! The key that signs the log's checkpoints: one line in the file `log.key` of the data folder.
//!
//! **Stored, stable:** `PRIVATE+KEY+`, the name, `+`, the id in 8 hexadecimal digits, `+`, base64 of
//! the byte 1 and the 32 secret bytes: the form of Go's `sumdb/note`, which knows name and key
//! together. The name is the log's origin and never changes with a log. Whoever wants a name or key
//! of his own puts the file there before the hub's first start; else it is made, with a name that
//! follows from the key.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use lienthong_model::Digest;
use lienthong_trust::{Checkpoint, NoteKey, NoteKeyError, PublicKey, WeakKey, bundle_statement};
use rand::TryRng as _;
use rand::rngs::SysRng;

/// The file's name in the data folder.
pub(crate) const FILE: &str = "log.key";
/// What its line begins with.
const PREFIX: &str = "PRIVATE+KEY+";
/// The signature type of Ed25519 in notes.
const ED25519: u8 = 1;

/// The key that signs checkpoints.
pub(crate) struct LogKey {
    secret: SigningKey,
    public: NoteKey,
}

/// Why there is no key for the log.
#[derive(Debug, thiserror::Error)]
pub enum LogKeyError {
    /// The file cannot be read or made.
    #[error("cannot read or make the log's key `{path}`: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The log has entries, but its key is gone: another one would begin another log.
    #[error(
        "the log has {entries} entries, but its key `{path}` is missing: put it back from a copy"
    )]
    Lost {
        /// Which file.
        path: PathBuf,
        /// How many entries the log has.
        entries: u64,
    },
    /// The file does not hold a key.
    #[error("`{0}` does not hold a key as Go's sumdb/note writes it")]
    Form(PathBuf),
    /// The operating system gives no random bytes.
    #[error("the operating system gives no random bytes: {0}")]
    Random(String),
    /// Its name does not do.
    #[error(transparent)]
    Name(#[from] NoteKeyError),
    /// Its public key is weak.
    #[error(transparent)]
    Weak(#[from] WeakKey),
}

impl LogKey {
    /// Reads a key from a file.
    pub fn read(path: &Path) -> Result<Self, LogKeyError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| LogKeyError::Io { path: path.to_owned(), source })?;
        Self::parse(text.trim_end()).ok_or_else(|| LogKeyError::Form(path.to_owned()))
    }

    /// Reads the key of a data folder whose log has `entries`; makes it where there are neither,
    /// readable for its owner only and on disk on return.
    pub fn of_folder(folder: &Path, entries: u64) -> Result<Self, LogKeyError> {
        let path = folder.join(FILE);
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(text.trim_end()).ok_or(LogKeyError::Form(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound && entries > 0 => {
                Err(LogKeyError::Lost { path, entries })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = Self::generate()?;
                let io = |source| LogKeyError::Io { path: path.clone(), source };
                write_whole(folder, &path, &key.to_text()).map_err(io)?;
                Ok(key)
            }
            Err(source) => Err(LogKeyError::Io { path, source }),
        }
    }

    fn generate() -> Result<Self, LogKeyError> {
        let mut secret = [0; 32];
        SysRng
            .try_fill_bytes(&mut secret)
            .map_err(|error| LogKeyError::Random(error.to_string()))?;
        let secret = SigningKey::from_bytes(&secret);
        let public = secret.verifying_key();
        let short: String = public.as_bytes().iter().take(8).map(|b| format!("{b:02x}")).collect();
        Self::named(&format!("lienthong.log/{short}"), secret)
    }

    fn named(name: &str, secret: SigningKey) -> Result<Self, LogKeyError> {
        let public = PublicKey::from_bytes(secret.verifying_key().as_bytes())?;
        Ok(Self { public: NoteKey::new(name, public)?, secret })
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix(PREFIX)?.splitn(3, '+');
        let (name, id, secret) = (parts.next()?, parts.next()?, parts.next()?);
        let typed = STANDARD.decode(secret).ok()?;
        let (_, secret) = typed.split_first().filter(|(kind, _)| **kind == ED25519)?;
        let key = Self::named(name, SigningKey::from_bytes(secret.try_into().ok()?)).ok()?;
        (key.public.id_text() == id).then_some(key)
    }

    /// Returns the line of its file.
    pub fn to_text(&self) -> String {
        let typed = [[ED25519].as_slice(), self.secret.as_bytes()].concat();
        let (name, id) = (self.public.name(), self.public.id_text());
        format!("{PREFIX}{name}+{id}+{}\n", STANDARD.encode(typed))
    }

    /// The public half.
    pub fn public(&self) -> &NoteKey {
        &self.public
    }

    /// Signs a checkpoint of this key's log. The same log gives the same bytes again.
    pub fn checkpoint(&self, size: u64, root: Digest) -> String {
        let origin = self.public.name().to_owned();
        let text = Checkpoint { origin, size, root }.text();
        self.note(&text)
    }

    /// Signs the statement of an evidence bundle whose basis has a digest.
    pub fn bundle_statement(&self, basis: &Digest) -> String {
        self.note(&bundle_statement(basis))
    }

    fn note(&self, text: &str) -> String {
        self.public.note(text, &self.secret.sign(text.as_bytes()).to_bytes())
    }
}

/// Writes a file in a folder that only its owner reads, whole or not at all.
pub(crate) fn write_whole(folder: &Path, path: &Path, text: &str) -> io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".new");
    let unfinished = PathBuf::from(unfinished);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&unfinished, path)?;
    std::fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_key_of_the_note_format_is_read_and_signs_the_published_note() {
        // golang.org/x/mod/sumdb/note, ExampleSign.
        let text = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
        let key = LogKey::parse(text).unwrap();
        assert_eq!(key.to_text().trim_end(), text);
        let public = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        assert_eq!(key.public().to_string(), public);
        let note = "If you think cryptography is the answer to your problem,\n\
            then you don't know what your problem is.\n";
        let signed = key.public.note(note, &key.secret.sign(note.as_bytes()).to_bytes());
        assert!(signed.ends_with(
            "\n\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqf\
             qdngotpRZb6KE6RyyBwJnAM=\n"
        ));
        assert!(LogKey::parse(&text.replace("c74f20a3", "c74f20a4")).is_none());
    }

    #[test]
    fn a_folder_keeps_its_key_and_shows_it_to_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let made = LogKey::of_folder(folder.path(), 0).unwrap();
        let read = LogKey::of_folder(folder.path(), 0).unwrap();
        assert_eq!(made.to_text(), read.to_text());
        let other = tempfile::tempdir().unwrap();
        assert_ne!(made.to_text(), LogKey::of_folder(other.path(), 0).unwrap().to_text());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = folder.path().join(FILE).metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        std::fs::write(folder.path().join(FILE), "no key").unwrap();
        assert!(matches!(LogKey::of_folder(folder.path(), 0), Err(LogKeyError::Form(_))));
    }

    #[test]
    fn a_log_whose_key_is_gone_is_not_given_another() {
        let folder = tempfile::tempdir().unwrap();
        let lost = LogKey::of_folder(folder.path(), 7);
        assert!(matches!(lost, Err(LogKeyError::Lost { entries: 7, .. })));
        assert!(!folder.path().join(FILE).exists());
    }
}
