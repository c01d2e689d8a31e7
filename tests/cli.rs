//! The commands as somebody types them, with their exit codes (`design.md` 5.1).

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const CONFIG: &str = r#"
[desk]
name = "IT 服务台"
address = "it@corp.example"
domains = ["corp.example"]
zone = "Asia/Shanghai"
[[mailbox]]
kind = "maildir"
path = "mailbox"
[smtp]
kind = "maildir"
path = "out"
[[engineer]]
address = "li.na@corp.example"
name = "李娜"
level = 2
"#;

fn maildesk(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_maildesk"))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that reads no input closes the pipe first; that is no fault.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn desk() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("desk.toml"), CONFIG).unwrap();
    folder
}

fn mail(number: usize) -> String {
    format!(
        "From: user{number}@corp.example\nTo: it@corp.example\nSubject: printer {number} is broken\n\
         Message-ID: <m{number}@corp.example>\nContent-Type: multipart/mixed; boundary=b\n\n\
         --b\n\nThe printer does not print.\n--b\nContent-Type: text/plain; name=log.txt\n\
         Content-Disposition: attachment; filename=\"../log.txt\"\n\nline {number}\n--b--\n"
    )
}

#[test]
fn ingest_takes_standard_input_files_folders_and_mbox_and_knows_them_again() {
    let folder = desk();
    let run = |arguments: &[&str], input: &str| {
        let output = maildesk(folder.path(), arguments, input);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", said(&output));
        said(&output)
    };
    assert_eq!(run(&["ticket", "list", "-c", "desk.toml"], "").trim(), "no tickets yet");
    assert!(run(&["ingest", "-c", "desk.toml", "-"], &mail(1)).contains("1 taken in, 1 new tickets"));
    assert!(run(&["ingest", "-c", "desk.toml"], &mail(1)).contains("0 taken in, 0 new tickets, 1 known before"));
    std::fs::create_dir(folder.path().join("mails")).unwrap();
    for number in 2..5 {
        std::fs::write(folder.path().join(format!("mails/{number}.eml")), mail(number)).unwrap();
    }
    assert!(run(&["ingest", "-c", "desk.toml", "mails"], "").contains("3 taken in, 3 new tickets"));
    let mbox: String =
        (4..9).map(|n| format!("From user{n}@corp.example Mon Nov 23 10:00:00 2026\n{}\n", mail(n))).collect();
    std::fs::write(folder.path().join("all.mbox"), mbox).unwrap();
    let said = run(&["ingest", "-c", "desk.toml", "--mbox", "all.mbox"], "");
    assert!(said.contains("4 taken in, 4 new tickets, 1 known before"), "{said}");
    let list = run(&["ticket", "list", "-c", "desk.toml"], "");
    assert_eq!(list.lines().count(), 8, "{list}");
    assert_eq!(run(&["ticket", "list", "--json", "-c", "desk.toml"], "").lines().count(), 8);
}

#[test]
fn a_ticket_is_shown_and_its_files_are_saved_under_harmless_names() {
    let folder = desk();
    assert_eq!(maildesk(folder.path(), &["ingest", "-c", "desk.toml", "-"], &mail(1)).status.code(), Some(0));
    let shown = maildesk(folder.path(), &["ticket", "show", "-c", "desk.toml", "it1", "--save", "files"], "");
    let text = said(&shown);
    assert!(
        text.contains("IT001") && text.contains("user1@corp.example") && text.contains("letter acknowledgement"),
        "{text}"
    );
    let names: Vec<String> = std::fs::read_dir(folder.path().join("files"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names.iter().any(|n| n.ends_with("log.txt")) && names.contains(&"001.eml".to_owned()), "{names:?}");
    assert!(!folder.path().join("log.txt").exists());
    let json = maildesk(folder.path(), &["ticket", "show", "--json", "-c", "desk.toml", "IT001"], "");
    let value: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(value["ticket"]["category"], "hardware");
    assert_eq!(maildesk(folder.path(), &["ticket", "show", "-c", "desk.toml", "IT099"], "").status.code(), Some(1));
}

#[test]
fn a_database_that_cannot_take_mail_says_try_again_later() {
    let folder = desk();
    assert_eq!(maildesk(folder.path(), &["ingest", "-c", "desk.toml", "-"], &mail(1)).status.code(), Some(0));
    // Another process holds the database for longer than the command waits.
    let unreachable = CONFIG.to_owned() + "[database]\nurl = \"postgres://nobody@127.0.0.1:1/none\"\n";
    std::fs::write(folder.path().join("gone.toml"), unreachable).unwrap();
    let output = maildesk(folder.path(), &["ingest", "-c", "gone.toml", "-"], &mail(2));
    assert_eq!(output.status.code(), Some(75), "{}", said(&output));
}

#[test]
fn every_fault_of_the_configuration_is_listed_and_nothing_starts() {
    let folder = desk();
    let broken = CONFIG.replace("level = 2", "level = 9\nskils = []").replace("Asia/Shanghai", "Asia/Nowhere");
    std::fs::write(folder.path().join("broken.toml"), broken).unwrap();
    for command in
        [&["check", "-c", "broken.toml"][..], &["run", "-c", "broken.toml"], &["ingest", "-c", "broken.toml", "-"]]
    {
        let output = maildesk(folder.path(), command, "");
        let text = said(&output);
        assert_eq!(output.status.code(), Some(2), "{text}");
        for fault in ["broken.toml:6: desk.zone", "level", "skils"] {
            assert!(text.contains(fault), "{command:?}: {fault} in {text}");
        }
    }
}

#[test]
fn explain_streams_one_object_a_line() {
    let folder = desk();
    let output = maildesk(folder.path(), &["explain", "--json", "-"], &mail(1));
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((value["kind"].as_str(), value["answer"].as_bool()), (Some("request"), Some(true)));
    assert_eq!(value["attachments"][0]["name"], "log.txt");
    assert!(value["matched"].as_array().is_some_and(|m| !m.is_empty()));
    assert_eq!(maildesk(folder.path(), &["explain", "no-such-file"], "").status.code(), Some(1));
}
