//! The trace: a line for what agencies do and meet, what the hub decides and which faults happen, and
//! the running SHA-256 of all lines.

use std::fmt::{Display, Write as _};
use std::io::Write;

use lienthong_model::{Digest, Digester, Timestamp};

use super::WorldError;

/// Takes lines.
pub(super) struct Trace<'w> {
    digester: Digester,
    out: Option<&'w mut dyn Write>,
    line: String,
}

impl<'w> Trace<'w> {
    /// Makes a trace; without a writer only the digest is kept.
    pub fn new(out: Option<&'w mut dyn Write>) -> Self {
        Self { digester: Digester::default(), out, line: String::new() }
    }

    /// Writes a line: moment, what, and its words.
    pub fn line(
        &mut self,
        at: Timestamp,
        what: &str,
        words: &[&dyn Display],
    ) -> Result<(), WorldError> {
        self.line.clear();
        // Writing to a text does not fail.
        let _ = write!(self.line, "{at} {what}");
        for word in words {
            let _ = write!(self.line, " {word}");
        }
        self.line.push('\n');
        self.digester.update(self.line.as_bytes());
        if let Some(out) = &mut self.out {
            out.write_all(self.line.as_bytes())?;
        }
        Ok(())
    }

    /// Ends it; returns the SHA-256 of all lines.
    pub fn finish(self) -> Result<Digest, WorldError> {
        if let Some(out) = self.out {
            out.flush()?;
        }
        Ok(self.digester.finish())
    }
}
