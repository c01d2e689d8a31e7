//! Puts words together to lines, with white space, breaks, table rows and lists as a browser would show them.

use super::element::{Attributes, clip, content_id};
use super::lines::{Block, Line, MOST_BLANKS, MOST_LINES, Mark, Place, Rich, Run, Style, is_space};
use std::borrow::Cow;
use std::rc::Rc;

/// What holds inside an element, inherited from its parents.
#[derive(Clone, Default)]
pub struct Scope {
    pub hidden: bool,
    /// Letters of no size; a child may have one again.
    pub tiny: bool,
    pub place: Place,
    pub depth: u16,
    pub style: Style,
    pub link: Option<Rc<str>>,
    pub pre: bool,
    pub heading: bool,
    /// Depth and kind of the list.
    pub list: Option<(u8, bool)>,
}

impl Scope {
    pub fn is_invisible(&self) -> bool {
        self.hidden || self.tiny
    }
}

/// Most runs and lines that keep their formatting: the new text stands at the top, and more is not relayed as HTML.
const MOST_FORMATTED: usize = 50_000;

#[derive(Default)]
pub struct Writer {
    lines: Vec<Line<'static>>,
    /// The line being built.
    text: String,
    runs: Vec<Run>,
    block: Block,
    /// The scope of its first visible thing.
    scope: Option<Scope>,
    /// A line break, a blank line, a cell border or a space is due before the next visible thing.
    broken: bool,
    blank: bool,
    cell: bool,
    space: bool,
    mark: Mark,
    /// Runs and lines that were kept with their formatting.
    formatted: usize,
    /// From here on nothing is certainly visible.
    lost: bool,
}

impl Writer {
    /// What follows may be misjudged: no line is certainly visible any more.
    pub fn lose(&mut self) {
        self.lost = true;
    }

    pub fn has_lines(&self) -> bool {
        !self.lines.is_empty()
    }

    /// Length of the line so far.
    pub fn column(&self) -> usize {
        self.text.len()
    }

    /// A block begins or ends. One that opens a cell stays in the row.
    pub fn block(&mut self, opens: bool) {
        self.broken |= !(opens && self.cell);
    }

    /// A block with a margin begins or ends.
    pub fn spaced_block(&mut self) {
        self.broken = true;
        self.blank = true;
    }

    pub fn row(&mut self, scope: &Scope) {
        self.force_break(scope);
    }

    pub fn cell(&mut self) {
        self.cell = !self.text.is_empty() || self.after_cell();
        self.broken &= !self.cell;
    }

    fn after_cell(&self) -> bool {
        matches!(self.runs.last(), Some(Run::Cell))
    }

    /// `br`
    pub fn line_break(&mut self, scope: &Scope) {
        self.settle(scope);
        self.flush(scope);
    }

    /// The next visible thing carries this mark.
    pub fn mark(&mut self, mark: Mark, scope: &Scope) {
        self.force_break(scope);
        self.mark = mark;
    }

    fn force_break(&mut self, scope: &Scope) {
        if !self.text.is_empty() || !self.runs.is_empty() {
            self.flush(scope);
        }
        self.broken = false;
    }

    /// A list item begins: `number` in an ordered list.
    pub fn item(&mut self, number: Option<u32>, scope: &Scope) {
        let (depth, ordered) = scope.list.unwrap_or_default();
        self.broken = true;
        self.settle(scope);
        self.block = Block::Item { depth, ordered };
        self.text.extend(std::iter::repeat_n("  ", usize::from(depth.min(8))));
        match number {
            Some(n) if ordered => self.text.push_str(&format!("{n}. ")),
            _ => self.text.push_str("- "),
        }
        self.take_scope(scope);
        self.cell = false;
    }

    /// Names the target behind the words of a link, once, unless the words are the target.
    pub fn end_of_link(&mut self, from: usize, link: &str) {
        let Some(words) = self.text.get(from..).filter(|w| !w.is_empty() && w.len() < 2000 && link.len() < 2000) else {
            return;
        };
        let same = |s: &str| s.trim().trim_end_matches('/').to_ascii_lowercase();
        let (words, target) = (same(words), same(link));
        let bare = target.trim_start_matches("https://").trim_start_matches("http://");
        if words.is_empty() || words.contains(bare) || target.starts_with("tel:") || target.starts_with("mailto:") {
            return;
        }
        self.text.push_str(" <");
        self.text.push_str(link);
        self.text.push('>');
    }

