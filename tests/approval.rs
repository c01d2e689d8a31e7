//! Approvals, by the rules alone: who is asked, whose answer counts, and what follows when nobody answers.

#[path = "support/rules.rs"]
mod rules;

use maildesk::desk::approval::{self, Approval, Module, Needs, State};
use maildesk::desk::command::Hint;
use maildesk::desk::decide::decide;
use maildesk::desk::event::{Candidate, Effect, Event, Mail, Situation, Timer, TimerKind};
use maildesk::desk::inbound::Inbound;
use maildesk::desk::letter::{Content, Letter, NotCounted, Purpose, ReceiptKind};
use maildesk::desk::policy::{Demand, Policy};
use maildesk::desk::ticket::{Entry, Number, Ticket, What};
use maildesk::desk::words::{Priority, Status, Wait};
use maildesk::time::Timestamp;
use rules::*;
use std::sync::Arc;
use std::time::Duration;

const SUN: &str = "sun@corp.example";
const ZHOU: &str = "zhou@corp.example";
const QIAN: &str = "qian@corp.example";
const DAY: Duration = Duration::from_secs(86_400);

/// A desk in memory with one ticket and the letters that went out last.
struct Desk {
    policy: Policy,
    ticket: Option<Ticket>,
    approval: Option<Approval>,
    timeline: Vec<Entry>,
    timers: Vec<Timer>,
    letters: Vec<Letter>,
    now: Timestamp,
}

fn module(owners: &[&str], needs: Needs) -> Module {
    Module {
        name: "ERP".into(),
        words: vec!["SAP".into(), "用友".into()],
        owners: owners.iter().map(|owner| reader(owner)).collect(),
        plan: String::new(),
        needs,
        substitutes: vec![reader(QIAN)],
        remind_after: DAY,
        substitute_after: 2 * DAY,
        escalate_after: 3 * DAY,
    }
}

impl Desk {
    fn with(owners: &[&str], needs: Needs) -> Desk {
        let mut policy = policy();
        policy.modules = vec![module(owners, needs)];
        policy.escalation.ladders = Default::default();
        let (timeline, timers, letters) = (Vec::new(), Vec::new(), Vec::new());
        Desk { policy, ticket: None, approval: None, timeline, timers, letters, now: now() }
    }

    /// Zhang's wish, which Sun has to approve.
    fn asked() -> Desk {
        let mut desk = Desk::with(&[SUN], Needs::Any);
        desk.wishes();
        assert_eq!(desk.state(), Some(State::Asked));
        desk
    }

    fn wishes(&mut self) {
        self.reports(ZHANG, "申请开通权限", "请给刘洋开通 SAP 应付模块的只读权限，不急。");
    }

    fn reports(&mut self, from: &str, subject: &str, text: &str) {
        let inbound = mail(from, subject, "", text);
        self.gets(inbound);
    }

    fn gets(&mut self, inbound: Inbound) {
        let event = Event::Mail(Mail::new(inbound, self.now, None));
        self.handles(&event);
    }

    fn handles(&mut self, event: &Event) {
        self.letters.clear();
        let effects = decide(&self.situation(), event, self.now);
        effects.into_iter().for_each(|effect| self.apply(effect));
    }

