//! Appointments on site (`design.md` section 1, stage 3): `#visit` makes, moves or calls one off.
//!
//! Both who come together get an entry for their calendars, a reminder before, and the engineer is asked afterwards what came
//! of it. Until the visit is over the ticket waits for it. What somebody answers in their calendar changes nothing by
//! itself: it is written down, and where it asks for something the engineer decides.

use crate::address::{Address, Mailbox};
use crate::desk::appointment::{self, Wanted};
use crate::desk::command::{Hint, VISIT_EXPECTED, fold};
use crate::desk::draft::Draft;
use crate::desk::event::{Candidate, Effect, Mail, Situation, Timer, TimerKind, Visibility};
use crate::desk::inbound::CalendarReply;
use crate::desk::letter::{Appointment, Attendee, Change, Content, Entry, Method};
use crate::desk::policy::{Policy, Reader, Site};
use crate::desk::requester::cause;
use crate::desk::ticket::{Ticket, What, Who};
use crate::desk::words::{Attendance, Field, Status, Wait};
use crate::time::Timestamp;
use chrono_tz::Tz;
use std::time::Duration;

/// Nobody makes an appointment further ahead; it is a slip of the hand.
const FURTHEST: Duration = Duration::from_secs(366 * 86_400);

/// Characters of a place.
const MAX_PLACE: usize = 200;

/// A mail written longer ago than this says "tomorrow" of a day that is over, or its clock is wrong.
const LATE_MAIL: Duration = Duration::from_secs(7 * 86_400);

/// The latest appointment of a ticket. One that follows a visit that is over, or one that was called off, is a new entry in
/// the calendars; until then the same entry is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// Counts those entries from 1.
    pub round: i64,
    /// Grows with every change that is sent out (RFC 5545 section 3.8.7.4).
    pub sequence: i64,
    pub state: State,
    /// When it was first made: its target counts from here, however often it was moved since.
    pub since: Timestamp,
    pub start: Timestamp,
    pub end: Timestamp,
    /// As the engineer wrote it; empty when nothing was said.
    pub place: String,
    /// Who comes.
    pub engineer: Address,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Planned,
    /// Its time is over; the engineer was not asked yet.
    Over,
    /// The engineer was asked, or the ticket ended.
    Done,
    Cancelled,
}

impl State {
    pub const ALL: &'static [State] = &[State::Planned, State::Over, State::Done, State::Cancelled];

    /// The name used in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Planned => "planned",
            State::Over => "over",
            State::Done => "done",
            State::Cancelled => "cancelled",
        }
    }

    pub fn parse(text: &str) -> Option<State> {
        State::ALL.iter().copied().find(|state| state.as_str() == text)
    }
}

impl Visit {
    /// It may still be moved or called off.
    fn stands(&self, now: Timestamp) -> bool {
        self.state == State::Planned && now < self.end
    }

    /// Names one of its letters among those of the ticket.
    fn cause(&self) -> String {
        format!("{}-{}", self.round, self.sequence)
    }

    fn uid(&self, policy: &Policy, ticket: &Ticket) -> String {
        let desk = &policy.desk.address;
        policy.key.message_id(Some(ticket.number), desk, &format!("visit/{}", self.round), desk.domain())
    }

    fn shown(&self, policy: &Policy) -> Appointment {
        let engineer = policy.engineer(&self.engineer).map(|e| e.reader.mailbox.called());
        let engineer = engineer.unwrap_or(self.engineer.as_str()).to_owned();
        Appointment { start: self.start, end: self.end, place: self.place.clone(), engineer }
    }
}

/// What a `#visit` line orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    Make(Wanted),
    Cancel,
}

/// Reads what stands behind `#visit`. "Tomorrow" is seen from when the mail was `written`, in the writer's zone.
///
/// # Errors
/// The hint for the writer: not understood, over already, or nothing is there to be called off.
pub fn read(
    text: &str,
    known: Option<&Visit>,
    written: Option<Timestamp>,
    now: Timestamp,
    zone: Tz,
) -> Result<Order, Hint> {
    let expected = || Hint::Value { expected: VISIT_EXPECTED.into() };
    let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    if ["cancel", "cancelled", "canceled", "取消", "撤销"].contains(&fold(first).as_str()) {
        return match known {
            _ if !rest.trim().is_empty() => Err(Hint::OneALine),
            Some(visit) if visit.stands(now) => Ok(Order::Cancel),
            _ => Err(Hint::NoVisit),
        };
    }
    let written = written.filter(|written| *written <= now && now.since(*written) <= LATE_MAIL).unwrap_or(now);
    let wanted = appointment::read(text, written, zone).ok_or_else(expected)?;
    match wanted.start {
        start if start <= now => Err(Hint::VisitPast),
        start if start.since(now) > FURTHEST => Err(expected()),
        _ => Ok(Order::Make(wanted)),
    }
}

