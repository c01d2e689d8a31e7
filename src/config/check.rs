//! Faults that only show when sections are held against each other.

use super::Config;
use super::document::Section;
use super::modules::is_own;
use super::transport::{Mailbox, Web};
use crate::address::Address;
use crate::desk::policy::{Engineer, Identity, Reader};
use crate::time::{Calendar, Timestamp};
use chrono::Datelike as _;
use std::collections::HashMap;

/// How far ahead the roster is looked at.
const DAYS_AHEAD: u32 = 60;

/// There is a mailbox, and what was read of each is remembered under a name of its own.
pub fn mailboxes(root: &Section, mailboxes: &[(Section, Option<Mailbox>)]) {
    if mailboxes.is_empty() {
        root.missing("mailbox", "at least one [[mailbox]] to watch");
    }
    let mut names = HashMap::new();
    for (section, mailbox) in mailboxes {
        let Some(mailbox) = mailbox else { continue };
        if let Some(line) = names.insert(mailbox.name.clone(), section.line()) {
            section.fault_here(format!("the mailbox of line {line} has the same name {:?}", mailbox.name));
        }
    }
}

/// `others`: supervisors and managers.
///
/// Engineers are there, listed once, and nobody has an address of the desk: their mail would be taken for the desk's
/// own and never read (`hardening.md` L27).
pub fn people(
    root: &Section,
    identity: Option<&Identity>,
    mailboxes: &[(Section, Option<Mailbox>)],
    engineers: &[(Section, Option<Engineer>)],
    others: &[(Section, Option<Reader>)],
) {
    if engineers.is_empty() {
        root.missing("engineer", "at least one [[engineer]] who gets the tickets");
    }
    let watched = |address: &Address| is_own(identity, mailboxes, address);
    const OWN: &str = "is an address of the desk itself; a person needs another one";
    let mut seen = HashMap::new();
    for (section, engineer) in engineers {
        let Some(engineer) = engineer else { continue };
        if watched(engineer.address()) {
            section.fault("address", OWN);
        }
        if engineer.aliases.iter().any(watched) {
            section.fault("aliases", OWN);
        }
        // Letters to a mistyped domain bounce, or worse, reach somebody.
        if let Some(desk) = identity.filter(|desk| !desk.is_colleague(engineer.address())) {
            let (domain, known) = (engineer.address().domain(), desk.domains.join(", "));
            section.warn(
                "address",
                format!("{domain} is no mail domain of yours ({known}): a slip, or add it to domains"),
            );
        }
        for (key, address) in engineer.aliases.iter().map(|a| ("aliases", a)).chain([("address", engineer.address())]) {
            if let Some(line) = seen.insert(address.key().to_owned(), section.line()) {
                section.fault(key, format!("the engineer of line {line} has the same address"));
            }
        }
    }
    for (section, reader) in others {
        if reader.as_ref().is_some_and(|reader| watched(&reader.mailbox.address)) {
            section.fault("address", OWN);
        }
    }
}

/// Links in letters lead to pages that are served.
pub fn links(root: &Section, identity: Option<&Identity>, web: Option<Web>) {
    let desk = root.section("desk");
    let url = identity.and_then(|identity| identity.public_url.as_deref());
    if url.is_some() && web.is_none() {
        desk.fault("public_url", "links need the pages: add a [web] section, or leave public_url out");
    }
    let is_open = |url: &str| url.starts_with("http://") && !url.starts_with("http://127.0.0.1");
    if url.is_some_and(is_open) {
        desk.warn("public_url", "links are not protected: prefer https");
    }
}

/// What will be missing soon, as of `now`: days without a supervisor, and next year's public holidays from December on.
pub fn coming(config: &Config, now: Timestamp) -> Vec<String> {
    let mut coming = Vec::new();
    let gaps = config.duty.gaps(now, DAYS_AHEAD);
    if let Some(first) = gaps.first() {
        let more = if gaps.len() > 1 { format!(" and {} more days", gaps.len() - 1) } else { String::new() };
        coming.push(format!(
            "duty: nobody of the roster is there on {first}{more}: add a substitute to that day's [[duty.week]]"
        ));
    }
    coming.extend(holidays_missing("calendar", &config.calendar, now));
    for site in &config.sites {
        let own = site.calendar.as_ref();
        coming.extend(own.and_then(|own| holidays_missing(&format!("site {:?}: calendar", site.name), own, now)));
    }
    coming
}

/// Next year's, in December; nothing when none are wanted.
fn holidays_missing(place: &str, calendar: &Calendar, now: Timestamp) -> Option<String> {
    let today = now.at_zone(calendar.zone()).date_naive();
    let (known, next) = (calendar.years_known(), today.year() + 1);
    let missing = today.month() == 12 && !known.is_empty() && !known.contains(&next);
    missing.then(|| {
        format!(
            "{place}: the public holidays of {next} are not known, its working days would be wrong: add them with overrides"
        )
    })
}
