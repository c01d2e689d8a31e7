//! What hangs on a message besides its text, under names that are safe to show and to store.

use crate::desk::inbound::{Attachment, Digest};
use crate::mail::charset::Charset;
use crate::mail::header;
use crate::mail::part::Part;
use unicode_normalization::UnicodeNormalization;

/// Bytes of a file name, as most file systems allow.
const MAX_NAME: usize = 255;

/// An attachment before its bytes are built.
#[derive(Clone, Debug)]
pub struct Outline<'p, 'a> {
    pub part: &'p Part<'a>,
    pub name: String,
    pub media_type: String,
    pub inline: bool,
    pub content_id: Option<String>,
}

impl<'p, 'a> Outline<'p, 'a> {
    pub fn new(part: &'p Part<'a>, in_related: bool, number: usize, hint: Option<Charset>) -> Outline<'p, 'a> {
        let media_type = match part.media.value.as_str() {
            value if is_media_type(value) => value.to_owned(),
            _ => "application/octet-stream".to_owned(),
        };
        let content_id = part.header.text("Content-ID").map(|id| content_id(&id)).filter(|id| !id.is_empty());
        let shown = part.disposition.value == "inline" || (in_related && !part.is_attachment());
        let inline = shown && content_id.is_some() && part.main_type() == "image";
        let name = part.file_name(hint).or_else(|| enclosed_subject(part, hint)).map(|name| safe_name(&name));
        let name = name.filter(|n| !n.is_empty()).unwrap_or_else(|| default_name(&media_type, number));
        Outline { part, name, media_type, inline, content_id }
    }

    /// Bytes the attachment has.
    pub fn size(&self) -> usize {
        self.part.encoding.decoded_len(self.part.body)
    }

    pub fn build(self) -> Attachment {
        let bytes = self.part.bytes().into_owned();
        let digest = Digest::of(&bytes);
        let Outline { name, media_type, inline, content_id, .. } = self;
        Attachment { name, media_type, bytes, digest, inline, content_id }
    }
}

fn is_media_type(value: &str) -> bool {
    let token = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b));
    value.len() <= 127 && value.split_once('/').is_some_and(|(main, sub)| token(main) && token(sub))
}

/// `Content-ID` without brackets; only what may stand in a `cid:` address (`hardening.md` S39).
fn content_id(raw: &str) -> String {
    let id = raw.trim().trim_start_matches('<').trim_end_matches('>').trim();
    id.chars().filter(|c| c.is_ascii_graphic() && !"<>\"'`\\".contains(*c)).take(250).collect()
}

/// A message passed on as attachment is called by its subject.
fn enclosed_subject(part: &Part, hint: Option<Charset>) -> Option<String> {
    let message = part.children.first().filter(|_| part.is_message())?;
    let subject = header::decode(message.header.first("Subject")?, hint);
    // A slash in a subject is no path.
    let stem: String = subject.chars().take(80).map(|c| if c == '/' || c == '\\' { '_' } else { c }).collect();
    (!stem.is_empty()).then(|| format!("{stem}.eml"))
}

fn default_name(media_type: &str, number: usize) -> String {
    let extension = match media_type {
        "image/jpeg" | "image/jpg" => "jpg",
        "image/svg+xml" => "svg",
        "image/tiff" => "tif",
        "text/plain" => "txt",
        "text/calendar" => "ics",
        "message/rfc822" | "message/global" => "eml",
        "message/delivery-status" | "text/rfc822-headers" | "message/disposition-notification" => "txt",
        "application/ms-tnef" => return "winmail.dat".to_owned(),
        "application/pkcs7-mime" => "p7m",
        "application/pkcs7-signature" | "application/x-pkcs7-signature" => "p7s",
        "application/pgp-signature" => "asc",
        other => other.split_once('/').map_or("bin", |(_, sub)| sub),
    };
    let plain = extension.len() <= 5 && extension.bytes().all(|b| b.is_ascii_alphanumeric());
    format!("attachment-{number}.{}", if plain { extension } else { "bin" })
}

/// A name without path, controls, direction marks and device names, at most 255 bytes; empty when nothing is left.
///
/// Normalised first and judged after, so that nothing appears that was not there when we looked (S39, S49).
pub fn safe_name(name: &str) -> String {
    let name: String = name.nfc().filter(|c| !header::is_invisible(*c)).collect();
    // The last component only: a browser once sent whole Windows paths.
    let name = name.rsplit(['/', '\\']).next().unwrap_or("");
    let shown = |c: char| if c.is_control() || "<>:\"|?*".contains(c) { '_' } else { c };
    let name: String = header::one_line(name).chars().map(shown).collect();
    let name = name.trim_matches([' ', '.', '\u{3000}']);
    let name = if is_device(name) { format!("_{name}") } else { name.to_owned() };
    cut_name(&name)
}

/// Names that mean a device on Windows, whatever their extension.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or("").trim_end().to_ascii_uppercase();
    let numbered =
        |p: &str| stem.strip_prefix(p).is_some_and(|n| n.len() == 1 && n.bytes().all(|b| b.is_ascii_digit()));
    ["CON", "PRN", "AUX", "NUL", "CLOCK$"].contains(&stem.as_str()) || numbered("COM") || numbered("LPT")
}

/// Cuts the stem, keeps the extension.
fn cut_name(name: &str) -> String {
    if name.len() <= MAX_NAME {
        return name.to_owned();
    }
    let extension = name.rsplit_once('.').map(|(_, e)| e).filter(|e| e.len() <= 16).map(|e| format!(".{e}"));
    let extension = extension.unwrap_or_default();
    let mut end = MAX_NAME - extension.len();
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{extension}", &name[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s39_s49_names_are_safe() {
        for (name, want) in [
            ("截图.png", "截图.png"),
            ("../../etc/passwd", "passwd"),
            ("/etc/shadow", "shadow"),
            (r"..\..\a.png", "a.png"),
            (r"C:\Users\li\报告.docx", "报告.docx"),
            ("\u{200b}.htaccess", "htaccess"),
            ("inv\u{202e}fdp.exe", "invfdp.exe"),
            ("a\r\nBcc: x.txt", "a Bcc_ x.txt"),
            ("a\0b.txt", "a b.txt"),
            ("CON", "_CON"),
            ("nul.txt", "_nul.txt"),
            ("com1.log", "_com1.log"),
            ("company.log", "company.log"),
            ("trailing. . .", "trailing"),
            ("..", ""),
            ("", ""),
            ("a<b>|c?.txt", "a_b__c_.txt"),
        ] {
            assert_eq!(safe_name(name), want, "{name:?}");
        }
        let long = safe_name(&format!("{}.docx", "长".repeat(300)));
        assert!(long.len() <= 255 && long.ends_with(".docx"));
    }

    #[test]
    fn s39_content_ids_hold_nothing_but_an_id() {
        assert_eq!(content_id(" <image001.png@01D> "), "image001.png@01D");
        assert_eq!(content_id("<a\"><script>@x>"), "ascript@x");
    }
}
