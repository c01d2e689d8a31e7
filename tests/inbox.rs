//! The inboxes against real and hostile servers.

mod support;

use maildesk::inbox::{ImapInbox, ImapSettings};
use maildesk::ports::{Batch, BatchLimit, Content, Cursor, Inbox, InboxError};
use maildesk::time::Timestamp;
use maildesk::wire::{Endpoint, Security};
use std::time::{Duration, Instant};
use support::certificates::Flaw;
use support::dovecot::{Dovecot, RunningDovecot};
use support::letter;
use support::proxy::Proxy;
use support::script::{Say, Script, imap};

const LIMIT: BatchLimit = BatchLimit { messages: 100, bytes: 8_000_000, message_bytes: 1_000_000 };
const START: Cursor = Cursor { uid_validity: 0, uid: 0 };
const ALWAYS: Timestamp = Timestamp::from_millis(0);

fn inbox(dovecot: &RunningDovecot) -> ImapInbox {
    ImapInbox::new(dovecot.settings())
}

fn scripted(port: u16) -> ImapSettings {
    let server = Endpoint { host: "127.0.0.1".into(), port, security: Security::Plain, ca_file: None };
    let mut settings = ImapSettings::new(server, "desk", "correct horse".to_owned().into());
    settings.command_timeout = Duration::from_secs(1);
    settings
}

fn after(batch: &Batch) -> Cursor {
    Cursor { uid_validity: batch.uid_validity, uid: batch.seen_up_to }
}

fn uids(batch: &Batch) -> Vec<u32> {
    batch.messages.iter().map(|m| m.uid).collect()
}

fn whole(content: &Content) -> &[u8] {
    match content {
        Content::Whole(bytes) => bytes,
        Content::TooLarge { .. } => panic!("only the header came"),
    }
}

async fn drain(inbox: &mut ImapInbox, mut cursor: Cursor) -> Vec<Vec<u8>> {
    let mut bodies = Vec::new();
    loop {
        let batch = inbox.fetch_after(cursor, ALWAYS, LIMIT).await.unwrap();
        cursor = after(&batch);
        bodies.extend(batch.messages.iter().map(|m| whole(&m.content).to_vec()));
        if !batch.more {
            return bodies;
        }
    }
}

#[tokio::test]
async fn a_mailbox_is_read_once_and_moved_away() {
    let dovecot = Dovecot::default().start();
    for n in 1..=5 {
        dovecot.deliver(&letter(&format!("m{n}"), &"x".repeat(n * 1000)));
    }
    let mut inbox = inbox(&dovecot);
    let limit = BatchLimit { messages: 3, ..LIMIT };
    let batch = inbox.fetch_after(START, ALWAYS, limit).await.unwrap();
    assert_eq!((uids(&batch), batch.seen_up_to, batch.more), (vec![1, 2, 3], 3, true));
    assert_eq!(whole(&batch.messages[1].content), letter("m2", &"x".repeat(2000)));
    assert_eq!(batch.messages[1].size, letter("m2", &"x".repeat(2000)).len());
    assert!(dovecot.files("").iter().all(|f| !f.contains('S')), "fetching must not mark as read");
    inbox.put_away(batch.uid_validity, &uids(&batch)).await.unwrap();
    assert_eq!((dovecot.files("").len(), dovecot.files(".Processed").len()), (2, 3));
    let batch = inbox.fetch_after(after(&batch), ALWAYS, limit).await.unwrap();
    assert_eq!((uids(&batch), batch.seen_up_to, batch.more), (vec![4, 5], 5, false));
    let batch = inbox.fetch_after(after(&batch), ALWAYS, limit).await.unwrap();
    assert_eq!((uids(&batch), batch.seen_up_to, batch.more), (vec![], 5, false));
    inbox.put_away(batch.uid_validity, &[4, 5, 99]).await.unwrap();
    inbox.put_away(batch.uid_validity, &[4, 5]).await.unwrap();
    assert_eq!((dovecot.files("").len(), dovecot.files(".Processed").len()), (0, 5));
}

