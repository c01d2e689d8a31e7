//! The sections about how the desk works: calendar, targets, triage, satisfaction, limits, proof.

use super::document::{Fault, Section};
use super::values::{self, Place};
use crate::desk::duty::Staff;
use crate::desk::policy::{
    Demand, Escalation, Hold, Incident, Knowledge, Limits, Proof, Retention, Reviews, Role, Satisfaction, Site, Target,
    Targets, Visits,
};
use crate::desk::triage::{self, Rules};
use crate::desk::words::Priority;
use crate::time::Calendar;
use crate::time::calendar::{Holidays, Span, Week};
use chrono_tz::Tz;
use std::path::PathBuf;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

/// Hours of Monday to Friday when the section names none.
const USUAL_HOURS: [&str; 2] = ["09:00-12:00", "13:30-18:00"];

/// Working hours of a week, and the days that are different.
#[derive(Clone)]
pub struct Days {
    pub week: Week,
    pub holidays: Holidays,
}

impl Days {
    pub fn in_zone(&self, zone: Tz) -> Calendar {
        Calendar::working(zone, self.week.clone(), self.holidays.clone())
    }
}

/// `[calendar]`: the desk's days. The holidays in it are also those of engineers with hours of their own.
pub fn calendar(section: &Section, place: &Place) -> Days {
    days(section, &Days { week: usual_week(), holidays: Holidays::china() }, place)
}

/// What a section says of the days; what it does not is as `usual`.
fn days(section: &Section, usual: &Days, place: &Place) -> Days {
    let week = values::week(section).unwrap_or_else(|| usual.week.clone());
    let word = |text: &str| values::word(&[("cn", true), ("none", false)], text);
    let mut holidays = match section.parse("holidays", word) {
        None => usual.holidays.clone(),
        Some(true) => Holidays::china(),
        Some(false) => Holidays::default(),
    };
    let files = section.list("overrides", |text| {
        let path = place.path(text);
        let content = std::fs::read_to_string(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
        let is_events = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("ics"));
        let read = if is_events { Holidays::from_icalendar } else { Holidays::from_holiday_json };
        read(&content).map_err(|e| format!("{}: {e}", path.display()))
    });
    files.into_iter().flatten().for_each(|days| holidays.extend(days));
    Days { week, holidays }
}

fn usual_week() -> Week {
    let day: Vec<Span> = USUAL_HOURS.iter().map(|s| Span::parse(s).expect("checked by a test")).collect();
    std::array::from_fn(|weekday| if weekday < 5 { day.clone() } else { Vec::new() })
}

/// `[sla.P1]` to `[sla.P4]`; what is not given stays as in `design.md` section 1.
pub fn targets(section: &Section, working_day: Duration) -> Targets {
    let mut targets = Targets::standard(working_day);
    for (index, priority) in Priority::ALL.iter().enumerate() {
        let section = section.section(priority.as_str());
        let usual = targets.0[index];
        let clock = section.parse("clock", |t| values::word(&[("work", true), ("wall", false)], t));
        let working_time = clock.unwrap_or(usual.working_time);
        let day = if working_time { working_day } else { DAY };
        let duration = |key| section.parse(key, |text| values::working_duration(text, day));
        let target = Target {
            response: duration("response").unwrap_or(usual.response),
            resolution: duration("resolution").unwrap_or(usual.resolution),
            working_time,
        };
        if target.response > target.resolution {
            section.fault("response", "the first response is due after the resolution");
        }
        targets.0[index] = target;
    }
    targets
}

/// `[escalation.P1]` to `[escalation.P4]`; what is not given stays as it is by default.
pub fn escalation(section: &Section, managers: Vec<Staff>) -> Escalation {
    let mut escalation = Escalation { managers, ..Escalation::default() };
    for priority in Priority::ALL {
        let ladder = &mut escalation.ladders[*priority as usize];
        let section = section.section(priority.as_str());
        let progress = section.parse("progress", |text| match text {
            "never" => Ok(None),
            _ => values::duration(text, MINUTE..=DAY).map(Some),
        });
        escalation.progress[*priority as usize] = progress.unwrap_or(escalation.progress[*priority as usize]);
        for (key, rungs) in [("response", &mut ladder.response), ("resolution", &mut ladder.resolution)] {
            let Some(given) = section.list(key, values::rung) else { continue };
            if !given.is_sorted_by(|a, b| a.percent < b.percent) {
                section.fault(key, "each rung needs a higher percentage than the one before");
            }
            let to_managers = given.iter().any(|rung| rung.to.contains(&Role::Managers));
            if to_managers && escalation.managers.is_empty() {
                section.warn(key, "there is no [[manager]] to tell");
            }
            *rungs = given;
        }
    }
    escalation
}

