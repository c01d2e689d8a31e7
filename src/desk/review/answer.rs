//! What is replied to a review: parts of the form, or that all is done. Only its ticket's engineers and supervisors fill it
//! in; whoever is to do what was planned may move the date and say when it is done. Nothing of it reaches a requester.

use super::form::{self, Form, Part, Told};
use super::{Kind, Review, Stage, State, ask, everybody, keep, note, people, reader, tell};
use crate::address::{Address, Mailbox};
use crate::desk::command::{Hint, canonical, fold, written};
use crate::desk::draft::Draft;
use crate::desk::engineer::{is_proven_by, transcript_to};
use crate::desk::event::{Candidate, Effect, Mail, Situation, Visibility};
use crate::desk::inbound::Inbound;
use crate::desk::letter::{PlanPurpose, ReviewPurpose};
use crate::desk::policy::{Policy, Reader};
use crate::desk::quote;
use crate::desk::requester::{cause, first_line};
use crate::desk::thread::By;
use crate::desk::ticket::{Ticket, What, Who};
use crate::desk::words::Language;
use crate::desk::{appointment, behalf};
use crate::time::Timestamp;

/// Characters of a reply that is kept as a remark.
const REMARK: usize = 2_000;

/// A mail about a review of this ticket; `None` when it is about something else, or from somebody who has nothing to do
/// with it.
pub fn mail(s: &Situation, on: &Candidate, by: By, mail: &Mail, from: &Mailbox, now: Timestamp) -> Option<Vec<Effect>> {
    let inbound = &mail.inbound;
    let review = about(s, on, inbound).filter(|_| inbound.kind.is_human())?;
    let may = May::of(s.policy, &on.ticket, review, &from.address)?;
    let said_done = done(on, inbound)?;
    let reader = reader(s.policy, &from.address)?;
    let mut draft = Draft::of(s.policy, &on.ticket, Who::Person(from.address.clone()), now);
    draft.effect(Effect::Join { number: on.ticket.number, visibility: Visibility::Internal });
    let answer = Answer { s, on, mail, review: review.clone(), reader, draft };
    Some(match (may, is_proven_by(s.policy, inbound, &from.address, Some(by))) {
        (May::Nothing, _) => answer.refuse(),
        (_, false) => answer.ask_for_proof(),
        (_, true) if review.state == State::Withdrawn => answer.remark(""),
        (may, true) => answer.take(may, said_done),
    })
}

/// Which review a mail is about: by the letter that it answers, or by the name that stands in its quote, for some programs do
/// not say what they answer.
fn about<'c>(s: &Situation, on: &'c Candidate, inbound: &Inbound) -> Option<&'c Review> {
    let by_letter = s.reviewed.filter(|(number, _)| *number == on.ticket.number).and_then(|(_, kind)| on.review(kind));
    let named = |review: &&Review| {
        let name = review.name();
        inbound.full_text.lines().any(|line| form::names(line, &name))
    };
    by_letter.or_else(|| on.reviews.iter().find(named))
}

/// What somebody may do about a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum May {
    /// The whole form.
    Fill,
    /// The date, and that it is done.
    Report,
    /// Works here, and has nothing to do with it: their words go nowhere else.
    Nothing,
}

impl May {
    /// `None`: not of the desk, and not asked; the mail is judged like any other.
    fn of(policy: &Policy, ticket: &Ticket, review: &Review, who: &Address) -> Option<May> {
        let supervises = policy.duty.supervisor(who).is_some();
        let engineer = policy.engineer(who).is_some();
        let has_it = review.kind == Kind::Incident && engineer && ticket.assignee.as_ref() == Some(who);
        if review.people.contains(who) || supervises || has_it {
            return Some(May::Fill);
        }
        if review.form.owner_address.as_ref() == Some(who) {
            return Some(May::Report);
        }
        engineer.then_some(May::Nothing)
    }
}

/// Whether a mail with orders says that all is done; `None` when it orders something else. `#done` ends a ticket that is
/// open, and the action of a review otherwise.
fn done(on: &Candidate, inbound: &Inbound) -> Option<bool> {
    match &inbound.commands[..] {
        [] => Some(false),
        [line] if !on.ticket.status.is_open() => {
            let word = fold(&line.word);
            (canonical(&word) == Some("resolve") || form::says_done(&word)).then_some(true)
        }
        _ => None,
    }
}

/// A reply being read.
struct Answer<'a> {
    s: &'a Situation<'a>,
    on: &'a Candidate,
    mail: &'a Mail,
    review: Review,
    /// Who wrote it.
    reader: Reader,
    draft: Draft<'a>,
}

