//! Lines: the common form in which text and HTML bodies are judged.

use std::borrow::Cow;

/// What an HTML marker says about the place where it stands (`domain.md` 1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Mark {
    #[default]
    None,
    /// From here on everything is history.
    Cut,
    /// From here on a message that was passed on.
    Forward,
}

/// Where a line stands in the HTML.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Place {
    /// Inside an element that holds only history.
    pub history: bool,
    /// Inside a `blockquote` that may be a quote or only an indentation.
    pub indented: bool,
    /// Inside an element that holds only the signature.
    pub signature: bool,
    /// Perhaps not visible: never a command.
    pub doubtful: bool,
}

/// One visible line.
#[derive(Clone, Debug, Default)]
pub struct Line<'a> {
    /// Without quote marks.
    pub text: Cow<'a, str>,
    /// How deep it is quoted: number of `>` or of quoting elements.
    pub depth: u16,
    pub mark: Mark,
    pub place: Place,
    /// The same with formatting; HTML only.
    pub rich: Option<Box<Rich>>,
}

impl Line<'_> {
    pub fn is_blank(&self) -> bool {
        self.text.chars().all(is_space) && !self.rich.as_ref().is_some_and(|r| r.has_image())
    }

    /// Quoted beyond doubt.
    pub fn is_quoted(&self) -> bool {
        self.depth > 0 || self.place.history
    }
}

/// How a line stands on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Block {
    #[default]
    Paragraph,
    Item {
        depth: u8,
        ordered: bool,
    },
    Row,
    Preformatted,
    Heading,
}

/// A formatted line, rebuilt and therefore clean: nothing of the sender's markup survives in it.
#[derive(Clone, Debug, Default)]
pub struct Rich {
    pub block: Block,
    pub runs: Vec<Run>,
}

impl Rich {
    pub fn has_image(&self) -> bool {
        self.runs.iter().any(|r| matches!(r, Run::Image { .. }))
    }
}

/// A piece of a formatted line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Run {
    Text {
        text: String,
        style: Style,
        link: Option<std::rc::Rc<str>>,
    },
    /// An image that travels with the mail.
    Image {
        cid: String,
        alt: String,
    },
    /// The border between two cells of a row.
    Cell,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Style {
    pub bold: bool,
    pub italic: bool,
    pub underline: bool,
    pub strike: bool,
    pub code: bool,
}

/// White space, and what merely looks like it.
pub fn is_space(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2060}' | '\u{feff}' | '\u{ad}' | '\u{34f}')
}

/// The text without the direction marks that Windows Mail and Outlook put around the pieces of a date.
pub fn visible(text: &str) -> String {
    text.chars()
        .filter(|c| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
        .collect()
}

/// More lines than this are not told apart; the last one holds the rest, breaks and all.
pub const MOST_LINES: usize = 500_000;

/// Longer runs of blank lines say nothing.
pub const MOST_BLANKS: usize = 4;

/// Splits a text body; `>` marks become depth.
pub fn from_text(text: &str) -> Vec<Line<'_>> {
    let mut lines: Vec<Line> = Vec::new();
    let mut blanks = 0;
    let mut rest = Some(text);
    while let Some(text) = rest {
        let (line, below) = match text.split_once('\n').filter(|_| lines.len() + 1 < MOST_LINES) {
            Some((line, below)) => (line, Some(below)),
            None => (text, None),
        };
        rest = below;
        let line = from_text_line(line);
        blanks = if line.is_blank() { blanks + 1 } else { 0 };
        if blanks <= MOST_BLANKS {
            lines.push(line);
        }
    }
    if text.contains("\n\t") {
        quote_indented(&mut lines);
    }
    lines
}

