//! What a report costs. `cargo bench --bench digest -- [--tickets 1000000] [--months 1] [--databases sqlite,postgres]`,
//! everything optional; PostgreSQL is started here, with its usual durability.
//!
//! Fills a database with histories of tickets that all arrive within the months before the report: with one month a report
//! counts every one of them. **keep up**: bringing the rounds of 20,000 of them up to date, what the daemon does bit by bit.
//! Then the figures of the month in a process of its own (`--count`), so that its memory is that of the report alone: time
//! and highest resident memory (`VmHWM`), for the figures and for the letter with pictures, workbook and rows.

#[path = "../support/mod.rs"]
mod support;

use maildesk::clock::SystemClock;
use maildesk::config::Config;
use maildesk::desk::digest::{Period, Slot};
use maildesk::desk::link::Key;
use maildesk::flow::Flow;
use maildesk::mail::Templates;
use maildesk::ports::Clock as _;
use maildesk::report::{Context, ROWS, Report};
use maildesk::store::Store;
use maildesk::time::Timestamp;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use support::history;

/// Tickets with a timeline, from which rounds are made; a report reads rounds only.
const WHOLE: i64 = 20_000;

/// The newest tickets have a message; a report looks through fewer of them.
const TOLD: i64 = 10_000;

const MONTH: Duration = Duration::from_secs(31 * 86_400);

struct Options {
    tickets: i64,
    months: u32,
    databases: Vec<String>,
    /// Only count, with this configuration.
    count: Option<String>,
}

impl Options {
    fn read() -> Options {
        let databases = vec!["sqlite".into(), "postgres".into()];
        let mut options = Options { tickets: 1_000_000, months: 1, databases, count: None };
        let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
        while let Some(name) = words.next() {
            let value = words.next().unwrap_or_else(|| panic!("{name} needs a value"));
            let number = || value.parse::<u32>().unwrap_or_else(|_| panic!("{name} {value}: not a number"));
            match name.as_str() {
                "--tickets" => options.tickets = i64::from(number()),
                "--months" => options.months = number(),
                "--databases" => options.databases = value.split(',').map(str::to_owned).collect(),
                "--count" => options.count = Some(value),
                _ => panic!("unknown option {name}: see the top of tests/bench/digest.rs"),
            }
        }
        options
    }
}

fn configuration(database: &str) -> String {
    let engineers =
        (1..=40).map(|n| format!("[[engineer]]\naddress = \"engineer{n}@corp.example\"\nlevel = {}\n", 1 + n % 3));
    format!(
        "[desk]\naddress = \"it@corp.example\"\n[database]\nurl = \"{database}\"\n[[mailbox]]\nkind = \"maildir\"\npath = \"in\"\n\
         [smtp]\nkind = \"maildir\"\npath = \"out\"\n[log]\nlevel = \"warn\"\n[[supervisor]]\naddress = \"boss@corp.example\"\n\
         [[digest]]\nname = \"monthly\"\nkind = \"monthly\"\nto = [\"boss@corp.example\"]\n{}",
        engineers.collect::<String>()
    )
}

/// The moment of the report: the 1st of November 2026.
fn moment() -> Timestamp {
    Timestamp::parse("2026-11-01T08:30:00+08:00").unwrap()
}

async fn open(file: &Path) -> (Config, Flow) {
    let config = Config::load(file).unwrap_or_else(|faults| panic!("{faults:?}"));
    let store = Store::open(secrecy::ExposeSecret::expose_secret(&config.database)).await.unwrap();
    let flow = Flow::new(store, config.policy(Key([42; 32])), Templates::load(None).unwrap());
    (config, flow)
}

async fn measure(kind: &str, options: &Options) {
    let folder = tempfile::tempdir().unwrap();
    let database = match kind {
        "sqlite" => format!("sqlite:{}/desk.db", folder.path().display()),
        _ => support::postgres::durable_database().await,
    };
    std::fs::create_dir_all(folder.path().join("in/new")).unwrap();
    let file = folder.path().join("maildesk.toml");
    std::fs::write(&file, configuration(&database)).unwrap();
    let (config, flow) = open(&file).await;
    let policy = config.policy(Key([42; 32]));
    let (begun, end) = (Instant::now(), Period::before_date(config.digests[0].kind, moment(), config.desk.zone).to);
    let from = end - options.months * MONTH;
    history::fill_with(&flow.store, &policy, (options.tickets, WHOLE), from, end, 11).await;
    // The newest have words: what a report learns from.
    history::tell(&flow.store, &policy, (options.tickets - TOLD).max(WHOLE) + 1, options.tickets).await;
    println!("{kind}: filled with {} tickets in {:.0} s", options.tickets, begun.elapsed().as_secs_f64());
    let begun = Instant::now();
    flow.reckon_all().await.unwrap();
    let took = begun.elapsed();
    let each = took.as_micros() as f64 / WHOLE.min(options.tickets) as f64;
    println!("{kind}: keep up: {each:.0} µs a ticket");
    flow.store.close().await;
    if kind == "postgres" {
        support::postgres::psql(&database, "vacuum analyze");
    }
    for _ in 0..3 {
        let told =
            support::run(Command::new(std::env::current_exe().unwrap()).args(["--count", &file.display().to_string()]));
        print!("{kind}: {told}");
    }
}

/// Highest memory of this process so far, in MB.
fn memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

async fn count(file: &Path) {
    let (config, flow) = open(file).await;
    let (plan, policy, at) = (&config.digests[0], flow.policy(), moment());
    let idle = memory();
    let slot = Slot { at, period: Period::before_date(plan.kind, at, plan.zone) };
    let context = Context { policy: &policy, goals: &config.goals, plan, slot, rows: ROWS };
    let begun = Instant::now();
    let report = Report::count(&flow.store, &context, at).await.unwrap();
    let (counted, held) = (begun.elapsed(), memory());
    let written = report.write(&context, plan.readers[0].language);
    let files = written.files.into_iter().map(std::sync::Arc::new).collect::<Vec<_>>();
    let letter = plan.letter(&slot, &plan.readers[0], written.page, &files);
    let bytes = flow.bytes(&letter, SystemClock.now()).len();
    let Report::Period(report) = &report else { panic!("not a board") };
    println!(
        "{} new tickets: figures {:.2} s, {held:.0} MB (idle {idle:.0}); with letter, pictures, workbook, rows {:.2} s, {:.0} MB, {:.1} MB of mail",
        report.figures.new,
        counted.as_secs_f64(),
        begun.elapsed().as_secs_f64(),
        memory(),
        bytes as f64 / 1e6,
    );
}

fn main() {
    let options = Options::read();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        match &options.count {
            Some(file) => count(Path::new(file)).await,
            None => {
                for kind in &options.databases {
                    measure(kind, &options).await;
                }
            }
        }
    });
}
