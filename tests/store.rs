//! The store, every method on both databases.

#[path = "support/postgres.rs"]
mod postgres;

use maildesk::address::{Address, Mailbox, MessageId};
use maildesk::desk::approval::{Approval, Code, Said, State, Voice};
use maildesk::desk::digest::{Aside, Mails, Reuse};
use maildesk::desk::event::{KnownId, Person, Timer, TimerKind, Visibility};
use maildesk::desk::held::Held;
use maildesk::desk::inbound::{Attachment, Body, Digest, Inbound, Kind};
use maildesk::desk::knowledge::article::{Article, Parts, State as ArticleState};
use maildesk::desk::knowledge::{About, Document, Suggestion, terms};
use maildesk::desk::review::form::Form as ReviewForm;
use maildesk::desk::review::recur::Symptom;
use maildesk::desk::review::{Kind as ReviewKind, Review, State as ReviewState};
use maildesk::desk::ticket::{Entry, Number, Term, Ticket, What, Who};
use maildesk::desk::visit::{self, Visit};
use maildesk::desk::words::{Category, Field, Impact, Language, Priority, Rating, Status, Wait};
use maildesk::mail::pieces::{Form, Piece, Pieces};
use maildesk::ports::Cursor;
use maildesk::store::{
    NewMessage, OutboxCounts, OutboxState, Outgoing, Place, Settled, Source, Store, StoreError, TicketFilter, Tx,
};
use maildesk::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// Declares each case once per database.
macro_rules! on_both {
    ($($case:ident)*) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let folder = tempfile::tempdir().unwrap();
                super::$case(format!("sqlite://{}/desk.db", folder.path().display())).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(super::postgres::database().await).await;
            })*
        }
    };
}

