//! A real PostgreSQL for tests: one server per test process, in a temporary folder, on a Unix socket only.
//!
//! It ends with the test process, however that ends: a shell stands between the two and waits for the end of its
//! standard input. `fsync` is off, for no test here pulls the plug.

use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

const SERVE: &str = r#"
bin=$1 folder=$2
"$bin/initdb" -D "$folder/data" -U postgres --auth=trust --no-sync --encoding=UTF8 --locale=C.UTF-8 >"$folder/log" 2>&1
"$bin/postgres" -D "$folder/data" -k "$folder" -c listen_addresses= -c fsync=$3 -c full_page_writes=$3 \
    -c max_connections=200 >>"$folder/log" 2>&1 </dev/null &
server=$!
cat >/dev/null
kill -INT $server
wait $server
rm -rf "$folder"
"#;

struct Server {
    bin: PathBuf,
    folder: PathBuf,
    /// Its standard input must stay open as long as the tests run.
    _shell: Child,
}

/// A fresh, empty database; gives its URL.
pub async fn database() -> String {
    create(server())
}

/// The same on a server that syncs its files, where speed is measured.
#[allow(dead_code, reason = "only benchmarks need it")]
pub async fn durable_database() -> String {
    static SERVER: OnceLock<Server> = OnceLock::new();
    create(SERVER.get_or_init(|| start(true)))
}

fn create(server: &Server) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let name = format!("test{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let made = Command::new(server.bin.join("createdb"))
        .args(["-h", server.folder.to_str().unwrap(), "-U", "postgres", &name])
        .output()
        .expect("createdb runs");
    assert!(made.status.success(), "createdb: {}", String::from_utf8_lossy(&made.stderr));
    format!("postgres:///{name}?host={}&user=postgres", server.folder.display())
}

/// Runs a statement in the database of this URL, as an administrator would.
#[allow(dead_code, reason = "not every test needs it")]
pub fn psql(url: &str, sql: &str) -> String {
    let done = Command::new(server().bin.join("psql")).args(["-Atqc", sql, url]).output().expect("psql runs");
    assert!(done.status.success(), "psql: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).trim().to_owned()
}

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| start(false))
}

fn start(durable: bool) -> Server {
    let bin = programs();
    let folder = tempfile::Builder::new().prefix("maildesk-pg-").tempdir().expect("a temporary folder").keep();
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", SERVE, "postgres-for-tests"])
        .args([&bin, &folder])
        .arg(if durable { "on" } else { "off" })
        .stdin(Stdio::piped())
        .current_dir("/");
    // The server refuses to run as root.
    if std::fs::metadata("/proc/self").expect("/proc").uid() == 0 {
        let (user, group) = ids_of("postgres");
        std::os::unix::fs::chown(&folder, Some(user), Some(group)).expect("chown of the folder");
        shell.uid(user).gid(group);
    }
    let mut shell = shell.process_group(0).spawn().expect("a shell");
    let started = Instant::now();
    while !ready(&bin, &folder) {
        let ended = shell.try_wait().expect("the state of the shell").is_some();
        if ended || started.elapsed() > Duration::from_secs(60) {
            let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
            panic!("PostgreSQL did not start:\n{log}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Server { bin, folder, _shell: shell }
}

fn ready(bin: &Path, folder: &Path) -> bool {
    let mut check = Command::new(bin.join("pg_isready"));
    check.arg("-q").arg("-h").arg(folder).status().expect("pg_isready runs").success()
}

/// The folder of the newest installed version.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let version = |path: &PathBuf| path.file_name().and_then(|v| v.to_str()).and_then(|v| v.parse::<u32>().ok());
    let newest = versions.map(|entry| entry.path()).filter(|path| path.join("bin/initdb").exists()).max_by_key(version);
    newest.expect("PostgreSQL is needed for the tests: apt-get install postgresql").join("bin")
}

fn ids_of(name: &str) -> (u32, u32) {
    let users = std::fs::read_to_string("/etc/passwd").expect("/etc/passwd");
    let line = users.lines().find(|line| line.split(':').next() == Some(name));
    let ids: Vec<u32> =
        line.expect("a user postgres").split(':').skip(2).take(2).filter_map(|id| id.parse().ok()).collect();
    (ids[0], ids[1])
}
