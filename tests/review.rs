//! Reviews and problem records: opening, answering, reminding, recurring. Rules alone.

#[path = "support/rules.rs"]
mod rules;

use chrono::NaiveDate;
use maildesk::desk::decide::decide;
use maildesk::desk::event::{Effect, Event, Situation, Timer, TimerKind};
use maildesk::desk::letter::{Content, Letter, PlanPurpose, ReviewPurpose};
use maildesk::desk::policy::{Policy, Reviews};
use maildesk::desk::review::form::Form;
use maildesk::desk::review::recur::{self, Recurrence, Symptom};
use maildesk::desk::review::{Kind, Review, State};
use maildesk::desk::ticket::{Entry, Number, Ticket, What, Who};
use maildesk::desk::words::{Priority, Status};
use maildesk::time::Timestamp;
use rules::*;
use std::sync::Arc;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

fn reviewing() -> Policy {
    Policy { reviews: Reviews::standard(DAY), ..policy() }
}

fn closed(policy: &Policy, priority: Priority) -> Situation<'_> {
    let ticket = Ticket { priority, resolved: Some(now()), answered: Some(now()), ..ticket(Status::Closed) };
    situation(policy, vec![ticket])
}

fn falls_due(s: &Situation, kind: TimerKind, at: Timestamp) -> Vec<Effect> {
    decide(s, &Event::Due(vec![Timer { number: Number(1), kind, due: at, cycle: 1 }]), at)
}

fn letters(effects: &[Effect]) -> Vec<&Letter> {
    effects.iter().filter_map(|e| if let Effect::Send(letter) = e { Some(&**letter) } else { None }).collect()
}

fn kept(effects: &[Effect]) -> Option<Review> {
    effects.iter().find_map(|e| if let Effect::KeepReview(review) = e { Some((**review).clone()) } else { None })
}

fn set_for(effects: &[Effect]) -> Option<Timestamp> {
    effects.iter().find_map(|e| match e {
        Effect::Schedule(t) if matches!(t.kind, TimerKind::Review | TimerKind::Problem) => Some(t.due),
        _ => None,
    })
}

/// To whom which letter goes: `li ask`.
fn told(effects: &[Effect]) -> Vec<String> {
    let purpose = |content: &Content| match content {
        Content::Review { purpose, .. } => format!("{purpose:?}"),
        Content::ReviewPlan { purpose, .. } => format!("{purpose:?}"),
        other => other.template().to_owned(),
    };
    let told =
        letters(effects).into_iter().map(|l| format!("{} {}", l.to.mailbox.address.local(), purpose(&l.content)));
    told.collect()
}

fn asked() -> Review {
    Review {
        ticket: Number(1),
        kind: Kind::Incident,
        state: State::Asked,
        title: String::new(),
        module: String::new(),
        form: Form::default(),
        people: vec![address(LI), address(BOSS)],
        tickets: vec![],
        cycle: 1,
        opened: now(),
        planned: None,
        ended: None,
        asked_again: false,
        version: 1,
    }
}

fn planned() -> Review {
    let form = Form {
        cause: "电源老化".into(),
        corrective: "换电源".into(),
        preventive: "巡检".into(),
        owner: "wang".into(),
        owner_address: Some(address(WANG)),
        due: NaiveDate::from_ymd_opt(2026, 12, 11),
    };
    Review { state: State::Planned, form, planned: Some(now()), ..asked() }
}

fn with(policy: &Policy, review: Review) -> Situation<'_> {
    let mut s = closed(policy, Priority::P1);
    s.reviewed = Some((Number(1), review.kind));
    s.candidates[0].reviews = vec![review];
    s
}

fn answered(s: &Situation, from: &str, text: &str) -> Vec<Effect> {
    decide(s, &event(reply(from, text)), now())
}

const WHOLE: &str = "根本原因：电源老化\n纠正措施：换电源\n预防措施：巡检\n负责人：wang\n完成日期：12月11日";

#[test]
fn closing_an_urgent_ticket_sets_the_timer_and_the_timer_asks() {
    let policy = reviewing();
    for (priority, expect) in [(Priority::P1, true), (Priority::P2, true), (Priority::P3, false)] {
        let s = situation(&policy, vec![Ticket { priority, resolved: Some(now()), ..ticket(Status::Resolved) }]);
        let effects = decide(&s, &event(reply(ZHANG, "满意")), now());
        assert_eq!(set_for(&effects), expect.then(now), "{priority}");
    }
    let s = closed(&policy, Priority::P1);
    let effects = falls_due(&s, TimerKind::Review, now());
    assert_eq!(told(&effects), ["li Ask", "boss Ask"]);
    let review = kept(&effects).unwrap();
    assert_eq!((review.state, review.version, review.people), (State::Asked, 1, vec![address(LI), address(BOSS)]));
    assert_eq!(set_for(&effects), Some(now() + 3 * DAY));
}

