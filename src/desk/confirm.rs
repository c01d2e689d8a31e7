//! "We received a mail in your name: was it you?" What is asked when an order is not proven, and what the answer means
//! (`hardening.md` S1).
//!
//! Only a clear yes carries anything out. Whatever holds a no is a no, and anything else is asked once more.

use crate::desk::behalf;
use crate::desk::command::{Hint, written};
use crate::desk::draft::Draft;
use crate::desk::engineer::{Voice, Work, transcript};
use crate::desk::event::{Candidate, Effect, Mail, Situation, Visibility};
use crate::desk::inbound::Inbound;
use crate::desk::letter::{Content, TranscriptLine};
use crate::desk::link::own_message_id;
use crate::desk::policy::Engineer;
use crate::desk::quote::above_history;
use crate::desk::requester::{cause, first_line};
use crate::desk::ticket::{What, Who};
use crate::desk::triage::fold;
use crate::time::Timestamp;

/// What the engineer said to the question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    Yes,
    No,
    /// Somebody else wrote in their name: more than a no.
    NotMe,
    Unclear,
}

/// Not proven: nothing is done, nothing goes out, and the engineer is asked to answer what only they receive.
pub fn ask_on(s: &Situation, on: &Candidate, mail: &Mail, engineer: &Engineer, now: Timestamp) -> Vec<Effect> {
    let mut draft = Draft::of(s.policy, &on.ticket, Who::Person(engineer.address().clone()), now);
    draft.effect(Effect::Join { number: on.ticket.number, visibility: Visibility::Internal });
    ask(&mut draft, mail, engineer);
    draft.effect(Effect::Participants(on.ticket.number, vec![engineer.address().clone()]));
    draft.finish()
}

pub fn ask(draft: &mut Draft, mail: &Mail, engineer: &Engineer) {
    draft.record(What::Refused, "unproven");
    question(draft, &mail.inbound, engineer, false).answers = mail.inbound.message_id.clone();
}

/// The letter's key names the message it asks about: that is how its answer finds it.
fn question<'d>(
    draft: &'d mut Draft,
    asked: &Inbound,
    engineer: &Engineer,
    again: bool,
) -> &'d mut crate::desk::letter::Letter {
    let commands = asked.commands.iter().map(written).collect();
    let content = Content::ConfirmCommand { body: asked.after_commands.clone(), commands, again };
    let letter = draft.letter(engineer.reader.clone(), &asked.identity.hex(), content);
    if again {
        // One key is one letter: it is asked again once, whatever comes back.
        letter.key.push_str("/again");
    }
    letter
}

/// The engineer answered the question about `asked`.
pub fn answered(
    s: &Situation,
    on: &Candidate,
    mail: &Mail,
    asked: &Inbound,
    engineer: &Engineer,
    now: Timestamp,
) -> Vec<Effect> {
    let earlier = Earlier::of(on, asked, engineer);
    match (read(&mail.inbound.body.text), &earlier) {
        (Word::Yes, Earlier::None) => carry_out(s, on, mail, asked, engineer, now),
        (word, _) => keep(s, on, mail, asked, engineer, word, &earlier, now),
    }
}

/// What became of the question before.
enum Earlier {
    None,
    Confirmed,
    Declined,
}

impl Earlier {
    fn of(on: &Candidate, asked: &Inbound, engineer: &Engineer) -> Earlier {
        let who = Who::Person(engineer.address().clone());
        let said = |word: &str| on.timeline.iter().any(|e| e.who == who && e.why.starts_with(&mark(word, asked)));
        match (said(DECLINED), said(CONFIRMED)) {
            (_, true) => Earlier::Confirmed,
            (true, _) => Earlier::Declined,
            _ => Earlier::None,
        }
    }
}

const CONFIRMED: &str = "confirmed";
const DECLINED: &str = "declined";

