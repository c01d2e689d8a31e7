//! What comes into the rules and what comes out: events, the situation they meet, and effects.

use crate::address::{Address, Mailbox, MessageId};
use crate::desk::approval::Approval;
use crate::desk::held::{AllHeld, Held};
use crate::desk::inbound::{Digest, Inbound};
use crate::desk::intake::{self, Sorted};
use crate::desk::knowledge::article::Article;
use crate::desk::knowledge::{Similar, Suggestion};
use crate::desk::letter::{Action, Letter};
use crate::desk::policy::Policy;
use crate::desk::review::recur::Recurrence;
use crate::desk::review::{self, Review};
use crate::desk::ticket::{Entry, Number, Ticket};
use crate::desk::triage::Rules;
use crate::desk::visit::Visit;
use crate::desk::words::{Language, Rating, Status};
use crate::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// Everything that can happen.
#[derive(Clone, Debug)]
pub enum Event {
    Mail(Mail),
    /// A rating link was posted.
    Rated {
        number: Number,
        cycle: i64,
        rating: Rating,
        comment: String,
    },
    /// These timers fell due; handled together so that one reader gets one letter for what was missed.
    Due(Vec<Timer>),
    /// A letter was refused for good, by the server or after five days of trying.
    Undelivered {
        number: Number,
        to: Address,
        letter: String,
        reason: String,
    },
    /// Whoever has this ticket may not be there any more; the ticket that it is a report of.
    Absent {
        number: Number,
        parent: Option<Number>,
    },
    /// On an article's page a requester said whether it helped.
    Helped {
        number: Number,
        article: Number,
        helped: bool,
    },
    /// A fault was read that is of a kind with others.
    Recurred(Recurrence),
    /// On an owner's page somebody pressed a button: the owner is to be mailed a code.
    CodeWanted {
        number: Number,
        /// Of the request.
        version: i64,
        owner: Address,
    },
    /// An owner's page was answered with a code.
    CodeEntered {
        number: Number,
        version: i64,
        owner: Address,
        approved: bool,
        why: String,
        code: String,
    },
}

/// A message that reached the desk.
#[derive(Clone, Debug)]
pub struct Mail {
    pub inbound: Box<Inbound>,
    /// When the mail server took it: every deadline starts here, not when the desk read it.
    pub arrived: Timestamp,
    /// Only the header was fetched: the message is larger than this many bytes.
    pub over_limit: Option<usize>,
    /// What [`intake::sort`] says of it, when somebody asked beforehand.
    pub sorted: Option<Box<Sorted>>,
    /// Somebody else passes it on; found out by the rules, see [`crate::desk::behalf`].
    pub behalf: Option<Behalf>,
}

/// How a report came that its requester did not send themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Behalf {
    /// The engineer who registers it; `None`: a machine.
    pub by: Option<Address>,
    /// In words, when that is known: by phone, through which machine.
    pub way: Option<String>,
    /// The machine's name, when nobody knows whose report it is: the requester is only a stand-in.
    pub unknown: Option<String>,
    /// What the engineer wrote above the forward, for colleagues only.
    pub remark: Option<String>,
}

impl Mail {
    pub fn new(inbound: Inbound, arrived: Timestamp, over_limit: Option<usize>) -> Mail {
        Mail { inbound: Box::new(inbound), arrived, over_limit, sorted: None, behalf: None }
    }

    /// Asks beforehand, where many mails are read side by side and before anybody waits for the database.
    pub fn sort(&mut self, rules: &Rules) {
        self.sorted = Some(Box::new(intake::sort(rules, &self.inbound)));
    }

    pub fn sorted(&self, rules: &Rules) -> Sorted {
        self.sorted.as_deref().cloned().unwrap_or_else(|| intake::sort(rules, &self.inbound))
    }
}