on_both! {
    secret_and_first_start_are_made_once
    cursors_and_putting_away
    r12_known_messages
    r13_nul_and_endless_text
    messages_come_back_whole
    set_aside_messages
    r26_ids_own_cited_and_of_letters
    conversations_as_each_recipient_saw_them
    a_file_is_kept_once
    exact_bytes_of_any_size
    blobs_in_chunks
    numbers_are_used_up_by_opening
    tickets_come_back_whole
    a_stale_ticket_is_a_conflict
    ticket_lists
    loads_follow_every_change
    timeline_keeps_its_order
    ratings_and_participants
    people_are_remembered
    the_directory_as_it_was_last_read
    l22_held_addresses_and_what_waits_for_them
    l18_sender_counts
    timers
    visits
    a_database_from_before_visits_gets_their_table
    approvals_come_back_whole
    articles_come_back_whole
    reviews_come_back_whole
    symptoms_are_likened_to_those_of_their_kind
    mail_of_a_period_is_counted
    documents_are_found_by_their_terms
    what_changes_is_marked_and_taken_once
    solved_documents_are_counted_and_likened
    outbox_life_of_a_letter
    outbox_urgent_first_and_large_ones
    r23_settlement_is_fenced
    eight_claimers_each_letter_once
    g1_two_writers_take_one_message_once
    dropped_transaction_leaves_nothing
    after_a_failure_the_rest_is_refused
    a_transaction_reads_what_it_wrote
    r18_reopening_keeps_everything
    r25_newer_schema_is_refused
    opening_together
    what_was_sorted_and_what_people_made_of_it
}

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn later(seconds: u64) -> Timestamp {
    NOW + Duration::from_secs(seconds)
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn id(text: &str) -> MessageId {
    MessageId::parse(text).unwrap()
}

fn inbound(raw: &[u8]) -> Inbound {
    Inbound {
        from: Some(Mailbox::new(address("Zhang@corp.example"), "张三")),
        subject: "打印机坏了".into(),
        body: Body { text: "打印机不能打印".into(), html: Some("<p>打印机不能打印</p>".into()) },
        full_text: "打印机不能打印\n-- \n张三".into(),
        anomalies: vec!["odd".into()],
        ..Inbound::unreadable(raw)
    }
}

fn with_id(raw: &str, message_id: &str) -> Inbound {
    Inbound { message_id: Some(id(message_id)), ..inbound(raw.as_bytes()) }
}

fn new_message<'a>(inbound: &'a Inbound, place: Place<'a>) -> NewMessage<'a> {
    NewMessage { source: None, inbound, bytes: b"raw", arrived: NOW, handled: later(1), place }
}

fn ticket(number: Number) -> Ticket {
    Ticket {
        number,
        subject: "打印机坏了".into(),
        requester: Mailbox::new(address("Zhang@corp.example"), "张三"),
        copied: vec![],
        language: Language::Chinese,
        category: Category::Hardware,
        priority: Priority::P3,
        impact: Impact::Personal,
        matched: vec![Term {
            term: "打印机".into(), points_to: "hardware".into(), weight: 2.5, place: "body".into()
        }],
        fields: [(Field::Contact, "8001".to_owned())].into(),
        status: Status::New,
        wait: None,
        assignee: None,
        created: NOW,
        updated: NOW,
        first_response: None,
        answered: None,
        response_due: later(7200),
        response_warned: 0,
        resolution_warned: 0,
        resolution_due: later(28800),
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

fn review(number: i64) -> Review {
    Review {
        ticket: Number(number),
        kind: ReviewKind::Problem,
        state: ReviewState::Planned,
        title: "登录、超时".into(),
        module: "ERP".into(),
        form: ReviewForm {
            cause: "连接池\n耗尽".into(),
            corrective: "重启".into(),
            preventive: "告警".into(),
            owner: "李娜".into(),
            owner_address: Some(address("li@corp.example")),
            due: "2026-12-11".parse().ok(),
        },
        people: vec![address("li@corp.example"), address("boss@corp.example")],
        tickets: vec![Number(1), Number(7), Number(12)],
        cycle: 2,
        opened: later(10),
        planned: Some(later(20)),
        ended: None,
        asked_again: true,
        version: 1,
    }
}

async fn reviews_come_back_whole(url: String) {
    let store = Store::open(&url).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    for number in [1, 2] {
        tx.next_number().await.unwrap();
        tx.open_ticket(&ticket(Number(number))).await.unwrap();
    }
    let incident = Review { kind: ReviewKind::Incident, tickets: vec![], ..review(1) };
    for one in [review(1), incident.clone(), review(2)] {
        tx.keep_review(&one).await.unwrap();
    }
    assert_eq!(tx.reviews_of(&[Number(1)]).await.unwrap(), [incident, review(1)]);
    assert_eq!(tx.with_more(&[Number(1), Number(3)]).await.unwrap(), [Number(1)]);
    tx.commit().await.unwrap();
    let ended = Review { state: ReviewState::Done, ended: Some(later(50)), version: 2, ..review(2) };
    let mut tx = store.begin().await.unwrap();
    tx.keep_review(&ended).await.unwrap();
    tx.commit().await.unwrap();
    // Somebody else was faster.
    let mut tx = store.begin().await.unwrap();
    assert!(matches!(tx.keep_review(&ended).await, Err(StoreError::Conflict(_))));
    drop(tx);
    assert_eq!(store.reviews_of(&[Number(2)]).await.unwrap(), [ended]);
    let names = async |before: u64, since: u64| {
        let found = store.reviews(later(before), later(since)).await.unwrap();
        found.iter().map(Review::name).collect::<Vec<_>>()
    };
    assert_eq!(names(11, 50).await, ["PRB001", "PIR001", "PRB002"]);
    assert_eq!(names(11, 51).await, ["PRB001", "PIR001"]);
    assert!(names(10, 0).await.is_empty());
}

/// What could not be handled is one reason however many errors it says; an answer counts where it opened a ticket.
async fn mail_of_a_period_is_counted(url: String) {
    let store = Store::open(&url).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let opened = open_one(&mut tx).await.number;
    let reply = |raw: &str| Inbound { kind: Kind::Reply, ..inbound(raw.as_bytes()) };
    let (opens, joins, asks) = (reply("opens"), reply("joins"), inbound(b"asks"));
    tx.add_message(&new_message(&opens, Place::Opens(opened, Visibility::Public))).await.unwrap();
    tx.add_message(&new_message(&joins, Place::Ticket(opened, Visibility::Public))).await.unwrap();
    tx.add_message(&new_message(&asks, Place::Opens(opened, Visibility::Public))).await.unwrap();
    for (number, reason) in
        [(12, "could not be handled: it stumbled"), (2, "bounce"), (1, "receipt"), (3, "auto_reply")]
    {
        for one in 0..number {
            let odd = if number == 12 { format!("{reason} {one}") } else { reason.to_owned() };
            let mail = inbound(odd.clone().into_bytes().repeat(one + 1).as_slice());
            tx.add_message(&new_message(&mail, Place::SetAside(&odd))).await.unwrap();
        }
    }
    tx.commit().await.unwrap();
    let mails = store.mails(later(1), later(2)).await.unwrap();
    let aside = [Aside::Automatic, Aside::Delivery, Aside::Unreadable, Aside::Other].map(|class| mails.aside(class));
    assert_eq!((mails.received, mails.unmatched, aside), (21, 1, [4, 2, 12, 0]));
    assert_eq!(store.mails(later(2), later(9)).await.unwrap(), Mails::default());
}

async fn symptoms_are_likened_to_those_of_their_kind(url: String) {
    let store = Store::open(&url).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let symptom = |number: i64, about: &str| Symptom {
        ticket: Number(number),
        about: about.into(),
        created: later(number.unsigned_abs()),
        terms: vec!["打印".into(), "卡纸".into()],
        problem: None,
    };
    for number in 1..=4 {
        tx.next_number().await.unwrap();
        tx.open_ticket(&ticket(Number(number))).await.unwrap();
        let about = if number == 4 { "module/ERP" } else { "category/hardware" };
        assert_eq!(tx.keep_symptom(&symptom(number, about)).await.unwrap(), None);
    }
    tx.mark_symptoms(Number(1), &[Number(1)]).await.unwrap();
    assert_eq!(tx.keep_symptom(&symptom(1, "category/hardware")).await.unwrap(), Some(Number(1)));
    let found = tx.symptoms("category/hardware", later(1), 2).await.unwrap();
    assert_eq!(found, [symptom(3, "category/hardware"), symptom(2, "category/hardware")]);
    tx.forget_symptoms(&[Number(3)], later(2)).await.unwrap();
    assert_eq!(tx.symptoms("category/hardware", NOW, 9).await.unwrap(), [symptom(2, "category/hardware")]);
    tx.commit().await.unwrap();
}

fn article(number: i64) -> Article {
    Article {
        ticket: Number(number),
        state: ArticleState::Published,
        language: Language::English,
        category: Category::Network,
        parts: Parts { title: "VPN\0".into(), solution: "重连\n再试".into(), ..Parts::default() },
        owner: Some(address("li@corp.example")),
        drafted: NOW,
        published: Some(later(1)),
        review: Some(later(2)),
        version: 3,
        shown: 0,
        helped: 0,
        not_helped: 0,
    }
}

async fn articles_come_back_whole(url: String) {
    let store = Store::open(&url).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    for number in [1, 2] {
        assert_eq!(tx.next_number().await.unwrap(), Number(number));
        tx.open_ticket(&ticket(Number(number))).await.unwrap();
    }
    tx.keep_article(&article(1)).await.unwrap();
    tx.suggest(Number(2), Number(1), NOW).await.unwrap();
    tx.suggest(Number(2), Number(1), later(5)).await.unwrap();
    tx.commit().await.unwrap();
    let expect = |shown, helped, not_helped| {
        let mut expect = Article { shown, helped, not_helped, ..article(1) };
        expect.parts.title = "VPN\u{fffd}".into();
        Some(expect)
    };
    assert_eq!(store.article(Number(1)).await.unwrap(), expect(1, 0, 0));
    assert_eq!(store.article(Number(2)).await.unwrap(), None);
    for (helped, counts) in [(false, (1, 0, 1)), (true, (1, 1, 0))] {
        let mut tx = store.begin().await.unwrap();
        tx.note_helped(Number(2), Number(1), helped, NOW).await.unwrap();
        tx.note_helped(Number(2), Number(9), helped, NOW).await.unwrap();
        let suggested = tx.suggestions(Number(2)).await.unwrap();
        assert_eq!(suggested, [Suggestion { article: Number(1), helped: Some(helped) }]);
        tx.commit().await.unwrap();
        assert_eq!(store.article(Number(1)).await.unwrap(), expect(counts.0, counts.1, counts.2));
        let reuse = store.reuse(NOW, later(9)).await.unwrap();
        assert_eq!((reuse.published, reuse.shown, reuse.helped), (1, 1, counts.1.unsigned_abs()));
        assert_eq!((reuse.closed_with, store.reuse(later(2), later(9)).await.unwrap()), (0, Reuse::default()));
    }
    let mut tx = store.begin().await.unwrap();
    let closed = Ticket { status: Status::Closed, closed: Some(later(3)), version: 2, ..ticket(Number(2)) };
    tx.save_ticket(&closed).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.reuse(later(3), later(4)).await.unwrap(), Reuse { closed_with: 1, ..Reuse::default() });
    let mut tx = store.begin().await.unwrap();
    tx.note_helped(Number(2), Number(1), false, NOW).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.reuse(later(3), later(4)).await.unwrap(), Reuse::default());
    let mut tx = store.begin().await.unwrap();
    let retired = Article { state: ArticleState::Retired, review: None, version: 4, ..article(1) };
    tx.keep_article(&retired).await.unwrap();
    assert_eq!(tx.article(Number(1)).await.unwrap().unwrap().state, ArticleState::Retired);
}

fn document(about: About, title: &str, text: &str, solved: bool) -> Document {
    let terms = terms::of(&format!("{title} {text}")).join(" ");
    Document { about, title: title.into(), summary: "x".into(), category: Category::Other, solved, terms }
}

async fn put(store: &Store, documents: &[Document]) {
    let mut tx = store.begin().await.unwrap();
    tx.take_stale(0).await.unwrap();
    tx.put_documents(documents).await.unwrap();
    tx.commit().await.unwrap();
}

async fn names(store: &Store, query: &str) -> Vec<String> {
    store.search(query, 10).await.unwrap().iter().map(|document| document.about.name()).collect()
}

async fn documents_are_found_by_their_terms(url: String) {
    let store = Store::open(&url).await.unwrap();
    let it = |number| About::Ticket(Number(number));
    put(
        &store,
        &[
            document(it(1), "打印机卡纸", "三楼", true),
            document(it(2), "网络", "打印机也连不上 ORA-00942", false),
            document(About::Article(Number(1)), "卡纸怎么办", "打印机 C盘", true),
            document(it(3), "Outlook crashes", "error 0x80070005 on 10.0.0.1, Größe", true),
            document(it(4), "打印机", "没有反应", false),
        ],
    )
    .await;
    for (query, found) in [
        ("打印机", vec!["KB001", "IT001", "IT004", "IT002"]),
        ("打印", vec!["KB001", "IT001", "IT004", "IT002"]),
        ("打印机 卡纸", vec!["KB001", "IT001"]),
        ("盘", vec!["KB001"]),
        ("C盘", vec!["KB001"]),
        ("机", vec!["KB001", "IT001", "IT004", "IT002"]),
        ("ora-00942", vec!["IT002"]),
        ("ORA 00942", vec!["IT002"]),
        ("00942", vec!["IT002"]),
        ("OUTLOOK 0X80070005", vec!["IT003"]),
        ("10.0.0.1", vec!["IT003"]),
        ("GRÖSSE", vec![]),
        ("größe", vec!["IT003"]),
        ("显示器", vec![]),
        ("", vec![]),
        ("' OR '1'='1", vec![]),
        ("\"* AND (NOT 打印)", vec![]),
        ("a'b\"c:* & | ! <-> \\", vec![]),
    ] {
        assert_eq!(names(&store, query).await, found, "{query}");
    }
    // Written anew, it is found by what it says now.
    put(&store, &[document(it(1), "鼠标坏了", "", true)]).await;
    assert_eq!(names(&store, "打印机 卡纸").await, ["KB001"]);
    assert_eq!(names(&store, "鼠标").await, ["IT001"]);
    let mut tx = store.begin().await.unwrap();
    tx.take_stale(0).await.unwrap();
    tx.drop_document(About::Article(Number(1))).await.unwrap();
    tx.drop_document(About::Article(Number(7))).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(names(&store, "打印机").await, ["IT004", "IT002"]);
}

async fn what_changes_is_marked_and_taken_once(url: String) {
    let store = Store::open(&url).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    tx.next_number().await.unwrap();
    tx.open_ticket(&ticket(Number(1))).await.unwrap();
    let inbound = with_id("a", "a@b.example");
    tx.add_message(&new_message(&inbound, Place::Ticket(Number(1), Visibility::Public))).await.unwrap();
    tx.add_message(&new_message(&with_id("b", "b@b.example"), Place::SetAside("no"))).await.unwrap();
    tx.commit().await.unwrap();
    let stale = async |limit| {
        let mut tx = store.begin().await.unwrap();
        let stale = tx.take_stale(limit).await.unwrap();
        tx.commit().await.unwrap();
        stale
    };
    let one = About::Ticket(Number(1));
    assert_eq!(stale(0).await, []);
    // What a transaction takes and does not commit is still there.
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.take_stale(10).await.unwrap(), [one]);
    assert_eq!(tx.told_on(Number(1), 10).await.unwrap(), ["打印机不能打印"]);
    drop(tx);
    assert_eq!(stale(10).await, [one]);
    assert_eq!(stale(10).await, []);
    let mut tx = store.begin().await.unwrap();
    // Neither a new due time nor a person changes what is found.
    let mut changed = Ticket { version: 2, resolution_due: later(9), ..ticket(Number(1)) };
    tx.save_ticket(&changed).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(stale(10).await, []);
    let mut tx = store.begin().await.unwrap();
    (changed.version, changed.status) = (3, Status::Resolved);
    tx.save_ticket(&changed).await.unwrap();
    tx.keep_article(&article(1)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(stale(10).await, [one, About::Article(Number(1))]);
}

async fn solved_documents_are_counted_and_likened(url: String) {
    let store = Store::open(&url).await.unwrap();
    let it = |number| About::Ticket(Number(number));
    let all = [
        document(it(1), "打印机 卡纸", "", true),
        document(it(2), "打印机", "", false),
        document(it(3), "打印机 墨盒", "", true),
        document(About::Article(Number(1)), "卡纸", "", true),
    ];
    put(&store, &all).await;
    let counted = async |terms: &[&str]| {
        let mut tx = store.begin().await.unwrap();
        let terms: Vec<String> = terms.iter().map(|term| (*term).to_owned()).collect();
        let with = tx.frequencies(&terms).await.unwrap();
        terms.iter().map(|term| with.get(term).copied()).collect::<Vec<_>>()
    };
    let asked = ["", "打印", "卡纸", "墨盒", "鼠标"];
    assert_eq!(counted(&asked).await, [Some(3), Some(2), Some(2), Some(1), None]);
    let like = async |terms: &[&str]| {
        let mut tx = store.begin().await.unwrap();
        let found = tx.solved_documents(terms, 2).await.unwrap();
        found.iter().map(|document| document.about.name()).collect::<Vec<_>>()
    };
    assert_eq!(like(&["卡纸", "墨盒"]).await, ["KB001", "IT003", "IT001"]);
    assert_eq!(like(&["打印"]).await, ["IT003", "IT001"]);
    assert!(like(&[]).await.is_empty() && like(&["鼠标"]).await.is_empty());
    // No longer solved, gone, changed.
    put(&store, &[document(it(1), "打印机 卡纸", "", false), document(it(3), "鼠标", "", true)]).await;
    assert_eq!(counted(&asked).await, [Some(2), None, Some(1), None, Some(1)]);
    assert_eq!(like(&["打印", "鼠标"]).await, ["IT003"]);
}

fn entry(why: &str) -> Entry {
    Entry { at: NOW, who: Who::Desk, what: What::Opened, why: why.into() }
}

fn letter(key: &str) -> Outgoing {
    Outgoing {
        key: key.into(),
        number: None,
        to: address("Zhang@corp.example"),
        envelope_from: Some(address("it@corp.example")),
        message_id: id(&format!("{key}@corp.example")),
        subject: "[IT001] 打印机坏了".into(),
        template: "notice".into(),
        urgency: 1,
        bytes: Pieces::whole(format!("letter {key}\r\n").into_bytes()),
        queued: NOW,
    }
}

/// Queues one letter; `false` when it was queued before.
async fn enqueue(tx: &mut Tx, letter: &Outgoing) -> bool {
    tx.enqueue_all(std::slice::from_ref(letter)).await.unwrap() == 1
}

async fn open_one(tx: &mut Tx) -> Ticket {
    let opened = ticket(tx.next_number().await.unwrap());
    tx.open_ticket(&opened).await.unwrap();
    opened
}

async fn secret_and_first_start_are_made_once(url: String) {
    let store = Store::open(&url).await.unwrap();
    assert_eq!(store.secret().await.unwrap(), None);
    for (given, kept) in [([1; 32], [1; 32]), ([2; 32], [1; 32])] {
        let mut tx = store.begin().await.unwrap();
        assert_eq!(tx.make_secret(given).await.unwrap(), kept);
        tx.commit().await.unwrap();
    }
    assert_eq!(store.secret().await.unwrap(), Some([1; 32]));
    assert_eq!(store.first_start().await.unwrap(), None);
    for at in [NOW, later(1)] {
        let mut tx = store.begin().await.unwrap();
        assert_eq!(tx.make_first_start(at).await.unwrap(), NOW);
        tx.commit().await.unwrap();
    }
    assert_eq!(store.first_start().await.unwrap(), Some(NOW));
}

async fn cursors_and_putting_away(url: String) {
    let store = Store::open(&url).await.unwrap();
    assert_eq!(store.cursor("imap://it@mail/INBOX").await.unwrap(), None);
    let mut tx = store.begin().await.unwrap();
    for cursor in [Cursor { uid_validity: 7, uid: 3 }, Cursor { uid_validity: u32::MAX, uid: u32::MAX }] {
        tx.set_cursor("a", cursor).await.unwrap();
    }
    let source = |uid| Source { mailbox: "a".into(), uid_validity: 7, uid };
    let kept = inbound(b"one");
    let message = NewMessage { source: Some(&source(2)), ..new_message(&kept, Place::SetAside("why")) };
    tx.add_message(&message).await.unwrap();
    for uid in [5, 1, 5] {
        tx.note_source(&source(uid)).await.unwrap();
    }
    tx.note_source(&Source { mailbox: "b".into(), ..source(9) }).await.unwrap();
    tx.note_source(&Source { uid_validity: 8, ..source(9) }).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.cursor("a").await.unwrap(), Some(Cursor { uid_validity: u32::MAX, uid: u32::MAX }));
    assert_eq!(store.to_put_away("a", 7).await.unwrap(), [1, 2, 5]);
    let mut tx = store.begin().await.unwrap();
    tx.mark_put_away("a", 7, &[]).await.unwrap();
    tx.mark_put_away("a", 7, &[1, 5, 77]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.to_put_away("a", 7).await.unwrap(), [2]);
    assert_eq!(store.to_put_away("a", 8).await.unwrap(), [9]);
    // Still there after it was put away: the move was lost, it is to be done again (R11).
    let mut tx = store.begin().await.unwrap();
    tx.note_source(&source(5)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.to_put_away("a", 7).await.unwrap(), [2, 5]);
}

