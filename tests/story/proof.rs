//! Who may give orders (`design.md` 5.5): nothing a stranger writes acts with an engineer's authority.

use crate::support::desk::{BORDER, Desk, MINUTE, li, on_both, on_both_with, person, wang, zhang};
use crate::support::post::{field, with};
use maildesk::desk::words::Status;

#[tokio::test(flavor = "multi_thread")]
async fn s1_a_spoofed_engineer_does_nothing_until_the_real_one_confirms() {
    on_both(async |desk: &mut Desk| {
        let (zhang, li) = (zhang(), li());
        let acknowledgement = desk.writes(&zhang, "打印机坏了", "打印机打不出来。").await.to(&zhang);
        // The attacker read the requester's letter and writes as the engineer, with everything but the proof.
        let text = "#resolve\n已换硒鼓";
        let stolen = maildesk::demo::people::Letter { text: String::new(), ..acknowledgement.clone() };
        for letter in [&stolen, &acknowledgement] {
            desk.clock.advance(MINUTE);
            let letters = desk.replies(&li, letter, text).await;
            letters.only_to(&[&li]);
            assert_eq!(desk.ticket(1).await.status, Status::New);
            let asked = letters.to(&li);
            assert!(asked.text.contains("已换硒鼓") && asked.text.contains("#resolve"), "{}", asked.text);
        }
        desk.clock.advance(MINUTE);
        let asked = desk.replies(&li, &stolen, text).await.to(&li);
        let letters = desk.replies(&li, &asked, "ok").await;
        letters.only_to(&[&zhang]);
        assert!(letters.to(&zhang).text.contains("已换硒鼓"));
        assert!(letters.to(&zhang).from.starts_with("李娜"), "{}", letters.to(&zhang).from);
        assert_eq!(desk.ticket(1).await.status, Status::Resolved);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s1_another_engineers_reference_proves_nothing() {
    on_both(async |desk: &mut Desk| {
        let (zhang, li, wang) = (zhang(), li(), wang());
        let notice = desk.writes(&zhang, "打印机坏了", "打印机打不出来。").await.to(&li);
        let letters = desk.replies(&wang, &notice, "#close\n不处理").await;
        letters.only_to(&[&wang]);
        let ticket = desk.ticket(1).await;
        assert_eq!((ticket.status, ticket.assignee), (Status::New, Some(li.address.clone())));
        // Nor does a stranger with the engineer's reference: an ordinary participant's words at most.
        let letters = desk.replies(&zhang, &notice, "#close").await;
        letters.only_to(&[&li]);
        assert_eq!(desk.ticket(1).await.status, Status::New);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s7_only_the_own_servers_single_verdict_counts() {
    let settings = format!("\n[proof]\nauthserv_id = \"{BORDER}\"\n");
    on_both_with(&settings, async |desk: &mut Desk| {
        let (zhang, li) = (zhang(), li());
        let letters = desk.writes(&zhang, "打印机坏了", "打印机打不出来。").await;
        let stolen = maildesk::demo::people::Letter { text: String::new(), ..letters.to(&zhang) };
        let verdict = |id: &str, what: &str| format!("Authentication-Results: {id}; {what} header.from=corp.example");
        let forged: [&[String]; 6] = [
            &[],
            &[verdict(BORDER, "dmarc=fail")],
            &[verdict("mx.evil.example", "dmarc=pass")],
            &[verdict(BORDER, "dmarc=pass"), verdict(BORDER, "dmarc=fail")],
            &[format!("Authentication-Results: {BORDER}; dmarc=pass header.from=evil.example")],
            &[format!("Authentication-Results: {BORDER}; dmarc=fail reason=\"dmarc=pass header.from=corp.example\"")],
        ];
        for (n, fields) in forged.into_iter().enumerate() {
            desk.clock.advance(MINUTE);
            let raw = desk.reply(&li, &stolen, &format!("#认领\n第{n}次"));
            let raw = fields.iter().fold(raw, |raw, f| with(raw, f));
            desk.gets(raw).await.only_to(&[&li]);
            assert_eq!(desk.ticket(1).await.status, Status::New, "{fields:?}");
        }
        let raw = with(desk.reply(&li, &stolen, "#认领\n马上来"), &verdict(BORDER, "spf=pass; dmarc=pass (p=reject)"));
        let letters = desk.gets(raw).await;
        letters.only_to(&[&zhang]);
        assert_eq!(desk.ticket(1).await.status, Status::InProgress);
        assert!(field(&letters.to(&zhang).raw, "In-Reply-To").contains('@'));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s1_a_no_carries_nothing_out_and_a_stranger_is_told_of() {
    on_both(async |desk: &mut Desk| {
        let (zhang, li, zhao) = (zhang(), li(), person("zhao.min@corp.example", "赵敏"));
        let acknowledgement = desk.writes(&zhang, "打印机坏了", "打印机打不出来。").await.to(&zhang);
        let stolen = maildesk::demo::people::Letter { text: String::new(), ..acknowledgement.clone() };
        let asked = desk.replies(&li, &stolen, "#close\n不处理").await.to(&li);
        let again = desk.replies(&li, &asked, "稍等，我看一下").await;
        again.only_to(&[&li]);
        desk.clock.advance(MINUTE);
        desk.replies(&li, &again.to(&li), "这是什么").await.none();
        let told = desk.replies(&li, &again.to(&li), "不是我发的").await;
        told.only_to(&[&li, &zhao]);
        assert!(
            told.to(&zhao).text.contains("李娜") && told.to(&zhao).text.contains("#close"),
            "{}",
            told.to(&zhao).text
        );
        desk.clock.advance(MINUTE);
        desk.replies(&li, &asked, "ok").await.only_to(&[&li]);
        assert_eq!(desk.ticket(1).await.status, Status::New);
        // An empty reply is the yes that the letter promises.
        desk.clock.advance(MINUTE);
        let asked = desk.replies(&li, &stolen, "#认领").await.to(&li);
        desk.replies(&li, &asked, "").await.none();
        assert_eq!(desk.ticket(1).await.status, Status::Assigned);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_supervisor_is_heard_by_the_engineer_and_never_by_the_requester() {
    on_both(async |desk: &mut Desk| {
        let (zhang, li, wang, zhao) = (zhang(), li(), wang(), person("zhao.min@corp.example", "赵敏"));
        let notice = desk.writes(&zhang, "打印机坏了", "打印机打不出来。").await.to(&li);
        let resolution = desk.replies(&li, &notice, "#解决\n换了硒鼓").await.to(&zhang);
        let dissatisfied = desk.replies(&zhang, &resolution, "不满意，还是卡纸").await.to(&zhao);
        let heard = desk.replies(&zhao, &dissatisfied, "今天必须解决，内部的话").await;
        heard.only_to(&[&wang]);
        assert!(heard.to(&wang).text.contains("内部的话") && heard.to(&wang).text.contains("主管"));
        desk.clock.advance(MINUTE);
        desk.replies(&zhao, &dissatisfied, "#转派 李娜").await.only_to(&[&li]);
        assert_eq!(desk.ticket(1).await.assignee, Some(li.address.clone()));
        desk.replies(&zhao, &dissatisfied, "#关闭").await.only_to(&[&zhao]);
        assert_eq!(desk.ticket(1).await.status, Status::InProgress);
    })
    .await;
}
