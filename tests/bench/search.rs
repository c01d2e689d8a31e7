//! What a search costs, and how good the likeness of tickets is. `cargo bench --bench search -- [--tickets 200000]
//! [--queries 400] [--databases sqlite,postgres] [--corpus FOLDER] [--parts search,similar,precision]`, everything
//! optional; PostgreSQL is started here, with its usual durability.
//!
//! **search**: a database with so many tickets of some hundred characters is asked for words of two Chinese characters,
//! from those that a third of all tickets hold to those that none does, and for longer ones; printed are p50, p99 and the
//! most for each kind, and whether both databases gave the same answers in the same order. **similar**: what finding
//! the tickets that are most like a new mail costs, which is done while the mail is taken in. **precision**: of FOLDER's
//! `*.jsonl` with `subject`, `body`, `category` (and `accept`, a list of good categories) every ticket is likened to all
//! others of its file; of the first three it is counted how many share its category and at least two terms that fewer
//! than a tenth of all tickets hold, and how many such pairs there are.

#[path = "../support/mod.rs"]
mod support;

use maildesk::desk::knowledge::rank::{self, Frequencies, Weighed};
use maildesk::desk::knowledge::{About, Document, terms};
use maildesk::desk::ticket::Number;
use maildesk::desk::words::Category;
use maildesk::store::{Store, Tx};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Instant;

struct Options {
    tickets: i64,
    queries: usize,
    databases: Vec<String>,
    parts: Vec<String>,
    corpus: Option<PathBuf>,
}

impl Options {
    fn read() -> Options {
        let list = |text: &str| text.split(',').map(str::to_owned).collect();
        let mut options = Options {
            tickets: 200_000,
            queries: 400,
            databases: list("sqlite,postgres"),
            parts: list("search,similar,precision"),
            corpus: None,
        };
        let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
        while let Some(name) = words.next() {
            let value = words.next().unwrap_or_else(|| panic!("{name} needs a value"));
            let number = || value.parse::<i64>().unwrap_or_else(|_| panic!("{name} {value}: not a number"));
            match name.as_str() {
                "--tickets" => options.tickets = number(),
                "--queries" => options.queries = number() as usize,
                "--databases" => options.databases = list(&value),
                "--parts" => options.parts = list(&value),
                "--corpus" => options.corpus = Some(value.into()),
                _ => panic!("unknown option {name}: see the top of tests/bench/search.rs"),
            }
        }
        options
    }

    fn has(&self, part: &str) -> bool {
        self.parts.iter().any(|p| p == part)
    }
}

/// The same numbers every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound
    }
}

/// What tickets are about, the commonest first: each is half as common as the one before the one before.
const THINGS: &[&str] = &[
    "电脑",
    "打印机",
    "网络",
    "邮箱",
    "密码",
    "系统",
    "软件",
    "VPN",
    "显示器",
    "键盘",
    "权限",
    "共享",
    "扫描仪",
    "投影仪",
    "电话",
    "硬盘",
    "无线",
    "会议",
    "文件",
    "表格",
    "鼠标",
    "服务器",
    "门禁",
    "考勤",
    "报表",
    "发票",
    "合同",
    "证书",
];
const FAULTS: &[&str] = &[
    "打不开",
    "没有反应",
    "很慢",
    "卡纸",
    "蓝屏",
    "连不上",
    "报错0x80070005",
    "登录失败",
    "丢失",
    "乱码",
    "闪退",
    "无法保存",
    "断开",
    "黑屏",
    "发不出",
    "收不到",
    "提示过期",
    "无法安装",
    "死机",
    "听不到声音",
];
const PLACES: &[&str] = &["三楼", "财务部", "会议室", "仓库", "车间", "前台", "人事部", "上海", "北京", "二号楼"];

fn pick<'a>(dice: &mut Dice, from: &[&'a str]) -> &'a str {
    let mut at = 0;
    while at + 1 < from.len() && dice.below(5) > 1 {
        at += 1;
    }
    from[at]
}

/// Words of no meaning, of some two thousand characters, few of them common as in any language.
fn chatter(dice: &mut Dice, length: usize) -> String {
    let mut character = || char::from_u32(0x4e00 + (dice.below(45) * dice.below(45)) as u32 * 7);
    (0..length).filter_map(|_| character()).collect()
}

fn text(dice: &mut Dice) -> (String, String) {
    let (thing, fault, place) = (pick(dice, THINGS), pick(dice, FAULTS), pick(dice, PLACES));
    let subject = format!("{place}{thing}{fault}");
    let (more, other) = (chatter(dice, 60), pick(dice, THINGS));
    let body = format!(
        "您好，{place}的{thing}今天{fault}，{more}，重启过{other}也不行，请帮忙看一下，谢谢。{}",
        chatter(dice, 60)
    );
    (subject, body)
}

fn ticket(number: i64, dice: &mut Dice) -> Document {
    let (subject, body) = text(dice);
    Document {
        about: About::Ticket(Number(number)),
        summary: format!("更换{}后恢复", pick(dice, THINGS)),
        category: Category::ALL[dice.below(Category::ALL.len())],
        solved: dice.below(10) > 0,
        terms: terms::of(&format!("{subject}\n{body}")).join(" "),
        title: subject,
    }
}