    fn situation(&self) -> Situation<'_> {
        let mut situation = situation(&self.policy, Vec::new());
        situation.next_number = Number(1);
        situation.known_ids.clear();
        let on = |ticket: &Ticket| Candidate {
            timeline: Arc::new(self.timeline.clone()),
            approval: self.approval.clone(),
            ..candidate(ticket.clone())
        };
        situation.candidates = self.ticket.iter().map(on).collect();
        situation
    }

    fn apply(&mut self, effect: Effect) {
        match effect {
            Effect::Open(ticket) => self.ticket = Some(*ticket),
            Effect::Save(ticket) => {
                assert_eq!(self.ticket().version + 1, ticket.version);
                self.ticket = Some(*ticket);
            }
            Effect::Record(_, entry) => self.timeline.push(entry),
            Effect::Approval(_, approval) => self.approval = Some(*approval),
            Effect::Schedule(timer) => {
                self.timers.retain(|known| known.kind != timer.kind);
                self.timers.push(timer);
            }
            Effect::Unschedule(_, kind) => self.timers.retain(|timer| timer.kind != kind),
            Effect::Send(letter) => self.letters.push(*letter),
            _ => {}
        }
    }

    fn ticket(&self) -> &Ticket {
        self.ticket.as_ref().unwrap()
    }

    fn state(&self) -> Option<State> {
        self.approval.as_ref().map(|approval| approval.state)
    }

    /// The letter that asks this owner, as it stands now.
    fn request(&self, owner: &str) -> Letter {
        let asks = |l: &&Letter| {
            matches!(l.content, Content::ApprovalRequest { .. }) && l.to.mailbox.address == address(owner)
        };
        self.letters.iter().find(asks).unwrap_or_else(|| panic!("{owner} is not asked: {:?}", self.said())).clone()
    }

    /// What went out: `approval_request sun`, in order.
    fn said(&self) -> Vec<String> {
        let line = |l: &Letter| format!("{} {}", l.content.template(), l.to.mailbox.address.local());
        self.letters.iter().map(line).collect()
    }

    #[track_caller]
    fn expect(&self, letters: &[&str]) {
        let (mut said, mut expected) = (self.said(), letters.to_vec());
        said.sort();
        expected.sort_unstable();
        assert_eq!(said, expected);
    }

    /// A reply to this letter by its Message-ID and without a quote, as some clients send it.
    fn answers(&mut self, from: &str, to: &Letter, text: &str) {
        let reader = &to.to.mailbox.address;
        let id = self.policy.key.message_id(Some(Number(1)), reader, &to.key, "corp.example");
        self.gets(mail(from, "Re: [IT001] x", &format!("In-Reply-To: <{id}>\r\n"), text));
    }

    /// A reply whose headers say nothing, above the quoted letter.
    fn answers_by_quote(&mut self, from: &str, to: &Letter, text: &str) {
        let Content::ApprovalRequest { mark, .. } = &to.content else { panic!() };
        let reference = self.policy.key.reference(Number(1), &to.to.mailbox.address);
        let text = format!("{text}\n\n> 审批编号 {mark}\n> IT 服务台 {reference}");
        self.gets(mail(from, "Re: [IT001] x", "In-Reply-To: <rewritten@provider>\r\n", &text));
    }

    /// Li's reply to the notice.
    fn engineer(&mut self, text: &str) {
        self.gets(reply(LI, text));
    }

    fn refused(&self) -> NotCounted {
        let found = self.letters.iter().find_map(|l| match &l.content {
            Content::ApprovalRefused { why, .. } => Some(*why),
            _ => None,
        });
        found.unwrap_or_else(|| panic!("{:?}", self.said()))
    }

    fn hint(&self) -> Hint {
        let lines = self.letters.iter().find_map(|l| match &l.content {
            Content::Transcript { lines, .. } => Some(lines.clone()),
            _ => None,
        });
        lines.unwrap_or_else(|| panic!("{:?}", self.said()))[0].hint.clone()
    }

    /// Time passes with the desk running; gives every letter that went out.
    fn passes(&mut self, time: Duration) -> Vec<String> {
        let (to, mut said) = (self.now + time, Vec::new());
        while let Some(timer) = self.timers.iter().filter(|t| t.due <= to).min_by_key(|t| t.due).copied() {
            self.now = self.now.max(timer.due);
            self.timers.retain(|known| *known != timer);
            self.handles(&Event::Due(vec![timer]));
            said.extend(self.said());
        }
        self.now = to;
        said
    }
}

#[test]
fn a_wish_that_names_the_module_waits_for_its_owner() {
    let desk = Desk::asked();
    desk.expect(&["approval_request sun", "acknowledgement zhang", "notice li"]);
    let ticket = desk.ticket();
    assert_eq!((ticket.status, ticket.wait, ticket.priority), (Status::Pending, Some(Wait::Approval), Priority::P4));
    let Content::ApprovalRequest { request, module, link, mark, .. } = desk.request(SUN).content else { panic!() };
    assert!(
        request.text.contains("刘洋") && module == "ERP" && link.unwrap().starts_with("https://desk.corp.example/a/")
    );
    assert!(mark.starts_with("IT001/1/"), "{mark}");
    let asked = |e: &Entry| matches!(&e.what, What::ApprovalAsked { module, version: 1, of } if module == "ERP" && of == &[address(SUN)]);
    assert!(desk.timeline.iter().any(asked));
}

