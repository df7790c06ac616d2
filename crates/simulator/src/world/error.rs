//! Why a scenario cannot be played.

use lienthong_core::engine::EngineError;
use lienthong_model::AgencyCode;
use lienthong_pki::IssueError;

use super::{DOCUMENTS_MAX, EVENTS_MAX};
use crate::scenario::Words;

/// Why a scenario cannot be played. It shows itself in English; what lies with the scenario is said
/// in both languages by [`WorldError::words`].
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// The directory lacks codes or regions that the scenario names.
    #[error("the directory does not have {}", .0.join(", "))]
    Unknown(Vec<String>),
    /// Nobody takes part.
    #[error("no agency of the directory takes part")]
    Nobody,
    /// Nobody who takes part has a part that a table gives.
    #[error("the [[{}]] on line {line} has nobody {role}", .role.table())]
    NobodyIn {
        /// Its line.
        line: usize,
        /// The part.
        role: Role,
    },
    /// A province that is none.
    #[error("the [[{table}]] on line {line} names `{code}`, which is no province")]
    NoProvince {
        /// The table that names it.
        table: &'static str,
        /// Its line.
        line: usize,
        /// What it names.
        code: AgencyCode,
    },
    /// More documents than can be played to the end.
    #[error("{documents} documents, at most {DOCUMENTS_MAX}: most of [[traffic]] on line {line}")]
    TooMany {
        /// How many, about.
        documents: u64,
        /// The line of the traffic that writes most of them.
        line: usize,
    },
    /// A certificate cannot be made.
    #[error("cannot make a certificate: {0}")]
    Issue(#[from] IssueError),
    /// A signer cannot be made.
    #[error("cannot sign: {0}")]
    Signer(#[from] lienthong_client::SignerError),
    /// The hub's engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// An act of administration was refused.
    #[error("the hub refuses what it is set up with: {0}")]
    SetUp(String),
    /// The trace cannot be written.
    #[error("cannot write the trace: {0}")]
    Trace(#[from] std::io::Error),
    /// There is no room for rows that leave memory.
    #[error("cannot make a folder for what leaves memory: {0}")]
    Folder(std::io::Error),
    /// The hub of a live world cannot be reached, started or stopped.
    #[error(transparent)]
    Live(#[from] crate::live::LiveError),
    /// It does not come to an end.
    #[error("more than {EVENTS_MAX} events")]
    Endless,
}

/// A part in a scenario for which somebody must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Whoever writes.
    Writer,
    /// Whoever is written to.
    Addressee,
    /// Whoever answers; of several tables the first that holds an agency decides.
    Clerk,
    /// Whoever a fault hits.
    Struck,
    /// The other end of a link that a fault hits.
    OtherEnd,
}

impl Role {
    /// Returns the table that gives the part.
    pub const fn table(self) -> &'static str {
        match self {
            Self::Writer | Self::Addressee => "traffic",
            Self::Clerk => "answers",
            Self::Struck | Self::OtherEnd => "fault",
        }
    }

    /// What a table without it is like, in Vietnamese.
    const fn nobody_vi(self) -> &'static str {
        match self {
            Self::Writer => "không có cơ quan nào gửi",
            Self::Addressee => "không có cơ quan nào nhận",
            Self::Clerk => "không có cơ quan nào trả lời theo",
            Self::Struck => "không tác động đến cơ quan nào",
            Self::OtherEnd => "không có cơ quan nào ở đầu kia",
        }
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Writer => "to write",
            Self::Addressee => "to write to",
            Self::Clerk => "to answer",
            Self::Struck => "to hit",
            Self::OtherEnd => "at its other end",
        })
    }
}

impl WorldError {
    /// Returns what is wrong with the scenario, and what to do about it; none when the reason lies
    /// elsewhere.
    pub fn words(&self) -> Option<(Words, Words)> {
        let (vi, remedy) = match self {
            Self::Unknown(unknown) => {
                (format!("danh bạ không có {}", unknown.join(", ")), remedy_of_unknown())
            }
            Self::NoProvince { table, line, code } => (
                format!("[[{table}]] ở dòng {line} nêu `{code}`, không phải là tỉnh"),
                remedy_of_no_province(),
            ),
            Self::Nobody => {
                ("không cơ quan nào của danh bạ tham gia".to_owned(), remedy_of_unknown())
            }
            Self::NobodyIn { line, role } => {
                let (table, nobody) = (role.table(), role.nobody_vi());
                (format!("[[{table}]] ở dòng {line} {nobody}"), remedy_of_nobody(table))
            }
            Self::TooMany { documents, line } => (
                format!(
                    "có {documents} văn bản, tối đa {DOCUMENTS_MAX}; nhiều nhất là [[traffic]] ở \
                     dòng {line}"
                ),
                remedy_of_too_much(),
            ),
            Self::Endless => (format!("quá {EVENTS_MAX} sự kiện"), remedy_of_too_much()),
            Self::Issue(_)
            | Self::Signer(_)
            | Self::Engine(_)
            | Self::SetUp(_)
            | Self::Trace(_)
            | Self::Folder(_)
            | Self::Live(_) => return None,
        };
        Some((Words::from((vi, self.to_string())), remedy))
    }
}

fn remedy_of_unknown() -> Words {
    Words::from(("xem `lienthong directory list`", "see `lienthong directory list`"))
}

fn remedy_of_no_province() -> Words {
    Words::from((
        "ghi mã tỉnh, ví dụ H36; mã cơ quan ghi ở `agencies`: xem `lienthong directory list`",
        "write a province's code, such as H36; an agency's stands in `agencies`: see `lienthong \
         directory list`",
    ))
}

fn remedy_of_nobody(table: &str) -> Words {
    Words::from((
        format!(
            "nêu cơ quan có tham gia theo [[agencies]] (với trục thật: cả --agencies), hoặc bỏ \
             [[{table}]]: xem `lienthong sim describe`"
        ),
        format!(
            "name agencies that take part by an [[agencies]] (live: by --agencies, too), or take \
             the [[{table}]] out: see `lienthong sim describe`"
        ),
    ))
}

fn remedy_of_too_much() -> Words {
    Words::from((
        "giảm documents-per-day, số ngày hoặc fan-out",
        "write a smaller documents-per-day, fewer days or a smaller fan-out",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_with_the_scenario_is_said_in_both_languages_with_a_remedy() {
        let code = AgencyCode::parse("H36.01").unwrap();
        let errors = [
            WorldError::Unknown(vec!["H99".to_owned()]),
            WorldError::Nobody,
            WorldError::NobodyIn { line: 7, role: Role::Struck },
            WorldError::NoProvince { table: "agencies", line: 7, code },
            WorldError::TooMany { documents: 300_000_000, line: 7 },
            WorldError::Endless,
        ];
        for error in errors {
            let (what, remedy) = error.words().unwrap();
            assert_eq!(*what.en, *error.to_string());
            assert_ne!(what.vi, what.en);
            assert!(!remedy.vi.is_empty() && remedy.vi != remedy.en, "{remedy:?}");
        }
        let full = WorldError::Trace(std::io::Error::other("the disk is full"));
        assert_eq!(full.words(), None, "no scenario is to blame");
    }
}
