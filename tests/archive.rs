//! What has been closed for long changes no more, and goes out whole.

#[path = "support/rules.rs"]
mod rules;

use maildesk::address::Mailbox;
use maildesk::demo::world::World;
use maildesk::desk::command::Hint;
use maildesk::desk::decide::decide;
use maildesk::desk::event::{Effect, Event, Situation, Timer, TimerKind};
use maildesk::desk::knowledge::article::{Article, Parts, State};
use maildesk::desk::letter::{Content, Letter};
use maildesk::desk::ticket::{Number, Ticket};
use maildesk::desk::words::{Category, Language, Rating, Status};
use maildesk::time::Timestamp;
use rules::*;
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

// --- rules -------------------------------------------------------------------------------------------------------

fn timer() -> Event {
    Event::Due(vec![Timer { number: Number(1), kind: TimerKind::Archive, due: now(), cycle: 1 }])
}

fn set_for(effects: &[Effect]) -> Option<Timestamp> {
    effects.iter().find_map(|e| match e {
        Effect::Schedule(timer) if timer.kind == TimerKind::Archive => Some(timer.due),
        _ => None,
    })
}

#[test]
fn closing_sets_the_timer_and_the_timer_archives() {
    let policy = policy();
    let s = situation(&policy, vec![Ticket { resolved: Some(now()), ..ticket(Status::Resolved) }]);
    assert_eq!(set_for(&decide(&s, &event(reply(ZHANG, "满意")), now())), Some(now() + 30 * DAY));
    let s = situation(&policy, vec![ticket(Status::New)]);
    assert_eq!(set_for(&decide(&s, &event(reply(LI, "#cancel")), now())), Some(now() + 30 * DAY));
    for status in [Status::Closed, Status::Cancelled] {
        let s = situation(&policy, vec![ticket(status)]);
        let effects = decide(&s, &timer(), now() + 30 * DAY);
        assert!(matches!(effects[..], [Effect::Archive(Number(1))]), "{effects:?}");
        // Too early: another daemon's clock, or a database from before there was an archive.
        assert_eq!(set_for(&decide(&s, &timer(), now() + DAY)), Some(now() + 30 * DAY));
    }
    let s = situation(&policy, vec![ticket(Status::InProgress)]);
    assert!(decide(&s, &timer(), now() + 30 * DAY).is_empty(), "reopened meanwhile");
}

fn archived<'a>(policy: &'a maildesk::desk::policy::Policy) -> Situation<'a> {
    let mut s = situation(policy, vec![ticket(Status::Closed)]);
    s.candidates[0].archived = Some(now());
    s
}

/// Nothing of the ticket itself is touched.
#[track_caller]
fn untouched(effects: &[Effect]) {
    let of_it = |e: &&Effect| match e {
        Effect::Save(ticket) => ticket.number == Number(1),
        Effect::Record(number, _) | Effect::Join { number, .. } => *number == Number(1),
        _ => false,
    };
    assert_eq!(effects.iter().filter(of_it).count(), 0, "{effects:?}");
}

fn letters(effects: &[Effect]) -> Vec<&Letter> {
    effects.iter().filter_map(|e| if let Effect::Send(letter) = e { Some(&**letter) } else { None }).collect()
}

#[test]
fn orders_are_refused_kindly_and_nothing_changes() {
    let policy = policy();
    let s = archived(&policy);
    for text in ["#reopen", "#note\n还有话", "#assign wang", "#priority P1", "还有一件事", "#kb\n#close\nx"] {
        let effects = decide(&s, &event(reply(LI, text)), now());
        untouched(&effects);
        assert!(matches!(effects[0], Effect::SetAside { .. }), "{text}: {effects:?}");
        let [letter] = letters(&effects)[..] else { panic!("{text}: {effects:?}") };
        let Content::Transcript { lines, held_back, .. } = &letter.content else { panic!("{letter:?}") };
        assert!(letter.to.mailbox.address == address(LI) && held_back.is_some());
        assert!(lines.iter().all(|line| line.hint == Hint::Archived && !line.done), "{text}: {lines:?}");
    }
}

