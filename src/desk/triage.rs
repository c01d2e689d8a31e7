//! Sorting by keyword: what a message is about, how bad it is, and why we think so (`domain.md` section 5).

use crate::desk::ticket::Fields;
use crate::desk::words::{Category, Impact, Priority};
use serde::{Deserialize, Serialize};

/// A matched term and what it counted for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Term {
    pub term: String,
    /// A category, a priority, an impact or another signal of the rules file, by its name there.
    pub points_to: String,
    pub weight: f64,
    /// `subject` or `body`.
    #[serde(rename = "in")]
    pub place: String,
}

/// How a message would be sorted.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    pub category: Category,
    pub priority: Priority,
    pub impact: Impact,
    /// 0 (a guess) to 1 (certain).
    pub confidence: f64,
    pub matched: Vec<Term>,
    pub fields: Fields,
}

/// The keyword rules.
#[derive(Debug)]
pub struct Rules;
