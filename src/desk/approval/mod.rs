//! Approvals: a module's owner agrees before permissions or settings of it are changed (`design.md` section 1, stage 3).
//!
//! A request is asked under a number, its version. Whoever is asked proves by what only they were sent, and for this very
//! version, that they answer (`hardening.md` S15): by mail with the desk's own letter below the answer, on the page with a
//! code that is mailed to them at that moment. The configuration is asked again when the answer comes: who is no owner
//! any more approves nothing, and a requester never approves what they asked for.
//!
//! | State | What ends it |
//! |---|---|
//! | asked | the owners' answers; the requester writes more: asked anew; closing the ticket or `#approval none`: withdrawn |
//! | approved | nothing: the engineer executes it |
//! | rejected, withdrawn | `#approval`: asked anew |
//!
//! | Moves | |
//! |---|---|
//! | [`ask`] | asking, asking anew, reminding, substitutes, the supervisor |
//! | [`answer`] | what an owner answers, by mail and on the page |

pub mod answer;
pub mod ask;

use crate::address::Address;
use crate::desk::command::Hint;
use crate::desk::link::{ApprovalLink, Key};
use crate::desk::policy::{Policy, Reader};
use crate::desk::ticket::{Number, Ticket};
use crate::desk::triage;
use crate::desk::words::{Category, Priority};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A module whose owners are asked (`[[module]]`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    pub name: String,
    /// What people call it besides its name.
    pub words: Vec<String>,
    pub owners: Vec<Reader>,
    /// What to do when it is down, for the team; empty when nothing is laid down.
    pub plan: String,
    pub needs: Needs,
    /// Asked, too, when the owners have not answered for a while; any of them stands in for all who are silent.
    pub substitutes: Vec<Reader>,
    /// Working time without an answer until the reminder, the substitutes, the supervisor.
    pub remind_after: Duration,
    pub substitute_after: Duration,
    pub escalate_after: Duration,
}

/// Whose approval it takes where a module has several owners.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Needs {
    /// The first answer decides.
    #[default]
    Any,
    /// Every owner approves; the first rejection ends it.
    All,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Asked,
    Approved,
    Rejected,
    /// No longer needed: the ticket was closed, or the engineer found that nobody has to be asked.
    Withdrawn,
}

impl State {
    pub const ALL: &'static [State] = &[State::Asked, State::Approved, State::Rejected, State::Withdrawn];

    pub fn as_str(self) -> &'static str {
        match self {
            State::Asked => "asked",
            State::Approved => "approved",
            State::Rejected => "rejected",
            State::Withdrawn => "withdrawn",
        }
    }

    pub fn parse(text: &str) -> Option<State> {
        State::ALL.iter().copied().find(|state| state.as_str() == text)
    }
}

/// The approval of a ticket: one at a time, the latest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Grows each time somebody is asked for something new; links and letters of an older version are dead.
    pub version: i64,
    /// A [`Module`] by its name.
    pub module: String,
    /// Exactly what the owners read.
    pub request: String,
    /// What the engineer who asked added for the owners; may be empty.
    pub note: String,
    pub state: State,
    /// When this round of asking began: the lead time counts from here.
    pub since: Timestamp,
    /// When this version was asked.
    pub asked: Timestamp,
    /// When it was approved, rejected or withdrawn.
    pub decided: Option<Timestamp>,
    /// It is the substitutes' turn, too.
    pub substituted: bool,
    /// Everybody who was asked about this version.
    pub people: Vec<Voice>,
}

/// Somebody who was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Voice {
    pub who: Address,
    pub said: Option<Said>,
    /// What they confirm an answer on the page with.
    pub code: Option<Code>,
    /// Codes mailed for this version so far.
    pub codes: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    pub approved: bool,
    pub at: Timestamp,
    /// The reason, or what they added.
    pub why: String,
}

/// A code that was mailed. The digits follow from this by the desk's key, see [`Key::code`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    pub sent: Timestamp,
    /// Wrong ones entered since.
    pub wrong: u32,
}

