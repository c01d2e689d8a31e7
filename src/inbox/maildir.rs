//! The Maildir inbox: a local folder that an MTA (or the demo) delivers into.
//!
//! A Maildir has no UIDs, so we give them: a file `maildesk-uids` in the Maildir lists `UID name` for every message
//! seen, in order of arrival, and begins with the UIDVALIDITY. It is appended to and synced before a new UID is told
//! to anyone, so a UID never names two messages, also after a crash. If the file is lost, a new one gets another
//! UIDVALIDITY and everything is listed again, exactly as with an IMAP mailbox that was rebuilt. Names are compared
//! without their flags (`:2,S`), so a mail program may read the same Maildir.

use crate::ports::{Batch, BatchLimit, Content, Cursor, Fetched, Inbox, InboxError};
use crate::time::Timestamp;
use notify::event::{EventKind, ModifyKind, RenameMode};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::Notify;

const INDEX: &str = "maildesk-uids";
/// As much of an over-large message's beginning as is read (`hardening.md` S53).
const HEADER_BYTES: u64 = 64 * 1024;
/// Bytes of new index lines written in one look.
const LOOK: usize = 4 * 1024 * 1024;
/// Lines of the index naming messages that are gone, before it is written anew.
const GARBAGE: usize = 20_000;

/// Which Maildir to read.
#[derive(Clone, Debug)]
pub struct MaildirSettings {
    /// Folder with `new/`, `cur/` and `tmp/`; created when missing.
    pub path: PathBuf,
    /// Maildir folder for handled messages (Maildir++ name such as `.Processed`), below `path`; created when missing.
    pub processed: String,
    /// How often to look even when nothing was heard from the file system (a network file system tells nothing).
    pub poll: Duration,
}

impl MaildirSettings {
    pub fn new(path: impl Into<PathBuf>) -> MaildirSettings {
        MaildirSettings { path: path.into(), processed: ".Processed".into(), poll: Duration::from_secs(60) }
    }
}

/// A watched Maildir.
#[derive(Debug)]
pub struct MaildirInbox {
    poll: Duration,
    settings: MaildirSettings,
    folder: Arc<Mutex<Option<Folder>>>,
    arrival: Arc<Notify>,
    watcher: Option<RecommendedWatcher>,
}

impl MaildirInbox {
    /// Opens the folder only when first used.
    pub fn new(settings: MaildirSettings) -> MaildirInbox {
        let (folder, arrival) = (Arc::default(), Arc::default());
        MaildirInbox { poll: settings.poll, settings, folder, arrival, watcher: None }
    }

    /// Whether the folder can be read; creates nothing.
    ///
    /// # Errors
    /// The file system's.
    pub fn probe(&self) -> Result<String, InboxError> {
        let path = &self.settings.path;
        let fault = |e: io::Error| InboxError::Lost(format!("Maildir {}: {e}", path.display()));
        let read = std::fs::read_dir(path).map_err(fault)?;
        Ok(format!("folder {} can be read, {} entries", path.display(), read.take(1000).count()))
    }

    /// Runs file work off the runtime's threads.
    async fn with_folder<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Folder) -> io::Result<T> + Send + 'static,
    ) -> Result<T, InboxError> {
        let path = self.settings.path.clone();
        let (folder, settings) = (self.folder.clone(), self.settings.clone());
        let job = tokio::task::spawn_blocking(move || {
            let mut folder = folder.lock().unwrap_or_else(PoisonError::into_inner);
            let mut open = match folder.take() {
                Some(open) => open,
                None => Folder::open(&settings)?,
            };
            let result = work(&mut open);
            // After a failure the index on disk is the truth: read it anew.
            if result.is_ok() {
                *folder = Some(open);
            }
            result
        });
        let result = job.await.map_err(|e| InboxError::Lost(format!("{}: {e}", path.display())))?;
        result.map_err(|e| InboxError::Lost(format!("Maildir {}: {e}", path.display())))
    }

    /// Begins to listen before the first look, so that nothing slips between the two.
    fn watch(&mut self) {
        if self.watcher.is_some() {
            return;
        }
        let arrival = self.arrival.clone();
        let heard = move |event: notify::Result<notify::Event>| {
            let is_arrival = event.is_ok_and(|e| {
                matches!(e.kind, EventKind::Create(_) | EventKind::Modify(ModifyKind::Name(RenameMode::To)))
            });
            if is_arrival {
                arrival.notify_one();
            }
        };
        let watcher = notify::recommended_watcher(heard).and_then(|mut watcher| {
            for sub in ["new", "cur"] {
                watcher.watch(&self.settings.path.join(sub), RecursiveMode::NonRecursive)?;
            }
            Ok(watcher)
        });
        match watcher {
            Ok(watcher) => self.watcher = Some(watcher),
            Err(e) => {
                self.poll = self.poll.min(Duration::from_secs(5));
                tracing::warn!("cannot watch {}: {e}; looking every {:?}", self.settings.path.display(), self.poll);
            }
        }
    }
}

