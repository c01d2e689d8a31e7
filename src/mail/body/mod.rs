//! Separates the new text from the quoted history and the signature.

use crate::desk::command::CommandLine;
use crate::desk::inbound::Body;

/// What the body of a message says.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// The new text only.
    pub body: Body,
    /// Everything, quote and signature too.
    pub full_text: String,
    /// Leading `#word` lines of the new text.
    pub commands: Vec<CommandLine>,
    /// The new text below them.
    pub after_commands: Body,
    /// A quoted history was found.
    pub has_quote: bool,
    /// The new text is, or contains, a message that was passed on.
    pub has_forward: bool,
}

/// Reads the decoded text and HTML alternatives of a message; either may be missing.
pub fn read(plain: Option<&str>, html: Option<&str>) -> Reading {
    let full_text = plain.or(html).unwrap_or("").to_owned();
    let body = Body { text: full_text.clone(), html: None };
    Reading { full_text, after_commands: body.clone(), body, ..Reading::default() }
}
