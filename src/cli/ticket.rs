//! `maildesk ticket`: what the desk knows, read only.

use super::Failure;
use crate::config::Config;
use crate::desk::approval::Approval;
use crate::desk::escalation::{self, Planned};
use crate::desk::link::Key;
use crate::desk::review::Review;
use crate::desk::ticket::{Entry, Number, Ticket, Who};
use crate::desk::words::Language;
use crate::mail::phrases;
use crate::store::{Store, StoredMessage, TicketFilter};
use anyhow::{Context as _, anyhow};
use chrono_tz::Tz;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;

async fn store(config: &Config) -> Result<Store, Failure> {
    Store::open(config.database.expose_secret()).await.map_err(|error| Failure::Failed(error.into()))
}

/// Tickets, newest first.
///
/// # Errors
/// The store's.
pub async fn list(config: Config, as_json: bool, out: &mut impl Write) -> Result<(), Failure> {
    let store = store(&config).await?;
    let mut offset = 0;
    loop {
        let filter = TicketFilter { limit: 500, offset, ..TicketFilter::default() };
        let tickets = store.tickets(&filter).await.context("cannot list tickets")?;
        for ticket in &tickets {
            match as_json {
                true => writeln!(out, "{}", json!(ticket))?,
                false => writeln!(out, "{}", line(ticket, config.desk.zone))?,
            }
        }
        if tickets.is_empty() && offset == 0 && !as_json {
            writeln!(out, "no tickets yet")?;
        }
        if tickets.len() < 500 {
            return Ok(());
        }
        offset += 500;
    }
}

fn line(ticket: &Ticket, zone: Tz) -> String {
    let created = ticket.created.at_zone(zone).format("%Y-%m-%d %H:%M");
    let assignee = ticket.assignee.as_ref().map_or("-", |a| a.as_str());
    let (number, priority) = (ticket.number.to_string(), ticket.priority.as_str());
    let (category, status) = (ticket.category.as_str(), ticket.status.as_str());
    format!("{number:<7} {created}  {priority}  {category:<13} {status:<11} {assignee:<28} {}", ticket.subject)
}

/// One ticket with its timeline, messages and letters; `save` writes its files into a folder.
///
/// # Errors
/// When there is no such ticket, or the store's.
pub async fn show(
    config: Config,
    number: Number,
    as_json: bool,
    save: Option<&Path>,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let store = store(&config).await?;
    let ticket = store.ticket(number).await.context("cannot read the ticket")?;
    let ticket = ticket.ok_or_else(|| Failure::Failed(anyhow!("there is no ticket {number}")))?;
    let timeline = store.timeline(number).await.context("cannot read the timeline")?;
    let approval = store.approval(number).await.context("cannot read the approval")?;
    let reviews = store.reviews_of(&[number]).await.context("cannot read the reviews")?;
    let messages = store.messages(number).await.context("cannot read the messages")?;
    let letters = store.outbox_of(number).await.context("cannot read the letters")?;
    if let Some(folder) = save {
        write_files(&store, &messages, folder).await?;
    }
    let ladder = escalation::plan(&config.policy(Key([0; 32])), &ticket);
    if as_json {
        let letters: Vec<Value> = letters
            .iter()
            .map(|l| json!({"to": l.to, "letter": l.template, "state": l.state.as_str(), "error": l.answer}))
            .collect();
        let messages: Vec<Value> = messages.iter().map(message_json).collect();
        let approval = approval.as_ref().map(approval_json);
        let whole = json!({
            "ticket": ticket, "ladder": ladder, "approval": approval, "reviews": reviews, "timeline": timeline, "messages": messages,
            "letters": letters,
        });
        return Ok(writeln!(out, "{whole}")?);
    }
    let zone = config.desk.zone;
    writeln!(out, "{}", line(&ticket, zone))?;
    let due = |at: crate::time::Timestamp| at.at_zone(zone).format("%Y-%m-%d %H:%M").to_string();
    writeln!(out, "requester {} <{}>", ticket.requester.name, ticket.requester.address)?;
    let state =
        |at: Option<crate::time::Timestamp>, word: &str| at.map_or(String::new(), |at| format!("  {word} {}", due(at)));
    writeln!(out, "first response due {}{}", due(ticket.response_due), state(ticket.answered, "given"))?;
    writeln!(out, "resolution due     {}{}", due(ticket.resolution_due), state(ticket.resolved, "given"))?;
    if let Some(approval) = &approval {
        writeln!(out, "{}", approval_line(approval, zone))?;
    }
    for review in &reviews {
        writeln!(out, "{}", review_line(review))?;
    }
    let terms: Vec<&str> = ticket.matched.iter().map(|t| t.term.as_str()).collect();
    writeln!(out, "sorted by: {}\n", terms.join(", "))?;
    for rung in &ladder {
        writeln!(out, "  {}", rung_line(rung, zone))?;
    }
    writeln!(out)?;
    for entry in &timeline {
        writeln!(out, "  {}", entry_line(entry, zone, config.desk.language))?;
    }
    writeln!(out)?;
    for message in &messages {
        let from = message.from.as_ref().map_or_else(|| "?".to_owned(), |m| m.address.to_string());
        writeln!(
            out,
            "  message {} from {from} ({} files): {}",
            due(message.arrived),
            message.attachments.len(),
            message.subject
        )?;
    }
    for letter in &letters {
        let error = letter.answer.as_str();
        writeln!(out, "  letter {} to {}: {} {error}", letter.template, letter.to, letter.state.as_str())?;
    }
    Ok(())
}