    pub fn text(&mut self, text: &str, scope: &Scope) {
        if scope.is_invisible() {
            return;
        }
        if scope.pre {
            return self.preformatted(text, scope);
        }
        let is_blank = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}');
        for (n, word) in text.split(is_blank).enumerate() {
            self.space |= n > 0;
            if !word.is_empty() {
                self.word(word, scope);
            }
        }
    }

    fn preformatted(&mut self, text: &str, scope: &Scope) {
        for (n, line) in text.split('\n').enumerate() {
            if n > 0 {
                self.line_break(scope);
            }
            let line = line.trim_end_matches('\r');
            if !line.is_empty() {
                self.settle(scope);
                self.append(line, scope);
                self.block = if self.block == Block::Paragraph { Block::Preformatted } else { self.block };
            }
        }
    }

    fn word(&mut self, word: &str, scope: &Scope) {
        let broken = self.broken;
        self.settle(scope);
        if self.space && !broken && !self.runs.is_empty() && !self.after_cell() {
            self.append(" ", scope);
        }
        self.space = false;
        self.append(word, scope);
    }

    /// Carries out the line break or cell border that is due.
    fn settle(&mut self, scope: &Scope) {
        let blank = std::mem::take(&mut self.blank);
        if std::mem::take(&mut self.broken) || blank {
            self.cell = false;
            if !self.text.is_empty() || !self.runs.is_empty() {
                self.flush(scope);
            }
        }
        if blank && self.lines.last().is_some_and(|l| !l.is_blank()) {
            self.lines.push(Line { depth: scope.depth, place: scope.place, ..Line::default() });
        }
        if std::mem::take(&mut self.cell) {
            self.text.push_str(" | ");
            self.runs.push(Run::Cell);
            self.block = Block::Row;
            self.space = false;
        }
    }

    fn append(&mut self, words: &str, scope: &Scope) {
        self.take_scope(scope);
        let shown = words.chars().map(|c| if c == '\u{a0}' { ' ' } else { c });
        self.text.extend(shown.filter(|c| !c.is_control() || *c == '\t'));
        match self.runs.last_mut() {
            Some(Run::Text { text, style, link }) if *style == scope.style && *link == scope.link => {
                text.push_str(words)
            }
            _ => self.runs.push(Run::Text { text: words.to_owned(), style: scope.style, link: scope.link.clone() }),
        }
    }

    /// A line is where its first visible thing stands; it is doubtful when any part is.
    fn take_scope(&mut self, scope: &Scope) {
        if self.scope.is_none() && self.block == Block::Paragraph && scope.heading {
            self.block = Block::Heading;
        }
        let own = self.scope.get_or_insert_with(|| scope.clone());
        own.place.doubtful |= scope.place.doubtful || self.lost;
    }

    /// Images that travel with the mail are kept, others leave their description.
    pub fn image(&mut self, a: &Attributes, scope: &Scope) {
        if scope.hidden {
            return;
        }
        let alt = clip(a.alt, 300).trim();
        let Some(cid) = content_id(a.src) else {
            if !alt.is_empty() {
                self.word(&format!("[{alt}]"), scope);
            }
            return;
        };
        self.settle(scope);
        self.take_scope(scope);
        self.runs.push(Run::Image { cid: cid.to_owned(), alt: alt.to_owned() });
        if !alt.is_empty() {
            self.text.push_str(&format!("[{alt}]"));
        }
    }

    fn flush(&mut self, current: &Scope) {
        let text = std::mem::take(&mut self.text);
        let runs = std::mem::take(&mut self.runs);
        let block = std::mem::take(&mut self.block);
        let scope = self.scope.take();
        let (depth, place) = scope.map_or((current.depth, current.place), |s| (s.depth, s.place));
        self.space = false;
        let empty = text.is_empty() && runs.is_empty();
        let blanks = self.lines.iter().rev().take(MOST_BLANKS).filter(|l| l.is_blank()).count();
        if empty && blanks == MOST_BLANKS {
            return;
        }
        if self.lines.len() >= MOST_LINES {
            return self.add_to_last(&text);
        }
        self.formatted += runs.len() + 1;
        let keep_rich = !empty && self.formatted < MOST_FORMATTED;
        self.lines.push(Line {
            text: Cow::Owned(text.trim_end_matches(is_space).to_owned()),
            depth,
            mark: if empty { Mark::None } else { std::mem::take(&mut self.mark) },
            place,
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

    pub fn finish(mut self) -> Vec<Line<'static>> {
        self.force_break(&Scope::default());
        self.lines
    }
}
