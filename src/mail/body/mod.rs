//! Separates the new text from the quoted history and the signature.
//!
//! Text and HTML both become [lines](lines::Line); one set of rules ([`split`]) tells text, history and signature
//! apart. Where the HTML has markers of mail clients they win, elsewhere labels and attribution lines are looked for
//! (`domain.md` 1.1 to 1.5). Nothing is lost: [`Reading::full_text`] holds everything, and a body that would be left
//! empty is kept whole. All of it is linear in the size of the body (`hardening.md` S56).

mod attribution;
mod clean;
mod command;
mod element;
mod entities;
mod forward;
mod html;
mod labels;
mod lines;
mod marker;
mod repeated;
mod separator;
mod signature;
mod split;
mod style;
mod writer;

use crate::desk::command::CommandLine;
use crate::desk::inbound::{Body, Forwarded};
use lines::Line;
use regex::Regex;
use split::Split;
use std::borrow::Cow;

/// What the body of a message says.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// The new text only.
    pub body: Body,
    /// Everything, quote and signature too.
    pub full_text: String,
    /// Leading `#word` lines of the new text. When a mail has both alternatives, only those that stand in both: a
    /// command that its writer could not see, or that the reader's client does not show, is nobody's (S13).
    pub commands: Vec<CommandLine>,
    /// The new text below them.
    pub after_commands: Body,
    /// A quoted history was found.
    pub has_quote: bool,
    /// The new text is, or contains, a message that was passed on.
    pub has_forward: bool,
    /// The outermost message that was passed on, where the mail may be a forward and says where one begins.
    pub forwarded: Option<Forwarded>,
    /// The alternatives disagreed about commands, or it is uncertain what of the HTML is visible: commands were left
    /// unread, and nothing of this mail should be relayed without asking.
    pub commands_doubtful: bool,
}

/// What subject and header say about the mails that stand inside this one. Outlook's forwards and replies look alike
/// otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// They were answered: history.
    Answer,
    /// They were passed on: content.
    PassOn,
    /// Nothing is said: a bare header block is a mail pasted in when the text above speaks of it.
    New,
}

/// Reads the decoded text and HTML alternatives of a message; either may be missing.
pub fn read(plain: Option<&str>, html: Option<&str>) -> Reading {
    read_as(Purpose::Answer, plain, html)
}

/// The same for a message that says what it is for.
pub fn read_as(purpose: Purpose, plain: Option<&str>, html: Option<&str>) -> Reading {
    let plain = plain.map(entities::repair).filter(|p| !p.trim().is_empty());
    let page = html.filter(|h| !h.trim().is_empty()).map(html::read);
    let from_text = plain.as_deref().map(|p| Alternative::new(lines::from_text(p), purpose));
    let from_html = page.map(|p| {
        let mut alternative = Alternative::new(p.lines, purpose);
        alternative.doubtful |= p.doubtful;
        alternative
    });
    match (from_text, from_html) {
        (None, None) => Reading::default(),
        (Some(only), None) | (None, Some(only)) => only.reading(),
        (Some(text), Some(html)) => both(text, html),
    }
}

/// One alternative, read.
struct Alternative<'a> {
    lines: Vec<Line<'a>>,
    split: Split,
    /// Commands stand where it is uncertain that they are visible.
    doubtful: bool,
    forwarded: Option<Forwarded>,
}

