//! What an owner answers: by mail, or on the page with a code.

use super::ask::{ask_newcomers, called, cause, drop_timers, receipt, send, tell_requester};
use super::{Approval, Code, Needs, Said, State, mark, may_answer};
use crate::address::{Address, Mailbox};
use crate::desk::command::{self, Command};
use crate::desk::draft::Draft;
use crate::desk::engineer::dmarc_passes;
use crate::desk::event::{Candidate, Effect, Mail, Situation, Visibility};
use crate::desk::inbound::{Body, Inbound};
use crate::desk::letter::{ApprovalStage, Content, NotCounted, Purpose, ReceiptKind};
use crate::desk::policy::{Demand, Policy, Reader};
use crate::desk::quote;
use crate::desk::requester::{cause as cause_of, first_line};
use crate::desk::thread::{By, replied_to};
use crate::desk::ticket::{What, Who};
use crate::desk::words::{Status, Wait};
use crate::time::Timestamp;

/// Older versions that a letter is recognised as.
const VERSIONS_BACK: i64 = 20;

/// A mail on a ticket with an approval, from somebody who was asked about it or from a requester who tries to approve;
/// `None` when it is about something else.
pub fn mail(s: &Situation, on: &Candidate, by: By, mail: &Mail, from: &Mailbox, now: Timestamp) -> Option<Vec<Effect>> {
    let approval = on.approval.as_ref().filter(|_| mail.inbound.kind.is_human())?;
    let answers = mail.inbound.commands.iter().any(|line| is_answer(&line.word));
    let works_here = s.policy.engineer(&from.address).is_some();
    if on.ticket.requester.address == from.address {
        return (answers && !works_here).then(|| own_request(s, on, approval, mail, from, now));
    }
    approval.voice(&from.address)?;
    let answer = Answer::new(s, on, approval, mail, now, &from.address);
    if answers {
        return Some(answer.take(by));
    }
    let staff = works_here || s.policy.duty.supervisor(&from.address).is_some();
    (!staff && by == By::Reference && approval.is_open(&on.ticket)).then(|| answer.only_words(from))
}

fn is_answer(word: &str) -> bool {
    matches!(command::canonical(word), Some("approve" | "reject"))
        || matches!(
            command::read(&command::CommandLine { word: word.to_owned(), value: String::new() }),
            Ok(Command::Reject(_))
        )
}

/// A requester never approves what they asked for.
fn own_request(
    s: &Situation,
    on: &Candidate,
    approval: &Approval,
    mail: &Mail,
    from: &Mailbox,
    now: Timestamp,
) -> Vec<Effect> {
    let mut draft = Draft::of(s.policy, &on.ticket, Who::Person(from.address.clone()), now);
    draft.effect(Effect::Join { number: on.ticket.number, visibility: Visibility::Public });
    draft.record(What::Refused, first_line(&mail.inbound.body.text));
    let reader = draft.requester();
    let content = Content::ApprovalRefused { why: NotCounted::OwnRequest, module: approval.module.clone() };
    draft.letter(reader, &format!("{}-own_request", approval.version), content);
    draft.finish()
}

/// Somebody's answer being judged.
struct Answer<'a> {
    s: &'a Situation<'a>,
    on: &'a Candidate,
    approval: Approval,
    mail: &'a Mail,
    owner: Address,
    draft: Draft<'a>,
}

