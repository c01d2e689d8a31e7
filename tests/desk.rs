//! The rules alone: a message or a click meets a ticket, and these are the effects. No database, no clock, no network.

use maildesk::address::{Address, Mailbox};
use maildesk::desk::command::Hint;
use maildesk::desk::decide::decide;
use maildesk::desk::event::{Effect, Event, Mail, Situation, Timer, TimerKind};
use maildesk::desk::inbound::Inbound;
use maildesk::desk::letter::{Content, Letter, NoticeReason, Stage, Writer};
use maildesk::desk::policy::Policy;
use maildesk::desk::ticket::{Entry, Number, Ticket, What, Who};
use maildesk::desk::words::{Language, Priority, Rating, Status};
use maildesk::mail;
use maildesk::time::Timestamp;
#[path = "support/rules.rs"]
mod rules;
use rules::*;
use std::sync::Arc;
use std::time::Duration;

/// Effects as short lines: what a reader of the rules wants to know.
fn told(effects: &[Effect]) -> Vec<String> {
    let name = |a: &Address| a.local().to_owned();
    let line = |effect: &Effect| match effect {
        Effect::Open(t) => {
            Some(format!("open {} {} {}", t.number, t.priority, t.assignee.as_ref().map_or("-".into(), name)))
        }
        Effect::Save(t) => Some(format!("save {} {}", t.number, t.status)),
        Effect::Join { number, visibility } => Some(format!("join {number} {visibility:?}")),
        Effect::SetAside { reason } => Some(format!("aside {reason}")),
        Effect::Send(l) => Some(format!("letter {} {}", l.content.template(), name(&l.to.mailbox.address))),
        Effect::Rate { rating, .. } => Some(format!("rate {rating}")),
        Effect::Schedule(t) if TimerKind::CONFIRMATION.contains(&t.kind) => {
            Some(format!("schedule {}", t.kind.as_str()))
        }
        Effect::Unschedule(_, TimerKind::AutoClose) => Some("unschedule".into()),
        Effect::Record(_, e) if matches!(e.what, What::Note | What::Step | What::Refused | What::Undelivered) => {
            Some(format!("record {:?} {}", e.what, e.why.lines().next().unwrap_or("")))
        }
        Effect::Record(..)
        | Effect::Participants(..)
        | Effect::Remember(..)
        | Effect::Schedule(_)
        | Effect::Unschedule(..)
        | Effect::KeepVisit(..)
        | Effect::Approval(..)
        | Effect::SendLater(..)
        | Effect::Hold(_)
        | Effect::Release(_)
        | Effect::Archive(_)
        | Effect::KeepArticle(..)
        | Effect::KeepReview(..)
        | Effect::Recur { .. }
        | Effect::Suggest { .. }
        | Effect::Helped { .. } => None,
    };
    let mut lines: Vec<String> = effects.iter().filter_map(line).collect();
    lines.sort_by_key(|l| {
        ["open", "save", "join", "aside", "rate", "record"].iter().position(|w| l.starts_with(w)).unwrap_or(9)
    });
    lines
}

/// `before`: the statuses of the tickets that are there (the first is IT001).
fn check(inbound: Inbound, before: &[Status], expected: &[&str]) -> Vec<Effect> {
    let policy = policy();
    let situation = situation(&policy, before.iter().map(|s| ticket(*s)).collect());
    let text = inbound.body.text.clone();
    let effects = decide(&situation, &event(inbound), now());
    assert_eq!(told(&effects), expected, "{text}");
    effects
}

#[test]
fn a_new_mail_opens_a_ticket_and_is_answered() {
    let opened = ["open IT007 P3 li", "join IT007 Public", "letter acknowledgement zhang", "letter notice li"];
    check(mail(ZHANG, "打印机坏了", "", "三楼打印机不能打印，只有我这台。"), &[], &opened);
    let senior = [
        "open IT007 P1 wang",
        "join IT007 Public",
        "letter acknowledgement zhang",
        "letter notice wang",
        "letter notice boss",
    ];
    check(mail(ZHANG, "ERP 宕机", "", "ERP 系统宕机，全公司都不能用"), &[], &senior);
}

#[test]
fn machines_are_kept_or_ticketed_but_never_answered() {
    let monitoring = ["open IT007 P3 li", "join IT007 Public", "letter notice li"];
    check(
        mail(
            ZHANG,
            "disk almost full on nas",
            "Auto-Submitted: auto-generated\r\n",
            "disk 91%, please check the disk, only this server",
        ),
        &[],
        &monitoring,
    );
    check(
        mail(ZHANG, "自动回复: 打印机", "Auto-Submitted: auto-replied\r\n", "我正在休假"),
        &[],
        &["aside auto_reply"],
    );
    check(mail(DESK, "hello", "", "loop"), &[], &["aside sent from the desk's own address"]);
    check(mail("helpdesk@corp.example", "hello", "", "loop"), &[], &["aside sent from the desk's own address"]);
    // L21: an out-of-office answer to a letter joins quietly and reopens nothing.
    let quietly = reply(ZHANG, "我正在休假");
    let mut quietly = quietly;
    quietly.kind = maildesk::desk::inbound::Kind::AutoReply;
    check(quietly, &[Status::Resolved], &["join IT001 Internal"]);
}

#[test]
fn l18_the_fourth_acknowledgement_in_ten_minutes_stays_unsent() {
    let policy = policy();
    let mut situation = situation(&policy, vec![]);
    situation.counts.acknowledgements = [3, 3, 3];
    let effects = decide(&situation, &event(mail(ZHANG, "打印机坏了", "", "打印机坏了")), now());
    assert!(!told(&effects).iter().any(|l| l.contains("acknowledgement")), "{:?}", told(&effects));
    assert!(told(&effects).iter().any(|l| l == "letter notice li"));
}

#[test]
fn s50_a_flood_is_folded_into_the_newest_ticket() {
    let policy = policy();
    let mut situation = situation(&policy, vec![ticket(Status::New)]);
    (situation.counts.tickets, situation.counts.newest) = (20, Some(Number(1)));
    let effects = decide(&situation, &event(mail(ZHANG, "again", "", "again and again")), now());
    assert_eq!(told(&effects), ["join IT001 Public"]);
}

#[test]
fn s16_a_number_in_the_subject_counts_for_participants_only() {
    let joined = ["join IT001 Public", "letter message li"];
    check(mail(ZHANG, "回复：[IT001] 打印机", "", "还有一件事：双面也不行"), &[Status::InProgress], &joined);
    let stranger = check(
        mail("eve@evil.example", "[IT001] printer", "", "please send me the history of this printer"),
        &[Status::InProgress],
        &["open IT007 P3 li", "join IT007 Public", "letter acknowledgement eve", "letter notice li"],
    );
    let noted = stranger.iter().any(
        |e| matches!(e, Effect::Send(l) if matches!(l.content, Content::Notice { may_belong_to: Some(Number(1)), .. })),
    );
    assert!(noted, "the engineer is told that it may belong to IT001");
    let outsider = stranger
        .iter()
        .any(|e| matches!(e, Effect::Send(l) if matches!(l.content, Content::Acknowledgement { outsider: true, .. })));
    assert!(outsider, "S44: an outsider's words are not repeated");
}

#[test]
fn s21_a_reference_counts_only_for_the_one_who_was_sent_it() {
    let reference = policy().key.reference(Number(1), &address(ZHANG));
    let text = format!("it does not print at all\n\n> {reference}");
    let opened = ["open IT007 P3 li", "join IT007 Public", "letter acknowledgement chen", "letter notice li"];
    check(mail("chen@corp.example", "the printer is broken", "", &text), &[Status::InProgress], &opened)
        .iter()
        .for_each(|e| assert!(!matches!(e, Effect::Join { number: Number(1), .. })));
}

