//! A letter: something to be said to someone, as data. `mail::render` finds the words, `mail::compose` the bytes.

use crate::address::{Address, Mailbox, MessageId};
use crate::desk::command::Hint;
use crate::desk::digest::page::Page;
use crate::desk::inbound::{Attachment, Body};
use crate::desk::outage;
use crate::desk::policy::{Reader, Role};
use crate::desk::review;
use crate::desk::ticket::{Number, Report, Ticket};
use crate::desk::words::{Attendance, Clock, Field, Priority, Rating, Wait};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Something to be said to one reader.
#[derive(Clone, Debug)]
pub struct Letter {
    /// One cause, one letter: a second letter with the same key is never queued. Also the seed of its Message-ID.
    pub key: String,
    pub to: Reader,
    /// The ticket as it is after this event; `None` for letters about no ticket.
    pub ticket: Option<Box<Ticket>>,
    pub content: Content,
    /// The message this letter answers, when it came from the same reader.
    pub answers: Option<MessageId>,
    /// Sent along: screenshots and files of the message that is passed on.
    pub attachments: Vec<Arc<Attachment>>,
    /// The files of the ticket's first message go along too: the reader has not seen them.
    pub with_first_files: bool,
}

/// What the letter says; the variant's snake-case name is the template's name.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "letter")]
pub enum Content {
    /// To the requester: we have it; number, priority, promised times, what is still missing.
    Acknowledgement {
        /// Facts worth asking; empty when nothing is missing or they were asked before.
        missing: Vec<Field>,
        /// Who works on it, when already known.
        engineer: Option<String>,
        /// Not a colleague: nothing of what they wrote is repeated (S44).
        outsider: bool,
        /// The fault was reported before; it is to be mended by then.
        known: Option<Timestamp>,
        /// Somebody else registered it for them.
        behalf: Option<Registered>,
        /// An article that may answer the question at once.
        article: Option<Shown>,
    },
    /// To an engineer (or the supervisor when nobody is free): here is a ticket for you.
    Notice {
        reason: NoticeReason,
        body: Body,
        missing: Vec<Field>,
        /// Open tickets that may be about the same, by subject tag without proof.
        may_belong_to: Option<Number>,
        /// Files that were too large to send along, by name.
        kept: Vec<String>,
        /// Signs worth showing: odd sender, look-alike domain, several faults in one mail.
        warnings: Vec<String>,
        /// Articles and solved tickets that are like it.
        similar: Vec<Known>,
    },
    /// To the requester: an engineer's words.
    Answer { author: String, body: Body, kept: Vec<String> },
    /// To the engineer: the requester's (or another participant's) words.
    Message {
        author: String,
        address: Address,
        body: Body,
        kept: Vec<String>,
        writer: Writer,
        /// The reader is the supervisor: what they reply is for the engineers.
        to_supervisor: bool,
        /// Addresses of nobody here that the mail went to as well: the desk does not write to them.
        outside: Vec<Address>,
        /// It links to files that its provider keeps for some days.
        expiring: bool,
    },
    /// To somebody in copy: what was said to the requester, or by somebody on the ticket.
    Copied {
        stage: CopyStage,
        /// Empty: the desk itself.
        author: String,
        body: Body,
        kept: Vec<String>,
    },
    /// To the engineer: the requester's few words propose to end the ticket; a yes does it.
    Proposal { action: Action, author: String, body: Body },
    /// To the supervisor: nobody has got back to a requester who was not satisfied.
    FollowUp {
        /// When that was to be done.
        due: Timestamp,
        engineer: Option<String>,
        comment: String,
    },
    /// To the author, once on a ticket: these files were too large to be passed on.
    FilesKept {
        names: Vec<String>,
        /// In bytes.
        limit: usize,
    },
    /// To the engineer: the requester filled in the form of the acknowledgement.
    Completed {
        author: String,
        /// What is known now and was not before.
        facts: Vec<Fact>,
        /// What contradicts the directory, in words.
        odd: Vec<String>,
        /// What they wrote besides.
        body: Option<Body>,
        kept: Vec<String>,
        /// The reader is the supervisor: what they reply is for the engineers.
        to_supervisor: bool,
    },
    /// To the requester: what helps until it is fixed.
    Workaround { author: String, body: Body },
    /// To the requester: done, please try it and rate.
    Resolution { author: String, body: Body, rating: RatingLinks, closes: Timestamp },
    /// To the requester, once: please confirm.
    ConfirmReminder { rating: RatingLinks, closes: Timestamp },
    /// To the requester, once: your answer can be read two ways, which is it?
    Clarify { rating: RatingLinks },
    /// To the requester: work goes on, with whom and until when.
    Reopened {
        engineer: Option<String>,
        /// They were not satisfied and did not say why.
        ask_why: bool,
    },
    /// To the requester: the ticket is closed; how to come back.
    Closed { closing: Closing },
    /// To a requester whose ticket was merged into another: once when that happens, and about the result. Of the other
    /// ticket nothing but its number: its words are somebody else's.
    Merged {
        into: Number,
        stage: Stage,
        /// When the other ticket is to be resolved.
        due: Timestamp,
        /// What the engineer added.
        said: Option<Said>,
    },
    /// To the requester: withdrawn.
    Cancelled { author: String, body: Body },
    /// To an engineer: what became of each command line, and what was asked for.
    Transcript {
        lines: Vec<TranscriptLine>,
        /// What the engineer wrote, when nothing was sent because of a refused line.
        held_back: Option<Body>,
        /// The ticket's timeline (`#status`), newest last.
        status: Option<Vec<StatusLine>>,
        /// Open tickets of this engineer (`#list`).
        list: Option<Vec<ListLine>>,
        /// How many everybody has, with the list; empty without it.
        loads: Vec<LoadLine>,
        help: bool,
    },
    /// To an engineer whose message was not proven: reply to this and it is carried out.
    ConfirmCommand {
        /// The text below the commands.
        body: Body,
        commands: Vec<String>,
        /// The answer was neither yes nor no.
        again: bool,
    },
    /// To the supervisor: somebody wrote in an engineer's name.
    Impersonated {
        author: String,
        address: Address,
        commands: Vec<String>,
        body: Body,
        /// The engineer had said yes before.
        carried_out: bool,
    },
    /// To the supervisor who answered about a ticket that nobody has: what they wrote, and whom they could name.
    Unheard { body: Body, engineers: Vec<String> },
    /// To the engineer and the supervisor: "not satisfied" was a slip, there is nothing left to do.
    TakenBack { rating: Rating, comment: String },
    /// To the supervisor: a requester is not satisfied; who had it, who has it now.
    Dissatisfied {
        before: Option<String>,
        now: Option<String>,
        comment: String,
        /// Until when somebody is to get back to them.
        due: Timestamp,
    },
    /// To the engineer, the supervisor or a manager: a target runs out, or was missed.
    Escalation {
        step: Step,
        role: Role,
        /// The supervisor is not on duty, but nobody else is there.
        stand_in: bool,
        /// The letter to this supervisor could not be delivered.
        instead_of: Option<String>,
    },
    /// The same about several tickets, when the desk could not say so in time.
    Overdue {
        steps: Vec<Step>,
        /// The reader is not on duty as supervisor, but nobody else is there.
        stand_in: bool,
    },
    /// To the head of a department: a module it needs is down, or is up again.
    Outage {
        module: String,
        stage: outage::Stage,
        /// When it is to be mended, if that is still to come.
        restored: Option<Timestamp>,
    },
    /// To a vendor: spare parts or support are needed.
    Vendor {
        /// The engineer who asks; `None`: the desk itself, with the requester's words.
        author: Option<String>,
        body: Body,
    },
    /// To whoever leads, and once to the supervisor: many report the same fault.
    Incident {
        /// With the leading one.
        count: usize,
        departments: usize,
        /// The newest first, a handful at most.
        reports: Vec<Report>,
    },
    /// To the requester whose answer is waited for: a reminder.
    Waiting { since: Timestamp, closes: Timestamp, last: bool },
    /// To the engineer and the supervisor: somebody lets the ticket wait for long.
    OnHold { wait: Wait, since: Timestamp },
    /// To the next engineer, or the supervisor when there is none: the one before is not there any more.
    Handover {
        before: String,
        /// The end of the leave; `None`: gone for good.
        until: Option<Timestamp>,
        /// There is a next engineer.
        found: bool,
        body: Body,
        /// What happened so far, newest last.
        history: Vec<StatusLine>,
    },
    /// To the team of an urgent ticket: somebody has it now.
    Taken { by: String },
    /// To the engineer: the requester has heard nothing since then.
    Progress { silent_since: Timestamp },
    /// To the engineer: a letter to somebody on the ticket could not be delivered.
    Undelivered {
        recipient: String,
        reason: String,
        /// Nothing is sent there before.
        until: Option<Timestamp>,
        /// Not news of a letter that came back: another one waits because of it.
        waiting: bool,
    },
    /// To the sender, once a day: the message was larger than the desk takes.
    TooLarge { bytes: usize, limit: usize },
    /// To requester and engineer: an appointment on site, with its entry for their calendars.
    Visit {
        change: Change,
        to: Attendee,
        visit: Appointment,
        /// When it was to be before it was moved.
        before: Option<(Timestamp, Timestamp)>,
        /// What the engineer wrote about it.
        said: Option<Said>,
        entry: Entry,
    },
    /// To requester and engineer, some time before.
    VisitReminder { to: Attendee, visit: Appointment },
    /// To the engineer, some time after: what came of it?
    VisitOver { visit: Appointment },
    /// To the engineer: an answer to the invitation that asks for something.
    VisitAnswer {
        visit: Appointment,
        from: Attendee,
        author: String,
        answer: Attendance,
        proposed: Option<(Timestamp, Timestamp)>,
        /// The line that takes the proposed time.
        command: Option<String>,
        comment: String,
    },
    /// To somebody who is to approve a request.
    ApprovalRequest {
        purpose: Purpose,
        module: String,
        /// Exactly what is approved.
        request: Body,
        /// What the engineer who asks added; may be empty.
        note: String,
        /// Who executes it.
        engineer: Option<String>,
        /// Who else is asked.
        others: Vec<String>,
        /// All of them have to approve, not one.
        all: bool,
        /// When this version was asked.
        asked: Timestamp,
        /// The page; `None` when the desk has no public address (answers by mail only).
        link: Option<String>,
        /// Ties the answer to this version, see [`crate::desk::approval::mark`].
        mark: String,
    },
    /// To the requester and to the engineer: it was asked, approved or rejected.
    ApprovalNews {
        stage: ApprovalStage,
        module: String,
        by: String,
        comment: String,
        /// What was decided about, for the engineer alone; the requester wrote it.
        request: Option<Body>,
    },
    /// To somebody who was asked: what became of it.
    ApprovalReceipt { kind: ReceiptKind, module: String, by: String, comment: String },
    /// To somebody whose answer counts for nothing as it is.
    ApprovalRefused { why: NotCounted, module: String },
    /// To an owner on whose page a button was pressed: the code that confirms it.
    ApprovalCode { code: String, module: String },
    /// To the engineer who had the ticket: the article it teaches, to be published by their answer; or to its owner after a
    /// while: does it still hold?
    Article {
        purpose: ArticlePurpose,
        name: String,
        /// The parts under their names, as they can be written back.
        form: Body,
        /// How often it was shown to requesters, and what they said.
        shown: i64,
        helped: i64,
        not_helped: i64,
    },
    /// To the engineer: the requester says that an article answered the question, or takes that back.
    ArticleHelped { name: String, helped: bool },
    /// To the engineers and the supervisor of a ticket, or to whom a fault that comes back belongs: the form of the review.
    Review {
        purpose: ReviewPurpose,
        view: review::View,
        /// What happened, newest last; of a problem empty.
        history: Vec<StatusLine>,
        /// The targets it missed.
        late: Vec<review::Late>,
        /// A due date that nobody can read; mostly empty.
        unread: String,
    },
    /// To them and to whoever is to do it: what was planned, in short.
    ReviewPlan {
        purpose: PlanPurpose,
        view: review::View,
        /// Who told it.
        by: String,
        /// The reader is to do it.
        mine: bool,
    },
    /// To the supervisor: nobody has approved for too long.
    ApprovalOverdue {
        module: String,
        /// Who has not answered; empty when there was nobody to ask.
        owners: Vec<String>,
        engineer: Option<String>,
        since: Timestamp,
    },
    /// To supervisors and managers: a regular report.
    Digest { page: Box<Page> },
}

