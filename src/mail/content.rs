//! What of the part tree is the message's text, and what hangs on it.

use crate::mail::attachment::Outline;
use crate::mail::charset::Charset;
use crate::mail::header;
use crate::mail::part::Part;
use mail_parser::decoders::html::{html_to_text, text_to_html};

/// Bytes of text that are read of one message; a log file pasted into the body is not read to its end (S56).
const MAX_TEXT: usize = 4 * 1024 * 1024;

/// The text of a message and its attachments.
#[derive(Default)]
pub struct Content<'p, 'a> {
    segments: Vec<Segment>,
    size: usize,
    /// Attachments met so far, for the names of nameless ones.
    met: usize,
    pub attachments: Vec<Outline<'p, 'a>>,
    /// Messages passed on as attachment.
    pub enclosed: Vec<&'p Part<'a>>,
    /// A calendar part with a method was among the alternatives.
    pub calendar: Option<&'p Part<'a>>,
    /// The Outlook container that only Outlook can open.
    pub tnef: bool,
    pub too_long: bool,
}

/// A stretch of text in one or both forms.
#[derive(Default)]
struct Segment {
    plain: Option<String>,
    html: Option<String>,
}

impl<'p, 'a> Content<'p, 'a> {
    pub fn of(root: &'p Part<'a>, hint: Option<Charset>) -> Content<'p, 'a> {
        let mut content = Content::default();
        content.read(root, Place::Root, hint);
        content
    }

    fn read(&mut self, part: &'p Part<'a>, place: Place, hint: Option<Charset>) {
        if part.is_multipart() {
            return self.read_multipart(part, place, hint);
        }
        if part.is("text/calendar") && self.calendar.is_none() {
            self.calendar = Some(part);
        }
        if is_body(part, place, self.segments.is_empty()) {
            self.push_text(part, hint);
            if part.is_attachment() {
                // A message that is nothing but a text file: both.
                self.push_attachment(part, place, hint);
            }
        } else if !(place == Place::Alternative && part.main_type() == "text" && !part.is("text/calendar")) {
            self.push_attachment(part, place, hint);
        }
    }

    fn read_multipart(&mut self, part: &'p Part<'a>, place: Place, hint: Option<Charset>) {
        match part.media.value.as_str() {
            "multipart/alternative" => self.read_alternatives(part, hint),
            "multipart/related" => {
                for (at, child) in part.children.iter().enumerate() {
                    let root = at == 0 || (self.segments.is_empty() && child.main_type() != "image");
                    self.read(child, if root { place } else { Place::Related }, hint);
                }
            }
            _ => {
                for child in &part.children {
                    self.read(child, Place::Mixed, hint);
                }
            }
        }
    }

    /// The same text in several forms: the fullest of each kind counts (RFC 2046 section 5.1.4).
    fn read_alternatives(&mut self, part: &'p Part<'a>, hint: Option<Charset>) {
        let mut whole = Segment::default();
        for child in &part.children {
            let mut inner = Content { size: self.size, met: self.met, ..Content::default() };
            inner.read(child, Place::Alternative, hint);
            let (plain, html) = inner.take_text();
            // An empty form says nothing; of two forms of one kind the last one that says something wins.
            whole.plain = plain.filter(|p| !p.trim().is_empty()).or(whole.plain);
            whole.html = html.filter(|h| !h.trim().is_empty()).or(whole.html);
            (self.size, self.met) = (inner.size, inner.met);
            self.too_long |= inner.too_long;
            self.tnef |= inner.tnef;
            self.calendar = self.calendar.or(inner.calendar);
            self.attachments.extend(inner.attachments);
            self.enclosed.extend(inner.enclosed);
        }
        if whole.plain.is_some() || whole.html.is_some() {
            self.segments.push(whole);
        }
    }

    fn push_text(&mut self, part: &Part, hint: Option<Charset>) {
        let mut text = part.text(hint);
        if self.size + text.len() > MAX_TEXT {
            self.too_long = true;
            let mut end = MAX_TEXT.saturating_sub(self.size).min(text.len());
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.truncate(end);
        }
        self.size += text.len();
        let segment = if part.is("text/html") || part.is("application/xhtml+xml") {
            Segment { html: Some(text), plain: None }
        } else {
            let text = if part.media.token("format").as_deref() == Some("flowed") { reflow(part, &text) } else { text };
            Segment { plain: Some(text), html: None }
        };
        self.segments.push(segment);
    }

