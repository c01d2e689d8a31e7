//! Bytes to text when the label may be missing, misspelt or a lie (`domain.md` 3.1 and 3.2).

use encoding_rs::{BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, ISO_2022_JP, SHIFT_JIS, UTF_8, WINDOWS_1252};
use mail_parser::decoders::charsets::{DecoderFnc, map::charset_decoder};
use std::borrow::Cow;

/// A charset we can decode.
#[derive(Clone, Copy, Debug)]
pub enum Charset {
    /// One of the WHATWG encodings.
    Web(&'static Encoding),
    /// `hz-gb-2312` (RFC 1843).
    Hz,
    /// `iso-2022-cn` (RFC 1922).
    Iso2022Cn,
    /// One that only mail still uses: UTF-7, old code pages.
    Old(DecoderFnc),
}

impl Charset {
    /// Reads a label; `None` when it is unknown or says nothing (`unknown-8bit`, `default`): then we detect.
    pub fn by_label(label: &str) -> Option<Charset> {
        let label = label.trim_matches(|c: char| c.is_whitespace() || c.is_control() || "\"'\\;,".contains(c));
        let lower = label.to_ascii_lowercase().replace([' ', '_'], "-");
        let lower = lower.strip_prefix("charset=").unwrap_or(&lower);
        let web = match lower {
            "hz-gb-2312" | "hz" => return Some(Charset::Hz),
            "iso-2022-cn" | "iso-2022-cn-ext" => return Some(Charset::Iso2022Cn),
            "cp936" | "ms936" | "windows-936" | "936" | "euc-cn" | "x-euc-cn" | "eucgb2312-cn" | "zh-cn" | "gb"
            | "gb18030-2000" | "gb18030-2005" | "gb18030-2022" | "gb-18030" | "gb2312-80" | "gb-2312" => GB18030,
            "cp950" | "ms950" | "windows-950" | "950" | "zh-tw" | "big-5" => BIG5,
            "utf8mb4" | "utf8mb3" | "utf" | "uft-8" | "utf-8n" | "unicode" | "cp65001" | "65001" => UTF_8,
            "cp949" | "ms949" | "uhc" | "ksc5601" => EUC_KR,
            "cp932" | "windows-932" => SHIFT_JIS,
            "us-ascii" | "ascii" => WINDOWS_1252,
            "" | "unknown-8bit" | "x-unknown" | "unknown" | "ansi" | "default" | "binary" | "8bit" | "none"
            | "x-user-defined" | "replacement" => return None,
            other => match Encoding::for_label(other.as_bytes()).or_else(|| Encoding::for_label(label.as_bytes())) {
                // The decoder of GBK is that of GB18030; one name for both keeps comparisons simple.
                Some(encoding) if encoding == GBK => GB18030,
                Some(encoding) if encoding != encoding_rs::REPLACEMENT => encoding,
                _ => return charset_decoder(lower.as_bytes()).map(Charset::Old),
            },
        };
        Some(Charset::Web(web))
    }

    pub fn is(self, encoding: &'static Encoding) -> bool {
        matches!(self, Charset::Web(own) if own == encoding)
    }

    /// Chinese by its very name: a hint for the language of a message that says almost nothing.
    pub fn is_simplified_chinese(self) -> bool {
        self.is(GB18030) || matches!(self, Charset::Hz | Charset::Iso2022Cn)
    }
}

/// Decodes `bytes`, labelled `declared`; `hint` is what neighbouring text uses, for bytes without a label.
///
/// The order is that of `domain.md` 3.2: byte order mark, ASCII, the declared charset if it decodes without error
/// and is not UTF-8 in disguise, valid UTF-8, then detection. Always gives text.
pub fn decode(bytes: &[u8], declared: Option<Charset>, hint: Option<Charset>) -> Cow<'_, str> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[mark..]).0;
    }
    if let Some(text) = seven_bit(bytes, declared) {
        return text;
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && trust_utf8(text, declared)
    {
        return Cow::Borrowed(text);
    }
    match declared {
        Some(Charset::Web(encoding)) if encoding == UTF_8 => broken_utf8(bytes, hint),
        Some(Charset::Web(encoding)) if encoding == WINDOWS_1252 => match looks_like_gb(bytes) {
            true => strict(GB18030, bytes).unwrap_or_else(|| WINDOWS_1252.decode_without_bom_handling(bytes).0),
            false => WINDOWS_1252.decode_without_bom_handling(bytes).0,
        },
        Some(Charset::Web(encoding)) => declared_or_better(bytes, encoding),
        Some(Charset::Hz) => Cow::Owned(decode_hz(bytes)),
        Some(Charset::Iso2022Cn) => Cow::Owned(decode_iso2022cn(bytes)),
        Some(Charset::Old(decoder)) => Cow::Owned(decoder(bytes)),
        None => detect(bytes, hint),
    }
}

