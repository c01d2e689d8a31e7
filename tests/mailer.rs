//! The mailers against real and hostile servers.

mod support;

use maildesk::address::Address;
use maildesk::mailer::{Credentials, SmtpMailer, SmtpSettings, SmtpTimeouts};
use maildesk::ports::{Envelope, Mailer, SendOutcome};
use maildesk::wire::{Endpoint, Security};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use support::certificates::Flaw;
use support::dovecot::USER;
use support::script::{Say, Script};
use support::{letter, postfix};

fn to(address: &str) -> Envelope {
    Envelope { from: Address::parse("desk@corp.example"), to: Address::parse(address).unwrap() }
}

fn scripted(port: u16) -> SmtpSettings {
    let server = Endpoint { host: "127.0.0.1".into(), port, security: Security::Plain, ca_file: None };
    let second = Duration::from_millis(500);
    let timeouts =
        SmtpTimeouts { connect: second, greeting: second, envelope: second, data: second, piece: second, dot: second };
    SmtpSettings { timeouts, ..SmtpSettings::new(server, "desk.example") }
}

fn kind(outcome: &SendOutcome) -> &'static str {
    match outcome {
        SendOutcome::Accepted(_) => "accepted",
        SendOutcome::Retry(_) => "retry",
        SendOutcome::Unreachable(_) => "unreachable",
        SendOutcome::Refused(_) => "refused",
        SendOutcome::Unknown(_) => "unknown",
        SendOutcome::Misconfigured(_) => "misconfigured",
    }
}

/// An SMTP server that answers as usual except where `special` says otherwise; the letter ends with a `.` line.
fn smtp(mut special: impl FnMut(usize, &str) -> Option<Say> + Send) -> impl FnMut(usize, &str) -> Say + Send {
    let mut in_letter = None;
    move |connection, line| {
        if in_letter == Some(connection) && line != "." {
            return Say::Silence;
        }
        in_letter = None;
        if let Some(say) = special(connection, line) {
            return say;
        }
        Say::Text(match line.split(' ').next().unwrap_or("") {
            "EHLO" => "250-mx\r\n250 SIZE 30000000\r\n".into(),
            "DATA" => {
                in_letter = Some(connection);
                "354 go\r\n".into()
            }
            "QUIT" => return Say::Last("221 bye\r\n".into()),
            _ => "250 2.0.0 ok\r\n".into(),
        })
    }
}

#[tokio::test]
async fn letters_arrive_exactly_over_each_kind_of_protection() {
    let server = postfix::start();
    let mut count = 0;
    for security in [Security::Plain, Security::StartTls, Security::Tls] {
        let mut mailer = SmtpMailer::new(server.settings(security));
        for body in ["first", "second\r\n.\r\n..dots", "third\n.\nMAIL FROM:<evil@x.example>\n"] {
            let outcome = mailer.send(&to("li@corp.example"), &letter("hello", body)).await;
            assert_eq!(kind(&outcome), "accepted", "{security:?}: {outcome:?}");
            count += 1;
        }
        let outcome = mailer.send(&to("nobody@elsewhere.example"), &letter("hello", "x")).await;
        assert_eq!(kind(&outcome), "refused", "{security:?}: {outcome:?}");
        let outcome = mailer.send(&to("li@corp.example"), &letter("again", "after a refusal")).await;
        assert_eq!(kind(&outcome), "accepted", "{security:?}: {outcome:?}");
        count += 1;
        mailer.close().await;
    }
    let letters = server.delivered(count).await;
    assert_eq!(letters.len(), count, "s42: no letter was split into two");
    assert_eq!(letters.iter().filter(|l| l.contains("\n.\n..dots")).count(), 3);
    assert_eq!(letters.iter().filter(|l| l.contains("\n.\nMAIL FROM:<evil@x.example>\n")).count(), 3);
}