#[test]
fn later_mail_opens_a_linked_ticket() {
    let policy = policy();
    let s = archived(&policy);
    for from in [ZHANG, "wu@corp.example"] {
        let effects = decide(&s, &event(reply(from, "又卡纸了，和上次一样。")), now());
        untouched(&effects);
        let opened = effects.iter().find_map(|e| if let Effect::Open(ticket) = e { Some(ticket) } else { None });
        let related = opened.and_then(|ticket| ticket.related);
        // Who is no participant and holds nobody's reference but their own all the same names the ticket.
        assert_eq!(related, Some(Number(1)), "{from}: {effects:?}");
    }
    let thanks = decide(&s, &event(reply(ZHANG, "谢谢！")), now());
    assert!(matches!(thanks[..], [Effect::SetAside { .. }]), "{thanks:?}");
    let away = "Auto-Submitted: auto-replied\r\nIn-Reply-To: <first@corp.example>\r\n";
    let machine = decide(&s, &event(mail(ZHANG, "Out of office", away, "I am away")), now());
    untouched(&machine);
    assert!(matches!(machine[..], [Effect::SetAside { .. }]), "{machine:?}");
    let rated = Event::Rated { number: Number(1), cycle: 1, rating: Rating::Dissatisfied, comment: String::new() };
    assert!(decide(&s, &rated, now()).is_empty());
    let undelivered =
        Event::Undelivered { number: Number(1), to: address(LI), letter: "x".into(), reason: "gone".into() };
    assert!(decide(&s, &undelivered, now()).is_empty());
}

#[test]
fn its_article_lives_on() {
    let policy = policy();
    let mut s = archived(&policy);
    let parts = Parts { title: "卡纸".into(), solution: "换搓纸轮".into(), ..Parts::default() };
    s.candidates[0].article = Some(Article {
        ticket: Number(1),
        state: State::Published,
        language: Language::Chinese,
        category: Category::Hardware,
        parts,
        owner: Some(address(LI)),
        drafted: now(),
        published: Some(now()),
        review: Some(now()),
        version: 1,
        shown: 0,
        helped: 0,
        not_helped: 0,
    });
    let due = Event::Due(vec![Timer { number: Number(1), kind: TimerKind::Knowledge, due: now(), cycle: 1 }]);
    let asked = decide(&s, &due, now());
    untouched(&asked);
    assert_eq!(letters(&asked).len(), 1, "its owner is asked");
    for (text, state) in [("#kb", State::Published), ("#kb no", State::Retired)] {
        let effects = decide(&s, &event(reply(LI, text)), now());
        untouched(&effects);
        assert!(letters(&effects).is_empty(), "{effects:?}");
        assert!(effects.iter().any(|e| matches!(e, Effect::KeepArticle(article) if article.state == state)));
    }
}

// --- a whole desk ------------------------------------------------------------------------------------------------

fn person(address: &str, name: &str) -> Mailbox {
    Mailbox::new(rules::address(address), name)
}