impl<'a> Alternative<'a> {
    fn new(mut lines: Vec<Line<'a>>, purpose: Purpose) -> Alternative<'a> {
        let split = split::split(&lines, purpose);
        let passes_on = purpose == Purpose::PassOn || split.has_forward;
        let forwarded = passes_on.then(|| forward::read(&lines)).flatten();
        if let Some((line, from)) = split.shared {
            shorten(&mut lines[line], from);
        }
        let doubtful =
            split.kept.iter().take(20).any(|&i| lines[i].place.doubtful && command::command(&lines[i].text).is_some());
        Alternative { lines, split, doubtful, forwarded }
    }

    fn text(&self, skip: usize) -> String {
        lines::to_text(self.split.kept.iter().skip(skip).map(|&i| &self.lines[i]))
    }

    fn html(&self, skip: usize) -> Option<String> {
        if self.lines.iter().all(|l| l.rich.is_none()) {
            return None;
        }
        clean::to_html(self.split.kept.iter().skip(skip).map(|&i| &self.lines[i]))
    }

    fn body(&self, skip: usize) -> Body {
        Body { text: self.text(skip), html: self.html(skip) }
    }

    fn is_empty(&self) -> bool {
        self.lines.iter().all(|l| l.is_blank())
    }

    fn reading(mut self) -> Reading {
        if self.doubtful {
            self.split.commands.clear();
            self.split.command_lines = 0;
        }
        let body = self.body(0);
        let skip = self.split.command_lines;
        Reading {
            full_text: lines::to_text(self.lines.iter()),
            after_commands: if skip == 0 { body.clone() } else { self.body(skip) },
            body,
            commands: self.split.commands,
            has_quote: self.split.has_quote,
            has_forward: self.split.has_forward,
            forwarded: self.forwarded,
            commands_doubtful: self.doubtful,
        }
    }
}

/// The reply that shares its line with an attribution keeps its part of the line, without formatting.
fn shorten(line: &mut Line, from: usize) {
    let text = line.text.get(..from).unwrap_or("").to_owned();
    if line.rich.is_some() {
        let run = lines::Run::Text { text: text.clone(), style: lines::Style::default(), link: None };
        line.rich = Some(Box::new(lines::Rich { block: lines::Block::Paragraph, runs: vec![run] }));
    }
    line.text = Cow::Owned(text);
}

/// Both alternatives: the text is read, the HTML lends its formatting where it says the same; where they differ, the
/// one in which the history was recognised wins, so that no quote leaks.
fn both(text: Alternative, html: Alternative) -> Reading {
    if html.is_empty() {
        return sole(text, &html.split);
    }
    if is_stub(&text.text(0)) {
        return html.reading();
    }
    let blind = !text.split.has_quote || text.split.whole;
    if html.split.has_quote && blind && !html.split.whole {
        return sole(html, &text.split);
    }
    let (plain_words, html_words) = (letters(&text.text(0)), letters(&html.text(0)));
    let agree = same_words(&plain_words, &html_words);
    let no_leak = html.split.has_quote || !text.split.has_quote;
    if !agree && no_leak && html_words.len() > 2 * plain_words.len() + 200 {
        // A text part that holds only the beginning, or a note about the HTML.
        return sole(html, &text.split);
    }
    let skip = html.split.command_lines;
    let (before, after) = if agree { (html.html(0), html.html(skip)) } else { (None, None) };
    let doubtful = html.doubtful;
    let mut reading = sole(text, &html.split);
    reading.forwarded = formatted(reading.forwarded, html.forwarded);
    reading.commands_doubtful |= doubtful && !reading.commands.is_empty();
    if reading.commands_doubtful {
        return Reading { commands: Vec::new(), after_commands: reading.body.clone(), ..reading };
    }
    reading.body.html = before;
    reading.after_commands.html = after;
    reading
}

/// The passed-on message of the text, with the formatting of the HTML where it says the same.
fn formatted(text: Option<Forwarded>, html: Option<Forwarded>) -> Option<Forwarded> {
    let (mut text, html) = match (text, html) {
        (Some(text), Some(html)) => (text, html),
        (text, html) => return text.or(html),
    };
    if same_words(&letters(&text.body.text), &letters(&html.body.text)) {
        text.body.html = html.body.html;
    }
    Some(text)
}

/// One alternative is read, the other only asked about commands.
fn sole(mut chosen: Alternative, other: &Split) -> Reading {
    let differ = !same_commands(&chosen.split.commands, &other.commands);
    if differ {
        chosen.split.commands.clear();
        chosen.split.command_lines = 0;
    }
    let mut reading = chosen.reading();
    reading.commands_doubtful |= differ;
    reading
}

fn same_commands(a: &[CommandLine], b: &[CommandLine]) -> bool {
    let form = |c: &CommandLine| (c.word.to_lowercase(), letters(&c.value));
    a.len() == b.len() && a.iter().zip(b).all(|(x, y)| form(x) == form(y))
}

/// A fixed pattern. Its word boundaries are ASCII ones: beside Chinese they say what is meant, and Unicode's take the slow
/// way through every text that is not ASCII.
fn pattern(text: &str) -> Regex {
    Regex::new(&text.replace(r"\b", r"(?-u:\b)")).expect("a fixed pattern")
}

/// Letters and digits only, without the targets that follow links in angle brackets.
fn letters(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (n, piece) in text.split('<').enumerate() {
        let is_target = n > 0 && (piece.starts_with("http") || piece.starts_with("mailto:"));
        let words = if is_target { piece.split_once('>').map_or("", |(_, after)| after) } else { piece };
        out.extend(words.chars().filter(|c| c.is_alphanumeric()));
    }
    out
}

/// Do the letters of two texts say the same, give or take images, link targets and emphasis marks?
fn same_words(a: &str, b: &str) -> bool {
    let start = |s: &str| s.chars().take(40).collect::<String>().to_lowercase();
    let (short, long) = (a.len().min(b.len()), a.len().max(b.len()));
    let (start_a, start_b) = (start(a), start(b));
    long - short <= short / 5 + 60 && (start_a.starts_with(&start_b) || start_b.starts_with(&start_a) || a == b)
}

/// "This message can only be read in HTML."
fn is_stub(text: &str) -> bool {
    let words = lines::plain_words(text);
    words.chars().count() < 300
        && (words.contains("html") || words.contains("in your browser"))
        && [
            "view this message in html",
            "html-compatible",
            "html compatible",
            "does not support html",
            "doesn't support html",
            "html format",
            "enable html",
            "not support html",
            "view this email in your browser",
            "in html to view",
            "html mail",
            "html email",
            "html e-mail",
            "不支持html",
            "不支持 html",
            "html格式",
            "html 格式",
            "使用html",
            "使用 html",
        ]
        .iter()
        .any(|p| words.contains(p))
}

#[cfg(test)]
mod tests;
