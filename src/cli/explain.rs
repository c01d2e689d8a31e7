//! `maildesk explain`: how messages would be understood (`design.md` 5.2). Touches nothing.

use crate::desk::hush;
use crate::desk::inbound::Inbound;
use crate::desk::intake::{self, Sorted};
use crate::desk::policy::{Target, Targets};
use crate::desk::triage::Rules;
use crate::desk::words::Field;
use crate::mail::{self, Shape};
use crate::time::format_duration;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

/// Reads the messages one after the other and hands each to `each` with the name it is called by.
///
/// A path is a file, a folder (every file below it, by name), or `-` for standard input; no path means standard
/// input too. With `mbox`, every file holds many messages, called `path#1`, `path#2`, ...
/// A file that cannot be read is named on `faults` and does not stop the rest.
pub fn messages(
    paths: &[String],
    mbox: bool,
    faults: &mut Vec<String>,
    mut each: impl FnMut(&str, &[u8]) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let standard_input = ["-".to_owned()];
    let paths = if paths.is_empty() { &standard_input } else { paths };
    for path in paths {
        let files = if path == "-" { vec![PathBuf::from("-")] } else { files_of(Path::new(path), faults) };
        for file in files {
            let name = file.to_string_lossy();
            let read = if mbox { read_mbox(&file, &name, &mut each)? } else { read_one(&file, &name, &mut each)? };
            if let Err(error) = read {
                faults.push(format!("{name}: {error}"));
            }
        }
    }
    Ok(())
}

/// Whether the file could be read; the outer error is that of `each` and ends everything.
type ReadResult = std::io::Result<std::io::Result<()>>;

fn open(file: &Path) -> std::io::Result<Box<dyn Read>> {
    if file.as_os_str() == "-" {
        return Ok(Box::new(std::io::stdin().lock()));
    }
    Ok(Box::new(std::fs::File::open(file)?))
}

fn read_one(file: &Path, name: &str, each: &mut impl FnMut(&str, &[u8]) -> std::io::Result<()>) -> ReadResult {
    let mut raw = Vec::new();
    match open(file).and_then(|mut file| file.read_to_end(&mut raw)) {
        Ok(_) => each(name, &raw).map(Ok),
        Err(error) => Ok(Err(error)),
    }
}

fn read_mbox(file: &Path, name: &str, each: &mut impl FnMut(&str, &[u8]) -> std::io::Result<()>) -> ReadResult {
    let (mut number, mut stopped) = (0, None);
    let one = |message: &[u8]| {
        number += 1;
        each(&format!("{name}#{number}"), message).map_err(|error| {
            stopped = Some(error);
            std::io::Error::other("stopped")
        })
    };
    let read = open(file).and_then(|file| each_of_mbox(BufReader::new(file), one));
    stopped.map_or(Ok(read), Err)
}

/// How much there is to read, for a progress bar; `None` when standard input is among it.
pub fn total_bytes(paths: &[String]) -> Option<u64> {
    let files = |path: &String| files_of(Path::new(path), &mut Vec::new());
    let known = !paths.is_empty() && paths.iter().all(|path| path != "-");
    known.then(|| paths.iter().flat_map(files).filter_map(|file| std::fs::metadata(file).ok()).map(|m| m.len()).sum())
}

/// The file itself, or every file below the folder in order of their names.
fn files_of(path: &Path, faults: &mut Vec<String>) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![path.to_owned()]);
    if !path.is_dir() {
        return folders;
    }
    while let Some(folder) = folders.pop() {
        match std::fs::read_dir(&folder) {
            // Links are not followed: a circle of folders would never end.
            Ok(entries) => entries.flatten().for_each(|entry| match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(kind) if kind.is_file() => files.push(entry.path()),
                _ => {}
            }),
            Err(error) => faults.push(format!("{}: {error}", folder.display())),
        }
    }
    files.sort();
    files
}

/// `From sender date`: with a time of day, or a sentence that begins with "From" would part a message.
fn is_separator(line: &[u8]) -> bool {
    let time = |w: &[u8]| w[2] == b':' && [w[0], w[1], w[3], w[4]].iter().all(u8::is_ascii_digit);
    line.starts_with(b"From ") && line.len() < 1000 && line.windows(5).any(time)
}

