//! Who gets a ticket (`design.md` section 1, stage 3): by skill, level, presence and load.

use crate::address::Address;
use crate::desk::command::{fold, read_category};
use crate::desk::policy::{Engineer, Policy};
use crate::desk::words::{Category, Priority};
use crate::time::Timestamp;

/// Open tickets of each engineer; whoever is not named has none.
pub type Loads<'a> = &'a [(Address, i64)];

/// The engineer for a new ticket, never one of `not`. `None` only when everybody else is away.
///
/// Skill comes first: without anyone who has it, everyone counts. Then P1 and P2 look for the right level even among
/// those who are off duty, because somebody is woken for them; P3 and P4 look among those on duty, and among the others
/// only when nobody is. Then the least open load, then the name.
pub fn choose<'p>(
    policy: &'p Policy,
    category: Category,
    priority: Priority,
    loads: Loads,
    not: &[Address],
    now: Timestamp,
) -> Option<&'p Engineer> {
    let wanted = level_for(priority);
    let urgent = matches!(priority, Priority::P1 | Priority::P2);
    present(policy, not, now).min_by_key(|&engineer| {
        let off_duty = !is_on_duty(policy, engineer, now);
        let level = level_rank(engineer.level, wanted);
        let (first, second) = if urgent { (level, u8::from(off_duty)) } else { (u8::from(off_duty), level) };
        (!has_skill(engineer, category), first, second, tie(engineer, loads))
    })
}

/// The engineer for a ticket that came back because the requester was not satisfied with `than`: somebody else, of a
/// higher level if there is one, else of the same, never the requester. People of `earlier` rounds only when nobody new is left; `None` when
/// everybody at hand is less senior.
pub fn more_senior<'p>(
    policy: &'p Policy,
    category: Category,
    than: &Address,
    requester: &Address,
    earlier: &[Address],
    loads: Loads,
    now: Timestamp,
) -> Option<&'p Engineer> {
    // Somebody who has left the desk counts as junior, so that anyone may follow.
    let before = policy.engineer(than).map_or(1, |engineer| engineer.level);
    let not = [than.clone(), requester.clone()];
    let others = present(policy, &not, now).filter(|engineer| engineer.level >= before);
    others.min_by_key(|&engineer| {
        let off_duty = !is_on_duty(policy, engineer, now);
        let again = earlier.contains(engineer.address());
        (
            again,
            !has_skill(engineer, category),
            engineer.level == before,
            off_duty,
            engineer.level,
            tie(engineer, loads),
        )
    })
}

/// Engineers of one level, or with one skill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    Level(u8),
    Skill(Category),
}

impl Group {
    /// `三线`, `level 3`, `senior`, `网络组`, `network team`.
    pub fn read(text: &str) -> Option<Group> {
        let folded = fold(text);
        let mut bare = folded.trim_start_matches("the ").trim();
        for ending in
            ["工程师", "支持", "团队", "小组", "组", "engineers", "engineer", "support", "team", "group", "staff"]
        {
            bare = bare.strip_suffix(ending).unwrap_or(bare).trim();
        }
        let level: String = bare.chars().filter(|c| !c.is_whitespace()).collect();
        Some(Group::Level(match level.as_str() {
            "一线" | "1线" | "一级" | "l1" | "t1" | "level1" | "tier1" | "firstlevel" | "初级" | "junior" => 1,
            "二线" | "2线" | "二级" | "l2" | "t2" | "level2" | "tier2" | "secondlevel" | "桌面" | "desk" => 2,
            "三线" | "3线" | "三级" | "l3" | "t3" | "level3" | "tier3" | "thirdlevel" | "高级" | "资深" | "专家"
            | "senior" => 3,
            _ => return read_category(bare).map(Group::Skill),
        }))
    }

    fn has(self, engineer: &Engineer) -> bool {
        match self {
            Group::Level(level) => engineer.level == level,
            Group::Skill(category) => engineer.skills.contains(&category),
        }
    }
}

