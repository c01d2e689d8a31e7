//! Letters with realistic facts: every kind, in both languages, through every branch of the templates. The templates
//! are tried with them at start, and tests look at them.

mod reviews;

use crate::address::{Address, Mailbox};
use crate::desk::command::Hint;
use crate::desk::digest::page::{Card, Cell, Page, Part, Shown as Picture, State, Table};
use crate::desk::inbound::Body;
use crate::desk::knowledge::article::Parts;
use crate::desk::letter::{
    Action, Appointment, ApprovalStage, ArticlePurpose, Attendee, Change, ClockStep, Closing, Content, CopyStage,
    Entry, Fact, Known, Letter, ListLine, LoadLine, Method, NotCounted, NoticeReason, Purpose, RatingLinks,
    ReceiptKind, Registered, Said, Shown, Stage, StatusLine, Step, TranscriptLine, Writer,
};
use crate::desk::outage;
use crate::desk::policy::{Identity, Reader, Role};
use crate::desk::ticket::{Number, Report, Ticket, What};
use crate::desk::words::{Attendance, Category, Clock, Field, Impact, Language, Priority, Rating, Status, Wait};
use crate::time::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Monday 23 November 2026, 14:00 in Shanghai.
pub fn now() -> Timestamp {
    Timestamp::from_seconds(1_795_413_600)
}

/// A desk as a company in Shanghai might run it.
pub fn identity() -> Identity {
    Identity {
        plus_addresses: true,
        name_zh: "IT 服务台".into(),
        name_en: "IT Service Desk".into(),
        address: address("it@corp.example"),
        aliases: Vec::new(),
        own_lists: Vec::new(),
        domains: vec!["corp.example".into()],
        public_url: Some("https://desk.corp.example".into()),
        zone: chrono_tz::Asia::Shanghai,
        language: Language::Chinese,
    }
}

/// Every letter the desk can write, some of them several times: each branch of each template is taken by one.
pub fn letter_samples() -> Vec<Letter> {
    [Language::Chinese, Language::English].into_iter().flat_map(in_language).collect()
}

fn in_language(language: Language) -> Vec<Letter> {
    let say = Say(language);
    let mut contents = to_the_requester(say);
    contents.extend(notices(say));
    contents.extend(copies(say));
    contents.extend(to_the_engineer(say));
    contents.extend(about_targets(say));
    contents.extend(visits(say));
    contents.extend(about_approvals(say));
    contents.extend(about_knowledge(say));
    contents.extend(reports(say));
    let mut letters: Vec<Letter> = contents.into_iter().map(|(who, content)| say.letter(who, content)).collect();
    letters.extend(variations(say));
    letters.extend(reviews::letters(say));
    for (index, letter) in letters.iter_mut().enumerate() {
        letter.key = format!("sample/{}/{index}", language.as_str());
    }
    letters
}

#[derive(Clone, Copy)]
enum Who {
    Requester,
    Engineer,
    Supervisor,
    Outsider,
    Vendor,
    Owner,
}

fn address(text: &str) -> Address {
    Address::parse(text).expect("a good sample address")
}

fn minutes(count: i64) -> Timestamp {
    Timestamp::from_millis(now().millis() + count * 60_000)
}

/// The web pages as a requester may see them: name of the template and what it is given.
pub fn page_samples() -> Vec<(String, tera::Context)> {
    let mut pages: Vec<(String, tera::Context)> = ["gone", "trouble"]
        .map(|page| {
            let mut view = tera::Context::new();
            view.insert("language", "zh-CN");
            (format!("page/{page}.html"), view)
        })
        .into();
    for (language, rating) in [Language::Chinese, Language::English]
        .into_iter()
        .flat_map(|language| Rating::ALL.iter().map(move |rating| (language, *rating)))
    {
        let ticket = Say(language).ticket();
        let mut view = tera::Context::new();
        view.insert("language", language.as_str());
        view.insert("desk", identity().name(language));
        view.insert("number", &ticket.number.to_string());
        view.insert("subject", &ticket.subject);
        view.insert("action", "/s/AQAAAAAAAAABAAAAAAAAAAEa");
        view.insert("clicked", rating.as_str());
        view.insert("comment", "");
        view.insert("again", &(rating == Rating::Satisfied));
        view.insert("shown", &now());
        view.insert("seal", "ABCDEFGHIJKLMNOP");
        view.insert("rating", rating.name(language));
        view.insert("reopened", &(rating == Rating::Dissatisfied));
        for page in ["rate", "thanks"] {
            pages.push((format!("page/{}/{page}.html", language.as_str()), view.clone()));
        }
    }
    pages.extend([Language::Chinese, Language::English].into_iter().flat_map(approval_pages));
    pages.extend([Language::Chinese, Language::English].into_iter().flat_map(article_pages));
    pages.extend([Language::Chinese, Language::English].into_iter().flat_map(dossiers));
    pages
}

/// Picks the words of one language.
#[derive(Clone, Copy)]
struct Say(Language);

impl Say {
    fn pick(self, chinese: &str, english: &str) -> String {
        self.0.pick(chinese, english).to_owned()
    }

    fn requester(self) -> Mailbox {
        Mailbox::new(address("chen.xiaomei@corp.example"), self.pick("陈晓梅", "Helen Carter"))
    }

    fn engineer(self) -> Mailbox {
        Mailbox::new(address("wang.qiang@corp.example"), self.pick("王强", "Daniel Novak"))
    }

    fn writer(self, writer: Writer) -> Mailbox {
        match writer {
            Writer::Participant => self.requester(),
            Writer::Stranger => Mailbox::new(address("wang.hai@corp.example"), self.pick("王海", "Tom Reed")),
            Writer::Supervisor => self.reader(Who::Supervisor).mailbox,
            Writer::Vendor => Mailbox::new(address("support@vendor.example"), self.pick("联想服务", "Lenovo")),
            Writer::Colleague | Writer::Note | Writer::Copied => {
                Mailbox::new(address("li.jing@corp.example"), self.pick("李静", "Grace Lee"))
            }
        }
    }

    fn engineers(self) -> Vec<String> {
        let all = [self.engineer(), Mailbox::new(address("li.jing@corp.example"), self.pick("李静", "Grace Lee"))];
        all.iter().map(|m| format!("{} <{}>", m.name, m.address)).collect()
    }

    fn reader(self, who: Who) -> Reader {
        let mailbox = match who {
            Who::Requester => self.requester(),
            Who::Engineer => self.engineer(),
            Who::Supervisor => Mailbox::new(address("zhao.lei@corp.example"), self.pick("赵磊", "Maria Santos")),
            Who::Owner => Mailbox::new(address("sun.hao@corp.example"), self.pick("孙浩", "Olivia Grant")),
            Who::Vendor => self.writer(Writer::Vendor),
            Who::Outsider => Mailbox::new(address("someone@elsewhere.example"), "Win a prize now"),
        };
        Reader { mailbox, language: self.0, zone: chrono_tz::Asia::Shanghai }
    }

    fn body(self) -> Body {
        Body {
            text: self.pick(
                "三楼财务部的打印机从今天早上开始打不出来，电脑上一直提示“脱机”。\n我重启过打印机和电脑，还是不行。\n\n下午三点前要交报销单，麻烦尽快看看，谢谢！",
                "The printer in Finance on the third floor has not printed since this morning. My laptop keeps saying \"offline\".\nI restarted the printer and the laptop, no change.\n\nThe expense forms are due at three, so I would be grateful for a quick look.",
            ),
            html: None,
        }
    }

