//! How fast the desk is, on real servers. `cargo bench --bench drain -- [--n 2000,10000] [--repeat 3] [--tls]
//! [--rate 20] [--seconds 30] [--connections 1] [--large 25] [--program FILE]
//! [--parts drain,mbsync,start,latency,large]`, everything
//! optional; needs Dovecot 2.3 and mbsync (Debian: dovecot-imapd, isync), and takes an otherwise idle machine to mean
//! something. For every N it fills the mailbox of a real Dovecot with N mails of the usual mix (`mails.rs`), starts the
//! real `maildesk run` on an empty SQLite database, and measures until no mail is left in the mailbox (**drain**: each
//! is in a ticket, durably, and moved on the server by then; the tickets are counted afterwards), until all letters
//! are accepted by an SMTP server in this process that says yes at once, and the peak memory of the daemon (VmHWM).
//! **mbsync** then only downloads the same files from another folder of the same server, in its default durable mode:
//! compare the two as a ratio, absolute figures move with the machine. It syncs a file for each mail, the desk its
//! database for each batch: the slower the disk's sync, the better the desk's ratio; and wait a minute between two runs,
//! because the end of one deletes its files. **start** stops the desk and starts it again on
//! that database, until it has looked into the mailbox once. **latency** delivers mails at a steady rate to the running
//! desk and measures from the delivery (the file's rename) to the yes to the acknowledgement. **large** is the peak
//! memory while one mail of 25 MB comes in. With `--repeat` each figure is measured so often and the median printed last.

mod mails;
mod sink;
#[path = "../support/mod.rs"]
mod support;

use maildesk::clock::SystemClock;
use maildesk::ports::Clock as _;
use maildesk::store::{Store, TicketFilter};
use mails::Mails;
use sink::Sink;
use std::collections::HashMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use support::dovecot::{Dovecot, PASSWORD, RunningDovecot, USER};
use support::{free_port, give_to, program, run};

const TOO_LONG: Duration = Duration::from_secs(900);
/// mbsync's user: the same mailbox, a password without surprises.
const COPY_USER: &str = "copy@corp.example";

struct Options {
    numbers: Vec<usize>,
    repeat: usize,
    tls: bool,
    rate: u32,
    seconds: u32,
    connections: usize,
    large_mb: usize,
    parts: Vec<String>,
    program: PathBuf,
}

impl Options {
    fn read() -> Options {
        let mut options = Options {
            numbers: vec![2000, 10_000],
            repeat: 1,
            tls: false,
            rate: 20,
            seconds: 30,
            connections: 1,
            large_mb: 25,
            parts: list("drain,mbsync,start,latency,large"),
            program: env!("CARGO_BIN_EXE_maildesk").into(),
        };
        let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
        while let Some(name) = words.next() {
            if name == "--tls" {
                options.tls = true;
                continue;
            }
            let value = words.next().unwrap_or_else(|| panic!("{name} needs a value"));
            let number = || value.parse::<usize>().unwrap_or_else(|_| panic!("{name} {value}: not a number"));
            match name.as_str() {
                "--n" => options.numbers = list(&value).iter().map(|n| n.parse().unwrap()).collect(),
                "--repeat" => options.repeat = number(),
                "--rate" => options.rate = number() as u32,
                "--seconds" => options.seconds = number() as u32,
                "--connections" => options.connections = number(),
                "--large" => options.large_mb = number(),
                "--program" => options.program = value.into(),
                "--parts" => options.parts = list(&value),
                _ => panic!("unknown option {name}: see the top of tests/bench/drain.rs"),
            }
        }
        options
    }

    fn has(&self, part: &str) -> bool {
        self.parts.iter().any(|p| p == part)
    }
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::to_owned).collect()
}