#[test]
fn only_calm_wishes_for_permissions_ask_by_themselves() {
    for (from, subject, text, asks) in [
        (ZHANG, "ERP 权限申请", "请给新同事开通应付模块权限", true),
        (ZHANG, "用友账号", "请帮新员工开通账号", true),
        (ZHANG, "SAP access", "Please grant our new colleague read access to SAP.", true),
        (ZHANG, "ERP 参数", "申请调整 ERP 的审批流配置，不急", true),
        (ZHANG, "ERP 忘记密码", "我的 ERP 密码忘了，请重置", false),
        (ZHANG, "OA 权限申请", "请给新同事开通 OA 权限", false),
        (ZHANG, "打印机坏了", "打印机打不出来", false),
        (ZHANG, "ERP 宕机", "ERP 系统宕机，全公司都不能用，权限全没了", false),
        ("someone@elsewhere.example", "ERP 权限申请", "请给我开通应付模块权限", false),
    ] {
        let mut desk = Desk::with(&[SUN], Needs::Any);
        desk.reports(from, subject, text);
        assert_eq!(desk.state().is_some(), asks, "{subject}: {:?}", desk.ticket().priority);
    }
}

#[test]
fn words_find_their_module() {
    let mut policy = policy();
    let named = |name: &str, words: &[&str]| Module {
        name: name.into(),
        words: words.iter().map(|w| (*w).into()).collect(),
        ..module(&[SUN], Needs::Any)
    };
    policy.modules = vec![named("OA", &["泛微"]), named("ERP", &["SAP"]), named("OA Travel", &[])];
    let found = |text: &str| approval::recognised(&policy, text).map(|m| m.name.clone());
    for (text, module) in [
        ("请开通ＳＡＰ权限", Some("ERP")),
        ("wasapi and board", None),
        ("泛微的权限，不是 SAP 的", Some("OA")),
        ("my erp role", Some("ERP")),
        ("", None),
    ] {
        assert_eq!(found(text).as_deref(), module, "{text}");
    }
    let first = |value: &str| approval::named_first(&policy, value).map(|(m, rest)| (m.name.clone(), rest));
    assert_eq!(first("oa travel only Paris"), Some(("OA Travel".into(), "only Paris".into())));
    assert_eq!(first("OA，只读"), Some(("OA".into(), "只读".into())));
    assert_eq!(first("SAP"), Some(("ERP".into(), String::new())));
    assert_eq!(first("OAuth"), None);
    assert_eq!(first(&"长".repeat(5000)), None);
}

#[test]
fn the_owner_approves_and_everybody_hears() {
    for by_quote in [false, true] {
        let mut desk = Desk::asked();
        let request = desk.request(SUN);
        desk.now = desk.now + 2 * DAY / 24;
        match by_quote {
            true => desk.answers_by_quote(SUN, &request, "#批准\n只给到年底"),
            false => desk.answers(SUN, &request, "#approve only until December"),
        }
        desk.expect(&["approval_news li", "approval_news zhang", "approval_receipt sun"]);
        assert_eq!((desk.state(), desk.ticket().status), (Some(State::Approved), Status::InProgress));
        let approval = desk.approval.clone().unwrap();
        assert_eq!(approval.lead_time(desk.now), 2 * DAY / 24);
        assert!(desk.timers.iter().all(|t| !TimerKind::APPROVAL.contains(&t.kind)), "{:?}", desk.timers);
        desk.engineer("#resolve\n已开通");
        assert_eq!(desk.ticket().status, Status::Resolved);
        // Once is enough.
        desk.answers(SUN, &request, "#reject changed my mind");
        assert_eq!((desk.refused(), desk.state()), (NotCounted::Over, Some(State::Approved)));
    }
}

