//! Text parts that still carry HTML entities, as QQ Mail makes them (`domain.md` 1.1, sample 2).

use std::borrow::Cow;

/// Decodes the entities of a text part that is evidently made from HTML; any other text stays as it is.
pub fn repair(text: &str) -> Cow<'_, str> {
    let evident = text.contains("&nbsp;")
        && (text.contains("--&nbsp;") || text.contains("&gt;") || text.matches("&nbsp;").count() > 2);
    if !evident {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let (c, used) = entity(&rest[at..]);
        out.push(c);
        rest = &rest[at + used..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The character an entity stands for and its length; a lone `&` stands for itself.
fn entity(text: &str) -> (char, usize) {
    for (name, c) in [
        ("&nbsp;", ' '),
        ("&gt;", '>'),
        ("&lt;", '<'),
        ("&quot;", '"'),
        ("&amp;", '&'),
        ("&#39;", '\''),
        ("&apos;", '\''),
    ] {
        if text.starts_with(name) {
            return (c, name.len());
        }
    }
    ('&', 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_evident_text_is_repaired() {
        assert_eq!(repair("--&nbsp;原始邮件&nbsp;--\n\"a\"&lt;a@b&gt;;"), "-- 原始邮件 --\n\"a\"<a@b>;");
        assert_eq!(repair("write &nbsp; in HTML"), "write &nbsp; in HTML");
        assert_eq!(repair("R&D &nbsp;x&gt; & y"), "R&D  x> & y");
    }
}