/// What an engineer's mail makes of the appointment, when all of its orders were carried out: new, moved, in other hands,
/// called off, or off because the ticket ended before it. The engineers' letters are queued; gives the requester's.
pub fn settle(draft: &mut Draft, known: Option<&Visit>, order: Option<&Order>) -> Option<Content> {
    let (open, now) = (draft.ticket.status.is_open(), draft.now);
    let standing = known.filter(|visit| visit.stands(now));
    match (standing, order) {
        (_, Some(Order::Make(wanted))) if open => make(draft, known, wanted),
        (Some(visit), Some(Order::Cancel)) => change(draft, visit, Change::Cancelled),
        (Some(visit), _) if !open && now < visit.start => change(draft, visit, Change::Cancelled),
        (Some(visit), _) if open && is_handed_over(draft, visit) => change(draft, visit, Change::HandedOver),
        _ => {
            if let Some(visit) = known.filter(|visit| !open && matches!(visit.state, State::Planned | State::Over)) {
                keep(draft, Visit { state: State::Done, ..visit.clone() });
            }
            None
        }
    }
}

/// Whether an appointment of this ticket is still to come, or lasts.
pub fn stands(on: &Candidate, now: Timestamp) -> bool {
    on.visit.as_ref().is_some_and(|visit| visit.stands(now))
}

/// The ticket ended without an engineer's order: a coming visit is called off, and both are told.
pub fn end(draft: &mut Draft, known: Option<&Visit>) {
    if let Some(invitation) = settle(draft, known, None) {
        let (reader, cause) = (draft.requester(), known.map_or_else(String::new, Visit::cause));
        draft.letter(reader, &cause, invitation);
    }
}

/// Somebody else has the ticket now, and comes.
fn is_handed_over(draft: &Draft, visit: &Visit) -> bool {
    draft.ticket.assignee.as_ref().is_some_and(|now| *now != visit.engineer && draft.policy.engineer(now).is_some())
}

fn make(draft: &mut Draft, known: Option<&Visit>, wanted: &Wanted) -> Option<Content> {
    let engineer = draft.ticket.assignee.clone()?;
    let (start, state) = (wanted.start, State::Planned);
    let place: String = wanted.place.chars().take(MAX_PLACE).collect();
    let standing = known.filter(|visit| visit.stands(draft.now));
    // What is not said anew stays as it was.
    let length = standing.map_or(draft.policy.visits.length, |old| old.end.since(old.start));
    let end = wanted.end.unwrap_or(start + length);
    match standing {
        Some(old) => {
            let sequence = old.sequence + 1;
            let place = if place.is_empty() { old.place.clone() } else { place };
            let new = Visit { sequence, start, end, place, engineer, ..old.clone() };
            publish(draft, Some(old), new, Change::Moved)
        }
        None => {
            let (round, since) = (known.map_or(1, |old| old.round + 1), draft.now);
            publish(draft, None, Visit { round, sequence: 0, state, since, start, end, place, engineer }, Change::Made)
        }
    }
}

fn change(draft: &mut Draft, old: &Visit, change: Change) -> Option<Content> {
    let state = if change == Change::Cancelled { State::Cancelled } else { old.state };
    let engineer = draft.ticket.assignee.clone().filter(|_| change == Change::HandedOver);
    let engineer = engineer.unwrap_or_else(|| old.engineer.clone());
    publish(draft, Some(old), Visit { sequence: old.sequence + 1, state, engineer, ..old.clone() }, change)
}