async fn r12_known_messages(url: String) {
    let store = Store::open(&url).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let (one, other) = (Digest::of(b"one"), Digest::of(b"other"));
    tx.add_message(&new_message(&inbound(b"one"), Place::SetAside("why"))).await.unwrap();
    assert_eq!(tx.known_messages(&[one, other, one]).await.unwrap(), [true, false, true]);
    assert_eq!(tx.known_messages(&[]).await.unwrap(), [false; 0]);
    let many: Vec<_> = (0..700_u32).map(|i| Digest::of(&i.to_be_bytes())).chain([one]).collect();
    assert_eq!(tx.known_messages(&many).await.unwrap().iter().filter(|known| **known).count(), 1);
    tx.commit().await.unwrap();
    let mut tx = store.begin().await.unwrap();
    tx.add_message(&new_message(&inbound(b"one"), Place::SetAside("why"))).await.unwrap();
    let error = tx.commit().await.unwrap_err();
    assert!(error.is_conflict(), "{error:?}");
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.message_bytes(&one).await.unwrap().as_deref(), Some(b"raw".as_slice()));
    assert_eq!(tx.message_bytes(&other).await.unwrap(), None);
}

async fn r13_nul_and_endless_text(url: String) {
    let store = Store::open(&url).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let nul = "a\0打印".to_owned();
    let shown = "a\u{fffd}打印";
    let long = "打".repeat(1 << 20);
    let mut opened = ticket(tx.next_number().await.unwrap());
    opened.subject = nul.clone();
    opened.requester.name = nul.clone();
    opened.fields = [(Field::Error, nul.clone()), (Field::Steps, long.clone())].into();
    tx.open_ticket(&opened).await.unwrap();
    tx.record(opened.number, &entry(&nul)).await.unwrap();
    tx.record(opened.number, &entry(&long)).await.unwrap();
    tx.rate(opened.number, 1, Rating::Mostly, &nul, NOW).await.unwrap();
    let person = Person { contact: nul.clone(), ..Person::default() };
    tx.remember(&opened.requester.address, &person).await.unwrap();
    let file = Attachment {
        name: nul.clone(),
        media_type: nul.clone(),
        bytes: vec![0],
        digest: Digest::of(&[0]),
        inline: false,
        content_id: Some(nul.clone()),
    };
    let poison = Inbound {
        subject: nul.clone(),
        body: Body { text: nul.clone(), html: Some(nul.clone()) },
        full_text: nul.clone(),
        attachments: vec![Arc::new(file)],
        anomalies: vec![nul.clone()],
        ..inbound(b"poison")
    };
    tx.add_message(&new_message(&poison, Place::SetAside(&nul))).await.unwrap();
    let endless = Inbound {
        subject: long.clone(),
        body: Body { text: long.clone(), html: Some(long.clone()) },
        full_text: long.clone(),
        references: (0..5000).map(|i| id(&format!("{i}{}@x", "r".repeat(800)))).collect(),
        anomalies: vec![long.clone(); 500],
        ..inbound(b"endless")
    };
    tx.add_message(&new_message(&endless, Place::Ticket(opened.number, Visibility::Public))).await.unwrap();
    enqueue(&mut tx, &Outgoing { subject: nul.clone(), ..letter("k") }).await;
    tx.commit().await.unwrap();

    let claimed = store.claim(NOW, Duration::from_secs(60), 1).await.unwrap();
    let sent = Settled::Sent { at: NOW, answer: nul.clone() };
    assert!(store.settle(claimed[0].id, claimed[0].attempt, sent).await.unwrap());
    let back = store.ticket(opened.number).await.unwrap().unwrap();
    assert_eq!((back.subject.as_str(), back.requester.name.as_str()), (shown, shown));
    assert_eq!(back.fields[&Field::Error], shown);
    assert!(back.fields[&Field::Steps].len() < 100_000);
    let timeline = store.timeline(opened.number).await.unwrap();
    assert_eq!(timeline[0].why, shown);
    assert!(timeline[1].why.len() < 100_000);
    let message = &store.set_aside(10).await.unwrap()[0];
    assert_eq!((message.subject.as_str(), message.set_aside.as_deref()), (shown, Some(shown)));
    assert_eq!((message.body.html.as_deref(), message.anomalies[0].as_str()), (Some(shown), shown));
    assert_eq!(message.attachments[0].name, shown);
    let endless = &store.messages(opened.number).await.unwrap()[0];
    assert!(endless.body.text.len() < 600_000 && endless.full_text.len() < 600_000 && endless.body.html.is_none());
    assert_eq!(endless.anomalies.len(), 100);
}

async fn messages_come_back_whole(url: String) {
    let store = Store::open(&url).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let opened = open_one(&mut tx).await;
    let file = |name: &str, inline| {
        Arc::new(Attachment {
            name: name.into(),
            media_type: "image/png".into(),
            bytes: vec![1, 2, 3],
            digest: Digest::of(&[1, 2, 3]),
            inline,
            content_id: inline.then(|| "c1".into()),
        })
    };
    let one = Inbound { attachments: vec![file("屏幕.png", true), file("b.png", false)], ..with_id("one", "one@x") };
    let two = Inbound { from: None, body: Body::default(), kind: Kind::Bounce, ..inbound(b"two") };
    let first = tx.add_message(&new_message(&one, Place::Ticket(opened.number, Visibility::Public))).await.unwrap();
    tx.add_message(&new_message(&two, Place::Ticket(opened.number, Visibility::Internal))).await.unwrap();
    assert_eq!(tx.description(opened.number).await.unwrap(), one.body);
    assert_eq!(tx.description(Number(99)).await.unwrap(), Body::default());
    tx.commit().await.unwrap();
    let back = store.messages(opened.number).await.unwrap();
    assert_eq!(back.len(), 2);
    let m = &back[0];
    assert_eq!((m.id, m.number, m.visibility, m.kind), (first, Some(opened.number), Visibility::Public, Kind::Request));
    assert_eq!((&m.from, &m.subject, &m.message_id, &m.body), (&one.from, &one.subject, &one.message_id, &one.body));
    assert_eq!((&m.full_text, m.size), (&one.full_text, 3));
    assert_eq!(store.whole(first).await.unwrap().as_deref(), Some(b"raw".as_slice()));
    assert_eq!((m.arrived, m.handled, &m.anomalies, &m.set_aside), (NOW, later(1), &one.anomalies, &None));
    let names: Vec<_> = m.attachments.iter().map(|f| (f.name.as_str(), f.inline, f.content_id.as_deref())).collect();
    assert_eq!(names, [("屏幕.png", true, Some("c1")), ("b.png", false, None)]);
    assert_eq!((m.attachments[0].bytes, m.attachments[0].digest), (3, Digest::of(&[1, 2, 3])));
    assert_eq!((back[1].visibility, back[1].kind, &back[1].from), (Visibility::Internal, Kind::Bounce, &None));
}

async fn set_aside_messages(url: String) {
    let store = Store::open(&url).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    for i in 0..3_u8 {
        tx.add_message(&new_message(&inbound(&[i]), Place::SetAside("spam"))).await.unwrap();
    }
    tx.commit().await.unwrap();
    let found = store.set_aside(2).await.unwrap();
    assert!(found.windows(2).all(|two| two[0].id > two[1].id), "newest first");
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].set_aside.as_deref(), found[0].number), (Some("spam"), None));
}

