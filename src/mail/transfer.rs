//! Content transfer encodings (RFC 2045 section 6), forgiving: whatever can be read is read.

use crate::mail::header;
use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig, Simd};
use std::sync::LazyLock;

const NONE: u8 = 0xFF;
const VALUES: [u8; 256] = {
    let (mut table, mut value) = ([NONE; 256], 0u8);
    while value < 64 {
        let byte = match value {
            0..=25 => b'A' + value,
            26..=51 => b'a' + (value - 26),
            52..=61 => b'0' + (value - 52),
            62 => b'+',
            _ => b'/',
        };
        table[byte as usize] = value;
        value += 1;
    }
    // The URL alphabet: no other use of these two is legal here.
    table[b'-' as usize] = 62;
    table[b'_' as usize] = 63;
    table
};

/// How a part's bytes are wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Encoding {
    /// 7bit, 8bit, binary and what nobody knows.
    #[default]
    Plain,
    Base64,
    QuotedPrintable,
}

impl Encoding {
    /// Reads a `Content-Transfer-Encoding` value, misspellings included.
    pub fn parse(value: &str) -> Encoding {
        let token = value.trim().trim_matches('"').to_ascii_lowercase();
        if token.starts_with("base64") || token.starts_with("base-64") {
            Encoding::Base64
        } else if token.starts_with("quoted-printable") || token.starts_with("quoted printable") || token == "qp" {
            Encoding::QuotedPrintable
        } else {
            Encoding::Plain
        }
    }

    pub fn decode(self, body: &[u8]) -> std::borrow::Cow<'_, [u8]> {
        match self {
            Encoding::Plain => body.into(),
            Encoding::Base64 if !begins_as_base64(body) => body.into(),
            Encoding::Base64 => base64_body(body).into(),
            Encoding::QuotedPrintable => quoted_printable(body).into(),
        }
    }

    /// How many bytes [`Encoding::decode`] would give, without building them.
    pub fn decoded_len(self, body: &[u8]) -> usize {
        match self {
            Encoding::Plain => body.len(),
            Encoding::Base64 if !begins_as_base64(body) => body.len(),
            Encoding::Base64 => base64_len(body),
            Encoding::QuotedPrintable => quoted_printable(body).len(),
        }
    }
}

/// Decodes base64; skips what is not of its alphabet, and starts a new group after padding (concatenated pieces).
pub fn base64(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let mut group = Group::default();
    group.read(text, &mut out);
    group.end(&mut out);
    out
}

fn base64_body(text: &[u8]) -> Vec<u8> {
    base64_blocks(text).unwrap_or_else(|| base64_lines(text))
}

/// Decodes a body folded at one width, as nearly all are: many lines at once. In any other one a line end is met among
/// the letters, or a line is no whole number of groups.
fn base64_blocks(text: &[u8]) -> Option<Vec<u8>> {
    const BLOCK: usize = 16 * 1024;
    let text = text.trim_ascii();
    let first = header::line_at(text, 0);
    let (width, letters) = (first.len(), header::trim_line(first).len());
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let mut block = Vec::with_capacity(text.len().min(BLOCK + letters));
    for line in text.chunks(width.max(1)) {
        let line = if line.len() == width { line.strip_suffix(&first[letters..])? } else { line };
        if !line.len().is_multiple_of(4) {
            return None;
        }
        block.extend_from_slice(line);
        if block.len() >= BLOCK {
            CLEAN.decode_vec(&block, &mut out).ok()?;
            block.clear();
        }
    }
    CLEAN.decode_vec(&block, &mut out).ok()?;
    Some(out)
}

/// Decodes a body line by line: clean ones at once, the rest as [`base64`] does, up to the first line that was never
/// base64 (the footer that a mailing list put below).
fn base64_lines(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let mut group = Group::default();
    let mut padded = false;
    for line in lines(text) {
        if !(group.count == 0 && decode_clean(line, &mut out)) {
            if is_foreign(line, padded) {
                break;
            }
            group.read(line, &mut out);
        }
        padded = line.ends_with(b"=");
    }
    group.end(&mut out);
    out
}

/// Length of what [`base64_body`] gives.
fn base64_len(text: &[u8]) -> usize {
    let (mut len, mut count, mut padded) = (0, 0, false);
    for line in lines(text) {
        let full = line.len().is_multiple_of(4) && line.iter().all(|b| VALUES[*b as usize] != NONE);
        if full && !is_rule(line) {
            count += line.len();
        } else if is_foreign(line, padded) {
            break;
        } else {
            for &byte in line {
                if VALUES[byte as usize] != NONE {
                    count += 1;
                } else if byte == b'=' {
                    len += count * 3 / 4;
                    count = 0;
                }
            }
        }
        padded = line.ends_with(b"=");
    }
    len + count * 3 / 4
}

