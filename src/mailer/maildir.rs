//! Delivers into a local Maildir: the demo's outbox, and desks whose readers share the machine.

use crate::ports::{Envelope, Mailer, SendOutcome};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

static COUNTER: AtomicU64 = AtomicU64::new(0);

/// Writes every letter as one file, durably, whoever it is for. The envelope stands in front of the letter as
/// `Return-Path` and `Delivered-To`, as a delivering server writes it (RFC 5321 section 4.4).
#[derive(Clone, Debug)]
pub struct MaildirMailer {
    path: PathBuf,
}

impl MaildirMailer {
    /// The Maildir is created when the first letter comes.
    pub fn new(path: impl Into<PathBuf>) -> MaildirMailer {
        MaildirMailer { path: path.into() }
    }

    /// Whether letters could be written: the folder, or the one it would be created in, is there.
    ///
    /// # Errors
    /// `Misconfigured`, as [`Mailer::send`] would say.
    pub fn probe(&self) -> Result<String, SendOutcome> {
        let parent = self.path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let fault = |e: io::Error| SendOutcome::Misconfigured(format!("Maildir {}: {e}", self.path.display()));
        let place = if self.path.exists() { self.path.as_path() } else { parent };
        if fs::metadata(place).map_err(fault)?.permissions().readonly() {
            return Err(SendOutcome::Misconfigured(format!("Maildir {}: it cannot be written", self.path.display())));
        }
        Ok(format!("letters go into {}", self.path.display()))
    }
}

impl Mailer for MaildirMailer {
    async fn send(&mut self, envelope: &Envelope, message: &[u8]) -> SendOutcome {
        let path = self.path.clone();
        let from = envelope.from.as_ref().map_or("", |a| a.as_str());
        let trace = format!("Return-Path: <{from}>\r\nDelivered-To: {}\r\n", envelope.to);
        let bytes = [trace.as_bytes(), message].concat();
        let place = self.path.display().to_string();
        match tokio::task::spawn_blocking(move || deliver(&path, &bytes)).await {
            Ok(Ok(name)) => SendOutcome::Accepted(name),
            Ok(Err(e)) if e.kind() == io::ErrorKind::PermissionDenied => {
                SendOutcome::Misconfigured(format!("Maildir {place}: {e}"))
            }
            Ok(Err(e)) => SendOutcome::Retry(format!("Maildir {place}: {e}")),
            Err(e) => SendOutcome::Retry(format!("Maildir {place}: {e}")),
        }
    }
}

/// Writes to `tmp/`, syncs, renames into `new/`, syncs the folder; returns the file's name.
fn deliver(path: &Path, bytes: &[u8]) -> io::Result<String> {
    for sub in ["tmp", "new", "cur"] {
        fs::create_dir_all(path.join(sub))?;
    }
    let (mut file, temporary) = create_temporary(&path.join("tmp"))?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| file.metadata());
    let about = match written {
        Ok(about) => about,
        Err(e) => {
            let _ = fs::remove_file(&temporary);
            return Err(e);
        }
    };
    // Time and inode of the file itself make the name: unique on this file system, in order of delivery.
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    let (seconds, micros) = (about.mtime(), about.mtime_nsec() / 1000);
    let name = format!("{seconds}.M{micros:06}I{}Q{count}.maildesk,S={}", about.ino(), bytes.len());
    fs::rename(&temporary, path.join("new").join(&name))?;
    File::open(path.join("new"))?.sync_all()?;
    Ok(name)
}

fn create_temporary(folder: &Path) -> io::Result<(File, PathBuf)> {
    loop {
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("maildesk.{}.{count}", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((file, path)),
            // Left by a crash under the same process id.
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(e) => return Err(e),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;

    #[tokio::test]
    async fn a_letter_becomes_one_file_with_its_exact_bytes() {
        let temp = tempfile::tempdir().unwrap();
        fs::create_dir_all(temp.path().join("tmp")).unwrap();
        let mut mailer = MaildirMailer::new(temp.path());
        let envelope = Envelope { from: None, to: Address::parse("li@corp.example").unwrap() };
        for _ in 0..3 {
            let outcome = mailer.send(&envelope, b"Subject: x\r\n\r\n.body\r\n").await;
            assert!(matches!(outcome, SendOutcome::Accepted(_)), "{outcome:?}");
        }
        let files: Vec<_> = fs::read_dir(temp.path().join("new")).unwrap().map(|e| e.unwrap().path()).collect();
        assert_eq!(files.len(), 3);
        let expected = b"Return-Path: <>\r\nDelivered-To: li@corp.example\r\nSubject: x\r\n\r\n.body\r\n";
        assert_eq!(fs::read(&files[0]).unwrap(), expected);
        assert_eq!(fs::read_dir(temp.path().join("tmp")).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn what_cannot_be_written_is_tried_again() {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join("new"), "in the way").unwrap();
        let envelope = Envelope { from: None, to: Address::parse("li@corp.example").unwrap() };
        let outcome = MaildirMailer::new(temp.path()).send(&envelope, b"x").await;
        assert!(matches!(outcome, SendOutcome::Retry(_)), "{outcome:?}");
    }
}
