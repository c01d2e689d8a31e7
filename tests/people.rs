//! Whose report it is: the directory, the form, reports on behalf of somebody, forwards, machines. The rules alone.

use maildesk::address::Mailbox;
use maildesk::desk::command::Hint;
use maildesk::desk::decide::decide;
use maildesk::desk::directory::{Directory, Entry};
use maildesk::desk::event::{Effect, Event, Person, SenderCounts};
use maildesk::desk::held::Held;
use maildesk::desk::inbound::{Inbound, Kind};
use maildesk::desk::letter::{Content, Letter, Writer};
use maildesk::desk::policy::{Channel, Policy};
use maildesk::desk::ticket::{Entry as Line, Number, Ticket, What, Who};
use maildesk::desk::words::{Field, Language, Status};
#[path = "support/rules.rs"]
mod rules;
use rules::*;
use std::sync::Arc;

const SUN: &str = "sun@corp.example";
const PBX: &str = "voicemail@pbx.example";

fn people() -> Policy {
    let entry = |addresses: &[&str], name: &str, contact: &str| Entry {
        addresses: addresses.iter().map(|a| address(a)).collect(),
        name: name.into(),
        department: "财务部".into(),
        contact: contact.into(),
        ..Entry::default()
    };
    let zhang =
        Entry {
            vip: true, site: "上海".into(), ..entry(&[ZHANG, "zw@corp.example"], "张伟", "8012 / 13800138000")
        };
    let sun = Entry { language: Some(Language::English), ..entry(&[SUN], "Sun Hao", "8013") };
    let li = Entry { name: "李娜".into(), ..entry(&[LI], "", "6020") };
    Policy {
        directory: Arc::new(Directory::new([vec![zhang, sun, li]])),
        channels: vec![Channel { address: address(PBX), name: "语音信箱".into() }],
        ..policy()
    }
}

/// What came of a mail.
struct Came(Vec<Effect>);

impl Came {
    fn of(policy: &Policy, tickets: Vec<Ticket>, inbound: Inbound) -> Came {
        Came(decide(&situation(policy, tickets), &event(inbound), now()))
    }

    fn ticket(&self) -> &Ticket {
        let found = self.0.iter().find_map(|effect| match effect {
            Effect::Open(ticket) | Effect::Save(ticket) => Some(ticket),
            _ => None,
        });
        found.unwrap_or_else(|| panic!("no ticket: {:?}", self.letters()))
    }

    fn fact(&self, field: Field) -> &str {
        self.ticket().fields.get(&field).map_or("", String::as_str)
    }

    fn letters(&self) -> Vec<String> {
        let letters = self.0.iter().filter_map(|effect| match effect {
            Effect::Send(letter) => {
                Some(format!("{} {}", letter.content.template(), letter.to.mailbox.address.local()))
            }
            _ => None,
        });
        let mut letters: Vec<String> = letters.collect();
        letters.sort();
        letters
    }

    fn letter(&self, template: &str) -> &Letter {
        let found = self.0.iter().find_map(|effect| match effect {
            Effect::Send(letter) if letter.content.template() == template => Some(letter),
            _ => None,
        });
        found.unwrap_or_else(|| panic!("no {template}: {:?}", self.letters()))
    }

    fn notes(&self) -> Vec<&str> {
        let notes = self.0.iter().filter_map(|effect| match effect {
            Effect::Record(_, entry) if entry.what == What::Note => Some(entry.why.as_str()),
            _ => None,
        });
        notes.collect()
    }

    fn hints(&self) -> Vec<Hint> {
        match &self.letter("transcript").content {
            Content::Transcript { lines, .. } => lines.iter().map(|line| line.hint.clone()).collect(),
            _ => Vec::new(),
        }
    }
}

/// A new mail of an engineer that the own server vouches for.
fn vouched(from: &str, subject: &str, headers: &str, text: &str) -> Inbound {
    let passed = "Authentication-Results: mx.corp.example; dmarc=pass header.from=corp.example\r\n";
    mail(from, subject, &format!("{passed}{headers}"), text)
}

