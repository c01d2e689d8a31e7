//! Asking the owners, and what follows when they are silent.

use super::{Approval, Module, State, Voice, mark, may_answer};
use crate::address::Address;
use crate::desk::draft::Draft;
use crate::desk::event::{Candidate, Effect, Mail, Situation, Timer, TimerKind};
use crate::desk::hush;
use crate::desk::inbound::Body;
use crate::desk::letter::{ApprovalStage, Content, Purpose, ReceiptKind};
use crate::desk::link::ApprovalLink;
use crate::desk::policy::{Policy, Reader};
use crate::desk::ticket::{Number, What, Who};
use crate::desk::words::{Priority, Status, Wait};
use crate::time::Timestamp;

/// Longest request that is kept and shown to the owners; the whole stays in the ticket.
const LONGEST_REQUEST: usize = 60_000;

/// Asks the owners of a module about a ticket: a new round. Whoever was asked before about something else hears that it
/// is off.
pub fn begin(draft: &mut Draft, before: Option<&Approval>, module: &Module, request: &str, note: &str) {
    if let Some(before) = before.filter(|before| before.is_open(&draft.ticket) && before.module != module.name) {
        tell_off(draft, before);
    }
    drop_timers(draft);
    let now = draft.now;
    let mut approval = Approval {
        version: before.map_or(1, |before| before.version + 1),
        module: module.name.clone(),
        request: cut(request),
        note: note.to_owned(),
        state: State::Asked,
        since: now,
        asked: now,
        decided: None,
        substituted: false,
        people: Vec::new(),
    };
    // Where the requester is the only owner, the substitutes are asked at once.
    approval.substituted = may_answer(draft.policy, &draft.ticket, &approval).is_empty();
    draft.schedule(TimerKind::ApprovalLimit, draft.policy.calendar.add_working(now, module.escalate_after));
    ask_all(draft, &mut approval, module, Purpose::Ask);
    // P1 never pauses (`domain.md` 4.4): its resolution is held back all the same.
    if draft.ticket.priority != Priority::P1 {
        draft.wait_for(Wait::Approval, module.name.clone());
    }
    draft.keep_approval(approval);
}

/// Asks on a new ticket by itself when a colleague's request names the module; an engineer may have asked already.
pub fn recognise(s: &Situation, mail: &Mail, draft: &mut Draft) {
    let colleague = s.policy.desk.is_colleague(&draft.ticket.requester.address);
    let fresh = matches!(draft.ticket.status, Status::New | Status::Assigned) && draft.approval().is_none();
    let text = &mail.inbound.body.text;
    if fresh
        && colleague
        && mail.inbound.kind.is_human()
        && let Some(module) = super::wanted(s.policy, &draft.ticket, text)
    {
        begin(draft, None, module, text, "");
    }
    if draft.approval().is_some() {
        // The store does not know the files of this very message yet.
        let files = draft.fitting(&mail.inbound.attachments).0;
        draft.attach_to("approval_request", &files);
    }
}

/// The requester wrote more while the owners are asked: what they would approve is no longer what they read.
pub fn asked_anew(draft: &mut Draft, on: &Candidate, mail: &Mail, words: &str) {
    let Some(before) = on.approval.as_ref().filter(|approval| approval.is_open(&on.ticket)) else { return };
    let Some(module) = draft.policy.module(&before.module) else { return };
    let language = draft.policy.desk.language;
    let added = language.pick("（报障人补充）", "(added by the requester)");
    let mut approval = Approval {
        version: before.version + 1,
        request: cut(&format!("{}\n\n{added}\n{}", before.request.trim_end(), words.trim())),
        asked: draft.now,
        people: Vec::new(),
        ..before.clone()
    };
    let files = draft.fitting(&mail.inbound.attachments).0;
    ask_all(draft, &mut approval, module, Purpose::Changed);
    draft.attach_to("approval_request", &files);
    draft.keep_approval(approval);
}

fn cut(text: &str) -> String {
    text[..text.floor_char_boundary(LONGEST_REQUEST)].trim().to_owned()
}

/// Everybody whose turn it is gets this version to read; the clocks of the silence begin.
fn ask_all(draft: &mut Draft, approval: &mut Approval, module: &Module, purpose: Purpose) {
    let readers: Vec<Reader> = may_answer(draft.policy, &draft.ticket, approval).into_iter().cloned().collect();
    approval.people = readers.iter().map(|reader| Voice::new(&reader.mailbox.address)).collect();
    let of = approval.people.iter().map(|voice| voice.who.clone()).collect::<Vec<_>>();
    let what = What::ApprovalAsked { module: approval.module.clone(), version: approval.version, of };
    draft.record(what, approval.note.clone());
    for reader in readers {
        send(draft, approval, reader, purpose);
    }
    let due = |after| draft.policy.calendar.add_working(draft.now, after);
    let (remind, substitute) = (due(module.remind_after), due(module.substitute_after));
    if approval.people.is_empty() {
        escalate(draft, approval);
        return;
    }
    draft.schedule(TimerKind::ApprovalReminder, remind);
    if !module.substitutes.is_empty() && !approval.substituted {
        draft.schedule(TimerKind::ApprovalSubstitute, substitute);
    }
}