/// Mailx and its kin indent what they quote by a tab instead of marking it: below `X <x@corp.example> wrote:`, as long as it
/// lasts.
fn quote_indented(lines: &mut [Line]) {
    let mut at = 0;
    while at < lines.len() {
        let announces = lines[at].depth == 0 && lines[at].text.trim_end().ends_with("wrote:");
        at += 1;
        if !announces {
            continue;
        }
        while at < lines.len() && (lines[at].is_blank() || lines[at].text.starts_with('\t')) {
            if let Some(text) = lines[at].text.strip_prefix('\t').map(str::to_owned) {
                (lines[at].depth, lines[at].text) = (1, Cow::Owned(text));
            }
            at += 1;
        }
    }
}

fn from_text_line(line: &str) -> Line<'_> {
    let line = line.strip_suffix('\r').unwrap_or(line);
    let (depth, rest) = quote_marks(line);
    Line { text: Cow::Borrowed(if depth > 0 { rest } else { line }), depth, ..Line::default() }
}

/// Counts leading `>` (up to three blanks before the first, any between) and returns what follows.
fn quote_marks(line: &str) -> (u16, &str) {
    let start = line.trim_start_matches([' ', '\u{a0}']);
    if line.len() - start.len() > 3 || !start.starts_with('>') || start.starts_with(">From ") {
        return (0, line);
    }
    let mut depth: u16 = 0;
    let mut rest = start;
    while let Some(inner) = rest.trim_start_matches([' ', '\u{a0}']).strip_prefix('>') {
        depth = depth.saturating_add(1);
        rest = inner;
    }
    (depth, rest.strip_prefix(' ').unwrap_or(rest))
}

/// The lines as text again, blank lines at both ends dropped and runs of them shortened to one.
pub fn to_text<'l, 'a: 'l>(lines: impl Iterator<Item = &'l Line<'a>>) -> String {
    let mut out = String::new();
    let mut blanks = 0;
    for line in lines {
        if line.is_blank() && line.depth == 0 {
            blanks += 1;
            continue;
        }
        if !out.is_empty() {
            out.push_str(if blanks > 0 { "\n\n" } else { "\n" });
        }
        blanks = 0;
        for _ in 0..line.depth.min(20) {
            out.push('>');
        }
        if line.depth > 0 {
            out.push(' ');
        }
        out.push_str(line.text.trim_end());
    }
    out
}

/// The next line after `from` that is not blank.
pub fn next_filled(lines: &[Line], from: usize) -> Option<usize> {
    (from..lines.len().min(from + 60)).find(|&i| !lines[i].is_blank())
}

/// Lower case, one space for any run of white space, emphasis marks dropped: what phrases are compared with.
pub fn plain_words(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_space(c) {
            if !out.ends_with(' ') && !out.is_empty() {
                out.push(' ');
            }
        } else if !matches!(c, '*' | '|') {
            out.extend(full_width_to_ascii(c).to_lowercase());
        }
    }
    out.truncate(out.trim_end().len());
    out
}

fn full_width_to_ascii(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quote_marks_become_depth() {
        let check = |line: &str, depth: u16, rest: &str| {
            let l = from_text_line(line);
            assert_eq!((l.depth, &*l.text), (depth, rest), "{line:?}");
        };
        check("hello", 0, "hello");
        check("> hello", 1, "hello");
        check(">hello\r", 1, "hello");
        check("> > hello", 2, "hello");
        check(">>>", 3, "");
        check("  > hello", 1, "hello");
        check("     > hello", 0, "     > hello");
        check(">From here on", 0, ">From here on");
        check("a > b", 0, "a > b");
    }

    #[test]
    fn text_comes_back_without_outer_blanks() {
        let text = |s: &str| to_text(from_text(s).iter());
        assert_eq!(text("\n\n a\nb\n\n\n\n\nc\n\n"), " a\nb\n\nc");
        assert_eq!(text("> q\n>\nmine"), "> q\n> \nmine");
    }

    #[test]
    fn words_are_compared_in_one_form() {
        assert_eq!(plain_words("*发件人：*\u{a0}张三"), "发件人: 张三");
        assert_eq!(plain_words("  Original\u{3000} Message "), "original message");
    }
}
