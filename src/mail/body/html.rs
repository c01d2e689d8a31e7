//! HTML to visible lines, in one pass and linear time. There is no tree: a tokenizer and a short stack of open
//! elements are enough for lines, and nothing hostile can make them expensive (`hardening.md` S56).
//!
//! Where browsers would show something else than this reading (misnested or foreign markup), the lines are marked as
//! doubtful and no command is taken from them (S13).

use super::element::{Attributes, Kind, clip, is_formatting, is_uncertain, kind, raw, safe_link};
use super::lines::{Line, Mark};
use super::marker::{Marker, marker};
use super::style;
use super::writer::{Scope, Writer};
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};
use html5ever::{LocalName, local_name};
use std::cell::RefCell;

/// What an HTML body shows.
#[derive(Debug, Default)]
pub struct Page {
    pub lines: Vec<Line<'static>>,
    /// A style sheet hides things that were judged before it was met.
    pub doubtful: bool,
}

/// Reads HTML of any size and quality.
pub fn read(html: &str) -> Page {
    let tokenizer = Tokenizer::new(Sink(RefCell::new(Builder::default())), TokenizerOpts::default());
    let input = BufferQueue::default();
    let mut rest = html;
    // In pieces, because a tendril holds 32-bit lengths.
    while !rest.is_empty() {
        let piece = clip(rest, 1 << 20);
        rest = &rest[piece.len()..];
        input.push_back(StrTendril::from_slice(piece));
        // The sink never asks for a pause, so one call reads all of it.
        let _ = tokenizer.feed(&input);
    }
    tokenizer.end();
    tokenizer.sink.0.into_inner().finish()
}