    fn rich_body(self) -> Body {
        let text = self.pick(
            "晓梅，您好：\n\n打印机的 IP 变了，我已经重新添加了端口，请再打印一页试试。\n\n王强",
            "Hi Helen,\n\nThe printer got a new IP address. I added the port again; please print a page and tell me.\n\nDaniel",
        );
        let html = text.split("\n\n").map(|p| format!("<p>{p}</p>")).collect::<String>();
        let html =
            html.replace("IP", "<b>IP</b>") + "<p><img src=\"cid:port@corp.example\" alt=\"\" width=\"160\"></p>";
        Body { text, html: Some(html) }
    }

    fn ticket(self) -> Ticket {
        let fields = [
            (Field::Name, self.requester().name),
            (Field::Department, self.pick("财务部", "Finance")),
            (Field::EmployeeId, "F10234".into()),
            (Field::Contact, "138 0013 8000".into()),
            (Field::When, self.pick("今天早上开始，每次都这样", "Since this morning, every time")),
            (Field::Error, self.pick("打印机脱机", "Printer offline")),
        ];
        Ticket {
            number: Number(1),
            subject: self.pick("三楼财务部打印机打不出来", "Finance printer does not print"),
            requester: self.requester(),
            copied: Vec::new(),
            language: self.0,
            category: Category::Hardware,
            priority: Priority::P3,
            impact: Impact::Personal,
            matched: Vec::new(),
            fields: BTreeMap::from(fields),
            status: Status::Assigned,
            wait: None,
            assignee: Some(self.engineer().address),
            created: minutes(-3),
            updated: now(),
            first_response: None,
            answered: None,
            response_due: minutes(117),
            response_warned: 0,
            resolution_warned: 0,
            resolution_due: minutes(60 * 24 - 3),
            resolved: None,
            closed: None,
            rating: None,
            cycle: 1,
            asked: false,
            merged_into: None,
            fault: None,
            parent: None,
            related: None,
            version: 1,
        }
    }

    fn letter(self, who: Who, content: Content) -> Letter {
        let mut ticket = self.ticket();
        if matches!(who, Who::Outsider) {
            ticket.requester = self.reader(who).mailbox;
        }
        let unassigned = matches!(content, Content::Notice { reason: NoticeReason::Unassigned { .. }, .. })
            || matches!(&content, Content::Escalation { step, .. } if step.engineer.is_none());
        if matches!(content, Content::Notice { reason: NoticeReason::Urgent { .. }, .. }) {
            ticket.priority = Priority::P1;
        }
        if unassigned {
            (ticket.assignee, ticket.status) = (None, Status::New);
        }
        if content.template().starts_with("approval_") {
            ticket.subject = self.pick("申请开通 ERP 应付模块只读权限", "Read access to ERP accounts payable");
            (ticket.category, ticket.priority) = (Category::Account, Priority::P4);
            (ticket.status, ticket.wait) = (Status::Pending, Some(Wait::Approval));
            ticket.fields.remove(&Field::Error);
        }
        let about_one = !matches!(content, Content::Overdue { .. } | Content::Digest { .. });
        Letter {
            key: String::new(),
            to: self.reader(who),
            ticket: about_one.then(|| Box::new(ticket)),
            content,
            answers: None,
            attachments: Vec::new(),
            with_first_files: false,
        }
    }

    fn links(self) -> RatingLinks {
        let link = |grade: &str| Some(format!("https://desk.corp.example/s/AQAAAAAAAAABAAAAAAAAAAE{grade}"));
        RatingLinks { satisfied: link("a"), mostly: link("b"), dissatisfied: link("c") }
    }
}

const NO_LINKS: RatingLinks = RatingLinks { satisfied: None, mostly: None, dissatisfied: None };

fn to_the_requester(say: Say) -> Vec<(Who, Content)> {
    let author = say.engineer().name;
    let closes = minutes(60 * 24 * 3);
    let kept = vec![say.pick("系统日志.zip", "logs.zip")];
    let merged = |stage, said| Content::Merged { into: Number(7), stage, due: minutes(150), said };
    let acknowledgement = |missing: &[Field], engineer: Option<String>, outsider| Content::Acknowledgement {
        missing: missing.to_vec(),
        engineer,
        outsider,
        known: None,
        behalf: None,
        article: None,
    };
    let registered = |by: Option<String>, way: Option<String>| Content::Acknowledgement {
        missing: vec![Field::Contact, Field::Error],
        engineer: Some(say.engineer().name),
        outsider: false,
        known: None,
        behalf: Some(Registered { by, way }),
        article: None,
    };
    let known = |by| Content::Acknowledgement {
        missing: Vec::new(),
        engineer: Some(say.engineer().name),
        outsider: false,
        known: Some(by),
        behalf: None,
        article: None,
    };
    vec![
        (Who::Requester, acknowledgement(&[], Some(author.clone()), false)),
        (Who::Requester, registered(Some(author.clone()), Some(say.pick("电话", "phone")))),
        (Who::Requester, registered(Some(author.clone()), None)),
        (Who::Requester, registered(None, Some(say.pick("语音信箱", "voice mail")))),
        (Who::Requester, acknowledgement(&[Field::EmployeeId, Field::Contact, Field::Error], None, false)),
        (Who::Outsider, acknowledgement(&[], None, true)),
        (Who::Requester, known(minutes(90))),
        (Who::Requester, known(minutes(-90))),
        (Who::Requester, Content::Answer { author: author.clone(), body: say.rich_body(), kept: kept.clone() }),
        (Who::Outsider, Content::Answer { author: author.clone(), body: say.body(), kept: Vec::new() }),
        (Who::Requester, Content::Workaround { author: author.clone(), body: say.rich_body() }),
        (
            Who::Requester,
            Content::Resolution { author: author.clone(), body: say.rich_body(), rating: say.links(), closes },
        ),
        (Who::Requester, Content::Resolution { author: author.clone(), body: say.body(), rating: NO_LINKS, closes }),
        (
            Who::Requester,
            Content::Resolution { author: author.clone(), body: Body::default(), rating: say.links(), closes },
        ),
        (Who::Requester, Content::ConfirmReminder { rating: say.links(), closes }),
        (Who::Outsider, Content::ConfirmReminder { rating: NO_LINKS, closes }),
        (Who::Requester, Content::Waiting { since: minutes(-1440), closes, last: false }),
        (Who::Outsider, Content::Waiting { since: minutes(-7200), closes, last: true }),
        (Who::Requester, Content::Clarify { rating: say.links() }),
        (Who::Requester, Content::Clarify { rating: NO_LINKS }),
        (Who::Requester, Content::Reopened { engineer: Some(say.pick("李静", "Grace Lee")), ask_why: true }),
        (Who::Requester, Content::Reopened { engineer: None, ask_why: false }),
        (Who::Requester, Content::Closed { closing: Closing::Rated }),
        (Who::Requester, Content::Closed { closing: Closing::Silence }),
        (Who::Requester, Content::Closed { closing: Closing::Confirmed }),
        (Who::Requester, Content::Closed { closing: Closing::ByEngineer { author: author.clone(), body: say.body() } }),
        (
            Who::Requester,
            Content::Closed { closing: Closing::ByEngineer { author: author.clone(), body: Body::default() } },
        ),
        (Who::Requester, merged(Stage::InWork, None)),
        (Who::Requester, merged(Stage::InWork, Some(Said { author: author.clone(), body: say.body() }))),
        (Who::Outsider, merged(Stage::Resolved, None)),
        (Who::Requester, merged(Stage::Resolved, Some(Said { author: author.clone(), body: Body::default() }))),
        (Who::Requester, merged(Stage::Over, None)),
        (Who::Requester, Content::Cancelled { author: author.clone(), body: say.body() }),
        (Who::Requester, Content::Cancelled { author, body: Body::default() }),
        (Who::Requester, Content::TooLarge { bytes: 41_943_040, limit: 26_214_400 }),
    ]
}