#[tokio::test]
async fn every_protection_reads_the_same() {
    let dovecot = Dovecot::default().start();
    dovecot.deliver(&letter("one", "x"));
    for security in [Security::Plain, Security::StartTls, Security::Tls] {
        let mut settings = dovecot.settings();
        settings.server = dovecot.endpoint(security);
        let bodies = drain(&mut ImapInbox::new(settings), START).await;
        assert_eq!(bodies, [letter("one", "x")], "{security:?}");
    }
}

#[tokio::test]
async fn r21_nothing_older_than_the_start_is_fetched_at_first() {
    let dovecot = Dovecot::default().start();
    let hour = Duration::from_secs(3600);
    for (name, hours) in [("ancient", 2000), ("yesterday", 25), ("before", 2), ("new", 0)] {
        dovecot.deliver_at(&letter(name, "x"), hour * hours);
    }
    let mut inbox = inbox(&dovecot);
    let now = Timestamp::parse(&support::now()).unwrap();
    let since = Timestamp::from_millis(now.millis() - 3_600_000);
    let batch = inbox.fetch_after(START, since, LIMIT).await.unwrap();
    assert_eq!(batch.messages.len(), 1);
    assert_eq!(whole(&batch.messages[0].content), letter("new", "x"));
    assert!(now.millis().abs_diff(batch.messages[0].arrived.millis()) < 60_000, "INTERNALDATE is the arrival");
    assert_eq!((batch.seen_up_to, batch.more), (4, false));
    // Later everything counts, also an old message that somebody moves in.
    dovecot.deliver_at(&letter("moved in", "x"), hour * 5000);
    let batch = inbox.fetch_after(after(&batch), since, LIMIT).await.unwrap();
    assert_eq!(uids(&batch), [5]);
}

#[tokio::test]
async fn an_empty_mailbox_is_no_fault() {
    let dovecot = Dovecot::default().start();
    let mut inbox = inbox(&dovecot);
    let batch = inbox.fetch_after(START, ALWAYS, LIMIT).await.unwrap();
    assert_eq!((uids(&batch), batch.seen_up_to, batch.more), (vec![], 0, false));
    assert_ne!(batch.uid_validity, 0);
}

#[tokio::test]
async fn s55_of_a_large_message_only_the_header_is_fetched() {
    let dovecot = Dovecot::default().start();
    dovecot.deliver(&letter("small", "x"));
    dovecot.deliver(&letter("large", &"y".repeat(3_000_000)));
    dovecot.deliver(&letter("also small", "x"));
    let proxy = Proxy::to(dovecot.plain).await;
    let mut settings = dovecot.settings();
    settings.server = dovecot.endpoint(Security::Plain);
    settings.server.port = proxy.port;
    proxy.cut_after(100_000);
    let batch = ImapInbox::new(settings).fetch_after(START, ALWAYS, LIMIT).await.unwrap();
    assert_eq!(uids(&batch), [1, 2, 3]);
    let Content::TooLarge { header } = &batch.messages[1].content else { panic!("it was fetched whole") };
    let header = String::from_utf8_lossy(header);
    assert!(header.contains("Subject: large\r\n") && header.ends_with("\r\n\r\n") && header.len() < 1000, "{header}");
    assert!(batch.messages[1].size > 3_000_000);
}

#[tokio::test]
async fn batches_stop_at_their_bytes() {
    let dovecot = Dovecot::default().start();
    for n in 0..6 {
        dovecot.deliver(&letter(&format!("m{n}"), &"x".repeat(40_000)));
    }
    let mut inbox = inbox(&dovecot);
    let limit = BatchLimit { bytes: 100_000, ..LIMIT };
    let batch = inbox.fetch_after(START, ALWAYS, limit).await.unwrap();
    assert_eq!((uids(&batch), batch.more), (vec![1, 2], true));
    // A caller that could not commit asks again from where it stood.
    let batch = inbox.fetch_after(Cursor { uid: 0, ..after(&batch) }, ALWAYS, limit).await.unwrap();
    assert_eq!(uids(&batch), [1, 2]);
}

