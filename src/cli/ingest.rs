//! `maildesk ingest`: messages from files or standard input, as if they had come by mail.

use super::Failure;
use super::explain::{messages, total_bytes};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::daemon;
use crate::flow::{Arrival, Flow, Outcome};
use crate::ports::{Clock as _, Content};
use crate::store::StoreError;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal as _, Write};
use tokio::sync::mpsc;

/// Messages of one durable commit.
const BATCH: usize = 100;
const BATCH_BYTES: usize = 8 << 20;

/// Takes every message in; prints a line of what became of them.
///
/// # Errors
/// [`Failure::Later`] (exit code 75) when the database cannot take mail now, so that a mail server tries again;
/// what was already taken in is recognised then.
pub async fn ingest(config: Config, mbox: bool, paths: &[String], out: &mut impl Write) -> Result<(), Failure> {
    let flow = daemon::open(&config).await.map_err(later)?;
    let bar = progress(total_bytes(paths));
    let (sender, mut receiver) = mpsc::channel::<Vec<u8>>(16);
    let paths = paths.to_vec();
    let reader = tokio::task::spawn_blocking(move || {
        let mut faults = Vec::new();
        let gone = || std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        let read = messages(&paths, mbox, &mut faults, |_, raw| sender.blocking_send(raw.to_vec()).map_err(|_| gone()));
        (read, faults)
    });
    let (mut batch, mut bytes, mut total) = (Vec::new(), 0, Outcome::default());
    while let Some(raw) = receiver.recv().await {
        bytes += raw.len();
        batch.push(raw);
        if batch.len() >= BATCH || bytes >= BATCH_BYTES {
            take(&flow, std::mem::take(&mut batch), &mut total, &bar).await?;
            bytes = 0;
        }
    }
    take(&flow, batch, &mut total, &bar).await?;
    bar.finish_and_clear();
    let (read, faults) = reader.await.map_err(|error| Failure::Failed(error.into()))?;
    read?;
    writeln!(
        out,
        "{} taken in, {} new tickets, {} known before, {} in quarantine",
        total.handled, total.tickets, total.known, total.quarantined
    )?;
    if faults.is_empty() { Ok(()) } else { Err(Failure::Failed(anyhow::anyhow!(faults.join("\n")))) }
}

async fn take(flow: &Flow, batch: Vec<Vec<u8>>, total: &mut Outcome, bar: &ProgressBar) -> Result<(), Failure> {
    let bytes: usize = batch.iter().map(Vec::len).sum();
    if batch.is_empty() {
        return Ok(());
    }
    let now = SystemClock.now();
    let arrival = |raw: Vec<u8>| Arrival { source: None, arrived: now, size: raw.len(), content: Content::Whole(raw) };
    let outcome = flow.ingest(batch.into_iter().map(arrival).collect(), None, now).await.map_err(later)?;
    total.handled += outcome.handled;
    total.known += outcome.known;
    total.quarantined += outcome.quarantined;
    total.tickets += outcome.tickets;
    bar.set_message(format!("{} messages", total.handled + total.known + total.quarantined));
    bar.inc(bytes as u64);
    Ok(())
}

fn later(error: StoreError) -> Failure {
    match error {
        StoreError::Refused(words) => Failure::Usage(vec![words]),
        error => Failure::Later(error.into()),
    }
}

/// A bar on a terminal, nothing elsewhere; without a total it counts.
fn progress(total: Option<u64>) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let (bar, template) = match total {
        Some(bytes) => (ProgressBar::new(bytes), "{bar:40} {bytes}/{total_bytes}, {msg}, {eta} left"),
        None => (ProgressBar::new_spinner(), "{spinner} {bytes}, {msg}, {elapsed}"),
    };
    let usual = if total.is_some() { ProgressStyle::default_bar() } else { ProgressStyle::default_spinner() };
    bar.with_style(ProgressStyle::with_template(template).unwrap_or(usual))
}