async fn fill(store: &Store, tickets: i64) {
    let (mut dice, mut number) = (Dice(7), 1);
    while number <= tickets {
        let mut tx = store.begin().await.unwrap();
        tx.take_stale(1).await.unwrap();
        let some: Vec<Document> = (number..=tickets.min(number + 999)).map(|n| ticket(n, &mut dice)).collect();
        tx.put_documents(&some).await.unwrap();
        tx.commit().await.unwrap();
        number += 1000;
    }
}

struct Figures(Vec<f64>);

impl Figures {
    fn print(mut self, name: &str) {
        self.0.sort_by(f64::total_cmp);
        let at = |part: f64| self.0[((self.0.len() - 1) as f64 * part).ceil() as usize];
        println!("{name:<44} p50 {:>7.2} ms  p99 {:>7.2} ms  most {:>7.2} ms", at(0.5), at(0.99), at(1.0));
    }
}

/// Words of two characters, by how many tickets hold them, and longer ones.
fn queries(dice: &mut Dice, count: usize) -> Vec<(&'static str, String)> {
    const COMMON: &[&str] = &["电脑", "打印", "网络", "邮箱", "三楼", "财务", "重启", "帮忙"];
    const MIDDLING: &[&str] = &["键盘", "权限", "蓝屏", "卡纸", "仓库", "扫描", "登录", "乱码"];
    const RARE: &[&str] = &["门禁", "考勤", "证书", "合同", "发票", "死机", "声音"];
    let mut all = Vec::new();
    for _ in 0..count {
        let two = [COMMON[dice.below(8)], MIDDLING[dice.below(8)], RARE[dice.below(7)]];
        all.push(("two characters, common", two[0].to_owned()));
        all.push(("two characters, middling", two[1].to_owned()));
        all.push(("two characters, rare", two[2].to_owned()));
        all.push(("two characters, once or never", chatter(dice, 2)));
        all.push(("three words", format!("{} {} {}", two[0], two[1], two[2])));
        all.push(("a phrase and a code", format!("{}0x80070005", pick(dice, THINGS))));
    }
    all
}