/// Hands out the messages of a mailbox file one by one: parted at `From ` lines that follow an empty line (RFC 4155),
/// without that empty line, and with the `>From ` marks taken back.
pub fn each_of_mbox(
    mut mailbox: impl BufRead,
    mut each: impl FnMut(&[u8]) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let (mut message, mut line, mut blank) = (Vec::new(), Vec::new(), Vec::new());
    let mut begun = false;
    while mailbox.read_until(b'\n', &mut line)? > 0 {
        if is_separator(&line) && (!blank.is_empty() || !begun) {
            if begun {
                each(&message)?;
            }
            (begun, blank) = (true, Vec::new());
            message.clear();
        } else {
            begun = true;
            message.append(&mut blank);
            if line == b"\n" || line == b"\r\n" {
                std::mem::swap(&mut blank, &mut line);
            } else {
                let marks = line.iter().take_while(|b| **b == b'>').count();
                let quoted = marks > 0 && line[marks..].starts_with(b"From ");
                message.extend_from_slice(if quoted { &line[1..] } else { &line });
            }
        }
        line.clear();
    }
    if begun { each(&message) } else { Ok(()) }
}

/// Explains every message, as one JSON object a line or for people; names at the end what could not be read.
pub fn explain(
    paths: &[String],
    mbox: bool,
    json: bool,
    rules: &Rules,
    targets: &Targets,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let mut faults = Vec::new();
    messages(paths, mbox, &mut faults, |name, raw| {
        let (message, shapes) = mail::outline(raw);
        let sorted = intake::sort(rules, &message);
        if !json {
            return readable(name, &message, &shapes, &sorted, targets.of(sorted.verdict.priority), out);
        }
        serde_json::to_writer(&mut *out, &object(name, &message, &shapes, &sorted, targets))?;
        out.write_all(b"\n")
    })?;
    out.flush()?;
    if faults.is_empty() { Ok(()) } else { anyhow::bail!("{}", faults.join("\n")) }
}

/// A few lines for people.
fn readable(
    name: &str,
    message: &Inbound,
    attachments: &[Shape],
    Sorted { verdict, fields }: &Sorted,
    target: Target,
    out: &mut impl Write,
) -> std::io::Result<()> {
    let from = message.from.as_ref().map_or("nobody".to_owned(), |m| format!("{} <{}>", m.name, m.address));
    writeln!(out, "{name}")?;
    writeln!(out, "  from      {}", from.trim())?;
    writeln!(out, "  subject   {}", message.subject)?;
    match hush::may_answer(message) {
        Ok(()) => writeln!(out, "  kind      {}, would be acknowledged", message.kind.as_str())?,
        Err(why) => writeln!(out, "  kind      {}, no answer: {why}", message.kind.as_str())?,
    }
    writeln!(out, "  sorted    {} {} ({:.2})", verdict.category, verdict.priority, verdict.confidence)?;
    let clock = if target.working_time { "working time" } else { "round the clock" };
    let (response, resolution) = (format_duration(target.response), format_duration(target.resolution));
    writeln!(out, "  targets   first response {response}, resolution {resolution}, {clock}")?;
    let terms: Vec<String> = verdict.matched.iter().map(|t| format!("{} -> {}", t.term, t.points_to)).collect();
    writeln!(out, "  because   {}", terms.join(", "))?;
    for (field, value) in fields {
        writeln!(out, "  told      {}: {}", field.as_str(), value.replace('\n', " / "))?;
    }
    if let Some(forwarded) = &message.forwarded {
        let from = forwarded.address.as_ref().map_or("no address".to_owned(), ToString::to_string);
        writeln!(out, "  forwards  {} <{from}>: {}", forwarded.name, forwarded.subject)?;
    }
    if let Some(bounce) = &message.bounce {
        let lasting = if bounce.permanent { "for good" } else { "for now" };
        writeln!(out, "  bounced   {} {} {lasting}: {}", bounce.recipient, bounce.status, bounce.reason)?;
    }
    for attachment in attachments {
        writeln!(out, "  attached  {} ({} bytes)", attachment.name, attachment.bytes)?;
    }
    for anomaly in &message.anomalies {
        writeln!(out, "  odd       {anomaly}")?;
    }
    for line in message.body.text.trim().lines().take(20) {
        writeln!(out, "  | {line}")?;
    }
    writeln!(out)
}

