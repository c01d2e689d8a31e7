//! People in copy, few words that end a ticket, and the follow-up of a bad rating, by the rules alone.

#[path = "support/rules.rs"]
mod rules;

use maildesk::address::Mailbox;
use maildesk::desk::decide::decide;
use maildesk::desk::event::{Candidate, Effect, Event, Mail, Situation, Timer, TimerKind};
use maildesk::desk::inbound::Inbound;
use maildesk::desk::letter::{Action, Content, CopyStage, Letter};
use maildesk::desk::policy::Policy;
use maildesk::desk::ticket::{Entry, Number, Ticket, What};
use maildesk::desk::words::{Rating, Status};
use maildesk::time::Timestamp;
use rules::*;
use std::sync::Arc;
use std::time::Duration;

const LIU: &str = "liu@corp.example";
const ZHAO: &str = "zhao@corp.example";
const OUTSIDE: &str = "consultant@elsewhere.example";
const HOUR: Duration = Duration::from_secs(3600);

/// A desk in memory with one ticket, and what went out last.
struct Desk {
    policy: Policy,
    ticket: Ticket,
    timeline: Vec<Entry>,
    timers: Vec<Timer>,
    letters: Vec<Letter>,
    proposed: Option<(Action, i64)>,
    now: Timestamp,
}

impl Desk {
    fn with(status: Status, copied: &[&str]) -> Desk {
        let copied = copied.iter().map(|person| Mailbox::new(address(person), "")).collect();
        let ticket = Ticket { copied, ..ticket(status) };
        let (timeline, timers, letters) = (Vec::new(), Vec::new(), Vec::new());
        Desk { policy: policy(), ticket, timeline, timers, letters, proposed: None, now: now() }
    }

    fn situation(&self) -> Situation<'_> {
        let mut situation = situation(&self.policy, Vec::new());
        situation.known_ids.clear();
        situation.proposed = self.proposed;
        let mut on = Candidate { timeline: Arc::new(self.timeline.clone()), ..candidate(self.ticket.clone()) };
        on.participants.extend(self.ticket.copied.iter().map(|person| person.address.clone()));
        on.participants.push(address(WANG));
        situation.candidates = vec![on];
        situation
    }

    fn gets(&mut self, inbound: Inbound) {
        self.handles(&Event::Mail(Mail::new(inbound, self.now, None)));
    }

    fn handles(&mut self, event: &Event) {
        self.letters.clear();
        for effect in decide(&self.situation(), event, self.now) {
            match effect {
                Effect::Open(ticket) | Effect::Save(ticket) => self.ticket = *ticket,
                Effect::Record(_, entry) => self.timeline.push(entry),
                Effect::Send(letter) => self.letters.push(*letter),
                Effect::Schedule(timer) => {
                    self.timers.retain(|known| known.kind != timer.kind);
                    self.timers.push(timer);
                }
                _ => {}
            }
        }
    }

    /// Time passes until this timer is due.
    fn fires(&mut self, kind: TimerKind) {
        let timer = *self.timers.iter().find(|timer| timer.kind == kind).expect("a timer");
        self.timers.retain(|known| *known != timer);
        self.now = timer.due;
        self.handles(&Event::Due(vec![timer]));
    }

    /// What went out: `answer zhang`, sorted.
    fn said(&self) -> Vec<String> {
        let line = |letter: &Letter| format!("{} {}", letter.content.template(), letter.to.mailbox.address.local());
        let mut said: Vec<String> = self.letters.iter().map(line).collect();
        said.sort();
        said
    }

    #[track_caller]
    fn expect(&self, letters: &[&str]) {
        assert_eq!(self.said(), letters);
    }

    fn copied(&self) -> Vec<&str> {
        self.ticket.copied.iter().map(|person| person.address.local()).collect()
    }
}

/// A reply with others in To or Cc.
fn reply_to(from: &str, others: &str, text: &str) -> Inbound {
    let reference = policy().key.reference(Number(1), &address(from));
    let text = format!("{text}\n\n> IT 服务台 {reference}");
    mail(from, "Re: [IT001] x", &format!("Cc: {others}\r\nIn-Reply-To: <unknown@x>\r\n"), &text)
}

