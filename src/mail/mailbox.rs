//! Address fields (RFC 5322 section 3.4) and message ids (section 3.6.4).
//!
//! The author decides what a message may do, so `From` is read strictly: one plain address or nobody
//! (`hardening.md` S2 to S5). The address itself is never RFC 2047 decoded. `To` and `Cc` are read forgivingly.

use crate::address::{Address, Mailbox, MessageId};
use crate::mail::charset::Charset;
use crate::mail::encoded_word;
use crate::mail::header::{Header, one_line, unfold, unfold_text};

/// Addresses used of one field (`hardening.md` S53).
const MAX_ADDRESSES: usize = 100;
/// Message ids used of one field: the first, which is the root of the thread, and the latest.
const MAX_IDS: usize = 100;
/// Bytes of an address or id field that are looked at.
const MAX_FIELD: usize = 64 * 1024;
/// Characters of a shown name.
const MAX_NAME: usize = 200;

/// The one author of a message, or why there is none.
pub fn author(header: &Header, hint: Option<Charset>) -> Result<Mailbox, &'static str> {
    let mut fields = header.all("From");
    let field = fields.next().ok_or("no From field")?;
    if fields.next().is_some() {
        return Err("several From fields");
    }
    let mut entries = entries(field);
    if entries.len() > 1 {
        return Err("several authors");
    }
    let entry = entries.pop().ok_or("empty From field")?;
    if entry.group || entry.odd {
        return Err("From is not one plain address");
    }
    let address = entry.address().filter(|a| !a.as_str().contains("=?")).ok_or("From is not an address")?;
    Ok(Mailbox::new(address, entry.name(hint)))
}

/// Every address of all fields of that name.
pub fn list(header: &Header, name: &str, hint: Option<Charset>) -> Vec<Mailbox> {
    let entries = header.all(name).flat_map(entries);
    let mailbox = |e: Entry| Some(Mailbox::new(e.address()?, e.name(hint)));
    entries.filter_map(mailbox).take(MAX_ADDRESSES).collect()
}

/// The shown name holds an address that is not the one mail would go to (S6).
pub fn pretends(mailbox: &Mailbox) -> bool {
    let shown = mailbox.name.split(|c: char| c.is_whitespace() || "<>()[]\"',;:".contains(c));
    shown.filter_map(Address::parse).any(|a| a != mailbox.address && a.domain().contains('.'))
}

/// One element of an address list, in raw pieces.
#[derive(Default, Debug)]
struct Entry {
    /// Everything outside angle brackets and comments.
    phrase: Vec<u8>,
    angle: Option<Vec<u8>>,
    comment: Vec<u8>,
    /// Something no mail program would write: two pairs of brackets, text behind them, quotes around an address.
    odd: bool,
    quoted: bool,
    group: bool,
    /// Text goes on behind a comment: harmless in a name, not in an address.
    split: bool,
}

impl Entry {
    fn is_empty(&self) -> bool {
        self.phrase.trim_ascii().is_empty() && self.angle.is_none() && self.comment.trim_ascii().is_empty()
    }

    fn address(&self) -> Option<Address> {
        let raw = match &self.angle {
            Some(angle) => angle.as_slice(),
            None if self.quoted || self.split => return None,
            None => self.phrase.as_slice(),
        };
        Address::parse(std::str::from_utf8(raw).ok()?)
    }

    fn name(&self, hint: Option<Charset>) -> String {
        let raw =
            if self.angle.is_some() && !self.phrase.trim_ascii().is_empty() { &self.phrase } else { &self.comment };
        let name = one_line(&encoded_word::decode(raw.trim_ascii(), hint));
        let name = name.trim_matches(['"', '\'', ' ']);
        name.chars().take(MAX_NAME).collect()
    }
}

/// Splits an address field at its commas and semicolons, outside of quotes, comments and brackets.
fn entries(field: &[u8]) -> Vec<Entry> {
    let field = unfold(&field[..field.len().min(MAX_FIELD)]);
    let (mut found, mut entry, mut at) = (Vec::new(), Entry::default(), 0);
    while let Some(&byte) = field.get(at) {
        at += 1;
        match byte {
            b'"' => {
                entry.quoted = true;
                entry.odd |= entry.angle.is_some();
                at = read_quoted(&field, at, &mut entry.phrase);
            }
            b'(' => at = read_comment(&field, at, &mut entry.comment),
            b'<' => {
                let end = field[at..].iter().position(|b| *b == b'>').map_or(field.len(), |i| at + i);
                entry.odd |= entry.angle.is_some() || end == field.len();
                // A source route (`<@relay:a@b>`, RFC 5322 section 4.4) is refused by the address parser.
                entry.angle.get_or_insert_with(|| field[at..end].trim_ascii().to_vec());
                at = (end + 1).min(field.len());
            }
            b',' | b';' => push(&mut found, &mut entry),
            b':' if entry.angle.is_none() && is_group_name(&entry.phrase) => {
                // A group's name; its members follow (RFC 5322 section 3.4).
                entry = Entry { group: true, ..Entry::default() };
                if found.is_empty() && field[at..].trim_ascii() == b";" {
                    found.push(Entry { group: true, ..Entry::default() });
                }
            }
            _ => {
                let text = !byte.is_ascii_whitespace();
                entry.odd |= entry.angle.is_some() && text;
                entry.split |= text && !entry.comment.is_empty() && !entry.phrase.trim_ascii().is_empty();
                entry.phrase.push(byte);
            }
        }
        if found.len() > MAX_ADDRESSES {
            return found;
        }
    }
    push(&mut found, &mut entry);
    found
}

