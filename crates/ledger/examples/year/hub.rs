//! The hub of the measurement: a data folder, and the way of a block from its decisions on.

use std::path::Path;
use std::sync::Arc;

use lienthong_core::engine::Journal as _;
use lienthong_core::*;
use lienthong_ledger::{DataFolder, JournalBlocks, JournalFiles, PayloadFiles, SledState};
use lienthong_model::{AgencyCode, AgencyEntry, AgencyState, Level, SignaturePolicy, Timestamp};

pub struct Hub {
    pub machine: Machine<SledState, Arc<PayloadFiles>>,
    journal: JournalFiles,
    pub blocks: JournalBlocks,
    pub state: Arc<SledState>,
}

impl Hub {
    pub fn open(folder: &Path) -> Self {
        let opened = DataFolder::open(folder).unwrap();
        let (state, payloads) = (Arc::new(opened.state), Arc::new(opened.payloads));
        let opening = Opening { state: state.clone(), payloads };
        let mut machine = Machine::open(opening).unwrap();
        for sealed in opened.blocks.replay(opened.replay_from) {
            machine.replay(&sealed.unwrap()).unwrap();
        }
        machine.cut().unwrap();
        std::mem::forget(opened.lock);
        Self { machine, journal: opened.journal, blocks: opened.blocks, state }
    }

    /// What the hub owes itself, then entries, each in a block of its own.
    pub fn order(&mut self, now: Timestamp, entries: Vec<Entry>) {
        self.machine.begin(now);
        for _ in 0..64 {
            let Some(work) = self.machine.next_work() else { break };
            self.machine.decide(Proposal::Work(work)).unwrap();
        }
        if let Some(sealed) = self.machine.seal() {
            self.journal.propose(&sealed).unwrap();
            self.journal.read_ordered().unwrap();
            self.machine.commit().unwrap();
        }
        if entries.is_empty() {
            return;
        }
        let last = self.machine.last();
        let block = Block {
            number: last.block + 1,
            time: now,
            previous: last.hash,
            rules: RULES_VERSION,
            entries,
            clock_ahead_ms: 300_000,
        };
        let sealed = block.seal();
        self.journal.propose(&sealed).unwrap();
        self.journal.read_ordered().unwrap();
        self.machine.replay(&sealed).unwrap();
    }

    pub fn found_country(&mut self, now: Timestamp) -> Vec<AgencyCode> {
        let code = |text: String| AgencyCode::parse(&text).unwrap();
        let mut entries = Vec::new();
        let mut add = |text: String, level: Level, province: Option<AgencyCode>| {
            entries.push(AgencyEntry {
                parent: text.rsplit_once('.').map(|(above, _)| code(above.to_owned())),
                name: format!("Cơ quan {text}"),
                code: code(text),
                level,
                province,
                from: Timestamp::parse("2020-01-01").unwrap().day(),
                until: None,
                state: AgencyState::Connected,
                policy: SignaturePolicy::Required,
                gateway: None,
            });
        };
        for province in 1..=63 {
            let name = format!("H{province:02}");
            let own = Some(code(name.clone()));
            add(name.clone(), Level::Province, own.clone());
            for district in 1..=11 {
                add(format!("{name}.{district:02}"), Level::District, own.clone());
                for commune in 1..=15 {
                    let name = format!("{name}.{district:02}.{commune:02}");
                    add(name, Level::Commune, own.clone());
                }
            }
        }
        let codes = entries.iter().map(|entry| entry.code.clone()).collect();
        for some in entries.chunks(400) {
            self.machine.begin(now);
            let act = Command::ChangeDirectory(some.to_vec());
            assert_eq!(self.machine.decide(Proposal::Administer(act)).unwrap(), Decision::Done);
            let sealed = self.machine.seal().unwrap();
            self.journal.propose(&sealed).unwrap();
            self.journal.read_ordered().unwrap();
            self.machine.commit().unwrap();
        }
        codes
    }
}