fn copies(say: Say) -> Vec<(Who, Content)> {
    let author = say.engineer().name;
    let copied = |stage, body: Body, kept: &[&str]| {
        let kept = kept.iter().map(|name| (*name).to_owned()).collect();
        (Who::Owner, Content::Copied { stage, author: author.clone(), body, kept })
    };
    let proposal = |action, body: &str| {
        let body = Body { text: body.to_owned(), html: None };
        (Who::Engineer, Content::Proposal { action, author: say.requester().name, body })
    };
    let follow_up = |engineer: Option<String>, comment: &str| {
        (Who::Supervisor, Content::FollowUp { due: minutes(-5), engineer, comment: comment.to_owned() })
    };
    let names = ["video.mp4", "logs.zip"].map(str::to_owned).to_vec();
    let nobody =
        Content::Copied { stage: CopyStage::Reopened, author: String::new(), body: Body::default(), kept: Vec::new() };
    vec![
        copied(CopyStage::Added, Body::default(), &[]),
        copied(CopyStage::Message, say.body(), &["video.mp4", "logs.zip"]),
        copied(CopyStage::Answer, say.rich_body(), &[]),
        copied(CopyStage::Answer, Body::default(), &["video.mp4"]),
        copied(CopyStage::Resolved, say.rich_body(), &[]),
        copied(CopyStage::Closed, Body::default(), &[]),
        copied(CopyStage::Cancelled, say.body(), &[]),
        (Who::Owner, nobody),
        (Who::Requester, Content::FilesKept { names: names.clone(), limit: 10 << 20 }),
        (Who::Engineer, Content::FilesKept { names: names.clone(), limit: 10 << 20 }),
        (Who::Outsider, Content::FilesKept { names, limit: 10 << 20 }),
        proposal(Action::Resolve, &say.pick("刚才自己好了，谢谢！", "It works again, thanks!")),
        proposal(Action::Cancel, &say.pick("不用处理了", "Never mind, no longer needed.")),
        follow_up(Some(say.engineer().name), &say.pick("今天又脱机了两次。", "It went offline twice again today.")),
        follow_up(None, ""),
    ]
}

fn notices(say: Say) -> Vec<(Who, Content)> {
    let notice = |reason: NoticeReason| Content::Notice {
        reason,
        body: say.body(),
        missing: Vec::new(),
        may_belong_to: None,
        kept: Vec::new(),
        warnings: Vec::new(),
        similar: Vec::new(),
    };
    let urgent = |led: bool, stand_in| NoticeReason::Urgent {
        lead: led.then(|| say.engineer().name),
        plan: if led {
            say.pick("1. 切换到备机\n2. 通知值班主管", "1. Switch to the standby\n2. Tell the supervisor")
        } else {
            String::new()
        },
        team: if led { vec![say.pick("李静", "Grace Lee"), say.pick("赵敏", "Paula Grant")] } else { Vec::new() },
        supervisor: !led,
        stand_in,
    };
    let full = Content::Notice {
        reason: NoticeReason::New,
        body: say.rich_body(),
        missing: vec![Field::EmployeeId, Field::Contact],
        may_belong_to: Some(Number(7)),
        kept: vec![say.pick("现场录像.mp4", "video.mp4")],
        warnings: vec![
            say.pick("发件域名 c0rp.example 与公司域名相似", "The sender's domain c0rp.example looks like ours"),
        ],
        similar: similar(say),
    };
    vec![
        (Who::Engineer, notice(NoticeReason::New)),
        (Who::Engineer, full),
        (Who::Engineer, notice(NoticeReason::Assigned { by: say.pick("李静", "Grace Lee"), note: String::new() })),
        (
            Who::Engineer,
            notice(NoticeReason::Assigned {
                by: say.pick("李静", "Grace Lee"),
                note: say.pick("查过驱动，没有问题，怀疑网口。", "The driver is fine; I suspect the port."),
            }),
        ),
        (
            Who::Engineer,
            notice(NoticeReason::Merged {
                by: say.pick("李静", "Grace Lee"),
                number: Number(7),
                requester: say.pick("王海", "Tom Reed"),
            }),
        ),
        (
            Who::Engineer,
            notice(NoticeReason::Reopened {
                comment: say.pick("今天又脱机了两次，根本没解决。", "It went offline twice again today."),
            }),
        ),
        (Who::Supervisor, notice(NoticeReason::Unassigned { stand_in: false })),
        (Who::Supervisor, notice(NoticeReason::Unassigned { stand_in: true })),
        (Who::Engineer, notice(urgent(true, false))),
        (Who::Supervisor, notice(urgent(false, true))),
    ]
}

