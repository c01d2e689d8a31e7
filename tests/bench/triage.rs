//! What learning keywords is worth and what it costs. `cargo bench --bench triage -- [--parts corpus,replay] [--corpus FOLDER]
//! [--tickets 100000] [--databases sqlite,postgres]`, everything optional; PostgreSQL is started here, with its usual
//! durability.
//!
//! **corpus**: FOLDER's `*.jsonl` with `subject`, `body` and `category` (or `label`ed otherwise: those are left out) are
//! tickets. Of the built-in rules the 60 words that decide most of them are struck out, as if nobody had ever written them.
//! The tickets are parted by chance into halves. With the first, sorted by what is left of the rules and corrected by
//! people wherever that was wrong, proposals are made; printed is how many of the words that were struck out and of which
//! at least five corrected tickets of the first half hold one come back (the word, a part of it or a longer one), how many
//! proposals there are, and how many tickets of the second half, which nobody has looked at, are sorted right before and
//! after. The same without striking anything out: what there is to learn beyond the built-in rules.
//!
//! **replay**: a database with so many tickets, each with a mail of some hundred characters, a tenth of them corrected.
//! Printed are time and highest resident memory (`VmHWM`) of `maildesk triage test` and `maildesk triage review`.

#[path = "../support/mod.rs"]
mod support;

use maildesk::config::Config;
use maildesk::desk::link::Key;
use maildesk::desk::ticket::Number;
use maildesk::desk::triage::{Case, Label, Outcome, Rules, learn};
use maildesk::desk::words::{Category, Language, Priority};
use maildesk::store::Store;
use maildesk::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;
use support::history;

struct Options {
    tickets: i64,
    databases: Vec<String>,
    parts: Vec<String>,
    corpus: Option<PathBuf>,
}

impl Options {
    fn read() -> Options {
        let list = |text: &str| text.split(',').map(str::to_owned).collect();
        let mut options = Options {
            tickets: 100_000,
            databases: list("sqlite,postgres"),
            parts: list("corpus,replay"),
            corpus: None,
        };
        let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
        while let Some(name) = words.next() {
            let value = words.next().unwrap_or_else(|| panic!("{name} needs a value"));
            match name.as_str() {
                "--tickets" => options.tickets = value.parse().unwrap_or_else(|_| panic!("{value}: not a number")),
                "--databases" => options.databases = list(&value),
                "--parts" => options.parts = list(&value),
                "--corpus" => options.corpus = Some(value.into()),
                _ => panic!("unknown option {name}: see the top of tests/bench/triage.rs"),
            }
        }
        options
    }

    fn has(&self, part: &str) -> bool {
        self.parts.iter().any(|p| p == part)
    }
}

/// A ticket and what it should be sorted as.
struct Labelled {
    subject: String,
    text: String,
    category: Category,
}

fn read(folder: &Path) -> Vec<Labelled> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "jsonl"));
    files.sort();
    let lines = files
        .iter()
        .flat_map(|file| std::fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect::<Vec<_>>());
    let labelled = |line: String| {
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        let only = |key: &str| value[key].as_array().filter(|all| all.len() == 1).and_then(|all| all[0].as_str());
        let category = value["category"].as_str().or(only("categories")).and_then(Category::parse)?;
        Some(Labelled { subject: text("subject"), text: text("body"), category })
    };
    lines.filter_map(labelled).collect()
}

