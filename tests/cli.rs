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

/// An mbox of eight people whose trouble the rules do not know, and of the engineer who puts their category right.
fn corrected() -> String {
    let report = |n: usize| {
        format!(
            "From: user{n}@corp.example\nTo: it@corp.example\nSubject: error in quillbox number {n}\nMessage-ID: <q{n}@corp.example>\n\n\
             The quillbox shows an error to person {n}.\n"
        )
    };
    let word = |n: usize| {
        format!(
            "From: li.na@corp.example\nTo: it@corp.example\nSubject: Re: [IT{n:03}] error in quillbox\nMessage-ID: <w{n}@corp.example>\n\
             Authentication-Results: mx.corp.example; dmarc=pass header.from=corp.example\n\n#category account\n"
        )
    };
    let mails = (1..=8).map(report).chain((1..=8).map(word));
    mails.map(|mail| format!("From x@corp.example Mon Nov 23 10:00:00 2026\n{mail}\n")).collect()
}

#[test]
fn triage_review_proposes_and_triage_test_tries_it() {
    let folder = desk();
    let config = CONFIG.to_owned() + "[proof]\nauthserv_id = \"mx.corp.example\"\n[triage]\nextend = \"mine.toml\"\n";
    std::fs::write(folder.path().join("desk.toml"), config).unwrap();
    std::fs::write(folder.path().join("mine.toml"), "[category.software]\nweak = \"quillbox\"\n").unwrap();
    std::fs::write(folder.path().join("all.mbox"), corrected()).unwrap();
    let run = |arguments: &[&str], code: i32| {
        let output = maildesk(folder.path(), arguments, "");
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
        said(&output)
    };
    assert!(run(&["triage", "review", "-c", "desk.toml"], 0).contains("no proposals"));
    run(&["ingest", "-c", "desk.toml", "--mbox", "all.mbox"], 0);
    let review: serde_json::Value =
        serde_json::from_str(&run(&["triage", "review", "-c", "desk.toml", "--json"], 0)).unwrap();
    assert_eq!((review["cases"].as_u64(), review["wrong_now"].as_u64()), (Some(8), Some(8)), "{review}");
    assert_eq!(review["by_todays_rules"]["category"], serde_json::json!({"right": 0, "of": 8}));
    assert_eq!(review["with_all_proposals"]["category"], serde_json::json!({"right": 8, "of": 8}), "{review}");
    let proposal = &review["proposals"][0];
    assert_eq!((&proposal["list"], &proposal["people"]), (&"category.account".into(), &8.into()), "{review}");
    let text = run(&["triage", "review", "-c", "desk.toml", "--last", "1"], 0);
    for part in ["8 cases", "8 software that were account", "IT001", "quillbox (software)", "[[keyword]]"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    // The snippet goes to the end of the file as it is printed.
    let snippets: String =
        review["proposals"].as_array().unwrap().iter().map(|p| p["snippet"].as_str().unwrap()).collect();
    let mine = std::fs::read_to_string(folder.path().join("mine.toml")).unwrap();
    std::fs::write(folder.path().join("new.toml"), mine.clone() + &snippets).unwrap();
    let test = run(&["triage", "test", "-c", "desk.toml", "new.toml"], 0);
    assert!(
        test.contains("8 of 8 tickets would be sorted otherwise: 8 better, 0 worse, 0 urgent ones missed"),
        "{test}"
    );
    assert!(test.contains("better IT008   software P3 -> account P3"), "{test}");
    let same = run(&["triage", "test", "-c", "desk.toml", "mine.toml", "--json"], 0);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&same).unwrap()["differ"], 0);
    assert!(run(&["triage", "test", "-c", "desk.toml", "desk.toml"], 0).contains("0 of 8 tickets"));
    std::fs::write(folder.path().join("broken.toml"), mine + "[category.kitchen]\nweak = \"x\"\n").unwrap();
    let broken = run(&["triage", "test", "-c", "desk.toml", "broken.toml"], 2);
    assert!(broken.contains("broken.toml:3: category.kitchen: no such category"), "{broken}");
    assert!(run(&["triage", "test", "-c", "desk.toml", "absent.toml"], 2).contains("cannot read it"));
}

/// Everything that the letter would bring lies beside the page, in the words of its first reader; nothing is sent.
#[test]
fn a_report_is_previewed_and_not_sent() {
    let folder = desk();
    let digest =
        "[[digest]]\nname = \"weekly\"\nkind = \"weekly\"\ncron = \"30 8 * * 1\"\nto = [\"boss@corp.example\"]\n";
    std::fs::write(folder.path().join("desk.toml"), CONFIG.to_owned() + digest).unwrap();
    let run = |arguments: &[&str], input: &str, code: i32| {
        let output = maildesk(folder.path(), arguments, input);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
        said(&output)
    };
    run(&["ingest", "-c", "desk.toml", "-"], &mail(1), 0);
    let text = run(&["digest", "-c", "desk.toml", "weekly"], "", 0);
    assert!(text.contains("IT 服务台周报"), "{text}");
    let sent = || std::fs::read_dir(folder.path().join("out/new")).map_or(0, |files| files.count());
    let before = sent();
    let told = run(&["digest", "-c", "desk.toml", "weekly", "--output", "page.html"], "", 0);
    for name in ["page.html", "page.txt", "page.eml", "page.xlsx", "page.csv"] {
        assert!(told.contains(name) && folder.path().join(name).is_file(), "{name}: {told}");
    }
    let html = std::fs::read_to_string(folder.path().join("page.html")).unwrap();
    assert!(html.contains("data:image/png;base64,") && !html.contains("cid:"), "the pictures are shown");
    assert_eq!(sent(), before);
    let other = run(&["digest", "-c", "desk.toml", "hourly"], "", 2);
    assert!(other.contains("no [[digest]] is named \"hourly\": weekly"), "{other}");
}
