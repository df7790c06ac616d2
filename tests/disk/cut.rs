//! What a power cut may leave on the disk, made from a record.
//!
//! A disk keeps for certain what was synced: of a file what was done to it before a sync of it
//! began that has ended; of a folder the names in it, likewise. Of everything later it keeps what
//! it likes: each sector of each write, each length, each change of a name, for itself and in any
//! order. What a file grew by and did not get reads as zeros, or as whatever lay there. A rename is
//! there or not, in both folders. `sync_file_range` promises nothing.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use rand::seq::IndexedRandom as _;
use rand::{Rng, RngExt as _};

use crate::record::{Event, What};

/// What a disk writes whole or not at all.
const SECTOR: u64 = 512;
/// Where the recorded folder is among the nodes.
const ROOT: usize = 0;

/// Every state that a disk can have had.
pub struct Disk<'e> {
    nodes: Vec<Node<'e>>,
    names: Vec<Named>,
    events: usize,
}

/// A file or folder.
enum Node<'e> {
    File(Vec<Done<'e>>),
    Folder(BTreeMap<String, usize>),
}

/// Something done to a file.
struct Done<'e> {
    at: usize,
    change: Change<'e>,
    kept: Kept,
}

#[derive(Clone, Copy)]
enum Change<'e> {
    Write { offset: u64, bytes: &'e [u8] },
    Length(u64),
}

/// A change of names: what each entry is from then on. One rename sets two.
struct Named {
    at: usize,
    sets: Vec<(usize, String, Option<usize>)>,
    kept: Kept,
}

/// From which event on something is on disk for certain.
#[derive(Clone, Copy, Default)]
struct Kept {
    from: Option<usize>,
    /// A sync of it failed: a later one does nothing for it, since its pages are clean.
    given_up: bool,
}

/// What of the changes that were not synced a disk keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// Nothing.
    Nothing,
    /// Everything, as after the death of a process.
    Everything,
    /// Each for itself, sector by sector, in so many of 100 cases.
    Some(u32),
    /// All names, and nothing else.
    Names,
    /// What was done to each file up to some moment, the last write torn.
    Prefix,
}

impl Memory {
    /// Chooses one.
    pub fn choose(rng: &mut impl Rng) -> Self {
        let some = Self::Some(*[10, 50, 90, 98].choose(rng).unwrap());
        let all = [Self::Nothing, Self::Everything, some, some, Self::Names, Self::Prefix];
        *all.choose(rng).unwrap()
    }
}

impl<'e> Disk<'e> {
    /// Reads a record; syncs of the paths that `deaf` names are taken for not done.
    pub fn of(events: &'e [Event], deaf: impl Fn(&str) -> bool) -> Self {
        let mut disk = Self {
            nodes: vec![Node::Folder(BTreeMap::new())],
            names: Vec::new(),
            events: events.len(),
        };
        let mut syncs = HashMap::new();
        for (at, event) in events.iter().enumerate() {
            match &event.what {
                What::Sync { path, token } if !deaf(path) => {
                    if let Some(node) = disk.find(path) {
                        syncs.insert(*token, (node, at));
                    }
                }
                What::Synced { token, failed } => {
                    if let Some((node, began)) = syncs.remove(token) {
                        disk.synced(node, began, at, *failed);
                    }
                }
                other => disk.change(at, other),
            }
        }
        disk
    }

    /// How many moments there are at which the power can be cut: before each event and at the end.
    pub fn cuts(&self) -> usize {
        self.events + 1
    }

    /// Writes what a cut before an event leaves into an empty folder.
    pub fn leave(&self, cut: usize, memory: Memory, rng: &mut impl Rng, into: &Path) {
        let mut folders: HashMap<usize, BTreeMap<&str, usize>> = HashMap::new();
        for named in self.names.iter().take_while(|named| named.at < cut) {
            let kept = named.kept.by(cut)
                || match memory {
                    Memory::Nothing => false,
                    Memory::Everything | Memory::Names => true,
                    Memory::Some(percent) => rng.random_ratio(percent, 100),
                    Memory::Prefix => rng.random_ratio(9, 10),
                };
            for (folder, name, node) in named.sets.iter().filter(|_| kept) {
                let names = folders.entry(*folder).or_default();
                match node {
                    Some(node) => drop(names.insert(name, *node)),
                    None => drop(names.remove(&**name)),
                }
            }
        }
        self.put(ROOT, &folders, into, &mut |done| content(done, cut, memory, rng));
    }

