//! The tree of MIME parts (RFC 2046), found on the raw bytes.
//!
//! Own code, because the library's parser takes quadratic time on multiparts that never close (53 s for 2.6 MB) and
//! overflows the stack on deeply nested messages: one mail could stop the queue (promise G4, `hardening.md` S51, S52).
//! Delimiters count only as whole lines, and depth and number of parts are bounded before anything is built.

use crate::mail::charset::Charset;
use crate::mail::header::{self, Header};
use crate::mail::param::Parametrized;
use crate::mail::transfer::Encoding;
use std::borrow::Cow;

/// Parts that are read; what follows is ignored and noted (S52).
pub const MAX_PARTS: usize = 1000;
/// Levels of nesting that are read; deeper multiparts are taken as one opaque part (S51).
pub const MAX_DEPTH: usize = 50;

/// One part: a leaf with its body, a multipart with its children, or an enclosed message with its root.
#[derive(Clone, Debug)]
pub struct Part<'a> {
    pub header: Header<'a>,
    pub media: Parametrized,
    pub disposition: Parametrized,
    pub encoding: Encoding,
    /// Still wrapped in its transfer encoding.
    pub body: &'a [u8],
    pub children: Vec<Part<'a>>,
}

/// What was odd about the tree.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    pub parts: usize,
    pub too_many_parts: bool,
    pub too_deep: bool,
    pub never_closed: bool,
    pub no_boundary: bool,
}

impl<'a> Part<'a> {
    /// Reads a whole message.
    pub fn parse(entity: &'a [u8], notes: &mut Notes) -> Part<'a> {
        build(header::skip_empty_lines(entity), "text/plain", 0, notes)
    }

    /// `text`, `multipart`, `message`, ...
    pub fn main_type(&self) -> &str {
        self.media.value.split('/').next().unwrap_or("")
    }

    pub fn is(&self, media_type: &str) -> bool {
        self.media.value == media_type
    }

    pub fn is_multipart(&self) -> bool {
        !self.children.is_empty() && self.main_type() == "multipart"
    }

    /// A message passed on or returned, whole or only its header.
    pub fn is_message(&self) -> bool {
        is_message(&self.media.value)
    }

    pub fn is_attachment(&self) -> bool {
        self.disposition.value == "attachment"
    }

    pub fn charset(&self) -> Option<Charset> {
        Charset::by_label(&self.media.token("charset")?)
    }

    /// The body out of its transfer encoding.
    pub fn bytes(&self) -> Cow<'a, [u8]> {
        self.encoding.decode(self.body)
    }

    /// The body as text, whatever its label claims.
    pub fn text(&self, hint: Option<Charset>) -> String {
        let bytes = self.bytes();
        let declared = self.charset().or_else(|| self.is("text/html").then(|| html_charset(&bytes)).flatten());
        clean_text(&crate::mail::charset::decode(&bytes, declared, hint))
    }

    /// The file name, decoded, as the sender wrote it; not yet safe.
    pub fn file_name(&self, hint: Option<Charset>) -> Option<String> {
        let name = self.disposition.text("filename", hint).or_else(|| self.media.text("name", hint))?;
        Some(name).filter(|name| !name.trim().is_empty())
    }

    /// This part and all below it, top down; parts of enclosed messages too.
    pub fn walk(&self) -> Vec<&Part<'a>> {
        let (mut found, mut todo) = (Vec::new(), vec![self]);
        while let Some(part) = todo.pop() {
            found.push(part);
            todo.extend(part.children.iter().rev());
        }
        found
    }
}

fn is_message(media_type: &str) -> bool {
    matches!(media_type, "message/rfc822" | "message/global" | "message/news")
}

/// Recursion is at most [`MAX_DEPTH`] deep, and every level reads its bytes once.
fn build<'a>(entity: &'a [u8], default_type: &str, depth: usize, notes: &mut Notes) -> Part<'a> {
    notes.parts += 1;
    let (header, body) = header::split(entity);
    let mut media = header.first("Content-Type").map(Parametrized::parse).unwrap_or_default();
    if !media.value.contains('/') {
        media.value = if media.value == "text" { "text/plain" } else { default_type }.to_owned();
    }
    let disposition = header.first("Content-Disposition").map(Parametrized::parse).unwrap_or_default();
    let encoding = header.text("Content-Transfer-Encoding").map(|v| Encoding::parse(&v)).unwrap_or_default();
    let mut part = Part { header, media, disposition, encoding, body, children: Vec::new() };
    let multipart = part.main_type() == "multipart";
    // A message in base64 is against RFC 2046 section 5.2.1 and stays a file.
    let opaque = !part.is_message() || part.encoding != Encoding::Plain;
    if !multipart && opaque {
        return part;
    }
    if depth >= MAX_DEPTH {
        notes.too_deep = true;
        return part;
    }
    if multipart {
        let default_type = if part.is("multipart/digest") { "message/rfc822" } else { "text/plain" };
        part.children = children(&part, default_type, depth, notes);
        if part.children.is_empty() {
            // Nothing to tell the parts apart by: all of it is text (RFC 2046 section 5.1.1 has no answer).
            notes.no_boundary = true;
            part.media.value = "text/plain".to_owned();
        }
    } else if notes.parts < MAX_PARTS {
        part.children = vec![build(part.body, "text/plain", depth + 1, notes)];
    }
    part
}

