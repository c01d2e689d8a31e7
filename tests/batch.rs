//! A batch of mails has the same outcome as the same mails one by one, whatever they have to do with each other. What a
//! transaction keeps in mind instead of asking the database again must never differ from what the database would say.

use maildesk::address::{Address, Mailbox};
use maildesk::config::Config;
use maildesk::demo::people::{self, Letter};
use maildesk::desk::link::Key;
use maildesk::desk::ticket::Number;
use maildesk::flow::{Arrival, Flow};
use maildesk::mail::Templates;
use maildesk::ports::Content;
use maildesk::store::{Store, TicketFilter};
use maildesk::time::Timestamp;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

const DESK: &str = "it@corp.example";

/// Small limits, so that a batch runs into them.
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
[[engineer]]
address = "wang.lei@corp.example"
name = "王磊"
level = 3
[[engineer]]
address = "tom@corp.example"
name = "Tom Baker"
level = 2
skills = ["network"]
language = "en"
[[supervisor]]
address = "zhao.min@corp.example"
name = "赵敏"
[limits]
acknowledgements = [3, 5, 8]
tickets_per_hour = 6
"#;

struct World {
    flow: Flow,
    _folder: tempfile::TempDir,
}

impl World {
    async fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::read(Path::new("/tmp/config.toml"), CONFIG, &|_| None).unwrap();
        let store = Store::open(&format!("sqlite://{}", folder.path().join("desk.db").display())).await.unwrap();
        let flow = Flow::new(store, config.policy(Key([1; 32])), Templates::load(None).unwrap());
        World { flow, _folder: folder }
    }

    async fn takes(&self, mails: &[Vec<u8>], now: Timestamp) {
        let arrival = |raw: &Vec<u8>| Arrival {
            source: None,
            arrived: now,
            size: raw.len(),
            content: Content::Whole(raw.clone()),
        };
        let outcome = self.flow.ingest(mails.iter().map(arrival).collect(), None, now).await.unwrap();
        assert_eq!(outcome.quarantined, 0);
    }

    /// Everything that anybody can see, as text.
    async fn told(&self) -> String {
        let (store, mut told) = (&self.flow.store, String::new());
        let all = TicketFilter { limit: 10_000, ..TicketFilter::default() };
        let mut tickets = store.tickets(&all).await.unwrap();
        tickets.sort_by_key(|ticket| ticket.number);
        for ticket in &tickets {
            writeln!(told, "{ticket:?}").unwrap();
            for entry in store.timeline(ticket.number).await.unwrap() {
                writeln!(told, "  {entry:?}").unwrap();
            }
            for m in store.messages(ticket.number).await.unwrap() {
                let bytes = store.whole(m.id).await.unwrap().unwrap().len();
                writeln!(told, "  {:?} {:?} {} {bytes} {}", m.message_id, m.visibility, m.subject, m.body.text)
                    .unwrap();
            }
        }
        for aside in store.set_aside(10_000).await.unwrap() {
            writeln!(told, "aside {:?} {:?}", aside.message_id, aside.set_aside).unwrap();
        }
        let mut letters = self.letters().await;
        letters.sort();
        told + &letters.join("\n")
    }

    /// Every letter with its bytes; the order in which they were queued may differ.
    async fn letters(&self) -> Vec<String> {
        let letters = self.flow.store.all_outgoing().await.unwrap();
        letters.into_iter().map(|(row, bytes)| format!("{} {}", row.key, String::from_utf8_lossy(&bytes))).collect()
    }
}

/// Numbers that look like chance and are the same in every run (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }

    fn one_of<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

fn person(address: &str, name: &str) -> Mailbox {
    Mailbox::new(Address::parse(address).unwrap(), name)
}

/// What people write. Engineers' words may be commands; some name a ticket, known or not.
struct Writers {
    dice: Dice,
    employees: Vec<Mailbox>,
    engineers: Vec<Mailbox>,
    /// Letters that people have in their mailboxes.
    letters: Vec<Letter>,
    /// Mails that were written, and by whom.
    mails: Vec<(Mailbox, Vec<u8>)>,
    count: u64,
}

const REPORTS: [(&str, &str); 6] = [
    ("打印机坏了", "三楼打印机卡纸，分机 8012"),
    ("VPN 连不上", "在家办公 VPN 提示错误 809，电话 13800001111"),
    ("ERP down", "ERP is down for the whole company"),
    ("Password", "I forgot my password.\nName: Anna\nDepartment: Finance"),
    ("权限申请", "申请共享文件夹权限，不急"),
    ("", "电脑蓝屏"),
];
const ANSWERS: [&str; 9] = [
    "还是不行",
    "好了，谢谢",
    "满意",
    "不满意",
    "补充：错误代码 0x0000001A",
    "ok",
    "It works again, thanks",
    "工号 20331",
    "",
];
const ORDERS: [&str; 15] = [
    "#认领\n我来看看",
    "请重启一下打印机",
    "#解决\n换了硒鼓",
    "#备注\n备件没了",
    "#转派 Tom Baker",
    "#优先级 P2 老板要用",
    "#挂起 报障人\n请发截图",
    "#继续",
    "#合并 IT002",
    "#关闭",
    "#临时措施\n先用四楼的打印机",
    "#status",
    "#resolvee\n完成",
    "#上门 2026-12-24 14:00 三楼\n请留好位置",
    "#visit cancel",
];

