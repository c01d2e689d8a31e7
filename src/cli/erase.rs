//! `maildesk erase` and `maildesk retention`: what is no longer to be kept about people.

use super::Failure;
use crate::address::Address;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::daemon;
use crate::flow::erase::Erasure;
use crate::ports::Clock as _;
use crate::store::Deletion;
use anyhow::{Context as _, anyhow};
use std::io::Write;

/// What no program can reach.
const ELSEWHERE: &str = "not in reach of this command: backups of the database, the write-ahead log of PostgreSQL until it is \
    reused, the mails in the mailbox's folders on the mail server, other people's mailboxes, the company's directory, and a name alone on tickets of \
    others, which may be a namesake's";

/// Takes everything about a person away.
///
/// # Errors
/// When the person works for the desk or has open tickets, and the store's.
pub async fn erase(config: Config, who: &Address, try_only: bool, out: &mut impl Write) -> Result<(), Failure> {
    let flow = daemon::open(&config).await.context("cannot open the desk")?;
    match flow.erase(who, SystemClock.now(), try_only).await.context("cannot erase")? {
        Erasure::Staff => Err(Failure::Failed(anyhow!(
            "{who} works for the desk: take them out of the configuration first, and restart the desk"
        ))),
        Erasure::Open(numbers) => {
            let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
            Err(Failure::Failed(anyhow!("close or cancel these tickets of {who} first: {}", numbers.join(", "))))
        }
        Erasure::Unknown => Ok(writeln!(out, "nothing is known of {who}")?),
        Erasure::Done(gone) if try_only => Ok(writeln!(out, "would be erased: {}", told(&gone))?),
        Erasure::Done(gone) => {
            flow.store.scrub().await.context("erased, but the files of the database still hold it: run it again")?;
            writeln!(out, "erased: {}", told(&gone))?;
            Ok(writeln!(out, "{ELSEWHERE}")?)
        }
    }
}

/// Takes away what `[retention]` says has been kept long enough.
///
/// # Errors
/// The store's.
pub async fn retention(config: Config, try_only: bool, out: &mut impl Write) -> Result<(), Failure> {
    let flow = daemon::open(&config).await.context("cannot open the desk")?;
    let classes = flow.let_go(SystemClock.now(), try_only).await.context("cannot let go")?.0;
    if classes.is_empty() {
        return Ok(writeln!(out, "everything is kept: [retention] names no time")?);
    }
    for (class, gone) in &classes {
        writeln!(out, "{class}: {}{}", if try_only { "would go: " } else { "" }, told(gone))?;
    }
    if !try_only && classes.iter().any(|(_, gone)| *gone != Deletion::default()) {
        flow.store.scrub().await.context("cannot write the database anew")?;
        writeln!(out, "{ELSEWHERE}")?;
    }
    Ok(())
}

fn told(gone: &Deletion) -> String {
    let Deletion { tickets, messages, letters, files } = gone;
    format!("{tickets} tickets without names and words, {messages} messages, {letters} letters, {files} files")
}