    fn put(
        &self,
        folder: usize,
        folders: &HashMap<usize, BTreeMap<&str, usize>>,
        into: &Path,
        content: &mut impl FnMut(&[Done<'e>]) -> Vec<u8>,
    ) {
        for (name, node) in folders.get(&folder).into_iter().flatten() {
            let path = into.join(name);
            match &self.nodes[*node] {
                Node::File(done) => sparse(&path, &content(done)),
                Node::Folder(_) => {
                    std::fs::create_dir(&path).unwrap();
                    self.put(*node, folders, &path, content);
                }
            }
        }
    }

    /// Takes in a change.
    fn change(&mut self, at: usize, what: &'e What) {
        match what {
            What::Create(path) => self.make(at, path, Node::File(Vec::new())),
            What::MakeFolder(path) => self.make(at, path, Node::Folder(BTreeMap::new())),
            What::Write { path, offset, bytes } => {
                self.done(at, path, Change::Write { offset: *offset, bytes });
            }
            What::Length { path, bytes } => self.done(at, path, Change::Length(*bytes)),
            What::Rename { from, to } => {
                let node = self.find(from);
                self.name(at, &[(from, None), (to, node)]);
            }
            What::Link { from, to } => {
                let node = self.find(from);
                self.name(at, &[(to, node)]);
            }
            What::Unlink(path) | What::RemoveFolder(path) => self.name(at, &[(path, None)]),
            What::Sync { .. } | What::Synced { .. } | What::Range(_) => {}
        }
    }

    fn make(&mut self, at: usize, path: &str, node: Node<'e>) {
        self.nodes.push(node);
        self.name(at, &[(path, Some(self.nodes.len() - 1))]);
    }

    /// What is done to a file that has no name any more cannot matter.
    fn done(&mut self, at: usize, path: &str, change: Change<'e>) {
        if let Some(node) = self.find(path)
            && let Node::File(done) = &mut self.nodes[node]
        {
            done.push(Done { at, change, kept: Kept::default() });
        }
    }

    fn name(&mut self, at: usize, sets: &[(&str, Option<usize>)]) {
        let sets = sets.iter().map(|(path, node)| {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            let folder = self.find(folder).unwrap_or_else(|| panic!("no folder for `{path}`"));
            (folder, name.to_owned(), *node)
        });
        let sets: Vec<_> = sets.collect();
        for (folder, name, node) in &sets {
            let Node::Folder(names) = &mut self.nodes[*folder] else {
                panic!("`{name}` in a file")
            };
            match node {
                Some(node) => drop(names.insert(name.clone(), *node)),
                None => drop(names.remove(name)),
            }
        }
        self.names.push(Named { at, sets, kept: Kept::default() });
    }

    fn find(&self, path: &str) -> Option<usize> {
        path.split('/').filter(|part| !part.is_empty()).try_fold(ROOT, |folder, name| {
            let Node::Folder(names) = &self.nodes[folder] else { return None };
            names.get(name).copied()
        })
    }

    /// A sync has ended.
    fn synced(&mut self, node: usize, began: usize, at: usize, failed: bool) {
        match &mut self.nodes[node] {
            Node::File(done) => done
                .iter_mut()
                .filter(|done| done.at < began)
                .for_each(|done| done.kept.end(at, failed)),
            Node::Folder(_) => self
                .names
                .iter_mut()
                .filter(|named| named.at < began)
                .filter(|named| named.sets.iter().any(|(folder, ..)| *folder == node))
                .for_each(|named| named.kept.end(at, failed)),
        }
    }
}

impl Kept {
    fn end(&mut self, at: usize, failed: bool) {
        if self.from.is_none() && !self.given_up {
            self.given_up = failed;
            self.from = (!failed).then_some(at);
        }
    }

    /// Whether it is on disk at a cut.
    fn by(&self, cut: usize) -> bool {
        self.from.is_some_and(|from| from < cut)
    }
}

/// What a file holds after a cut.
fn content(done: &[Done<'_>], cut: usize, memory: Memory, rng: &mut impl Rng) -> Vec<u8> {
    let before = done.iter().take_while(|done| done.at < cut).count();
    let until = rng.random_range(0..=before);
    let mut bytes = Vec::new();
    for (number, one) in done.iter().take(before).enumerate() {
        let (whole, sectors) = match memory {
            _ if one.kept.by(cut) => (true, 0),
            Memory::Everything => (true, 0),
            Memory::Nothing | Memory::Names => (false, 0),
            Memory::Some(percent) => (false, percent),
            Memory::Prefix => (number < until, if number == until { 50 } else { 0 }),
        };
        match one.change {
            Change::Length(length) if whole || rng.random_ratio(sectors, 100) => {
                bytes.resize(length as usize, 0);
            }
            Change::Length(_) => {}
            Change::Write { offset, bytes: written } if whole => {
                write(&mut bytes, offset, written);
            }
            Change::Write { offset, bytes: written } => {
                tear(&mut bytes, offset, written, sectors, rng);
            }
        }
    }
    bytes
}

fn write(bytes: &mut Vec<u8>, offset: u64, written: &[u8]) {
    let (start, end) = (offset as usize, offset as usize + written.len());
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[start..end].copy_from_slice(written);
}

/// Writes each sector in so many of 100 cases. Now and then the file grows by what it did not get,
/// and has zeros or other bytes there.
fn tear(bytes: &mut Vec<u8>, offset: u64, written: &[u8], percent: u32, rng: &mut impl Rng) {
    if percent == 0 {
        return;
    }
    let end = offset as usize + written.len();
    if bytes.len() < end && rng.random_ratio(1, 4) {
        let other = if rng.random_ratio(1, 2) { 0 } else { rng.random() };
        bytes.resize(end, other);
    }
    let mut at = 0;
    while at < written.len() {
        let sector_end = SECTOR - (offset + at as u64) % SECTOR;
        let next = written.len().min(at + sector_end as usize);
        if rng.random_ratio(percent, 100) {
            write(bytes, offset + at as u64, &written[at..next]);
        }
        at = next;
    }
}

/// Writes a file and leaves runs of zeros out: sled's files are mostly that.
pub fn sparse(path: &Path, bytes: &[u8]) {
    use std::os::unix::fs::FileExt as _;
    let file = std::fs::File::create(path).unwrap();
    file.set_len(bytes.len() as u64).unwrap();
    for (number, page) in bytes.chunks(4096).enumerate() {
        if page.iter().any(|byte| *byte != 0) {
            file.write_all_at(page, number as u64 * 4096).unwrap();
        }
    }
}