/// Where the keyword rules come from, so that a changed file can be tried in the place of one of them.
#[derive(Clone, Debug, Default)]
pub struct RuleFiles {
    replace: Option<PathBuf>,
    extend: Option<PathBuf>,
    /// Name and words of the core modules.
    modules: Vec<(String, Vec<String>)>,
}

impl RuleFiles {
    /// The rules with this file in the place of the one that extends them or, when there is none, of the one that replaces
    /// them; where the site has neither, it extends the built-in ones.
    ///
    /// # Errors
    /// Every fault of the files with file, line and key.
    pub fn with(&self, file: &std::path::Path) -> Result<Rules, Vec<Fault>> {
        let replaces = self.replace.is_some() && self.extend.is_none();
        let base = if replaces { Some(file) } else { self.replace.as_deref() };
        let mut rules = match base {
            Some(path) => Rules::parse(&read(path)?).map_err(|found| faults_of(path, found))?,
            None => Rules::builtin(),
        };
        if !replaces {
            rules.extend(&read(file)?).map_err(|found| faults_of(file, found))?;
        }
        self.add_modules(&mut rules);
        Ok(rules)
    }

    /// "Down" with one of them is P1.
    fn add_modules(&self, rules: &mut Rules) {
        // In one go: the rules are compiled anew by every call.
        rules.add_modules(
            self.modules
                .iter()
                .map(|(name, words)| (name.as_str(), words.iter().map(String::as_str).collect(), Priority::P1)),
        );
    }
}

fn read(path: &std::path::Path) -> Result<String, Vec<Fault>> {
    let failed = |message| vec![Fault { file: path.to_owned(), line: 1, key: String::new(), message }];
    std::fs::read_to_string(path).map_err(|error| failed(format!("cannot read it: {error}")))
}

fn faults_of(path: &std::path::Path, faults: Vec<triage::Fault>) -> Vec<Fault> {
    let fault = |f: triage::Fault| Fault { file: path.to_owned(), line: f.line, key: f.key, message: f.what };
    faults.into_iter().map(fault).collect()
}

/// The keyword rules: the built-in ones or the site's instead, then the site's additions and core modules.
pub fn rules(section: &Section, place: &Place) -> (Rules, RuleFiles) {
    let replace = place.file(section, "replace");
    let extend = place.file(section, "extend");
    let modules = section.section("core_modules");
    let words = |name: &str| modules.list(name, |word| Ok(word.to_owned())).unwrap_or_default();
    let files = RuleFiles {
        replace: replace.as_ref().map(|(path, _)| path.clone()),
        extend: extend.as_ref().map(|(path, _)| path.clone()),
        modules: modules.names().iter().map(|name| (name.to_string(), words(name))).collect(),
    };
    let mut rules = match replace.map(|(path, text)| (path, Rules::parse(&text))) {
        None => Rules::builtin(),
        Some((_, Ok(rules))) => rules,
        Some((path, Err(found))) => {
            section.faults_of_file(faults_of(&path, found));
            Rules::builtin()
        }
    };
    if let Some((path, text)) = extend
        && let Err(found) = rules.extend(&text)
    {
        section.faults_of_file(faults_of(&path, found));
    }
    files.add_modules(&mut rules);
    (rules, files)
}

