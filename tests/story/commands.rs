//! What an engineer orders by mail, in both languages; and slips, after which nothing goes out.

use crate::support::desk::{Desk, HOUR, Letters, MINUTE, li, on_both, person, wang, zhang};
use maildesk::desk::ticket::What;
use maildesk::desk::words::{Category, Priority, Status, Wait};

#[tokio::test(flavor = "multi_thread")]
async fn a_slip_sends_nothing_and_names_the_line() {
    on_both(async |desk: &mut Desk| {
        let (zhang, li) = (zhang(), li());
        let notice = desk.writes(&zhang, "打印机坏了", "打印机打不出来。").await.to(&li);
        let slips = [
            ("#reslove\n她又用错了，别告诉别人", "resolve"),
            ("#解决吧\n换好了", "#解决吧"),
            ("您好，纸已取出\n\n#备注 其实是他自己弄坏的", "#备注"),
            ("#take\n#priority 很高\n您好", "P1"),
            ("#取消1", "#取消1"),
            ("您好，纸已取出\n**#备住** 其实是他自己弄坏的", "#备住"),
            ("您好，纸已取出\n# 备注别告诉他", "#备注别告诉他"),
            ("您好，已换好\n#reslove", "#reslove"),
            ("#解决 换了硒鼓，#备注 是他自己弄坏的", "#解决"),
            ("#认领 马上过来", "#认领"),
            ("#合并 IT001", "IT001"),
            ("#合并 IT099", "IT099"),
        ];
        for (n, (text, named)) in slips.into_iter().enumerate() {
            desk.clock.advance(MINUTE);
            let letters = desk.replies(&li, &notice, text).await;
            letters.only_to(&[&li]);
            assert!(letters.to(&li).text.contains(named), "{text}: {}", letters.to(&li).text);
            let ticket = desk.ticket(1).await;
            assert_eq!((ticket.status, ticket.first_response), (Status::New, None), "{text}");
            assert_eq!(desk.happened(1, |w| *w == What::Refused).await, n + 1, "{text}");
        }
    })
    .await;
}

struct Order {
    text: &'static str,
    status: Status,
    /// A letter to the requester with these words; empty: none.
    requester: &'static str,
    /// A letter to the engineer with these words; empty: none.
    engineer: &'static str,
}

