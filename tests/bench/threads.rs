//! Real conversations replayed through the desk. `cargo bench --bench threads -- FOLDER`, where the folder holds `lists_threads`,
//! `threads_notmuch` and `gold/threads_lists.jsonl`, `gold/threads_notmuch.jsonl`: one conversation a line. The messages of the
//! lists stand in the order they arrived, the files of the other are replayed by their dates.
//!
//! All conversations of a set are taken in by one desk, message by message in turn, so that any of them may be mistaken for
//! another. Prints how many became exactly one ticket, how many fell apart, and how many tickets hold two conversations.
//! Some conversations were robbed of the headers of their last message by whoever made the set: where a stranger wrote it, only
//! its subject says where it belongs, which is not enough. Two lines that have a message in common are one
//! conversation.

use maildesk::config::Config;
use maildesk::desk::link::Key;
use maildesk::desk::ticket::Number;
use maildesk::flow::{Arrival, Flow};
use maildesk::mail::{self, Templates};
use maildesk::ports::Content;
use maildesk::store::{Store, TicketFilter};
use maildesk::time::Timestamp;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::time::Duration;

const CONFIG: &str = "[desk]\naddress = \"it@corp.example\"\ndomains = [\"corp.example\"]\n[[mailbox]]\nkind = \"maildir\"\n\
    path = \"unused\"\n[smtp]\nkind = \"maildir\"\npath = \"unused\"\n[[engineer]]\naddress = \"li@corp.example\"\nlevel = 3\n\
    [limits]\ntickets_per_hour = 10000\n";

/// A line of either file.
#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    files: Vec<String>,
    #[serde(default)]
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    file: String,
}

struct Conversation {
    /// The last message lacks its headers.
    robbed: bool,
    messages: Vec<Vec<u8>>,
}

impl Conversation {
    fn read(line: &str, folder: &Path, below: &str) -> Conversation {
        let line: Line = serde_json::from_str(line).expect("one object a line");
        let bytes = |file: PathBuf| std::fs::read(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let listed = line.messages.into_iter().map(|message| bytes(folder.join(below).join(message.file)));
        let mut dated: Vec<Vec<u8>> = line.files.into_iter().map(|file| bytes(folder.join(file))).collect();
        dated.sort_by_key(|raw| mail::outline(raw).0.date);
        Conversation { robbed: line.kind == "headerless-last", messages: listed.chain(dated).collect() }
    }

    fn ids(&self) -> BTreeSet<String> {
        let id = |raw: &Vec<u8>| mail::outline(raw).0.message_id.map(|id| id.as_str().to_owned());
        self.messages.iter().filter_map(id).collect()
    }
}

/// The conversations of a set.
fn read(folder: &Path, set: &str, below: &str) -> Vec<Conversation> {
    let gold = std::fs::read_to_string(folder.join(format!("gold/{set}.jsonl"))).expect("the expected readings");
    gold.lines().map(|line| Conversation::read(line, folder, below)).collect()
}

async fn replay(set: &str, conversations: &[Conversation]) {
    let folder = tempfile::tempdir().unwrap();
    let config =
        Config::read(&folder.path().join("config.toml"), CONFIG, &|_| None).unwrap_or_else(|f| panic!("{f:?}"));
    let store = Store::open(&format!("sqlite://{}", folder.path().join("desk.db").display())).await.unwrap();
    let flow = Flow::new(store.clone(), config.policy(Key([1; 32])), Templates::load(None).unwrap());
    let mut now = Timestamp::parse("2026-11-23T09:00:00+08:00").unwrap();
    // Each message arrives in a minute of its own.
    let mut belongs: HashMap<i64, usize> = HashMap::new();
    let longest = conversations.iter().map(|conversation| conversation.messages.len()).max().unwrap_or(0);
    for turn in 0..longest {
        for (conversation, Conversation { messages, .. }) in conversations.iter().enumerate() {
            let Some(raw) = messages.get(turn) else { continue };
            now = now + Duration::from_secs(60);
            belongs.insert(now.millis(), conversation);
            let arrival = Arrival { source: None, arrived: now, size: raw.len(), content: Content::Whole(raw.clone()) };
            flow.ingest(vec![arrival], None, now).await.unwrap();
        }
    }
    let tickets = store.tickets(&TicketFilter { limit: 100_000, ..TicketFilter::default() }).await.unwrap();
    let mut tickets_of: BTreeMap<usize, BTreeSet<Number>> = BTreeMap::new();
    let mut mixed = Vec::new();
    for ticket in &tickets {
        let messages = store.messages(ticket.number).await.unwrap();
        let held: BTreeSet<usize> = messages.iter().filter_map(|m| belongs.get(&m.arrived.millis()).copied()).collect();
        for conversation in &held {
            tickets_of.entry(*conversation).or_default().insert(ticket.number);
        }
        if held.len() > 1 && !are_one(conversations, &held) {
            mixed.push((ticket.number, held));
        }
    }
    let aside = store.set_aside(100_000).await.unwrap();
    let one = tickets_of.values().filter(|tickets| tickets.len() == 1).count();
    let apart: Vec<_> = tickets_of.iter().filter(|(_, tickets)| tickets.len() > 1).collect();
    let robbed = apart.iter().filter(|(conversation, _)| conversations[**conversation].robbed).count();
    println!(
        "{set}: {} conversations, {} messages: one ticket {one}, fell apart {} (robbed of their headers {robbed}), \
         tickets that hold two {}, messages set aside {}",
        conversations.len(),
        belongs.len(),
        apart.len(),
        mixed.len(),
        aside.len()
    );
    for (conversation, tickets) in apart {
        let reason = if conversations[*conversation].robbed { ", robbed of its headers" } else { "" };
        println!("  apart: line {} in {tickets:?}{reason}", conversation + 1);
    }
    for (number, lines) in mixed {
        println!("  together: {number} holds lines {:?}", lines.iter().map(|line| line + 1).collect::<Vec<_>>());
    }
    for message in aside {
        println!("  aside: {}: {}", message.set_aside.unwrap_or_default(), message.subject);
    }
}

/// Every one of them has a message in common with another.
fn are_one(conversations: &[Conversation], held: &BTreeSet<usize>) -> bool {
    let ids: Vec<BTreeSet<String>> = held.iter().map(|conversation| conversations[*conversation].ids()).collect();
    (0..ids.len()).all(|one| (0..ids.len()).any(|other| one != other && !ids[one].is_disjoint(&ids[other])))
}

fn main() {
    let folder = std::env::args().skip(1).find(|word| word != "--bench");
    let Some(folder) = folder.map(PathBuf::from) else {
        println!("threads: nothing to replay; say the folder: cargo bench --bench threads -- FOLDER");
        return;
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        for (set, below) in [("threads_lists", "lists_threads"), ("threads_notmuch", "")] {
            replay(set, &read(&folder, set, below)).await;
        }
    });
}
