//! Past tickets as labelled cases: the words the desk sorted, what it made of them, and what people made of it.
//!
//! - **The words** are those that were sorted at the arrival: subject and new text of the first message.
//! - **What people say** is the last change of the category by a person, and the last one of the priority by a person
//!   before the ticket was first resolved: later ones answer to what happened later. A ticket that was closed and that
//!   nobody changed counts as right, a weaker word.
//! - **No case** is what was cancelled (spam and mail sent by mistake), merged, or hangs on another report; what was only
//!   a trial; the same words of the same person a second time; and what has no words any more.
//! - Bulk mail has no priority of its own, so it says nothing of priorities.

use super::fold::fold;
use super::{Outcome, Rules};
use crate::desk::thread::plain_subject;
use crate::desk::ticket::{Entry, Number, What, Who};
use crate::desk::words::{Category, Language, Priority, Status};
use crate::time::Timestamp;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hasher as _};

/// What is known of a past ticket.
#[derive(Clone, Debug)]
pub struct Past {
    pub number: Number,
    pub created: Timestamp,
    /// The address by which a requester is recognised.
    pub requester: String,
    pub name: String,
    pub language: Language,
    pub status: Status,
    pub category: Category,
    pub priority: Priority,
    /// Merged into another ticket, or hangs on another report of the same fault.
    pub double: bool,
    pub bulk: bool,
    /// Of the first message, as it arrived.
    pub subject: String,
    pub text: String,
    /// Changes of category, priority and status, oldest first.
    pub changes: Vec<Entry>,
}

/// What a ticket should have been sorted as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label<T> {
    pub is: T,
    /// Somebody changed it; otherwise nobody objected.
    pub by_person: bool,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Case {
    pub number: Number,
    pub created: Timestamp,
    /// Stands for the requester.
    pub requester: u64,
    pub name: String,
    pub language: Language,
    pub subject: String,
    pub text: String,
    /// As it was sorted when it arrived.
    pub said: Outcome,
    /// `None`: it is still open and nobody has changed it.
    pub category: Option<Label<Category>>,
    /// The same; and of bulk mail, and where the desk itself changed it later.
    pub priority: Option<Label<Priority>>,
}

impl Case {
    /// `None`: it is none.
    pub fn of(past: Past) -> Option<Case> {
        if past.double || past.status == Status::Cancelled || is_trial(&past.subject, &past.text) {
            return None;
        }
        let (mut said, mut resolved) = (Outcome { category: past.category, priority: past.priority }, false);
        let (mut category, mut priority) = (None, None);
        let (mut first_category, mut first_priority, mut desk_changed) = (None, None, false);
        for entry in &past.changes {
            let by_person = entry.who != Who::Desk;
            match entry.what {
                What::Category { from, to } => {
                    first_category.get_or_insert(from);
                    category = if by_person { Some(to) } else { category };
                }
                What::Priority { from, to } => {
                    first_priority.get_or_insert(from);
                    desk_changed |= !by_person;
                    priority = if by_person && !resolved { Some(to) } else { priority };
                }
                What::Status { to: Status::Resolved | Status::Closed, .. } => resolved = true,
                _ => {}
            }
        }
        said.category = first_category.unwrap_or(said.category);
        said.priority = first_priority.unwrap_or(said.priority);
        let closed = past.status == Status::Closed;
        let category = label(category, said.category, closed);
        let priority = label(priority, said.priority, closed && !desk_changed).filter(|_| !past.bulk);
        Some(Case {
            number: past.number,
            created: past.created,
            requester: hash(&past.requester),
            name: past.name,
            language: past.language,
            subject: plain_subject(&past.subject),
            text: past.text,
            said,
            category,
            priority,
        })
    }

    /// How these rules sort it.
    pub fn sorted_by(&self, rules: &Rules) -> super::Verdict {
        rules.triage(&self.subject, &self.text)
    }

    /// The same without the reasons.
    pub fn outcome(&self, rules: &Rules) -> Outcome {
        rules.outcome(&self.subject, &self.text)
    }

    fn identity(&self) -> u64 {
        hash(&(self.requester, fold(&self.subject), fold(&self.text)))
    }
}

fn label<T>(changed: Option<T>, said: T, unopposed: bool) -> Option<Label<T>> {
    match changed {
        Some(is) => Some(Label { is, by_person: true }),
        None => unopposed.then_some(Label { is: said, by_person: false }),
    }
}