/// Messages of no ticket shown at most, the newest.
const MOST_ASIDE: i64 = 1000;

/// What belongs to no ticket: the newest first, with the reason; `save` writes the bytes into a folder, numbered as
/// listed.
///
/// # Errors
/// The store's.
pub async fn aside(config: Config, save: Option<&Path>, out: &mut impl Write) -> Result<(), Failure> {
    let store = store(&config).await?;
    let messages = store.set_aside(MOST_ASIDE).await.context("cannot list messages")?;
    if messages.is_empty() {
        writeln!(out, "nothing was set aside")?;
    }
    for (i, message) in messages.iter().enumerate() {
        let arrived = message.arrived.at_zone(config.desk.zone).format("%Y-%m-%d %H:%M");
        let from = message.from.as_ref().map_or("?", |m| m.address.as_str());
        let why = message.set_aside.as_deref().unwrap_or_default();
        writeln!(out, "{:03}  {arrived}  {why:<24} {from:<28} {}", i + 1, message.subject)?;
    }
    if let Some(folder) = save {
        write_files(&store, &messages, folder).await?;
    }
    Ok(())
}

/// `approval of ERP    asked 2026-11-23 10:00  approved 2026-11-23 14:30  lead time 4h30m  sun.hao@example.com`
fn approval_line(approval: &Approval, zone: Tz) -> String {
    let time = |at: crate::time::Timestamp| at.at_zone(zone).format("%Y-%m-%d %H:%M").to_string();
    let people: Vec<&str> = approval.people.iter().map(|voice| voice.who.as_str()).collect();
    let end = approval.decided.map(|at| {
        // Whole minutes are enough for a person.
        let minutes = approval.lead_time(at).as_secs() / 60 * 60;
        let lead = crate::time::format_duration(std::time::Duration::from_secs(minutes));
        format!("  {} {}  lead time {lead}", approval.state.as_str(), time(at))
    });
    let (module, asked) = (&approval.module, time(approval.since));
    format!("approval of {module}    asked {asked}{}  {}", end.unwrap_or_default(), people.join(", "))
}

/// `PIR001 planned  owner Li Na  due 2026-12-11  root cause: …`
pub(super) fn review_line(review: &Review) -> String {
    let form = &review.form;
    let parts = [("owner", &form.owner), ("root cause:", &form.cause), ("corrective:", &form.corrective)];
    let parts = parts.into_iter().chain([("preventive:", &form.preventive)]);
    let told = parts.filter(|(_, text)| !text.is_empty());
    let told: String = told.map(|(label, text)| format!("  {label} {}", text.replace('\n', " "))).collect();
    let due = form.due.map_or(String::new(), |due| format!("  due {due}"));
    format!("{} {}{due}{told}", review.name(), review.state.as_str())
}

