//! HTML elements and attributes, as far as lines need them.

use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{Tag, TokenSinkResult};
use std::rc::Rc;

/// What an element does to lines and to end tags inside it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Part of a line.
    Inline,
    /// Begins and ends a line.
    Block,
    /// A block with a blank line around it.
    Spaced,
    /// A block that no end tag inside can close.
    Wall,
    /// Shown as nothing, with everything in it.
    Skipped,
    /// No content.
    Void,
}

pub fn kind(name: &str) -> Kind {
    match name {
        "br" | "hr" | "img" | "input" | "meta" | "link" | "base" | "col" | "area" | "wbr" | "embed" | "source"
        | "track" | "param" | "frame" | "keygen" | "bgsound" => Kind::Void,
        "script" | "style" | "title" | "template" | "select" | "iframe" | "noframes" | "noembed" | "datalist" => {
            Kind::Skipped
        }
        "p" | "ul" | "ol" | "dl" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "blockquote" | "pre" | "listing"
        | "xmp" => Kind::Spaced,
        "table" | "td" | "th" | "caption" | "object" | "applet" | "marquee" => Kind::Wall,
        "div" | "tr" | "tbody" | "thead" | "tfoot" | "li" | "dd" | "dt" | "center" | "section" | "article"
        | "header" | "footer" | "main" | "aside" | "nav" | "address" | "form" | "fieldset" | "figure"
        | "figcaption" | "details" | "summary" | "dialog" | "dir" | "menu" | "body" | "html" | "head" | "legend"
        | "option" | "hgroup" | "search" | "textarea" => Kind::Block,
        _ => Kind::Inline,
    }
}

/// Elements of which mail programs show different things, or nothing: their text is kept, but is never a command.
pub fn is_uncertain(name: &str) -> bool {
    matches!(
        name,
        "noscript"
            | "object"
            | "applet"
            | "marquee"
            | "audio"
            | "video"
            | "canvas"
            | "textarea"
            | "xmp"
            | "details"
            | "dialog"
            | "button"
            | "option"
            | "svg"
            | "math"
    )
}

/// Elements that browsers open again behind a block that closed them (HTML, "active formatting elements").
pub fn is_formatting(name: &str) -> bool {
    matches!(
        name,
        "a" | "b" | "big" | "code" | "em" | "font" | "i" | "nobr" | "s" | "small" | "strike" | "strong" | "tt" | "u"
    )
}

/// Attributes that matter, as written; empty when missing.
#[derive(Default)]
pub struct Attributes<'a> {
    pub id: &'a str,
    pub class: &'a str,
    pub style: &'a str,
    pub href: &'a str,
    pub src: &'a str,
    pub alt: &'a str,
    pub color: &'a str,
    pub size: &'a str,
    pub hidden: bool,
    /// `type="cite"`
    pub cite: bool,
    /// `data-html-block="quote"`
    pub lark_quote: bool,
}

impl<'a> Attributes<'a> {
    pub fn of(tag: &'a Tag) -> Attributes<'a> {
        let mut a = Attributes::default();
        for attribute in &tag.attrs {
            let value: &str = &attribute.value;
            match &*attribute.name.local {
                "id" => a.id = value,
                "class" => a.class = value,
                "style" => a.style = value,
                "href" => a.href = value,
                "src" => a.src = value,
                "alt" => a.alt = value,
                "color" => a.color = value,
                "size" => a.size = value,
                "hidden" => a.hidden = true,
                "type" => a.cite = value.eq_ignore_ascii_case("cite"),
                "data-html-block" => a.lark_quote = value.eq_ignore_ascii_case("quote"),
                _ => {}
            }
        }
        a
    }

    /// Paragraphs of Outlook, and those without margin, have no blank line around them.
    pub fn is_tight(&self) -> bool {
        let style = self.style;
        self.class.contains("MsoNormal")
            || style.starts_with("margin:0")
            || ["margin: 0", ";margin:0", "margin-top:0"].iter().any(|m| style.contains(m))
    }
}

/// Elements whose content the tokenizer must not take for markup. A slash in the tag changes nothing for these.
pub fn raw(name: &str) -> TokenSinkResult<()> {
    TokenSinkResult::RawData(match name {
        "script" => RawKind::ScriptData,
        "style" | "xmp" | "iframe" | "noembed" | "noframes" => RawKind::Rawtext,
        "textarea" | "title" => RawKind::Rcdata,
        "plaintext" => return TokenSinkResult::Plaintext,
        _ => return TokenSinkResult::Continue,
    })
}

/// A link that may be shown: http, https, mailto or tel, no control characters.
pub fn safe_link(href: &str) -> Option<Rc<str>> {
    let href = href.trim();
    let scheme = href.split_once(':')?.0.to_ascii_lowercase();
    let good = matches!(scheme.as_str(), "http" | "https" | "mailto" | "tel");
    (good && href.len() <= 4000 && !href.chars().any(|c| c.is_control())).then(|| href.into())
}

/// The `Content-ID` behind `cid:`.
pub fn content_id(src: &str) -> Option<&str> {
    let src = src.trim();
    let (scheme, id) = src.split_at_checked(4)?;
    (scheme.eq_ignore_ascii_case("cid:") && !id.is_empty() && id.len() < 500).then_some(id)
}

/// At most `most` bytes, cut between characters.
pub fn clip(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_images() {
        assert!(safe_link(" https://x/y ").is_some() && safe_link("mailto:a@b").is_some());
        for bad in ["javascript:x", " java\nscript:x", "data:text/html,x", "/relative", "file:///etc/passwd", ""] {
            assert!(safe_link(bad).is_none(), "{bad}");
        }
        assert_eq!(content_id("CID:a@b"), Some("a@b"));
        assert_eq!((content_id("cid:"), content_id("http://x"), content_id("图")), (None, None, None));
        assert_eq!(clip("日本", 4), "日");
    }
}
