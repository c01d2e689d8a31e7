//! Machines that write: bounces, absence notes, robots, another desk, and senders who never stop.

use crate::support::desk::{Desk, Letters, MINUTE, SECOND, li, on_both, on_both_with, person, zhang};
use crate::support::post::{bounce, field, plain, with};
use maildesk::demo::people::Letter;
use maildesk::desk::ticket::What;
use maildesk::desk::words::Status;

#[tokio::test(flavor = "multi_thread")]
async fn a_bounced_answer_reaches_the_engineer_once() {
    on_both(async |desk: &mut Desk| {
        let (zhang, li) = (zhang(), li());
        let notice = desk.writes(&zhang, "打印机坏了", "打印机打不出来。").await.to(&li);
        let answer = desk.replies(&li, &notice, "请重启").await.to(&zhang);
        let report = bounce(&answer, &desk.address);
        let letters = desk.gets(report.clone()).await;
        letters.only_to(&[&li]);
        let told = letters.to(&li);
        assert!(told.text.contains("zhang.wei@corp.example") && told.text.contains("5.1.1"), "{}", told.text);
        assert_eq!(desk.happened(1, |w| *w == What::Undelivered).await, 1);
        desk.gets(report).await.none();
        // The news itself bounces: nobody is left to be told but the supervisor, and then it ends.
        let letters = desk.gets(bounce(&told, &desk.address)).await;
        assert!(letters.0.len() <= 1 && letters.0.iter().all(|l| l.to != "li.na@corp.example"), "l22 {letters:?}");
        for letter in letters.0 {
            desk.gets(bounce(&letter, &desk.address)).await;
        }
        assert_eq!(desk.tickets().await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_the_server_refuses_is_told_to_the_engineer() {
    on_both_with("", async |desk: &mut Desk| {
        let (gone, li) = (person("gone@elsewhere.example", "Gone"), li());
        let letters = desk.writes(&gone, "打印机坏了", "打印机打不出来。").await;
        // Postfix does not relay there: the acknowledgement fails for good, and the engineer is told.
        assert!(letters.0.iter().all(|l| l.to == "li.na@corp.example"), "{letters:?}");
        assert!(letters.0.iter().any(|l| l.text.contains("gone@elsewhere.example")), "{letters:?}");
        assert_eq!(desk.happened(1, |w| *w == What::Undelivered).await, 1);
        desk.passes(MINUTE).await.none();
        let _ = li;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn l23_the_bounce_of_an_acknowledgement_is_answered_by_nothing() {
    on_both(async |desk: &mut Desk| {
        let dead = person("dead@corp.example", "");
        let letters = desk.writes(&dead, "打印机坏了", "打印机打不出来。").await;
        let report = bounce(&letters.to(&dead), &desk.address);
        let letters = desk.gets(report).await;
        assert!(letters.0.iter().all(|l| l.to == "li.na@corp.example"), "{letters:?}");
        assert_eq!(desk.tickets().await, 1);
    })
    .await;
}

fn out_of_office(letter: &Letter, desk: &Desk) -> Vec<u8> {
    plain(
        &format!(
            "From: 张伟 <{}>\nTo: {}\nSubject: =?utf-8?B?6Ieq5Yqo5Zue5aSN?=: {}\nAuto-Submitted: auto-replied\nMessage-ID: <ooo-{}>\nIn-Reply-To: <{}>\nReferences: <{}>",
            letter.to, desk.address, "x", letter.message_id, letter.message_id, letter.message_id
        ),
        "您好，我正在休假，下周一回来。不满意请联系同事。",
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn l21_an_absence_note_changes_nothing() {
    on_both(async |desk: &mut Desk| {
        let (zhang, li) = (zhang(), li());
        let letters = desk.writes(&zhang, "打印机坏了", "打印机打不出来。").await;
        for letter in [letters.to(&zhang), letters.to(&li)] {
            let before = desk.ticket(1).await;
            desk.gets(out_of_office(&letter, desk)).await.none();
            let after = desk.ticket(1).await;
            assert_eq!((after.status, after.first_response), (before.status, before.first_response));
            assert_eq!((after.response_due, after.resolution_due), (before.response_due, before.resolution_due));
        }
        let resolution = desk.replies(&li, &letters.to(&li), "#resolve\n好了").await.to(&zhang);
        desk.gets(out_of_office(&resolution, desk)).await.none();
        let ticket = desk.ticket(1).await;
        assert_eq!((ticket.status, ticket.cycle, ticket.rating), (Status::Resolved, 1, None));
        assert_eq!(desk.tickets().await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn l19_two_desks_say_at_most_two_things_to_each_other() {
    on_both(async |one: &mut Desk| {
        let folder = tempfile::tempdir().unwrap();
        let mut two = Desk::open(&format!("sqlite://{}/other.db", folder.path().display()), "").await;
        let seed = person(&two.address, "IT Service Desk");
        let mut said = 0;
        let mut letters = one.writes(&seed, "打印机坏了", "打印机打不出来。").await;
        for _ in 0..10 {
            let to_two: Vec<_> = letters.0.iter().filter(|l| l.to == two.address).map(|l| l.raw.clone()).collect();
            let answers = two.gets_all(&to_two).await;
            let to_one: Vec<_> = answers.0.iter().filter(|l| l.to == one.address).map(|l| l.raw.clone()).collect();
            said += to_two.len() + to_one.len();
            letters = one.gets_all(&to_one).await;
            one.clock.advance(MINUTE);
            two.clock.advance(MINUTE);
        }
        assert!(said <= 2, "{said} letters between the desks");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn l20_a_robot_that_answers_everything_is_left_alone() {
    on_both(async |desk: &mut Desk| {
        let robot = person("robot@corp.example", "");
        let mut letters = desk.writes(&robot, "打印机坏了", "打印机打不出来 0").await;
        let mut answered = 0;
        for n in 1..=40 {
            let Some(letter) = letters.0.iter().find(|l| l.to == robot.address.as_str()) else { break };
            answered += 1;
            desk.clock.advance(Duration::from_secs(1));
            // No header admits that a machine wrote it, nor what it answers.
            let blank = Letter { message_id: "x@y".into(), references: vec![], text: String::new(), ..letter.clone() };
            let raw = with(
                desk.mail(&robot, "your request was received", &format!("we have it {n}")),
                &format!("X-N: {}", blank.subject.len()),
            );
            letters = desk.gets(raw).await;
        }
        assert!(answered <= 3, "l18: {answered}");
        assert!(desk.tickets().await <= 20);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn l1_the_desks_own_letter_comes_back() {
    on_both(async |desk: &mut Desk| {
        let letters = desk.writes(&zhang(), "打印机坏了", "打印机打不出来。").await;
        let own: Vec<Vec<u8>> = letters.0.iter().map(|l| l.raw.clone()).collect();
        desk.gets_all(&own).await.none();
        let own: Vec<Vec<u8>> =
            own.into_iter().map(|raw| with(raw, "Received: from a by b; Mon, 23 Nov 2026 09:00:00 +0800")).collect();
        desk.gets_all(&own).await.none();
        assert_eq!((desk.tickets().await, desk.messages(1).await.len()), (1, 1));
    })
    .await;
}

fn acknowledged(letters: &Letters, who: &str) -> usize {
    letters.0.iter().filter(|l| l.to == who).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn s50_a_flood_is_folded_and_others_are_served() {
    on_both(async |desk: &mut Desk| {
        let (flooder, zhang) = (person("flood@corp.example", ""), zhang());
        let mails: Vec<_> =
            (0..60).map(|n| desk.mail(&flooder, &format!("打印机坏了 {n}"), &format!("第 {n} 次"))).collect();
        let letters = desk.gets_all(&mails).await;
        assert_eq!(acknowledged(&letters, "flood@corp.example"), 3, "l18: three in ten minutes");
        assert_eq!(desk.tickets().await, 20, "s50");
        desk.clock.advance(11 * MINUTE);
        let letters =
            desk.gets_all(&[desk.mail(&flooder, "又坏了", "再来"), desk.mail(&zhang, "打印机坏了", "打不出来")]).await;
        assert_eq!(acknowledged(&letters, "zhang.wei@corp.example"), 1);
        assert_eq!(desk.tickets().await, 21);
        let mut kept = desk.aside().await.len();
        for number in 1..=21 {
            kept += desk.messages(number).await.len();
        }
        assert_eq!(kept, 62, "every mail is somewhere");
        assert_eq!(field(&mails[0], "To"), format!("<{}>", desk.address));
    })
    .await;
}

use std::time::Duration;

/// Two programs that nothing gives away as such answer each other through a ticket: the desk does not break the circle, for
/// they may be people, but it turns ever slower and drowns nobody.
#[tokio::test(flavor = "multi_thread")]
async fn l18_a_circle_of_two_answering_programs_turns_slowly() {
    on_both(async |desk: &mut Desk| {
        let (zhang, li) = (zhang(), li());
        let notice = desk.writes(&zhang, "打印机坏了", "打印机打不出来。").await.to(&li);
        let mut answered = desk.replies(&li, &notice, "您好，我在开会，稍后回复。").await;
        let mut rounds = 0;
        for n in 0..40 {
            desk.clock.advance(SECOND);
            let Some(letter) = answered.0.pop() else { break };
            let who = if letter.to == zhang.address.as_str() { &zhang } else { &li };
            rounds += 1;
            answered = desk.replies(who, &letter, &format!("您好，我在开会，稍后回复。{n}")).await;
        }
        assert!((16..=20).contains(&rounds), "{rounds} rounds");
        // The last words are not lost: they go out when ten minutes are over.
        let waiting = desk.passes(10 * MINUTE).await;
        assert_eq!(waiting.0.len(), 1, "{waiting:?}");
    })
    .await;
}
