//! Bodies of outgoing text (RFC 2045 section 6): lines ended by CR LF, in the encoding that suits them.

use crate::mail::pieces::Form;
use lettre::message::Body;
use lettre::message::header::ContentTransferEncoding;

/// Longest line without its end, in any encoding.
const MAX_LINE: usize = 76;

/// Plain ASCII as it is when its lines are short, else in quoted-printable. Everything else in base64: Chinese is shorter
/// in that than in anything else that mail may carry.
pub fn text(words: &str) -> Body {
    if !words.is_ascii() {
        let mut encoded = Vec::new();
        Form::OWN.write(canonical(words).as_bytes(), &mut encoded);
        return Body::dangerous_pre_encoded(encoded, ContentTransferEncoding::Base64);
    }
    if words.lines().all(|line| line.len() + "\r\n".len() <= MAX_LINE) {
        return Body::dangerous_pre_encoded(canonical(words).into_bytes(), ContentTransferEncoding::SevenBit);
    }
    Body::dangerous_pre_encoded(quoted_printable(words), ContentTransferEncoding::QuotedPrintable)
}

/// The text with the line ends of mail.
fn canonical(words: &str) -> String {
    let mut canonical = String::with_capacity(words.len() + words.len() / 16);
    for line in words.split_inclusive('\n') {
        match line.strip_suffix('\n') {
            Some(line) => canonical.extend([line.strip_suffix('\r').unwrap_or(line), "\r\n"]),
            None => canonical.push_str(line),
        }
    }
    canonical
}

/// RFC 2045 section 6.7.
fn quoted_printable(words: &str) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(words.len() + words.len() / 8);
    let mut quoted = Vec::new();
    for line in words.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\r\n"));
        quoted.clear();
        quote(line.strip_suffix('\r').unwrap_or(line), &mut quoted);
        let mut rest = quoted.as_slice();
        while rest.len() > MAX_LINE {
            // The break itself is a `=`; that of a quoted character stays with its two digits.
            let at = (MAX_LINE - 3..MAX_LINE - 1).find(|at| rest[*at] == b'=').unwrap_or(MAX_LINE - 1);
            encoded.extend_from_slice(&rest[..at]);
            encoded.extend_from_slice(b"=\r\n");
            rest = &rest[at..];
        }
        encoded.extend_from_slice(rest);
        encoded.extend_from_slice(end.as_bytes());
    }
    encoded
}

/// One line with everything quoted that must be: what is not printable, the sign of quoting, a blank at the end.
fn quote(line: &str, quoted: &mut Vec<u8>) {
    let line = line.as_bytes();
    let last = line.len().saturating_sub(1);
    let mut done = 0;
    for (at, byte) in line.iter().enumerate() {
        let plain = matches!(byte, b'!'..=b'<' | b'>'..=b'~') || (matches!(byte, b' ' | b'\t') && at != last);
        if !plain {
            quoted.extend_from_slice(&line[done..at]);
            quoted.extend_from_slice(format!("={byte:02X}").as_bytes());
            done = at + 1;
        }
    }
    quoted.extend_from_slice(&line[done..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_are_quoted_only_when_a_line_is_long() {
        let check = |words: &str, encoding, encoded: &str| {
            let body = text(words);
            assert_eq!((body.encoding(), String::from_utf8(body.into_vec()).unwrap()), (encoding, encoded.to_owned()));
        };
        let (a, quoted) = (|n| "a".repeat(n), ContentTransferEncoding::QuotedPrintable);
        check("a=b \nc\r\n", ContentTransferEncoding::SevenBit, "a=b \r\nc\r\n");
        check(&format!("{}\n", a(80)), quoted, &format!("{}=\r\n{}\r\n", a(75), a(5)));
        check(&format!("{}\n", a(76)), quoted, &format!("{}\r\n", a(76)));
        check(&format!("= \t\n\t{}\n", a(75)), quoted, &format!("=3D =09\r\n\t{}\r\n", a(75)));
        for before in 73..=75 {
            let (line, broken) = (format!("{}=bcd", a(before)), format!("{}=\r\n=3Dbcd", a(before)));
            check(&line, quoted, &broken);
        }
    }
}