#[test]
fn the_directory_says_who_and_the_engineer_sees_what_contradicts() {
    let policy = people();
    let came =
        Came::of(&policy, vec![], mail("zw@corp.example", "打印机", "", "打印机坏了\n部门：市场部\n电话：13911112222"));
    assert_eq!(came.ticket().requester.name, "张伟");
    assert_eq!([came.fact(Field::Name), came.fact(Field::Department)], ["张伟", "财务部"]);
    assert_eq!(
        [came.fact(Field::Contact), came.fact(Field::Location), came.fact(Field::Vip)],
        ["13911112222", "上海", "VIP"]
    );
    let Content::Notice { warnings, .. } = &came.letter("notice").content else { panic!() };
    assert!(warnings.iter().any(|w| w.contains("市场部") && w.contains("财务部")), "{warnings:?}");
    assert_eq!(came.notes().len(), 1);
    let Content::Acknowledgement { missing, .. } = &came.letter("acknowledgement").content else { panic!() };
    assert!(!missing.contains(&Field::Name) && !missing.contains(&Field::Department), "{missing:?}");
    // Nobody knows a stranger any better than before.
    let came = Came::of(&policy, vec![], mail("new@corp.example", "打印机", "", "打印机坏了"));
    assert_eq!((came.fact(Field::Department), came.notes().len()), ("", 0));
}

#[test]
fn a_vip_mark_cannot_be_claimed() {
    let came = Came::of(
        &people(),
        vec![],
        mail(SUN, "printer", "", "VIP: VIP\nMarked as: VIP\n通讯录标记：VIP\nReports to: CEO\nthe printer is broken"),
    );
    assert_eq!([came.fact(Field::Vip), came.fact(Field::Manager)], ["", ""]);
}

#[test]
fn the_form_is_told_once_and_as_facts() {
    let policy = people();
    let open = || {
        let mut open = ticket(Status::InProgress);
        (open.asked, open.fields) = (true, [(Field::When, "今天".to_owned())].into());
        vec![open]
    };
    let form = "联系电话：8012\n发生时间和频率：上周一开始\n部门：市场部\n报错信息：";
    let came = Came::of(&policy, open(), reply(ZHANG, form));
    assert_eq!(came.letters(), ["completed li"]);
    let Content::Completed { facts, odd, body, .. } = &came.letter("completed").content else { panic!() };
    let facts: Vec<_> = facts.iter().map(|fact| (fact.field, fact.value.as_str())).collect();
    assert_eq!(facts, [(Field::Contact, "8012"), (Field::When, "上周一开始")]);
    assert!(odd.len() == 1 && odd[0].contains("市场部") && body.is_none(), "{odd:?} {body:?}");
    // Words beside the form go along.
    let came = Came::of(&policy, open(), reply(ZHANG, &format!("现在另一台也坏了\n{form}")));
    let Content::Completed { body: Some(body), .. } = &came.letter("completed").content else { panic!() };
    assert!(body.text.contains("另一台"), "{body:?}");
    // No form: the words, as ever.
    assert_eq!(Came::of(&policy, open(), reply(ZHANG, "现在另一台也坏了")).letters(), ["message li"]);
    // The same once more says nothing new about the ticket.
    let mut known = open();
    known[0].fields.insert(Field::Contact, "8012".into());
    assert_eq!(Came::of(&policy, known, reply(ZHANG, "联系电话：8012")).letters(), ["message li"]);
}

#[test]
fn the_form_in_html_alone() {
    let policy = people();
    let mut open = ticket(Status::InProgress);
    (open.asked, open.fields) = (true, [(Field::Department, "财务部".to_owned())].into());
    let reference = policy.key.reference(Number(1), &address(ZHANG));
    let form = |phone: &str| {
        format!(
            "<p>为了处理得更快，请回复本邮件补上下面几项，不清楚的可以留空：</p><div>联系电话：{phone}<br>报错信息：<br></div><p>IT 服务台 · 工单 IT001<br>请保留编号 {reference}。</p>"
        )
    };
    for html in [
        // Above the quote, in lines of their own.
        format!(
            "<div>联系电话：8099</div><div>报错信息：</div><div><br></div><div id=\"divRplyFwdMsg\">发件人: IT</div>{}",
            form("")
        ),
        // In the quote, where it stands.
        format!("<div>见下</div><blockquote type=\"cite\">{}</blockquote>", form("8099")),
        // In a table, as some programs rebuild it.
        format!(
            "<table><tr><td>联系电话：</td><td>8099</td></tr></table><hr><div class=\"gmail_quote\">{}</div>",
            form("")
        ),
    ] {
        let raw = format!(
            "From: <{ZHANG}>\r\nTo: <{DESK}>\r\nSubject: Re: x\r\nMessage-ID: <h@x>\r\nIn-Reply-To: <first@corp.example>\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{html}"
        );
        let came = Came::of(&policy, vec![open.clone()], maildesk::mail::parse(raw.as_bytes()));
        assert_eq!((came.fact(Field::Contact), came.letters()), ("8099", vec!["completed li".to_owned()]), "{html}");
    }
}

