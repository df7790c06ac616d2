//! Revocation lists that are read from files: when the hub starts, and again while it runs, so that
//! whoever fetches a new list need only put it there.
//!
//! A path is a file, or a folder of which every `*.crl`, `*.pem` and `*.der` is read. A file holds
//! one list in DER, or any number in PEM. What cannot be read is logged once and tried again; the
//! hub runs on with the lists that it has.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use lienthong_model::Digest;
use lienthong_model::limits::{LIST_FILES_EVERY, LIST_FILES_MAX, REVOCATION_LIST_BYTES_MAX};
use rustls::pki_types::CertificateRevocationListDer;
use rustls::pki_types::pem::PemObject as _;

use crate::administration::{Administration, ListOutcome};

/// The endings of files that are read in a folder.
const ENDINGS: [&str; 3] = ["crl", "pem", "der"];
/// Longest file: the largest list in PEM.
const FILE_BYTES_MAX: u64 = 2 * REVOCATION_LIST_BYTES_MAX as u64;

/// Where revocation lists are read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListFiles {
    /// Files and folders.
    pub paths: Vec<PathBuf>,
    /// How often they are read again while the hub runs, in machine time; default 30 s. Too short
    /// costs reading, too long leaves a revoked certificate good for so long.
    pub every: Duration,
}

/// What a reading of the files found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListsRead {
    /// Files with a list that is in force now.
    pub entered: Vec<PathBuf>,
    /// Files with nothing newer than what is in force.
    pub unchanged: usize,
    /// Files that could not be used, and why.
    pub failed: Vec<(PathBuf, String)>,
}

/// Reads the files again and again.
pub(crate) struct ListReader {
    files: ListFiles,
    administration: Administration,
    seen: HashMap<PathBuf, Seen>,
}

/// What was found in a file last.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Seen {
    /// Its bytes are in force or older than what is.
    Settled(Digest),
    /// It could not be used.
    Failed(String),
}

impl Default for ListFiles {
    fn default() -> Self {
        Self { paths: Vec::new(), every: LIST_FILES_EVERY }
    }
}

impl ListFiles {
    /// Returns the lists of every file, in DER, with the file that each is in.
    ///
    /// # Errors
    /// The path that cannot be read, and why.
    pub(crate) fn read_all(&self) -> Result<Vec<(PathBuf, Bytes)>, (PathBuf, String)> {
        let mut lists = Vec::new();
        for path in self.files()? {
            let bytes = read(&path).map_err(|why| (path.clone(), why))?;
            let found = split(&bytes).map_err(|why| (path.clone(), why))?;
            lists.extend(found.into_iter().map(|list| (path.clone(), list)));
        }
        Ok(lists)
    }

    /// Every file, those of folders by name.
    fn files(&self) -> Result<Vec<PathBuf>, (PathBuf, String)> {
        let mut files = Vec::new();
        for path in &self.paths {
            if !path.is_dir() {
                files.push(path.clone());
                continue;
            }
            let failed = |error: std::io::Error| (path.clone(), error.to_string());
            let mut within = Vec::new();
            for entry in std::fs::read_dir(path).map_err(failed)? {
                let file = entry.map_err(failed)?.path();
                let ending = file.extension().and_then(|ending| ending.to_str());
                if ending.is_some_and(|ending| ENDINGS.contains(&ending)) && file.is_file() {
                    within.push(file);
                }
            }
            within.sort();
            files.extend(within);
        }
        match files.get(LIST_FILES_MAX) {
            None => Ok(files),
            Some(over) => Err((over.clone(), format!("more than {LIST_FILES_MAX} files"))),
        }
    }
}

impl ListReader {
    pub fn new(files: ListFiles, administration: Administration) -> Self {
        Self { files, administration, seen: HashMap::new() }
    }

    /// How often to read.
    pub const fn every(&self) -> Duration {
        self.files.every
    }

