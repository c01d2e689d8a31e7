//! An engineer works a ticket by mail: commands at the top, the answer below (`design.md` 5.3, 5.5).
//!
//! Everything a mail orders is done, or nothing is: one line that cannot be carried out holds the whole mail back.

use crate::address::{Address, Mailbox};
use crate::desk::approval::{self, Approval, Module};
use crate::desk::command::{self, Command, CommandLine, Hint};
use crate::desk::draft::Draft;
use crate::desk::event::{Candidate, Effect, Mail, Situation, Visibility};
use crate::desk::inbound::{Attachment, Body, Inbound};
use crate::desk::knowledge::learn;
use crate::desk::letter::{
    Action, Closing, Content, CopyStage, ListLine, LoadLine, NoticeReason, Said, Stage, StatusLine, TranscriptLine,
    Writer,
};
use crate::desk::policy::{Demand, Engineer, Policy, Reader};
use crate::desk::requester::{cause, first_line, links};
use crate::desk::thread::{self, By};
use crate::desk::ticket::{Entry, Fields, Number, Ticket, What, Who};
use crate::desk::words::{Priority, Status, Wait, Way};
use crate::desk::{assign, behalf, confirm, copies, hush, incident, intake, proof, quote, sla, team, vendor, visit};
use crate::time::Timestamp;
use std::sync::Arc;

/// Characters of what is still one word, with thanks and the line of a phone.
const ONE_WORD: usize = 40;

/// Whether the message is proven to come from this engineer.
pub fn is_proven(policy: &Policy, inbound: &Inbound, engineer: &Engineer, by: Option<By>) -> bool {
    is_proven_by(policy, inbound, engineer.address(), by)
}

/// The same of anybody who has to do with the desk's work.
pub fn is_proven_by(policy: &Policy, inbound: &Inbound, who: &Address, by: Option<By>) -> bool {
    let (reference, dmarc) = (by == Some(By::Reference), dmarc_passes(policy, inbound, who));
    match policy.proof.work {
        Demand::Either => reference || dmarc,
        Demand::Reference => reference,
        Demand::Both => reference && dmarc,
    }
}

/// Whether the own mail server vouches for the author.
pub fn dmarc_passes(policy: &Policy, inbound: &Inbound, author: &Address) -> bool {
    let own = policy.proof.authserv_id.as_deref();
    let domain = inbound.sent_as.as_ref().unwrap_or(author).domain();
    own.is_some_and(|id| proof::dmarc_pass(&inbound.authentication_results, id, domain))
}

/// An engineer's mail on a ticket.
pub fn mail(s: &Situation, on: &Candidate, by: By, mail: &Mail, engineer: &Engineer, now: Timestamp) -> Vec<Effect> {
    if !is_proven(s.policy, &mail.inbound, engineer, Some(by)) {
        return confirm::ask_on(s, on, mail, engineer, now);
    }
    match &s.unconfirmed {
        // Orders in the answer are orders of their own, and this mail is proven.
        Some(asked) if mail.inbound.commands.is_empty() => confirm::answered(s, on, mail, asked, engineer, now),
        None if confirm::is_loose_answer(on, &mail.inbound, engineer) => {
            let line = first_line(&mail.inbound.body.text);
            let mut work = Work::new(s, on, mail, &mail.inbound, engineer, now);
            work.refuse(vec![TranscriptLine { line, done: false, hint: Hint::WhichMail }])
        }
        _ => match proposed(s, on, mail).and_then(|(action, cycle)| answer_to(s, on, mail, engineer, action, cycle)) {
            Some(order) => Work::new(s, on, mail, &order, engineer, now).carry_out(),
            None => Work::new(s, on, mail, &mail.inbound, engineer, now).carry_out(),
        },
    }
}

/// The question that this mail may answer. Some phones do not say which letter they reply to: then the one that was asked last,
/// if nothing was said since.
fn proposed(s: &Situation, on: &Candidate, mail: &Mail) -> Option<(Action, i64)> {
    let last = on.timeline.iter().rev().find_map(|entry| match entry.what {
        What::Proposed { action } => Some(Some((action, on.ticket.cycle))),
        What::Message | What::Note | What::Workaround | What::Status { .. } => Some(None),
        _ => None,
    });
    let silent = thread::replied_to(&mail.inbound).next().is_none();
    s.proposed.or_else(|| last.flatten().filter(|_| silent))
}

/// One word to a `Proposal`: yes is the order that it proposed, a bare no stays inside. Anything else is said to the requester
/// as always.
fn answer_to(
    s: &Situation,
    on: &Candidate,
    mail: &Mail,
    engineer: &Engineer,
    action: Action,
    cycle: i64,
) -> Option<Inbound> {
    let inbound = &mail.inbound;
    let words = quote::own_words(&s.policy.key, inbound, engineer.address());
    if !inbound.commands.is_empty() || words.trim().is_empty() || words.chars().count() > ONE_WORD {
        return None;
    }
    let (word, value) = match confirm::read(&words) {
        confirm::Word::Yes if cycle == on.ticket.cycle => (action.as_str(), String::new()),
        confirm::Word::No => ("note", words.trim().to_owned()),
        _ => return None,
    };
    let commands = vec![CommandLine { word: word.to_owned(), value }];
    let (body, after_commands) = (Body::default(), Body::default());
    Some(Inbound { commands, body, after_commands, attachments: Vec::new(), ..(**inbound).clone() })
}

/// An engineer's new mail: questions are answered; anything else opens a ticket the commands then apply to.
pub fn new_mail(
    s: &Situation,
    mail: &Mail,
    engineer: &Engineer,
    related: Option<Number>,
    now: Timestamp,
) -> Vec<Effect> {
    let from = &engineer.reader.mailbox;
    let spelled = behalf::spelled_out(s.policy, &mail.inbound, engineer.address());
    let spelled = spelled.map(|inbound| Mail { inbound: Box::new(inbound), ..mail.clone() });
    let mail = spelled.as_ref().unwrap_or(mail);
    let inbound = &mail.inbound;
    let commands: Vec<_> = inbound.commands.iter().map(command::read).collect();
    let proven = is_proven(s.policy, inbound, engineer, None);
    let asks = !commands.is_empty() && commands.iter().all(|c| c.as_ref().is_ok_and(Command::is_question));
    if asks && s.candidates.is_empty() {
        return answer_question(s, mail, engineer, &commands, now);
    }
    if commands.is_empty() || !proven {
        let requester = Mailbox::new(from.address.clone(), inbound.from.as_ref().map_or("", |m| m.called()));
        let mut draft = intake::begin(s, mail, &requester, related, now);
        if !commands.is_empty() {
            confirm::ask(&mut draft, mail, engineer);
        } else if behalf::is_riddle(s.policy, inbound, engineer.address()) {
            let line = TranscriptLine { line: inbound.subject.clone(), done: false, hint: Hint::NoSender };
            transcript(&mut draft, engineer, mail, vec![line], None);
        }
        return intake::finish(s, mail, draft);
    }
    let (requester, below, theirs) = match on_behalf(s, mail, &commands) {
        Some((person, report)) => (person, report, behalf::as_theirs(s)),
        None => {
            let mut below = mail.clone();
            below.inbound.body = inbound.after_commands.clone();
            below.sorted = None;
            (from.clone(), below, s.clone())
        }
    };
    let s = &theirs;
    let draft = intake::begin(s, &below, &requester, related, now);
    let opened = Candidate {
        named: s.next_number,
        ticket: draft.ticket.clone(),
        participants: vec![from.address.clone()],
        timeline: Arc::default(),
        reports: Vec::new(),
        description: below.inbound.body.clone(),
        visit: None,
        approval: None,
        article: None,
        suggested: Vec::new(),
        archived: None,
        reviews: Vec::new(),
        recurred: Vec::new(),
    };
    let mut work = Work::new(s, &opened, &below, &below.inbound, engineer, now);
    work.draft = draft;
    work.on_new_ticket()
}

