//! What is no longer to be kept about people is gone, also from the files of the database (`hardening.md` S65, S66).

#[path = "support/postgres.rs"]
mod postgres;
#[path = "support/rules.rs"]
mod rules;

use maildesk::address::Address;
use maildesk::desk::event::Event;
use maildesk::desk::policy::{Knowledge, Policy, Retention};
use maildesk::desk::ticket::Number;
use maildesk::desk::words::{Field, Rating, Status};
use maildesk::flow::erase::Erasure;
use maildesk::flow::{Arrival, Flow};
use maildesk::mail::{self, Templates};
use maildesk::ports::Content;
use maildesk::store::{Deletion, Store};
use maildesk::time::Timestamp;
use rules::*;
use std::path::{Path, PathBuf};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);
const WU: &str = "wu@corp.example";

/// Declares each case once per database.
macro_rules! on_both {
    ($($case:ident)*) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let folder = tempfile::tempdir().unwrap();
                let url = format!("sqlite://{}/desk.db", folder.path().display());
                super::$case(super::Desk::open(&url, folder.path()).await).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let url = super::postgres::database().await;
                let host = url.split("host=").nth(1).unwrap().split('&').next().unwrap().to_owned();
                let number = super::postgres::psql(&url, "select oid from pg_database where datname = current_database()");
                let folder = std::path::Path::new(&host).join("data/base").join(number);
                super::$case(super::Desk::open(&url, &folder).await).await;
            })*
        }
    };
}

on_both! {
    s65_a_person_is_gone_from_every_table_and_file
    s65_who_works_here_or_waits_for_something_is_not_erased
    s66_what_was_kept_long_enough_goes_and_the_figures_stay
}

struct Desk {
    flow: Flow,
    /// What the database writes into.
    folder: PathBuf,
    url: String,
    at: Timestamp,
    written: u32,
}

impl Desk {
    async fn open(url: &str, folder: &Path) -> Desk {
        let knowledge = Knowledge { suggest_from: 0.4, ..Knowledge::default() };
        let policy = Policy { knowledge, ..policy() };
        let store = Store::open(url).await.unwrap();
        let flow = Flow::new(store, policy, Templates::load(None).unwrap());
        Desk { flow, folder: folder.to_owned(), url: url.to_owned(), at: now(), written: 0 }
    }

    /// A mail as it comes, on a ticket when `number` is one.
    async fn writes(&mut self, from: &str, name: &str, number: i64, subject: &str, text: &str) {
        self.written += 1;
        self.at = self.at + MINUTE;
        let reference = self.flow.policy().key.reference(Number(number), &address(from));
        let quote = if number > 0 { format!("\r\n\r\n> IT 服务台 {reference}") } else { String::new() };
        let subject = if number > 0 { format!("Re: [{}] {subject}", Number(number)) } else { subject.to_owned() };
        let raw = format!(
            "From: {name} <{from}>\r\nTo: <{DESK}>\r\nSubject: {subject}\r\nMessage-ID: <m{}.{from}>\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}{quote}\r\n\
             --b\r\nContent-Type: text/plain; name=log.txt\r\nContent-Disposition: attachment; filename=log.txt\r\n\r\n\
             log of {name} {}\r\n--b--\r\n",
            self.written, self.written
        );
        let raw = raw.into_bytes();
        let arrival = Arrival { source: None, arrived: self.at, size: raw.len(), content: Content::Whole(raw) };
        let outcome = self.flow.ingest(vec![arrival], None, self.at).await.unwrap();
        assert_eq!((outcome.handled, outcome.quarantined), (1, 0), "{text}");
    }

    async fn passes(&mut self, time: Duration) {
        self.at = self.at + time;
        self.flow.tick(self.at).await.unwrap();
        while self.flow.index(self.at).await.unwrap() > 0 {}
    }