/// How the timeline remembers what was said about which message.
fn mark(word: &str, asked: &Inbound) -> String {
    format!("{word} {}", &asked.identity.hex()[..16])
}

fn carry_out(
    s: &Situation,
    on: &Candidate,
    mail: &Mail,
    asked: &Inbound,
    engineer: &Engineer,
    now: Timestamp,
) -> Vec<Effect> {
    let spelled = behalf::spelled_out(s.policy, asked, engineer.address());
    let asked = spelled.as_ref().unwrap_or(asked);
    let mut work = Work::new(s, on, mail, asked, engineer, now);
    // The mail that opened the engineer's own ticket: its text is the report and stands there already.
    if on.ticket.requester.address == *engineer.address() {
        work.voice = Voice::Report;
    }
    work.draft.record(What::Message, mark(CONFIRMED, asked));
    work.carry_out()
}

/// Nothing is carried out; whoever should know is told.
#[expect(clippy::too_many_arguments, reason = "one call site; a struct would only rename them")]
fn keep(
    s: &Situation,
    on: &Candidate,
    mail: &Mail,
    asked: &Inbound,
    engineer: &Engineer,
    word: Word,
    earlier: &Earlier,
    now: Timestamp,
) -> Vec<Effect> {
    let mut draft = Draft::of(s.policy, &on.ticket, Who::Person(engineer.address().clone()), now);
    draft.effect(Effect::Join { number: on.ticket.number, visibility: Visibility::Internal });
    let words = first_line(&mail.inbound.body.text);
    match (word, earlier) {
        // Said twice, perhaps weeks later: it was carried out the first time.
        (Word::Yes, Earlier::Confirmed) => {}
        (Word::Unclear, Earlier::None) => {
            draft.record(What::Refused, words);
            question(&mut draft, asked, engineer, true).answers = mail.inbound.message_id.clone();
        }
        // Settled, and now something else: it may have been meant for the requester.
        (Word::Unclear, _) => {
            draft.record(What::Refused, words.clone());
            let line = TranscriptLine { line: words, done: false, hint: Hint::WhichMail };
            transcript(&mut draft, engineer, mail, vec![line], Some(mail.inbound.body.clone()));
        }
        (_, Earlier::Confirmed) => {
            draft.record(What::Refused, format!("{}: {words}", mark(DECLINED, asked)));
            transcript(&mut draft, engineer, mail, lines(asked, Hint::CarriedOut), None);
        }
        _ => {
            draft.record(What::Refused, format!("{}: {words}", mark(DECLINED, asked)));
            transcript(&mut draft, engineer, mail, lines(asked, Hint::Withdrawn), None);
        }
    }
    if word == Word::NotMe {
        tell_supervisor(s, &mut draft, mail, asked, engineer, matches!(earlier, Earlier::Confirmed));
    }
    draft.finish()
}

/// The order as written, or the text's first line when there was none.
fn lines(asked: &Inbound, hint: Hint) -> Vec<TranscriptLine> {
    let orders = asked.commands.iter().map(written);
    let text = Some(first_line(&asked.body.text)).filter(|_| asked.commands.is_empty());
    orders.chain(text).map(|line| TranscriptLine { line, done: false, hint: hint.clone() }).collect()
}

fn tell_supervisor(
    s: &Situation,
    draft: &mut Draft,
    mail: &Mail,
    asked: &Inbound,
    engineer: &Engineer,
    carried_out: bool,
) {
    let supervisor = s.policy.supervisor(draft.now).filter(|r| r.mailbox.address != *engineer.address());
    let Some(supervisor) = supervisor else { return };
    let author = engineer.reader.mailbox.called().to_owned();
    let commands = asked.commands.iter().map(written).collect();
    let body = asked.after_commands.clone();
    let content = Content::Impersonated { author, address: engineer.address().clone(), commands, body, carried_out };
    draft.letter(supervisor, &cause(mail), content);
}