/// Without blanks around them, without empty ones.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    header::split_at_byte(text, b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty())
}

/// As forgiving as [`base64`] about padding and stray bits.
static CLEAN: LazyLock<Simd> = LazyLock::new(|| {
    let config = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    Simd::standard(config)
});

/// Appends what a line of whole groups says; says no, and appends nothing, when it is not one.
fn decode_clean(line: &[u8], out: &mut Vec<u8>) -> bool {
    let before = out.len();
    let clean = line.len().is_multiple_of(4) && CLEAN.decode_vec(line, out).is_ok();
    if !clean {
        out.truncate(before);
    }
    clean
}

/// Words with blanks between them, mostly other letters, a rule: no base64. A few odd bytes are damage, but not behind the
/// padding.
fn is_foreign(line: &[u8], padded: bool) -> bool {
    let odd = line.iter().filter(|b| VALUES[**b as usize] == NONE && !matches!(b, b'=' | b' ' | b'\t')).count();
    // Gateways that join lines leave long words.
    let words = line.contains(&b' ') && (odd > 0 || line.split(|b| *b == b' ').all(|word| word.len() < 20));
    words || is_rule(line) || odd > line.len() / 4 || padded && odd > 0
}

/// `_____________`: legal in the URL alphabet, and never meant so.
fn is_rule(line: &[u8]) -> bool {
    line.len() > 1 && line.iter().all(|b| matches!(b, b'-' | b'_'))
}

/// Some programs name the encoding and do not use it.
fn begins_as_base64(text: &[u8]) -> bool {
    lines(text).next().is_none_or(|line| !is_foreign(line, false))
}

/// Up to three characters of a group of four.
#[derive(Default)]
struct Group {
    bits: u32,
    count: u8,
}

impl Group {
    fn read(&mut self, text: &[u8], out: &mut Vec<u8>) {
        for &byte in text {
            let value = VALUES[byte as usize];
            if value != NONE {
                self.bits = self.bits << 6 | u32::from(value);
                self.count += 1;
                if self.count == 4 {
                    out.extend_from_slice(&self.bits.to_be_bytes()[1..]);
                    *self = Group::default();
                }
            } else if byte == b'=' {
                self.end(out);
            }
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        match self.count {
            2 => out.push((self.bits >> 4) as u8),
            3 => out.extend_from_slice(&[(self.bits >> 10) as u8, (self.bits >> 2) as u8]),
            _ => {}
        }
        *self = Group::default();
    }
}

/// Decodes quoted-printable; an escape that is none stays as it stands (RFC 2045 section 6.7, note on robustness).
pub fn quoted_printable(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(escape) = memchr::memchr(b'=', &text[at..]) {
        out.extend_from_slice(&text[at..at + escape]);
        at += escape + 1;
        let rest = &text[at..];
        if let Some(byte) = hex_pair(rest) {
            out.push(byte);
            at += 2;
        } else if let Some(skip) = soft_break(rest) {
            at += skip;
        } else {
            out.push(b'=');
        }
    }
    out.extend_from_slice(&text[at..]);
    out
}

/// Length of the rest of a soft line break: blanks and a line end, or the end of the text.
fn soft_break(rest: &[u8]) -> Option<usize> {
    let blanks = rest.iter().take(80).take_while(|b| matches!(b, b' ' | b'\t' | b'\r')).count();
    match rest.get(blanks) {
        Some(b'\n') => Some(blanks + 1),
        None => Some(blanks),
        Some(_) if rest.first() == Some(&b'\r') => Some(1),
        Some(_) => None,
    }
}

/// The text of a `Q` encoded word (RFC 2047 section 4.2).
pub fn q_word(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let pair = if byte == b'=' { hex_pair(&text[at + 1..]) } else { None };
        out.push(pair.unwrap_or(if byte == b'_' { b' ' } else { byte }));
        at += if pair.is_some() { 3 } else { 1 };
    }
    out
}

/// Decodes `%E6%88` (RFC 3986 section 2.1); what is no escape stays.
pub fn percent(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let pair = if byte == b'%' { hex_pair(&text[at + 1..]) } else { None };
        out.push(pair.unwrap_or(byte));
        at += if pair.is_some() { 3 } else { 1 };
    }
    out
}