/// The letter that asks. Its key, and so its Message-ID, tells the version that was read.
pub(super) fn send(draft: &mut Draft, approval: &Approval, to: Reader, purpose: Purpose) {
    let (owner, number, version) = (to.mailbox.address.clone(), draft.ticket.number, approval.version);
    let policy = draft.policy;
    let others = may_answer(policy, &draft.ticket, approval).into_iter().filter(|r| r.mailbox.address != owner);
    let others = others.map(|reader| reader.mailbox.called().to_owned()).collect();
    let all = policy.module(&approval.module).is_some_and(|module| module.needs == super::Needs::All);
    let engineer = draft.ticket.assignee.as_ref().and_then(|address| policy.engineer(address));
    let content = Content::ApprovalRequest {
        purpose,
        module: approval.module.clone(),
        request: Body { text: approval.request.clone(), html: None },
        note: approval.note.clone(),
        engineer: engineer.map(|engineer| engineer.reader.mailbox.called().to_owned()),
        others,
        all,
        asked: approval.asked,
        link: link(policy, draft.ticket.number, version, &owner, draft.now),
        mark: mark(&policy.key, number, version, &owner),
    };
    draft.effect(Effect::Participants(number, vec![owner]));
    let letter = draft.letter(to, &cause(version, purpose), content);
    letter.with_first_files = matches!(purpose, Purpose::Ask | Purpose::Substitute);
}

/// One letter of each purpose for a version.
pub(super) fn cause(version: i64, purpose: Purpose) -> String {
    format!("{version}-{}", purpose.as_str())
}

fn link(policy: &Policy, number: Number, version: i64, owner: &Address, now: Timestamp) -> Option<String> {
    let expires = now + policy.satisfaction.link_valid;
    let token = policy.key.sign_approval(&ApprovalLink::new(&policy.key, number, version, owner, expires));
    policy.desk.public_url.as_ref().map(|url| format!("{url}/a/{token}"))
}

/// The owners have been silent for a while, or nobody could be asked.
pub fn timer(s: &Situation, on: &Candidate, timer: &Timer, now: Timestamp) -> Vec<Effect> {
    let Some(approval) = on.approval.as_ref().filter(|approval| approval.is_open(&on.ticket)) else {
        return Vec::new();
    };
    if on.ticket.number != timer.number || s.policy.module(&approval.module).is_none() {
        return Vec::new();
    }
    let mut draft = Draft::of(s.policy, &on.ticket, Who::Desk, now);
    let mut approval = approval.clone();
    match timer.kind {
        TimerKind::ApprovalReminder => remind(&mut draft, &mut approval),
        TimerKind::ApprovalSubstitute => {
            approval.substituted = true;
            ask_newcomers(&mut draft, &mut approval, Purpose::Substitute);
        }
        _ => escalate(&mut draft, &approval),
    }
    draft.keep_approval(approval);
    draft.finish()
}

/// The letter to somebody who is asked could not be delivered: the substitutes come forward at once; without any, or when
/// they were asked already, the supervisor hears of it.
pub fn unreached(draft: &mut Draft, on: &Candidate, to: &Address) {
    let Some(approval) = on.approval.as_ref().filter(|approval| approval.is_open(&on.ticket)) else { return };
    if approval.voice(to).is_none_or(|voice| voice.said.is_some()) {
        return;
    }
    let mut approval = approval.clone();
    approval.substituted = true;
    let asked = approval.people.len();
    ask_newcomers(draft, &mut approval, Purpose::Substitute);
    if approval.people.len() == asked {
        escalate(draft, &approval);
    }
    draft.keep_approval(approval);
}

/// Whoever has not answered, and became no former owner meanwhile.
fn remind(draft: &mut Draft, approval: &mut Approval) {
    let readers: Vec<Reader> = may_answer(draft.policy, &draft.ticket, approval).into_iter().cloned().collect();
    let silent = |reader: &Reader| approval.voice(&reader.mailbox.address).is_some_and(|voice| voice.said.is_none());
    let silent: Vec<Reader> = readers.into_iter().filter(silent).collect();
    draft.record(What::Reminded, approval.module.clone());
    for reader in silent {
        send(draft, approval, reader, Purpose::Remind);
    }
    ask_newcomers(draft, approval, Purpose::Ask);
}