fn to_the_engineer(say: Say) -> Vec<(Who, Content)> {
    let message = |writer: Writer, kept: &[&str]| Content::Message {
        author: say.writer(writer).name,
        address: say.writer(writer).address,
        body: say.body(),
        kept: kept.iter().map(|k| (*k).to_owned()).collect(),
        outside: if kept.is_empty() { Vec::new() } else { vec![address("consultant@elsewhere.example")] },
        expiring: !kept.is_empty(),
        writer,
        to_supervisor: false,
    };
    let completed = |odd: Vec<String>, body: Option<Body>, kept: &[&str], to_supervisor: bool| Content::Completed {
        author: say.requester().name,
        facts: vec![
            Fact { field: Field::Department, value: say.pick("财务部", "Finance") },
            Fact {
                field: Field::When,
                value: say.pick("今天早上九点开始，每次打印都这样", "since nine this morning, every time"),
            },
        ],
        odd,
        body,
        kept: kept.iter().map(|k| (*k).to_owned()).collect(),
        to_supervisor,
    };
    let odd = say.pick(
        "来信写的姓名是“李四”，通讯录里是“张伟”，工单按通讯录登记。",
        "The mail says name \"Li Si\"; the directory, which the ticket goes by, says \"Zhang Wei\".",
    );
    let nothing_new = Content::Completed {
        author: say.requester().name,
        facts: Vec::new(),
        odd: vec![odd.clone()],
        body: None,
        kept: Vec::new(),
        to_supervisor: false,
    };
    let colleague = Content::Message {
        author: say.writer(Writer::Stranger).name,
        address: say.writer(Writer::Stranger).address,
        body: Body::default(),
        kept: Vec::new(),
        writer: Writer::Participant,
        to_supervisor: true,
        outside: Vec::new(),
        expiring: false,
    };
    let third = Content::Message {
        author: say.writer(Writer::Stranger).name,
        address: say.writer(Writer::Stranger).address,
        body: say.body(),
        kept: Vec::new(),
        writer: Writer::Participant,
        to_supervisor: false,
        outside: Vec::new(),
        expiring: false,
    };
    let before = Some(say.engineer().name);
    let dissatisfied = |before: Option<String>, now: Option<String>, comment: &str| Content::Dissatisfied {
        before,
        now,
        comment: comment.to_owned(),
        due: minutes(60 * 24),
    };
    let impersonated = |carried_out| Content::Impersonated {
        author: say.engineer().name,
        address: say.engineer().address,
        commands: vec!["#close".into()],
        body: say.body(),
        carried_out,
    };
    let comment = say.pick("今天又脱机了两次，根本没解决。", "It went offline twice again today. Nothing is solved.");
    vec![
        (Who::Engineer, message(Writer::Participant, &[])),
        (Who::Engineer, third),
        (Who::Supervisor, colleague),
        (Who::Engineer, completed(Vec::new(), None, &[], false)),
        (Who::Supervisor, completed(vec![odd.clone()], Some(say.body()), &["video.mp4", "log.txt"], true)),
        (Who::Engineer, nothing_new),
        (Who::Engineer, message(Writer::Stranger, &["video.mp4"])),
        (Who::Engineer, message(Writer::Supervisor, &[])),
        (Who::Engineer, message(Writer::Colleague, &[])),
        (Who::Engineer, message(Writer::Note, &[])),
        (Who::Engineer, message(Writer::Vendor, &[])),
        (Who::Owner, outage(outage::Stage::Began, Some(minutes(90)))),
        (Who::Owner, outage(outage::Stage::Began, None)),
        (Who::Owner, outage(outage::Stage::Eased, None)),
        (Who::Owner, outage(outage::Stage::Over, None)),
        (Who::Vendor, Content::Vendor { author: Some(say.engineer().name), body: say.body() }),
        (Who::Vendor, Content::Vendor { author: None, body: say.rich_body() }),
        (Who::Engineer, Content::OnHold { wait: Wait::Vendor, since: minutes(-7200) }),
        (Who::Supervisor, Content::OnHold { wait: Wait::Approval, since: minutes(-7200) }),
        (Who::Supervisor, Content::OnHold { wait: Wait::Visit, since: minutes(-7200) }),
        (Who::Engineer, incident(say, 2, 1)),
        (Who::Supervisor, incident(say, 3, 2)),
        (Who::Engineer, handover(say, Some(minutes(60 * 24 * 9)), true)),
        (Who::Engineer, handover(say, None, true)),
        (Who::Supervisor, handover(say, Some(minutes(60 * 24 * 9)), false)),
        (Who::Supervisor, handover(say, None, false)),
        (Who::Engineer, Content::Taken { by: say.pick("李静", "Grace Lee") }),
        (Who::Engineer, Content::Progress { silent_since: minutes(-30) }),
        (Who::Engineer, refused(say)),
        (Who::Engineer, status(say)),
        (Who::Engineer, transcript(say, true)),
        (
            Who::Engineer,
            Content::ConfirmCommand {
                body: say.body(),
                commands: vec!["#priority P1".into(), "#note".into()],
                again: false,
            },
        ),
        (Who::Engineer, Content::ConfirmCommand { body: Body::default(), commands: vec!["#take".into()], again: true }),
        (Who::Supervisor, impersonated(false)),
        (Who::Supervisor, impersonated(true)),
        (Who::Supervisor, Content::Unheard { body: say.body(), engineers: say.engineers() }),
        (Who::Supervisor, Content::Unheard { body: Body::default(), engineers: say.engineers() }),
        (Who::Engineer, incident(say, 2, 1)),
        (Who::Supervisor, incident(say, 3, 2)),
        (Who::Engineer, Content::TakenBack { rating: Rating::Satisfied, comment: String::new() }),
        (
            Who::Supervisor,
            Content::TakenBack {
                rating: Rating::Mostly,
                comment: say.pick("刚才点错了。", "I pressed the wrong one."),
            },
        ),
        (Who::Supervisor, dissatisfied(before, Some(say.pick("李静", "Grace Lee")), &comment)),
        (Who::Supervisor, dissatisfied(None, None, "")),
        (
            Who::Engineer,
            Content::Undelivered {
                recipient: "chen.xiaomei@corp.example".into(),
                reason: "550 5.1.1 <chen.xiaomei@corp.example>: Recipient address rejected: User unknown".into(),
                until: Some(minutes(60 * 24 * 3)),
                waiting: false,
            },
        ),
        (
            Who::Engineer,
            Content::Undelivered {
                recipient: "chen.xiaomei@corp.example".into(),
                reason: "554 5.7.1 Message rejected".into(),
                until: None,
                waiting: false,
            },
        ),
        (
            Who::Supervisor,
            Content::Undelivered {
                recipient: "wang.qiang@corp.example".into(),
                reason: "550 5.1.1 User unknown".into(),
                until: Some(minutes(60 * 24 * 3)),
                waiting: true,
            },
        ),
    ]
}

fn handover(say: Say, until: Option<Timestamp>, found: bool) -> Content {
    let line = |at, who: String, what, why: String| StatusLine { at: minutes(at), who, what, why };
    let history = vec![
        line(-180, say.requester().name, What::Opened, say.ticket().subject),
        line(
            -150,
            say.pick("李静", "Grace Lee"),
            What::Message,
            say.pick("请先换一根网线试试。", "Please try another cable."),
        ),
        line(-120, say.pick("李静", "Grace Lee"), What::Step, say.pick("换了网线，无效", "another cable, no change")),
    ];
    Content::Handover {
        before: say.pick("李静", "Grace Lee"),
        until,
        found,
        body: if until.is_some() { say.body() } else { Body::default() },
        history: if found { history } else { Vec::new() },
    }
}

fn outage(stage: outage::Stage, restored: Option<Timestamp>) -> Content {
    Content::Outage { module: "ERP".into(), stage, restored }
}

fn incident(say: Say, count: usize, departments: usize) -> Content {
    let report = |number, requester: String, department: String| Report {
        number: Number(number),
        address: say.requester().address,
        requester,
        department,
        subject: say.pick("ERP 打不开", "ERP does not open"),
    };
    let mut reports = vec![report(8, say.requester().name, say.pick("财务部", "Finance"))];
    if count > 2 {
        reports.push(report(9, say.pick("王海", "Tom Reed"), String::new()));
    }
    Content::Incident { count, departments, reports }
}

fn about_targets(say: Say) -> Vec<(Who, Content)> {
    let clock = |clock, percent, due| ClockStep { clock, percent, due: minutes(due), breached: percent >= 100 };
    let response = |percent| clock(Clock::Response, percent, if percent < 100 { 30 } else { -5 });
    let resolution = |percent| clock(Clock::Resolution, percent, if percent < 100 { 90 } else { -15 });
    let step = |number, engineer: bool, clocks: &[ClockStep]| Step {
        number: Number(number),
        subject: say.ticket().subject,
        requester: say.requester().name,
        priority: Priority::P2,
        engineer: engineer.then(|| say.engineer().name),
        clocks: clocks.to_vec(),
    };
    let letter = |role, stand_in, step| Content::Escalation { step, role, stand_in, instead_of: None };
    let instead_of = Some(say.pick("赵敏", "Paula Grant"));
    let passed_on = step(1, true, &[response(100)]);
    vec![
        (Who::Engineer, letter(Role::Assignee, false, step(1, true, &[response(50)]))),
        (Who::Engineer, letter(Role::Assignee, false, step(1, true, &[response(100), resolution(75)]))),
        (Who::Supervisor, letter(Role::Supervisor, true, step(1, true, &[resolution(75)]))),
        (Who::Supervisor, Content::Escalation { step: passed_on, role: Role::Supervisor, stand_in: false, instead_of }),
        (Who::Supervisor, letter(Role::Assignee, false, step(1, false, &[response(100)]))),
        (Who::Supervisor, letter(Role::Managers, false, step(1, true, &[resolution(100)]))),
        (Who::Supervisor, letter(Role::Managers, false, step(1, false, &[response(100)]))),
        (
            Who::Supervisor,
            Content::Overdue {
                steps: vec![
                    step(1, true, &[response(100), resolution(75)]),
                    step(7, false, &[response(75)]),
                    step(12, true, &[resolution(100)]),
                ],
                stand_in: false,
            },
        ),
        (Who::Supervisor, Content::Overdue { steps: vec![step(1, false, &[response(100)])], stand_in: true }),
    ]
}

