//! A letter's bytes as SMTP wants them: CRLF line ends and dot-stuffing whatever they held before
//! (RFC 5321 sections 2.3.8 and 4.5.2; `hardening.md` S41, S42).

use memchr::memchr2;

/// Canonical CRLF and dot-stuffing, piece by piece: a letter is never copied whole.
#[derive(Debug)]
pub struct BodyWriter {
    line_start: bool,
    after_cr: bool,
}

impl Default for BodyWriter {
    fn default() -> Self {
        BodyWriter { line_start: true, after_cr: false }
    }
}

impl BodyWriter {
    pub fn write(&mut self, mut input: &[u8], out: &mut Vec<u8>) {
        while let Some(&first) = input.first() {
            if first == b'\n' || first == b'\r' {
                // CRLF, a bare LF and a bare CR are each one line end; the CRLF was written at its CR.
                if first == b'\r' || !self.after_cr {
                    out.extend_from_slice(b"\r\n");
                    self.line_start = true;
                }
                self.after_cr = first == b'\r';
                input = &input[1..];
                continue;
            }
            if self.line_start && first == b'.' {
                out.push(b'.');
            }
            let end = memchr2(b'\n', b'\r', input).unwrap_or(input.len());
            out.extend_from_slice(&input[..end]);
            (self.line_start, self.after_cr) = (false, false);
            input = &input[end..];
        }
    }

    /// The final dot (RFC 5321 section 4.1.1.4).
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if !self.line_start {
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b".\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s42_no_body_ends_the_letter_early() {
        for (input, expected) in [
            ("a\r\nb\r\n", "a\r\nb\r\n.\r\n"),
            ("a", "a\r\n.\r\n"),
            ("", ".\r\n"),
            (".", "..\r\n.\r\n"),
            ("a\n.\nMAIL FROM:<x@y>", "a\r\n..\r\nMAIL FROM:<x@y>\r\n.\r\n"),
            ("a\r.\rb", "a\r\n..\r\nb\r\n.\r\n"),
            ("a\r\n.\r\n", "a\r\n..\r\n.\r\n"),
            ("a\r\r\n.b", "a\r\n\r\n..b\r\n.\r\n"),
            ("a\n\r.b", "a\r\n\r\n..b\r\n.\r\n"),
            ("...", "....\r\n.\r\n"),
        ] {
            // However it is cut into pieces, the same comes out.
            for cut in 0..=input.len() {
                let mut writer = BodyWriter::default();
                let mut out = Vec::new();
                writer.write(&input.as_bytes()[..cut], &mut out);
                writer.write(&input.as_bytes()[cut..], &mut out);
                writer.finish(&mut out);
                assert_eq!(String::from_utf8_lossy(&out), expected, "{input:?} cut at {cut}");
            }
        }
    }
}