#[tokio::test]
async fn r8_an_arrival_is_noticed_at_once_whenever_it_comes() {
    let dovecot = Dovecot::default().start();
    let mut settings = dovecot.settings();
    settings.idle_renewal = Duration::from_millis(300);
    let mut inbox = ImapInbox::new(settings);
    let mut cursor = after(&inbox.fetch_after(START, ALWAYS, LIMIT).await.unwrap());
    for early in [true, false, true, false] {
        if early {
            // Between the last fetch and IDLE.
            dovecot.deliver(&letter("early", "x"));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let begin = Instant::now();
        let late = async {
            if !early {
                // In IDLE, after several renewals.
                tokio::time::sleep(Duration::from_millis(1000)).await;
                dovecot.deliver(&letter("late", "x"));
            }
        };
        let (waited, ()) = tokio::join!(inbox.wait(Duration::from_secs(20)), late);
        waited.unwrap();
        assert!(begin.elapsed() < Duration::from_secs(5), "early: {early}: {:?}", begin.elapsed());
        let batch = inbox.fetch_after(cursor, ALWAYS, LIMIT).await.unwrap();
        assert_eq!(batch.messages.len(), 1, "early: {early}");
        cursor = after(&batch);
        inbox.put_away(batch.uid_validity, &uids(&batch)).await.unwrap();
    }
    let begin = Instant::now();
    inbox.wait(Duration::from_millis(700)).await.unwrap();
    assert!((600..5000).contains(&begin.elapsed().as_millis()), "nothing came: wait to the deadline");
}

#[tokio::test]
async fn r9_a_rebuilt_mailbox_is_listed_again_and_old_uids_move_nothing() {
    let dovecot = Dovecot::default().start();
    for n in 0..3 {
        dovecot.deliver(&letter(&format!("m{n}"), "x"));
    }
    let mut inbox = inbox(&dovecot);
    let old = inbox.fetch_after(START, ALWAYS, LIMIT).await.unwrap();
    inbox.close().await;
    // UIDVALIDITY is the second in which the list was made.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    for entry in std::fs::read_dir(&dovecot.maildir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            std::fs::remove_file(path).unwrap();
        }
    }
    inbox.put_away(old.uid_validity, &[1]).await.unwrap();
    assert_eq!(dovecot.files("").len(), 3, "another message may have UID 1 now");
    let new = inbox.fetch_after(after(&old), ALWAYS, LIMIT).await.unwrap();
    assert_ne!(new.uid_validity, old.uid_validity);
    assert_eq!(new.messages.len(), 3);
}

#[tokio::test]
async fn r10_what_another_client_takes_away_is_no_fault() {
    let dovecot = Dovecot::default().start();
    for n in 1..=6 {
        dovecot.deliver(&letter(&format!("m{n}"), "x"));
    }
    let (mut ours, mut theirs) = (inbox(&dovecot), inbox(&dovecot));
    let limit = BatchLimit { messages: 2, ..LIMIT };
    let batch = ours.fetch_after(START, ALWAYS, limit).await.unwrap();
    assert_eq!(uids(&batch), [1, 2]);
    theirs.put_away(batch.uid_validity, &[2, 3, 4]).await.unwrap();
    let mut rest = Vec::new();
    let mut cursor = after(&batch);
    loop {
        let batch = ours.fetch_after(cursor, ALWAYS, limit).await.unwrap();
        rest.extend(uids(&batch));
        cursor = after(&batch);
        if !batch.more {
            break;
        }
    }
    assert_eq!(rest, [5, 6]);
    ours.put_away(batch.uid_validity, &[1, 2, 5, 6]).await.unwrap();
    assert_eq!((dovecot.files("").len(), dovecot.files(".Processed").len()), (0, 6));
}

