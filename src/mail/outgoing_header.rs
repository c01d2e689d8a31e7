//! Header values of outgoing mail: encoded words (RFC 2047), display names (RFC 5322 section 3.4), file names
//! (RFC 2231 and what Chinese clients understand, `domain.md` 3.3). CR, LF, NUL and every other control character
//! is gone from whatever is given (`hardening.md` S41); lines are folded before column 78 wherever a blank allows.

use crate::address::Address;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const MAX_COLUMN: usize = 76;
/// `=?utf-8?B?` + 60 characters + `?=` is 72 of the 75 that an encoded word may have.
const BYTES_PER_WORD: usize = 45;

/// An unstructured value such as a subject. `name` is the length of the field's name.
pub fn unstructured(text: &str, name: usize) -> String {
    let text = without_controls(text);
    let mut folded = Folded { value: String::with_capacity(text.len() + 16), column: name + 2 };
    let mut rest = text.trim();
    while !rest.is_empty() {
        let word = rest.split(' ').next().unwrap_or(rest);
        if !is_plain(word) {
            encoded_words(rest, &mut folded);
            break;
        }
        folded.word(word);
        rest = rest[word.len()..].trim_start();
    }
    folded.value
}

/// `name <address>`, or the address alone.
pub fn address_field(display: &str, address: &Address, name: usize) -> String {
    let display = without_controls(display);
    let display = display.trim();
    if display.is_empty() {
        return address.as_str().to_owned();
    }
    let mut folded = Folded { value: String::new(), column: name + 2 };
    if display.is_ascii() && !display.contains("=?") && display.len() <= 200 {
        folded.word(&quoted(display));
    } else {
        encoded_words(display, &mut folded);
    }
    folded.word(&format!("<{address}>"));
    folded.value
}