impl<'a> Answer<'a> {
    fn new(
        s: &'a Situation<'a>,
        on: &'a Candidate,
        approval: &Approval,
        mail: &'a Mail,
        now: Timestamp,
        owner: &Address,
    ) -> Answer<'a> {
        let mut draft = Draft::of(s.policy, &on.ticket, Who::Person(owner.clone()), now);
        draft.effect(Effect::Join { number: on.ticket.number, visibility: Visibility::Internal });
        Answer { s, on, approval: approval.clone(), mail, owner: owner.clone(), draft }
    }

    fn take(mut self, by: By) -> Vec<Effect> {
        let readers = may_answer(self.s.policy, &self.on.ticket, &self.approval);
        let reader = readers.into_iter().find(|reader| reader.mailbox.address == self.owner).cloned();
        let Some(reader) = reader else { return self.no_owner_any_more(by) };
        if !is_proven(self.s.policy, &self.mail.inbound, &self.owner, by) {
            return self.ask_again(reader, "unproven");
        }
        if !self.approval.is_open(&self.on.ticket) {
            return self.refuse(reader, NotCounted::Over);
        }
        if self.version_read() != Some(self.approval.version) {
            return self.ask_again(reader, "older request");
        }
        match self.said() {
            Ok((approved, why)) => {
                settle(&mut self.draft, &mut self.approval, &self.owner, approved, &why);
                self.draft.keep_approval(self.approval);
                self.draft.finish()
            }
            Err(why) => self.refuse(reader, why),
        }
    }

    /// Which version the letter was about that is answered: by its id, or by the mark that stands in its quote, for some
    /// providers give mails ids of their own.
    fn version_read(&self) -> Option<i64> {
        let (key, number) = (&self.s.policy.key, self.on.ticket.number);
        let inbound = &self.mail.inbound;
        let domain = self.s.policy.desk.address.domain();
        let answered: Vec<&str> = replied_to(inbound).map(|id| id.as_str()).collect();
        let quoted = inbound.full_text.to_ascii_uppercase();
        let is_of = |version: &i64| {
            let letter = |purpose: &Purpose| {
                let cause = cause(*version, *purpose);
                let letter = format!("{number}/approval_request/{cause}/{}", self.owner.key());
                key.message_id(Some(number), &self.owner, &letter, domain)
            };
            quoted.contains(&mark(key, number, *version, &self.owner))
                || Purpose::ALL.iter().map(letter).any(|id| answered.contains(&id.as_str()))
        };
        let newest = self.approval.version;
        (1..=newest).rev().take(VERSIONS_BACK as usize).find(is_of)
    }

    /// The one order of the mail, and what stands below it.
    fn said(&self) -> Result<(bool, String), NotCounted> {
        let inbound = &self.mail.inbound;
        let below = self.words_below();
        let [line] = &inbound.commands[..] else { return Err(NotCounted::Unclear) };
        if inbound.commands_doubtful || command::misplaced(&below).is_some() {
            return Err(NotCounted::Unclear);
        }
        let (approved, on_line) = match command::read(line) {
            Ok(Command::Approve(text)) => (true, text),
            Ok(Command::Reject(text)) => (false, text),
            _ => return Err(NotCounted::Unclear),
        };
        let why = [on_line.trim(), below.trim()].join("\n").trim().to_owned();
        if !approved && why.is_empty() { Err(NotCounted::NoReason) } else { Ok((approved, why)) }
    }

    /// Without the letter that is quoted, where the reader could not part the two.
    fn words_below(&self) -> String {
        let (key, inbound) = (&self.s.policy.key, &self.mail.inbound);
        let below = &inbound.after_commands;
        if !quote::holds_letter_to(key, inbound, &self.owner, below) {
            return below.text.clone();
        }
        quote::above_history(&below.text).collect::<Vec<_>>().join("\n")
    }

    /// Nothing is decided; the owner gets the request as it is now to answer.
    fn ask_again(mut self, reader: Reader, why: &str) -> Vec<Effect> {
        self.draft.record(What::Refused, why);
        if self.approval.is_open(&self.on.ticket) {
            send(&mut self.draft, &self.approval, reader, Purpose::Again);
        }
        self.draft.finish()
    }

    fn refuse(mut self, reader: Reader, why: NotCounted) -> Vec<Effect> {
        self.draft.record(What::Refused, first_line(&self.mail.inbound.body.text));
        let content = Content::ApprovalRefused { why, module: self.approval.module.clone() };
        let key = format!("{}-{}", self.approval.version, cause_of(self.mail));
        self.draft.letter(reader, &key, content).answers = self.mail.inbound.message_id.clone();
        self.draft.finish()
    }

    /// The configuration names somebody else now. They hear so, and whoever owns the module now is asked.
    fn no_owner_any_more(mut self, by: By) -> Vec<Effect> {
        self.draft.record(What::Refused, "no owner any more");
        if by == By::Reference {
            let (language, zone) = (self.s.policy.desk.language, self.s.policy.desk.zone);
            let from = self.mail.inbound.from.clone();
            let mailbox = from.unwrap_or_else(|| Mailbox::new(self.owner.clone(), ""));
            let content = Content::ApprovalRefused { why: NotCounted::NoOwner, module: self.approval.module.clone() };
            let key = format!("{}-no_owner", self.approval.version);
            self.draft.letter(Reader { mailbox, language, zone }, &key, content);
        }
        if self.approval.is_open(&self.on.ticket) && self.s.policy.module(&self.approval.module).is_some() {
            ask_newcomers(&mut self.draft, &mut self.approval, Purpose::Ask);
            self.draft.keep_approval(self.approval);
        }
        self.draft.finish()
    }

    /// An owner who only writes: the engineer reads it, and the owner learns how to decide.
    fn only_words(mut self, from: &Mailbox) -> Vec<Effect> {
        self.draft.record(What::Message, first_line(&self.mail.inbound.body.text));
        crate::desk::requester::send_to_owner(&mut self.draft, self.mail, from, false);
        let readers = may_answer(self.s.policy, &self.on.ticket, &self.approval);
        let reader = readers.into_iter().find(|reader| reader.mailbox.address == self.owner).cloned();
        if let Some(reader) = reader {
            let content = Content::ApprovalRefused { why: NotCounted::OnlyWords, module: self.approval.module.clone() };
            let key = format!("{}-only_words", self.approval.version);
            self.draft.letter(reader, &key, content).answers = self.mail.inbound.message_id.clone();
        }
        self.draft.finish()
    }
}