#[tokio::test]
async fn r11_messages_are_put_away_without_move() {
    for (capabilities, left) in [("IMAP4rev1 UIDPLUS ID", 1), ("IMAP4rev1 ID", 3), ("IMAP4rev1 MOVE UIDPLUS", 1)] {
        let dovecot = Dovecot { capabilities: capabilities.into(), ..Dovecot::default() }.start();
        for n in 1..=3 {
            dovecot.deliver(&letter(&format!("m{n}"), "x"));
        }
        let mut inbox = inbox(&dovecot);
        let batch = inbox.fetch_after(START, ALWAYS, LIMIT).await.unwrap();
        inbox.put_away(batch.uid_validity, &[1, 3, 77]).await.unwrap();
        assert_eq!(dovecot.files(".Processed").len(), 2, "{capabilities}");
        let files = dovecot.files("");
        assert_eq!(files.len(), left, "{capabilities}: {files:?}");
        // Without UIDPLUS only a mark is possible: a plain EXPUNGE would take other people's messages too.
        assert_eq!(files.iter().filter(|f| f.ends_with('T')).count(), left - 1, "{files:?}");
        assert!(inbox.fetch_after(after(&batch), ALWAYS, LIMIT).await.unwrap().messages.is_empty());
    }
}

#[tokio::test]
async fn r11_the_processed_folder_is_made_anew_when_it_is_gone() {
    for r#move in [true, false] {
        let capabilities = if r#move { "" } else { "IMAP4rev1 UIDPLUS" };
        let dovecot = Dovecot { capabilities: capabilities.into(), ..Dovecot::default() }.start();
        dovecot.deliver(&letter("one", "x"));
        dovecot.deliver(&letter("two", "x"));
        let mut inbox = inbox(&dovecot);
        let batch = inbox.fetch_after(START, ALWAYS, LIMIT).await.unwrap();
        inbox.put_away(batch.uid_validity, &[1]).await.unwrap();
        std::fs::remove_dir_all(dovecot.maildir.join(".Processed")).unwrap();
        inbox.put_away(batch.uid_validity, &[2]).await.unwrap();
        assert_eq!(dovecot.files(".Processed").len(), 1, "MOVE: {}", r#move);
    }
}

#[tokio::test]
async fn folder_names_in_chinese_and_other_delimiters() {
    for delimiter in ['/', '.'] {
        let dovecot = Dovecot { delimiter, ..Dovecot::default() }.start();
        dovecot.deliver(&letter("one", "x"));
        let mut settings = dovecot.settings();
        settings.processed = "工单/已处理".into();
        let mut inbox = ImapInbox::new(settings.clone());
        let batch = inbox.fetch_after(START, ALWAYS, LIMIT).await.unwrap();
        inbox.put_away(batch.uid_validity, &uids(&batch)).await.unwrap();
        assert_eq!(dovecot.files(".&XeVTVQ-.&XfJZBHQG-").len(), 1, "{delimiter}");
        settings.folder = format!("工单{delimiter}已处理");
        let mut inbox = ImapInbox::new(settings);
        assert_eq!(inbox.fetch_after(START, ALWAYS, LIMIT).await.unwrap().messages.len(), 1);
    }
}

#[tokio::test]
async fn qq_keeps_user_folders_under_a_parent_of_its_own() {
    let script = Script::start("* OK hi\r\n", imap(|_, tag, rest| {
        let list = format!(
            "* LIST (\\NoSelect \\HasChildren) \"/\" \"&UXZO1mWHTvZZOQ-\"\r\n* LIST () \"/\" \"INBOX\"\r\n{tag} OK done\r\n"
        );
        (rest == "LIST \"\" \"%\"").then_some(Say::Text(list))
    }))
    .await;
    let mut inbox = ImapInbox::new(ImapSettings { processed: "已处理".into(), ..scripted(script.port) });
    inbox.put_away(7, &[1, 2, 3, 9]).await.unwrap();
    assert_eq!(script.count("CREATE \"&UXZO1mWHTvZZOQ-/&XfJZBHQG-\""), 1, "{:?}", script.seen());
    assert_eq!(script.count("UID MOVE 1:3,9 \"&UXZO1mWHTvZZOQ-/&XfJZBHQG-\""), 1, "{:?}", script.seen());
}