async fn r26_ids_own_cited_and_of_letters(url: String) {
    let store = Store::open(&url).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let opened = open_one(&mut tx).await;
    let second = open_one(&mut tx).await;
    let place = Place::Ticket(opened.number, Visibility::Public);
    let reply = Inbound {
        in_reply_to: vec![id("first@x")],
        references: vec![id("root@x"), id("first@x")],
        ..with_id("a", "a@x")
    };
    tx.add_message(&new_message(&reply, place)).await.unwrap();
    let known = |text: &str, number, only_cited| KnownId { id: id(text), number, only_cited };
    let list = |mut found: Vec<KnownId>| {
        found.sort_by(|a, b| (&a.id, a.number).cmp(&(&b.id, b.number)));
        found.into_iter().map(|k| (k.id, k.number, k.only_cited)).collect::<Vec<_>>()
    };
    let asked = ["a@x", "first@x", "root@x", "no@x", "A@x"].map(id);
    let expect = [("a@x", false), ("first@x", true), ("root@x", true)].map(|(i, c)| known(i, opened.number, c));
    assert_eq!(list(tx.known_ids(&asked).await.unwrap()), list(expect.to_vec()));
    // The original arrives: no longer only cited. Another ticket cites it: both are told.
    tx.add_message(&new_message(&with_id("first", "first@x"), place)).await.unwrap();
    let elsewhere = Inbound { references: vec![id("first@x")], ..inbound(b"b") };
    tx.add_message(&new_message(&elsewhere, Place::Ticket(second.number, Visibility::Public))).await.unwrap();
    let found = list(tx.known_ids(&[id("first@x")]).await.unwrap());
    assert_eq!(found, list(vec![known("first@x", opened.number, false), known("first@x", second.number, true)]));
    // Cited again: still its own.
    let third = Inbound { references: vec![id("first@x")], ..inbound(b"c") };
    tx.add_message(&new_message(&third, place)).await.unwrap();
    assert!(!tx.known_ids(&[id("first@x")]).await.unwrap()[0].only_cited);
    enqueue(&mut tx, &Outgoing { number: Some(opened.number), ..letter("ack") }).await;
    enqueue(&mut tx, &letter("about-nothing")).await;
    let found = tx.known_ids(&["ack@corp.example", "about-nothing@corp.example"].map(id)).await.unwrap();
    assert_eq!(list(found), list(vec![known("ack@corp.example", opened.number, false)]));
    assert_eq!(tx.letter_of(&id("ack@corp.example")).await.unwrap().as_deref(), Some("ack"));
    assert_eq!(tx.letter_of(&id("no@corp.example")).await.unwrap(), None);
    assert!(tx.known_ids(&[]).await.unwrap().is_empty());
    let many: Vec<_> = (0..1000).map(|i| id(&format!("{i}@x"))).chain([id("a@x")]).collect();
    assert_eq!(tx.known_ids(&many).await.unwrap().len(), 1);
}

async fn conversations_as_each_recipient_saw_them(url: String) {
    let store = Store::open(&url).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let (one, two) = (open_one(&mut tx).await.number, open_one(&mut tx).await.number);
    let (zhang, li) = (address("Zhang@corp.example"), address("li@corp.example"));
    let ids = ["root@x", "a@x", "b@x"].map(id);
    tx.keep_conversation(one, &zhang, &ids[..2]).await.unwrap();
    tx.keep_conversation(one, &li, &ids[1..2]).await.unwrap();
    tx.keep_conversation(one, &zhang, &ids).await.unwrap();
    let mut found = tx.conversations(&[one, two]).await.unwrap();
    found.sort();
    assert_eq!(found, [(one, li.clone(), vec![ids[1].clone()]), (one, zhang.clone(), ids.to_vec())]);
    tx.commit().await.unwrap();
    let mut tx = store.begin().await.unwrap();
    tx.keep_conversation(one, &li, &ids).await.unwrap();
    tx.keep_conversation(two, &li, &ids[..1]).await.unwrap();
    assert_eq!(tx.conversations(&[two]).await.unwrap(), [(two, li, ids[..1].to_vec())]);
    assert!(tx.conversations(&[one]).await.unwrap().iter().all(|(.., seen)| *seen == ids));
    assert!(tx.conversations(&[]).await.unwrap().is_empty());
}

async fn blobs_in_chunks(url: String) {
    let store = Store::open(&url).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let mib = 1 << 20;
    let sizes = [0, 1, mib - 1, mib, mib + 1, 3 * mib + 17];
    let bytes = |size: usize| (0..size).map(|i| (i / 7) as u8).collect::<Vec<u8>>();
    for size in sizes {
        for _ in 0..2 {
            tx.put_blob(Digest::of(&bytes(size)), &bytes(size)).await.unwrap();
        }
    }
    tx.commit().await.unwrap();
    let mut tx = store.begin().await.unwrap();
    tx.put_blob(Digest::of(&bytes(mib + 1)), &bytes(mib + 1)).await.unwrap();
    tx.commit().await.unwrap();
    for size in sizes {
        assert_eq!(store.blob(Digest::of(&bytes(size))).await.unwrap(), Some(bytes(size)), "{size}");
    }
    assert_eq!(store.blob(Digest([9; 32])).await.unwrap(), None);
}

/// A file in the message it came with, and in two letters it goes along with: one blob, and the exact bytes of each.
async fn a_file_is_kept_once(url: String) {
    let store = Store::open(&url).await.unwrap();
    let bytes: Vec<u8> = (0..300_000_u32).flat_map(|i| i.wrapping_mul(i).to_le_bytes()).collect();
    let file = Attachment {
        name: "a.png".into(),
        media_type: "image/png".into(),
        digest: Digest::of(&bytes),
        inline: false,
        content_id: None,
        bytes,
    };
    let mut encoded = Vec::new();
    Form::OWN.write(&file.bytes, &mut encoded);
    let raw = [b"Content-Transfer-Encoding: base64\r\n\r\n".as_slice(), &encoded, b"\r\n--b--\r\n"].concat();
    let one = Inbound { attachments: vec![Arc::new(file.clone())], ..inbound(&raw) };
    let mut tx = store.begin().await.unwrap();
    let opened = open_one(&mut tx).await;
    let place = Place::Ticket(opened.number, Visibility::Public);
    let message = NewMessage { bytes: &raw, ..new_message(&one, place) };
    let id = tx.add_message(&message).await.unwrap();
    let piece = Piece::File { digest: file.digest, size: file.bytes.len(), form: Form::OWN };
    let pieces = Pieces(vec![Piece::Bytes(b"head\r\n".to_vec().into()), piece]);
    for key in ["a", "b"] {
        assert!(enqueue(&mut tx, &Outgoing { bytes: pieces.clone(), ..letter(key) }).await);
    }
    tx.commit().await.unwrap();
    assert!(store.whole(id).await.unwrap().unwrap() == raw);
    let expected = [b"head\r\n".as_slice(), &encoded].concat();
    for letter in store.claim(NOW, Duration::from_secs(60), 9).await.unwrap() {
        assert!(letter.bytes == expected);
        assert!(store.whole(letter.id).await.unwrap().unwrap() == expected);
    }
    let stored = "select cast(coalesce(sum(length(bytes)), 0) as bigint) from ";
    let blobs = count(&url, &format!("{stored} blob")).await;
    assert_eq!(blobs, file.bytes.len() as i64);
    assert!(count(&url, &format!("{stored} piece")).await < 200, "nothing of the file is kept a second time");
}

/// Runs a statement beside the store.
async fn run(url: &str, statement: &str) {
    match url.strip_prefix("sqlite://") {
        Some(path) => {
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
            let mut db = sqlx::ConnectOptions::connect(&options).await.unwrap();
            sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut db).await.unwrap();
        }
        None => drop(postgres::psql(url, statement)),
    }
}

/// The one number that this statement gives.
async fn count(url: &str, statement: &str) -> i64 {
    match url.strip_prefix("sqlite://") {
        Some(path) => {
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
            let mut db = sqlx::ConnectOptions::connect(&options).await.unwrap();
            sqlx::query_scalar(sqlx::AssertSqlSafe(statement)).fetch_one(&mut db).await.unwrap()
        }
        None => postgres::psql(url, statement).trim().parse().unwrap(),
    }
}

async fn exact_bytes_of_any_size(url: String) {
    let store = Store::open(&url).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let mib = 1 << 20;
    let bytes = |size: usize| (0..size).map(|i| (i / 7) as u8).collect::<Vec<u8>>();
    let mut ids = Vec::new();
    for size in [1, mib - 1, mib, mib + 1, 3 * mib + 17] {
        let (raw, kept) = (bytes(size), inbound(&bytes(size)));
        let message = NewMessage { bytes: &raw, ..new_message(&kept, Place::SetAside("why")) };
        ids.push((tx.add_message(&message).await.unwrap(), size));
        assert!(tx.message_bytes(&kept.identity).await.unwrap().unwrap() == raw, "{size}");
    }
    tx.commit().await.unwrap();
    for (id, size) in ids {
        assert!(store.whole(id).await.unwrap().unwrap() == bytes(size), "{size}");
    }
    assert_eq!(store.whole(999).await.unwrap(), None);
}

async fn numbers_are_used_up_by_opening(url: String) {
    let store = Store::open(&url).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.next_number().await.unwrap(), Number(1));
    assert_eq!(tx.next_number().await.unwrap(), Number(1));
    assert_eq!(open_one(&mut tx).await.number, Number(1));
    assert_eq!(tx.next_number().await.unwrap(), Number(2));
    tx.commit().await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let error = tx.open_ticket(&ticket(Number(5))).await.unwrap_err();
    assert!(error.is_conflict(), "{error}");
    drop(tx);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let store = store.clone();
        tasks.spawn(async move {
            let mut numbers = Vec::new();
            for _ in 0..5 {
                let mut tx = store.begin().await.unwrap();
                numbers.push(open_one(&mut tx).await.number);
                tx.commit().await.unwrap();
            }
            numbers
        });
    }
    let mut numbers: Vec<_> = tasks.join_all().await.concat();
    numbers.sort();
    assert_eq!(numbers, (2..=41).map(Number).collect::<Vec<_>>());
}

async fn tickets_come_back_whole(url: String) {
    let store = Store::open(&url).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let opened = open_one(&mut tx).await;
    let other = open_one(&mut tx).await;
    assert_eq!(
        tx.tickets(&[other.number, Number(9), opened.number, other.number]).await.unwrap(),
        [opened.clone(), other]
    );
    assert!(tx.tickets(&[]).await.unwrap().is_empty());
    let full = Ticket {
        status: Status::Pending,
        wait: Some(Wait::Vendor),
        assignee: Some(address("Li@corp.example")),
        first_response: Some(later(1)),
        resolved: Some(later(2)),
        closed: Some(later(3)),
        rating: Some(Rating::Dissatisfied),
        cycle: 2,
        asked: true,
        merged_into: Some(Number(2)),
        related: Some(Number(2)),
        version: 2,
        ..opened
    };
    tx.save_ticket(&full).await.unwrap();
    tx.commit().await.unwrap();
    let back = store.ticket(Number(1)).await.unwrap().unwrap();
    assert_eq!(back, full);
    assert_eq!(back.assignee.unwrap().as_str(), "Li@corp.example");
    assert_eq!(store.ticket(Number(3)).await.unwrap(), None);
}

