//! A report as it stands in a letter: headlines, tables and pictures, in the reader's language. The template lays it out.

use serde::Serialize;

#[derive(Clone, Debug, Default, Serialize)]
pub struct Page {
    /// Such as `IT 服务月报`.
    pub title: String,
    /// Such as `2026年10月`.
    pub period: String,
    /// Which tickets; empty: all.
    pub scope: String,
    /// The most important in a sentence or two.
    pub lead: Vec<String>,
    pub cards: Vec<Card>,
    pub parts: Vec<Part>,
    /// How the figures are counted.
    pub notes: Vec<String>,
    /// Names of the files that come along.
    pub files: Vec<String>,
}

/// A headline figure.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Card {
    pub label: String,
    pub value: String,
    /// What it is made of, such as `57/60`; may be empty.
    pub of: String,
    /// The same of the last period, and the change.
    pub before: String,
    /// What it should be; may be empty.
    pub goal: String,
    pub state: State,
    /// That in a word; empty for [`State::Plain`].
    pub state_word: String,
}

/// How a value is to be taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    #[default]
    Plain,
    Good,
    Bad,
    Faint,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Part {
    pub title: String,
    pub lead: Vec<String>,
    pub picture: Option<Shown>,
    pub tables: Vec<Table>,
}

/// A picture that comes along as a part of the message.
#[derive(Clone, Debug, Serialize)]
pub struct Shown {
    /// Its `Content-ID`.
    pub id: String,
    /// What it shows, in words.
    pub alt: String,
    pub width: u32,
    pub height: u32,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Table {
    pub head: Vec<Cell>,
    pub rows: Vec<Vec<Cell>>,
    /// The same as text, its columns in line.
    pub text: String,
    /// Stands in the text only: the twin of a picture.
    pub text_only: bool,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Cell {
    pub shown: String,
    /// A second line.
    pub more: String,
    /// A number: it stands at the right.
    pub right: bool,
    pub state: State,
    /// The length of a bar, in percent of the longest.
    pub bar: Option<u64>,
}

impl Cell {
    pub fn text(shown: impl Into<String>) -> Cell {
        Cell { shown: shown.into(), ..Cell::default() }
    }

    pub fn number(shown: impl Into<String>) -> Cell {
        Cell { shown: shown.into(), right: true, ..Cell::default() }
    }

    pub fn more(self, more: impl Into<String>) -> Cell {
        Cell { more: more.into(), ..self }
    }

    pub fn state(self, state: State) -> Cell {
        Cell { state, ..self }
    }

    pub fn bar(self, part: u64, longest: u64) -> Cell {
        Cell { bar: Some(part * 100 / longest.max(1)), ..self }
    }

    fn plain(&self) -> String {
        if self.more.is_empty() { self.shown.clone() } else { format!("{} · {}", self.shown, self.more) }
    }
}

impl Table {
    pub fn new(head: Vec<Cell>, rows: Vec<Vec<Cell>>) -> Table {
        let text = in_line(&head, &rows);
        Table { head, rows, text, text_only: false }
    }
}

/// Columns of text are no wider than this.
const WIDE: usize = 78;

/// Columns in line, for text of fixed width, where a Chinese character is as wide as two others. Where that would be too
/// wide, a row takes two lines: what it says, and what more there is.
fn in_line(head: &[Cell], rows: &[Vec<Cell>]) -> String {
    let lines: Vec<&[Cell]> =
        std::iter::once(head).chain(rows.iter().map(Vec::as_slice)).filter(|cells| !cells.is_empty()).collect();
    let columns = lines.iter().map(|line| line.len()).max().unwrap_or(0);
    let wide = |column: usize| lines.iter().filter_map(|line| line.get(column)).map(|cell| width(&cell.plain())).max();
    let widths: Vec<usize> = (0..columns).map(|column| wide(column).unwrap_or(0)).collect();
    if widths.iter().map(|width| width + 2).sum::<usize>() > WIDE
        && lines.iter().flat_map(|line| line.iter()).any(|cell| !cell.more.is_empty())
    {
        return lines.iter().map(|line| stacked(line)).collect::<Vec<_>>().join("\n");
    }
    let line = |cells: &&[Cell]| {
        let cell = |(column, cell): (usize, &Cell)| {
            let text = cell.plain();
            let blanks = " ".repeat(widths[column] - width(&text));
            if cell.right { format!("{blanks}{text}") } else { format!("{text}{blanks}") }
        };
        cells.iter().enumerate().map(cell).collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn stacked(cells: &[Cell]) -> String {
    let shown: Vec<&str> = cells.iter().map(|cell| cell.shown.as_str()).collect();
    let more: Vec<&str> = cells.iter().map(|cell| cell.more.as_str()).filter(|more| !more.is_empty()).collect();
    let below = if more.is_empty() { String::new() } else { format!("\n    {}", more.join(" · ")) };
    format!("{}{below}", shown.join("  ").trim_end())
}

fn width(text: &str) -> usize {
    let wide = |c: char| matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}');
    text.chars().map(|c| if wide(c) { 2 } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_in_line_with_chinese_in_them() {
        let head = vec![Cell::text("部门"), Cell::number("新增")];
        let rows = vec![
            vec![Cell::text("财务部"), Cell::number("7")],
            vec![Cell::text("IT").more("x"), Cell::number("1,234")],
        ];
        assert_eq!(Table::new(head, rows).text, "部门     新增\n财务部      7\nIT · x  1,234");
    }
}
