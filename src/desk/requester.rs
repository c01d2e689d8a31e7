//! What happens when the requester, or anybody who is not on the desk, writes on a ticket; and ratings.

use crate::address::{Address, Mailbox};
use crate::desk::answer::{self, Answer, Wish};
use crate::desk::draft::Draft;
use crate::desk::event::{Candidate, Effect, Mail, Situation, TimerKind, Visibility};
use crate::desk::inbound::{Attachment, Body, Kind};
use crate::desk::letter::{Action, Closing, Content, Fact, NoticeReason, RatingLinks, Writer};
use crate::desk::link::{RatingLink, Standing};
use crate::desk::policy::Policy;
use crate::desk::quote::own_words;
use crate::desk::registration::{self, Learned};
use crate::desk::thread::By;
use crate::desk::ticket::{Ticket, What, Who};
use crate::desk::triage::fold;
use crate::desk::words::{Field, Rating, Status, Wait};
use crate::desk::{approval, assign, copies, fields, follow_up, intake, team};
use crate::time::Timestamp;
use std::sync::Arc;

/// A mail on a ticket from somebody who is not working on it.
pub fn mail(s: &Situation, on: &Candidate, by: By, mail: &Mail, from: &Mailbox, now: Timestamp) -> Vec<Effect> {
    let takes_part = on.is_participant(&from.address);
    let late = on.is_over() && !may_return(s, on, takes_part, now);
    if late && !(takes_part && wants_nothing(s, mail, from)) {
        return intake::open(s, mail, from, Some(on.ticket.number), now);
    }
    let mut draft = Draft::of(s.policy, &on.ticket, Who::Person(from.address.clone()), now);
    draft.remember(&on.timeline);
    join(&mut draft, mail);
    if late {
        return draft.finish();
    }
    let is_requester = from.address == on.ticket.requester.address;
    // A number in the subject, which anybody can write, brings nobody in (S19).
    if takes_part && by != By::Tag {
        draft.copy(&copies::named(s.policy, &mail.inbound, &on.ticket).inside, &[]);
    }
    // L5: lists and programs never reopen or rate.
    let awaiting = !on.ticket.status.is_open() && mail.inbound.kind.is_human();
    let learned = if is_requester { learn(s, &mut draft, mail) } else { Learned::default() };
    if is_requester && awaiting {
        return confirm(s, on, mail, draft);
    }
    if is_requester && on.approval.is_some() {
        edit(s, on, mail, from, &mut draft);
    }
    let heard = is_requester || on.ticket.copied.iter().any(|person| person.address == from.address);
    if heard && mail.inbound.kind.is_human() && !says_nothing(s, mail, from) {
        copies::pass_on(&mut draft, mail, from);
    }
    let wish = if is_requester && draft.ticket.status.is_open() { wish(s, mail, from) } else { None };
    pass_on(draft, mail, from, !takes_part, &learned, wish)
}

/// What the requester's few words propose to do with a ticket in work.
fn wish(s: &Situation, mail: &Mail, from: &Mailbox) -> Option<Action> {
    let asked = mail.inbound.kind.is_human() && mail.inbound.kind != Kind::Forward && !has_files(mail);
    let words = own_words(&s.policy.key, &mail.inbound, &from.address);
    match answer::wish(&words).filter(|_| asked)? {
        Wish::Solved => Some(Action::Resolve),
        Wish::Withdrawn => Some(Action::Cancel),
    }
}

/// Nothing that others wait for: thanks, or facts about the writer's own person.
fn says_nothing(s: &Situation, mail: &Mail, from: &Mailbox) -> bool {
    let words = own_words(&s.policy.key, &mail.inbound, &from.address);
    let polite = matches!(read_answer(&words, mail), Answer::Polite) && !answer::says_more(&words);
    (polite || fields::is_form(&words)) && !has_files(mail)
}

/// Nothing but who the requester is, as the acknowledgement asks for it.
fn is_about_person(words: &str) -> bool {
    let person = [Field::Name, Field::Department, Field::EmployeeId, Field::Contact];
    fields::is_form(words) && fields::extract(words).keys().all(|field| person.contains(field))
}