async fn a_stale_ticket_is_a_conflict(url: String) {
    let store = Store::open(&url).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let (opened, other) = (open_one(&mut tx).await, open_one(&mut tx).await);
    tx.commit().await.unwrap();
    let next = |ticket: &Ticket| Ticket { version: ticket.version + 1, ..ticket.clone() };
    for version in [1, 3, 0] {
        let mut tx = store.begin().await.unwrap();
        tx.save_ticket(&next(&other)).await.unwrap();
        tx.save_ticket(&Ticket { version, ..opened.clone() }).await.unwrap();
        let error = tx.commit().await.unwrap_err();
        assert!(matches!(error, StoreError::Conflict(_)), "{error}");
        assert!(error.to_string().contains("IT001"), "{error}");
    }
    assert_eq!(store.ticket(other.number).await.unwrap(), Some(other.clone()), "all or nothing");
    let mut tx = store.begin().await.unwrap();
    tx.save_ticket(&Ticket { version: 2, number: Number(7), ..opened.clone() }).await.unwrap();
    assert!(tx.commit().await.unwrap_err().is_conflict(), "there is no such ticket");
    // Several changes in one transaction; one that does not follow the last is refused.
    let mut tx = store.begin().await.unwrap();
    let mut third = open_one(&mut tx).await;
    for round in 0..3 {
        third = Ticket { subject: format!("round {round}"), ..next(&third) };
        tx.save_ticket(&third).await.unwrap();
        assert_eq!(tx.tickets(&[third.number]).await.unwrap(), [third.clone()]);
        third = next(&third);
        tx.save_ticket(&third).await.unwrap();
    }
    tx.save_ticket(&next(&opened)).await.unwrap();
    let more = Ticket { subject: "more".into(), ..next(&next(&opened)) };
    tx.save_ticket(&more).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.ticket(opened.number).await.unwrap(), Some(more.clone()));
    assert_eq!(store.ticket(third.number).await.unwrap(), Some(third));
    let mut tx = store.begin().await.unwrap();
    tx.save_ticket(&next(&more)).await.unwrap();
    assert!(tx.save_ticket(&next(&more)).await.unwrap_err().is_conflict());
}

async fn ticket_lists(url: String) {
    let store = Store::open(&url).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    for i in 1..=5 {
        let number = tx.next_number().await.unwrap();
        let status = if i == 3 { Status::Closed } else { Status::Assigned };
        let assignee = (i > 1).then(|| address("Li@corp.example"));
        let priority = [Priority::P4, Priority::P3, Priority::P3, Priority::P1, Priority::P3][i - 1];
        let requester = Mailbox::new(address(if i == 5 { "wang@corp.example" } else { "zhang@corp.example" }), "");
        let resolution_due = later(100 - i as u64);
        tx.open_ticket(&Ticket { status, assignee, priority, requester, resolution_due, ..ticket(number) })
            .await
            .unwrap();
    }
    let numbers = |found: Vec<Ticket>| found.iter().map(|t| t.number.0).collect::<Vec<_>>();
    assert_eq!(numbers(tx.open_of(&address("LI@corp.example")).await.unwrap()), [5, 4, 2]);
    tx.commit().await.unwrap();
    let all = TicketFilter::default();
    for (filter, expect) in [
        (all.clone(), vec![5, 4, 3, 2, 1]),
        (TicketFilter { limit: 2, offset: 1, ..all.clone() }, vec![4, 3]),
        (TicketFilter { open: Some(true), ..all.clone() }, vec![5, 4, 2, 1]),
        (TicketFilter { open: Some(false), ..all.clone() }, vec![3]),
        (
            TicketFilter { status: Some(Status::Assigned), assignee: Some(address("li@corp.example")), ..all.clone() },
            vec![5, 4, 2],
        ),
        (TicketFilter { requester: Some(address("WANG@corp.example")), ..all.clone() }, vec![5]),
        (TicketFilter { status: Some(Status::New), ..all }, vec![]),
    ] {
        assert_eq!(numbers(store.tickets(&filter).await.unwrap()), expect, "{filter:?}");
    }
}

async fn loads_follow_every_change(url: String) {
    let store = Store::open(&url).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let people = ["li@corp.example", "Wang@corp.example", "nobody@corp.example"].map(address);
    let mut opened = open_one(&mut tx).await;
    let steps: [(Option<usize>, Status, [i64; 3]); 9] = [
        (None, Status::Assigned, [0, 0, 0]),
        (Some(0), Status::Assigned, [1, 0, 0]),
        (Some(0), Status::InProgress, [1, 0, 0]),
        (Some(1), Status::InProgress, [0, 1, 0]),
        (Some(1), Status::Resolved, [0, 0, 0]),
        (Some(0), Status::Closed, [0, 0, 0]),
        (Some(0), Status::InProgress, [1, 0, 0]),
        (Some(1), Status::Pending, [0, 1, 0]),
        (None, Status::Pending, [0, 0, 0]),
    ];
    for (who, status, expect) in steps {
        opened = Ticket { assignee: who.map(|i| people[i].clone()), status, version: opened.version + 1, ..opened };
        tx.save_ticket(&opened).await.unwrap();
        let loads = tx.loads(&people).await.unwrap();
        assert_eq!(loads, std::array::from_fn::<_, 3, _>(|i| (people[i].clone(), expect[i])), "{who:?} {status}");
    }
    for status in [Status::Assigned, Status::Closed] {
        let number = tx.next_number().await.unwrap();
        tx.open_ticket(&Ticket { assignee: Some(people[1].clone()), status, ..ticket(number) }).await.unwrap();
    }
    assert_eq!(tx.loads(&people[1..2]).await.unwrap(), [(people[1].clone(), 1)]);
    assert!(tx.loads(&[]).await.unwrap().is_empty());
}

async fn timeline_keeps_its_order(url: String) {
    let store = Store::open(&url).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let opened = open_one(&mut tx).await;
    let li = Who::Person(address("Li@corp.example"));
    let what = [
        What::Opened,
        What::Status { from: Status::New, to: Status::InProgress },
        What::Assigned { from: None, to: Some(address("li@corp.example")) },
        What::Merged { into: Number(3) },
        What::Note,
    ];
    // The clock may go back; the order does not.
    let entries: Vec<Entry> = (0_u64..)
        .zip(what)
        .map(|(i, what)| Entry {
            at: later(9 - i),
            who: if i == 0 { Who::Desk } else { li.clone() },
            what,
            why: "因为".into(),
        })
        .collect();
    for entry in &entries {
        tx.record(opened.number, entry).await.unwrap();
    }
    assert_eq!(tx.timeline(opened.number).await.unwrap(), entries);
    tx.commit().await.unwrap();
    assert_eq!(store.timeline(opened.number).await.unwrap(), entries);
    assert!(store.timeline(Number(9)).await.unwrap().is_empty());
}

async fn ratings_and_participants(url: String) {
    let store = Store::open(&url).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let opened = open_one(&mut tx).await;
    tx.rate(opened.number, 1, Rating::Satisfied, "", NOW).await.unwrap();
    tx.rate(opened.number, 1, Rating::Dissatisfied, "还是不行", later(1)).await.unwrap();
    tx.rate(opened.number, 2, Rating::Mostly, "", later(2)).await.unwrap();
    assert!(tx.participants(&[opened.number]).await.unwrap().is_empty());
    tx.add_participants(opened.number, &[]).await.unwrap();
    let people = ["b@corp.example", "A@corp.example", "B@corp.example"].map(address);
    tx.add_participants(opened.number, &people).await.unwrap();
    tx.add_participants(opened.number, &people[..1]).await.unwrap();
    let both = [1, 0].map(|i: usize| (opened.number, people[i].clone()));
    assert_eq!(tx.participants(&[opened.number, Number(9)]).await.unwrap(), both);
    let crowd: Vec<_> = (0..300).map(|i| address(&format!("p{i}@corp.example"))).collect();
    tx.add_participants(opened.number, &crowd).await.unwrap();
    assert_eq!(tx.participants(&[opened.number]).await.unwrap().len(), 302);
}

async fn people_are_remembered(url: String) {
    let store = Store::open(&url).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let (zhang, li) = (address("Zhang@corp.example"), address("li@corp.example"));
    assert!(tx.people(&[zhang.clone(), li.clone()]).await.unwrap().is_empty());
    let told =
        Person { name: "张三".into(), department: "财务部".into(), contact: "8001".into(), ..Person::default() };
    let more = Person { employee_id: "1234".into(), language: Some(Language::English), ..told.clone() };
    for person in [&told, &more] {
        tx.remember(&zhang, person).await.unwrap();
    }
    tx.commit().await.unwrap();
    let mut tx = store.begin().await.unwrap();
    tx.remember(&li, &told).await.unwrap();
    let found = tx.people(&[li.clone(), address("zhang@CORP.example"), address("no@corp.example")]).await.unwrap();
    assert_eq!(found, [(li, told), (zhang, more)]);
}

async fn the_directory_as_it_was_last_read(url: String) {
    let store = Store::open(&url).await.unwrap();
    assert_eq!(store.directory("file").await.unwrap(), None);
    for (source, people) in [("file", "[1]"), ("ldap", "[2]"), ("file", "[3]")] {
        let mut tx = store.begin().await.unwrap();
        tx.keep_directory(source, people.as_bytes(), NOW).await.unwrap();
        tx.commit().await.unwrap();
    }
    assert_eq!(store.directory("file").await.unwrap(), Some((NOW, b"[3]".to_vec())));
    assert_eq!(store.directory("ldap").await.unwrap(), Some((NOW, b"[2]".to_vec())));
}