struct Sink(RefCell<Builder>);

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut builder = self.0.borrow_mut();
        match token {
            Token::CharacterTokens(text) => builder.text(&text),
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => return builder.start(&tag),
            Token::TagToken(tag) => builder.end(&tag.name),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

/// Elements deeper than this are not told apart; browsers stop at 512 too.
const DEEPEST: usize = 256;

/// Most sheet text that is looked at.
const LONGEST_SHEET: usize = 64 * 1024;

/// Most classes and ids that style sheets may hide.
const MOST_NAMES: usize = 60;

struct Open {
    name: LocalName,
    kind: Kind,
    scope: Scope,
    /// Number of the last item, lists only.
    items: u32,
    /// Where the link's words begin in the line, links only.
    link_from: Option<usize>,
}

#[derive(Default)]
struct Builder {
    writer: Writer,
    open: Vec<Open>,
    /// Open elements that did not fit on the stack.
    overflow: usize,
    /// Open `p` elements, so that none is looked for in vain.
    paragraphs: usize,
    doubtful: bool,
    sheet: String,
    sheet_names: Vec<String>,
}

impl Builder {
    fn current(&self) -> Scope {
        self.open.last().map(|o| o.scope.clone()).unwrap_or_default()
    }

    fn skipping(&self) -> bool {
        self.open.last().is_some_and(|o| o.kind == Kind::Skipped)
    }

    fn start(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let kind = kind(&tag.name);
        if self.skipping() {
            // Markup inside something that is not shown: count what nests, so that its end is found.
            if !tag.self_closing && self.open.last().is_some_and(|o| o.name == tag.name) {
                self.push(&tag.name, kind, self.current());
            }
            return raw(&tag.name);
        }
        let a = Attributes::of(tag);
        match kind {
            Kind::Void => self.void(&tag.name, &a),
            _ => self.element(&tag.name, kind, &a, tag.self_closing),
        }
        raw(&tag.name)
    }

    fn void(&mut self, name: &str, a: &Attributes) {
        let scope = self.inside(name, a);
        match name {
            _ if scope.hidden => {}
            "br" => self.writer.line_break(&scope),
            "img" => self.writer.image(a, &scope),
            "hr" => {
                self.writer.block(false);
                self.mark_by(marker(name, a.id, a.class, a.style, false, false), &scope);
            }
            _ => {}
        }
    }

    fn element(&mut self, name: &LocalName, kind: Kind, a: &Attributes, self_closing: bool) {
        self.close_implied(name, kind);
        let mut scope = self.inside(name, a);
        self.enter(&mut scope, marker(name, a.id, a.class, a.style, a.cite, a.lark_quote));
        let kind = if kind == Kind::Spaced && (a.is_tight() || self.is_nested_list(name)) { Kind::Block } else { kind };
        if !scope.hidden {
            self.open_lines(name, kind, &scope);
        }
        if matches!(&**name, "svg" | "math") {
            // Other rules hold in there.
            self.writer.lose();
        }
        if self_closing && kind == Kind::Inline {
            return;
        }
        let link_from = (*name == local_name!("a")).then_some(self.writer.column());
        self.push(name, kind, scope);
        if let Some(open) = self.open.last_mut().filter(|_| self.overflow == 0) {
            open.link_from = link_from;
        }
        self.sheet.clear();
    }

    fn open_lines(&mut self, name: &str, kind: Kind, scope: &Scope) {
        match (name, kind) {
            (_, Kind::Inline | Kind::Skipped | Kind::Void) => {}
            (_, Kind::Spaced) => self.writer.spaced_block(),
            ("td" | "th", _) => self.writer.cell(),
            ("tr", _) => self.writer.row(scope),
            ("li", _) => {
                let list = self.open.iter_mut().rev().find(|o| matches!(&*o.name, "ul" | "ol"));
                let number = list.map(|o| {
                    o.items += 1;
                    o.items
                });
                self.writer.item(number, scope);
            }
            _ => self.writer.block(true),
        }
    }

    fn is_nested_list(&self, name: &str) -> bool {
        matches!(name, "ul" | "ol") && self.open.last().is_some_and(|o| o.scope.list.is_some())
    }

    fn push(&mut self, name: &LocalName, kind: Kind, scope: Scope) {
        if self.open.len() >= DEEPEST {
            self.overflow += 1;
            self.writer.lose();
            return;
        }
        self.paragraphs += usize::from(*name == local_name!("p"));
        self.open.push(Open { name: name.clone(), kind, scope, items: 0, link_from: None });
    }

    /// The scope inside a new element, before its marker is judged.
    fn inside(&mut self, name: &str, a: &Attributes) -> Scope {
        let mut scope = self.current();
        let look = style::look(a.style);
        scope.hidden |= look.hidden || a.hidden;
        scope.tiny = look.tiny.unwrap_or(scope.tiny);
        scope.place.doubtful |= look.doubtful || is_uncertain(name) || self.hidden_by_sheet(name, a);
        match name {
            "b" | "strong" => scope.style.bold = true,
            "i" | "em" => scope.style.italic = true,
            "u" | "ins" => scope.style.underline = true,
            "s" | "del" | "strike" => scope.style.strike = true,
            "code" | "tt" | "kbd" | "samp" => scope.style.code = true,
            "pre" | "listing" | "xmp" | "textarea" => scope.pre = true,
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => scope.heading = true,
            "ul" | "ol" => scope.list = Some((scope.list.map_or(0, |(d, _)| d.saturating_add(1)), name == "ol")),
            "a" => scope.link = safe_link(a.href).or(scope.link),
            "font" => {
                scope.place.doubtful |= style::look(&format!("color:{}", clip(a.color, 40))).doubtful;
                scope.tiny &= a.size.is_empty();
            }
            _ => {}
        }
        scope.style.bold |= a.style.contains("font-weight:bold") || a.style.contains("font-weight: bold");
        scope.pre |= a.style.contains("white-space:pre") || a.style.contains("white-space: pre");
        scope
    }

    fn hidden_by_sheet(&self, name: &str, a: &Attributes) -> bool {
        self.sheet_names.iter().any(|n| match n.strip_prefix('.') {
            Some(class) => a.class.split_ascii_whitespace().any(|c| c == class),
            None if n.starts_with('#') => a.id == &n[1..],
            None => n.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '#'])),
        })
    }

    fn enter(&mut self, scope: &mut Scope, found: Option<Marker>) {
        if found.is_some() {
            self.writer.block(false);
        }
        match found {
            Some(Marker::History) => scope.place.history = true,
            Some(Marker::Quote) => scope.depth = scope.depth.saturating_add(1),
            Some(Marker::Indentation) => scope.place.indented = true,
            Some(Marker::Signature) => scope.place.signature = true,
            other => self.mark_by(other, scope),
        }
    }

    fn mark_by(&mut self, found: Option<Marker>, scope: &Scope) {
        match found {
            Some(Marker::Cut) => self.writer.mark(Mark::Cut, scope),
            Some(Marker::Forward) => self.writer.mark(Mark::Forward, scope),
            _ => {}
        }
    }

    /// Start tags that end an open element although no end tag says so.
    fn close_implied(&mut self, name: &str, kind: Kind) {
        if self.overflow > 0 {
            return;
        }
        let tables = [local_name!("table")];
        match name {
            "li" => self.close_within(local_name!("li"), &[local_name!("ul"), local_name!("ol")]),
            "dt" | "dd" => {
                self.close_within(local_name!("dt"), &[local_name!("dl")]);
                self.close_within(local_name!("dd"), &[local_name!("dl")]);
            }
            "tr" => {
                self.close_within(local_name!("td"), &tables);
                self.close_within(local_name!("th"), &tables);
                self.close_within(local_name!("tr"), &tables);
            }
            "td" | "th" => {
                let row = [local_name!("table"), local_name!("tr")];
                self.close_within(local_name!("td"), &row);
                self.close_within(local_name!("th"), &row);
            }
            "a" => self.close(&local_name!("a"), Kind::Inline),
            _ => {}
        }
        let in_paragraph =
            matches!(kind, Kind::Inline | Kind::Void | Kind::Skipped) || matches!(name, "td" | "th" | "tr" | "table");
        if self.paragraphs > 0 && !in_paragraph {
            self.close_within(
                local_name!("p"),
                &[local_name!("table"), local_name!("td"), local_name!("th"), local_name!("caption")],
            );
        }
    }

    fn close_within(&mut self, name: LocalName, walls: &[LocalName]) {
        for at in (0..self.open.len()).rev() {
            if self.open[at].name == name {
                return self.pop_to(at);
            }
            if walls.contains(&self.open[at].name) {
                return;
            }
        }
    }

    fn end(&mut self, name: &LocalName) {
        match &**name {
            "body" | "html" | "head" => {}
            "br" if !self.skipping() => {
                let scope = self.current();
                self.writer.line_break(&scope);
            }
            "p" if !self.skipping() && self.paragraphs == 0 => self.writer.spaced_block(),
            _ => self.close(name, kind(name)),
        }
    }

    /// As browsers do: the end tag of an inline element closes nothing beyond the block it stands in, the end tag of a
    /// block nothing beyond its table cell.
    fn close(&mut self, name: &LocalName, own: Kind) {
        if self.overflow > 0 {
            self.overflow -= 1;
            return;
        }
        let cell_part = matches!(&**name, "tr" | "tbody" | "td" | "th");
        for at in (0..self.open.len()).rev() {
            if self.open[at].name == *name {
                return self.pop_to(at);
            }
            let wall = match self.open[at].kind {
                Kind::Skipped => true,
                Kind::Wall => !cell_part && *name != local_name!("table"),
                Kind::Block | Kind::Spaced => own == Kind::Inline,
                Kind::Inline | Kind::Void => false,
            };
            if wall || (cell_part && self.open[at].name == local_name!("table")) {
                return;
            }
        }
    }

    fn pop_to(&mut self, at: usize) {
        while self.open.len() > at {
            let Some(open) = self.open.pop() else { return };
            self.paragraphs -= usize::from(open.name == local_name!("p"));
            let misnested = self.open.len() > at;
            if misnested && is_formatting(&open.name) && (open.scope.is_invisible() || open.scope.place.doubtful) {
                self.writer.lose();
            }
            self.close_lines(&open);
        }
    }

    fn close_lines(&mut self, open: &Open) {
        if open.name == local_name!("style") {
            return self.end_of_sheet();
        }
        if open.scope.hidden {
            return;
        }
        match open.kind {
            Kind::Spaced => self.writer.spaced_block(),
            Kind::Block | Kind::Wall => self.writer.block(false),
            _ => {}
        }
        if let (Some(from), Some(link)) = (open.link_from, &open.scope.link) {
            self.writer.end_of_link(from, link);
        }
    }

    fn end_of_sheet(&mut self) {
        let names = style::sheet_hides(&std::mem::take(&mut self.sheet));
        // A sheet below the first text hides what was already judged.
        self.doubtful |= !names.is_empty() && self.writer.has_lines();
        self.doubtful |= self.sheet_names.len() + names.len() > MOST_NAMES;
        self.sheet_names.extend(names);
        self.sheet_names.truncate(MOST_NAMES);
    }

    fn text(&mut self, text: &str) {
        match self.open.last() {
            Some(open) if open.name == local_name!("style") => {
                if self.sheet.len() < LONGEST_SHEET {
                    self.sheet.push_str(clip(text, LONGEST_SHEET));
                }
            }
            Some(open) if open.kind == Kind::Skipped => {}
            _ => {
                let scope = self.current();
                self.writer.text(text, &scope);
            }
        }
    }

    fn finish(self) -> Page {
        Page { lines: self.writer.finish(), doubtful: self.doubtful }
    }
}