/// Why somebody gets the form of a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewPurpose {
    Ask,
    /// The ticket was reopened and has closed again.
    Again,
    /// A part of it came.
    Missing,
    /// Nothing of the form was found in the reply.
    Unclear,
    /// The reply was not proven to be theirs.
    Unproven,
    Remind,
}

/// Why somebody hears of what was planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanPurpose {
    Recorded,
    Changed,
    /// Its day has come, or is over.
    Due,
    Overdue,
    Done,
    /// The reply said neither that it is done nor anything that changes it.
    Unclear,
    /// The reply was not proven to be theirs.
    Unproven,
}

/// Who registered a report for its requester.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Registered {
    /// The engineer; `None`: a machine passed it on.
    pub by: Option<String>,
    /// How it came, in words: by phone, or the machine's name.
    pub way: Option<String>,
}

/// A fact a requester told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fact {
    pub field: Field,
    pub value: String,
}

/// Why an engineer gets an article to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ArticlePurpose {
    Draft,
    Review,
}

/// Something solved before that is like a new ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Known {
    /// `KB012` or `IT012`.
    pub name: String,
    pub title: String,
    /// How it was solved, in one line.
    pub summary: String,
}

/// An article as a requester sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    pub name: String,
    pub title: String,
    pub text: String,
    /// Where they can say whether it helped; `None` when the desk has no public address.
    pub link: Option<String>,
}