/// More about a request whose approval is asked: the owners read it anew (`hardening.md` S15). Thanks change nothing.
fn edit(s: &Situation, on: &Candidate, mail: &Mail, from: &Mailbox, draft: &mut Draft) {
    let words = own_words(&s.policy.key, &mail.inbound, &from.address);
    let polite = matches!(read_answer(&words, mail), Answer::Polite) && !answer::says_more(&words) && !has_files(mail);
    let nothing_new = polite || (is_about_person(&words) && !has_files(mail));
    if mail.inbound.kind.is_human() && !nothing_new {
        approval::ask::asked_anew(draft, on, mail, &words);
    }
}

/// Thanks, long after the ticket was closed: no reason for a new one.
pub fn wants_nothing(s: &Situation, mail: &Mail, from: &Mailbox) -> bool {
    let words = own_words(&s.policy.key, &mail.inbound, &from.address);
    let content = matches!(
        read_answer(&words, mail),
        Answer::Polite | Answer::Confirmed | Answer::Rated(Rating::Satisfied | Rating::Mostly)
    );
    content && mail.inbound.kind.is_human() && !answer::says_more(&words) && !has_files(mail)
}

fn has_files(mail: &Mail) -> bool {
    mail.inbound.files_of(&mail.inbound.body).next().is_some()
}

/// What the words say; no words and nothing else, as a slip of the thumb sends it, say nothing.
/// What was passed on is somebody else's, and no answer.
fn read_answer(words: &str, mail: &Mail) -> Answer {
    match mail.inbound.kind {
        Kind::Forward => Answer::Other,
        _ if words.trim().is_empty() && !has_files(mail) => Answer::Polite,
        _ => answer::read(words),
    }
}

/// A closed ticket takes answers for some days, from those who took part (S23); later it stays an archive.
fn may_return(s: &Situation, on: &Candidate, takes_part: bool, now: Timestamp) -> bool {
    let closed = on.ticket.closed.unwrap_or(on.ticket.updated);
    takes_part && now.since(closed) <= s.policy.satisfaction.reopen_within
}

fn join(draft: &mut Draft, mail: &Mail) {
    let number = draft.ticket.number;
    draft.effect(Effect::Join { number, visibility: Visibility::Public });
    draft.record(What::Message, first_line(&mail.inbound.body.text));
}

pub fn first_line(text: &str) -> String {
    text.lines().map(str::trim).find(|l| !l.is_empty()).unwrap_or("").chars().take(120).collect()
}

/// Facts in the new text fill what was missing; those in the form of the acknowledgement, also where it is quoted, count
/// before what was only guessed.
fn learn(s: &Situation, draft: &mut Draft, mail: &Mail) -> Learned {
    let words = own_words(&s.policy.key, &mail.inbound, &draft.ticket.requester.address);
    let mut stated = fields::extract_from_form(&mail.inbound.full_text);
    for (field, value) in fields::extract_labelled(&words) {
        stated.entry(field).or_insert(value);
    }
    let entry = s.policy.directory.find(&draft.ticket.requester.address);
    let guessed = fields::extract(&mail.inbound.body.text);
    let learned = registration::learn(&mut draft.ticket.fields, &stated, &guessed, entry);
    for contradiction in &learned.odd {
        draft.record(What::Note, contradiction.told(s.policy.desk.language));
    }
    let person = intake::person(&draft.ticket);
    draft.effect(Effect::Remember(draft.ticket.requester.clone(), person));
    learned
}

/// Further words on a ticket in work: to whoever works on it.
fn pass_on(
    mut draft: Draft,
    mail: &Mail,
    from: &Mailbox,
    stranger: bool,
    learned: &Learned,
    wish: Option<Action>,
) -> Vec<Effect> {
    let answers = !stranger && mail.inbound.kind.is_human();
    if draft.ticket.status == Status::Pending && draft.ticket.wait == Some(Wait::Requester) && answers {
        draft.become_status(Status::InProgress, "");
    }
    match wish {
        _ if learned.by_form && !(learned.facts.is_empty() && learned.odd.is_empty()) => {
            tell_completed(&mut draft, mail, from, learned);
        }
        Some(action) => propose(&mut draft, mail, from, action),
        None => send_to_owner(&mut draft, mail, from, stranger),
    }
    draft.finish()
}

/// To whoever has the ticket as a question that one word answers; the others read it as it is.
fn propose(draft: &mut Draft, mail: &Mail, from: &Mailbox, action: Action) {
    send_to_owner(draft, mail, from, false);
    let cause = format!("{}-{}-{}", action.as_str(), draft.ticket.cycle, cause(mail));
    let (author, body) = (from.called().to_owned(), mail.inbound.body.clone());
    let number = draft.ticket.number;
    if let Some(letter) = draft.letter_to_assignee() {
        let reader = letter.to.mailbox.address.key().to_owned();
        letter.content = Content::Proposal { action, author, body };
        letter.key = format!("{number}/proposal/{cause}/{reader}");
        draft.record(What::Proposed { action }, "");
    }
}

