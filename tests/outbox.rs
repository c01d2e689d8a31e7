//! What becomes of a letter: sent, tried again, refused, held back. A real database, a clock the test moves, and a mail
//! server that answers as it is told.

use maildesk::config::Config;
use maildesk::demo::people;
use maildesk::demo::world::StoryClock;
use maildesk::desk::link::Key;
use maildesk::desk::ticket::{Number, What};
use maildesk::flow::deliver::{Delivered, LEASE, Rates};
use maildesk::flow::{Arrival, Flow};
use maildesk::mail::{self, Templates};
use maildesk::ports::{Clock, Content, Envelope, Mailer, SendOutcome};
use maildesk::store::{OutboxState, Store};
use maildesk::time::Timestamp;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

const CONFIG: &str = r#"
[desk]
name = "IT 服务台"
address = "it@corp.example"
domains = ["corp.example"]
zone = "Asia/Shanghai"
[[mailbox]]
kind = "maildir"
path = "unused"
[smtp]
kind = "maildir"
path = "unused"
[[engineer]]
address = "li.na@corp.example"
name = "李娜"
level = 2
"#;

/// Answers as told, then accepts; remembers what it was given.
#[derive(Default)]
struct Server {
    answers: VecDeque<SendOutcome>,
    got: Vec<(String, Vec<u8>)>,
}

impl Mailer for Server {
    async fn send(&mut self, envelope: &Envelope, message: &[u8]) -> SendOutcome {
        self.got.push((envelope.to.to_string(), message.to_vec()));
        self.answers.pop_front().unwrap_or_else(|| SendOutcome::Accepted("250 ok".into()))
    }
}

struct World {
    flow: Flow,
    clock: Arc<StoryClock>,
    server: Server,
    _folder: tempfile::TempDir,
}

impl World {
    /// A desk with `tickets` tickets: each queues an acknowledgement and a notice.
    async fn with(tickets: usize) -> World {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::read(Path::new("/tmp/config.toml"), CONFIG, &|_| None).unwrap();
        let url = format!("sqlite://{}", folder.path().join("desk.db").display());
        let store = Store::open(&url).await.unwrap();
        let flow = Flow::new(store, config.policy(Key([1; 32])), Templates::load(None).unwrap());
        let clock = StoryClock::at(Timestamp::parse("2026-11-23T10:00:00+08:00").unwrap());
        let world = World { flow, clock, server: Server::default(), _folder: folder };
        for i in 0..tickets {
            world.hears(&format!("user{i}@corp.example"), &format!("打印机 {i} 坏了")).await;
        }
        world
    }

    async fn hears(&self, from: &str, subject: &str) {
        let from = maildesk::address::Mailbox::new(maildesk::address::Address::parse(from).unwrap(), "");
        let raw = people::write(&from, "it@corp.example", subject, "打印机坏了，只有我这台", self.clock.now());
        let arrival =
            Arrival { source: None, arrived: self.clock.now(), size: raw.len(), content: Content::Whole(raw) };
        self.flow.ingest(vec![arrival], None, self.clock.now()).await.unwrap();
    }

    async fn deliver(&mut self, answers: &[SendOutcome], rates: Rates) -> Delivered {
        self.server.answers = answers.iter().cloned().collect();
        self.flow.deliver(&mut self.server, self.clock.as_ref(), rates).await.unwrap()
    }

    async fn states(&self) -> Vec<(String, OutboxState)> {
        let rows = self.flow.store.all_outgoing().await.unwrap();
        rows.into_iter().map(|(row, _)| (row.template, row.state)).collect()
    }
}

fn retry(words: &str) -> SendOutcome {
    SendOutcome::Retry(words.into())
}

fn ids(server: &Server) -> Vec<String> {
    server.got.iter().map(|(_, raw)| mail::parse(raw).message_id.unwrap().as_str().to_owned()).collect()
}

#[tokio::test]
async fn what_is_accepted_is_sent_once() {
    let mut world = World::with(1).await;
    let done = world.deliver(&[], Rates::default()).await;
    assert_eq!((done.sent, done.postponed, done.failed), (2, 0, 0));
    assert_eq!(world.deliver(&[], Rates::default()).await.sent, 0);
    assert_eq!(world.server.got.len(), 2);
}

#[tokio::test]
async fn r14_a_passing_fault_is_tried_again_twice_in_the_first_hour() {
    let mut world = World::with(1).await;
    let faults = vec![retry("450 busy"); 2];
    assert_eq!(world.deliver(&faults, Rates::default()).await.postponed, 2);
    let mut tries = 0;
    for _ in 0..60 {
        world.clock.advance(MINUTE);
        tries += world.deliver(&faults, Rates::default()).await.postponed;
    }
    assert_eq!(tries, 2 * 2, "two more tries of two letters");
}

#[tokio::test]
async fn r14_after_five_days_it_has_failed_and_the_engineer_is_told() {
    let mut world = World::with(1).await;
    let (mut failed, mut days) = (0, 0);
    while failed == 0 && days < 10 {
        let acknowledgement_fails = vec![retry("451 later"); 8];
        failed += world.deliver(&acknowledgement_fails, Rates::default()).await.failed;
        world.clock.advance(Duration::from_secs(4 * 3600));
        days = world.clock.now().since(Timestamp::parse("2026-11-23T10:00:00+08:00").unwrap()).as_secs() / 86_400;
    }
    assert!((4..=5).contains(&days), "gave up after {days} days");
    let timeline = world.flow.store.timeline(Number(1)).await.unwrap();
    assert!(timeline.iter().any(|e| e.what == What::Undelivered && e.why.contains("five days")), "{timeline:?}");
}