#[test]
fn nothing_is_resolved_before_it_is_approved() {
    let mut desk = Desk::asked();
    desk.engineer("#resolve\n已开通");
    assert_eq!(desk.hint(), Hint::ApprovalAsked { module: "ERP".into(), owners: SUN.into() });
    // Not by taking it off hold either.
    desk.engineer("#resume\n#resolve\n已开通");
    assert_eq!(desk.ticket().status, Status::Pending);
    desk.engineer("#resume");
    desk.engineer("#resolve\n已开通");
    assert!(matches!(desk.hint(), Hint::ApprovalAsked { .. }));
    assert_eq!(desk.ticket().status, Status::InProgress);
}

#[test]
fn a_rejection_needs_a_reason_and_ends_it() {
    let mut desk = Desk::asked();
    let request = desk.request(SUN);
    desk.answers(SUN, &request, "#驳回");
    assert_eq!((desk.refused(), desk.state()), (NotCounted::NoReason, Some(State::Asked)));
    desk.answers(SUN, &request, "#驳回 本月在对账");
    desk.expect(&["approval_news li", "approval_news zhang", "approval_receipt sun"]);
    let reasons = desk
        .letters
        .iter()
        .filter(|l| matches!(&l.content, Content::ApprovalNews { comment, .. } if comment.contains("对账")));
    assert_eq!(reasons.count(), 2);
    assert_eq!((desk.state(), desk.ticket().status), (Some(State::Rejected), Status::InProgress));
    desk.engineer("#resolve\n已开通");
    assert_eq!(desk.hint(), Hint::ApprovalRejected { module: "ERP".into() });
    // Asked again, it is a new version.
    desk.engineer("#approval ERP 改为只读");
    let Content::ApprovalRequest { note, request, mark, .. } = desk.request(SUN).content else { panic!() };
    assert!(note == "改为只读" && request.text.contains("刘洋") && mark.starts_with("IT001/2/"));
    desk.engineer("#close\n不办理");
    assert_eq!((desk.state(), desk.ticket().status), (Some(State::Withdrawn), Status::Closed));
    desk.expect(&["approval_receipt sun", "closed zhang"]);
}

#[test]
fn an_unclear_answer_changes_nothing() {
    for text in [
        "#approve\n#reject no",
        "#approve\nok\n#reject no",
        "#批准\n#take",
        "#approve #reject",
        "#批准后再说",
        "#approv",
    ] {
        let mut desk = Desk::asked();
        let request = desk.request(SUN);
        desk.answers(SUN, &request, text);
        assert_eq!(desk.state(), Some(State::Asked), "{text}");
        assert!(desk.said().contains(&"approval_refused sun".to_owned()), "{text}: {:?}", desk.said());
    }
}

#[test]
fn an_owner_who_only_writes_reaches_the_engineer_and_learns_how() {
    let mut desk = Desk::asked();
    let request = desk.request(SUN);
    desk.answers(SUN, &request, "他为什么需要这个？");
    desk.expect(&["message li", "approval_refused sun"]);
    assert_eq!((desk.refused(), desk.state()), (NotCounted::OnlyWords, Some(State::Asked)));
}

#[test]
fn s15_a_forwarded_mail_approves_nothing() {
    let mut desk = Desk::asked();
    let request = desk.request(SUN);
    // Somebody else answers the owner's letter, a colleague, the engineer and the requester.
    desk.answers(ZHOU, &request, "#approve");
    assert_eq!(desk.state(), Some(State::Asked));
    desk.answers_by_quote(ZHOU, &request, "#approve");
    assert_eq!(desk.state(), Some(State::Asked));
    desk.answers_by_quote(ZHANG, &request, "#approve");
    assert_eq!(desk.state(), Some(State::Asked));
    desk.engineer("#approve");
    assert_eq!((desk.hint(), desk.state()), (Hint::NotAsked, Some(State::Asked)));
}

