//! A small desk in a temporary folder: a Maildir as the desk's mailbox, another as everybody's inbox, SQLite, real pages.

use super::people::{self, Letter};
use crate::address::Mailbox;
use crate::config::Config;
use crate::daemon::{Intake, Shared};
use crate::desk::link::Key;
use crate::flow::Flow;
use crate::flow::deliver::Rates;
use crate::inbox::{MaildirInbox, MaildirSettings};
use crate::mail::Templates;
use crate::mailer::MaildirMailer;
use crate::ports::Clock;
use crate::store::Store;
use crate::time::Timestamp;
use crate::web;
use anyhow::{Context as _, Result, anyhow};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

pub const DESK: &str = "it@example.com";

/// A clock that stands still until the story moves it.
pub struct StoryClock(AtomicI64);

impl StoryClock {
    pub fn at(start: Timestamp) -> Arc<StoryClock> {
        Arc::new(StoryClock(AtomicI64::new(start.millis())))
    }

    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_millis() as i64, Ordering::SeqCst);
    }
}

impl Clock for StoryClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// Everything the story plays in.
pub struct World {
    pub folder: PathBuf,
    pub flow: Flow,
    pub clock: Arc<StoryClock>,
    shared: Shared,
    intake: Intake<MaildirInbox>,
    mailer: MaildirMailer,
    inbox: PathBuf,
    outbox: PathBuf,
    written: u32,
    _stop: watch::Sender<bool>,
}

impl World {
    pub async fn create(folder: &Path) -> Result<World> {
        let (inbox, outbox) = (folder.join("desk-mailbox"), folder.join("everybodys-inbox"));
        for maildir in [&inbox, &outbox] {
            for part in ["tmp", "new", "cur"] {
                std::fs::create_dir_all(maildir.join(part))
                    .with_context(|| format!("cannot create {}", maildir.display()))?;
            }
        }
        let start = Timestamp::parse("2026-11-23T09:12:00+08:00").expect("a valid time");
        let clock = StoryClock::at(start);
        let listener = TcpListener::bind("127.0.0.1:0").await.context("cannot listen on 127.0.0.1")?;
        let config = write_config(folder, listener.local_addr()?.port())?;
        let store = Store::open_exclusive(&format!("sqlite://{}", folder.join("desk.db").display())).await?;
        let templates = Templates::load(None).map_err(|faults| anyhow!("templates: {faults:?}"))?;
        let flow = Flow::new(store, config.policy(Key([42; 32])), templates);
        let (stop, stopped) = watch::channel(false);
        let shared = Shared {
            flow: flow.clone(),
            clock: clock.clone(),
            health: Arc::default(),
            stop: stopped,
            fatal: mpsc::unbounded_channel().0,
        };
        let pages = web::Pages::new(flow.clone(), clock.clone(), Arc::new(Vec::new) as web::Faults);
        tokio::spawn(web::serve(listener, pages, shared.stop.clone()));
        let intake = Intake {
            name: "demo".into(),
            inbox: MaildirInbox::new(MaildirSettings::new(&inbox)),
            since: start - Duration::from_secs(86_400),
            message_bytes: 25 << 20,
            poll: Duration::from_secs(60),
        };
        let mailer = MaildirMailer::new(&outbox);
        let folder = folder.to_owned();
        Ok(World { folder, flow, clock, shared, intake, mailer, inbox, outbox, written: 0, _stop: stop })
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Somebody sends a mail to the desk; gives the letters it causes.
    pub async fn writes(&mut self, from: &Mailbox, subject: &str, text: &str) -> Result<Vec<Letter>> {
        let raw = people::write(from, DESK, subject, text, self.now());
        self.arrives(raw).await
    }

    /// Somebody replies to a letter they received.
    pub async fn replies(&mut self, from: &Mailbox, letter: &Letter, text: &str) -> Result<Vec<Letter>> {
        let raw = people::reply(from, DESK, letter, text, self.now());
        self.arrives(raw).await
    }

    /// A message reaches the desk as it is.
    pub async fn arrives(&mut self, raw: Vec<u8>) -> Result<Vec<Letter>> {
        self.written += 1;
        let name = format!("{:06}.story", self.written);
        let temporary = self.inbox.join("tmp").join(&name);
        std::fs::write(&temporary, raw)?;
        std::fs::File::options()
            .write(true)
            .open(&temporary)?
            .set_modified(std::time::UNIX_EPOCH + Duration::from_millis(self.now().millis() as u64))?;
        std::fs::rename(temporary, self.inbox.join("new").join(&name))?;
        self.intake.round(&self.shared).await.map_err(|error| anyhow!("{error}"))?;
        self.letters().await
    }

    /// Time goes by: timers fall due.
    pub async fn passes(&mut self, time: Duration) -> Result<Vec<Letter>> {
        self.clock.advance(time);
        self.flow.tick(self.now()).await?;
        self.letters().await
    }

    /// Sends what is queued and opens what arrived in everybody's inbox.
    pub async fn letters(&mut self) -> Result<Vec<Letter>> {
        loop {
            let done = self.flow.deliver(&mut self.mailer, self.clock.as_ref(), Rates::default()).await?;
            if done.sent + done.postponed + done.failed == 0 {
                break;
            }
        }
        let mut new: Vec<PathBuf> =
            std::fs::read_dir(self.outbox.join("new"))?.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>()?;
        new.sort();
        let mut letters = Vec::new();
        for path in new {
            letters.push(Letter::read(std::fs::read(&path)?));
            let name = path.file_name().context("a file has a name")?;
            std::fs::rename(&path, self.outbox.join("cur").join(name))?;
        }
        Ok(letters)
    }

    /// Opens a rating link as a browser does, waits a little, and presses a button.
    pub async fn presses(&mut self, link: &str, rating: &str) -> Result<Vec<Letter>> {
        let page = http(link, None).await?;
        let field = |name: &str| {
            let after = page.split(&format!("name=\"{name}\" value=\"")).nth(1)?;
            after.split('"').next().map(str::to_owned)
        };
        let (shown, seal) =
            field("shown").zip(field("seal")).with_context(|| format!("no form on the page: {page}"))?;
        self.clock.advance(Duration::from_secs(8));
        http(link, Some(&format!("rating={rating}&comment=&shown={shown}&seal={seal}"))).await?;
        self.letters().await
    }
}

/// The demo's configuration, written out so that it can be looked at and used afterwards.
fn write_config(folder: &Path, port: u16) -> Result<Config> {
    let path = folder.join("config.toml");
    let text = include_str!("config.toml").replace("{port}", &port.to_string());
    std::fs::write(&path, text)?;
    Config::load(&path).map_err(|faults| anyhow!(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))
}

/// One request over a plain connection, as small as HTTP/1.1 allows.
async fn http(url: &str, form: Option<&str>) -> Result<String> {
    let rest = url.strip_prefix("http://").context("the demo's links are plain http")?;
    let (host, path) = rest.split_once('/').context("a link has a path")?;
    let mut stream = TcpStream::connect(host).await?;
    let request = match form {
        None => format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"),
        Some(form) => format!(
            "POST /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        ),
    };
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    anyhow::ensure!(
        answer.starts_with("HTTP/1.1 200"),
        "the page answered {}",
        answer.lines().next().unwrap_or("nothing")
    );
    Ok(answer)
}
