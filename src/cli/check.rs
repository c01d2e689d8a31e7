//! `maildesk check`: every fault of the configuration, or what it amounts to.

use super::{Failure, load};
use crate::config::Config;
use std::io::Write;
use std::path::Path;

/// Reads the configuration; says on `out` what it amounts to, and on `notes` what is probably not meant.
///
/// # Errors
/// [`Failure::Usage`] with every fault as `file:line: key: message`.
pub fn check(file: &Path, out: &mut impl Write, notes: &mut impl Write) -> Result<(), Failure> {
    let config = load(file)?;
    for warning in &config.warnings {
        writeln!(notes, "{warning} (warning)")?;
    }
    writeln!(out, "{}: no faults; {}", file.display(), summary(&config))?;
    Ok(())
}

fn summary(config: &Config) -> String {
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let holidays = match config.calendar.years_known().last() {
        Some(year) => format!("public holidays known up to {year}"),
        None => "no public holidays".into(),
    };
    let (mailboxes, engineers) = (count(config.mailboxes.len(), "mailbox"), count(config.engineers.len(), "engineer"));
    format!("{}, {engineers}, {holidays}", mailboxes.replace("boxs", "boxes"))
}