/// Whose report it is, when the mail says so and nobody has to ask.
fn on_behalf(s: &Situation, mail: &Mail, commands: &[Result<Command, Hint>]) -> Option<(Mailbox, Mail)> {
    let (who, way) = commands.iter().find_map(|command| match command {
        Ok(Command::For(who, way)) => Some((who, *way)),
        _ => None,
    })?;
    let person = behalf::person(s.policy, who).ok()?;
    let report = behalf::as_report(s, mail, &person, way);
    Some((person, report))
}

fn answer_question(
    s: &Situation,
    mail: &Mail,
    engineer: &Engineer,
    commands: &[Result<Command, Hint>],
    now: Timestamp,
) -> Vec<Effect> {
    let has = |wanted: Command| commands.iter().any(|c| c.as_ref() == Ok(&wanted));
    let lines = mail.inbound.commands.iter().zip(commands).filter(|(_, c)| **c == Ok(Command::Status));
    let lines = lines.map(|(line, _)| transcript_line(line, Some(Hint::NoTicket))).collect();
    let list = has(Command::List).then(|| list(s.policy, &s.own_open, now));
    let loads = if list.is_some() { loads(s, engineer, now) } else { Vec::new() };
    let content = Content::Transcript { lines, held_back: None, status: None, list, loads, help: has(Command::Help) };
    let letter = crate::desk::letter::Letter {
        key: format!("transcript/{}/{}", cause(mail), engineer.address().key()),
        to: engineer.reader.clone(),
        ticket: None,
        content,
        answers: mail.inbound.message_id.clone(),
        attachments: Vec::new(),
        with_first_files: false,
    };
    vec![Effect::SetAside { reason: "question answered".into() }, Effect::Send(Box::new(letter))]
}

fn transcript_line(line: &CommandLine, hint: Option<Hint>) -> TranscriptLine {
    let done = matches!(hint, None | Some(Hint::VisitLate { .. }));
    TranscriptLine { line: command::written(line), done, hint: hint.unwrap_or_default() }
}

fn list(policy: &Policy, tickets: &[Ticket], now: Timestamp) -> Vec<ListLine> {
    let line = |t: &Ticket| ListLine {
        number: t.number,
        subject: t.subject.clone(),
        requester: t.requester.called().to_owned(),
        priority: t.priority,
        status: t.status,
        resolution_due: sla::resolution_due(policy, t, now),
    };
    tickets.iter().map(line).collect()
}

/// How much each engineer has, the busiest first.
fn loads(s: &Situation, me: &Engineer, now: Timestamp) -> Vec<LoadLine> {
    let open = |engineer: &Engineer| s.loads.iter().find(|(who, _)| who == engineer.address()).map_or(0, |(_, n)| *n);
    let line = |engineer: &Engineer| LoadLine {
        name: engineer.reader.mailbox.called().to_owned(),
        open: open(engineer),
        away: assign::is_away(engineer, now),
        me: engineer.address() == me.address(),
    };
    let mut lines: Vec<LoadLine> = s.policy.engineers.iter().map(line).collect();
    lines.sort_by(|a, b| b.open.cmp(&a.open).then_with(|| a.name.cmp(&b.name)));
    lines
}

/// One mail being carried out.
pub(super) struct Work<'a> {
    s: &'a Situation<'a>,
    on: &'a Candidate,
    /// The message that arrived: what is joined and answered.
    mail: &'a Mail,
    /// The message whose orders count (another one after a confirmation).
    inbound: &'a Inbound,
    engineer: &'a Engineer,
    pub(super) draft: Draft<'a>,
    commands: Vec<Command>,
    pub(super) voice: Voice,
    /// What the requester was told, for those who reported the same fault.
    said: Option<incident::Said>,
    split_off: Vec<Number>,
    /// In copy from now on.
    added: Vec<Mailbox>,
    visit: Option<visit::Order>,
    /// The requester's letter about the appointment; taken when it goes out.
    invitation: Option<Content>,
    /// What is to be said about lines that were carried out, by their place.
    remarks: Vec<(usize, Hint)>,
}

/// Whom the text of a mail is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Voice {
    /// The requester, unless `#note` says otherwise.
    Engineer,
    /// Nobody: it reports the fault and is on the ticket already, only the orders count.
    Report,
    /// The engineer who has the ticket.
    Supervisor,
}

impl<'a> Work<'a> {
    pub(super) fn new(
        s: &'a Situation<'a>,
        on: &'a Candidate,
        mail: &'a Mail,
        inbound: &'a Inbound,
        engineer: &'a Engineer,
        now: Timestamp,
    ) -> Self {
        let mut draft = Draft::of(s.policy, &on.ticket, Who::Person(engineer.address().clone()), now);
        draft.remember(&on.timeline);
        draft.read_by(&mail.inbound);
        let (commands, voice, said, split_off) = (Vec::new(), Voice::Engineer, None, Vec::new());
        let (added, visit, invitation, remarks) = (Vec::new(), None, None, Vec::new());
        Work {
            s,
            on,
            mail,
            inbound,
            engineer,
            draft,
            commands,
            voice,
            said,
            split_off,
            added,
            visit,
            invitation,
            remarks,
        }
    }

    pub(super) fn carry_out(&mut self) -> Vec<Effect> {
        if let Err(lines) = self.read_commands().and_then(|()| self.apply_commands()) {
            return self.refuse(lines);
        }
        self.settle_visit();
        match self.voice {
            Voice::Engineer => self.say(),
            Voice::Report => self.tell_requester_without_words(),
            Voice::Supervisor => self.say_to_owner(),
        }
        self.invite();
        self.welcome();
        self.tell_absorbed();
        self.tell_team();
        self.warn_of_copies();
        let article = self.has(|c| matches!(c, Command::Article(_)));
        let internal = self.is_internal() || article || self.voice == Voice::Supervisor;
        let visibility = if internal { Visibility::Internal } else { Visibility::Public };
        self.draft.effect(Effect::Join { number: self.on.ticket.number, visibility });
        self.answer_questions();
        let leading = self.draft.ticket.clone();
        let mut effects = self.finish();
        effects.extend(self.pass_on(&leading));
        effects
    }