/// Pure ASCII, and the charsets that hide in seven bits.
fn seven_bit(bytes: &[u8], declared: Option<Charset>) -> Option<Cow<'_, str>> {
    if !bytes.is_ascii() {
        return None;
    }
    match declared {
        Some(Charset::Hz) => return Some(Cow::Owned(decode_hz(bytes))),
        Some(Charset::Iso2022Cn) => return Some(Cow::Owned(decode_iso2022cn(bytes))),
        Some(Charset::Old(decoder)) => return Some(Cow::Owned(decoder(bytes))),
        Some(Charset::Web(wide)) if wide == encoding_rs::UTF_16LE || wide == encoding_rs::UTF_16BE => {
            // ASCII with zero bytes in between is the real thing, without them a lie.
            return bytes.contains(&0).then(|| wide.decode_without_bom_handling(bytes).0).or(ascii(bytes));
        }
        _ => {}
    }
    if has(bytes, b"\x1b$B") || has(bytes, b"\x1b$@") || has(bytes, b"\x1b(J") {
        return Some(Cow::Owned(decode_iso2022jp(bytes)));
    }
    if has(bytes, b"\x1b$)A") {
        return Some(Cow::Owned(decode_iso2022cn(bytes)));
    }
    ascii(bytes)
}

fn ascii(bytes: &[u8]) -> Option<Cow<'_, str>> {
    std::str::from_utf8(bytes).ok().map(Cow::Borrowed)
}

fn has(bytes: &[u8], mark: &[u8]) -> bool {
    memchr::memmem::find(bytes, mark).is_some()
}

/// Bytes that are valid UTF-8 are UTF-8, unless a two-byte charset was declared and they might as well be that.
fn trust_utf8(text: &str, declared: Option<Charset>) -> bool {
    let two_byte = match declared {
        Some(Charset::Web(e)) => [GB18030, BIG5, EUC_KR, EUC_JP, SHIFT_JIS].contains(&e),
        Some(Charset::Old(_)) => true,
        _ => false,
    };
    // Three-byte sequences never come about by accident, pairs do (the famous two-character files).
    !two_byte || text.bytes().any(|b| b >= 0xE0)
}

/// Decodes without a single error, or not at all.
fn strict<'a>(encoding: &'static Encoding, bytes: &'a [u8]) -> Option<Cow<'a, str>> {
    encoding.decode_without_bom_handling_and_without_replacement(bytes)
}

fn replacements(text: &str) -> usize {
    text.chars().filter(|c| *c == char::REPLACEMENT_CHARACTER).count()
}

/// Declared UTF-8 that is not: a few broken places stay broken, otherwise it is something else.
fn broken_utf8(bytes: &[u8], hint: Option<Charset>) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(bytes);
    let broken = replacements(&text);
    let sound = text.chars().filter(|c| !c.is_ascii()).count() - broken;
    if sound > broken { text } else { detect(bytes, hint) }
}

/// A declared charset other than UTF-8 and Latin: itself when it fits, else whatever fits better.
fn declared_or_better<'a>(bytes: &'a [u8], encoding: &'static Encoding) -> Cow<'a, str> {
    let encoding = if encoding == BIG5 && gb_in_disguise(bytes) { GB18030 } else { encoding };
    if let Some(text) = strict(encoding, bytes) {
        return text;
    }
    let lossy = encoding.decode_without_bom_handling(bytes).0;
    let bad = replacements(&lossy);
    let good = lossy.chars().filter(|c| !c.is_ascii()).count() - bad;
    if good > 8 * bad {
        return lossy;
    }
    let utf8 = String::from_utf8_lossy(bytes);
    if replacements(&utf8) * 4 < bad {
        return utf8;
    }
    match looks_like_gb(bytes) {
        true => strict(GB18030, bytes).unwrap_or(lossy),
        false => lossy,
    }
}

