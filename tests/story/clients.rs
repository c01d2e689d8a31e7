//! The same story with every mail program: an employee reports, an engineer works the ticket by replying, the employee rates.

use crate::support::clients::Client;
use crate::support::desk::{Desk, Letters, MINUTE, li, on_both, person, zhang};
use base64::Engine as _;
use maildesk::address::Mailbox;
use maildesk::demo::people::Letter;
use maildesk::desk::words::{Field, Rating, Status};

async fn replies(desk: &mut Desk, client: Client, from: &Mailbox, letter: &Letter, text: &str) -> Letters {
    desk.clock.advance(MINUTE);
    let raw = client.reply(from, &desk.address, letter, text, desk.now());
    desk.gets(raw).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_lives_in_every_mail_program() {
    on_both(async |desk: &mut Desk| {
        let li = li();
        for (n, client) in Client::ALL.into_iter().enumerate() {
            let number = n as i64 + 1;
            let who = person(&format!("person{n}@corp.example"), "钱进");
            let reported = desk.writes(&who, "打印机卡纸", "三楼打印机一直卡纸，打不出来。").await;
            let (acknowledgement, notice) = (reported.to(&who), reported.to(&li));
            // The form of the acknowledgement, filled in below the new words.
            let form = replies(desk, client, &who, &acknowledgement, "部门：财务部\n联系电话：13800138000").await;
            form.only_to(&[&li]);
            let told = desk.ticket(number).await.fields;
            assert_eq!(told.get(&Field::Department).map(String::as_str), Some("财务部"), "{client:?}");
            assert_eq!(told.get(&Field::Contact).map(String::as_str), Some("13800138000"), "{client:?}");
            // The engineer takes it and answers in one mail.
            let answered = replies(desk, client, &li, &notice, "＃认领\n您好，请先打开后盖。").await;
            answered.only_to(&[&who]);
            let answer = answered.to(&who);
            assert!(
                answer.text.contains("请先打开后盖") && !answer.text.contains("认领"),
                "{client:?}: {}",
                answer.text
            );
            assert!(
                !answer.text.contains("#帮助"),
                "{client:?}: what the desk told the engineer stays there: {}",
                answer.text
            );
            // An internal note, and only that.
            replies(desk, client, &li, &notice, "#备注 他用了杂牌纸").await.none();
            let message = replies(desk, client, &who, &answer, "打开了，里面没有纸。").await;
            message.only_to(&[&li]);
            let message = message.to(&li);
            assert!(
                message.text.contains("里面没有纸") && !message.text.contains("请先打开后盖"),
                "{client:?}: {}",
                message.text
            );
            let resolved = replies(desk, client, &li, &message, "#解决\n搓纸轮已更换，请再试一下。").await;
            resolved.only_to(&[&who]);
            let resolution = resolved.to(&who);
            assert!(resolution.text.contains("搓纸轮已更换") && !resolution.text.contains("杂牌"), "{client:?}");
            // One word; the quoted question holds all three grades.
            replies(desk, client, &who, &resolution, "基本满意").await.only_to(&[&who]);
            let ticket = desk.ticket(number).await;
            assert_eq!((ticket.status, ticket.rating), (Status::Closed, Some(Rating::Mostly)), "{client:?}");
            assert_eq!(desk.tickets().await, n + 1, "{client:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_few_words_end_a_ticket_in_every_mail_program() {
    on_both(async |desk: &mut Desk| {
        let li = li();
        for (n, client) in Client::ALL.into_iter().enumerate() {
            let number = n as i64 + 1;
            let who = person(&format!("person{n}@corp.example"), "钱进");
            let reported = desk.writes(&who, "打印机卡纸", "三楼打印机一直卡纸，打不出来。").await;
            let (acknowledgement, words, status) = match n % 2 {
                0 => (reported.to(&who), "刚才自己好了，谢谢", Status::Resolved),
                _ => (reported.to(&who), "不用处理了", Status::Cancelled),
            };
            let proposed = replies(desk, client, &who, &acknowledgement, words).await;
            proposed.only_to(&[&li]);
            let proposal = proposed.to(&li);
            assert!(proposal.text.contains("确认") && proposal.text.contains(words), "{client:?}: {}", proposal.text);
            assert!(desk.ticket(number).await.status.is_open(), "{client:?}: nothing is decided by a phrase");
            replies(desk, client, &li, &proposal, "确认").await.only_to(&[&who]);
            assert_eq!(desk.ticket(number).await.status, status, "{client:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn those_in_copy_follow_a_ticket_in_every_mail_program() {
    on_both(async |desk: &mut Desk| {
        let (li, liu) = (li(), person("liu.yang@corp.example", "刘洋"));
        let cc = |raw: Vec<u8>, who: &str| {
            let raw = String::from_utf8(raw).unwrap();
            raw.replacen("\r\nSubject:", &format!("\r\nCc: <{who}>\r\nSubject:"), 1).into_bytes()
        };
        for (n, client) in Client::ALL.into_iter().enumerate() {
            let who = person(&format!("person{n}@corp.example"), "钱进");
            let raw = cc(desk.mail(&who, "投影仪没有画面", "三号会议室投影仪没有画面。"), liu.address.as_str());
            let reported = desk.gets(raw).await;
            reported.only_to(&[&who, &li]);
            let notice = reported.to(&li);
            assert!(notice.text.contains("liu.yang@corp.example"), "{client:?}: {}", notice.text);
            let answered = replies(desk, client, &li, &notice, "请换一根线试试。").await;
            answered.only_to(&[&who, &liu]);
            let (answer, copy) = (answered.to(&who), answered.to(&liu));
            assert!(copy.text.contains("请换一根线试试"), "{client:?}: {}", copy.text);
            // A reply of somebody in copy reaches everybody else once.
            let joined = replies(desk, client, &liu, &copy, "换过了，还是没有。").await;
            joined.only_to(&[&who, &li]);
            assert!(joined.to(&who).text.contains("换过了"), "{client:?}");
            // Reply to all: Liu has it from the requester's own program.
            desk.clock.advance(MINUTE);
            let raw = client.reply(&who, &desk.address, &answer, "我也换过了。", desk.now());
            desk.gets(cc(raw, liu.address.as_str())).await.only_to(&[&li]);
            let resolved = replies(desk, client, &li, &notice, "#解决\n换了投影仪。").await;
            resolved.only_to(&[&who, &liu]);
            assert!(!resolved.to(&liu).text.contains("不满意"), "{client:?}: only the requester rates");
        }
    })
    .await;
}

/// A plain mail or reply with files below it, as programs send them that attach the signature's logo.
fn with_files(plain: &[u8], files: &[(&str, &[u8])]) -> Vec<u8> {
    let text = String::from_utf8(plain.to_vec()).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let is_content = |line: &&str| line.to_lowercase().starts_with("content-") || line.starts_with("MIME-Version");
    let (content, rest): (Vec<&str>, Vec<&str>) = head.lines().partition(is_content);
    let content: Vec<&str> = content.into_iter().filter(|line| line.starts_with("Content-")).collect();
    let mut raw = format!(
        "{}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"x1\"\r\n\r\n--x1\r\n{}\r\n\r\n{body}",
        rest.join("\r\n"),
        content.join("\r\n"),
    );
    for (name, bytes) in files {
        let bytes = base64::engine::general_purpose::STANDARD.encode(bytes);
        raw += &format!(
            "\r\n--x1\r\nContent-Type: image/png; name=\"{name}\"\r\nContent-Disposition: attachment; filename=\"{name}\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{bytes}"
        );
    }
    (raw + "\r\n--x1--\r\n").into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logo_that_comes_with_every_mail_is_passed_on_no_more() {
    on_both(async |desk: &mut Desk| {
        let (zhang, li) = (zhang(), li());
        let (logo, screen): (&[u8], &[u8]) = (b"\x89PNG\r\n\x1a\nlogo", b"\x89PNG\r\n\x1a\nscreen");
        let names = |letter: &Letter| -> Vec<String> {
            maildesk::mail::parse(&letter.raw).attachments.iter().map(|file| file.name.clone()).collect()
        };
        let first = desk.mail(&zhang, "打印机坏了", "打印机打不出来。");
        let letters = desk.gets(with_files(&first, &[("image001.png", logo)])).await;
        assert_eq!(names(&letters.to(&li)), ["image001.png"], "nobody knows yet what it is");
        let acknowledgement = letters.to(&zhang);
        for (text, files, passed_on) in [
            ("在三楼", &[("image001.png", logo)][..], &["image001.png"][..]),
            ("报错如图", &[("image001.png", logo), ("screen.png", screen)], &["screen.png"]),
            ("还是这样", &[("image001.png", logo), ("screen.png", screen)], &["screen.png"]),
        ] {
            let reply = desk.reply(&zhang, &acknowledgement, text);
            let letters = desk.gets(with_files(&reply, files)).await;
            assert_eq!(names(&letters.to(&li)), passed_on, "{text}");
        }
        // Nothing is lost: every mail keeps what came with it.
        let kept = desk.messages(1).await;
        assert_eq!(kept.iter().map(|message| message.attachments.len()).collect::<Vec<_>>(), [1, 1, 2, 2]);
    })
    .await;
}
