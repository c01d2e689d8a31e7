//! What one fault must not do to everything else: a flow on a real SQLite file, with an inbox and a mailer that misbehave.

use maildesk::address::MessageId;
use maildesk::config::Config;
use maildesk::daemon::{Health, Intake, Shared};
use maildesk::desk::link::Key;
use maildesk::flow::Flow;
use maildesk::flow::deliver::Rates;
use maildesk::mail::templates::Templates;
use maildesk::ports::{
    Batch, BatchLimit, Clock, Content, Cursor, Envelope, Fetched, Inbox, InboxError, Mailer, SendOutcome,
};
use maildesk::store::{OutboxState, Store};
use maildesk::time::Timestamp;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

const CONFIG: &str = r#"
[desk]
name = "IT 服务台"
address = "it@example.com"
domains = ["example.com"]

[database]
url = "sqlite://desk.db"

[[mailbox]]
kind = "maildir"
name = "support"
path = "mailbox"

[smtp]
kind = "maildir"
path = "outbox"

[[engineer]]
address = "li.na@example.com"
name = "李娜"
level = 2
"#;

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::parse("2026-11-23T12:00:00+08:00").unwrap()
    }
}

fn database(folder: &Path) -> String {
    format!("sqlite://{}", folder.join("desk.db").display())
}

async fn flow(folder: &Path) -> Flow {
    let config = folder.join("config.toml");
    std::fs::write(&config, CONFIG).unwrap();
    let store = Store::open(&database(folder)).await.unwrap();
    Flow::new(store, Config::load(&config).unwrap().policy(Key([9; 32])), Templates::load(None).unwrap())
}

fn mail(uid: u32) -> Vec<u8> {
    format!(
        "From: <zhang{uid}@example.com>\r\nTo: <it@example.com>\r\nSubject: printer {uid}\r\n\
         Message-ID: <{uid}@client.example>\r\n\r\nThe printer is broken.\r\n"
    )
    .into_bytes()
}

/// A mailbox of single-message batches whose folder for handled messages takes nothing.
struct ReadOnly {
    uids: Vec<u32>,
    refused: usize,
}

impl Inbox for ReadOnly {
    async fn fetch_after(&mut self, after: Cursor, _: Timestamp, _: BatchLimit) -> Result<Batch, InboxError> {
        let next = self.uids.iter().copied().find(|uid| *uid > after.uid);
        let message = |uid| Fetched { uid, arrived: Noon.now(), size: 100, content: Content::Whole(mail(uid)) };
        let seen_up_to = next.unwrap_or(after.uid);
        let more = self.uids.iter().any(|uid| *uid > seen_up_to);
        Ok(Batch { uid_validity: 1, messages: next.map(message).into_iter().collect(), seen_up_to, more })
    }

    async fn put_away(&mut self, _: u32, uids: &[u32]) -> Result<(), InboxError> {
        if uids.is_empty() {
            return Ok(());
        }
        self.refused += 1;
        Err(InboxError::Lost("moving refused: over quota".into()))
    }

    async fn wait(&mut self, _: Duration) -> Result<(), InboxError> {
        Ok(())
    }
}

#[tokio::test]
async fn r11_a_folder_that_takes_nothing_keeps_no_mail_out() {
    let folder = tempfile::tempdir().unwrap();
    let flow = flow(folder.path()).await;
    let (_stop, stopped) = watch::channel(false);
    let (fatal, _) = mpsc::unbounded_channel();
    let (clock, health) = (Arc::new(Noon), Arc::new(Health::default()));
    let shared = Shared { flow: flow.clone(), clock, health, stop: stopped, fatal };
    let inbox = ReadOnly { uids: vec![1, 2, 3], refused: 0 };
    let (since, poll) = (Timestamp::from_millis(0), Duration::from_secs(60));
    let mut intake = Intake { name: "support".into(), inbox, since, message_bytes: 1 << 20, poll };
    assert!(intake.round(&shared).await.is_err(), "it is said");
    assert_eq!(flow.store.tickets(&Default::default()).await.unwrap().len(), 3);
    intake.inbox.uids.push(4);
    assert!(intake.round(&shared).await.is_err());
    assert_eq!(flow.store.tickets(&Default::default()).await.unwrap().len(), 4, "and later mail comes in");
    assert_eq!(intake.inbox.refused, 2, "one try a round");
}

/// Accepts everything but the letters to one address.
struct Refuses(&'static str);

impl Mailer for Refuses {
    async fn send(&mut self, envelope: &Envelope, _: &[u8]) -> SendOutcome {
        match envelope.to.as_str() == self.0 {
            true => SendOutcome::Refused("550 unknown".into()),
            false => SendOutcome::Accepted("250 ok".into()),
        }
    }
}

#[tokio::test]
async fn g2_what_was_accepted_is_settled_though_a_failure_can_not_be_told() {
    let folder = tempfile::tempdir().unwrap();
    let flow = flow(folder.path()).await;
    let arrival = |uid| maildesk::flow::Arrival {
        source: None,
        arrived: Noon.now(),
        size: 100,
        content: Content::Whole(mail(uid)),
    };
    flow.ingest(vec![arrival(1), arrival(2)], None, Noon.now()).await.unwrap();
    let broken = sqlx::SqlitePool::connect(&database(folder.path())).await.unwrap();
    let damage = "update ticket set status = 'nonsense' where number = 1";
    sqlx::raw_sql(damage).execute(&broken).await.unwrap();
    flow.deliver(&mut Refuses("zhang1@example.com"), &Noon, Rates::default()).await.unwrap();
    let letters = flow.store.all_outgoing().await.unwrap();
    let state = |to: &str| letters.iter().find(|(l, _)| l.to.as_str() == to).map(|(l, _)| l.state);
    assert_eq!(state("zhang2@example.com"), Some(OutboxState::Sent));
    assert_eq!(state("zhang1@example.com"), Some(OutboxState::Failed), "kept with the server's words, and logged");
    let ids: Vec<MessageId> = letters.into_iter().map(|(l, _)| l.message_id).collect();
    assert!(ids.len() >= 4);
}
