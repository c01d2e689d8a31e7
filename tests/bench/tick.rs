//! What a look at the timers costs. `cargo bench --bench tick -- [--tickets 1000000] [--due 100] [--rounds 20]
//! [--lag 300] [--databases sqlite,postgres]`, everything optional; PostgreSQL is started here, with its usual durability.
//!
//! Fills a database with open tickets, each with a timer for its targets far in the future, then lets `due` of them fall
//! due at once and measures **tick**: until every letter is written and durably committed. The cost must follow what is
//! due, not what is open, so the same is measured with a few thousand open tickets before. **lag**: the real `maildesk run`
//! on that database while `lag` timers fall due over ten seconds; from the moment a timer was due to the moment its letter
//! was queued.

#[path = "../support/mod.rs"]
mod support;

use maildesk::address::{Address, Mailbox};
use maildesk::clock::SystemClock;
use maildesk::config::Config;
use maildesk::desk::event::{Timer, TimerKind};
use maildesk::desk::link::Key;
use maildesk::desk::ticket::{Number, Ticket};
use maildesk::desk::words::{Category, Impact, Language, Priority, Status};
use maildesk::flow::Flow;
use maildesk::mail::Templates;
use maildesk::ports::Clock as _;
use maildesk::store::Store;
use maildesk::time::Timestamp;
use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

const HOUR: Duration = Duration::from_secs(3600);
/// Tickets of one commit while the database is filled.
const AT_ONCE: i64 = 5000;

struct Options {
    tickets: i64,
    due: i64,
    rounds: i64,
    lag: i64,
    databases: Vec<String>,
}

impl Options {
    fn read() -> Options {
        let mut options = Options {
            tickets: 1_000_000,
            due: 100,
            rounds: 20,
            lag: 300,
            databases: vec!["sqlite".into(), "postgres".into()],
        };
        let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
        while let Some(name) = words.next() {
            let value = words.next().unwrap_or_else(|| panic!("{name} needs a value"));
            let number = || value.parse::<i64>().unwrap_or_else(|_| panic!("{name} {value}: not a number"));
            match name.as_str() {
                "--tickets" => options.tickets = number(),
                "--due" => options.due = number(),
                "--rounds" => options.rounds = number(),
                "--lag" => options.lag = number(),
                "--databases" => options.databases = value.split(',').map(str::to_owned).collect(),
                _ => panic!("unknown option {name}: see the top of tests/bench/tick.rs"),
            }
        }
        options
    }
}

fn now() -> Timestamp {
    SystemClock.now()
}

fn configuration(database: &str) -> String {
    let engineers =
        (1..=6).map(|n| format!("[[engineer]]\naddress = \"engineer{n}@corp.example\"\nlevel = {}\n", 1 + n % 3));
    format!(
        "[desk]\naddress = \"it@corp.example\"\n[database]\nurl = \"{database}\"\n[[mailbox]]\nkind = \"maildir\"\npath = \"in\"\n\
         [smtp]\nkind = \"maildir\"\npath = \"out\"\n[log]\nlevel = \"warn\"\n[[supervisor]]\naddress = \"boss@corp.example\"\n{}",
        engineers.collect::<String>()
    )
}

/// A printer that nobody has answered for; half of the response's target is used up at `half`.
fn ticket(number: i64, half: Timestamp) -> Ticket {
    let created = half - HOUR;
    Ticket {
        number: Number(number),
        subject: format!("三楼打印机卡纸 {number}"),
        requester: Mailbox::new(Address::parse(&format!("person{}@corp.example", number % 5000)).unwrap(), "张伟"),
        copied: vec![],
        language: Language::Chinese,
        category: Category::Hardware,
        priority: Priority::P2,
        impact: Impact::Department,
        matched: Vec::new(),
        fields: Default::default(),
        status: Status::New,
        wait: None,
        assignee: Address::parse(&format!("engineer{}@corp.example", 1 + number % 6)),
        created,
        updated: created,
        first_response: None,
        answered: None,
        // P2: half an hour, of which half is over at `half`.
        response_due: half + HOUR / 4,
        resolution_due: half + 4 * HOUR,
        response_warned: 0,
        resolution_warned: 0,
        resolved: None,
        closed: None,
        rating: None,
        cycle: 1,
        asked: false,
        merged_into: None,
        fault: None,
        parent: None,
        related: None,
        version: 1,
    }
}

fn timer(number: i64, due: Timestamp) -> Timer {
    Timer { number: Number(number), kind: TimerKind::Targets, due, cycle: 1 }
}

/// Opens tickets until there are so many, none of them due within a month.
async fn fill(store: &Store, from: i64, to: i64) {
    let far = now() + 24 * 30 * HOUR;
    let mut number = from;
    while number <= to {
        let mut tx = store.begin().await.unwrap();
        for _ in 0..AT_ONCE.min(to - number + 1) {
            tx.open_ticket(&ticket(number, far)).await.unwrap();
            tx.schedule(&timer(number, far)).await.unwrap();
            number += 1;
        }
        tx.commit().await.unwrap();
    }
}

