//! Appointments on site, from the invitation to the visit and after it, with the answers of real calendar programs.

use crate::support::calendars::{apple, entry, google, outlook, thunderbird};
use crate::support::desk::{DAY, Desk, HOUR, MINUTE, li, on_both, on_both_with, person, wang, zhang};
use maildesk::desk::ticket::What;
use maildesk::desk::words::{Attendance, Status, Wait};
use std::time::Duration;

async fn answers(desk: &Desk) -> Vec<Attendance> {
    let timeline = desk.timeline(1).await;
    let answer = |what: &What| if let What::VisitAnswered { answer, .. } = what { Some(*answer) } else { None };
    timeline.iter().filter_map(|entry| answer(&entry.what)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_from_the_invitation_to_the_rating() {
    on_both_with("\n[visit]\nsame_site = \"3d\"\n", async |desk: &mut Desk| {
        let (zhang, li) = (zhang(), li());
        let notice = desk.writes(&zhang, "打印机坏了", "三楼打印机打不出来，只有我这台。").await.to(&li);
        let letters = desk.replies(&li, &notice, "#上门 明天 14：00 三楼财务部\n我带新硒鼓过来。").await;
        letters.only_to(&[&zhang, &li]);
        let invited = letters.to(&zhang);
        assert!(invited.text.contains("我带新硒鼓过来。") && invited.from.starts_with("李娜"), "{invited:?}");
        let made = entry(&invited);
        assert_eq!((made.method.as_str(), made.sequence), ("REQUEST", 0));
        assert_eq!(made.attendees, ["zhang.wei@corp.example", "li.na@corp.example"]);
        assert!(made.text.contains("DTSTART:20261124T060000Z") && made.text.contains("LOCATION:三楼财务部"));
        assert!(made.text.contains(&format!(":mailto:{}\r\n", desk.address)), "{}", made.text);
        assert_eq!(entry(&letters.to(&li)).uid, made.uid);
        let ticket = desk.ticket(1).await;
        assert_eq!((ticket.status, ticket.wait), (Status::Pending, Some(Wait::Visit)));

        // Accepted: nobody is told. Another time proposed: the engineer is, with the line that takes it.
        let desk_address = desk.address.clone();
        desk.gets(apple(&li, &desk_address, &letters.to(&li), "ACCEPTED")).await.none();
        let counter = outlook(&zhang, &desk_address, &invited, "TENTATIVE", Some("20261125T100000"), "下午在开会");
        let told = desk.gets(counter).await;
        told.only_to(&[&li]);
        let told = told.to(&li);
        let line =
            told.text.lines().find(|line| line.starts_with("#上门 2026")).unwrap_or_else(|| panic!("{}", told.text));
        assert_eq!(line, "#上门 2026-11-25 10:00-11:00 三楼财务部");
        assert!(told.text.contains("下午在开会"), "{}", told.text);
        let letters = desk.replies(&li, &told, line).await;
        letters.only_to(&[&zhang, &li]);
        let moved = entry(&letters.to(&zhang));
        assert_eq!((moved.method.as_str(), moved.uid.as_str(), moved.sequence), ("REQUEST", made.uid.as_str(), 1));
        assert!(moved.text.contains("DTSTART:20261125T020000Z"), "{}", moved.text);
        desk.gets(thunderbird(&zhang, &desk_address, &letters.to(&zhang), "ACCEPTED")).await.none();
        use Attendance::{Accepted, Countered};
        assert_eq!(answers(desk).await, [Accepted, Countered, Accepted]);

        // Two days later: both are reminded, the clock runs again, the engineer is asked and solves it.
        desk.passes(DAY + 23 * HOUR + 40 * MINUTE).await.none();
        let reminders = desk.passes(10 * MINUTE).await;
        reminders.only_to(&[&zhang, &li]);
        assert!(reminders.to(&zhang).text.contains("今天 10:00"), "{}", reminders.to(&zhang).text);
        desk.passes(2 * HOUR).await.none();
        assert_eq!(desk.ticket(1).await.status, Status::InProgress);
        let asked = desk.passes(HOUR).await;
        asked.only_to(&[&li]);
        assert!(asked.to(&li).text.contains("#解决"), "{}", asked.to(&li).text);
        desk.replies(&li, &asked.to(&li), "#解决\n换了硒鼓。").await.only_to(&[&zhang]);
        assert_eq!(desk.tickets().await, 1);
        assert!(desk.aside().await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_declines_is_heard_and_who_was_not_invited_is_not() {
    on_both(async |desk: &mut Desk| {
        let (zhang, li, address) = (zhang(), li(), desk.address.clone());
        let notice = desk.writes(&zhang, "打印机坏了", "三楼打印机打不出来，只有我这台。").await.to(&li);
        let letters = desk.replies(&li, &notice, "#visit 11:00 Room 3").await;
        let (theirs, own) = (letters.to(&zhang), letters.to(&li));
        // Somebody got hold of the invitation; somebody answers for somebody else.
        let evil = person("evil@corp.example", "Evil");
        for raw in
            [outlook(&evil, &address, &theirs, "DECLINED", None, "no"), apple(&wang(), &address, &theirs, "DECLINED")]
        {
            desk.gets(raw).await.none();
        }
        assert_eq!((answers(desk).await, desk.tickets().await), (vec![], 1));
        // The engineer's own answer never goes to the requester as words.
        desk.gets(google(&li, &address, &own, "TENTATIVE")).await.none();
        let told = desk.gets(google(&zhang, &address, &theirs, "DECLINED")).await;
        told.only_to(&[&li]);
        assert!(told.to(&li).text.contains("张伟"), "{}", told.to(&li).text);
        assert_eq!(answers(desk).await, [Attendance::Tentative, Attendance::Declined]);
        assert_eq!(desk.ticket(1).await.status, Status::Pending);
        let letters = desk.replies(&li, &told.to(&li), "#visit cancel\n改天再约。").await;
        letters.only_to(&[&zhang, &li]);
        let off = entry(&letters.to(&zhang));
        assert_eq!((off.method.as_str(), off.sequence), ("CANCEL", 1));
        assert!(off.text.contains("STATUS:CANCELLED") && letters.to(&zhang).text.contains("改天再约"), "{}", off.text);
        assert_eq!(desk.ticket(1).await.status, Status::InProgress);
        // The same answer once more, to what is off by now.
        desk.gets(outlook(&zhang, &address, &theirs, "DECLINED", None, "")).await.none();
        let reminders = desk.passes(3 * HOUR + Duration::from_secs(1)).await;
        assert!(reminders.0.iter().all(|letter| !letter.text.contains("Room 3")), "{reminders:?}");
    })
    .await;
}

const SITES: &str = r#"
[[site]]
name = "上海"
words = ["浦东"]

[[site]]
name = "北京"
words = ["朝阳"]

[[engineer]]
address = "sun.yu@corp.example"
name = "孙宇"
level = 2
skills = ["hardware"]
site = "上海"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_to_another_site_may_take_longer() {
    on_both_with(SITES, async |desk: &mut Desk| {
        let (zhang, sun) = (zhang(), person("sun.yu@corp.example", "孙宇"));
        let notice = desk.writes(&zhang, "打印机坏了", "朝阳办公室的打印机坏了，只有我这台。").await.to(&sun);
        desk.replies(&sun, &notice, "#上门 明天 9:00").await.only_to(&[&zhang, &sun]);
        let letters = desk.replies(&sun, &notice, "#上门 后天 9:00").await;
        let told: Vec<_> = letters.0.iter().filter(|letter| letter.text.contains("24 小时")).collect();
        assert_eq!((letters.0.len(), told.len()), (3, 1), "{letters:?}");
        assert_eq!(told[0].to, "sun.yu@corp.example");
        // At their own site two working hours are the target.
        let letters = desk.replies(&sun, &notice, "#上门 明天 9:00 浦东 3 楼").await;
        assert!(letters.0.iter().any(|letter| letter.text.contains("2 个工作小时")), "{letters:?}");
    })
    .await;
}