async fn search(store: &Store, queries: &[(&'static str, String)], name: &str) -> Vec<Vec<About>> {
    let (mut times, mut answers): (HashMap<&str, Vec<f64>>, _) = (HashMap::new(), Vec::new());
    for (kind, query) in queries {
        let begun = Instant::now();
        let found = store.search(query, 20).await.unwrap();
        times.entry(kind).or_default().push(begun.elapsed().as_secs_f64() * 1000.0);
        answers.push(found.iter().map(|document| document.about).collect());
    }
    let mut kinds: Vec<_> = times.into_iter().collect();
    kinds.sort_by_key(|(kind, _)| *kind);
    let two = kinds.iter().filter(|(kind, _)| kind.starts_with("two")).flat_map(|(_, times)| times.clone());
    Figures(two.collect()).print(&format!("{name}: two characters, all"));
    for (kind, times) in kinds {
        Figures(times).print(&format!("{name}: {kind}"));
    }
    answers
}

async fn weigh(tx: &mut Tx, text: &str) -> Weighed {
    let mut telling = terms::telling(text);
    telling.truncate(rank::WEIGHED);
    let asked: Vec<String> = telling.iter().cloned().chain([String::new()]).collect();
    let mut with = tx.frequencies(&asked).await.unwrap();
    let documents = with.remove("").unwrap_or(0);
    Weighed::new(&telling, &Frequencies { documents, with })
}

async fn similar(store: &Store, count: usize, name: &str) -> Vec<Vec<About>> {
    let (mut dice, mut times, mut answers) = (Dice(99), Vec::new(), Vec::new());
    for _ in 0..count {
        let (subject, body) = text(&mut dice);
        let mut tx = store.begin().await.unwrap();
        let begun = Instant::now();
        let weighed = weigh(&mut tx, &format!("{subject}\n{body}")).await;
        let sought: Vec<&str> = weighed.sought().collect();
        let found = tx.solved_documents(&sought, rank::CANDIDATES).await.unwrap();
        let found = rank::alike(&weighed, Category::Hardware, found);
        times.push(begun.elapsed().as_secs_f64() * 1000.0);
        answers.push(found.iter().take(3).map(|similar| similar.document.about).collect());
    }
    Figures(times).print(&format!("{name}: the most similar of all"));
    answers
}

async fn measure(options: &Options) {
    let folder = tempfile::tempdir().unwrap();
    let mut answers: Vec<Vec<Vec<About>>> = Vec::new();
    for kind in &options.databases {
        let database = match kind.as_str() {
            "sqlite" => format!("sqlite:{}/desk.db", folder.path().display()),
            _ => support::postgres::durable_database().await,
        };
        let store = Store::open(&database).await.unwrap();
        let begun = Instant::now();
        fill(&store, options.tickets).await;
        let seconds = begun.elapsed().as_secs_f64();
        println!(
            "{kind}: {} tickets indexed in {seconds:.0} s, {:.0} a second",
            options.tickets,
            options.tickets as f64 / seconds
        );
        if kind == "postgres" {
            support::postgres::psql(&database, "vacuum analyze");
        } else {
            let size = std::fs::metadata(folder.path().join("desk.db")).unwrap().len();
            println!("{kind}: {} MB", size >> 20);
        }
        let mut given = Vec::new();
        if options.has("search") {
            given = search(&store, &queries(&mut Dice(3), options.queries), kind).await;
        }
        if options.has("similar") {
            given.extend(similar(&store, options.queries, kind).await);
        }
        store.close().await;
        answers.push(given);
    }
    if let [one, two] = &answers[..] {
        let same = one.iter().zip(two).filter(|(a, b)| a == b).count();
        println!("the same answers in the same order: {same} of {}", one.len());
        assert_eq!(one, two);
    }
}

struct Labelled {
    text: String,
    category: Category,
    accept: HashSet<Category>,
}

fn read(file: &Path) -> Vec<Labelled> {
    let lines = std::fs::read_to_string(file).unwrap();
    let labelled = lines.lines().filter_map(|line| {
        let row: serde_json::Value = serde_json::from_str(line).ok()?;
        let said = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let category = Category::parse(&said("category"))?;
        let accept = row["accept"].as_array().into_iter().flatten();
        let accept = accept.filter_map(|word| Category::parse(word.as_str()?)).chain([category]).collect();
        Some(Labelled { text: format!("{}\n{}", said("subject"), said("body")), category, accept })
    });
    labelled.collect()
}

/// Of the first three, how many share a category and at least two telling terms.
async fn precision(file: &Path) {
    let all = read(file);
    if all.len() < 10 {
        return;
    }
    let cut: Vec<Vec<String>> = all.iter().map(|ticket| terms::telling(&ticket.text)).collect();
    let mut with: HashMap<&str, usize> = HashMap::new();
    cut.iter().flatten().for_each(|term| *with.entry(term).or_default() += 1);
    let tells = |term: &&String| with[term.as_str()] * 10 < all.len();
    let store = Store::open("sqlite::memory:").await.unwrap();
    let mut tx = store.begin().await.unwrap();
    tx.take_stale(1).await.unwrap();
    let document = |(number, ticket): (usize, &Labelled)| Document {
        about: About::Ticket(Number(number as i64 + 1)),
        title: String::new(),
        summary: String::new(),
        category: ticket.category,
        solved: true,
        terms: terms::of(&ticket.text).join(" "),
    };
    let documents: Vec<Document> = all.iter().enumerate().map(document).collect();
    tx.put_documents(&documents).await.unwrap();
    let (mut shown, mut category, mut good, mut worth, mut worth_good, mut possible) = (0, 0, 0, 0, 0, 0);
    let sets: Vec<HashSet<&str>> = cut.iter().map(|terms| terms.iter().map(String::as_str).collect()).collect();
    let is_good = |at: usize, other: usize| {
        let same = !all[other].accept.is_disjoint(&all[at].accept);
        same && cut[at].iter().filter(tells).filter(|term| sets[other].contains(term.as_str())).count() >= 2
    };
    for (at, ticket) in all.iter().enumerate() {
        let weighed = weigh(&mut tx, &ticket.text).await;
        let sought: Vec<&str> = weighed.sought().collect();
        let found = tx.solved_documents(&sought, rank::CANDIDATES).await.unwrap();
        let found = rank::alike(&weighed, ticket.category, found);
        let others = (0..all.len()).filter(|other| *other != at && is_good(at, *other)).take(3);
        possible += others.count();
        let own = About::Ticket(Number(at as i64 + 1));
        for similar in found.iter().filter(|similar| similar.document.about != own).take(3) {
            let About::Ticket(number) = similar.document.about else { unreachable!("only tickets") };
            let other = number.0 as usize - 1;
            shown += 1;
            category += usize::from(!all[other].accept.is_disjoint(&ticket.accept));
            good += usize::from(is_good(at, other));
            worth += usize::from(similar.likeness >= rank::WORTH_SHOWING);
            worth_good += usize::from(similar.likeness >= rank::WORTH_SHOWING && is_good(at, other));
        }
    }
    let part = |of: usize, all: usize| if all == 0 { 0.0 } else { of as f64 / all as f64 };
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    println!(
        "{name:<20} {} tickets: precision@3 {:.3}, {good} of {possible} there are (category alone {:.3}); worth showing: {} of {shown}, {:.3} of them good",
        all.len(),
        part(good, shown),
        part(category, shown),
        worth,
        part(worth_good, worth)
    );
}

fn main() {
    let options = Options::read();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        if options.has("search") || options.has("similar") {
            measure(&options).await;
        }
        let Some(corpus) = options.corpus.as_ref().filter(|_| options.has("precision")) else { return };
        let mut files: Vec<PathBuf> = std::fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "jsonl"));
        files.sort();
        for file in files {
            precision(&file).await;
        }
    });
}