/// Makes these tickets come to half of their target at these times.
async fn let_fall_due(store: &Store, numbers: impl Iterator<Item = (i64, Timestamp)>) {
    let mut tx = store.begin().await.unwrap();
    for (number, at) in numbers {
        let stored = tx.tickets(&[Number(number)]).await.unwrap().remove(0);
        tx.save_ticket(&Ticket { version: stored.version + 1, ..ticket(number, at) }).await.unwrap();
        tx.schedule(&timer(number, at)).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn ticks(flow: &Flow, options: &Options, open: i64, name: &str) {
    let mut times = Vec::new();
    for round in 0..options.rounds {
        let at = now();
        let all = options.rounds * options.due;
        // Odd numbers, each once and far apart: a rung is told once.
        let spread = (0..options.due).map(|n| (1 + 2 * ((round * options.due + n) * (open / 2) / all), at));
        let_fall_due(&flow.store, spread).await;
        let begun = Instant::now();
        let ticked = flow.tick(at).await.unwrap();
        times.push(begun.elapsed().as_secs_f64() * 1000.0);
        assert_eq!((ticked.handled as i64, ticked.put_off.len()), (options.due, 0));
    }
    times.sort_by(f64::total_cmp);
    let (median, most) = (times[times.len() / 2], times[times.len() - 1]);
    println!("{name}: {open} open, {} due: tick {median:.1} ms (most {most:.1})", options.due);
}

async fn lag(folder: &Path, store: &Store, options: &Options, name: &str) {
    let begin = now() + HOUR / 1200;
    let step = Duration::from_secs(10) / u32::try_from(options.lag).unwrap();
    // Even numbers, which no round had.
    let nth = |n: i64| (2 + 2 * (n * (options.tickets / 2) / options.lag), begin + step * u32::try_from(n).unwrap());
    let due: HashMap<i64, Timestamp> = (0..options.lag).map(nth).collect();
    let_fall_due(store, due.iter().map(|(number, at)| (*number, *at))).await;
    let before = store.all_outgoing().await.unwrap().len();
    let mut desk = Command::new(env!("CARGO_BIN_EXE_maildesk"));
    let mut desk = desk.args(["run", "-c"]).arg(folder.join("maildesk.toml")).spawn().unwrap();
    tokio::time::sleep(Duration::from_secs(15)).await;
    support::run(Command::new("kill").args(["-TERM", &desk.id().to_string()]));
    desk.wait().unwrap();
    let letters = store.all_outgoing().await.unwrap().split_off(before);
    let late = |number: Option<Number>, queued: Timestamp| {
        number.and_then(|n| due.get(&n.0)).map(|at| queued.since(*at).as_secs_f64() * 1000.0)
    };
    let mut lags: Vec<f64> = letters.iter().filter_map(|(row, _)| late(row.number, row.queued)).collect();
    lags.sort_by(f64::total_cmp);
    assert_eq!(lags.len(), due.len(), "one letter each");
    let at = |part: f64| lags[((lags.len() - 1) as f64 * part) as usize];
    println!("{name}: due to letter queued: p50 {:.0} ms, p99 {:.0} ms, most {:.0} ms", at(0.5), at(0.99), at(1.0));
}

async fn measure(kind: &str, options: &Options) {
    let folder = tempfile::tempdir().unwrap();
    let database = match kind {
        "sqlite" => format!("sqlite:{}/desk.db", folder.path().display()),
        _ => support::postgres::durable_database().await,
    };
    for part in ["in/new", "in/cur", "in/tmp"] {
        std::fs::create_dir_all(folder.path().join(part)).unwrap();
    }
    let file = folder.path().join("maildesk.toml");
    std::fs::write(&file, configuration(&database)).unwrap();
    let config = Config::load(&file).unwrap_or_else(|faults| panic!("{faults:?}"));
    let store = Store::open(&database).await.unwrap();
    let flow = Flow::new(store.clone(), config.policy(Key([42; 32])), Templates::load(None).unwrap());
    let few = 2 * options.rounds * options.due;
    fill(&store, 1, few).await;
    ticks(&flow, options, few, kind).await;
    let begun = Instant::now();
    fill(&store, few + 1, options.tickets).await;
    println!("{kind}: filled with {} tickets in {:.0} s", options.tickets, begun.elapsed().as_secs_f64());
    store.close().await;
    // Plans that were made for a handful of rows would live on; in a desk that grows slowly the database renews them.
    if kind == "postgres" {
        support::postgres::psql(&database, "vacuum analyze");
    }
    let store = Store::open(&database).await.unwrap();
    let flow = Flow::new(store.clone(), config.policy(Key([42; 32])), Templates::load(None).unwrap());
    ticks(&flow, options, options.tickets, kind).await;
    lag(folder.path(), &store, options, kind).await;
    store.close().await;
}

fn main() {
    let options = Arc::new(Options::read());
    // As in the program: one thread does the work and watches the sockets.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    for kind in options.databases.clone() {
        let options = options.clone();
        runtime.block_on(runtime.spawn(async move { measure(&kind, &options).await })).unwrap();
    }
}