fn order(text: &'static str, status: Status, requester: &'static str, engineer: &'static str) -> Order {
    Order { text, status, requester, engineer }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_in_both_languages() {
    use Status::{Assigned, Cancelled, Closed, InProgress, New, Pending, Resolved};
    let orders = [
        order("＃优先级：P2 月结", New, "", ""),
        order("#category network", New, "", ""),
        order("#分类 硬件", New, "", ""),
        order("#priority P3", New, "", ""),
        order("#认领", Assigned, "", ""),
        order("#status", Assigned, "", "张伟"),
        order("#状态", Assigned, "", "P2"),
        order("#list", Assigned, "", "IT001"),
        order("#列表", Assigned, "", "IT001"),
        order("#help", Assigned, "", "#resolve"),
        order("#帮助", Assigned, "", "#解决"),
        order("#note\n他自己摔的", Assigned, "", ""),
        order("#备注 真的", Assigned, "", ""),
        order("#步骤 拆机", Assigned, "", ""),
        order("#step swap the drum", Assigned, "", ""),
        order("#挂起 厂商", Pending, "", ""),
        order("#继续", InProgress, "", ""),
        order("#wait\n请问机器型号是什么？", Pending, "机器型号", ""),
        order("#resume", InProgress, "", ""),
        order("#workaround use the one on floor 2", InProgress, "floor 2", ""),
        order("#临时措施\n先用二楼的", InProgress, "二楼", ""),
        order("#resolve\nnew drum", Resolved, "new drum", ""),
        order("#重开", InProgress, "IT001", ""),
        order("#解决 换了硒鼓", Resolved, "换了硒鼓", ""),
        order("#关闭 已当面确认", Closed, "当面确认", ""),
        order("#reopen", InProgress, "IT001", ""),
        order("#close", Closed, "IT001", ""),
        order("#重开", InProgress, "IT001", ""),
        order("#取消 重复报障", Cancelled, "重复报障", ""),
        order("#继续", Cancelled, "", "#继续"),
        order("#take", Cancelled, "", "#take"),
    ];
    on_both(async |desk: &mut Desk| {
        let (zhang, li) = (zhang(), li());
        let notice = desk.writes(&zhang, "打印机坏了", "打印机打不出来。").await.to(&li);
        for order in &orders {
            desk.clock.advance(MINUTE);
            let letters = desk.replies(&li, &notice, order.text).await;
            said(&letters, &zhang, order.requester, order.text);
            said(&letters, &li, order.engineer, order.text);
            assert_eq!(desk.ticket(1).await.status, order.status, "{}", order.text);
            if order.text.contains("挂起") {
                assert_eq!(desk.ticket(1).await.wait, Some(Wait::Vendor));
            }
        }
        let ticket = desk.ticket(1).await;
        assert_eq!((ticket.category, ticket.priority), (Category::Hardware, Priority::P3));
        assert_eq!(ticket.assignee, Some(li.address.clone()));
        assert_eq!(desk.happened(1, |w| *w == What::Step).await, 2);
        assert_eq!(desk.happened(1, |w| *w == What::Note).await, 2);
    })
    .await;
}

#[track_caller]
fn said(letters: &Letters, who: &maildesk::address::Mailbox, words: &str, order: &str) {
    let to: Vec<_> = letters.0.iter().filter(|l| l.to == who.address.as_str()).collect();
    assert_eq!(to.len(), usize::from(!words.is_empty()), "{order}: {letters:?}");
    assert!(to.iter().all(|l| l.text.contains(words)), "{order}: {letters:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_is_handed_on_by_name_and_by_address() {
    on_both(async |desk: &mut Desk| {
        let (zhang, li, wang, tom) = (zhang(), li(), wang(), person("tom@corp.example", "Tom Baker"));
        let notice = desk.writes(&zhang, "打印机坏了", "打印机打不出来，错误 0x61。").await.to(&li);
        let letters = desk.replies(&li, &notice, "#转派 王磊").await;
        letters.only_to(&[&wang]);
        assert!(letters.to(&wang).text.contains("0x61"), "the new one reads the report");
        let letters = desk.replies(&wang, &letters.to(&wang), "#assign tom@corp.example").await;
        letters.only_to(&[&tom]);
        assert_eq!(desk.ticket(1).await.assignee, Some(tom.address.clone()));
        let letters = desk.replies(&tom, &letters.to(&tom), "#assign Nobody").await;
        letters.only_to(&[&tom]);
        desk.clock.advance(HOUR);
        let taken = desk.replies(&li, &notice, "#take").await;
        taken.none();
        assert_eq!(desk.ticket(1).await.assignee, Some(li.address.clone()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s67_an_internal_note_never_leaves() {
    on_both(async |desk: &mut Desk| {
        let (zhang, li, wang) = (zhang(), li(), wang());
        let letters = desk.writes(&zhang, "打印机坏了", "打印机打不出来。").await;
        let (notice, acknowledgement) = (letters.to(&li), letters.to(&zhang));
        desk.replies(&li, &notice, "#备注\n机密甲").await.none();
        desk.replies(&li, &notice, "#note 机密乙").await.none();
        let handed = desk.replies(&li, &notice, "#转派 王磊\n#备注 机密丙").await.to(&wang);
        // The reply quotes what the colleague was sent, as mail clients do.
        let answer = desk.replies(&wang, &handed, "您好，马上来").await.to(&zhang);
        desk.replies(&zhang, &answer, "谢谢").await.only_to(&[&wang]);
        let internal = desk.replies(&wang, &handed, "#resolve\n#note 机密丁").await;
        internal.only_to(&[&zhang]);
        desk.replies(&zhang, &acknowledgement, "不满意").await;
        for (row, bytes) in desk.flow.store.all_outgoing().await.unwrap() {
            let said = maildesk::mail::parse(&bytes);
            let secret = said.full_text.contains("机密") || said.body.html.is_some_and(|h| h.contains("机密"));
            assert!(row.to != zhang.address || !secret, "{}: {}", row.template, said.full_text);
        }
        assert_eq!(desk.happened(1, |w| *w == What::Note).await, 4);
    })
    .await;
}
