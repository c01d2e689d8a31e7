//! How this desk is run: everything the rules need from the configuration, as plain data.

use crate::address::{Address, Mailbox};
use crate::desk::approval::Module;
use crate::desk::directory::Directory;
use crate::desk::duty::{Duty, OnDuty, Staff};
use crate::desk::link::Key;
use crate::desk::outage::Department;
use crate::desk::ticket::Ticket;
use crate::desk::triage::Rules;
use crate::desk::vendor::Vendor;
use crate::desk::words::{Category, Clock, Field, Language, Priority};
use crate::time::{Calendar, Timestamp};
use chrono_tz::Tz;
use std::sync::Arc;
use std::time::Duration;

/// The whole policy. Built by `config`, never changed while a message is handled.
#[derive(Clone, Debug)]
pub struct Policy {
    pub desk: Identity,
    pub engineers: Vec<Engineer>,
    /// Told about dissatisfied requesters, tickets nobody can take and targets that run out.
    pub duty: Duty,
    pub targets: Targets,
    pub escalation: Escalation,
    pub hold: Hold,
    pub incident: Incident,
    pub calendar: Calendar,
    pub rules: Arc<Rules>,
    pub proof: Proof,
    pub satisfaction: Satisfaction,
    pub limits: Limits,
    pub visits: Visits,
    /// Where people work; empty: all at one place.
    pub sites: Vec<Site>,
    pub vendors: Vec<Vendor>,
    /// Whose heads hear of outages.
    pub departments: Vec<Department>,
    /// Whose owners approve requests.
    pub modules: Vec<Module>,
    pub channels: Vec<Channel>,
    /// Who works here; replaced while the desk runs.
    pub directory: Arc<Directory>,
    pub knowledge: Knowledge,
    pub reviews: Reviews,
    /// How long after it was closed a ticket is archived; `None`: never.
    pub archive_after: Option<Duration>,
    pub retention: Retention,
    /// Signs references and links; made at first start and kept in the database.
    pub key: Key,
}

/// Who the desk is.
#[derive(Clone, Debug)]
pub struct Identity {
    pub name_zh: String,
    pub name_en: String,
    /// Where people write and what letters are from.
    pub address: Address,
    /// Further addresses of the desk (aliases, other mailboxes): never answered, never a requester.
    pub aliases: Vec<Address>,
    /// Lists the desk is reached by: their `List-Id`s or addresses, lower case. What comes through them and no other
    /// list is as good as sent to the desk directly (`hardening.md` L5).
    pub own_lists: Vec<String>,
    /// Domains of colleagues. Anyone else is an outsider, whose words are never sent back by the desk on its own
    /// (`hardening.md` S44). `*` means everyone is a colleague.
    pub domains: Vec<String>,
    /// `https://desk.example.com`, no slash at the end; `None`: no links, rating by mail only.
    pub public_url: Option<String>,
    /// The mail provider delivers `it+anything@` to the desk: letters offer such addresses in place of commands.
    pub plus_addresses: bool,
    /// Zone of the desk and of readers who have none of their own.
    pub zone: Tz,
    /// For readers whose language is not known.
    pub language: Language,
}

impl Identity {
    pub fn name(&self, language: Language) -> &str {
        language.pick(&self.name_zh, &self.name_en)
    }

    pub fn is_own(&self, address: &Address) -> bool {
        *address == self.address || self.aliases.contains(address) || self.verb(address).is_some()
    }