    /// Zhang's printer, mended by Li and published; Wu's ticket, on which Zhang wrote; a vote.
    async fn lives(&mut self) {
        let text = "三楼打印机很蹊跷，frobnicate 报警。\r\n工号 F10234，电话 13800138000，部门：财务部";
        self.writes(ZHANG, "张伟", 0, "打印机蹊跷报警", text).await;
        self.writes(LI, "李娜", 1, "x", "#step 张伟说是板子坏了，换了板子\r\n#workaround\r\n先用二楼打印机").await;
        self.writes(LI, "李娜", 1, "x", "#resolve\r\n张伟，您好：\r\n换了主板，蹊跷的报警没有了。").await;
        self.writes(ZHANG, "张伟", 1, "x", "满意，真是蹊跷").await;
        self.passes(DAY).await;
        self.writes(LI, "李娜", 1, "x", "#kb\r\n标题：打印机报警\r\n解决：换主板").await;
        self.writes(WU, "吴迪", 0, "网络断了", "四楼网络断了。").await;
        self.writes(LI, "李娜", 2, "x", &format!("张伟 {ZHANG} 也遇到过，请问是哪个插座？")).await;
        self.writes(WU, "吴迪", 2, "x", "靠窗的插座").await;
        self.writes(LI, "李娜", 2, "x", &format!("#cc {ZHANG}")).await;
        self.writes(LI, "李娜", 2, "x", "#resolve\r\n换了网线").await;
        self.writes(WU, "吴迪", 2, "x", "满意").await;
        // Nobody's ticket.
        let away = "Auto-Submitted: auto-replied\r\n";
        let raw = format!("From: 张伟 <{ZHANG}>\r\nTo: <{DESK}>\r\nSubject: away\r\n{away}\r\nfrobnicate holiday\r\n");
        let raw = raw.into_bytes();
        let arrival = Arrival { source: None, arrived: self.at, size: raw.len(), content: Content::Whole(raw) };
        self.flow.ingest(vec![arrival], None, self.at).await.unwrap();
        self.passes(40 * DAY).await;
        for number in [1, 2] {
            assert!(self.flow.store.archived_at(Number(number)).await.unwrap().is_some(), "{number}");
        }
    }

    /// Whether the files of the database hold these bytes anywhere.
    fn on_disk(&self, words: &str) -> bool {
        if self.url.starts_with("postgres") {
            postgres::psql(&self.url, "checkpoint");
        }
        let files = std::fs::read_dir(&self.folder).unwrap().map(|entry| entry.unwrap().path());
        let holds = |file: PathBuf| {
            let bytes = std::fs::read(&file).unwrap_or_default();
            bytes.windows(words.len()).any(|window| window.eq_ignore_ascii_case(words.as_bytes()))
        };
        files.filter(|file| file.is_file()).any(holds)
    }

    /// Whether any letter, opened, holds these words.
    async fn in_a_letter(&self, words: &str) -> bool {
        let all = self.flow.store.all_outgoing().await.unwrap();
        all.iter().any(|(row, bytes)| {
            let read = mail::parse(bytes);
            row.to.key() == words || read.full_text.contains(words) || read.subject.contains(words)
        })
    }
}

/// What leads to Zhang.
const TRACES: [&str; 6] = [ZHANG, "张伟", "F10234", "13800138000", "蹊跷", "frobnicate"];

async fn s65_a_person_is_gone_from_every_table_and_file(mut desk: Desk) {
    desk.lives().await;
    for words in TRACES {
        assert!(desk.on_disk(words), "{words} is there before");
    }
    assert!(desk.in_a_letter("张伟").await);
    let before = desk.flow.store.ticket(Number(1)).await.unwrap().unwrap();
    let timeline = desk.flow.store.timeline(Number(1)).await.unwrap();
    let archived = desk.flow.store.archived_at(Number(1)).await.unwrap();

    let zhang = address(ZHANG);
    let Erasure::Done(would) = desk.flow.erase(&zhang, desk.at, true).await.unwrap() else {
        panic!("nothing to erase")
    };
    assert!(desk.flow.store.ticket(Number(1)).await.unwrap().unwrap() == before, "a dry run changes nothing");
    let Erasure::Done(gone) = desk.flow.erase(&zhang, desk.at, false).await.unwrap() else { panic!("nothing erased") };
    assert_eq!(gone, would);
    assert!(gone.tickets == 1 && gone.messages >= 6 && gone.letters >= 5 && gone.files >= 5, "{gone:?}");
    desk.flow.store.scrub().await.unwrap();

    for words in TRACES {
        assert!(!desk.on_disk(words), "{words} is still on the disk");
        assert!(!desk.in_a_letter(words).await, "{words} is still in a letter");
    }
    // What happened stays, under a name that leads to nobody.
    let store = &desk.flow.store;
    let after = store.ticket(Number(1)).await.unwrap().unwrap();
    let figures = |t: &maildesk::desk::ticket::Ticket| {
        let times = (t.created, t.first_response, t.resolved, t.closed, t.response_due, t.resolution_due);
        (t.category, t.priority, t.impact, t.status, t.rating, t.cycle, t.assignee.clone(), times)
    };
    assert_eq!(figures(&after), figures(&before));
    assert_eq!(after.rating, Some(Rating::Satisfied));
    assert_eq!(after.requester.address.domain(), "erased.invalid");
    assert_eq!(after.fields.get(&Field::Department).map(String::as_str), Some("财务部"));
    assert_eq!(after.fields.len(), 1);
    let kinds = |entries: &[maildesk::desk::ticket::Entry]| {
        entries.iter().map(|entry| (entry.at, std::mem::discriminant(&entry.what))).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&store.timeline(Number(1)).await.unwrap()), kinds(&timeline));
    assert_eq!(store.archived_at(Number(1)).await.unwrap(), archived);
    // Wu's ticket lost only what named Zhang.
    let wu = store.ticket(Number(2)).await.unwrap().unwrap();
    assert_eq!((wu.requester.address.key(), wu.subject.as_str()), (WU, "网络断了"));
    let told: Vec<String> = store.messages(Number(2)).await.unwrap().into_iter().map(|m| m.body.text).collect();
    assert!(told.iter().any(|text| text.contains("靠窗的插座")), "{told:?}");
    assert_eq!(told.iter().filter(|text| text.is_empty()).count(), 2, "{told:?}");
    assert!(wu.copied.is_empty(), "{:?}", wu.copied);
    // The article helps on, and the search finds it.
    let found = store.search("打印机 主板", 5).await.unwrap();
    assert_eq!(found.iter().map(|d| d.about.name()).collect::<Vec<_>>(), ["KB001"]);
    assert_eq!(store.search("网线", 5).await.unwrap().len(), 1);
    // The same mail once more is known, and a second run finds nothing.
    assert_eq!(desk.flow.erase(&zhang, desk.at, false).await.unwrap(), Erasure::Unknown);
    let evidence = desk.flow.store.deletions().await.unwrap();
    assert!(matches!(&evidence[..], [(_, why, what)] if why == "erased" && *what == gone), "{evidence:?}");
}

