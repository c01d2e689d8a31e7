//! HTML to visible lines, in one pass and linear time. There is no tree: a tokenizer and a short stack of open
//! elements are enough for lines, and nothing hostile can make them expensive (`hardening.md` S56).

use super::lines::{Block, Line, MOST_BLANKS, MOST_LINES, Mark, Place, Rich, Run, Style, is_space};
use super::marker::{Marker, marker};
use super::style;
use html5ever::LocalName;
use html5ever::local_name;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};
use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

/// What an HTML body shows.
#[derive(Debug, Default)]
pub struct Page {
    pub lines: Vec<Line<'static>>,
    /// Nested too deep, or a style sheet hides things: what is visible cannot be told for certain.
    pub doubtful: bool,
}

/// Reads HTML of any size and quality.
pub fn read(html: &str) -> Page {
    let sink = Sink(RefCell::new(Builder::default()));
    let tokenizer = Tokenizer::new(sink, TokenizerOpts::default());
    let input = BufferQueue::default();
    // In pieces, because a tendril holds 32-bit lengths.
    let mut rest = html;
    while !rest.is_empty() {
        let end = floor_boundary(rest, 1 << 20);
        input.push_back(StrTendril::from_slice(&rest[..end]));
        rest = &rest[end..];
        // The sink never asks for a pause, so one call reads all of it.
        let _ = tokenizer.feed(&input);
    }
    tokenizer.end();
    tokenizer.sink.0.into_inner().finish()
}

