//! What engineers correct teaches the desk words, and a past ticket is judged by the very text that intake sorted.

use crate::support::desk::{Desk, li, on_both, person};
use maildesk::desk::triage::{Kind, learn};
use maildesk::desk::words::Category;

#[tokio::test(flavor = "multi_thread")]
async fn what_engineers_correct_becomes_a_proposal() {
    on_both(async |desk: &mut Desk| {
        let li = li();
        let gates = [
            "东门闸机刷不开",
            "南门闸机没反应",
            "闸机一直亮红灯",
            "食堂闸机卡住了",
            "北门闸机合不上",
            "一楼闸机过不去",
            "闸机认不出我",
            "地库闸机抬不起来",
        ];
        for (n, text) in gates.iter().enumerate() {
            let who = person(&format!("w{n}@corp.example"), "");
            let notice = desk.writes(&who, text, text).await.to(&li);
            desk.replies(&li, &notice, "#分类 硬件").await;
        }
        let cases = desk.cases().await;
        assert!(cases.iter().all(|case| case.category.is_some_and(|label| label.by_person)), "{cases:?}");
        let rules = desk.flow.policy().rules.clone();
        let found = learn(&rules, &cases);
        let proposal = found.proposals.iter().find(|one| one.term() == "闸机").unwrap_or_else(|| panic!("{found:?}"));
        assert!(proposal.kind() == Kind::Add && proposal.is_of_category() && proposal.worse.is_empty(), "{proposal:?}");
        let (before, after, of) = proposal.right;
        assert_eq!((before, after, of), (0, 8, 8), "{proposal:?}");

        // Nothing is applied by itself; pasted into the configuration it sorts the next report.
        let next = |rules: &maildesk::desk::triage::Rules| rules.triage("西门闸机", "坏了").category;
        assert_ne!(next(&rules), Category::Hardware);
        assert_eq!(next(&rules.extended(&proposal.snippet()).unwrap()), Category::Hardware);
    })
    .await;
}