/// Keeps the appointment and tells everybody; the requester's letter is given back, for it may hold words.
fn publish(draft: &mut Draft, old: Option<&Visit>, new: Visit, change: Change) -> Option<Content> {
    let (start, end, place) = (new.start, new.end, new.place.clone());
    let shown = written(start, end, &place, draft.policy.desk.zone);
    draft.record(What::Visit { change, start, end, place }, shown);
    let cause = new.cause();
    if let Some(old) = old.filter(|old| old.engineer != new.engineer) {
        let content = letter(draft, &new, Some(old), Change::HandedOver, Attendee::Engineer, Some(&old.engineer));
        tell(draft, &old.engineer, &cause, content);
    }
    // Whoever comes instead sees it for the first time.
    let stays = old.is_none_or(|old| old.engineer == new.engineer);
    let (theirs, before) = if stays { (change, old) } else { (Change::Made, None) };
    let content = letter(draft, &new, before, theirs, Attendee::Engineer, None);
    tell(draft, &new.engineer, &cause, content);
    let content = letter(draft, &new, old, change, Attendee::Requester, None);
    let own = draft.ticket.requester.address == new.engineer;
    keep(draft, new);
    (!own).then_some(content)
}

/// `leaves`: the letter takes the appointment out of this engineer's calendar.
fn letter(
    draft: &Draft,
    new: &Visit,
    old: Option<&Visit>,
    change: Change,
    to: Attendee,
    leaves: Option<&Address>,
) -> Content {
    let engineer = |address: &Address| draft.policy.engineer(address).map(|e| e.reader.mailbox.clone());
    let mailbox = |address: &Address| engineer(address).unwrap_or_else(|| Mailbox::new(address.clone(), ""));
    let mut attendees = vec![draft.ticket.requester.clone(), mailbox(&new.engineer)];
    attendees.dedup_by(|a, b| a.address == b.address);
    let off = change == Change::Cancelled || leaves.is_some();
    if let Some(leaves) = leaves {
        attendees = vec![mailbox(leaves)];
    }
    let entry = Entry {
        method: if off { Method::Cancel } else { Method::Request },
        uid: new.uid(draft.policy, &draft.ticket),
        sequence: new.sequence,
        attendees,
    };
    let before = old.filter(|_| change == Change::Moved).map(|old| (old.start, old.end));
    Content::Visit { change, to, visit: new.shown(draft.policy), before, said: None, entry }
}

fn tell(draft: &mut Draft, engineer: &Address, cause: &str, content: Content) {
    if let Some(reader) = reader(draft, engineer) {
        draft.letter(reader, cause, content);
    }
}

/// The engineer who comes; somebody who has left the desk is told nothing.
fn reader(draft: &Draft, engineer: &Address) -> Option<Reader> {
    draft.policy.engineer(engineer).map(|e| e.reader.clone())
}

/// Stores the appointment and sets its timers anew.
fn keep(draft: &mut Draft, visit: Visit) {
    let (number, cycle, now) = (draft.ticket.number, draft.ticket.cycle, draft.now);
    let remind = visit.start - draft.policy.visits.remind_before;
    let due = [(TimerKind::VisitReminder, remind), (TimerKind::VisitOver, visit.end)];
    for (kind, due) in due {
        let needed = visit.state == State::Planned && due > now;
        draft.effect(match needed {
            true => Effect::Schedule(Timer { number, kind, due, cycle }),
            false => Effect::Unschedule(number, kind),
        });
    }
    draft.effect(Effect::KeepVisit(number, visit));
}

/// Date, time and place as `#visit` takes them.
pub fn written(start: Timestamp, end: Timestamp, place: &str, zone: Tz) -> String {
    let (start, end) = (start.at_zone(zone), end.at_zone(zone));
    let until = if end.date_naive() == start.date_naive() { end.format("-%H:%M").to_string() } else { String::new() };
    format!("{}{until} {place}", start.format("%Y-%m-%d %H:%M")).trim_end().to_owned()
}

/// The remark about an appointment that was just made and is later than the target of the requester's site allows.
pub fn lateness(draft: &Draft, on: &Candidate, order: &Order) -> Option<Hint> {
    let Order::Make(wanted) = order else { return None };
    let (rules, other_site) = (&draft.policy.visits, is_other_site(draft, on, &wanted.place));
    let since = on.visit.as_ref().filter(|visit| visit.stands(draft.now)).map_or(draft.now, |visit| visit.since);
    let (target, due) = match other_site {
        true => (rules.other_site, since + rules.other_site),
        false => (rules.same_site, draft.calendar().add_working(since, rules.same_site)),
    };
    let hours = format!("{:.1}", target.as_secs_f64() / 3600.0).trim_end_matches(".0").to_owned();
    (wanted.start > due).then_some(Hint::VisitLate { hours, other_site, due })
}