#[test]
fn somebody_may_go_on_from_another_of_their_addresses() {
    let policy = people();
    let mut waiting = ticket(Status::Pending);
    waiting.fields.clear();
    let raw = |from| mail(from, "Re: [IT001] x", "In-Reply-To: <first@corp.example>\r\n", "还是不行，报错 0x1F");
    let came = Came::of(&policy, vec![waiting.clone()], raw("zw@corp.example"));
    assert_eq!((came.ticket().status, came.letters()), (Status::InProgress, vec!["message li".to_owned()]));
    let Content::Message { writer, .. } = &came.letter("message").content else { panic!() };
    assert_eq!(*writer, Writer::Participant);
    let came = Came::of(&policy, vec![waiting], raw(SUN));
    let Content::Message { writer, .. } = &came.letter("message").content else { panic!() };
    assert_eq!(*writer, Writer::Stranger);
}

#[test]
fn an_engineer_registers_a_call() {
    let policy = people();
    for (line, way) in [
        (format!("#for {ZHANG} phone"), "电话"),
        ("＃代报：张伟 电话".into(), "电话"),
        ("#代报 8012 来电".into(), "电话"),
        ("#代报张伟".to_owned(), ""),
        (format!("#FOR 张伟 <{ZHANG}> by WeChat"), "即时消息"),
        ("#代报 zw@corp.example，当面".into(), "当面"),
    ] {
        let came = Came::of(
            &policy,
            vec![],
            vouched(LI, "打印机卡纸", "", &format!("{line}\n\n三楼打印机一直卡纸，报错 0x80070005\n\n李娜\n分机 6020")),
        );
        assert_eq!(came.ticket().requester, Mailbox::new(address(ZHANG), "张伟").clone(), "{line}");
        assert_eq!(
            [came.fact(Field::Name), came.fact(Field::Contact), came.fact(Field::Channel)],
            ["张伟", "8012 / 13800138000", way],
            "{line}"
        );
        assert!(came.fact(Field::Error).contains("0x80070005"), "{line}");
        let letter = came.letter("acknowledgement");
        assert_eq!((letter.to.mailbox.address.local(), &letter.answers), ("zhang", &None), "{line}");
        let Content::Acknowledgement { behalf: Some(behalf), .. } = &letter.content else { panic!() };
        assert_eq!(behalf.by.as_deref(), Some("li"));
    }
    // The acknowledgement is in the language of whom it is for.
    let came = Came::of(&policy, vec![], vouched(LI, "打印机卡纸", "", "#for sun@corp.example\n三楼打印机一直卡纸"));
    assert_eq!(came.letter("acknowledgement").to.language, Language::English);
    // Who does not get the ticket learns its number.
    let came = Came::of(
        &policy,
        vec![],
        vouched(LI, "打印机卡纸", "", "#for sun@corp.example\n#assign wang\n三楼打印机一直卡纸"),
    );
    assert_eq!(came.letters(), ["acknowledgement sun", "notice wang", "transcript li"]);
    assert_eq!(came.hints(), [Hint::None, Hint::None]);
}

#[test]
fn what_is_remembered_of_the_caller_counts_and_not_of_the_engineer() {
    let policy = people();
    let mut s = situation(&policy, vec![]);
    s.sender = Some(Person { department: "信息部".into(), ..Person::default() });
    let person = Person { contact: "13700000000".into(), language: Some(Language::English), ..Person::default() };
    let full = SenderCounts { acknowledgements: [3, 3, 3], ..SenderCounts::default() };
    s.behalf = Some((Some(person.clone()), SenderCounts::default()));
    let inbound = vouched(LI, "打印机卡纸", "", "#for new@corp.example\n三楼打印机一直卡纸");
    let came = Came(decide(&s, &event(inbound.clone()), now()));
    assert_eq!([came.fact(Field::Department), came.fact(Field::Contact)], ["", "13700000000"]);
    assert_eq!(came.letter("acknowledgement").to.language, Language::English);
    // Whoever had too many acknowledgements gets no more by this way either (L18).
    s.behalf = Some((Some(person), full));
    assert!(!Came(decide(&s, &event(inbound), now())).letters().iter().any(|l| l.contains("acknowledgement")));
}