/// A bare yes or no while a question is open, in a mail that does not say which letter it answers, as some programs
/// send it: it belongs to the question, not to the requester.
pub fn is_loose_answer(on: &Candidate, inbound: &Inbound, engineer: &Engineer) -> bool {
    let who = Who::Person(engineer.address().clone());
    let own: Vec<_> = on.timeline.iter().filter(|e| e.who == who).collect();
    let asked = own.iter().rposition(|e| e.what == What::Refused && e.why == "unproven");
    let settled = |e: &&crate::desk::ticket::Entry| e.why.starts_with(CONFIRMED) || e.why.starts_with(DECLINED);
    let open = asked.is_some_and(|at| !own[at..].iter().any(settled));
    // A letter of the desk's that is named and asks nothing is answered to the requester, as always.
    let named = inbound.in_reply_to.first().is_some_and(|id| own_message_id(id.as_str()).is_some());
    open && !named && inbound.commands.is_empty() && read(&inbound.body.text) != Word::Unclear
}

/// Reads the answer; the question quoted below it does not count.
pub fn read(text: &str) -> Word {
    // "No text needed" is what the question promises, and a body is kept whole that would be empty without its quote.
    let lines: Vec<String> =
        above_history(text).map(|line| fold(line).replace('確', "确").replace("是不是", "")).collect();
    if lines.iter().any(|line| NOT_ME.iter().any(|phrase| line.contains(phrase))) {
        return Word::NotMe;
    }
    let parts = lines.iter().flat_map(|line| line.split([',', '.', '。', '!', ';', ':', '、', '~', '…']));
    let clauses: Vec<&str> = parts.map(str::trim).filter(|c| !c.is_empty() && !POLITE.contains(c)).collect();
    if clauses.iter().any(|clause| !YES.contains(clause) && is_no(clause)) {
        return Word::No;
    }
    // Thanks alone are no answer.
    let said = !clauses.is_empty() || lines.is_empty();
    if said && clauses.iter().all(|clause| YES.contains(clause)) { Word::Yes } else { Word::Unclear }
}

const POLITE: &[&str] = &[
    "谢谢",
    "多谢",
    "感谢",
    "辛苦了",
    "麻烦了",
    "您好",
    "你好",
    "hi",
    "hello",
    "dear all",
    "thanks",
    "thank you",
    "thx",
    "many thanks",
];

const YES: &[&str] = &[
    "ok",
    "okay",
    "yes",
    "y",
    "yep",
    "yeah",
    "sure",
    "confirm",
    "confirmed",
    "i confirm",
    "yes i confirm",
    "it was me",
    "that was me",
    "this was me",
    "it is me",
    "it's me",
    "yes it was me",
    "yes that was me",
    "it was indeed me",
    "go ahead",
    "please go ahead",
    "do it",
    "please do",
    "please do it",
    "proceed",
    "please proceed",
    "carry it out",
    "please carry it out",
    "agreed",
    "no problem",
    "correct",
    "right",
    "👍",
    "👌",
    "✅",
    "ok 👍",
    "yes please",
    "确认",
    "我确认",
    "确认执行",
    "确认是我",
    "确认是我发的",
    "确认无误",
    "无误",
    "是",
    "是的",
    "对",
    "对的",
    "好",
    "好的",
    "嗯",
    "嗯嗯",
    "行",
    "可以",
    "同意",
    "没错",
    "没问题",
    "是我",
    "是我的",
    "是我发的",
    "是我写的",
    "我发的",
    "是本人",
    "本人",
    "本人发的",
    "是本人发的",
    "请执行",
    "执行",
    "执行吧",
    "马上执行",
    "属实",
];