#[test]
fn s18_a_colleague_who_answers_a_known_message_is_heard_but_changes_nothing() {
    let colleague = |status, expected: &[&str]| {
        check(
            mail("chen@corp.example", "Re: x", "In-Reply-To: <first@corp.example>\r\n", "我这边也有同样的问题"),
            &[status],
            expected,
        );
    };
    colleague(Status::InProgress, &["join IT001 Public", "letter message li"]);
    colleague(Status::Resolved, &["join IT001 Public", "letter message li"]);
    // S23: closed tickets are not reopened by somebody who never took part.
    colleague(
        Status::Closed,
        &["open IT007 P3 li", "join IT007 Public", "letter acknowledgement chen", "letter notice li"],
    );
}

#[test]
fn the_requesters_words_on_a_ticket() {
    for (before, text, expected) in [
        (Status::InProgress, "有进展吗？", &["join IT001 Public", "letter message li"][..]),
        (Status::Pending, "资产编号是 IT-88", &["save IT001 in_progress", "join IT001 Public", "letter message li"]),
        (
            Status::Resolved,
            "满意，谢谢",
            &["save IT001 closed", "join IT001 Public", "rate satisfied", "unschedule", "letter closed zhang"],
        ),
        (
            Status::Resolved,
            "基本满意",
            &["save IT001 closed", "join IT001 Public", "rate mostly", "unschedule", "letter closed zhang"],
        ),
        (
            Status::Resolved,
            "已经好了",
            &["save IT001 closed", "join IT001 Public", "unschedule", "letter closed zhang"],
        ),
        (Status::Resolved, "收到", &["save IT001 resolved", "join IT001 Public", "letter clarify zhang"]),
        (Status::Closed, "谢谢", &["join IT001 Public"]),
    ] {
        check(reply(ZHANG, text), &[before], expected);
    }
}

#[test]
fn dissatisfied_means_somebody_more_senior_and_the_supervisor_knows() {
    let expected = [
        "save IT001 in_progress",
        "join IT001 Public",
        "rate dissatisfied",
        "unschedule",
        "letter reopened zhang",
        "letter notice wang",
        "letter dissatisfied boss",
    ];
    for text in ["不满意，还是卡纸", "还是不行"] {
        check(reply(ZHANG, text), &[Status::Resolved], &expected);
    }
}

#[test]
fn a_rating_link_counts_until_it_dies_and_can_be_changed() {
    let policy = policy();
    let rate = |ticket: Ticket, cycle, rating| {
        let situation = situation(&policy, vec![ticket]);
        told(&decide(&situation, &Event::Rated { number: Number(1), cycle, rating, comment: String::new() }, now()))
    };
    let rated = |status, rating| Ticket { rating: Some(rating), ..ticket(status) };
    assert_eq!(
        rate(ticket(Status::Resolved), 1, Rating::Satisfied),
        ["save IT001 closed", "rate satisfied", "unschedule"]
    );
    assert_eq!(
        rate(rated(Status::Closed, Rating::Satisfied), 1, Rating::Satisfied),
        [""; 0],
        "the same again is nothing new"
    );
    assert_eq!(rate(rated(Status::Closed, Rating::Satisfied), 1, Rating::Mostly), ["save IT001 closed", "rate mostly"]);
    assert!(
        rate(rated(Status::Closed, Rating::Satisfied), 1, Rating::Dissatisfied)
            .contains(&"letter notice wang".to_owned())
    );
    let reopened = Ticket { cycle: 2, ..rated(Status::InProgress, Rating::Dissatisfied) };
    assert!(
        rate(reopened, 1, Rating::Satisfied).contains(&"save IT001 closed".to_owned()),
        "the wrong button, taken back"
    );
    let moved_on = Ticket { cycle: 3, ..ticket(Status::Resolved) };
    assert_eq!(rate(moved_on, 1, Rating::Satisfied), [""; 0]);
}

#[test]
fn engineers_work_by_reply() {
    for (text, expected) in [
        ("我马上过来看", &["save IT001 in_progress", "join IT001 Public", "letter answer zhang"][..]),
        ("#认领", &["save IT001 assigned", "join IT001 Public"]),
        ("#备注 用户总是忘记加纸", &["join IT001 Internal", "record Note 用户总是忘记加纸"]),
        ("#note\n只给同事看", &["join IT001 Internal", "record Note 只给同事看"]),
        (
            "#步骤 换了硒鼓\n已经换好了",
            &["save IT001 in_progress", "join IT001 Public", "record Step 换了硒鼓", "letter answer zhang"],
        ),
        ("#转派 wang", &["save IT001 new", "join IT001 Public", "letter notice wang"]),
        ("#优先级 P2 整个财务部", &["save IT001 new", "join IT001 Public", "letter notice wang", "letter notice boss"]),
        ("#挂起 厂商\n等备件", &["save IT001 pending", "join IT001 Public", "letter answer zhang"]),
        ("#临时措施 先用二楼的打印机", &["save IT001 in_progress", "join IT001 Public", "letter workaround zhang"]),
        (
            "#解决\n换了硒鼓",
            &[
                "save IT001 resolved",
                "join IT001 Public",
                "schedule confirm_reminder",
                "schedule auto_close",
                "letter resolution zhang",
            ],
        ),
        ("#关闭", &["save IT001 closed", "join IT001 Public", "unschedule", "letter closed zhang"]),
        ("#取消 重复报障", &["save IT001 cancelled", "join IT001 Public", "unschedule", "letter cancelled zhang"]),
        ("#状态", &["join IT001 Public", "letter transcript li"]),
        ("#帮助", &["join IT001 Public", "letter transcript li"]),
    ] {
        let mut effects = check(reply(LI, text), &[Status::New], expected);
        effects.retain(|e| matches!(e, Effect::Send(l) if l.to.mailbox.address == address(ZHANG)));
        let words = format!("{effects:?}");
        assert!(!words.contains("只给同事看") && !words.contains("忘记加纸"), "S67: {words}");
    }
    check(
        reply(LI, "#重开\n再看一下"),
        &[Status::Closed],
        &["save IT001 in_progress", "join IT001 Public", "letter answer zhang"],
    );
}

#[test]
fn one_wrong_line_holds_everything_back() {
    for text in [
        "#reslove\n好了",
        "#认领\n#priority 高\n马上来",
        "#assign nobody\n转给他",
        "#继续",
        "#重开",
        "#备注",
        "好的\n#备注 别让用户知道",
        "已处理\n#resolve",
    ] {
        let policy = policy();
        let effects = told(&decide(&situation(&policy, vec![ticket(Status::New)]), &event(reply(LI, text)), now()));
        let [join, refused, letter] = &effects[..] else { panic!("{text}: {effects:?}") };
        assert_eq!((join.as_str(), letter.as_str()), ("join IT001 Internal", "letter transcript li"), "{text}");
        assert!(refused.starts_with("record Refused #"), "{text}: {refused}");
    }
}

#[test]
fn s1_orders_without_proof_do_nothing() {
    let expected = ["join IT001 Internal", "record Refused unproven", "letter confirm_command li"];
    check(mail(LI, "[IT001] x", "", "#关闭"), &[Status::New], &expected);
    check(mail(LI, "Re: x", "In-Reply-To: <first@corp.example>\r\n", "我来处理"), &[Status::New], &expected);
    let forged = "Authentication-Results: mx.evil.example; dmarc=pass header.from=corp.example\r\n";
    check(mail(LI, "[IT001] x", forged, "#关闭"), &[Status::New], &expected);
    let proven = "Authentication-Results: mx.corp.example; dmarc=pass header.from=corp.example\r\n";
    let closed = ["save IT001 closed", "join IT001 Public", "unschedule", "letter closed zhang"];
    check(mail(LI, "[IT001] x", proven, "#关闭"), &[Status::New], &closed);
}

#[test]
fn s1_a_yes_to_the_question_carries_out_what_was_asked() {
    let policy = policy();
    let mut situation = situation(&policy, vec![ticket(Status::New)]);
    situation.unconfirmed = Some(Box::new(mail(LI, "[IT001] x", "", "#关闭")));
    let effects = decide(&situation, &event(reply(LI, "确认")), now());
    assert!(told(&effects).contains(&"save IT001 closed".to_owned()), "{:?}", told(&effects));
}

