//! Where the company's directory comes from: a CSV file, an LDAP server, or both. Each is read as a whole, beside
//! everything else the desk does; the rules only ever see the finished [`crate::desk::directory::Directory`].

pub mod csv;
pub mod ldap;

use std::path::Path;

/// A larger file is not read, bytes.
const MOST_BYTES: u64 = 64 << 20;

/// Reads the file.
///
/// # Errors
/// In words: it cannot be read, is too large, or is no table of people.
pub fn read_file(path: &Path) -> Result<csv::Table, String> {
    let about = |what: &dyn std::fmt::Display| format!("cannot read {}: {what}", path.display());
    let size = std::fs::metadata(path).map_err(|error| about(&error))?.len();
    if size > MOST_BYTES {
        return Err(about(&format_args!("it is larger than {} MB", MOST_BYTES >> 20)));
    }
    let bytes = std::fs::read(path).map_err(|error| about(&error))?;
    csv::read(&bytes).map_err(|what| format!("{}:{what}", path.display()))
}