/// Who is invited to an appointment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Attendee {
    Requester,
    Engineer,
}

/// What became of an appointment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    Made,
    /// To another time or place.
    Moved,
    /// Another engineer comes.
    HandedOver,
    Cancelled,
}

/// When, where, and who comes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Appointment {
    pub start: Timestamp,
    pub end: Timestamp,
    /// Empty: nothing was said.
    pub place: String,
    pub engineer: String,
}

/// What the reader's calendar is told (RFC 5546 section 3.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    pub method: Method,
    /// The same through an appointment's life.
    pub uid: String,
    /// Grows with every change.
    pub sequence: i64,
    pub attendees: Vec<Mailbox>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    Request,
    Cancel,
}

/// Why an owner gets a request to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    Ask,
    /// No answer yet.
    Remind,
    /// The owners have not answered, and it is the reader's turn.
    Substitute,
    /// The requester wrote more: an answer to the earlier version does not count.
    Changed,
    /// An answer was not proven, or was to an earlier version.
    Again,
}

impl Purpose {
    pub const ALL: &'static [Purpose] =
        &[Purpose::Ask, Purpose::Remind, Purpose::Substitute, Purpose::Changed, Purpose::Again];

    pub fn as_str(self) -> &'static str {
        match self {
            Purpose::Ask => "ask",
            Purpose::Remind => "remind",
            Purpose::Substitute => "substitute",
            Purpose::Changed => "changed",
            Purpose::Again => "again",
        }
    }
}