    fn push_attachment(&mut self, part: &'p Part<'a>, place: Place, hint: Option<Charset>) {
        if part.is_message() && !part.children.is_empty() {
            self.enclosed.push(part);
        }
        self.met += 1;
        let outline = Outline::new(part, place == Place::Related, self.met, hint);
        self.tnef |= part.is("application/ms-tnef") || outline.name.eq_ignore_ascii_case("winmail.dat");
        self.attachments.push(outline);
    }

    /// The text in both forms, as one; a stretch that exists in one form only is converted for the other.
    pub fn take_text(&mut self) -> (Option<String>, Option<String>) {
        let segments = std::mem::take(&mut self.segments);
        let any_plain = segments.iter().any(|s| s.plain.is_some());
        let any_html = segments.iter().any(|s| s.html.is_some());
        if segments.len() == 1 {
            let only = segments.into_iter().next().unwrap_or_default();
            return (only.plain, only.html);
        }
        let (mut plain, mut html) = (String::new(), String::new());
        for segment in &segments {
            if any_plain {
                let text = segment.plain.clone().or_else(|| segment.html.as_deref().map(html_to_text));
                join(&mut plain, "\n", &text.unwrap_or_default());
            }
            if any_html {
                let text = segment.html.clone().or_else(|| segment.plain.as_deref().map(text_to_html));
                join(&mut html, "<br>\n", &text.unwrap_or_default());
            }
        }
        (any_plain.then_some(plain), any_html.then_some(html))
    }
}

fn join(all: &mut String, between: &str, text: &str) {
    if !all.is_empty() && !all.ends_with('\n') {
        all.push_str(between);
    }
    all.push_str(text);
}

/// Where a part stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Mixed,
    Alternative,
    Related,
}

/// Whether a leaf is text to be read rather than a file.
fn is_body(part: &Part, place: Place, nothing_yet: bool) -> bool {
    let readable = part.is("text/plain") || part.is("text/html") || part.is("application/xhtml+xml");
    let named = part.disposition.raw("filename").is_some() || part.media.raw("name").is_some();
    match place {
        // A message that is nothing but one text is that text, whatever it calls itself.
        Place::Root => readable || (part.main_type() == "text" && !part.is("text/calendar") && !part.is_attachment()),
        Place::Alternative => readable && !part.is_attachment(),
        Place::Related => readable && nothing_yet,
        Place::Mixed => {
            readable && !part.is_attachment() && (!named || nothing_yet && part.disposition.value.is_empty())
        }
    }
}

/// Joins the lines a `format=flowed` writer broke (RFC 3676 section 4). Quoted lines stay as they are: they are
/// history, and found by their marks.
fn reflow(part: &Part, text: &str) -> String {
    let delete_space = part.media.token("delsp").as_deref() == Some("yes");
    let mut whole = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let content = line.strip_suffix('\n').unwrap_or(line);
        let flows =
            content.ends_with(' ') && content != "-- " && !content.starts_with('>') && line.len() > content.len();
        // Space-stuffing; one that hides a quote mark stays, or the line would become a quote.
        let content = content.strip_prefix(' ').filter(|c| !c.starts_with('>')).unwrap_or(content);
        match flows {
            true if delete_space => whole.push_str(content.strip_suffix(' ').unwrap_or(content)),
            true => whole.push_str(content),
            false => {
                whole.push_str(content);
                whole.push_str(&line[line.trim_end_matches('\n').len()..]);
            }
        }
    }
    whole
}