pub fn satisfaction(section: &Section, working_day: Duration) -> Satisfaction {
    let working = |key, usual| section.parse(key, |t| values::working_duration(t, working_day)).unwrap_or(usual);
    let wall = |key, usual| section.parse(key, |t| values::duration(t, HOUR..=366 * DAY)).unwrap_or(usual);
    let satisfaction = Satisfaction {
        link_valid: wall("link_valid", 30 * DAY),
        remind_after: working("remind_after", working_day),
        close_after: working("close_after", 3 * working_day),
        reopen_within: wall("reopen_within", 7 * DAY),
    };
    if satisfaction.remind_after >= satisfaction.close_after {
        section.fault("remind_after", "the reminder has to come before close_after");
    }
    satisfaction
}

/// `[pending]`: how long tickets may be on hold.
pub fn hold(section: &Section, working_day: Duration) -> Hold {
    let usual = Hold::standard(working_day);
    let working = |text: &str| values::working_duration(text, working_day);
    let hold = Hold {
        remind: section.list("remind", working).unwrap_or(usual.remind),
        close_after: section.parse("close_after", working).unwrap_or(usual.close_after),
        limit: section.parse("limit", working).unwrap_or(usual.limit),
    };
    if !hold.remind.iter().chain([&hold.close_after]).is_sorted_by(|a, b| a < b) {
        section.fault("remind", "each reminder has to come later than the one before, and all before close_after");
    }
    hold
}

/// `[incident]`: when reports are about one fault.
pub fn incident(section: &Section) -> Incident {
    let usual = Incident::default();
    let departments = section.integer("departments", 2..1001).and_then(|n| usize::try_from(n).ok());
    Incident {
        window: section.parse("window", |t| values::duration(t, MINUTE..=7 * DAY)).unwrap_or(usual.window),
        departments: departments.unwrap_or(usual.departments),
    }
}

/// Bounds on what strangers can cause.
pub fn limits(section: &Section) -> Limits {
    let acknowledgements = section.integers("acknowledgements", 1..10_001).unwrap_or([3, 10, 20]);
    if !acknowledgements.is_sorted() {
        section.fault("acknowledgements", "a longer time cannot have the smaller number");
    }
    Limits {
        acknowledgements,
        tickets_per_hour: section.integer("tickets_per_hour", 1..10_001).unwrap_or(20),
        message_bytes: section.parse("message", values::size).unwrap_or(30 << 20),
        relay_bytes: section.parse("relay", values::size).unwrap_or(10 << 20),
        bounce_pause: section
            .parse("bounce_pause", |text| values::duration(text, Duration::ZERO..=30 * DAY))
            .unwrap_or(3 * DAY),
    }
}

/// `[[site]]`: where people work.
pub fn sites(sections: &[Section], zone: Tz, desk: &Days, place: &Place) -> Vec<Site> {
    let mut sites: Vec<Site> = Vec::new();
    for section in sections {
        let name = section.required("name", "what the site is called", |name| Ok(name.trim().to_owned()));
        let words = section.list("words", |word| match word.trim() {
            "" => Err("a word is empty".to_owned()),
            word => Ok(word.to_owned()),
        });
        let own = section.section("calendar");
        let own_zone = section.parse("zone", values::zone);
        let is_own = own_zone.is_some() || own.is_present();
        let calendar = is_own.then(|| days(&own, desk, place).in_zone(own_zone.unwrap_or(zone)));
        match name {
            Some(name) if name.is_empty() => section.fault("name", "is empty"),
            Some(name) if sites.iter().any(|site| site.name == name) => {
                section.fault("name", format!("there is another site called {name:?}"));
            }
            Some(name) => sites.push(Site { name, words: words.unwrap_or_default(), calendar }),
            None => {}
        }
    }
    sites
}

pub fn visits(section: &Section, working_day: Duration) -> Visits {
    let usual = Visits::default();
    let wall = |key, usual, least, most| section.parse(key, |t| values::duration(t, least..=most)).unwrap_or(usual);
    let minute = Duration::from_secs(60);
    let same_site = section.parse("same_site", |t| values::working_duration(t, working_day));
    Visits {
        same_site: same_site.unwrap_or(usual.same_site),
        other_site: wall("other_site", usual.other_site, minute, 366 * DAY),
        length: wall("length", usual.length, 5 * minute, DAY),
        remind_before: wall("remind_before", usual.remind_before, Duration::ZERO, 7 * DAY),
        ask_after: wall("ask_after", usual.ask_after, Duration::ZERO, 7 * DAY),
    }
}

