//! A real PostgreSQL: one cluster for the whole test process, a new database for every test.

use super::{Server, free_port, is_root, run, server_folder};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};

/// The cluster of this process.
#[derive(Debug)]
pub struct Postgres {
    port: u16,
    bin: PathBuf,
    // Never dropped: it ends when this process does.
    server: Mutex<Server>,
}

static CLUSTER: OnceLock<Postgres> = OnceLock::new();
static DATABASES: AtomicU64 = AtomicU64::new(0);

/// A new, empty database: its URL.
pub fn database() -> String {
    let cluster = CLUSTER.get_or_init(start);
    let name = format!("test{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    run(Command::new(cluster.bin.join("createdb")).args([
        "-h",
        "127.0.0.1",
        "-U",
        "postgres",
        "-p",
        &cluster.port.to_string(),
        &name,
    ]));
    format!("postgres://postgres@127.0.0.1:{}/{name}", cluster.port)
}

/// The newest version's programs; Debian keeps them out of the path.
fn bin() -> PathBuf {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").is_file())
        .collect();
    found.sort();
    found.pop().unwrap_or_else(|| panic!("PostgreSQL is missing: run tests/run, or apt-get install postgresql"))
}

/// PostgreSQL refuses to run as root: then it runs as the user its package made.
fn as_server(program: &Path, arguments: &[&str]) -> Vec<String> {
    let mut command: Vec<String> = Vec::new();
    if is_root() {
        command.extend(["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"].map(String::from));
    }
    command.push(program.display().to_string());
    command.extend(arguments.iter().map(|a| (*a).to_owned()));
    command
}

fn start() -> Postgres {
    let bin = bin();
    let folder = server_folder("postgres");
    super::give_to(&folder, "postgres:postgres");
    let data = folder.join("data").display().to_string();
    let init = as_server(
        &bin.join("initdb"),
        &["-D", &data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"],
    );
    run(Command::new(&init[0]).args(&init[1..]).current_dir(&folder));
    let port = free_port();
    let port_text = port.to_string();
    let sockets = folder.display().to_string();
    // Tests need not survive a power cut.
    let command = as_server(
        &bin.join("postgres"),
        &[
            "-D",
            &data,
            "-p",
            &port_text,
            "-k",
            &sockets,
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "fsync=off",
            "-c",
            "full_page_writes=off",
            "-c",
            "max_connections=200",
        ],
    );
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    let mut server = Server::start(folder, "INT", &command);
    server.wait_for_port(port);
    wait_until_ready(&bin, port);
    Postgres { port, bin, server: Mutex::new(server) }
}

fn wait_until_ready(bin: &Path, port: u16) {
    for _ in 0..200 {
        let ready =
            Command::new(bin.join("pg_isready")).args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]).status();
        if ready.is_ok_and(|s| s.success()) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("PostgreSQL on port {port} does not get ready");
}