/// Li answered the question whether "#关闭 …" was theirs; `before` is what the timeline says of it.
fn confirming(before: &[(What, &str)], text: &str) -> Vec<Effect> {
    let policy = policy();
    let mut situation = situation(&policy, vec![ticket(Status::New)]);
    let asked = mail(LI, "[IT001] x", "", "#关闭\n不处理");
    let digest = asked.identity.hex()[..16].to_owned();
    let entry = |(what, why): &(What, &str)| Entry {
        at: now(),
        who: Who::Person(address(LI)),
        what: what.clone(),
        why: why.replace("ID", &digest),
    };
    situation.candidates[0].timeline = Arc::new(before.iter().map(entry).collect());
    situation.unconfirmed = Some(Box::new(asked));
    decide(&situation, &event(reply(LI, text)), now())
}

#[test]
fn s1_a_no_carries_nothing_out() {
    let unproven = [(What::Refused, "unproven")];
    let no = told(&confirming(&unproven, "不用了"));
    let [join, refused, letter] = &no[..] else { panic!("{no:?}") };
    assert_eq!((join.as_str(), letter.as_str()), ("join IT001 Internal", "letter transcript li"));
    assert!(refused.ends_with("不用了") && refused.starts_with("record Refused declined "), "{refused}");
    let not_me = told(&confirming(&unproven, "不是我发的！"));
    assert_eq!(not_me[2..], ["letter transcript li", "letter impersonated boss"], "{not_me:?}");
    // A no stands, whatever is said later.
    let declined = [(What::Refused, "unproven"), (What::Refused, "declined ID: no")];
    let yes = told(&confirming(&declined, "ok"));
    assert!(yes.contains(&"letter transcript li".to_owned()) && !yes.iter().any(|l| l.starts_with("save")), "{yes:?}");
    let more = told(&confirming(&declined, "您好，请重启电脑"));
    assert_eq!(more, ["join IT001 Internal", "record Refused 您好，请重启电脑", "letter transcript li"]);
    // Too late for a no, not too late to say who it was.
    let confirmed = [(What::Refused, "unproven"), (What::Message, "confirmed ID")];
    let late = confirming(&confirmed, "It wasn't me");
    let carried_out = |e: &Effect| matches!(e, Effect::Send(l) if matches!(l.content, Content::Impersonated { carried_out: true, .. }));
    assert!(late.iter().any(carried_out), "{:?}", told(&late));
}

#[test]
fn s1_neither_yes_nor_no_is_asked_again_once() {
    let unproven = [(What::Refused, "unproven")];
    let again = confirming(&unproven, "稍等，我再看看");
    assert_eq!(told(&again), ["join IT001 Internal", "record Refused 稍等，我再看看", "letter confirm_command li"]);
    let key = |effects: &[Effect]| {
        effects.iter().find_map(|e| if let Effect::Send(l) = e { Some(l.key.clone()) } else { None })
    };
    assert_eq!(key(&again), key(&confirming(&unproven, "收到")), "one key is one letter");
    // Orders in the answer are orders.
    let orders = told(&confirming(&unproven, "#认领"));
    assert_eq!(orders, ["save IT001 assigned", "join IT001 Public"]);
}

#[test]
fn s1_an_empty_answer_is_a_yes_although_the_quote_is_kept() {
    let reference = policy().key.reference(Number(1), &address(LI));
    let empty = format!("\n在 2026-11-23 10:00，IT 服务台 写道：\n> #关闭\n> 不是您发的，回复“不是我”\n> {reference}");
    let policy = policy();
    let mut situation = situation(&policy, vec![ticket(Status::New)]);
    situation.unconfirmed = Some(Box::new(mail(LI, "[IT001] x", "", "#关闭")));
    let effects = decide(&situation, &event(mail(LI, "Re: [IT001] x", "In-Reply-To: <unknown@x>\r\n", &empty)), now());
    assert!(told(&effects).contains(&"save IT001 closed".to_owned()), "{:?}", told(&effects));
}

#[test]
fn a_yes_that_names_no_question_does_not_go_to_the_requester() {
    let policy = policy();
    let mut situation = situation(&policy, vec![ticket(Status::New)]);
    let asked = Entry { at: now(), who: Who::Person(address(LI)), what: What::Refused, why: "unproven".into() };
    situation.candidates[0].timeline = Arc::new(vec![asked]);
    let effects = told(&decide(&situation, &event(reply(LI, "确认")), now()));
    assert_eq!(effects, ["join IT001 Internal", "record Refused 确认", "letter transcript li"]);
    let effects = told(&decide(&situation, &event(reply(LI, "我马上过来看")), now()));
    assert!(effects.contains(&"letter answer zhang".to_owned()), "{effects:?}");
    // "Ok" to a letter that asks nothing is for the requester, whatever somebody else made the desk ask.
    let id = policy.key.message_id(Some(Number(1)), &address(LI), "IT001/message/x", "corp.example");
    let named = mail(LI, "Re: [IT001] x", &format!("In-Reply-To: <{id}>\r\n"), "好的");
    let effects = told(&decide(&situation, &event(named), now()));
    assert!(effects.contains(&"letter answer zhang".to_owned()), "{effects:?}");
}

#[test]
fn s1_a_yes_carries_out_the_orders_on_ones_own_new_report() {
    let policy = policy();
    let own =
        Ticket { requester: Mailbox::new(address(LI), "li"), assignee: Some(address(WANG)), ..ticket(Status::New) };
    let mut situation = situation(&policy, vec![own]);
    situation.unconfirmed = Some(Box::new(mail(LI, "打印机坏了", "", "#优先级 P2\n三楼打印机坏了")));
    let effects = decide(&situation, &event(reply(LI, "是的")), now());
    let called = ["save IT001 new", "join IT001 Public", "letter notice boss"];
    assert_eq!(told(&effects), called, "the report is no answer to it");
    let saved = effects.iter().find_map(|e| if let Effect::Save(t) = e { Some(t.priority) } else { None });
    assert_eq!(saved, Some(Priority::P2));
}

#[test]
fn s1_unproven_orders_on_a_new_mail_wait_for_a_yes() {
    let expected = [
        "open IT007 P3 wang",
        "join IT007 Public",
        "record Refused unproven",
        "letter confirm_command li",
        "letter acknowledgement li",
        "letter notice wang",
    ];
    check(mail(LI, "打印机坏了", "", "#优先级 P1\n三楼打印机坏了，只有我这台"), &[], &expected);
}

#[test]
fn p1_never_waits() {
    let expected = ["save IT001 in_progress", "join IT001 Public", "letter notice wang", "letter notice boss"];
    check(reply(LI, "#优先级 P1"), &[Status::Pending], &expected);
    let both = decide(&situation(&policy(), vec![ticket(Status::New)]), &event(reply(LI, "#挂起\n#优先级 P1")), now());
    assert!(told(&both).contains(&"save IT001 in_progress".to_owned()), "{:?}", told(&both));
}

#[test]
fn an_engineers_new_mail() {
    check(mail(LI, "question", "", "#list\n#help"), &[], &["aside question answered", "letter transcript li"]);
    check(
        mail(LI, "我的显示器坏了", "", "显示器不亮，只有我这台"),
        &[],
        &["open IT007 P3 wang", "join IT007 Public", "letter acknowledgement li", "letter notice wang"],
    );
}