fn push(found: &mut Vec<Entry>, entry: &mut Entry) {
    let entry = std::mem::take(entry);
    if !entry.is_empty() {
        found.push(entry);
    }
}

/// A colon behind an address or inside `=?...?=` is text.
fn is_group_name(phrase: &[u8]) -> bool {
    phrase.len() < 200 && !phrase.contains(&b'@') && !phrase.windows(2).any(|w| w == b"=?")
}

fn read_quoted(field: &[u8], mut at: usize, into: &mut Vec<u8>) -> usize {
    while let Some(&byte) = field.get(at) {
        at += 1;
        match byte {
            b'"' => break,
            b'\\' if at < field.len() => {
                into.push(field[at]);
                at += 1;
            }
            _ => into.push(byte),
        }
    }
    at
}

fn read_comment(field: &[u8], mut at: usize, into: &mut Vec<u8>) -> usize {
    let mut depth = 1u32;
    if !into.is_empty() {
        into.push(b' ');
    }
    while let Some(&byte) = field.get(at) {
        at += 1;
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            b'\\' if at < field.len() => at += 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        into.push(byte);
    }
    at
}

/// The topmost usable `Message-ID`.
pub fn message_id(header: &Header) -> Option<MessageId> {
    header.all("Message-ID").flat_map(|field| ids_in(&unfold_text(field))).next()
}

/// Every id of all fields of that name, in order: separated by blanks, commas (Foxmail, Alimail) or nothing.
pub fn ids(header: &Header, name: &str) -> Vec<MessageId> {
    let mut ids: Vec<MessageId> = Vec::new();
    for field in header.all(name) {
        // Of an endless field the end counts: the latest ids stand there.
        let from = field.len().saturating_sub(MAX_FIELD);
        ids.extend(ids_in(&unfold_text(&field[from..])));
    }
    if ids.len() > MAX_IDS {
        ids.drain(1..=ids.len() - MAX_IDS);
    }
    ids
}

