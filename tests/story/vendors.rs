//! Vendors are asked by letter, and their answers reach the engineers alone.

use crate::support::desk::{Desk, HOUR, li, on_both_with, person, wang, zhang};
use maildesk::desk::words::{Status, Wait};

const VENDOR: &str = r#"
[[vendor]]
address = "support@vendor.example"
name = "联想服务"

[[vendor]]
address = "desk@network.example"
name = "华为"
categories = ["network"]
"#;

const AT_ONCE: &str = r#"
[[vendor]]
address = "support@corp.example"
name = "联想服务"
at_once = "yes"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn an_engineer_asks_a_vendor_and_the_requester_never_sees_it() {
    on_both_with(&VENDOR.replace("vendor.example", "corp.example"), async |desk: &mut Desk| {
        let (zhang, li, vendor) = (zhang(), li(), person("support@corp.example", "联想服务"));
        let notice = desk.writes(&zhang, "打印机坏了", "三楼打印机打不出来，只有我这台。").await.to(&li);
        let asked = desk.replies(&li, &notice, "#厂商\n定影组件坏了，型号 M7400，请报价。").await;
        asked.only_to(&[&vendor]);
        let letter = asked.to(&vendor);
        assert!(letter.text.contains("定影组件坏了") && letter.text.contains("IT001"), "{}", letter.text);
        let ticket = desk.ticket(1).await;
        assert_eq!((ticket.status, ticket.wait), (Status::Pending, Some(Wait::Vendor)));

        desk.clock.advance(2 * HOUR);
        let answer = desk.replies(&vendor, &letter, "有货，280 元，明天到。").await;
        answer.only_to(&[&li]);
        let told = answer.to(&li);
        assert!(told.text.contains("280 元") && told.text.contains("厂商 联想服务 的回信"), "{}", told.text);
        assert_eq!(desk.ticket(1).await.status, Status::InProgress);

        // Text alone is for the requester, as always; the vendor hears nothing of it.
        desk.replies(&li, &told, "配件明天到，到了就换。").await.only_to(&[&zhang]);
        // Whom would this be for?
        let refused = desk.replies(&li, &told, "#厂商 联想\n#解决\n好了").await;
        refused.only_to(&[&li]);
        assert!(refused.to(&li).text.contains("写给厂商的还是写给报障人的"), "{}", refused.to(&li).text);
        let unknown = desk.replies(&li, &told, "#厂商 戴尔\n在吗").await;
        assert!(unknown.to(&li).text.contains("联想服务, 华为"), "{}", unknown.to(&li).text);
        // Without a text the requester's words go along.
        let again = desk.replies(&li, &told, "#厂商 联想").await.to(&vendor);
        assert!(again.text.contains("三楼打印机打不出来"), "{}", again.text);
        for (row, bytes) in desk.flow.store.all_outgoing().await.unwrap() {
            let said = maildesk::mail::parse(&bytes).full_text;
            assert!(row.to != zhang.address || !said.contains("280 元"), "{said}");
        }
        assert_eq!(desk.tickets().await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn urgent_hardware_asks_for_spare_parts_at_once() {
    on_both_with(AT_ONCE, async |desk: &mut Desk| {
        let (zhang, wang, vendor) = (zhang(), wang(), person("support@corp.example", "联想服务"));
        let called = desk.writes(&zhang, "机房服务器硬盘坏了", "机房服务器硬盘坏了，全公司都不能用，RAID 报警。").await;
        let letter = called.to(&vendor);
        assert!(letter.text.contains("RAID 报警") && letter.text.contains("备件"), "{}", letter.text);
        assert!(called.0.iter().any(|l| l.to == wang.address.as_str()), "{called:?}");
        let answer = desk.replies(&vendor, &letter, "两小时内送到。").await;
        assert!(
            answer.0.iter().any(|l| l.to == wang.address.as_str() && l.text.contains("两小时内送到")),
            "{answer:?}"
        );
        assert!(answer.0.iter().all(|l| l.to != zhang.address.as_str()), "{answer:?}");
        // An everyday ticket asks nobody.
        let everyday = desk.writes(&person("a@corp.example", ""), "鼠标坏了", "鼠标坏了，只有我这个。").await;
        assert!(everyday.0.iter().all(|l| l.to != vendor.address.as_str()), "{everyday:?}");
    })
    .await;
}