/// How far an approval is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalStage {
    Asked,
    Approved,
    Rejected,
}

impl ApprovalStage {
    pub fn as_str(self) -> &'static str {
        match self {
            ApprovalStage::Asked => "asked",
            ApprovalStage::Approved => "approved",
            ApprovalStage::Rejected => "rejected",
        }
    }
}

/// What somebody who was asked hears afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptKind {
    /// They approved, and that settled it.
    Approved,
    Rejected,
    /// Somebody else settled it; there is nothing left to do.
    ApprovedByOther,
    RejectedByOther,
    /// They approved; others still have to.
    Counted,
    /// Nobody has to approve any more.
    Withdrawn,
}

impl ReceiptKind {
    pub fn as_str(self) -> &'static str {
        match self {
            ReceiptKind::Approved => "approved",
            ReceiptKind::Rejected => "rejected",
            ReceiptKind::ApprovedByOther => "approved_by_other",
            ReceiptKind::RejectedByOther => "rejected_by_other",
            ReceiptKind::Counted => "counted",
            ReceiptKind::Withdrawn => "withdrawn",
        }
    }
}

/// Why an answer counts for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NotCounted {
    /// A requester never approves their own.
    OwnRequest,
    /// It is decided, or no longer needed.
    Over,
    /// Several orders, or an order below the text.
    Unclear,
    /// A rejection without a reason.
    NoReason,
    /// The module has other owners now.
    NoOwner,
    /// A text without an order: it went to the engineer.
    OnlyWords,
}

/// How far the targets of a ticket are used up.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    pub number: Number,
    pub subject: String,
    pub requester: String,
    pub priority: Priority,
    /// Who works on it.
    pub engineer: Option<String>,
    /// Only the clocks that gave cause, one or both.
    pub clocks: Vec<ClockStep>,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub struct ClockStep {
    pub clock: Clock,
    pub percent: u32,
    pub due: Timestamp,
    pub breached: bool,
}