fn floor_boundary(text: &str, at: usize) -> usize {
    if at >= text.len() {
        return text.len();
    }
    (0..=at).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(text.len())
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

/// Most runs and lines that keep their formatting: the new text stands at the top, and more is not relayed as HTML.
const MOST_FORMATTED: usize = 50_000;

/// Most classes and ids that style sheets may hide.
const MOST_NAMES: usize = 60;

/// What holds inside an element, inherited from its parents.
#[derive(Clone, Default)]
struct Scope {
    hidden: bool,
    tiny: bool,
    place: Place,
    depth: u16,
    style: Style,
    link: Option<Rc<str>>,
    pre: bool,
    heading: bool,
    list: Option<(u8, bool)>,
    in_row: bool,
}

struct Open {
    name: LocalName,
    kind: Kind,
    scope: Scope,
    /// Number of the next item, lists only.
    items: u32,
    /// Where the link's words begin in the line, links only.
    link_from: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
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

fn kind(name: &str) -> Kind {
    match name {
        "br" | "hr" | "img" | "input" | "meta" | "link" | "base" | "col" | "area" | "wbr" | "embed" | "source"
        | "track" | "param" | "frame" | "keygen" | "bgsound" => Kind::Void,
        "script" | "style" | "title" | "textarea" | "noscript" | "template" | "object" | "svg" | "math" | "select"
        | "iframe" | "noframes" | "noembed" | "xmp" | "datalist" | "audio" | "video" | "canvas" | "applet" | "head" => {
            Kind::Skipped
        }
        "p" | "ul" | "ol" | "dl" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "blockquote" | "pre" | "listing" => {
            Kind::Spaced
        }
        "table" | "td" | "th" | "caption" => Kind::Wall,
        "div" | "tr" | "tbody" | "thead" | "tfoot" | "li" | "dd" | "dt" | "center" | "section" | "article"
        | "header" | "footer" | "main" | "aside" | "nav" | "address" | "form" | "fieldset" | "figure"
        | "figcaption" | "details" | "summary" | "dir" | "menu" | "body" | "html" | "legend" | "option" | "hgroup"
        | "search" => Kind::Block,
        _ => Kind::Inline,
    }
}

#[derive(Default)]
struct Builder {
    lines: Vec<Line<'static>>,
    open: Vec<Open>,
    /// Open elements that did not fit on the stack.
    overflow: usize,
    /// The stack ran over: what follows may be misjudged.
    lost: bool,
    /// Open `p` elements, so that none is looked for in vain.
    paragraphs: usize,
    doubtful: bool,
    /// The line being built.
    text: String,
    runs: Vec<Run>,
    block: Block,
    scope: Scope,
    fresh: bool,
    /// A line break is due before the next visible thing.
    broken: bool,
    blank: bool,
    cell: bool,
    space: bool,
    mark: Mark,
    /// Runs and lines that were kept with their formatting.
    formatted: usize,
    sheet: String,
    sheet_names: Vec<String>,
}

/// Attributes that matter, as written.
#[derive(Default)]
struct Attributes<'a> {
    id: &'a str,
    class: &'a str,
    style: &'a str,
    href: &'a str,
    src: &'a str,
    alt: &'a str,
    color: &'a str,
    size: &'a str,
    hidden: bool,
    cite: bool,
    lark_quote: bool,
}

impl<'a> Attributes<'a> {
    fn of(tag: &'a Tag) -> Attributes<'a> {
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
}

impl Builder {
    fn current(&self) -> Scope {
        self.open.last().map(|o| o.scope.clone()).unwrap_or_default()
    }

    fn skipping(&self) -> bool {
        self.open.last().is_some_and(|o| o.kind == Kind::Skipped)
    }

    fn start(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name: &str = &tag.name;
        let kind = kind(name);
        if name == "body" {
            self.close(&local_name!("head"), Kind::Skipped);
        }
        if self.skipping() {
            // Markup inside something that is not shown: count what could nest, so that its end is found.
            if kind == Kind::Skipped && !tag.self_closing && self.open.last().is_some_and(|o| o.name == tag.name) {
                self.push(&tag.name, kind, self.current());
            }
            return raw(name, tag.self_closing);
        }
        let a = Attributes::of(tag);
        match kind {
            Kind::Void => self.void(name, &a),
            _ => self.element(&tag.name, kind, &a, tag.self_closing),
        }
        raw(name, tag.self_closing)
    }

    fn void(&mut self, name: &str, a: &Attributes) {
        let scope = self.inside(name, a);
        match name {
            "br" => {
                self.settle();
                self.flush();
            }
            "hr" => {
                self.broken = true;
                self.mark_by(marker(name, a.id, a.class, a.style, false, false));
            }
            "img" if !scope.hidden => self.image(a, scope),
            _ => {}
        }
    }

    fn element(&mut self, tag: &LocalName, kind: Kind, a: &Attributes, self_closing: bool) {
        let name: &str = tag;
        self.close_implied(name, kind);
        let mut scope = self.inside(name, a);
        let found = marker(name, a.id, a.class, a.style, a.cite, a.lark_quote);
        self.enter(&mut scope, found);
        let tight = a.class.contains("MsoNormal") || has_no_margin(a.style);
        let kind = if kind == Kind::Spaced && tight { Kind::Block } else { kind };
        match kind {
            _ if scope.hidden => {}
            Kind::Inline | Kind::Skipped | Kind::Void => {}
            Kind::Spaced if !self.nested_list(name) => {
                self.broken = true;
                self.blank = true;
            }
            _ if matches!(name, "td" | "th") => {
                self.cell = !self.text.is_empty() || self.cell_before();
                self.broken &= !self.cell;
            }
            _ if name == "tr" => self.force_break(),
            // A block that opens a cell stays in the row.
            _ => self.broken |= !self.cell,
        }
        if self_closing && kind == Kind::Inline {
            return;
        }
        if name == "li" {
            self.begin_item(&scope);
        }
        let link_from = (name == "a").then_some(self.text.len());
        self.push(tag, kind, scope);
        if let (Some(open), Some(from)) = (self.open.last_mut(), link_from) {
            open.link_from = Some(from);
        }
        if name == "style" {
            self.sheet.clear();
        }
    }

    fn nested_list(&self, name: &str) -> bool {
        matches!(name, "ul" | "ol") && self.open.last().is_some_and(|o| o.scope.list.is_some())
    }

    fn cell_before(&self) -> bool {
        matches!(self.runs.last(), Some(Run::Cell))
    }

    fn push(&mut self, name: &LocalName, kind: Kind, scope: Scope) {
        if self.open.len() >= DEEPEST {
            self.overflow += 1;
            self.lost = true;
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
        scope.place.doubtful |= look.doubtful || self.hidden_by_sheet(name, a);
        match name {
            "b" | "strong" => scope.style.bold = true,
            "i" | "em" => scope.style.italic = true,
            "u" | "ins" => scope.style.underline = true,
            "s" | "del" | "strike" => scope.style.strike = true,
            "code" | "tt" | "kbd" | "samp" => scope.style.code = true,
            "pre" | "listing" => scope.pre = true,
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => scope.heading = true,
            "ul" | "ol" => scope.list = Some((scope.list.map_or(0, |(d, _)| d.saturating_add(1)), name == "ol")),
            "tr" => scope.in_row = true,
            "table" => scope.in_row = false,
            "a" => scope.link = safe_link(a.href).or(scope.link),
            "font" => {
                scope.place.doubtful |= style::look(&format!("color:{}", clip(a.color, 40))).doubtful;
                scope.tiny &= a.size.is_empty();
            }
            _ => {}
        }
        scope.style.bold |= a.style.contains("font-weight:bold") || a.style.contains("font-weight: bold");
        if a.style.contains("white-space:pre") || a.style.contains("white-space: pre") {
            scope.pre = true;
        }
        scope
    }

    fn hidden_by_sheet(&self, name: &str, a: &Attributes) -> bool {
        self.sheet_names.iter().any(|n| match n.strip_prefix('.') {
            Some(class) => a.class.split_ascii_whitespace().any(|c| c == class),
            None if n.starts_with('#') => a.id == &n[1..],
            None => n.starts_with(name) && (n.len() == name.len() || n[name.len()..].starts_with(['.', '#'])),
        })
    }

    fn enter(&mut self, scope: &mut Scope, found: Option<Marker>) {
        match found {
            Some(Marker::History) => scope.place.history = true,
            Some(Marker::Quote) => scope.depth = scope.depth.saturating_add(1),
            Some(Marker::Indentation) => scope.place.indented = true,
            Some(Marker::Signature) => scope.place.signature = true,
            other => self.mark_by(other),
        }
        if found.is_some() {
            self.broken = true;
        }
    }

    fn mark_by(&mut self, found: Option<Marker>) {
        self.mark = match found {
            Some(Marker::Cut) => Mark::Cut,
            Some(Marker::Forward) => Mark::Forward,
            _ => return,
        };
        self.broken = true;
        self.force_break();
    }

    /// A mark counts from the next visible thing, so what came before must be out.
    fn force_break(&mut self) {
        if !self.text.is_empty() {
            let mark = std::mem::take(&mut self.mark);
            self.flush();
            self.mark = mark;
        }
        self.broken = false;
    }

    fn begin_item(&mut self, scope: &Scope) {
        if scope.hidden {
            return;
        }
        let (depth, ordered) = scope.list.unwrap_or_default();
        let number = self.open.iter_mut().rev().find(|o| matches!(&*o.name, "ul" | "ol")).map(|o| {
            o.items += 1;
            o.items
        });
        self.broken = true;
        self.settle();
        self.block = Block::Item { depth, ordered };
        self.text.extend(std::iter::repeat_n("  ", usize::from(depth.min(8))));
        match number {
            Some(n) if ordered => self.text.push_str(&format!("{n}. ")),
            _ => self.text.push_str("- "),
        }
        self.take_scope(scope);
        self.cell = false;
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
            "body" | "html" => {}
            "br" => self.flush(),
            "p" if !self.skipping() && self.paragraphs == 0 => self.blank = true,
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
            match open.kind {
                _ if open.scope.hidden => {}
                Kind::Spaced => self.blank = self.blank || open.name != local_name!("p") || !self.text.is_empty(),
                _ if open.name == local_name!("style") => self.end_of_sheet(),
                _ => {}
            }
            if matches!(open.kind, Kind::Block | Kind::Spaced | Kind::Wall) && !open.scope.hidden {
                self.broken = true;
            }
            if let (Some(from), Some(link)) = (open.link_from, &open.scope.link) {
                self.end_of_link(from, &link.clone(), &open.scope);
            }
        }
    }

    fn end_of_sheet(&mut self) {
        let sheet = std::mem::take(&mut self.sheet);
        let names = style::sheet_hides(&sheet);
        // A sheet below the first text hides what was already judged.
        self.doubtful |= !names.is_empty() && !self.lines.is_empty();
        self.doubtful |= self.sheet_names.len() + names.len() > MOST_NAMES;
        self.sheet_names.extend(names);
        self.sheet_names.truncate(MOST_NAMES);
    }

    /// Names the target behind the words, once, unless the words are the target.
    fn end_of_link(&mut self, from: usize, link: &str, scope: &Scope) {
        if scope.hidden
            || self.text.len() <= from
            || !self.text.is_char_boundary(from)
            || link.len() > 2000
            || self.text.len() - from > 2000
        {
            return;
        }
        let same = |s: &str| s.trim().trim_end_matches('/').trim_start_matches("mailto:").to_ascii_lowercase();
        let words = same(&self.text[from..]);
        let bare = same(link);
        let bare_words = bare.trim_start_matches("https://").trim_start_matches("http://");
        if words.is_empty() || words.contains(bare_words) || link.starts_with("tel:") || link.starts_with("mailto:") {
            return;
        }
        self.text.push_str(" <");
        self.text.push_str(link);
        self.text.push('>');
    }

    fn text(&mut self, text: &str) {
        if let Some(open) = self.open.last()
            && open.kind == Kind::Skipped
        {
            if open.name == local_name!("style") && self.sheet.len() < LONGEST_SHEET {
                self.sheet.push_str(clip(text, LONGEST_SHEET));
            }
            return;
        }
        let scope = self.current();
        if scope.hidden || scope.tiny {
            return;
        }
        if scope.pre {
            return self.preformatted(text, &scope);
        }
        let mut word_start = None;
        for (at, c) in text.char_indices() {
            if matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}') {
                if let Some(start) = word_start.take() {
                    self.word(&text[start..at], &scope);
                }
                self.space = true;
            } else if word_start.is_none() {
                word_start = Some(at);
            }
        }
        if let Some(start) = word_start {
            self.word(&text[start..], &scope);
        }
    }

    fn preformatted(&mut self, text: &str, scope: &Scope) {
        for (n, line) in text.split('\n').enumerate() {
            if n > 0 {
                self.settle();
                self.flush();
            }
            let line = line.trim_end_matches('\r');
            if !line.is_empty() {
                self.settle();
                self.append(line, scope);
                self.block = if self.block == Block::Paragraph { Block::Preformatted } else { self.block };
            }
        }
    }

    fn word(&mut self, word: &str, scope: &Scope) {
        let broken = self.broken;
        self.settle();
        if self.space && !broken && !self.runs.is_empty() && !self.cell_before() {
            self.append(" ", scope);
        }
        self.space = false;
        self.append(word, scope);
    }

    /// Carries out the line break or cell border that is due.
    fn settle(&mut self) {
        if self.broken {
            self.broken = false;
            self.cell = false;
            if !self.text.is_empty() {
                self.flush();
            }
        }
        if self.blank {
            self.blank = false;
            if !self.text.is_empty() {
                self.flush();
            }
            if self.lines.last().is_some_and(|l| !l.is_blank()) {
                self.lines.push(Line::default());
            }
        }
        if self.cell {
            self.cell = false;
            self.text.push_str(" | ");
            self.runs.push(Run::Cell);
            self.block = Block::Row;
            self.space = false;
        }
    }

    fn append(&mut self, words: &str, scope: &Scope) {
        self.take_scope(scope);
        self.text.extend(
            words.chars().map(|c| if c == '\u{a0}' { ' ' } else { c }).filter(|c| !c.is_control() || *c == '\t'),
        );
        match self.runs.last_mut() {
            Some(Run::Text { text, style, link }) if *style == scope.style && *link == scope.link => {
                text.push_str(words)
            }
            _ => self.runs.push(Run::Text { text: words.to_owned(), style: scope.style, link: scope.link.clone() }),
        }
    }

    /// A line is where its first visible thing stands; it is doubtful when any part is.
    fn take_scope(&mut self, scope: &Scope) {
        if !self.fresh {
            self.fresh = true;
            self.scope = scope.clone();
            if self.block == Block::Paragraph && scope.heading {
                self.block = Block::Heading;
            }
        }
        self.scope.place.doubtful |= scope.place.doubtful || self.lost;
    }

    fn image(&mut self, a: &Attributes, scope: Scope) {
        let alt = clip(a.alt, 300).trim();
        let cid = a.src.trim().get(..4).filter(|s| s.eq_ignore_ascii_case("cid:")).and_then(|_| a.src.trim().get(4..));
        if let Some(cid) = cid.filter(|c| !c.is_empty() && c.len() < 500) {
            self.settle();
            self.take_scope(&scope);
            self.runs.push(Run::Image { cid: cid.to_owned(), alt: alt.to_owned() });
            if !alt.is_empty() {
                self.text.push_str(&format!("[{alt}]"));
            }
        } else if !alt.is_empty() {
            self.word(&format!("[{alt}]"), &scope);
        }
    }

    fn flush(&mut self) {
        let text = std::mem::take(&mut self.text);
        let runs = std::mem::take(&mut self.runs);
        let block = std::mem::take(&mut self.block);
        let scope = if self.fresh { std::mem::take(&mut self.scope) } else { self.current() };
        self.fresh = false;
        self.space = false;
        let empty = text.is_empty() && runs.is_empty();
        if empty && self.lines.iter().rev().take(MOST_BLANKS).filter(|l| l.is_blank()).count() == MOST_BLANKS {
            return;
        }
        if self.lines.len() >= MOST_LINES {
            return self.add_to_last(&text);
        }
        self.formatted += runs.len() + 1;
        let keep_rich = !empty && self.formatted < MOST_FORMATTED;
        self.lines.push(Line {
            text: Cow::Owned(text.trim_end_matches(is_space).to_owned()),
            depth: scope.depth,
            mark: if empty { Mark::None } else { std::mem::take(&mut self.mark) },
            place: scope.place,
            rich: keep_rich.then(|| Box::new(Rich { block, runs })),
        });
    }

    fn add_to_last(&mut self, text: &str) {
        if let Some(last) = self.lines.last_mut() {
            last.rich = None;
            let all = last.text.to_mut();
            all.push('\n');
            all.push_str(text);
        }
    }

    fn finish(mut self) -> Page {
        if !self.text.is_empty() || !self.runs.is_empty() {
            self.flush();
        }
        Page { lines: self.lines, doubtful: self.doubtful }
    }
}

/// Elements whose content the tokenizer must not take for markup.
fn raw(name: &str, self_closing: bool) -> TokenSinkResult<()> {
    let _ = self_closing; // HTML ignores the slash on these
    TokenSinkResult::RawData(match name {
        "script" => RawKind::ScriptData,
        "style" | "xmp" | "iframe" | "noembed" | "noframes" => RawKind::Rawtext,
        "textarea" | "title" => RawKind::Rcdata,
        "plaintext" => return TokenSinkResult::Plaintext,
        _ => return TokenSinkResult::Continue,
    })
}

fn has_no_margin(style: &str) -> bool {
    style.starts_with("margin:0")
        || style.contains("margin: 0")
        || style.contains(";margin:0")
        || style.contains("margin-top:0")
}

fn clip(text: &str, at: usize) -> &str {
    &text[..floor_boundary(text, at)]
}

/// A link that may be shown: http, https, mailto or tel, no control characters.
fn safe_link(href: &str) -> Option<Rc<str>> {
    let href = href.trim();
    let scheme = href.split_once(':')?.0.to_ascii_lowercase();
    let good = matches!(scheme.as_str(), "http" | "https" | "mailto" | "tel");
    (good && href.len() <= 4000 && !href.chars().any(|c| c.is_control())).then(|| href.into())
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
            "<textarea>#close</textarea>",
            "<noscript>#close</noscript>",
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