    /// To those who reported the same fault: what the requester was told, and how the ticket stands when that changed.
    fn pass_on(&self, leading: &Ticket) -> Vec<Effect> {
        let before = &self.on.ticket;
        let moved = |t: &Ticket| (t.status.is_open(), t.assignee.clone(), t.merged_into);
        if self.said.is_none() && moved(before) == moved(leading) {
            return Vec::new();
        }
        let news = incident::News { said: self.said.as_ref(), leading, gone: &self.split_off, engineer: self.engineer };
        incident::pass_on(self.s, self.on, &news, self.draft.now)
    }

    /// Commands on a first mail shape the ticket before its letters go out.
    fn on_new_ticket(mut self) -> Vec<Effect> {
        if let Err(lines) = self.read_commands().and_then(|()| self.apply_commands()) {
            // The report itself is never lost: the ticket is opened, only the orders are refused.
            let (s, mail, engineer, related) = (self.s, self.mail, self.engineer, self.on.ticket.related);
            let now = self.draft.now;
            let mut draft = intake::begin(s, mail, &self.on.ticket.requester, related, now);
            let engineer_wrote = mail.behalf.is_some().then(|| engineer.address().clone());
            draft.effect(Effect::Participants(self.on.ticket.number, engineer_wrote.into_iter().collect()));
            transcript(&mut draft, engineer, mail, lines, None);
            return intake::finish(s, mail, draft);
        }
        if self.is_internal() {
            self.draft.record(What::Note, self.inbound.after_commands.text.clone());
        }
        if let Some(remark) = self.mail.behalf.as_ref().and_then(|_| behalf::remark(self.inbound)) {
            self.draft.record(What::Note, remark);
        }
        self.settle_visit();
        self.invite();
        self.welcome();
        self.answer_questions();
        self.tell_registered();
        intake::finish(self.s, self.mail, self.draft)
    }

    /// Who registers a report for somebody and does not get the ticket learns its number.
    fn tell_registered(&mut self) {
        let me = self.engineer.address();
        let told = self.draft.ticket.assignee.as_ref() == Some(me) || self.draft.ticket.requester.address == *me;
        if self.mail.behalf.is_some() && !told {
            let lines = self.inbound.commands.iter().map(|line| transcript_line(line, None)).collect();
            transcript(&mut self.draft, self.engineer, self.mail, lines, None);
            self.draft.effect(Effect::Participants(self.on.ticket.number, vec![me.clone()]));
        }
    }

    /// `#for`: on the engineer's own ticket, which was somebody else's report.
    fn register_for(&mut self, who: &str, way: Option<Way>) -> Result<(), Hint> {
        let person = behalf::person(self.s.policy, who)?;
        let requester = &self.draft.ticket.requester;
        if requester.address == person.address {
            behalf::note_way(&mut self.draft, way);
            return Ok(());
        }
        if requester.address != *self.engineer.address() {
            return Err(Hint::HasRequester { requester: requester.called().to_owned() });
        }
        self.must_be(&[Status::New, Status::Assigned, Status::InProgress, Status::Pending])?;
        behalf::hand_to(self.s, &mut self.draft, self.mail, self.inbound, &person, way);
        Ok(())
    }

    fn read_commands(&mut self) -> Result<(), Vec<TranscriptLine>> {
        let quoted = self.quotes_own_letter().then_some(Hint::Quoted);
        if let Some(hint) = self.inbound.commands_doubtful.then_some(Hint::Doubtful).or(quoted) {
            let first = self.inbound.body.text.lines().next().unwrap_or("").chars().take(200).collect();
            return Err(vec![TranscriptLine { line: first, done: false, hint }]);
        }
        let read: Vec<_> = self.inbound.commands.iter().map(|line| (line, command::read(line))).collect();
        let misplaced = command::misplaced(&self.inbound.after_commands.text);
        if read.iter().all(|(_, r)| r.is_ok()) && misplaced.is_none() {
            self.commands = read.into_iter().filter_map(|(_, r)| r.ok()).collect();
            return if self.is_for_somebody_else() { Err(vec![self.merged_away()]) } else { Ok(()) };
        }
        let mut lines: Vec<_> = read
            .iter()
            .map(|(line, r)| transcript_line(line, Some(r.clone().err().unwrap_or(Hint::HeldBack))))
            .collect();
        lines.extend(misplaced.map(|line| transcript_line(&line, Some(Hint::NotAtTop))));
        Err(lines)
    }

    /// What would go out holds a letter that only this engineer was sent: a quote that could not be told from the new
    /// text, or a reply without any words. It may hold notes, and its reference proves who it was sent to (S67, G5).
    fn quotes_own_letter(&self) -> bool {
        let (key, body) = (&self.s.policy.key, &self.inbound.after_commands);
        quote::holds_letter_to(key, self.inbound, self.engineer.address(), body)
    }

    fn merged_away(&self) -> TranscriptLine {
        let line = self.inbound.commands.first().map_or_else(|| first_line(&self.inbound.body.text), command::written);
        let (number, into) = (self.on.named, self.on.ticket.number);
        let requester = self.on.ticket.requester.called().to_owned();
        TranscriptLine { line, done: false, hint: Hint::MergedAway { number, into, requester } }
    }

    /// A reply to a letter of a ticket that was merged: its text was meant for that ticket's requester and would go to
    /// the other one's.
    fn is_for_somebody_else(&self) -> bool {
        let stays_inside = |c: &Command| c.is_question() || matches!(c, Command::Note(_) | Command::Article(_));
        let inside = !self.commands.is_empty() && self.commands.iter().all(stays_inside);
        self.on.named != self.on.ticket.number && self.voice == Voice::Engineer && !inside
    }

    fn apply_commands(&mut self) -> Result<(), Vec<TranscriptLine>> {
        for (at, command) in self.commands.clone().iter().enumerate() {
            if let Err(hint) = self.apply(command) {
                let held = |i: usize| if i == at { hint.clone() } else { Hint::HeldBack };
                let lines = self.inbound.commands.iter().enumerate();
                return Err(lines.map(|(i, line)| transcript_line(line, Some(held(i)))).collect());
            }
        }
        Ok(())
    }