/// Everything that is printed, so that medians can be taken.
#[derive(Default)]
struct Figures(Vec<(String, &'static str, Vec<f64>)>);

impl Figures {
    fn add(&mut self, name: impl Into<String>, unit: &'static str, value: f64) {
        let name = name.into();
        println!("{name:<58} {value:>10.2} {unit}");
        match self.0.iter_mut().find(|(known, ..)| *known == name) {
            Some((.., values)) => values.push(value),
            None => self.0.push((name, unit, vec![value])),
        }
    }

    fn print_medians(&mut self) {
        println!("\nmedians");
        for (name, unit, values) in &mut self.0 {
            let times = values.len();
            println!("{name:<58} {:>10.2} {unit} ({times} times)", percentile(values, 0.5));
        }
    }
}

fn percentile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    values.get((last as f64 * part).round() as usize).copied().unwrap_or(f64::NAN)
}

/// One mailbox, one database, one configuration.
struct Place {
    dovecot: RunningDovecot,
    folder: tempfile::TempDir,
    sink: Sink,
    web: u16,
    tls: bool,
    program: PathBuf,
}

impl Place {
    fn new(options: &Options) -> Place {
        let dovecot = Dovecot::default().start();
        let users = dovecot.server.folder.join("users");
        let known = fs::read_to_string(&users).unwrap();
        fs::write(users, format!("{known}{COPY_USER}:{{PLAIN}}copy::::::\n")).unwrap();
        let (sink, smtp) = Sink::start();
        let folder = tempfile::tempdir().unwrap();
        let place =
            Place { dovecot, folder, sink, web: free_port(), tls: options.tls, program: options.program.clone() };
        fs::write(place.path("password"), PASSWORD).unwrap();
        fs::write(place.path("copy.password"), "copy").unwrap();
        for file in ["password", "copy.password"] {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(place.path(file), fs::Permissions::from_mode(0o600)).unwrap();
        }
        fs::write(place.path("maildesk.toml"), place.configuration(smtp, options)).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn port(&self) -> u16 {
        if self.tls { self.dovecot.tls } else { self.dovecot.plain }
    }

    fn configuration(&self, smtp: u16, options: &Options) -> String {
        let security = match self.tls {
            true => format!("security = \"tls\"\nca_file = {:?}", self.dovecot.ca),
            false => "security = \"plain\"".to_owned(),
        };
        let engineers: Vec<String> = (1..=6)
            .map(|i| {
                format!(
                    "[[engineer]]\naddress = \"engineer{i}@corp.example\"\nname = \"工程师{i}\"\nlevel = {}\n",
                    1 + i % 3
                )
            })
            .collect();
        format!(
            "[desk]\naddress = \"{USER}\"\ndomains = [\"*\"]\nstart = \"2020-01-01T00:00:00Z\"\n\
             [[mailbox]]\nhost = \"localhost\"\nport = {}\n{security}\npassword_file = \"password\"\n\
             [smtp]\nhost = \"localhost\"\nport = {smtp}\nsecurity = \"plain\"\nper_minute = 0\nper_hour = 0\n\
             per_day = 0\nconnections = {}\n{}\
             [web]\nlisten = \"127.0.0.1:{}\"\n\
             [limits]\nacknowledgements = [10000, 10000, 10000]\ntickets_per_hour = 10000\n[log]\nlevel = \"warn\"\n",
            self.port(),
            options.connections,
            engineers.join(""),
            self.web
        )
    }

    fn database(&self) -> String {
        format!("sqlite://{}", self.path("maildesk.db").display())
    }

    /// Puts the mails into INBOX, and the same files into the folder `Copy`.
    fn fill(&self, mails: impl Iterator<Item = mails::Mail>) -> u64 {
        let inbox = self.dovecot.maildir.join("new");
        let copy = self.dovecot.maildir.join(".Copy");
        for folder in ["new", "cur", "tmp"] {
            fs::create_dir_all(copy.join(folder)).unwrap();
        }
        let mut bytes = 0;
        for (index, mail) in mails.enumerate() {
            bytes += mail.raw.len() as u64;
            let name = format!("1700000000.{index:06}.bench");
            fs::write(inbox.join(&name), &mail.raw).unwrap();
            fs::hard_link(inbox.join(&name), copy.join("new").join(&name)).unwrap();
        }
        give_to(&self.dovecot.maildir, "nobody:nogroup");
        settle_disk();
        bytes
    }

    /// Nothing lies in INBOX any more.
    fn is_empty(&self) -> bool {
        // A mail goes from `new` to `cur` and from there away.
        let empty = |folder| fs::read_dir(self.dovecot.maildir.join(folder)).unwrap().next().is_none();
        empty("new") && empty("cur")
    }

    fn moved(&self) -> usize {
        self.dovecot.files(".Processed").len()
    }
}

/// Everything is on the disk: whoever is measured next does not wait for what others wrote.
fn settle_disk() {
    run(&mut Command::new("sync"));
}

/// A running `maildesk run`, killed when dropped.
struct Daemon(Child);

impl Daemon {
    fn start(place: &Place) -> Daemon {
        let child = Command::new(&place.program)
            .args(["run", "-c"])
            .arg(place.path("maildesk.toml"))
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        Daemon(child)
    }

    /// Waits until the desk says that it works: it has looked into its mailbox.
    fn wait_until_ready(&mut self, place: &Place) {
        self.wait("looks into its mailbox", || is_ready(place.web));
    }

    fn wait(&mut self, what: &str, done: impl Fn() -> bool) {
        let end = Instant::now() + TOO_LONG;
        while !done() {
            if let Some(status) = self.0.try_wait().unwrap() {
                panic!("the desk ended with {status} before it {what}");
            }
            assert!(Instant::now() < end, "the desk never {what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// VmHWM in MB (10^6 bytes).
    fn peak_memory(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() * 1024.0 / 1e6
    }

    /// Processor time spent so far, in milliseconds.
    fn processor_time(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        // utime and stime (proc(5)) in hundredths of a second.
        fields[11..13].iter().map(|ticks| ticks.parse::<f64>().unwrap() * 10.0).sum()
    }

    fn stop(mut self) {
        run(Command::new("kill").arg("-TERM").arg(self.0.id().to_string()));
        let _ = self.0.wait();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn is_ready(port: u16) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.write_all(b"GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.starts_with("HTTP/1.0 200") || answer.starts_with("HTTP/1.1 200"))
    };
    ask().unwrap_or(false)
}

fn in_runtime<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// Whether a letter's turn is now. Many letters about one ticket to one reader wait for later (`hardening.md` L18), which is
/// not what is measured here.
fn letters_due(place: &Place) -> bool {
    in_runtime(async {
        let store = Store::open(&place.database()).await.unwrap();
        let soon = SystemClock.now() + Duration::from_secs(2);
        let due = store.next_due(SystemClock.now()).await.unwrap().is_some_and(|due| due <= soon);
        store.close().await;
        due
    })
}

/// Tickets, and messages in them.
fn stored(place: &Place) -> (usize, usize) {
    in_runtime(async {
        let store = Store::open(&place.database()).await.unwrap();
        let all = TicketFilter { limit: 1_000_000, ..TicketFilter::default() };
        let tickets = store.tickets(&all).await.unwrap();
        let mut messages = 0;
        for ticket in &tickets {
            messages += store.messages(ticket.number).await.unwrap().len();
        }
        store.close().await;
        (tickets.len(), messages)
    })
}

/// Messages a second.
fn drain(place: &Place, count: usize, figures: &mut Figures) -> f64 {
    let begun = Instant::now();
    let mut desk = Daemon::start(place);
    desk.wait("emptied its mailbox", || place.is_empty());
    let took = begun.elapsed().as_secs_f64();
    let speed = count as f64 / took;
    figures.add(format!("drain {count}: in tickets and moved"), "messages/s", speed);
    figures.add(format!("drain {count}: processor time"), "ms/message", desk.processor_time() / count as f64);
    let mut seen = 0;
    // Looking at the database costs the desk something: only when no letter came for a while.
    while seen != place.sink.accepted().len() || letters_due(place) {
        seen = place.sink.accepted().len();
        std::thread::sleep(Duration::from_millis(300));
    }
    let last = place.sink.accepted().last().map_or(begun, |letter| letter.at);
    let all = last.max(begun + Duration::from_secs_f64(took)) - begun;
    figures.add(format!("drain {count}: all letters sent, too"), "messages/s", count as f64 / all.as_secs_f64());
    figures.add(format!("drain {count}: letters"), "", seen as f64);
    let processor = desk.processor_time() / count as f64;
    figures.add(format!("drain {count}: processor time, letters too"), "ms/message", processor);
    figures.add(format!("drain {count}: peak memory"), "MB", desk.peak_memory());
    desk.stop();
    let (tickets, messages) = stored(place);
    println!("{tickets} tickets with {messages} messages, {} moved", place.moved());
    assert_eq!((messages, place.moved()), (count, count), "a message is missing");
    speed
}

/// Messages a second.
fn mbsync(place: &Place, count: usize, figures: &mut Figures) -> f64 {
    let near = place.path("near");
    fs::create_dir_all(&near).unwrap();
    let security = match place.tls {
        true => format!("SSLType IMAPS\nCertificateFile {}", place.dovecot.ca.display()),
        false => "SSLType None".to_owned(),
    };
    let (near, password, port) = (near.display(), place.path("copy.password"), place.port());
    let configuration = format!(
        "IMAPAccount bench\nHost localhost\nPort {port}\nUser {COPY_USER}\nPassCmd \"cat {}\"\n{security}\n\
         AuthMechs LOGIN\n\nIMAPStore far\nAccount bench\n\nMaildirStore near\nPath {near}/\nInbox {near}/INBOX\n\
         SubFolders Verbatim\n\nChannel bench\nFar :far:Copy\nNear :near:Copy\nCreate Near\nSync PullNew\n\
         SyncState *\n",
        password.display()
    );
    let file = place.path("mbsyncrc");
    fs::write(&file, configuration).unwrap();
    settle_disk();
    let begun = Instant::now();
    run(Command::new(program("mbsync", "isync")).arg("-q").arg("-c").arg(&file).arg("bench"));
    let speed = count as f64 / begun.elapsed().as_secs_f64();
    let copied = files_below(&place.path("near/Copy"));
    assert_eq!(copied, count, "mbsync left something out");
    figures.add(format!("mbsync {count}: only downloading"), "messages/s", speed);
    speed
}

fn files_below(folder: &Path) -> usize {
    ["new", "cur"].iter().map(|sub| fs::read_dir(folder.join(sub)).map_or(0, Iterator::count)).sum()
}

fn start(place: &Place, count: usize, figures: &mut Figures) -> Daemon {
    for _ in 0..4 {
        let begun = Instant::now();
        let mut desk = Daemon::start(place);
        desk.wait_until_ready(place);
        figures.add(
            format!("start with {count} messages: first poll over"),
            "ms",
            begun.elapsed().as_secs_f64() * 1000.0,
        );
        desk.stop();
    }
    let mut desk = Daemon::start(place);
    desk.wait_until_ready(place);
    desk
}

fn latency(place: &Place, desk: &mut Daemon, options: &Options, figures: &mut Figures) {
    let count = (options.rate * options.seconds) as usize;
    let staging = place.dovecot.maildir.join("tmp");
    let mails: Vec<mails::Mail> = Mails::new(77).take(count).collect();
    for (index, mail) in mails.iter().enumerate() {
        fs::write(staging.join(format!("{index}.latency")), &mail.raw).unwrap();
    }
    give_to(&staging, "nobody:nogroup");
    std::thread::sleep(Duration::from_secs(2));
    let mut delivered = HashMap::new();
    let begun = Instant::now();
    for (index, mail) in mails.iter().enumerate() {
        let due = begun + Duration::from_secs(1) * index as u32 / options.rate;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        delivered.insert((mail.id.as_str(), mail.from.as_str()), (Instant::now(), mail.is_reply));
        let name = format!("{index}.latency");
        fs::rename(staging.join(&name), place.dovecot.maildir.join("new").join(&name)).unwrap();
    }
    desk.wait("emptied its mailbox", || place.is_empty());
    std::thread::sleep(Duration::from_secs(3));
    let new = delivered.values().filter(|(_, is_reply)| !is_reply).count();
    let mut took = Vec::new();
    for letter in place.sink.accepted().iter() {
        let Some(id) = &letter.in_reply_to else { continue };
        if let Some((at, _)) = delivered.remove(&(id.as_str(), letter.to.as_str())) {
            took.push((letter.at - at).as_secs_f64() * 1000.0);
        }
    }
    println!("{} of {count} mails, {new} of them new requests, were answered", took.len());
    assert!(took.len() >= new, "an acknowledgement is missing");
    for (name, part) in [("p50", 0.5), ("p99", 0.99), ("max", 1.0)] {
        let title = format!("arrival to acknowledgement at {}/s: {name}", options.rate);
        figures.add(title, "ms", percentile(&mut took, part));
    }
}

fn large(options: &Options, figures: &mut Figures) {
    let place = Place::new(options);
    let mut desk = Daemon::start(&place);
    desk.wait_until_ready(&place);
    figures.add("idle: peak memory", "MB", desk.peak_memory());
    let size = place.fill(std::iter::once(Mails::new(6).large(options.large_mb * 1_000_000)));
    let begun = Instant::now();
    desk.wait("took the large mail", || place.is_empty() && place.moved() == 1);
    figures.add("large: in a ticket and moved", "ms", begun.elapsed().as_secs_f64() * 1000.0);
    std::thread::sleep(Duration::from_secs(2));
    assert!(!letters_due(&place));
    let peak = desk.peak_memory();
    figures.add(format!("large: peak memory for {:.1} MB", size as f64 / 1e6), "MB", peak);
    figures.add("large: peak memory per size", "x", peak / (size as f64 / 1e6));
    desk.stop();
}

fn main() {
    let options = Options::read();
    let mut figures = Figures::default();
    println!("{}, Dovecot {}", support::now(), if options.tls { "over TLS" } else { "without TLS" });
    // Kept to the end: ext4 is slow to make files for half a minute after many were deleted, which mbsync would pay for.
    let mut places = Vec::new();
    for round in 0..options.repeat {
        for (index, &count) in options.numbers.iter().enumerate() {
            let place = Place::new(&options);
            let bytes = place.fill(Mails::new(round as u64 + 1).take(count));
            println!("\n{count} messages, {:.1} MB", bytes as f64 / 1e6);
            let ours = options.has("drain").then(|| drain(&place, count, &mut figures));
            let theirs = options.has("mbsync").then(|| mbsync(&place, count, &mut figures));
            if let (Some(ours), Some(theirs)) = (ours, theirs) {
                figures.add(format!("drain {count} / mbsync {count}"), "x", ours / theirs);
            }
            if options.has("start") || options.has("latency") {
                let mut desk = start(&place, count, &mut figures);
                if options.has("latency") && index == 0 {
                    latency(&place, &mut desk, &options, &mut figures);
                }
                desk.stop();
            }
            places.push(place);
        }
        if options.has("large") {
            large(&options, &mut figures);
        }
    }
    figures.print_medians();
}