#[tokio::test]
async fn r15_s59_bad_passwords_and_certificates_are_faults_of_the_set_up() {
    let server = postfix::start();
    let mut settings = server.settings(Security::Tls);
    settings.credentials = Some(Credentials { user: USER.into(), password: "wrong password".to_owned().into() });
    let outcome = SmtpMailer::new(settings).send(&to("li@corp.example"), &letter("x", "x")).await;
    assert_eq!(kind(&outcome), "misconfigured", "{outcome:?}");
    for flaw in [Flaw::SelfSigned, Flaw::WrongName, Flaw::Expired] {
        let server = postfix::start_flawed(flaw);
        for security in [Security::Tls, Security::StartTls] {
            let outcome =
                SmtpMailer::new(server.settings(security)).send(&to("li@corp.example"), &letter("x", "x")).await;
            assert_eq!(kind(&outcome), "misconfigured", "{flaw:?} {security:?}: {outcome:?}");
        }
        assert!(!server.server.log().contains("authentication"), "{}", server.server.log());
    }
}

#[tokio::test]
async fn r14_r15_r16_every_stage_has_its_outcome() {
    let dot = ".";
    for (stage, say, expected) in [
        ("EHLO", "421 busy\r\n", "unreachable"),
        ("EHLO", "554 go away\r\n", "misconfigured"),
        ("MAIL", "451 MI:SFQ\r\n", "retry"),
        ("MAIL", "553 Mail from must equal authorized user\r\n", "misconfigured"),
        ("RCPT", "450 4.2.0 greylisted\r\n", "retry"),
        ("RCPT", "550 5.1.1 unknown\r\n", "refused"),
        ("RCPT", "550 Ip frequency limited\r\n", "retry"),
        ("DATA", "451 later\r\n", "retry"),
        ("DATA", "554 no\r\n", "refused"),
        (dot, "451 later\r\n", "retry"),
        (dot, "554 DT:SPM\r\n", "refused"),
        (dot, "421 closing\r\n", "retry"),
        (dot, "nonsense\r\n", "unknown"),
        ("MAIL", "nonsense\r\n", "retry"),
    ] {
        let script = Script::start(
            "220 mx\r\n",
            smtp(move |_, line| {
                // A server that dislikes EHLO dislikes HELO too.
                let hit = line.starts_with(stage) || (stage == "EHLO" && line.starts_with("HELO"));
                hit.then(|| Say::Text(say.into()))
            }),
        )
        .await;
        let outcome = SmtpMailer::new(scripted(script.port)).send(&to("li@corp.example"), &letter("x", "x")).await;
        assert_eq!(kind(&outcome), expected, "{stage} {say}: {outcome:?}");
    }
    for (greeting, expected) in [
        ("421 busy\r\n", "unreachable"),
        ("554 no\r\n", "misconfigured"),
        ("", "unreachable"),
        ("SSH-2.0\r\n", "unreachable"),
    ] {
        let script = Script::start(greeting, smtp(|_, _| None)).await;
        let outcome = SmtpMailer::new(scripted(script.port)).send(&to("li@corp.example"), &letter("x", "x")).await;
        assert_eq!(kind(&outcome), expected, "{greeting}: {outcome:?}");
    }
}

#[tokio::test]
async fn r16_a_lost_connection_is_unknown_only_after_the_dot() {
    for (stage, expected) in
        [("EHLO", "unreachable"), ("MAIL", "retry"), ("RCPT", "retry"), ("DATA", "retry"), (".", "unknown")]
    {
        for silent in [false, true] {
            let script = Script::start(
                "220 mx\r\n",
                smtp(move |_, line| {
                    let say = if silent { Say::Silence } else { Say::Last(String::new()) };
                    line.starts_with(stage).then_some(say)
                }),
            )
            .await;
            let outcome = SmtpMailer::new(scripted(script.port)).send(&to("li@corp.example"), &letter("x", "x")).await;
            assert_eq!(kind(&outcome), expected, "{stage} silent: {silent}: {outcome:?}");
        }
    }
}

#[tokio::test]
async fn a_connection_is_used_again_but_not_for_ever() {
    let script = Script::start("220 mx\r\n", smtp(|_, _| None)).await;
    let mut settings = scripted(script.port);
    settings.messages_per_connection = 3;
    let mut mailer = SmtpMailer::new(settings.clone());
    for _ in 0..7 {
        assert_eq!(kind(&mailer.send(&to("li@corp.example"), &letter("x", "x")).await), "accepted");
    }
    assert_eq!(script.count("EHLO"), 3);
    assert_eq!(script.count("QUIT"), 2);
    settings.idle = Duration::from_millis(50);
    let mut mailer = SmtpMailer::new(settings);
    mailer.send(&to("li@corp.example"), &letter("x", "x")).await;
    tokio::time::sleep(Duration::from_millis(80)).await;
    mailer.send(&to("li@corp.example"), &letter("x", "x")).await;
    assert_eq!(script.count("EHLO"), 5);
}

