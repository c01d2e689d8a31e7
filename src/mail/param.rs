//! Media types and their parameters: RFC 2045 section 5.1, RFC 2231, and what is sent instead (`domain.md` 3.3).

use crate::mail::charset::{self, Charset};
use crate::mail::{encoded_word, header, transfer};

/// Parameters that are read of one field; more is an attack.
const MAX_PARAMETERS: usize = 200;

/// A value with parameters: `Content-Type`, `Content-Disposition`.
#[derive(Clone, Debug, Default)]
pub struct Parametrized {
    /// Lower case, without blanks: `text/plain`, `attachment`.
    pub value: String,
    /// Names in lower case with their RFC 2231 stars, values without quotes, otherwise raw.
    parameters: Vec<(String, Vec<u8>)>,
}

impl Parametrized {
    pub fn parse(raw: &[u8]) -> Parametrized {
        let raw = header::unfold(raw);
        let end = raw.iter().position(|b| matches!(b, b';' | b' ' | b'\t' | b'(')).unwrap_or(raw.len());
        let value = String::from_utf8_lossy(raw[..end].trim_ascii()).to_ascii_lowercase();
        let mut parameters = Vec::new();
        let mut at = end;
        while at < raw.len() && parameters.len() < MAX_PARAMETERS {
            let (parameter, next) = parameter(&raw, at);
            parameters.extend(parameter);
            at = next;
        }
        Parametrized { value: value.trim_matches(['"', '\'']).to_owned(), parameters }
    }

    /// The value of a parameter that is ASCII by its nature, such as `boundary`.
    pub fn raw(&self, name: &str) -> Option<&[u8]> {
        self.parameters.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_slice())
    }

    /// A parameter for machines, lower case; extended forms included.
    pub fn token(&self, name: &str) -> Option<String> {
        self.text(name, None).map(|text| text.trim().to_ascii_lowercase())
    }

    /// A parameter for people, fully decoded.
    pub fn text(&self, name: &str, hint: Option<Charset>) -> Option<String> {
        let plain = || self.raw(name).map(|raw| loose_text(raw, hint));
        match self.extended(name, hint) {
            Some(text) if text.contains(char::REPLACEMENT_CHARACTER) => plain().or(Some(text)),
            Some(text) => Some(text),
            None => plain(),
        }
    }

    /// The RFC 2231 forms: `name*`, `name*0`, `name*0*`. The pieces are joined as bytes before they are decoded,
    /// because only the first one names the charset and characters may be cut between them.
    fn extended(&self, name: &str, hint: Option<Charset>) -> Option<String> {
        let mut pieces: Vec<(u32, bool, &[u8])> = self
            .parameters
            .iter()
            .filter_map(|(n, value)| {
                let stars = n.strip_prefix(name)?.strip_prefix('*')?;
                let (number, escaped) = match stars.strip_suffix('*') {
                    Some(number) => (number, true),
                    None => (stars, stars.is_empty()),
                };
                let number = if number.is_empty() { 0 } else { number.parse().ok()? };
                Some((number, escaped, value.as_slice()))
            })
            .collect();
        pieces.sort_by_key(|(number, ..)| *number);
        let (_, first_escaped, first) = *pieces.first()?;
        let (label, skip) = if first_escaped { charset_prefix(first) } else { (None, 0) };
        let mut bytes = Vec::new();
        for (at, (_, escaped, value)) in pieces.iter().enumerate() {
            let value = if at == 0 { &value[skip..] } else { value };
            if *escaped { bytes.extend(transfer::percent(value)) } else { bytes.extend_from_slice(value) }
        }
        Some(match label {
            Some(label) => charset::decode(&bytes, Charset::by_label(&label), hint).into_owned(),
            None => loose_text(&bytes, hint),
        })
    }
}

/// The `charset'language'` in front of an extended value, and its length.
fn charset_prefix(value: &[u8]) -> (Option<String>, usize) {
    let mut quotes = value.iter().take(80).enumerate().filter(|(_, b)| **b == b'\'').map(|(i, _)| i);
    match (quotes.next(), quotes.next()) {
        (Some(first), Some(second)) => (Some(String::from_utf8_lossy(&value[..first]).into_owned()), second + 1),
        _ => (None, 0),
    }
}

/// A value that should be plain but holds encoded words, raw 8-bit text or percent escapes.
fn loose_text(raw: &[u8], hint: Option<Charset>) -> String {
    let text = encoded_word::decode(raw, hint);
    if !text.contains('%') {
        return text;
    }
    match String::from_utf8(transfer::percent(text.as_bytes())) {
        Ok(decoded) if !decoded.contains(char::is_control) => decoded,
        _ => text,
    }
}