async fn s65_who_works_here_or_waits_for_something_is_not_erased(mut desk: Desk) {
    desk.writes(ZHANG, "张伟", 0, "打印机", "打印机坏了").await;
    let erase = async |who: &str| desk.flow.erase(&Address::parse(who).unwrap(), desk.at, false).await.unwrap();
    assert_eq!(erase(ZHANG).await, Erasure::Open(vec![Number(1)]));
    for staff in [LI, BOSS, DESK] {
        assert_eq!(erase(staff).await, Erasure::Staff, "{staff}");
    }
    assert_eq!(erase("nobody@corp.example").await, Erasure::Unknown);
    assert_eq!(desk.flow.store.ticket(Number(1)).await.unwrap().unwrap().subject, "打印机");
    assert!(desk.flow.store.deletions().await.unwrap().is_empty());
}

async fn s66_what_was_kept_long_enough_goes_and_the_figures_stay(mut desk: Desk) {
    desk.lives().await;
    desk.writes(WU, "吴迪", 0, "显示器黑屏", "显示器黑屏").await;
    let policy = |keep: u32| {
        let retention = Retention { tickets: Some(keep * DAY), urgent: Some(3650 * DAY), aside: Some(10 * DAY) };
        Policy { retention, ..(*desk.flow.policy()).clone() }
    };
    assert_eq!(desk.flow.let_go(desk.at, false).await.unwrap().0, []);
    desk.flow.reload(policy(365), Templates::load(None).unwrap());
    let early = desk.flow.let_go(desk.at, true).await.unwrap().0;
    let aside = Deletion { messages: 1, ..Deletion::default() };
    assert_eq!(early, [("tickets", Deletion::default()), ("urgent", Deletion::default()), ("aside", aside)]);
    desk.passes(366 * DAY).await;
    let statuses = [
        desk.flow.store.ticket(Number(1)).await.unwrap().unwrap(),
        desk.flow.store.ticket(Number(2)).await.unwrap().unwrap(),
    ];
    let would = desk.flow.let_go(desk.at, true).await.unwrap().0;
    assert!(desk.on_disk("13800138000"), "a dry run changes nothing");
    let gone = desk.flow.let_go(desk.at, false).await.unwrap().0;
    assert_eq!(gone, would);
    assert_eq!((gone[0].1.tickets, gone[1].1, gone[2].1), (2, Deletion::default(), aside));
    desk.flow.store.scrub().await.unwrap();
    for words in [ZHANG, "张伟", "F10234", "13800138000", "蹊跷", "frobnicate", "靠窗的插座"] {
        assert!(!desk.on_disk(words), "{words} is still on the disk");
    }
    let store = &desk.flow.store;
    for before in statuses {
        let after = store.ticket(before.number).await.unwrap().unwrap();
        assert_eq!((after.status, after.rating, after.resolved), (before.status, before.rating, before.resolved));
        assert_eq!(after.requester.address.key(), "nobody@erased.invalid");
    }
    // What is still open is untouched, and so is what is remembered of its requester.
    let open = store.ticket(Number(3)).await.unwrap().unwrap();
    assert_eq!((open.status, open.requester.address.key()), (Status::New, WU));
    // A second run finds nothing.
    let again = desk.flow.let_go(desk.at, false).await.unwrap().0;
    assert!(again.iter().all(|(_, gone)| *gone == Deletion::default()), "{again:?}");
    let rated = Event::Rated { number: Number(1), cycle: 1, rating: Rating::Mostly, comment: String::new() };
    desk.flow.handle(&rated, desk.at).await.unwrap();
}
