//! Encoded words (RFC 2047), as senders really write them.
//!
//! Repairs (`domain.md` 3.2): a character split over two words, words glued to text, words inside quotes, folds and
//! spaces inside a word, missing padding, a missing end, raw 8-bit text between words, labels that lie.

use crate::mail::charset::{self, Charset};

/// Decodes an unfolded header value; `hint` is the charset for raw 8-bit text.
pub fn decode(value: &[u8], hint: Option<Charset>) -> String {
    if value.is_ascii() && memchr::memmem::find(value, b"=?").is_none() {
        return charset::decode(value, None, hint).into_owned();
    }
    let (mut out, mut at, mut plain_from) = (String::with_capacity(value.len()), 0, 0);
    let mut pending: Option<Word> = None;
    let mut ends_left = true;
    while let Some(found) = memchr::memmem::find(&value[at..], b"=?").filter(|_| ends_left) {
        let start = at + found;
        let Some((word, end)) = parse_word(value, start, &mut ends_left) else {
            at = start + 2;
            continue;
        };
        let between = &value[plain_from..start];
        if pending.is_none() || !between.trim_ascii().is_empty() {
            flush(&mut out, pending.take());
            push_plain(&mut out, between, hint);
        }
        pending = Some(match pending.take() {
            Some(before) if before.joins(&word) => before.join(word),
            before => {
                flush(&mut out, before);
                word
            }
        });
        (at, plain_from) = (end, end);
    }
    flush(&mut out, pending);
    push_plain(&mut out, &value[plain_from..], hint);
    out
}

/// One encoded word, or several of one charset joined.
struct Word {
    label: String,
    /// Still base64 text, so that words cut inside a group of four can be joined.
    base64: Vec<u8>,
    bytes: Vec<u8>,
}

impl Word {
    fn joins(&self, next: &Word) -> bool {
        self.label == next.label
    }

    fn join(mut self, next: Word) -> Word {
        // Cut inside a group of four: only the two halves together make whole groups. (Words that merely lack
        // their padding do not add up.)
        let halves = !self.base64.len().is_multiple_of(4) && (self.base64.len() + next.base64.len()).is_multiple_of(4);
        if halves && !self.base64.ends_with(b"=") && !next.base64.is_empty() {
            self.base64.extend(next.base64);
            self.bytes.extend(next.bytes);
            return self;
        }
        self.settle();
        self.base64 = next.base64;
        self.bytes.extend(next.bytes);
        self
    }

    /// Decodes the pending base64 text behind the bytes decoded so far.
    fn settle(&mut self) {
        let decoded = crate::mail::transfer::base64(&std::mem::take(&mut self.base64));
        self.bytes.extend(decoded);
    }
}

fn flush(out: &mut String, word: Option<Word>) {
    if let Some(mut word) = word {
        word.settle();
        out.push_str(&charset::decode(&word.bytes, Charset::by_label(&word.label), None));
    }
}

fn push_plain(out: &mut String, bytes: &[u8], hint: Option<Charset>) {
    out.push_str(&charset::decode(bytes, None, hint));
}

/// Reads `=?charset?B?text?=` at `start`; gives the word and the offset behind it.
fn parse_word(value: &[u8], start: usize, ends_left: &mut bool) -> Option<(Word, usize)> {
    let rest = &value[start + 2..];
    let label_end = rest.iter().take(64).position(|b| *b == b'?')?;
    let label = std::str::from_utf8(&rest[..label_end]).ok()?;
    // RFC 2231 section 5 allows a language behind the charset.
    let label = label.split('*').next().unwrap_or(label).trim();
    let kind = rest.get(label_end + 1)?.to_ascii_uppercase();
    if !matches!(kind, b'B' | b'Q') || rest.get(label_end + 2) != Some(&b'?') || !label.is_ascii() {
        return None;
    }
    let text_at = start + 2 + label_end + 3;
    let (text, end) = word_text(value, text_at, kind, ends_left)?;
    let mut word = Word { label: label.to_ascii_lowercase(), base64: Vec::new(), bytes: Vec::new() };
    match kind {
        b'B' => word.base64 = text.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect(),
        _ => word.bytes = crate::mail::transfer::q_word(text),
    }
    Some((word, end))
}

