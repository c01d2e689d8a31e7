//! Permissions wait for the owner of their module (`hardening.md` S15).

use crate::support::desk::{DAY, Desk, HOUR, MINUTE, li, on_both_with, person, zhang};
use maildesk::address::Mailbox;
use maildesk::desk::approval::State;
use maildesk::desk::ticket::{Number, What};
use maildesk::desk::words::{Status, Wait};

const ERP: &str = r#"
[[module]]
name = "ERP"
words = ["SAP", "用友"]
owners = ["孙浩 <sun.hao@corp.example>"]
substitutes = ["周敏 <zhou.min@corp.example>"]
"#;

fn sun() -> Mailbox {
    person("sun.hao@corp.example", "孙浩")
}

fn zhou() -> Mailbox {
    person("zhou.min@corp.example", "周敏")
}

async fn state(desk: &Desk) -> Option<State> {
    desk.flow.store.approval(Number(1)).await.unwrap().map(|approval| approval.state)
}

const WISH: &str = "请给财务部新同事刘洋开通 SAP 应付模块的只读权限，下周一入职，不急。";

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_is_given_only_after_its_owner_has_approved() {
    on_both_with(ERP, async |desk: &mut Desk| {
        let (zhang, li, sun) = (zhang(), li(), sun());
        let letters = desk.writes(&zhang, "申请开通 SAP 权限", WISH).await;
        letters.only_to(&[&zhang, &li, &sun]);
        assert!(letters.to(&sun).text.contains("刘洋") && letters.to(&sun).text.contains("#批准"));
        assert!(letters.to(&zhang).text.contains("负责人批准"), "{}", letters.to(&zhang).text);
        let (notice, request) = (letters.to(&li), letters.to(&sun));
        assert!(notice.text.contains("批准前请不要执行"), "{}", notice.text);
        let ticket = desk.ticket(1).await;
        assert_eq!((ticket.status, ticket.wait), (Status::Pending, Some(Wait::Approval)));
        // Too early.
        desk.clock.advance(MINUTE);
        let refused = desk.replies(&li, &notice, "#解决\n已开通").await;
        refused.only_to(&[&li]);
        assert!(refused.to(&li).text.contains("还没有批准"), "{}", refused.to(&li).text);
        // A word that is no answer is passed on, and the owner learns how to answer.
        let told = desk.replies(&sun, &request, "他是正式员工吗？").await;
        told.only_to(&[&li, &sun]);
        assert!(told.to(&li).text.contains("正式员工") && told.to(&sun).text.contains("#驳回 原因"));
        desk.clock.advance(HOUR);
        let approved = desk.replies(&sun, &request, "#批准\n只给到年底").await;
        approved.only_to(&[&zhang, &li, &sun]);
        for who in [&zhang, &li] {
            let text = approved.to(who).text;
            assert!(text.contains("孙浩") && text.contains("只给到年底"), "{text}");
        }
        assert!(approved.to(&li).text.contains("可以执行") && approved.to(&li).text.contains("刘洋"));
        let ticket = desk.ticket(1).await;
        assert_eq!((ticket.status, ticket.wait), (Status::InProgress, None));
        assert_eq!(desk.happened(1, |w| matches!(w, What::ApprovalAsked { .. })).await, 1);
        assert_eq!(desk.happened(1, |w| matches!(w, What::Approved { .. })).await, 1);
        let approval = desk.flow.store.approval(Number(1)).await.unwrap().unwrap();
        assert_eq!(approval.lead_time(desk.now()), HOUR + MINUTE);
        desk.replies(&li, &approved.to(&li), "#解决\n已开通，请重新登录。").await.only_to(&[&zhang]);
        assert_eq!(desk.ticket(1).await.status, Status::Resolved);
        // Nothing is left to fall due but the confirmation.
        desk.passes(30 * DAY).await.only_to(&[&zhang, &zhang]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s15_nobody_but_the_owner_approves_and_only_what_they_read() {
    on_both_with(ERP, async |desk: &mut Desk| {
        let (zhang, li, sun, zhou) = (zhang(), li(), sun(), zhou());
        let letters = desk.writes(&zhang, "申请开通 SAP 权限", WISH).await;
        let first = letters.to(&sun);
        // The owner forwards the letter to a colleague, who answers it: only words for the engineer.
        desk.replies(&zhou, &first, "#批准").await.only_to(&[&li]);
        // So does the requester, who is told why it does not count.
        let own = desk.replies(&zhang, &letters.to(&zhang), "#批准").await;
        own.only_to(&[&zhang]);
        assert!(own.to(&zhang).text.contains("您自己的申请"), "{}", own.to(&zhang).text);
        // And the engineer.
        desk.replies(&li, &letters.to(&li), "#批准").await.only_to(&[&li]);
        assert_eq!(state(desk).await, Some(State::Asked));
        // In the owner's name, without the letter: the owner is asked by mail.
        desk.clock.advance(MINUTE);
        let stolen = maildesk::demo::people::Letter { text: String::new(), ..letters.to(&zhang) };
        desk.replies(&sun, &stolen, "#批准").await.only_to(&[&sun]);
        assert_eq!(state(desk).await, Some(State::Asked));
        // The requester wants more: what was read before is approved no more.
        desk.clock.advance(MINUTE);
        let anew = desk.replies(&zhang, &letters.to(&zhang), "另外再加付款权限。").await;
        anew.only_to(&[&li, &sun]);
        assert!(anew.to(&sun).text.contains("付款权限") && anew.to(&sun).text.contains("刘洋"));
        desk.clock.advance(MINUTE);
        let again = desk.replies(&sun, &first, "#批准").await;
        again.only_to(&[&sun]);
        assert!(again.to(&sun).text.contains("付款权限"));
        assert_eq!(state(desk).await, Some(State::Asked));
        desk.clock.advance(MINUTE);
        let rejected = desk.replies(&sun, &anew.to(&sun), "#驳回 付款权限不能给").await;
        rejected.only_to(&[&zhang, &li, &sun]);
        assert!(rejected.to(&zhang).text.contains("付款权限不能给"));
        assert_eq!((state(desk).await, desk.ticket(1).await.status), (Some(State::Rejected), Status::InProgress));
        desk.replies(&li, &rejected.to(&li), "#关闭 按负责人意见不办理").await.only_to(&[&zhang]);
        assert_eq!(desk.ticket(1).await.status, Status::Closed);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_owner_is_reminded_replaced_and_told_of() {
    on_both_with(ERP, async |desk: &mut Desk| {
        let (zhang, li, sun, zhou, zhao) = (zhang(), li(), sun(), zhou(), person("zhao.min@corp.example", "赵敏"));
        let letters = desk.writes(&zhang, "ERP 报表", "我看不到付款报表，不急。").await;
        letters.only_to(&[&zhang, &li]);
        desk.clock.advance(MINUTE);
        let asked = desk.replies(&li, &letters.to(&li), "#approval ERP 只读\n#take").await;
        asked.only_to(&[&zhang, &sun]);
        assert!(asked.to(&sun).text.contains("付款报表") && asked.to(&zhang).text.contains("孙浩"));
        let reminded = desk.passes(DAY + MINUTE).await;
        reminded.only_to(&[&sun]);
        assert!(reminded.to(&sun).text.contains("还在等您"), "{}", reminded.to(&sun).text);
        let substitute = desk.passes(DAY).await;
        substitute.only_to(&[&zhou]);
        let overdue = desk.passes(DAY).await;
        overdue.only_to(&[&zhao]);
        assert!(overdue.to(&zhao).text.contains("孙浩") && overdue.to(&zhao).text.contains("周敏"));
        let done = desk.replies(&zhou, &substitute.to(&zhou), "#批准").await;
        done.only_to(&[&zhang, &li, &sun, &zhou]);
        assert_eq!((state(desk).await, desk.ticket(1).await.status), (Some(State::Approved), Status::InProgress));
    })
    .await;
}
