//! What mail clients leave in their HTML around quotes, forwards and signatures (`domain.md` 1.2).

/// What an element is, judged by its name, id, class and style.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marker {
    /// Everything after its start is history.
    Cut,
    /// It holds nothing but history.
    History,
    /// Its text is a quote.
    Quote,
    /// A `blockquote`: a quote when an attribution line stands above.
    Indentation,
    /// It holds a message that was passed on.
    Forward,
    /// It holds the signature.
    Signature,
}

/// Ids that end so; relays put `x_` or `gmail-m_123` before them.
const IDS: &[(&str, Marker)] = &[
    ("divrplyfwdmsg", Marker::Cut),
    ("appendonsend", Marker::Cut),
    ("replysplit", Marker::Cut),
    ("divneteasemailcard", Marker::Cut),
    ("foxmail_quote", Marker::Cut),
    ("reply139content", Marker::History),
    ("isreplycontent", Marker::History),
    ("mail-editor-reference-message-container", Marker::Cut),
    ("olk_src_body_section", Marker::History),
    ("isforwardcontent", Marker::Forward),
    ("ms-outlook-mobile-signature", Marker::Signature),
    ("yahoo_quoted", Marker::History),
    ("zmail_extra", Marker::History),
];

/// Classes, each compared with a whole word of the `class` attribute.
const CLASSES: &[(&str, Marker)] = &[
    ("ntes-mailmaster-quote", Marker::Cut),
    ("outlookmessageheader", Marker::Cut),
    ("history-quote-wrapper", Marker::History),
    ("yahoo_quoted", Marker::History),
    ("protonmail_quote", Marker::History),
    ("tutanota_quote", Marker::Quote),
    ("zmail_extra", Marker::History),
    ("moz-forward-container", Marker::Forward),
    ("history-quote-forward-title", Marker::Forward),
    ("gmail_signature", Marker::Signature),
    ("moz-signature", Marker::Signature),
    ("protonmail_signature_block", Marker::Signature),
    ("mailmaster-signature", Marker::Signature),
];

/// Parts of ids that carry a running number.
const ID_PARTS: &[(&str, Marker)] = &[("lark-mail-quote", Marker::History), ("yahoo_quoted_", Marker::History)];

/// Judges an element. `class`, `id` and `style` as written, empty when missing.
pub fn marker(name: &str, id: &str, class: &str, style: &str, is_cite: bool, is_lark_quote: bool) -> Option<Marker> {
    if is_lark_quote {
        return Some(Marker::History);
    }
    if !id.is_empty() && id.len() < 200 {
        let id = id.to_ascii_lowercase();
        let by_end = IDS.iter().find(|(end, _)| id.ends_with(end));
        if let Some((_, m)) = by_end.or_else(|| ID_PARTS.iter().find(|(part, _)| id.contains(part))) {
            return Some(*m);
        }
    }
    if !class.is_empty() && class.len() < 1000 {
        let class = class.to_ascii_lowercase();
        let is = |word: &str| class.split_ascii_whitespace().any(|c| strip_relay(c) == word);
        if let Some((_, m)) = CLASSES.iter().find(|(word, _)| is(word)) {
            return Some(*m);
        }
        if name == "blockquote" && (is("gmail_quote") || is("cite")) {
            return Some(Marker::Quote);
        }
    }
    if name == "blockquote" {
        return Some(if is_cite || has_quote_bar(style) { Marker::Quote } else { Marker::Indentation });
    }
    None
}

/// Gmail and Outlook prefix the classes of what they quote.
fn strip_relay(class: &str) -> &str {
    let mut class = class;
    while let Some(rest) = class.strip_prefix("x_") {
        class = rest;
    }
    match class.strip_prefix("gmail-") {
        Some(rest) if !rest.starts_with("m_") => rest,
        Some(rest) => rest.trim_start_matches("m_").trim_start_matches(|c: char| c.is_ascii_digit() || c == '-'),
        None => class,
    }
}

fn has_quote_bar(style: &str) -> bool {
    let style = style.to_ascii_lowercase();
    style.split(';').any(|d| {
        let (name, value) = d.split_once(':').unwrap_or(("", ""));
        matches!(name.trim(), "border-left" | "border-left-width" | "border-left-style")
            && !value.contains("none")
            && value.trim() != "0"
            && !value.trim().starts_with("0px")
            && !value.trim().starts_with("medium")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, id: &str, class: &str, style: &str, expect: Option<Marker>) {
        assert_eq!(marker(name, id, class, style, false, false), expect, "{name} {id} {class} {style}");
    }

    #[test]
    fn markers_of_the_clients() {
        check("div", "divRplyFwdMsg", "", "", Some(Marker::Cut));
        check("div", "x_x_divRplyFwdMsg", "", "", Some(Marker::Cut));
        check("div", "gmail-m_123divNeteaseMailCard", "", "", Some(Marker::Cut));
        check("hr", "replySplit", "", "", Some(Marker::Cut));
        check("blockquote", "isReplyContent", "", "", Some(Marker::History));
        check("div", "isForwardContent", "", "", Some(Marker::Forward));
        check("div", "lark-mail-quote-170", "", "", Some(Marker::History));
        check("div", "", "J-x ntes-mailmaster-quote", "", Some(Marker::Cut));
        check("blockquote", "", "gmail_quote", "", Some(Marker::Quote));
        check("blockquote", "", "gmail-m_99gmail_quote", "", Some(Marker::Quote));
        check("div", "", "x_protonmail_quote", "", Some(Marker::History));
        check("blockquote", "", "", "margin:0;border-left:1px solid #ccc", Some(Marker::Quote));
        check("blockquote", "", "", "margin:0 0 0 40px;border:none;padding:0px", Some(Marker::Indentation));
        check("div", "", "gmail_signature", "", Some(Marker::Signature));
        check("div", "", "gmail_quote", "", None);
        check("div", "main", "text", "", None);
        assert_eq!(marker("blockquote", "", "", "", true, false), Some(Marker::Quote));
    }
}