#[tokio::test]
async fn a_connection_the_server_gave_up_costs_nothing() {
    // Each connection serves one letter and is then dropped without a word, or with 421, or with NetEase's 450.
    for say in [Say::Last(String::new()), Say::Last("421 idle too long\r\n".into()), Say::Text("450 MI:DMC\r\n".into())]
    {
        let served = AtomicUsize::new(usize::MAX);
        let script = Script::start(
            "220 mx\r\n",
            smtp(move |connection, line| {
                if line == "." {
                    served.store(connection, Ordering::Relaxed);
                }
                (line.starts_with("MAIL") && served.load(Ordering::Relaxed) == connection).then(|| say.clone())
            }),
        )
        .await;
        let mut mailer = SmtpMailer::new(scripted(script.port));
        for _ in 0..3 {
            let outcome = mailer.send(&to("li@corp.example"), &letter("x", "x")).await;
            assert_eq!(kind(&outcome), "accepted", "{outcome:?}");
        }
        assert_eq!(script.count("EHLO"), 3);
    }
}

#[tokio::test]
async fn pipelining_saves_round_trips_and_keeps_the_outcomes() {
    for (stage, say, expected) in
        [("nothing", "", "accepted"), ("RCPT", "550 5.1.1 unknown\r\n", "refused"), ("MAIL", "451 later\r\n", "retry")]
    {
        let script = Script::start(
            "220 mx\r\n",
            smtp(move |_, line| match line {
                line if line.starts_with("EHLO") => {
                    Some(Say::Text("250-mx\r\n250-PIPELINING\r\n250 8BITMIME\r\n".into()))
                }
                line if line.starts_with(stage) => Some(Say::Text(say.into())),
                // Who refused the recipient refuses DATA.
                "DATA" if stage != "nothing" => Some(Say::Text("503 5.5.1 no recipients\r\n".into())),
                _ => None,
            }),
        )
        .await;
        let mut mailer = SmtpMailer::new(scripted(script.port));
        for _ in 0..2 {
            let outcome = mailer.send(&to("li@corp.example"), "Subject: 中\r\n\r\nx".as_bytes()).await;
            assert_eq!(kind(&outcome), expected, "{stage}: {outcome:?}");
        }
        let connections = if stage == "MAIL" { 2 } else { 1 };
        assert_eq!(script.count("EHLO"), connections, "{stage}");
        assert!(script.count("BODY=8BITMIME") >= 2);
    }
}

#[tokio::test]
async fn a_server_that_refuses_and_still_waits_for_a_letter_gets_none() {
    let script = Script::start(
        "220 mx\r\n",
        smtp(|_, line| match line {
            line if line.starts_with("EHLO") => Some(Say::Text("250-mx\r\n250 PIPELINING\r\n".into())),
            line if line.starts_with("RCPT") => Some(Say::Text("550 unknown\r\n".into())),
            _ => None,
        }),
    )
    .await;
    let mut mailer = SmtpMailer::new(scripted(script.port));
    for _ in 0..2 {
        assert_eq!(kind(&mailer.send(&to("li@corp.example"), &letter("x", "secret text")).await), "refused");
    }
    assert_eq!((script.count("secret text"), script.count("EHLO")), (0, 2));
}

#[tokio::test]
async fn s58_starttls_is_never_given_up() {
    for say in ["502 not implemented\r\n", "454 TLS not available\r\n", "220 go\r\n250 injected\r\n", "220 go\r\n"] {
        let script = Script::start(
            "220 mx\r\n",
            smtp(move |_, line| line.starts_with("STARTTLS").then(|| Say::Text(say.into()))),
        )
        .await;
        let mut settings = scripted(script.port);
        settings.server.security = Security::StartTls;
        settings.credentials = Some(Credentials { user: "desk".into(), password: "hunter2hunter2".to_owned().into() });
        let outcome = SmtpMailer::new(settings).send(&to("li@corp.example"), &letter("x", "x")).await;
        assert!(matches!(kind(&outcome), "misconfigured" | "unreachable"), "{say}: {outcome:?}");
        let seen = script.seen().join("\n");
        assert!(!seen.contains("AUTH") && !seen.contains("MAIL"), "{say}: {seen}");
    }
}

