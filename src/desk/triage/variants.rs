//! The rules and many small changes of them, tried on the same texts: each text is read once, and judged under every
//! change of a word that stands in it, by the very functions that sort mail.

use super::fold::Folded;
use super::rules::{Meaning, RuleSet, Signal};
use super::scan::{Change, Found, Scanner};
use super::{Case, Outcome, judge};
use crate::desk::words::Category;

/// A change of the rules: a word in a list has this weight from now on, or stands in it no longer.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// The comparing spelling, a trailing `*` for a word that may go on.
    pub term: String,
    pub signal: Signal,
    /// `category.network`, `state.down`.
    pub list: String,
    /// `None`: it is struck out.
    pub weight: Option<f64>,
}

impl Edit {
    fn meaning(&self) -> Option<Meaning> {
        let key = match self.signal {
            Signal::Category(category) => category.as_str(),
            _ => &self.list,
        };
        self.weight.map(|weight| Meaning { signal: self.signal, weight, key: key.to_owned() })
    }

    /// Whether it is about categories; otherwise about priorities.
    pub fn is_of_category(&self) -> bool {
        self.category().is_some()
    }

    pub fn category(&self) -> Option<Category> {
        match self.signal {
            Signal::Category(category) => Some(category),
            _ => None,
        }
    }
}

pub struct Variants {
    source: RuleSet,
    scanner: Scanner,
    changes: Vec<Change>,
    /// The changes of each spelling.
    of_spelling: Vec<Vec<usize>>,
}

/// A text that was read.
pub struct Reading {
    folded: Folded,
    found: Vec<Found>,
}

impl Variants {
    pub fn new(rules: &RuleSet, edits: &[Edit]) -> Variants {
        let mut source = rules.clone();
        for edit in edits {
            source.patterns.entry(edit.term.clone()).or_default();
        }
        let scanner = Scanner::new(&source);
        let mut of_spelling = vec![Vec::new(); source.patterns.len()];
        let mut changes = Vec::with_capacity(edits.len());
        for (index, edit) in edits.iter().enumerate() {
            let spelling = scanner.spelling(&edit.term).expect("put in above");
            of_spelling[spelling].push(index);
            changes.push(Change { spelling, signal: edit.signal, meaning: edit.meaning() });
        }
        Variants { source, scanner, changes, of_spelling }
    }

    pub fn read(&self, case: &Case) -> Reading {
        let folded = Folded::new(&case.subject, &case.text);
        let found = self.scanner.find(&folded);
        Reading { folded, found }
    }

    /// As the rules sort it, or as they would with one change.
    pub fn outcome(&self, reading: &Reading, change: Option<usize>) -> Outcome {
        let hits = self.scanner.pick(&reading.found, change.map(|index| &self.changes[index]));
        judge::outcome(&self.source, &reading.folded, &hits)
    }

    /// The changes whose word stands in the text, ascending.
    pub fn touched(&self, reading: &Reading) -> Vec<usize> {
        let mut spellings: Vec<usize> = reading.found.iter().map(|found| found.spelling).collect();
        spellings.sort_unstable();
        spellings.dedup();
        let mut touched: Vec<usize> =
            spellings.into_iter().flat_map(|at| self.of_spelling[at].iter().copied()).collect();
        touched.sort_unstable();
        touched
    }

    /// What was found that means something: its spelling as the rules write it, and one of its meanings.
    pub fn meanings<'a>(&'a self, reading: &'a Reading) -> impl Iterator<Item = (&'a str, &'a Meaning)> {
        let mut spellings: Vec<usize> = reading.found.iter().map(|found| found.spelling).collect();
        spellings.sort_unstable();
        spellings.dedup();
        spellings.into_iter().flat_map(move |at| {
            self.scanner.meanings(at).iter().map(move |meaning| (self.scanner.pattern(at), meaning))
        })
    }
}
