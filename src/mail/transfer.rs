//! Content transfer encodings (RFC 2045 section 6), forgiving: whatever can be read is read.

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
            Encoding::Base64 => base64(body).into(),
            Encoding::QuotedPrintable => quoted_printable(body).into(),
        }
    }

    /// How many bytes [`Encoding::decode`] would give, without building them.
    pub fn decoded_len(self, body: &[u8]) -> usize {
        match self {
            Encoding::Plain => body.len(),
            Encoding::Base64 => base64_len(body),
            Encoding::QuotedPrintable => quoted_printable(body).len(),
        }
    }
}

/// Decodes base64; skips what is not of its alphabet, and starts a new group after padding (concatenated pieces).
pub fn base64(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let (mut group, mut count) = (0u32, 0u8);
    for &byte in text {
        let value = VALUES[byte as usize];
        if value != NONE {
            group = group << 6 | u32::from(value);
            count += 1;
            if count == 4 {
                out.extend_from_slice(&group.to_be_bytes()[1..]);
                (group, count) = (0, 0);
            }
        } else if byte == b'=' {
            end_group(&mut out, group, count);
            (group, count) = (0, 0);
        }
    }
    end_group(&mut out, group, count);
    out
}

/// Length of what [`base64`] gives.
fn base64_len(text: &[u8]) -> usize {
    let (mut len, mut count) = (0, 0usize);
    for &byte in text {
        if VALUES[byte as usize] != NONE {
            count += 1;
        } else if byte == b'=' {
            len += count * 3 / 4;
            count = 0;
        }
    }
    len + count * 3 / 4
}

fn end_group(out: &mut Vec<u8>, group: u32, count: u8) {
    match count {
        2 => out.push((group >> 4) as u8),
        3 => out.extend_from_slice(&[(group >> 10) as u8, (group >> 2) as u8]),
        _ => {}
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
            ("", ""),
            ("=", ""),
        ] {
            assert_eq!(base64(text.as_bytes()), want.as_bytes(), "{text}");
        }
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
