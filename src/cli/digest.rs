//! `maildesk digest`: a report as it would be written, without sending it.

use super::{DigestArgs, Failure};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::daemon;
use crate::desk::digest::{Period, Plan, Slot};
use crate::desk::letter::Letter;
use crate::flow::Flow;
use crate::mail::Rendered;
use crate::ports::Clock as _;
use crate::report::{Context, Report, Written};
use crate::time::Timestamp;
use crate::time::calendar::local_time;
use anyhow::{Context as _, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use chrono_tz::Tz;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

/// Raw rows in the files: whoever wants more asks the database.
const MOST_ROWS: usize = 100_000;

/// Shows a report to its first reader as of now or of another day.
///
/// # Errors
/// When there is no such report, the day is none, or the store's.
pub async fn preview(config: Config, args: &DigestArgs, out: &mut impl Write) -> Result<(), Failure> {
    let plan = config.digests.iter().find(|plan| plan.name == args.name).ok_or_else(|| unknown(&config, &args.name))?;
    let at = args.at.as_deref().map(|text| moment(text, plan.zone)).transpose().map_err(|e| Failure::Usage(vec![e]))?;
    let now = SystemClock.now();
    let at = at.unwrap_or(now);
    let flow = daemon::open(&config).await.map_err(|error| Failure::Failed(error.into()))?;
    // What the report is counted from; a running desk does the same every minute.
    flow.reckon_all().await.context("cannot bring the figures up to date")?;
    let slot = Slot { at, period: Period::before_date(plan.kind, at, plan.zone) };
    let letter = write(&flow, &config, plan, slot).await?;
    let words = flow.words(&letter, now);
    match &args.output {
        None => Ok(writeln!(out, "{}\n\n{}", words.subject, words.text)?),
        Some(file) => save(file, &letter, &words, flow.bytes(&letter, now), out),
    }
}

fn unknown(config: &Config, name: &str) -> Failure {
    let names: Vec<&str> = config.digests.iter().map(|plan| plan.name.as_str()).collect();
    let known = if names.is_empty() { "there is none; see \"maildesk config\"".to_owned() } else { names.join(", ") };
    Failure::Usage(vec![format!("no [[digest]] is named {name:?}: {known}")])
}

fn moment(text: &str, zone: Tz) -> Result<Timestamp, String> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").map(|day| day.and_time(NaiveTime::MIN));
    let moment = day.or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M"));
    let moment = moment.map_err(|_| format!("--at {text:?}: expected 2026-11-02 or \"2026-11-02 08:30\""))?;
    Ok(local_time(zone, moment.date(), moment.time()))
}

async fn write(flow: &Flow, config: &Config, plan: &Plan, slot: Slot) -> Result<Letter, Failure> {
    let policy = flow.policy();
    let context = Context { policy: &policy, goals: &config.goals, plan, slot, rows: MOST_ROWS };
    let report = Report::count(&flow.store, &context, slot.at).await.context("cannot count")?;
    let reader = plan.readers.first().ok_or_else(|| Failure::Failed(anyhow!("nobody gets this report")))?;
    let Written { page, files } = report.write(&context, reader.language);
    let files: Vec<_> = files.into_iter().map(Arc::new).collect();
    Ok(plan.letter(&slot, reader, page, &files))
}

/// The HTML with its pictures inside, so that a browser shows it, and every file beside it under the same name.
fn save(file: &Path, letter: &Letter, words: &Rendered, mail: Vec<u8>, out: &mut impl Write) -> Result<(), Failure> {
    let mut html = words.html.clone();
    let beside = |ending: &str| {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        file.with_file_name(format!("{stem}{ending}"))
    };
    let mut files = vec![(beside(".txt"), words.text.clone().into_bytes()), (beside(".eml"), mail)];
    for attachment in &letter.attachments {
        if let Some(id) = &attachment.content_id {
            let inside = format!("data:{};base64,{}", attachment.media_type, STANDARD.encode(&attachment.bytes));
            html = html.replace(&format!("cid:{id}"), &inside);
        }
        let name = attachment.name.as_str();
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        let ending = if attachment.inline { format!("-{name}") } else { format!(".{ending}") };
        files.push((beside(&ending), attachment.bytes.clone()));
    }
    files.insert(0, (file.to_owned(), html.into_bytes()));
    for (path, bytes) in files {
        std::fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
        writeln!(out, "{}", path.display())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_moments() {
        let zone = chrono_tz::Asia::Shanghai;
        let at = |text: &str| Timestamp::parse(text).unwrap();
        assert_eq!(moment("2026-11-02", zone), Ok(at("2026-11-02T00:00:00+08:00")));
        assert_eq!(moment("2026-11-02 08:30", zone), Ok(at("2026-11-02T08:30:00+08:00")));
        for text in ["", "2026-02-30", "tomorrow", "02.11.2026"] {
            assert!(moment(text, zone).is_err(), "{text}");
        }
    }
}
