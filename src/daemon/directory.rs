//! The company's directory, kept up to date beside everything else. What cannot be read stays as it was last read, also
//! through a restart, and the log says so.

use super::trouble::Trouble;
use super::{Shared, settings};
use crate::config;
use crate::desk::directory::{Directory, Entry};
use crate::directory::{csv::Table, ldap, read_file};
use crate::flow::Flow;
use crate::store::{Store, StoreError};
use crate::time::Timestamp;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use tokio::task::{JoinSet, spawn_blocking};

/// How often the file is looked at.
const LOOK: Duration = Duration::from_secs(10);

const FILE: &str = "file";
const LDAP: &str = "ldap";

/// What each source said last; the file wins.
#[derive(Clone, Default)]
pub struct Sources(Arc<Mutex<[Vec<Entry>; 2]>>);

impl Sources {
    /// Takes over what a source says now, for everything that is handled from now on.
    fn use_from_now_on(&self, source: &str, people: Vec<Entry>, flow: &Flow) {
        let mut sources = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        sources[usize::from(source == LDAP)] = people;
        flow.use_directory(Arc::new(Directory::new(sources.clone())));
    }
}

/// What is known when the desk starts: the file as it stands, otherwise what was last read.
///
/// # Errors
/// The store's.
pub async fn at_start(config: &config::Directory, flow: &Flow) -> Result<Sources, StoreError> {
    let sources = Sources::default();
    if let Some((path, _)) = &config.file {
        let people = match read(path).await {
            Ok(table) => table.people,
            Err(error) => {
                let (people, since) = last_read(&flow.store, FILE).await?;
                tracing::error!("directory: {error}; {}", used_on(&people, since));
                people
            }
        };
        sources.use_from_now_on(FILE, people, flow);
    }
    if config.ldap.is_some() {
        let (people, _) = last_read(&flow.store, LDAP).await?;
        sources.use_from_now_on(LDAP, people, flow);
    }
    Ok(sources)
}

fn used_on(people: &[Entry], since: Option<Timestamp>) -> String {
    match since {
        Some(since) => format!("the {} people read at {} are used on", people.len(), since.rfc3339()),
        None => "nobody is known from it yet".to_owned(),
    }
}

async fn last_read(store: &Store, source: &str) -> Result<(Vec<Entry>, Option<Timestamp>), StoreError> {
    let Some((at, bytes)) = store.directory(source).await? else { return Ok((Vec::new(), None)) };
    match serde_json::from_slice(&bytes) {
        Ok(people) => Ok((people, Some(at))),
        Err(error) => {
            tracing::error!("directory: what was last read of it is damaged: {error}");
            Ok((Vec::new(), None))
        }
    }
}

/// Starts what keeps it up to date.
pub fn keep(config: &config::Directory, sources: &Sources, shared: &Shared, tasks: &mut JoinSet<()>) {
    if let Some((path, _)) = &config.file {
        tasks.spawn(keep_file(path.clone(), sources.clone(), shared.clone()));
    }
    if let Some(ldap) = &config.ldap {
        tasks.spawn(keep_ldap(ldap.clone(), sources.clone(), shared.clone()));
    }
}

async fn read(path: &Path) -> Result<Table, String> {
    let path = path.to_owned();
    spawn_blocking(move || read_file(&path)).await.unwrap_or_else(|_| Err("the reader stumbled over it".into()))
}

/// What tells one version of the file from another.
type Stamp = Option<(SystemTime, u64)>;

async fn stamp(path: &Path) -> Stamp {
    let path = path.to_owned();
    // A file on a server that is gone may keep us waiting.
    let facts = spawn_blocking(move || std::fs::metadata(path)).await;
    let facts = facts.ok()?.ok()?;
    Some((facts.modified().ok()?, facts.len()))
}

async fn keep_file(path: PathBuf, sources: Sources, shared: Shared) {
    let mut trouble = Trouble::default();
    let mut taken: Option<Stamp> = None;
    loop {
        let found = stamp(&path).await;
        if taken != Some(found) {
            match read(&path).await {
                // Still being written: it is read when it has come to rest.
                _ if stamp(&path).await != found => {}
                Ok(table) => {
                    trouble.over("directory");
                    take(FILE, table.people.clone(), &sources, &shared).await;
                    tell(&path, &table);
                    taken = Some(found);
                }
                Err(error) => {
                    trouble.say("directory: the people read before are used on", &error);
                    // A file that is there will not change by itself.
                    taken = found.is_some().then_some(found);
                }
            }
        }
        if shared.pause(LOOK).await {
            return;
        }
    }
}

fn tell(path: &Path, table: &Table) {
    tracing::info!(people = table.people.len(), "directory: read {}", path.display());
    for problem in &table.problems {
        tracing::warn!("{}:{}: {}", path.display(), problem.line, problem.what);
    }
}

async fn keep_ldap(config: config::Ldap, sources: Sources, shared: Shared) {
    let (settings, mut trouble) = (settings::ldap(&config), Trouble::default());
    let mut stop = shared.stop.clone();
    loop {
        let read = tokio::select! {
            _ = stop.wait_for(|stopped| *stopped) => return,
            read = ldap::read(&settings) => read,
        };
        let spread = shared.clock.now().millis().unsigned_abs();
        let wait = match read {
            Ok(people) => {
                trouble.over("directory");
                let count = people.len();
                take(LDAP, people, &sources, &shared).await;
                tracing::info!(people = count, "directory: read {}", settings.endpoint.host);
                config.refresh
            }
            Err(fault) => {
                trouble.say("directory: the people read before are used on", &fault.to_string());
                let refused = matches!(fault, ldap::Fault::Refused(_));
                if refused { trouble.refused_pause(spread) } else { trouble.backoff(spread) }
            }
        };
        if shared.pause(wait).await {
            return;
        }
    }
}

/// Uses what was read, and keeps it for the next start.
async fn take(source: &'static str, people: Vec<Entry>, sources: &Sources, shared: &Shared) {
    let bytes = serde_json::to_vec(&people).unwrap_or_default();
    sources.use_from_now_on(source, people, &shared.flow);
    if let Err(error) = remember(shared, source, &bytes).await {
        tracing::error!("directory: it could not be kept for the next start: {error}");
        shared.report(&error);
    }
}

async fn remember(shared: &Shared, source: &str, bytes: &[u8]) -> Result<(), StoreError> {
    let known = shared.flow.store.directory(source).await?;
    let now = shared.clock.now();
    // Every refresh says the same; a database need not write it every hour.
    let fresh = |at: Timestamp| now.since(at) < Duration::from_secs(24 * 60 * 60);
    if known.is_some_and(|(at, known)| known == bytes && fresh(at)) {
        return Ok(());
    }
    let mut tx = shared.flow.store.begin().await?;
    tx.keep_directory(source, bytes, now).await?;
    tx.commit().await
}