/// Whether the engineer has to travel; not known counts as no.
fn is_other_site(draft: &Draft, on: &Candidate, place: &str) -> bool {
    let ticket = &draft.ticket;
    let engineer = ticket.assignee.as_ref().and_then(|address| draft.policy.engineer(address));
    let fact = |field| ticket.fields.get(&field).map_or("", String::as_str);
    let known = [fact(Field::Site), fact(Field::Location), fact(Field::Department)];
    let told = [place, known[0], known[1], known[2], &ticket.subject, &on.description.text];
    let there = told.iter().find_map(|text| site_in(&draft.policy.sites, text));
    let here = engineer.and_then(|engineer| engineer.site.as_deref());
    there.zip(here).is_some_and(|(there, here)| there.name != here)
}

/// The site this text names; of several the one with the longest word.
pub fn site_in<'p>(sites: &'p [Site], text: &str) -> Option<&'p Site> {
    let text = fold(text);
    let longest = |site: &Site| {
        let words = site.words.iter().chain([&site.name]).map(|word| fold(word));
        words.filter(|word| holds(&text, word)).map(|word| word.chars().count()).max()
    };
    let found = sites.iter().filter_map(|site| Some((longest(site)?, site)));
    found.max_by_key(|(length, _)| *length).map(|(_, site)| site)
}

/// Latin words stand alone: `SH` is not in `should`.
fn holds(text: &str, word: &str) -> bool {
    let joined = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let whole = |(at, found): (usize, &str)| {
        let (before, behind) = (text[..at].chars().next_back(), text[at + found.len()..].chars().next());
        let (first, last) = (found.chars().next(), found.chars().next_back());
        !(joined(first) && joined(before) || joined(last) && joined(behind))
    };
    !word.is_empty() && text.match_indices(word).any(whole)
}

/// A calendar program's answer to an invitation, on a ticket. It is never words for anybody: whatever is not the answer of
/// somebody invited to the appointment that stands is kept, and nothing more. `None` for every other mail.
pub fn answered(s: &Situation, on: &Candidate, mail: &Mail, from: &Mailbox, now: Timestamp) -> Option<Vec<Effect>> {
    let reply = mail.inbound.calendar_reply.as_ref()?;
    let mut draft = Draft::of(s.policy, &on.ticket, Who::Person(from.address.clone()), now);
    let attendee = attendee(on, &from.address);
    let number = on.ticket.number;
    let public = attendee == Some(Attendee::Requester);
    let visibility = if public { Visibility::Public } else { Visibility::Internal };
    draft.effect(Effect::Join { number, visibility });
    let visit = on.visit.as_ref().filter(|visit| visit.uid(s.policy, &on.ticket).eq_ignore_ascii_case(&reply.uid));
    let said = reply.says.iter().find(|(who, _)| *who == from.address).map(|(_, answer)| *answer);
    match (visit, attendee, said) {
        (Some(visit), Some(attendee), Some(answer)) => heard(&mut draft, visit, attendee, answer, reply, mail),
        _ => draft.record(What::Message, mail.inbound.kind.as_str()),
    }
    Some(draft.finish())
}

fn attendee(on: &Candidate, from: &Address) -> Option<Attendee> {
    let visit = on.visit.as_ref()?;
    match from {
        from if *from == visit.engineer => Some(Attendee::Engineer),
        from if *from == on.ticket.requester.address => Some(Attendee::Requester),
        _ => None,
    }
}