/// A row of the timer table: something to look at again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer {
    pub number: Number,
    pub kind: TimerKind,
    pub due: Timestamp,
    /// Dead when the ticket has moved on to another cycle.
    pub cycle: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimerKind {
    /// Remind the requester to confirm.
    ConfirmReminder,
    /// Close without an answer.
    AutoClose,
    /// The next rung of the escalation ladders, see [`crate::desk::escalation`].
    Targets,
    /// The requester of an urgent ticket has heard nothing for a while.
    Progress,
    /// A ticket has been on hold for a while.
    Hold,
    /// Remind both of the visit.
    VisitReminder,
    /// The visit is over: the clock runs again, and later the engineer is asked.
    VisitOver,
    /// The owners of a module have not answered: they are reminded.
    ApprovalReminder,
    /// They still have not: their substitutes are asked.
    ApprovalSubstitute,
    /// The pause for an approval has lasted too long: the supervisor is told.
    ApprovalLimit,
    /// Somebody is to have got back to a requester who was not satisfied.
    FollowUp,
    /// The ticket has closed: an article may be drafted; later its owner is asked whether it still holds.
    Knowledge,
    /// It has been closed for long: it is archived.
    Archive,
    /// The ticket has closed: what can be learnt from it is asked; later whoever owes something is reminded.
    Review,
    /// The same of the fault that comes back, and that this ticket was the first of.
    Problem,
}

impl TimerKind {
    pub const ALL: &'static [TimerKind] = &[
        TimerKind::ConfirmReminder,
        TimerKind::AutoClose,
        TimerKind::Targets,
        TimerKind::Progress,
        TimerKind::Hold,
        TimerKind::VisitReminder,
        TimerKind::VisitOver,
        TimerKind::ApprovalReminder,
        TimerKind::ApprovalSubstitute,
        TimerKind::ApprovalLimit,
        TimerKind::FollowUp,
        TimerKind::Knowledge,
        TimerKind::Archive,
        TimerKind::Review,
        TimerKind::Problem,
    ];

    /// The timers of a ticket that waits for its confirmation.
    pub const CONFIRMATION: [TimerKind; 2] = [TimerKind::ConfirmReminder, TimerKind::AutoClose];

    /// The timers of an appointment.
    pub const VISIT: [TimerKind; 2] = [TimerKind::VisitReminder, TimerKind::VisitOver];
    /// The timers of a ticket that waits for an approval.
    pub const APPROVAL: [TimerKind; 3] =
        [TimerKind::ApprovalReminder, TimerKind::ApprovalSubstitute, TimerKind::ApprovalLimit];

    pub fn as_str(self) -> &'static str {
        match self {
            TimerKind::ConfirmReminder => "confirm_reminder",
            TimerKind::AutoClose => "auto_close",
            TimerKind::Targets => "targets",
            TimerKind::Progress => "progress",
            TimerKind::Hold => "hold",
            TimerKind::VisitReminder => "visit_reminder",
            TimerKind::VisitOver => "visit_over",
            TimerKind::ApprovalReminder => "approval_reminder",
            TimerKind::ApprovalSubstitute => "approval_substitute",
            TimerKind::ApprovalLimit => "approval_limit",
            TimerKind::FollowUp => "follow_up",
            TimerKind::Knowledge => "knowledge",
            TimerKind::Archive => "archive",
            TimerKind::Review => "review",
            TimerKind::Problem => "problem",
        }
    }

    pub fn parse(text: &str) -> Option<TimerKind> {
        TimerKind::ALL.iter().copied().find(|k| k.as_str() == text)
    }
}