#[test]
fn silence_is_reminded_once_and_then_closed_unrated() {
    let policy = policy();
    let fires = |ticket: Ticket, kind| {
        let timer = Timer { number: Number(1), kind, due: now(), cycle: 1 };
        told(&decide(&situation(&policy, vec![ticket]), &Event::Due(vec![timer]), now()))
    };
    assert_eq!(fires(ticket(Status::Resolved), TimerKind::ConfirmReminder), ["letter confirm_reminder zhang"]);
    assert_eq!(
        fires(ticket(Status::Resolved), TimerKind::AutoClose),
        ["save IT001 closed", "unschedule", "letter closed zhang"]
    );
    assert_eq!(fires(ticket(Status::InProgress), TimerKind::AutoClose), [""; 0]);
    assert_eq!(fires(Ticket { cycle: 2, ..ticket(Status::Resolved) }, TimerKind::AutoClose), [""; 0]);
}

#[test]
fn l22_an_undelivered_letter_reaches_somebody_else() {
    let policy = policy();
    let fails = |to: &str, letter: &str| {
        let event = Event::Undelivered {
            number: Number(1),
            to: address(to),
            letter: letter.into(),
            reason: "5.1.1 unknown".into(),
        };
        let effects = told(&decide(&situation(&policy, vec![ticket(Status::New)]), &event, now()));
        effects.into_iter().filter(|l| l.starts_with("letter")).collect::<Vec<_>>()
    };
    assert_eq!(fails(ZHANG, "IT001/answer/x/zhang"), ["letter undelivered li"]);
    assert_eq!(fails(LI, "IT001/notice/1/li"), ["letter undelivered boss"]);
    assert_eq!(fails(BOSS, "IT001/undelivered/1/boss"), [""; 0]);
}

#[test]
fn s55_a_message_over_the_limit_is_put_aside_and_its_sender_told() {
    let policy = policy();
    let situation = situation(&policy, vec![]);
    let mail = Mail::new(mail(ZHANG, "big", "", ""), now(), Some(1 << 20));
    let effects = decide(&situation, &Event::Mail(mail), now());
    assert_eq!(told(&effects), ["aside over the size limit", "letter too_large zhang"]);
}

/// A reply of the engineer's with these parts, each `header\n\nbody`; `REF` is the reference only they were sent.
fn reply_with_parts(from: &str, headers: &str, parts: &[&str]) -> Inbound {
    let parts: String = parts.iter().map(|part| format!("--b\n{part}\n")).collect();
    let raw = format!(
        "From: <{from}>\nTo: <{DESK}>\nSubject: Re: [IT001] x\nMessage-ID: <parts@client.example>\n\
         In-Reply-To: <unknown@x>\n{headers}MIME-Version: 1.0\nContent-Type: multipart/related; boundary=b\n\n{parts}--b--\n"
    );
    mail::parse(raw.replace("REF", &policy().key.reference(Number(1), &address(from))).as_bytes())
}

const PICTURE: &str = "Content-Type: image/png; name=shot.png\nContent-ID: <shot>\nContent-Disposition: inline\n\npng";

#[test]
fn s67_a_quoted_letter_to_the_engineer_never_goes_to_the_requester() {
    let quote = "在 2026-11-23 10:00，IT 服务台 写道：\n> 内部备注\n> REF\n";
    let held = ["join IT001 Internal", "record Refused 在 2026-11-23 10:00，IT 服务台 写道：", "letter transcript li"];
    let text = format!("Content-Type: text/plain; charset=utf-8\n\n{quote}");
    check(reply_with_parts(LI, "", &[&text]), &[Status::New], &held);
    let file = "Content-Type: application/pdf; name=a.pdf\nContent-Disposition: attachment; filename=a.pdf\n\npdf";
    check(reply_with_parts(LI, "", &[&text, file]), &[Status::New], &held);
    let unmarked = "Content-Type: text/plain; charset=utf-8\n\n请看下面\n\nIT 服务台\n内部备注\nREF\n";
    let held = ["join IT001 Internal", "record Refused 请看下面", "letter transcript li"];
    check(reply_with_parts(LI, "", &[unmarked]), &[Status::New], &held);
}

#[test]
fn pictures_of_signature_and_quote_are_no_answer() {
    let page = |text: &str| {
        format!(
            "Content-Type: text/html; charset=utf-8\n\n<div>{text}</div><div>-- <br>Li<br><img src=\"cid:logo\"></div>\
             <blockquote type=cite>REF<img src=\"cid:shot\"></blockquote>"
        )
    };
    let logo = PICTURE.replace("shot", "logo");
    let files = |text: &str| reply_with_parts(LI, "", &[&page(text), PICTURE, &logo]);
    check(files("#take"), &[Status::New], &["save IT001 assigned", "join IT001 Public"]);
    let answered = ["save IT001 in_progress", "join IT001 Public", "letter answer zhang"];
    let sent = |text: &str| {
        let effects = check(files(text), &[Status::New], &answered);
        effects.iter().find_map(|e| if let Effect::Send(l) = e { Some(l.attachments.len()) } else { None })
    };
    assert_eq!(sent("马上来"), Some(0));
    assert_eq!(sent("请点这里：<img src=\"cid:shot\">"), Some(1));
}

#[test]
fn what_stands_on_several_command_lines_is_all_said() {
    let effects = check(
        reply(LI, "#临时措施 先用二楼的\n#解决 换了硒鼓"),
        &[Status::New],
        &[
            "save IT001 resolved",
            "join IT001 Public",
            "schedule confirm_reminder",
            "schedule auto_close",
            "letter resolution zhang",
        ],
    );
    let words = format!("{effects:?}");
    assert!(words.contains("先用二楼的") && words.contains("换了硒鼓"), "{words}");
    let resolved = policy();
    let effects = decide(
        &situation(&resolved, vec![ticket(Status::New)]),
        &event(reply(LI, "#解决 换了硒鼓\n#备注 是他自己弄坏的")),
        now(),
    );
    let noted = |e: &Effect| matches!(e, Effect::Record(_, e) if e.what == What::Note && e.why.contains("弄坏"));
    assert!(effects.iter().any(noted), "{effects:?}");
    let letters: Vec<_> = effects.iter().filter(|e| matches!(e, Effect::Send(_))).collect();
    assert!(!format!("{letters:?}").contains("弄坏"), "S67: {letters:?}");
}

#[test]
fn l5_programs_neither_answer_nor_reopen() {
    let generated = "Auto-Submitted: auto-generated\n";
    let text = "Content-Type: text/plain; charset=utf-8\n\nI am away until Monday, call my colleague.\n\n> REF\n";
    check(reply_with_parts(LI, generated, &[text]), &[Status::New], &["join IT001 Internal"]);
    let passed_on = ["join IT001 Public", "letter message li"];
    for status in [Status::Resolved, Status::Pending, Status::Closed] {
        check(reply_with_parts(ZHANG, generated, &[text]), &[status], &passed_on);
    }
}

#[test]
fn not_satisfied_twice_is_told_twice() {
    let policy = policy();
    let mut at = Ticket { assignee: Some(address(LI)), ..ticket(Status::Resolved) };
    let mut keys = Vec::new();
    for rating in [Rating::Dissatisfied, Rating::Satisfied, Rating::Dissatisfied] {
        let event = Event::Rated { number: Number(1), cycle: 1, rating, comment: String::new() };
        for effect in decide(&situation(&policy, vec![at.clone()]), &event, now()) {
            match effect {
                Effect::Save(saved) => at = *saved,
                Effect::Send(letter) => keys.push(letter.key),
                _ => {}
            }
        }
    }
    // Three people hear of "not satisfied", twice, and two of them that it was taken back.
    assert_eq!(keys.len(), 8, "{keys:?}");
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 8, "one key is one letter: {keys:?}");
}

#[test]
fn a_requester_is_never_made_their_own_engineer() {
    let own = Ticket { requester: Mailbox::new(address(WANG), "wang"), ..ticket(Status::Resolved) };
    let policy = policy();
    let effects = decide(&situation(&policy, vec![own]), &event(reply(WANG, "不满意，还是卡纸")), now());
    let saved = effects.iter().find_map(|e| if let Effect::Save(t) = e { t.assignee.clone() } else { None });
    assert_eq!(saved, Some(address(LI)), "{:?}", told(&effects));
}

