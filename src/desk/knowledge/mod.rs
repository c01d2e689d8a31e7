//! What was learnt: articles drafted from solved tickets, published by engineers, and found again.

pub mod article;
pub mod compose;
pub mod learn;
pub mod mask;
pub mod rank;
pub mod terms;

use crate::desk::ticket::{Entry, Number, Ticket, What};
use crate::desk::words::{Category, Rating, Status};
use article::Article;
use serde::Serialize;

/// What a document is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// The article learnt from this ticket.
    Article(Number),
    Ticket(Number),
}

impl About {
    /// The name people read: `KB012`, `IT012`.
    pub fn name(self) -> String {
        match self {
            About::Article(number) => article_name(number),
            About::Ticket(number) => number.to_string(),
        }
    }
}

/// What an article is called, after the ticket it was learnt from.
pub fn article_name(number: Number) -> String {
    format!("KB{:03}", number.0)
}

/// What is searched: a ticket or a published article.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    pub about: About,
    pub title: String,
    /// How it was solved; may be empty.
    pub summary: String,
    pub category: Category,
    /// A solved ticket or a published article: new tickets are likened to it.
    pub solved: bool,
    /// Between blanks, see [`terms::of`]; empty where nobody asked for them.
    pub terms: String,
}

/// Characters of a solution that are kept beside a title; of an article's, which is shown to requesters, more.
const SUMMARY: usize = 300;
const ARTICLE_SUMMARY: usize = 1_500;

/// A ticket as it is searched: its subject, what was written on it, what was done.
pub fn of_ticket(ticket: &Ticket, timeline: &[Entry], told: &[String]) -> Document {
    let done = |entry: &&Entry| matches!(entry.what, What::Note | What::Step | What::Workaround | What::Solution);
    let mut text = ticket.subject.clone();
    let words = told.iter().chain(ticket.fields.values()).chain(timeline.iter().filter(done).map(|entry| &entry.why));
    for part in words {
        text.push('\n');
        text.push_str(part);
    }
    Document {
        about: About::Ticket(ticket.number),
        title: ticket.subject.clone(),
        summary: solution(timeline).chars().take(SUMMARY).collect(),
        category: ticket.category,
        solved: is_solved(ticket) && !solution(timeline).is_empty(),
        terms: terms::of(&text).join(" "),
    }
}

/// Its solution may help others: nobody has said that it did not.
fn is_solved(ticket: &Ticket) -> bool {
    let done = matches!(ticket.status, Status::Resolved | Status::Closed) && ticket.resolved.is_some();
    done && ticket.merged_into.is_none() && ticket.parent.is_none() && ticket.rating != Some(Rating::Dissatisfied)
}

/// What solved it: what the requester was told last, or what was done last.
pub fn solution(timeline: &[Entry]) -> &str {
    let last = |what: What| timeline.iter().rev().find(|entry| entry.what == what && !entry.why.trim().is_empty());
    let found = last(What::Solution).or_else(|| last(What::Step)).or_else(|| last(What::Workaround));
    found.map_or("", |entry| entry.why.trim())
}

/// An article that a ticket's requester was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    pub article: Number,
    /// What they said; `None`: nothing yet.
    pub helped: Option<bool>,
}

/// A published article as it is searched.
pub fn of_article(article: &Article) -> Document {
    let parts = &article.parts;
    let all = [
        &parts.title,
        &parts.keywords,
        &parts.symptom,
        &parts.solution,
        &parts.diagnosis,
        &parts.scope,
        &parts.prevention,
    ];
    Document {
        about: About::Article(article.ticket),
        title: parts.title.clone(),
        summary: parts.solution.chars().take(ARTICLE_SUMMARY).collect(),
        category: article.category,
        solved: true,
        terms: terms::of(&all.map(String::as_str).join("\n")).join(" "),
    }
}

/// Something a new ticket is like.
#[derive(Clone, Debug, PartialEq)]
pub struct Similar {
    pub document: Document,
    /// See [`rank::Weighed::likeness`].
    pub likeness: f64,
}