/// Whoever of a group is there, at work rather than not, and has the least to do; never one of `not`. Where nobody names the
/// skill, whoever takes everything has it.
pub fn among<'p>(
    policy: &'p Policy,
    group: Group,
    loads: Loads,
    not: &[Address],
    now: Timestamp,
) -> Option<&'p Engineer> {
    let named = policy.engineers.iter().any(|engineer| group.has(engineer));
    let belongs = |engineer: &&Engineer| match group {
        Group::Skill(category) if !named => has_skill(engineer, category),
        _ => group.has(engineer),
    };
    present(policy, not, now)
        .filter(belongs)
        .min_by_key(|&engineer| (!is_on_duty(policy, engineer, now), tie(engineer, loads)))
}

/// Senior engineers with the skill who are not away, by name.
pub fn seniors(policy: &Policy, category: Category, now: Timestamp) -> impl Iterator<Item = &Engineer> {
    let senior = |e: &&Engineer| e.level >= SENIOR && has_skill(e, category);
    let mut seniors: Vec<&Engineer> = present(policy, &[], now).filter(senior).collect();
    seniors.sort_by_key(|engineer| tie(engineer, &[]));
    seniors.into_iter()
}

/// Whether this engineer is at work: within their own hours (or the desk's) and not away.
pub fn is_on_duty(policy: &Policy, engineer: &Engineer, now: Timestamp) -> bool {
    !is_away(engineer, now) && policy.hours_of(engineer).is_working(now)
}

pub fn is_away(engineer: &Engineer, now: Timestamp) -> bool {
    engineer.away.iter().any(|(from, to)| *from <= now && now < *to)
}

fn present<'p>(policy: &'p Policy, not: &[Address], now: Timestamp) -> impl Iterator<Item = &'p Engineer> {
    policy.engineers.iter().filter(move |e| !is_away(e, now) && !not.contains(e.address()))
}

fn has_skill(engineer: &Engineer, category: Category) -> bool {
    engineer.skills.is_empty() || engineer.skills.contains(&category)
}

const SENIOR: u8 = 3;

/// 3 senior, 2 desk, 1 junior.
fn level_for(priority: Priority) -> u8 {
    match priority {
        Priority::P1 | Priority::P2 => SENIOR,
        Priority::P3 => 2,
        Priority::P4 => 1,
    }
}

/// 0 for the wanted level, then the levels above it from the nearest on, then those below.
fn level_rank(level: u8, wanted: u8) -> u8 {
    if level >= wanted { level - wanted } else { u8::MAX - level }
}

