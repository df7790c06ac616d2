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
use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use lienthong_model::limits::{
    ACCOUNTS_MAX, PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN, PASSWORD_CHECKS_MAX,
};
use lienthong_model::{AgencyCode, CodeKey, Digest, Reason, Refusal, Signatory};
use parking_lot::{RwLock, RwLockUpgradableReadGuard};
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, MutexGuard, Semaphore};

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
    /// Places for passwords that are hashed.
    hashing: Arc<Semaphore>,
    /// Held by who carries out a change that is in the journal.
    turn: Mutex<()>,
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
        Self::check(password, holder)?;
        let hash = Argon2::default().hash_password(password.as_bytes());
        let hash = hash.map_err(|error| Refusal::at(Reason::FieldInvalid, "password", error))?;
        Ok(Self(hash.to_string()))
    }

    /// Says whether a password would do, without hashing it.
    ///
    /// # Errors
    /// As for [`PasswordProof::of`].
    pub fn check(password: &str, holder: &Signatory) -> Result<(), Refusal> {
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
        Ok(())
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
        Ok(Self {
            folder: folder.to_owned(),
            kept: RwLock::new(kept),
            nobody,
            hashing: Arc::new(Semaphore::new(PASSWORD_CHECKS_MAX)),
            turn: Mutex::default(),
        })
    }

    /// Returns whether nobody has an account.
    pub fn is_empty(&self) -> bool {
        self.kept.read().is_empty()
    }

    /// Returns whose accounts there are, by agency and person.
    pub fn holders(&self) -> Vec<Signatory> {
        self.kept.read().values().map(|kept| kept.holder.clone()).collect()
    }

    /// Returns the mark of the account whose password this is; none when there is no such account,
    /// which takes as long to find, or it has another password. To be called within
    /// [`Accounts::hash`].
    pub(crate) fn proves(&self, holder: &Signatory, password: &str) -> Option<Digest> {
        let hash = self.kept.read().get(&whose(holder)).map(|kept| kept.hash.clone());
        let bytes = password.as_bytes();
        let bytes = bytes.get(..PASSWORD_BYTES_MAX.min(bytes.len())).unwrap_or_default();
        let parsed = PasswordHash::new(hash.as_deref().unwrap_or(&self.nobody));
        let right =
            parsed.is_ok_and(|hash| Argon2::default().verify_password(bytes, &hash).is_ok());
        hash.filter(|_| right && password.len() <= PASSWORD_BYTES_MAX).as_deref().map(mark)
    }

    /// Returns what tells the password of an account from the one before and the one after; none
    /// when there is no account.
    pub(crate) fn mark(&self, holder: &Signatory) -> Option<Digest> {
        self.kept.read().get(&whose(holder)).map(|kept| mark(&kept.hash))
    }

    /// Does something with passwords that hashes them, beside what must not wait: a few are hashed
    /// at a time, and each to its end, whether somebody still waits for it or not.
    ///
    /// # Errors
    /// STOPPED when it ended without a word.
    pub(crate) async fn hash<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        // The semaphore is never closed.
        let place = self.hashing.clone().acquire_owned().await;
        let accounts = self.clone();
        let worked = tokio::task::spawn_blocking(move || {
            let _place = place;
            work(&accounts)
        });
        worked.await.map_err(|_| Refusal::new(Reason::Stopped))
    }

    /// Waits for the turn to carry out a change that is in the journal: one after the other, in the
    /// order in which they come, although a password takes long to hash.
    pub(crate) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
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
        // Held over the writing: of two changes none is lost. Whoever only reads does not wait for
        // the disk.
        let kept = self.kept.upgradable_read();
        let mut changed = kept.clone();
        with(&mut changed);
        let path = self.folder.join(FILE);
        if changed.len() > ACCOUNTS_MAX {
            let why = format!("{} accounts, at most {ACCOUNTS_MAX}", changed.len());
            return Err(AccountsError::Malformed { path, why });
        }
        replace(&self.folder, &path, &written(&changed))
            .map_err(|source| AccountsError::Disk { path, source })?;
        *RwLockUpgradableReadGuard::upgrade(kept) = changed;
        Ok(())
    }
}

fn mark(hash: &str) -> Digest {
    Digest::of(hash.as_bytes())
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
        assert!(read.proves(&an, "một mật khẩu dài").is_some());
        assert_eq!(read.proves(&an, "một mật khẩu dài "), None);
        assert_eq!(read.proves(&person("binh.tran"), "một mật khẩu dài"), None);
        read.remove(&an).unwrap();
        let read = Accounts::open(folder.path()).unwrap();
        assert_eq!(read.proves(&an, "một mật khẩu dài"), None);
    }

    #[test]
    fn every_setting_of_a_password_has_a_mark_of_its_own_and_proving_it_gives_that_mark() {
        let folder = tempfile::tempdir().unwrap();
        let accounts = Accounts::open(folder.path()).unwrap();
        let (an, password) = (person("an.nguyen"), "correct horse battery");
        assert_eq!(accounts.mark(&an), None);
        let mut marks = Vec::new();
        for _ in 0..2 {
            accounts.set(&an, PasswordProof::of(password, &an).unwrap()).unwrap();
            assert_eq!(accounts.proves(&an, password), accounts.mark(&an));
            marks.push(accounts.mark(&an).unwrap());
        }
        assert_ne!(marks[0], marks[1]);
        accounts.remove(&an).unwrap();
        assert_eq!(accounts.mark(&an), None);
    }

    #[tokio::test]
    async fn a_place_for_hashing_comes_back_with_the_end_of_the_work_and_not_with_its_caller() {
        let folder = tempfile::tempdir().unwrap();
        let accounts = Arc::new(Accounts::open(folder.path()).unwrap());
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let (go_on, may_go_on) = std::sync::mpsc::channel::<()>();
        let caller = accounts.clone();
        let calling = tokio::spawn(async move {
            let work = move |_: &Accounts| {
                begun.send(()).unwrap();
                may_go_on.recv()
            };
            drop(caller.hash(work).await);
        });
        has_begun.await.unwrap();
        calling.abort();
        assert!(calling.await.unwrap_err().is_cancelled());
        assert_eq!(accounts.hashing.available_permits(), PASSWORD_CHECKS_MAX - 1);
        drop(go_on);
        drop(accounts.hashing.acquire_many(PASSWORD_CHECKS_MAX as u32).await.unwrap());
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
