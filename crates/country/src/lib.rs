//! The administrative directory of Viet Nam with four levels, as entries ready to be imported,
//! and the CSV form in which users bring and take directories of their own.
//!
//! The lists in `data/` are compiled in: nothing is read from disk. The codes of departments,
//! districts and communes are *generated* (they are each province's own decision and published
//! in no list), and the lists show the units of 2023: `data/README.md` says what that means for
//! a scenario in 2020. Nothing here judges whether a directory is coherent; `core` does, when
//! the entries are imported.

// Bytes from outside must never lead to a panic: whoever wants one writes why it cannot happen.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod entries;
mod names;
mod province;
mod rows;
mod table;

pub use entries::{DEPARTMENTS, entries, first_day};
pub use lienthong_model::Region;
pub use province::{CodeEvidence, Province, provinces};
pub use rows::DataError;
pub use table::{COLUMNS, CsvError, CsvFault, FILE_BYTES_MAX, read_csv, write_csv};