/// Tomorrow at two, for an hour.
fn visits(say: Say) -> Vec<(Who, Content)> {
    let place = say.pick("A 座三楼财务部", "Building A, third floor, Finance");
    let visit = |place: &str| Appointment {
        start: minutes(60 * 24),
        end: minutes(60 * 25),
        place: place.to_owned(),
        engineer: say.engineer().name,
    };
    let entry = |method| Entry {
        method,
        uid: "it001.aaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbb@corp.example".into(),
        sequence: 1,
        attendees: vec![say.requester(), say.engineer()],
    };
    let letter = |change: Change, to, place: &str, said, method| Content::Visit {
        change,
        to,
        visit: visit(place),
        before: (change == Change::Moved).then(|| (minutes(180), minutes(240))),
        said,
        entry: entry(method),
    };
    let words =
        say.pick("我带一根新网线过来，大约要半小时。", "I will bring a new cable; it takes about half an hour.");
    let said = Some(Said { author: say.engineer().name, body: Body { text: words, html: None } });
    let reminder = |to, place: &str| Content::VisitReminder { to, visit: visit(place) };
    let answer = |from, answer, proposed, comment: &str| Content::VisitAnswer {
        visit: visit(&place),
        from,
        author: if from == Attendee::Engineer { say.engineer().name } else { say.requester().name },
        answer,
        proposed,
        command: proposed.map(|_| say.pick("#上门", "#visit") + " 2026-11-25 10:00-11:00 " + &place),
        comment: comment.to_owned(),
    };
    let other = Some((minutes(60 * 44), minutes(60 * 45)));
    let busy = say.pick("明天下午在开会。", "I have a meeting tomorrow afternoon.");
    let call = say.pick("到楼下请打电话。", "Please call when you are at the door.");
    use Attendee::{Engineer, Requester};
    use Method::{Cancel, Request};
    vec![
        (Who::Requester, letter(Change::Made, Requester, &place, None, Request)),
        (Who::Requester, letter(Change::Made, Requester, &place, said, Request)),
        (Who::Outsider, letter(Change::Made, Requester, "", None, Request)),
        (Who::Requester, letter(Change::Moved, Requester, &place, None, Request)),
        (Who::Requester, letter(Change::HandedOver, Requester, &place, None, Request)),
        (Who::Requester, letter(Change::Cancelled, Requester, &place, None, Cancel)),
        (Who::Engineer, letter(Change::Made, Engineer, &place, None, Request)),
        (Who::Engineer, letter(Change::Moved, Engineer, &place, None, Request)),
        (Who::Engineer, letter(Change::HandedOver, Engineer, &place, None, Cancel)),
        (Who::Engineer, letter(Change::Cancelled, Engineer, &place, None, Cancel)),
        (Who::Requester, reminder(Requester, &place)),
        (Who::Outsider, reminder(Requester, "")),
        (Who::Engineer, reminder(Engineer, &place)),
        (Who::Engineer, Content::VisitOver { visit: visit(&place) }),
        (Who::Engineer, answer(Requester, Attendance::Declined, None, "")),
        (Who::Engineer, answer(Requester, Attendance::Countered, other, &busy)),
        (Who::Engineer, answer(Requester, Attendance::Countered, None, "")),
        (Who::Engineer, answer(Requester, Attendance::Accepted, None, &call)),
        (Who::Engineer, answer(Requester, Attendance::Tentative, None, &call)),
        (Who::Engineer, answer(Engineer, Attendance::Declined, None, "")),
    ]
}

fn about_approvals(say: Say) -> Vec<(Who, Content)> {
    let module = || "ERP".to_owned();
    let text = say.pick(
        "请给财务部新同事刘洋开通 ERP 应付模块的只读权限，工号 F10377，下周一入职。",
        "Please give our new colleague Ann Lee in Finance read access to ERP accounts payable. She starts on Monday.",
    );
    let body = || Body { text: text.clone(), html: None };
    let (owner, other) = (say.reader(Who::Owner).mailbox.name, say.pick("周敏", "Peter Wolf"));
    let asks = |purpose, note: &str, others: &[&str], all| Content::ApprovalRequest {
        purpose,
        module: module(),
        request: if purpose == Purpose::Again { Body::default() } else { body() },
        note: note.to_owned(),
        engineer: (purpose != Purpose::Again).then(|| say.engineer().name),
        others: others.iter().map(|name| (*name).to_owned()).collect(),
        all,
        asked: minutes(-60 * 24),
        link: (purpose != Purpose::Remind).then(|| "https://desk.corp.example/a/AQAAAAAAAAABAAAAAAAAAAE".into()),
        mark: "IT001/1/K7QD2M3P".into(),
    };
    let note = say.pick("只读角色 FI_AP_DISPLAY，不含付款。", "Role FI_AP_DISPLAY, no payments.");
    let third = say.pick("吴迪", "Nina Hall");
    let two: [&str; 2] = [&other, &third];
    let news = |stage, comment: &str, request| Content::ApprovalNews {
        stage,
        module: module(),
        by: owner.clone(),
        comment: comment.to_owned(),
        request,
    };
    let no = say
        .pick("应付模块本月在对账，下月初再申请。", "Accounts payable is closing this month; ask again in December.");
    let yes = say.pick("只给到年底。", "Until the end of the year only.");
    let receipt = |kind, comment: &str| {
        let by = if kind == ReceiptKind::Withdrawn { String::new() } else { other.clone() };
        (Who::Owner, Content::ApprovalReceipt { kind, module: module(), by, comment: comment.to_owned() })
    };
    let refused = |who, why| (who, Content::ApprovalRefused { why, module: module() });
    let overdue = |owners: &[&str], engineer: bool| Content::ApprovalOverdue {
        module: module(),
        owners: owners.iter().map(|name| (*name).to_owned()).collect(),
        engineer: engineer.then(|| say.engineer().name),
        since: minutes(-60 * 24 * 3),
    };
    vec![
        (Who::Owner, asks(Purpose::Ask, &note, &[], false)),
        (Who::Owner, asks(Purpose::Remind, "", &[&other], false)),
        (Who::Owner, asks(Purpose::Substitute, "", &[&other, &third], true)),
        (Who::Owner, asks(Purpose::Changed, "", &two, true)),
        (Who::Owner, asks(Purpose::Again, &note, &[], false)),
        (Who::Requester, news(ApprovalStage::Asked, "", None)),
        (Who::Requester, news(ApprovalStage::Approved, &yes, None)),
        (Who::Requester, news(ApprovalStage::Rejected, &no, None)),
        (Who::Outsider, news(ApprovalStage::Rejected, &no, None)),
        (Who::Engineer, news(ApprovalStage::Approved, &yes, Some(body()))),
        (Who::Engineer, news(ApprovalStage::Rejected, &no, Some(body()))),
        receipt(ReceiptKind::Approved, ""),
        receipt(ReceiptKind::Rejected, &no),
        receipt(ReceiptKind::ApprovedByOther, &yes),
        receipt(ReceiptKind::RejectedByOther, &no),
        receipt(ReceiptKind::Counted, ""),
        receipt(ReceiptKind::Withdrawn, ""),
        refused(Who::Requester, NotCounted::OwnRequest),
        refused(Who::Owner, NotCounted::Over),
        refused(Who::Owner, NotCounted::Unclear),
        refused(Who::Owner, NotCounted::NoReason),
        refused(Who::Owner, NotCounted::NoOwner),
        refused(Who::Owner, NotCounted::OnlyWords),
        (Who::Owner, Content::ApprovalCode { code: "402917".into(), module: module() }),
        (Who::Supervisor, overdue(&two, true)),
        (Who::Supervisor, overdue(&[], false)),
    ]
}