#[cfg(test)]
mod tests {
    use super::super::lines::to_text;
    use super::*;

    fn check(html: &str, expect: &str) {
        assert_eq!(to_text(read(html).lines.iter()), expect, "{html}");
    }

    #[test]
    fn blocks_become_lines() {
        check("a<br>b", "a\nb");
        check("<div>a</div><div>b</div>", "a\nb");
        check("<div>a<div>b</div>c</div>", "a\nb\nc");
        check("<p>a</p><p>b</p>", "a\n\nb");
        check("<p class=MsoNormal>a<p class=MsoNormal>b", "a\nb");
        check("<div>a</div><div><br></div><div>b</div>", "a\n\nb");
        check("a  \n b&nbsp;c", "a b c");
        check("<b>a</b>b <i>c</i>", "ab c");
        check("a</body></html>b", "ab");
        check("<title>t</title><style>p{}</style><script>x()</script>a", "a");
        check("x &lt;y&gt; &amp; z", "x <y> & z");
        check("<pre>a\n  b</pre>", "a\n  b");
    }

    #[test]
    fn lists_tables_links_and_images() {
        check("<ul><li>a<li>b<ul><li>c</ul></ul>", "- a\n- b\n  - c");
        check("<ol><li>a</li><li>b</li></ol>", "1. a\n2. b");
        check("<table><tr><td>a</td><td>b</td></tr><tr><td>c<td>d</table>", "a | b\nc | d");
        check("<table><tr><td><div>From</div></td><td><div>A</div></td></tr></table>", "From | A");
        check("<a href='http://x/y'>here</a> now", "here <http://x/y> now");
        check("<a href='http://x/y'>http://x/y</a>", "http://x/y");
        check("<a href='mailto:a@b'>a@b</a>", "a@b");
        check("<a href='javascript:x'>here</a>", "here");
        check(
            "<img src='cid:1' alt='shot'> <img src='http://x/t.gif'><img src='http://x/l.gif' alt=Logo>",
            "[shot] [Logo]",
        );
    }