    /// What stands behind the plus sign in an address of the desk: `take` in `it+take@corp.example`.
    pub fn verb<'a>(&self, address: &'a Address) -> Option<&'a str> {
        let (local, domain) = (self.address.local(), self.address.domain());
        let same = address.domain().eq_ignore_ascii_case(domain);
        let begins = address.local().get(..local.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(local));
        address.local().get(local.len()..)?.strip_prefix('+').filter(|_| same && begins)
    }

    /// Whether this is one of the desk's own lists, by its address or `List-Id`: `it-help@example.com` is usually
    /// `it-help.example.com`.
    pub fn is_own_list(&self, list: &str) -> bool {
        let id = |text: &str| text.replace('@', ".");
        self.own_lists.iter().any(|own| id(own) == id(list))
    }

    /// A colleague by a domain that is named: where everybody counts as one, nobody joins a conversation unasked.
    pub fn is_inside(&self, address: &Address) -> bool {
        self.domains.iter().any(|domain| domain.eq_ignore_ascii_case(address.domain()))
    }

    pub fn is_colleague(&self, address: &Address) -> bool {
        self.domains.iter().any(|d| d == "*" || d.eq_ignore_ascii_case(address.domain()))
    }
}

/// A person letters go to, with the language and zone they read in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    pub mailbox: Mailbox,
    pub language: Language,
    pub zone: Tz,
}

/// An engineer of the desk.
#[derive(Clone, Debug)]
pub struct Engineer {
    pub reader: Reader,
    /// Other addresses they write from; letters go to the reader's.
    pub aliases: Vec<Address>,
    /// 1 junior, 2 desk, 3 senior (`design.md` section 2).
    pub level: u8,
    /// Categories this engineer takes; empty means all.
    pub skills: Vec<Category>,
    /// Own working hours; `None`: those of the site or the desk, see [`Policy::hours_of`].
    pub hours: Option<Calendar>,
    /// Not there: from (inclusive) to (exclusive).
    pub away: Vec<(Timestamp, Timestamp)>,
    /// Name of the site they work at; `None`: wherever the requester is.
    pub site: Option<String>,
}

impl Engineer {
    pub fn address(&self) -> &Address {
        &self.reader.mailbox.address
    }
}

/// A machine that passes on what people say: voice mail, a scanner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// It writes from here, and is never answered.
    pub address: Address,
    /// What people call it.
    pub name: String,
}

impl Policy {
    pub fn channel(&self, address: &Address) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.address == *address)
    }

    pub fn engineer(&self, address: &Address) -> Option<&Engineer> {
        self.engineers.iter().find(|e| e.address() == address || e.aliases.contains(address))
    }

    pub fn module(&self, name: &str) -> Option<&Module> {
        self.modules.iter().find(|module| module.name == name)
    }

    pub fn site(&self, name: &str) -> Option<&Site> {
        self.sites.iter().find(|site| site.name == name)
    }

    /// The working time that a ticket's targets count in: that of its requester's site.
    pub fn calendar_of(&self, ticket: &Ticket) -> &Calendar {
        self.calendar_at(ticket.fields.get(&Field::Site).map(String::as_str))
    }

    /// When this engineer works: their own hours, those of their site, or the desk's.
    pub fn hours_of<'p>(&'p self, engineer: &'p Engineer) -> &'p Calendar {
        engineer.hours.as_ref().unwrap_or_else(|| self.calendar_at(engineer.site.as_deref()))
    }

    /// The working time of a site, or the desk's.
    pub fn calendar_at(&self, site: Option<&str>) -> &Calendar {
        let own = site.and_then(|name| self.site(name)?.calendar.as_ref());
        own.unwrap_or(&self.calendar)
    }

    /// Whom the desk turns to when nobody else will do: the supervisor on duty; without any, the most senior engineer.
    pub fn on_duty(&self, now: Timestamp) -> Option<OnDuty> {
        let senior = || self.engineers.iter().max_by_key(|e| e.level).map(|e| e.reader.clone());
        self.duty.at(now).or_else(|| senior().map(|reader| OnDuty { reader, stand_in: false }))
    }

    /// Who that is, see [`Policy::on_duty`].
    pub fn supervisor(&self, now: Timestamp) -> Option<Reader> {
        self.on_duty(now).map(|on_duty| on_duty.reader)
    }
}

/// Response and resolution target of one priority (`design.md` section 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    pub response: Duration,
    pub resolution: Duration,
    /// Counted in working time; otherwise round the clock.
    pub working_time: bool,
}

/// One target for each priority, P1 first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Targets(pub [Target; 4]);

