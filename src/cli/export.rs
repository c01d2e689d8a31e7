//! `maildesk ticket export`: one ticket with everything that belongs to it, as a folder or a ZIP file.
//!
//! | Name | Holds |
//! |---|---|
//! | `record.json` | the whole record, for programs |
//! | `dossier.html` | the same to read and to print, in the desk's language; needs nothing from elsewhere |
//! | `messages/001.eml` | every message exactly as it came |
//! | `letters/001-acknowledgement.eml` | every letter exactly as it left |
//! | `attachments/001-<digest>-<name>` | the files of message 001 |

use super::Failure;
use super::zip::Zip;
use crate::config::Config;
use crate::desk::approval::Approval;
use crate::desk::archive::parts_used;
use crate::desk::knowledge::article::Article;
use crate::desk::review::Review;
use crate::desk::ticket::{Entry, Number, Ticket, What, Who};
use crate::desk::words::{Field, Language, Status};
use crate::mail::{Templates, phrases};
use crate::store::{OutboxRow, Rated, Store, StoredMessage};
use crate::time::Timestamp;
use anyhow::{Context as _, anyhow};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Everything the desk knows of one ticket.
struct Record {
    ticket: Ticket,
    timeline: Vec<Entry>,
    messages: Vec<StoredMessage>,
    letters: Vec<OutboxRow>,
    ratings: Vec<Rated>,
    people: Vec<String>,
    approval: Option<Approval>,
    article: Option<Article>,
    reviews: Vec<Review>,
    archived: Option<Timestamp>,
}

/// Writes the export; says where.
///
/// # Errors
/// When there is no such ticket, the place is taken, or the store's and the disk's.
pub async fn export(config: Config, number: Number, to: &Path, out: &mut impl Write) -> Result<(), Failure> {
    let store = Store::open(config.database.expose_secret()).await.context("cannot open the database")?;
    let record = read(&store, number).await?.ok_or_else(|| anyhow!("there is no ticket {number}"))?;
    let templates = Templates::load(config.templates.as_deref());
    let templates = templates.map_err(|faults| Failure::Usage(faults.iter().map(ToString::to_string).collect()))?;
    let page = format!("page/{}/dossier.html", config.desk.language.as_str());
    let html = templates.page(&page, &view(&record, &config)).ok_or_else(|| anyhow!("the template {page} fails"))?;
    let mut place = Place::open(to)?;
    place.add("record.json", serde_json::to_string_pretty(&as_json(&record)).unwrap_or_default().as_bytes())?;
    place.add("dossier.html", html.as_bytes())?;
    for (at, message) in record.messages.iter().enumerate() {
        if let Some(raw) = store.whole(message.id).await.context("cannot read a message")? {
            place.add(&message_file(at), &raw)?;
        }
        for (which, file) in message.attachments.iter().enumerate() {
            if let Some(bytes) = store.blob(file.digest).await.context("cannot read an attachment")? {
                place.add(&attachment_file(at, which, message), &bytes)?;
            }
        }
    }
    for (at, letter) in record.letters.iter().enumerate() {
        if let Some(raw) = store.whole(letter.id).await.context("cannot read a letter")? {
            place.add(&letter_file(at, letter), &raw)?;
        }
    }
    let files = place.finish()?;
    writeln!(out, "{number}: {files} files in {}", to.display())?;
    Ok(())
}

async fn read(store: &Store, number: Number) -> Result<Option<Record>, Failure> {
    let Some(ticket) = store.ticket(number).await.context("cannot read the ticket")? else { return Ok(None) };
    let people = store.participants(number).await.context("cannot read who took part")?;
    Ok(Some(Record {
        timeline: store.timeline(number).await.context("cannot read the timeline")?,
        messages: store.messages(number).await.context("cannot read the messages")?,
        letters: store.outbox_of(number).await.context("cannot read the letters")?,
        ratings: store.ratings(number).await.context("cannot read the ratings")?,
        approval: store.approval(number).await.context("cannot read the approval")?,
        article: store.article(number).await.context("cannot read the article")?,
        reviews: store.reviews_of(&[number]).await.context("cannot read the reviews")?,
        archived: store.archived_at(number).await.context("cannot read the archive")?,
        people: people.iter().map(ToString::to_string).collect(),
        ticket,
    }))
}

