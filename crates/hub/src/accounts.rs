//! Accounts: what proves the passwords of those who operate the hub, in one small file of the data
//! folder (`accounts.json`, mode 0600). Only hashes are in it (Argon2id), and it is replaced as a
//! whole, on disk before anybody is told.
//!
//! Who has an account and who made it stands in the journal; what a person may do is its
//! appointment there. The file can be lost without loss to the log: passwords are set again.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use lienthong_model::limits::{ACCOUNTS_MAX, PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN};
use lienthong_model::{AgencyCode, CodeKey, Reason, Refusal, Signatory};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

const FILE: &str = "accounts.json";
const FORMAT: u32 = 1;
/// Shorter names are in many words by chance.
const NAME_CHARS_MIN: usize = 4;

/// The accounts of a data folder.
pub struct Accounts {
    folder: PathBuf,
    kept: RwLock<BTreeMap<Whose, Kept>>,
    /// Checked where there is no account, so that the answer takes as long.
    nobody: String,
}

type Whose = (CodeKey, String);

#[derive(Debug, Clone)]
struct Kept {
    holder: Signatory,
    hash: String,
}

/// A password, hashed: the only form in which it is kept.
pub struct PasswordProof(String);

/// Why the file of accounts cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    /// It cannot be read or written.
    #[error("`{path}`: {source}")]
    Disk {
        /// The file.
        path: PathBuf,
        /// What the disk said.
        source: io::Error,
    },
    /// It holds something else.
    #[error("`{path}` holds no accounts: {why}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

/// The file, as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: u32,
    accounts: Vec<WrittenAccount>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenAccount {
    agency: String,
    person: String,
    /// In the form of PHC, with its salt and cost.
    argon2id: String,
}

impl PasswordProof {
    /// Hashes a password. Takes 19 MiB and some tens of milliseconds of a processor.
    ///
    /// # Errors
    /// FIELD_INVALID for a password that is too short, too long, or names its holder.
    pub fn of(password: &str, holder: &Signatory) -> Result<Self, Refusal> {
        let no = |value: String| Err(Refusal::at(Reason::FieldInvalid, "password", value));
        let chars = password.chars().count();
        if chars < PASSWORD_CHARS_MIN {
            return no(format!("{chars} characters, at least {PASSWORD_CHARS_MIN}"));
        }
        if password.len() > PASSWORD_BYTES_MAX {
            return no(format!("{} bytes, at most {PASSWORD_BYTES_MAX}", password.len()));
        }
        let name = holder.person.to_lowercase();
        if name.len() >= NAME_CHARS_MIN && password.to_lowercase().contains(&name) {
            return no("it holds the name of its owner".to_owned());
        }
        let hash = Argon2::default().hash_password(password.as_bytes());
        let hash = hash.map_err(|error| Refusal::at(Reason::FieldInvalid, "password", error))?;
        Ok(Self(hash.to_string()))
    }
}

impl Accounts {
    /// Reads the accounts of a data folder; none when it has no such file.
    ///
    /// # Errors
    /// [`AccountsError`] when there is one that cannot be read.
    pub fn open(folder: &Path) -> Result<Self, AccountsError> {
        let path = folder.join(FILE);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(source) => return Err(AccountsError::Disk { path, source }),
        };
        let kept = read(&text).map_err(|why| AccountsError::Malformed { path, why })?;
        let nobody = Argon2::default().hash_password(b"nobody has this one");
        let nobody = nobody.map(|hash| hash.to_string()).unwrap_or_default();
        Ok(Self { folder: folder.to_owned(), kept: RwLock::new(kept), nobody })
    }

    /// Returns whether nobody has an account.
    pub fn is_empty(&self) -> bool {
        self.kept.read().is_empty()
    }

    /// Returns whose accounts there are, by agency and person.
    pub fn holders(&self) -> Vec<Signatory> {
        self.kept.read().values().map(|kept| kept.holder.clone()).collect()
    }

    /// Returns whether there is an account and this is its password. Takes as long where there is
    /// none.
    pub fn proves(&self, holder: &Signatory, password: &str) -> bool {
        let hash = self.kept.read().get(&whose(holder)).map(|kept| kept.hash.clone());
        let is_known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobody.clone());
        let bytes = password.as_bytes();
        let bytes = bytes.get(..PASSWORD_BYTES_MAX.min(bytes.len())).unwrap_or_default();
        let parsed = PasswordHash::new(&hash);
        let right =
            parsed.is_ok_and(|hash| Argon2::default().verify_password(bytes, &hash).is_ok());
        is_known && right && password.len() <= PASSWORD_BYTES_MAX
    }

    /// Sets a password; on return it is on disk.
    ///
    /// # Errors
    /// [`AccountsError`] when it cannot be written: then nothing has changed.
    pub fn set(&self, holder: &Signatory, proof: PasswordProof) -> Result<(), AccountsError> {
        self.change(|kept| {
            let one = Kept { holder: holder.clone(), hash: proof.0 };
            kept.insert(whose(holder), one);
        })
    }

    /// Removes an account; on return it is gone from the disk. Repeating it changes nothing.
    ///
    /// # Errors
    /// As for [`Accounts::set`].
    pub fn remove(&self, holder: &Signatory) -> Result<(), AccountsError> {
        self.change(|kept| {
            kept.remove(&whose(holder));
        })
    }

    /// Returns whether there is an account.
    pub fn has(&self, holder: &Signatory) -> bool {
        self.kept.read().contains_key(&whose(holder))
    }

    fn change(&self, with: impl FnOnce(&mut BTreeMap<Whose, Kept>)) -> Result<(), AccountsError> {
        // Held over the writing: of two changes none is lost.
        let mut kept = self.kept.write();
        let mut changed = kept.clone();
        with(&mut changed);
        let path = self.folder.join(FILE);
        if changed.len() > ACCOUNTS_MAX {
            let why = format!("{} accounts, at most {ACCOUNTS_MAX}", changed.len());
            return Err(AccountsError::Malformed { path, why });
        }
        replace(&self.folder, &path, &written(&changed))
            .map_err(|source| AccountsError::Disk { path, source })?;
        *kept = changed;
        Ok(())
    }
}

