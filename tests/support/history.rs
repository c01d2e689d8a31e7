//! Made-up histories of tickets, months of them: holds, reopenings, handovers, corrections, escalations. Written as the
//! desk would write them, each step by step, so that figures can be counted from them.

use maildesk::address::{Address, Mailbox};
use maildesk::desk::digest::{Past, rounds};
use maildesk::desk::event::Visibility;
use maildesk::desk::inbound::Inbound;
use maildesk::desk::policy::Policy;
use maildesk::desk::sla::{self, Pause};
use maildesk::desk::ticket::{Entry, Number, Report, Term, Ticket, What, Who};
use maildesk::desk::words::{Category, Clock, Field, Impact, Language, Priority, Rating, Status, Wait};
use maildesk::store::{NewMessage, Place, Store, Tx};
use maildesk::time::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// The same numbers for the same seed, for ever.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }

    /// Mostly short, sometimes long: up to 64 times `usual` minutes.
    fn minutes(&mut self, usual: u64) -> Duration {
        let factor = 1 << self.below(7);
        Duration::from_millis((self.below(usual * 60_000) + 1000) * factor / 4)
    }
}

/// A ticket and what happened to it.
pub struct History {
    pub ticket: Ticket,
    pub timeline: Vec<Entry>,
    pub ratings: Vec<(i64, Rating, String, Timestamp)>,
}

const DEPARTMENTS: [&str; 8] =
    ["财务部", "市场部", "研发中心", "人力资源部", "Sales", "仓储, 物流", "=HYPERLINK(\"x\")", ""];
const SUBJECTS: [(Category, &str, &str); 8] = [
    (Category::Hardware, "三楼打印机卡纸", "打印机"),
    (Category::Hardware, "笔记本开不了机", "开不了机"),
    (Category::Network, "会议室 Wi-Fi 连不上", "wifi"),
    (Category::Network, "VPN keeps disconnecting", "vpn"),
    (Category::Software, "ERP 登录报错 500", "erp"),
    (Category::Software, "Excel 打开很慢", "excel"),
    (Category::Account, "新同事需要开通 OA 权限", "权限"),
    (Category::Other, "=SUM(A1:A9) 是什么意思", "怎么"),
];

struct Life<'a> {
    policy: &'a Policy,
    dice: &'a mut Dice,
    end: Timestamp,
    now: Timestamp,
    start: Timestamp,
    pauses: Vec<Pause>,
    h: History,
}

/// The life of the ticket with this number, which arrives at `created`; nothing happens from `end` on.
pub fn life(policy: &Policy, dice: &mut Dice, number: i64, people: u64, created: Timestamp, end: Timestamp) -> History {
    let (category, subject, word) = dice.pick(&SUBJECTS);
    let priority = dice.pick(&[
        Priority::P1,
        Priority::P2,
        Priority::P2,
        Priority::P3,
        Priority::P3,
        Priority::P3,
        Priority::P3,
        Priority::P4,
        Priority::P4,
        Priority::P4,
    ]);
    let priority = if priority == Priority::P1 && dice.chance(70) { Priority::P3 } else { priority };
    let person = dice.below(people);
    let department = DEPARTMENTS[(person % DEPARTMENTS.len() as u64) as usize];
    let mut fields = BTreeMap::new();
    if !department.is_empty() {
        fields.insert(Field::Department, department.to_owned());
    }
    let (response_due, resolution_due) = sla::due(&policy.targets, &policy.calendar, priority, created);
    let requester =
        Mailbox::new(Address::parse(&format!("person{person}@corp.example")).unwrap(), format!("员工{person}"));
    let matched =
        vec![Term { term: word.into(), points_to: category.as_str().into(), weight: 2.0, place: "subject".into() }];
    let ticket = Ticket {
        number: Number(number),
        subject: subject.to_owned(),
        requester,
        language: Language::Chinese,
        category,
        priority,
        impact: Impact::Personal,
        matched,
        fields,
        status: Status::New,
        wait: None,
        assignee: None,
        created,
        updated: created,
        answered: None,
        copied: Vec::new(),
        first_response: None,
        response_due,
        resolution_due,
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
    };
    let parent = (number > 1 && dice.chance(3)).then_some(Number(number - 1));
    let h = History { ticket: Ticket { parent, ..ticket }, timeline: Vec::new(), ratings: Vec::new() };
    let mut life = Life { policy, dice, end, now: created, start: created, pauses: Vec::new(), h };
    let who = Who::Person(life.h.ticket.requester.address.clone());
    life.record(who, What::Opened, "");
    life.live();
    life.h
}