/// Ids in angle brackets; without any brackets, the words that look like ids.
pub fn ids_in(text: &str) -> Vec<MessageId> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        rest = &rest[open + 1..];
        let Some(close) = rest.find('>') else { break };
        // A second `<` before the `>` begins anew; folds inside an id vanish.
        let inner = rest[..close].rsplit('<').next().unwrap_or("");
        let inner: String = inner.split_whitespace().collect();
        found.extend(MessageId::parse(&inner));
        rest = &rest[close + 1..];
    }
    if found.is_empty() {
        let words = text.split(|c: char| c.is_whitespace() || ",;<>\"".contains(c));
        found.extend(words.filter(|w| w.contains('@')).filter_map(MessageId::parse));
        if found.is_empty() && !text.trim().contains(char::is_whitespace) {
            found.extend(MessageId::parse(text));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::header::split;

    fn from(raw: &[u8]) -> Result<(String, String), &'static str> {
        let raw = [raw, b"\n\n"].concat();
        author(&split(&raw).0, None).map(|m| (m.address.as_str().to_owned(), m.name))
    }

    fn check(raw: impl AsRef<[u8]>, address: &str, name: &str) {
        let field = [b"From: ", raw.as_ref()].concat();
        assert_eq!(from(&field), Ok((address.to_owned(), name.to_owned())), "{}", String::from_utf8_lossy(&field));
    }

    #[test]
    fn authors_as_mail_programs_write_them() {
        check("a@b.example", "a@b.example", "");
        check("<a@b.example>", "a@b.example", "");
        check("Li Si <a@b.example>", "a@b.example", "Li Si");
        check("\"Doe, John\" <j@x.example>", "j@x.example", "Doe, John");
        check("a@b.example (Li Si)", "a@b.example", "Li Si");
        check("\"=?UTF-8?B?5byg5LiJ?=\" <z@b.example>", "z@b.example", "张三");
        check("=?GB2312?B?1cXI/Q==?= <z@b.example>", "z@b.example", "张三");
        check(b"\xd5\xc5\xc8\xfd <z@b.example>", "z@b.example", "张三");
        check("张三 <z@b.example>", "z@b.example", "张三");
        check("z@b.example <z@b.example>", "z@b.example", "z@b.example");
        check("\"x\u{202E}y\r\n z\" <z@b.example>", "z@b.example", "xy z");
        check("=?utf-8?Q?a:_b?= <z@b.example>", "z@b.example", "a: b");
    }

    #[test]
    fn s3_nobody_is_the_author_when_it_is_not_one() {
        for raw in [
            "Subject: none",
            "From: a@b.example\nFrom: c@d.example",
            "From: a@b.example\nSubject: x\nFrom: a@b.example",
            "From: a@b.example, c@d.example",
            "From: a@b.example; c@d.example",
            "From: friends: a@b.example, c@d.example;",
            "From: friends: a@b.example;",
            "From: nobody:;",
            "From:",
            "From: <>",
        ] {
            assert!(from(raw.as_bytes()).is_err(), "{raw}");
        }
    }

    #[test]
    fn s4_odd_forms_are_nobody() {
        for raw in [
            "<eng@corp.example>x@evil.example",
            "<eng@corp.example> <x@evil.example>",
            "=?utf-8?q?eng=40corp.example=3e?=@evil.example",
            "=?utf-8?q?eng=40corp.example?=",
            "=?utf-8?b?ZW5nQGNvcnAuZXhhbXBsZQ==?=",
            "\"eng@corp.example\"@evil.example",
            "\"eng@corp.example\"",
            "eng(x)@corp.example",
            "<eng@corp.example(x)>",
            "<@relay.example:eng@corp.example>",
            "eng@corp.example x@evil.example",
            "eng @corp.example",
            "eng@corp.example\u{0}",
            "eng＠corp.example",
            "\u{200b}eng@corp.example",
            "MAILER-DAEMON",
            "<eng@corp.example",
        ] {
            let got = from(format!("From: {raw}").as_bytes());
            assert!(got.is_err(), "{raw} {got:?}");
        }
    }

    #[test]
    fn s6_a_name_that_shows_another_address_is_noticed() {
        let named = |name: &str| Mailbox::new(Address::parse("x@c0rp.example").unwrap(), name);
        assert!(pretends(&named("IT Head <head@corp.example>")));
        assert!(pretends(&named("head@corp.example")));
        assert!(!pretends(&named("x@c0rp.example")));
        assert!(!pretends(&named("Li Si @ corp")));
    }

    #[test]
    fn lists_of_addresses() {
        let raw =
            b"To: a@b.example, \"C, D\" <c@d.example>; group: e@f.example, g@h.example;\nTo: bad, i@j.example\n\n";
        let got: Vec<String> = list(&split(raw).0, "to", None).iter().map(|m| m.address.to_string()).collect();
        assert_eq!(got, ["a@b.example", "c@d.example", "e@f.example", "g@h.example", "i@j.example"]);
        let many = format!("Cc: {}\n\n", "a@b.example, ".repeat(10_000));
        assert_eq!(list(&split(many.as_bytes()).0, "Cc", None).len(), MAX_ADDRESSES);
    }

    #[test]
    fn s54_nested_comments_and_quotes_are_linear() {
        for piece in ["(", "\"", "<", ":", "((a@b)"] {
            let raw = format!("To: {}\n\n", piece.repeat(100_000));
            list(&split(raw.as_bytes()).0, "To", None);
        }
    }

    #[test]
    fn ids_in_every_form() {
        let check = |text: &str, want: &[&str]| {
            let got: Vec<String> = ids_in(text).iter().map(|i| i.as_str().to_owned()).collect();
            assert_eq!(got, want, "{text}");
        };
        check("<a@b> <c@d>", &["a@b", "c@d"]);
        check("<a@b>,<c@d>, <e@f>", &["a@b", "c@d", "e@f"]);
        check("<a@b><c@d>", &["a@b", "c@d"]);
        check("Message of Monday from \"x\" <a@b>", &["a@b"]);
        check("<a \t@b>", &["a@b"]);
        check("a@b, c@d", &["a@b", "c@d"]);
        check("no-brackets-no-at", &["no-brackets-no-at"]);
        check("some words without id", &[]);
        let raw = format!("References: {}\n\n", (0..5000).map(|i| format!("<{i}@x> ")).collect::<String>());
        let got = ids(&split(raw.as_bytes()).0, "References");
        assert_eq!((got.len(), got[0].as_str(), got[99].as_str()), (MAX_IDS, "0@x", "4999@x"));
    }
}