async fn l22_held_addresses_and_what_waits_for_them(url: String) {
    let store = Store::open(&url).await.unwrap();
    let (zhang, li, hour) = (address("Zhang@corp.example"), address("li@corp.example"), Duration::from_secs(3600));
    let held =
        |who: &Address, until| Held { address: who.clone(), since: NOW, until, reason: "550 5.1.1 \u{0}no".into() };
    let mut tx = store.begin().await.unwrap();
    for held in [held(&zhang, NOW + hour), held(&li, NOW + hour), held(&zhang, NOW + 2 * hour)] {
        tx.hold_address(&held).await.unwrap();
    }
    let mut waits = letter("waits");
    waits.queued = NOW + 2 * hour;
    assert!(enqueue(&mut tx, &letter("first")).await && enqueue(&mut tx, &waits).await);
    assert_eq!(tx.recipient_of(&waits.message_id).await.unwrap(), Some(zhang.clone()));
    assert_eq!(tx.recipient_of(&id("unknown@x")).await.unwrap(), None);
    tx.commit().await.unwrap();
    let until = async |at| {
        let mut tx = store.begin().await.unwrap();
        let found = tx.held_addresses(at).await.unwrap();
        found.into_iter().map(|held| (held.address, held.until, held.reason)).collect::<Vec<_>>()
    };
    let reason = || "550 5.1.1 \u{fffd}no".to_owned();
    assert_eq!(until(NOW).await, [(zhang.clone(), NOW + 2 * hour, reason()), (li.clone(), NOW + hour, reason())]);
    assert_eq!(until(NOW + hour).await.len(), 1);
    let claimed = store.settle_and_claim(&[], NOW, hour, 10).await.unwrap();
    assert_eq!(claimed.iter().map(|letter| letter.key.as_str()).collect::<Vec<_>>(), ["first"]);
    // A sign of life: what waited leaves now, what is being sent is left alone.
    let mut tx = store.begin().await.unwrap();
    tx.release_address(&address("zhang@CORP.example"), NOW).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(until(NOW).await.len(), 1);
    let claimed = store.settle_and_claim(&[], NOW, hour, 10).await.unwrap();
    assert_eq!(claimed.iter().map(|letter| letter.key.as_str()).collect::<Vec<_>>(), ["waits"]);
}

async fn l18_sender_counts(url: String) {
    let store = Store::open(&url).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let sender = address("zhang@corp.example");
    let senders = [sender.clone(), address("nobody@corp.example")];
    assert_eq!(tx.sender_counts(&senders, NOW).await.unwrap(), [Default::default(); 2]);
    let minutes_ago = |minutes: u64| NOW - Duration::from_secs(minutes * 60);
    for (i, (template, minutes, to)) in [
        ("acknowledgement", 1, "ZHANG@corp.example"),
        ("clarify", 9, "zhang@corp.example"),
        ("too_large", 100, "zhang@corp.example"),
        ("acknowledgement", 23 * 60, "zhang@corp.example"),
        ("acknowledgement", 25 * 60, "zhang@corp.example"),
        ("resolution", 1, "zhang@corp.example"),
        ("acknowledgement", 1, "li@corp.example"),
    ]
    .into_iter()
    .enumerate()
    {
        let queued = minutes_ago(minutes);
        let sent = Outgoing { template: template.into(), to: address(to), queued, ..letter(&format!("k{i}")) };
        assert!(enqueue(&mut tx, &sent).await);
    }
    for minutes in [90, 50, 5] {
        let number = tx.next_number().await.unwrap();
        tx.open_ticket(&Ticket { created: minutes_ago(minutes), ..ticket(number) }).await.unwrap();
    }
    let counts = tx.sender_counts(&senders, NOW).await.unwrap();
    assert_eq!(counts[1], Default::default());
    let counts = counts[0];
    assert_eq!((counts.acknowledgements, counts.tickets, counts.newest), ([2, 3, 4], 2, Some(Number(3))));
}

async fn timers(url: String) {
    let store = Store::open(&url).await.unwrap();
    assert_eq!(store.next_timer().await.unwrap(), None);
    let mut tx = store.begin().await.unwrap();
    let (one, two) = (open_one(&mut tx).await.number, open_one(&mut tx).await.number);
    let timer = |number, kind, seconds| Timer { number, kind, due: later(seconds), cycle: 1 };
    let close = timer(one, TimerKind::AutoClose, 30);
    tx.schedule(&timer(one, TimerKind::ConfirmReminder, 50)).await.unwrap();
    let remind = Timer { cycle: 2, ..timer(one, TimerKind::ConfirmReminder, 10) };
    for timer in [&close, &remind, &timer(two, TimerKind::AutoClose, 20)] {
        tx.schedule(timer).await.unwrap();
    }
    tx.commit().await.unwrap();
    assert!(store.due_timers(later(9), 10).await.unwrap().is_empty());
    let second = timer(two, TimerKind::AutoClose, 20);
    assert_eq!(store.due_timers(later(30), 10).await.unwrap(), [remind, second, close]);
    assert_eq!(store.due_timers(later(30), 1).await.unwrap(), [remind]);
    let mut tx = store.begin().await.unwrap();
    tx.schedule(&Timer { due: later(25), ..second }).await.unwrap();
    assert_eq!(tx.due_timers(later(29), 10).await.unwrap(), [remind, Timer { due: later(25), ..second }]);
    let still = [tx.still_set(&close).await.unwrap(), tx.still_set(&second).await.unwrap()];
    assert_eq!(still, [true, false], "only what is still as it was");
    // What is taken is gone, unless it is set anew.
    tx.take_timers(&[close, remind]).await.unwrap();
    assert!(!tx.still_set(&remind).await.unwrap());
    tx.schedule(&close).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.due_timers(later(99), 10).await.unwrap(), [Timer { due: later(25), ..second }, close]);
    let mut tx = store.begin().await.unwrap();
    // Dropped and set anew in one transaction, in either order.
    tx.unschedule(two, TimerKind::AutoClose).await.unwrap();
    tx.schedule(&second).await.unwrap();
    tx.schedule(&remind).await.unwrap();
    tx.unschedule(one, TimerKind::ConfirmReminder).await.unwrap();
    tx.unschedule(one, TimerKind::Targets).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.due_timers(later(99), 10).await.unwrap(), [second, close]);
    assert_eq!(store.next_timer().await.unwrap(), Some(second.due));
}

async fn visits(url: String) {
    let store = Store::open(&url).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let (one, two) = (open_one(&mut tx).await.number, open_one(&mut tx).await.number);
    let visit = Visit {
        round: 1,
        sequence: 0,
        state: visit::State::Planned,
        since: NOW,
        start: later(3600),
        end: later(7200),
        place: "三楼 'A'\0".into(),
        engineer: address("Li@corp.example"),
    };
    tx.keep_visit(one, &visit).await.unwrap();
    // Read back in the same transaction, before it is written and after.
    let read = |visit: &Visit| Visit { place: "三楼 'A'\u{fffd}".into(), ..visit.clone() };
    let found = tx.visits(&[two, one, Number(9)]).await.unwrap();
    assert_eq!(found, [(one, read(&visit))]);
    assert_eq!(tx.with_more(&[two, one, Number(9)]).await.unwrap(), [one]);
    let moved = Visit { sequence: 1, start: later(9000), end: later(9900), ..read(&visit) };
    tx.keep_visit(one, &moved).await.unwrap();
    for state in visit::State::ALL {
        tx.keep_visit(two, &Visit { round: 3, state: *state, ..moved.clone() }).await.unwrap();
        assert_eq!(tx.visits(&[two]).await.unwrap()[0].1.state, *state);
    }
    tx.commit().await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let found = tx.visits(&[one, two]).await.unwrap();
    assert_eq!(found, [(one, moved.clone()), (two, Visit { round: 3, state: visit::State::Cancelled, ..moved })]);
    assert!(tx.visits(&[]).await.unwrap().is_empty());
    // What is not committed is not there.
    tx.keep_visit(one, &visit).await.unwrap();
    drop(tx);
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.visits(&[one]).await.unwrap()[0].1.sequence, 1);
}

/// As it was before there were visits.
async fn a_database_from_before_visits_gets_their_table(url: String) {
    let old: [&str; 3] = match url.starts_with("sqlite") {
        true => [
            include_str!("../migrations/sqlite/0001_desk.sql"),
            include_str!("../migrations/sqlite/0002_clock.sql"),
            include_str!("../migrations/sqlite/0003_incident.sql"),
        ],
        false => [
            include_str!("../migrations/postgres/0001_desk.sql"),
            include_str!("../migrations/postgres/0002_clock.sql"),
            include_str!("../migrations/postgres/0003_incident.sql"),
        ],
    };
    if let Some(path) = url.strip_prefix("sqlite://") {
        std::fs::File::create(path).unwrap();
    }
    for step in old {
        run(&url, step).await;
    }
    run(&url, "create table schema_version (version bigint not null)").await;
    run(&url, "insert into schema_version (version) values (1), (2), (3)").await;
    run(
        &url,
        "insert into ticket values (1, '打印机坏了', 'Zhang@corp.example', 'zhang@corp.example', '张三', 'zh-CN', 'hardware', 'P3',
             'personal', '[]', '{}', 'new', null, null, null, 0, 0, null, 0, 0, null, null, null, 1, false, null, null, 1,
             0, 0, null, null)",
    )
    .await;
    let store = Store::open(&url).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    assert!(tx.visits(&[Number(1)]).await.unwrap().is_empty());
    assert_eq!(tx.tickets(&[Number(1)]).await.unwrap()[0].subject, "打印机坏了");
    // What was there before is indexed, too.
    assert_eq!(tx.take_stale(10).await.unwrap(), [About::Ticket(Number(1))]);
}

async fn approvals_come_back_whole(url: String) {
    let store = Store::open(&url).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let (one, two, three) =
        (open_one(&mut tx).await.number, open_one(&mut tx).await.number, open_one(&mut tx).await.number);
    let said = Said { approved: true, at: later(5), why: "只给到年底".into() };
    let code = Code { sent: later(7), wrong: 2 };
    let people = vec![
        Voice { who: address("Sun@corp.example"), said: Some(said), code: None, codes: 1 },
        Voice { who: address("zhou@corp.example"), said: None, code: Some(code), codes: 3 },
    ];
    let asked = Approval {
        version: 2,
        module: "ERP".into(),
        request: "请开通权限\n谢谢".into(),
        note: String::new(),
        state: State::Asked,
        since: NOW,
        asked: later(3),
        decided: None,
        substituted: true,
        people,
    };
    tx.keep_approval(one, &asked).await.unwrap();
    tx.keep_approval(two, &Approval { version: 1, ..asked.clone() }).await.unwrap();
    // What a transaction wrote it reads, in any number, and nothing of tickets without one.
    let mut more = tx.with_more(&[one, two, three]).await.unwrap();
    more.sort();
    assert_eq!(more, [one, two]);
    let mut found = tx.approvals(&[one, two, three]).await.unwrap();
    found.sort_by_key(|(number, _)| *number);
    assert_eq!(found, [(one, asked.clone()), (two, Approval { version: 1, ..asked.clone() })]);
    let done = Approval { state: State::Rejected, decided: Some(later(9)), people: Vec::new(), ..asked };
    tx.keep_approval(one, &done).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.approval(one).await.unwrap(), Some(done));
    assert_eq!(store.approval(three).await.unwrap(), None);
    let mut tx = store.begin().await.unwrap();
    tx.keep_approval(Number(999), &found[0].1).await.unwrap();
    assert!(tx.commit().await.is_err(), "of a ticket that does not exist");
}