#[test]
fn colleagues_in_copy_of_a_report_take_part_and_strangers_do_not() {
    let mut desk = Desk::with(Status::Closed, &[]);
    let cc = format!("Cc: 刘洋 <{LIU}>, {OUTSIDE}, {WANG}, {BOSS}, {DESK}, noreply@corp.example, {LIU}\r\n");
    desk.gets(mail(ZHANG, "打印机坏了", &cc, "三楼打印机不能打印，只有我这台。"));
    assert_eq!(desk.copied(), ["liu"]);
    // S57: nobody but the sender is acknowledged.
    desk.expect(&["acknowledgement zhang", "notice li"]);
    let warned = desk.letters.iter().any(|letter| match &letter.content {
        Content::Notice { warnings, .. } => warnings.iter().any(|w| w.contains(OUTSIDE)),
        _ => false,
    });
    assert!(warned, "the engineer knows who else has read it");
}

#[test]
fn where_everybody_is_a_colleague_nobody_joins_unasked() {
    let mut desk = Desk::with(Status::Closed, &[]);
    desk.policy.desk.domains = vec!["*".into()];
    desk.gets(mail(ZHANG, "打印机坏了", &format!("Cc: {LIU}\r\n"), "三楼打印机不能打印。"));
    assert_eq!(desk.copied(), [""; 0]);
}

#[test]
fn lists_and_programs_bring_nobody_in() {
    for header in ["List-Id: <all.corp.example>\r\n", "Auto-Submitted: auto-generated\r\n"] {
        let mut desk = Desk::with(Status::Closed, &[]);
        desk.gets(mail(ZHANG, "打印机坏了", &format!("{header}Cc: {LIU}\r\n"), "三楼打印机不能打印。"));
        assert_eq!(desk.copied(), [""; 0], "{header}");
    }
}

/// S19: a number in the subject, which anybody can write in the requester's name, brings nobody in.
#[test]
fn s19_a_guessed_number_brings_nobody_in() {
    let mut desk = Desk::with(Status::InProgress, &[]);
    desk.gets(mail(ZHANG, "Re: [IT001] x", &format!("Cc: {LIU}, {OUTSIDE}\r\n"), "请问怎么样了？"));
    assert_eq!(desk.copied(), [""; 0]);
    desk.expect(&["message li"]);
    desk.gets(reply_to(ZHANG, &format!("{LIU}, {OUTSIDE}"), "请问怎么样了？"));
    assert_eq!(desk.copied(), ["liu"]);
    // Liu has read it in their own mailbox.
    desk.expect(&["message li"]);
    let Content::Message { outside, .. } = &desk.letters[0].content else { panic!() };
    assert_eq!(outside, &[address(OUTSIDE)]);
}

/// Links that expire are told with every message that brings them, not only with the first.
#[test]
fn a_later_message_says_that_its_links_expire() {
    for (text, expires) in [("日志在这里\n\n从QQ邮箱发来的超大附件\nlogs.zip (1.2G)", true), ("日志在附件里", false)]
    {
        let mut desk = Desk::with(Status::InProgress, &[]);
        desk.gets(reply_to(ZHANG, "", text));
        desk.expect(&["message li"]);
        let Content::Message { expiring, .. } = desk.letters[0].content else { panic!() };
        assert_eq!(expiring, expires, "{text}");
    }
}