/// Without what only the daemon needs: who was mailed a code, and when.
pub(super) fn approval_json(approval: &Approval) -> Value {
    let people: Vec<Value> =
        approval.people.iter().map(|voice| json!({"address": voice.who, "said": voice.said})).collect();
    let lead = approval.decided.map(|at| approval.lead_time(at).as_secs());
    json!({
        "module": approval.module, "version": approval.version, "state": approval.state, "request": approval.request,
        "asked": approval.since, "decided": approval.decided, "lead_seconds": lead, "people": people,
    })
}

/// A rung of the ladder, and whether it was climbed.
fn rung_line(rung: &Planned, zone: Tz) -> String {
    let at = rung.at.at_zone(zone).format("%Y-%m-%d %H:%M");
    let to: Vec<&str> = rung.to.iter().map(|role| role.as_str()).collect();
    let state = match (rung.climbed, rung.stands) {
        (true, _) => "told",
        (false, true) => "not needed now",
        (false, false) => "to come",
    };
    format!("{at}  {:<10} {:>4}%  {:<32} {state}", rung.clock.as_str(), rung.percent, to.join(" "))
}

fn entry_line(entry: &Entry, zone: Tz, language: Language) -> String {
    let time = entry.at.at_zone(zone).format("%Y-%m-%d %H:%M");
    let who = match &entry.who {
        Who::Desk => "-",
        Who::Person(address) => address.as_str(),
    };
    format!("{time}  {who}  {}  {}", phrases::happened(&entry.what, language), entry.why.replace('\n', " "))
}

fn message_json(message: &StoredMessage) -> Value {
    let files: Vec<Value> = message
        .attachments
        .iter()
        .map(|a| json!({"name": a.name, "type": a.media_type, "bytes": a.bytes, "digest": a.digest.hex()}))
        .collect();
    json!({"from": message.from, "subject": message.subject, "text": message.body.text, "arrived": message.arrived, "files": files})
}

/// Messages as `.eml`, attachments under their names with the digest in front, so that none hides another.
async fn write_files(store: &Store, messages: &[StoredMessage], folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder)?;
    for (i, message) in messages.iter().enumerate() {
        if let Some(raw) = store.whole(message.id).await.context("cannot read a message")? {
            std::fs::write(folder.join(format!("{:03}.eml", i + 1)), raw)?;
        }
        for file in &message.attachments {
            if let Some(bytes) = store.blob(file.digest).await.context("cannot read an attachment")? {
                std::fs::write(
                    folder.join(format!("{:03}-{}-{}", i + 1, &file.digest.hex()[..8], tail(&file.name))),
                    bytes,
                )?;
            }
        }
    }
    Ok(())
}

/// The end of a name, with its extension: together with what stands before it no longer than file systems take.
fn tail(name: &str) -> &str {
    let start = (name.len().saturating_sub(200)..name.len()).find(|at| name.is_char_boundary(*at));
    start.map_or(name, |start| &name[start..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;
    use crate::desk::approval::{State, Voice};
    use crate::time::Timestamp;

    #[test]
    fn an_approval_shows_when_it_was_asked_and_how_long_it_took() {
        let at = |text: &str| Timestamp::parse(&format!("2026-11-{text}+08:00")).unwrap();
        let who = Address::parse("sun.hao@corp.example").unwrap();
        let mut approval = Approval {
            version: 2,
            module: "ERP".into(),
            request: "x".into(),
            note: String::new(),
            state: State::Asked,
            since: at("23T10:00:00"),
            asked: at("23T11:00:00"),
            decided: None,
            substituted: false,
            people: vec![Voice { who, said: None, code: None, codes: 0 }],
        };
        let check = |approval: &Approval, shown: &str| {
            assert_eq!(approval_line(approval, chrono_tz::Asia::Shanghai), shown);
        };
        check(&approval, "approval of ERP    asked 2026-11-23 10:00  sun.hao@corp.example");
        (approval.state, approval.decided) = (State::Approved, Some(at("23T14:30:40")));
        let shown = "approval of ERP    asked 2026-11-23 10:00  approved 2026-11-23 14:30  lead time 4h30m  sun.hao@corp.example";
        check(&approval, shown);
        assert_eq!(approval_json(&approval)["lead_seconds"], 16_240);
    }
}
