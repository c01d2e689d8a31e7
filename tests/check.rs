//! `maildesk check --connect` against real servers, good ones and each kind of broken one.

mod support;

use maildesk::wire::Security;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::certificates::Flaw;
use support::dovecot::{Dovecot, PASSWORD, RunningDovecot, USER};
use support::postfix::{self, RunningPostfix};
use support::postgres;

/// A configuration for these servers; every part can be replaced.
struct Setup {
    folder: tempfile::TempDir,
    imap: String,
    smtp: String,
    database: String,
}

impl Setup {
    fn new(postfix: &RunningPostfix) -> Setup {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("mail.password"), PASSWORD).unwrap();
        std::fs::write(folder.path().join("wrong.password"), "wrong-hunter2").unwrap();
        let database = "url = \"sqlite:desk.db\"".to_owned();
        Setup { folder, imap: imap(&postfix.dovecot), smtp: smtp(postfix), database }
    }

    fn config(&self) -> PathBuf {
        let file = self.folder.path().join("maildesk.toml");
        let text = format!(
            "[desk]\naddress = \"{USER}\"\n[[mailbox]]\n{}\n[smtp]\n{}\n[database]\n{}\n\
             [[engineer]]\naddress = \"ann@corp.example\"\nlevel = 3\n",
            self.imap, self.smtp, self.database
        );
        std::fs::write(&file, text).unwrap();
        file
    }

    /// Exit code and everything that was said; never a secret.
    fn connect(&self) -> (i32, String) {
        let (code, said) = run(&self.config());
        for secret in [PASSWORD, "wrong-hunter2", "pg-hunter2"] {
            assert!(!said.contains(secret), "a secret is shown: {said}");
        }
        (code, said)
    }

    /// It fails, in the line that begins so, with these words; the other two lines are fine.
    fn check_broken(&self, line: &str, words: &[&str]) {
        let (code, said) = self.connect();
        assert_eq!(code, 1, "{said}");
        let failed: Vec<&str> = said.lines().filter(|l| l.contains(": FAILED: ")).collect();
        assert_eq!(failed.len(), 1, "{said}");
        assert!(failed[0].starts_with(line), "{said}");
        for word in words {
            assert!(failed[0].contains(word), "{word}: {said}");
        }
        assert_eq!(said.lines().filter(|l| l.contains(": ok: ")).count(), 2, "{said}");
        assert!(said.contains("1 of the connections above failed"), "{said}");
    }
}

