//! A module is down: its team has the plan, and the heads of the departments that need it are told, and told when it is over.

use crate::support::desk::{Desk, MINUTE, on_both_with, person, wang, zhang};
use maildesk::desk::words::Priority;

const ERP: &str = r#"
[triage.core_modules]
ERP = ["用友"]

[[department]]
department = "财务部"
address = "qian@corp.example"
name = "钱多"
modules = ["ERP"]

[[department]]
department = "仓库"
address = "cang@corp.example"
name = "仓健"

[[department]]
department = "人事部"
address = "hr@corp.example"
name = "何姗"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn heads_hear_that_a_module_is_down_and_that_it_is_up_again() {
    on_both_with(ERP, async |desk: &mut Desk| {
        let (zhang, wang) = (zhang(), wang());
        let (finance, store) = (person("qian@corp.example", "钱多"), person("cang@corp.example", "仓健"));
        let called = desk.writes(&zhang, "ERP 宕机", "ERP 系统宕机，全公司都不能用。\n部门：仓库").await;
        assert_eq!(desk.ticket(1).await.priority, Priority::P1);
        for head in [&finance, &store] {
            assert!(called.to(head).text.contains("ERP 出现故障，目前无法正常使用"), "{}", called.to(head).text);
        }
        assert!(called.0.iter().all(|l| l.to != "hr@corp.example"), "{called:?}");
        // Nothing new for them until it is over.
        let notice = called.to(&wang);
        let answer = desk.replies(&wang, &notice, "正在切换。").await;
        assert!(answer.0.iter().all(|l| l.to != finance.address.as_str()), "{answer:?}");
        desk.clock.advance(20 * MINUTE);
        let solved = desk.replies(&wang, &notice, "#解决\n已恢复。").await;
        for head in [&finance, &store] {
            assert!(solved.to(head).text.contains("ERP 已恢复正常"), "{}", solved.to(head).text);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_department_that_reports_later_is_told_then() {
    on_both_with(ERP, async |desk: &mut Desk| {
        let (zhang, wang) = (zhang(), wang());
        let (finance, store, staff) = ("qian@corp.example", "cang@corp.example", "hr@corp.example");
        let told = |letters: &crate::support::desk::Letters| {
            let news = letters.0.iter().filter(|l| l.subject == "[IT001] ERP 故障").map(|l| l.to.clone());
            news.collect::<std::collections::BTreeSet<String>>()
        };
        let set = |heads: &[&str]| heads.iter().map(|head| (*head).to_owned()).collect();
        let called = desk.writes(&zhang, "ERP 宕机", "ERP 系统宕机，全公司都不能用。\n部门：仓库").await;
        assert_eq!(told(&called), set(&[finance, store]));
        let zhou = person("zhou@corp.example", "周洁");
        let second = desk.writes(&zhou, "ERP 宕机了", "ERP 系统宕机，打不开。\n部门：人事部").await;
        assert_eq!(told(&second), set(&[staff]));
        let third = desk.writes(&person("wu@corp.example", "吴迪"), "ERP 宕机", "ERP 宕机了。\n部门：人事部").await;
        assert_eq!(told(&third), set(&[]));
        let notice = called.to(&wang);
        let solved = desk.replies(&wang, &notice, "#解决\n已恢复。").await;
        assert_eq!(told(&solved), set(&[finance, store, staff]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everyday_faults_are_nobodys_outage() {
    on_both_with(ERP, async |desk: &mut Desk| {
        let letters = desk.writes(&zhang(), "ERP 报错", "ERP 报错打不开，只有我这台。\n部门：仓库").await;
        assert!(letters.0.iter().all(|l| !l.text.contains("出现故障")), "{letters:?}");
        // Raised by hand it is one, and lowered again it eases.
        let li = crate::support::desk::li();
        let notice = letters.to(&li);
        let raised = desk.replies(&li, &notice, "#优先级 P2 整个仓库").await;
        assert!(raised.0.iter().any(|l| l.to == "cang@corp.example" && l.text.contains("出现故障")), "{raised:?}");
        let eased = desk.replies(&li, &notice, "#优先级 P3 只剩一台").await;
        assert!(eased.0.iter().any(|l| l.to == "cang@corp.example" && l.text.contains("基本恢复")), "{eased:?}");
    })
    .await;
}
