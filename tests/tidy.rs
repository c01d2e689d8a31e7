//! Rules about the source itself (`src/lib.rs` says why): floors, absences, nothing unused, no known-bad crate.

use std::fs;
use std::path::Path;

/// Rooms from the ground up; a file imports only from lower floors or from its own room.
const FLOORS: [&[&str]; 8] = [
    &["time", "address"],
    &["desk"],
    &["ports"],
    &["mail", "config"],
    // What the rooms that talk to the network stand on.
    &["wire"],
    &["store", "inbox", "mailer", "clock", "directory"],
    &["flow", "report"],
    &["web"],
];

/// The top floor may know everything.
const TOP: [&str; 5] = ["daemon", "cli", "demo", "main", "lib"];

/// A file of the tree: its path from the root, with `/`, and its text.
struct File {
    path: String,
    text: String,
}

/// Every file below `folder` whose name ends so, sorted; an absent folder has none.
fn files(folder: &str, ending: &str) -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut found, mut folders) = (Vec::new(), vec![root.join(folder)]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_str().is_some_and(|p| p.ends_with(ending)) {
                let text = fs::read_to_string(&path).unwrap();
                found.push(File { path: path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/"), text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

impl File {
    /// `desk` for `src/desk/sla.rs`, `clock` for `src/clock.rs`.
    fn room(&self) -> &str {
        let name = self.path.trim_start_matches("src/").split('/').next().unwrap_or("");
        name.trim_end_matches(".rs")
    }

    /// Lines of code with their number: no comments, and nothing of the tests, which stand at the end.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let is_test = self.path.ends_with("/tests.rs") || self.path.contains("/tests/");
        let lines = self.text.lines().take(if is_test { 0 } else { usize::MAX });
        let code = lines.take_while(|line| !line.starts_with("#[cfg(test)]")).enumerate();
        code.map(|(index, line)| (index + 1, line)).filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

/// Fails with every complaint at once.
fn expect_none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

/// Every line of code in `files` that contains one of `words`, unless the file is excepted.
fn find(files: &[File], words: &[&str], except: impl Fn(&File) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| !except(file)) {
        for (number, line) in file.code() {
            found.extend(words.iter().filter(|w| line.contains(**w)).map(|w| format!("{}:{number}: {w}", file.path)));
        }
    }
    found
}

fn floor(room: &str) -> usize {
    let found = FLOORS.iter().position(|rooms| rooms.contains(&room));
    found.or(TOP.contains(&room).then_some(FLOORS.len())).unwrap_or_else(|| panic!("{room} has no floor: add it here"))
}

#[test]
fn a_file_imports_only_from_lower_floors() {
    let mut complaints = Vec::new();
    for file in files("src", ".rs") {
        let (room, height) = (file.room().to_owned(), floor(file.room()));
        for (number, line) in file.code() {
            for imported in line.split("crate::").skip(1) {
                let name: String = imported.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let at = format!("{}:{number}", file.path);
                if name.is_empty() {
                    complaints.push(format!("{at}: name one room a line: use crate::room::..."));
                } else if name != room && height < FLOORS.len() && floor(&name) >= height {
                    complaints.push(format!("{at}: {room} may not know {name}"));
                }
            }
        }
    }
    expect_none(complaints);
}

#[test]
fn only_the_clock_asks_for_time_and_dice() {
    // `tokio::time::Instant` is allowed: it measures how long something takes and decides nothing.
    let ambient =
        ["SystemTime::now", "Utc::now", "Local::now", "std::time::Instant", "rand::", "getrandom", "RandomState"];
    expect_none(find(&files("src", ".rs"), &ambient, |file| file.path == "src/clock.rs"));
}

#[test]
fn no_statement_asks_the_database_for_time_or_dice() {
    let mut statements = files("migrations", ".sql");
    statements.extend(files("src/store", ".rs"));
    for file in &mut statements {
        file.text = file.text.to_lowercase();
    }
    let asked =
        ["now()", "current_time", "localtime", "clock_timestamp", "strftime", "julianday", "random", "gen_random"];
    expect_none(find(&statements, &asked, |_| false));
}

#[test]
fn sqlx_stays_in_the_store_and_axum_in_the_web() {
    let source = files("src", ".rs");
    let mut complaints = find(&source, &["sqlx::"], |file| file.room() == "store");
    complaints.extend(find(&source, &["axum::", "tower_http::"], |file| file.room() == "web"));
    expect_none(complaints);
}

#[test]
fn every_template_is_used() {
    let source: String = files("src", ".rs").into_iter().map(|file| file.text).collect();
    let unused = files("templates", "").into_iter().map(|file| file.path).filter(|path| {
        let name = path.trim_start_matches("templates/");
        let (letter, rest) = name.split_once('/').unwrap_or((name, ""));
        let listed = source.lines().find(|line| line.contains(&format!("letter!(\"{letter}\"")));
        let usual = rest.ends_with("/text.txt") || rest.ends_with("/html.html");
        let by_letter = listed.is_some_and(|line| usual || line.contains(&format!("\"/{rest}\"")));
        !by_letter && !source.contains(&format!("\"{name}\""))
    });
    expect_none(unused.collect());
}

/// Releases below these have known holes (`hardening.md` S64). lettre's floor is 0.11.24 as soon as that can be had.
const CRATES: [(&str, [u64; 3]); 11] = [
    ("lettre", [0, 11, 23]),
    ("ammonia", [4, 1, 4]),
    ("tracing-subscriber", [0, 3, 20]),
    ("sqlx", [0, 8, 1]),
    ("tokio-postgres", [0, 7, 18]),
    ("time", [0, 3, 47]),
    ("idna", [1, 0, 3]),
    ("h2", [0, 4, 16]),
    ("rustls-webpki", [0, 103, 13]),
    ("hickory-proto", [0, 26, 1]),
    ("zip", [2, 3, 0]),
];

/// A second TLS library in the tree would be a second thing to keep safe.
const BANNED: [&str; 4] = ["aws-lc-rs", "aws-lc-sys", "openssl-sys", "native-tls"];

#[test]
fn s64_no_known_bad_crate_is_locked() {
    let lock = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock")).unwrap();
    let lock: toml::Table = toml::from_str(&lock).unwrap();
    let mut complaints = Vec::new();
    for package in lock["package"].as_array().unwrap() {
        let (name, version) = (package["name"].as_str().unwrap(), package["version"].as_str().unwrap());
        let numbers: Vec<u64> = version.split(['.', '-', '+']).map_while(|part| part.parse().ok()).collect();
        if CRATES.iter().any(|(bad, floor)| *bad == name && numbers[..] < floor[..]) || BANNED.contains(&name) {
            complaints.push(format!("{name} {version}"));
        }
    }
    expect_none(complaints);
}

#[test]
fn nothing_is_left_half_done() {
    let mut tree = files("src", ".rs");
    tree.extend(files("tests", ".rs").into_iter().filter(|file| file.path != "tests/tidy.rs"));
    let words = ["todo!", "unimplemented!", "dbg!(", "FIXME", "XXX", "#[ignore", "unsafe {"];
    let mut complaints = Vec::new();
    for file in &tree {
        for (index, line) in file.text.lines().enumerate() {
            let found = words.iter().filter(|word| line.contains(**word));
            complaints.extend(found.map(|word| format!("{}:{}: {word}", file.path, index + 1)));
        }
    }
    expect_none(complaints);
}