/// Somebody else wrote it.
const NOT_ME: &[&str] = &[
    "不是我",
    "不是本人",
    "非本人",
    "我没发",
    "我没有发",
    "我没写",
    "没发过",
    "没有发过",
    "别人发的",
    "冒充",
    "冒用",
    "冒名",
    "伪造",
    "盗用",
    "被盗",
    "钓鱼",
    "not me",
    "wasn't me",
    "isn't me",
    "not mine",
    "not from me",
    "not by me",
    "didn't send",
    "did not send",
    "didn't write",
    "did not write",
    "never sent",
    "never wrote",
    "someone else",
    "somebody else",
    "spoofed",
    "forged",
    "hacked",
    "phishing",
    "impersonat",
];

fn is_no(clause: &str) -> bool {
    const CHINESE: &[&str] = &[
        "不",
        "别",
        "否",
        "取消",
        "拒绝",
        "算了",
        "撤回",
        "撤销",
        "勿",
        "请勿",
        "请不要",
        "请取消",
        "停",
        "先不",
        "先别",
        "我不同意",
        "我不要",
        "我不想",
        "我不确认",
        "没",
    ];
    const ENGLISH: &[&str] = &[
        "no",
        "nope",
        "not",
        "don't",
        "dont",
        "never",
        "cancel",
        "stop",
        "reject",
        "decline",
        "refuse",
        "ignore",
        "disregard",
        "withdraw",
        "forget",
        "wrong",
    ];
    let mut words = clause.split_whitespace().skip_while(|word| matches!(*word, "please" | "i" | "do" | "oh"));
    CHINESE.iter().any(|word| clause.starts_with(word))
        || clause.contains('👎')
        || words.next().is_some_and(|word| ENGLISH.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(want: Word, texts: &[&str]) {
        for text in texts {
            assert_eq!(read(text), want, "{text}");
            let quoted = format!("{text}\n\n在 2026-11-23 10:00，IT 服务台 写道：\n> 不是您发的\n> not me");
            assert_eq!(read(&quoted), want, "quoted: {text}");
        }
    }

    #[test]
    fn yes_is_empty_or_plain() {
        check(
            Word::Yes,
            &[
                "",
                "ok",
                "OK!",
                "Yes.",
                "yes, thanks",
                "Yes, it was me.",
                "Go ahead",
                "confirmed",
                "No problem",
                "确认",
                "是的，谢谢",
                "好的",
                "是我发的，请执行",
                "对，是我",
                "没问题",
                "👍",
                "是。\n\n发自我的iPhone",
                "Ok\nSent from my iPhone",
                "您好，确认。",
            ],
        );
    }

    #[test]
    fn no_in_whatever_words() {
        check(
            Word::No,
            &[
                "no",
                "No.",
                "no, cancel it",
                "Cancel",
                "please don't",
                "do not do that",
                "I don't want this any more",
                "stop!",
                "不",
                "不要",
                "不用了",
                "不要执行",
                "取消",
                "取消吧，谢谢",
                "算了",
                "先别执行",
                "请勿执行",
                "不同意",
                "否",
                "👎",
                "ok, no",
                "好的，不过先不要执行\n不用了",
            ],
        );
    }

    #[test]
    fn somebody_else_wrote_it() {
        check(
            Word::NotMe,
            &[
                "不是我",
                "不是我发的！",
                "这不是我发的，是谁？",
                "非本人操作",
                "我没发过这封邮件",
                "有人冒充我",
                "not me",
                "It wasn't me.",
                "That’s not mine",
                "I did not send this",
                "ok but it was not me",
                "Someone else did this",
            ],
        );
    }

    #[test]
    fn anything_else_is_unclear() {
        check(
            Word::Unclear,
            &[
                "稍等，我再看看",
                "收到",
                "谢谢",
                "是不是我发的我忘了",
                "what is this?",
                "请重启电脑",
                "1",
                "🙂",
                "ok, but please restart it first",
                "我在休假，有事请找小王",
            ],
        );
    }

    #[test]
    fn s01_odd_input_is_safe() {
        for text in ["不".repeat(100_000), "\u{200b}".repeat(10_000), ",".repeat(100_000)] {
            read(&text);
        }
    }
}
