//! Reports that reach the desk through somebody else: an engineer registers a phone call, a visit at the counter or a chat
//! with `#for`, or forwards a mail; a machine passes on a voice message or a scan. The one whose report it is becomes the
//! requester.

use crate::address::{Address, Mailbox};
use crate::desk::command::{self, Command, CommandLine, Hint};
use crate::desk::directory::numbers;
use crate::desk::draft::Draft;
use crate::desk::event::{Behalf, Effect, Mail, Person, Situation};
use crate::desk::inbound::{Body, Forwarded, Inbound, Kind};
use crate::desk::intake::Sorted;
use crate::desk::policy::{Channel, Policy, Reader};
use crate::desk::thread::plain_subject;
use crate::desk::ticket::{Fields, Number, What};
use crate::desk::words::{Field, Language, Way};
use crate::desk::{assign, fields, hush, intake, machine, registration};
use crate::time::Timestamp;

/// So many lines of a machine's text are searched for the caller.
const LINES: usize = 10;

/// The person an engineer names: by address, or by a name, number or employee number that the directory has once.
///
/// # Errors
/// The hint for the engineer: nobody, or several.
pub fn person(policy: &Policy, who: &str) -> Result<Mailbox, Hint> {
    let nobody = || Hint::NoPerson { name: who.chars().take(80).collect() };
    let parts = who.split(|c: char| c.is_whitespace() || "<>()[]（），,;；\"".contains(c));
    let address = parts.filter_map(Address::parse).find(|address| address.as_str().contains('@'));
    if let Some(address) = address {
        let name = who.split(address.as_str()).next().unwrap_or("").trim_matches([' ', '<', '"', '(', '（']);
        let person = known_as(policy, Mailbox::new(address, name));
        let machine = policy.desk.is_own(&person.address) || policy.channel(&person.address).is_some();
        return if machine { Err(nobody()) } else { Ok(person) };
    }
    let entry = policy.directory.by_word(who).or_else(|| policy.directory.by_number(who)).ok_or_else(nobody)?;
    let address = entry.addresses.first().cloned().ok_or_else(nobody)?;
    Ok(Mailbox::new(address, entry.name.clone()))
}

/// Under the main address and the name that the directory has.
fn known_as(policy: &Policy, who: Mailbox) -> Mailbox {
    let main = policy.directory.find(&who.address).and_then(|entry| entry.addresses.first()).cloned();
    registration::called(policy, &Mailbox::new(main.unwrap_or(who.address), who.name))
}

/// Who wrote what an engineer forwards, when it can be told and somebody can be answered.
fn sender(policy: &Policy, forwarded: &Forwarded) -> Option<Mailbox> {
    let known = || person(policy, &forwarded.name).ok();
    let address = forwarded.address.clone().map(|address| Mailbox::new(address, forwarded.name.clone()));
    let sender = known_as(policy, address.or_else(known)?);
    let answerable = !policy.desk.is_own(&sender.address) && !hush::nobody_reads(sender.address.local());
    answerable.then_some(sender)
}

fn named(inbound: &Inbound) -> Option<Result<Command, Hint>> {
    let line = inbound.commands.iter().find(|line| command::canonical(&line.word) == Some("for"))?;
    Some(command::read(line))
}

/// An engineer's forward means `#for` its sender: the mail with that order written out. `None` when it says so itself, or
/// there is nothing to write out.
pub fn spelled_out(policy: &Policy, inbound: &Inbound, engineer: &Address) -> Option<Inbound> {
    if inbound.kind != Kind::Forward || inbound.commands_doubtful || named(inbound).is_some() {
        return None;
    }
    let sender = sender(policy, inbound.forwarded.as_deref()?)?;
    if sender.address == *engineer {
        return None;
    }
    let mut spelled = inbound.clone();
    let word = inbound.language.pick("代报", "for").to_owned();
    let value = match sender.name.trim() {
        "" => sender.address.to_string(),
        name => format!("{name} <{}>", sender.address),
    };
    spelled.commands.insert(0, CommandLine { word, value });
    Some(spelled)
}

/// A forward whose sender nobody can tell.
pub fn is_riddle(policy: &Policy, inbound: &Inbound, engineer: &Address) -> bool {
    let own = inbound.forwarded.as_ref().is_some_and(|f| f.address.as_ref() == Some(engineer));
    inbound.kind == Kind::Forward
        && !own
        && named(inbound).is_none()
        && spelled_out(policy, inbound, engineer).is_none()
}

/// Whom a mail reports for, as far as the mail alone tells: what is remembered of them is needed, too.
pub fn target(policy: &Policy, inbound: &Inbound) -> Option<Address> {
    let from = &inbound.from.as_ref()?.address;
    if policy.channel(from).is_some() {
        return caller(policy, inbound).map(|caller| caller.address);
    }
    let engineer = policy.engineer(from)?;
    let spelled = spelled_out(policy, inbound, engineer.address());
    match named(spelled.as_ref().unwrap_or(inbound))? {
        Ok(Command::For(who, _)) => person(policy, &who).ok().map(|person| person.address),
        _ => None,
    }
}