#[tokio::test]
async fn netease_wants_to_know_who_asks_before_select() {
    let mut introduced = false;
    let script = Script::start(
        "* OK Coremail System IMap Server Ready\r\n",
        imap(move |_, tag, rest| {
            match rest.split(' ').next().unwrap_or("") {
                "ID" => {
                    introduced = true;
                    Some(Say::Text(format!(
                        "* ID (\"name\" \"Coremail Imap\" \"vendor\" \"Mailtech\")\r\n{tag} OK ID completed\r\n"
                    )))
                }
                "SELECT" if !introduced => {
                    Some(Say::Text(format!("{tag} NO SELECT Unsafe Login. Please contact kefu@188.com for help\r\n")))
                }
                // The list before the login is a short one; there is no IDLE and no MOVE.
                "CAPABILITY" => {
                    Some(Say::Text(format!("* CAPABILITY IMAP4rev1 XLIST SPECIAL-USE ID UIDPLUS\r\n{tag} OK done\r\n")))
                }
                _ => None,
            }
        }),
    )
    .await;
    let mut inbox = ImapInbox::new(ImapSettings { poll: Duration::from_millis(50), ..scripted(script.port) });
    inbox.fetch_after(START, ALWAYS, LIMIT).await.unwrap();
    let words: Vec<String> = script.seen().iter().map(|l| l.split(' ').nth(1).unwrap_or("").to_owned()).collect();
    assert_eq!(words[..5], ["CAPABILITY", "LOGIN", "CAPABILITY", "ID", "SELECT"]);
    let begin = Instant::now();
    inbox.wait(Duration::from_secs(10)).await.unwrap();
    assert!(begin.elapsed() < Duration::from_secs(2) && script.count("IDLE") == 0, "it polls");
}

async fn error_of(settings: ImapSettings) -> InboxError {
    ImapInbox::new(settings).fetch_after(START, ALWAYS, LIMIT).await.unwrap_err()
}

#[tokio::test]
async fn a_refused_login_is_told_from_a_lost_connection() {
    let dovecot = Dovecot::default().start();
    let mut settings = dovecot.settings();
    settings.password = "wrong".to_owned().into();
    assert!(matches!(error_of(settings).await, InboxError::Refused(_)));
    for (word, answer, refused) in [
        ("CAPABILITY", "* CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=XOAUTH2\r\n{tag} OK done\r\n", true),
        ("LOGIN", "{tag} NO [AUTHENTICATIONFAILED] no\r\n", true),
        ("LOGIN", "{tag} BAD what\r\n", true),
        ("LOGIN", "{tag} NO [UNAVAILABLE] backend down\r\n", false),
        ("LOGIN", "* BYE too many connections\r\n", false),
        ("SELECT", "{tag} NO no such folder\r\n", false),
        ("UID", "{tag} NO [SERVERBUG] backend down\r\n", false),
        ("UID", "{tag} BAD what\r\n", false),
    ] {
        let script = Script::start(
            "* OK hi\r\n",
            imap(move |_, tag, rest| {
                let text = answer.replace("{tag}", tag);
                let hit = rest.split(' ').next() == Some(word);
                hit.then(|| if text.starts_with("* BYE") { Say::Last(text) } else { Say::Text(text) })
            }),
        )
        .await;
        let error = error_of(scripted(script.port)).await;
        assert_eq!(matches!(error, InboxError::Refused(_)), refused, "{word} {answer}: {error}");
        assert_eq!(script.count("LOGIN \"desk\""), usize::from(word != "CAPABILITY"));
    }
}

#[tokio::test]
async fn s59_a_bad_certificate_ends_it_before_the_login() {
    for flaw in [Flaw::SelfSigned, Flaw::WrongName, Flaw::Expired] {
        let dovecot = Dovecot { flaw, ..Dovecot::default() }.start();
        for security in [Security::Tls, Security::StartTls] {
            let mut settings = dovecot.settings();
            settings.server = dovecot.endpoint(security);
            let error = error_of(settings).await;
            assert!(matches!(&error, InboxError::Lost(text) if text.contains("certificate")), "{flaw:?}: {error}");
        }
        assert!(!dovecot.server.log().contains("user=<desk"), "{}", dovecot.server.log());
    }
}

