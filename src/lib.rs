//! maildesk: a helpdesk that lives in the mailbox.
//!
//! A daemon watches a support mailbox, makes exactly one place in a ticket of every message, sorts it, answers, relays
//! between requester and engineer, asks for satisfaction on close. Mail is the interface; the few web pages are those
//! that a signed link in a letter opens.
//!
//! # Floors
//!
//! A file imports only from lower floors or from its own folder (`tests/tidy.rs` holds this).
//!
//! | Floor | Rooms | |
//! |---|---|---|
//! | 0 | [`time`], [`address`] | moments, working calendars, addresses, Message-IDs |
//! | 1 | [`desk`] | the rules: what a ticket is, how a message is sorted, who may do what, what is said to whom. Pure: no input or output, no clock, no randomness |
//! | 2 | [`mail`], [`config`], [`ports`], [`wire`] | bytes to [`desk::inbound::Inbound`] and letters to bytes; the configuration; the three traits `Clock`, `Inbox`, `Mailer`; one stream for IMAP and SMTP |
//! | 3 | [`store`], [`inbox`], [`mailer`], [`clock`] | the edges: SQLite and PostgreSQL, IMAP and Maildir, SMTP and sendmail. They do not know each other |
//! | 4 | [`flow`], [`report`], [`web`] | the road into state and out of the outbox; figures as letters, pictures and workbooks; the pages |
//! | 5 | [`daemon`], [`cli`], [`demo`] | what is started: tasks, commands, the story |
//!
//! Only `store` knows sqlx, only `web` knows axum, only `daemon` keeps tasks running and sleeps (reading and composing have
//! one thread of `flow`'s own), only `clock` asks for the time and for randomness.
//!
//! # The journey of a message
//!
//! ```text
//! mailbox --> mail::parse --> flow::ingest ------------------------------> moved to the processed folder
//!                               | one transaction:
//!                               |   seen before? situation, desk::decide, letters to bytes, apply
//! timer ------------------------+
//! rating or approval page -------+                                outbox --> claim, send, settle
//! bounce of a letter -----------+
//! ```
//!
//! 1. [`ports::Inbox::fetch_after`] brings raw bytes, several messages a round trip, the size asked before the body.
//! 2. [`mail::parse()`] never fails. What is odd is noted as an anomaly; what is broken still becomes a ticket.
//! 3. [`flow::Flow::ingest`] writes the seen-row (a known message ends here), gathers the
//!    [`desk::event::Situation`], asks [`desk::decide::decide`] for effects, composes every letter to its exact bytes
//!    under a Message-ID that follows from what the letter is, and applies everything. Several messages share a durable
//!    commit; when something in a batch fails, each message gets a commit of its own. [`flow::Flow::handle`] does the same
//!    for pages, [`flow::Flow::tick`] for timers.
//! 4. Only then is the message moved on the server, and the sender woken.
//! 5. [`flow::Flow::deliver`] claims letters by lease, counts the attempt before the network is opened, sends, settles.
//!
//! # Promises
//!
//! | | Promise | Kept in | Tested in |
//! |---|---|---|---|
//! | **G1** | Every message that reached the mailbox is in exactly one ticket, or set aside with its bytes. Never nowhere | the reading position moves in the same transaction ([`flow::Flow::ingest`]); unique digests in [`store`]; messages not yet moved are found again ([`daemon::Intake`]) | `tests/crash.rs` (`kill -9` in a loop on Dovecot), `tests/store.rs` `g1_*`, `tests/inbox.rs` |
//! | **G2** | Every letter is sent at least once. Twice only when the end came between the final dot and the recorded answer, and then with the same Message-ID | Message-IDs from [`desk::link::Key::message_id`]; leases and fenced settlement in [`store`]; the outcome `Unknown` of [`ports::SendOutcome`] | `tests/crash.rs`, `tests/outbox.rs`, `tests/store.rs` `r23_*`, `tests/mailer.rs` `r16_*` |
//! | **G3** | Nothing leaves, and the mailbox is not touched, before the durable commit | letters exist only as outbox rows until then; [`daemon::Intake::round`] moves afterwards; `synchronous=FULL`, `synchronous_commit=on` | `tests/crash.rs`, `src/store/sqlite.rs` `g3_*` |
//! | **G4** | One bad message never stops the queue | batches taken apart and quarantine in [`flow::Flow::ingest`]; patience per message in [`inbox`] | `tests/story.rs`, `tests/inbox.rs` `g4_*` |
//! | **G5** | Nothing a stranger writes acts with an engineer's or an owner's authority | [`desk::proof`], [`desk::link`], [`desk::approval`], `desk::engineer` | `tests/desk.rs` `s1_*`, `tests/approval.rs` `s15_*`, `tests/pages.rs`, `tests/story.rs`, `tests/letters.rs` |
//!
//! A test whose name begins with `s41_`, `r15_` or `l09_` tries the attack, fault or loop of that number in the
//! project's list of hardening cases.

pub mod address;
pub mod cli;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod demo;
pub mod desk;
pub mod directory;
pub mod flow;
pub mod inbox;
pub mod mail;
pub mod mailer;
pub mod ports;
pub mod report;
pub mod store;
pub mod time;
pub mod web;
pub mod wire;
