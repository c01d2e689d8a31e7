//! The header block: where it ends, its fields, and their decoded text.
//!
//! Everything works on the raw bytes, because a field may hold 8-bit text in a charset only the body names.

use crate::mail::charset::Charset;
use crate::mail::encoded_word;

/// Bytes of a header block that are read; the rest is ignored and noted (`hardening.md` S53).
const MAX_BLOCK: usize = 256 * 1024;
/// Fields of a header block that are read (`hardening.md` S53).
const MAX_FIELDS: usize = 1000;

/// One header field: its name as written and its raw value, folds included (RFC 5322 section 2.2).
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    pub name: &'a str,
    pub value: &'a [u8],
}

/// The fields of a header block, in order from the top.
#[derive(Clone, Debug, Default)]
pub struct Header<'a> {
    pub fields: Vec<Field<'a>>,
    /// The block was larger than we read.
    pub cut: bool,
    /// Lines that are no field stood between the fields.
    pub junk: bool,
}

impl<'a> Header<'a> {
    /// Raw values of every field of that name.
    pub fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'a [u8]> + 's {
        self.fields.iter().filter(move |f| f.name.eq_ignore_ascii_case(name)).map(|f| f.value)
    }

    /// Raw value of the topmost field of that name.
    pub fn first(&self, name: &str) -> Option<&'a [u8]> {
        self.fields.iter().find(|f| f.name.eq_ignore_ascii_case(name)).map(|f| f.value)
    }

    pub fn has(&self, name: &str) -> bool {
        self.first(name).is_some()
    }

    /// The topmost field of that name as unfolded text, not decoded: for fields that are ASCII by their grammar.
    pub fn text(&self, name: &str) -> Option<String> {
        self.first(name).map(unfold_text)
    }

    /// The first word of a field, lower case, without what follows `;` or a comment: `Auto-Submitted`, `Precedence`.
    pub fn token(&self, name: &str) -> Option<String> {
        self.text(name).map(|text| first_token(&text))
    }
}

/// The pieces between the bytes that equal `mark`, empty ones too.
pub fn split_at_byte(text: &[u8], mark: u8) -> impl Iterator<Item = &[u8]> {
    let mut start = 0;
    memchr::memchr_iter(mark, text).chain([text.len()]).map(move |end| {
        let piece = &text[start..end];
        start = end + 1;
        piece
    })
}

/// The leading token of a structured value, lower case.
pub fn first_token(text: &str) -> String {
    let text = text.trim_start();
    let end = text.find(|c: char| c == ';' || c == '(' || c.is_whitespace()).unwrap_or(text.len());
    text[..end].to_ascii_lowercase()
}

/// Splits an entity into its header fields and the body that follows (RFC 5322 section 2.1).
///
/// Bytes that hold no field at all are all body: people pipe bare text too.
pub fn split(entity: &[u8]) -> (Header<'_>, &[u8]) {
    let mut header = Header::default();
    let mut at = skip_envelope_lines(entity);
    loop {
        let line = line_at(entity, at);
        let text = trim_line(line);
        if text.is_empty() {
            return (header, &entity[at + line.len()..]);
        }
        if at > MAX_BLOCK || header.fields.len() >= MAX_FIELDS {
            header.cut = true;
            return (header, &entity[end_of_block(entity, at)..]);
        }
        let Some((name, value_at)) = field_name(text) else {
            // Junk between fields is skipped; junk that nothing follows is a body without its blank line.
            let next = at + line.len();
            if header.fields.is_empty() || field_name(trim_line(line_at(entity, next))).is_none() {
                return (header, &entity[at..]);
            }
            header.junk = true;
            at = next;
            continue;
        };
        let mut end = at + line.len();
        while matches!(entity.get(end), Some(b' ' | b'\t')) && end - at <= MAX_BLOCK {
            let folded = line_at(entity, end);
            end += folded.len();
        }
        header.fields.push(Field { name, value: trim_line(&entity[at + value_at..end]) });
        at = end;
    }
}

/// What may stand above the header: `From ` and `>From ` lines of a mailbox file, and lines of blanks (webmail's
/// "show original" leaves one). An empty line does end the header, even an empty one.
fn skip_envelope_lines(entity: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let line = line_at(entity, at);
        let text = trim_line(line);
        let blanks = !text.is_empty() && text.trim_ascii().is_empty() && text.len() < 1000;
        if !(blanks || text.starts_with(b"From ") || text.starts_with(b">From ")) {
            return at;
        }
        at += line.len();
    }
}

/// A whole message without the empty lines that some tools leave above its header.
pub fn skip_empty_lines(message: &[u8]) -> &[u8] {
    const FIRST: [&str; 12] = [
        "Return-Path",
        "Received",
        "Delivered-To",
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "MIME-Version",
        "Content-Type",
        "X-Original-To",
        "DKIM-Signature",
    ];
    let blank = message.iter().take(100).take_while(|b| b.is_ascii_whitespace()).count();
    let name = field_name(trim_line(line_at(message, blank))).map(|(name, _)| name);
    if name.is_some_and(|n| FIRST.iter().any(|f| n.eq_ignore_ascii_case(f))) { &message[blank..] } else { message }
}