#[test]
fn s26_a_confirmation_counts_once() {
    let policy = policy();
    let confirm = |timeline| {
        let mut situation = situation(&policy, vec![ticket(Status::New)]);
        situation.candidates[0].timeline = Arc::new(timeline);
        situation.unconfirmed = Some(Box::new(mail(LI, "[IT001] x", "", "请重启电脑")));
        decide(&situation, &event(reply(LI, "确认")), now())
    };
    let first = confirm(vec![]);
    assert!(told(&first).contains(&"letter answer zhang".to_owned()), "{:?}", told(&first));
    let entries =
        first.iter().filter_map(|e| if let Effect::Record(_, entry) = e { Some(entry.clone()) } else { None });
    assert_eq!(told(&confirm(entries.collect())), ["join IT001 Internal"]);
}

/// Li's IT002 from Chen, and IT001 from Zhang in this status with Wang.
fn two_tickets(policy: &Policy, target: Status) -> Situation<'_> {
    let chen = Mailbox::new(address("chen@corp.example"), "陈静");
    let own = Ticket { number: Number(2), requester: chen, subject: "打不出来".into(), ..ticket(Status::New) };
    let target = Ticket { assignee: Some(address(WANG)), subject: "张伟的工资单".into(), ..ticket(target) };
    situation(policy, vec![own, target])
}

/// A reply of this engineer's on IT002.
fn on_second(from: &str, text: &str) -> Event {
    let reference = policy().key.reference(Number(2), &address(from));
    event(mail(from, "Re: x", "In-Reply-To: <unknown@x>\r\n", &format!("{text}\n\n> IT 服务台 {reference}")))
}

fn letters(effects: &[Effect]) -> Vec<&Letter> {
    effects.iter().filter_map(|e| if let Effect::Send(l) = e { Some(&**l) } else { None }).collect()
}

#[test]
fn a_merged_requester_is_told_and_hears_of_the_result() {
    let policy = policy();
    let effects = decide(&two_tickets(&policy, Status::InProgress), &on_second(LI, "#合并 IT001"), now());
    assert_eq!(
        told(&effects),
        ["save IT002 closed", "join IT002 Public", "unschedule", "letter notice wang", "letter merged chen"]
    );
    let entries = effects.iter().filter_map(|e| match e {
        Effect::Record(Number(1), entry) => Some(entry.clone()),
        _ => None,
    });
    let timeline: Vec<Entry> = entries.collect();
    let ends = |text: &str, before: Status| {
        let mut situation = situation(&policy, vec![ticket(before)]);
        situation.candidates[0].timeline = Arc::new(timeline.clone());
        decide(&situation, &event(reply(LI, text)), now())
    };
    for (text, before, stage) in [
        ("#解决\n张伟的密码是 1234", Status::InProgress, Some(Stage::Resolved)),
        ("#关闭\n不处理", Status::InProgress, Some(Stage::Over)),
        ("#取消", Status::InProgress, Some(Stage::Over)),
        ("#关闭\n已确认", Status::Resolved, None),
        ("请重启", Status::InProgress, None),
    ] {
        let effects = ends(text, before);
        let to_chen: Vec<_> =
            letters(&effects).into_iter().filter(|l| l.to.mailbox.address == address("chen@corp.example")).collect();
        let found =
            to_chen.iter().find_map(|l| if let Content::Merged { stage, .. } = l.content { Some(stage) } else { None });
        assert_eq!((found, to_chen.len()), (stage, usize::from(stage.is_some())), "{text}");
        for letter in to_chen {
            let about = letter.ticket.as_ref().unwrap();
            assert_eq!((about.number, about.subject.as_str()), (Number(2), "打不出来"), "{text}");
            let said = format!("{letter:?}");
            assert!(!said.contains("1234") && !said.contains("张伟") && !said.contains("打印机"), "{said}");
        }
    }
}

#[test]
fn a_merge_may_say_something_and_may_come_after_the_resolution() {
    let policy = policy();
    let effects =
        decide(&two_tickets(&policy, Status::Resolved), &on_second(LI, "#合并 IT001\n您好，和张伟的一起处理了"), now());
    let merged = letters(&effects).into_iter().find(|l| l.content.template() == "merged").unwrap();
    let Content::Merged { stage: Stage::Resolved, said: Some(said), .. } = &merged.content else {
        panic!("{merged:?}")
    };
    assert_eq!(said.body.text, "您好，和张伟的一起处理了");
    assert_eq!(letters(&effects).iter().filter(|l| l.to.mailbox.address.local() == "chen").count(), 1);
}

#[test]
fn a_merge_that_would_lose_somebody_is_refused() {
    let policy = policy();
    let refused = ["join IT002 Internal", "record Refused #", "letter transcript li"];
    let hint = |situation: &Situation, text: &str| {
        let effects = decide(situation, &on_second(LI, text), now());
        let lines: Vec<String> = told(&effects);
        assert!(lines.iter().zip(refused).all(|(l, r)| l.starts_with(r)) && lines.len() == 3, "{text}: {lines:?}");
        let Content::Transcript { lines, .. } = &letters(&effects)[0].content else { panic!() };
        lines[0].hint.clone()
    };
    for status in [Status::Closed, Status::Cancelled] {
        let over = Hint::Over { number: Number(1), status: status.as_str().into() };
        assert_eq!(hint(&two_tickets(&policy, status), "#merge IT001"), over);
    }
    let open = two_tickets(&policy, Status::New);
    assert_eq!(hint(&open, "#merge IT002"), Hint::Itself { number: Number(2) });
    assert_eq!(hint(&open, "#merge IT099"), Hint::NoSuchTicket { number: Number(99) });
    // IT001 was merged into this one: the circle leads back here.
    let mut circle = two_tickets(&policy, Status::New);
    circle.candidates[1].ticket = circle.candidates[0].ticket.clone();
    assert_eq!(hint(&circle, "#merge IT001"), Hint::Itself { number: Number(1) });
}

#[test]
fn what_a_merged_ticket_had_taken_in_goes_along() {
    let policy = policy();
    let mut situation = two_tickets(&policy, Status::New);
    let what = What::Absorbed {
        number: Number(3),
        subject: "z".into(),
        requester: Mailbox::new(address("zhou@corp.example"), "周"),
        language: Language::English,
    };
    situation.candidates[0].timeline =
        Arc::new(vec![Entry { at: now(), who: Who::Person(address(LI)), what: what.clone(), why: String::new() }]);
    let effects = decide(&situation, &on_second(LI, "#merge IT001"), now());
    let taken: Vec<_> = effects
        .iter()
        .filter_map(|e| match e {
            Effect::Record(Number(1), Entry { what: What::Absorbed { number, .. }, .. }) => Some(number.0),
            _ => None,
        })
        .collect();
    assert_eq!(taken, [3, 2]);
}

/// The duty supervisor, who is no engineer, writes on a ticket of Li's or of nobody's.
fn supervising(assignee: Option<&str>, status: Status, text: &str) -> Vec<Effect> {
    let policy = policy();
    let on = Ticket { assignee: assignee.map(address), ..ticket(status) };
    decide(&situation(&policy, vec![on]), &event(reply(BOSS, text)), now())
}

#[test]
fn the_supervisors_words_reach_the_engineer_and_never_the_requester() {
    let heard = ["join IT001 Internal", "record Note 今天必须解决", "letter message li"];
    for status in [Status::New, Status::Resolved, Status::Closed] {
        let effects = supervising(Some(LI), status, "今天必须解决");
        assert_eq!(told(&effects), heard, "{status}");
        assert!(matches!(letters(&effects)[0].content, Content::Message { writer: Writer::Supervisor, .. }));
    }
    let unheard = ["join IT001 Internal", "record Note 谁来处理？", "letter unheard boss"];
    assert_eq!(told(&supervising(None, Status::New, "谁来处理？")), unheard);
    let handed = [
        "save IT001 new",
        "join IT001 Internal",
        "record Note 今天必须解决",
        "letter notice wang",
        "letter message wang",
    ];
    assert_eq!(told(&supervising(None, Status::New, "#转派 wang\n今天必须解决")), handed);
    assert_eq!(
        told(&supervising(Some(LI), Status::New, "#assign wang")),
        ["save IT001 new", "join IT001 Internal", "letter notice wang"]
    );
    for text in ["#关闭", "#解决\n好了", "#reslove", "请处理\n#转派 wang"] {
        let effects = told(&supervising(Some(LI), Status::New, text));
        assert!(effects.contains(&"letter transcript boss".to_owned()) && effects.len() == 3, "{text}: {effects:?}");
    }
}

