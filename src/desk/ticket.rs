//! The ticket, its number, and the timeline that records everything that happened to it.

use crate::address::{Address, Mailbox};
use crate::desk::knowledge::article::State;
use crate::desk::letter::{Action, Change};
use crate::desk::review;
use crate::desk::words::{Attendance, Category, Clock, Field, Impact, Language, Priority, Rating, Status, Wait};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// A ticket's number, shown as `IT001`; grows without bound (`IT1000`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Number(pub i64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IT{:03}", self.0)
    }
}

impl Number {
    /// Reads `IT001`, `it1`; full-width forms are for the caller to fold (NFKC).
    pub fn parse(text: &str) -> Option<Number> {
        let text = text.trim();
        let digits = text.get(..2).filter(|p| p.eq_ignore_ascii_case("IT")).map(|_| &text[2..])?;
        if digits.is_empty() || digits.len() > 12 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        digits.parse().ok().filter(|n| *n > 0).map(Number)
    }
}

/// What the requester told about the fault; an empty or absent value is not known yet.
pub type Fields = BTreeMap<Field, String>;

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

/// A ticket as stored: one row, changed only through `desk::decide`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ticket {
    pub number: Number,
    /// The requester's subject without prefixes and tags; the same through the ticket's life.
    pub subject: String,
    pub requester: Mailbox,
    /// Who is in copy: they hear what the requester hears, see [`crate::desk::copies`].
    pub copied: Vec<Mailbox>,
    /// The language letters to the requester are written in.
    pub language: Language,
    pub category: Category,
    pub priority: Priority,
    pub impact: Impact,
    /// Why triage said so.
    pub matched: Vec<Term>,
    pub fields: Fields,
    pub status: Status,
    /// Why it is pending; `None` in every other status.
    pub wait: Option<Wait>,
    pub assignee: Option<Address>,
    /// Arrival of the first message (the server's clock), where every target starts.
    pub created: Timestamp,
    pub updated: Timestamp,
    /// First human answer or accepted assignment; never the automatic acknowledgement. Stays through reopenings.
    pub first_response: Option<Timestamp>,
    /// The same of the present round: a reopened ticket is to be answered anew.
    pub answered: Option<Timestamp>,
    pub response_due: Timestamp,
    /// While pending it moves on with the time; this is where it stood at `updated`, see `desk::sla::resolution_due`.
    pub resolution_due: Timestamp,
    /// The highest rung of each ladder that was climbed in this cycle, in percent of the target; 0: none.
    pub response_warned: u32,
    pub resolution_warned: u32,
    pub resolved: Option<Timestamp>,
    pub closed: Option<Timestamp>,
    pub rating: Option<Rating>,
    /// Counts resolve-reopen rounds from 1; rating links and timers of an older cycle are dead.
    pub cycle: i64,
    /// The requester was already asked for missing facts or for a clear rating once in this cycle.
    pub asked: bool,
    /// Merged into another ticket: replies go there.
    pub merged_into: Option<Number>,
    /// What other reports of the same fault share, see [`crate::desk::triage::Verdict::fault`].
    pub fault: Option<String>,
    /// The report of the same fault that leads: this one hangs on it and ends with it.
    pub parent: Option<Number>,
    /// Opened because the subject named another ticket without proof, or as the follow-up of a closed one.
    pub related: Option<Number>,
    /// Grows by one with every change; guards against lost updates.
    pub version: i64,
}

/// A report that hangs on the leading ticket of a fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub number: Number,
    pub address: Address,
    pub requester: String,
    pub department: String,
    pub subject: String,
}

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// The desk itself: a rule or a timer.
    Desk,
    Person(Address),
}

/// One line of the append-only timeline: who, when, what, why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub at: Timestamp,
    pub who: Who,
    pub what: What,
    /// The reason in words, or the text itself for notes and steps; may be empty.
    pub why: String,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    Opened,
    /// A message joined: from the requester, a public answer, or somebody else on the ticket.
    Message,
    /// Internal text; never leaves the desk's staff.
    Note,
    Step,
    Workaround,
    /// What the requester was told when it was resolved.
    Solution,
    Status {
        from: Status,
        to: Status,
    },
    Assigned {
        from: Option<Address>,
        to: Option<Address>,
    },
    Priority {
        from: Priority,
        to: Priority,
    },
    Category {
        from: Category,
        to: Category,
    },
    Rated {
        rating: Rating,
    },
    /// A command or an action that was not allowed; nothing changed.
    Refused,
    /// A letter could not be delivered for good.
    Undelivered,
    /// A letter of the desk went out on its own: reminder and the like.
    Reminded,
    /// So much of a target was used up, and these people were told.
    Escalated {
        clock: Clock,
        percent: u32,
        to: Vec<Address>,
    },
    /// The targets as they stood until now, and what was met of them: the priority changed, or a new round began.
    Targets {
        response_due: Timestamp,
        resolution_due: Timestamp,
        answered: Option<Timestamp>,
        resolved: Option<Timestamp>,
    },
    /// The requester's few words proposed this, and the engineer was asked.
    Proposed {
        action: Action,
    },
    /// Who is in copy from now on, and who no longer.
    Copied {
        added: Vec<Address>,
        removed: Vec<Address>,
    },
    Merged {
        into: Number,
    },
    /// Another report of the same fault hangs on this ticket.
    Joined {
        report: Report,
    },
    /// A vendor was asked, with what.
    VendorAsked {
        vendor: String,
    },
    /// A report no longer hangs on this ticket.
    Left {
        number: Number,
    },
    /// It stands on its own again.
    Split {
        from: Number,
    },
    /// Another ticket was merged into this one; its requester hears of the result.
    Absorbed {
        number: Number,
        subject: String,
        requester: Mailbox,
        language: Language,
    },
    /// An appointment on site was made, changed or called off.
    Visit {
        change: Change,
        start: Timestamp,
        end: Timestamp,
        place: String,
    },
    /// Somebody answered the invitation to it, perhaps with another time.
    VisitAnswered {
        answer: Attendance,
        proposed: Option<Timestamp>,
    },
    /// These people were asked to approve this version of the request; its module.
    ApprovalAsked {
        module: String,
        version: i64,
        of: Vec<Address>,
    },
    /// One who was asked approved, with what they added.
    Approved {
        module: String,
        version: i64,
    },
    /// One who was asked rejected it, with the reason.
    Rejected {
        module: String,
        version: i64,
    },
    /// Nobody has to approve any more.
    ApprovalWithdrawn {
        module: String,
    },
    /// An article learnt from this ticket was drafted, published or taken away; its title.
    Article {
        state: State,
    },
    /// What became of the review of this ticket, or of the problem it belongs to.
    Reviewed {
        kind: review::Kind,
        stage: review::Stage,
    },
    /// The requester said whether the article they were shown helped.
    Helped {
        article: Number,
        helped: bool,
    },
    /// Nobody answered in time, and the supervisor was told.
    ApprovalOverdue {
        module: String,
        to: Address,
    },
}