/// The approval pages as an owner may see them.
fn similar(say: Say) -> Vec<Known> {
    let known = |name: &str, title: String, summary: String| Known { name: name.to_owned(), title, summary };
    vec![
        known("KB034", say.pick("打印机显示脱机", "Printer shown as offline"), parts(say).solution),
        known("IT112", say.pick("财务部打印机脱机", "Finance printer offline"), String::new()),
    ]
}

/// An article as its engineer reads it first.
fn parts(say: Say) -> Parts {
    Parts {
        title: say.pick("打印机显示脱机", "Printer shown as offline"),
        symptom: say.pick(
            "打印机打不出来，电脑上提示“脱机”，重启无效。",
            "The printer does not print and is shown as offline; a restart does not help.",
        ),
        diagnosis: say.pick(
            "1. 打印自检页，看到 IP 已改变\n2. 电脑上的端口还是旧地址",
            "1. Print the self-test page: the IP address has changed\n2. The port still has the old one",
        ),
        solution: say.pick(
            "在打印机属性的「端口」里按新的 IP 添加 TCP/IP 端口；再请网络组在 DHCP 里给打印机保留地址。",
            "Add a TCP/IP port with the new address to the printer; then have the address reserved in DHCP.",
        ),
        scope: say.pick("硬件", "Hardware"),
        prevention: String::new(),
        keywords: say.pick("打印机 脱机", "printer offline"),
    }
}

fn about_knowledge(say: Say) -> Vec<(Who, Content)> {
    let article = |purpose, shown| Content::Article {
        purpose,
        name: "KB001".into(),
        form: Body { text: parts(say).form(say.0), html: None },
        shown,
        helped: shown / 2,
        not_helped: shown / 4,
    };
    let acknowledgement = |engineer: bool, link: bool, missing: &[Field]| Content::Acknowledgement {
        behalf: None,
        missing: missing.to_vec(),
        engineer: engineer.then(|| say.engineer().name),
        outsider: false,
        known: None,
        article: Some(Shown {
            name: "KB034".into(),
            title: parts(say).title,
            text: parts(say).solution,
            link: link.then(|| "https://desk.corp.example/k/AQAAAAAAAAABAAAAAAAAACI".to_owned()),
        }),
    };
    vec![
        (Who::Engineer, article(ArticlePurpose::Draft, 0)),
        (Who::Engineer, article(ArticlePurpose::Review, 0)),
        (Who::Engineer, article(ArticlePurpose::Review, 1)),
        (Who::Engineer, article(ArticlePurpose::Review, 8)),
        (Who::Engineer, Content::ArticleHelped { name: "KB034".into(), helped: true }),
        (Who::Engineer, Content::ArticleHelped { name: "KB034".into(), helped: false }),
        (Who::Requester, acknowledgement(true, true, &[])),
        (Who::Requester, acknowledgement(false, true, &[])),
        (Who::Requester, acknowledgement(true, false, &[Field::Contact])),
    ]
}

fn article_pages(language: Language) -> Vec<(String, tera::Context)> {
    let say = Say(language);
    let page = |name: &str, said: &str, again: bool, rated: bool| {
        let ticket = say.ticket();
        let mut view = tera::Context::new();
        view.insert("language", language.as_str());
        view.insert("desk", identity().name(language));
        view.insert("number", &ticket.number.to_string());
        view.insert("subject", &say.pick("打印机怎么设成默认？", "How do I make a printer the default?"));
        view.insert("title", &parts(say).title);
        let named = |(name, text): (&str, &str)| BTreeMap::from([("name", name.to_owned()), ("text", text.to_owned())]);
        view.insert("parts", &parts(say).for_requesters().named(language).into_iter().map(named).collect::<Vec<_>>());
        view.insert("action", "/k/AQAAAAAAAAABAAAAAAAAACI");
        view.insert("shown", &now());
        view.insert("seal", "ABCDEFGHIJKLMNOP");
        view.insert("said", said);
        view.insert("again", &again);
        let rating =
            |rating: &Rating| BTreeMap::from([("name", rating.name(language)), ("link", "/s/AQAAAAAAAAABAAE")]);
        let ratings: Vec<_> = Rating::ALL.iter().filter(|_| rated).map(rating).collect();
        view.insert("ratings", &ratings);
        (format!("page/{}/{name}.html", language.as_str()), view)
    };
    vec![
        page("article", "", false, false),
        page("article", "yes", true, false),
        page("article", "no", true, false),
        page("article_thanks", "yes", false, true),
        page("article_thanks", "yes", false, false),
        page("article_thanks", "no", false, false),
    ]
}

/// Two tickets' dossiers: one with everything, one with next to nothing.
fn dossiers(language: Language) -> Vec<(String, tera::Context)> {
    let say = Say(language);
    let page = |full: bool| {
        let mut view = tera::Context::new();
        let some = |items: Value| if full { items } else { Value::Array(Vec::new()) };
        view.insert("language", language.as_str());
        view.insert("desk", identity().name(language));
        view.insert("number", "IT001");
        view.insert("subject", &if full { say.ticket().subject } else { String::new() });
        view.insert("archived", &full.then_some("2026-12-24 09:00"));
        let row = json!([{"label": say.pick("报障人", "Requester"), "value": say.requester().name}]);
        view.insert("registration", &row);
        view.insert("handling", &row);
        view.insert("steps", &some(json!([say.pick("查看自检页", "Looked at the self-test page")])));
        view.insert("workarounds", &some(json!([say.pick("先用二楼打印机", "Use the one on the second floor")])));
        view.insert("resolutions", &some(json!([say.rich_body().text])));
        let rating = |round, word: Rating, comment: &str| json!({"at": "2026-11-24 10:00", "rating": word.name(language), "comment": comment, "round": round});
        let ratings = json!([rating(1, Rating::Dissatisfied, "OK?"), rating(2, Rating::Satisfied, "")]);
        view.insert("ratings", &some(ratings));
        view.insert("people", &json!([say.requester().address.as_str()]));
        view.insert("timeline", &json!([{"at": "2026-11-23 14:00", "who": "x", "what": "y", "why": ""}]));
        let files = json!([
            {"name": "a.png", "size": "1 KB", "file": "attachments/001-01-0-a.png"},
            {"name": "b.png", "size": "1 KB", "file": "attachments/001-02-0-b.png"},
        ]);
        let message = json!({
            "at": "2026-11-23 14:00", "from": full.then(|| say.requester().name), "subject": if full { "x" } else { "" },
            "text": say.body().text, "file": "messages/001.eml", "internal": full, "files": some(files),
        });
        view.insert("messages", &json!([message]));
        let letter =
            json!({"at": "x", "to": "y", "letter": "notice", "state": "sent", "file": "letters/001-notice.eml"});
        view.insert("letters", &some(json!([letter])));
        (format!("page/{}/dossier.html", language.as_str()), view)
    };
    vec![page(true), page(false)]
}

