//! What went wrong is reviewed by mail, followed up, and printed in the monthly report.

use crate::support::clients::Client;
use crate::support::desk::{DAY, Desk, HOUR, MINUTE, li, on_both_with, person, wang, zhang};
use maildesk::desk::digest::{Goals, Kind as Report, Period, Plan, Scope, Slot};
use maildesk::desk::review::{Kind, Review, State};
use maildesk::desk::ticket::Number;
use maildesk::desk::words::{Language, Priority, Status};
use maildesk::report;
use maildesk::time::{Cron, Timestamp};

const REVIEWING: &str = "\n[review]\nremind_after = \"3d\"\n";

async fn review(desk: &Desk, number: i64, kind: Kind) -> Review {
    let all = desk.flow.store.reviews_of(&[Number(number)]).await.unwrap();
    all.into_iter().find(|review| review.kind == kind).unwrap_or_else(|| panic!("no review of {number}"))
}

/// The monthly report as of a day, as text.
async fn monthly(desk: &Desk, at: &str) -> String {
    desk.flow.reckon_all().await.unwrap();
    let (at, zone) = (Timestamp::parse(at).unwrap(), chrono_tz::Asia::Shanghai);
    let plan = Plan {
        name: "monthly".into(),
        kind: Report::Monthly,
        cron: Cron::parse("30 8 1 * *").unwrap(),
        zone,
        readers: Vec::new(),
        scope: Scope::default(),
        on_make_up_days: false,
    };
    let slot = Slot { at, period: Period::before_date(Report::Monthly, at, zone) };
    let (policy, goals) = (desk.flow.policy(), Goals::default());
    let context = report::Context { policy: &policy, goals: &goals, plan: &plan, slot, rows: report::ROWS };
    let counted = report::Report::count(&desk.flow.store, &context, at).await.unwrap();
    let page = counted.write(&context, Language::Chinese).page;
    let part = page.parts.iter().find(|part| part.title.contains("复盘与改进措施")).expect("the part");
    let tables: Vec<&str> = part.tables.iter().map(|table| table.text.as_str()).collect();
    format!("{}\n{}", part.lead.join("\n"), tables.join("\n"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_p1_is_reviewed_by_mail_reminded_done_and_printed() {
    on_both_with(REVIEWING, async |desk: &mut Desk| {
        let (zhang, li, wang, zhao) = (zhang(), li(), wang(), person("zhao.min@corp.example", "赵敏"));
        let reported = desk.writes(&zhang, "网络设备坏了", "三楼打印机打不出来，一直报错。").await;
        let notice = reported.to(&li);
        desk.replies(&li, &notice, "#优先级 P1 全楼断网").await;
        assert_eq!(desk.ticket(1).await.priority, Priority::P1);
        desk.clock.advance(10 * MINUTE);
        let resolution = desk.replies(&li, &notice, "#步骤 换了电源\n#解决\n换了交换机电源。").await.to(&zhang);
        desk.clock.advance(HOUR);
        desk.replies(&zhang, &resolution, "满意").await;
        assert_eq!(desk.ticket(1).await.status, Status::Closed);

        // The form goes to its engineer and to the supervisor, with what happened.
        let forms = desk.passes(MINUTE).await;
        forms.only_to(&[&li, &zhao]);
        let (form, other) = (forms.to(&li), forms.to(&zhao));
        assert!(form.text.contains("PIR001") && form.text.contains("根本原因：") && form.text.contains("换了电源"));

        // Two parts come from a program that marks its quote, the others from one that does not.
        let raw =
            Client::Thunderbird.reply(&li, &desk.address, &form, "根因：电源老化\n纠正措施：换了电源", desk.now());
        let missing = desk.gets(raw).await;
        missing.only_to(&[&li]);
        assert!(missing.to(&li).text.contains("预防措施：") && !missing.to(&li).text.contains("根本原因："));
        assert_eq!(review(desk, 1, Kind::Incident).await.state, State::Asked);
        // Nobody answers: both are reminded after three working days.
        desk.passes(2 * DAY).await.none();
        let reminded = desk.passes(2 * DAY).await;
        reminded.only_to(&[&li, &zhao]);
        let text = "预防措施：每季度巡检\n负责人：王磊\n完成日期：2026-12-11";
        let raw = Client::OutlookChinese.reply(&zhao, &desk.address, &other, text, desk.now());
        let recorded = desk.gets(raw).await;
        recorded.only_to(&[&li, &zhao, &wang]);
        let owned = recorded.to(&wang);
        assert!(owned.text.contains("由您负责") && owned.text.contains("2026-12-11"), "{}", owned.text);
        let found = review(desk, 1, Kind::Incident).await;
        assert_eq!((found.state, found.form.owner_address), (State::Planned, Some(wang.address.clone())));
        let november = monthly(desk, "2026-12-01T09:00:00+08:00").await;
        assert!(
            november.contains("PIR001") && november.contains("进行中") && november.contains("到期 12-11 · 王磊"),
            "{november}"
        );

        // On its day its owner is reminded, and after that again.
        desk.clock.advance(DAY);
        let due = Timestamp::parse("2026-12-11T09:30:00+08:00").unwrap();
        let wait = due.since(desk.now());
        let letters = desk.passes(wait).await;
        letters.only_to(&[&wang]);
        let december = monthly(desk, "2027-01-01T09:00:00+08:00").await;
        assert!(
            december.contains("上期措施") && december.contains("逾期") && december.contains("到期 12-11 · 王磊"),
            "{december}"
        );
        let raw = Client::IPhone.reply(&wang, &desk.address, &letters.to(&wang), "已完成", desk.now());
        desk.gets(raw).await.only_to(&[&li, &zhao, &wang]);
        assert_eq!(review(desk, 1, Kind::Incident).await.state, State::Done);
        let december = monthly(desk, "2027-01-01T09:00:00+08:00").await;
        assert!(december.contains("已完成") && december.contains("完成于 12-11 · 王磊"), "{december}");
        desk.passes(60 * DAY).await.none();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_is_read_from_every_mail_program() {
    on_both_with(REVIEWING, async |desk: &mut Desk| {
        let li = li();
        for (n, client) in Client::ALL.into_iter().enumerate() {
            let number = n as i64 + 1;
            let who = person(&format!("person{n}@corp.example"), "钱进");
            let notice = desk.writes(&who, "打印机坏了", "打印机打不出来。").await.to(&li);
            desk.replies(&li, &notice, "#优先级 P1 急").await;
            desk.replies(&li, &notice, "#关闭\n换了硒鼓。").await;
            let form = desk.passes(MINUTE).await.to(&li);
            let text = "根本原因：硒鼓寿命到了\n纠正措施：换了硒鼓\n预防措施：备件\n负责人：我\n完成日期：2026-12-11";
            let raw = client.reply(&li, &desk.address, &form, text, desk.now());
            desk.gets(raw).await;
            let found = review(desk, number, Kind::Incident).await;
            assert_eq!(found.state, State::Planned, "{client:?}: {found:?}");
            assert_eq!(found.form.owner_address, Some(li.address.clone()), "{client:?}");
            assert_eq!((found.form.preventive.as_str(), desk.tickets().await), ("备件", n + 1), "{client:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_third_of_a_kind_becomes_a_problem_record() {
    on_both_with(REVIEWING, async |desk: &mut Desk| {
        let zhao = person("zhao.min@corp.example", "赵敏");
        let texts =
            ["三楼打印机一直卡纸，重启过没用。", "二楼打印机卡纸，打不出来。", "打印机又卡纸，打不出来，重启也不行。"];
        for (n, text) in texts.into_iter().enumerate() {
            desk.writes(&person(&format!("person{n}@corp.example"), "钱进"), "打印机卡纸", text).await;
            while desk.flow.index(desk.now()).await.unwrap() > 0 {}
            let letters = desk.letters().await;
            if n < 2 {
                letters.none()
            } else {
                letters.only_to(&[&zhao])
            }
            if let Some(letter) = letters.0.first() {
                assert!(letter.text.contains("PRB001") && letter.text.contains("IT003"), "{}", letter.text);
                let told = "根因：纸张受潮\n纠正：换纸\n预防：除湿\n负责人：李娜\n期限：两周内";
                desk.replies(&zhao, letter, told).await.only_to(&[&zhao, &li()]);
            }
            desk.clock.advance(DAY);
        }
        // One more joins it, and nobody is mailed.
        desk.writes(&person("person9@corp.example", "孙杰"), "打印机卡纸", "四楼打印机卡纸，打不出来。").await;
        while desk.flow.index(desk.now()).await.unwrap() > 0 {}
        desk.letters().await.none();
        let problem = review(desk, 1, Kind::Problem).await;
        assert_eq!((problem.state, problem.tickets.len()), (State::Planned, 4));
    })
    .await;
}

/// While mail comes in nobody looks back: afterwards all of them are read at once.
#[tokio::test(flavor = "multi_thread")]
async fn four_of_a_kind_read_at_once_are_one_problem() {
    on_both_with(REVIEWING, async |desk: &mut Desk| {
        let texts = [
            "三楼打印机一直卡纸，重启过没用。",
            "二楼打印机卡纸，打不出来。",
            "打印机又卡纸，重启也不行。",
            "四楼打印机卡纸。",
        ];
        for (n, text) in texts.into_iter().enumerate() {
            desk.writes(&person(&format!("person{n}@corp.example"), "钱进"), "打印机卡纸", text).await;
        }
        while desk.flow.index(desk.now()).await.unwrap() > 0 {}
        desk.letters().await.only_to(&[&person("zhao.min@corp.example", "赵敏")]);
        let problem = review(desk, 1, Kind::Problem).await;
        assert_eq!((problem.state, problem.tickets), (State::Asked, (1..=4).map(Number).collect()));
    })
    .await;
}