#[test]
fn g5_who_only_says_to_be_the_supervisor_orders_nothing() {
    let forged = mail(BOSS, "[IT001] x", "In-Reply-To: <first@corp.example>\r\n", "#转派 wang\n今天必须解决");
    check(forged, &[Status::New], &["join IT001 Public", "letter message li"]);
}

fn saved(effects: &[Effect]) -> &Ticket {
    effects.iter().find_map(|e| if let Effect::Save(t) = e { Some(&**t) } else { None }).expect("a changed ticket")
}

const MINUTE: Duration = Duration::from_secs(60);

fn moved(at: Timestamp, from: Status, to: Status) -> Entry {
    Entry { at, who: Who::Desk, what: What::Status { from, to }, why: String::new() }
}

#[test]
fn targets_count_from_the_reopening_and_leave_out_what_was_on_hold() {
    use Status::{InProgress, Pending, Resolved};
    let policy = policy();
    let hour = 60 * MINUTE;
    let created = now();
    let at = |hours: u32| created + hours * hour;
    let changed = |on: Ticket, timeline: Vec<Entry>, text: &str, now: Timestamp| {
        let mut situation = situation(&policy, vec![on]);
        situation.candidates[0].timeline = Arc::new(timeline);
        let effects = decide(&situation, &event(reply(LI, text)), now);
        saved(&effects).resolution_due
    };
    // P2 is four hours, P3 eight; the calendar of these tests runs round the clock.
    assert_eq!(changed(ticket(InProgress), vec![], "#优先级 P2", at(1)), at(4));
    let reopened = || Ticket { cycle: 2, ..ticket(InProgress) };
    let round = || vec![moved(at(2), InProgress, Resolved), moved(at(30), Resolved, InProgress)];
    assert_eq!(changed(reopened(), round(), "#优先级 P2", at(31)), at(34), "a round of its own");
    assert_eq!(changed(Ticket { cycle: 2, ..ticket(Resolved) }, round(), "#重开\n#优先级 P2", at(40)), at(44));
    let held = || vec![moved(at(1), InProgress, Pending), moved(at(3), Pending, InProgress)];
    assert_eq!(changed(ticket(InProgress), held(), "#优先级 P2", at(4)), at(6), "two hours on hold");
    assert_eq!(changed(ticket(InProgress), held(), "#优先级 P1", at(4)), at(2), "P1 never pauses");
    // On hold since hour one, due at eight.
    let pending = || Ticket { updated: at(1), resolution_due: at(8), ..ticket(Pending) };
    assert_eq!(changed(pending(), vec![moved(at(1), InProgress, Pending)], "#继续", at(5)), at(12));
    assert_eq!(changed(pending(), vec![moved(at(1), InProgress, Pending)], "#优先级 P2", at(5)), at(8));
    assert_eq!(changed(pending(), vec![moved(at(1), InProgress, Pending)], "#优先级 P1", at(5)), at(2));
    let answered = decide(&situation(&policy, vec![pending()]), &event(reply(ZHANG, "资产编号是 IT-88")), at(5));
    assert_eq!(saved(&answered).resolution_due, at(12), "the requester's answer ends the pause, too");
    // A change while on hold stores the target anew; the pause goes on from there.
    let vendor = decide(&situation(&policy, vec![pending()]), &event(reply(LI, "#挂起 厂商")), at(3));
    assert_eq!((saved(&vendor).resolution_due, saved(&vendor).status), (at(10), Pending));
    let later = decide(&situation(&policy, vec![saved(&vendor).clone()]), &event(reply(LI, "#继续")), at(5));
    assert_eq!(saved(&later).resolution_due, at(12));
}

#[test]
fn not_satisfied_taken_back_is_told_to_those_it_called() {
    let policy = policy();
    let reopened = Ticket {
        cycle: 2,
        rating: Some(Rating::Dissatisfied),
        assignee: Some(address(WANG)),
        ..ticket(Status::InProgress)
    };
    let event = Event::Rated { number: Number(1), cycle: 1, rating: Rating::Satisfied, comment: "点错了".into() };
    let effects = told(&decide(&situation(&policy, vec![reopened]), &event, now()));
    assert_eq!(
        effects,
        ["save IT001 closed", "rate satisfied", "unschedule", "letter taken_back wang", "letter taken_back boss"]
    );
}

#[test]
fn l5_mail_through_the_desks_own_list_is_answered() {
    let report = "三楼打印机不能打印，只有我这台。";
    let answered = ["open IT007 P3 li", "join IT007 Public", "letter acknowledgement zhang", "letter notice li"];
    let quiet = ["open IT007 P4 li", "join IT007 Public"];
    for (headers, expected) in [
        ("List-Id: IT Help <it-help.corp.example>\r\nPrecedence: list\r\n", &answered[..]),
        ("List-Id: <Staff.Lists.Example>\r\nList-Unsubscribe: <mailto:x@y>\r\n", &answered),
        ("Cc: IT <it-help@corp.example>\r\nList-Post: <mailto:it-help@corp.example>\r\n", &answered),
        ("List-Id: <news.example.com>\r\nCc: it-help@corp.example\r\n", &quiet),
        ("List-Id: <it-help.corp.example>\r\nList-Id: <news.example.com>\r\n", &quiet),
        ("List-Id: <it-help.corp.example>\r\nPrecedence: bulk\r\n", &quiet),
        ("List-Id: <it-help.corp.example>\r\nFeedback-ID: 1:x\r\n", &quiet),
        ("List-Id: <it-help.corp.example.evil.example>\r\n", &quiet),
    ] {
        check(mail(ZHANG, "打印机坏了", headers, report), &[], expected);
    }
    let generated = "List-Id: <it-help.corp.example>\r\nAuto-Submitted: auto-generated\r\n";
    check(mail(ZHANG, "disk", generated, report), &[], &["open IT007 P3 li", "join IT007 Public", "letter notice li"]);
    // A list that writes in its own name is not answered: everybody on it would be.
    let in_its_name = mail("it-help@corp.example", "打印机坏了", "List-Id: <it-help.corp.example>\r\n", report);
    check(in_its_name, &[], &["open IT007 P3 li", "join IT007 Public", "letter notice li"]);
    // Orders through the list count like any other.
    let mut order = reply(LI, "#认领");
    (order.kind, order.lists) = (maildesk::desk::inbound::Kind::Bulk, vec!["it-help.corp.example".into()]);
    check(order, &[Status::New], &["save IT001 assigned", "join IT001 Public"]);
}

#[test]
fn what_an_answer_says_besides_reaches_the_engineer() {
    let closed = ["save IT001 closed", "join IT001 Public", "rate satisfied", "unschedule"];
    let thanked = [&closed[..], &["letter closed zhang"]].concat();
    let passed_on = [&closed[..], &["letter message li", "letter closed zhang"]].concat();
    check(reply(ZHANG, "满意，谢谢"), &[Status::Resolved], &thanked);
    check(reply(ZHANG, "满意，谢谢。另外键盘也坏了"), &[Status::Resolved], &passed_on);
    let unclear = ["save IT001 resolved", "join IT001 Public", "letter message li", "letter clarify zhang"];
    check(reply(ZHANG, "可以了，不过打印有点慢"), &[Status::Resolved], &unclear);
    check(reply(ZHANG, "可以了，不过打印有点慢"), &[Status::Closed], &["join IT001 Public", "letter message li"]);
    check(reply(ZHANG, "好的，谢谢"), &[Status::Closed], &["join IT001 Public"]);
}