impl Code {
    /// For so long a code works.
    pub const VALID: Duration = Duration::from_secs(10 * 60);
    /// After so many wrong ones it is dead.
    pub const TRIES: u32 = 5;
    /// Codes that are mailed for one version at most: then only a mail answers.
    pub const MOST: u32 = 10;

    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.wrong < Code::TRIES && self.sent <= now && now < self.sent + Code::VALID
    }
}

impl Voice {
    fn new(who: &Address) -> Voice {
        Voice { who: who.clone(), said: None, code: None, codes: 0 }
    }

    pub fn has_approved(&self) -> bool {
        self.said.as_ref().is_some_and(|said| said.approved)
    }
}

impl Approval {
    /// Somebody's answer is waited for. A ticket that is over waits for nothing.
    pub fn is_open(&self, ticket: &Ticket) -> bool {
        self.state == State::Asked && ticket.status.is_open()
    }

    /// Somebody's answer is waited for, and the supervisor was not told yet that it takes too long.
    pub fn has_time(&self, policy: &Policy, ticket: &Ticket, now: Timestamp) -> bool {
        let limit = policy.module(&self.module).map(|module| module.escalate_after);
        let due = limit.map(|limit| policy.calendar.add_working(self.since, limit));
        self.is_open(ticket) && due.is_some_and(|due| now < due)
    }

    pub fn voice(&self, who: &Address) -> Option<&Voice> {
        self.people.iter().find(|voice| voice.who == *who)
    }

    fn voice_mut(&mut self, who: &Address) -> Option<&mut Voice> {
        self.people.iter_mut().find(|voice| voice.who == *who)
    }

    /// From the first asking to the answer, or until now.
    pub fn lead_time(&self, now: Timestamp) -> Duration {
        self.decided.unwrap_or(now).since(self.since)
    }

    /// Why the ticket may not be resolved.
    pub fn holds(&self) -> Option<Hint> {
        let module = self.module.clone();
        match self.state {
            State::Asked => {
                let silent = self.people.iter().filter(|voice| voice.said.is_none());
                let owners = silent.map(|voice| voice.who.as_str().to_owned()).collect::<Vec<_>>().join(", ");
                Some(Hint::ApprovalAsked { module, owners })
            }
            State::Rejected => Some(Hint::ApprovalRejected { module }),
            State::Approved | State::Withdrawn => None,
        }
    }
}

/// Whoever may answer now: owners by the present configuration, the substitutes once it is their turn, never the
/// requester.
pub fn may_answer<'p>(policy: &'p Policy, ticket: &Ticket, approval: &Approval) -> Vec<&'p Reader> {
    let Some(module) = policy.module(&approval.module) else { return Vec::new() };
    let substitutes = module.substitutes.iter().filter(|_| approval.substituted);
    let mut readers: Vec<&Reader> = Vec::new();
    for reader in module.owners.iter().chain(substitutes) {
        let known = readers.iter().any(|other| other.mailbox.address == reader.mailbox.address);
        if !known && reader.mailbox.address != ticket.requester.address {
            readers.push(reader);
        }
    }
    readers
}

/// Whose page this link opens: of the present version, and theirs to answer.
pub fn reader_of<'p>(
    policy: &'p Policy,
    ticket: &Ticket,
    approval: &Approval,
    link: &ApprovalLink,
) -> Option<&'p Reader> {
    let readers = may_answer(policy, ticket, approval).into_iter();
    let asked = |reader: &&Reader| approval.voice(&reader.mailbox.address).is_some();
    let mut readers = readers.filter(asked);
    let whole = link.number == ticket.number && link.version == approval.version;
    readers.find(|reader| policy.key.is_owner(link, &reader.mailbox.address)).filter(|_| whole)
}

/// Stands in every letter that asks, and in the quote below its answer: which version it was, and for whom.
pub fn mark(key: &Key, number: Number, version: i64, owner: &Address) -> String {
    let whole = key.sign_text("approval", &format!("{number}/{version}/{}", owner.key()));
    format!("{number}/{version}/{}", &whole[..8])
}