#[test]
fn who_gets_no_form() {
    let policy = reviewing();
    let check = |name: &str, change: &dyn Fn(&mut Ticket), expect: bool| {
        let mut s = closed(&policy, Priority::P1);
        change(&mut s.candidates[0].ticket);
        assert_eq!(kept(&falls_due(&s, TimerKind::Review, now())).is_some(), expect, "{name}");
    };
    check("P1", &|_| {}, true);
    check("cancelled", &|t| t.status = Status::Cancelled, false);
    check("merged", &|t| t.merged_into = Some(Number(9)), false);
    check("a report of another fault", &|t| t.parent = Some(Number(9)), false);
    check("reopened", &|t| t.status = Status::InProgress, false);
    check("P3", &|t| t.priority = Priority::P3, false);
    check("P2 in time", &|t| t.priority = Priority::P2, false);
    check("P2, late answer", &|t| (t.priority, t.response_due) = (Priority::P2, now() - DAY), true);
    check("P2, late resolution", &|t| (t.priority, t.resolution_due) = (Priority::P2, now() - DAY), true);
    let mut s = closed(&policy, Priority::P2);
    let what =
        What::Targets { response_due: now() - DAY, resolution_due: now(), answered: Some(now()), resolved: None };
    s.candidates[0].timeline = Arc::new(vec![Entry { at: now(), who: Who::Desk, what, why: String::new() }]);
    assert!(kept(&falls_due(&s, TimerKind::Review, now())).is_some(), "late in an earlier round");
}

#[test]
fn a_whole_form_is_recorded_and_told_to_all_of_them() {
    let policy = reviewing();
    let s = with(&policy, asked());
    for text in [WHOLE.to_owned(), WHOLE.replace('：', ": "), WHOLE.replace('\n', "；")] {
        let effects = answered(&s, LI, &text);
        let review = kept(&effects).unwrap_or_else(|| panic!("{text}: {effects:?}"));
        assert_eq!(review, Review { version: 2, ..planned() }, "{text}");
        assert_eq!(told(&effects), ["li Recorded", "boss Recorded", "wang Recorded"]);
        assert!(set_for(&effects).unwrap() > now() + 10 * DAY, "asked on the day");
    }
}

#[test]
fn parts_are_kept_and_the_rest_is_asked_once() {
    let policy = reviewing();
    let effects = answered(&with(&policy, asked()), LI, "根本原因：电源老化");
    let review = kept(&effects).unwrap();
    assert_eq!((review.form.cause.as_str(), review.state, review.asked_again), ("电源老化", State::Asked, true));
    assert_eq!(told(&effects), ["li Missing"]);
    let effects = answered(&with(&policy, review.clone()), LI, "纠正措施：换电源");
    assert!(told(&effects).is_empty(), "the reminder asks");
    // One part alone is missing: it needs no name.
    let mut last = Review { state: State::Asked, planned: None, ..planned() };
    last.form.due = None;
    let effects = answered(&with(&policy, last.clone()), LI, "下周五");
    assert_eq!(kept(&effects).unwrap().form.due, NaiveDate::from_ymd_opt(2026, 12, 4));
    // Nobody can read it: that is said, and the rest is kept.
    let effects = answered(&with(&policy, asked()), LI, &WHOLE.replace("12月11日", "等厂商排期"));
    assert_eq!(told(&effects), ["li Missing"]);
    let [Letter { content: Content::Review { unread, .. }, .. }] = letters(&effects)[..] else { panic!() };
    assert_eq!(unread, "等厂商排期");
    assert_eq!(kept(&effects).unwrap().form.corrective, "换电源");
    let effects = answered(&with(&policy, asked()), LI, "好的，我看看");
    assert_eq!((told(&effects), kept(&effects)), (vec!["li Unclear".to_owned()], None));
}

#[test]
fn later_answers_replace_earlier_ones_and_the_timeline_knows() {
    let policy = reviewing();
    let effects = answered(&with(&policy, planned()), BOSS, "完成日期：2026-12-20");
    assert_eq!(kept(&effects).unwrap().form.due, NaiveDate::from_ymd_opt(2026, 12, 20));
    assert_eq!(told(&effects), ["li Changed", "boss Changed", "wang Changed"]);
    let recorded = effects.iter().any(|e| matches!(e, Effect::Record(_, entry) if entry.why.contains("2026-12-11")));
    assert!(recorded, "{effects:?}");
}

