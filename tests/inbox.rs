//! The inboxes against real and hostile servers.

mod support;

use maildesk::inbox::{ImapInbox, ImapSettings};
use maildesk::ports::{Batch, BatchLimit, Content, Cursor, Inbox, InboxError};
use maildesk::time::Timestamp;
use maildesk::wire::{Endpoint, Security};
use std::time::Duration;
use support::certificates::Flaw;
use support::dovecot::{Dovecot, RunningDovecot, USER};
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