/// Approvals take the reference that only this owner was sent, whatever proves other work (`design.md` 5.5).
fn is_proven(policy: &Policy, inbound: &Inbound, owner: &Address, by: By) -> bool {
    let reference = by == By::Reference;
    match policy.proof.approvals {
        Demand::Both => reference && dmarc_passes(policy, inbound, owner),
        Demand::Either | Demand::Reference => reference,
    }
}

/// An answer that counts. What it means for the ticket depends on the other owners.
pub fn settle(draft: &mut Draft, approval: &mut Approval, owner: &Address, approved: bool, why: &str) {
    let why: String = why.chars().take(2000).collect();
    let said = Said { approved, at: draft.now, why: why.clone() };
    if let Some(voice) = approval.voice_mut(owner) {
        (voice.said, voice.code) = (Some(said), None);
    }
    let (module, version) = (approval.module.clone(), approval.version);
    let by = called(draft.policy, approval, owner);
    if !approved {
        draft.record(What::Rejected { module, version }, why.clone());
        return end(draft, approval, State::Rejected, owner, &by, &why);
    }
    draft.record(What::Approved { module, version }, why.clone());
    match is_complete(draft, approval) {
        true => end(draft, approval, State::Approved, owner, &by, &why),
        false => receipt(draft, approval, owner, ReceiptKind::Counted, &missing(draft, approval), &why),
    }
}

/// Enough of those who may answer have approved. A substitute stands in for every owner who is silent.
fn is_complete(draft: &Draft, approval: &Approval) -> bool {
    let Some(module) = draft.policy.module(&approval.module) else { return false };
    let has_approved =
        |reader: &Reader| approval.voice(&reader.mailbox.address).is_some_and(super::Voice::has_approved);
    let readers = may_answer(draft.policy, &draft.ticket, approval);
    let is_owner = |reader: &&&Reader| module.owners.iter().any(|o| o.mailbox.address == reader.mailbox.address);
    let any = readers.iter().any(|reader| has_approved(reader));
    let all = readers.iter().filter(is_owner).all(|reader| has_approved(reader));
    let stood_in = readers.iter().any(|reader| !is_owner(&reader) && has_approved(reader));
    match module.needs {
        Needs::Any => any,
        Needs::All => stood_in || (any && all),
    }
}

/// Whose approval is still waited for.
fn missing(draft: &Draft, approval: &Approval) -> String {
    let readers = may_answer(draft.policy, &draft.ticket, approval).into_iter();
    let silent = readers.filter(|r| approval.voice(&r.mailbox.address).is_none_or(|voice| voice.said.is_none()));
    silent.map(|reader| reader.mailbox.called().to_owned()).collect::<Vec<_>>().join(", ")
}