#[tokio::test]
async fn s60_the_password_is_in_no_error() {
    let script = Script::start(
        "220 mx\r\n",
        smtp(|_, line| match line {
            line if line.starts_with("EHLO") => Some(Say::Text("250-mx\r\n250 AUTH PLAIN\r\n".into())),
            line if line.starts_with("AUTH") => Some(Say::Text(format!("535 bad: {line} (hunter2hunter2)\r\n"))),
            _ => None,
        }),
    )
    .await;
    let mut settings = scripted(script.port);
    settings.credentials = Some(Credentials { user: "desk".into(), password: "hunter2hunter2".to_owned().into() });
    let shown = format!("{settings:?}");
    let outcome = SmtpMailer::new(settings).send(&to("li@corp.example"), &letter("x", "x")).await;
    assert_eq!(kind(&outcome), "misconfigured");
    let text = format!("{outcome:?} {shown}");
    // base64 of NUL desk NUL hunter2hunter2
    assert!(!text.contains("hunter2") && !text.contains("AGRlc2sAaHVudGVyMmh1bnRlcjI"), "{text}");
}

#[tokio::test]
async fn s62_a_hostile_server_is_left() {
    let endless = "x".repeat(100_000);
    let many = "250-x\r\n".repeat(1000);
    for greeting in [format!("220 {endless}"), format!("220-a\r\n{many}"), "220 a\r\n".into()] {
        let script =
            Script::start(&greeting, smtp(|_, line| line.starts_with("MAIL").then(|| Say::Text("x".repeat(10_000)))))
                .await;
        let outcome = SmtpMailer::new(scripted(script.port)).send(&to("li@corp.example"), &letter("x", "x")).await;
        assert!(matches!(kind(&outcome), "unreachable" | "retry"), "{outcome:?}");
    }
}

#[tokio::test]
async fn r27_a_tarpit_ends_at_the_deadline() {
    // One byte of the reply at a time never makes a reply.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        while tokio::io::AsyncWriteExt::write_all(&mut stream, b"2").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let begin = Instant::now();
    let outcome = SmtpMailer::new(scripted(port)).send(&to("li@corp.example"), &letter("x", "x")).await;
    assert_eq!(kind(&outcome), "unreachable", "{outcome:?}");
    assert!(begin.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn r28_no_server_no_name_no_loss() {
    let mut settings = scripted(support::free_port());
    let outcome = SmtpMailer::new(settings.clone()).send(&to("li@corp.example"), &letter("x", "x")).await;
    assert_eq!(kind(&outcome), "unreachable", "{outcome:?}");
    settings.server.host = "no-such-host.invalid".into();
    settings.timeouts.connect = Duration::from_secs(5);
    let outcome = SmtpMailer::new(settings).send(&to("li@corp.example"), &letter("x", "x")).await;
    assert_eq!(kind(&outcome), "unreachable", "{outcome:?}");
}

#[tokio::test]
async fn a_gbk_refusal_is_a_refusal() {
    let script = Script::start(
        "220 mx\r\n",
        smtp(|_, line| {
            line.starts_with("RCPT").then(|| Say::Bytes(b"550 \xd3\xc3\xbb\xa7\xb2\xbb\xb4\xe6\xd4\xda\r\n".to_vec()))
        }),
    )
    .await;
    let outcome = SmtpMailer::new(scripted(script.port)).send(&to("li@corp.example"), &letter("x", "x")).await;
    assert_eq!(outcome, SendOutcome::Refused("550 用户不存在".into()));
}

#[tokio::test]
async fn what_the_server_cannot_take_is_not_sent() {
    let script = Script::start(
        "220 mx\r\n",
        smtp(|_, line| line.starts_with("EHLO").then(|| Say::Text("250-mx\r\n250 SIZE 1000\r\n".into()))),
    )
    .await;
    let mut mailer = SmtpMailer::new(scripted(script.port));
    let outcome = mailer.send(&to("li@corp.example"), &letter("x", &"x".repeat(2000))).await;
    assert_eq!(kind(&outcome), "refused");
    assert_eq!(kind(&mailer.send(&to("li@corp.example"), &letter("x", "x")).await), "accepted");
}