#[tokio::test]
async fn s58_starttls_is_never_given_up() {
    for (greeting, answer) in [
        ("* OK hi\r\n", "{tag} BAD unknown command\r\n"),
        ("* OK hi\r\n", "{tag} OK go\r\n* CAPABILITY IMAP4rev1\r\nm1 OK injected\r\n"),
        ("* OK hi\r\n", "{tag} OK go\r\n"),
        ("* PREAUTH welcome\r\n", "{tag} OK go\r\n"),
    ] {
        let script = Script::start(
            greeting,
            imap(move |_, tag, rest| (rest == "STARTTLS").then(|| Say::Text(answer.replace("{tag}", tag)))),
        )
        .await;
        let mut settings = scripted(script.port);
        settings.server.security = Security::StartTls;
        assert!(matches!(error_of(settings).await, InboxError::Lost(_)));
        assert_eq!(script.count("LOGIN"), 0, "{:?}", script.seen());
    }
}

#[tokio::test]
async fn s60_the_password_is_in_no_error() {
    let script = Script::start(
        "* OK hi\r\n",
        imap(|_, tag, rest| rest.starts_with("LOGIN").then(|| Say::Text(format!("{tag} NO you said {rest}\r\n")))),
    )
    .await;
    let settings = scripted(script.port);
    let text = format!("{settings:?} {:?}", error_of(settings.clone()).await);
    assert!(!text.contains("correct horse"), "{text}");
}

#[tokio::test]
async fn s62_a_hostile_server_is_left() {
    let line = "x".repeat(300_000);
    let numbers: String = (1..200_000).map(|n| format!(" {n}")).collect();
    for (word, answer) in [
        ("UID", "* 1 FETCH (UID 1 BODY[] {4294967295}\r\nabc".to_owned()),
        ("UID", "* 1 FETCH (UID 1 BODY[] {400000000}\r\nabc".to_owned()),
        ("UID", format!("* OK {line}")),
        ("UID", format!("* SEARCH{numbers}\r\n")),
        ("UID", "* 1 EXISTS\r\n".repeat(200_000)),
        ("LOGIN", format!("* OK {line}{line}{line}{line}\r\n")),
        ("CAPABILITY", "* OK x\r\n".repeat(200_000)),
    ] {
        let script = Script::start(
            "* OK hi\r\n",
            imap(move |_, _, rest| (rest.split(' ').next() == Some(word)).then(|| Say::Text(answer.clone()))),
        )
        .await;
        let error = error_of(scripted(script.port)).await;
        assert!(error.to_string().len() < 500, "{error}");
        assert!(error.to_string().contains("more than it was asked for"), "{word}: {error}");
    }
}

#[tokio::test]
async fn odd_lines_of_servers_are_overlooked() {
    let script = Script::start(
        "* OK hi\r\n",
        imap(|_, tag, rest| {
            let odd =
                "* XYZZY plugh\r\n* ESEARCH (TAG \"x\") UID COUNT 0\r\n* 1 FETCH (UID 1)\n* OK caf\u{e9} {12}\r\n";
            rest.starts_with("NOOP").then(|| Say::Text(format!("{odd}{tag} OK done\r\n")))
        }),
    )
    .await;
    let batch = ImapInbox::new(scripted(script.port)).fetch_after(START, ALWAYS, LIMIT).await.unwrap();
    assert!(batch.messages.is_empty());
}

