//! Time runs: urgent tickets call a team, targets that run out go up the ladder, tickets on hold are not forgotten.

use crate::support::desk::{DAY, Desk, HOUR, MINUTE, li, on_both, on_both_with, person, wang, zhang};
use maildesk::desk::ticket::What;
use maildesk::desk::words::{Priority, Status};

/// A calendar without nights and holidays, so that the story's hours are working hours.
const ALWAYS: &str = r#"
[calendar]
holidays = "none"
mon = ["00:00-24:00"]
tue = ["00:00-24:00"]
wed = ["00:00-24:00"]
thu = ["00:00-24:00"]
fri = ["00:00-24:00"]
sat = ["00:00-24:00"]
sun = ["00:00-24:00"]

[[manager]]
address = "sun.hao@corp.example"
name = "孙浩"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn an_urgent_ticket_goes_up_the_ladder_until_somebody_answers() {
    on_both_with(ALWAYS, async |desk: &mut Desk| {
        let (zhang, wang, zhao) = (zhang(), wang(), person("zhao.min@corp.example", "赵敏"));
        let chief = person("sun.hao@corp.example", "孙浩");
        let called = desk.writes(&zhang, "ERP 宕机", "ERP 系统宕机，全公司都不能用").await;
        called.only_to(&[&zhang, &wang, &zhao]);
        assert_eq!(desk.ticket(1).await.priority, Priority::P1);
        let notice = called.to(&wang);
        assert!(notice.text.contains("紧急工单 IT001") && notice.text.contains("赵敏"), "{}", notice.text);

        desk.passes(7 * MINUTE).await.none();
        desk.passes(MINUTE).await.only_to(&[&wang]);
        desk.passes(4 * MINUTE).await.only_to(&[&wang, &zhao]);
        let breach = desk.passes(3 * MINUTE).await;
        breach.only_to(&[&wang, &zhao, &chief]);
        assert!(breach.to(&chief).text.contains("已超过首次响应时限"), "{}", breach.to(&chief).text);
        assert_eq!(desk.happened(1, |w| matches!(w, What::Escalated { .. })).await, 3);

        // Any answer of a person's acknowledges, and everybody called hears it.
        let letters = desk.replies(&wang, &notice, "正在切换到备机，预计半小时。").await;
        letters.only_to(&[&zhang, &zhao]);
        assert!(letters.to(&zhao).text.contains("答复了报障人"), "{}", letters.to(&zhao).text);
        let reminded = desk.passes(30 * MINUTE).await;
        reminded.only_to(&[&wang]);
        let progress = desk.replies(&wang, &reminded.to(&wang), "备机已启动，还有十分钟。").await;
        progress.only_to(&[&zhang, &zhao]);
        // The supervisor's words are for the team.
        let letters = desk.replies(&zhao, &progress.to(&zhao), "客户那边我来说明。").await;
        letters.only_to(&[&wang]);
        desk.replies(&wang, &notice, "#解决\n已恢复。").await.only_to(&[&zhang, &zhao]);
        desk.passes(12 * HOUR).await.none();
    })
    .await;
}

/// The desk was down over three targets: each reader gets one letter about all of it.
#[tokio::test(flavor = "multi_thread")]
async fn r19_what_was_missed_is_told_once() {
    on_both_with(ALWAYS, async |desk: &mut Desk| {
        let (li, zhao) = (li(), person("zhao.min@corp.example", "赵敏"));
        for n in 1..=3 {
            let who = person(&format!("person{n}@corp.example"), "");
            desk.writes(&who, "打印机坏了", &format!("{n} 楼打印机打不出来。")).await.only_to(&[&who, &li]);
        }
        let missed = desk.passes(3 * HOUR).await;
        missed.only_to(&[&li, &zhao]);
        let text = missed.to(&li).text;
        assert!(["IT001", "IT002", "IT003"].iter().all(|number| text.contains(number)), "{text}");
        assert_eq!(missed.to(&li).subject, "3 张工单的时限请您关注");
        desk.passes(MINUTE).await.none();
        // A day back and forth again: nothing is told twice.
        desk.passes(HOUR).await.only_to(&[&li, &li, &li]);
        assert_eq!(desk.happened(1, |w| matches!(w, What::Escalated { .. })).await, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_that_waits_for_its_requester_is_reminded_of_and_closed() {
    on_both(async |desk: &mut Desk| {
        let (zhang, li) = (zhang(), li());
        let notice = desk.writes(&zhang, "打印机坏了", "打印机打不出来。").await.to(&li);
        let question = desk.replies(&li, &notice, "#挂起 报障人\n请问是哪一台？").await.to(&zhang);
        desk.passes(20 * HOUR).await.none();
        let reminder = desk.passes(4 * HOUR + MINUTE).await;
        reminder.only_to(&[&zhang]);
        assert!(reminder.to(&zhang).text.contains("还在等您的答复"), "{}", reminder.to(&zhang).text);
        desk.passes(2 * DAY).await.only_to(&[&zhang]);
        // An answer ends it; a new question begins it anew.
        desk.replies(&zhang, &question, "财务部那台 HP").await.only_to(&[&li]);
        assert_eq!(desk.ticket(1).await.status, Status::InProgress);
        desk.replies(&li, &notice, "#挂起 报障人\n型号是？背面有标签。").await.only_to(&[&zhang]);
        for day in 1..=14 {
            let letters = desk.passes(DAY).await;
            assert!(
                letters.0.len() <= 1 && letters.0.iter().all(|l| l.to == zhang.address.as_str()),
                "{day}: {letters:?}"
            );
        }
        let ticket = desk.ticket(1).await;
        assert_eq!((ticket.status, ticket.rating), (Status::Closed, None));
        assert_eq!(desk.happened(1, |w| *w == What::Reminded).await, 2 + 3);
        // A late answer opens it again.
        desk.replies(&zhang, &question, "找到了，是 HP 1020").await.only_to(&[&li]);
        assert!(desk.ticket(1).await.status.is_open());
    })
    .await;
}
