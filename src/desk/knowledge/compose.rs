//! A draft from a ticket's timeline: what was told, what was done, what solved it, without whom it happened to.

use super::article::{Article, Parts, State};
use super::mask::{Known, mask};
use super::{is_solved, solution, terms};
use crate::desk::command::fold;
use crate::desk::event::Candidate;
use crate::desk::policy::Policy;
use crate::desk::ticket::{Ticket, What};
use crate::desk::words::{Field, Language};
use crate::time::Timestamp;

/// Characters of the symptom that are taken over.
const SYMPTOM: usize = 800;
/// Steps that are taken over.
const STEPS: usize = 20;

/// A solution shorter than this says nothing to anybody else: 已处理好, done.
const TELLING: usize = 6;

/// Whether a closed ticket has something to teach.
pub fn is_worth_drafting(on: &Candidate) -> bool {
    let said = plain(solution(&on.timeline)).chars().filter(|c| c.is_alphanumeric()).count();
    let known = on.suggested.iter().any(|suggestion| suggestion.helped == Some(true));
    is_solved(&on.ticket) && said >= TELLING && !known && on.article.is_none()
}

/// The draft; masked.
pub fn draft(policy: &Policy, on: &Candidate, now: Timestamp) -> Article {
    let ticket = &on.ticket;
    let language = ticket.language;
    let mut parts = Parts {
        title: ticket.subject.clone(),
        symptom: symptom(on),
        diagnosis: diagnosis(on),
        solution: solved_by(on, language),
        scope: ticket.category.name(language).to_owned(),
        prevention: String::new(),
        keywords: String::new(),
    };
    let known = known(policy, on);
    parts.map(|part| mask(part, &known, language));
    parts.keywords = keywords(ticket, &parts);
    parts.edit("");
    Article {
        ticket: ticket.number,
        state: State::Draft,
        language,
        category: ticket.category,
        parts,
        owner: None,
        drafted: now,
        published: None,
        review: None,
        version: 0,
        shown: 0,
        helped: 0,
        not_helped: 0,
    }
}

/// Everybody who has to do with the ticket, and the numbers they told.
pub fn known(policy: &Policy, on: &Candidate) -> Known {
    let ticket = &on.ticket;
    let field = |field: Field| ticket.fields.get(&field).cloned();
    let staff = policy.engineers.iter().map(|engineer| &engineer.reader);
    let staff = staff.chain(policy.duty.supervisors.iter().map(|supervisor| &supervisor.reader));
    let staff = staff.map(|reader| reader.mailbox.called().to_owned());
    let local = |address: &crate::address::Address| address.local().to_owned();
    // A box of many is no name: it@, info@.
    let people = on.participants.iter().filter(|address| address.local().len() > 3).map(local);
    let copied = ticket.copied.iter().map(|person| person.called().to_owned());
    let names = staff.chain(people).chain(copied).chain([ticket.requester.name.clone()]).chain(field(Field::Name));
    Known {
        names: names.collect(),
        numbers: [Field::EmployeeId, Field::Contact].into_iter().filter_map(field).collect(),
    }
}

fn symptom(on: &Candidate) -> String {
    let mut told: String = plain(&on.description.text).chars().take(SYMPTOM).collect();
    if let Some(error) = on.ticket.fields.get(&Field::Error).filter(|error| !told.contains(error.as_str())) {
        told = format!("{told}\n{error}").trim().to_owned();
    }
    if told.is_empty() { on.ticket.subject.clone() } else { told }
}

fn diagnosis(on: &Candidate) -> String {
    let steps = on.timeline.iter().filter(|entry| entry.what == What::Step).map(|entry| entry.why.trim());
    let steps: Vec<&str> = steps.filter(|step| !step.is_empty()).take(STEPS).collect();
    match &steps[..] {
        [one] => (*one).to_owned(),
        many => many.iter().enumerate().map(|(at, step)| format!("{}. {step}", at + 1)).collect::<Vec<_>>().join("\n"),
    }
}

fn solved_by(on: &Candidate, language: Language) -> String {
    let solution = plain(solution(&on.timeline));
    let workaround = on.timeline.iter().rev().find(|entry| entry.what == What::Workaround).map(|e| plain(&e.why));
    match workaround.filter(|workaround| !workaround.is_empty() && !solution.contains(workaround.as_str())) {
        Some(workaround) => {
            format!("{solution}\n{}{workaround}", language.pick("来不及时的临时办法：", "Until then: "))
        }
        None => solution,
    }
}

/// What the keyword rules found, and the codes in the text.
fn keywords(ticket: &Ticket, parts: &Parts) -> String {
    let found = ticket.matched.iter().map(|term| term.term.replace(' ', "-"));
    let is_code = |term: &String| term.len() > 3 && term.contains(|c: char| c.is_ascii_digit()) && !term.contains('.');
    let letters = |term: &String| term.contains(|c: char| c.is_ascii_alphabetic());
    let codes = terms::of(&format!("{}\n{}\n{}", parts.title, parts.symptom, parts.solution));
    let codes = codes.into_iter().filter(|term| is_code(term) && letters(term)).take(4);
    let mut words: Vec<String> = Vec::new();
    for word in found.take(6).chain(codes) {
        if !words.iter().any(|known| fold(known) == fold(&word)) {
            words.push(word);
        }
    }
    words.join(" ")
}

/// A text without the lines that only greet and thank.
pub fn plain(text: &str) -> String {
    let lines = text.lines().map(str::trim_end).filter(|line| !is_polite(line));
    let mut plain = lines.collect::<Vec<_>>().join("\n");
    while plain.contains("\n\n\n") {
        plain = plain.replace("\n\n\n", "\n\n");
    }
    plain.trim().to_owned()
}

/// `您好：`, `张伟，您好！`, `麻烦看一下，谢谢`, `Hi Helen,`, `Best regards`.
fn is_polite(line: &str) -> bool {
    const CHINESE: &[&str] = &[
        "您好",
        "你好",
        "大家好",
        "谢谢",
        "感谢",
        "多谢",
        "麻烦",
        "辛苦",
        "拜托",
        "祝好",
        "此致",
        "敬礼",
        "请您再试",
        "请再试",
    ];
    const ENGLISH: &[&str] = &[
        "hi",
        "hello",
        "dear",
        "thanks",
        "thank you",
        "many thanks",
        "best regards",
        "kind regards",
        "regards",
        "cheers",
        "please try again",
    ];
    let folded = fold(line);
    let length = folded.chars().count();
    let begins = |word: &&&str| {
        let rest = folded.strip_prefix(**word);
        rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
    };
    (length <= 14 && CHINESE.iter().any(|word| folded.contains(word)))
        || (length <= 32 && folded.split(' ').count() <= 5 && ENGLISH.iter().any(|word| begins(&word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn politeness_is_left_out_and_nothing_else() {
        let check = |text: &str, left: &str| assert_eq!(plain(text), left, "{text}");
        check("您好：\n打印机卡纸。\n\n\n\n重启过也不行\n麻烦看一下，谢谢", "打印机卡纸。\n\n重启过也不行");
        check("Hi Daniel,\n\nthe printer jams.\n\nBest regards\n", "the printer jams.");
        check("Highlight the line and press F5", "Highlight the line and press F5");
        check(
            "您好，打印机从今天早上开始一直卡纸，麻烦看一下，谢谢",
            "您好，打印机从今天早上开始一直卡纸，麻烦看一下，谢谢",
        );
        check(
            "Hello there, the printer in the third floor does not print since Monday",
            "Hello there, the printer in the third floor does not print since Monday",
        );
        check("", "");
    }
}
