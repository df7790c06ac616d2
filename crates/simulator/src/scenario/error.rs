//! What is wrong with a scenario's file, in Vietnamese and in English.

/// The same in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// In Vietnamese.
    pub vi: Box<str>,
    /// In English.
    pub en: Box<str>,
}

impl<V: Into<Box<str>>, E: Into<Box<str>>> From<(V, E)> for Words {
    fn from((vi, en): (V, E)) -> Self {
        Self { vi: vi.into(), en: en.into() }
    }
}

/// A file cannot be read as a scenario. It shows itself in English, and by
/// [`ScenarioError::shown_vi`] in Vietnamese.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{file}`, line {line}: {}", .what.en)]
pub struct ScenarioError {
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The key that it is about; empty when it is about the whole.
    pub key: String,
    /// What is wrong.
    pub what: Words,
    /// What to write instead.
    pub remedy: Words,
}

impl ScenarioError {
    /// Returns file, line and what is wrong in Vietnamese.
    pub fn shown_vi(&self) -> String {
        format!("`{}`, dòng {}: {}", self.file, self.line, self.what.vi)
    }
}