#[tokio::test]
async fn r6_a_connection_cut_anywhere_loses_nothing_and_stores_nothing_half() {
    let dovecot = Dovecot::default().start();
    let letters: Vec<Vec<u8>> = (0..8).map(|n| letter(&format!("m{n}"), &format!("{n}").repeat(3000))).collect();
    for letter in &letters {
        dovecot.deliver(letter);
    }
    let proxy = Proxy::to(dovecot.plain).await;
    let mut settings = dovecot.settings();
    settings.server = dovecot.endpoint(Security::Plain);
    settings.server.port = proxy.port;
    for step in 0..40 {
        let mut inbox = ImapInbox::new(settings.clone());
        let (mut cursor, mut bodies, mut faults) = (START, Vec::new(), 0);
        proxy.cut_after(500 + step * 750);
        loop {
            match inbox.fetch_after(cursor, ALWAYS, LIMIT).await {
                Ok(batch) => {
                    cursor = after(&batch);
                    bodies.extend(batch.messages.iter().map(|m| whole(&m.content).to_vec()));
                    if !batch.more {
                        break;
                    }
                }
                Err(InboxError::Lost(_)) => {
                    faults += 1;
                    // The network heals after a while.
                    if faults > 2 {
                        proxy.cut_after(usize::MAX);
                    }
                }
                Err(refused) => panic!("{refused}"),
            }
        }
        assert_eq!(bodies, letters, "cut after {}", 500 + step * 750);
    }
}

#[tokio::test]
async fn r7_a_half_open_connection_ends_at_the_time_out() {
    let dovecot = Dovecot::default().start();
    dovecot.deliver(&letter("one", "x"));
    let proxy = Proxy::to(dovecot.plain).await;
    let mut settings = dovecot.settings();
    settings.server = dovecot.endpoint(Security::Plain);
    settings.server.port = proxy.port;
    settings.command_timeout = Duration::from_millis(400);
    settings.idle_renewal = Duration::from_millis(300);
    let mut inbox = ImapInbox::new(settings);
    let batch = inbox.fetch_after(START, ALWAYS, LIMIT).await.unwrap();
    for what in ["fetch", "put away", "wait"] {
        proxy.freeze(true);
        let begin = Instant::now();
        let result = match what {
            "fetch" => inbox.fetch_after(after(&batch), ALWAYS, LIMIT).await.map(|_| ()),
            "put away" => inbox.put_away(batch.uid_validity, &uids(&batch)).await,
            _ => inbox.wait(Duration::from_secs(60)).await,
        };
        assert!(matches!(result, Err(InboxError::Lost(_))), "{what}: {result:?}");
        assert!(begin.elapsed() < Duration::from_secs(5), "{what}: {:?}", begin.elapsed());
        proxy.freeze(false);
        inbox.fetch_after(after(&batch), ALWAYS, LIMIT).await.unwrap();
    }
    assert_eq!(proxy.connections(), 4, "one connection, and one more after each fault");
}

#[tokio::test]
async fn a_wait_or_a_fetch_given_up_half_way_confuses_nothing() {
    let dovecot = Dovecot::default().start();
    for n in 0..50 {
        dovecot.deliver(&letter(&format!("m{n}"), &"x".repeat(20_000)));
    }
    let mut inbox = inbox(&dovecot);
    let all = drain(&mut inbox, START).await.len();
    let _ = tokio::time::timeout(Duration::from_millis(100), inbox.wait(Duration::from_secs(60))).await.unwrap_err();
    assert_eq!(drain(&mut inbox, START).await.len(), all);
    for millis in 0..8 {
        let _ = tokio::time::timeout(Duration::from_millis(millis), drain(&mut inbox, START)).await;
        assert_eq!(drain(&mut inbox, START).await.len(), all);
    }
}

#[tokio::test]
async fn idle_that_is_refused_or_broken() {
    for (say, lost) in [
        (Say::Text("{tag} NO not now\r\n".into()), false),
        (Say::Last("+ idling\r\n* BYE shutting down\r\n".into()), true),
        (Say::Last(String::new()), true),
        (Say::Silence, true),
    ] {
        let script = Script::start(
            "* OK hi\r\n",
            imap(move |_, tag, rest| {
                let say = match say.clone() {
                    Say::Text(text) => Say::Text(text.replace("{tag}", tag)),
                    other => other,
                };
                (rest == "IDLE").then_some(say)
            }),
        )
        .await;
        let mut inbox = ImapInbox::new(ImapSettings { poll: Duration::from_millis(50), ..scripted(script.port) });
        inbox.fetch_after(START, ALWAYS, LIMIT).await.unwrap();
        let result = inbox.wait(Duration::from_secs(5)).await;
        assert_eq!(matches!(result, Err(InboxError::Lost(_))), lost, "{result:?}");
        assert!(lost || inbox.fetch_after(START, ALWAYS, LIMIT).await.is_ok());
    }
}

