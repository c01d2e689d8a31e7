//! Employees and engineers with mail programs of the terminal, driven as a person drives them: neomutt and s-nail open the letter
//! from a mailbox, reply, and hand the mail to a program that stands for the mail server.

use crate::support::desk::{Desk, Letters, MINUTE, li, on_both, zhang};
use maildesk::address::Mailbox;
use maildesk::demo::people::Letter;
use maildesk::desk::words::{Rating, Status};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

#[derive(Clone, Copy, Debug)]
enum Program {
    /// Opens an editor with the letter quoted below the cursor.
    Neomutt,
    /// Takes the words line by line, quotes nothing.
    Snail,
    /// Quotes the letter, indented by tabs, above the words.
    SnailQuoting,
}

fn script(path: &Path, text: &str) {
    fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// What the program sends when `from` opens the letter and replies with these words.
fn reply(program: Program, from: &Mailbox, letter: &Letter, words: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for part in ["box/new", "box/cur", "box/tmp"] {
        fs::create_dir_all(at(part)).unwrap();
    }
    // As a mail server stores it.
    let raw = String::from_utf8(letter.raw.clone()).unwrap().replace("\r\n", "\n");
    fs::write(at("box/cur/1:2,S"), raw).unwrap();
    script(&at("sendmail"), &format!("cat > {}", at("sent.eml").display()));
    let mut typed = String::new();
    let command = match program {
        Program::Neomutt => {
            fs::write(at("words"), format!("{words}\n\n")).unwrap();
            let words = at("words").display().to_string();
            script(&at("editor"), &format!("cat {words} \"$1\" > \"$1.new\" && mv \"$1.new\" \"$1\""));
            let settings = format!(
                "set from = \"{address}\"\nset realname = \"{name}\"\nset mbox_type = Maildir\nset folder = {folder}\n\
                 set spoolfile = {folder}/box\nset sendmail = {folder}/sendmail\nset editor = {folder}/editor\n\
                 set charset = utf-8\nset copy = no\nset include = yes\nset fast_reply = yes\nset wait_key = no\n\
                 set quit = yes\nset abort_unmodified = no\nset header_cache = \"\"\nset sendmail_wait = 0\n",
                address = from.address,
                name = from.name,
                folder = folder.path().display(),
            );
            fs::write(at("muttrc"), settings).unwrap();
            "neomutt -n -F muttrc -f box -e 'push <reply><send-message><quit>'"
        }
        Program::Snail | Program::SnailQuoting => {
            let quote = if matches!(program, Program::SnailQuoting) { " quote" } else { "" };
            let settings = format!(
                "set ttycharset=utf-8 sendcharsets=utf-8 mta={}/sendmail from=\"{}\" noheader v15-compat{quote}\n",
                folder.path().display(),
                from.address
            );
            fs::write(at("mailrc"), settings).unwrap();
            typed = format!("reply 1\n{words}\n~.\nexit\n");
            "MAILRC=mailrc s-nail -n -f box"
        }
    };
    let mut terminal = Command::new("timeout")
        .args(["30", "script", "-qec", command, "/dev/null"])
        .current_dir(folder.path())
        .envs([("LANG", "C.UTF-8"), ("LC_ALL", "C.UTF-8"), ("TERM", "dumb")])
        .env("HOME", folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut keyboard = terminal.stdin.take().unwrap();
    // Held open until the program has ended: a closed terminal is another way to leave.
    let typing = std::thread::spawn(move || {
        if !typed.is_empty() {
            std::thread::sleep(Duration::from_millis(300));
        }
        keyboard.write_all(typed.as_bytes()).unwrap();
        keyboard
    });
    let screen = terminal.wait_with_output().unwrap();
    drop(typing.join());
    fs::read(at("sent.eml")).unwrap_or_else(|e| panic!("{program:?}: {e}: {}", String::from_utf8_lossy(&screen.stdout)))
}

async fn replies(desk: &mut Desk, program: Program, from: &Mailbox, letter: &Letter, words: &str) -> Letters {
    desk.clock.advance(MINUTE);
    let raw = String::from_utf8(reply(program, from, letter, words)).unwrap().replace('\n', "\r\n");
    desk.gets(raw.into_bytes()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_lives_in_mail_programs_of_the_terminal() {
    on_both(async |desk: &mut Desk| {
        let (zhang, li) = (zhang(), li());
        let programs = [
            (Program::Neomutt, Program::Neomutt),
            (Program::Snail, Program::Snail),
            (Program::SnailQuoting, Program::Neomutt),
        ];
        for (n, (employee, engineer)) in programs.into_iter().enumerate() {
            let number = n as i64 + 1;
            let reported = desk.writes(&zhang, &format!("打印机卡纸 {number}"), "三楼打印机一直卡纸，打不出来。").await;
            let notice = reported.to(&li);
            replies(desk, engineer, &li, &notice, "#备注 他用了杂牌纸").await.none();
            let answered = replies(desk, engineer, &li, &notice, "#认领\n您好，请先打开后盖。").await;
            answered.only_to(&[&zhang]);
            let answer = answered.to(&zhang);
            assert!(
                answer.text.contains("请先打开后盖") && !answer.text.contains("认领"),
                "{engineer:?}: {}",
                answer.text
            );
            let message = replies(desk, employee, &zhang, &answer, "打开了，里面没有纸。").await;
            message.only_to(&[&li]);
            let message = message.to(&li);
            assert!(
                message.text.contains("里面没有纸") && !message.text.contains("请先打开后盖"),
                "{employee:?}: {}",
                message.text
            );
            let resolution = replies(desk, engineer, &li, &message, "#解决\n搓纸轮已更换。").await.to(&zhang);
            replies(desk, employee, &zhang, &resolution, "满意").await.only_to(&[&zhang]);
            let ticket = desk.ticket(number).await;
            assert_eq!((ticket.status, ticket.rating), (Status::Closed, Some(Rating::Satisfied)), "{employee:?}");
        }
    })
    .await;
}