#[test]
fn s15_an_owner_proves_it_with_the_letter_they_were_sent() {
    let mut desk = Desk::asked();
    let pass = "Authentication-Results: mx.corp.example; dmarc=pass header.from=corp.example\r\n";
    // By the subject and the border's word alone: the owner is asked again, by mail.
    let first = "In-Reply-To: <first@corp.example>\r\n";
    let mut situation = desk.situation();
    situation.candidates[0].participants.push(address(SUN));
    let event = event(mail(SUN, "Re: [IT001] x", &format!("{first}{pass}"), "#approve"));
    let effects = decide(&situation, &event, desk.now);
    let letters: Vec<_> =
        effects.iter().filter_map(|e| if let Effect::Send(l) = e { Some(&l.content) } else { None }).collect();
    assert!(matches!(letters[..], [Content::ApprovalRequest { purpose: Purpose::Again, .. }]), "{letters:?}");
    // Where the configuration wants both, the letter alone is not enough.
    desk.policy.proof.approvals = Demand::Both;
    let request = desk.request(SUN);
    desk.answers(SUN, &request, "#approve");
    assert_eq!(desk.state(), Some(State::Asked));
    let id = desk.policy.key.message_id(Some(Number(1)), &address(SUN), &request.key, "corp.example");
    desk.gets(mail(SUN, "Re: [IT001] x", &format!("In-Reply-To: <{id}>\r\n{pass}"), "#approve"));
    assert_eq!(desk.state(), Some(State::Approved));
}

#[test]
fn s15_a_requester_never_approves_their_own() {
    // The requester is the owner, and the only one: the substitute is asked at once.
    let mut desk = Desk::with(&[ZHANG], Needs::Any);
    desk.wishes();
    let request = desk.request(QIAN);
    assert!(!desk.said().contains(&"approval_request zhang".to_owned()));
    let acknowledgement = desk.policy.key.message_id(
        Some(Number(1)),
        &address(ZHANG),
        "IT001/acknowledgement/1/zhang@corp.example",
        "corp.example",
    );
    desk.gets(mail(ZHANG, "Re: [IT001] x", &format!("In-Reply-To: <{acknowledgement}>\r\n"), "#批准"));
    assert_eq!((desk.refused(), desk.state()), (NotCounted::OwnRequest, Some(State::Asked)));
    assert_eq!(desk.approval.as_ref().unwrap().version, 1, "and it is no change of the request");
    desk.answers(QIAN, &request, "#批准");
    assert_eq!(desk.state(), Some(State::Approved));

    // An engineer who owns the module and asks for themselves.
    let mut desk = Desk::with(&[LI], Needs::Any);
    desk.reports(LI, "申请开通权限", "请给我开通 SAP 应付模块的只读权限，不急。");
    assert!(desk.said().contains(&"approval_request qian".to_owned()), "{:?}", desk.said());
    desk.engineer("#approve");
    assert_eq!((desk.hint(), desk.state()), (Hint::NotAsked, Some(State::Asked)));
}

#[test]
fn s15_where_only_the_requester_could_approve_the_supervisor_hears_at_once() {
    let mut desk = Desk::with(&[ZHANG], Needs::Any);
    desk.policy.modules[0].substitutes.clear();
    desk.wishes();
    assert!(desk.said().contains(&"approval_overdue boss".to_owned()), "{:?}", desk.said());
    desk.engineer("#resolve\n已开通");
    assert!(matches!(desk.hint(), Hint::ApprovalAsked { .. }));
}

#[test]
fn s15_an_edited_request_is_asked_anew() {
    let mut desk = Desk::asked();
    let first = desk.request(SUN);
    desk.gets(reply(ZHANG, "另外也要付款权限。"));
    desk.expect(&["approval_request sun", "message li"]);
    let second = desk.request(SUN);
    let Content::ApprovalRequest { purpose, request, mark, .. } = &second.content else { panic!() };
    assert_eq!(*purpose, Purpose::Changed);
    assert!(request.text.contains("刘洋") && request.text.contains("付款") && mark.starts_with("IT001/2/"));
    for by_quote in [false, true] {
        match by_quote {
            true => desk.answers_by_quote(SUN, &first, "#批准"),
            false => desk.answers(SUN, &first, "#批准"),
        }
        assert_eq!(desk.state(), Some(State::Asked));
        let Content::ApprovalRequest { purpose: Purpose::Again, request, .. } = desk.request(SUN).content else {
            panic!()
        };
        assert!(request.text.contains("付款"));
    }
    desk.answers_by_quote(SUN, &second, "#批准");
    assert_eq!(desk.state(), Some(State::Approved));
}