/// 8-bit text that says nothing about itself. Statistical detectors err on short text; these few signs do not,
/// for the charsets a desk in China meets.
fn detect(bytes: &[u8], hint: Option<Charset>) -> Cow<'_, str> {
    if let Some(Charset::Web(encoding)) = hint
        && encoding != UTF_8
        && encoding != WINDOWS_1252
        && let Some(text) = strict(encoding, bytes)
    {
        return text;
    }
    for encoding in [shift_jis_by_kana(bytes), euc_by_lead_bytes(bytes)].into_iter().flatten() {
        if let Some(text) = strict(encoding, bytes) {
            return text;
        }
    }
    if looks_like_gb(bytes)
        && let Some(text) = strict(GB18030, bytes)
    {
        return text;
    }
    if high_pairs(bytes).is_some_and(|p| p.total >= 2 && p.big5 * 10 >= p.total * 8 && p.adjacent * 2 >= p.total)
        && let Some(text) = strict(BIG5, bytes)
    {
        return text;
    }
    let gb = GB18030.decode_without_bom_handling(bytes).0;
    let bad = replacements(&gb);
    let han = gb.chars().filter(|c| ('\u{4E00}'..'\u{A000}').contains(c)).count();
    if looks_like_gb(bytes) && han > 8 * bad { gb } else { WINDOWS_1252.decode_without_bom_handling(bytes).0 }
}

/// How the bytes above ASCII pair up.
#[derive(Default)]
struct Pairs {
    total: usize,
    /// Both halves in the GB 2312 plane, a character or a full-width sign.
    gb2312: usize,
    /// Frequent characters and signs of Big5, by their lead byte.
    big5: usize,
    /// Directly behind another pair.
    adjacent: usize,
    /// Kana of the EUC plane.
    kana: usize,
    /// Lead byte beyond the Hangul syllables.
    beyond_hangul: usize,
}

/// `None` when bytes are left over that form no pair.
fn high_pairs(bytes: &[u8]) -> Option<Pairs> {
    let (mut pairs, mut at, mut lone, mut last_end) = (Pairs::default(), 0, 0, usize::MAX);
    while at < bytes.len() {
        let (lead, trail) = (bytes[at], bytes.get(at + 1).copied().unwrap_or(0));
        if lead < 0x80 {
            at += 1;
            continue;
        }
        if lead == 0x80 || lead == 0xFF || trail < 0x40 || trail == 0x7F {
            lone += 1;
            at += 1;
            continue;
        }
        pairs.total += 1;
        let plane = trail >= 0xA1 && (matches!(lead, 0xB0..=0xF7) || matches!(lead, 0xA1..=0xA9));
        pairs.gb2312 += usize::from(plane);
        pairs.big5 += usize::from(matches!(lead, 0xA1..=0xC6) && !(0x7F..0xA1).contains(&trail));
        pairs.adjacent += usize::from(last_end == at);
        last_end = at + 2;
        pairs.kana += usize::from(matches!(lead, 0xA4 | 0xA5) && trail >= 0xA1);
        pairs.beyond_hangul += usize::from(lead > 0xC8);
        at += 2;
    }
    (lone * 16 <= pairs.total).then_some(pairs)
}

/// Chinese in GBK: nearly all high bytes come in pairs of the GB 2312 plane. Accented Latin letters stand alone
/// between plain ones and pair with those, far outside it.
fn looks_like_gb(bytes: &[u8]) -> bool {
    high_pairs(bytes).is_some_and(|p| p.total > 0 && p.gb2312 * 10 >= p.total * 8)
}

/// Simplified text labelled as Big5: no trail byte below 0xA1, where two fifths of Big5 stand, and many lead bytes
/// beyond its frequent characters.
fn gb_in_disguise(bytes: &[u8]) -> bool {
    high_pairs(bytes).is_some_and(|p| p.total >= 6 && p.gb2312 == p.total && p.big5 * 4 <= p.total * 3)
}