impl Life<'_> {
    fn record(&mut self, who: Who, what: What, why: &str) {
        self.h.timeline.push(Entry { at: self.now, who, what, why: why.to_owned() });
        self.h.ticket.updated = self.now;
    }

    /// Time passes; `false` when nothing happens any more.
    fn wait(&mut self, usual: u64) -> bool {
        let then = self.now + self.dice.minutes(usual);
        if then >= self.end {
            return false;
        }
        self.now = then;
        true
    }

    fn engineer(&mut self) -> Address {
        let at = self.dice.below(self.policy.engineers.len() as u64) as usize;
        self.policy.engineers[at].address().clone()
    }

    fn me(&self) -> Who {
        self.h.ticket.assignee.clone().map_or(Who::Desk, Who::Person)
    }

    fn requester(&self) -> Who {
        Who::Person(self.h.ticket.requester.address.clone())
    }

    fn status(&mut self, who: Who, to: Status) {
        let ticket = &mut self.h.ticket;
        let from = std::mem::replace(&mut ticket.status, to);
        // While it was on hold the target moved on.
        if from == Status::Pending {
            let pause = (ticket.updated, self.now);
            self.pauses.push(pause);
            let (targets, calendar) = (&self.policy.targets, &self.policy.calendar);
            ticket.resolution_due = sla::extended(targets, calendar, ticket.priority, ticket.resolution_due, pause);
        }
        ticket.wait = None;
        ticket.closed = matches!(to, Status::Closed | Status::Cancelled).then_some(self.now);
        if to == Status::Resolved {
            ticket.resolved = Some(self.now);
        }
        self.record(who, What::Status { from, to }, "");
    }

    fn assign(&mut self, who: Who, to: Address) {
        if self.h.ticket.assignee.as_ref() == Some(&to) {
            return;
        }
        let from = self.h.ticket.assignee.replace(to.clone());
        self.record(who, What::Assigned { from, to: Some(to) }, "");
    }

    fn targets(&mut self) {
        let ticket = &mut self.h.ticket;
        let (targets, calendar) = (&self.policy.targets, &self.policy.calendar);
        let (response, resolution) = sla::due(targets, calendar, ticket.priority, self.start);
        let extend = |due, pause: &Pause| sla::extended(targets, calendar, ticket.priority, due, *pause);
        (ticket.response_due, ticket.resolution_due) = (response, self.pauses.iter().fold(resolution, extend));
    }

    fn live(&mut self) {
        if self.dice.chance(95) {
            let engineer = self.engineer();
            self.assign(Who::Desk, engineer);
        }
        if self.dice.chance(6) {
            if self.wait(60) {
                self.status(Who::Desk, Status::Cancelled);
            }
            return;
        }
        if self.dice.chance(4) && self.h.ticket.priority <= Priority::P2 {
            for other in 0..1 + self.dice.below(3) {
                let report = Report {
                    number: Number(900_000 + other as i64),
                    address: Address::parse("other@corp.example").unwrap(),
                    requester: "other".into(),
                    department: "市场部".into(),
                    subject: "也是".into(),
                };
                self.record(Who::Desk, What::Joined { report }, "");
            }
        }
        while self.work() {
            self.pauses.clear();
        }
    }

    /// One round; `true` when it was reopened.
    fn work(&mut self) -> bool {
        if self.dice.chance(12) {
            let boss = Address::parse("boss@corp.example").unwrap();
            if !self.wait(20) {
                return false;
            }
            let mut to: Vec<Address> = self.h.ticket.assignee.clone().into_iter().collect();
            if self.dice.chance(60) {
                to.push(boss);
            }
            self.record(Who::Desk, What::Escalated { clock: Clock::Response, percent: 75, to }, "");
        }
        if !self.wait(40) {
            return false;
        }
        if self.h.ticket.assignee.is_none() {
            let engineer = self.engineer();
            self.assign(Who::Person(engineer.clone()), engineer);
        }
        self.h.ticket.first_response.get_or_insert(self.now);
        self.status(self.me(), Status::InProgress);
        if self.dice.chance(40) {
            self.record(self.me(), What::Message, "在看了");
        }
        if self.dice.chance(8) {
            let to = self.dice.pick(Category::ALL);
            let from = std::mem::replace(&mut self.h.ticket.category, to);
            if from != to {
                self.record(self.me(), What::Category { from, to }, "");
            }
        }
        if self.dice.chance(8) {
            let to = self.dice.pick(Priority::ALL);
            let from = std::mem::replace(&mut self.h.ticket.priority, to);
            if from != to {
                self.targets();
                self.record(self.me(), What::Priority { from, to }, "");
            }
        }
        while self.dice.chance(15) {
            if !self.wait(60) {
                return false;
            }
            let (me, to) = (self.me(), self.engineer());
            self.assign(me, to);
        }
        while self.dice.chance(22) && self.h.ticket.priority != Priority::P1 {
            if !self.hold() {
                return false;
            }
        }
        if !self.wait(90) {
            return false;
        }
        if self.dice.chance(3) {
            self.status(self.me(), Status::Closed);
            return false;
        }
        if self.dice.chance(75) {
            self.record(self.me(), What::Message, "好了");
        }
        self.status(self.me(), Status::Resolved);
        self.confirm()
    }

    /// On hold and, perhaps, out of it again.
    fn hold(&mut self) -> bool {
        if !self.wait(60) {
            return false;
        }
        let (wait, me) = (self.dice.pick(Wait::ALL), self.me());
        if wait == Wait::Vendor {
            self.record(me.clone(), What::VendorAsked { vendor: "Lenovo".into() }, "");
        }
        self.status(me.clone(), Status::Pending);
        self.h.ticket.wait = Some(wait);
        if self.dice.chance(20) {
            // Another reason, still on hold.
            let again = self.wait(100);
            if !again {
                return false;
            }
            let (targets, calendar) = (&self.policy.targets, &self.policy.calendar);
            let (ticket, now) = (&mut self.h.ticket, self.now);
            let pause = (ticket.updated, now);
            self.pauses.push(pause);
            ticket.resolution_due = sla::extended(targets, calendar, ticket.priority, ticket.resolution_due, pause);
            self.record(me.clone(), What::Status { from: Status::Pending, to: Status::Pending }, "");
        }
        if !self.wait(400) {
            return false;
        }
        if wait == Wait::Requester && self.dice.chance(10) {
            self.status(Who::Desk, Status::Closed);
            self.end = self.now;
            return false;
        }
        self.status(me, Status::InProgress);
        true
    }

    fn rate(&mut self, rating: Rating, comment: &str) {
        self.h.ticket.rating = Some(rating);
        self.record(self.requester(), What::Rated { rating }, comment);
        self.h.ratings.retain(|(cycle, ..)| *cycle != self.h.ticket.cycle);
        self.h.ratings.push((self.h.ticket.cycle, rating, comment.to_owned(), self.now));
    }

    fn reopen(&mut self) {
        self.h.ticket.cycle += 1;
        self.status(self.requester(), Status::InProgress);
        self.h.ticket.resolved = None;
        self.start = self.now;
        self.pauses.clear();
        self.targets();
    }

    fn confirm(&mut self) -> bool {
        if !self.wait(600) {
            return false;
        }
        match self.dice.below(100) {
            0..=47 => {
                self.rate(Rating::Satisfied, "");
                self.status(self.requester(), Status::Closed);
            }
            48..=60 => {
                self.rate(Rating::Mostly, "慢了点");
                self.status(self.requester(), Status::Closed);
            }
            61..=69 => {
                self.rate(Rating::Dissatisfied, "还是不行，\"老样子\"");
                self.reopen();
                if self.dice.chance(10) && self.wait(30) {
                    // A slip.
                    self.h.ticket.cycle -= 1;
                    self.rate(Rating::Satisfied, "按错了");
                    self.status(self.requester(), Status::Closed);
                    return false;
                }
                let engineer = self.engineer();
                self.assign(Who::Desk, engineer);
                return true;
            }
            70..=76 => {
                self.reopen();
                return true;
            }
            _ => self.status(Who::Desk, Status::Closed),
        }
        if self.dice.chance(5) && self.wait(2000) {
            self.reopen();
            return true;
        }
        false
    }
}