impl Writers {
    fn new(seed: u64) -> Writers {
        let employees = (0..4).map(|i| person(&format!("user{i}@corp.example"), "张伟")).collect();
        let engineers =
            [("li.na@corp.example", "李娜"), ("wang.lei@corp.example", "王磊"), ("tom@corp.example", "Tom Baker")];
        let engineers = engineers.map(|(address, name)| person(address, name)).to_vec();
        Writers { dice: Dice(seed), employees, engineers, letters: Vec::new(), mails: Vec::new(), count: 0 }
    }

    fn mail(&mut self, at: Timestamp) -> Vec<u8> {
        self.count += 1;
        let at = at + Duration::from_millis(self.count);
        let (who, raw) = match self.dice.below(14) {
            0..=3 => self.report(at),
            4..=8 if !self.letters.is_empty() => self.answer(at),
            9 if !self.mails.is_empty() => self.follow_up(at),
            10 if !self.mails.is_empty() => self.dice.one_of(&self.mails).clone(),
            _ => self.tagged(at),
        };
        self.mails.push((who, raw.clone()));
        raw
    }

    fn report(&mut self, at: Timestamp) -> (Mailbox, Vec<u8>) {
        let who = self.dice.one_of(&self.employees).clone();
        let (subject, text) = *self.dice.one_of(&REPORTS);
        let raw = people::write(&who, DESK, subject, text, at);
        (who, raw)
    }

    /// A reply to a letter of an earlier batch, by whoever got it.
    fn answer(&mut self, at: Timestamp) -> (Mailbox, Vec<u8>) {
        let letter = self.dice.one_of(&self.letters).clone();
        let everybody = self.employees.iter().chain(&self.engineers);
        let who = everybody.into_iter().find(|m| m.address.as_str() == letter.to).cloned();
        let who = who.unwrap_or_else(|| person("zhao.min@corp.example", "赵敏"));
        let words =
            if self.engineers.contains(&who) { *self.dice.one_of(&ORDERS) } else { *self.dice.one_of(&ANSWERS) };
        let raw = people::reply(&who, DESK, &letter, words, at);
        (who, raw)
    }

    /// The author of an earlier mail - perhaps of this very batch - writes again, below their own mail.
    fn follow_up(&mut self, at: Timestamp) -> (Mailbox, Vec<u8>) {
        let (who, raw) = self.dice.one_of(&self.mails).clone();
        let words = *self.dice.one_of(&ANSWERS);
        let raw = people::reply(&who, DESK, &Letter::read(raw), words, at);
        (who, raw)
    }

    /// A new mail that names a ticket, most likely one of the latest: perhaps the writer's own of a moment ago.
    fn tagged(&mut self, at: Timestamp) -> (Mailbox, Vec<u8>) {
        let everybody: Vec<Mailbox> = self.employees.iter().chain(&self.engineers).cloned().collect();
        let who = self.dice.one_of(&everybody).clone();
        let known = self.letters.iter().filter_map(|letter| Number::parse(letter.subject.get(1..6)?)).max();
        let number = known.map_or(0, |number| number.0) + self.dice.below(8) as i64 - 2;
        let subject = format!("[{}] 进展", Number(number.max(1)));
        let words = *self.dice.one_of(&ANSWERS);
        let raw = people::write(&who, DESK, &subject, words, at);
        (who, raw)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_ends_as_its_mails_would_one_by_one() {
    let mut happened = [0; 3];
    for seed in 0..12 {
        let (batched, single) = (World::new().await, World::new().await);
        let mut writers = Writers::new(seed);
        let mut now = Timestamp::parse("2026-11-23T10:00:00+08:00").unwrap();
        for round in 0..6 {
            let size = 1 + writers.dice.below(14);
            let mails: Vec<Vec<u8>> = (0..size).map(|_| writers.mail(now)).collect();
            batched.takes(&mails, now).await;
            for mail in mails.chunks(1) {
                single.takes(mail, now).await;
            }
            let (one, other) = (batched.told().await, single.told().await);
            let first = one.lines().zip(other.lines()).find(|(a, b)| a != b);
            assert!(one == other, "seed {seed}, round {round}, of {size} mails: {first:#?}");
            let letters = batched.flow.store.all_outgoing().await.unwrap();
            writers.letters = letters.into_iter().map(|(_, bytes)| Letter::read(bytes)).collect();
            now = now + Duration::from_secs([60, 700, 4000, 90_000][writers.dice.below(4)]);
        }
        let all = TicketFilter { limit: 1000, ..TicketFilter::default() };
        happened[0] += batched.flow.store.tickets(&all).await.unwrap().len();
        happened[1] += writers.letters.len();
        happened[2] += writers.letters.iter().filter(|letter| letter.references.len() > 2).count();
    }
    println!("tickets, letters, letters in a conversation: {happened:?}");
    assert!(happened.iter().zip([60, 200, 10]).all(|(had, least)| *had > least), "too little happened: {happened:?}");
}