#[test]
fn s15_thanks_and_a_phone_number_are_no_edit() {
    let mut desk = Desk::asked();
    for text in ["谢谢！", "工号：F10377\n联系电话：13800138000"] {
        desk.gets(reply(ZHANG, text));
        assert_eq!(desk.approval.as_ref().unwrap().version, 1, "{text}");
    }
    // Somebody else's words are none of the request.
    desk.gets(reply(ZHOU, "我也要"));
    assert_eq!(desk.approval.as_ref().unwrap().version, 1);
}

#[test]
fn s15_the_owner_is_checked_when_the_answer_comes() {
    let mut desk = Desk::asked();
    let request = desk.request(SUN);
    desk.policy.modules[0].owners = vec![reader(ZHOU)];
    desk.answers(SUN, &request, "#批准");
    assert_eq!((desk.refused(), desk.state()), (NotCounted::NoOwner, Some(State::Asked)));
    let asked = desk.request(ZHOU);
    desk.answers(ZHOU, &asked, "#批准");
    assert_eq!(desk.state(), Some(State::Approved));
    assert!(!desk.said().contains(&"approval_receipt sun".to_owned()), "{:?}", desk.said());
    // A module that is gone approves nothing.
    let mut desk = Desk::asked();
    let request = desk.request(SUN);
    desk.policy.modules.clear();
    desk.answers(SUN, &request, "#批准");
    assert_eq!(desk.state(), Some(State::Asked));
}

#[test]
fn of_several_owners_one_or_all() {
    let mut any = Desk::with(&[SUN, ZHOU], Needs::Any);
    any.wishes();
    any.expect(&["approval_request sun", "approval_request zhou", "acknowledgement zhang", "notice li"]);
    let request = any.request(ZHOU);
    any.answers(ZHOU, &request, "#批准");
    assert_eq!(any.state(), Some(State::Approved));
    any.expect(&["approval_news li", "approval_news zhang", "approval_receipt sun", "approval_receipt zhou"]);

    let mut all = Desk::with(&[SUN, ZHOU], Needs::All);
    all.wishes();
    let (first, second) = (all.request(SUN), all.request(ZHOU));
    all.answers(SUN, &first, "#批准");
    assert_eq!((all.state(), all.ticket().status), (Some(State::Asked), Status::Pending));
    let Content::ApprovalReceipt { kind: ReceiptKind::Counted, by, .. } = &all.letters[0].content else { panic!() };
    assert_eq!(by, "zhou");
    all.answers(ZHOU, &second, "#批准");
    assert_eq!((all.state(), all.ticket().status), (Some(State::Approved), Status::InProgress));

    let mut all = Desk::with(&[SUN, ZHOU], Needs::All);
    all.wishes();
    let (first, second) = (all.request(SUN), all.request(ZHOU));
    all.answers(SUN, &first, "#批准");
    all.answers(ZHOU, &second, "#驳回 不行");
    assert_eq!(all.state(), Some(State::Rejected));
}

#[test]
fn silence_is_reminded_then_a_substitute_is_asked_then_the_supervisor() {
    let mut desk = Desk::asked();
    assert_eq!(desk.passes(DAY - Duration::from_secs(60)), [""; 0]);
    assert_eq!(desk.passes(Duration::from_secs(120)), ["approval_request sun"]);
    assert_eq!(desk.passes(DAY), ["approval_request qian"]);
    let request = desk.request(QIAN);
    assert_eq!(desk.passes(DAY), ["approval_overdue boss"]);
    // From then on the engineer and the supervisor are reminded of it as of any ticket on hold.
    assert_eq!(desk.passes(DAY), ["on_hold li", "on_hold boss"]);
    desk.answers(QIAN, &request, "#批准");
    assert_eq!(desk.state(), Some(State::Approved));
    desk.expect(&["approval_news li", "approval_news zhang", "approval_receipt qian", "approval_receipt sun"]);
}