/// Where the body begins after a header block that was too large to read.
fn end_of_block(entity: &[u8], from: usize) -> usize {
    let rest = &entity[from..];
    let finders = [(&b"\n\n"[..], 2), (&b"\n\r\n"[..], 3)];
    let ends = finders.iter().filter_map(|(mark, skip)| find(rest, mark).map(|i| i + skip));
    from + ends.min().unwrap_or(rest.len())
}

/// The line that begins at `at`, with its line end.
pub fn line_at(bytes: &[u8], at: usize) -> &[u8] {
    let rest = bytes.get(at..).unwrap_or_default();
    let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |i| i + 1);
    &rest[..end]
}

/// Without the line end.
pub fn trim_line(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Name of a field line and the offset of its value.
fn field_name(line: &[u8]) -> Option<(&str, usize)> {
    let colon = memchr::memchr(b':', &line[..line.len().min(256)])?;
    let name = line[..colon].trim_ascii_end();
    let plain = !name.is_empty() && name.iter().all(|b| (33..127).contains(b));
    let name = plain.then(|| std::str::from_utf8(name).ok()).flatten()?;
    Some((name, colon + 1))
}

/// First place of `needle`.
pub fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(haystack, needle)
}

/// A raw value on one line: folds become single spaces (RFC 5322 section 2.2.3).
pub fn unfold(value: &[u8]) -> Vec<u8> {
    let value = value.trim_ascii();
    match memchr::memchr2(b'\r', b'\n', value) {
        None => value.to_vec(),
        Some(_) => value.iter().copied().filter(|b| !matches!(b, b'\r' | b'\n')).collect(),
    }
}

/// As [`unfold`], as text for machines: bytes beyond ASCII that are no UTF-8 become U+FFFD.
pub fn unfold_text(value: &[u8]) -> String {
    String::from_utf8(unfold(value)).unwrap_or_else(|odd| String::from_utf8_lossy(odd.as_bytes()).into_owned())
}

/// An unstructured field (RFC 5322 section 2.2.1) as a person should see it: decoded, one line, nothing invisible.
pub fn decode(value: &[u8], hint: Option<Charset>) -> String {
    one_line(&encoded_word::decode(&unfold(value), hint))
}

/// One line of visible text: controls become spaces, invisible and direction-changing characters vanish
/// (`hardening.md` S41, S49), blanks are joined.
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars().filter(|c| !is_invisible(*c)) {
        let blank = c == ' ' || c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
        match blank {
            true if line.is_empty() || line.ends_with(' ') => {}
            true => line.push(' '),
            false => line.push(c),
        }
    }
    line.truncate(line.trim_end().len());
    line
}

/// Characters that show nothing, or turn the reading direction (`domain.md` 3.2).
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
        | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(raw: &str, fields: &[(&str, &str)], body: &str) {
        let (header, rest) = split(raw.as_bytes());
        let got: Vec<_> = header.fields.iter().map(|f| (f.name, unfold_text(f.value))).collect();
        let want: Vec<_> = fields.iter().map(|(n, v)| (*n, v.to_string())).collect();
        assert_eq!((got, String::from_utf8_lossy(rest).into_owned()), (want, body.to_owned()), "{raw:?}");
    }

    #[test]
    fn header_blocks_are_split_as_real_mail_needs() {
        check("A: 1\r\nB: 2\r\n\r\nbody", &[("A", "1"), ("B", "2")], "body");
        check("A: 1\n 2\n\tB\n\nbody", &[("A", "1 2\tB")], "body");
        check("A : 1\n\nx", &[("A", "1")], "x");
        check("From me Mon Jan 1\nA: 1\n\nx", &[("A", "1")], "x");
        check("no header at all\nsecond", &[], "no header at all\nsecond");
        check("\nbody", &[], "body");
        check("   \r\nA: 1\r\n\r\nx", &[("A", "1")], "x");
        assert_eq!(skip_empty_lines(b"\r\n\r\nSubject: x"), b"Subject: x");
        assert_eq!(skip_empty_lines(b"\r\nNote: x"), b"\r\nNote: x");
        check("", &[], "");
        check("A: 1", &[("A", "1")], "");
        check("A: 1\njunk\nB: 2\n\nx", &[("A", "1"), ("B", "2")], "x");
        check("A: 1\njunk\nmore junk\n\nx", &[("A", "1")], "junk\nmore junk\n\nx");
    }

    #[test]
    fn s53_huge_headers_are_cut() {
        let raw = format!("{}\nbody", "X: y\n".repeat(5000));
        let (header, body) = split(raw.as_bytes());
        assert!(header.cut && header.fields.len() == MAX_FIELDS && body == b"body");
        let raw = format!("Subject: {}\nX: y\n\nbody", " x\n".repeat(4_000_000));
        assert!(split(raw.as_bytes()).0.fields[0].value.len() < 2 * MAX_BLOCK);
    }

    #[test]
    fn s49_invisible_characters_vanish_and_controls_become_blanks() {
        for (text, want) in [
            ("a\r\nBcc: b", "a Bcc: b"),
            (" a \t b ", "a b"),
            ("in\u{202E}v\u{200B}", "inv"),
            ("全　角", "全　角"),
            ("\u{1b}[2Jx", "[2Jx"),
        ] {
            assert_eq!(one_line(text), want);
        }
    }
}