fn whose(holder: &Signatory) -> Whose {
    (holder.agency.key(), holder.person.clone())
}

fn read(text: &[u8]) -> Result<BTreeMap<Whose, Kept>, String> {
    if text.is_empty() {
        return Ok(BTreeMap::new());
    }
    let written: Written = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    if written.format != FORMAT {
        return Err(format!("format {}, this version reads {FORMAT}", written.format));
    }
    let kept = written.accounts.into_iter().map(|one| {
        let agency = AgencyCode::parse(&one.agency).map_err(|error| error.to_string())?;
        PasswordHash::new(&one.argon2id).map_err(|error| error.to_string())?;
        let holder = Signatory { agency, person: one.person };
        Ok((whose(&holder), Kept { holder, hash: one.argon2id }))
    });
    kept.collect()
}

fn written(kept: &BTreeMap<Whose, Kept>) -> Written {
    let account = |kept: &Kept| WrittenAccount {
        agency: kept.holder.agency.to_string(),
        person: kept.holder.person.clone(),
        argon2id: kept.hash.clone(),
    };
    Written { format: FORMAT, accounts: kept.values().map(account).collect() }
}

/// Puts the file on disk under another name, then in place of the old one.
fn replace(folder: &Path, path: &Path, written: &Written) -> io::Result<()> {
    let beside = folder.join(format!("{FILE}.new"));
    let text = serde_json::to_vec_pretty(written)?;
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(&text)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn person(name: &str) -> Signatory {
        Signatory { agency: AgencyCode::parse("H36").unwrap(), person: name.to_owned() }
    }

    #[test]
    fn a_password_that_was_set_is_proven_after_reading_the_file_again_and_no_other_is() {
        let folder = tempfile::tempdir().unwrap();
        let accounts = Accounts::open(folder.path()).unwrap();
        assert!(accounts.is_empty());
        let an = person("an.nguyen");
        let proof = PasswordProof::of("một mật khẩu dài", &an).unwrap();
        accounts.set(&an, proof).unwrap();
        let read = Accounts::open(folder.path()).unwrap();
        assert!(read.proves(&an, "một mật khẩu dài"));
        assert!(!read.proves(&an, "một mật khẩu dài "));
        assert!(!read.proves(&person("binh.tran"), "một mật khẩu dài"));
        read.remove(&an).unwrap();
        assert!(!Accounts::open(folder.path()).unwrap().proves(&an, "một mật khẩu dài"));
    }

    #[test]
    fn the_file_is_for_its_owner_only_and_holds_no_password() {
        let folder = tempfile::tempdir().unwrap();
        let accounts = Accounts::open(folder.path()).unwrap();
        let an = person("an.nguyen");
        accounts.set(&an, PasswordProof::of("correct horse battery", &an).unwrap()).unwrap();
        let path = folder.path().join(FILE);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.contains("$argon2id$") && !text.contains("battery"), "{text}");
    }

    #[test]
    fn passwords_that_are_short_long_or_name_their_owner_are_refused() {
        let an = person("an.nguyen");
        for password in ["", "elevenchars", "An.Nguyen-2026", &"x".repeat(257)] {
            let refused = PasswordProof::of(password, &an).err();
            assert_eq!(refused.map(|no| no.reason), Some(Reason::FieldInvalid), "{password}");
        }
    }

    #[test]
    fn a_file_that_holds_something_else_is_not_taken_for_no_accounts() {
        let folder = tempfile::tempdir().unwrap();
        for text in ["{", "{\"format\":2,\"accounts\":[]}", "{\"format\":1}"] {
            std::fs::write(folder.path().join(FILE), text).unwrap();
            assert!(Accounts::open(folder.path()).is_err(), "{text}");
        }
    }
}