/// One `; name=value` from `at`; gives it (if it is one) and where the next begins.
fn parameter(raw: &[u8], at: usize) -> (Option<(String, Vec<u8>)>, usize) {
    let start = at + raw[at..].iter().take_while(|b| matches!(b, b';' | b' ' | b'\t')).count();
    let name_len = raw[start..].iter().take_while(|b| !matches!(b, b'=' | b';')).count();
    let equals = start + name_len;
    if raw.get(equals) != Some(&b'=') {
        return (None, equals.max(at + 1));
    }
    let name = String::from_utf8_lossy(raw[start..equals].trim_ascii()).to_ascii_lowercase();
    let value_at = equals + 1 + raw[equals + 1..].iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
    let (value, end) = match raw.get(value_at) {
        Some(b'"') => quoted(raw, value_at + 1),
        _ => {
            let len = raw[value_at..].iter().take_while(|b| **b != b';').count();
            (raw[value_at..value_at + len].trim_ascii().to_vec(), value_at + len)
        }
    };
    (Some((name, value)), end.max(at + 1))
}

/// A quoted string from behind its opening quote. Only quotes and backslashes are escaped: senders put bare Windows
/// paths in here.
fn quoted(raw: &[u8], from: usize) -> (Vec<u8>, usize) {
    let (mut value, mut at) = (Vec::new(), from);
    while let Some(&byte) = raw.get(at) {
        match (byte, raw.get(at + 1)) {
            (b'\\', Some(b'"' | b'\\')) => {
                value.push(raw[at + 1]);
                at += 2;
            }
            (b'"', _) => return (value, at + 1),
            _ => {
                value.push(byte);
                at += 1;
            }
        }
    }
    (value, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(raw: impl AsRef<[u8]>, want: &str) {
        let raw = raw.as_ref();
        let name = Parametrized::parse(raw).text("filename", None);
        assert_eq!(name.as_deref(), Some(want), "{}", String::from_utf8_lossy(raw));
    }

    #[test]
    fn file_names_in_every_form() {
        check("attachment; filename=a.txt", "a.txt");
        check("attachment; filename=my report.txt; size=3", "my report.txt");
        check(r#"attachment; filename="a;b \"c\".txt""#, "a;b \"c\".txt");
        check(r#"attachment; filename="C:\temp\new.txt""#, r"C:\temp\new.txt");
        check(r#"attachment; FileName="=?GB2312?B?vdjNvC5wbmc=?=""#, "截图.png");
        check("attachment; filename==?GB2312?B?vdjNvC5wbmc=?=", "截图.png");
        check("attachment;\r\n filename*=utf-8''%E6%88%AA%E5%9B%BE.png", "截图.png");
        check("attachment; filename*=UTF-8'zh'%E6%88%AA%E5%9B%BE.png; filename=x.png", "截图.png");
        check("attachment; filename*0*=gb18030''%BD%D8; filename*1*=%CD%BC; filename*2=.png", "截图.png");
        check("attachment; filename*0*=utf-8''%E6%88; filename*1*=%AA.png", "截.png");
        check("attachment; filename*1=b.png; filename*0=a", "ab.png");
        check(r#"attachment; filename*0="=?UTF-8?B?5oiq5Zu"; filename*1="+LnBuZw==?=""#, "截图.png");
        check(r#"attachment; filename="%E6%88%AA%E5%9B%BE.png""#, "截图.png");
        check(r#"attachment; filename="100%.txt""#, "100%.txt");
        check(b"attachment; filename=\"\xbd\xd8\xcd\xbc.png\"", "截图.png");
        check("attachment; filename=\"截图.png\"".as_bytes(), "截图.png");
        check(r#"attachment; filename="never ends"#, "never ends");
    }

    #[test]
    fn media_types_as_sent() {
        for (raw, value, charset) in [
            ("text/plain; charset=utf-8", "text/plain", Some("utf-8")),
            ("Text/HTML;charset=\"GB2312\"", "text/html", Some("gb2312")),
            ("text/plain charset=gbk", "text/plain", Some("gbk")),
            ("text/plain; charset*=us-ascii'en'utf-8", "text/plain", Some("utf-8")),
            ("text/plain (a comment)", "text/plain", None),
            (";;;===;", "", None),
            ("", "", None),
        ] {
            let got = Parametrized::parse(raw.as_bytes());
            assert_eq!((got.value.as_str(), got.token("charset").as_deref()), (value, charset), "{raw}");
        }
    }
}
