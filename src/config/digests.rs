//! The `[[digest]]` sections: who gets which report when; and `[report]`, what figures should be.

use super::document::Section;
use super::modules::{self, Context};
use super::values;
use crate::desk::digest::{Goals, Kind, Plan, Scope};
use crate::desk::policy::{Engineer, Reader};
use crate::time::Cron;
use std::collections::HashMap;

const KINDS: [(&str, Kind); 3] = [("daily", Kind::Daily), ("weekly", Kind::Weekly), ("monthly", Kind::Monthly)];

/// Every report; two of one name are a fault.
pub fn read(sections: &[Section], context: &Context, engineers: &[(Section, Option<Engineer>)]) -> Vec<Plan> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut plans = Vec::new();
    for section in sections {
        let Some(plan) = plan(section, context, engineers) else { continue };
        if let Some(line) = seen.insert(plan.name.clone(), section.line()) {
            section.fault("name", format!("the digest of line {line} has the same name"));
        }
        plans.push(plan);
    }
    plans
}

fn plan(section: &Section, context: &Context, engineers: &[(Section, Option<Engineer>)]) -> Option<Plan> {
    let name = section.required("name", "a short name such as \"weekly\"", |text| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        let fits = (1..=40).contains(&text.len()) && text.chars().all(plain);
        if fits { Ok(text.to_owned()) } else { Err("expected letters, digits, - and _, at most 40".to_owned()) }
    });
    let kind = section.parse("kind", |text| values::word(&KINDS, text)).unwrap_or(Kind::Weekly);
    let usual = match kind {
        Kind::Daily => "30 8 * * *",
        Kind::Weekly => "30 8 * * 1",
        Kind::Monthly => "30 8 1 * *",
    };
    let cron = section.parse("cron", Cron::parse);
    let cron = if section.has("cron") { cron } else { Cron::parse(usual).ok() };
    let zone = section.parse("zone", values::zone).unwrap_or(context.desk.zone);
    let language = section.parse("language", values::language);
    if !section.has("to") {
        section.missing("to", "who gets it: a list of mail addresses");
    }
    let to = modules::people(section, "to", context).unwrap_or_default();
    if section.list("to", |text| Ok(text.to_owned())).is_some_and(|written| written.is_empty()) {
        section.fault("to", "nobody would get it");
    }
    let reader = |mailbox: crate::address::Mailbox| {
        let known = context.people.iter().find(|reader| reader.mailbox.address == mailbox.address).cloned();
        let known = known.unwrap_or(Reader { mailbox, language: context.desk.language, zone });
        Reader { language: language.unwrap_or(known.language), ..known }
    };
    let mut readers: Vec<Reader> = to.into_iter().map(reader).collect();
    readers.sort_by(|a, b| a.mailbox.address.key().cmp(b.mailbox.address.key()));
    readers.dedup_by(|a, b| a.mailbox.address == b.mailbox.address);
    let departments = section.list("departments", |name| Ok(name.trim().to_owned())).unwrap_or_default();
    let engineer = |text: &str| {
        let address = values::address(text)?;
        let known = engineers.iter().filter_map(|(_, engineer)| engineer.as_ref());
        match known.into_iter().any(|engineer| *engineer.address() == address) {
            true => Ok(address),
            false => Err(format!("{address} is no [[engineer]]")),
        }
    };
    let engineers = section.list("engineers", engineer).unwrap_or_default();
    let words = [("yes", true), ("no", false)];
    let on_make_up_days = section.parse("make_up_days", |text| values::word(&words, text)).unwrap_or(false);
    let scope = Scope { departments, engineers };
    Some(Plan { name: name?, kind, cron: cron?, zone, readers, scope, on_make_up_days })
}

/// `[report]`.
pub fn goals(section: &Section) -> Goals {
    let usual = Goals::default();
    let percent =
        |key, usual| section.integer(key, 1..101).map_or(usual, |value| u32::try_from(value).unwrap_or(usual));
    let (response, resolution) = (percent("response", usual.response), percent("resolution", usual.resolution));
    let satisfaction = percent("satisfaction", usual.satisfaction);
    let people = section.section("staff");
    let count = |name: String| Some((name.clone(), u32::try_from(people.integer(&name, 1..1_000_000)?).ok()?));
    let staff = people.names().into_iter().filter_map(count).collect();
    Goals { response, resolution, satisfaction, staff }
}