impl Targets {
    pub fn of(&self, priority: Priority) -> Target {
        self.0[priority as usize]
    }
}

/// Who is told when a target runs out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escalation {
    /// One ladder for each priority, P1 first.
    pub ladders: [Ladder; 4],
    /// How often the requester is to hear of the progress, by priority; the engineer is reminded of it.
    pub progress: [Option<Duration>; 4],
    pub managers: Vec<Staff>,
}

/// The rungs of both clocks, each by rising percentage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ladder {
    pub response: Vec<Rung>,
    pub resolution: Vec<Rung>,
}

/// Who is told when so much of a target is used up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rung {
    /// Of the target: 100 is the moment it is missed.
    pub percent: u32,
    pub to: Vec<Role>,
}

/// Somebody as the ladder names them; the order is that of the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Whoever has the ticket; without one the supervisor.
    Assignee,
    Supervisor,
    /// The named managers.
    Managers,
}

impl Role {
    /// The name used in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Assignee => "assignee",
            Role::Supervisor => "supervisor",
            Role::Managers => "managers",
        }
    }
}

impl Escalation {
    /// The managers who are not away.
    pub fn managers(&self, now: Timestamp) -> impl Iterator<Item = &Reader> {
        self.managers.iter().filter(move |manager| !manager.is_away(now)).map(|manager| &manager.reader)
    }

    pub fn ladder(&self, priority: Priority, clock: Clock) -> &[Rung] {
        let ladder = &self.ladders[priority as usize];
        match clock {
            Clock::Response => &ladder.response,
            Clock::Resolution => &ladder.resolution,
        }
    }
}

impl Default for Escalation {
    /// Warnings at half and at three quarters, and the breach. For P1 and P2 the supervisor hears of the second warning
    /// and the managers of the breach; for P3 and P4 the supervisor hears of the breach.
    fn default() -> Escalation {
        use Role::{Assignee, Managers, Supervisor};
        let ladder = |rungs: [&[Role]; 3]| {
            let rungs: Vec<Rung> =
                [50, 75, 100].into_iter().zip(rungs).map(|(percent, to)| Rung { percent, to: to.to_vec() }).collect();
            Ladder { response: rungs.clone(), resolution: rungs }
        };
        let urgent = ladder([&[Assignee], &[Assignee, Supervisor], &[Assignee, Supervisor, Managers]]);
        let usual = ladder([&[Assignee], &[Assignee], &[Assignee, Supervisor]]);
        let minutes = |count: u64| Some(Duration::from_secs(count * 60));
        let progress = [minutes(30), minutes(60), None, None];
        Escalation { ladders: [urgent.clone(), urgent, usual.clone(), usual], progress, managers: Vec::new() }
    }
}

/// What proves that an engineer wrote a message (`design.md` 5.5).
#[derive(Clone, Debug, Default)]
pub struct Proof {
    /// The `authserv-id` of the own border server; `None`: nobody is proven by headers.
    pub authserv_id: Option<String>,
    pub work: Demand,
    /// For the answer of a module's owner: [`Demand::Reference`] or [`Demand::Both`].
    pub approvals: Demand,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Demand {
    /// DMARC pass or the reference only this engineer was sent.
    #[default]
    Either,
    /// Only the reference.
    Reference,
    /// Both.
    Both,
}

/// When reports are about one fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Reports within this time of the first one hang on it.
    pub window: Duration,
    /// So many departments make it P1.
    pub departments: usize,
}

impl Default for Incident {
    fn default() -> Incident {
        Incident { window: Duration::from_secs(4 * 60 * 60), departments: 3 }
    }
}

/// How long data about people are kept, by class; `None`: for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Tickets after they were closed, but for the urgent ones.
    pub tickets: Option<Duration>,
    /// P1 and data security.
    pub urgent: Option<Duration>,
    /// Messages that belong to no ticket.
    pub aside: Option<Duration>,
}