/// A mailbox of three messages whose server ends the connection whenever UID 2 is asked for.
fn choking(header_too: bool) -> impl FnMut(usize, &str) -> Say + Send {
    imap(move |_, tag, rest| {
        let words: Vec<&str> = rest.split(' ').collect();
        match words[..] {
            ["UID", "SEARCH", "UID", set] => {
                let from: u32 = set.split(':').next().unwrap().parse().unwrap();
                let found: String = (from.max(1)..=3).map(|n| format!(" {n}")).collect();
                Some(Say::Text(format!("* SEARCH{found}\r\n{tag} OK done\r\n")))
            }
            ["UID", "FETCH", set, ..] => {
                let (first, last) = set.split_once(':').unwrap_or((set, set));
                let header = rest.contains("HEADER");
                let mut text = String::new();
                for n in first.parse::<u32>().unwrap()..=last.parse().unwrap() {
                    if rest.contains("RFC822.SIZE") {
                        let date = "INTERNALDATE \"23-Nov-2026 10:00:00 +0800\"";
                        text.push_str(&format!("* {n} FETCH (UID {n} RFC822.SIZE 3 {date})\r\n"));
                    } else if n == 2 && (!header || header_too) {
                        return Some(Say::Last(text));
                    } else {
                        let (section, letter) = if header { ("[HEADER]<0>", 'h') } else { ("[]", 'm') };
                        text.push_str(&format!("* {n} FETCH (UID {n} BODY{section} {{3}}\r\n{letter}{n}\n)\r\n"));
                    }
                }
                Some(Say::Text(format!("{text}{tag} OK done\r\n")))
            }
            _ => None,
        }
    })
}

#[tokio::test]
async fn g4_one_message_that_the_server_chokes_on_stops_nothing() {
    for (header_too, expected) in [(false, &b"h2\n"[..]), (true, b"")] {
        let script = Script::start("* OK hi\r\n", choking(header_too)).await;
        let mut inbox = ImapInbox::new(scripted(script.port));
        let mut cursor = Cursor { uid_validity: 7, uid: 0 };
        let (mut got, mut faults) = (Vec::new(), 0);
        loop {
            match inbox.fetch_after(cursor, ALWAYS, LIMIT).await {
                Ok(batch) => {
                    cursor = after(&batch);
                    got.extend(batch.messages.into_iter().map(|m| m.content));
                    if !batch.more {
                        break;
                    }
                }
                Err(_) => faults += 1,
            }
            assert!(faults < 15, "stuck");
        }
        assert!(
            matches!(&got[..], [Content::Whole(one), Content::TooLarge { header }, Content::Whole(three)]
                if one == b"m1\n" && header == expected && three == b"m3\n"),
            "{got:?}"
        );
    }
}

#[tokio::test]
async fn a_huge_mailbox_is_searched_in_windows() {
    let script = Script::start(
        "* OK hi\r\n",
        imap(|_, tag, rest| match rest.split(' ').next() {
            Some("SELECT") => Some(Say::Text(format!(
                "* 25000 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 30001] ok\r\n{tag} OK done\r\n"
            ))),
            _ => None,
        }),
    )
    .await;
    let mut inbox = ImapInbox::new(scripted(script.port));
    let since = Timestamp::parse("2026-11-23T10:00:00Z").unwrap();
    let batch = inbox.fetch_after(START, since, LIMIT).await.unwrap();
    assert_eq!((batch.seen_up_to, batch.more), (30_000, false));
    for search in ["UID 1:10000 SINCE 22-Nov-2026", "UID 10001:20000 SINCE", "UID 20001:* SINCE"] {
        assert_eq!(script.count(search), 1, "{:?}", script.seen());
    }
}