/// `[knowledge]`: what is learnt from tickets.
pub fn knowledge(section: &Section) -> Knowledge {
    let usual = Knowledge::default();
    let drafts = section.parse("drafts", |t| values::word(&[("yes", true), ("no", false)], t));
    let percent = section.integer("suggest_from", 1..101).map(|percent| percent as f64 / 100.0);
    Knowledge {
        drafts: drafts.unwrap_or(usual.drafts),
        review_after: section
            .parse("review_after", |t| values::duration(t, DAY..=3660 * DAY))
            .unwrap_or(usual.review_after),
        suggest_from: percent.unwrap_or(usual.suggest_from),
    }
}

/// `[review]`: what is learnt from what went wrong.
pub fn reviews(section: &Section, working_day: Duration) -> Reviews {
    let usual = Reviews::standard(working_day);
    let is_wanted = |key| section.parse(key, |t| values::word(&[("yes", true), ("no", false)], t));
    let recurrences = section.integer("recurrences", 2..101).and_then(|n| usize::try_from(n).ok());
    Reviews {
        incidents: is_wanted("incidents").unwrap_or(usual.incidents),
        problems: is_wanted("problems").unwrap_or(usual.problems),
        remind_after: section
            .parse("remind_after", |t| values::working_duration(t, working_day))
            .unwrap_or(usual.remind_after),
        recurrences: recurrences.unwrap_or(usual.recurrences),
        within: section.parse("within", |t| values::duration(t, DAY..=366 * DAY)).unwrap_or(usual.within),
    }
}

/// `[archive]`: after how long nothing of a closed ticket changes any more.
pub fn archive_after(section: &Section, satisfaction: &Satisfaction) -> Option<Duration> {
    let after = section.parse("after", |text| match text {
        "never" => Ok(None),
        _ => values::duration(text, DAY..=3660 * DAY).map(Some),
    });
    let longest = satisfaction.link_valid.max(satisfaction.reopen_within);
    let after = after.unwrap_or(Some(longest.max(30 * DAY)));
    if after.is_some_and(|after| after < longest) {
        section.fault("after", "an archived ticket cannot be rated or reopened: not before link_valid and reopen_within of [satisfaction] are over");
    }
    after
}

/// `[retention]`: how long data about people are kept.
pub fn retention(section: &Section, satisfaction: &Satisfaction) -> Retention {
    let longest = satisfaction.link_valid.max(satisfaction.reopen_within);
    let keep = |key: &str, least: Duration| {
        let keep = section.parse(key, |text| match text {
            "never" => Ok(None),
            _ => values::duration(text, DAY..=36_600 * DAY).map(Some),
        });
        let keep = keep.flatten();
        if keep.is_some_and(|keep| keep < least) {
            section.fault(key, "not before link_valid and reopen_within of [satisfaction] are over");
        }
        keep
    };
    Retention { tickets: keep("tickets", longest), urgent: keep("urgent", longest), aside: keep("aside", DAY) }
}

pub fn proof(section: &Section) -> Proof {
    let demands = [("either", Demand::Either), ("reference", Demand::Reference), ("both", Demand::Both)];
    let authserv_id = section.text("authserv_id");
    let work = section.parse("work", |t| values::word(&demands, t)).unwrap_or_default();
    if work == Demand::Both && authserv_id.is_none() {
        section.fault("work", "\"both\" needs authserv_id: without it nobody could prove anything");
    }
    // An approval always takes the reference.
    let approvals = section.parse("approvals", |t| values::word(&demands[1..], t)).unwrap_or(Demand::Reference);
    if approvals == Demand::Both && authserv_id.is_none() {
        section.fault("approvals", "\"both\" needs authserv_id: without it nobody could prove anything");
    }
    Proof { authserv_id, work, approvals }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_week_has_37_and_a_half_hours() {
        let total: Duration = usual_week().iter().flatten().map(|span| span.length()).sum();
        assert_eq!(total, Duration::from_secs(37 * 3600 + 1800));
    }
}