/// The text of an enclosed message, introduced the way mail programs do, so that it reads as passed on.
pub fn enclosed_text(message: &Part, hint: Option<Charset>) -> String {
    let Some(inner) = message.children.first() else { return String::new() };
    let mut text = String::from("---------- Forwarded message ----------\n");
    for name in ["From", "Date", "Subject", "To"] {
        if let Some(value) = inner.header.first(name) {
            text.push_str(&format!("{name}: {}\n", header::decode(value, inner.charset().or(hint))));
        }
    }
    let (plain, html) = Content::of(inner, inner.charset().or(hint)).take_text();
    let body = plain.filter(|p| !p.trim().is_empty()).or_else(|| html.as_deref().map(html_to_text));
    text.push('\n');
    text.push_str(body.unwrap_or_default().trim_end());
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::part::Notes;

    fn check(raw: &str, plain: Option<&str>, html: Option<&str>, attachments: &[&str]) {
        let raw = raw
            .replace("MIXED", "Content-Type: multipart/mixed; boundary=m")
            .replace("ALT", "Content-Type: multipart/alternative; boundary=a")
            .replace("REL", "Content-Type: multipart/related; boundary=r")
            .replace("HTML", "Content-Type: text/html");
        let root = Part::parse(raw.as_bytes(), &mut Notes::default());
        let mut content = Content::of(&root, None);
        let names: Vec<String> = content.attachments.iter().map(|o| o.name.clone()).collect();
        let got = content.take_text();
        assert_eq!((got.0.as_deref(), got.1.as_deref()), (plain, html), "{raw}");
        assert_eq!(names, attachments, "{raw}");
    }

    #[test]
    fn text_and_files_are_told_apart() {
        check("\nhello", Some("hello"), None, &[]);
        check("HTML\n\n<b>x</b>", None, Some("<b>x</b>"), &[]);
        check("ALT\n\n--a\n\ntext\n--a\nHTML\n\n<p>text\n--a--", Some("text"), Some("<p>text"), &[]);
        check("ALT\n\n--a\n\n \n--a\nHTML\n\n<p>text\n--a--", None, Some("<p>text"), &[]);
        check(
            "MIXED\n\n--m\n\none\n--m\nContent-Type: image/png; name=x.png\n\nPNG\n--m\n\ntwo\n--m--",
            Some("one\ntwo"),
            None,
            &["x.png"],
        );
        check(
            "MIXED\n\n--m\n\none\n--m\nContent-Type: text/plain; name=log.txt\n\nlog\n--m--",
            Some("one"),
            None,
            &["log.txt"],
        );
        check("MIXED\n\n--m\nContent-Type: text/plain; name=body.txt\n\none\n--m--", Some("one"), None, &[]);
        check("MIXED\n\n--m\nContent-Disposition: attachment; filename=a.txt\n\none\n--m--", None, None, &["a.txt"]);
        check(
            "MIXED\n\n--m\nALT\n\n--a\n\ntext\n--a\nHTML\n\n<p>text\n--a--\n--m\n\nfooter\n--m--",
            Some("text\nfooter"),
            Some("<p>text<br>\n<html><body>footer</body></html>"),
            &[],
        );
        check(
            "REL\n\n--r\nHTML\n\n<img src=cid:i>\n--r\nContent-Type: image/png\nContent-ID: <i>\n\nP\n--r--",
            None,
            Some("<img src=cid:i>"),
            &["attachment-1.png"],
        );
        check(
            "Content-Disposition: attachment; filename=all.txt\n\nstill text",
            Some("still text"),
            None,
            &["all.txt"],
        );
    }

    #[test]
    fn enclosed_messages_are_attachments_and_can_be_read() {
        let raw = "Content-Type: message/rfc822\n\nFrom: a@b.example\nSubject: =?utf-8?B?5omT5Y2w5py6?=\n\nthe text";
        check(raw, None, None, &["打印机.eml"]);
        let root = Part::parse(raw.as_bytes(), &mut Notes::default());
        let text = enclosed_text(Content::of(&root, None).enclosed[0], None);
        assert!(text.contains("Subject: 打印机") && text.ends_with("the text"), "{text}");
    }

    #[test]
    fn flowed_text_is_put_together() {
        let flow = |body: &str, want: &str| {
            check(&format!("Content-Type: text/plain; format=flowed\n\n{body}"), Some(want), None, &[]);
        };
        flow("one \ntwo\nthree", "one two\nthree");
        flow("> quoted \n> on\nmine", "> quoted \n> on\nmine");
        flow("a\n-- \nsig", "a\n-- \nsig");
        flow(" >not a quote\n from here", " >not a quote\nfrom here");
        flow("a\n\nb", "a\n\nb");
    }
}