#[test]
fn for_somebody_unknown_is_refused_and_the_report_kept() {
    let policy = people();
    for who in ["李雷", "it@corp.example", PBX, "9999"] {
        let came = Came::of(&policy, vec![], vouched(LI, "打印机卡纸", "", &format!("#for {who}\n三楼打印机一直卡纸")));
        assert_eq!(came.ticket().requester.address, address(LI), "{who}");
        assert!(matches!(&came.hints()[..], [Hint::NoPerson { .. }]), "{who}: {:?}", came.hints());
    }
}

#[test]
fn g5_only_a_proven_engineer_registers_for_others() {
    let policy = people();
    // Anybody else: it is text.
    let came = Came::of(&policy, vec![], mail(SUN, "x", "", &format!("#for {ZHANG}\nprinter broken")));
    assert_eq!(came.ticket().requester.address, address(SUN));
    assert!(came.letters().iter().all(|l| !l.ends_with("zhang")), "{:?}", came.letters());
    // An engineer whose mail is not proven is asked, and nobody else hears anything.
    for text in [format!("#for {ZHANG}\nprinter broken"), forwarded(ZHANG)] {
        let subject = if text.starts_with('#') { "x" } else { "Fw: x" };
        let came = Came::of(&policy, vec![], mail(LI, subject, "", &text));
        assert_eq!(came.ticket().requester.address, address(LI));
        assert!(came.letters().contains(&"confirm_command li".to_owned()), "{:?}", came.letters());
        assert!(came.letters().iter().all(|l| !l.ends_with("zhang")), "{:?}", came.letters());
        let Content::ConfirmCommand { commands, .. } = &came.letter("confirm_command").content else { panic!() };
        assert!(commands[0].contains(ZHANG), "{commands:?}");
        // They say yes to what only they were sent.
        let mut own = came.ticket().clone();
        own.number = maildesk::desk::ticket::Number(1);
        let mut s = situation(&policy, vec![own]);
        s.unconfirmed = Some(Box::new(mail(LI, subject, "", &text)));
        let yes = Came(decide(&s, &event(reply(LI, "是的")), now()));
        assert_eq!(yes.ticket().requester.address, address(ZHANG), "{text}");
        assert!(yes.letters().contains(&"acknowledgement zhang".to_owned()), "{:?}", yes.letters());
        assert_eq!([yes.fact(Field::Name), yes.fact(Field::Department)], ["张伟", "财务部"]);
    }
}

fn forwarded(from: &str) -> String {
    format!(
        "用户又自己装软件了，麻烦看下\n小李\n\n---------- Forwarded message ---------\nFrom: Someone <{from}>\nDate: 2026年11月23日周一 09:00\n\
         Subject: 打印机卡纸\nTo: li@corp.example\n\n三楼打印机一直卡纸，报错 0x80070005\n分机 8017"
    )
}

#[test]
fn a_forward_is_its_senders_ticket() {
    let policy = people();
    let came = Came::of(&policy, vec![], vouched(LI, "Fw: 打印机卡纸", "", &forwarded(ZHANG)));
    let ticket = came.ticket();
    assert_eq!((ticket.requester.address.clone(), ticket.subject.as_str()), (address(ZHANG), "打印机卡纸"));
    assert!(came.fact(Field::Error).contains("0x80070005") && came.fact(Field::Contact).contains("8017"));
    assert!(came.letters().contains(&"acknowledgement zhang".to_owned()), "{:?}", came.letters());
    let Content::Notice { body, warnings, .. } = &came.letter("notice").content else { panic!() };
    assert!(
        body.text.starts_with("三楼打印机") && warnings.iter().any(|w| w.contains("自己装软件")),
        "{body:?} {warnings:?}"
    );
    // What the engineer wrote above it is for colleagues.
    assert!(came.notes().iter().any(|note| note.contains("自己装软件")), "{:?}", came.notes());
    for effect in &came.0 {
        if let Effect::Send(letter) = effect
            && letter.to.mailbox.address == address(ZHANG)
        {
            assert!(!format!("{:?}", letter.content).contains("自己装软件"), "{letter:?}");
        }
    }
    // A word of the engineer's overrides it.
    let came =
        Came::of(&policy, vec![], vouched(LI, "Fw: 打印机卡纸", "", &format!("#for {SUN}\n{}", forwarded(ZHANG))));
    assert_eq!(came.ticket().requester.address, address(SUN));
    // Anybody else who forwards stays the requester.
    let came = Came::of(&policy, vec![], mail(SUN, "Fw: 打印机卡纸", "", &forwarded(ZHANG)));
    assert_eq!(came.ticket().requester.address, address(SUN));
}

