//! Exact bytes in pieces, so that a file is kept once: what its blob gives again is left out of the message it came with
//! and of every letter it goes along with.
//!
//! In a message that was taken in, a file is found where its bytes stand, as they are or in base64; whatever does not
//! give the very same bytes again stays as it is. So the pieces put together are always the bytes they were made of.

use crate::desk::inbound::Digest;
use base64::Engine as _;
use base64::engine::Simd;
use base64::engine::general_purpose::PAD;
use memchr::{memchr, memmem};
use std::borrow::Cow;
use std::sync::LazyLock;

/// Uses what the processor has for many bytes at a time.
static ENGINE: LazyLock<Simd> = LazyLock::new(|| Simd::standard(PAD));
/// A smaller file is not worth a piece of its own.
const WORTH: usize = 4 << 10;
/// So much of a file is looked for; what follows it is compared.
const START: usize = 30;
/// So many places are tried.
const PLACES: usize = 16;
/// About so many bytes are encoded at a time.
const BLOCK: usize = 24 << 10;

/// Bytes of a message or a letter, in pieces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pieces<'a>(pub Vec<Piece<'a>>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// As they are.
    Bytes(Cow<'a, [u8]>),
    /// The bytes of this blob.
    File { digest: Digest, size: usize, form: Form },
}

/// How a file stands in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    AsIs,
    /// In base64, in lines of so many characters that end in CR LF or in LF alone. The last line has no end.
    Base64 {
        columns: usize,
        crlf: bool,
    },
}

impl Form {
    /// As this desk writes files (RFC 2045 section 6.8).
    pub const OWN: Form = Form::Base64 { columns: 76, crlf: true };

    /// Appends a file in this form.
    pub fn write(self, file: &[u8], to: &mut Vec<u8>) {
        to.reserve_exact(self.len(file.len()));
        match self {
            Form::AsIs => to.extend_from_slice(file),
            Form::Base64 { columns, crlf } => {
                base64_lines(file, columns, crlf, |lines| {
                    to.extend_from_slice(lines);
                    true
                });
            }
        }
    }

    /// Bytes of a file of this size.
    pub fn len(self, size: usize) -> usize {
        match self {
            Form::AsIs => size,
            Form::Base64 { columns, crlf } => {
                let characters = size.div_ceil(3) * 4;
                characters + characters.saturating_sub(1) / columns * if crlf { 2 } else { 1 }
            }
        }
    }
}