/// Whether the words hold anything but the filled form; whoever answers below the labels leaves the bare values.
fn says_more(words: &str, learned: &Learned) -> bool {
    let told = learned.facts.iter().map(|(_, value)| value).chain(learned.odd.iter().map(|odd| &odd.said));
    let values: Vec<String> = told.map(|value| fold(value)).collect();
    let rest: Vec<&str> = words.lines().filter(|line| !values.contains(&fold(line))).collect();
    let rest = rest.join("\n");
    !rest.trim().is_empty() && !fields::is_form(&rest)
}

/// The form came back: the facts once, and the words only where there are others.
fn tell_completed(draft: &mut Draft, mail: &Mail, from: &Mailbox, learned: &Learned) {
    let words = own_words(&draft.policy.key, &mail.inbound, &from.address).into_owned();
    let whole = words == mail.inbound.body.text;
    let (attachments, kept) = draft.fitting(&mail.inbound.attachments);
    let body = if whole { mail.inbound.body.clone() } else { Body { text: words.clone(), html: None } };
    let body = Some(body).filter(|_| says_more(&words, learned));
    for reader in draft.circle().into_iter().filter(|reader| reader.mailbox.address != from.address) {
        let facts = learned.facts.iter().map(|(field, value)| Fact { field: *field, value: value.clone() }).collect();
        let odd = learned.odd.iter().map(|contradiction| contradiction.told(reader.language)).collect();
        let to_supervisor = draft.policy.engineer(&reader.mailbox.address).is_none();
        let (author, body, kept) = (from.called().to_owned(), body.clone(), kept.clone());
        let content = Content::Completed { author, facts, odd, body, kept, to_supervisor };
        draft.letter(reader, &cause(mail), content).attachments = attachments.clone();
    }
}

pub fn send_to_owner(draft: &mut Draft, mail: &Mail, from: &Mailbox, stranger: bool) {
    let (attachments, kept) = draft.fitting(&mail.inbound.attachments);
    if !stranger && mail.inbound.kind.is_human() {
        let author = copies::reader(draft.policy, &draft.ticket, from);
        draft.tell_kept(author, kept.clone());
    }
    let copied = draft.ticket.copied.iter().any(|person| person.address == from.address);
    let writer = match (stranger, copied) {
        (true, _) => Writer::Stranger,
        (_, true) => Writer::Copied,
        _ => Writer::Participant,
    };
    let outside = copies::named(draft.policy, &mail.inbound, &draft.ticket).outside;
    let outside: Vec<Address> = outside.into_iter().map(|person| person.address).collect();
    for reader in draft.circle().into_iter().filter(|reader| reader.mailbox.address != from.address) {
        let (author, address) = (from.called().to_owned(), from.address.clone());
        let to_supervisor = draft.policy.engineer(&reader.mailbox.address).is_none();
        let (body, kept) = (mail.inbound.body.clone(), kept.clone());
        let outside = outside.clone();
        let expiring = mail.inbound.links_expire();
        let content = Content::Message { author, address, body, kept, writer, to_supervisor, outside, expiring };
        draft.letter(reader, &cause(mail), content).attachments = attachments.clone();
    }
}

/// One letter for one incoming message: its digest tells causes apart.
pub fn cause(mail: &Mail) -> String {
    mail.inbound.identity.hex()[..16].to_owned()
}