impl Inbox for MaildirInbox {
    async fn fetch_after(&mut self, after: Cursor, since: Timestamp, limit: BatchLimit) -> Result<Batch, InboxError> {
        if self.watcher.is_none() {
            self.with_folder(|_| Ok(())).await?;
            self.watch();
        }
        self.with_folder(move |folder| folder.fetch(after, since, limit)).await
    }

    async fn put_away(&mut self, uid_validity: u32, uids: &[u32]) -> Result<(), InboxError> {
        let uids = uids.to_vec();
        self.with_folder(move |folder| folder.put_away(uid_validity, &uids)).await
    }

    async fn wait(&mut self, at_most: Duration) -> Result<(), InboxError> {
        // Too early to know anything, or told meanwhile: both mean look.
        let _ = tokio::time::timeout(at_most.min(self.poll), self.arrival.notified()).await;
        Ok(())
    }
}

/// An open Maildir and its index.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    processed: PathBuf,
    uid_validity: u32,
    next_uid: u32,
    /// Unique name (without flags) to UID.
    uids: HashMap<String, u32>,
    /// What the last look found and was not put away since, by UID.
    listed: BTreeMap<u32, Found>,
    index: File,
}

/// A message file as found.
#[derive(Debug)]
struct Found {
    path: PathBuf,
    name: String,
    modified: SystemTime,
    size: u64,
}

impl Folder {
    fn open(settings: &MaildirSettings) -> io::Result<Folder> {
        let path = settings.path.clone();
        let processed = path.join(&settings.processed);
        for folder in [&path, &processed] {
            for sub in ["tmp", "new", "cur"] {
                fs::create_dir_all(folder.join(sub))?;
            }
        }
        if !processed.join("maildirfolder").exists() {
            File::create(processed.join("maildirfolder"))?;
        }
        let (uid_validity, uids) = match read_index(&path.join(INDEX))? {
            Some(known) => known,
            None => (new_validity(&path)?, HashMap::new()),
        };
        let next_uid = uids.values().max().copied().unwrap_or(0) + 1;
        // Written anew at every start: it heals a torn last line and drops names that are gone.
        let index = write_index(&path, uid_validity, &uids)?;
        Ok(Folder { path, processed, uid_validity, next_uid, uids, listed: BTreeMap::new(), index })
    }

    /// Lists every message in `new/` and `cur/`; new ones get their UIDs oldest first, durably.
    fn look(&mut self) -> io::Result<()> {
        let mut found = find_messages(&self.path)?;
        found.sort_by(|a, b| (a.modified, &a.name).cmp(&(b.modified, &b.name)));
        let mut lines = String::new();
        self.listed.clear();
        for message in found {
            let uid = match self.uids.get(&message.name) {
                Some(uid) => *uid,
                None if lines.len() > LOOK => continue,
                None => {
                    lines.push_str(&format!("{} {}\n", self.next_uid, message.name));
                    self.uids.insert(message.name.clone(), self.next_uid);
                    self.next_uid = self.next_uid.checked_add(1).ok_or_else(|| io::Error::other("out of UIDs"))?;
                    self.next_uid - 1
                }
            };
            self.listed.insert(uid, message);
        }
        if !lines.is_empty() {
            self.index.write_all(lines.as_bytes())?;
            self.index.sync_data()?;
        }
        Ok(())
    }