/// A printer's whole life: reported with a file of a bad name, handled, rated.
async fn life(world: &mut World) {
    let zhang = person("zhang.wei@example.com", "张伟");
    let raw = "From: 张伟 <zhang.wei@example.com>\r\nTo: it@example.com\r\nSubject: 三楼打印机卡纸\r\n\
         Message-ID: <report@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n三楼打印机一直卡纸 <b>重启</b>也不行。\r\n部门：财务部\r\n工号：F10234\r\n\
         --b\r\nContent-Type: text/plain; name=\"../../evil.txt\"\r\nContent-Disposition: attachment; filename=\"../../evil.txt\"\r\n\r\n\
         paper path\r\n--b--\r\n";
    let letters = world.arrives(raw.as_bytes().to_vec()).await.unwrap();
    let notice = letters.iter().find(|l| l.to != zhang.address.as_str()).expect("a notice").clone();
    let engineer = person(&notice.to, "");
    for text in [
        "#priority P2 影响月结",
        "#note\n搓纸轮是杂牌的\n备件：搓纸轮 RM2-5397",
        "#step 拆开后盖，搓纸轮磨损\n#workaround\n先用二楼打印机。",
    ] {
        world.clock.advance(MINUTE);
        world.replies(&engineer, &notice, text).await.unwrap();
    }
    world.clock.advance(MINUTE);
    let letters = world.replies(&engineer, &notice, "#resolve\n换了搓纸轮。").await.unwrap();
    let resolution = letters.iter().find(|l| l.to == zhang.address.as_str()).expect("a resolution").clone();
    world.clock.advance(MINUTE);
    world.replies(&zhang, &resolution, "满意，谢谢").await.unwrap();
    assert_eq!(world.flow.store.ticket(Number(1)).await.unwrap().unwrap().status, Status::Closed);
}

fn maildesk(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_maildesk")).args(arguments).current_dir(folder).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap(), said)
}

fn files(folder: &Path) -> Vec<String> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder_) = folders.pop() {
        for entry in std::fs::read_dir(folder_).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => found.push(path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned()),
            }
        }
    }
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archived_ticket_goes_out_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::create(folder.path()).await.unwrap();
    life(&mut world).await;
    world.clock.advance(31 * DAY);
    world.flow.tick(world.now()).await.unwrap();
    let store = &world.flow.store;
    let at = store.archived_at(Number(1)).await.unwrap().expect("archived");
    // The database itself refuses, whatever a program would write.
    let ticket = store.ticket(Number(1)).await.unwrap().unwrap();
    let mut tx = store.begin().await.unwrap();
    tx.save_ticket(&Ticket { version: ticket.version + 1, subject: "x".into(), ..ticket.clone() }).await.unwrap();
    let refused = tx.commit().await.unwrap_err();
    assert!(refused.to_string().contains("archived"), "{refused}");
    // A later mail opens a linked ticket, and the archived one stays as it was.
    let before =
        (ticket.clone(), store.timeline(Number(1)).await.unwrap(), store.messages(Number(1)).await.unwrap().len());
    let zhang = person("zhang.wei@example.com", "张伟");
    let late = "Re: [IT001] 三楼打印机卡纸";
    world.writes(&zhang, late, "又开始卡纸了，请再看看。").await.unwrap();
    let store = &world.flow.store;
    assert_eq!(store.ticket(Number(2)).await.unwrap().unwrap().related, Some(Number(1)));
    let after = (
        store.ticket(Number(1)).await.unwrap().unwrap(),
        store.timeline(Number(1)).await.unwrap(),
        store.messages(Number(1)).await.unwrap().len(),
    );
    assert_eq!(before, after);
    while world.flow.index(world.now()).await.unwrap() > 0 {}
    let (code, said) = maildesk(folder.path(), &["search", "-c", "config.toml", "搓纸轮"]);
    assert!(code == 0 && said.contains("IT001"), "an archived ticket is found: {said}");

    for (place, is_zip) in [("whole", false), ("whole.zip", true)] {
        let (code, said) =
            maildesk(folder.path(), &["ticket", "export", "-c", "config.toml", "IT001", "--output", place]);
        assert_eq!(code, 0, "{said}");
        let unpacked = folder.path().join(if is_zip { "unpacked" } else { "whole" });
        if is_zip {
            let zip = folder.path().join(place);
            let unzip = Command::new("unzip").args(["-q", "-d"]).arg(&unpacked).arg(&zip).output();
            let unzip = unzip.expect("unzip is missing: run tests/run, or apt-get install unzip");
            assert!(unzip.status.success(), "{unzip:?}");
        }
        check_export(&unpacked, at).await;
        let again = maildesk(folder.path(), &["ticket", "export", "-c", "config.toml", "IT001", "--output", place]);
        assert!(again.0 == 1 && again.1.contains("choose another place"), "{again:?}");
    }
    assert_eq!(files(&folder.path().join("whole")), files(&folder.path().join("unpacked")));
    let nobody = maildesk(folder.path(), &["ticket", "export", "-c", "config.toml", "IT999", "--output", "x.zip"]);
    assert!(
        nobody.0 == 1 && nobody.1.contains("no ticket IT999") && !folder.path().join("x.zip").exists(),
        "{nobody:?}"
    );
}