/// Writes histories as the desk has them at the end.
async fn keep(tx: &mut Tx, histories: &[History]) {
    for history in histories {
        let number = tx.next_number().await.unwrap();
        assert_eq!(number, history.ticket.number);
        tx.open_ticket(&history.ticket).await.unwrap();
        for entry in &history.timeline {
            tx.record(number, entry).await.unwrap();
        }
    }
    // Ratings of tickets that are not written yet would make SQLite look for them at each row.
    tx.flush().await.unwrap();
    for history in histories {
        for (cycle, rating, comment, at) in &history.ratings {
            tx.rate(history.ticket.number, *cycle, *rating, comment, *at).await.unwrap();
        }
    }
}

/// Writes only what a report reads: the tickets and their rounds.
async fn keep_rounds(tx: &mut Tx, policy: &Policy, histories: Vec<History>) {
    let (mut numbers, mut all) = (Vec::new(), Vec::new());
    for history in histories {
        tx.open_ticket(&history.ticket).await.unwrap();
        numbers.push(history.ticket.number);
        let ratings = history.ratings.iter().map(|(cycle, rating, _, at)| (*cycle, *rating, *at)).collect();
        let past = Past { timeline: history.timeline, ratings, approval: None };
        all.extend(rounds(policy, &history.ticket, &past));
    }
    tx.flush().await.unwrap();
    tx.keep_rounds(&numbers, &all).await.unwrap();
}