/// The situation as it is when that person writes themselves.
pub fn as_theirs<'a>(s: &Situation<'a>) -> Situation<'a> {
    let (sender, counts) = s.behalf.clone().unwrap_or_default();
    Situation { sender, counts, ..s.clone() }
}

/// The engineer's mail as that person's report: their words alone are sorted, and neither signature nor address of the
/// engineer counts.
pub fn as_report(s: &Situation, mail: &Mail, person: &Mailbox, way: Option<Way>) -> Mail {
    let (policy, mut report) = (s.policy, mail.clone());
    let mut words = sorted(policy, &mail.inbound);
    without_own(s, mail, &mut words.fields);
    report.sorted = Some(Box::new(words));
    report.behalf = Some(Behalf {
        by: mail.inbound.from.as_ref().map(|from| from.address.clone()),
        way: way.map(|way| way.name(policy.desk.language).to_owned()),
        unknown: None,
        remark: remark(&mail.inbound).map(str::to_owned),
    });
    let inbound = &mut report.inbound;
    if let Some(forwarded) = inbound.forwarded.as_deref()
        && inbound.kind == Kind::Forward
        && plain_subject(&inbound.subject).is_empty()
    {
        inbound.subject = forwarded.subject.clone();
    }
    inbound.body = reported(inbound);
    inbound.from = Some(person.clone());
    inbound.message_id = None;
    inbound.asks_no_answer = false;
    let remembered = s.behalf.as_ref().and_then(|(person, _)| person.as_ref());
    inbound.language = language(policy, person, remembered).unwrap_or(inbound.language);
    report
}

/// Takes out what the engineer's own signature says of the engineer.
fn without_own(s: &Situation, mail: &Mail, fields: &mut Fields) {
    let Some(from) = &mail.inbound.from else { return };
    let (entry, person) = (s.policy.directory.find(&from.address), s.sender.clone().unwrap_or_default());
    let known = entry.map(|e| [&e.name, &e.department, &e.employee_id, &e.contact]).into_iter().flatten();
    let known: Vec<&String> =
        known.chain([&person.name, &person.department, &person.employee_id, &person.contact]).collect();
    let engineer = s.policy.engineer(&from.address).map_or("", |engineer| engineer.reader.mailbox.called());
    let own_number = |value: &str| {
        let own: Vec<String> = known.iter().flat_map(|text| numbers(text)).collect();
        numbers(value).any(|number| own.contains(&number))
    };
    let own_word = |value: &str| value == engineer || known.iter().any(|known| known.as_str() == value);
    fields.retain(|field, value| match field {
        Field::Contact => !own_number(value),
        Field::Name | Field::Department | Field::EmployeeId => !own_word(value),
        _ => true,
    });
}

fn sorted(policy: &Policy, inbound: &Inbound) -> Sorted {
    let own = plain_subject(&inbound.subject);
    let (subject, text) = match inbound.forwarded.as_deref().filter(|_| inbound.kind == Kind::Forward) {
        Some(forwarded) => (plain_subject(&forwarded.subject), forwarded.body.text.as_str()),
        None => (own.clone(), inbound.after_commands.text.as_str()),
    };
    let subject = if subject.is_empty() { own } else { subject };
    Sorted { verdict: policy.rules.triage(&subject, text), fields: fields::extract(text) }
}

fn language(policy: &Policy, person: &Mailbox, remembered: Option<&Person>) -> Option<Language> {
    let known = policy.directory.find(&person.address).and_then(|entry| entry.language);
    remembered.and_then(|person| person.language).or(known)
}

/// The report itself: what was passed on, or the text below the commands.
fn reported(inbound: &Inbound) -> Body {
    let forwarded = inbound.forwarded.as_deref().filter(|_| inbound.kind == Kind::Forward);
    let passed_on = forwarded.map(|forwarded| &forwarded.body).filter(|body| !body.text.is_empty());
    passed_on.unwrap_or(&inbound.after_commands).clone()
}

/// What is kept as the words of a ticket that this mail opens, when that is not all of it: neither an engineer's orders nor
/// what they wrote above a forward is the requester's.
pub fn kept_words(policy: &Policy, inbound: &Inbound) -> Option<Body> {
    let engineer = policy.engineer(&inbound.from.as_ref()?.address)?;
    let passed_on = spelled_out(policy, inbound, engineer.address()).is_some() || named(inbound).is_some();
    let has_orders = !inbound.commands.is_empty();
    if passed_on { Some(reported(inbound)) } else { has_orders.then(|| inbound.after_commands.clone()) }
}

/// What the engineer wrote above a forward, for colleagues only.
pub fn remark(inbound: &Inbound) -> Option<&str> {
    let forwarded = inbound.forwarded.as_deref().filter(|_| inbound.kind == Kind::Forward)?;
    Some(forwarded.above.trim()).filter(|above| above.chars().any(char::is_alphanumeric))
}

