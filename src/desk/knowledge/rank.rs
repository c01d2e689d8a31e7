//! How alike two texts are, and which answers come first. Counted here and not by the database, so that both give the
//! same order.

use super::terms::{self, Wanted};
use super::{About, Document, Similar};
use std::cmp::Reverse;
use std::collections::HashMap;

/// Terms of a text that are weighed; its beginning says what it is about.
pub const WEIGHED: usize = 64;
/// The rarest of them, by which candidates are found.
pub const SOUGHT: usize = 10;

/// So alike is worth showing to an engineer.
pub const WORTH_SHOWING: f64 = 0.2;
/// Solved documents of each kind that are likened to a new ticket: the newest that share one of its rarest terms.
pub const CANDIDATES: i64 = 60;
/// The most alike that are looked at further: an article among them may answer the question.
pub const KEPT: usize = 20;
/// Things shown beside a new ticket.
pub const SHOWN: usize = 3;

/// The answers to a query, the best first: articles, then tickets that are solved, then all others; among them those
/// whose titles hold more of the query, then the newest.
pub fn order(query: &[Wanted], documents: &mut [Document]) {
    documents.sort_by_cached_key(|document| {
        let title = terms::of(&document.title);
        let holds = |wanted: &&Wanted| match wanted {
            Wanted::Term(term) => title.contains(term),
            Wanted::Prefix(start) => title.iter().any(|term| term.starts_with(start.as_str())),
        };
        let (kind, number) = match document.about {
            About::Article(number) => (0, number),
            About::Ticket(number) => (1, number),
        };
        (kind, !document.solved, Reverse(query.iter().filter(holds).count()), Reverse(number))
    });
}

/// The documents most like a text, the best first; the same category counts for something, and an article beats a ticket
/// that is as alike.
pub fn alike(weighed: &Weighed, category: crate::desk::words::Category, documents: Vec<Document>) -> Vec<Similar> {
    let similar = |document: Document| {
        let mut likeness = weighed.likeness(&document.terms);
        if document.category != category {
            likeness *= 0.5;
        }
        Similar { likeness, document }
    };
    let mut all: Vec<Similar> = documents.into_iter().map(similar).collect();
    all.sort_by(|a, b| {
        let rank = |s: &Similar| match s.document.about {
            About::Article(number) => (0, Reverse(number)),
            About::Ticket(number) => (1, Reverse(number)),
        };
        b.likeness.total_cmp(&a.likeness).then_with(|| rank(a).cmp(&rank(b)))
    });
    all
}

/// A desk with few solved tickets knows little of how rare a term is: as if there were so many more without it.
const ASSUMED: f64 = 50.0;

/// How many solved tickets and articles hold a term, of how many.
#[derive(Clone, Debug, Default)]
pub struct Frequencies {
    pub documents: i64,
    pub with: HashMap<String, i64>,
}

/// The terms of one text with what each counts for.
#[derive(Clone, Debug, Default)]
pub struct Weighed {
    /// Heaviest first; equal ones in the order of the text.
    terms: Vec<(String, f64)>,
    weights: HashMap<String, f64>,
    total: f64,
}

impl Weighed {
    /// The rarer a term, the more it counts. What no solved document holds cannot liken anything, but a text with much of
    /// it is like none.
    pub fn new(terms: &[String], known: &Frequencies) -> Weighed {
        let all = known.documents.max(0) as f64 + ASSUMED;
        let weight = |term: &String| {
            let with = known.with.get(term).copied().unwrap_or(0).max(0);
            (all / (1.0 + with as f64)).ln().max(0.0)
        };
        let mut weighed: Vec<(String, f64)> = terms.iter().take(WEIGHED).map(|t| (t.clone(), weight(t))).collect();
        let total = weighed.iter().map(|(_, weight)| weight).sum();
        weighed.retain(|(term, _)| known.with.contains_key(term));
        weighed.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        let weights = weighed.iter().cloned().collect();
        Weighed { terms: weighed, weights, total }
    }

    /// The terms to look for candidates with.
    pub fn sought(&self) -> impl Iterator<Item = &str> {
        self.terms.iter().take(SOUGHT).map(|(term, _)| term.as_str())
    }

    /// From 0, nothing in common, to 1: how much of this text's weight a document's terms have, those of a long one with
    /// much else less.
    pub fn likeness(&self, terms: &str) -> f64 {
        if self.total <= 0.0 {
            return 0.0;
        }
        let (mut shared, mut length) = (0.0, 0_usize);
        for term in terms.split(' ') {
            length += 1;
            shared += self.weights.get(term).copied().unwrap_or(0.0);
        }
        let longer = (length as f64 / WEIGHED as f64).max(1.0);
        shared / self.total / longer.powf(0.25)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(with: &[(&str, i64)]) -> Frequencies {
        Frequencies { documents: 100, with: with.iter().map(|(term, n)| ((*term).to_owned(), *n)).collect() }
    }

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn rare_terms_lead_and_unknown_ones_find_nothing() {
        let known = known(&[("printer", 40), ("jam", 3), ("third", 10)]);
        let weighed = Weighed::new(&words("printer third jam frobnicated"), &known);
        assert_eq!(weighed.sought().collect::<Vec<_>>(), ["jam", "third", "printer"]);
    }

    #[test]
    fn likeness_follows_what_is_shared() {
        let known = known(&[("printer", 40), ("jam", 3), ("third", 10)]);
        let weighed = Weighed::new(&words("printer third jam"), &known);
        let like = |text: &str| weighed.likeness(text);
        assert_eq!(like("printer third jam"), 1.0);
        assert_eq!(like("mouse"), 0.0);
        assert!(like("jam") > like("third") && like("third") > like("printer"));
        let long: String = (0..600).map(|n| format!(" w{n}")).collect();
        assert!(like(&format!("jam{long}")) < like("jam"));
        assert_eq!(Weighed::default().likeness(""), 0.0);
    }
}
