//! A whole desk for stories: real Dovecot, real Postfix, a real database, and a clock that the story moves.
//!
//! One Dovecot and one Postfix serve all desks of a test program: each desk reads a folder of its own and writes under
//! an address of its own. The servers end with the program.

use super::postfix::{self, RunningPostfix};
use super::postgres;
use maildesk::address::{Address, Mailbox};
use maildesk::config::Config;
use maildesk::daemon::{Intake, Shared};
use maildesk::demo::people::{self, Letter};
use maildesk::demo::world::StoryClock;
use maildesk::desk::link::Key;
use maildesk::desk::ticket::{Entry, Number, Ticket, What};
use maildesk::desk::triage::Case;
use maildesk::flow::Flow;
use maildesk::flow::deliver::Rates;
use maildesk::inbox::{ImapInbox, ImapSettings};
use maildesk::mail::Templates;
use maildesk::mailer::SmtpMailer;
use maildesk::ports::Clock;
use maildesk::report::cases::each_portion;
use maildesk::store::{Store, StoredMessage, TicketFilter};
use maildesk::time::Timestamp;
use maildesk::wire::Security;
use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, UNIX_EPOCH};
use tokio::sync::{mpsc, watch};

pub const SECOND: Duration = Duration::from_secs(1);
pub const MINUTE: Duration = Duration::from_secs(60);
pub const HOUR: Duration = Duration::from_secs(3600);
pub const DAY: Duration = Duration::from_secs(86_400);

/// The mail server's own name in `Authentication-Results`.
pub const BORDER: &str = "mx.corp.example";

const CONFIG: &str = r#"
[desk]
name = "IT 服务台"
name_en = "IT Service Desk"
address = "{address}"
domains = ["corp.example"]
zone = "Asia/Shanghai"

[database]
url = "{database}"

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
language = "zh-CN"

[[engineer]]
address = "wang.lei@corp.example"
name = "王磊"
level = 3
language = "zh-CN"

[[engineer]]
address = "tom@corp.example"
name = "Tom Baker"
level = 2
skills = ["network"]
language = "en"

[[supervisor]]
address = "zhao.min@corp.example"
name = "赵敏"
"#;

pub struct Desk {
    pub address: String,
    pub database: String,
    pub flow: Flow,
    pub clock: Arc<StoryClock>,
    pub intake: Intake<ImapInbox>,
    shared: Shared,
    mailer: SmtpMailer,
    /// The desk's mailbox on disk.
    maildir: PathBuf,
    opened: HashSet<PathBuf>,
    arrived: u32,
    _folder: tempfile::TempDir,
    _stop: watch::Sender<bool>,
}

/// Plays a story on SQLite and on PostgreSQL.
pub async fn on_both(story: impl AsyncFn(&mut Desk)) {
    on_both_with("", story).await;
}

/// The same with additions to the configuration.
pub async fn on_both_with(settings: &str, story: impl AsyncFn(&mut Desk)) {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = format!("sqlite://{}/desk.db", folder.path().display());
    let (mut one, mut two) =
        (Desk::open(&sqlite, settings).await, Desk::open(&postgres::database().await, settings).await);
    tokio::join!(story(&mut one), story(&mut two));
}

pub fn person(address: &str, name: &str) -> Mailbox {
    Mailbox::new(Address::parse(address).unwrap(), name)
}

pub fn zhang() -> Mailbox {
    person("zhang.wei@corp.example", "张伟")
}

pub fn li() -> Mailbox {
    person("li.na@corp.example", "李娜")
}

pub fn wang() -> Mailbox {
    person("wang.lei@corp.example", "王磊")
}

pub fn tom() -> Mailbox {
    person("tom@corp.example", "Tom Baker")
}

/// Letters that went out, as those who got them see them.
#[derive(Debug)]
pub struct Letters(pub Vec<Letter>);

impl Letters {
    /// The one letter to this person.
    #[track_caller]
    pub fn to(&self, who: &Mailbox) -> Letter {
        let mut found = self.0.iter().filter(|l| l.to == who.address.as_str());
        let letter = found.next().unwrap_or_else(|| panic!("no letter to {}, but {}", who.address, self.told()));
        assert!(found.next().is_none(), "several letters to {}: {}", who.address, self.told());
        letter.clone()
    }

