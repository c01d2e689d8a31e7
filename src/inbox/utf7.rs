//! Folder names on the wire: modified UTF-7 (RFC 3501 section 5.1.3).

use base64::Engine as _;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};

const BASE64: GeneralPurpose = GeneralPurpose::new(&IMAP_MUTF7, NO_PAD);

/// `已处理` becomes `&XfJZBHQG-`; `&` becomes `&-`.
pub fn encode(name: &str) -> String {
    let mut out = String::with_capacity(name.len() * 2);
    let mut shifted: Vec<u8> = Vec::new();
    let flush = |shifted: &mut Vec<u8>, out: &mut String| {
        if !shifted.is_empty() {
            out.push('&');
            out.push_str(&BASE64.encode(&*shifted));
            out.push('-');
            shifted.clear();
        }
    };
    for character in name.chars() {
        if (' '..='~').contains(&character) {
            flush(&mut shifted, &mut out);
            out.push(character);
            if character == '&' {
                out.push('-');
            }
        } else {
            let mut units = [0; 2];
            shifted.extend(character.encode_utf16(&mut units).iter().flat_map(|unit| unit.to_be_bytes()));
        }
    }
    flush(&mut shifted, &mut out);
    out
}

/// The readable name; what is not valid modified UTF-7 stays as it is.
pub fn decode(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let Some((code, tail)) = after.split_once('-') else {
            out.push('&');
            rest = after;
            continue;
        };
        match (code.is_empty(), decode_run(code)) {
            (true, _) => out.push('&'),
            (false, Some(text)) => out.push_str(&text),
            (false, None) => {
                out.push('&');
                out.push_str(code);
                out.push('-');
            }
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

fn decode_run(code: &str) -> Option<String> {
    let bytes = BASE64.decode(code).ok().filter(|b| b.len() % 2 == 0)?;
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
    String::from_utf16(&units).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_chinese_servers_write_them() {
        for (name, wire) in [
            ("INBOX", "INBOX"),
            ("工单", "&XeVTVQ-"),
            ("已处理", "&XfJZBHQG-"),
            ("草稿箱", "&g0l6P3ux-"),
            ("其他文件夹/已处理", "&UXZO1mWHTvZZOQ-/&XfJZBHQG-"),
            ("A&B", "A&-B"),
            ("x😀y", "x&2D3eAA-y"),
            ("", ""),
        ] {
            assert_eq!(encode(name), wire);
            assert_eq!(decode(wire), name);
        }
    }

    #[test]
    fn broken_names_stay() {
        for name in ["&", "a&b", "&!!-", "&2D0-x", "a&-&"] {
            assert!(!decode(name).is_empty(), "{name}");
        }
        assert_eq!(decode("&!!-"), "&!!-");
    }
}