/// What is learnt from tickets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Knowledge {
    /// An article is drafted when a ticket has closed.
    pub drafts: bool,
    /// After how long the owner of a published article is asked whether it still holds.
    pub review_after: Duration,
    /// So alike a how-to question has to be for an article to go out with its acknowledgement, from 0 to 1.
    pub suggest_from: f64,
}

impl Default for Knowledge {
    fn default() -> Knowledge {
        Knowledge { drafts: true, review_after: Duration::from_secs(180 * 86_400), suggest_from: 0.5 }
    }
}

/// What is learnt from what went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reviews {
    /// P1 and P2 that missed a target are reviewed when they have closed.
    pub incidents: bool,
    /// Faults that come back become problem records.
    pub problems: bool,
    /// Working time after which whoever owes something is reminded, again and again.
    pub remind_after: Duration,
    /// So many faults of a kind are a problem, when they came within this time.
    pub recurrences: usize,
    pub within: Duration,
}

impl Reviews {
    /// Reminders after three working days; three of a kind in 30 days (`domain.md` 7.1, A6 and A8).
    pub fn standard(working_day: Duration) -> Reviews {
        Reviews {
            incidents: true,
            problems: true,
            remind_after: 3 * working_day,
            recurrences: 3,
            within: Duration::from_secs(30 * 86_400),
        }
    }
}

/// How long a ticket may be on hold, in working time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// After how long without an answer the requester is reminded, rising.
    pub remind: Vec<Duration>,
    /// And after how long the ticket is closed.
    pub close_after: Duration,
    /// After how long a ticket that waits for anybody else is told to its engineer and the supervisor, again and again.
    pub limit: Duration,
}

impl Hold {
    /// Reminders after one, three and five working days, and the end after six; anybody else has five.
    pub fn standard(working_day: Duration) -> Hold {
        Hold {
            remind: [1, 3, 5].map(|days| days * working_day).to_vec(),
            close_after: 6 * working_day,
            limit: 5 * working_day,
        }
    }
}

/// How a resolved ticket is confirmed and closed.
#[derive(Clone, Copy, Debug)]
pub struct Satisfaction {
    /// How long a rating link works and a rating may be changed.
    pub link_valid: Duration,
    /// Working time without an answer until the reminder.
    pub remind_after: Duration,
    /// Working time without an answer until the ticket is closed, unrated.
    pub close_after: Duration,
    /// After closing, for how long an answer reopens the ticket instead of opening a linked one.
    pub reopen_within: Duration,
}

/// Bounds on what strangers can cause (`hardening.md` L18, S50).
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Acknowledgements to one sender within 10 minutes, 3 hours and a day.
    pub acknowledgements: [i64; 3],
    /// Tickets one sender may open in an hour; further mail joins the newest one.
    pub tickets_per_hour: i64,
    /// A larger message is not taken in; its sender is told.
    pub message_bytes: usize,
    /// Attachments up to this many bytes in all are sent on; larger ones are kept and named.
    pub relay_bytes: usize,
    /// After a letter came back nothing is sent to its address for so long; zero: on and on.
    pub bounce_pause: Duration,
}

/// A place where people work, and the words it is recognised by: its city, buildings, departments.
#[derive(Clone, Debug)]
pub struct Site {
    pub name: String,
    pub words: Vec<String>,
    /// Its own working time; `None`: the desk's.
    pub calendar: Option<Calendar>,
}

/// Appointments on site (`design.md` section 1, stage 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visits {
    /// How soon an engineer of the same site is to be there, in working time.
    pub same_site: Duration,
    /// How soon an engineer of another site is to be there, round the clock.
    pub other_site: Duration,
    /// How long a visit lasts when nothing was said.
    pub length: Duration,
    /// How long before it both are reminded.
    pub remind_before: Duration,
    /// How long after its end the engineer is asked what came of it.
    pub ask_after: Duration,
}

impl Default for Visits {
    fn default() -> Visits {
        let hours = |count: u64| Duration::from_secs(count * 3600);
        Visits {
            same_site: hours(2),
            other_site: hours(24),
            length: hours(1),
            remind_before: hours(1),
            ask_after: hours(1),
        }
    }
}
