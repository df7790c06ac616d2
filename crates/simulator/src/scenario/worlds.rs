//! Which world has what: a fault or a measure that a world does not have is refused before anything
//! is played.

use super::{FaultKind, Measure, Scenario, Words};

/// Where a scenario is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On `core`, in virtual time.
    Virtual,
    /// With real clients, on a hub of the scenario's own.
    OwnHub,
    /// With real clients, on a hub that runs already.
    RunningHub,
}

/// Something that a world does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The line of the file.
    pub line: usize,
    /// What it is.
    pub what: Words,
    /// What to do instead.
    pub remedy: Words,
}

impl FaultKind {
    /// Returns whether a world has it.
    pub const fn happens_in(self, place: Place) -> bool {
        match self {
            // Done by the agency itself, or to its network.
            Self::AcknowledgementLost
            | Self::Delay
            | Self::DuplicateSubmission
            | Self::Reorder
            | Self::UploadCut
            | Self::ContentChanged
            | Self::CertificateWrong
            | Self::CertificateExpired
            | Self::ClockOff
            | Self::SlowReader
            | Self::NodeOff => true,
            // Done to the hub, or told to it.
            Self::CertificateRevoked
            | Self::HubKilled
            | Self::DiskFull
            | Self::RevocationListLate => !matches!(place, Place::RunningHub),
        }
    }
}

impl Measure {
    /// Returns whether a world tells it.
    pub const fn is_told_in(self, place: Place) -> bool {
        match self {
            Self::Replies | Self::ResumedUploads | Self::LostBlocks => {
                matches!(place, Place::Virtual)
            }
            _ => true,
        }
    }
}

impl Scenario {
    /// Returns what of the scenario a world does not have, in the order of its lines.
    pub fn missing_in(&self, place: Place) -> Vec<Missing> {
        let faults = self.faults.iter().filter(|fault| !fault.kind.happens_in(place));
        let faults = faults.map(|fault| Missing {
            line: fault.line,
            what: Words::from((
                format!("ở đó không có `{}`", fault.kind.name()),
                format!("`{}` does not happen there", fault.kind.name()),
            )),
            remedy: Words::from(match place {
                Place::RunningHub => (
                    "bỏ --hub: trên trục riêng của kịch bản thì có; hoặc bỏ [[fault]]",
                    "leave --hub out: on a hub of its own it happens; or take the [[fault]] out",
                ),
                Place::OwnHub | Place::Virtual => (
                    "chạy với --world virtual, hoặc bỏ [[fault]]",
                    "play it with --world virtual, or take the [[fault]] out",
                ),
            }),
        });
        let expects = self.expects.iter().filter(|expect| !expect.measure.is_told_in(place));
        let expects = expects.map(|expect| Missing {
            line: expect.line,
            what: Words::from((
                format!("trục thật không cho biết `{}`", expect.measure.name()),
                format!("a live hub does not tell `{}`", expect.measure.name()),
            )),
            remedy: Words::from((
                "chạy với --world virtual, hoặc bỏ [[expect]]",
                "play it with --world virtual, or take the [[expect]] out",
            )),
        });
        let mut missing: Vec<Missing> = faults.chain(expects).collect();
        missing.sort_by_key(|one| one.line);
        missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_world_does_not_have_is_named_with_its_line() {
        let text = "[scenario]\nname = \"x\"\ntitle = \"X\"\nfrom = 2020-11-16\n\
                    until = 2020-11-17\n[[agencies]]\n[[traffic]]\ndocuments-per-day = 3\n\
                    [[fault]]\nkind = \"hub-killed\"\nuntil = 2020-11-16T10:00:00\n\
                    [[expect]]\nmeasure = \"replies\"\nat-least = 1\n";
        let scenario = Scenario::parse("x.toml", text).unwrap();
        let lines = |place| -> Vec<usize> {
            scenario.missing_in(place).into_iter().map(|one| one.line).collect()
        };
        assert_eq!(lines(Place::Virtual), [] as [usize; 0]);
        assert_eq!(lines(Place::OwnHub), [12]);
        assert_eq!(lines(Place::RunningHub), [9, 12]);
        let Missing { what, remedy, .. } = &scenario.missing_in(Place::RunningHub)[0];
        assert_eq!(&*what.vi, "ở đó không có `hub-killed`");
        assert!(remedy.vi.contains("bỏ --hub") && remedy.en.contains("leave --hub out"));
    }
}