/// What a requester's words propose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Resolve,
    Cancel,
}

impl Action {
    pub const ALL: &'static [Action] = &[Action::Resolve, Action::Cancel];

    /// The command that carries it out; also its name in the letter's key.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Resolve => "resolve",
            Action::Cancel => "cancel",
        }
    }
}

/// What somebody in copy hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CopyStage {
    /// An engineer has added them.
    Added,
    /// Somebody on the ticket wrote to the desk.
    Message,
    /// An engineer answered the requester.
    Answer,
    Resolved,
    Closed,
    Cancelled,
    Reopened,
}

/// Who wrote what is passed on to the engineer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Writer {
    /// The requester or somebody else on the ticket.
    Participant,
    /// Somebody in copy, who hears the answers, too.
    Copied,
    /// Not on the ticket; check before you rely on it.
    Stranger,
    /// The supervisor, for the engineer alone: the requester never sees it.
    Supervisor,
    /// Another engineer, who has answered the requester.
    Colleague,
    /// Another engineer, for the desk alone.
    Note,
    /// A vendor who was asked, for the desk alone.
    Vendor,
}

/// How far the ticket is that another one was merged into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    InWork,
    Resolved,
    /// Closed or cancelled without a resolution.
    Over,
}

/// Why an engineer gets a ticket.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum NoticeReason {
    New,
    /// Handed over by a colleague, perhaps with a note.
    Assigned {
        by: String,
        note: String,
    },
    /// Somebody else merged another ticket into this one.
    Merged {
        by: String,
        number: Number,
        /// Who reported the other one; the body is theirs.
        requester: String,
    },
    /// The requester was not satisfied or says it is not solved; their words.
    Reopened {
        comment: String,
    },
    /// Nobody with the skill is there: to the supervisor.
    Unassigned {
        /// The reader is not on duty, but nobody else is there.
        stand_in: bool,
    },
    /// To the team of an urgent ticket, all at once.
    Urgent {
        /// Who has it.
        lead: Option<String>,
        /// Everybody else who is called.
        team: Vec<String>,
        /// What to do when this module is down; may be empty.
        plan: String,
        /// The reader is the supervisor, who may only hand it on.
        supervisor: bool,
        /// The reader is not on duty, but nobody else is there.
        stand_in: bool,
    },
}

/// An engineer's words.
#[derive(Clone, Debug, Serialize)]
pub struct Said {
    pub author: String,
    pub body: Body,
}

/// How a ticket came to be closed.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "how")]
pub enum Closing {
    /// The requester rated it.
    Rated,
    /// The requester said that all is well, without a rating.
    Confirmed,
    /// The requester never answered.
    Silence,
    /// An engineer closed it, with these words.
    ByEngineer { author: String, body: Body },
}

/// The three signed links; `None` when the desk has no public address (rating by mail only).
#[derive(Clone, Debug, Serialize)]
pub struct RatingLinks {
    pub satisfied: Option<String>,
    pub mostly: Option<String>,
    pub dissatisfied: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct TranscriptLine {
    /// The line as written.
    pub line: String,
    pub done: bool,
    /// Why not and what to write instead; empty when done.
    pub hint: Hint,
}

#[derive(Clone, Debug, Serialize)]
pub struct StatusLine {
    pub at: Timestamp,
    /// Name of the person, empty for the desk.
    pub who: String,
    pub what: crate::desk::ticket::What,
    pub why: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct ListLine {
    pub number: Number,
    pub subject: String,
    pub requester: String,
    pub priority: crate::desk::words::Priority,
    pub status: crate::desk::words::Status,
    pub resolution_due: Timestamp,
}

/// How much an engineer has to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LoadLine {
    pub name: String,
    /// Open tickets.
    pub open: i64,
    pub away: bool,
    /// The reader.
    pub me: bool,
}

/// How a letter presents itself to machines (`hardening.md` L9-L12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// An automatic answer to a message: `Auto-Submitted: auto-replied`, null envelope sender.
    AutoReplied,
    /// The desk speaks up by itself: `Auto-Submitted: auto-generated`.
    AutoGenerated,
    /// A person's words passed on: no `Auto-Submitted`.
    Human,
}

