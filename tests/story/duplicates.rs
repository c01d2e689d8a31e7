//! The same mail again, mails too large, poison, and a mailbox full of old mail.

use super::faults::refuse;
use crate::support::desk::{DAY, Desk, MINUTE, li, on_both, on_both_with, person, zhang};
use crate::support::post::{with, without};
use std::time::Instant;

#[tokio::test(flavor = "multi_thread")]
async fn r12_the_same_mail_twice() {
    on_both(async |desk: &mut Desk| {
        let zhang = zhang();
        let raw = desk.mail(&zhang, "打印机坏了", "打印机打不出来。");
        desk.gets_all(&[raw.clone(), raw.clone()]).await.only_to(&[&zhang, &li()]);
        desk.gets(raw.clone()).await.none();
        // By another way: other Received and Delivered-To fields, the same mail.
        let other = with(
            with(raw.clone(), "Received: from list by mx; Mon, 23 Nov 2026 09:00:01 +0800"),
            "Delivered-To: support@corp.example",
        );
        desk.gets(other).await.none();
        assert_eq!((desk.tickets().await, desk.messages(1).await.len(), desk.lying()), (1, 1, 0));

        // The same Message-ID with another text is another message.
        let id = String::from_utf8_lossy(&raw).lines().find(|l| l.starts_with("Message-ID")).unwrap().to_owned();
        let twin = with(without(&desk.mail(&zhang, "键盘坏了", "键盘也坏了"), "Message-ID"), &id);
        desk.gets(twin).await;
        let kept =
            desk.messages(1).await.len() + if desk.tickets().await > 1 { desk.messages(2).await.len() } else { 0 };
        assert_eq!(kept, 2);

        // Without an id nothing is merged by sender, subject and second.
        let tickets = desk.tickets().await;
        let one = without(&desk.mail(&person("a@corp.example", ""), "坏了", "鼠标"), "Message-ID");
        let two = without(&desk.mail(&person("a@corp.example", ""), "坏了", "屏幕"), "Message-ID");
        desk.gets_all(&[one.clone(), two]).await;
        assert_eq!(desk.tickets().await, tickets + 2);
        desk.gets(one).await.none();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s55_a_mail_too_large_stays_on_the_server_and_is_told_once() {
    on_both(async |desk: &mut Desk| {
        let zhang = zhang();
        desk.intake.message_bytes = 200_000;
        let large = |n: usize| format!("{n}{}", "很大的附件".repeat(30_000));
        let letters = desk.writes(&zhang, "日志", &large(1)).await;
        letters.only_to(&[&zhang]);
        assert!(!letters.to(&zhang).text.contains("附件很大"), "{}", letters.to(&zhang).text);
        desk.clock.advance(MINUTE);
        desk.writes(&zhang, "日志二", &large(2)).await.none();
        assert_eq!(desk.tickets().await, 0);
        let aside = desk.aside().await;
        assert_eq!(aside.len(), 2);
        for message in aside {
            let kept = desk.flow.store.whole(message.id).await.unwrap().unwrap();
            assert!(kept.len() < 20_000 && message.size > 200_000, "{} of {}", kept.len(), message.size);
        }
        desk.writes(&zhang, "打印机坏了", "打印机打不出来。").await.only_to(&[&zhang, &li()]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r21_the_first_look_answers_nothing_old() {
    on_both_with("", async |desk: &mut Desk| {
        const OLD: usize = 5000;
        for n in 0..OLD {
            let raw = desk.mail(&person(&format!("old{n}@corp.example"), ""), "打印机坏了", &format!("旧邮件 {n}"));
            let at = desk.now() - 3 * DAY;
            desk.arrives_at(&raw, at);
        }
        let zhang = zhang();
        let begun = Instant::now();
        let letters = desk.writes(&zhang, "打印机坏了", "打印机打不出来。").await;
        println!("{OLD} old mails: {:?}", begun.elapsed());
        letters.only_to(&[&zhang, &li()]);
        assert_eq!(desk.tickets().await, 1);
        assert_eq!(desk.lying(), OLD, "old mail is left alone");
        desk.looks().await;
        assert_eq!((desk.tickets().await, desk.aside().await.len()), (1, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r13_poison_among_twenty_good_mails() {
    on_both(async |desk: &mut Desk| {
        refuse(desk, "insert", "ticket", "new.subject like 'poison%'").await;
        let (address, now) = (desk.address.clone(), desk.now());
        let good = |n: usize| {
            let from = person(&format!("good{n}@corp.example"), "");
            maildesk::demo::people::write(&from, &address, "打印机坏了", &format!("第 {n} 台"), now)
        };
        let refused = desk.mail(&zhang(), "poison 1", "the bytes must be kept \u{1F4A3}");
        let odd = |header: &str, body: &[u8]| {
            [
                format!("To: {}\r\nMessage-ID: <{}@x.example>\r\n", desk.address, header.len()).as_bytes(),
                header.as_bytes(),
                b"\r\n\r\n",
                body,
            ]
            .concat()
        };
        let bad = [
            refused.clone(),
            odd("From: a@corp.example\r\nSubject: nul", b"before\0after \0\0 printer broken"),
            [&b"From: b@corp.example\r\nSubject: \xff\xfe\xc3\x28 \x00\r\n\r\nprinter broken"[..]].concat(),
            odd("Subject: nobody wrote this", b"printer broken"),
            odd("From: \"a\" b\r\nSubject: no address", b"printer broken"),
            odd(
                "From: c@corp.example\r\nSubject: x\r\nContent-Type: text/plain; charset=x-klingon",
                b"tlhIngan \xd0\xcf maH",
            ),
            b"\0\0\0".to_vec(),
            odd("From: d@corp.example\r\nContent-Type: multipart/mixed; boundary=\"\"", b"--\r\n--\r\n----"),
        ];
        let mut mails: Vec<Vec<u8>> = (0..10).map(good).collect();
        mails.extend(bad.clone());
        mails.extend((10..20).map(good));
        let letters = desk.gets_all(&mails).await;
        for n in 0..20 {
            let who = format!("good{n}@corp.example");
            assert_eq!(letters.0.iter().filter(|l| l.to == who).count(), 1, "{who}");
        }
        let aside = desk.aside().await;
        let quarantined: Vec<_> =
            aside.iter().filter(|m| m.set_aside.as_ref().is_some_and(|why| why.contains("refused"))).collect();
        assert_eq!(quarantined.len(), 1, "{:?}", aside.iter().map(|m| &m.set_aside).collect::<Vec<_>>());
        assert_eq!(desk.flow.store.whole(quarantined[0].id).await.unwrap().as_ref(), Some(&refused));
        let mut kept = aside.len();
        for number in 1..=i64::try_from(desk.tickets().await).unwrap() {
            kept += desk.messages(number).await.len();
        }
        assert_eq!((kept, desk.lying()), (mails.len(), 0), "every mail has one place");
        // The same poison again is known by its bytes and stops nothing.
        desk.gets_all(&[refused, good(20)]).await.only_to(&[&person("good20@corp.example", ""), &li()]);
    })
    .await;
}
