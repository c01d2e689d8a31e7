//! What only the configuration can tell of a mail: that an engineer wrote it from another of their addresses, and which command
//! the address it went to gives (`it+take@corp.example`).

use crate::desk::command::{self, CommandLine};
use crate::desk::inbound::{Body, Inbound};
use crate::desk::policy::Policy;
use crate::desk::quote;

/// Puts it into the message: from here on the author has their one address, and a command stands where it would have been
/// typed.
pub fn settle(policy: &Policy, inbound: &mut Inbound) {
    let Some(from) = inbound.from.as_mut() else { return };
    let Some(engineer) = policy.engineer(&from.address) else { return };
    if from.address != *engineer.address() {
        inbound.sent_as = Some(std::mem::replace(&mut from.address, engineer.address().clone()));
    }
    let verbs = inbound.to.iter().chain(&inbound.cc).filter_map(|person| policy.desk.verb(&person.address));
    let verbs: Vec<&'static str> = verbs.filter_map(command::canonical).collect();
    if verbs.is_empty() {
        return;
    }
    // Nothing needs to be typed: a letter that is only quoted, and the reference that the link put there, are no text.
    let words = without_references(&quote::own_words(&policy.key, inbound, engineer.address()));
    if words != inbound.body.text.trim() && inbound.commands.is_empty() {
        inbound.body = Body { text: words, html: None };
        inbound.after_commands = inbound.body.clone();
    }
    let given = |verb: &str| inbound.commands.iter().any(|line| command::canonical(&line.word) == Some(verb));
    let new: Vec<&str> = verbs.into_iter().filter(|verb| !given(verb)).collect();
    for verb in new.into_iter().rev() {
        inbound.commands.insert(0, CommandLine { word: verb.to_owned(), value: String::new() });
    }
}

fn without_references(text: &str) -> String {
    let is_reference = |line: &str| {
        let (number, mac) = line.trim().split_once('-').unwrap_or(("", ""));
        crate::desk::ticket::Number::parse(number).is_some() && mac.len() == 8
    };
    text.lines().filter(|line| !is_reference(line)).collect::<Vec<_>>().join("\n").trim().to_owned()
}