    fn fetch(&mut self, after: Cursor, since: Timestamp, limit: BatchLimit) -> io::Result<Batch> {
        let first = after.uid_validity != self.uid_validity;
        let position = if first { 0 } else { after.uid };
        // The last look is used up first: looking at a full Maildir for every batch would take quadratic time.
        if self.listed.range(position.saturating_add(1)..).next().is_none() {
            self.look()?;
        }
        let mut batch =
            Batch { uid_validity: self.uid_validity, messages: Vec::new(), seen_up_to: position, more: false };
        let mut bytes = 0usize;
        for (uid, message) in self.listed.range(position.saturating_add(1)..) {
            let arrived = timestamp(message.modified);
            if first && arrived < since {
                batch.seen_up_to = *uid;
                continue;
            }
            let size = usize::try_from(message.size).unwrap_or(usize::MAX);
            let weight = size.min(limit.message_bytes);
            let full = batch.messages.len() >= limit.messages || bytes.saturating_add(weight) > limit.bytes;
            if !batch.messages.is_empty() && full {
                batch.more = true;
                break;
            }
            let Some(content) = read_message(message, &self.path, size, limit.message_bytes)? else {
                tracing::debug!(uid, "a message vanished before it was read");
                batch.seen_up_to = *uid;
                continue;
            };
            batch.seen_up_to = *uid;
            batch.messages.push(Fetched { uid: *uid, arrived, size, content });
            bytes = bytes.saturating_add(weight);
        }
        Ok(batch)
    }

    /// Renames are atomic, so a crash leaves each message in one of the two places: no sync is needed.
    fn put_away(&mut self, uid_validity: u32, uids: &[u32]) -> io::Result<()> {
        if uid_validity != self.uid_validity {
            return Ok(());
        }
        if uids.iter().any(|uid| !self.listed.contains_key(uid)) {
            self.look()?;
        }
        for uid in uids {
            let Some(message) = self.listed.remove(uid) else { continue };
            let path = if message.path.exists() { Some(message.path) } else { find_again(&self.path, &message.name)? };
            let Some(path) = path else { continue };
            let flags = path.file_name().and_then(|n| n.to_str()).and_then(|n| n.split_once(":2,"));
            let name = format!("{}:2,{}", message.name, flags.map_or("", |(_, flags)| flags));
            match fs::rename(&path, self.processed.join("cur").join(name)) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => {}
            }
        }
        if self.uids.len() > GARBAGE + 2 * self.listed.len() {
            self.tidy()?;
        }
        Ok(())
    }

    /// Forgets names that are gone; the newest stays, so that its UID is never given again.
    fn tidy(&mut self) -> io::Result<()> {
        self.look()?;
        let newest = self.next_uid - 1;
        let listed = &self.listed;
        self.uids.retain(|_, uid| *uid == newest || listed.contains_key(uid));
        self.index = write_index(&self.path, self.uid_validity, &self.uids)?;
        Ok(())
    }
}

fn find_messages(maildir: &Path) -> io::Result<Vec<Found>> {
    let mut found = Vec::new();
    for sub in ["new", "cur"] {
        for entry in fs::read_dir(maildir.join(sub))? {
            let entry = entry?;
            let Ok(file_name) = entry.file_name().into_string() else { continue };
            if file_name.starts_with('.') || file_name.contains(['\n', '\r']) {
                continue;
            }
            // It may be moved while we look; a symbolic link is not a message.
            let Ok(about) = entry.metadata() else { continue };
            if about.is_file() {
                let modified = about.modified().unwrap_or(UNIX_EPOCH);
                let name = unique(&file_name).to_owned();
                found.push(Found { path: entry.path(), name, modified, size: about.len() });
            }
        }
    }
    Ok(found)
}