#[test]
fn a_forward_as_attachment_and_one_with_a_name_alone() {
    let policy = people();
    let raw = format!(
        "From: <{LI}>\r\nTo: <{DESK}>\r\nSubject: Fw: printer\r\nMessage-ID: <f@x>\r\nAuthentication-Results: mx.corp.example; dmarc=pass header.from=corp.example\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n请处理\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n\
         From: Sun <{SUN}>\r\nSubject: VPN\r\nDate: Mon, 23 Nov 2026 09:00:00 +0800\r\nContent-Type: text/plain\r\n\r\nVPN fails with error 0x1F since Monday\r\n--b--\r\n"
    );
    let inbound = maildesk::mail::parse(raw.as_bytes());
    assert_eq!(inbound.kind, Kind::Forward);
    let came = Came::of(&policy, vec![], inbound);
    assert_eq!((came.ticket().requester.address.clone(), came.ticket().category.as_str()), (address(SUN), "network"));
    assert!(came.notes().contains(&"请处理"), "{:?}", came.notes());
    // Foxmail shows names without addresses: the directory knows who that is.
    let foxmail = |name: &str| {
        format!(
            "li@corp.example\n\n发件人： {name}\n发送时间： 2026-11-23 09:00\n收件人： 李娜\n主题： 打印机\n\n打印机坏了"
        )
    };
    let came = Came::of(&policy, vec![], vouched(LI, "转发: 打印机", "", &foxmail("张伟")));
    assert_eq!(came.ticket().requester.address, address(ZHANG));
    let came = Came::of(&policy, vec![], vouched(LI, "转发: 打印机", "", &foxmail("王小明")));
    assert_eq!(came.ticket().requester.address, address(LI));
    assert_eq!(came.hints(), [Hint::NoSender]);
}

#[test]
fn a_forward_of_nobody_is_the_engineers_own() {
    let policy = people();
    for from in ["noreply@shop.example", DESK] {
        let came = Came::of(&policy, vec![], vouched(LI, "Fw: x", "", &forwarded(from)));
        assert_eq!(
            (came.ticket().requester.address.clone(), came.hints()),
            (address(LI), vec![Hint::NoSender]),
            "{from}"
        );
    }
    // Their own mail, sent again.
    let came = Came::of(&policy, vec![], vouched(LI, "Fw: x", "", &forwarded(LI)));
    assert!(came.letters().iter().all(|l| !l.starts_with("transcript")), "{:?}", came.letters());
}

#[test]
fn an_own_ticket_can_be_given_to_whose_it_is_and_no_other() {
    let policy = people();
    let mut own = ticket(Status::New);
    own.requester = Mailbox::new(address(LI), "li");
    own.fields = [(Field::Name, "li".to_owned()), (Field::Error, "E-03".to_owned())].into();
    let came = Came::of(&policy, vec![own], reply(LI, "#代报 张伟 电话\n"));
    assert_eq!(
        (came.ticket().requester.address.clone(), came.fact(Field::Name), came.fact(Field::Error)),
        (address(ZHANG), "张伟", "E-03")
    );
    assert_eq!(came.letters(), ["acknowledgement zhang"]);
    let came = Came::of(&policy, vec![ticket(Status::InProgress)], reply(LI, "#代报 sun@corp.example"));
    assert_eq!(came.hints(), [Hint::HasRequester { requester: "张伟".into() }]);
}