/// A module that a name or one of its words means.
pub fn named<'p>(policy: &'p Policy, text: &str) -> Option<&'p Module> {
    let text = triage::fold(text);
    policy.modules.iter().find(|module| module.names().any(|name| triage::fold(name) == text))
}

/// Bytes of a module's name that are looked at.
const LONGEST_NAME: usize = 120;

/// The module that the value of `#approval` begins with, and the rest, which is for the owners.
pub fn named_first<'p>(policy: &'p Policy, value: &str) -> Option<(&'p Module, String)> {
    let ends = value.char_indices().map(|(at, _)| at).chain([value.len()]).filter(|at| (1..=LONGEST_NAME).contains(at));
    let ends: Vec<usize> = ends.collect();
    // The longest name counts: there may be an "OA" and an "OA Travel".
    let (end, module) = ends.iter().rev().find_map(|end| {
        let (name, rest) = value.split_at(*end);
        let glued = name.ends_with(|c: char| c.is_ascii_alphanumeric())
            && rest.starts_with(|c: char| c.is_ascii_alphanumeric());
        named(policy, name).filter(|_| !glued).map(|module| (*end, module))
    })?;
    let parts = |c: char| c.is_whitespace() || "，,：:。；;、-".contains(c);
    Some((module, value[end..].trim_start_matches(parts).trim().to_owned()))
}

/// The module that a text names first.
pub fn recognised<'p>(policy: &'p Policy, text: &str) -> Option<&'p Module> {
    let text = triage::fold(text);
    let first = |module: &Module| module.names().filter_map(|name| find(&text, &triage::fold(name))).min();
    let found = policy.modules.iter().filter_map(|module| Some((first(module)?, module)));
    found.min_by_key(|(at, _)| *at).map(|(_, module)| module)
}

/// Where a word stands in a text: a Latin one not within another word.
fn find(text: &str, word: &str) -> Option<usize> {
    let in_word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let whole = |at: &usize| {
        let (before, after) = (text[..*at].chars().next_back(), text[*at + word.len()..].chars().next());
        let begins = word.starts_with(|c: char| c.is_ascii_alphanumeric());
        let ends = word.ends_with(|c: char| c.is_ascii_alphanumeric());
        !(begins && in_word(before) || ends && in_word(after))
    };
    if word.is_empty() { None } else { text.match_indices(word).map(|(at, _)| at).find(whole) }
}

/// Words of a wish to have a permission or a setting, as opposed to a forgotten password or a question how it is done.
const WISHES: &[&str] = &[
    "权限",
    "开通",
    "授权",
    "角色",
    "开账号",
    "开个账号",
    "开户",
    "新建账号",
    "新增账号",
    "添加账号",
    "增加账号",
    "申请账号",
    "账号申请",
    "开一个账号",
    "配置",
    "参数",
    "审批流",
    "修改设置",
    "调整设置",
    "permission",
    "permissions",
    "access to",
    "grant",
    "role",
    "authorization",
    "authorisation",
    "authorize",
    "authorise",
    "create an account",
    "new account",
    "an account for",
    "configure",
    "configuration",
];

/// A wish stands at the top; the time stays bounded.
const EXAMINED_BYTES: usize = 16 * 1024;

/// The module whose owners are asked about a new ticket by themselves: a calm request (P4) for permissions or settings
/// that names it.
pub fn wanted<'p>(policy: &'p Policy, ticket: &Ticket, text: &str) -> Option<&'p Module> {
    let fitting = matches!(ticket.category, Category::Account | Category::Software | Category::Other);
    if policy.modules.is_empty() || ticket.priority != Priority::P4 || !fitting {
        return None;
    }
    let text = format!("{}\n{}", ticket.subject, &text[..text.floor_char_boundary(EXAMINED_BYTES)]);
    let folded = triage::fold(&text);
    let wished = WISHES.iter().any(|wish| find(&folded, wish).is_some());
    recognised(policy, &text).filter(|_| wished)
}

impl Module {
    fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.name).chain(&self.words).map(String::as_str)
    }
}
