//! A page of what lies in a folder, in the order of names.

use std::path::PathBuf;

use lienthong_model::limits::{PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX};
use serde::Deserialize;
use serde_json::Value;

use crate::disk::{self, DiskError, Found};

/// Which page is wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listed {
    /// Whose; needed from a gateway.
    pub agency: Option<String>,
    /// Only those behind this name: the last of the page before.
    after: Option<String>,
    limit: Option<usize>,
}

impl Listed {
    /// Reads the page of a folder: of what is `wanted` in it, whatever `read` makes something of.
    pub async fn page(
        self,
        folder: PathBuf,
        wanted: fn(&Found) -> bool,
        read: fn(Found) -> Result<Option<Value>, DiskError>,
    ) -> Result<Vec<Value>, DiskError> {
        let limit = self.limit.unwrap_or(PAGE_SIZE_DEFAULT).clamp(1, PAGE_SIZE_MAX);
        disk::aside(move || {
            let after = |name: &str| self.after.as_deref().is_none_or(|after| name > after);
            let found = disk::complete(&folder)?.into_iter();
            let page = found.filter(|one| wanted(one) && after(&one.name)).take(limit);
            page.filter_map(|one| read(one).transpose()).collect()
        })
        .await
    }
}

/// Reads a file that holds a JSON object of at most `bytes_max`, and adds a member to it; nothing
/// where there is no such file.
pub(super) fn object(
    path: &std::path::Path,
    bytes_max: u64,
    (member, value): (&str, String),
) -> Result<Option<Value>, DiskError> {
    let bytes = disk::read(path, bytes_max)?;
    let object = bytes.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    Ok(object.filter(Value::is_object).map(|mut object| {
        object[member] = Value::String(value);
        object
    }))
}
