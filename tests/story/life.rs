//! A ticket's life: reported, taken, answered, worked around, resolved, rated, closed; and what else may come of it.

use crate::support::desk::{DAY, Desk, HOUR, MINUTE, li, on_both, person, wang, zhang};
use crate::support::post::{field, rich_reply};
use maildesk::desk::ticket::What;
use maildesk::desk::words::{Category, Priority, Rating, Status};

const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n a screenshot of the paper path";

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_printer_from_report_to_rating() {
    on_both(async |desk: &mut Desk| {
        let (zhang, li) = (zhang(), li());
        let text = "三楼的打印机从早上开始一直卡纸，重启过也不行。\n麻烦看一下，谢谢";
        let letters = desk.writes(&zhang, "三楼打印机卡纸", text).await;
        letters.only_to(&[&zhang, &li]);
        let (acknowledgement, notice) = (letters.to(&zhang), letters.to(&li));
        assert_eq!(acknowledgement.subject, "[IT001] 三楼打印机卡纸");
        assert!(
            acknowledgement.text.contains("IT001") && acknowledgement.text.contains("P3"),
            "{}",
            acknowledgement.text
        );
        assert_eq!(field(&acknowledgement.raw, "Auto-Submitted"), "auto-replied");
        assert!(notice.text.contains("重启过也不行") && notice.text.contains("#"), "{}", notice.text);
        let ticket = desk.ticket(1).await;
        assert_eq!((ticket.category, ticket.priority, ticket.status), (Category::Hardware, Priority::P3, Status::New));
        assert_eq!(ticket.first_response, None, "an acknowledgement is no answer");

        desk.clock.advance(6 * MINUTE);
        let html = "<p>#认领</p><p>您好，请先打开<b>后盖</b>：</p><p><img src=\"cid:image001.png@01DA.0\"></p>";
        let raw = rich_reply(
            &li,
            &notice,
            "#认领\n\n您好，请先打开后盖：",
            html,
            PICTURE,
            ("manual.pdf", b"%PDF-1.4 the manual"),
        );
        let letters = desk.gets(raw).await;
        letters.only_to(&[&zhang]);
        let answer = letters.to(&zhang);
        assert!(answer.from.starts_with("李娜"), "{}", answer.from);
        assert!(answer.text.contains("请先打开后盖") && !answer.text.contains("认领"), "{}", answer.text);
        let read = maildesk::mail::parse(&answer.raw);
        let html = read.body.html.unwrap();
        assert!(html.contains("<b>后盖</b>") || html.contains("<strong>后盖</strong>"), "{html}");
        assert!(!html.contains("认领"), "{html}");
        let picture = read.attachments.iter().find(|a| a.bytes == PICTURE).expect("the screenshot");
        assert!(picture.inline && html.contains(picture.content_id.as_deref().unwrap()), "{html}");
        assert!(read.attachments.iter().any(|a| a.name == "manual.pdf" && a.bytes == b"%PDF-1.4 the manual"));
        let ticket = desk.ticket(1).await;
        assert_eq!(ticket.status, Status::InProgress);
        assert_eq!(ticket.first_response, Some(desk.now()), "a person's answer is one");

        desk.clock.advance(20 * MINUTE);
        let letters = desk.replies(&zhang, &answer, "纸取出来了，还是卡。\n部门：财务部").await;
        letters.only_to(&[&li]);
        let message = letters.to(&li);
        assert!(message.from.starts_with("张伟") && message.text.contains("还是卡"), "{}", message.text);

        desk.clock.advance(20 * MINUTE);
        let letters = desk.replies(&li, &message, "#备注 搓纸轮是杂牌的，别告诉他").await;
        letters.none();
        let letters = desk.replies(&li, &message, "#临时措施\n今天请先用二楼打印机。").await;
        letters.only_to(&[&zhang]);
        assert!(letters.to(&zhang).text.contains("二楼打印机"));

        desk.clock.advance(HOUR);
        let letters = desk.replies(&li, &notice, "#步骤 更换搓纸轮\n#解决\n搓纸轮已更换，请您再试一下。").await;
        letters.only_to(&[&zhang]);
        let resolution = letters.to(&zhang);
        assert!(resolution.text.contains("搓纸轮已更换") && resolution.text.contains("满意"), "{}", resolution.text);
        assert_eq!(desk.ticket(1).await.status, Status::Resolved);

        desk.clock.advance(15 * MINUTE);
        let letters = desk.replies(&zhang, &resolution, "满意，谢谢！").await;
        letters.only_to(&[&zhang]);
        let ticket = desk.ticket(1).await;
        assert_eq!((ticket.status, ticket.rating), (Status::Closed, Some(Rating::Satisfied)));
        assert_eq!(desk.tickets().await, 1);
        assert_eq!(desk.lying(), 0, "every mail was put away");
        let all = desk.flow.store.all_outgoing().await.unwrap();
        for (row, bytes) in all.iter().filter(|(row, _)| row.to == zhang.address) {
            let said = maildesk::mail::parse(bytes).full_text;
            assert!(!said.contains("杂牌") && !said.contains("备注 搓"), "s67 {}: {said}", row.template);
        }
        let timers = desk.passes(30 * DAY).await;
        timers.none();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn not_satisfied_goes_to_a_more_senior_engineer_and_the_supervisor_knows() {
    on_both(async |desk: &mut Desk| {
        let (zhang, li, wang, zhao) = (zhang(), li(), wang(), person("zhao.min@corp.example", "赵敏"));
        let notice = desk.writes(&zhang, "打印机坏了", "打印机打不出来，一直报错。").await.to(&li);
        let resolution = desk.replies(&li, &notice, "#解决\n重装了驱动。").await.to(&zhang);
        desk.clock.advance(10 * MINUTE);
        let letters = desk.replies(&zhang, &resolution, "不满意，还是打不出来。").await;
        letters.only_to(&[&zhang, &wang, &zhao]);
        assert!(letters.to(&wang).text.contains("还是打不出来"));
        assert!(letters.to(&zhao).text.contains("李娜") && letters.to(&zhao).text.contains("王磊"));
        let ticket = desk.ticket(1).await;
        assert_eq!((ticket.status, ticket.cycle), (Status::InProgress, 2));
        assert_eq!(ticket.assignee, Some(wang.address.clone()));
        assert_eq!(ticket.rating, Some(Rating::Dissatisfied));
        let later = desk.passes(30 * DAY).await;
        later.only_to(&[&wang, &zhao, &zhao]);
        assert!(later.0.iter().any(|l| l.to == zhao.address.as_str() && l.text.contains("还没有人回访")), "{later:?}");
        assert!(
            later.to(&wang).text.contains("已超过解决时限"),
            "the old cycle's timers are dead, the new one's target runs"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_reminded_once_then_closed_and_is_no_rating() {
    on_both(async |desk: &mut Desk| {
        let (zhang, li) = (zhang(), li());
        let notice = desk.writes(&zhang, "打印机坏了", "打印机打不出来。").await.to(&li);
        desk.replies(&li, &notice, "#解决 换了硒鼓").await.only_to(&[&zhang]);
        desk.passes(20 * HOUR).await.none();
        desk.passes(6 * HOUR).await.only_to(&[&zhang]);
        assert_eq!(desk.ticket(1).await.status, Status::Resolved);
        desk.passes(DAY).await.none();
        desk.passes(2 * DAY).await.only_to(&[&zhang]);
        let ticket = desk.ticket(1).await;
        assert_eq!((ticket.status, ticket.rating), (Status::Closed, None));
        desk.passes(30 * DAY).await.none();
        assert_eq!(desk.happened(1, |w| *w == What::Reminded).await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_person_stops_the_response_clock() {
    on_both(async |desk: &mut Desk| {
        let (zhang, li, wang) = (zhang(), li(), wang());
        let letters = desk.writes(&zhang, "打印机坏了", "打印机打不出来。").await;
        let (notice, acknowledgement) = (letters.to(&li), letters.to(&zhang));
        desk.clock.advance(MINUTE);
        desk.replies(&zhang, &acknowledgement, "补充：在三楼").await.only_to(&[&li]);
        desk.replies(&li, &notice, "#备注 先看看").await.none();
        desk.replies(&li, &notice, "#优先级 P4 不急").await.none();
        let handed = desk.replies(&li, &notice, "#转派 王磊").await.to(&wang);
        assert_eq!(desk.ticket(1).await.first_response, None, "no human answer, nobody has taken it");
        desk.clock.advance(MINUTE);
        desk.replies(&wang, &handed, "#take").await.none();
        let taken = desk.now();
        assert_eq!(desk.ticket(1).await.first_response, Some(taken));
        desk.clock.advance(MINUTE);
        desk.replies(&wang, &handed, "马上来").await.only_to(&[&zhang]);
        assert_eq!(desk.ticket(1).await.first_response, Some(taken), "stopped once");
    })
    .await;
}
