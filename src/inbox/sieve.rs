//! What stands between an IMAP server and the parser: bounds, and mercy for odd lines.
//!
//! async-imap reserves whatever a literal announces, parses an unfinished line again at every read, and gives the
//! connection up at an untagged line it does not know. So every byte passes here first: a command says how much it
//! may be answered (`hardening.md` S62), a line has a longest length, and a complete untagged line that the parser
//! cannot read is left out, as RFC 3501 section 2.2.2 lets a client ignore what it did not ask for.

use crate::wire::Wire;
use async_imap::imap_proto::Response;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Longest line outside of literals; a search answer of 20,000 UIDs fits.
const LONGEST_LINE: usize = 256 * 1024;
const BLOCK: usize = 32 * 1024;

/// An IMAP connection with a byte budget.
#[derive(Debug)]
pub struct Sieve {
    pub wire: Wire,
    buffer: Vec<u8>,
    /// `buffer[start..passed]` may be handed on, `buffer[passed..end]` is not looked at yet.
    start: usize,
    passed: usize,
    end: usize,
    /// Bytes of the current literal that have not passed yet.
    literal: usize,
    /// The line at `passed` goes on after a literal.
    continued: bool,
    budget: usize,
}

impl Sieve {
    pub fn new(wire: Wire) -> Sieve {
        let buffer = vec![0; BLOCK];
        Sieve { wire, buffer, start: 0, passed: 0, end: 0, literal: 0, continued: false, budget: 0 }
    }

    /// From now on the server may send this many bytes.
    pub fn allow(&mut self, bytes: usize) {
        self.budget = bytes;
    }

    fn spend(&mut self, bytes: usize) -> io::Result<()> {
        self.budget = self.budget.checked_sub(bytes).ok_or_else(too_much)?;
        Ok(())
    }

    /// Looks at everything that came, up to the first unfinished line.
    fn pass(&mut self) -> io::Result<()> {
        while self.passed < self.end {
            if self.literal > 0 {
                let bytes = self.literal.min(self.end - self.passed);
                self.literal -= bytes;
                self.passed += bytes;
                continue;
            }
            let unseen = &self.buffer[self.passed..self.end];
            let Some(length) = unseen.iter().position(|b| *b == b'\n').map(|at| at + 1) else {
                return if unseen.len() > LONGEST_LINE { Err(too_much()) } else { Ok(()) };
            };
            let line = &unseen[..length];
            if let Some(size) = literal_size(line).filter(|_| self.continued || may_hold_literal(line)) {
                // The parser makes room for all of it at once, so what is announced must fit before it comes.
                if size > self.budget.saturating_add(self.end - self.passed) {
                    return Err(too_much());
                }
                self.literal = size;
                self.continued = true;
            } else if std::mem::take(&mut self.continued) || is_readable(line) {
            } else {
                tracing::debug!(line = crate::wire::readable(line, 200), "left out a line of the IMAP server");
                self.buffer.copy_within(self.passed + length..self.end, self.passed);
                self.end -= length;
                continue;
            }
            self.passed += length;
        }
        Ok(())
    }

    /// Makes room for at least one more byte.
    fn make_room(&mut self) {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.passed -= self.start;
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == 0 {
            self.buffer.resize(BLOCK, 0);
            self.buffer.shrink_to(BLOCK);
        } else if self.end == self.buffer.len() {
            self.buffer.resize(self.end + BLOCK, 0);
        }
    }
}

fn too_much() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the IMAP server sent more than it was asked for")
}

/// The size in `{123}` at the end of a line (RFC 3501 section 4.3).
fn literal_size(line: &[u8]) -> Option<usize> {
    let line = line.strip_suffix(b"}\r\n")?;
    let digits = line.iter().rev().take(20).take_while(|b| b.is_ascii_digit()).count();
    let (rest, number) = line.split_at(line.len() - digits);
    if digits == 0 || rest.last() != Some(&b'{') {
        return None;
    }
    // A number too large for the machine is still a literal: the largest there is, which no budget allows.
    Some(std::str::from_utf8(number).ok()?.parse().unwrap_or(usize::MAX))
}

/// Status lines end in free text, where `{12}` means nothing.
fn may_hold_literal(line: &[u8]) -> bool {
    let word = line.strip_prefix(b"* ").unwrap_or_default();
    !word.is_empty() && ![&b"OK "[..], b"NO ", b"BAD ", b"BYE ", b"PREAUTH "].iter().any(|w| word.starts_with(w))
}

/// Whether the parser takes the line; only untagged lines are ever left out.
fn is_readable(line: &[u8]) -> bool {
    !line.starts_with(b"* ") || matches!(Response::parse(line), Ok((b"", _)))
}

impl AsyncRead for Sieve {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            if this.start < this.passed {
                let bytes = out.remaining().min(this.passed - this.start);
                out.put_slice(&this.buffer[this.start..this.start + bytes]);
                this.start += bytes;
                return Poll::Ready(Ok(()));
            }
            // The rest of a literal goes straight to where the parser keeps it.
            if this.literal > 0 && this.start == this.end {
                let most = this.literal.min(out.remaining());
                let mut part = ReadBuf::new(out.initialize_unfilled_to(most));
                ready!(Pin::new(&mut this.wire).poll_read(cx, &mut part))?;
                let bytes = part.filled().len();
                out.advance(bytes);
                this.literal -= bytes;
                this.spend(bytes)?;
                return Poll::Ready(Ok(()));
            }
            this.make_room();
            let mut part = ReadBuf::new(&mut this.buffer[this.end..]);
            ready!(Pin::new(&mut this.wire).poll_read(cx, &mut part))?;
            let bytes = part.filled().len();
            if bytes == 0 {
                return Poll::Ready(Ok(()));
            }
            this.end += bytes;
            this.spend(bytes)?;
            this.pass()?;
        }
    }
}

impl AsyncWrite for Sieve {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.wire).poll_write(cx, buf)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_recognised() {
        for (line, size) in [
            (&b"* 1 FETCH (BODY[] {12}\r\n"[..], Some(12)),
            (b"* 1 FETCH (BODY[] {99999999999999999999999}\r\n", None),
            (b"* 1 FETCH (BODY[] {9999999999999999999}\r\n", Some(9_999_999_999_999_999_999)),
            (b"* 1 FETCH (BODY[] {}\r\n", None),
            (b"* 1 FETCH (UID 1)\r\n", None),
            (b"}\r\n", None),
        ] {
            assert_eq!(literal_size(line), size, "{}", String::from_utf8_lossy(line));
        }
        assert!(!may_hold_literal(b"* OK free text {12}\r\n"));
        assert!(may_hold_literal(b"* 1 FETCH (BODY[] {12}\r\n"));
        assert!(!may_hold_literal(b"A1 OK {12}\r\n"));
    }

    #[test]
    fn unknown_untagged_lines_are_left_out() {
        for (line, readable) in [
            (&b"* 3 EXISTS\r\n"[..], true),
            (b"* XYZZY plugh\r\n", false),
            (b"* ESEARCH (TAG \"A1\") UID COUNT 0\r\n", false),
            (b"* ID (\"name\" \"x\" \"y\" NIL)\r\n", true),
            (b"* OK \xd3\xc3\r\n", true),
            (b"A1 WHAT\r\n", true),
            (b"+ idling\r\n", true),
        ] {
            assert_eq!(is_readable(line), readable, "{}", String::from_utf8_lossy(line));
        }
    }
}