/// When tickets arrive between two moments, most of them at work.
fn arrivals(policy: &Policy, tickets: i64, from: Timestamp, to: Timestamp, dice: &mut Dice) -> Vec<Timestamp> {
    let span = to.since(from).as_millis() as u64;
    let mut arrivals: Vec<Timestamp> = Vec::new();
    while (arrivals.len() as i64) < tickets {
        let at = from + Duration::from_millis(dice.below(span));
        if policy.calendar.is_working(at) || dice.chance(15) {
            arrivals.push(at);
        }
    }
    arrivals.sort();
    arrivals
}

/// Fills a fresh database with tickets that arrive from one moment to another. The first `whole` of them have a timeline;
/// of the others stands there what a report reads.
pub async fn fill_with(
    store: &Store,
    policy: &Policy,
    (tickets, whole): (i64, i64),
    from: Timestamp,
    to: Timestamp,
    seed: u64,
) {
    let mut dice = Dice(seed);
    let arrivals = arrivals(policy, tickets, from, to, &mut dice);
    let people = (tickets as u64 / 8).clamp(40, 100_000);
    for part in (1..=tickets).collect::<Vec<i64>>().chunks(2000) {
        let lives = part.iter().map(|n| life(policy, &mut dice, *n, people, arrivals[*n as usize - 1], to));
        let lives: Vec<History> = lives.collect();
        let mut tx = store.begin().await.unwrap();
        if part[0] <= whole {
            keep(&mut tx, &lives).await;
        } else {
            keep_rounds(&mut tx, policy, lives).await;
        }
        tx.commit().await.unwrap();
    }
}

/// The same, all of them whole.
pub async fn fill(store: &Store, policy: &Policy, tickets: i64, from: Timestamp, to: Timestamp, seed: u64) {
    fill_with(store, policy, (tickets, tickets), from, to, seed).await;
}

/// Gives these tickets a first message of some hundred characters; every tenth of them, and all with a word of which the
/// rules know nothing, gets another category from an engineer.
pub async fn tell(store: &Store, policy: &Policy, from: i64, to: i64) {
    const WORDS: [&str; 4] =
        ["从早上开始一直这样", "已经重启过两次，没有用", "The screen says code 0x80070005", "隔壁同事也遇到了"];
    let all: Vec<i64> = (from..=to).collect();
    for some in all.chunks(1000) {
        let mut tx = store.begin().await.unwrap();
        let numbers: Vec<Number> = some.iter().map(|number| Number(*number)).collect();
        for ticket in tx.tickets(&numbers).await.unwrap() {
            let n = ticket.number.0;
            let odd = ["，跳板机登不上去", "，上不了跳板机", "，用跳板机很慢"][(n / 25 % 3) as usize];
            let odd = if n % 25 == 0 { odd } else { "" };
            let body = format!(
                "您好：\n{}{odd}，{}，编号 {n}。\n{}\n谢谢",
                ticket.subject,
                WORDS[(n % 4) as usize],
                WORDS[(n / 7 % 4) as usize]
            );
            let mut inbound = Inbound::unreadable(body.as_bytes());
            inbound.from = Some(ticket.requester.clone());
            (inbound.subject, inbound.body.text, inbound.full_text) = (ticket.subject.clone(), body.clone(), body);
            let message = NewMessage {
                source: None,
                inbound: &inbound,
                bytes: b"raw",
                arrived: ticket.created,
                handled: ticket.created,
                place: Place::Ticket(ticket.number, Visibility::Public),
            };
            tx.add_message(&message).await.unwrap();
            if n % 10 == 0 || n % 25 == 0 {
                let to = if n % 25 == 0 { Category::Network } else { Category::ALL[(n / 10 % 6) as usize] };
                let what = What::Category { from: ticket.category, to };
                let who = Who::Person(policy.engineers[0].address().clone());
                tx.record(ticket.number, &Entry { at: ticket.created, who, what, why: String::new() }).await.unwrap();
            }
        }
        tx.commit().await.unwrap();
    }
}