impl Content {
    /// The template folder's name.
    pub fn template(&self) -> &'static str {
        match self {
            Content::Acknowledgement { .. } => "acknowledgement",
            Content::Notice { .. } => "notice",
            Content::Answer { .. } => "answer",
            Content::Message { .. } => "message",
            Content::Copied { .. } => "copied",
            Content::FilesKept { .. } => "files_kept",
            Content::Proposal { .. } => "proposal",
            Content::FollowUp { .. } => "follow_up",
            Content::Completed { .. } => "completed",
            Content::Workaround { .. } => "workaround",
            Content::Resolution { .. } => "resolution",
            Content::ConfirmReminder { .. } => "confirm_reminder",
            Content::Clarify { .. } => "clarify",
            Content::Reopened { .. } => "reopened",
            Content::Closed { .. } => "closed",
            Content::Merged { .. } => "merged",
            Content::Cancelled { .. } => "cancelled",
            Content::Transcript { .. } => "transcript",
            Content::ConfirmCommand { .. } => "confirm_command",
            Content::Impersonated { .. } => "impersonated",
            Content::Unheard { .. } => "unheard",
            Content::TakenBack { .. } => "taken_back",
            Content::Dissatisfied { .. } => "dissatisfied",
            Content::Escalation { .. } => "escalation",
            Content::Overdue { .. } => "overdue",
            Content::Outage { .. } => "outage",
            Content::Vendor { .. } => "vendor",
            Content::Incident { .. } => "incident",
            Content::Waiting { .. } => "waiting",
            Content::OnHold { .. } => "on_hold",
            Content::Handover { .. } => "handover",
            Content::Taken { .. } => "taken",
            Content::Progress { .. } => "progress",
            Content::Undelivered { .. } => "undelivered",
            Content::TooLarge { .. } => "too_large",
            Content::Visit { .. } => "visit",
            Content::VisitReminder { .. } => "visit_reminder",
            Content::VisitOver { .. } => "visit_over",
            Content::VisitAnswer { .. } => "visit_answer",
            Content::ApprovalRequest { .. } => "approval_request",
            Content::ApprovalNews { .. } => "approval_news",
            Content::ApprovalReceipt { .. } => "approval_receipt",
            Content::ApprovalRefused { .. } => "approval_refused",
            Content::ApprovalCode { .. } => "approval_code",
            Content::ApprovalOverdue { .. } => "approval_overdue",
            Content::Article { .. } => "article",
            Content::ArticleHelped { .. } => "article_helped",
            Content::Review { .. } => "review",
            Content::ReviewPlan { .. } => "review_plan",
            Content::Digest { .. } => "digest",
        }
    }

    /// Counts towards what one sender may cause (`hardening.md` L18).
    pub fn is_counted(&self) -> bool {
        matches!(self, Content::Acknowledgement { .. } | Content::Clarify { .. } | Content::TooLarge { .. })
    }

    pub fn manner(&self) -> Manner {
        match self {
            Content::Answer { .. }
            | Content::Message { .. }
            | Content::Completed { .. }
            | Content::Workaround { .. }
            | Content::Resolution { .. }
            | Content::Vendor { author: Some(_), .. }
            | Content::Cancelled { .. } => Manner::Human,
            Content::Copied { author, .. } if !author.is_empty() => Manner::Human,
            Content::Closed { closing: Closing::ByEngineer { .. } }
            | Content::Merged { said: Some(_), .. }
            | Content::Visit { said: Some(_), .. } => Manner::Human,
            Content::Closed { closing: Closing::Silence } => Manner::AutoGenerated,
            Content::Acknowledgement { .. }
            | Content::Clarify { .. }
            | Content::TooLarge { .. }
            | Content::FilesKept { .. }
            | Content::Closed { .. } => Manner::AutoReplied,
            _ => Manner::AutoGenerated,
        }
    }

    /// Whose words these are, when a person's: shown in `From` beside the desk's name.
    pub fn author(&self) -> Option<&str> {
        match self {
            Content::Answer { author, .. }
            | Content::Message { author, .. }
            | Content::Copied { author, .. }
            | Content::Completed { author, .. }
            | Content::Workaround { author, .. }
            | Content::Resolution { author, .. }
            | Content::Cancelled { author, .. }
            | Content::Closed { closing: Closing::ByEngineer { author, .. } }
            | Content::Merged { said: Some(Said { author, .. }), .. }
            | Content::Visit { said: Some(Said { author, .. }), .. } => Some(author),
            _ => None,
        }
    }
}