/// A weekly report with everything that one can have, and a board with nothing that it can do without.
fn reports(say: Say) -> Vec<(Who, Content)> {
    let card = |label: String, value: &str, state, state_word: String| Card {
        label,
        value: value.into(),
        of: "57/60".into(),
        before: say.pick("上期 93.1% (+1.9 个百分点)", "before 93.1% (+1.9 points)"),
        goal: say.pick("目标 90%", "target 90%"),
        state,
        state_word,
    };
    let good = card(say.pick("响应达成率", "Responses in time"), "95.0%", State::Good, say.pick("正常", "on target"));
    let bad =
        card(say.pick("解决达成率", "Resolutions in time"), "81.2%", State::Bad, say.pick("非正常", "off target"));
    let new = Card { label: say.pick("新增", "New"), value: "61".into(), ..Card::default() };
    let head = vec![Cell::text(say.pick("部门", "Department")), Cell::number(say.pick("新增", "New")).more("n")];
    let rows = vec![
        vec![Cell::text(say.pick("财务部", "Finance")).bar(12, 12), Cell::number("12").state(State::Good)],
        vec![Cell::text(say.pick("市场部", "Marketing")).bar(5, 12), Cell::number("5").more("±0").state(State::Bad)],
        vec![Cell::text(say.pick("研发中心", "Research")).bar(0, 12), Cell::number("—").state(State::Faint)],
    ];
    let table = Table::new(head, rows);
    let twin = Table { text_only: true, ..table.clone() };
    let alt = say.pick("每天新增、关闭与积压", "New, closed and open tickets by day");
    let flow = Part {
        title: say.pick("1. 流量与积压", "1. New, closed, open"),
        lead: vec![
            say.pick("期初 14 + 登记 61 − 关闭 58 = 期末 17。", "14 at the start + 61 registered − 58 closed = 17."),
        ],
        picture: Some(Picture { id: "flow.2026-11-16.sample".into(), alt, width: 480, height: 236 }),
        tables: vec![twin, table],
    };
    let week = Page {
        title: say.pick("IT 服务台周报", "Weekly report · IT Service Desk"),
        period: say.pick("2026年11月16日–22日（第47周）", "16–22 Nov 2026 (week 47)"),
        scope: say.pick("范围：财务部", "Scope: Finance"),
        lead: vec![say.pick("新增 61 张，关闭 58 张。", "61 new tickets, 58 closed.")],
        cards: vec![new.clone(), good, bad],
        parts: vec![flow],
        notes: vec![
            say.pick("“—”表示本期没有可计的数据。", "A dash means that there was nothing to count."),
            say.pick("已取消的工单只计入收支平衡。", "Cancelled tickets count in the balance only."),
        ],
        files: vec!["weekly-2026-11-16.xlsx".into(), "weekly-2026-11-16.csv".into()],
    };
    let board = Page {
        title: say.pick("IT 服务台看板", "Today's board · IT Service Desk"),
        period: say.pick("11月23日（周一）08:30", "Mon 23 Nov, 08:30"),
        cards: vec![new.clone(), new],
        parts: vec![Part { title: say.pick("已超时", "Late"), ..Part::default() }],
        ..Page::default()
    };
    [week, board].map(|page| (Who::Supervisor, Content::Digest { page: Box::new(page) })).into()
}

fn approval_pages(language: Language) -> Vec<(String, tera::Context)> {
    let say = Say(language);
    let page = |name: &str, facts: &[(&str, &str)]| {
        let ticket = say.ticket();
        let mut view = tera::Context::new();
        view.insert("language", language.as_str());
        view.insert("desk", identity().name(language));
        view.insert("number", &ticket.number.to_string());
        view.insert("subject", &ticket.subject);
        view.insert("module", "ERP");
        view.insert("requester", &ticket.requester.name);
        view.insert("request", &say.body().text);
        view.insert("mailbox", "s***@corp.example");
        view.insert("action", "/a/AQAAAAAAAAABAAAAAAAAAAE");
        view.insert("shown", &now());
        view.insert("seal", "ABCDEFGHIJKLMNOP");
        for fact in ["note", "again", "why", "answer", "wrong", "tries", "state"] {
            let value = facts.iter().find(|(name, _)| *name == fact).map_or("", |(_, value)| value);
            view.insert(fact, value);
        }
        (format!("page/{}/{name}.html", language.as_str()), view)
    };
    let mut pages = vec![
        page("approval", &[("note", "FI_AP_DISPLAY")]),
        page("approval", &[("again", "reason")]),
        page("approval", &[("again", "press"), ("why", "only until December")]),
        page("approval_code", &[("answer", "approve"), ("tries", "5")]),
        page("approval_code", &[("answer", "reject"), ("tries", "2"), ("wrong", "yes")]),
        page("approval_code", &[("answer", "reject")]),
    ];
    let states = ["approved", "rejected", "asked", "withdrawn"];
    pages.extend(states.iter().map(|state| page("approval_done", &[("state", state)])));
    pages
}

fn refused(say: Say) -> Content {
    let hints = [
        ("#take", Hint::None),
        ("#resovle", Hint::Unknown { nearest: Some("resolve".into()) }),
        ("#abracadabra", Hint::Unknown { nearest: None }),
        ("#priority high", Hint::Value { expected: "#priority P1, P2, P3, P4".into() }),
        ("#wait vendor", Hint::Status { status: "closed".into() }),
        ("#assign Li", Hint::Nobody { name: "Li".into() }),
        ("#close", Hint::NotAtTop),
        ("#take #note", Hint::OneALine),
        ("#merge IT009", Hint::NoSuchTicket { number: Number(9) }),
        ("#split IT009", Hint::NoReport { number: Number(9) }),
        ("#vendor Dell", Hint::NoVendor { known: "Lenovo, HP".into() }),
        ("#vendor", Hint::NoVendor { known: String::new() }),
        ("#vendor Lenovo", Hint::TwoReaders),
        ("#merge IT001", Hint::Itself { number: Number(1) }),
        ("#merge IT007", Hint::Over { number: Number(7), status: "closed".into() }),
        ("#close", Hint::Withdrawn),
        ("#close", Hint::CarriedOut),
        ("ok", Hint::WhichMail),
        ("#close", Hint::MergedAway { number: Number(7), into: Number(1), requester: say.requester().name }),
        ("#note", Hint::Copied),
        ("#take", Hint::Doubtful),
        ("在 2026-11-23 10:00，IT 服务台 写道：", Hint::Quoted),
        ("#note", Hint::HeldBack),
        ("#workaround", Hint::TextNeeded),
        ("#close", Hint::NoTicket),
        ("#wait", Hint::NeverOnHold),
        ("#cancel", Hint::OnlyAssign),
        ("#visit 14:00", Hint::VisitLate { hours: "2".into(), other_site: false, due: minutes(120) }),
        ("#visit 11-26 14:00", Hint::VisitLate { hours: "24".into(), other_site: true, due: minutes(60 * 24) }),
        ("#visit 09:00", Hint::VisitPast),
        ("#visit cancel", Hint::NoVisit),
        ("#resolve", Hint::ApprovalAsked { module: "ERP".into(), owners: "sun.hao@corp.example".into() }),
        ("#resolve", Hint::ApprovalAsked { module: "ERP".into(), owners: String::new() }),
        ("#resolve", Hint::ApprovalRejected { module: "ERP".into() }),
        ("#approval CRM", Hint::NoModule { known: "ERP, OA".into() }),
        ("#approval", Hint::NoModule { known: String::new() }),
        ("#approve", Hint::NotAsked),
        ("#for Li", Hint::NoPerson { name: "Li".into() }),
        ("#for zhang@corp.example", Hint::HasRequester { requester: say.requester().name }),
        ("Fw: printer", Hint::NoSender),
        ("#assign level 3", Hint::NobodyThere { name: "level 3".into() }),
        ("#kb", Hint::ArticleAlone),
        ("#kb no", Hint::NoArticle),
        ("#reopen", Hint::Archived),
        ("根因：x", Hint::NotReviewer { name: "PIR001".into(), people: say.engineer().name }),
    ];
    let done = |hint: &Hint| matches!(hint, Hint::None | Hint::VisitLate { .. });
    let line = |(line, hint): (&str, Hint)| TranscriptLine { line: line.to_owned(), done: done(&hint), hint };
    Content::Transcript {
        lines: hints.into_iter().map(line).collect(),
        held_back: Some(say.body()),
        status: None,
        list: None,
        loads: Vec::new(),
        help: false,
    }
}