/// The order among equals: least load, then the name, then the address, so that the choice is always the same.
fn tie<'p>(engineer: &'p Engineer, loads: Loads) -> (i64, &'p str, &'p str) {
    let address = engineer.address();
    let load = loads.iter().find(|(whose, _)| whose == address).map_or(0, |(_, load)| *load);
    (load, engineer.reader.mailbox.called(), address.key())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Mailbox;
    use crate::desk::duty::Duty;
    use crate::desk::link::Key;
    use crate::desk::policy::{
        Escalation, Hold, Identity, Incident, Limits, Proof, Reader, Satisfaction, Targets, Visits,
    };
    use crate::desk::triage::Rules;
    use crate::desk::words::Language;
    use crate::time::Calendar;
    use crate::time::calendar::{Holidays, Span};
    use chrono_tz::Asia::Shanghai;
    use std::sync::Arc;
    use std::time::Duration;

    fn address(name: &str) -> Address {
        Address::parse(&format!("{name}@corp.example")).unwrap()
    }

    /// `name level [skill] [away] [night]`: away on 2026-11-24, night from 20:00 to 24:00.
    fn engineer(line: &str) -> Engineer {
        let words: Vec<&str> = line.split(' ').collect();
        let at = |text| Timestamp::parse(text).unwrap();
        let away = (at("2026-11-24T00:00:00+08:00"), at("2026-11-25T00:00:00+08:00"));
        let night = || {
            let week = std::array::from_fn(|_| vec![Span::parse("20:00-24:00").unwrap()]);
            Calendar::working(Shanghai, week, Holidays::default())
        };
        Engineer {
            aliases: vec![],
            reader: Reader {
                mailbox: Mailbox::new(address(words[0]), words[0]),
                language: Language::Chinese,
                zone: Shanghai,
            },
            level: words[1].parse().unwrap(),
            skills: words.iter().filter_map(|w| Category::parse(w)).collect(),
            hours: words.contains(&"night").then(night),
            away: if words.contains(&"away") { vec![away] } else { Vec::new() },
            site: None,
        }
    }

    fn policy(engineers: &[&str]) -> Policy {
        let day = vec![Span::parse("09:00-18:00").unwrap()];
        let week = std::array::from_fn(|i| if i < 5 { day.clone() } else { Vec::new() });
        let hour = Duration::from_secs(3600);
        Policy {
            desk: Identity {
                plus_addresses: false,
                name_zh: "IT服务台".into(),
                name_en: "IT Service Desk".into(),
                address: address("it"),
                aliases: Vec::new(),
                own_lists: Vec::new(),
                domains: vec!["corp.example".into()],
                public_url: None,
                zone: Shanghai,
                language: Language::Chinese,
            },
            engineers: engineers.iter().map(|line| engineer(line)).collect(),
            duty: Duty::default(),
            targets: Targets::default(),
            escalation: Escalation::default(),
            hold: Hold::standard(hour),
            incident: Incident::default(),
            calendar: Calendar::working(Shanghai, week, Holidays::china()),
            rules: Arc::new(Rules::builtin()),
            proof: Proof::default(),
            satisfaction: Satisfaction { link_valid: hour, remind_after: hour, close_after: hour, reopen_within: hour },
            limits: Limits {
                acknowledgements: [3, 10, 20],
                tickets_per_hour: 20,
                relay_bytes: 1 << 20,
                bounce_pause: Duration::ZERO,
                message_bytes: 1 << 20,
            },
            visits: Visits::default(),
            sites: Vec::new(),
            channels: Vec::new(),
            directory: Arc::default(),
            vendors: Vec::new(),
            departments: Vec::new(),
            modules: Vec::new(),
            knowledge: Default::default(),
            reviews: crate::desk::policy::Reviews::standard(hour),
            archive_after: None,
            retention: Default::default(),
            key: Key([1; 32]),
        }
    }

    fn loads(text: &str) -> Vec<(Address, i64)> {
        text.split_terminator(' ')
            .map(|w| w.split_once('=').unwrap())
            .map(|(n, l)| (address(n), l.parse().unwrap()))
            .collect()
    }

    fn names(text: &str) -> Vec<Address> {
        text.split_terminator(' ').map(address).collect()
    }

    const WORK: &str = "2026-11-24T10:00:00+08:00";
    const NIGHT: &str = "2026-11-24T21:00:00+08:00";
    const SUNDAY: &str = "2026-11-22T10:00:00+08:00";

    fn check(at: &str, engineers: &[&str], ticket: (Category, Priority), loaded: &str, not: &str, expected: &str) {
        let policy = policy(engineers);
        let now = Timestamp::parse(at).unwrap();
        let (loads, not) = (loads(loaded), names(not));
        let chosen = choose(&policy, ticket.0, ticket.1, &loads, &not, now);
        assert_eq!(chosen.map_or("", |e| &e.reader.mailbox.name), expected, "{engineers:?} {ticket:?} at {at}");
    }

    #[test]
    fn skill_level_load_and_name_decide_in_this_order() {
        use Category::*;
        use Priority::*;
        let team = &["ann 1 network", "bob 2 network", "cai 3 network", "dan 2 hardware", "eve 2 hardware"];
        check(WORK, team, (Network, P1), "", "", "cai");
        check(WORK, team, (Network, P2), "cai=9", "", "cai");
        check(WORK, team, (Network, P3), "bob=5", "", "bob");
        check(WORK, team, (Network, P4), "", "", "ann");
        check(WORK, team, (Hardware, P3), "", "", "dan");
        check(WORK, team, (Hardware, P3), "dan=1", "", "eve");
        check(WORK, team, (Hardware, P3), "dan=1 eve=1", "", "dan");
        check(WORK, team, (Hardware, P3), "", "dan", "eve");
        check(WORK, team, (Hardware, P1), "", "", "dan");
        check(WORK, team, (Software, P4), "", "", "ann");
        check(WORK, &["ann 1", "bob 1 network"], (Software, P4), "ann=7", "", "ann");
    }

    #[test]
    fn a_missing_level_is_filled_from_above_and_then_from_below() {
        use Category::Other;
        use Priority::*;
        check(WORK, &["ann 1", "cai 3"], (Other, P3), "", "", "cai");
        check(WORK, &["bob 2", "cai 3"], (Other, P4), "", "", "bob");
        check(WORK, &["ann 1", "bob 2"], (Other, P1), "", "", "bob");
        check(WORK, &["ann 1"], (Other, P2), "", "", "ann");
        check(WORK, &["ann 1"], (Other, P3), "", "", "ann");
    }

    #[test]
    fn presence() {
        use Category::Other;
        use Priority::*;
        // Whoever is on duty takes everyday tickets, whatever the level; a senior is woken for urgent ones.
        check(NIGHT, &["bob 2", "ann 1 night"], (Other, P3), "", "", "ann");
        check(NIGHT, &["cai 3", "ann 1 night"], (Other, P1), "", "", "cai");
        check(NIGHT, &["cai 3", "dan 3 night"], (Other, P1), "dan=9", "", "dan");
        // Nobody on duty: it still gets an owner.
        check(SUNDAY, &["ann 1", "bob 2"], (Other, P3), "", "", "bob");
        check(SUNDAY, &["bob 2", "cai 3"], (Other, P2), "", "", "cai");
        // Away is away.
        check(WORK, &["bob 2 away", "ann 1"], (Other, P3), "", "", "ann");
        check(WORK, &["cai 3 away", "bob 2 away"], (Other, P1), "", "", "");
        check(SUNDAY, &["bob 2 away"], (Other, P3), "", "", "bob");
        check(WORK, &[], (Other, P1), "", "", "");
        check(WORK, &["ann 1"], (Other, P1), "", "ann", "");
    }

    fn check_senior(at: &str, engineers: &[&str], than: &str, earlier: &str, loaded: &str, expected: &str) {
        let policy = policy(engineers);
        let now = Timestamp::parse(at).unwrap();
        let (loads, earlier) = (loads(loaded), names(earlier));
        let chosen = more_senior(&policy, Category::Network, &address(than), &address("zhang"), &earlier, &loads, now);
        assert_eq!(chosen.map_or("", |e| &e.reader.mailbox.name), expected, "{engineers:?} after {than}, {earlier:?}");
    }

    #[test]
    fn a_dissatisfied_requester_gets_somebody_more_senior() {
        let team = &["ann 1", "bob 2", "cai 3", "dan 3"];
        check_senior(WORK, team, "ann", "", "", "bob");
        check_senior(WORK, team, "bob", "", "cai=1", "dan");
        check_senior(WORK, team, "cai", "", "", "dan");
        check_senior(WORK, team, "bob", "cai", "dan=9", "dan");
        check_senior(WORK, &["ann 1", "bob 1"], "ann", "", "", "bob");
        check_senior(WORK, &["ann 1", "cai 3"], "cai", "", "", "");
        check_senior(WORK, &["cai 3", "dan 3"], "cai", "dan", "", "dan");
        check_senior(WORK, &["ann 1", "bob 2 hardware", "cai 3"], "ann", "", "", "cai");
        check_senior(WORK, &["ann 1", "bob 2 away", "cai 3"], "ann", "", "", "cai");
        check_senior(NIGHT, &["ann 1", "bob 2", "cai 3 night"], "ann", "", "", "cai");
        check_senior(WORK, &["bob 2"], "gone", "", "", "bob");
        check_senior(WORK, &["ann 1"], "ann", "", "", "");
    }
}