/// The requester answers the question whether all is well. Whatever else they say reaches the engineer.
fn confirm(s: &Situation, on: &Candidate, mail: &Mail, mut draft: Draft) -> Vec<Effect> {
    let from = draft.ticket.requester.clone();
    let words = own_words(&s.policy.key, &mail.inbound, &from.address);
    let resolved = on.ticket.status == Status::Resolved;
    let cancelled = on.ticket.status == Status::Cancelled;
    let says_more = answer::says_more(&words) || has_files(mail);
    match read_answer(&words, mail) {
        // What was never done is not rated: it is wanted after all, or it is not.
        Answer::Rated(Rating::Dissatisfied) | Answer::NotSolved if cancelled => {
            draft.reopen(first_line(&words));
            send_to_owner(&mut draft, mail, &from, false);
            draft.finish()
        }
        Answer::Rated(_) if cancelled => {
            send_to_owner(&mut draft, mail, &from, false);
            draft.finish()
        }
        Answer::Rated(Rating::Dissatisfied) | Answer::NotSolved => {
            dissatisfied(s, on, &mut draft, &words, &mail.inbound.attachments);
            draft.finish()
        }
        Answer::Rated(rating) => {
            rate(&mut draft, rating, &first_line(&words));
            thank(s, mail, draft, says_more)
        }
        Answer::Confirmed if resolved => {
            draft.become_status(Status::Closed, first_line(&words));
            thank(s, mail, draft, says_more)
        }
        Answer::Polite | Answer::Confirmed if !says_more => {
            if resolved {
                clarify(s, mail, draft)
            } else {
                draft.finish()
            }
        }
        Answer::Polite | Answer::Confirmed | Answer::Ambiguous => {
            send_to_owner(&mut draft, mail, &from, false);
            if resolved { clarify(s, mail, draft) } else { draft.finish() }
        }
        // The form of the acknowledgement, filled in late.
        Answer::Other if fields::is_form(&words) => {
            send_to_owner(&mut draft, mail, &from, false);
            draft.finish()
        }
        Answer::Other => {
            draft.reopen(first_line(&words));
            send_to_owner(&mut draft, mail, &from, false);
            draft.finish()
        }
    }
}

fn thank(s: &Situation, mail: &Mail, mut draft: Draft, says_more: bool) -> Vec<Effect> {
    if says_more {
        let from = draft.ticket.requester.clone();
        send_to_owner(&mut draft, mail, &from, false);
    }
    if intake::may_acknowledge(s, &mail.inbound) {
        let closing = if draft.ticket.rating.is_some() { Closing::Rated } else { Closing::Confirmed };
        let reader = draft.requester();
        let content = Content::Closed { closing };
        draft.letter(reader, &cause(mail), content).answers = mail.inbound.message_id.clone();
    }
    draft.finish()
}

/// An answer that can be read two ways: asked back once in a cycle, and nothing changes.
fn clarify(s: &Situation, mail: &Mail, mut draft: Draft) -> Vec<Effect> {
    if !draft.ticket.asked && intake::may_acknowledge(s, &mail.inbound) {
        draft.ticket.asked = true;
        let rating = links(s.policy, &draft.ticket, draft.now);
        let (reader, cycle) = (draft.requester(), draft.ticket.cycle.to_string());
        draft.letter(reader, &cycle, Content::Clarify { rating }).answers = mail.inbound.message_id.clone();
    }
    draft.finish()
}

fn rate(draft: &mut Draft, rating: Rating, comment: &str) {
    draft.ticket.rating = Some(rating);
    draft.record(What::Rated { rating }, comment);
    let (number, cycle) = (draft.ticket.number, draft.ticket.cycle);
    draft.effect(Effect::Rate { number, cycle, rating, comment: comment.to_owned() });
    if rating != Rating::Dissatisfied && draft.may_become(Status::Closed) {
        draft.become_status(Status::Closed, "");
    }
}