fn heard(draft: &mut Draft, visit: &Visit, from: Attendee, answer: Attendance, reply: &CalendarReply, mail: &Mail) {
    let zone = draft.policy.desk.zone;
    let proposed = reply.proposed.filter(|_| answer == Attendance::Countered);
    let time = proposed.map(|(start, end)| written(start, end, "", zone));
    let why: Vec<String> = time.into_iter().chain([reply.comment.clone()]).filter(|text| !text.is_empty()).collect();
    draft.record(What::VisitAnswered { answer, proposed: proposed.map(|(start, _)| start) }, why.join(" "));
    // An answer to an earlier time says nothing about this one.
    let current = reply.sequence.is_none_or(|sequence| sequence >= visit.sequence) && visit.stands(draft.now);
    let asks = matches!(answer, Attendance::Declined | Attendance::Countered) || !reply.comment.is_empty();
    let Some(engineer) = reader(draft, &visit.engineer).filter(|_| current && asks) else { return };
    let command = proposed.filter(|(start, _)| *start > draft.now);
    let command = command.map(|(start, end)| {
        let name = engineer.language.pick("#上门", "#visit");
        format!("{name} {}", written(start, end, &visit.place, engineer.zone))
    });
    let author = match from {
        Attendee::Requester => draft.ticket.requester.called().to_owned(),
        Attendee::Engineer => engineer.mailbox.called().to_owned(),
    };
    let (visit, comment) = (visit.shown(draft.policy), reply.comment.clone());
    let content = Content::VisitAnswer { visit, from, author, answer, proposed, command, comment };
    draft.letter(engineer, &cause(mail), content);
}

/// A timer of an appointment fell due. One that no longer fits does nothing.
pub fn timer(s: &Situation, on: &Candidate, timer: &Timer, now: Timestamp) -> Vec<Effect> {
    let fits = (on.ticket.number, on.ticket.cycle) == (timer.number, timer.cycle);
    let Some(visit) = on.visit.as_ref().filter(|_| fits) else { return Vec::new() };
    let mut draft = Draft::of(s.policy, &on.ticket, Who::Desk, now);
    // It ended as a report of a fault that was solved on another ticket.
    if !on.ticket.status.is_open() {
        end(&mut draft, Some(visit));
        return draft.finish();
    }
    match (timer.kind, visit.state) {
        // What was missed until it began reminds nobody any more.
        (TimerKind::VisitReminder, State::Planned) if now < visit.start => remind(&mut draft, visit),
        (TimerKind::VisitOver, State::Planned) if now < visit.end => schedule_over(&mut draft, visit.end),
        (TimerKind::VisitOver, State::Planned) => over(&mut draft, visit),
        (TimerKind::VisitOver, State::Over) => ask(&mut draft, visit),
        _ => {}
    }
    draft.finish()
}

fn remind(draft: &mut Draft, visit: &Visit) {
    draft.record(What::Reminded, "");
    let shown = visit.shown(draft.policy);
    let content = Content::VisitReminder { to: Attendee::Engineer, visit: shown.clone() };
    tell(draft, &visit.engineer, &visit.cause(), content);
    if draft.ticket.requester.address != visit.engineer {
        let reader = draft.requester();
        draft.letter(reader, &visit.cause(), Content::VisitReminder { to: Attendee::Requester, visit: shown });
    }
}

/// Whatever comes of it, the ticket waits for it no longer.
fn over(draft: &mut Draft, visit: &Visit) {
    if draft.ticket.status == Status::Pending && draft.ticket.wait == Some(Wait::Visit) {
        draft.become_status(Status::InProgress, "");
    }
    let asked_at = visit.end + draft.policy.visits.ask_after;
    if asked_at <= draft.now {
        return ask(draft, visit);
    }
    draft.effect(Effect::KeepVisit(draft.ticket.number, Visit { state: State::Over, ..visit.clone() }));
    schedule_over(draft, asked_at);
}

fn schedule_over(draft: &mut Draft, due: Timestamp) {
    let (number, kind, cycle) = (draft.ticket.number, TimerKind::VisitOver, draft.ticket.cycle);
    draft.effect(Effect::Schedule(Timer { number, kind, due, cycle }));
}

fn ask(draft: &mut Draft, visit: &Visit) {
    draft.effect(Effect::KeepVisit(draft.ticket.number, Visit { state: State::Done, ..visit.clone() }));
    let engineer = reader(draft, &visit.engineer).or_else(|| draft.owner());
    let Some(engineer) = engineer else { return };
    draft.record(What::Reminded, "");
    let content = Content::VisitOver { visit: visit.shown(draft.policy) };
    draft.letter(engineer, &visit.cause(), content);
}