impl Answer<'_> {
    fn take(mut self, may: May, ordered: bool) -> Vec<Effect> {
        let inbound = &self.mail.inbound;
        let words = quote::own_words(&self.s.policy.key, inbound, &self.reader.mailbox.address).trim().to_owned();
        let mut said_done = ordered || form::says_done(&words);
        let mut told = form::read(&words, &inbound.full_text, &self.review.name());
        if told.is_empty() && !said_done {
            told = self.only_missing(&words);
        }
        if may == May::Report {
            told.retain(|(part, _)| *part == Part::Due);
        }
        let before = self.review.clone();
        let unread = self.fill(&told, &mut said_done);
        let changed = self.changes(&before.form);
        if !changed.is_empty() {
            let told = changed.join("\n");
            note(&mut self.draft, &self.review, Stage::Told, told);
        }
        self.move_on(said_done);
        let is_new = !changed.is_empty() && !before.asked_again;
        let asks = !unread.is_empty() || (self.review.state == State::Asked && is_new);
        self.review.asked_again |= asks;
        if self.review != before {
            let owner = self.review.form.owner_address.clone().into_iter().collect();
            self.draft.effect(Effect::Participants(self.review.ticket, owner));
            keep(&mut self.draft, &self.review);
        }
        let purpose = self.news(&before, !changed.is_empty());
        if let Some(purpose) = purpose {
            self.tell_all(&before, purpose);
        }
        if asks {
            let (writer, key) = (vec![self.reader.clone()], cause(self.mail));
            ask(&mut self.draft, self.on, &self.review, &writer, ReviewPurpose::Missing, &key, &unread);
        } else if purpose.is_none() && changed.is_empty() {
            return self.remark(&words);
        }
        self.draft.finish()
    }

    /// Where one part alone is owed, words without a name are that part.
    fn only_missing(&self, words: &str) -> Told {
        match &self.review.form.missing()[..] {
            [part] if !words.is_empty() && words.chars().count() <= 200 => vec![(*part, words.to_owned())],
            _ => Told::new(),
        }
    }

    /// Takes the parts in; gives a due date that nobody can read.
    fn fill(&mut self, told: &Told, said_done: &mut bool) -> String {
        let mut unread = String::new();
        let zone = self.s.policy.desk.zone;
        for (part, value) in told {
            let form = &mut self.review.form;
            match part {
                Part::Cause => form.cause.clone_from(value),
                Part::Corrective => form.corrective.clone_from(value),
                Part::Preventive => form.preventive.clone_from(value),
                Part::Owner => {
                    let (name, address) = owner(self.s.policy, value, &self.reader);
                    (form.owner, form.owner_address) = (name, address);
                }
                Part::Due => {
                    let written = self.mail.inbound.date.unwrap_or(self.mail.arrived);
                    match appointment::day(value, written, zone) {
                        Some(day) => form.due = Some(day),
                        None if form::says_done(value) => {
                            form.due = Some(self.draft.now.at_zone(zone).date_naive());
                            *said_done = true;
                        }
                        None => unread = value.chars().take(80).collect(),
                    }
                }
            }
        }
        unread
    }

    /// The parts that are different now, with what they replace.
    fn changes(&self, before: &Form) -> Vec<String> {
        let language = self.s.policy.desk.language;
        let change = |part: Part| {
            let (old, new) = (before.get(part), self.review.form.get(part));
            let replaced = match (old.is_empty(), language) {
                (true, _) => String::new(),
                (false, Language::Chinese) => format!("（原：{old}）"),
                (false, Language::English) => format!(" (was: {old})"),
            };
            let colon = language.pick("：", ": ");
            (old != new).then(|| format!("{}{colon}{new}{replaced}", part.name(language)))
        };
        Part::ALL.into_iter().filter_map(change).collect()
    }

    fn move_on(&mut self, said_done: bool) {
        let now = self.draft.now;
        let complete = self.review.form.missing().is_empty();
        if self.review.state == State::Asked && complete {
            (self.review.state, self.review.planned) = (State::Planned, Some(now));
            note(&mut self.draft, &self.review, Stage::Planned, self.review.name());
        }
        let today = now.at_zone(self.s.policy.desk.zone).date_naive();
        let ahead = self.review.form.due.is_some_and(|due| due > today);
        if self.review.state == State::Planned && said_done {
            (self.review.state, self.review.ended) = (State::Done, Some(now));
            note(&mut self.draft, &self.review, Stage::Done, self.review.name());
        } else if self.review.state == State::Done && ahead && !said_done && self.has_new_due() {
            // It was not done after all.
            (self.review.state, self.review.ended) = (State::Planned, None);
            note(&mut self.draft, &self.review, Stage::Planned, self.review.name());
        }
    }

    fn has_new_due(&self) -> bool {
        self.on.review(self.review.kind).is_some_and(|before| before.form.due != self.review.form.due)
    }

    /// What the reply has changed for everybody.
    fn news(&self, before: &Review, changed: bool) -> Option<PlanPurpose> {
        match (before.state, self.review.state) {
            (State::Asked | State::Planned, State::Done) => Some(PlanPurpose::Done),
            (State::Asked, State::Planned) => Some(PlanPurpose::Recorded),
            (_, State::Planned | State::Done) if changed => Some(PlanPurpose::Changed),
            _ => None,
        }
    }

    fn tell_all(&mut self, before: &Review, purpose: PlanPurpose) {
        let policy = self.s.policy;
        let mut all = everybody(policy, &self.review, self.draft.now);
        // Whoever was to do it before hears that it is somebody else.
        let old = before.form.owner_address.as_ref().and_then(|address| reader(policy, address));
        all.extend(old.filter(|old| all.iter().all(|known| known.mailbox.address != old.mailbox.address)));
        let (key, by) = (cause(self.mail), self.reader.mailbox.called().to_owned());
        tell(&mut self.draft, self.on, &self.review, &all, purpose, &key, &by);
    }

    /// Nothing that belongs to the form: it is kept, and its writer learns how it is filled in.
    fn remark(mut self, words: &str) -> Vec<Effect> {
        let said: String = words.chars().take(REMARK).collect();
        if !said.is_empty() {
            self.draft.record(What::Note, said);
        }
        let writer = vec![self.reader.clone()];
        let key = cause(self.mail);
        match self.review.state {
            State::Asked => {
                ask(&mut self.draft, self.on, &self.review, &writer, ReviewPurpose::Unclear, &key, "");
            }
            State::Planned => tell(&mut self.draft, self.on, &self.review, &writer, PlanPurpose::Unclear, &key, ""),
            State::Done | State::Withdrawn => {}
        }
        self.draft.finish()
    }

    /// It may not be theirs: the letter that only they receive is sent to answer, once a day.
    fn ask_for_proof(mut self) -> Vec<Effect> {
        self.draft.record(What::Refused, "unproven");
        let day = self.draft.now.at_zone(self.s.policy.desk.zone).format("%Y-%m-%d");
        let (writer, key) = (vec![self.reader.clone()], format!("unproven-{day}"));
        match self.review.state {
            State::Planned => tell(&mut self.draft, self.on, &self.review, &writer, PlanPurpose::Unproven, &key, ""),
            _ => ask(&mut self.draft, self.on, &self.review, &writer, ReviewPurpose::Unproven, &key, ""),
        }
        self.draft.finish()
    }

    fn refuse(mut self) -> Vec<Effect> {
        let inbound = &self.mail.inbound;
        let line = inbound.commands.first().map_or_else(|| first_line(&inbound.body.text), written);
        self.draft.record(What::Refused, line.clone());
        let people: Vec<String> = people(self.s.policy, &self.review, self.draft.now)
            .iter()
            .map(|reader| reader.mailbox.called().to_owned())
            .collect();
        let hint = Hint::NotReviewer { name: self.review.name(), people: people.join(", ") };
        transcript_to(&mut self.draft, &self.reader, self.mail, line, hint);
        self.draft.finish()
    }
}