    fn apply(&mut self, command: &Command) -> Result<(), Hint> {
        let me = self.engineer.address().clone();
        if self.voice == Voice::Supervisor && !matches!(command, Command::Assign(_) | Command::Note(_) | Command::Help)
        {
            return Err(Hint::OnlyAssign);
        }
        match command {
            Command::Take => self.take(&me),
            Command::Assign(name) => self.assign(name),
            Command::Priority(to, why) => {
                self.draft.prioritise(*to, why.clone());
                // P1 never pauses (`domain.md` 4.4).
                if *to == Priority::P1 && self.draft.ticket.status == Status::Pending {
                    self.draft.become_status(Status::InProgress, "");
                }
                Ok(())
            }
            Command::Category(to) => {
                self.draft.categorise(*to);
                Ok(())
            }
            Command::Step(text) => {
                self.draft.record(What::Step, text.clone());
                Ok(())
            }
            Command::Wait(wait, why) => self.wait(*wait, why),
            Command::Resume => {
                self.must_be(&[Status::Pending])?;
                self.draft.become_status(Status::InProgress, "");
                Ok(())
            }
            Command::Resolve(_) => {
                if let Some(hint) = self.approval().and_then(Approval::holds) {
                    return Err(hint);
                }
                self.become_status(Status::Resolved)
            }
            Command::Close(_) => self.become_status(Status::Closed),
            Command::Cancel(_) => self.become_status(Status::Cancelled),
            Command::Approval(value) => self.ask_approval(value),
            Command::Approve(_) | Command::Reject(_) => Err(Hint::NotAsked),
            Command::For(who, way) => self.register_for(who, *way),
            Command::Reopen(_) => {
                self.must_be(&[Status::Resolved, Status::Closed, Status::Cancelled])?;
                self.draft.reopen("");
                // Whoever reopens it knows of it.
                self.draft.respond();
                Ok(())
            }
            Command::Merge(into) => self.merge(*into),
            Command::Vendor(name) => self.vendor(name),
            Command::Copy(change) => self.copy(change),
            Command::Spam => {
                self.must_be(&[Status::New, Status::Assigned, Status::InProgress, Status::Pending])?;
                self.draft.become_status(Status::Cancelled, "spam");
                self.withdraw_approval();
                Ok(())
            }
            Command::Parent(leading) => self.hang_on(*leading),
            Command::Split(report) => self.split(*report),
            Command::Visit(text) => self.order_visit(text),
            Command::Workaround(text) if text.is_empty() && self.inbound.after_commands.text.trim().is_empty() => {
                Err(Hint::TextNeeded)
            }
            Command::Note(text) if text.is_empty() && self.inbound.after_commands.text.trim().is_empty() => {
                Err(Hint::TextNeeded)
            }
            Command::Article(value) => self.article(value),
            Command::Workaround(_) | Command::Note(_) | Command::Status | Command::List | Command::Help => Ok(()),
        }
    }

    fn must_be(&self, allowed: &[Status]) -> Result<(), Hint> {
        let status = self.draft.ticket.status;
        if allowed.contains(&status) { Ok(()) } else { Err(Hint::Status { status: status.as_str().into() }) }
    }

    fn become_status(&mut self, to: Status) -> Result<(), Hint> {
        let status = self.draft.ticket.status;
        if status == to || !self.draft.may_become(to) {
            return Err(Hint::Status { status: status.as_str().into() });
        }
        if to == Status::Resolved {
            self.draft.respond();
        }
        self.draft.become_status(to, "");
        if matches!(to, Status::Closed | Status::Cancelled) {
            self.withdraw_approval();
        }
        Ok(())
    }

    /// The ticket's approval, as this mail leaves it so far.
    fn approval(&self) -> Option<&Approval> {
        self.draft.approval().or(self.on.approval.as_ref())
    }

    fn withdraw_approval(&mut self) {
        let approval = self.approval().cloned();
        approval::ask::withdraw(&mut self.draft, approval.as_ref());
    }

    /// `#approval ERP a note for its owners`; `#approval none`: nobody has to be asked after all.
    fn ask_approval(&mut self, value: &str) -> Result<(), Hint> {
        self.must_be(&[Status::New, Status::Assigned, Status::InProgress, Status::Pending])?;
        if matches!(command::fold(value).as_str(), "none" | "no" | "无" | "不需要" | "取消") {
            return self.drop_approval();
        }
        let (module, note) = self.module(value)?;
        let before = self.approval().cloned();
        let same = before.as_ref().filter(|before| before.module == module.name);
        let told = same.map_or_else(|| self.on.description.text.clone(), |before| before.request.clone());
        approval::ask::begin(&mut self.draft, before.as_ref(), module, &told, &note);
        approval::ask::tell_requester_asked(&mut self.draft);
        Ok(())
    }

    /// The module that is named; without a name the one the ticket is about, or the only one there is.
    fn module(&self, value: &str) -> Result<(&'a Module, String), Hint> {
        let policy = self.s.policy;
        let known = || policy.modules.iter().map(|m| m.name.as_str()).collect::<Vec<_>>().join(", ");
        if !value.is_empty() {
            return approval::named_first(policy, value).ok_or_else(|| Hint::NoModule { known: known() });
        }
        let told = format!("{}\n{}", self.on.ticket.subject, self.on.description.text);
        let asked_before = self.approval().and_then(|approval| policy.module(&approval.module));
        let only = policy.modules.first().filter(|_| policy.modules.len() == 1);
        let found = asked_before.or_else(|| approval::recognised(policy, &told)).or(only);
        found.map(|module| (module, String::new())).ok_or_else(|| Hint::NoModule { known: known() })
    }

    fn drop_approval(&mut self) -> Result<(), Hint> {
        self.withdraw_approval();
        if (self.draft.ticket.status, self.draft.ticket.wait) == (Status::Pending, Some(Wait::Approval)) {
            self.draft.become_status(Status::InProgress, "");
        }
        Ok(())
    }

    fn take(&mut self, me: &Address) -> Result<(), Hint> {
        if !self.draft.ticket.status.is_open() {
            return Err(Hint::Status { status: self.draft.ticket.status.as_str().into() });
        }
        self.draft.assign(me);
        self.draft.respond();
        if self.draft.ticket.status == Status::New {
            self.draft.become_status(Status::Assigned, "");
        }
        Ok(())
    }

    fn assign(&mut self, name: &str) -> Result<(), Hint> {
        let to = match find_engineer(self.s.policy, name) {
            Some(to) => to,
            None => self.find_in_group(name)?,
        };
        if self.draft.ticket.assignee.as_ref() == Some(to.address()) {
            return Ok(());
        }
        self.draft.assign(to.address());
        let note = if self.is_internal() { self.words().text } else { String::new() };
        let reason = NoticeReason::Assigned { by: self.engineer.reader.mailbox.called().to_owned(), note };
        let (missing, kept, warnings) = (Vec::new(), Vec::new(), Vec::new());
        let body = self.on.description.clone();
        let content =
            Content::Notice { reason, body, missing, may_belong_to: None, kept, warnings, similar: Vec::new() };
        let key = cause(self.mail);
        self.draft.letter(to.reader.clone(), &key, content).with_first_files = true;
        Ok(())
    }