#[test]
fn an_empty_reply_is_no_complaint_and_a_screenshot_is_one() {
    let empty = "Content-Type: text/plain; charset=utf-8\n\n在 2026-11-23 10:00，IT 服务台 写道：\n> 满意吗？\n> 不满意：https://x\n> REF\n";
    let asked = ["save IT001 resolved", "join IT001 Public", "letter clarify zhang"];
    check(reply_with_parts(ZHANG, "", &[empty]), &[Status::Resolved], &asked);
    let file = "Content-Type: image/png; name=a.png\nContent-Disposition: attachment; filename=a.png\n\npng";
    let reopened = ["save IT001 in_progress", "join IT001 Public", "unschedule", "letter message li"];
    let effects = check(reply_with_parts(ZHANG, "", &[empty, file]), &[Status::Resolved], &reopened);
    assert_eq!(letters(&effects)[0].attachments.len(), 1);
    // What shows that it is not solved goes to the one who takes over.
    let broken = "Content-Type: text/plain; charset=utf-8\n\n不满意，还是报错，见截图\n\n> REF\n";
    let policy = policy();
    let on = situation(&policy, vec![ticket(Status::Resolved)]);
    let effects = decide(&on, &event(reply_with_parts(ZHANG, "", &[broken, file])), now());
    let notice = letters(&effects).into_iter().find(|l| l.content.template() == "notice").unwrap();
    assert_eq!((notice.attachments.len(), notice.with_first_files), (1, true));
}

#[test]
fn thanks_after_months_open_no_ticket() {
    let policy = policy();
    let months = Duration::from_secs(90 * 86_400);
    let later = |text: &str| {
        let situation = situation(&policy, vec![ticket(Status::Closed)]);
        told(&decide(&situation, &event(reply(ZHANG, text)), now() + months))
    };
    for text in ["谢谢", "ok", "满意", "已经好了"] {
        assert_eq!(later(text), ["join IT001 Public"], "{text}");
    }
    for text in ["又坏了", "不满意", "满意，另外键盘也坏了", "打印机又卡纸"] {
        assert_eq!(later(text)[0], "open IT007 P3 li", "{text}");
    }
}

#[test]
fn a_closed_ticket_reopens_for_some_days_and_later_a_linked_one_opens() {
    let policy = policy();
    let closed = Ticket { closed: Some(now()), ..ticket(Status::Closed) };
    let last = now() + policy.satisfaction.reopen_within;
    let broken = |at| decide(&situation(&policy, vec![closed.clone()]), &event(reply(ZHANG, "又坏了")), at);
    assert_eq!(told(&broken(last))[0], "save IT001 in_progress");
    let later = broken(last + Duration::from_secs(1));
    let opened = later.iter().find_map(|effect| match effect {
        Effect::Open(ticket) => Some((ticket.number, ticket.related)),
        _ => None,
    });
    assert_eq!(opened, Some((Number(7), Some(Number(1)))));
    assert!(!told(&later).iter().any(|line| line.starts_with("save IT001")), "{:?}", told(&later));
}

#[test]
fn what_is_missing_never_holds_up_an_urgent_report() {
    let policy = policy();
    let down = mail(ZHANG, "ERP 宕机", "", "ERP 系统宕机，全公司都不能用");
    let effects = decide(&situation(&policy, vec![]), &event(down), now());
    let sent: Vec<&Letter> = effects
        .iter()
        .filter_map(|effect| if let Effect::Send(letter) = effect { Some(&**letter) } else { None })
        .collect();
    // Asked of the requester, and in the same moment the team has it, with a target that runs.
    let asks =
        |letter: &&Letter| matches!(&letter.content, Content::Acknowledgement { missing, .. } if !missing.is_empty());
    let calls = |letter: &&Letter| matches!(letter.content, Content::Notice { .. });
    assert!(sent.iter().any(asks) && sent.iter().any(calls), "{:?}", told(&effects));
    let urgent = |effect: &Effect| matches!(effect, Effect::Open(t) if t.priority == Priority::P1 && t.wait.is_none() && t.assignee.is_some());
    assert!(effects.iter().any(urgent), "{:?}", told(&effects));
}

#[test]
fn a_reply_to_a_letter_of_a_merged_ticket_never_goes_to_the_other_requester() {
    let policy = policy();
    let merged = |text: &str| {
        let mut situation = two_tickets(&policy, Status::New);
        situation.candidates[0].ticket = situation.candidates[1].ticket.clone();
        decide(&situation, &on_second(LI, text), now())
    };
    for text in ["陈静您好，请重启电脑", "#解决\n已重启", "#关闭"] {
        let effects = merged(text);
        assert!(letters(&effects).iter().all(|l| l.to.mailbox.address == address(LI)), "{:?}", told(&effects));
        let Content::Transcript { lines, .. } = &letters(&effects)[0].content else { panic!() };
        assert!(matches!(lines[0].hint, Hint::MergedAway { number: Number(2), into: Number(1), .. }), "{lines:?}");
    }
    assert_eq!(told(&merged("#备注 是同一台")), ["join IT001 Internal", "record Note 是同一台"]);
    assert_eq!(told(&merged("#status")), ["join IT001 Public", "letter transcript li"]);
}

#[test]
fn a_note_that_the_requester_got_as_a_copy_is_told() {
    let mut note = reply(LI, "#备注 他自己摔的");
    note.cc = vec![Mailbox::new(address(ZHANG), "")];
    let expected = ["join IT001 Internal", "record Note 他自己摔的", "letter transcript li"];
    let effects = check(note, &[Status::New], &expected);
    let Content::Transcript { lines, .. } = &letters(&effects)[0].content else { panic!() };
    assert_eq!(lines[0].hint, Hint::Copied);
}

#[test]
fn an_engineers_words_on_their_own_ticket_go_to_whoever_has_it() {
    let policy = policy();
    let own =
        Ticket { requester: Mailbox::new(address(LI), "li"), assignee: Some(address(WANG)), ..ticket(Status::New) };
    let effects = decide(&situation(&policy, vec![own]), &event(reply(LI, "#优先级 P2\n整个财务部都停了")), now());
    assert_eq!(
        told(&effects),
        ["save IT001 new", "join IT001 Public", "letter message wang", "letter message boss", "letter notice boss"]
    );
    assert_eq!(saved(&effects).first_response, None, "nobody has answered yet");
}

#[test]
fn an_engineer_who_names_a_ticket_means_it() {
    let asked = ["join IT001 Internal", "record Refused unproven", "letter confirm_command wang"];
    check(mail(WANG, "[IT001] x", "", "#认领"), &[Status::InProgress], &asked);
    let proven = "Authentication-Results: mx.corp.example; dmarc=pass header.from=corp.example\r\n";
    check(mail(WANG, "[IT001] x", proven, "#认领"), &[Status::New], &["save IT001 assigned", "join IT001 Public"]);
    // Without orders it may be a report of their own.
    let opened = ["open IT007 P3 li", "join IT007 Public", "letter acknowledgement wang", "letter notice li"];
    check(mail(WANG, "[IT001] x", "", "我的打印机也坏了，只有我这台"), &[Status::InProgress], &opened);
}

#[test]
fn a_note_goes_along_when_the_ticket_is_handed_on() {
    let effects = check(
        reply(LI, "#转派 wang\n#备注\n用户很急"),
        &[Status::New],
        &["save IT001 new", "join IT001 Internal", "record Note 用户很急", "letter notice wang"],
    );
    let noted = |l: &&Letter| matches!(&l.content, Content::Notice { reason: NoticeReason::Assigned { note, .. }, .. } if note == "用户很急");
    assert!(letters(&effects).iter().any(noted));
}