impl<'a> Pieces<'a> {
    /// One piece.
    pub fn whole(bytes: impl Into<Cow<'a, [u8]>>) -> Pieces<'a> {
        Pieces(vec![Piece::Bytes(bytes.into())])
    }

    /// `raw` without what these files give again. They are looked for in this order, each behind the one before.
    pub fn split(raw: &'a [u8], files: impl IntoIterator<Item = (Digest, &'a [u8])>) -> Pieces<'a> {
        let (mut pieces, mut done) = (Vec::new(), 0);
        for (digest, file) in files.into_iter().filter(|(_, file)| file.len() >= WORTH) {
            let Some((at, form)) = find(&raw[done..], file) else { continue };
            pieces.push(Piece::Bytes(raw[done..done + at].into()));
            pieces.push(Piece::File { digest, size: file.len(), form });
            done += at + form.len(file.len());
        }
        pieces.push(Piece::Bytes(raw[done..].into()));
        pieces.retain(|piece| !piece.is_empty());
        Pieces(pieces)
    }

    /// Bytes in all.
    pub fn len(&self) -> usize {
        self.0.iter().map(Piece::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes, where `blob` gives those of a file; `None` when it does not.
    pub fn join(&self, blob: impl Fn(Digest) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(self.len());
        for piece in &self.0 {
            match piece {
                Piece::Bytes(some) => bytes.extend_from_slice(some),
                Piece::File { digest, form, .. } => form.write(&blob(*digest)?, &mut bytes),
            }
        }
        Some(bytes)
    }
}

impl Piece<'_> {
    pub fn len(&self) -> usize {
        match self {
            Piece::Bytes(bytes) => bytes.len(),
            Piece::File { size, form, .. } => form.len(*size),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Where and how a file stands in a message. Files of one kind begin alike, so the first place may be another's.
fn find(raw: &[u8], file: &[u8]) -> Option<(usize, Form)> {
    let encoded = ENGINE.encode(&file[..START]);
    let in_base64 = memmem::find_iter(raw, encoded.as_bytes()).take(PLACES);
    let as_it_is = memmem::find_iter(raw, &file[..START]).take(PLACES);
    in_base64
        .filter_map(|at| Some((at, base64_at(&raw[at..], file)?)))
        .chain(as_it_is.filter(|at| raw[*at..].starts_with(file)).map(|at| (at, Form::AsIs)))
        .next()
}

/// The form in which base64 of exactly this file begins `raw`.
fn base64_at(raw: &[u8], file: &[u8]) -> Option<Form> {
    let line = memchr(b'\n', raw).unwrap_or(raw.len());
    let crlf = line > 0 && raw[line - 1] == b'\r';
    let columns = line - usize::from(crlf);
    if !columns.is_multiple_of(4) || columns == 0 {
        return None;
    }
    let mut at = 0;
    let same = base64_lines(file, columns, crlf, |lines| {
        let same = raw[at..].starts_with(lines);
        at += lines.len();
        same
    });
    same.then_some(Form::Base64 { columns, crlf })
}

/// Hands on the lines of a file in base64 and the ends between them, as long as `each` says to go on. A large file is
/// never there twice.
fn base64_lines(file: &[u8], columns: usize, crlf: bool, mut each: impl FnMut(&[u8]) -> bool) -> bool {
    let end: &[u8] = if crlf { b"\r\n" } else { b"\n" };
    let line = columns / 4 * 3;
    let mut flat = Vec::new();
    for (index, block) in file.chunks(line * (BLOCK / line).max(1)).enumerate() {
        flat.resize(block.len().div_ceil(3) * 4, 0);
        ENGINE.encode_slice(block, &mut flat).expect("room was made for it");
        for (number, line) in flat.chunks(columns).enumerate() {
            let first = index + number == 0;
            if !(first || each(end)) || !each(line) {
                return false;
            }
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(file: &[u8], columns: usize, crlf: bool) -> Vec<u8> {
        let mut lines = Vec::new();
        Form::Base64 { columns, crlf }.write(file, &mut lines);
        lines
    }

    fn file(size: usize) -> Vec<u8> {
        (0..size).map(|i| (i * i / 7 + i) as u8).collect()
    }

    /// Splits a message with this in the middle; gives how many files were left out.
    fn check(middle: &[u8], files: &[&[u8]]) -> usize {
        let raw = [b"Subject: x\r\n\r\n--b\r\n\r\n", middle, b"\r\n--b--\r\n"].concat();
        let pieces = Pieces::split(&raw, files.iter().map(|file| (Digest::of(file), *file)));
        let blob = |digest| files.iter().find(|f| Digest::of(f) == digest).map(|f| f.to_vec());
        assert_eq!(pieces.join(blob).unwrap(), raw);
        assert_eq!(pieces.len(), raw.len());
        pieces.0.iter().filter(|p| matches!(p, Piece::File { .. })).count()
    }

    #[test]
    fn a_file_is_left_out_where_it_gives_the_same_bytes_again() {
        for size in [WORTH, WORTH + 1, WORTH + 2, 57 * 100, 57 * 100 + 1, BLOCK, 3 * BLOCK + 5] {
            let file = file(size);
            for (columns, crlf) in [(76, true), (76, false), (72, true), (60, false), (64, true), (1_000_000, true)] {
                assert_eq!(check(&lines(&file, columns, crlf), &[&file]), 1, "{size} {columns} {crlf}");
            }
            assert_eq!(check(&file, &[&file]), 1, "{size} as it is");
        }
    }

    #[test]
    fn whatever_is_odd_stays_as_it_is() {
        let file = file(2 * WORTH);
        let whole = lines(&file, 76, true);
        let mut broken = whole.clone();
        broken.insert(1000, b' ');
        assert_eq!(check(&broken, &[&file]), 0, "a blank in the middle");
        assert_eq!(check(&whole[..whole.len() - 1], &[&file]), 0, "cut off");
        assert_eq!(check(&lines(&file[..WORTH - 1], 76, true), &[&file[..WORTH - 1]]), 0, "small");
        assert_eq!(check(b"nothing of the kind", &[&file]), 0);
        let quoted = [b"> ".as_slice(), &whole].concat();
        assert_eq!(check(&quoted, &[&file]), 1, "only the file's own bytes count");
    }

    #[test]
    fn files_follow_each_other() {
        let (one, two) = (file(WORTH), file(3 * WORTH));
        let line = |file: &[u8]| lines(file, 76, true);
        let both = [line(&one), b"\r\n--b\r\n\r\n".to_vec(), line(&two), line(&one)].concat();
        assert_eq!(check(&both, &[&one, &two, &one]), 3);
        assert_eq!(check(&both, &[&two, &one]), 2, "one of them was no attachment");
        assert_eq!(check(&both, &[&one, &one, &one]), 2);
    }

    #[test]
    fn lengths_are_those_of_the_bytes() {
        for size in [0, 1, 2, 3, 56, 57, 58, 114, 1000] {
            for (columns, crlf) in [(76, true), (76, false), (4, true)] {
                let form = Form::Base64 { columns, crlf };
                assert_eq!(form.len(size), lines(&file(size), columns, crlf).len(), "{size} {form:?}");
            }
        }
        assert!(Pieces::whole(b"".as_slice()).is_empty());
    }
}