/// The object of `design.md` 5.2.
pub fn object(path: &str, message: &Inbound, attachments: &[Shape], sorted: &Sorted, targets: &Targets) -> Value {
    let ids = |ids: &[crate::address::MessageId]| ids.iter().map(|id| id.as_str().to_owned()).collect::<Vec<_>>();
    let commands: Vec<Value> = message.commands.iter().map(|c| json!({"name": c.word, "value": c.value})).collect();
    let Sorted { verdict, fields } = sorted;
    let text = |field: &Field| fields.get(field).cloned().unwrap_or_default();
    let fields: BTreeMap<&str, String> = Field::TOLD.iter().map(|field| (field.as_str(), text(field))).collect();
    let target = targets.of(verdict.priority);
    json!({
        "path": path,
        "kind": message.kind,
        "answer": hush::may_answer(message).is_ok(),
        "from": message.from,
        "to": message.to,
        "cc": message.cc,
        "subject": message.subject,
        "message_id": message.message_id,
        "in_reply_to": ids(&message.in_reply_to),
        "references": ids(&message.references),
        "date": message.date.map(|d| d.rfc3339()),
        "language": message.language,
        "text": message.body.text,
        "full_text": message.full_text,
        "commands": commands,
        "category": verdict.category,
        "priority": verdict.priority,
        "impact": verdict.impact,
        "confidence": verdict.confidence,
        "matched": verdict.matched,
        "sla": {
            "response": format_duration(target.response),
            "resolution": format_duration(target.resolution),
            "clock": if target.working_time { "work" } else { "wall" },
        },
        "fields": fields,
        "attachments": attachments,
        "bounce": message.bounce,
        "anomalies": message.anomalies,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `explain` prints for one file with these bytes, line by line.
    fn explained(raw: &[u8], mbox: bool) -> Vec<Value> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("m.eml");
        std::fs::write(&file, raw).unwrap();
        let mut out = Vec::new();
        let rules = Rules::builtin();
        explain(&[folder.path().display().to_string()], mbox, true, &rules, &Targets::default(), &mut out).unwrap();
        out.split(|b| *b == b'\n').filter(|l| !l.is_empty()).map(|l| serde_json::from_slice(l).unwrap()).collect()
    }

    #[test]
    fn every_key_is_there_even_for_nothing() {
        const KEYS: &[&str] = &[
            "path",
            "kind",
            "answer",
            "from",
            "to",
            "cc",
            "subject",
            "message_id",
            "in_reply_to",
            "references",
            "date",
            "language",
            "text",
            "full_text",
            "commands",
            "category",
            "priority",
            "impact",
            "confidence",
            "matched",
            "sla",
            "fields",
            "attachments",
            "bounce",
            "anomalies",
        ];
        let line = &explained(b"", false)[0];
        for key in KEYS {
            assert!(line.get(key).is_some(), "{key}");
        }
        assert_eq!(line.as_object().unwrap().len(), KEYS.len());
        assert_eq!((&line["answer"], &line["from"], &line["bounce"]), (&json!(false), &Value::Null, &Value::Null));
        assert_eq!(line["fields"].as_object().unwrap().len(), Field::TOLD.len());
    }

    #[test]
    fn a_request_as_json() {
        let raw = "From: Li <li@corp.example>\nTo: desk@corp.example\nMessage-ID: <a@b>\nSubject: VPN\n\nVPN is down\n";
        let line = &explained(raw.as_bytes(), false)[0];
        assert_eq!(line["from"], json!({"address": "li@corp.example", "name": "Li"}));
        assert_eq!((&line["kind"], &line["answer"]), (&json!("request"), &json!(true)));
        assert_eq!((&line["message_id"], &line["category"]), (&json!("a@b"), &json!("network")));
        assert_eq!(
            (&line["priority"], &line["sla"]),
            (&json!("P3"), &json!({"response": "2h", "resolution": "8h", "clock": "work"}))
        );
    }

    #[test]
    fn mailbox_files_are_split_at_their_marks() {
        let first = "From x Mon Nov 23 10:00:00 2026\nSubject: one\n\na\n\nFrom here on\n>From quoted\n\n";
        let raw = format!("{first}From y@z 2026-11-23 10:00\nSubject: two\n\nb\n");
        let mut two = Vec::new();
        each_of_mbox(raw.as_bytes(), |message| {
            two.push(String::from_utf8_lossy(message).into_owned());
            Ok(())
        })
        .unwrap();
        assert_eq!(two, ["Subject: one\n\na\n\nFrom here on\nFrom quoted\n", "Subject: two\n\nb\n"]);
        let lines = explained(raw.as_bytes(), true);
        assert_eq!((&lines[0]["subject"], &lines[1]["subject"]), (&json!("one"), &json!("two")));
        assert!(lines[1]["path"].as_str().unwrap().ends_with("m.eml#2"));
    }

    #[test]
    fn what_cannot_be_read_is_named_and_does_not_stop_the_rest() {
        let mut out = Vec::new();
        let (paths, rules) = (["/no/such/file".to_owned()], Rules::builtin());
        let fault = explain(&paths, false, true, &rules, &Targets::default(), &mut out).unwrap_err();
        assert!(fault.to_string().starts_with("/no/such/file: ") && out.is_empty());
    }
}
