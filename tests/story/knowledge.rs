//! What one engineer learnt helps the next one, and the next requester.

use crate::support::desk::{Desk, HOUR, MINUTE, li, on_both_with, person, zhang};
use maildesk::desk::event::Event;
use maildesk::desk::knowledge::About;
use maildesk::desk::knowledge::article::State;
use maildesk::desk::ticket::{Number, What};
use maildesk::desk::words::{Rating, Status};

const LEARNING: &str = r#"
[knowledge]
drafts = "yes"
suggest_from = 40
"#;

const QUESTION: &str = "请问新电脑怎么把三楼的打印机设为默认打印机？不急，谢谢。\n工号 F10234，电话 13800138000";
const ANSWER: &str = "张伟，您好：\n打开「设置 → 蓝牙和其他设备 → 打印机和扫描仪」，关掉「让 Windows 管理默认打印机」，再点三楼打印机，选「设为默认」。\n您的初始密码是 Abc@1234。";

async fn index(desk: &Desk) {
    while desk.flow.index(desk.now()).await.unwrap() > 0 {}
}

async fn found(desk: &Desk, query: &str) -> Vec<String> {
    index(desk).await;
    desk.flow.store.search(query, 10).await.unwrap().iter().map(|document| document.about.name()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_ticket_teaches_an_article_that_answers_the_next_question() {
    on_both_with(LEARNING, async |desk: &mut Desk| {
        let (zhang, li, chen) = (zhang(), li(), person("chen.mei@corp.example", "陈梅"));
        // A question is asked, answered, rated.
        let letters = desk.writes(&zhang, "怎么设置默认打印机", QUESTION).await;
        letters.only_to(&[&zhang, &li]);
        assert!(!letters.to(&li).text.contains("以前处理过"), "nothing was solved before");
        let resolution = desk.replies(&li, &letters.to(&li), &format!("#解决\n{ANSWER}")).await.to(&zhang);
        desk.clock.advance(HOUR);
        desk.replies(&zhang, &resolution, "满意").await.only_to(&[&zhang]);
        assert_eq!(desk.ticket(1).await.status, Status::Closed);
        // A solved ticket is found before anybody has written an article.
        assert_eq!(found(desk, "默认打印机").await, ["IT001"]);

        // The draft goes to whoever had it, masked; nobody finds it.
        let drafts = desk.passes(MINUTE).await;
        drafts.only_to(&[&li]);
        let draft = drafts.to(&li);
        assert!(draft.text.contains("KB001") && draft.text.contains("设为默认"), "{}", draft.text);
        for secret in ["张伟", "F10234", "13800138000", "Abc@1234"] {
            assert!(!draft.text.contains(secret), "{secret}: {}", draft.text);
        }
        assert_eq!(found(desk, "默认打印机").await, ["IT001"]);
        assert_eq!(desk.flow.store.article(Number(1)).await.unwrap().unwrap().state, State::Draft);

        // Published by the answer, with an edit; the requester hears nothing.
        desk.clock.advance(MINUTE);
        let edited = "#知识\n标题：怎么设置默认打印机（Windows 11）\n预防：装机时就设好";
        desk.replies(&li, &draft, edited).await.none();
        let article = desk.flow.store.article(Number(1)).await.unwrap().unwrap();
        assert_eq!((article.state, article.owner.clone()), (State::Published, Some(li.address.clone())));
        assert_eq!(article.parts.prevention, "装机时就设好");
        assert_eq!(found(desk, "默认打印机").await, ["KB001", "IT001"]);
        assert_eq!(found(desk, "windows 11 打印机").await[0], "KB001");

        // The next question: the engineer sees it beside the ticket, the requester gets it at once.
        desk.clock.advance(HOUR);
        let asked = desk.writes(&chen, "默认打印机怎么设置", "您好，请问怎么把三楼打印机设为默认打印机？不急。").await;
        asked.only_to(&[&chen, &li]);
        let (acknowledgement, notice) = (asked.to(&chen), asked.to(&li));
        assert!(notice.text.contains("KB001") && notice.text.contains("IT001"), "{}", notice.text);
        assert!(acknowledgement.text.contains("让 Windows 管理默认打印机"), "{}", acknowledgement.text);
        assert!(acknowledgement.text.contains("有帮助吗") || desk.flow.policy().desk.public_url.is_none());
        // It helped.
        desk.clock.advance(MINUTE);
        let event = Event::Helped { number: Number(2), article: Number(1), helped: true };
        desk.flow.handle(&event, desk.now()).await.unwrap();
        let told = desk.letters().await;
        told.only_to(&[&li]);
        assert!(told.to(&li).text.contains("KB001"));
        let ticket = desk.ticket(2).await;
        assert_eq!((ticket.status, ticket.rating), (Status::Resolved, None));
        assert_eq!(desk.happened(2, |w| matches!(w, What::Helped { helped: true, .. })).await, 1);
        desk.replies(&chen, &acknowledgement, "满意，谢谢").await;
        let ticket = desk.ticket(2).await;
        assert_eq!((ticket.status, ticket.rating), (Status::Closed, Some(Rating::Satisfied)));
        // What an article solved teaches no second one.
        desk.passes(HOUR).await.none();
        let article = desk.flow.store.article(Number(1)).await.unwrap().unwrap();
        assert_eq!((article.shown, article.helped, article.not_helped), (1, 1, 0));

        // Taken away again: neither found nor shown.
        desk.replies(&li, &draft, "#知识 停用").await.none();
        assert!(!found(desk, "默认打印机").await.contains(&About::Article(Number(1)).name()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repair_shows_how_it_was_mended_before_but_goes_to_no_requester() {
    on_both_with(LEARNING, async |desk: &mut Desk| {
        let (zhang, li) = (zhang(), li());
        let notice = desk.writes(&zhang, "三楼打印机卡纸", "三楼的打印机一直卡纸，重启也不行。").await.to(&li);
        desk.replies(&li, &notice, "#步骤 拆开看，搓纸轮磨损\n#解决\n换了搓纸轮 RM1-6414。").await;
        index(desk).await;
        desk.clock.advance(HOUR);
        let wu = person("wu.di@corp.example", "吴迪");
        let again = desk.writes(&wu, "打印机又卡纸了", "二楼打印机卡纸，打不出来，重启也不行。").await;
        let notice = again.to(&li);
        assert!(notice.text.contains("IT001") && notice.text.contains("RM1-6414"), "{}", notice.text);
        assert!(!again.to(&wu).text.contains("RM1-6414"), "{}", again.to(&wu).text);
        // Not satisfied: it is no example any more.
        let resolution = desk.flow.store.ticket(Number(1)).await.unwrap().unwrap();
        let rated = Event::Rated {
            number: Number(1),
            cycle: resolution.cycle,
            rating: Rating::Dissatisfied,
            comment: "还是卡".into(),
        };
        desk.flow.handle(&rated, desk.now()).await.unwrap();
        desk.letters().await;
        index(desk).await;
        desk.clock.advance(HOUR);
        let third =
            desk.writes(&person("he.li@corp.example", "何丽"), "打印机卡纸", "四楼打印机卡纸，重启也不行。").await;
        assert!(!third.to(&li).text.contains("RM1-6414"), "{}", third.to(&li).text);
    })
    .await;
}