fn hash(of: &impl std::hash::Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// Nothing to sort: no words, or only those of somebody who tries the desk out.
fn is_trial(subject: &str, text: &str) -> bool {
    const TRIALS: &[&str] = &[
        "测试",
        "试试",
        "测试一下",
        "测试邮件",
        "这是一封测试邮件",
        "请忽略",
        "test",
        "testing",
        "test mail",
        "test email",
        "this is a test",
        "just a test",
        "please ignore",
        "ignore",
        "no subject",
        "无主题",
    ];
    let words = |text: &str| {
        let text: String = fold(text).chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
        let text = text.split_whitespace().filter(|word| word.parse::<u64>().is_err());
        text.collect::<Vec<_>>().join(" ")
    };
    // The whole of a long text cannot be a trial.
    let parts = [subject, text].map(|text| if text.len() > 200 { "…x".to_owned() } else { words(text) });
    parts.iter().all(|part| part.is_empty() || TRIALS.contains(&part.as_str()))
}

/// Recognises the same words of the same person.
#[derive(Default)]
pub struct Seen(HashSet<u64>);

impl Seen {
    /// Whether this one is new.
    pub fn is_new(&mut self, case: &Case) -> bool {
        self.0.insert(case.identity())
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::address::Address;

    pub fn past(number: i64, subject: &str, text: &str) -> Past {
        Past {
            number: Number(number),
            created: Timestamp::from_millis(number * 1000),
            requester: format!("person{number}@corp.example"),
            name: String::new(),
            language: Language::Chinese,
            status: Status::Closed,
            category: Category::Software,
            priority: Priority::P3,
            double: false,
            bulk: false,
            subject: subject.to_owned(),
            text: text.to_owned(),
            changes: Vec::new(),
        }
    }

    pub fn by(who: Option<&str>, what: What) -> Entry {
        let who = who.map_or(Who::Desk, |who| Who::Person(Address::parse(who).unwrap()));
        Entry { at: Timestamp::from_millis(0), who, what, why: String::new() }
    }

    const LI: Option<&str> = Some("li@corp.example");

    fn category(from: Category, to: Category) -> What {
        What::Category { from, to }
    }

    fn priority(from: Priority, to: Priority) -> What {
        What::Priority { from, to }
    }

    fn resolved() -> What {
        What::Status { from: Status::InProgress, to: Status::Resolved }
    }

    fn check(changes: Vec<Entry>, said: (Category, Priority), category: Category, priority: Option<(Priority, bool)>) {
        let last = |kind: fn(&What) -> bool| changes.iter().rfind(|entry| kind(&entry.what)).map(|e| e.what.clone());
        let mut past = past(1, "Re: VPN", "x y");
        if let Some(What::Category { to, .. }) = last(|what| matches!(what, What::Category { .. })) {
            past.category = to;
        }
        if let Some(What::Priority { to, .. }) = last(|what| matches!(what, What::Priority { .. })) {
            past.priority = to;
        }
        let case = Case::of(Past { changes, ..past }).unwrap();
        assert_eq!((case.said.category, case.said.priority), said);
        assert_eq!(case.category.map(|label| label.is), Some(category));
        assert_eq!(case.priority.map(|label| (label.is, label.by_person)), priority);
        assert_eq!(case.subject, "VPN");
    }

    #[test]
    fn the_last_word_of_a_person_counts() {
        use Category::{Account, Network, Software};
        use Priority::{P1, P2, P3, P4};
        check(vec![], (Software, P3), Software, Some((P3, false)));
        check(vec![by(LI, category(Network, Account))], (Network, P3), Account, Some((P3, false)));
        let twice = vec![by(LI, category(Network, Account)), by(LI, category(Account, Software))];
        check(twice, (Network, P3), Software, Some((P3, false)));
        check(vec![by(LI, priority(P4, P2))], (Software, P4), Software, Some((P2, true)));
        // What the desk did by itself is nobody's word, neither for nor against.
        check(vec![by(None, priority(P3, P1))], (Software, P3), Software, None);
        let after = vec![by(None, priority(P3, P1)), by(LI, priority(P1, P2))];
        check(after, (Software, P3), Software, Some((P2, true)));
        // A category is often put right at the end; a priority that changes then answers to something new.
        let late = vec![by(None, resolved()), by(LI, category(Network, Account)), by(LI, priority(P3, P2))];
        check(late, (Network, P3), Account, Some((P3, false)));
    }

    #[test]
    fn an_open_ticket_is_a_case_when_somebody_changed_it() {
        let open = Past { status: Status::InProgress, ..past(1, "VPN", "x") };
        let case = Case::of(open.clone()).unwrap();
        assert_eq!((case.category, case.priority), (None, None));
        let changed = Past { changes: vec![by(LI, category(Category::Network, Category::Software))], ..open };
        let case = Case::of(changed).unwrap();
        assert_eq!(case.category, Some(Label { is: Category::Software, by_person: true }));
        assert_eq!(case.priority, None);
    }

    #[test]
    fn spam_doubles_trials_and_the_erased_are_none() {
        for (subject, text) in [("", ""), ("test", ""), ("测试", "测试邮件 123"), ("Test 2", "please ignore!")] {
            assert!(Case::of(past(1, subject, text)).is_none(), "{subject} {text}");
        }
        for (subject, text) in [("test", "the test system is down"), ("测试环境打不开", ""), ("", "VPN")] {
            assert!(Case::of(past(1, subject, text)).is_some(), "{subject} {text}");
        }
        assert!(Case::of(Past { status: Status::Cancelled, ..past(1, "VPN", "x") }).is_none());
        assert!(Case::of(Past { double: true, ..past(1, "VPN", "x") }).is_none());
        let bulk = Case::of(Past { bulk: true, ..past(1, "VPN", "x") }).unwrap();
        assert!(bulk.priority.is_none() && bulk.category.is_some());
    }

    #[test]
    fn the_same_words_of_the_same_person_count_once() {
        let mut seen = Seen::default();
        let case = |number, requester: &str, text: &str| {
            Case::of(Past { requester: requester.to_owned(), ..past(number, "VPN", text) }).unwrap()
        };
        assert!(seen.is_new(&case(1, "a@x", "does not connect")));
        assert!(!seen.is_new(&case(2, "a@x", "Does  not connect")));
        assert!(seen.is_new(&case(3, "b@x", "does not connect")));
        assert!(seen.is_new(&case(4, "a@x", "does not connect again")));
    }
}