#[test]
fn voice_mail_is_the_callers_and_never_answered() {
    let policy = people();
    let voice = |subject: &str, headers: &str| mail(PBX, subject, headers, "You have a new voice message, 0:42.");
    for (subject, headers) in [
        ("Voice message from +86 138-0013-8000", "Auto-Submitted: auto-generated\r\n"),
        ("语音留言 8012", ""),
        ("Voice message from 张伟", "Precedence: bulk\r\n"),
        ("Scan from zw@corp.example", ""),
    ] {
        let came = Came::of(&policy, vec![], voice(subject, headers));
        assert_eq!(came.ticket().requester.address, address(ZHANG), "{subject}");
        assert_eq!(came.fact(Field::Channel), "语音信箱");
        assert!(came.letters().contains(&"acknowledgement zhang".to_owned()), "{subject}: {:?}", came.letters());
        assert!(came.letters().iter().all(|l| !l.ends_with("voicemail")), "{:?}", came.letters());
    }
    let came = Came::of(&policy, vec![], voice("New voice message from Sun Hao (0:42)", ""));
    assert_eq!(came.ticket().requester.address, address(SUN));
    // A machine that repeats itself opens no ticket after ticket (S50).
    let mut s = situation(&policy, vec![ticket(Status::New)]);
    let counts = SenderCounts { tickets: 20, newest: Some(Number(1)), ..SenderCounts::default() };
    s.behalf = Some((None, counts));
    let came = Came(decide(&s, &event(voice("Voice message from 8012", "")), now()));
    assert!(came.letters().is_empty() && !came.0.iter().any(|effect| matches!(effect, Effect::Open(_))));
    // Nobody knows the number: whoever would get the ticket stands in.
    let came =
        Came::of(&policy, vec![], voice("Voice message from 021 555 0000", "Auto-Submitted: auto-generated\r\n"));
    let ticket = came.ticket().clone();
    assert_eq!(Some(ticket.requester.address.clone()), ticket.assignee);
    assert_eq!(came.letters().len(), 1, "{:?}", came.letters());
    let Content::Notice { warnings, .. } = &came.letter("notice").content else { panic!() };
    assert!(warnings.iter().any(|w| w.contains("语音信箱") && w.contains("#代报")), "{warnings:?}");
}

/// What a mail server says of a letter to Zhang.
const DSN: &str = "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example\r\nTo: it@corp.example\r\n\
    Subject: Delivery Status Notification\r\nMessage-ID: <dsn@mx>\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nabout your letter\r\n--b\r\n\
    Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822; zhang@corp.example\r\n\
    Action: ACTION\r\nStatus: STATUS\r\nDiagnostic-Code: smtp; 550 STATUS no\r\n\r\n--b\r\n\
    Content-Type: text/rfc822-headers\r\n\r\nMessage-ID: <first@corp.example>\r\n\r\n--b--\r\n";

/// A failure report about a letter, as the mail server of `to` sends it.
fn bounced(to: &str, status: &str) -> Inbound {
    let raw = DSN.replace("ACTION", "failed").replace("STATUS", status).replace(ZHANG, to);
    maildesk::mail::parse(raw.as_bytes())
}

impl Came {
    fn held(&self) -> Vec<&str> {
        let held = self.0.iter().filter_map(|effect| match effect {
            Effect::Hold(held) => Some(held.address.local()),
            _ => None,
        });
        held.collect()
    }

    fn later(&self) -> Vec<String> {
        let later = self.0.iter().filter_map(|effect| match effect {
            Effect::SendLater(letter, at) => Some(format!(
                "{} {} {}",
                letter.content.template(),
                letter.to.mailbox.address.local(),
                at.since(now()).as_secs() / 86_400
            )),
            _ => None,
        });
        later.collect()
    }
}

fn came_back(recipient: &str, status: &str, to: Option<&str>) -> Came {
    let policy = people();
    let mut s = situation(&policy, vec![ticket(Status::InProgress)]);
    s.bounced = to.map(address);
    Came(decide(&s, &event(bounced(recipient, status)), now()))
}