async fn check_export(folder: &Path, at: Timestamp) {
    let files = files(folder);
    assert!(files.iter().all(|name| !name.contains("..")), "{files:?}");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let record: Value = serde_json::from_str(&read("record.json")).unwrap();
    let text = |pointer: &str| record.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer}"));
    assert_eq!(text("/number"), "IT001");
    assert_eq!(text("/archived"), at.rfc3339());
    assert_eq!(text("/registration/fields/department"), "财务部");
    assert_eq!(text("/registration/fields/employee_id"), "F10234");
    assert_eq!((text("/priority_history/0/value"), text("/priority_history/1/value")), ("P3", "P2"));
    assert_eq!(text("/priority_history/1/why"), "影响月结");
    assert_eq!(text("/category_history/0/value"), "hardware");
    assert_eq!(text("/cause_and_steps/0"), "拆开后盖，搓纸轮磨损");
    assert_eq!(text("/workarounds/0"), "先用二楼打印机。");
    assert_eq!(text("/resolutions/0"), "换了搓纸轮。");
    assert_eq!(text("/parts/0"), "搓纸轮 RM2-5397");
    assert_eq!(text("/notes/0"), "搓纸轮是杂牌的\n备件：搓纸轮 RM2-5397");
    assert_eq!(text("/satisfaction/0/rating"), "satisfied");
    assert_eq!(record.pointer("/confirmation/by_requester"), Some(&Value::Bool(true)));
    assert_eq!(text("/messages/0/attachments/0/name"), "evil.txt");
    let attachment = text("/messages/0/attachments/0/file");
    assert!(attachment.starts_with("attachments/001-01-") && attachment.ends_with("-evil.txt"), "{attachment}");
    assert_eq!(read(attachment).trim(), "paper path");
    // Every file that the record names is there, and no other.
    let named = |list: &str| {
        let rows = record[list].as_array().unwrap().iter().map(|row| row["file"].as_str().unwrap().to_owned());
        rows.collect::<Vec<_>>()
    };
    let mut expected: Vec<String> = [named("messages"), named("letters")].concat();
    expected.extend(["record.json", "dossier.html", attachment].map(str::to_owned));
    expected.sort();
    assert_eq!(files, expected);
    // The mails are what they were, byte for byte.
    let first = std::fs::read(folder.join("messages/001.eml")).unwrap();
    let first = maildesk::mail::parse(&first);
    assert!(first.body.text.contains("卡纸") && first.message_id.unwrap().as_str() == "report@example.com");
    let letters = named("letters");
    assert!(letters.iter().any(|name| name.ends_with("-acknowledgement.eml")), "{letters:?}");
    let html = read("dossier.html");
    for words in [
        "三楼打印机卡纸",
        "F10234",
        "影响月结",
        "拆开后盖",
        "先用二楼打印机",
        "换了搓纸轮",
        "满意",
        "evil.txt",
        "已归档",
    ] {
        assert!(html.contains(words), "{words}");
    }
    assert!(html.contains("&lt;b&gt;重启") && !html.contains("<b>重启"), "mails are shown, never run");
    for outside in ["<script", "src=", "http:", "https:", "url("] {
        assert!(!html.contains(outside), "{outside}");
    }
}