#[test]
fn those_in_copy_hear_what_the_requester_hears() {
    for (text, letters) in [
        ("请重启。", &["answer zhang", "copied liu"][..]),
        ("#备注 他自己弄坏的", &[][..]),
        ("#临时措施 先用二楼的", &["copied liu", "workaround zhang"]),
        ("#解决\n换了硒鼓。", &["copied liu", "resolution zhang"]),
        ("#关闭 重复", &["closed zhang", "copied liu"]),
        ("#取消 不修了", &["cancelled zhang", "copied liu"]),
        ("#步骤 看过了", &[]),
    ] {
        let mut desk = Desk::with(Status::InProgress, &[LIU]);
        desk.gets(reply(LI, text));
        desk.expect(letters);
        // S33: no link to rate in a copy.
        for letter in desk.letters.iter().filter(|letter| letter.content.template() == "copied") {
            assert!(!format!("{:?}", letter.content).contains("/s/"), "{text}");
        }
    }
}

#[test]
fn a_reply_to_all_is_not_doubled() {
    let mut desk = Desk::with(Status::InProgress, &[LIU, ZHAO]);
    desk.gets(reply_to(LI, LIU, "请重启。"));
    desk.expect(&["answer zhang", "copied zhao"]);
    desk.gets(reply_to(ZHANG, ZHAO, "重启了，还是不行。"));
    desk.expect(&["copied liu", "message li"]);
    // Somebody in copy: the requester and the others read it, too.
    desk.gets(reply_to(LIU, ZHAO, "我这边也一样。"));
    desk.expect(&["copied zhang", "message li"]);
    desk.gets(reply(LIU, "我这边也一样。"));
    desk.expect(&["copied zhang", "copied zhao", "message li"]);
}

#[test]
fn thanks_and_the_form_are_not_passed_around() {
    for text in ["谢谢", "部门：财务部\n联系电话：13800138000"] {
        let mut desk = Desk::with(Status::InProgress, &[LIU]);
        desk.gets(reply(ZHANG, text));
        assert!(desk.letters.iter().all(|letter| letter.content.template() != "copied"), "{text}");
    }
}

#[test]
fn an_engineer_says_who_is_in_copy() {
    let mut desk = Desk::with(Status::InProgress, &[LIU]);
    desk.gets(reply(LI, &format!("#抄送 {OUTSIDE} -{LIU}")));
    assert_eq!(desk.copied(), ["consultant"]);
    desk.expect(&["copied consultant"]);
    let Content::Copied { stage, author, body, .. } = &desk.letters[0].content else { panic!() };
    assert_eq!((*stage, author.as_str(), body.text.as_str()), (CopyStage::Added, "li", ""));
    let added = |e: &Entry| e.what == What::Copied { added: vec![address(OUTSIDE)], removed: vec![address(LIU)] };
    assert!(desk.timeline.iter().any(added));
    // With a text: they read it as everybody does, and no welcome besides.
    desk.gets(reply(LI, &format!("#cc {ZHAO}\n请一起看看。")));
    desk.expect(&["answer zhang", "copied consultant", "copied zhao"]);
    for bad in [format!("#cc {ZHANG}"), format!("#cc {DESK}"), "#cc 小王".into(), "#cc".into()] {
        desk.gets(reply(LI, &bad));
        desk.expect(&["transcript li"]);
    }
    // Nobody else has a say in it.
    desk.gets(reply(ZHANG, &format!("#cc {BOSS}\n大家看看")));
    assert_eq!(desk.copied(), ["consultant", "zhao"]);
}

#[test]
fn spam_is_dropped_without_a_letter() {
    let mut desk = Desk::with(Status::New, &[LIU]);
    desk.gets(reply(LI, "#spam\n推销"));
    desk.expect(&[]);
    assert_eq!(desk.ticket.status, Status::Cancelled);
    desk.gets(reply(LI, "#垃圾"));
    desk.expect(&["transcript li"]);
}

