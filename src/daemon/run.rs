//! Starting, reloading and stopping the desk.

use super::{Health, Intake, Shared, directory, indexing, outgoing, settings};
use crate::clock::{SystemClock, new_secret};
use crate::config::Config;
use crate::desk::link::Key;
use crate::flow::Flow;
use crate::flow::deliver::LEASE;
use crate::mail::Templates;
use crate::ports::Clock;
use crate::store::{Store, StoreError};
use crate::time::Timestamp;
use crate::web::{self, Pages};
use anyhow::{Context as _, Result, anyhow, bail};
use secrecy::ExposeSecret as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// SIGTERM: everything in hand is finished within this long, or left to be done again.
const STOP_WITHIN: Duration = Duration::from_secs(25);

/// A poll or a sending that went well longer ago than this makes `/readyz` say so.
const STALE: Duration = Duration::from_secs(15 * 60);

const DAILY: Duration = Duration::from_secs(24 * 60 * 60);

/// Runs the desk of this configuration until SIGTERM or SIGINT. SIGHUP reads the file again.
///
/// # Errors
/// When the desk cannot start, or the database's disk fails so that going on could lose mail.
pub async fn run(file: &Path, config: Config) -> Result<()> {
    let store = Store::open_exclusive(config.database.expose_secret()).await.context("the database")?;
    store.end_leases(SystemClock.now(), LEASE).await.context("the database")?;
    let mut config = config;
    let mut first = true;
    let (mut flow, start) = assemble(&store, &config).await?;
    let mut people = directory::at_start(&config.directory, &flow).await.context("the database")?;
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut hangup = signal(SignalKind::hangup())?;
    loop {
        let (fatal, mut fatally) = mpsc::unbounded_channel();
        let (stop, stopped) = watch::channel(false);
        let health = Arc::new(Health::default());
        let shared = Shared { flow: flow.clone(), clock: Arc::new(SystemClock), health, stop: stopped, fatal };
        let mut tasks = spawn(&config, &shared, start, std::mem::take(&mut first)).await?;
        directory::keep(&config.directory, &people, &shared, &mut tasks);
        tracing::info!(mailboxes = config.mailboxes.len(), "the desk is running");
        let next = loop {
            tokio::select! {
                _ = terminate.recv() => break Ok(None),
                _ = interrupt.recv() => break Ok(None),
                Some(error) = fatally.recv() => break Err(anyhow!(error)),
                error = broken_off(&mut tasks) => break Err(error),
                _ = hangup.recv() => match reload(file, &config, &store).await {
                    Ok(next) => break Ok(Some(next)),
                    Err(error) => tracing::error!("the configuration was not reloaded, the old one stays: {error:#}"),
                },
            }
        };
        let _ = stop.send(true);
        finish(tasks).await;
        match next? {
            None => break,
            Some((next_config, next_flow)) => {
                (config, flow) = (next_config, next_flow);
                people = directory::at_start(&config.directory, &flow).await.context("the database")?;
            }
        }
    }
    store.close().await;
    tracing::info!("the desk has stopped");
    Ok(())
}

/// Opens the desk for a command that writes beside a running daemon.
///
/// # Errors
/// The store's, in words.
pub async fn open(config: &Config) -> Result<Flow, StoreError> {
    let store = Store::open(config.database.expose_secret()).await?;
    let (flow, _) = assemble(&store, config).await.map_err(|error| StoreError::Refused(format!("{error:#}")))?;
    directory::at_start(&config.directory, &flow).await?;
    Ok(flow)
}

/// Policy, templates and the moment before which mail is not answered: configured, or the desk's first start.
async fn assemble(store: &Store, config: &Config) -> Result<(Flow, Timestamp)> {
    let templates = Templates::load(config.templates.as_deref());
    let templates =
        templates.map_err(|faults| anyhow!(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))?;
    let (secret, first_start) = first_start(store).await?;
    let flow = Flow::new(store.clone(), config.policy(Key(secret)), templates);
    Ok((flow, config.start.unwrap_or(first_start)))
}

async fn first_start(store: &Store) -> Result<([u8; 32], Timestamp), StoreError> {
    if let (Some(secret), Some(start)) = (store.secret().await?, store.first_start().await?) {
        return Ok((secret, start));
    }
    let mut tx = store.begin().await?;
    let secret = tx.make_secret(new_secret()).await?;
    let start = tx.make_first_start(whole_second(SystemClock.now())).await?;
    tx.commit().await?;
    Ok((secret, start))
}

