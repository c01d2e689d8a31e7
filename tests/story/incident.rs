//! Many people report one fault: each is heard, and nobody is called fifty times.

use crate::support::desk::{Desk, MINUTE, li, on_both_with, person, wang, zhang};
use maildesk::desk::ticket::{Number, What};
use maildesk::desk::words::{Priority, Status};

const ERP: &str = r#"
[triage.core_modules]
ERP = ["ERP", "用友"]
"#;

#[tokio::test(flavor = "multi_thread")]
async fn reports_of_one_fault_hang_on_the_first() {
    on_both_with(ERP, async |desk: &mut Desk| {
        let (zhang, wang, zhao) = (zhang(), wang(), person("zhao.min@corp.example", "赵敏"));
        let (chen, sun) = (person("chen@corp.example", "陈静"), person("sun@corp.example", "孙丽"));
        let first = desk.writes(&zhang, "用友打不开", "用友打不开，我们财务部都在等。\n部门：财务部").await;
        let lead = desk.ticket(1).await;
        assert_eq!((lead.fault.as_deref(), lead.parent), (Some("ERP"), None));
        let engineer = if lead.priority <= Priority::P2 { wang.clone() } else { li() };
        let notice = first.to(&engineer);

        // The second report is acknowledged, and only whoever leads hears of it.
        desk.clock.advance(5 * MINUTE);
        let second = desk.writes(&chen, "ERP 登录不了", "ERP 登录不了，一直转圈。\n部门：仓库").await;
        second.only_to(&[&chen, &engineer]);
        assert!(second.to(&chen).text.contains("这个故障已经有人报告"), "{}", second.to(&chen).text);
        assert!(second.to(&engineer).text.contains("已有 2 人报告"), "{}", second.to(&engineer).text);
        assert_eq!(desk.ticket(2).await.parent, Some(Number(1)));

        // The third department makes it P1, and the supervisor hears the count.
        desk.clock.advance(5 * MINUTE);
        let third = desk.writes(&sun, "ERP 报错", "ERP 报错打不开，急。\n部门：销售部").await;
        assert_eq!(desk.ticket(1).await.priority, Priority::P1);
        let told = third.0.iter().filter(|l| l.to == zhao.address.as_str());
        assert!(told.into_iter().any(|l| l.text.contains("已有 3 人报告，涉及 3 个部门")), "{third:?}");
        assert!(third.0.iter().filter(|l| l.to == sun.address.as_str()).count() == 1, "{third:?}");

        // Fifty more call nobody.
        let crowd: Vec<Vec<u8>> = (0..12)
            .map(|n| desk.mail(&person(&format!("p{n}@corp.example"), ""), "ERP 打不开", "ERP 打不开。"))
            .collect();
        let letters = desk.gets_all(&crowd).await;
        let staff = letters.0.iter().filter(|l| !l.to.starts_with('p')).count();
        assert_eq!((letters.0.len() - staff, staff), (12, 1), "{letters:?}");

        // What is said on the first ticket reaches everybody, on their own tickets.
        let said = desk.replies(&engineer, &notice, "数据库切换中，预计半小时恢复。").await;
        let to_reporters =
            said.0.iter().filter(|l| l.text.contains("数据库切换中") && !l.to.starts_with("zhao")).count();
        assert!(to_reporters >= 15, "{said:?}");
        assert!(said.to(&chen).subject.starts_with("[IT002]"), "{}", said.to(&chen).subject);
        assert!(desk.ticket(2).await.first_response.is_some());

        // One of them was about something else.
        desk.replies(&engineer, &notice, "#拆分 IT003").await;
        assert_eq!(desk.ticket(3).await.parent, None);

        let solved = desk.replies(&engineer, &notice, "#解决\n已恢复，请重新登录。").await;
        assert!(solved.to(&chen).text.contains("已恢复") && solved.to(&chen).text.contains("满意"));
        assert!(solved.0.iter().all(|l| l.to != sun.address.as_str()), "{solved:?}");
        assert_eq!(desk.ticket(2).await.status, Status::Resolved);
        assert!(desk.ticket(3).await.status.is_open());
        // Each rates for themselves.
        desk.replies(&chen, &solved.to(&chen), "满意").await.only_to(&[&chen]);
        assert_eq!((desk.ticket(2).await.status, desk.ticket(1).await.status), (Status::Closed, Status::Resolved));
        assert_eq!(desk.happened(1, |w| matches!(w, What::Joined { .. })).await, 14);

        // After it is over the next report leads a fault of its own.
        let again = desk.writes(&person("late@corp.example", ""), "ERP 打不开", "ERP 打不开。").await;
        assert!(again.0.len() >= 2, "{again:?}");
        assert_eq!(desk.ticket(16).await.parent, None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everyday_faults_do_not_hang_together() {
    on_both_with(ERP, async |desk: &mut Desk| {
        for (n, text) in ["打印机卡纸，急！", "打印机卡纸，很急", "请问 ERP 怎么导出报表？", "请问 ERP 怎么改密码？"]
            .iter()
            .enumerate()
        {
            let who = person(&format!("person{n}@corp.example"), "");
            let letters = desk.writes(&who, text, text).await;
            assert!(letters.0.len() >= 2, "{letters:?}");
            assert_eq!(desk.ticket(n as i64 + 1).await.parent, None, "{text}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engineer_hangs_tickets_together_by_hand() {
    on_both_with(ERP, async |desk: &mut Desk| {
        let (zhang, li) = (zhang(), li());
        let chen = person("chen@corp.example", "陈静");
        let one = desk.writes(&zhang, "打印机坏了", "三楼打印机打不出来。").await.to(&li);
        let two = desk.writes(&chen, "打印机不打印", "三楼那台打印机不打印。").await.to(&li);
        desk.replies(&li, &two, "#归入 IT001").await.only_to(&[&li]);
        assert_eq!(desk.ticket(2).await.parent, Some(Number(1)));
        let letters = desk.replies(&li, &one, "#解决\n换了硒鼓。").await;
        letters.only_to(&[&zhang, &chen]);
        let hint = desk.replies(&li, &one, "#拆分 IT009").await.to(&li);
        assert!(hint.text.contains("IT009 没有挂在别的故障下面"), "{}", hint.text);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worse_report_makes_the_fault_worse_and_strangers_hear_nothing() {
    on_both_with(ERP, async |desk: &mut Desk| {
        let (zhang, wang, zhao) = (zhang(), wang(), person("zhao.min@corp.example", "赵敏"));
        let (chen, stranger) = (person("chen@corp.example", "陈静"), person("li@elsewhere.example", ""));
        desk.writes(&zhang, "ERP 很慢", "ERP 打开很慢，只有我这台。").await;
        assert_eq!(desk.ticket(1).await.priority, Priority::P3);
        let down = desk.writes(&chen, "ERP 系统宕机", "ERP 系统宕机，全公司都不能用").await;
        assert_eq!((desk.ticket(1).await.priority, desk.ticket(2).await.parent), (Priority::P1, Some(Number(1))));
        for who in [&wang, &zhao] {
            assert!(
                down.0.iter().any(|l| l.to == who.address.as_str() && l.text.contains("紧急工单 IT001")),
                "{down:?}"
            );
        }
        desk.gets(desk.mail(&stranger, "ERP 打不开", "ERP 打不开")).await;
        assert_eq!(desk.ticket(3).await.parent, None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_helped_by_the_solution_has_a_ticket_of_their_own() {
    on_both_with(ERP, async |desk: &mut Desk| {
        let (zhang, li, chen) = (zhang(), li(), person("chen@corp.example", "陈静"));
        let notice = desk.writes(&zhang, "ERP 报错", "ERP 报错打不开，只有我这台。").await.to(&li);
        desk.writes(&chen, "ERP 打不开", "ERP 打不开，只有我这台。").await;
        let solved = desk.replies(&li, &notice, "#解决\n重启了服务。").await;
        desk.replies(&chen, &solved.to(&chen), "不满意，还是打不开").await;
        let ticket = desk.ticket(2).await;
        assert_eq!((ticket.parent, ticket.status), (None, Status::InProgress));
        assert!(
            desk.passes(MINUTE * 60 * 24 * 5).await.0.iter().any(|l| l.subject.contains("IT002")),
            "its clock runs"
        );
    })
    .await;
}