#[test]
fn a_few_words_propose_and_decide_nothing() {
    for (text, action, status) in [
        ("已经好了", Action::Resolve, Status::Resolved),
        ("It works now, thanks!", Action::Resolve, Status::Resolved),
        ("不用处理了", Action::Cancel, Status::Cancelled),
        ("never mind", Action::Cancel, Status::Cancelled),
    ] {
        let mut desk = Desk::with(Status::InProgress, &[]);
        desk.gets(reply(ZHANG, text));
        desk.expect(&["proposal li"]);
        assert_eq!(desk.ticket.status, Status::InProgress, "{text}");
        let Content::Proposal { action: proposed, .. } = &desk.letters[0].content else { panic!() };
        assert_eq!(*proposed, action, "{text}");
        let key = format!("IT001/proposal/{}-1-", action.as_str());
        assert!(desk.letters[0].key.starts_with(&key), "{}", desk.letters[0].key);
        for yes in ["确认", "ok", "Yes\n\nSent from my iPhone", "好的，谢谢"] {
            let mut desk = Desk { ticket: desk.ticket.clone(), ..Desk::with(Status::InProgress, &[]) };
            desk.proposed = Some((action, 1));
            desk.gets(reply(LI, yes));
            assert_eq!(desk.ticket.status, status, "{text}: {yes}");
            let letter = if action == Action::Resolve { "resolution zhang" } else { "cancelled zhang" };
            desk.expect(&[letter]);
        }
    }
}

#[test]
fn only_a_clear_yes_ends_it() {
    let answered = |text: &str, cycle: i64| {
        let mut desk = Desk::with(Status::InProgress, &[]);
        desk.proposed = Some((Action::Resolve, cycle));
        desk.gets(reply(LI, text));
        (desk.ticket.status, desk.said())
    };
    let open = |letters: &[&str]| (Status::InProgress, letters.iter().map(|l| (*l).to_owned()).collect::<Vec<_>>());
    assert_eq!(answered("不", 1), open(&[]), "a bare no stays inside");
    assert_eq!(answered("请再观察一天，有问题再联系我。", 1), open(&["answer zhang"]));
    assert_eq!(answered("#备注 先看看", 1), open(&[]));
    // It was about an earlier round.
    assert_eq!(answered("确认", 2), open(&["answer zhang"]));
    // The desk of a resolved ticket has asked already.
    let mut desk = Desk::with(Status::Resolved, &[]);
    desk.proposed = Some((Action::Resolve, 1));
    desk.gets(reply(LI, "确认"));
    desk.expect(&["transcript li"]);
}

#[test]
fn words_that_are_more_than_a_wish_are_a_message() {
    for text in ["打印机好了，另外键盘坏了", "好了吗？", "还是不行", "确认", "谢谢", "我下午在办公室"]
    {
        let mut desk = Desk::with(Status::InProgress, &[]);
        desk.gets(reply(ZHANG, text));
        desk.expect(&["message li"]);
    }
    // Nobody has it: the supervisor can hand it on, not end it.
    let mut desk = Desk::with(Status::New, &[]);
    desk.ticket.assignee = None;
    desk.gets(reply(ZHANG, "已经好了"));
    desk.expect(&["message boss"]);
}

/// Somebody gets back to a requester who was not satisfied, or the supervisor hears of it every working day.
#[test]
fn a_bad_rating_is_followed_up() {
    let rated = |comment: &str| {
        let mut desk = Desk::with(Status::Resolved, &[]);
        let comment = comment.to_owned();
        desk.handles(&Event::Rated { number: Number(1), cycle: 1, rating: Rating::Dissatisfied, comment });
        desk
    };
    let asks_why = |desk: &Desk| {
        desk.letters.iter().any(|letter| matches!(letter.content, Content::Reopened { ask_why: true, .. }))
    };
    assert!(asks_why(&rated("")) && asks_why(&rated("3")) && !asks_why(&rated("还是卡纸")));
    let mut desk = rated("还是卡纸");
    let due = desk.letters.iter().find_map(|letter| match letter.content {
        Content::Dissatisfied { due, .. } => Some(due),
        _ => None,
    });
    assert_eq!(due, Some(now() + 24 * HOUR));
    desk.fires(TimerKind::FollowUp);
    desk.expect(&["follow_up boss"]);
    let Content::FollowUp { comment, engineer, .. } = &desk.letters[0].content else { panic!() };
    assert_eq!((comment.as_str(), engineer.as_deref()), ("还是卡纸", Some("wang")));
    desk.fires(TimerKind::FollowUp);
    desk.expect(&["follow_up boss"]);
    desk.gets(reply(WANG, "我下午过去看。"));
    desk.fires(TimerKind::FollowUp);
    desk.expect(&[]);
    assert!(desk.timers.iter().all(|timer| timer.kind != TimerKind::FollowUp));
}

