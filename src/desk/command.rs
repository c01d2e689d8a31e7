//! The command language engineers write at the top of a reply (`design.md` 5.3).

/// A line of the message's top that looks like a command: `#word value`, unchecked.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct CommandLine {
    /// The word as written, without `#`.
    pub word: String,
    /// The rest of the line, trimmed.
    pub value: String,
}