#[tokio::test]
async fn r15_a_refused_letter_fails_at_once_and_shows_on_the_ticket() {
    let mut world = World::with(1).await;
    let refuse = |to: &str| (to == "user0@corp.example").then(|| SendOutcome::Refused("550 5.1.1 no such user".into()));
    // The notice is the more urgent letter or not: answer by recipient, whatever the order.
    let order: Vec<String> =
        world.flow.store.all_outgoing().await.unwrap().into_iter().map(|(row, _)| row.to.to_string()).collect();
    assert_eq!(order.len(), 2);
    let mut server = ByRecipient { refuse, got: vec![] };
    let done = world.flow.deliver(&mut server, world.clock.as_ref(), Rates::default()).await.unwrap();
    assert_eq!((done.sent, done.failed), (1, 1));
    let timeline = world.flow.store.timeline(Number(1)).await.unwrap();
    assert!(timeline.iter().any(|e| e.what == What::Undelivered && e.why.contains("5.1.1")), "{timeline:?}");
    world.deliver(&[], Rates::default()).await;
    let told = world
        .server
        .got
        .iter()
        .any(|(to, raw)| to == "li.na@corp.example" && mail::parse(raw).full_text.contains("user0@corp.example"));
    assert!(told, "the engineer hears of it");
}

struct ByRecipient<F> {
    refuse: F,
    got: Vec<String>,
}

impl<F: Fn(&str) -> Option<SendOutcome> + Send> Mailer for ByRecipient<F> {
    async fn send(&mut self, envelope: &Envelope, _: &[u8]) -> SendOutcome {
        self.got.push(envelope.to.to_string());
        (self.refuse)(envelope.to.as_str()).unwrap_or_else(|| SendOutcome::Accepted("250 ok".into()))
    }
}

#[tokio::test]
async fn r15_a_configuration_fault_pauses_the_queue_and_fails_no_letter() {
    let mut world = World::with(3).await;
    let fault = SendOutcome::Misconfigured("535 authentication failed".into());
    for _ in 0..30 {
        let done = world.deliver(std::slice::from_ref(&fault), Rates::default()).await;
        assert_eq!((done.sent, done.failed, done.misconfigured.as_deref()), (0, 0, Some("535 authentication failed")));
        world.clock.advance(Duration::from_secs(6 * 3600));
    }
    let tried = world.server.got.len();
    assert_eq!(tried, 30, "one letter asks each time, the others wait");
    // A week later somebody mends the password: everything leaves, nothing was given up.
    assert_eq!(world.deliver(&[], Rates::default()).await.sent, 6);
}

#[tokio::test]
async fn r16_an_unknown_outcome_is_sent_again_with_the_same_message_id_and_bytes() {
    let mut world = World::with(1).await;
    let lost = SendOutcome::Unknown("connection lost after the final dot".into());
    world.deliver(&[lost.clone(), lost], Rates::default()).await;
    world.clock.advance(10 * MINUTE);
    assert_eq!(world.deliver(&[], Rates::default()).await.sent, 2);
    let mut ids = ids(&world.server);
    ids.sort();
    assert_eq!(ids.len(), 4);
    assert!(ids[0] == ids[1] && ids[2] == ids[3], "{ids:?}");
    let mut bytes: Vec<_> = world.server.got.iter().map(|(_, raw)| raw).collect();
    bytes.sort();
    bytes.dedup();
    assert_eq!(bytes.len(), 2, "a copy is the same to the byte");
}

#[tokio::test]
async fn a_sender_that_died_is_followed_by_another_when_its_lease_is_over() {
    let world = World::with(1).await;
    let claimed = world.flow.store.claim(world.clock.now(), LEASE, 10).await.unwrap();
    assert_eq!(claimed.len(), 2);
    let mut world = world;
    assert_eq!(world.deliver(&[], Rates::default()).await.sent, 0, "leased to the one that died");
    world.clock.advance(LEASE + MINUTE);
    assert_eq!(world.deliver(&[], Rates::default()).await.sent, 2);
    assert!(world.states().await.iter().all(|(_, state)| *state == OutboxState::Sent));
}

#[tokio::test]
async fn rates_hold_back_and_let_go() {
    let mut world = World::with(4).await;
    let rates = Rates { minute: Some(3), hour: Some(5), day: None };
    assert_eq!(world.deliver(&[], rates).await.sent, 3);
    assert!(world.deliver(&[], rates).await.held_back.is_some());
    world.clock.advance(MINUTE + Duration::from_secs(1));
    assert_eq!(world.deliver(&[], rates).await.sent, 2, "the hour's bound");
    world.clock.advance(2 * MINUTE);
    assert!(world.deliver(&[], rates).await.held_back.is_some());
    world.clock.advance(60 * MINUTE);
    assert_eq!(world.deliver(&[], rates).await.sent, 3);
}
