//! The sections about who is who: the desk itself, its engineers, the duty supervisor.

use super::document::Section;
use super::values::{self, Place};
use crate::address::Mailbox;
use crate::desk::duty::{Roster, Staff};
use crate::desk::policy::{Engineer, Identity, Reader, Site};
use crate::desk::vendor::Vendor;
use crate::desk::words::{Category, Language};
use crate::time::calendar::Holidays;
use crate::time::{Calendar, Timestamp};
use chrono::NaiveDate;
use chrono_tz::Tz;
use std::path::PathBuf;

/// The `[desk]` section as far as it could be read.
pub struct Desk {
    /// `None` when the address is missing or wrong.
    pub identity: Option<Identity>,
    pub zone: Tz,
    pub language: Language,
    /// Folder whose letters replace the built-in ones.
    pub templates: Option<PathBuf>,
    /// Nothing that arrived earlier is answered; `None`: the time of the first start.
    pub start: Option<Timestamp>,
}

impl Desk {
    pub fn read(section: &Section, place: &Place) -> Desk {
        let address = section.required("address", "the address people write to", values::address);
        let zone = section.parse("zone", values::zone).unwrap_or(chrono_tz::Asia::Shanghai);
        let language = section.parse("language", values::language).unwrap_or_default();
        let name_zh = section.text("name").unwrap_or_else(|| "IT服务台".into());
        let name_en = section.text("name_en").unwrap_or_else(|| "IT Service Desk".into());
        let aliases = section.list("aliases", values::address).unwrap_or_default();
        let own_lists = section.list("own_lists", values::list_name).unwrap_or_default();
        let domains = section.list("domains", values::domain);
        let public_url = section.parse("public_url", values::public_url);
        let templates = section.parse("templates", |text| {
            let path = place.path(text);
            if path.is_dir() { Ok(path) } else { Err(format!("{} is not a folder", path.display())) }
        });
        let start = section.parse("start", values::timestamp);
        let yes_or_no = |text: &str| values::word(&[("yes", true), ("no", false)], text);
        let plus_addresses = section.parse("plus_addresses", yes_or_no).unwrap_or(false);
        let identity = address.map(|address| Identity {
            plus_addresses,
            domains: domains.unwrap_or_else(|| vec![address.domain().to_owned()]),
            name_zh,
            name_en,
            address,
            aliases,
            own_lists,
            public_url,
            zone,
            language,
        });
        Desk { identity, zone, language, templates, start }
    }

    fn reader(&self, section: &Section) -> Option<Reader> {
        let address = section.required("address", "a mail address", values::address);
        let mailbox = Mailbox::new(address?, section.text("name").unwrap_or_default());
        let language = section.parse("language", values::language).unwrap_or(self.language);
        let zone = section.parse("zone", values::zone).unwrap_or(self.zone);
        Some(Reader { mailbox, language, zone })
    }

    /// A supervisor or a manager.
    pub fn staff(&self, section: &Section) -> Option<Staff> {
        let reader = self.reader(section);
        let zone = reader.as_ref().map_or(self.zone, |r| r.zone);
        let away = section.list("away", |text| values::away(text, zone)).unwrap_or_default();
        Some(Staff { reader: reader?, away })
    }

    /// The head of a department.
    pub fn head(&self, section: &Section) -> Option<Reader> {
        self.reader(section)
    }

    pub fn vendor(&self, section: &Section) -> Option<Vendor> {
        let reader = self.reader(section);
        if !section.has("name") {
            section.missing("name", "what engineers call them in #vendor");
        }
        let categories = section.list("categories", values::category).unwrap_or_else(|| vec![Category::Hardware]);
        let at_once = section.parse("at_once", |t| values::word(&[("yes", true), ("no", false)], t)).unwrap_or(false);
        Some(Vendor { reader: reader?, categories, at_once })
    }

    /// `[duty]`: handover, and the weeks that take turns. `None` without any.
    pub fn roster(&self, section: &Section, supervisors: &[Staff]) -> Option<Roster> {
        let handover = section.parse("handover", values::time_of_day).unwrap_or(9 * 60);
        let since = section.parse("since", values::date);
        let weeks = section.sections("week");
        if weeks.len() > 1 && since.is_none() {
            section.missing("since", "a day of the week in which the first [[duty.week]] holds");
        }
        let named = |text: &str| {
            let address = values::address(text)?;
            match supervisors.iter().any(|s| s.reader.mailbox.address == address) {
                true => Ok(address),
                false => Err(format!("{address} is no [[supervisor]]")),
            }
        };
        let week = |section: &Section| {
            let every = section.list("every", named);
            values::WEEKDAYS.map(|day| {
                let people = section.list(day, named).or(every.clone()).unwrap_or_default();
                // A name that is wrong is a fault of its own.
                let written = section.list(day, |text| Ok(text.to_owned())).or(every.is_some().then(Vec::new));
                if people.is_empty() && written.is_none_or(|names| names.is_empty()) {
                    section.fault(day, "nobody is on duty that day");
                }
                people
            })
        };
        let weeks: Vec<_> = weeks.iter().map(week).collect();
        let since = since.unwrap_or(NaiveDate::from_ymd_opt(2026, 1, 5)?);
        (!weeks.is_empty()).then_some(Roster { zone: self.zone, handover, since, weeks })
    }

    /// `holidays` are those of the desk: they free everyone.
    pub fn engineer(&self, section: &Section, holidays: &Holidays, sites: &[Site]) -> Option<Engineer> {
        let reader = self.reader(section);
        let zone = reader.as_ref().map_or(self.zone, |r| r.zone);
        let level = section.integer("level", 1..4).and_then(|level| u8::try_from(level).ok());
        if !section.has("level") {
            section.missing("level", "1 junior, 2 desk or 3 senior");
        }
        let skills = section.list("skills", values::category).unwrap_or_default();
        let hours = values::week(&section.section("hours"));
        let hours = hours.map(|week| Calendar::working(zone, week, holidays.clone()));
        let away = section.list("away", |text| values::away(text, zone)).unwrap_or_default();
        let site = section.parse("site", |name| match sites.iter().find(|site| site.name == name) {
            Some(site) => Ok(site.name.clone()),
            None => Err(format!("{name:?} is no [[site]]")),
        });
        let aliases = section.list("aliases", values::address).unwrap_or_default();
        Some(Engineer { reader: reader?, aliases, level: level?, skills, hours, away, site })
    }
}