#[test]
fn an_owner_whose_mailbox_bounces_is_substituted_at_once() {
    let bounces = |desk: &mut Desk, who: &str| {
        let (number, to, reason) = (Number(1), address(who), "550 5.1.1 no such user".to_owned());
        let letter = "IT001/approval_request/1-ask".to_owned();
        desk.handles(&Event::Undelivered { number, to, letter, reason });
    };
    let mut desk = Desk::asked();
    bounces(&mut desk, SUN);
    desk.expect(&["approval_request qian", "undelivered li"]);
    let request = desk.request(QIAN);
    // The substitute's bounces, too: nobody is left.
    bounces(&mut desk, QIAN);
    desk.expect(&["approval_overdue boss", "undelivered li"]);
    desk.answers(QIAN, &request, "#批准");
    assert_eq!(desk.state(), Some(State::Approved));
    // It is decided: the receipt to Sun that bounces changes nothing.
    bounces(&mut desk, SUN);
    desk.expect(&["undelivered li"]);

    let mut nobody = Desk::asked();
    nobody.policy.modules[0].substitutes.clear();
    bounces(&mut nobody, SUN);
    nobody.expect(&["approval_overdue boss", "undelivered li"]);
}

#[test]
fn a_substitute_has_no_say_before_their_turn() {
    let mut desk = Desk::asked();
    let letter = desk.request(SUN);
    let forged = Letter { to: reader(QIAN), ..letter };
    desk.answers(QIAN, &forged, "#批准");
    assert_eq!(desk.state(), Some(State::Asked));
}

#[test]
fn a_substitute_stands_in_for_every_silent_owner() {
    let mut desk = Desk::with(&[SUN, ZHOU], Needs::All);
    desk.wishes();
    let first = desk.request(SUN);
    desk.answers(SUN, &first, "#批准");
    desk.passes(2 * DAY + Duration::from_secs(60));
    let request = desk.request(QIAN);
    desk.answers(QIAN, &request, "#批准");
    assert_eq!(desk.state(), Some(State::Approved));
}

#[test]
fn an_edit_does_not_put_the_supervisor_off() {
    let mut desk = Desk::asked();
    desk.passes(DAY * 2);
    desk.gets(reply(ZHANG, "另外也要付款权限。"));
    let said = desk.passes(DAY + Duration::from_secs(60));
    assert!(said.contains(&"approval_overdue boss".to_owned()), "{said:?}");
}

#[test]
fn an_engineer_asks_by_hand() {
    let mut desk = Desk::with(&[SUN], Needs::Any);
    desk.reports(ZHANG, "ERP 报表", "我看不到付款报表，麻烦处理。");
    assert_eq!(desk.state(), None);
    desk.engineer("#审批 CRM");
    assert_eq!(desk.hint(), Hint::NoModule { known: "ERP".into() });
    desk.engineer("#审批 用友，只读就够");
    desk.expect(&["approval_news zhang", "approval_request sun"]);
    let Content::ApprovalRequest { note, .. } = desk.request(SUN).content else { panic!() };
    assert_eq!((note.as_str(), desk.ticket().wait), ("只读就够", Some(Wait::Approval)));
    // It was not needed after all.
    desk.engineer("#approval none");
    desk.expect(&["approval_receipt sun"]);
    assert_eq!((desk.state(), desk.ticket().status), (Some(State::Withdrawn), Status::InProgress));
    desk.engineer("#resolve\n好了");
    assert_eq!(desk.ticket().status, Status::Resolved);
    desk.engineer("#approval ERP");
    assert_eq!(desk.hint(), Hint::Status { status: "resolved".into() });
}

#[test]
fn an_engineer_who_logs_a_call_asks_with_the_first_mail() {
    let mut desk = Desk::with(&[SUN], Needs::Any);
    let pass = "Authentication-Results: mx.corp.example; dmarc=pass header.from=corp.example\r\n";
    desk.gets(mail(LI, "电话：开通报表", pass, "#approval ERP\n王五来电要看付款报表。"));
    let asked = desk.said().iter().filter(|said| *said == "approval_request sun").count();
    assert_eq!((asked, desk.ticket().wait), (1, Some(Wait::Approval)), "{:?}", desk.said());
}

#[test]
fn a_p1_is_asked_but_never_on_hold() {
    let mut desk = Desk::with(&[SUN], Needs::Any);
    desk.reports(ZHANG, "ERP 宕机", "ERP 系统宕机，全公司都不能用");
    desk.gets(reply(WANG, "#approval ERP 切换到备机"));
    assert_eq!(desk.state(), Some(State::Asked));
    assert_ne!(desk.ticket().status, Status::Pending);
    desk.gets(reply(WANG, "#resolve\n好了"));
    assert!(matches!(desk.hint(), Hint::ApprovalAsked { .. }));
}