    /// `#assign level 3`, `#assign network`: whoever of them is there and has the least to do.
    fn find_in_group(&self, name: &str) -> Result<&'a Engineer, Hint> {
        let short = || name.chars().take(80).collect();
        let group = assign::Group::read(name).ok_or_else(|| Hint::Nobody { name: short() })?;
        let ticket = &self.draft.ticket;
        let not = [Some(ticket.requester.address.clone()), ticket.assignee.clone()].into_iter().flatten();
        let not: Vec<Address> = not.collect();
        let found = assign::among(self.s.policy, group, &self.s.loads, &not, self.draft.now);
        found.ok_or_else(|| Hint::NobodyThere { name: short() })
    }

    fn wait(&mut self, wait: Wait, why: &str) -> Result<(), Hint> {
        if !self.draft.ticket.status.is_open() {
            return Err(Hint::Status { status: self.draft.ticket.status.as_str().into() });
        }
        // P1 never pauses (`domain.md` 4.4).
        if self.draft.ticket.priority == Priority::P1 {
            return Err(Hint::NeverOnHold);
        }
        self.draft.wait_for(wait, why);
        Ok(())
    }

    fn order_visit(&mut self, text: &str) -> Result<(), Hint> {
        if !self.draft.ticket.status.is_open() {
            return Err(Hint::Status { status: self.draft.ticket.status.as_str().into() });
        }
        let (written, now) = (self.inbound.date, self.draft.now);
        let order = visit::read(text, self.on.visit.as_ref(), written, now, self.engineer.reader.zone)?;
        let waits = self.draft.ticket.status == Status::Pending && self.draft.ticket.wait == Some(Wait::Visit);
        match order {
            visit::Order::Make(_) => {
                self.answered();
                self.draft.told_requester();
                // P1 never pauses (`domain.md` 4.4).
                if self.draft.ticket.priority != Priority::P1 {
                    self.draft.wait_for(Wait::Visit, "");
                }
            }
            visit::Order::Cancel if waits => self.draft.become_status(Status::InProgress, ""),
            visit::Order::Cancel => {}
        }
        self.visit = Some(order);
        Ok(())
    }

    /// When everything else is done it is known who has the ticket and whether it goes on.
    fn settle_visit(&mut self) {
        self.invitation = visit::settle(&mut self.draft, self.on.visit.as_ref(), self.visit.as_ref());
        let late = self.visit.as_ref().and_then(|order| visit::lateness(&self.draft, self.on, order));
        let at = self.commands.iter().rposition(|command| matches!(command, Command::Visit(_)));
        self.remarks.extend(at.zip(late));
    }

    /// To the requester, unless it went out with the engineer's words.
    fn invite(&mut self) {
        if let Some(invitation) = self.invitation.take() {
            let (reader, key) = (self.draft.requester(), cause(self.mail));
            self.draft.letter(reader, &key, invitation);
        }
    }

    fn merge(&mut self, into: Number) -> Result<(), Hint> {
        let target = self.s.candidates.iter().find(|c| c.named == into).ok_or(Hint::NoSuchTicket { number: into })?;
        // Merges are followed: one that was merged into this ticket leads back here.
        if target.ticket.number == self.on.ticket.number {
            return Err(Hint::Itself { number: into });
        }
        if target.is_over() {
            let status = target.ticket.status.as_str().into();
            return Err(Hint::Over { number: target.ticket.number, status });
        }
        if !self.draft.ticket.status.is_open() {
            return Err(Hint::Status { status: self.draft.ticket.status.as_str().into() });
        }
        self.draft.ticket.merged_into = Some(target.ticket.number);
        self.draft.record(What::Merged { into: target.ticket.number }, "");
        self.draft.become_status(Status::Closed, "");
        self.withdraw_approval();
        self.hand_over(&target.ticket);
        self.tell_owner_of(target);
        Ok(())
    }

    /// The text, or without any the requester's, goes to the vendor; the ticket waits for them, unless it never waits.
    fn vendor(&mut self, name: &str) -> Result<(), Hint> {
        let nobody = || Hint::NoVendor { known: vendor_names(self.s.policy) };
        let vendor = vendor::find(self.s.policy, name, self.draft.ticket.category).ok_or_else(nobody)?;
        if !self.draft.ticket.status.is_open() {
            return Err(Hint::Status { status: self.draft.ticket.status.as_str().into() });
        }
        // Whom would the text be for?
        if self.commands.iter().any(tells_requester) {
            return Err(Hint::TwoReaders);
        }
        let words = self.inbound.after_commands.clone();
        let own = !words.text.trim().is_empty() && !self.is_internal_order();
        let files = if own { self.files() } else { Vec::new() };
        let (attachments, _) = self.draft.fitting(&files);
        let body = if own { words } else { self.on.description.clone() };
        let author = Some(self.engineer.reader.mailbox.called().to_owned());
        let letter = vendor::ask(&mut self.draft, vendor, author, body, &cause(self.mail));
        (letter.attachments, letter.with_first_files) = (attachments, !own);
        if self.draft.ticket.priority != Priority::P1 {
            self.draft.wait_for(Wait::Vendor, "");
        }
        Ok(())
    }

    /// An engineer may bring anybody in; what is said from now on goes to them as well.
    fn copy(&mut self, change: &copies::Change) -> Result<(), Hint> {
        let desk = &self.s.policy.desk;
        let (requester, room) = (&self.draft.ticket.requester.address, copies::MOST - self.draft.ticket.copied.len());
        let is_wrong = |address: &Address| desk.is_own(address) || address == requester;
        if change.add.iter().any(is_wrong) || change.add.len() > room + change.remove.len() {
            return Err(Hint::Value { expected: format!("#cc li.si@example.com (≤ {})", copies::MOST) });
        }
        let before = self.draft.ticket.copied.clone();
        let people: Vec<Mailbox> = change.add.iter().map(|address| Mailbox::new(address.clone(), "")).collect();
        self.draft.copy(&people, &change.remove);
        let known = |person: &Mailbox| before.iter().any(|known| known.address == person.address);
        self.added = self.draft.ticket.copied.iter().filter(|person| !known(person)).cloned().collect();
        Ok(())
    }

    /// Who was added hears of it, unless what was said to the requester tells them.
    fn welcome(&mut self) {
        if self.said.is_some() {
            return;
        }
        for person in std::mem::take(&mut self.added) {
            let author = self.engineer.reader.mailbox.called().to_owned();
            let (body, kept) = (Body::default(), Vec::new());
            let content = Content::Copied { stage: CopyStage::Added, author, body, kept };
            let reader = copies::reader(self.s.policy, &self.draft.ticket, &person);
            self.draft.letter(reader, &cause(self.mail), content);
        }
    }

    /// `#kb`: the text is the article, and goes nowhere else.
    fn article(&mut self, value: &str) -> Result<(), Hint> {
        let speaks = |c: &Command| tells_requester(c) || matches!(c, Command::Vendor(_) | Command::Note(_));
        if self.commands.iter().any(speaks) {
            return Err(Hint::ArticleAlone);
        }
        learn::order(&mut self.draft, self.on, self.engineer, value, &self.inbound.after_commands.text)
    }

    /// Whether one of the lines makes the text internal.
    fn is_internal_order(&self) -> bool {
        self.inbound.commands.iter().any(|line| command::canonical(&line.word) == Some("note"))
    }

    /// This ticket becomes a report of the other one's fault; `#split` takes it back.
    fn hang_on(&mut self, number: Number) -> Result<(), Hint> {
        let leading = self.s.candidates.iter().find(|c| c.named == number).ok_or(Hint::NoSuchTicket { number })?;
        let leads = leading.ticket.parent.is_none() && leading.ticket.status.is_open();
        if leading.ticket.number == self.on.ticket.number || !self.on.reports.is_empty() {
            return Err(Hint::Itself { number });
        }
        if !leads || !self.draft.ticket.status.is_open() {
            return Err(Hint::Over { number, status: leading.ticket.status.as_str().into() });
        }
        let known = self.on.ticket.parent == Some(leading.ticket.number);
        self.draft.ticket.parent = Some(leading.ticket.number);
        if !known {
            for effect in incident::join(self.s, leading, &self.draft.ticket, self.draft.now) {
                self.draft.effect(effect);
            }
        }
        Ok(())
    }

    /// Without a number this report, with one a report that hangs on this ticket.
    fn split(&mut self, number: Option<Number>) -> Result<(), Hint> {
        let Some(number) = number.filter(|number| *number != self.on.ticket.number) else {
            let number = self.on.ticket.number;
            self.draft.ticket.parent.ok_or(Hint::NoReport { number })?;
            incident::stand_alone(&mut self.draft);
            incident::notify(&mut self.draft, &self.on.description);
            return Ok(());
        };
        let report = self.on.reports.iter().find(|report| report.number == number && !self.split_off.contains(&number));
        let report = report.ok_or(Hint::NoReport { number })?;
        self.split_off.push(number);
        let known = self.s.candidates.iter().find(|candidate| candidate.ticket.number == number);
        let words = known.map(|candidate| candidate.description.clone()).unwrap_or_default();
        let who = Who::Person(self.engineer.address().clone());
        for effect in incident::split(self.s, report, &words, who, self.draft.now) {
            self.draft.effect(effect);
        }
        Ok(())
    }

    /// The other ticket remembers whom it took in, also those this one had taken in before.
    fn hand_over(&mut self, target: &Ticket) {
        let ticket = &self.on.ticket;
        let own = What::Absorbed {
            number: ticket.number,
            subject: ticket.subject.clone(),
            requester: ticket.requester.clone(),
            language: ticket.language,
        };
        let before = self.on.timeline.iter().map(|e| &e.what).filter(|what| matches!(what, What::Absorbed { .. }));
        let all: Vec<What> = before.cloned().chain([own]).collect();
        for what in all {
            // Their next reply is theirs to see through on the other ticket.
            if let What::Absorbed { requester, .. } = &what {
                self.draft.effect(Effect::Participants(target.number, vec![requester.address.clone()]));
            }
            let who = Who::Person(self.engineer.address().clone());
            let entry = Entry { at: self.draft.now, who, what, why: String::new() };
            self.draft.effect(Effect::Record(target.number, entry));
        }
    }

    /// Whoever works on the other ticket has another report to look at.
    fn tell_owner_of(&mut self, target: &Candidate) {
        let owner = target.ticket.assignee.as_ref().and_then(|a| self.s.policy.engineer(a));
        let Some(owner) = owner.filter(|o| o.address() != self.engineer.address()) else { return };
        let by = self.engineer.reader.mailbox.called().to_owned();
        let (number, requester) = (self.on.ticket.number, self.on.ticket.requester.called().to_owned());
        let reason = NoticeReason::Merged { by, number, requester };
        let (missing, kept, warnings) = (Vec::new(), Vec::new(), Vec::new());
        let body = self.on.description.clone();
        let content =
            Content::Notice { reason, body, missing, may_belong_to: None, kept, warnings, similar: Vec::new() };
        let key = cause(self.mail);
        self.draft.letter_about(target.ticket.clone(), owner.reader.clone(), &key, content);
    }

    /// Requesters whose tickets were merged into this one hear how it ended, on their own ticket and without anybody
    /// else's words. They are told once, and not when they are its requester themselves.
    fn tell_absorbed(&mut self) {
        let (before, now) = (self.on.ticket.status, self.draft.ticket.status);
        let stage = match now {
            Status::Resolved if before != now => Stage::Resolved,
            Status::Closed | Status::Cancelled if before.is_open() && self.draft.ticket.merged_into.is_none() => {
                Stage::Over
            }
            _ => return,
        };
        let mut told = vec![self.on.ticket.requester.address.clone()];
        for entry in self.on.timeline.iter() {
            let What::Absorbed { number, subject, requester, language } = &entry.what else { continue };
            if told.contains(&requester.address) || hush::nobody_reads(requester.address.local()) {
                continue;
            }
            told.push(requester.address.clone());
            let ticket = Ticket {
                number: *number,
                subject: subject.clone(),
                requester: requester.clone(),
                language: *language,
                fields: Fields::default(),
                related: None,
                ..self.draft.ticket.clone()
            };
            let reader = Reader { mailbox: requester.clone(), language: *language, zone: self.s.policy.desk.zone };
            let due = self.draft.ticket.resolution_due;
            let content = Content::Merged { into: self.on.ticket.number, stage, due, said: None };
            let key = cause(self.mail);
            self.draft.letter_about(ticket, reader, &key, content);
        }
    }

    fn has(&self, wanted: fn(&Command) -> bool) -> bool {
        self.commands.iter().any(wanted)
    }

    fn is_internal(&self) -> bool {
        self.has(|c| matches!(c, Command::Note(_)))
    }

    /// The text below the commands, together with what stood on the deciding commands' own lines.
    fn words(&self) -> Body {
        let on_line = |command: &Command| match command {
            Command::Note(t)
            | Command::Workaround(t)
            | Command::Resolve(t)
            | Command::Close(t)
            | Command::Cancel(t)
            | Command::Reopen(t) => Some(t.clone()),
            _ => None,
        };
        let lines: Vec<String> = self.commands.iter().filter_map(on_line).filter(|text| !text.is_empty()).collect();
        let (line, below) = (lines.join("\n"), &self.inbound.after_commands);
        if line.is_empty() {
            return below.clone();
        }
        let text = format!("{line}\n\n{}", below.text).trim_end().to_owned();
        let html = below.html.as_ref().map(|html| format!("<p>{}</p>{html}", escape(&line).replace('\n', "<br>")));
        Body { text, html }
    }

    /// Sends the text to whom it is meant for: nobody (a note), or the requester in the fitting letter.
    fn say(&mut self) {
        if self.has(|c| matches!(c, Command::Article(_))) {
            return;
        }
        let words = self.words();
        // Whoever sent it hears nothing.
        if self.has(|c| *c == Command::Spam) {
            if !words.text.trim().is_empty() {
                self.draft.record(What::Note, words.text.clone());
            }
            return;
        }
        // They went to the vendor.
        if self.has(|c| matches!(c, Command::Vendor(_))) && !self.is_internal() {
            self.tell_requester_without_words();
            if team::is_urgent(self.draft.ticket.priority) && !words.text.trim().is_empty() {
                self.tell_circle(&words, Writer::Note);
            }
            return;
        }
        if self.is_internal() {
            self.draft.record(What::Note, words.text.clone());
            self.tell_requester_without_words();
            if team::is_urgent(self.draft.ticket.priority) {
                self.tell_circle(&words, Writer::Note);
            }
            return;
        }
        let files = self.files();
        let has_words = !words.text.trim().is_empty() || !files.is_empty();
        let Some(content) = self.letter_for(words.clone(), has_words) else { return };
        let content = self.with_invitation(content);
        if matches!(content, Content::Workaround { .. }) {
            self.draft.record(What::Workaround, words.text.clone());
        } else if matches!(content, Content::Resolution { .. }) && !words.text.trim().is_empty() {
            self.draft.record(What::Solution, words.text.clone());
        } else if has_words {
            self.draft.record(What::Message, words.text.lines().next().unwrap_or("").to_owned());
        }
        if has_words && !self.is_requester() {
            self.answered();
        }
        // An engineer who reports a fault needs no answer from themselves.
        if !(self.is_requester() && matches!(content, Content::Answer { .. })) {
            let (attachments, kept) = self.draft.fitting(&files);
            let (reader, key) = (self.draft.requester(), cause(self.mail));
            self.draft.tell_kept(self.engineer.reader.clone(), kept);
            self.said =
                Some(incident::Said { content: content.clone(), attachments: attachments.clone(), cause: key.clone() });
            self.draft.letter(reader, &key, content).attachments = attachments;
        }
        if has_words {
            self.draft.told_requester();
            self.tell_circle(&words, Writer::Colleague);
        }
    }

    /// The words about an appointment go out with it.
    fn with_invitation(&mut self, content: Content) -> Content {
        match (content, self.invitation.take()) {
            (Content::Answer { author, body, kept }, Some(Content::Visit { change, to, visit, before, entry, .. }))
                if kept.is_empty() =>
            {
                Content::Visit { change, to, visit, before, said: Some(Said { author, body }), entry }
            }
            (content, invitation) => {
                self.invitation = invitation;
                content
            }
        }
    }

    /// A note in a mail that the engineer's own program sent to the requester as well is no secret any more.
    fn warn_of_copies(&mut self) {
        let requester = &self.on.ticket.requester.address;
        let copied = self.inbound.to.iter().chain(&self.inbound.cc).any(|m| m.address == *requester);
        if copied && self.is_internal() && !self.is_requester() {
            let lines = self.inbound.commands.iter().enumerate();
            let notes = lines.filter(|(_, line)| command::canonical(&line.word) == Some("note"));
            self.remarks.extend(notes.map(|(at, _)| (at, Hint::Copied)));
        }
    }

    fn is_requester(&self) -> bool {
        self.on.ticket.requester.address == *self.engineer.address()
    }

    /// The supervisor's words go to whoever has the ticket; when nobody has, the supervisor learns how to find somebody.
    fn say_to_owner(&mut self) {
        let words = self.words();
        let has_words = !words.text.trim().is_empty();
        if has_words {
            self.draft.record(What::Note, words.text.clone());
        }
        let assignee = self.draft.ticket.assignee.as_ref().and_then(|a| self.s.policy.engineer(a));
        if assignee.is_some() {
            if has_words {
                self.tell_circle(&words, Writer::Supervisor);
            }
        } else if self.draft.ticket.status.is_open() {
            let name = |e: &Engineer| format!("{} <{}>", e.reader.mailbox.called(), e.address());
            let engineers = self.s.policy.engineers.iter().map(name).collect();
            // Once a day: a program that answers everything for the supervisor would never come to an end.
            let day = self.draft.now.at_zone(self.s.policy.desk.zone).format("%Y-%m-%d").to_string();
            let reader = self.engineer.reader.clone();
            self.draft.letter(reader, &day, Content::Unheard { body: words, engineers }).answers =
                self.mail.inbound.message_id.clone();
        }
    }

    fn files(&self) -> Vec<Arc<Attachment>> {
        self.inbound.files_of(&self.inbound.after_commands).cloned().collect()
    }

    fn letter_for(&self, body: Body, has_words: bool) -> Option<Content> {
        let author = self.engineer.reader.mailbox.called().to_owned();
        if let Some(into) = self.draft.ticket.merged_into {
            let target = self.s.candidates.iter().find(|c| c.ticket.number == into);
            let resolved = target.is_some_and(|c| c.ticket.status == Status::Resolved);
            let stage = if resolved { Stage::Resolved } else { Stage::InWork };
            let due = target.map_or(self.draft.now, |c| c.ticket.resolution_due);
            let said = has_words.then_some(Said { author, body });
            let heard = !hush::nobody_reads(self.on.ticket.requester.address.local()) && !self.is_requester();
            return (heard || has_words).then_some(Content::Merged { into, stage, due, said });
        }
        if self.has(|c| matches!(c, Command::Resolve(_))) {
            let rating = links(self.s.policy, &self.draft.ticket, self.draft.now);
            return Some(Content::Resolution { author, body, rating, closes: self.draft.closes_at() });
        }
        if self.has(|c| matches!(c, Command::Cancel(_))) {
            return Some(Content::Cancelled { author, body });
        }
        if self.has(|c| matches!(c, Command::Close(_))) {
            return Some(Content::Closed { closing: Closing::ByEngineer { author, body } });
        }
        if self.has(|c| matches!(c, Command::Workaround(_))) {
            return Some(Content::Workaround { author, body });
        }
        if has_words {
            let (_, kept) = self.draft.fitting(&self.files());
            return Some(Content::Answer { author, body, kept });
        }
        let engineer = self.draft.owner().map(|r| r.mailbox.called().to_owned());
        self.has(|c| matches!(c, Command::Reopen(_))).then_some(Content::Reopened { engineer, ask_why: false })
    }

    /// With `#note` the text stays inside, but `#resolve` still has to be confirmed by the requester.
    fn tell_requester_without_words(&mut self) {
        if let Some(content) = self.letter_for(Body::default(), false) {
            let (reader, key) = (self.draft.requester(), cause(self.mail));
            self.said = Some(incident::Said { content: content.clone(), attachments: Vec::new(), cause: key.clone() });
            self.draft.letter(reader, &key, content);
        }
    }

    /// The first human answer: the clock stops, an unowned ticket has an owner, work has begun.
    fn answered(&mut self) {
        self.draft.respond();
        if self.draft.ticket.assignee.is_none() {
            self.draft.assign(self.engineer.address());
        }
        if matches!(self.draft.ticket.status, Status::New | Status::Assigned) {
            self.draft.become_status(Status::InProgress, "");
        }
    }

    /// Whoever has the ticket, and the team of an urgent one, should know what a colleague or the supervisor wrote.
    fn tell_circle(&mut self, words: &Body, writer: Writer) {
        let me = self.engineer.address();
        let mut circle = self.draft.circle();
        // The team hears the last word, too, which ends it.
        if team::is_urgent(self.on.ticket.priority) {
            let before = team::circle(self.s.policy, &self.on.ticket, self.draft.now);
            circle.extend(before.into_iter().filter(|reader| !self.draft.circle().contains(reader)));
        }
        for reader in circle.into_iter().filter(|reader| reader.mailbox.address != *me) {
            let author = self.engineer.reader.mailbox.called().to_owned();
            let (body, address, key) = (words.clone(), me.clone(), cause(self.mail));
            let to_supervisor = self.s.policy.engineer(&reader.mailbox.address).is_none();
            let (kept, outside) = (Vec::new(), Vec::new());
            let expiring = self.mail.inbound.links_expire();
            let content = Content::Message { author, address, body, kept, writer, to_supervisor, outside, expiring };
            self.draft.letter(reader, &key, content);
        }
    }

    /// An urgent ticket calls those who are new to it, and tells its team when it changes hands.
    fn tell_team(&mut self) {
        let (policy, now, me) = (self.s.policy, self.draft.now, self.engineer.address().clone());
        if !team::is_urgent(self.draft.ticket.priority) || !self.draft.ticket.status.is_open() {
            return;
        }
        let knew = team::circle(policy, &self.on.ticket, now);
        let knows = |reader: &Reader| reader.mailbox.address == me || knew.contains(reader);
        self.draft.call_team(&cause(self.mail), &self.on.description, knows);
        let to = self.draft.ticket.assignee.clone().filter(|to| self.on.ticket.assignee.as_ref() != Some(to));
        let Some(lead) = to.as_ref().and_then(|to| policy.engineer(to)) else { return };
        let by = lead.reader.mailbox.called().to_owned();
        for reader in knew {
            let address = &reader.mailbox.address;
            if *address != me && address != lead.address() && *address != self.on.ticket.requester.address {
                self.draft.letter(reader, &cause(self.mail), Content::Taken { by: by.clone() });
            }
        }
    }

    fn answer_questions(&mut self) {
        let (status, wants_list, help) =
            (self.has(|c| *c == Command::Status), self.has(|c| *c == Command::List), self.has(|c| *c == Command::Help));
        let asked = status || wants_list || help;
        if !asked && self.remarks.is_empty() {
            return;
        }
        let remark = |at| self.remarks.iter().find(|(line, _)| *line == at).map(|(_, hint)| hint.clone());
        let lines = self.inbound.commands.iter().enumerate().map(|(at, line)| (line, remark(at)));
        let lines = lines.filter(|(_, remark)| asked || remark.is_some());
        let lines = lines.map(|(line, remark)| transcript_line(line, remark)).collect();
        let status = status.then(|| status_lines(self.s.policy, &self.on.timeline));
        let list = wants_list.then(|| list(self.s.policy, &self.s.own_open, self.draft.now));
        let loads = if list.is_some() { loads(self.s, self.engineer, self.draft.now) } else { Vec::new() };
        let content = Content::Transcript { lines, held_back: None, status, list, loads, help };
        let key = cause(self.mail);
        self.draft.letter(self.engineer.reader.clone(), &key, content).answers = self.mail.inbound.message_id.clone();
    }

    /// Nothing is done and nothing goes out; the engineer learns which line, and what to write instead.
    fn refuse(&mut self, lines: Vec<TranscriptLine>) -> Vec<Effect> {
        let who = Who::Person(self.engineer.address().clone());
        let mut draft = Draft::of(self.s.policy, &self.on.ticket, who, self.draft.now);
        draft.effect(Effect::Join { number: self.on.ticket.number, visibility: Visibility::Internal });
        let refused: Vec<_> = lines.iter().map(|l| l.line.clone()).collect();
        draft.record(What::Refused, refused.join("\n"));
        transcript(&mut draft, self.engineer, self.mail, lines, Some(self.inbound.body.clone()));
        draft.effect(Effect::Participants(self.on.ticket.number, vec![self.engineer.address().clone()]));
        draft.finish()
    }

    fn finish(&mut self) -> Vec<Effect> {
        let number = self.on.ticket.number;
        let who = Who::Person(self.engineer.address().clone());
        let empty = Draft::of(self.s.policy, &self.on.ticket, who, self.draft.now);
        let mut draft = std::mem::replace(&mut self.draft, empty);
        let called = draft.circle().into_iter().map(|reader| reader.mailbox.address);
        let people = [Some(self.engineer.address().clone()), draft.ticket.assignee.clone()].into_iter().flatten();
        draft.effect(Effect::Participants(number, people.chain(called).collect()));
        draft.finish()
    }
}