/// Where a message went whose flags another reader changed meanwhile.
fn find_again(maildir: &Path, name: &str) -> io::Result<Option<PathBuf>> {
    Ok(find_messages(maildir)?.into_iter().find(|m| m.name == name).map(|m| m.path))
}

fn read_message(message: &Found, maildir: &Path, size: usize, most: usize) -> io::Result<Option<Content>> {
    match read_content(&message.path, size, most) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            find_again(maildir, &message.name)?.map(|path| read_content(&path, size, most)).transpose()
        }
        other => other.map(Some),
    }
}

/// The file name without its flags.
fn unique(file_name: &str) -> &str {
    file_name.split_once(":2,").map_or(file_name, |(name, _)| name)
}

fn timestamp(at: SystemTime) -> Timestamp {
    let millis = at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}

fn read_content(path: &Path, size: usize, most: usize) -> io::Result<Content> {
    let file = File::open(path)?;
    if size > most {
        let mut start = Vec::new();
        file.take(HEADER_BYTES).read_to_end(&mut start)?;
        let header = start.windows(2).position(|w| w == b"\n\n").map(|at| at + 2);
        let header = header.or_else(|| start.windows(4).position(|w| w == b"\r\n\r\n").map(|at| at + 4));
        start.truncate(header.unwrap_or(start.len()));
        return Ok(Content::TooLarge { header: start });
    }
    let mut bytes = Vec::with_capacity(size);
    // It may have grown since it was measured: a delivery into `new/` by copying.
    file.take(most as u64).read_to_end(&mut bytes)?;
    Ok(Content::Whole(bytes))
}

/// UIDVALIDITY and names; `None` when there is no index. A torn line (crash while appending) ends the list.
fn read_index(path: &Path) -> io::Result<Option<(u32, HashMap<String, u32>)>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e),
    };
    let mut lines = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
    let Some(uid_validity) = lines.next().and_then(|l| l.strip_prefix("uidvalidity ")?.parse().ok()) else {
        return Ok(None);
    };
    let entry = |line: &str| {
        let (uid, name) = line.split_once(' ')?;
        Some((name.to_owned(), uid.parse().ok()?))
    };
    Ok(Some((uid_validity, lines.map_while(entry).collect())))
}

/// The file system's idea of now: the time of a file made this moment. Never 0.
fn new_validity(path: &Path) -> io::Result<u32> {
    let probe = path.join("tmp").join(".maildesk-now");
    File::create(&probe)?.write_all(b"now")?;
    let now = fs::metadata(&probe)?.modified()?.duration_since(UNIX_EPOCH).map_or(1, |since| since.as_secs());
    fs::remove_file(&probe)?;
    Ok(u32::try_from(now).unwrap_or(u32::MAX).max(1))
}