// --- the page -----------------------------------------------------------------------------------------------------

impl Desk {
    fn code(&mut self, owner: &str) -> Option<String> {
        self.handles(&Event::CodeWanted { number: Number(1), version: self.version(), owner: address(owner) });
        let code = self.letters.iter().find_map(|l| match &l.content {
            Content::ApprovalCode { code, .. } => Some((l.to.mailbox.address.clone(), code.clone())),
            _ => None,
        });
        code.map(|(to, code)| {
            assert_eq!(to, address(owner));
            code
        })
    }

    fn version(&self) -> i64 {
        self.approval.as_ref().unwrap().version
    }

    fn enters(&mut self, owner: &str, approved: bool, code: &str) {
        let (number, version, why) = (Number(1), self.version(), "没问题".to_owned());
        let (owner, code) = (address(owner), code.to_owned());
        self.handles(&Event::CodeEntered { number, version, owner, approved, why, code });
    }
}

/// Another code than this one.
fn wrong(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
}

#[test]
fn s15_the_page_counts_only_with_the_code_that_the_owner_was_mailed() {
    let mut desk = Desk::asked();
    desk.enters(SUN, true, "000000");
    assert_eq!(desk.state(), Some(State::Asked), "no code was mailed yet");
    let code = desk.code(SUN).unwrap();
    desk.enters(SUN, true, &wrong(&code));
    assert_eq!(desk.state(), Some(State::Asked));
    // Whoever else presses gets no code of their own, and the owner is not rung again.
    assert_eq!(desk.code(SUN), None);
    assert_eq!(desk.code(ZHOU), None);
    desk.enters(ZHOU, true, &code);
    assert_eq!(desk.state(), Some(State::Asked));
    desk.enters(SUN, true, &code);
    assert_eq!(desk.state(), Some(State::Approved));
    desk.expect(&["approval_news li", "approval_news zhang", "approval_receipt sun"]);
}

#[test]
fn s15_codes_die_by_time_by_tries_and_with_their_version() {
    let minutes = |n: u64| Duration::from_secs(n * 60);
    let mut desk = Desk::asked();
    let code = desk.code(SUN).unwrap();
    desk.now = desk.now + minutes(10);
    desk.enters(SUN, true, &code);
    assert_eq!(desk.state(), Some(State::Asked));
    let code = desk.code(SUN).unwrap();
    (0..5).for_each(|_| desk.enters(SUN, true, &wrong(&code)));
    desk.enters(SUN, true, &code);
    assert_eq!(desk.state(), Some(State::Asked));
    assert_eq!(desk.code(SUN), None, "no new digits to guess at before the time is over");
    desk.now = desk.now + minutes(10);
    let code = desk.code(SUN).unwrap();
    desk.gets(reply(ZHANG, "另外也要付款权限。"));
    desk.enters(SUN, true, &code);
    assert_eq!(desk.state(), Some(State::Asked));
    // The mailbox of an owner cannot be filled.
    let mailed = (0..100).filter(|_| {
        desk.now = desk.now + minutes(10);
        desk.code(SUN).is_some()
    });
    assert_eq!(mailed.count(), 10);
}

#[test]
fn r18_two_answers_at_once_are_both_guarded_by_the_tickets_version() {
    let mut desk = Desk::with(&[SUN, ZHOU], Needs::All);
    desk.wishes();
    let request = desk.request(SUN);
    let before = desk.ticket().version;
    desk.answers(SUN, &request, "#批准");
    assert_eq!(desk.ticket().version, before + 1, "an answer that changes no ticket field still counts up");
}

#[test]
fn s01_odd_names_and_values_are_safe() {
    let mut desk = Desk::with(&[SUN], Needs::Any);
    desk.reports(ZHANG, "ERP", "x");
    for value in ["", " ", "ＥＲＰ", "é", "ERP\u{301}", "\u{1f600}ERP", "İ"] {
        desk.engineer(&format!("#approval {value}"));
    }
}