#[test]
fn only_those_of_the_ticket_answer() {
    let policy = reviewing();
    // An engineer who has nothing to do with it.
    let effects = answered(&with(&policy, asked()), WANG, WHOLE);
    assert_eq!((told(&effects), kept(&effects)), (vec!["wang transcript".to_owned()], None));
    // The owner moves the date and says when it is done, nothing else.
    let effects = answered(&with(&policy, planned()), WANG, "根本原因：别的\n完成日期：2026-12-20");
    let review = kept(&effects).unwrap();
    assert_eq!((review.form.cause.as_str(), review.form.due), ("电源老化", NaiveDate::from_ymd_opt(2026, 12, 20)));
    // Not proven: nothing is taken, and they get the letter to answer.
    let s = with(&policy, asked());
    let unproven = mail(LI, "Re: [IT001] x", "In-Reply-To: <first@corp.example>\r\n", WHOLE);
    let effects = decide(&s, &event(unproven), now());
    assert_eq!((told(&effects), kept(&effects)), (vec!["li Unproven".to_owned()], None));
    // The requester has nothing to do with it.
    let effects = answered(&with(&policy, asked()), ZHANG, WHOLE);
    assert!(kept(&effects).is_none());
    for letter in letters(&effects) {
        assert!(!matches!(letter.content, Content::Review { .. } | Content::ReviewPlan { .. }), "{letter:?}");
    }
}

#[test]
fn one_word_ends_it() {
    let policy = reviewing();
    for text in ["已完成", "done", "#done", "#已完成", "完成了，谢谢"] {
        let effects = answered(&with(&policy, planned()), WANG, text);
        let review = kept(&effects).unwrap_or_else(|| panic!("{text}: {effects:?}"));
        assert_eq!((review.state, review.ended), (State::Done, Some(now())), "{text}");
        assert_eq!(told(&effects), ["li Done", "boss Done", "wang Done"], "{text}");
        assert!(effects.iter().any(|e| matches!(e, Effect::Unschedule(_, TimerKind::Review))));
    }
    // Not while the form has gaps.
    let effects = answered(&with(&policy, asked()), LI, "已完成");
    assert_eq!((told(&effects), kept(&effects)), (vec!["li Unclear".to_owned()], None));
    // Words that are neither stay inside.
    let effects = answered(&with(&policy, planned()), LI, "还在等备件");
    assert_eq!(told(&effects), ["li Unclear"]);
}

#[test]
fn whoever_owes_something_is_reminded_until_it_is_done() {
    let policy = reviewing();
    let effects = falls_due(&with(&policy, asked()), TimerKind::Review, now() + 3 * DAY);
    assert_eq!(told(&effects), ["li Remind", "boss Remind"]);
    assert_eq!(set_for(&effects), Some(now() + 6 * DAY));
    let due = Timestamp::parse("2026-12-11T00:00:00+08:00").unwrap();
    let effects = falls_due(&with(&policy, planned()), TimerKind::Review, due);
    assert_eq!((told(&effects), set_for(&effects)), (vec!["wang Due".to_owned()], Some(due + 3 * DAY)));
    let effects = falls_due(&with(&policy, planned()), TimerKind::Review, due + 3 * DAY);
    assert_eq!(told(&effects), ["wang Overdue"]);
    let over = Review { state: State::Done, ended: Some(now()), ..planned() };
    assert!(falls_due(&with(&policy, over), TimerKind::Review, due).is_empty());
    // Nobody goes by that name: those who were asked.
    let mut nobody = planned();
    (nobody.form.owner, nobody.form.owner_address) = ("基础架构组".into(), None);
    assert_eq!(told(&falls_due(&with(&policy, nobody), TimerKind::Review, due)), ["li Due", "boss Due"]);
}

