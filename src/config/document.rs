//! Reads a TOML text key by key and remembers every fault with its line instead of stopping at the first.
//!
//! Every key that is asked for is noted; at the end the keys that nobody asked for are the unknown ones.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One thing wrong with a configuration file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    pub file: PathBuf,
    /// Counted from 1.
    pub line: usize,
    /// Dotted, lists counted from 1: `engineer[2].level`; empty for a fault of syntax.
    pub key: String,
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault { file, line, key, message } = self;
        match key.as_str() {
            "" => write!(f, "{}:{line}: {message}", file.display()),
            _ => write!(f, "{}:{line}: {key}: {message}", file.display()),
        }
    }
}

/// A parsed file and what was found wrong with it so far.
pub struct Document<'t> {
    file: &'t Path,
    text: &'t str,
    root: Spanned<DeTable<'t>>,
    /// The syntax is broken somewhere, so a key that seems to be missing may stand in the broken part.
    broken: bool,
    faults: RefCell<Vec<Fault>>,
    warnings: RefCell<Vec<Fault>>,
    asked: RefCell<BTreeSet<String>>,
}

impl<'t> Document<'t> {
    pub fn parse(file: &'t Path, text: &'t str) -> Document<'t> {
        let (root, errors) = DeTable::parse_recoverable(text);
        let document = Document {
            file,
            text,
            root,
            broken: !errors.is_empty(),
            faults: RefCell::default(),
            warnings: RefCell::default(),
            asked: RefCell::default(),
        };
        for error in errors {
            let line = document.line(error.span().unwrap_or(0..0));
            if let Some(message) = document.syntax(line, error.message()) {
                document.push(line, String::new(), message);
            }
        }
        document
    }

    pub fn root(&self) -> Section<'_> {
        Section { document: self, path: String::new(), line: 1, table: Some(self.root.get_ref()) }
    }

    fn line(&self, span: Range<usize>) -> usize {
        1 + self.text.bytes().take(span.start).filter(|b| *b == b'\n').count()
    }

    /// A fault of syntax in our words; `None` for what only follows from another one.
    fn syntax(&self, line: usize, message: &str) -> Option<String> {
        let said = self.text.lines().nth(line.saturating_sub(1)).unwrap_or_default().trim();
        match message {
            // The second of two: its keys are then found twice as well.
            "duplicate key" if said.starts_with('[') => {
                let name = said.split(']').next().unwrap_or_default().trim_start_matches('[');
                Some(format!("[{name}] stands above already; where there may be several, write [[{name}]] for each"))
            }
            "duplicate key" if self.is_in_second_section(line) => None,
            "duplicate key" => Some("this key stands above already, in the same section".into()),
            _ if self.has_bare_text(line) => Some(format!("{message}; a text stands in quotes")),
            _ => Some(message.to_owned()),
        }
    }

    /// Whether the heading above this line stood before.
    fn is_in_second_section(&self, line: usize) -> bool {
        let headings =
            self.text.lines().take(line).map(str::trim).filter(|l| l.starts_with('[') && !l.starts_with("[["));
        let headings: Vec<&str> = headings.map(|l| l.split(']').next().unwrap_or(l)).collect();
        headings.split_last().is_some_and(|(last, before)| before.contains(last))
    }

    /// Whether the line looks like `key = text`, which TOML takes for a broken number.
    fn has_bare_text(&self, line: usize) -> bool {
        let value = self.text.lines().nth(line.saturating_sub(1)).and_then(|l| l.split_once('='));
        value.is_some_and(|(_, value)| value.trim_start().starts_with(|c: char| c.is_alphabetic() || c == '/'))
    }

    fn push(&self, line: usize, key: String, message: String) {
        self.faults.borrow_mut().push(Fault { file: self.file.to_owned(), line, key, message });
    }

    /// Whether a fault was found so far.
    pub fn is_faulty(&self) -> bool {
        !self.faults.borrow().is_empty()
    }

    /// What is allowed but probably not meant, by line.
    pub fn warnings(&self) -> Vec<Fault> {
        let mut warnings = self.warnings.take();
        warnings.sort();
        warnings
    }

    /// Every fault by line, unknown keys included. Call it when everything was read.
    pub fn finish(&self) -> Vec<Fault> {
        self.unknown_keys(self.root.get_ref(), "");
        let mut faults = self.faults.take();
        // What is wrong with the value of a line that could not be read says nothing more.
        let unread: BTreeSet<_> =
            faults.iter().filter(|f| f.key.is_empty()).map(|f| (f.file.clone(), f.line)).collect();
        faults.retain(|f| f.key.is_empty() || !unread.contains(&(f.file.clone(), f.line)));
        faults.sort();
        faults.dedup();
        faults
    }

    /// The keys that were asked for, lists without their index.
    #[cfg(test)]
    pub fn asked(&self) -> BTreeSet<String> {
        let parts = |key: &str| key.split('[').map(|p| p.split_once(']').map_or(p, |(_, rest)| rest)).collect();
        self.asked.borrow().iter().map(|key| parts(key)).collect()
    }

    fn unknown_keys(&self, table: &DeTable, path: &str) {
        for (key, value) in table {
            let full = join(path, key.get_ref());
            if !self.asked.borrow().contains(&full) {
                self.push(self.line(key.span()), full, self.hint(path, key.get_ref()));
                continue;
            }
            match value.get_ref() {
                DeValue::Table(inner) => self.unknown_keys(inner, &full),
                DeValue::Array(items) => {
                    for (index, item) in items.iter().enumerate() {
                        if let DeValue::Table(inner) = item.get_ref() {
                            self.unknown_keys(inner, &format!("{full}[{}]", index + 1));
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// What to say about an unknown key: the nearest known one, else all of them.
    fn hint(&self, path: &str, key: &str) -> String {
        let asked = self.asked.borrow();
        let below = |full: &str| {
            let (parent, name) = full.rsplit_once('.').unwrap_or(("", full));
            (parent == path).then(|| name.to_owned())
        };
        let known: Vec<String> = asked.iter().filter_map(|full| below(full)).collect();
        if ["password", "secret"].contains(&key) && known.iter().any(|k| k == "password_file") {
            return "secrets do not stand in this file: use password_file or password_env".into();
        }
        match known.iter().map(|k| (distance(key, k), k)).min().filter(|(d, k)| *d <= 2 && *d < k.len()) {
            Some((_, near)) => format!("unknown key; did you mean {near:?}?"),
            None => format!("unknown key; known here: {}", known.join(", ")),
        }
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Levenshtein distance of two keys, of their first 40 characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(40).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(40).enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let nearest = (diagonal + usize::from(x != *y)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], nearest);
        }
    }
    row[b.len()]
}

/// One table of the document; an absent one reads as empty.
#[derive(Clone)]
pub struct Section<'d> {
    document: &'d Document<'d>,
    path: String,
    line: usize,
    table: Option<&'d DeTable<'d>>,
}

impl<'d> Section<'d> {
    /// Where the section begins.
    pub fn line(&self) -> usize {
        self.line
    }

    pub fn is_present(&self) -> bool {
        self.table.is_some()
    }

    fn get(&self, key: &str) -> Option<&'d Spanned<DeValue<'d>>> {
        self.document.asked.borrow_mut().insert(join(&self.path, key));
        self.table?.iter().find(|(k, _)| k.get_ref() == key).map(|(_, value)| value)
    }

    pub fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Records a fault of this key, at its line or else at the line of the section.
    pub fn fault(&self, key: &str, message: impl Into<String>) {
        self.fault_at(key, self.get(key), message.into());
    }

    /// Records a fault of the section as a whole.
    pub fn fault_here(&self, message: impl Into<String>) {
        self.document.push(self.line, self.path.clone(), message.into());
    }

    fn fault_at(&self, key: &str, value: Option<&Spanned<DeValue>>, message: String) {
        let line = value.map_or(self.line, |v| self.document.line(v.span()));
        self.document.push(line, join(&self.path, key), message);
    }

    /// Records something that is allowed but probably not meant.
    pub fn warn(&self, key: &str, message: impl Into<String>) {
        let (line, key, message) = (self.line_of(key), join(&self.path, key), message.into());
        let file = self.document.file.to_owned();
        self.document.warnings.borrow_mut().push(Fault { file, line, key, message });
    }

    /// Records that a key (or, with an empty key, the section) has to be there; silent when the syntax is broken.
    pub fn missing(&self, key: &str, what: &str) {
        if self.document.broken {
            return;
        }
        match key {
            "" => self.fault_here(format!("missing: {what}")),
            _ => self.fault(key, format!("missing: {what}")),
        }
    }

    /// Faults of a file that this key names.
    pub fn faults_of_file(&self, faults: impl IntoIterator<Item = Fault>) {
        self.document.faults.borrow_mut().extend(faults);
    }

    /// Where the value of `key` stands, or else the section.
    pub fn line_of(&self, key: &str) -> usize {
        self.get(key).map_or(self.line, |v| self.document.line(v.span()))
    }

    /// A text (or a TOML date and time, as text) that `read` understands.
    pub fn parse<T>(&self, key: &str, read: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let value = self.get(key)?;
        self.parse_value(key, value, &read)
    }

    fn parse_value<T>(
        &self,
        key: &str,
        value: &Spanned<DeValue>,
        read: &impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Datetime(time) => time.to_string(),
            other => {
                // A number where "60s" belongs: what was expected is best said by the reader of the text.
                let expected = other.as_integer().and_then(|number| read(number.as_str()).err());
                let in_quotes = || format!("expected a text in quotes, found {}", shown(other));
                self.fault_at(key, Some(value), expected.unwrap_or_else(in_quotes));
                return None;
            }
        };
        read(&text).map_err(|message| self.fault_at(key, Some(value), message)).ok()
    }

    pub fn text(&self, key: &str) -> Option<String> {
        self.parse(key, |text| match text.trim() {
            "" => Err("is empty".to_owned()),
            trimmed => Ok(trimmed.to_owned()),
        })
    }

    /// Like [`Section::parse`]; a fault when the key is absent, explained by `what`.
    pub fn required<T>(&self, key: &str, what: &str, read: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        if !self.has(key) {
            self.missing(key, what);
        }
        self.parse(key, read)
    }

    /// A list of texts; one text alone counts as a list of one.
    pub fn list<T>(&self, key: &str, read: impl Fn(&str) -> Result<T, String>) -> Option<Vec<T>> {
        let value = self.get(key)?;
        let DeValue::Array(items) = value.get_ref() else {
            return self.parse_value(key, value, &read).map(|item| vec![item]);
        };
        Some(items.iter().filter_map(|item| self.parse_value(key, item, &read)).collect())
    }

    /// A whole number within `range`.
    pub fn integer(&self, key: &str, range: Range<i64>) -> Option<i64> {
        let value = self.get(key)?;
        self.integer_value(key, value, &range)
    }

    /// A list of exactly `N` whole numbers within `range`.
    pub fn integers<const N: usize>(&self, key: &str, range: Range<i64>) -> Option<[i64; N]> {
        let value = self.get(key)?;
        let items: &[Spanned<DeValue>] = value.get_ref().as_array().map_or(&[], |items| &items[..]);
        let numbers: Vec<i64> = items.iter().filter_map(|item| self.integer_value(key, item, &range)).collect();
        if items.len() != N {
            self.fault_at(key, Some(value), format!("expected a list of {N} numbers"));
        }
        numbers.try_into().ok()
    }

    fn integer_value(&self, key: &str, value: &Spanned<DeValue>, range: &Range<i64>) -> Option<i64> {
        let number = value.get_ref().as_integer().and_then(|i| i64::from_str_radix(i.as_str(), i.radix()).ok());
        let number = number.filter(|n| range.contains(n));
        if number.is_none() {
            let (low, high) = (range.start, range.end - 1);
            let found = shown(value.get_ref());
            self.fault_at(key, Some(value), format!("expected a whole number from {low} to {high}, found {found}"));
        }
        number
    }

    /// The table below this key.
    pub fn section(&self, key: &str) -> Section<'d> {
        let mut section = Section { path: join(&self.path, key), table: None, ..self.clone() };
        let Some(value) = self.get(key) else { return section };
        section.line = self.document.line(value.span());
        match value.get_ref() {
            DeValue::Table(table) => section.table = Some(table),
            other => section.fault_here(format!("expected a table, found {}", shown(other))),
        }
        section
    }

    /// The list of tables below this key (`[[key]]`).
    pub fn sections(&self, key: &str) -> Vec<Section<'d>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let DeValue::Array(items) = value.get_ref() else {
            self.fault_at(key, Some(value), format!("write [[{key}]] instead of [{key}]: there may be several"));
            return vec![self.section(key)];
        };
        let section = |(index, item): (usize, &'d Spanned<DeValue<'d>>)| {
            let path = format!("{}[{}]", join(&self.path, key), index + 1);
            let line = self.document.line(item.span());
            let table = item.get_ref().as_table();
            if table.is_none() {
                self.fault_at(key, Some(item), format!("expected a table, found {}", shown(item.get_ref())));
            }
            table.map(|table| Section { document: self.document, path, line, table: Some(table) })
        };
        items.iter().enumerate().filter_map(section).collect()
    }

    /// The names of all keys here, when any name is allowed.
    pub fn names(&self) -> Vec<String> {
        self.table.map_or(Vec::new(), |table| table.keys().map(|k| k.get_ref().to_string()).collect())
    }
}

/// A value as it is shown in a message.
fn shown(value: &DeValue) -> String {
    match value {
        DeValue::String(text) => format!("the text {text:?}"),
        DeValue::Integer(number) => format!("the number {}", number.as_str()),
        DeValue::Float(number) => format!("the number {}", number.as_str()),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Datetime(time) => format!("the time {time}"),
        DeValue::Array(_) => "a list".into(),
        DeValue::Table(_) => "a table".into(),
    }
}