#[test]
fn a_bounce_marks_the_address_it_was_written_to() {
    let came = came_back(ZHANG, "5.1.1", Some(ZHANG));
    assert_eq!((came.held(), came.letters()), (vec!["zhang"], vec!["undelivered li".to_owned()]));
    let Content::Undelivered { until: Some(until), waiting: false, .. } = &came.letter("undelivered").content else {
        panic!()
    };
    assert_eq!(until.since(now()).as_secs(), 3 * 86_400);
    // The mailbox passes its mail on, and it fails there: it is ours that nothing is sent to.
    assert_eq!(came_back("zhang.private@mail.example", "5.1.1", Some(ZHANG)).held(), ["zhang"]);
    // This letter was not liked, the mailbox is full, or the server was away too long: lost all the same.
    for status in ["5.7.1", "5.2.2", "4.4.7"] {
        let came = came_back(ZHANG, status, Some(ZHANG));
        assert_eq!((came.held().len(), came.letters()), (0, vec!["undelivered li".to_owned()]), "{status}");
    }
    // A report about no letter of ours holds nobody's mail back.
    assert_eq!(came_back(BOSS, "5.1.1", None).held().len(), 0);
    // The engineer's own mailbox fails: the supervisor hears it, and no letter goes there.
    let came = came_back(LI, "5.1.1", Some(LI));
    assert_eq!((came.held(), came.letters()), (vec!["li"], vec!["undelivered boss".to_owned()]));
}

#[test]
fn delays_and_receipts_do_nothing() {
    for (action, status) in [("delayed", "4.4.1"), ("delivered", "2.0.0"), ("relayed", "2.0.0")] {
        let raw = DSN.replace("ACTION", action).replace("STATUS", status);
        let inbound = maildesk::mail::parse(raw.as_bytes());
        assert_eq!(inbound.kind, Kind::DeliveryReport, "{action}");
        let policy = people();
        let mut s = situation(&policy, vec![ticket(Status::InProgress)]);
        s.bounced = Some(address(ZHANG));
        let came = Came(decide(&s, &event(inbound), now()));
        assert_eq!((came.held().len(), came.letters().len(), came.later().len()), (0, 0, 0), "{action}");
    }
}

fn while_held(who: &str, urgent: bool, inbound: Inbound) -> Came {
    let policy = people();
    let mut open = ticket(Status::InProgress);
    if urgent {
        open.priority = maildesk::desk::words::Priority::P1;
    }
    let mut s = situation(&policy, vec![open]);
    let day = std::time::Duration::from_secs(86_400);
    let held = Held { address: address(who), since: now(), until: now() + 2 * day, reason: "550 5.1.1 no".into() };
    s.held = Arc::new([(held.address.clone(), held)].into());
    Came(decide(&s, &event(inbound), now()))
}

#[test]
fn letters_to_a_held_address_wait_and_the_engineer_is_told() {
    let came = while_held(ZHANG, false, reply(LI, "请重启一下"));
    assert_eq!((came.later(), came.letters()), (vec!["answer zhang 2".to_owned()], vec!["undelivered li".to_owned()]));
    let Content::Undelivered { waiting: true, recipient, .. } = &came.letter("undelivered").content else { panic!() };
    assert_eq!(recipient, ZHANG);
    // A mail from there is a sign of life.
    let came = while_held(ZHANG, false, reply(ZHANG, "我换了电话"));
    assert!(came.0.iter().any(|effect| matches!(effect, Effect::Release(_))), "{:?}", came.0);
    assert_eq!(came.letters(), ["message li"]);
    // The engineer who cannot be reached is passed over, and what goes to them waits while the supervisor hears of it.
    let came = while_held(LI, false, reply(ZHANG, "还是不行，另外鼠标也坏了"));
    assert_eq!((came.later(), came.letters()), (vec!["message li 2".to_owned()], vec!["undelivered boss".to_owned()]));
    let came = while_held(LI, false, mail(SUN, "printer", "", "the printer on floor 3 is broken"));
    assert_eq!(came.ticket().assignee, Some(address(WANG)));
    // In an emergency it is tried all the same.
    let came = while_held(LI, true, reply(ZHANG, "还是不行"));
    assert!(came.later().is_empty() && came.letters().contains(&"message li".to_owned()), "{:?}", came.letters());
}

/// Li is on leave for so many hours from an hour ago on, or gone.
fn without_li(away: Option<u64>) -> Policy {
    let mut policy = people();
    let hours = |n: u64| std::time::Duration::from_secs(n * 3600);
    match away {
        Some(length) => policy.engineers[0].away = vec![(now() - hours(1), now() - hours(1) + hours(length))],
        None => drop(policy.engineers.remove(0)),
    }
    policy
}