/// The engineer's own ticket becomes that person's, who is told.
pub fn hand_to(s: &Situation, draft: &mut Draft, mail: &Mail, inbound: &Inbound, person: &Mailbox, way: Option<Way>) {
    let (theirs, policy) = (as_theirs(s), s.policy);
    let remembered = theirs.sender.clone().unwrap_or_default();
    let ticket = &mut draft.ticket;
    let personal = [
        Field::Name,
        Field::Department,
        Field::EmployeeId,
        Field::Contact,
        Field::Location,
        Field::Manager,
        Field::Vip,
    ];
    ticket.fields.retain(|field, _| !personal.contains(field));
    if inbound.identity != mail.inbound.identity {
        // The report itself, which was asked about: the answer says nothing of the person.
        let mut told = sorted(policy, inbound).fields;
        without_own(s, mail, &mut told);
        ticket.fields.extend(told);
    }
    let entry = policy.directory.find(&person.address);
    ticket.fields = registration::complete(std::mem::take(&mut ticket.fields), entry, &remembered, person);
    ticket.requester = person.clone();
    ticket.language = language(policy, person, Some(&remembered)).unwrap_or(ticket.language);
    note_way(draft, way);
    if let Some(remark) = remark(inbound) {
        draft.record(What::Note, remark);
    }
    draft.effect(Effect::Participants(draft.ticket.number, vec![person.address.clone()]));
    draft.effect(Effect::Remember(person.clone(), intake::person(&draft.ticket)));
    let report = as_report(s, mail, person, way);
    intake::acknowledge(&theirs, draft, &report);
}

/// How it was reported, when that was told.
pub fn note_way(draft: &mut Draft, way: Option<Way>) {
    if let Some(way) = way {
        let name = way.name(draft.policy.desk.language).to_owned();
        draft.ticket.fields.insert(Field::Channel, name);
    }
}

/// Whom a machine's message is from: a number, an address or a name in its subject or at the top of its text that the
/// directory has once.
pub fn caller(policy: &Policy, inbound: &Inbound) -> Option<Mailbox> {
    let top: Vec<&str> = inbound.full_text.lines().take(LINES).collect();
    std::iter::once(inbound.subject.as_str()).chain(top).find_map(|line| named_in(policy, line))
}

fn named_in(policy: &Policy, line: &str) -> Option<Mailbox> {
    let line: String = line.chars().take(500).collect();
    let words = || {
        line.split(|c: char| c.is_whitespace() || "<>()[]（）【】:：,，;；\"'".contains(c)).filter(|w| !w.is_empty())
    };
    let machine = |address: &Address| policy.channel(address).is_some() || policy.desk.is_own(address);
    let known = |address: &Address| policy.directory.find(address).is_some() || policy.desk.is_colleague(address);
    let by_address = words().filter_map(Address::parse).find(|address| known(address) && !machine(address));
    if let Some(address) = by_address {
        return Some(known_as(policy, Mailbox::new(address, "")));
    }
    let by_number = numbers(&line).find_map(|number| policy.directory.by_number(&number).cloned());
    // A name may be of two or three words.
    let words: Vec<&str> = words().collect();
    let named =
        |length: usize| words.windows(length).find_map(|name| policy.directory.by_word(&name.join(" ")).cloned());
    let by_name = || (1..=3).rev().find_map(named);
    let entry = by_number.or_else(by_name)?;
    Some(Mailbox::new(entry.addresses.first()?.clone(), entry.name))
}

/// A machine passed on a report. The machine itself is never answered; a caller nobody knows is left to the engineer who
/// would get the ticket, until they write `#for`.
pub fn from_machine(
    s: &Situation,
    mail: &Mail,
    channel: &Channel,
    related: Option<Number>,
    now: Timestamp,
) -> Vec<Effect> {
    let theirs = as_theirs(s);
    let caller = caller(s.policy, &mail.inbound);
    let mut report = mail.clone();
    let (inbound, name) = (&mut report.inbound, channel.name.clone());
    (inbound.kind, inbound.message_id) = (Kind::Request, None);
    inbound.asks_no_answer = caller.is_none();
    report.behalf = Some(Behalf {
        by: None,
        way: Some(name.clone()),
        unknown: caller.is_none().then_some(name.clone()),
        remark: None,
    });
    let verdict = mail.sorted(&s.policy.rules).verdict;
    let stand_in = || {
        let chosen = assign::choose(s.policy, verdict.category, verdict.priority, &s.loads, &[], now);
        chosen.map(|engineer| engineer.reader.mailbox.clone())
    };
    let supervisor = || s.policy.supervisor(now).map(|Reader { mailbox, .. }| mailbox);
    let Some(person) = caller.clone().or_else(stand_in).or_else(supervisor) else {
        return machine::set_aside("nobody is there to take it");
    };
    inbound.from = Some(person.clone());
    if let Some(known) = language(s.policy, &person, theirs.sender.as_ref()) {
        report.inbound.language = known;
    }
    let mut draft = intake::begin(&theirs, &report, &person, related, now);
    draft.ticket.fields.insert(Field::Channel, name);
    if caller.is_none() && s.policy.engineer(&person.address).is_some() {
        draft.allot(Some(&person.address));
    }
    intake::finish(&theirs, &report, draft)
}