/// It is decided: the engineer may go on, and everybody hears of it.
fn end(draft: &mut Draft, approval: &mut Approval, state: State, owner: &Address, by: &str, why: &str) {
    (approval.state, approval.decided) = (state, Some(draft.now));
    drop_timers(draft);
    if draft.ticket.status == Status::Pending && draft.ticket.wait == Some(Wait::Approval) {
        draft.become_status(Status::InProgress, approval.module.clone());
    }
    let (stage, kind, other) = match state {
        State::Approved => (ApprovalStage::Approved, ReceiptKind::Approved, ReceiptKind::ApprovedByOther),
        _ => (ApprovalStage::Rejected, ReceiptKind::Rejected, ReceiptKind::RejectedByOther),
    };
    // With several owners everybody who approved is named.
    let approvers = approval.people.iter().filter(|voice| voice.has_approved() && state == State::Approved);
    let names: Vec<String> = approvers.map(|voice| called(draft.policy, approval, &voice.who)).collect();
    let by_all = if names.len() > 1 { names.join(", ") } else { by.to_owned() };
    tell_engineer(draft, approval, stage, &by_all, why);
    tell_requester(draft, approval, stage, &by_all, why);
    // An engineer who owns the module has heard it by now.
    let engineer = draft.ticket.assignee.clone();
    let people = approval.people.iter().map(|voice| voice.who.clone()).filter(|who| engineer.as_ref() != Some(who));
    for who in people.collect::<Vec<_>>() {
        receipt(draft, approval, &who, if who == *owner { kind } else { other }, by, why);
    }
}

fn tell_engineer(draft: &mut Draft, approval: &Approval, stage: ApprovalStage, by: &str, comment: &str) {
    let requester = &draft.ticket.requester.address;
    let Some(engineer) = draft.owner().filter(|engineer| engineer.mailbox.address != *requester) else { return };
    let request = Some(Body { text: approval.request.clone(), html: None });
    let (module, by, comment) = (approval.module.clone(), by.to_owned(), comment.to_owned());
    let content = Content::ApprovalNews { stage, module, by, comment, request };
    draft.letter(engineer, &format!("{}-{}", approval.version, stage.as_str()), content);
}

/// Somebody pressed a button on an owner's page: the owner is mailed the code that confirms it. One at a time, so that a
/// forwarded link cannot fill the owner's mailbox.
pub fn code_wanted(s: &Situation, on: &Candidate, version: i64, owner: &Address, now: Timestamp) -> Vec<Effect> {
    let Some((mut approval, reader)) = on_page(s, on, version, owner) else { return Vec::new() };
    let Some(voice) = approval.voice_mut(owner) else { return Vec::new() };
    // A code that was used up is not replaced before its time is over: its digits are not to be guessed at leisure.
    let recent = voice.code.is_some_and(|code| code.sent <= now && now < code.sent + Code::VALID);
    if recent || voice.codes >= Code::MOST {
        return Vec::new();
    }
    (voice.code, voice.codes) = (Some(Code { sent: now, wrong: 0 }), voice.codes + 1);
    let cause = format!("{version}-{}", voice.codes);
    let mut draft = Draft::of(s.policy, &on.ticket, Who::Desk, now);
    let code = s.policy.key.code(on.ticket.number, version, owner, now);
    let content = Content::ApprovalCode { code, module: approval.module.clone() };
    draft.letter(reader, &cause, content);
    draft.keep_approval(approval);
    draft.finish()
}

/// The page was answered with a code.
pub struct Entered<'a> {
    pub version: i64,
    pub owner: &'a Address,
    pub approved: bool,
    pub why: &'a str,
    pub code: &'a str,
}

/// A wrong code is counted; after [`Code::TRIES`] of them the code is dead.
pub fn entered(s: &Situation, on: &Candidate, entered: &Entered, now: Timestamp) -> Vec<Effect> {
    let Entered { version, owner, approved, why, code } = *entered;
    let Some((mut approval, _)) = on_page(s, on, version, owner) else { return Vec::new() };
    let Some(voice) = approval.voice_mut(owner) else { return Vec::new() };
    let Some(mailed) = voice.code.filter(|mailed| mailed.is_alive(now)) else { return Vec::new() };
    let mut draft = Draft::of(s.policy, &on.ticket, Who::Person(owner.clone()), now);
    if s.policy.key.is_code(code, on.ticket.number, version, owner, mailed.sent) {
        settle(&mut draft, &mut approval, owner, approved, why);
    } else {
        voice.code = Some(Code { wrong: mailed.wrong + 1, ..mailed });
        draft.record(What::Refused, "wrong code");
    }
    draft.keep_approval(approval);
    draft.finish()
}

/// The approval and its owner, when the page still means something.
fn on_page(s: &Situation, on: &Candidate, version: i64, owner: &Address) -> Option<(Approval, Reader)> {
    let approval = on.approval.as_ref().filter(|a| a.is_open(&on.ticket) && a.version == version)?;
    let reader = may_answer(s.policy, &on.ticket, approval).into_iter().find(|r| r.mailbox.address == *owner)?;
    Some((approval.clone(), reader.clone()))
}
