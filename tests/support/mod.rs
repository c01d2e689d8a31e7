//! Real servers for the tests: Dovecot, Postfix, PostgreSQL; and scripted ones for what real servers do not do.
//!
//! Each server has its own temporary folder and free ports, and ends with the test: also when the test process is
//! killed, because a supervising shell waits for the end of a pipe that only the test process holds open.
//! A missing program is an error that says how to get it; nothing is ever skipped.
#![allow(dead_code)] // each test program uses its own part

pub mod calendars;
pub mod certificates;
pub mod chromium;
pub mod clients;
pub mod desk;
pub mod dovecot;
pub mod history;
pub mod post;
pub mod postfix;
pub mod postgres;
pub mod program;
pub mod proxy;
pub mod script;
pub mod slapd;

use std::collections::BTreeSet;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A server process with its folder; killed, and the folder removed, when dropped or when this process dies.
#[derive(Debug)]
pub struct Server {
    pub folder: PathBuf,
    supervisor: Child,
    lifeline: Option<ChildStdin>,
}

/// Ends the server when its standard input ends, then removes the folder.
const SUPERVISE: &str = r#"
folder=$1; signal=$2; shift 2
exec 3<&0
"$@" </dev/null >"$folder/server.log" 2>&1 &
server=$!
(cat >/dev/null; kill -"$signal" $server 2>/dev/null
 for _ in $(seq 50); do kill -0 $server 2>/dev/null || break; sleep 0.1; done
 kill -KILL $server 2>/dev/null) <&3 &
watch=$!
wait $server
code=$?
kill $watch 2>/dev/null
[ -n "$KEEP_TEST_FOLDERS" ] || rm -rf "$folder"
exit $code
"#;

impl Server {
    /// Starts `command`, which must stay in the foreground. `signal` ends it in an orderly way.
    pub fn start(folder: PathBuf, signal: &str, command: &[&str]) -> Server {
        let mut supervisor = Command::new("bash")
            .args(["-c", SUPERVISE, "supervise"])
            .arg(&folder)
            .arg(signal)
            .args(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("bash is needed to run the tests");
        let lifeline = supervisor.stdin.take();
        Server { folder, supervisor, lifeline }
    }

    /// Waits until something listens on the port.
    pub fn wait_for_port(&mut self, port: u16) {
        let end = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Ok(Some(status)) = self.supervisor.try_wait() {
                panic!("the server in {} ended with {status}", self.folder.display());
            }
            if Instant::now() > end {
                panic!("nothing listens on port {port}:\n{}", self.log());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("server.log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            eprintln!("--- {} ---\n{}", self.folder.display(), &log[log.len().saturating_sub(4000)..]);
        }
        drop(self.lifeline.take());
        let _ = self.supervisor.wait();
    }
}

/// A new folder that every user can enter: servers give up root.
pub fn server_folder(name: &str) -> PathBuf {
    let folder = tempfile::Builder::new().prefix(&format!("maildesk-{name}-")).tempdir().unwrap().keep();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// A port that is free now, and that nobody here was given before: until a server listens on it the system may name it again.
pub fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let mut given = GIVEN.lock().unwrap();
    loop {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        if given.insert(port) {
            return port;
        }
    }
}

/// Finds a program, or says how to get it.
pub fn program(name: &str, package: &str) -> PathBuf {
    let path = std::env::var("PATH").unwrap_or_default();
    let folders = path.split(':').map(Path::new).chain(["/usr/sbin", "/sbin", "/usr/local/sbin"].map(Path::new));
    folders
        .map(|folder| folder.join(name))
        .find(|p| p.is_file())
        .unwrap_or_else(|| panic!("{name} is missing: run tests/run, or apt-get install {package}"))
}

pub fn is_root() -> bool {
    // The owner of our own process folder.
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// Runs a program to its end.
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{command:?}: {}\n{text}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

/// Gives a folder to a user, when we may.
pub fn give_to(folder: &Path, owner: &str) {
    if is_root() {
        run(Command::new("chown").args(["-R", owner]).arg(folder));
    }
}

/// A small message with CRLF line ends.
pub fn letter(subject: &str, body: &str) -> Vec<u8> {
    format!(
        "From: \"Zhang San\" <zhang.san@corp.example>\r\nTo: desk@corp.example\r\nSubject: {subject}\r\n\
         Message-ID: <{}@corp.example>\r\nDate: Mon, 23 Nov 2026 10:00:00 +0800\r\n\r\n{body}\r\n",
        subject.replace(|c: char| !c.is_ascii_alphanumeric(), "-")
    )
    .into_bytes()
}

/// The machine's time, RFC 3339.
pub fn now() -> String {
    use maildesk::ports::Clock;
    maildesk::clock::SystemClock.now().rfc3339()
}