/// A folder or a ZIP file being filled.
enum Place {
    Folder(PathBuf, usize),
    Zip(Zip<BufWriter<std::fs::File>>, usize),
}

impl Place {
    /// A name that ends in `.zip` is a ZIP file; it must not be there yet, and a folder must be empty.
    fn open(to: &Path) -> Result<Place, Failure> {
        let is_zip = to.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip"));
        let taken = |what: &str| Failure::Failed(anyhow!("{} {what}: choose another place", to.display()));
        if is_zip {
            let mut options = std::fs::OpenOptions::new();
            private(options.write(true).create_new(true));
            let file = options.open(to).map_err(|error| match error.kind() {
                std::io::ErrorKind::AlreadyExists => taken("is there already"),
                _ => Failure::Failed(anyhow!("cannot write {}: {error}", to.display())),
            })?;
            return Ok(Place::Zip(Zip::new(BufWriter::new(file)), 0));
        }
        std::fs::create_dir_all(to).with_context(|| format!("cannot make the folder {}", to.display()))?;
        if std::fs::read_dir(to)?.next().is_some() {
            return Err(taken("is not empty"));
        }
        for part in ["messages", "letters", "attachments"] {
            std::fs::create_dir(to.join(part))?;
        }
        Ok(Place::Folder(to.to_owned(), 0))
    }

