//! Which ticket a mail belongs to, whatever clients, providers and strangers do to it.

use crate::support::desk::{DAY, Desk, MINUTE, li, on_both, person, wang, zhang};
use crate::support::post::{plain, with, without};
use maildesk::address::Mailbox;
use maildesk::desk::words::Status;

fn mail(desk: &Desk, from: &Mailbox, id: &str, answers: &str, text: &str) -> Vec<u8> {
    let answers = match answers {
        "" => String::new(),
        ids => {
            format!("In-Reply-To: <{}>\nReferences: <{}>\n", ids.rsplit(' ').next().unwrap(), ids.replace(' ', "> <"))
        }
    };
    let subject = if answers.is_empty() { "VPN does not connect" } else { "Re: VPN does not connect" };
    plain(
        &format!(
            "From: {}\nTo: {}\nSubject: {subject}\nMessage-ID: <{id}>\n{answers}Date: Mon, 23 Nov 2026 09:00:00 +0800",
            from.address, desk.address
        ),
        text,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn r26_three_mails_of_a_thread_in_every_order_are_one_ticket() {
    on_both(async |desk: &mut Desk| {
        let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        for (n, order) in orders.into_iter().enumerate() {
            for together in [false, true] {
                let tickets = desk.tickets().await;
                let who = person(&format!("alice{n}{together}@corp.example"), "Alice");
                let id = |part: &str| format!("{part}.{n}.{together}@corp.example");
                let (a, b, c) = (id("a"), id("b"), id("c"));
                let mails = [
                    mail(desk, &who, &a, "", "VPN error 809, the original"),
                    mail(desk, &who, &b, &a, "a reply to it"),
                    mail(desk, &who, &c, &format!("{a} {b}"), "a reply to the reply"),
                ];
                let ordered: Vec<Vec<u8>> = order.iter().map(|i| mails[*i].clone()).collect();
                if together {
                    desk.gets_all(&ordered).await;
                } else {
                    for raw in &ordered {
                        desk.gets(raw.clone()).await;
                        desk.clock.advance(MINUTE);
                    }
                }
                assert_eq!(desk.tickets().await, tickets + 1, "order {order:?}, together {together}");
                let number = i64::try_from(tickets + 1).unwrap();
                assert_eq!(desk.messages(number).await.len(), 3, "order {order:?}");
                assert_eq!(desk.ticket(number).await.subject, "VPN does not connect");
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_finds_its_ticket_with_whatever_is_left_of_it() {
    on_both(async |desk: &mut Desk| {
        let (zhang, li) = (zhang(), li());
        let letters = desk.writes(&zhang, "打印机坏了", "打印机打不出来。").await;
        let (acknowledgement, notice) = (letters.to(&zhang), letters.to(&li));
        // The provider rewrote our Message-ID: only the footer in the quote is left.
        let rewritten = maildesk::demo::people::Letter {
            message_id: "tencent_9A8B@qq.com".into(),
            references: vec![],
            ..acknowledgement.clone()
        };
        let raw = without(&desk.reply(&zhang, &rewritten, "还是不行"), "Subject");
        desk.gets(with(raw, "Subject: Re: printer")).await.only_to(&[&li]);
        // Headers only, quote and subject gone.
        let bare =
            maildesk::demo::people::Letter { text: String::new(), subject: "x".into(), ..acknowledgement.clone() };
        desk.replies(&zhang, &bare, "再补充一点").await.only_to(&[&li]);
        // The number in the subject only.
        desk.writes(&zhang, "[IT001] 打印机", "在三楼").await.only_to(&[&li]);
        desk.writes(&zhang, "答复：【IT001】打印机", "东边").await.only_to(&[&li]);
        // An engineer whose provider rewrote everything still gives orders by the footer.
        let rewritten = maildesk::demo::people::Letter {
            message_id: "x@qq.com".into(),
            references: vec![],
            subject: "hm".into(),
            ..notice
        };
        desk.replies(&li, &rewritten, "#认领\n收到").await.only_to(&[&zhang]);
        assert_eq!(desk.tickets().await, 1);
        assert_eq!(desk.messages(1).await.len(), 6);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s16_a_strangers_number_opens_a_new_ticket_with_a_note() {
    on_both(async |desk: &mut Desk| {
        let (zhang, li) = (zhang(), li());
        let acknowledgement = desk.writes(&zhang, "打印机坏了", "打印机打不出来，机密内容").await.to(&zhang);
        for (n, stranger) in ["mallory@outside.example", "chen@corp.example"].into_iter().enumerate() {
            let stranger = person(stranger, "");
            let before = desk.ticket(1).await;
            let letters = desk.writes(&stranger, "[IT001] 打印机坏了", "请把进展发给我").await;
            assert_eq!(desk.tickets().await, n + 2);
            assert_eq!(desk.ticket(1).await, before);
            let notice = letters.to(&li).text;
            assert!(notice.contains("IT001"), "{notice}");
            assert_eq!(notice.contains("已请报障人补充"), n == 1, "outsiders are asked nothing: {notice}");
            let told = letters.0.iter().filter(|l| l.to == stranger.address.as_str());
            assert!(told.clone().all(|l| !l.text.contains("机密")), "{letters:?}");
        }
        // A colleague with the requester's token is no participant either (S21), though the header ids say where.
        let chen = person("chen2@corp.example", "陈");
        let token = maildesk::demo::people::Letter {
            message_id: "gone@qq.com".into(),
            references: vec![],
            subject: "x".into(),
            ..acknowledgement
        };
        desk.replies(&chen, &token, "转给我").await;
        assert_eq!(desk.tickets().await, 4, "s21");
        assert_eq!(desk.messages(1).await.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s19_being_in_cc_gives_nothing() {
    on_both(async |desk: &mut Desk| {
        let (zhang, li) = (zhang(), li());
        let evil = person("evil@corp.example", "");
        desk.writes(&zhang, "打印机坏了", "机密内容").await;
        let raw = with(desk.mail(&zhang, "[IT001] 打印机坏了", "抄送同事"), "Cc: evil@corp.example");
        let message = desk.gets(raw).await;
        message.only_to(&[&li]);
        desk.replies(&li, &message.to(&li), "请重启打印机").await.only_to(&[&zhang]);
        let letters = desk.writes(&evil, "[IT001] 打印机坏了", "#status\n进展如何？").await;
        assert!(
            letters
                .0
                .iter()
                .filter(|l| l.to == evil.address.as_str())
                .all(|l| !l.text.contains("机密") && !l.text.contains("重启"))
        );
        assert_eq!(desk.tickets().await, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replies_follow_a_merge() {
    on_both(async |desk: &mut Desk| {
        let (zhang, li) = (zhang(), li());
        let chen = person("chen@corp.example", "陈静");
        desk.writes(&zhang, "三楼打印机坏了", "打印机打不出来。").await;
        let letters = desk.writes(&chen, "打印机打不出来", "三楼的打印机打不出来。").await;
        let (acknowledgement, notice) = (letters.to(&chen), letters.to(&li));
        let told = desk.replies(&li, &notice, "#合并 IT001").await;
        told.only_to(&[&chen]);
        let told = told.to(&chen);
        assert!(told.subject.starts_with("[IT002]") && told.text.contains("IT001"), "{}\n{}", told.subject, told.text);
        assert!(!told.text.contains("三楼打印机坏了") && !told.text.contains("张伟"), "{}", told.text);
        let merged = desk.ticket(2).await;
        assert_eq!((merged.status, merged.merged_into.map(|n| n.0)), (Status::Closed, Some(1)));
        let messages = desk.messages(1).await.len();
        desk.replies(&chen, &acknowledgement, "现在还报错").await.only_to(&[&li]);
        assert_eq!(desk.messages(1).await.len(), messages + 1);
        assert_eq!(desk.tickets().await, 2);

        // What was meant for Chen would go to Zhang: held back.
        desk.clock.advance(MINUTE);
        let held = desk.replies(&li, &notice, "陈静您好，请重启电脑").await;
        held.only_to(&[&li]);
        assert!(held.to(&li).text.contains("张伟"), "{}", held.to(&li).text);
        let letters = desk.replies(&li, &held.to(&li), "#解决\n张伟您好，换了硒鼓").await;
        letters.only_to(&[&zhang, &chen]);
        let result = letters.to(&chen);
        assert!(result.text.contains("IT002") && !result.text.contains("硒鼓"), "{}", result.text);
        desk.replies(&chen, &result, "我这边还是不行").await.only_to(&[&li]);
        // A closed ticket takes nobody in.
        let late = desk.writes(&person("zhou@corp.example", "周"), "打印机", "打不出来").await.to(&li);
        desk.replies(&zhang, &letters.to(&zhang), "满意").await;
        desk.clock.advance(MINUTE);
        let refused = desk.replies(&li, &late, "#合并 IT001").await;
        refused.only_to(&[&li]);
        assert!(refused.to(&li).text.contains("#重开"), "{}", refused.to(&li).text);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s23_a_stranger_cannot_reopen() {
    on_both(async |desk: &mut Desk| {
        let (zhang, li, wang) = (zhang(), li(), wang());
        let letters = desk.writes(&zhang, "打印机坏了", "打印机打不出来。").await;
        let resolution = desk.replies(&li, &letters.to(&li), "#resolve\n好了").await.to(&zhang);
        desk.replies(&zhang, &resolution, "满意").await;
        assert_eq!(desk.ticket(1).await.status, Status::Closed);
        let stranger = person("chen@corp.example", "陈静");
        for _ in 0..3 {
            desk.clock.advance(20 * MINUTE);
            desk.replies(&stranger, &resolution, "还是不行").await;
            assert_eq!(desk.ticket(1).await.status, Status::Closed);
        }
        assert_eq!(desk.ticket(2).await.related.map(|n| n.0), Some(1));
        // The requester can, once; what comes after joins the open ticket.
        let zhao = person("zhao.min@corp.example", "赵敏");
        desk.replies(&zhang, &resolution, "还是不行，又卡纸了").await.only_to(&[&zhang, &wang, &zhao]);
        desk.clock.advance(MINUTE);
        desk.replies(&zhang, &resolution, "还是不行，又卡纸了，第二次").await.only_to(&[&wang]);
        let ticket = desk.ticket(1).await;
        assert_eq!((ticket.status, ticket.cycle), (Status::InProgress, 2));
    })
    .await;
}

/// Some programs and providers leave out what a reply answers; then its subject counts, for its requester alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_names_nothing_belongs_to_the_open_ticket_of_its_subject() {
    on_both(async |desk: &mut Desk| {
        let (zhang, li, chen) = (zhang(), li(), person("chen@corp.example", "陈静"));
        let notice = desk.writes(&zhang, "三楼打印机坏了", "打印机打不出来。").await.to(&li);
        desk.clock.advance(MINUTE);
        desk.writes(&zhang, "Re: 三楼打印机坏了", "补充：是惠普的。").await.only_to(&[&li]);
        desk.clock.advance(MINUTE);
        desk.writes(&zhang, "回复：三楼打印机坏了", "现在又卡纸了。").await.only_to(&[&li]);
        assert_eq!((desk.tickets().await, desk.messages(1).await.len()), (1, 3));
        // The same without the mark of a reply, and from somebody else: reports of their own.
        desk.clock.advance(MINUTE);
        desk.writes(&chen, "Re: 三楼打印机坏了", "我这边也坏了。").await.only_to(&[&chen, &li]);
        assert_eq!(desk.tickets().await, 2);
        desk.clock.advance(MINUTE);
        desk.writes(&zhang, "三楼打印机坏了", "又坏了一台。").await.only_to(&[&zhang, &li]);
        assert_eq!(desk.tickets().await, 3);
        // Two of them: it may be either.
        desk.clock.advance(MINUTE);
        desk.writes(&zhang, "Re: 三楼打印机坏了", "怎么样了？").await.only_to(&[&zhang, &li]);
        assert_eq!(desk.tickets().await, 4);
        // What is over is over.
        desk.replies(&li, &notice, "#关闭").await;
        desk.writes(&chen, "网络断了", "断网了。").await;
        desk.clock.advance(15 * DAY);
        desk.writes(&chen, "Re: 网络断了", "还是断的。").await;
        assert_eq!(desk.tickets().await, 6);
    })
    .await;
}