async fn outbox_life_of_a_letter(url: String) {
    let store = Store::open(&url).await.unwrap();
    let lease = Duration::from_secs(600);
    assert_eq!(store.next_due(NOW).await.unwrap(), None);
    let mut tx = store.begin().await.unwrap();
    let opened = open_one(&mut tx).await;
    let ack = Outgoing { number: Some(opened.number), ..letter("ack") };
    assert!(enqueue(&mut tx, &ack).await);
    assert!(!enqueue(&mut tx, &Outgoing { bytes: Pieces::whole(b"other".as_slice()), ..ack.clone() }).await);
    enqueue(&mut tx, &Outgoing { envelope_from: None, ..letter("null") }).await;
    assert!(store.claim(NOW, lease, 9).await.unwrap().is_empty(), "G3: nothing leaves before the commit");
    tx.commit().await.unwrap();

    assert_eq!(store.next_due(later(5)).await.unwrap(), Some(later(5)));
    let claimed = store.claim(NOW, lease, 9).await.unwrap();
    assert_eq!(claimed.iter().map(|c| c.key.as_str()).collect::<Vec<_>>(), ["ack", "null"]);
    let first = &claimed[0];
    assert_eq!((first.attempt, first.counted, first.number), (1, 1, Some(opened.number)));
    assert_eq!(first.bytes, b"letter ack\r\n");
    assert_eq!((&first.to, &first.envelope_from, &first.message_id), (&ack.to, &ack.envelope_from, &ack.message_id));
    assert_eq!((&first.subject, &first.template, first.urgency, first.queued), (&ack.subject, &ack.template, 1, NOW));
    assert_eq!(first.to.as_str(), "Zhang@corp.example");
    assert_eq!(claimed[1].envelope_from, None);
    assert!(store.claim(later(599), lease, 9).await.unwrap().is_empty());
    assert_eq!(store.next_due(later(5)).await.unwrap(), Some(later(600)));

    let first_bytes = first.bytes.clone();
    let again = |due, uncounted| Settled::Again { due, error: "451 later".into(), uncounted };
    let steps = [(first.id, 1, again(later(60), false)), (claimed[1].id, 1, again(later(60), true))];
    assert_eq!(store.settle_all(&steps).await.unwrap(), [true, true]);
    assert_eq!(store.outbox_of(opened.number).await.unwrap()[0].answer, "451 later");
    let claimed = store.claim(later(60), lease, 9).await.unwrap();
    assert_eq!(claimed.iter().map(|c| (c.attempt, c.counted)).collect::<Vec<_>>(), [(2, 2), (2, 1)]);
    let sent = Settled::Sent { at: later(61), answer: "250 ok".into() };
    let failed = Settled::Failed { at: later(62), error: "550 no".into() };
    let steps = [(claimed[0].id, 2, sent), (claimed[1].id, 2, failed), (99, 1, again(NOW, false))];
    assert_eq!(store.settle_all(&steps).await.unwrap(), [true, true, false]);
    assert_eq!(store.next_due(NOW).await.unwrap(), None);
    let all = store.all_outgoing().await.unwrap();
    let states: Vec<_> = all.iter().map(|(row, _)| (row.state, row.attempts, row.answer.as_str())).collect();
    assert_eq!(states, [(OutboxState::Sent, 2, "250 ok"), (OutboxState::Failed, 2, "550 no")]);
    assert_eq!((&all[0].1, all[0].0.settled, all[0].0.size), (&first_bytes, Some(later(61)), 12));
    assert_eq!((store.sent_since(later(61)).await.unwrap(), store.sent_since(later(62)).await.unwrap()), (1, 0));
    let counts = OutboxCounts { pending: 0, sent: 1, failed: 1, oldest_pending: None };
    assert_eq!(store.outbox_counts().await.unwrap(), counts);
}

async fn outbox_urgent_first_and_large_ones(url: String) {
    let store = Store::open(&url).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let large = vec![7; 5 << 20];
    for (key, urgency, queued, bytes) in [
        ("late", 2, later(0), vec![1]),
        ("second", 1, later(2), vec![1]),
        ("first", 1, later(1), vec![1]),
        ("large", 0, later(3), large.clone()),
        ("too", 0, later(4), [large.clone(), vec![1]].concat()),
        ("future", 0, later(60), vec![]),
    ] {
        enqueue(&mut tx, &Outgoing { urgency, queued, bytes: Pieces::whole(bytes), ..letter(key) }).await;
    }
    tx.commit().await.unwrap();
    let mut order = Vec::new();
    for _ in 0..4 {
        let claimed = store.claim(later(10), Duration::from_secs(60), 3).await.unwrap();
        order.push(claimed.iter().map(|c| c.key.clone()).collect::<Vec<_>>());
        for letter in claimed.iter().filter(|c| c.key == "large") {
            assert!(letter.bytes == large);
        }
    }
    assert_eq!(order, [vec!["large"], vec!["too", "first", "second"], vec!["late"], vec![]]);
    assert_eq!(store.outbox_counts().await.unwrap().oldest_pending, Some(later(0)));
    assert!(store.all_outgoing().await.unwrap()[3].1 == large);
}

async fn r23_settlement_is_fenced(url: String) {
    let store = Store::open(&url).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    enqueue(&mut tx, &letter("one")).await;
    tx.commit().await.unwrap();
    let lease = Duration::from_secs(60);
    let old = store.claim(NOW, lease, 1).await.unwrap().remove(0);
    let new = store.claim(later(60), lease, 1).await.unwrap().remove(0);
    assert_eq!((old.id, old.attempt, new.attempt), (new.id, 1, 2));
    // An uncounted try must not bring the old claim's number back.
    let again = Settled::Again { due: later(61), error: "535".into(), uncounted: true };
    assert!(store.settle(new.id, 2, again.clone()).await.unwrap());
    let failed = Settled::Failed { at: NOW, error: "550".into() };
    for late in [again.clone(), failed.clone()] {
        assert!(!store.settle(old.id, old.attempt, late).await.unwrap());
    }
    assert_eq!(store.claim(later(61), lease, 1).await.unwrap()[0].attempt, 3);
    let sent = Settled::Sent { at: NOW, answer: "250".into() };
    assert!(!store.settle(old.id, 4, sent.clone()).await.unwrap(), "a claim that never was");
    assert!(store.settle(old.id, old.attempt, sent.clone()).await.unwrap(), "the server has it");
    for late in [sent, again, failed] {
        assert!(!store.settle(old.id, 3, late).await.unwrap());
    }
    assert_eq!(store.outbox_counts().await.unwrap().sent, 1);
}

async fn eight_claimers_each_letter_once(url: String) {
    let store = Store::open(&url).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    for i in 0..200 {
        enqueue(&mut tx, &letter(&format!("k{i}"))).await;
    }
    tx.commit().await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let store = store.clone();
        tasks.spawn(async move {
            let mut mine = Vec::new();
            loop {
                let claimed = store.claim(NOW, Duration::from_secs(60), 7).await.unwrap();
                if claimed.is_empty() && store.next_due(NOW).await.unwrap() != Some(NOW) {
                    return mine;
                }
                mine.extend(claimed.iter().map(|c| c.id));
                let sent =
                    |c: &maildesk::store::Claimed| (c.id, c.attempt, Settled::Sent { at: NOW, answer: String::new() });
                let done = store.settle_all(&claimed.iter().map(sent).collect::<Vec<_>>()).await.unwrap();
                assert!(done.iter().all(|done| *done));
            }
        });
    }
    let mut ids = tasks.join_all().await.concat();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 200);
    assert!(store.all_outgoing().await.unwrap().iter().all(|(row, _)| row.attempts == 1));
}

async fn g1_two_writers_take_one_message_once(url: String) {
    let store = Store::open(&url).await.unwrap();
    let take_in = |store: Store| async move {
        let mut tx = store.begin().await?;
        let message = inbound(b"one");
        if tx.known_messages(&[message.identity]).await?[0] {
            return Ok(false);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        let opened = ticket(tx.next_number().await?);
        tx.open_ticket(&opened).await?;
        tx.add_message(&new_message(&message, Place::Ticket(opened.number, Visibility::Public))).await?;
        tx.commit().await?;
        Ok::<bool, StoreError>(true)
    };
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..6 {
        tasks.spawn(take_in(store.clone()));
    }
    let results = tasks.join_all().await;
    assert_eq!(results.iter().filter(|r| matches!(r, Ok(true))).count(), 1, "{results:?}");
    assert!(results.iter().all(|r| r.as_ref().is_err_and(StoreError::is_conflict) || r.is_ok()), "{results:?}");
    assert_eq!(store.tickets(&TicketFilter::default()).await.unwrap().len(), 1);
}

async fn dropped_transaction_leaves_nothing(url: String) {
    let store = Store::open(&url).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let opened = open_one(&mut tx).await;
    tx.record(opened.number, &entry("")).await.unwrap();
    tx.put_blob(Digest::of(b"x"), b"x").await.unwrap();
    enqueue(&mut tx, &letter("k")).await;
    tx.add_message(&new_message(&inbound(b"m"), Place::Ticket(opened.number, Visibility::Public))).await.unwrap();
    drop(tx);
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.next_number().await.unwrap(), Number(1));
    assert_eq!(tx.known_messages(&[Digest::of(b"m")]).await.unwrap(), [false]);
    drop(tx);
    assert_eq!(store.ticket(Number(1)).await.unwrap(), None);
    assert_eq!(store.blob(Digest::of(b"x")).await.unwrap(), None);
    assert!(store.all_outgoing().await.unwrap().is_empty());
}