#[test]
fn a_ticket_that_closes_again_updates_its_review() {
    let policy = reviewing();
    let mut s = with(&policy, planned());
    s.candidates[0].ticket.cycle = 2;
    let effects = falls_due(&s, TimerKind::Review, now());
    let review = kept(&effects).unwrap();
    assert_eq!((review.cycle, review.state, review.version), (2, State::Planned, 2));
    assert_eq!(told(&effects), ["li Again", "boss Again"]);
    // Open meanwhile: nobody is reminded.
    s.candidates[0].ticket.status = Status::InProgress;
    let effects = falls_due(&s, TimerKind::Review, now());
    assert!(told(&effects).is_empty() && set_for(&effects).is_some());
    // A false alarm after all.
    s.candidates[0].ticket.status = Status::Cancelled;
    let effects = falls_due(&s, TimerKind::Review, now());
    assert_eq!(kept(&effects).unwrap().state, State::Withdrawn);
    // The archive waits for it.
    let timer = Timer { number: Number(1), kind: TimerKind::Archive, due: now(), cycle: 1 };
    let effects = decide(&with(&policy, asked()), &Event::Due(vec![timer]), now() + 90 * DAY);
    assert!(!effects.iter().any(|e| matches!(e, Effect::Archive(_))), "{effects:?}");
}

fn fault(policy: &Policy, number: i64, subject: &str, text: &str) -> (Ticket, Option<Symptom>) {
    let ticket = Ticket { number: Number(number), subject: subject.into(), ..ticket(Status::New) };
    let symptom = recur::symptom(policy, &ticket, text, now());
    (ticket, symptom)
}

#[test]
fn faults_of_a_kind_are_found_and_others_are_not() {
    let policy = reviewing();
    let one = |number, subject, text| fault(&policy, number, subject, text).1.unwrap();
    let jam = one(4, "打印机又卡纸", "三楼的打印机卡纸，打不出来，重启也不行。");
    for (subject, text, expect) in [
        ("三楼打印机卡纸", "打印机一直卡纸，重启过没用。", true),
        ("打印机卡纸了", "二楼打印机卡纸，打印不出来。", true),
        ("显示器不亮", "显示器黑屏，换了线也不行。", false),
        ("键盘坏了", "三楼我的键盘按不动。", false),
        ("鼠标没反应", "鼠标没反应，重启也不行。", false),
    ] {
        let other = one(2, subject, text);
        assert_eq!(recur::alike(&jam, std::slice::from_ref(&other)).len(), usize::from(expect), "{subject}");
    }
    let outlook = one(5, "Outlook crashes on start", "Outlook crashes when I open it, every time.");
    let again = one(6, "Outlook crashes again", "It crashes when Outlook opens the calendar.");
    let teams = one(7, "Teams has no sound", "No sound in Teams meetings.");
    assert_eq!(recur::alike(&outlook, &[again, teams]).len(), 1);
}

#[test]
fn the_third_of_a_kind_is_a_problem_and_the_fourth_joins_it() {
    let policy = reviewing();
    let tickets: Vec<Ticket> = (1..=3).map(|n| fault(&policy, n, "打印机卡纸", "x").0).collect();
    let seen = |alike: &[i64], problem: Option<i64>| {
        Event::Recurred(Recurrence {
            number: Number(3),
            alike: alike.iter().copied().map(Number).collect(),
            problem: problem.map(Number),
            about: "category/hardware".into(),
        })
    };
    let s = situation(&policy, tickets.clone());
    let effects = decide(&s, &seen(&[1, 2], None), now());
    let problem = kept(&effects).unwrap();
    assert_eq!((problem.name(), problem.kind, problem.tickets.len()), ("PRB001".to_owned(), Kind::Problem, 3));
    assert_eq!(told(&effects), ["boss Ask"], "one letter, to the supervisor");
    assert!(set_for(&effects).is_some());
    // A report of another fault, or one that was cancelled, is none.
    for change in [(|t: &mut Ticket| t.parent = Some(Number(1))) as fn(&mut Ticket), |t| t.status = Status::Cancelled] {
        let mut fewer = tickets.clone();
        change(&mut fewer[1]);
        let s = situation(&policy, fewer);
        assert!(decide(&s, &seen(&[1, 2], None), now()).is_empty());
    }
    // Joins the open one, and nobody is mailed.
    let mut s = situation(&policy, tickets);
    s.candidates[0].reviews = vec![Review { tickets: vec![Number(1), Number(2)], ..problem.clone() }];
    let effects = decide(&s, &seen(&[], Some(1)), now());
    assert_eq!(kept(&effects).unwrap().tickets, [Number(1), Number(2), Number(3)]);
    assert!(letters(&effects).is_empty());
    // Its owner answers by the same form.
    s.reviewed = Some((Number(1), Kind::Problem));
    let effects = answered(&s, BOSS, WHOLE);
    assert_eq!(kept(&effects).unwrap().state, State::Planned);
    let purposes: Vec<String> = told(&effects);
    assert_eq!(purposes, ["boss Recorded", "wang Recorded"]);
    let _ = (ReviewPurpose::Ask, PlanPurpose::Due);
}