/// The facts an event meets, gathered in the same transaction before anything is decided.
#[derive(Clone, Debug)]
pub struct Situation<'a> {
    pub policy: &'a Policy,
    /// The number a new ticket would get.
    pub next_number: Number,
    /// Tickets the message may belong to (by reference, known id or subject tag), merges already followed:
    /// `named` is what the message named, `ticket` where that leads.
    pub candidates: Vec<Candidate>,
    /// Which of the message's own id, In-Reply-To and References the store knows.
    pub known_ids: Vec<KnownId>,
    /// The only open ticket of the sender's with the subject of a reply that names nothing else.
    pub same_subject: Option<Number>,
    /// What is remembered about the sender.
    pub sender: Option<Person>,
    pub counts: SenderCounts,
    /// What is remembered about whoever the mail reports for, and how much they caused, see
    /// [`crate::desk::behalf::target`].
    pub behalf: Option<(Option<Person>, SenderCounts)>,
    /// Addresses nothing is sent to for a while.
    pub held: Arc<AllHeld>,
    /// Whom the letter was sent to that this bounce is about.
    pub bounced: Option<Address>,
    /// Open tickets of each engineer.
    pub loads: Vec<(Address, i64)>,
    /// The leading ticket of the fault a new report is about.
    pub incident: Option<Number>,
    /// What was solved before and is like a message that may open a ticket, the most alike first.
    pub similar: Vec<Similar>,
    /// The engineer's earlier message that a `ConfirmCommand` letter asked about, when this is the reply to it.
    pub unconfirmed: Option<Box<Inbound>>,
    /// What a `Proposal` letter to the engineer asked, in which cycle, when this is the reply to it.
    pub proposed: Option<(Action, i64)>,
    /// The review that the answered letter was about.
    pub reviewed: Option<(Number, review::Kind)>,
    /// With how many mails of its sender a possible logo of the message came before, see [`crate::desk::logo`].
    pub sent_before: Vec<(Digest, u64)>,
    /// Open tickets assigned to the sender, most urgent first; gathered when the message says `#list`.
    pub own_open: Vec<Ticket>,
}

#[derive(Clone, Debug)]
pub struct Candidate {
    pub named: Number,
    pub ticket: Ticket,
    /// Everyone who wrote on the ticket or was sent a letter about it.
    pub participants: Vec<Address>,
    /// Everything that happened so far, oldest first; loaded for engineers, ratings and `#status`.
    pub timeline: Arc<Vec<Entry>>,
    /// Reports of the same fault that hang on it; loaded for engineers.
    pub reports: Vec<Ticket>,
    /// The newest message that gave the requester's words, for notices after a reassignment.
    pub description: crate::desk::inbound::Body,
    /// Its latest appointment on site, also one that is over or called off.
    pub visit: Option<Visit>,
    /// Whether somebody has to approve it, and what they said.
    pub approval: Option<Approval>,
    /// What was learnt from it, and what its requester was shown; loaded together with the timeline.
    pub article: Option<Article>,
    pub suggested: Vec<Suggestion>,
    /// Since when nothing of it changes any more.
    pub archived: Option<Timestamp>,
    /// What is reviewed because of it.
    pub reviews: Vec<Review>,
    /// The tickets of its problem, oldest first; loaded together with the timeline.
    pub recurred: Vec<Ticket>,
}

/// A Message-ID that stands in the store.
#[derive(Clone, Debug)]
pub struct KnownId {
    pub id: MessageId,
    pub number: Number,
    /// Only cited by a stored message; the message itself has not been seen.
    pub only_cited: bool,
}

/// What the desk remembers about somebody who wrote to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    pub name: String,
    pub department: String,
    pub employee_id: String,
    pub contact: String,
    pub language: Option<Language>,
}

/// How much the sender caused lately (`hardening.md` L18).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SenderCounts {
    /// Acknowledgements sent to this address within 10 minutes, 3 hours, a day.
    pub acknowledgements: [i64; 3],
    /// Tickets opened by this address within the last hour.
    pub tickets: i64,
    /// The newest ticket opened by this address within that hour.
    pub newest: Option<Number>,
}

impl SenderCounts {
    /// A sender's tickets are counted over this long.
    pub const FLOOD: Duration = Duration::from_secs(60 * 60);
}