    fn add(&mut self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        match self {
            Place::Folder(folder, files) => {
                *files += 1;
                let mut options = std::fs::OpenOptions::new();
                private(options.write(true).create_new(true));
                options.open(folder.join(name)).and_then(|mut file| file.write_all(bytes))?;
            }
            Place::Zip(zip, files) => {
                *files += 1;
                zip.add(name, bytes)?;
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<usize, Failure> {
        match self {
            Place::Folder(_, files) => Ok(files),
            Place::Zip(zip, files) => {
                zip.finish()?.into_inner().map_err(|error| error.into_error())?.sync_all()?;
                Ok(files)
            }
        }
    }
}

/// It holds people's mail: only its owner reads it.
fn private(options: &mut std::fs::OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600);
}

fn message_file(at: usize) -> String {
    format!("messages/{:03}.eml", at + 1)
}

fn letter_file(at: usize, letter: &OutboxRow) -> String {
    format!("letters/{:03}-{}.eml", at + 1, letter.template)
}

/// Two files of one name, or the same file twice, are two files here.
fn attachment_file(at: usize, which: usize, message: &StoredMessage) -> String {
    let file = &message.attachments[which];
    format!("attachments/{:03}-{:02}-{}-{}", at + 1, which + 1, &file.digest.hex()[..8], safe(&file.name))
}

/// A name that means the same to every system: no path, nothing reserved, no dots at its ends, not too long.
fn safe(name: &str) -> String {
    let odd = |c: char| c.is_control() || "/\\:*?\"<>|".contains(c);
    let plain: String = name.chars().map(|c| if odd(c) { '_' } else { c }).collect();
    let plain = plain.trim_matches(['.', ' ']);
    let start = (plain.len().saturating_sub(150)..plain.len()).find(|at| plain.is_char_boundary(*at));
    match start.map_or("", |start| &plain[start..]) {
        "" => "file".to_owned(),
        name => name.to_owned(),
    }
}

/// How a value changed over time, with the one it began with.
fn changes<T: ToString>(record: &Record, first: Option<T>, change: impl Fn(&What) -> Option<(T, T)>) -> Vec<Value> {
    let all = record.timeline.iter().filter_map(|entry| Some((entry, change(&entry.what)?)));
    let mut changes: Vec<Value> = Vec::new();
    for (entry, (from, to)) in all {
        if changes.is_empty() {
            changes.push(json!({"at": record.ticket.created.rfc3339(), "value": from.to_string()}));
        }
        changes.push(json!({
            "at": entry.at.rfc3339(), "value": to.to_string(), "by": who(&entry.who), "why": entry.why,
        }));
    }
    if let (true, Some(value)) = (changes.is_empty(), first) {
        changes.push(json!({"at": record.ticket.created.rfc3339(), "value": value.to_string()}));
    }
    changes
}

fn who(who: &Who) -> &str {
    match who {
        Who::Desk => "desk",
        Who::Person(address) => address.as_str(),
    }
}

/// The texts of all entries of one kind, oldest first.
fn texts(record: &Record, what: &What) -> Vec<String> {
    let of_kind = record.timeline.iter().filter(|entry| entry.what == *what && !entry.why.trim().is_empty());
    of_kind.map(|entry| entry.why.clone()).collect()
}

/// Which vendors were asked.
fn vendors(record: &Record) -> Vec<String> {
    let asked = record.timeline.iter().filter_map(|entry| match &entry.what {
        What::VendorAsked { vendor } => Some(vendor.clone()),
        _ => None,
    });
    asked.collect()
}

/// How it came to its end: the last move to closed or cancelled, and the requester's word, if any.
fn confirmation(record: &Record) -> Option<Value> {
    let over = |what: &What| matches!(what, What::Status { to: Status::Closed | Status::Cancelled, .. });
    let entry = record.timeline.iter().rev().find(|entry| over(&entry.what))?;
    let confirmed = record.ticket.rating.is_some() || entry.who == Who::Person(record.ticket.requester.address.clone());
    Some(json!({
        "at": entry.at.rfc3339(), "by": who(&entry.who), "why": entry.why, "by_requester": confirmed,
    }))
}

fn as_json(record: &Record) -> Value {
    let ticket = &record.ticket;
    let time = |at: Option<Timestamp>| at.map(Timestamp::rfc3339);
    let timeline = record
        .timeline
        .iter()
        .map(|entry| json!({"at": entry.at.rfc3339(), "who": who(&entry.who), "what": entry.what, "why": entry.why}));
    let messages = record.messages.iter().enumerate().map(|(at, message)| {
        let files = message.attachments.iter().enumerate().map(|(which, file)| {
            json!({
                "name": file.name, "type": file.media_type, "bytes": file.bytes, "sha256": file.digest.hex(),
                "file": attachment_file(at, which, message),
            })
        });
        json!({
            "file": message_file(at), "arrived": message.arrived.rfc3339(), "from": message.from,
            "subject": message.subject, "kind": message.kind, "message_id": message.message_id.as_ref().map(|id| id.as_str()),
            "internal": message.visibility == crate::desk::event::Visibility::Internal, "text": message.body.text,
            "attachments": files.collect::<Vec<_>>(),
        })
    });
    let letters = record.letters.iter().enumerate().map(|(at, letter)| {
        json!({
            "file": letter_file(at, letter), "queued": letter.queued.rfc3339(), "settled": time(letter.settled),
            "to": letter.to.as_str(), "letter": letter.template, "subject": letter.subject,
            "state": letter.state.as_str(), "answer": letter.answer, "message_id": letter.message_id.as_str(),
        })
    });
    let fields: serde_json::Map<String, Value> =
        ticket.fields.iter().map(|(field, value)| (field.as_str().to_owned(), json!(value))).collect();
    json!({
        "number": ticket.number.to_string(), "archived": time(record.archived),
        "registration": {
            "subject": ticket.subject, "requester": ticket.requester, "registered": ticket.created.rfc3339(),
            "channel": "mail", "fields": fields, "impact": ticket.impact,
        },
        "category": ticket.category, "priority": ticket.priority, "status": ticket.status,
        "category_history": changes(record, Some(ticket.category), |what| match what {
            What::Category { from, to } => Some((*from, *to)),
            _ => None,
        }),
        "priority_history": changes(record, Some(ticket.priority), |what| match what {
            What::Priority { from, to } => Some((*from, *to)),
            _ => None,
        }),
        "sorted_by": ticket.matched, "assignee": ticket.assignee,
        "first_response": time(ticket.first_response), "response_due": ticket.response_due.rfc3339(),
        "resolved": time(ticket.resolved), "resolution_due": ticket.resolution_due.rfc3339(),
        "closed": time(ticket.closed), "rounds": ticket.cycle,
        "cause_and_steps": texts(record, &What::Step), "workarounds": texts(record, &What::Workaround),
        "resolutions": texts(record, &What::Solution), "notes": texts(record, &What::Note),
        "parts": parts_used(&record.timeline), "vendors": vendors(record),
        "confirmation": confirmation(record),
        "satisfaction": record.ratings.iter().map(|rated| json!({
            "round": rated.cycle, "rating": rated.rating, "comment": rated.comment, "at": rated.at.rfc3339(),
        })).collect::<Vec<_>>(),
        "merged_into": ticket.merged_into.map(|number| number.to_string()),
        "related": ticket.related.map(|number| number.to_string()),
        "approval": record.approval.as_ref().map(super::ticket::approval_json), "article": record.article,
        "reviews": record.reviews,
        "people": record.people, "timeline": timeline.collect::<Vec<_>>(),
        "messages": messages.collect::<Vec<_>>(), "letters": letters.collect::<Vec<_>>(),
    })
}

/// What the dossier's template is told.
fn view(record: &Record, config: &Config) -> tera::Context {
    let (ticket, language, zone) = (&record.ticket, config.desk.language, config.desk.zone);
    let time = |at: Timestamp| at.at_zone(zone).format("%Y-%m-%d %H:%M").to_string();
    let name = |address: &str| {
        let known = config.engineers.iter().map(|engineer| &engineer.reader);
        let known = known.chain(config.duty.supervisors.iter().map(|supervisor| &supervisor.reader));
        let found = known.map(|reader| &reader.mailbox).find(|mailbox| mailbox.address.as_str() == address);
        let found = found.or(Some(&ticket.requester).filter(|requester| requester.address.as_str() == address));
        found.map_or_else(|| address.to_owned(), |mailbox| format!("{} <{address}>", mailbox.called()))
    };
    let mut view = tera::Context::new();
    view.insert("language", language.as_str());
    view.insert("desk", config.desk.name(language));
    view.insert("number", &ticket.number.to_string());
    view.insert("subject", &ticket.subject);
    view.insert("archived", &record.archived.map(time));
    view.insert("registration", &registration(ticket, language, &time));
    view.insert("handling", &handling(record, language, &time, &name));
    view.insert("steps", &texts(record, &What::Step));
    view.insert("workarounds", &texts(record, &What::Workaround));
    view.insert("resolutions", &texts(record, &What::Solution));
    let ratings = record.ratings.iter().map(|rated| {
        json!({"at": time(rated.at), "rating": rated.rating.name(language), "comment": rated.comment, "round": rated.cycle})
    });
    view.insert("ratings", &ratings.collect::<Vec<_>>());
    view.insert("people", &record.people.iter().map(|person| name(person)).collect::<Vec<_>>());
    let timeline = record.timeline.iter().map(|entry| {
        let by = match &entry.who {
            Who::Desk => config.desk.name(language).to_owned(),
            Who::Person(address) => name(address.as_str()),
        };
        json!({"at": time(entry.at), "who": by, "what": phrases::happened(&entry.what, language), "why": entry.why})
    });
    view.insert("timeline", &timeline.collect::<Vec<_>>());
    let messages = record.messages.iter().enumerate().map(|(at, message)| {
        let files = message.attachments.iter().enumerate().map(|(which, file)| {
            let bytes = u64::try_from(file.bytes).unwrap_or(0);
            json!({"name": file.name, "size": phrases::size(bytes), "file": attachment_file(at, which, message)})
        });
        json!({
            "at": time(message.arrived), "from": message.from.as_ref().map(|from| name(from.address.as_str())),
            "subject": message.subject, "text": message.body.text, "file": message_file(at),
            "internal": message.visibility == crate::desk::event::Visibility::Internal,
            "files": files.collect::<Vec<_>>(),
        })
    });
    view.insert("messages", &messages.collect::<Vec<_>>());
    let letters = record.letters.iter().enumerate().map(|(at, letter)| {
        json!({
            "at": time(letter.queued), "to": name(letter.to.as_str()), "letter": letter.template,
            "state": letter.state.as_str(), "file": letter_file(at, letter),
        })
    });
    view.insert("letters", &letters.collect::<Vec<_>>());
    view
}

fn row(label: &str, value: impl ToString) -> Value {
    json!({"label": label, "value": value.to_string()})
}

/// The registration form (`domain.md` 7.2, form one); what was never told is left out.
fn registration(ticket: &Ticket, language: Language, time: &impl Fn(Timestamp) -> String) -> Vec<Value> {
    let say = |chinese, english| language.pick(chinese, english);
    let mut rows = vec![
        row(say("登记时间", "Registered"), time(ticket.created)),
        row(say("报障人", "Requester"), format!("{} <{}>", ticket.requester.called(), ticket.requester.address)),
        row(say("渠道", "Channel"), say("邮件", "mail")),
    ];
    let fields = Field::ALL.iter().filter_map(|field| Some((field, ticket.fields.get(field)?)));
    rows.extend(fields.filter(|(_, value)| !value.is_empty()).map(|(field, value)| row(field.name(language), value)));
    rows.push(row(say("影响", "Impact"), ticket.impact.name(language)));
    rows
}

fn handling(
    record: &Record,
    language: Language,
    time: &impl Fn(Timestamp) -> String,
    name: &impl Fn(&str) -> String,
) -> Vec<Value> {
    let (ticket, say) = (&record.ticket, |chinese, english| language.pick(chinese, english));
    let due = |at: Option<Timestamp>, due: Timestamp| match at {
        Some(at) => format!("{}{}{}", time(at), say("，时限 ", ", due "), time(due)),
        None => format!("—{}{}", say("，时限 ", ", due "), time(due)),
    };
    let mut rows = vec![
        row(say("类别", "Category"), ticket.category.name(language)),
        row(say("优先级", "Priority"), ticket.priority.name(language)),
        row(say("状态", "Status"), ticket.status.name(language)),
        row(say("处理人", "Engineer"), ticket.assignee.as_ref().map_or("—".into(), |who| name(who.as_str()))),
        row(say("首次响应", "First response"), due(ticket.first_response, ticket.response_due)),
        row(say("解决", "Resolved"), due(ticket.resolved, ticket.resolution_due)),
        row(say("关闭", "Closed"), ticket.closed.map_or("—".into(), time)),
    ];
    let of_kind = |wanted: fn(&What) -> bool| {
        let entries = record.timeline.iter().filter(move |entry| wanted(&entry.what));
        let line = |entry: &Entry| {
            let why = if entry.why.is_empty() { String::new() } else { format!(" ({})", entry.why) };
            format!("{} {}{why}", time(entry.at), phrases::happened(&entry.what, language))
        };
        entries.map(line).collect::<Vec<_>>().join("\n")
    };
    let vendors = vendors(record).join(say("、", ", "));
    let approval = record
        .approval
        .as_ref()
        .map_or(String::new(), |approval| format!("{}: {}", approval.module, approval.state.as_str()));
    let article = record.article.as_ref().map_or(String::new(), |article| {
        format!("{} {}", crate::desk::knowledge::article_name(article.ticket), article.parts.title)
    });
    let closing = confirmation(record).map_or(String::new(), |closing| {
        let by_requester = closing["by_requester"] == true;
        let how = if by_requester {
            say("报障人确认", "by the requester")
        } else {
            say("未经报障人确认", "without the requester's word")
        };
        format!("{how} {}", closing["why"].as_str().unwrap_or_default()).trim_end().to_owned()
    });
    let more = [
        (say("类别变更", "Category changed"), of_kind(|what| matches!(what, What::Category { .. }))),
        (say("优先级变更", "Priority changed"), of_kind(|what| matches!(what, What::Priority { .. }))),
        (say("更换的备件", "Parts used"), parts_used(&record.timeline).join("\n")),
        (say("厂商", "Vendors"), vendors),
        (say("审批", "Approval"), approval),
        (say("确认", "Confirmation"), closing),
        (say("知识条目", "Article"), article),
        (say("复盘", "Review"), record.reviews.iter().map(super::ticket::review_line).collect::<Vec<_>>().join("\n")),
    ];
    rows.extend(more.into_iter().filter(|(_, value)| !value.is_empty()).map(|(label, value)| row(label, value)));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s40_names_are_safe_everywhere() {
        for (name, shown) in [
            ("照片.png", "照片.png"),
            ("../../etc/passwd", "_.._etc_passwd"),
            ("C:\\temp\\a.txt", "C__temp_a.txt"),
            ("...", "file"),
            ("", "file"),
            ("a\u{0}b\nc", "a_b_c"),
            (" .hidden ", "hidden"),
        ] {
            assert_eq!(safe(name), shown, "{name:?}");
        }
        let long = safe(&format!("{}.docx", "长".repeat(500)));
        assert!(long.len() <= 150 && long.ends_with(".docx"), "{long}");
    }
}