/// Mail servers tell arrival in whole seconds: what came in the very second of the start is not older than it.
fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_seconds(at.millis().div_euclid(1000))
}

async fn reload(file: &Path, current: &Config, store: &Store) -> Result<(Config, Flow)> {
    let faults = |faults: Vec<crate::config::Fault>| {
        anyhow!(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    };
    let config = Config::load(file).map_err(faults)?;
    if config.database.expose_secret() != current.database.expose_secret() {
        bail!("the database cannot be changed while running: restart the desk");
    }
    let (flow, _) = assemble(store, &config).await?;
    tracing::info!("configuration reloaded");
    Ok((config, flow))
}

/// Starts every task. Pages that cannot be served stop the first start; after a reload the desk works on without them.
async fn spawn(config: &Config, shared: &Shared, start: Timestamp, first: bool) -> Result<JoinSet<()>> {
    let mut tasks = JoinSet::new();
    match serve_pages(config, shared, &mut tasks).await {
        Err(error) if first => return Err(error),
        Err(error) => tracing::error!("the pages behind the links cannot be opened: {error:#}"),
        Ok(()) => {}
    }
    for mailbox in &config.mailboxes {
        let intake = Intake {
            name: mailbox.name.clone(),
            inbox: settings::inbox(mailbox),
            since: start,
            message_bytes: config.limits.message_bytes,
            poll: mailbox.poll,
        };
        tasks.spawn(intake.run(shared.clone()));
    }
    for mailer in settings::mailers(config) {
        tasks.spawn(outgoing::send(mailer, settings::rates(&config.smtp), shared.clone()));
    }
    tasks.spawn(outgoing::keep_time(shared.clone()));
    tasks.spawn(outgoing::hand_over(shared.clone()));
    tasks.spawn(indexing::keep_found(shared.clone()));
    tasks.spawn(look_ahead(config.clone(), shared.clone()));
    Ok(tasks)
}

/// Says at start and then once a day what will be missing soon.
async fn look_ahead(config: Config, shared: Shared) {
    loop {
        for coming in config.coming(shared.clock.now()) {
            tracing::warn!("{coming}");
        }
        if shared.pause(DAILY).await {
            return;
        }
    }
}

async fn serve_pages(config: &Config, shared: &Shared, tasks: &mut JoinSet<()>) -> Result<()> {
    let Some(web) = config.web else { return Ok(()) };
    let listener = TcpListener::bind(web.listen).await.with_context(|| format!("cannot listen on {}", web.listen))?;
    let pages = Pages::new(shared.flow.clone(), shared.clock.clone(), faults(shared));
    let serving = web::serve(listener, pages, shared.stop.clone());
    tasks.spawn(async move {
        if let Err(error) = serving.await {
            tracing::error!("the web pages stopped: {error}");
        }
    });
    Ok(())
}

/// What `/readyz` says.
fn faults(shared: &Shared) -> web::Faults {
    let (health, clock) = (shared.health.clone(), shared.clock.clone());
    Arc::new(move || {
        let last = Timestamp::from_millis(health.last_poll.load(Ordering::Relaxed));
        let stale = clock.now().since(last) > STALE;
        if stale { vec!["no mailbox could be read lately".to_owned()] } else { Vec::new() }
    })
}

/// Waits until a task panics. A desk that answers but no longer sends is worse than one that is started again.
async fn broken_off(tasks: &mut JoinSet<()>) -> anyhow::Error {
    loop {
        match tasks.join_next().await {
            Some(Ok(())) => {}
            Some(Err(error)) => return anyhow!(error).context("a part of the desk broke off; start it again"),
            None => std::future::pending().await,
        }
    }
}

async fn finish(mut tasks: JoinSet<()>) {
    let all = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(STOP_WITHIN, all).await.is_err() {
        tracing::warn!("some work was still in hand when the desk stopped; it is done again at the next start");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_panics_is_noticed() {
        let mut tasks = JoinSet::new();
        tasks.spawn(async {});
        tasks.spawn(async { panic!("a fault") });
        let error = broken_off(&mut tasks).await;
        assert!(error.to_string().contains("broke off"), "{error:#}");
        assert!(tokio::time::timeout(Duration::from_millis(20), broken_off(&mut tasks)).await.is_err());
    }
}
