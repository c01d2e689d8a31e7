//! The `[[module]]` sections: whose owners approve requests, and the words a module goes by.

use super::document::Section;
use super::people::Desk;
use super::transport::{Mailbox, Source};
use super::values::{self, Place};
use crate::address::{self, Address};
use crate::desk::approval::{Module, Needs};
use crate::desk::outage::Department;
use crate::desk::policy::{Identity, Reader};
use std::collections::HashMap;
use std::time::Duration;

/// What the sections are read against.
pub struct Context<'a> {
    pub desk: &'a Desk,
    /// Engineers, supervisors and managers: an owner who is one of them reads letters as they do.
    pub people: Vec<Reader>,
    pub mailboxes: &'a [(Section<'a>, Option<Mailbox>)],
    /// `[triage.core_modules]`: a module of the same name goes by those words, too.
    pub core_modules: Section<'a>,
    pub working_day: Duration,
    pub place: &'a Place<'a>,
}

const MOST_OF_A_PLAN: usize = 20_000;

/// `[[department]]`: whose heads hear of outages. The modules they need are those of `[[module]]` or of
/// `[triage.core_modules]`.
pub fn departments(sections: &[Section], desk: &Desk, modules: &[Module], core_modules: &Section) -> Vec<Department> {
    let known = |name: &str| modules.iter().any(|m| m.name == name) || core_modules.names().iter().any(|n| n == name);
    let department = |section: &Section| {
        let head = desk.head(section);
        let name = section.text("department");
        if name.is_none() {
            section.missing("department", "the department's name as people write it");
        }
        let module = |name: &str| match known(name) {
            true => Ok(name.to_owned()),
            false => Err(format!("{name:?} is no [[module]] and stands not in [triage.core_modules]")),
        };
        let modules = section.list("modules", module).unwrap_or_default();
        Some(Department { name: name?, head: head?, modules })
    };
    sections.iter().filter_map(department).collect()
}

/// Every module; two of one name, or of one word, are a fault.
pub fn read(sections: &[Section], context: &Context) -> Vec<Module> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut modules = Vec::new();
    for section in sections {
        let Some(module) = module(section, context) else { continue };
        for (key, name) in std::iter::once(("name", &module.name)).chain(module.words.iter().map(|w| ("words", w))) {
            let line = seen.insert(crate::desk::triage::fold(name), section.line());
            if let Some(line) = line.filter(|line| *line != section.line()) {
                section.fault(key, format!("the module of line {line} goes by {name:?} already"));
            }
        }
        modules.push(module);
    }
    modules
}

fn module(section: &Section, context: &Context) -> Option<Module> {
    let name = section.required("name", "what the module is called, for example \"ERP\"", |text| {
        let name = text.trim();
        let fits = !name.is_empty() && name.len() <= 100 && !name.chars().any(char::is_control);
        if fits { Ok(name.to_owned()) } else { Err("expected a short name such as \"ERP\"".to_owned()) }
    });
    let mut words = section.list("words", |word| Ok(word.trim().to_owned())).unwrap_or_default();
    if let Some(name) = &name {
        words.extend(context.core_modules.list(name, |word| Ok(word.to_owned())).unwrap_or_default());
    }
    words.retain(|word| !word.is_empty());
    let language = section.parse("language", values::language).unwrap_or(context.desk.language);
    let reader = |mailbox: address::Mailbox| {
        let known = context.people.iter().find(|reader| reader.mailbox.address == mailbox.address).cloned();
        known.unwrap_or(Reader { mailbox, language, zone: context.desk.zone })
    };
    let owners = people(section, "owners", context);
    let is_given = section.has("owners");
    if !is_given {
        section.missing("owners", "who approves requests for this module");
    } else if owners.as_ref().is_some_and(Vec::is_empty) {
        section.fault("owners", "a module needs at least one owner");
    }
    let plan = context.place.file(section, "plan").map(|(_, text)| text.trim().to_owned()).unwrap_or_default();
    if plan.len() > MOST_OF_A_PLAN {
        section.fault("plan", "a plan goes into a letter: at most 20,000 bytes; name where the rest is");
    }
    let needs = [("any", Needs::Any), ("all", Needs::All)];
    let needs = section.parse("needs", |text| values::word(&needs, text)).unwrap_or_default();
    let substitutes = people(section, "substitutes", context).unwrap_or_default();
    let day = context.working_day;
    let after = |key, usual| section.parse(key, |text| values::working_duration(text, day)).unwrap_or(usual);
    let remind_after = after("remind_after", day);
    let substitute_after = after("substitute_after", 2 * day);
    let escalate_after = after("escalate_after", 3 * day);
    if remind_after >= substitute_after {
        section.fault("remind_after", "the reminder has to come before substitute_after");
    }
    if substitute_after >= escalate_after {
        section.fault("escalate_after", "the supervisor is told after the substitutes: more than substitute_after");
    }
    let readers = |people: Vec<address::Mailbox>| people.into_iter().map(reader).collect();
    Some(Module {
        name: name?,
        words,
        owners: readers(owners?),
        plan,
        needs,
        substitutes: readers(substitutes),
        remind_after,
        substitute_after,
        escalate_after,
    })
}

/// `li@example.com` or `Li Na <li@example.com>`; nobody may be the desk itself.
pub fn people(section: &Section, key: &str, context: &Context) -> Option<Vec<address::Mailbox>> {
    let desk = context.desk.identity.as_ref();
    let person = |text: &str| {
        let mailbox = values::mailbox(text)?;
        if is_own(desk, context.mailboxes, &mailbox.address) {
            return Err(format!("{} is an address of the desk itself; a person needs another one", mailbox.address));
        }
        Ok(mailbox)
    };
    let people = section.list(key, person)?;
    for mailbox in &people {
        if let Some(desk) = desk.filter(|desk| !desk.is_colleague(&mailbox.address)) {
            let (domain, known) = (mailbox.address.domain(), desk.domains.join(", "));
            section.warn(key, format!("{domain} is no mail domain of yours ({known}): a slip, or add it to domains"));
        }
    }
    Some(people)
}

/// An address that the desk reads or writes under: mail from it would be taken for the desk's own.
pub fn is_own(desk: Option<&Identity>, mailboxes: &[(Section, Option<Mailbox>)], address: &Address) -> bool {
    let users = mailboxes.iter().filter_map(|(_, mailbox)| match &mailbox.as_ref()?.source {
        Source::Imap { user, .. } => Address::parse(user),
        Source::Maildir(_) => None,
    });
    users.into_iter().any(|user| user == *address) || desk.is_some_and(|desk| desk.is_own(address))
}