    /// Nobody else got a letter.
    #[track_caller]
    pub fn only_to(&self, people: &[&Mailbox]) {
        let mut got: Vec<&str> = self.0.iter().map(|l| l.to.as_str()).collect();
        let mut expected: Vec<&str> = people.iter().map(|p| p.address.as_str()).collect();
        got.sort_unstable();
        expected.sort_unstable();
        assert_eq!(got, expected, "{}", self.told());
    }

    #[track_caller]
    pub fn none(&self) {
        self.only_to(&[]);
    }

    fn told(&self) -> String {
        let told = self.0.iter().map(|l| format!("to {}: {}\n{}\n", l.to, l.subject, l.text));
        told.collect::<Vec<_>>().join("\n")
    }
}

fn servers() -> &'static RunningPostfix {
    static SERVERS: OnceLock<RunningPostfix> = OnceLock::new();
    SERVERS.get_or_init(postfix::start)
}

impl Desk {
    pub async fn open(database: &str, settings: &str) -> Desk {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let (address, servers) = (format!("it{number}@corp.example"), servers());
        let folder = tempfile::tempdir().unwrap();
        // Most stories end with the ticket: nobody is to be asked for an article or a review then.
        let quiet = if settings.contains("[knowledge]") { "" } else { "\n[knowledge]\ndrafts = \"no\"\n" };
        let calm =
            if settings.contains("[review]") { "" } else { "\n[review]\nincidents = \"no\"\nproblems = \"no\"\n" };
        let text = CONFIG.replace("{address}", &address).replace("{database}", database) + settings + quiet + calm;
        let file = folder.path().join("desk.toml");
        fs::write(&file, text).unwrap();
        let config = Config::load(&file).unwrap_or_else(|faults| panic!("{faults:?}"));
        let store = Store::open_exclusive(database).await.unwrap();
        let flow = Flow::new(store, config.policy(Key([42; 32])), Templates::load(None).unwrap());
        let start = Timestamp::parse("2026-11-23T09:12:00+08:00").unwrap();
        let (clock, (stop, stopped)) = (StoryClock::at(start), watch::channel(false));
        let shared = Shared {
            flow: flow.clone(),
            clock: clock.clone(),
            health: Arc::default(),
            stop: stopped,
            fatal: mpsc::unbounded_channel().0,
        };
        let maildir = servers.dovecot.maildir.join(format!(".Desk{number}"));
        for part in ["tmp", "new", "cur"] {
            fs::create_dir_all(maildir.join(part)).unwrap();
        }
        super::give_to(&maildir, "nobody:nogroup");
        let inbox = ImapSettings {
            folder: format!("Desk{number}"),
            processed: format!("Done{number}"),
            ..servers.dovecot.settings()
        };
        let intake = Intake {
            name: format!("desk{number}"),
            inbox: ImapInbox::new(inbox),
            since: start - DAY,
            message_bytes: config.limits.message_bytes,
            poll: MINUTE,
        };
        let mailer = SmtpMailer::new(servers.settings(Security::Plain));
        let (opened, arrived) = (HashSet::new(), 0);
        let _folder = folder;
        let database = database.to_owned();
        Desk { address, database, flow, clock, intake, shared, mailer, maildir, opened, arrived, _folder, _stop: stop }
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Somebody writes a new mail to the desk; gives the letters it causes.
    pub async fn writes(&mut self, from: &Mailbox, subject: &str, text: &str) -> Letters {
        let raw = self.mail(from, subject, text);
        self.gets(raw).await
    }

    pub fn mail(&self, from: &Mailbox, subject: &str, text: &str) -> Vec<u8> {
        people::write(from, &self.address, subject, text, self.now())
    }

    /// Somebody replies to a letter they have; gives the letters it causes.
    pub async fn replies(&mut self, from: &Mailbox, letter: &Letter, text: &str) -> Letters {
        let raw = self.reply(from, letter, text);
        self.gets(raw).await
    }

    pub fn reply(&self, from: &Mailbox, letter: &Letter, text: &str) -> Vec<u8> {
        people::reply(from, &self.address, letter, text, self.now())
    }

    /// The whole text of a reply as some program writes it, quote and all.
    pub fn reply_raw(&self, from: &Mailbox, letter: &Letter, text: &str) -> Vec<u8> {
        super::post::answer(from, &self.address, letter, text)
    }

    pub async fn gets(&mut self, raw: Vec<u8>) -> Letters {
        self.gets_all(&[raw]).await
    }

    /// Mails arrive together, in this order.
    pub async fn gets_all(&mut self, mails: &[Vec<u8>]) -> Letters {
        for raw in mails {
            self.arrives(raw);
        }
        self.looks().await;
        self.letters().await
    }

    /// The mail server takes a message for the desk, at the story's time; the desk does not look yet.
    pub fn arrives(&mut self, raw: &[u8]) {
        let at = self.now();
        self.arrives_at(raw, at);
    }

    pub fn arrives_at(&mut self, raw: &[u8], at: Timestamp) {
        self.arrived += 1;
        let name = format!("{:06}.story", self.arrived);
        let temporary = self.maildir.join("tmp").join(&name);
        fs::write(&temporary, raw).unwrap();
        let file = fs::File::options().write(true).open(&temporary).unwrap();
        file.set_modified(UNIX_EPOCH + Duration::from_millis(u64::try_from(at.millis()).unwrap())).unwrap();
        if super::is_root() {
            let owner = fs::metadata(&self.maildir).unwrap();
            use std::os::unix::fs::MetadataExt;
            std::os::unix::fs::chown(&temporary, Some(owner.uid()), Some(owner.gid())).unwrap();
        }
        fs::rename(temporary, self.maildir.join("new").join(&name)).unwrap();
    }

    /// The desk looks into its mailbox.
    pub async fn looks(&mut self) {
        self.intake.round(&self.shared).await.unwrap();
    }

    /// What lies in the desk's mailbox and was not put away.
    pub fn lying(&self) -> usize {
        ["new", "cur"].iter().map(|part| fs::read_dir(self.maildir.join(part)).unwrap().count()).sum()
    }

    /// Time goes by: timers fall due.
    pub async fn passes(&mut self, time: Duration) -> Letters {
        self.clock.advance(time);
        self.flow.tick(self.now()).await.unwrap();
        self.letters().await
    }

    /// Sends what is queued and opens what arrived in everybody's mailboxes.
    pub async fn letters(&mut self) -> Letters {
        let mut sent = 0;
        loop {
            let done = self.flow.deliver(&mut self.mailer, self.clock.as_ref(), Rates::default()).await.unwrap();
            sent += done.sent;
            if done.sent + done.postponed + done.failed == 0 {
                break;
            }
        }
        let mut letters = Vec::new();
        for _ in 0..400 {
            self.open_new(&mut letters);
            if letters.len() >= sent {
                return Letters(letters);
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{sent} letters were sent and {} arrived:\n{}", letters.len(), servers().server.log());
    }

    fn open_new(&mut self, letters: &mut Vec<Letter>) {
        let mark = format!("X-Maildesk-Loop: {}\n", self.address);
        for entry in fs::read_dir(servers().maildir.join("new")).into_iter().flatten() {
            let path = entry.unwrap().path();
            if self.opened.contains(&path) {
                continue;
            }
            let raw = fs::read(&path).unwrap();
            if String::from_utf8_lossy(&raw).replace("\r\n", "\n").contains(&mark) {
                letters.push(Letter::read(raw));
            }
            self.opened.insert(path);
        }
    }

    pub async fn ticket(&self, number: i64) -> Ticket {
        self.flow.store.ticket(Number(number)).await.unwrap().unwrap_or_else(|| panic!("no ticket {number}"))
    }

    /// How many tickets there are.
    pub async fn tickets(&self) -> usize {
        let filter = TicketFilter { limit: 10_000, ..TicketFilter::default() };
        self.flow.store.tickets(&filter).await.unwrap().len()
    }

    pub async fn messages(&self, number: i64) -> Vec<StoredMessage> {
        self.flow.store.messages(Number(number)).await.unwrap()
    }

    /// Every ticket as a case, each of which reads as it did when it arrived.
    pub async fn cases(&self) -> Vec<Case> {
        let (policy, mut cases) = (self.flow.policy(), Vec::new());
        let all = |portion: Vec<Case>| {
            cases.extend(portion);
            true
        };
        each_portion(&self.flow.store, None, self.now() + Duration::from_secs(1), all).await.unwrap();
        for case in &cases {
            assert_eq!(case.outcome(&policy.rules), case.said, "{}: {}", case.subject, case.text);
        }
        cases
    }

    /// Messages on no ticket.
    pub async fn aside(&self) -> Vec<StoredMessage> {
        self.flow.store.set_aside(10_000).await.unwrap()
    }

    pub async fn timeline(&self, number: i64) -> Vec<Entry> {
        self.flow.store.timeline(Number(number)).await.unwrap()
    }

    pub async fn happened(&self, number: i64, what: fn(&What) -> bool) -> usize {
        self.timeline(number).await.iter().filter(|e| what(&e.what)).count()
    }
}