fn children<'a>(part: &Part<'a>, default_type: &str, depth: usize, notes: &mut Notes) -> Vec<Part<'a>> {
    let boundary = part.media.raw("boundary").filter(|b| !b.is_empty());
    let guessed = || guess_boundary(part.body);
    let Some(boundary) = boundary.map(<[u8]>::to_vec).or_else(guessed) else { return Vec::new() };
    let mut pieces = split_at_boundary(part.body, &boundary, notes);
    if pieces.is_empty() {
        let Some(boundary) = guessed() else { return Vec::new() };
        pieces = split_at_boundary(part.body, &boundary, notes);
    }
    let mut children = Vec::new();
    for piece in pieces {
        if notes.parts >= MAX_PARTS {
            notes.too_many_parts = true;
            break;
        }
        children.push(build(piece, default_type, depth + 1, notes));
    }
    children
}

/// The bytes between delimiter lines (RFC 2046 section 5.1.1). A multipart that never closes ends with its bytes.
fn split_at_boundary<'a>(body: &'a [u8], boundary: &[u8], notes: &mut Notes) -> Vec<&'a [u8]> {
    let mark = [b"--", boundary.trim_ascii_end()].concat();
    let (mut pieces, mut open) = (Vec::new(), None);
    for at in memchr::memmem::find_iter(body, &mark) {
        if at > 0 && body[at - 1] != b'\n' {
            continue;
        }
        let line = header::trim_line(header::line_at(body, at));
        let rest = line[mark.len()..].trim_ascii_end();
        if !rest.is_empty() && rest != b"--" {
            continue;
        }
        if let Some(start) = open.take() {
            pieces.push(before_delimiter(&body[start..at.max(start)]));
        }
        if rest == b"--" {
            return pieces;
        }
        if pieces.len() >= MAX_PARTS {
            notes.too_many_parts = true;
            return pieces;
        }
        open = Some(at + header::line_at(body, at).len());
    }
    if let Some(start) = open {
        notes.never_closed = true;
        pieces.push(&body[start..]);
    }
    pieces
}

/// The line end before a delimiter belongs to the delimiter.
fn before_delimiter(piece: &[u8]) -> &[u8] {
    header::trim_line(piece)
}

/// A missing or wrong boundary parameter: the first line that looks like a delimiter and has a part header below it.
fn guess_boundary(body: &[u8]) -> Option<Vec<u8>> {
    let mut at = 0;
    for _ in 0..50 {
        let line = header::line_at(body, at);
        if line.is_empty() {
            return None;
        }
        at += line.len();
        let text = header::trim_line(line);
        let next = header::line_at(body, at);
        if text.len() > 3 && text.starts_with(b"--") && next.len() > 8 && next[..8].eq_ignore_ascii_case(b"content-") {
            return Some(text[2..].trim_ascii_end().to_vec());
        }
    }
    None
}

/// The charset an HTML page names for itself, when the part does not.
fn html_charset(bytes: &[u8]) -> Option<Charset> {
    let top = String::from_utf8_lossy(&bytes[..bytes.len().min(2048)]).to_ascii_lowercase();
    let at = top.find("charset=")? + "charset=".len();
    let label: String = top[at..]
        .trim_start_matches(['"', '\''])
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c))
        .take(40)
        .collect();
    // A page that can be read as ASCII up to here is not UTF-16, whatever it says.
    Charset::by_label(&label).filter(|_| !label.starts_with("utf-16"))
}