/// A mail as the desk reads it: with what only the configuration can tell.
fn settled(policy: &Policy, mut inbound: Inbound) -> Inbound {
    maildesk::desk::staff::settle(policy, &mut inbound);
    inbound
}

#[test]
fn an_engineer_may_write_from_another_address() {
    let mut policy = policy();
    let private = "li.na@private.example";
    policy.engineers[0].aliases = vec![address(private)];
    // The reference that Li was sent, in a reply from elsewhere.
    let reference = policy.key.reference(Number(1), &address(LI));
    let text = format!("#认领\n马上来。\n\n> IT 服务台 {reference}");
    let inbound = settled(&policy, mail(private, "Re: [IT001] x", "In-Reply-To: <unknown@x>\r\n", &text));
    let mut desk = Desk { policy, ..Desk::with(Status::New, &[]) };
    desk.gets(inbound);
    desk.expect(&["answer zhang"]);
    assert_eq!(desk.ticket.assignee, Some(address(LI)));
    // DMARC is asked of the domain it was sent from.
    let vouched = |domain: &str| {
        let results = format!("Authentication-Results: mx.corp.example; dmarc=pass header.from={domain}\r\n");
        settled(&desk.policy, mail(private, "[IT001] x", &results, "#关闭"))
    };
    for (domain, letters) in [("private.example", &["closed zhang"][..]), ("corp.example", &["confirm_command li"][..])]
    {
        let mut desk = Desk { policy: desk.policy.clone(), ..Desk::with(Status::InProgress, &[]) };
        desk.gets(vouched(domain));
        desk.expect(letters);
    }
}

#[test]
fn an_address_stands_for_a_command() {
    let policy = policy();
    let reference = policy.key.reference(Number(1), &address(LI));
    let sent = |from: &str, to: &str, text: &str| {
        let raw = format!(
            "From: <{from}>\r\nTo: <{to}>\r\nSubject: Re: [IT001]\r\nMessage-ID: <tap@phone.example>\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
        );
        settled(&policy, maildesk::mail::parse(raw.as_bytes()))
    };
    let check = |to: &str, text: &str, status: Status, letters: &[&str]| {
        let mut desk = Desk::with(Status::New, &[]);
        desk.gets(sent(LI, to, text));
        assert_eq!(desk.ticket.status, status, "{to}: {text}");
        desk.expect(letters);
    };
    // As the links in the letters make it: nothing but the reference, which is no text for anybody.
    check("it+take@corp.example", &format!("\n\n{reference}"), Status::Assigned, &[]);
    check("IT+Take@corp.example", &format!("{reference}\n\nSent from my iPhone"), Status::Assigned, &[]);
    check("it+note@corp.example", &format!("他自己弄坏的\n\n{reference}"), Status::New, &[]);
    check("it+resolve@corp.example", &format!("换了硒鼓。\n\n{reference}"), Status::Resolved, &["resolution zhang"]);
    // A quoted letter is no text either.
    let quoted = format!("\n\n-----Original Message-----\nFrom: IT\nSent: x\nTo: Li\nSubject: x\n\n新工单 {reference}");
    check("it+take@corp.example", &quoted, Status::Assigned, &[]);
    // No command of ours: as if it were the desk's own address.
    check("it+printer@corp.example", &format!("马上来。\n\n> {reference}"), Status::InProgress, &["answer zhang"]);
    // Nobody else gives orders that way.
    let mut desk = Desk::with(Status::New, &[]);
    desk.gets(sent(ZHANG, "it+resolve@corp.example", "好了吗？"));
    assert_eq!(desk.ticket.status, Status::New);
    desk.expect(&["message li"]);
}