async fn after_a_failure_the_rest_is_refused(url: String) {
    let store = Store::open(&url).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let opened = open_one(&mut tx).await;
    assert!(tx.save_ticket(&Ticket { version: 9, ..opened }).await.unwrap_err().is_conflict());
    assert!(tx.put_blob(Digest::of(b"x"), b"x").await.is_err());
    assert!(tx.next_number().await.is_err());
    assert!(tx.commit().await.is_err());
    assert_eq!(store.ticket(Number(1)).await.unwrap(), None);
}

/// What a transaction wrote it reads back, also where rows are held back.
async fn a_transaction_reads_what_it_wrote(url: String) {
    let store = Store::open(&url).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let opened = open_one(&mut tx).await;
    let zhang = address("zhang@corp.example");
    for i in 0..150_u32 {
        tx.record(opened.number, &entry(&i.to_string())).await.unwrap();
        if i % 40 == 0 {
            assert_eq!(tx.timeline(opened.number).await.unwrap().len(), i as usize + 1);
        }
    }
    let order: Vec<_> = tx.timeline(opened.number).await.unwrap().into_iter().map(|entry| entry.why).collect();
    assert_eq!(order, (0..150).map(|i| i.to_string()).collect::<Vec<_>>());
    tx.add_participants(opened.number, std::slice::from_ref(&zhang)).await.unwrap();
    assert_eq!(tx.participants(&[opened.number]).await.unwrap(), [(opened.number, zhang)]);
    let bytes: Vec<Vec<u8>> = (0..40_u8).map(|i| vec![i; 50_000]).collect();
    for bytes in &bytes {
        tx.put_blob(Digest::of(bytes), bytes).await.unwrap();
        tx.put_blob(Digest::of(bytes), bytes).await.unwrap();
    }
    let file = Arc::new(Attachment {
        name: "a.png".into(),
        media_type: "image/png".into(),
        bytes: bytes[7].clone(),
        digest: Digest::of(&bytes[7]),
        inline: true,
        content_id: None,
    });
    let one = Inbound { attachments: vec![file.clone()], ..with_id("one", "one@x") };
    let source = Source { mailbox: "a".into(), uid_validity: 1, uid: 1 };
    let place = Place::Ticket(opened.number, Visibility::Public);
    tx.note_source(&source).await.unwrap();
    tx.add_message(&NewMessage { source: Some(&source), ..new_message(&one, place) }).await.unwrap();
    assert_eq!(tx.first_files(opened.number).await.unwrap(), [(*file).clone()]);
    assert_eq!(tx.known_ids(&[id("one@x")]).await.unwrap().len(), 1);
    tx.commit().await.unwrap();
    assert_eq!(store.to_put_away("a", 1).await.unwrap(), [1]);
    assert_eq!(store.timeline(opened.number).await.unwrap().len(), 150);
}

async fn r18_reopening_keeps_everything(url: String) {
    let store = Store::open(&url).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let opened = open_one(&mut tx).await;
    enqueue(&mut tx, &letter("k")).await;
    tx.commit().await.unwrap();
    store.close().await;
    assert!(store.ticket(opened.number).await.unwrap_err().is_lost());
    for _ in 0..2 {
        let store = Store::open(&url).await.unwrap();
        assert_eq!(store.ticket(opened.number).await.unwrap(), Some(opened.clone()));
        assert_eq!(store.outbox_counts().await.unwrap().pending, 1);
        let mut tx = store.begin().await.unwrap();
        assert_eq!(tx.next_number().await.unwrap(), Number(2));
    }
}

async fn r25_newer_schema_is_refused(url: String) {
    Store::open(&url).await.unwrap().close().await;
    run(&url, "insert into schema_version (version) values (999)").await;
    let Err(error) = Store::open(&url).await else { panic!("it opened") };
    assert!(matches!(error, StoreError::Refused(_)), "{error:?}");
    assert!(error.to_string().contains("999") && error.to_string().contains("newer maildesk"), "{error}");
}

async fn opening_together(url: String) {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let url = url.clone();
        tasks.spawn(async move { Store::open(&url).await.map(drop) });
    }
    for opened in tasks.join_all().await {
        opened.unwrap();
    }
}

#[tokio::test]
async fn r42_second_daemon_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/desk.db", folder.path().display());
    let daemon = Store::open_exclusive(&url).await.unwrap();
    let Err(error) = Store::open_exclusive(&url).await else { panic!("two daemons") };
    assert!(error.to_string().contains("another maildesk daemon"), "{error}");
    // Looking in from outside stays possible, and so does the next daemon.
    Store::open(&url).await.unwrap().tickets(&TicketFilter::default()).await.unwrap();
    drop(daemon);
    Store::open_exclusive(&url).await.unwrap();
}

#[tokio::test]
async fn r18_a_held_write_lock_is_busy_and_passes() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/desk.db", folder.path().display());
    let (one, other) = (Store::open(&url).await.unwrap(), Store::open(&url).await.unwrap());
    let tx = one.begin().await.unwrap();
    let Err(error) = other.begin().await else { panic!("two writers") };
    assert!(error.is_busy() && error.is_passing(), "{error:?}");
    tx.commit().await.unwrap();
    other.begin().await.unwrap();
}

#[tokio::test]
async fn r18_a_terminated_postgres_connection_is_lost_and_passes() {
    let url = postgres::database().await;
    let store = Store::open(&url).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    open_one(&mut tx).await;
    let kill = "select pg_terminate_backend(pid) from pg_stat_activity
                where datname = current_database() and application_name = 'maildesk'";
    postgres::psql(&url, kill);
    let error = tx.people(&[address("zhang@corp.example")]).await.unwrap_err();
    assert!(error.is_lost() && error.is_passing(), "{error:?}");
    drop(tx);
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.next_number().await.unwrap(), Number(1));
}

#[tokio::test]
async fn a_cancelled_begin_loses_no_later_statement() {
    let store = Store::open(&postgres::database().await).await.unwrap();
    for micros in (0..400).step_by(20) {
        let _ = tokio::time::timeout(Duration::from_micros(micros), store.begin()).await;
        let mut tx = store.begin().await.unwrap();
        let opened = open_one(&mut tx).await;
        tx.commit().await.unwrap();
        assert!(store.ticket(opened.number).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_database_in_memory_reads_while_it_writes() {
    let store = Store::open("sqlite::memory:").await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let opened = open_one(&mut tx).await;
    store.cursor("a").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.ticket(opened.number).await.unwrap(), Some(opened));
    assert_eq!(Store::open("sqlite::memory:").await.unwrap().ticket(Number(1)).await.unwrap(), None);
}

#[tokio::test]
async fn unusable_urls_say_why() {
    for (url, part) in [
        ("mysql://x", "sqlite:///path"),
        ("/var/desk.db", "sqlite:///path"),
        ("sqlite:///nowhere/at/all/desk.db", "/nowhere/at/all/desk.db"),
        ("sqlite:///proc/desk.db", "/proc/desk.db"),
    ] {
        let Err(error) = Store::open(url).await else { panic!("{url} opened") };
        assert!(matches!(error, StoreError::Refused(_)), "{url}: {error:?}");
        assert!(error.to_string().contains(part), "{url}: {error}");
    }
}

#[tokio::test]
async fn the_database_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("数据 desk?.db");
    let store = Store::open_exclusive(&format!("sqlite://{}", path.display())).await.unwrap();
    store.begin().await.unwrap().commit().await.unwrap();
    for file in std::fs::read_dir(folder.path()).unwrap().flatten() {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.path());
    }
    assert!(path.exists());
}

async fn what_was_sorted_and_what_people_made_of_it(url: String) {
    let store = Store::open(&url).await.unwrap();
    assert_eq!(store.tickets_since(None).await.unwrap(), None);
    let mut tx = store.begin().await.unwrap();
    let told = |message_id: &str, subject: &str, body: &str, kind| {
        let body = Body { text: body.into(), html: None };
        Inbound { subject: subject.into(), body, kind, ..with_id(message_id, message_id) }
    };
    for (number, mail) in [
        (1, told("one@x", "Re: VPN", "新的话", Kind::Request)),
        (2, told("two@x", "FW: VPN", " \n\u{3000}", Kind::Forward)),
        (3, told("three@x", "list", "news", Kind::Bulk)),
    ] {
        let opened = open_one(&mut tx).await;
        assert_eq!(opened.number, Number(number));
        tx.add_message(&new_message(&mail, Place::Ticket(opened.number, Visibility::Public))).await.unwrap();
    }
    // Without a message, such as one that was taken away.
    open_one(&mut tx).await;
    let later_words = told("four@x", "Re: VPN", "later", Kind::Reply);
    tx.add_message(&new_message(&later_words, Place::Ticket(Number(1), Visibility::Public))).await.unwrap();
    let li = Who::Person(address("li@corp.example"));
    for what in [
        What::Opened,
        What::Category { from: Category::Hardware, to: Category::Network },
        What::Note,
        What::Status { from: Status::New, to: Status::InProgress },
        What::Priority { from: Priority::P3, to: Priority::P2 },
    ] {
        tx.record(Number(1), &Entry { at: NOW, who: li.clone(), what, why: String::new() }).await.unwrap();
    }
    tx.commit().await.unwrap();
    let all = store.sorted_tickets(Number(0), Number(10)).await.unwrap();
    let shown: Vec<_> =
        all.iter().map(|past| (past.number.0, past.subject.as_str(), past.text.as_str(), past.bulk)).collect();
    let whole = "打印机不能打印\n-- \n张三";
    assert_eq!(shown, [(1, "Re: VPN", "新的话", false), (2, "FW: VPN", whole, false), (3, "list", "news", true)]);
    assert_eq!((all[0].requester.as_str(), all[0].name.as_str()), ("zhang@corp.example", "张三"));
    let kinds: Vec<_> = all[0].changes.iter().map(|entry| entry.what.clone()).collect();
    assert_eq!(kinds.len(), 3, "{kinds:?}");
    assert!(matches!(kinds[0], What::Category { to: Category::Network, .. }) && all[0].changes[0].who == li);
    assert_eq!(store.sorted_tickets(Number(2), Number(3)).await.unwrap().len(), 1);
    assert_eq!(store.tickets_since(None).await.unwrap(), Some((Number(1), Number(4))));
    assert_eq!(store.tickets_since(Some(later(9_000_000))).await.unwrap(), None);
    assert_eq!(store.tickets_since(Some(Timestamp::from_seconds(0))).await.unwrap(), Some((Number(1), Number(4))));
}