/// The encoded text up to `?=`. A word cut off by the end of the field is taken as far as it goes.
fn word_text<'a>(value: &'a [u8], from: usize, kind: u8, ends_left: &mut bool) -> Option<(&'a [u8], usize)> {
    let mut at = from;
    while let Some(found) = memchr::memmem::find(&value[at..], b"?=") {
        let end = at + found;
        let after = &value[end + 2..];
        // `Q` text with a bare question mark before an escape: `Hallo?=20Welt?=`.
        let escape = kind == b'Q' && after.len() > 2 && after[..2].iter().all(|b| b.is_ascii_hexdigit());
        let word_goes_on = escape && !after.starts_with(b"=?") && {
            let stop = after.iter().take(80).take_while(|b| **b != b' ').count();
            memchr::memmem::find(&after[..stop], b"?=").is_some()
                && memchr::memmem::find(&after[..stop], b"=?").is_none()
        };
        if !word_goes_on {
            return Some((&value[from..end], end + 2));
        }
        at = end + 2;
    }
    *ends_left = false;
    let rest = &value[from..];
    let base64 = |b: &u8| b.is_ascii_alphanumeric() || b"+/=".contains(b);
    (kind == b'B' && !rest.is_empty() && rest.iter().all(base64)).then_some((rest, value.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(raw: &[u8], want: &str) {
        assert_eq!(decode(raw, None), want, "{}", String::from_utf8_lossy(raw));
    }

    #[test]
    fn encoded_words_as_the_rfc_has_them() {
        check(b"=?UTF-8?B?5omT5Y2w5py6?=", "打印机");
        check(b"=?utf-8?q?=E6=89=93_x?= y", "打 x y");
        check(b"=?us-ascii*en?Q?a_b?=", "a b");
        check(b"=?UTF-8?B?5omT?= =?UTF-8?B?5Y2w?=", "打印");
        check(b"=?UTF-8?B?5omT?= and =?UTF-8?B?5Y2w?=", "打 and 印");
        check(b"no words", "no words");
    }

    #[test]
    fn characters_split_over_words_are_whole_again() {
        check(b"=?UTF-8?B?55S16A==?= =?UTF-8?B?hJE=?=", "电脑");
        check(b"=?utf-8?Q?=E7=94=B5=E8?= =?UTF-8?B?hJE=?=", "电脑");
        check(b"=?gb2312?B?tPI=?= =?gb2312?B?07A=?=", "打影");
        check(b"=?UTF-8?B?5omT5Y2?= =?UTF-8?B?w?=", "打印");
    }

    #[test]
    fn words_glued_to_text_gain_no_space() {
        check(b"[P1]=?UTF-8?B?55S16ISR?=", "[P1]电脑");
        check(b"=?UTF-8?B?55S16ISR?=:x", "电脑:x");
        check(b"=?UTF-8?B?55S16ISR?==?UTF-8?B?55S16ISR?=", "电脑电脑");
    }

    #[test]
    fn bent_words_are_still_read() {
        check(b"=?GB2312?B?tPLTobv6 u7XBy w==?=", "打印机坏了");
        check(b"=?UTF-8?B?55S16ISR", "电脑");
        check(b"=?UTF-8?Q?Hallo?=20Welt?=", "Hallo? Welt");
        check(b"=?UTF-8?Q?raw space here?=", "raw space here");
        check(b"=?UTF-8?B?55S16ISR?= \xb4\xf2\xd3\xa1\xbb\xfa", "电脑 打印机");
        check(b"=?utf-8?B?tPLTobv6?=", "打印机");
        check(b"=?gb2312?B?5omT5Y2w5py6?=", "打印机");
        check(b"=?unknown?B?5omT5Y2w5py6?=", "打印机");
    }

    #[test]
    fn what_is_no_word_stays() {
        for text in ["=?", "=?x", "a=?b?c", "=?utf-8?X?abc?=", "1=?2", "=?utf-8?Q?never ends"] {
            check(text.as_bytes(), text);
        }
    }

    #[test]
    fn s56_a_field_full_of_openings_is_linear() {
        let started = crate::mail::stopwatch::Stopwatch::start();
        decode(&b"=?utf-8?B?".repeat(100_000), None);
        decode(&b"=?utf-8?Q?a?=20b".repeat(50_000), None);
        assert!(started.elapsed().as_secs() < 5);
    }
}