fn absent(policy: &Policy, tickets: Vec<Ticket>) -> Came {
    let (number, parent) = (tickets[0].number, tickets[0].parent);
    let mut s = situation(policy, tickets);
    let what = What::Step;
    let entry = Line { at: now(), who: Who::Person(address(LI)), what, why: "换了网线".into() };
    s.candidates[0].timeline = Arc::new(vec![entry]);
    Came(decide(&s, &Event::Absent { number, parent }, now()))
}

#[test]
fn tickets_of_an_engineer_who_is_not_there_go_on_with_their_history() {
    for (away, until) in [(Some(48), true), (None, false)] {
        let came = absent(&without_li(away), vec![ticket(Status::InProgress)]);
        assert_eq!((came.ticket().assignee.clone(), came.ticket().status), (Some(address(WANG)), Status::InProgress));
        assert_eq!(came.letters(), ["handover wang"]);
        let letter = came.letter("handover");
        let Content::Handover { before, until: end, found: true, body, history } = &letter.content else { panic!() };
        assert_eq!((before.contains("li"), end.is_some(), body.text.as_str()), (true, until, "打印机坏了"));
        assert!(history.iter().any(|line| line.why == "换了网线") && letter.with_first_files);
    }
    // Gone for lunch, at work, or the ticket is over: nothing moves.
    assert!(absent(&without_li(Some(2)), vec![ticket(Status::InProgress)]).0.is_empty());
    assert!(absent(&people(), vec![ticket(Status::InProgress)]).0.is_empty());
    assert!(absent(&without_li(None), vec![ticket(Status::Resolved)]).0.is_empty());
}

#[test]
fn without_anybody_the_supervisor_gets_it() {
    let mut policy = without_li(Some(48));
    policy.engineers.truncate(1);
    let came = absent(&policy, vec![ticket(Status::Pending)]);
    assert_eq!((came.ticket().assignee.clone(), came.letters()), (None, vec!["handover boss".to_owned()]));
    let Content::Handover { found: false, .. } = &came.letter("handover").content else { panic!() };
}

#[test]
fn a_report_follows_the_ticket_that_leads() {
    let mut report = ticket(Status::InProgress);
    report.parent = Some(Number(2));
    let mut leading = ticket(Status::InProgress);
    (leading.number, leading.assignee) = (Number(2), Some(address(WANG)));
    let came = absent(&without_li(None), vec![report, leading]);
    assert_eq!((came.ticket().assignee.clone(), came.letters().len()), (Some(address(WANG)), 0));
}

#[test]
fn assigned_to_a_level_or_a_skill() {
    let mut policy = people();
    policy.engineers[1].skills = vec![maildesk::desk::words::Category::Network];
    let check = |words: &str, to: Option<&str>| {
        let came = Came::of(&policy, vec![ticket(Status::InProgress)], reply(LI, words));
        match to {
            Some(to) => assert_eq!(came.ticket().assignee, Some(address(to)), "{words}"),
            None => assert!(
                matches!(came.hints()[0], Hint::NobodyThere { .. } | Hint::Nobody { .. }),
                "{words}: {:?}",
                came.hints()
            ),
        }
    };
    for words in [
        "#assign level 3",
        "#转派三线",
        "#转派 三线工程师",
        "#assign L3",
        "#assign senior",
        "#转派 网络组",
        "#assign the network team",
        "#assign network",
    ] {
        check(words, Some(WANG));
    }
    // Li is the only one of level 2 and has it already; nobody is of level 1; nothing like that is known.
    for words in ["#assign level 2", "#转派 一线", "#assign kitchen"] {
        check(words, None);
    }
}

#[test]
fn the_list_shows_what_everybody_has() {
    let policy = without_li(Some(48));
    let mut s = situation(&policy, vec![]);
    s.loads = vec![(address(WANG), 5), (address(LI), 2)];
    let came = Came(decide(&s, &event(mail(WANG, "x", "", "#list")), now()));
    let Content::Transcript { loads, .. } = &came.letter("transcript").content else { panic!() };
    let loads: Vec<_> = loads.iter().map(|one| (one.name.as_str(), one.open, one.away, one.me)).collect();
    assert_eq!(loads, [("wang", 5, false, true), ("li", 2, true, false)]);
}