impl Person {
    /// Takes in what is new: only values that are not empty replace what was known. The name that somebody `shows`
    /// beside their address counts only while no other is known.
    pub fn learn(&mut self, shown: &str, new: &Person) {
        let known = |value: &mut String, new: &str| {
            if !new.trim().is_empty() {
                *value = new.trim().to_owned();
            }
        };
        known(&mut self.name, &new.name);
        if self.name.is_empty() {
            known(&mut self.name, shown);
        }
        known(&mut self.department, &new.department);
        known(&mut self.employee_id, &new.employee_id);
        known(&mut self.contact, &new.contact);
        self.language = new.language.or(self.language);
    }
}

/// Who may see a message on a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Said between requester and desk.
    Public,
    /// Staff only (promise S67).
    Internal,
}

impl Visibility {
    pub fn as_str(self) -> &'static str {
        match self {
            Visibility::Public => "public",
            Visibility::Internal => "internal",
        }
    }
}

/// What is to be done. `flow` carries the list out in order, in one transaction.
#[derive(Clone, Debug)]
pub enum Effect {
    /// A new ticket; its number is the situation's `next_number`.
    Open(Box<Ticket>),
    /// The ticket as it is now; refused when its stored version is not `version - 1`.
    Save(Box<Ticket>),
    Record(Number, Entry),
    /// The message of this event belongs to this ticket.
    Join {
        number: Number,
        visibility: Visibility,
    },
    /// The message of this event belongs to no ticket; kept with its bytes and this reason.
    SetAside {
        reason: String,
    },
    /// From now on these people count as participants.
    Participants(Number, Vec<Address>),
    Remember(Mailbox, Person),
    /// The rating of one cycle, replacing an earlier one of the same cycle.
    Rate {
        number: Number,
        cycle: i64,
        rating: Rating,
        comment: String,
    },
    Send(Box<Letter>),
    /// The same, but not before then: nothing is sent to that address for now.
    SendLater(Box<Letter>, Timestamp),
    /// Nothing is to be sent to this address for a while.
    Hold(Held),
    /// This address can be written to again.
    Release(Address),
    Schedule(Timer),
    /// Drops this timer of the ticket.
    Unschedule(Number, TimerKind),
    /// The ticket's appointment as it is now.
    KeepVisit(Number, Visit),
    /// The ticket's approval as it is now.
    Approval(Number, Box<Approval>),
    /// Nothing of this ticket changes any more.
    Archive(Number),
    /// The article learnt from its ticket as it is now.
    KeepArticle(Box<Article>),
    /// A review as it is now; refused when its stored version is not `version - 1`.
    KeepReview(Box<Review>),
    /// These tickets are of this problem.
    Recur {
        problem: Number,
        tickets: Vec<Number>,
    },
    /// The requester of this ticket is shown an article.
    Suggest {
        number: Number,
        article: Number,
    },
    /// And says whether it helped.
    Helped {
        number: Number,
        article: Number,
        helped: bool,
    },
}

impl Candidate {
    pub fn is_participant(&self, address: &Address) -> bool {
        self.ticket.requester.address == *address
            || self.ticket.assignee.as_ref() == Some(address)
            || self.participants.contains(address)
    }

    /// Closed or cancelled, as opposed to waiting for confirmation.
    pub fn is_over(&self) -> bool {
        matches!(self.ticket.status, Status::Closed | Status::Cancelled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_learnt_bit_by_bit() {
        let mut person = Person::default();
        person.learn("zhangsan", &Person::default());
        assert_eq!(person.name, "zhangsan");
        let told = Person { name: "张三".into(), contact: "8001".into(), ..Person::default() };
        person.learn("zhangsan", &Person { language: Some(Language::English), ..told });
        person.learn("Sam", &Person { contact: " 8002 ".into(), employee_id: "1234".into(), ..Person::default() });
        let expect = Person {
            name: "张三".into(),
            contact: "8002".into(),
            employee_id: "1234".into(),
            language: Some(Language::English),
            ..Person::default()
        };
        assert_eq!(person, expect);
    }
}