/// EUC-KR never leads above 0xC8 in running text, Chinese does in almost every second character; Japanese is full of kana.
fn euc_by_lead_bytes(bytes: &[u8]) -> Option<&'static Encoding> {
    let pairs = high_pairs(bytes).filter(|p| p.gb2312 * 10 >= p.total * 9)?;
    if pairs.total >= 8 && pairs.kana * 4 >= pairs.total {
        return Some(EUC_JP);
    }
    (pairs.total >= 24 && pairs.beyond_hangul * 20 <= pairs.total).then_some(EUC_KR)
}

/// Shift_JIS shows itself by pairs that are kana there and rare elsewhere.
fn shift_jis_by_kana(bytes: &[u8]) -> Option<&'static Encoding> {
    let (mut at, mut pairs, mut kana) = (0, 0usize, 0usize);
    while at + 1 < bytes.len() {
        let (lead, trail) = (bytes[at], bytes[at + 1]);
        if !matches!(lead, 0x81..=0x9F | 0xE0..=0xFC) {
            at += 1;
            continue;
        }
        pairs += 1;
        kana += usize::from((lead == 0x82 && trail >= 0x9F) || (lead == 0x83 && matches!(trail, 0x40..=0x96)));
        at += 2;
    }
    (pairs >= 6 && kana * 4 >= pairs).then_some(SHIFT_JIS)
}

/// RFC 1468. Joined pieces switch to ASCII and straight back; the decoder calls that an error, for reasons of the web.
fn decode_iso2022jp(bytes: &[u8]) -> String {
    let (mut joined, mut rest) = (Vec::with_capacity(bytes.len()), bytes);
    while let Some(at) = memchr::memmem::find(rest, b"\x1b(B\x1b$") {
        joined.extend_from_slice(&rest[..at]);
        // Only the second switch counts; its last byte follows.
        rest = &rest[at + 3..];
        let again = rest.len() > 2 && joined_in_kanji(&joined);
        rest = if again { &rest[3..] } else { rest };
    }
    joined.extend_from_slice(rest);
    ISO_2022_JP.decode_without_bom_handling(&joined).0.into_owned()
}

/// The last switch in `bytes` was to the two-byte set.
fn joined_in_kanji(bytes: &[u8]) -> bool {
    let last = memchr::memrchr(0x1B, bytes).map(|at| &bytes[at..]);
    last.is_some_and(|switch| switch.starts_with(b"\x1b$"))
}

/// RFC 1843: `~{` and `~}` switch to and from GB 2312 with the high bits cut off.
fn decode_hz(bytes: &[u8]) -> String {
    let (mut gb, mut at, mut chinese) = (Vec::with_capacity(bytes.len()), 0, false);
    while let Some(&byte) = bytes.get(at) {
        match (byte, bytes.get(at + 1)) {
            (b'~', Some(b'{')) => (chinese, at) = (true, at + 2),
            (b'~', Some(b'}')) => (chinese, at) = (false, at + 2),
            (b'~', Some(b'~')) if !chinese => {
                gb.push(b'~');
                at += 2;
            }
            (b'~', Some(b'\n')) if !chinese => at += 2,
            // A line end leaves the Chinese mode (RFC 1843 section 2).
            (b'\n', _) => {
                chinese = false;
                gb.push(byte);
                at += 1;
            }
            _ => {
                gb.push(if chinese && (0x21..0x7F).contains(&byte) { byte | 0x80 } else { byte });
                at += 1;
            }
        }
    }
    GB18030.decode_without_bom_handling(&gb).0.into_owned()
}