fn run(config: &Path) -> (i32, String) {
    let done =
        Command::new(env!("CARGO_BIN_EXE_maildesk")).args(["check", "--connect", "-c"]).arg(config).output().unwrap();
    let said = [done.stdout, done.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    (done.status.code().unwrap_or(-1), said)
}

fn imap(server: &RunningDovecot) -> String {
    let (port, ca) = (server.tls, server.ca.display());
    format!("host = \"localhost\"\nport = {port}\nca_file = \"{ca}\"\npassword_file = \"mail.password\"")
}

fn smtp(server: &RunningPostfix) -> String {
    let (port, ca) = (server.settings(Security::StartTls).server.port, server.ca.display());
    format!(
        "host = \"localhost\"\nport = {port}\nsecurity = \"starttls\"\nca_file = \"{ca}\"\npassword_file = \"mail.password\""
    )
}

#[tokio::test]
async fn a_good_set_up_is_named_part_by_part_and_nothing_is_touched() {
    let postfix = postfix::start();
    let mut setup = Setup::new(&postfix);
    postfix.dovecot.deliver(&support::letter("waiting", "x"));
    let (code, said) = setup.connect();
    assert_eq!(code, 0, "{said}");
    for words in [
        "no faults; 1 mailbox, 1 engineer",
        "mailbox \"desk@corp.example/INBOX\": ok: login accepted, folder \"INBOX\" has 1 messages; IDLE; MOVE",
        "sending: ok: ",
        "no mail was sent",
        "database: ok: the file does not exist yet",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!setup.folder.path().join("desk.db").exists(), "the database was created by looking");
    assert_eq!(postfix.dovecot.files("").len(), 1);
    assert!(!postfix.dovecot.maildir.join(".Processed").exists());
    assert!(postfix.delivered(0).await.is_empty());

    setup.database = format!("url = \"{}\"", postgres::database().await);
    let (code, said) = setup.connect();
    assert!(code == 0 && said.contains("database: ok: opened, the schema is up to date"), "{said}");
}

#[tokio::test]
async fn a_server_without_idle_and_move_is_named_so() {
    let postfix = postfix::start();
    let dovecot = Dovecot { capabilities: "IMAP4rev1 ID UIDPLUS".into(), ..Dovecot::default() }.start();
    let setup = Setup { imap: imap(&dovecot), ..Setup::new(&postfix) };
    let (code, said) = setup.connect();
    assert!(code == 0 && said.contains("no IDLE") && said.contains("no MOVE"), "{said}");
}

#[tokio::test]
async fn a_broken_mailbox_is_named_with_what_helps() {
    let postfix = postfix::start();
    let good = imap(&postfix.dovecot);
    let with = |imap: String| Setup { imap, ..Setup::new(&postfix) };
    let line = "mailbox \"desk@corp.example/INBOX\"";
    with(good.replace("mail.password", "wrong.password")).check_broken(line, &["login refused", "授权码"]);
    with(format!("{good}\nfolder = \"Nowhere\""))
        .check_broken("mailbox \"desk@corp.example/Nowhere\"", &["Nowhere", "check folder"]);
    let nobody = support::free_port();
    let away = good.replace(&format!("port = {}", postfix.dovecot.tls), &format!("port = {nobody}"));
    with(away).check_broken(line, &["cannot connect", "firewall"]);
    let strange: String = good.lines().filter(|l| !l.starts_with("ca_file")).collect::<Vec<_>>().join("\n");
    with(strange).check_broken(line, &["TLS refused", "ca_file"]);
    let no_tls = good.replace(&format!("port = {}", postfix.dovecot.tls), &format!("port = {}", postfix.dovecot.plain));
    with(no_tls).check_broken(line, &["starttls", "993"]);
    for flaw in [Flaw::WrongName, Flaw::Expired] {
        let dovecot = Dovecot { flaw, ..Dovecot::default() }.start();
        with(imap(&dovecot)).check_broken(line, &["TLS refused", "certificate"]);
    }
}

#[tokio::test]
async fn a_broken_way_out_is_named_with_what_helps() {
    let postfix = postfix::start();
    let good = smtp(&postfix);
    let with = |smtp: String| Setup { smtp, ..Setup::new(&postfix) };
    with(good.replace("mail.password", "wrong.password")).check_broken("sending", &["535", "授权码"]);
    let port = |from: u16, to: u16| good.replace(&format!("port = {from}"), &format!("port = {to}"));
    let start_tls = postfix.settings(Security::StartTls).server.port;
    with(port(start_tls, support::free_port())).check_broken("sending", &["cannot connect", "firewall"]);
    let strange: String = good.lines().filter(|l| !l.starts_with("ca_file")).collect::<Vec<_>>().join("\n");
    with(strange).check_broken("sending", &["TLS refused", "ca_file"]);
    with("kind = \"sendmail\"\npath = \"mail.password\"".into()).check_broken("sending", &["is not a program"]);
}

#[tokio::test]
async fn a_broken_database_is_named_with_what_helps() {
    let postfix = postfix::start();
    let mut setup = Setup::new(&postfix);
    let url = postgres::database().await;
    let (_, tail) = url.split_once('?').unwrap();
    setup.database = format!("url = \"postgres:///nowhere?{tail}\"");
    setup.check_broken("database", &["nowhere"]);
    std::fs::write(setup.folder.path().join("url"), "postgres://desk:pg-hunter2@127.0.0.1:1/desk").unwrap();
    setup.database = "url_file = \"url\"".into();
    setup.check_broken("database", &["database"]);
    std::fs::write(setup.folder.path().join("broken.db"), [0xAA; 8192]).unwrap();
    setup.database = "url = \"sqlite:broken.db\"".into();
    setup.check_broken("database", &["damaged"]);
}

#[test]
fn faults_of_the_file_come_first() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("maildesk.toml");
    std::fs::write(&file, "[desk]\naddress = \"it\"\n").unwrap();
    let (code, said) = run(&file);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("desk.address") && !said.contains("database:"), "{said}");
}
