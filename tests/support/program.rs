//! The real `maildesk run`, as an administrator starts it, beside real servers.

use super::dovecot::{Dovecot, PASSWORD, USER};
use super::postfix::{self, RunningPostfix};
use super::run;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub const MAILDESK: &str = env!("CARGO_BIN_EXE_maildesk");

/// A folder with a configuration, and the servers it names.
pub struct Site {
    pub servers: RunningPostfix,
    pub folder: tempfile::TempDir,
    pub imap_port: u16,
    pub smtp_port: u16,
}

impl Site {
    /// Mail to the desk goes through Postfix into the mailbox that Dovecot shows.
    pub fn new() -> Site {
        let servers = postfix::start_with_mailbox(Dovecot::default().start());
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("password"), PASSWORD).unwrap();
        let (imap_port, smtp_port) = (servers.dovecot.plain, servers.plain);
        let site = Site { servers, folder, imap_port, smtp_port };
        site.write_config("");
        site
    }

    pub fn config(&self) -> PathBuf {
        self.folder.path().join("maildesk.toml")
    }

    pub fn database(&self) -> PathBuf {
        self.folder.path().join("database")
    }

    pub fn write_config(&self, more: &str) {
        fs::create_dir_all(self.database()).unwrap();
        let text = format!(
            r#"
[desk]
name = "IT 服务台"
address = "{USER}"

[database]
url = "sqlite:database/desk.db"

[[mailbox]]
host = "localhost"
security = "plain"
port = {}
password_file = "password"
poll = "1s"

[smtp]
host = "localhost"
security = "plain"
port = {}
per_minute = 0
per_hour = 0
per_day = 0

[[engineer]]
address = "li.na@corp.example"
name = "李娜"
level = 2

[log]
format = "text"
{more}"#,
            self.imap_port, self.smtp_port
        );
        fs::write(self.config(), text).unwrap();
    }

    /// Starts the desk; its log goes on in the same file.
    pub fn start(&self) -> Program {
        let log = self.folder.path().join("log");
        let file = fs::File::options().create(true).append(true).open(&log).unwrap();
        let mut command = Command::new(MAILDESK);
        command.arg("run").arg("-c").arg(self.config()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
        Program { child: command.spawn().expect("the program starts"), log }
    }

    /// What went out to `corp.example`, as raw bytes.
    pub fn letters(&self) -> Vec<Vec<u8>> {
        let new = fs::read_dir(self.servers.maildir.join("new")).into_iter().flatten();
        let mut files: Vec<PathBuf> = new.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.iter().map(|file| fs::read(file).unwrap()).collect()
    }

    /// Waits until at least so many letters went out.
    pub fn wait_for_letters(&self, count: usize, within: Duration) -> Vec<Vec<u8>> {
        let end = Instant::now() + within;
        loop {
            let letters = self.letters();
            if letters.len() >= count {
                return letters;
            }
            assert!(Instant::now() < end, "{} of {count} letters:\n{}", letters.len(), self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// How many lines of the log contain this.
    pub fn logged(&self, what: &str) -> usize {
        self.log().lines().filter(|line| line.contains(what)).count()
    }

    pub fn wait_for_log(&self, what: &str, count: usize, within: Duration) {
        let end = Instant::now() + within;
        while self.logged(what) < count {
            assert!(Instant::now() < end, "{what:?} was not logged {count} times:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What lies in the desk's mailbox and was not put away.
    pub fn lying(&self) -> usize {
        self.servers.dovecot.files("").len()
    }
}

/// A running desk; killed when dropped.
pub struct Program {
    child: Child,
    log: PathBuf,
}

impl Program {
    pub fn signal(&self, name: &str) {
        run(Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()));
    }

    /// SIGKILL: no time for anything.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// The exit code.
    pub fn wait(&mut self, within: Duration) -> Option<i32> {
        let end = Instant::now() + within;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            let log = || fs::read_to_string(&self.log).unwrap_or_default();
            assert!(Instant::now() < end, "the desk did not end:\n{}", log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `maildesk` with these arguments to its end: exit code, output and errors together.
pub fn maildesk(arguments: &[&str], folder: &Path) -> (Option<i32>, String) {
    let output = Command::new(MAILDESK).args(arguments).current_dir(folder).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}