pub(super) fn transcript(
    draft: &mut Draft,
    engineer: &Engineer,
    mail: &Mail,
    lines: Vec<TranscriptLine>,
    held_back: Option<Body>,
) {
    let loads = Vec::new();
    let content = Content::Transcript { lines, held_back, status: None, list: None, loads, help: false };
    let key = cause(mail);
    draft.letter(engineer.reader.clone(), &key, content).answers = mail.inbound.message_id.clone();
}

/// One line that was not carried out, to somebody who works here.
pub(super) fn transcript_to(draft: &mut Draft, reader: &Reader, mail: &Mail, line: String, hint: Hint) {
    let lines = vec![TranscriptLine { line, done: false, hint }];
    let (held_back, loads) = (Some(mail.inbound.body.clone()), Vec::new());
    let content = Content::Transcript { lines, held_back, status: None, list: None, loads, help: false };
    draft.letter(reader.clone(), &cause(mail), content).answers = mail.inbound.message_id.clone();
}

pub(super) fn status_lines(policy: &Policy, timeline: &[Entry]) -> Vec<StatusLine> {
    let name = |who: &Who| match who {
        Who::Desk => String::new(),
        Who::Person(address) => policy
            .engineer(address)
            .map_or_else(|| address.as_str().to_owned(), |e| e.reader.mailbox.called().to_owned()),
    };
    let newest = timeline.len().saturating_sub(60);
    let line = |e: &Entry| StatusLine { at: e.at, who: name(&e.who), what: e.what.clone(), why: e.why.clone() };
    timeline[newest..].iter().map(line).collect()
}

/// By address, by whole name, or by a part of the name that only one engineer has.
fn find_engineer<'a>(policy: &'a Policy, wanted: &str) -> Option<&'a Engineer> {
    let wanted = command::fold(wanted);
    if let Some(found) = Address::parse(&wanted).and_then(|a| policy.engineer(&a)) {
        return Some(found);
    }
    let names = |e: &Engineer| command::fold(e.reader.mailbox.called());
    let only = |test: &dyn Fn(&Engineer) -> bool| {
        let mut found = policy.engineers.iter().filter(|e| test(e));
        found.next().filter(|_| found.next().is_none())
    };
    only(&|e| names(e) == wanted || e.address().local() == wanted).or_else(|| only(&|e| names(e).contains(&wanted)))
}

/// A command whose text the requester reads.
fn tells_requester(command: &Command) -> bool {
    use Command::{Cancel, Close, Reopen, Resolve, Visit, Workaround};
    matches!(command, Resolve(_) | Close(_) | Cancel(_) | Workaround(_) | Reopen(_) | Visit(_))
}

fn vendor_names(policy: &Policy) -> String {
    let names: Vec<&str> = policy.vendors.iter().map(|vendor| vendor.reader.mailbox.called()).collect();
    names.join(", ")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
