//! The rules alone: a message or a click meets a ticket, and these are the effects. No database, no clock, no network.

use chrono_tz::Asia::Shanghai;
use maildesk::address::{Address, Mailbox, MessageId};
use maildesk::desk::decide::decide;
use maildesk::desk::event::{Candidate, Effect, Event, KnownId, Mail, SenderCounts, Situation, Timer, TimerKind};
use maildesk::desk::inbound::{Body, Inbound};
use maildesk::desk::letter::Content;
use maildesk::desk::link::Key;
use maildesk::desk::policy::{Demand, Engineer, Identity, Limits, Policy, Proof, Reader, Satisfaction, Targets};
use maildesk::desk::ticket::{Number, Ticket, What};
use maildesk::desk::triage::Rules;
use maildesk::desk::words::{Category, Impact, Language, Priority, Rating, Status, Wait};
use maildesk::mail;
use maildesk::time::{Calendar, Timestamp};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

const DESK: &str = "it@corp.example";
const ZHANG: &str = "zhang@corp.example";
const LI: &str = "li@corp.example";
const WANG: &str = "wang@corp.example";
const BOSS: &str = "boss@corp.example";

static RULES: LazyLock<Arc<Rules>> = LazyLock::new(|| Arc::new(Rules::builtin()));

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn reader(text: &str) -> Reader {
    let name = text.split('@').next().unwrap_or_default();
    Reader { mailbox: Mailbox::new(address(text), name), language: Language::Chinese, zone: Shanghai }
}

fn now() -> Timestamp {
    Timestamp::parse("2026-11-23T10:00:00+08:00").unwrap()
}

fn policy() -> Policy {
    let engineer = |text, level| Engineer { reader: reader(text), level, skills: vec![], hours: None, away: vec![] };
    let day = Duration::from_secs(86_400);
    Policy {
        desk: Identity {
            name_zh: "IT 服务台".into(),
            name_en: "IT Service Desk".into(),
            address: address(DESK),
            aliases: vec![address("helpdesk@corp.example")],
            domains: vec!["corp.example".into()],
            public_url: Some("https://desk.corp.example".into()),
            zone: Shanghai,
            language: Language::Chinese,
        },
        engineers: vec![engineer(LI, 2), engineer(WANG, 3)],
        supervisor: Some(reader(BOSS)),
        targets: Targets::default(),
        calendar: Calendar::round_the_clock(Shanghai),
        rules: RULES.clone(),
        proof: Proof { authserv_id: Some("mx.corp.example".into()), work: Demand::Either },
        satisfaction: Satisfaction {
            link_valid: 30 * day,
            remind_after: day,
            close_after: 3 * day,
            reopen_within: 7 * day,
        },
        limits: Limits {
            acknowledgements: [3, 10, 20],
            tickets_per_hour: 20,
            message_bytes: 1 << 20,
            relay_bytes: 1 << 20,
        },
        key: Key([9; 32]),
    }
}

/// Zhang's printer, with Li, in this status.
fn ticket(status: Status) -> Ticket {
    let over = matches!(status, Status::Closed | Status::Cancelled);
    Ticket {
        number: Number(1),
        subject: "打印机坏了".into(),
        requester: Mailbox::new(address(ZHANG), "张伟"),
        language: Language::Chinese,
        category: Category::Hardware,
        priority: Priority::P3,
        impact: Impact::Personal,
        matched: vec![],
        fields: Default::default(),
        status,
        wait: (status == Status::Pending).then_some(Wait::Requester),
        assignee: Some(address(LI)),
        created: now(),
        updated: now(),
        first_response: None,
        response_due: now(),
        resolution_due: now(),
        resolved: None,
        closed: over.then(now),
        rating: None,
        cycle: 1,
        asked: false,
        merged_into: None,
        related: None,
        version: 1,
    }
}

fn candidate(ticket: Ticket) -> Candidate {
    let description = Body { text: "打印机坏了".into(), html: None };
    Candidate {
        named: ticket.number,
        ticket,
        participants: vec![address(ZHANG), address(LI)],
        timeline: vec![],
        description,
    }
}

fn situation(policy: &Policy, tickets: Vec<Ticket>) -> Situation<'_> {
    Situation {
        policy,
        next_number: Number(7),
        candidates: tickets.into_iter().map(candidate).collect(),
        known_ids: vec![KnownId {
            id: MessageId::parse("first@corp.example").unwrap(),
            number: Number(1),
            only_cited: false,
        }],
        sender: None,
        counts: SenderCounts::default(),
        loads: vec![],
        unconfirmed: None,
        own_open: vec![],
    }
}

/// A plain mail; `headers` are whole lines.
fn mail(from: &str, subject: &str, headers: &str, text: &str) -> Inbound {
    let raw = format!(
        "From: <{from}>\r\nTo: <{DESK}>\r\nSubject: {subject}\r\nMessage-ID: <new@client.example>\r\n{headers}\
         Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    );
    mail::parse(raw.as_bytes())
}

/// A reply that carries the reference only `from` was sent.
fn reply(from: &str, text: &str) -> Inbound {
    let reference = policy().key.reference(Number(1), &address(from));
    mail(from, "Re: [IT001] x", "In-Reply-To: <unknown@x>\r\n", &format!("{text}\n\n> IT 服务台 {reference}"))
}

fn event(inbound: Inbound) -> Event {
    Event::Mail(Mail { inbound: Box::new(inbound), arrived: now(), over_limit: None })
}

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
        Effect::Schedule(t) => Some(format!("schedule {}", t.kind.as_str())),
        Effect::Unschedule(_) => Some("unschedule".into()),
        Effect::Record(_, e) if matches!(e.what, What::Note | What::Step | What::Refused | What::Undelivered) => {
            Some(format!("record {:?} {}", e.what, e.why.lines().next().unwrap_or("")))
        }
        Effect::Record(..) | Effect::Participants(..) | Effect::Remember(..) => None,
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
    let senior = ["open IT007 P1 wang", "join IT007 Public", "letter acknowledgement zhang", "letter notice wang"];
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
        ("#优先级 P2 整个财务部", &["save IT001 new", "join IT001 Public"]),
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
    let other = decide(&situation, &event(reply(LI, "稍等，我再看看")), now());
    assert!(told(&other).contains(&"letter answer zhang".to_owned()), "{:?}", told(&other));
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
    let expected = ["save IT001 in_progress", "join IT001 Public"];
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
        told(&decide(&situation(&policy, vec![ticket]), &Event::Timer(timer), now()))
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
    let mail = Mail { inbound: Box::new(mail(ZHANG, "big", "", "")), arrived: now(), over_limit: Some(1 << 20) };
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
    assert_eq!(keys.len(), 6, "{keys:?}");
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 6, "one key is one letter: {keys:?}");
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
        situation.candidates[0].timeline = timeline;
        situation.unconfirmed = Some(Box::new(mail(LI, "[IT001] x", "", "请重启电脑")));
        decide(&situation, &event(reply(LI, "确认")), now())
    };
    let first = confirm(vec![]);
    assert!(told(&first).contains(&"letter answer zhang".to_owned()), "{:?}", told(&first));
    let entries =
        first.iter().filter_map(|e| if let Effect::Record(_, entry) = e { Some(entry.clone()) } else { None });
    assert_eq!(told(&confirm(entries.collect())), ["join IT001 Internal"]);
}