/// `; key="name"`, and for names beyond ASCII the two forms that together every client reads: a short encoded word
/// in quotes, and with `extended` the whole name as RFC 5987 writes it.
pub fn file_name(key: &str, file: &str, extended: bool) -> String {
    let file = shorten(&without_controls(file), 255);
    if file.is_ascii() {
        return format!(";\r\n {key}={}", quoted(&file));
    }
    let mut parameters = format!(";\r\n {key}=\"{}\"", encoded_word(&shorten(&file, BYTES_PER_WORD)));
    if extended {
        parameters.push_str(&format!(";\r\n {key}*=utf-8''"));
        for byte in file.bytes() {
            match byte {
                b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' => parameters.push(byte as char),
                _ => parameters.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    parameters
}

/// Cuts a file name to `limit` bytes; a usual extension survives.
fn shorten(file: &str, limit: usize) -> String {
    if file.len() <= limit {
        return file.to_owned();
    }
    let extension = file.rfind('.').map(|dot| &file[dot..]).filter(|e| e.len() <= 12 && e.len() < limit).unwrap_or("");
    format!("{}{extension}", &file[..file.floor_char_boundary(limit - extension.len())])
}

/// A value under construction and the column its last line has reached.
struct Folded {
    value: String,
    column: usize,
}

impl Folded {
    /// Adds a word, on a new line when it does not fit.
    fn word(&mut self, word: &str) {
        let first = self.value.is_empty();
        if !first && self.column + 1 + word.len() > MAX_COLUMN {
            self.value.push_str("\r\n ");
            self.column = 1;
        } else if !first {
            self.value.push(' ');
            self.column += 1;
        }
        self.value.push_str(word);
        self.column += word.len();
    }
}

fn encoded_words(mut text: &str, folded: &mut Folded) {
    while !text.is_empty() {
        // What still fits on this line when that is worth it, else a new line's worth.
        let room = MAX_COLUMN.saturating_sub(folded.column + 1 + "=?utf-8?B??=".len()) / 4 * 3;
        let bytes = if room >= 12 { room.min(BYTES_PER_WORD) } else { BYTES_PER_WORD };
        let (piece, rest) = text.split_at(text.floor_char_boundary(bytes.min(text.len())));
        folded.word(&encoded_word(piece));
        text = rest;
    }
}

fn encoded_word(text: &str) -> String {
    format!("=?utf-8?B?{}?=", STANDARD.encode(text))
}

/// May stand in a header as it is: ASCII, short enough to fold, and nothing a reader would decode once more.
fn is_plain(word: &str) -> bool {
    word.len() <= 60 && word.bytes().all(|b| b.is_ascii_graphic()) && !word.contains("=?")
}

fn quoted(text: &str) -> String {
    let mut value = String::with_capacity(text.len() + 2);
    value.push('"');
    for character in text.chars() {
        if character == '"' || character == '\\' {
            value.push('\\');
        }
        value.push(character);
    }
    value.push('"');
    value
}

fn without_controls(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            c if c.is_whitespace() => plain.push(' '),
            c if c.is_control() => {}
            c => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value as mail-parser reads it from a subject field.
    fn read_back(value: &str) -> String {
        let raw = format!("Subject: {value}\r\n\r\n");
        assert!(raw.lines().all(|line| line.len() <= 78), "{raw}");
        let message = mail_parser::MessageParser::default().parse(raw.as_bytes()).unwrap();
        message.subject().unwrap_or("").to_owned()
    }

    #[test]
    fn subjects_come_back_as_they_went() {
        for text in [
            "[IT001] Printer offline",
            "[IT001] 三楼财务部打印机打不出来",
            "[IT002] Re: VPN 连不上 (error 809) again",
            "日本語 한국어 Ελληνικά 🖨 emoji",
            "looks like =?utf-8?Q?an_encoded?= word",
        ] {
            assert_eq!(read_back(&unstructured(text, 7)), text);
        }
        let long = "很长的主题".repeat(40);
        assert_eq!(read_back(&unstructured(&long, 7)), long);
        let one_word = "x".repeat(300);
        assert_eq!(read_back(&unstructured(&one_word, 7)), one_word);
    }

    #[test]
    fn s41_no_value_can_begin_a_header() {
        for text in ["x\r\nBcc: evil@x", "x\nBcc: evil@x", "x\0y", "中\r\n\r\nbody", "x\u{85}Bcc: y", "x\u{2028}Bcc: y"]
        {
            let desk = Address::parse("it@corp.example").unwrap();
            for value in [unstructured(text, 7), address_field(text, &desk, 4), file_name("filename", text, true)] {
                for line in value.split("\r\n").skip(1) {
                    assert!(line.starts_with(' ') && !line.trim().is_empty(), "{value:?}");
                }
                assert!(!value.replace("\r\n ", "").contains(['\r', '\n', '\0']), "{value:?}");
            }
        }
    }

    #[test]
    fn names_beside_addresses() {
        let desk = Address::parse("it@corp.example").unwrap();
        let check = |name: &str, field: &str| assert_eq!(address_field(name, &desk, 4), field);
        check("", "it@corp.example");
        check("IT Desk", "\"IT Desk\" <it@corp.example>");
        check("a \"b\" \\ c <x@y>,", "\"a \\\"b\\\" \\\\ c <x@y>,\" <it@corp.example>");
        check("服务台", "=?utf-8?B?5pyN5Yqh5Y+w?= <it@corp.example>");
        check("=?utf-8?Q?x?=", "=?utf-8?B?PT91dGYtOD9RP3g/PQ==?= <it@corp.example>");
    }

    #[test]
    fn file_names_in_both_forms() {
        assert_eq!(file_name("filename", "log.txt", true), ";\r\n filename=\"log.txt\"");
        assert_eq!(
            file_name("filename", "截图.png", true),
            ";\r\n filename=\"=?utf-8?B?5oiq5Zu+LnBuZw==?=\";\r\n filename*=utf-8''%E6%88%AA%E5%9B%BE.png"
        );
        let long = format!("{}.xlsx", "报销单".repeat(40));
        let value = file_name("filename", &long, true);
        assert!(value.split("\r\n").all(|line| line.len() < 998), "{value}");
        assert!(value.lines().nth(1).unwrap().len() <= 90 && value.ends_with(".xlsx"), "{value}");
    }
}