/// Whoever may answer and was not asked: owners the configuration named meanwhile, substitutes whose turn has come.
pub(super) fn ask_newcomers(draft: &mut Draft, approval: &mut Approval, purpose: Purpose) {
    let readers = may_answer(draft.policy, &draft.ticket, approval).into_iter();
    let new = readers.filter(|reader| approval.voice(&reader.mailbox.address).is_none());
    let new: Vec<Reader> = new.cloned().collect();
    if new.is_empty() {
        return;
    }
    let of: Vec<_> = new.iter().map(|reader| reader.mailbox.address.clone()).collect();
    approval.people.extend(of.iter().map(Voice::new));
    let what = What::ApprovalAsked { module: approval.module.clone(), version: approval.version, of };
    draft.record(what, purpose.as_str());
    for reader in new {
        send(draft, approval, reader, purpose);
    }
}

/// The pause has lasted too long, or there is nobody who could end it: the supervisor on duty hears of it.
fn escalate(draft: &mut Draft, approval: &Approval) {
    let Some(supervisor) = draft.policy.supervisor(draft.now) else { return };
    let silent = approval.people.iter().filter(|voice| voice.said.is_none());
    let owners = silent.map(|voice| called(draft.policy, approval, &voice.who)).collect();
    let engineer = draft.ticket.assignee.as_ref().and_then(|address| draft.policy.engineer(address));
    let content = Content::ApprovalOverdue {
        module: approval.module.clone(),
        owners,
        engineer: engineer.map(|engineer| engineer.reader.mailbox.called().to_owned()),
        since: approval.since,
    };
    draft.record(What::ApprovalOverdue { module: approval.module.clone(), to: supervisor.mailbox.address.clone() }, "");
    draft.letter(supervisor, &approval.version.to_string(), content);
}

/// What an owner is called, by the present configuration.
pub(super) fn called(policy: &Policy, approval: &Approval, who: &Address) -> String {
    let module = policy.module(&approval.module);
    let people = module.into_iter().flat_map(|module| module.owners.iter().chain(&module.substitutes));
    let known = people.map(|reader| &reader.mailbox).find(|mailbox| mailbox.address == *who);
    known.map_or_else(|| who.as_str().to_owned(), |mailbox| mailbox.called().to_owned())
}

/// Nobody has to approve any more: the ticket is over, or the engineer says so. Those who were asked are told.
pub fn withdraw(draft: &mut Draft, approval: Option<&Approval>) {
    let open = |approval: &&Approval| approval.state == State::Asked;
    let Some(approval) = approval.filter(open) else { return };
    draft.record(What::ApprovalWithdrawn { module: approval.module.clone() }, "");
    tell_off(draft, approval);
    drop_timers(draft);
    let decided = Some(draft.now);
    draft.keep_approval(Approval { state: State::Withdrawn, decided, ..approval.clone() });
}

fn tell_off(draft: &mut Draft, approval: &Approval) {
    let silent = approval.people.iter().filter(|voice| voice.said.is_none());
    for who in silent.map(|voice| voice.who.clone()).collect::<Vec<_>>() {
        receipt(draft, approval, &who, ReceiptKind::Withdrawn, "", "");
    }
}

pub(super) fn drop_timers(draft: &mut Draft) {
    let number = draft.ticket.number;
    for kind in TimerKind::APPROVAL {
        draft.effect(Effect::Unschedule(number, kind));
    }
}

/// What became of it, to somebody who was asked.
pub(super) fn receipt(
    draft: &mut Draft,
    approval: &Approval,
    who: &Address,
    kind: ReceiptKind,
    by: &str,
    comment: &str,
) {
    let module = draft.policy.module(&approval.module);
    let people = module.into_iter().flat_map(|module| module.owners.iter().chain(&module.substitutes));
    // Who is no owner any more hears nothing more.
    let Some(reader) = people.into_iter().find(|reader| reader.mailbox.address == *who).cloned() else { return };
    let content = Content::ApprovalReceipt {
        kind,
        module: approval.module.clone(),
        by: by.to_owned(),
        comment: comment.to_owned(),
    };
    draft.letter(reader, &format!("{}-{}", approval.version, kind.as_str()), content);
}

/// What the requester hears of it.
pub(super) fn tell_requester(draft: &mut Draft, approval: &Approval, stage: ApprovalStage, by: &str, comment: &str) {
    if hush::nobody_reads(draft.ticket.requester.address.local()) {
        return;
    }
    let reader = draft.requester();
    let content = Content::ApprovalNews {
        stage,
        module: approval.module.clone(),
        by: by.to_owned(),
        comment: comment.to_owned(),
        request: None,
    };
    draft.letter(reader, &format!("{}-{}", approval.version, stage.as_str()), content);
}

/// An engineer asks by hand: the requester learns what is being waited for.
pub fn tell_requester_asked(draft: &mut Draft) {
    let Some(approval) = draft.approval().filter(|approval| !approval.people.is_empty()).cloned() else { return };
    let names: Vec<String> = approval.people.iter().map(|v| called(draft.policy, &approval, &v.who)).collect();
    tell_requester(draft, &approval, ApprovalStage::Asked, &names.join(", "), "");
}