/// Who is meant: the writer, an engineer, a supervisor, an owner of a module, somebody of the directory. Whoever is nobody
/// here stays a name.
fn owner(policy: &Policy, value: &str, writer: &Reader) -> (String, Option<Address>) {
    const ME: &[&str] = &["我", "本人", "我自己", "自己", "me", "myself", "i"];
    let name: String = value.lines().next().unwrap_or("").trim().chars().take(120).collect();
    let folded = fold(&name);
    if ME.contains(&folded.as_str()) {
        return (writer.mailbox.called().to_owned(), Some(writer.mailbox.address.clone()));
    }
    let engineers = policy.engineers.iter().map(|engineer| &engineer.reader);
    let supervisors = policy.duty.supervisors.iter().chain(&policy.escalation.managers).map(|staff| &staff.reader);
    let owners = policy.modules.iter().flat_map(|module| module.owners.iter().chain(&module.substitutes));
    let mut known: Vec<&Reader> = engineers.chain(supervisors).chain(owners).collect();
    known.sort_by(|a, b| a.mailbox.address.cmp(&b.mailbox.address));
    known.dedup_by(|a, b| a.mailbox.address == b.mailbox.address);
    let only = |test: &dyn Fn(&Reader) -> bool| {
        let mut found = known.iter().filter(|reader| test(reader));
        found.next().filter(|_| found.next().is_none()).copied()
    };
    let called = |reader: &Reader| fold(reader.mailbox.called());
    let at = |reader: &Reader| folded.contains(reader.mailbox.address.key());
    let named = only(&at)
        .or_else(|| only(&|reader| called(reader) == folded || fold(reader.mailbox.address.local()) == folded))
        // `李娜（基础架构）`: one name within the words.
        .or_else(|| only(&|reader| called(reader).chars().count() > 1 && folded.contains(&called(reader))));
    if let Some(reader) = named {
        return (reader.mailbox.called().to_owned(), Some(reader.mailbox.address.clone()));
    }
    match behalf::person(policy, &name) {
        Ok(person) if policy.desk.is_colleague(&person.address) => (person.called().to_owned(), Some(person.address)),
        _ => (name, None),
    }
}