/// 不满意: another, more senior engineer takes over, and the supervisor is told (`design.md` section 1, stage 5).
fn dissatisfied(s: &Situation, on: &Candidate, draft: &mut Draft, comment: &str, files: &[Arc<Attachment>]) {
    rate(draft, Rating::Dissatisfied, &first_line(comment));
    let before = on.ticket.assignee.clone();
    draft.reopen("");
    draft.ticket.rating = Some(Rating::Dissatisfied);
    let earlier = earlier_assignees(on);
    let than = before.as_ref().unwrap_or(&draft.ticket.requester.address);
    let requester = &draft.ticket.requester.address;
    let next = assign::more_senior(s.policy, draft.ticket.category, than, requester, &earlier, &s.loads, draft.now);
    if let Some(next) = next {
        draft.allot(Some(next.address()));
    }
    let name = |a: Option<&Address>| a.and_then(|a| s.policy.engineer(a)).map(|e| e.reader.mailbox.called().to_owned());
    let (before, now) = (name(before.as_ref()), name(draft.ticket.assignee.as_ref()));
    // A link can be pressed to and fro, which takes the round back: the version tells one time from another.
    let cause = format!("{}-{}", draft.ticket.cycle, on.ticket.version);
    let comment: String = comment.chars().take(4000).collect();
    let requester = draft.requester();
    let ask_why = comment.trim().is_empty() || answer::is_bare(&comment);
    draft.letter(requester, &cause, Content::Reopened { engineer: now.clone(), ask_why });
    let due = follow_up::due(draft);
    draft.schedule(TimerKind::FollowUp, due);
    if let Some(owner) = draft.owner() {
        let reason = NoticeReason::Reopened { comment: comment.clone() };
        let (missing, kept, warnings) = (Vec::new(), Vec::new(), Vec::new());
        let content = Content::Notice {
            reason,
            body: on.description.clone(),
            missing,
            may_belong_to: None,
            kept,
            warnings,
            similar: Vec::new(),
        };
        let (attachments, _) = draft.fitting(files);
        let letter = draft.letter(owner, &cause, content);
        (letter.attachments, letter.with_first_files) = (attachments, true);
    }
    // The supervisor hears of it in a letter of its own.
    if team::is_urgent(draft.ticket.priority) {
        let supervisor = s.policy.supervisor(draft.now);
        draft.call_team(&cause, &on.description, |reader| Some(reader) == supervisor.as_ref());
    }
    if let Some(supervisor) = s.policy.supervisor(draft.now) {
        draft.letter(supervisor, &cause, Content::Dissatisfied { before, now, comment, due });
    }
    let called = draft.circle().into_iter().map(|reader| reader.mailbox.address);
    let people = draft.ticket.assignee.clone().into_iter().chain(called).collect();
    draft.effect(Effect::Participants(draft.ticket.number, people));
}

/// Everybody who had the ticket, the present one last.
fn earlier_assignees(on: &Candidate) -> Vec<Address> {
    let had = on.timeline.iter().filter_map(|e| match &e.what {
        What::Assigned { to, .. } => to.clone(),
        _ => None,
    });
    had.chain(on.ticket.assignee.clone()).collect()
}

/// A rating link was posted. Changeable until the link expires: also after the ticket was closed or reopened by it.
pub fn rated(s: &Situation, on: &Candidate, cycle: i64, rating: Rating, comment: &str, now: Timestamp) -> Vec<Effect> {
    let who = Who::Person(on.ticket.requester.address.clone());
    let mut draft = Draft::of(s.policy, &on.ticket, who, now);
    draft.remember(&on.timeline);
    match (Standing::of(&on.ticket, cycle), rating) {
        (Standing::Over, _) => return Vec::new(),
        // The same once more: only further words are news.
        _ if on.ticket.rating == Some(rating) => {
            if comment.trim().is_empty() {
                return Vec::new();
            }
            draft.record(What::Rated { rating }, comment);
            let (number, comment) = (on.ticket.number, comment.to_owned());
            draft.effect(Effect::Rate { number, cycle, rating, comment });
        }
        (Standing::Open, Rating::Dissatisfied) => dissatisfied(s, on, &mut draft, comment, &[]),
        (Standing::Open, _) => rate(&mut draft, rating, comment),
        // The wrong button was pressed first: what it started is taken back.
        (Standing::ReopenedByIt, _) => {
            draft.ticket.cycle = cycle;
            rate(&mut draft, rating, comment);
            tell_taken_back(s, on, &mut draft, rating, comment);
        }
    }
    draft.finish()
}

/// Whoever was called for "not satisfied" can stop.
fn tell_taken_back(s: &Situation, on: &Candidate, draft: &mut Draft, rating: Rating, comment: &str) {
    let cause = format!("{}-{}", on.ticket.cycle, on.ticket.version);
    let mut readers: Vec<_> = draft.owner().into_iter().chain(s.policy.supervisor(draft.now)).collect();
    readers.dedup();
    readers.retain(|reader| reader.mailbox.address != on.ticket.requester.address);
    for reader in readers {
        draft.letter(reader, &cause, Content::TakenBack { rating, comment: comment.chars().take(4000).collect() });
    }
}

/// The three links of a ticket's present cycle.
pub fn links(policy: &Policy, ticket: &Ticket, now: Timestamp) -> RatingLinks {
    let link = |rating| {
        let expires = now + policy.satisfaction.link_valid;
        let token = policy.key.sign_rating(&RatingLink { number: ticket.number, cycle: ticket.cycle, rating, expires });
        policy.desk.public_url.as_ref().map(|url| format!("{url}/s/{token}"))
    };
    RatingLinks {
        satisfied: link(Rating::Satisfied),
        mostly: link(Rating::Mostly),
        dissatisfied: link(Rating::Dissatisfied),
    }
}