fn mixed(mut number: u64) -> u64 {
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// As the desk would have it: sorted by these rules, and corrected where that was wrong.
fn case(number: usize, ticket: &Labelled, rules: &Rules) -> Case {
    let said = rules.triage(&ticket.subject, &ticket.text);
    Case {
        number: Number(number as i64 + 1),
        created: Timestamp::from_millis(number as i64 * 1000),
        // Three tickets of each person.
        requester: mixed(number as u64 / 3),
        name: String::new(),
        language: Language::English,
        subject: ticket.subject.clone(),
        text: ticket.text.clone(),
        said: Outcome { category: said.category, priority: Priority::P3 },
        category: Some(Label { is: ticket.category, by_person: said.category != ticket.category }),
        priority: None,
    }
}

fn right(tickets: &[&Labelled], rules: &Rules) -> usize {
    tickets.iter().filter(|ticket| rules.triage(&ticket.subject, &ticket.text).category == ticket.category).count()
}

/// The words that carry most of the right answers.
fn carrying(tickets: &[Labelled], rules: &Rules, most: usize) -> Vec<(String, Category)> {
    let mut counts: BTreeMap<(String, Category), usize> = BTreeMap::new();
    for ticket in tickets {
        let verdict = rules.triage(&ticket.subject, &ticket.text);
        if verdict.category == ticket.category {
            let best = verdict.matched.iter().find(|term| term.points_to == ticket.category.as_str());
            if let Some(term) = best {
                *counts.entry((term.term.clone(), ticket.category)).or_default() += 1;
            }
        }
    }
    let mut all: Vec<_> = counts.into_iter().collect();
    all.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    all.into_iter().take(most).map(|(word, _)| word).collect()
}

fn corpus(folder: &Path) {
    let tickets = read(folder);
    println!("corpus: {} tickets with one category", tickets.len());
    let builtin = Rules::builtin();
    let struck = carrying(&tickets, &builtin, 60);
    let snippet = |(term, category): &(String, Category)| {
        let block =
            |term: &str| format!("[[keyword]]\nterm = \"{term}\"\nlist = \"category.{category}\"\ngrade = \"none\"\n");
        // A word that may go on is written with a star.
        [term.clone(), format!("{term}*")]
            .map(|term| block(&term))
            .into_iter()
            .find(|text| builtin.extended(text).is_ok())
    };
    let without: String = struck.iter().filter_map(snippet).collect();
    let reduced = builtin.extended(&without).unwrap();
    for (name, rules, struck) in [("60 words struck out", &reduced, &struck[..]), ("the built-in rules", &builtin, &[])]
    {
        for turn in 0..3 {
            experiment(name, &tickets, rules, struck, turn);
        }
    }
}

fn experiment(name: &str, tickets: &[Labelled], rules: &Rules, struck: &[(String, Category)], turn: u64) {
    let half = |number: usize| mixed(number as u64 / 3 + 1000 * turn).is_multiple_of(2);
    let first: Vec<Case> =
        tickets.iter().enumerate().filter(|(n, _)| half(*n)).map(|(n, ticket)| case(n, ticket, rules)).collect();
    let second: Vec<&Labelled> = tickets.iter().enumerate().filter(|(n, _)| !half(*n)).map(|(_, t)| t).collect();
    let begun = Instant::now();
    let findings = learn(rules, &first);
    let took = begun.elapsed();
    let snippets: String = findings.proposals.iter().map(|proposal| proposal.snippet()).collect();
    let learnt = rules.extended(&snippets).unwrap();
    let like = |term: &str, list: &str, word: &(String, Category)| {
        list == format!("category.{}", word.1) && (term.contains(&word.0) || word.0.contains(term))
    };
    let corrected = |word: &(String, Category)| {
        let holds = |case: &&Case| format!("{}\n{}", case.subject, case.text).to_lowercase().contains(&word.0);
        first.iter().filter(|case| case.category.is_some_and(|l| l.by_person && l.is == word.1)).filter(holds).count()
    };
    let to_find: Vec<_> = struck.iter().filter(|word| corrected(word) >= 5).collect();
    let found = to_find.iter().filter(|w| findings.proposals.iter().any(|p| like(p.term(), p.list(), w))).count();
    let ((before, of), (after, _)) = (findings.before.category_right(), findings.after.category_right());
    let share = |right: usize| right as f64 * 100.0 / second.len() as f64;
    let (unseen_before, unseen_after) = (right(&second, rules), right(&second, &learnt));
    let alone: Vec<(usize, usize)> = findings
        .proposals
        .iter()
        .map(|proposal| right(&second, &rules.extended(&proposal.snippet()).unwrap()))
        .map(|right| (right.saturating_sub(unseen_before), unseen_before.saturating_sub(right)))
        .collect();
    let helps = alone.iter().filter(|(more, _)| *more > 0).count();
    let hurts = alone.iter().filter(|(_, fewer)| *fewer > 0).count();
    println!(
        "{name}, split {turn}: {} proposals in {:.1} s; words found again {found} of {}; first half {before} -> {after} of {of}; \
         second half, unseen: {:.1} % -> {:.1} % of {}; by themselves {helps} proposals help there, {hurts} hurt",
        findings.proposals.len(),
        took.as_secs_f64(),
        to_find.len(),
        share(unseen_before),
        share(unseen_after),
        second.len(),
    );
    if turn == 0 {
        let told: BTreeSet<String> = findings
            .proposals
            .iter()
            .zip(&alone)
            .map(|(p, a)| {
                format!("{}:{}:{}({}/{};{}/{})", p.term(), p.list(), p.grade(), p.better.len(), p.worse.len(), a.0, a.1)
            })
            .collect();
        println!("    {}", told.into_iter().collect::<Vec<_>>().join(", "));
        let missing: Vec<&str> = to_find
            .iter()
            .filter(|w| !findings.proposals.iter().any(|p| like(p.term(), p.list(), w)))
            .map(|w| w.0.as_str())
            .collect();
        println!("    not found: {}", missing.join(", "));
    }
}

fn configuration(database: &str) -> String {
    format!(
        "[desk]\naddress = \"it@corp.example\"\n[database]\nurl = \"{database}\"\n[[mailbox]]\nkind = \"maildir\"\npath = \"in\"\n\
         [smtp]\nkind = \"maildir\"\npath = \"out\"\n[log]\nlevel = \"warn\"\n[[engineer]]\naddress = \"li@corp.example\"\nlevel = 2\n"
    )
}

async fn replay(kind: &str, tickets: i64) {
    let folder = tempfile::tempdir().unwrap();
    let database = match kind {
        "sqlite" => format!("sqlite:{}/desk.db", folder.path().display()),
        _ => support::postgres::durable_database().await,
    };
    std::fs::create_dir_all(folder.path().join("in/new")).unwrap();
    let (file, rules) = (folder.path().join("maildesk.toml"), folder.path().join("changed.toml"));
    std::fs::write(&file, configuration(&database)).unwrap();
    std::fs::write(&rules, "[[keyword]]\nterm = \"跳板机\"\nlist = \"category.network\"\ngrade = \"strong\"\n")
        .unwrap();
    let config = Config::load(&file).unwrap_or_else(|faults| panic!("{faults:?}"));
    let (store, policy) = (Store::open(&database).await.unwrap(), config.policy(Key([42; 32])));
    let at = |text: &str| Timestamp::parse(text).unwrap();
    let (from, to) = (at("2026-01-01T00:00:00+08:00"), at("2026-11-01T00:00:00+08:00"));
    history::fill_with(&store, &policy, (tickets, 0), from, to, 11).await;
    history::tell(&store, &policy, 1, tickets).await;
    store.close().await;
    if kind == "postgres" {
        support::postgres::psql(&database, "vacuum analyze");
    }
    let (file, rules) = (file.display().to_string(), rules.display().to_string());
    for arguments in [vec!["triage", "test", "-c", &file, &rules], vec!["triage", "review", "-c", &file]] {
        let begun = Instant::now();
        let mut child =
            Command::new(env!("CARGO_BIN_EXE_maildesk")).args(&arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut told = String::new();
        let (mut out, status) = (child.stdout.take().unwrap(), format!("/proc/{}/status", child.id()));
        let reading = std::thread::spawn(move || {
            out.read_to_string(&mut told).unwrap();
            told
        });
        let mut most = 0.0_f64;
        while child.try_wait().unwrap().is_none() {
            let text = std::fs::read_to_string(&status).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            most = line
                .and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok())
                .map_or(most, |kb| kb / 1024.0);
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let (told, took) = (reading.join().unwrap(), begun.elapsed().as_secs_f64());
        println!(
            "{kind}: {} of {tickets} tickets: {took:.1} s, {most:.0} MB: {}",
            arguments[1],
            told.lines().next().unwrap_or("")
        );
    }
}

fn main() {
    let options = Options::read();
    if options.has("replay") {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        for kind in &options.databases {
            runtime.block_on(replay(kind, options.tickets));
        }
    }
    if let Some(folder) = options.corpus.as_ref().filter(|_| options.has("corpus")) {
        corpus(folder);
    }
}
