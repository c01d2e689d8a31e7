//! Sorting by keyword: what a message is about, how bad it is, and why we think so (`domain.md` section 5).
//!
//! The rules are a TOML file ([`Rules::builtin`] is the embedded one, `rules.toml` beside this file), extended or
//! replaced by the site. They are compiled once into one automaton; judging a message is one pass over its text, then
//! arithmetic on the few terms that were found. Everything that counted is named in [`Verdict::matched`].

mod case;
mod fold;
mod judge;
mod learn;
mod mine;
mod rules;
mod scan;
mod score;
mod variants;

pub use case::{Case, Label, Past, Seen};
pub use fold::{fold, simplified};
pub use learn::{Findings, Kind, Proposal, learn};
pub use rules::Fault;
pub use score::{Difference, Score, Turn};

use crate::desk::ticket::Term;
use crate::desk::words::{Category, Impact, Priority};
use std::sync::LazyLock;

/// How a message would be sorted.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    pub category: Category,
    pub priority: Priority,
    pub impact: Impact,
    /// 0 (a guess) to 1 (certain).
    pub confidence: f64,
    pub matched: Vec<Term>,
    /// What other reports of the same fault would share: the module, or what strikes many at once. `None`: it is one
    /// person's affair, or no fault.
    pub fault: Option<String>,
}

/// What a ticket is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Outcome {
    pub category: Category,
    pub priority: Priority,
}

/// Compiled rules. Built once, shared between threads.
pub struct Rules {
    source: rules::RuleSet,
    scanner: scan::Scanner,
}

const BUILTIN: &str = include_str!("rules.toml");

impl std::fmt::Debug for Rules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rules(..)")
    }
}

impl Rules {
    /// Rules from a whole file: nothing of the embedded ones is kept.
    ///
    /// # Errors
    /// Every fault of the file, each with its line and key.
    pub fn parse(toml: &str) -> Result<Rules, Vec<Fault>> {
        let mut source = rules::RuleSet::default();
        source.read(toml)?;
        Ok(Rules::compile(source))
    }

    /// The rules embedded in the program.
    pub fn builtin() -> Rules {
        static SOURCE: LazyLock<rules::RuleSet> = LazyLock::new(|| {
            let mut source = rules::RuleSet::default();
            source.read(BUILTIN).expect("the embedded rules are checked by a test");
            source
        });
        Rules::compile(SOURCE.clone())
    }

    /// The text of the embedded rules, for a site that wants to start its own from them.
    pub fn builtin_text() -> &'static str {
        BUILTIN
    }

    /// Adds a site's file: new terms join, a known term under another grade takes the new one, `remove` strikes out.
    ///
    /// # Errors
    /// Every fault of the file; then these rules stay as they were.
    pub fn extend(&mut self, site: &str) -> Result<(), Vec<Fault>> {
        *self = self.extended(site)?;
        Ok(())
    }

    /// These rules with a site's file added.
    ///
    /// # Errors
    /// Every fault of the file.
    pub fn extended(&self, site: &str) -> Result<Rules, Vec<Fault>> {
        let mut source = self.source.clone();
        source.read(site)?;
        Ok(Rules::compile(source))
    }

    /// Adds core modules: a name, the words it goes by, and the priority of its standstill.
    pub fn add_modules<'a>(&mut self, modules: impl IntoIterator<Item = (&'a str, Vec<&'a str>, Priority)>) {
        for (name, words, priority) in modules {
            self.source.add_module(name, &words, priority);
        }
        self.scanner = scan::Scanner::new(&self.source);
    }

    fn compile(source: rules::RuleSet) -> Rules {
        Rules { scanner: scan::Scanner::new(&source), source }
    }

    /// Sorts a message by its subject and its new text (no quote, no signature). The first 64 KB are examined.
    pub fn triage(&self, subject: &str, text: &str) -> Verdict {
        let folded = fold::Folded::new(subject, text);
        let hits = self.scanner.scan(&folded);
        judge::judge(&self.source, &folded, &hits)
    }

    /// The same without the reasons.
    pub fn outcome(&self, subject: &str, text: &str) -> Outcome {
        let folded = fold::Folded::new(subject, text);
        judge::outcome(&self.source, &folded, &self.scanner.scan(&folded))
    }
}

#[cfg(test)]
mod tests;