#[test]
fn short_and_odd_answers() {
    let unclear = ["save IT001 resolved", "join IT001 Public", "letter message li", "letter clarify zhang"];
    let done = ["save IT001 closed", "join IT001 Public", "unschedule", "letter closed zhang"];
    let heard = ["join IT001 Public", "letter message li"];
    let learned = ["save IT001 resolved", "join IT001 Public", "letter message li"];
    let reopened = ["save IT001 in_progress", "join IT001 Public", "letter message li"];
    for (text, before, expected) in [
        ("谢谢李工", Status::Resolved, &unclear[..]),
        ("no", Status::Resolved, &unclear),
        ("？", Status::Resolved, &unclear),
        ("不用了，谢谢", Status::Resolved, &done),
        ("部门：财务部\n电话：8012", Status::Resolved, &learned),
        ("满意", Status::Cancelled, &heard),
        ("还是不行", Status::Cancelled, &reopened),
        ("不用了", Status::Closed, &["join IT001 Public"]),
    ] {
        check(reply(ZHANG, text), &[before], expected);
    }
    // Passed-on words are somebody else's.
    let mut forward = reply(ZHANG, "不满意");
    forward.kind = maildesk::desk::inbound::Kind::Forward;
    let reopened = ["save IT001 in_progress", "join IT001 Public", "unschedule", "letter message li"];
    check(forward, &[Status::Resolved], &reopened);
}

/// Wang and Sun are senior; the boss is on duty.
fn team_policy() -> Policy {
    let mut policy = policy();
    policy.engineers.push(maildesk::desk::policy::Engineer { reader: reader(SUN), ..policy.engineers[1].clone() });
    policy
}

const SUN: &str = "sun@corp.example";

/// What happens on an urgent ticket of Wang's when `who` writes this.
fn urgent(who: &str, text: &str) -> Vec<String> {
    let policy = team_policy();
    let ticket = Ticket { priority: Priority::P1, assignee: Some(address(WANG)), ..ticket(Status::New) };
    let reference = policy.key.reference(Number(1), &address(who));
    let inbound = mail(who, "Re: [IT001] x", "", &format!("{text}\n\n> IT 服务台 {reference}"));
    told(&decide(&situation(&policy, vec![ticket]), &event(inbound), now()))
}

#[test]
fn an_urgent_ticket_calls_its_team_together() {
    let policy = team_policy();
    let down = mail(ZHANG, "ERP 宕机", "", "ERP 系统宕机，全公司都不能用");
    let effects = decide(&situation(&policy, vec![]), &event(down), now());
    let notices: Vec<&Letter> = letters(&effects).into_iter().filter(|l| l.content.template() == "notice").collect();
    let readers: Vec<&str> = notices.iter().map(|l| l.to.mailbox.address.local()).collect();
    assert_eq!(readers, ["sun", "wang", "boss"]);
    for letter in notices {
        let Content::Notice { reason: NoticeReason::Urgent { lead, team, supervisor, stand_in, .. }, .. } =
            &letter.content
        else {
            panic!("{letter:?}")
        };
        assert_eq!((lead.as_deref(), team.join(" ")), (Some("sun"), "wang boss".to_owned()));
        assert_eq!((*supervisor, *stand_in), (letter.to.mailbox.address == address(BOSS), false));
    }
}

#[test]
fn the_team_of_an_urgent_ticket_hears_everything() {
    let answer = [
        "save IT001 in_progress",
        "join IT001 Public",
        "letter answer zhang",
        "letter message sun",
        "letter message boss",
    ];
    assert_eq!(urgent(WANG, "正在切换到备机。"), answer);
    let solved = [
        "save IT001 resolved",
        "join IT001 Public",
        "schedule confirm_reminder",
        "schedule auto_close",
        "letter resolution zhang",
        "letter message sun",
        "letter message boss",
    ];
    assert_eq!(urgent(WANG, "#解决\n已恢复"), solved);
    let note = ["join IT001 Internal", "record Note 数据库满了", "letter message wang", "letter message boss"];
    assert_eq!(urgent(SUN, "#备注 数据库满了"), note);
    let requester = ["join IT001 Public", "letter message wang", "letter message sun", "letter message boss"];
    assert_eq!(urgent(ZHANG, "仓库也停了"), requester);
    let boss = ["join IT001 Internal", "record Note 客户在等", "letter message wang", "letter message sun"];
    assert_eq!(urgent(BOSS, "客户在等"), boss);
}

#[test]
fn the_team_of_an_urgent_ticket_knows_who_has_it() {
    let taken = ["save IT001 assigned", "join IT001 Public", "letter taken wang", "letter taken boss"];
    assert_eq!(urgent(SUN, "#认领"), taken);
    assert_eq!(urgent(WANG, "#认领"), ["save IT001 assigned", "join IT001 Public"]);
    let handed = ["save IT001 new", "join IT001 Internal", "letter notice li", "letter taken wang", "letter taken sun"];
    assert_eq!(urgent(BOSS, "#转派 li"), handed);
}

#[test]
fn a_ticket_raised_with_words_calls_its_team_all_the_same() {
    let effects = check_raised("#priority P1\n正在看。");
    assert!(
        effects.contains(&"letter notice wang".to_owned()) && effects.contains(&"letter notice boss".to_owned()),
        "{effects:?}"
    );
    let effects = check_raised("#priority P1\n#note 像是勒索病毒");
    assert!(effects.contains(&"letter notice wang".to_owned()), "{effects:?}");
}

fn check_raised(text: &str) -> Vec<String> {
    let policy = policy();
    told(&decide(&situation(&policy, vec![ticket(Status::New)]), &event(reply(LI, text)), now()))
}

/// IT001 leads, IT002 and IT003 hang on it.
fn incident(text: &str) -> Vec<Effect> {
    let policy = policy();
    let report = |n: i64| Ticket {
        number: Number(n),
        requester: Mailbox::new(address(&format!("r{n}@corp.example")), ""),
        parent: Some(Number(1)),
        ..ticket(Status::New)
    };
    let leading = Ticket { fault: Some("ERP".into()), ..ticket(Status::New) };
    let mut situation = situation(&policy, vec![leading, report(3)]);
    situation.candidates[0].reports = vec![report(2), report(3)];
    decide(&situation, &event(reply(LI, text)), now())
}

/// No ticket may be saved twice in one go: the second one would be refused, and the mail with it.
#[test]
fn g4_a_report_that_is_split_off_is_told_nothing_more() {
    for text in ["#split IT003\n正在看。", "#split IT003\n#resolve 好了", "#split IT003\n#split IT003\n正在看"]
    {
        let effects = incident(text);
        let mut saved: Vec<Number> =
            effects.iter().filter_map(|e| if let Effect::Save(t) = e { Some(t.number) } else { None }).collect();
        let all = saved.len();
        saved.sort();
        saved.dedup();
        assert_eq!(saved.len(), all, "{text}: {:?}", told(&effects));
        let to = |name: &str| told(&effects).iter().filter(|l| l.ends_with(name)).count();
        assert_eq!(to(" r3"), 0, "{text}: {:?}", told(&effects));
    }
    // A slip holds everything back.
    assert_eq!(told(&incident("#split IT003\n#split IT003\n正在看")).last().unwrap(), "letter transcript li");
}

#[test]
fn reports_go_the_way_of_the_ticket_they_hang_on() {
    let line = |text: &str| told(&incident(text));
    let resolved = line("#resolve 好了");
    assert!(
        ["save IT002 resolved", "save IT003 resolved", "letter resolution r2"]
            .iter()
            .all(|l| resolved.contains(&(*l).to_owned())),
        "{resolved:?}"
    );
    assert!(line("#cancel").contains(&"save IT003 cancelled".to_owned()));
    let taken = incident("#assign wang");
    let assignees = taken.iter().filter_map(|e| if let Effect::Save(t) = e { t.assignee.clone() } else { None });
    assert!(assignees.clone().count() == 3 && assignees.into_iter().all(|a| a == address(WANG)), "{:?}", told(&taken));
}