/// Writes the whole index, durably, and leaves it open for appending.
fn write_index(path: &Path, uid_validity: u32, uids: &HashMap<String, u32>) -> io::Result<File> {
    let (temporary, index) = (path.join("tmp").join(INDEX), path.join(INDEX));
    let mut entries: Vec<(&String, &u32)> = uids.iter().collect();
    entries.sort_unstable_by_key(|(_, uid)| **uid);
    let mut text = format!("uidvalidity {uid_validity}\n");
    for (name, uid) in entries {
        text.push_str(&format!("{uid} {name}\n"));
    }
    let mut file = File::create(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, &index)?;
    File::open(path)?.sync_all()?;
    OpenOptions::new().append(true).open(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: BatchLimit = BatchLimit { messages: 2, bytes: 10_000, message_bytes: 1_000 };

    fn put(root: &Path, sub: &str, name: &str, body: &[u8]) {
        fs::write(root.join(sub).join(name), body).unwrap();
    }

    fn fetch(folder: &mut Folder, uid_validity: u32, uid: u32) -> (Vec<u32>, u32, bool) {
        let batch = folder.fetch(Cursor { uid_validity, uid }, Timestamp::default(), LIMIT).unwrap();
        (batch.messages.iter().map(|m| m.uid).collect(), batch.seen_up_to, batch.more)
    }

    #[test]
    fn uids_are_stable_across_restarts_flags_and_moves() {
        let temp = tempfile::tempdir().unwrap();
        let settings = MaildirSettings::new(temp.path());
        let mut folder = Folder::open(&settings).unwrap();
        for name in ["a", "b", "c"] {
            put(temp.path(), "new", name, b"x");
        }
        put(temp.path(), "new", ".hidden", b"x");
        fs::create_dir(temp.path().join("new/folder")).unwrap();
        let validity = folder.uid_validity;
        assert_eq!(fetch(&mut folder, validity, 0), (vec![1, 2], 2, true));
        assert_eq!(fetch(&mut folder, validity, 2), (vec![3], 3, false));
        fs::rename(temp.path().join("new/a"), temp.path().join("cur/a:2,S")).unwrap();
        folder.put_away(validity, &[1, 99]).unwrap();
        assert!(temp.path().join(".Processed/cur/a:2,S").exists());
        drop(folder);
        let mut folder = Folder::open(&settings).unwrap();
        put(temp.path(), "cur", "d:2,", b"x");
        assert_eq!(folder.uid_validity, validity);
        assert_eq!(fetch(&mut folder, validity, 2), (vec![3, 4], 4, false));
        folder.put_away(validity + 1, &[2]).unwrap();
        assert!(temp.path().join("new/b").exists(), "another UIDVALIDITY moves nothing");
    }

    #[test]
    fn r9_a_lost_index_lists_everything_since_the_start_again() {
        let temp = tempfile::tempdir().unwrap();
        let settings = MaildirSettings::new(temp.path());
        let mut folder = Folder::open(&settings).unwrap();
        put(temp.path(), "new", "a", b"x");
        let old = folder.uid_validity.wrapping_sub(100);
        assert_eq!(fetch(&mut folder, old, 77), (vec![1], 1, false));
        let future = Timestamp::from_millis(i64::MAX);
        let batch = folder.fetch(Cursor { uid_validity: old, uid: 77 }, future, LIMIT).unwrap();
        assert_eq!((batch.messages.len(), batch.seen_up_to), (0, 1));
    }

    #[test]
    fn a_torn_index_heals() {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join(INDEX), "uidvalidity 7\n1 a\n2 b\n3 half").unwrap();
        let folder = Folder::open(&MaildirSettings::new(temp.path())).unwrap();
        assert_eq!((folder.uid_validity, folder.next_uid), (7, 3));
    }

    #[test]
    fn s55_only_the_header_of_a_large_message_is_read() {
        let temp = tempfile::tempdir().unwrap();
        let mut folder = Folder::open(&MaildirSettings::new(temp.path())).unwrap();
        put(temp.path(), "new", "big", &[b"Subject: x\r\n\r\n".as_slice(), &[b'a'; 5000]].concat());
        let batch = folder.fetch(Cursor { uid_validity: 0, uid: 0 }, Timestamp::default(), LIMIT).unwrap();
        assert!(matches!(&batch.messages[0].content, Content::TooLarge { header } if header == b"Subject: x\r\n\r\n"));
        assert_eq!(batch.messages[0].size, 5014);
    }

    #[tokio::test]
    async fn an_arrival_wakes_the_waiting() {
        let temp = tempfile::tempdir().unwrap();
        let mut inbox = MaildirInbox::new(MaildirSettings::new(temp.path()));
        let cursor = Cursor { uid_validity: 0, uid: 0 };
        assert!(inbox.fetch_after(cursor, Timestamp::default(), LIMIT).await.unwrap().messages.is_empty());
        put(temp.path(), "tmp", "a", b"x");
        fs::rename(temp.path().join("tmp/a"), temp.path().join("new/a")).unwrap();
        tokio::time::timeout(Duration::from_secs(5), inbox.wait(Duration::from_secs(30))).await.unwrap().unwrap();
        let batch = inbox.fetch_after(cursor, Timestamp::default(), LIMIT).await.unwrap();
        assert_eq!(batch.messages.len(), 1);
    }
}