fn status(say: Say) -> Content {
    let engineer = say.engineer();
    let entries = [
        (-125, String::new(), What::Opened, say.pick("打印机、脱机 → 硬件", "printer, offline → hardware")),
        (-124, String::new(), What::Assigned { from: None, to: Some(engineer.address.clone()) }, String::new()),
        (-60, engineer.name.clone(), What::Status { from: Status::Assigned, to: Status::InProgress }, String::new()),
        (-55, engineer.name.clone(), What::Note, say.pick("IP 可能被 DHCP 换掉了", "DHCP may have moved its address")),
        (
            -40,
            engineer.name,
            What::Priority { from: Priority::P3, to: Priority::P2 },
            say.pick("全科室受影响", "the whole team"),
        ),
        (
            -20,
            say.pick("李静", "Grace Lee"),
            What::Absorbed {
                number: Number(7),
                subject: say.ticket().subject,
                requester: say.requester(),
                language: Language::Chinese,
            },
            String::new(),
        ),
        (
            -15,
            String::new(),
            What::Escalated { clock: Clock::Resolution, percent: 75, to: vec![engineer.address] },
            String::new(),
        ),
        (-9, say.requester().name, What::Rated { rating: Rating::Mostly }, String::new()),
    ];
    let line = |(at, who, what, why)| StatusLine { at: minutes(at), who, what, why };
    let list = [(1, Priority::P2, Status::InProgress, -30), (12, Priority::P3, Status::Pending, 200)];
    let list_line = |(number, priority, status, due)| ListLine {
        number: Number(number),
        subject: say.ticket().subject,
        requester: say.requester().name,
        priority,
        status,
        resolution_due: minutes(due),
    };
    Content::Transcript {
        lines: vec![TranscriptLine { line: "#status".into(), done: true, hint: Hint::None }],
        held_back: None,
        status: Some(entries.into_iter().map(line).collect()),
        list: Some(list.into_iter().map(list_line).collect()),
        loads: vec![
            LoadLine { name: say.engineer().name, open: 2, away: false, me: true },
            LoadLine { name: say.pick("李静", "Grace Lee"), open: 1, away: false, me: false },
            LoadLine { name: say.pick("赵敏", "Mia Chan"), open: 0, away: true, me: false },
        ],
        help: true,
    }
}

/// A transcript with nothing in it: no line, an empty list, and the command card when asked.
fn transcript(_: Say, help: bool) -> Content {
    Content::Transcript {
        lines: Vec::new(),
        held_back: None,
        status: None,
        list: Some(Vec::new()),
        loads: Vec::new(),
        help,
    }
}

/// Letters whose ticket differs: every category, every priority, late ones, unknown facts, no ticket at all.
fn variations(say: Say) -> Vec<Letter> {
    let notice = |say: Say| notices(say).swap_remove(0);
    let mut letters = Vec::new();
    // Software is urgent in the cycle; its first steps differ when it is not.
    let calm = (&Category::Software, &Priority::P3);
    let categories = Category::ALL.iter().zip(Priority::ALL.iter().cycle()).chain([calm]);
    for (category, priority) in categories {
        for (who, content) in [notice(say), to_the_requester(say).swap_remove(0)] {
            let mut letter = say.letter(who, content);
            let ticket = letter.ticket.as_mut().expect("samples have a ticket");
            (ticket.category, ticket.priority) = (*category, *priority);
            letters.push(letter);
        }
    }
    // Both wait for an approval.
    for (who, content) in [notice(say), to_the_requester(say).swap_remove(0)] {
        let mut letter = say.letter(who, content);
        let ticket = letter.ticket.as_mut().expect("samples have a ticket");
        (ticket.category, ticket.priority) = (Category::Account, Priority::P4);
        (ticket.status, ticket.wait) = (Status::Pending, Some(Wait::Approval));
        letters.push(letter);
    }
    let message = to_the_engineer(say).swap_remove(0).1;
    let completed = to_the_engineer(say).into_iter().map(|(_, c)| c).find(|c| c.template() == "completed");
    for content in [notice(say).1, message, transcript(say, false), status(say)].into_iter().chain(completed) {
        letters.push(late(say.letter(Who::Engineer, content)));
    }
    letters.push(late(say.letter(Who::Requester, Content::Reopened { engineer: None, ask_why: false })));
    for content in to_the_requester(say).into_iter().map(|(_, c)| c).take(2) {
        letters.push(late(say.letter(Who::Requester, content)));
    }
    // On hold until the visit, and late already when it is over.
    let mut waiting = say.letter(Who::Engineer, visits(say).swap_remove(6).1);
    let ticket = waiting.ticket.as_mut().expect("samples have a ticket");
    (ticket.status, ticket.wait) = (Status::Pending, Some(Wait::Visit));
    letters.push(waiting);
    // Somebody is in copy, and writes.
    let mut copied = say.letter(Who::Engineer, to_the_engineer(say).swap_remove(0).1);
    copied.ticket.as_mut().expect("samples have a ticket").copied = vec![say.writer(Writer::Copied)];
    if let Content::Message { writer, author, address, .. } = &mut copied.content {
        let Mailbox { name, address: from } = say.writer(Writer::Copied);
        (*writer, *author, *address) = (Writer::Copied, name, from);
    }
    letters.push(copied.clone());
    let noticed = Letter { content: notices(say).swap_remove(0).1, ..copied };
    letters.push(noticed);
    for index in [6, 12, 13, 14] {
        letters.push(late(say.letter(Who::Engineer, visits(say).swap_remove(index).1)));
    }
    // The first answer was given; the resolution runs out.
    let mut answered = say.letter(Who::Engineer, about_targets(say).swap_remove(1).1);
    answered.ticket.as_mut().expect("samples have a ticket").answered = Some(minutes(-30));
    letters.push(answered);
    for content in to_the_engineer(say).into_iter().map(|(_, c)| c) {
        if matches!(content, Content::Transcript { .. } | Content::ConfirmCommand { .. }) {
            letters.push(Letter { ticket: None, ..say.letter(Who::Engineer, content) });
        }
    }
    let too_large = Content::TooLarge { bytes: 41_943_040, limit: 26_214_400 };
    letters.push(Letter { ticket: None, ..say.letter(Who::Requester, too_large) });
    letters
}

/// Both times are over, somebody has answered, nobody is assigned, and hardly anything is known.
fn late(mut letter: Letter) -> Letter {
    let ticket = letter.ticket.as_mut().expect("samples have a ticket");
    ticket.fields.clear();
    ticket.assignee = None;
    ticket.status = Status::Pending;
    ticket.wait = Some(Wait::Vendor);
    ticket.answered = matches!(letter.content, Content::Transcript { .. }).then(|| minutes(-30));
    ticket.response_due = minutes(-60);
    ticket.resolution_due = minutes(-10);
    ticket.related = Some(Number(7));
    letter
}