    #[test]
    fn s13_hidden_text_is_not_visible() {
        for hidden in [
            "<div style='display:none'>#close</div>",
            "<span style='font-size:0'>#close</span>",
            "<p hidden>#close</p>",
            "<b><div style=display:none></b>#close</div>",
            "<span><div style=display:none></span>#close</div>",
            "<div style='visibility:hidden'><div><p>#close</p></div></div>",
            "<div style=display:none><br><br>#close</div>",
            "<div style=display:none><table></div>#close</table></div>",
            "<template>#close</template>",
            "<select><option>#close</select>",
            "<!-- #close -->",
        ] {
            check(&format!("a{hidden}<div>b</div>"), "a\nb");
        }
        check("<p style='display:none'>x<p>y", "y");
        check("<div style='font-size:0'><span style='font-size:14px'>y</span></div>", "y");
        check("<td style='display:none'>x<td>y", "y");
    }

    #[test]
    fn s13_doubtful_text_is_marked() {
        let doubtful = |html: &str| {
            let page = read(html);
            page.doubtful || page.lines.iter().any(|l| l.place.doubtful)
        };
        assert!(doubtful("<textarea>#close</textarea>") && doubtful("<noscript>#close</noscript>"));
        assert!(doubtful("<svg></svg>#close") && doubtful("<details>#close</details>"));
        // Browsers open the font element again.
        assert!(doubtful("<div><font style='display:none'></div>#close"));
        assert!(doubtful("<head><style>.x{display:none}</style></head><div class='x'>#close</div>"));
        assert!(doubtful("<font color=white>#close</font>"));
        assert!(doubtful("<style>.x{display:none}</style><div class='a x'>#close</div>"));
        assert!(doubtful("a<br><style>.x{display:none}</style><div class='a x'>#close</div>"));
        assert!(doubtful(&format!("{}#close", "<div>".repeat(300))));
        assert!(!doubtful("<style>.x{display:none}</style><div class='a'>#close</div>"));
        assert!(!doubtful("<font color=red>#close</font>"));
    }

    #[test]
    fn markers_place_the_lines() {
        let page = read("a<blockquote type=cite>q</blockquote>b<div id=divRplyFwdMsg>c</div>d");
        let found: Vec<_> = page.lines.iter().filter(|l| !l.is_blank()).map(|l| (&*l.text, l.depth, l.mark)).collect();
        let expect = [
            ("a", 0, Mark::None),
            ("q", 1, Mark::None),
            ("b", 0, Mark::None),
            ("c", 0, Mark::Cut),
            ("d", 0, Mark::None),
        ];
        assert_eq!(found, expect);
    }
}