/// Line ends as LF, no NUL and other controls besides tab and line feed.
pub fn clean_text(text: &str) -> String {
    let mut rest = text.trim_start_matches('\u{FEFF}');
    let mut clean = String::with_capacity(rest.len());
    let control = |b: u8| b < 32 && b != b'\n' && b != b'\t' || b == 127;
    while let Some(at) = rest.bytes().position(control) {
        clean.push_str(&rest[..at]);
        let ends_line = matches!(rest.as_bytes()[at], b'\r' | 0x0C | 0x0B);
        clean.push_str(if ends_line { "\n" } else { "" });
        let length = if rest[at..].starts_with("\r\n") { 2 } else { 1 };
        rest = &rest[at + length..];
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree as `type(child,child)` with leaf bodies in brackets.
    fn show(part: &Part) -> String {
        let below: Vec<String> = part.children.iter().map(show).collect();
        match below.is_empty() {
            true => format!("{}[{}]", part.media.value, String::from_utf8_lossy(&part.bytes())),
            false => format!("{}({})", part.media.value, below.join(",")),
        }
    }

    fn check(raw: &str, want: &str) -> Notes {
        let mut notes = Notes::default();
        assert_eq!(show(&Part::parse(raw.as_bytes(), &mut notes)), want, "{raw:?}");
        notes
    }

    const MIXED: &str = "Content-Type: multipart/mixed; boundary=abc\n\n";

    #[test]
    fn trees() {
        check("Subject: x\n\nhello", "text/plain[hello]");
        check(
            &format!("{MIXED}pre\n--abc\n\none\n--abc\nContent-Type: text/html\n\n<p>\n--abc--\npost"),
            "multipart/mixed(text/plain[one],text/html[<p>])",
        );
        check(
            &format!("{MIXED}--abc\r\n\r\none\r\n--abc  \r\n\r\ntwo\r\n--abc--"),
            "multipart/mixed(text/plain[one],text/plain[two])",
        );
        check("Content-Type: message/rfc822\n\nSubject: in\n\nbody", "message/rfc822(text/plain[body])");
        check(
            "Content-Type: multipart/digest; boundary=d\n\n--d\n\nSubject: in\n\nbody\n--d--",
            "multipart/digest(message/rfc822(text/plain[body]))",
        );
        check("Content-Type: text\n\nx", "text/plain[x]");
        check("just text", "text/plain[just text]");
        check("", "text/plain[]");
    }

    #[test]
    fn a_boundary_that_begins_another_one_is_told_apart() {
        let inner = "Content-Type: multipart/alternative; boundary=abcdef\n\n--abcdef\n\nin\n--abcdef--\n";
        check(
            &format!("{MIXED}--abc\n{inner}--abc\n\nout\n--abc--"),
            "multipart/mixed(multipart/alternative(text/plain[in]),text/plain[out])",
        );
        check(&format!("{MIXED}--abc\n\nsee --abc here\n--abc--"), "multipart/mixed(text/plain[see --abc here])");
    }

    #[test]
    fn broken_multiparts_keep_their_text() {
        let notes = check(
            &format!("{MIXED}--abc\n\none\n--abc\n\ncut of"),
            "multipart/mixed(text/plain[one],text/plain[cut of])",
        );
        assert!(notes.never_closed);
        let notes = check("Content-Type: multipart/mixed\n\nonly text", "text/plain[only text]");
        assert!(notes.no_boundary);
        check(
            "Content-Type: multipart/mixed\n\n--zz\nContent-Type: text/plain\n\nguessed\n--zz--",
            "multipart/mixed(text/plain[guessed])",
        );
        check(
            "Content-Type: multipart/mixed; boundary=wrong\n\n--zz\nContent-Type: text/plain\n\nguessed\n--zz--",
            "multipart/mixed(text/plain[guessed])",
        );
        // An inner multipart that never closes ends where the outer one goes on.
        let inner = "Content-Type: multipart/alternative; boundary=in\n\n--in\n\none\n";
        check(
            &format!("{MIXED}--abc\n{inner}--abc\n\ntwo\n--abc--"),
            "multipart/mixed(multipart/alternative(text/plain[one]),text/plain[two])",
        );
    }

    #[test]
    fn s51_s52_nesting_and_number_of_parts_are_bounded() {
        let started = crate::mail::stopwatch::Stopwatch::start();
        let mut notes = Notes::default();
        let deep = "Content-Type: message/rfc822\n\n".repeat(400_000);
        Part::parse(deep.as_bytes(), &mut notes);
        assert!(notes.too_deep && notes.parts <= MAX_DEPTH + 1);
        let mut notes = Notes::default();
        let many = format!("{MIXED}{}", "--abc\n\n".repeat(1_000_000));
        Part::parse(many.as_bytes(), &mut notes);
        assert!(notes.too_many_parts && notes.parts <= MAX_PARTS);
        let mut notes = Notes::default();
        let open = format!("{MIXED}{}", "--abc\nContent-Type: multipart/mixed; boundary=q\n\nx\n".repeat(50_000));
        Part::parse(open.as_bytes(), &mut notes);
        let nested: String =
            (0..10_000).map(|i| format!("Content-Type: multipart/mixed; boundary=b{i}\n\n--b{i}\n")).collect();
        Part::parse(nested.as_bytes(), &mut notes);
        assert!(started.elapsed().as_secs() < 10);
    }

    #[test]
    fn text_is_cleaned() {
        for (text, want) in [
            ("\u{FEFF}a\r\nb\rc\n", "a\nb\nc\n"),
            ("a\r\r\nb\n\r", "a\n\nb\n\n"),
            ("\u{B}打\0印\u{C}\t\u{7F}机", "\n打印\n\t机"),
            ("plain", "plain"),
        ] {
            assert_eq!(clean_text(text), want);
        }
    }

    #[test]
    fn html_may_name_its_charset_itself() {
        let mut raw = b"Content-Type: text/html\n\n<meta charset=big5>".to_vec();
        raw.extend_from_slice(&encoding_rs::BIG5.encode("您好").0);
        let part = Part::parse(&raw, &mut Notes::default());
        assert!(part.text(None).ends_with("您好"));
    }
}