    /// Reads every file and puts what is newer in force.
    pub async fn read(&mut self) -> ListsRead {
        let mut found = ListsRead::default();
        let files = self.files.clone();
        let listed = tokio::task::spawn_blocking(move || files.files()).await;
        let files = match listed.unwrap_or_else(|error| Err((PathBuf::new(), error.to_string()))) {
            Ok(files) => files,
            Err((path, why)) => {
                self.failed(path, why, &mut found);
                return found;
            }
        };
        self.seen.retain(|path, _| files.contains(path));
        for path in files {
            match self.file(&path).await {
                Ok(true) => found.entered.push(path),
                Ok(false) => found.unchanged += 1,
                Err(why) => self.failed(path, why, &mut found),
            }
        }
        found
    }

    /// Reads one file; whether a list of it is in force now that was not before.
    async fn file(&mut self, path: &Path) -> Result<bool, String> {
        let of = path.to_owned();
        let read = tokio::task::spawn_blocking(move || {
            let bytes = read(&of)?;
            let digest = Digest::of(&bytes);
            Ok((bytes, digest))
        });
        let read: Result<_, String> = read.await.map_err(|error| error.to_string())?;
        let (bytes, digest) = read?;
        if self.seen.get(path) == Some(&Seen::Settled(digest)) {
            return Ok(false);
        }
        let mut entered = false;
        for list in split(&bytes)? {
            let outcome = self.administration.add_revocation_list(None, list).await;
            match outcome.map_err(|refusal| refusal.to_string())? {
                ListOutcome::InForce(at) => {
                    tracing::info!(path = %path.display(), %at, "a revocation list is in force");
                    entered = true;
                }
                ListOutcome::NotNewer => {}
            }
        }
        self.seen.insert(path.to_owned(), Seen::Settled(digest));
        Ok(entered)
    }

    /// Logs what is wrong with a file, once for each thing.
    fn failed(&mut self, path: PathBuf, why: String, found: &mut ListsRead) {
        let failed = Seen::Failed(why.clone());
        if self.seen.get(&path) != Some(&failed) {
            tracing::warn!(
                path = %path.display(),
                %why,
                "a revocation list is not used; put a complete list there, in PEM or DER, of an \
                 issuer that the hub knows: it is read again by itself"
            );
            self.seen.insert(path.clone(), failed);
        }
        found.failed.push((path, why));
    }
}

/// Reads a file of bounded length.
fn read(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| format!("cannot be opened: {error}"))?;
    file.take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(format!("has more than {FILE_BYTES_MAX} bytes"));
    }
    Ok(bytes)
}

/// The lists of a file, in DER.
fn split(bytes: &[u8]) -> Result<Vec<Bytes>, String> {
    if !bytes.starts_with(b"-----BEGIN") && !contains(bytes, b"\n-----BEGIN") {
        return Ok(vec![Bytes::copy_from_slice(bytes)]);
    }
    let lists: Vec<Bytes> = CertificateRevocationListDer::pem_slice_iter(bytes)
        .map(|list| list.map(|list| Bytes::copy_from_slice(&list)))
        .collect::<Result<_, _>>()
        .map_err(|error| format!("is not PEM: {error}"))?;
    match lists.is_empty() {
        true => Err("has no revocation list".to_owned()),
        false => Ok(lists),
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_means_the_lists_in_it_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.crl", "a.pem", "c.der", "issuing.crl.new", "README", "key"] {
            std::fs::write(folder.path().join(name), b"x").unwrap();
        }
        std::fs::create_dir(folder.path().join("d.crl")).unwrap();
        let alone = folder.path().join("README");
        let paths = vec![folder.path().to_owned(), alone.clone()];
        let files = ListFiles { paths, ..ListFiles::default() }.files().unwrap();
        let names = ["a.pem", "b.crl", "c.der", "README"].map(|name| folder.path().join(name));
        assert_eq!(files, names);
    }

    #[test]
    fn text_is_split_into_its_lists_and_bytes_are_one() {
        assert_eq!(split(&[0x30, 0]).unwrap(), [Bytes::from_static(&[0x30, 0])]);
        let list = "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n";
        let text = format!("first\n{list}{list}");
        let both = split(text.as_bytes()).unwrap();
        assert_eq!(both, [Bytes::from_static(&[0x30, 0]), Bytes::from_static(&[0x30, 0])]);
        let other = list.replace("X509 CRL", "CERTIFICATE");
        assert_eq!(split(other.as_bytes()), Err("has no revocation list".to_owned()));
        assert!(split(b"-----BEGIN X509 CRL-----\n!\n").is_err());
    }
}