fn hex_pair(text: &[u8]) -> Option<u8> {
    let digit = |b: &u8| char::from(*b).to_digit(16);
    let (high, low) = (digit(text.first()?)?, digit(text.get(1)?)?);
    u8::try_from(high * 16 + low).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_forgiving() {
        for (text, want) in [
            ("5omT5Y2w", "打印"),
            ("5omT\r\n 5Y2w\r\n", "打印"),
            ("5omT5Y2w!!", "打印"),
            ("YQ", "a"),
            ("YQ==YmM=", "abc"),
            ("YQ==\r\nYmM=\r\n", "abc"),
            ("5omT\n5Y2w\n\n", "打印"),
            ("5omT5Y2w\r\n5omT\r\n5Y2w", "打印打印"),
            ("5omT\r\n5Y2w5omT5Y2w", "打印打印"),
            ("5omT\n5Y2w\r\nYQ==", "打印a"),
            ("", ""),
            ("=", ""),
        ] {
            assert_eq!(base64(text.as_bytes()), want.as_bytes(), "{text}");
            assert_eq!(Encoding::Base64.decode(text.as_bytes()).as_ref(), want.as_bytes(), "{text}");
        }
    }

    /// Clean lines, folded groups, padding in the middle: the quick way and the forgiving one say the same.
    #[test]
    fn base64_by_lines_is_base64() {
        let bytes: Vec<u8> = (0..=255u8).cycle().take(5_000).collect();
        let text = base64::engine::general_purpose::STANDARD.encode(&bytes);
        for width in [4, 5, 7, 60, 61, 76, 998, 10_000] {
            let folded: Vec<u8> = text.as_bytes().chunks(width).flat_map(|l| [l, b"\r\n"].concat()).collect();
            assert_eq!(Encoding::Base64.decode(&folded).as_ref(), bytes, "{width}");
            assert_eq!(Encoding::Base64.decoded_len(&folded), bytes.len(), "{width}");
            let url: Vec<u8> = folded.iter().map(|b| if *b == b'+' { b'-' } else { *b }).collect();
            assert_eq!(Encoding::Base64.decode(&url).as_ref(), bytes, "{width}");
        }
    }

    #[test]
    fn footers_below_base64_are_no_part_of_it() {
        let body = base64::engine::general_purpose::STANDARD.encode("打印机卡纸了，请帮忙处理一下");
        for footer in [
            "-- \r\nusers mailing list",
            "_______________________________________________\r\nusers mailing list -- users@example.com",
            "To unsubscribe send a mail",
            "本邮件来自外部",
            "http://lists.example.com/users",
        ] {
            for padded in [body.clone(), body.trim_end_matches('=').to_owned()] {
                let text = format!("{padded}\r\n\r\n{footer}\r\n");
                let decoded = Encoding::Base64.decode(text.as_bytes());
                let read = String::from_utf8_lossy(&decoded);
                let junk = !padded.ends_with('=') && footer.starts_with("http");
                assert!(read == "打印机卡纸了，请帮忙处理一下" || junk, "{footer}: {read}");
                assert_eq!(decoded.len(), Encoding::Base64.decoded_len(text.as_bytes()), "{footer}");
            }
        }
        // Named base64, written as text.
        let plain = "The printer on floor 3 is broken.\nPlease help.\n";
        assert_eq!(Encoding::Base64.decode(plain.as_bytes()).as_ref(), plain.as_bytes());
    }

    #[test]
    fn quoted_printable_is_forgiving() {
        for (text, want) in [
            ("a=3Db", "a=b"),
            ("a=\r\nb", "ab"),
            ("a=  \nb", "ab"),
            ("=E6=89=\r\n=93", "打"),
            ("1=2, x=", "1=2, x"),
            ("=zz==", "=zz="),
            ("lower =e6=89=93", "lower 打"),
        ] {
            assert_eq!(String::from_utf8_lossy(&quoted_printable(text.as_bytes())), want, "{text}");
        }
    }

    #[test]
    fn percent_escapes() {
        assert_eq!(percent(b"%E6%88%AA.png"), "截.png".as_bytes());
        assert_eq!(percent(b"100%"), b"100%");
    }

    #[test]
    fn decoded_length_is_that_of_the_bytes() {
        for text in ["5omT5Y2w", "YQ==", "a=3Db", "YWJj\r\nYQ=="] {
            for encoding in [Encoding::Plain, Encoding::Base64, Encoding::QuotedPrintable] {
                assert_eq!(encoding.decoded_len(text.as_bytes()), encoding.decode(text.as_bytes()).len(), "{text}");
            }
        }
    }
}
