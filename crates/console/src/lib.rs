//! The operators' pages: built files, embedded. Their source is TypeScript beside this crate
//! (`pages/`); the built files (`dist/`) are kept in the repository, so that cargo alone builds the
//! hub, and a test fails when they are not those of the source.
//!
//! The pages speak to the hub's JSON API and to nothing else; nothing here knows the hub.

/// A file of the pages.
#[derive(Debug, Clone, Copy)]
pub struct File {
    /// Its bytes.
    pub bytes: &'static [u8],
    /// Its media type.
    pub media_type: &'static str,
}

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const JSON: &str = "application/json";
const IMAGE: &str = "image/svg+xml";
const FONT: &str = "font/woff2";

macro_rules! files {
    ($($name:literal: $media_type:ident,)+) => {
        /// The names of all files.
        pub const NAMES: &[&str] = &[$($name),+];

        /// Returns the file with a name; `None` when the pages have none.
        pub fn file(name: &str) -> Option<File> {
            let (bytes, media_type): (&'static [u8], _) = match name {
                $($name => (include_bytes!(concat!("../dist/", $name)), $media_type),)+
                _ => return None,
            };
            Some(File { bytes, media_type })
        }
    };
}

files! {
    "index.html": HTML,
    "console.js": SCRIPT,
    "console.css": STYLE,
    "map.json": JSON,
    "mark.svg": IMAGE,
    "latin-400.woff2": FONT,
    "latin-600.woff2": FONT,
    "latin-ext-400.woff2": FONT,
    "latin-ext-600.woff2": FONT,
    "vietnamese-400.woff2": FONT,
    "vietnamese-600.woff2": FONT,
}