/// RFC 1922, the GB 2312 plane of it: designated by `ESC $ ) A`, switched by SO and SI.
fn decode_iso2022cn(bytes: &[u8]) -> String {
    let (mut gb, mut at, mut chinese) = (Vec::with_capacity(bytes.len()), 0, false);
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            0x1B if bytes.get(at) == Some(&b'$') => at += 3,
            0x0E => chinese = true,
            0x0F => chinese = false,
            b'\n' => {
                chinese = false;
                gb.push(byte);
            }
            _ => gb.push(if chinese && (0x21..0x7F).contains(&byte) { byte | 0x80 } else { byte }),
        }
    }
    GB18030.decode_without_bom_handling(&gb).0.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "打印机卡纸，请尽快处理。";

    fn bytes(encoding: &'static Encoding, text: &str) -> Vec<u8> {
        encoding.encode(text).0.into_owned()
    }

    fn check(raw: &[u8], label: &str, want: &str) {
        assert_eq!(decode(raw, Charset::by_label(label), None), want, "{label}");
    }

    #[test]
    fn labels_that_mail_uses() {
        let gb = [
            "gb2312",
            "\"GB2312\"",
            "GBK",
            "cp936",
            "ms936",
            "EUC-CN",
            "x-gbk",
            "gb18030-2005",
            "GB 18030",
            "zh-cn",
            "gb_2312-80",
        ];
        for label in gb {
            check(&bytes(GBK, TEXT), label, TEXT);
        }
        for label in ["utf8", "UTF-8", "utf8mb4", "uft-8", "utf_8"] {
            check(TEXT.as_bytes(), label, TEXT);
        }
        for label in ["cp950", "big5", "Big5-HKSCS", "x-x-big5"] {
            check(&bytes(BIG5, "電腦無法開機"), label, "電腦無法開機");
        }
        check(&bytes(EUC_KR, "프린터 고장"), "ks_c_5601-1987", "프린터 고장");
        check(&bytes(encoding_rs::KOI8_R, "Принтер"), "koi8-r", "Принтер");
        check(b"+ZYeB9A-", "utf-7", "文致");
        for label in ["", "unknown-8bit", "x-unknown", "default", "ansi", "no-such-charset"] {
            check(&bytes(GBK, TEXT), label, TEXT);
            check(TEXT.as_bytes(), label, TEXT);
        }
    }

    #[test]
    fn mislabelled_text_is_read_by_what_it_is() {
        for label in ["utf-8", "us-ascii", "iso-8859-1", "big5"] {
            check(&bytes(GBK, TEXT), label, TEXT);
        }
        for label in ["gb2312", "big5", "iso-8859-1", "us-ascii", "koi8-r", "shift_jis"] {
            check(TEXT.as_bytes(), label, TEXT);
        }
        check(&bytes(GB18030, "餐飲業"), "gb2312", "餐飲業");
        check(b"\xef\xbb\xbfabc", "gbk", "abc");
        check(&bytes(GBK, "联通"), "gbk", "联通");
    }

    #[test]
    fn latin_text_is_not_taken_for_chinese() {
        for text in ["Müller möchte die größte Übersicht", "déjà vu à l'école, où êtes-vous", "señor Núñez mañana"]
        {
            check(&bytes(WINDOWS_1252, text), "iso-8859-1", text);
            check(&bytes(WINDOWS_1252, text), "", text);
        }
    }

    #[test]
    fn one_broken_byte_does_not_spoil_the_rest() {
        let mut raw = TEXT.repeat(5).into_bytes();
        raw.push(0xE6);
        assert!(decode(&raw, Charset::by_label("utf-8"), None).starts_with(TEXT));
        let mut raw = bytes(GBK, &TEXT.repeat(5));
        raw.push(0xB4);
        assert!(decode(&raw, Charset::by_label("gb2312"), None).starts_with(TEXT));
    }

    #[test]
    fn seven_bit_chinese_and_japanese() {
        check(b"This is ~{<:Ky2;S{~} end", "hz-gb-2312", "This is 己所不欲 end");
        check(b"\x1b$)A\x0e4rS!;z\x0f ok", "iso-2022-cn", "打印机 ok");
        check(b"\x1b$B%W%j%s%?!<\x1b(B", "", "プリンター");
        check(b"\x1b$B%W%j%s%?!<\x1b(B", "us-ascii", "プリンター");
        check(b"\x1b$B%W%j\x1b(B\x1b$B%s%?!<\x1b(B", "iso-2022-jp", "プリンター");
    }

    #[test]
    fn undeclared_neighbours_of_chinese() {
        let korean = "프린터가 작동하지 않습니다 빨리 도와주시기 바랍니다 감사합니다";
        check(&bytes(EUC_KR, korean), "", korean);
        let japanese = "プリンターがうごきません、よろしくおねがいします";
        check(&bytes(SHIFT_JIS, japanese), "", japanese);
        check(&bytes(EUC_JP, japanese), "", japanese);
        check(&bytes(BIG5, "電腦無法開機，請協助處理問題"), "", "電腦無法開機，請協助處理問題");
    }

    #[test]
    fn the_hint_decides_for_short_text() {
        let raw = bytes(BIG5, "您好");
        assert_eq!(decode(&raw, None, Charset::by_label("big5")), "您好");
    }
}
