//! Single values of the configuration: each function reads one text or says what was expected.

use super::document::Section;
use crate::address::{Address, Mailbox};
use crate::desk::policy::{Role, Rung};
use crate::desk::words::{Category, Language};
use crate::time::calendar::{Span, Week, local_time, start_of_day};
use crate::time::{Timestamp, parse_duration};
use chrono::{Days, NaiveDate, NaiveTime, Timelike};
use chrono_tz::Tz;
use secrecy::SecretString;
use std::cell::Cell;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What the configuration is read against: where relative paths start, and the environment.
pub struct Place<'a> {
    pub folder: &'a Path,
    pub environment: &'a dyn Fn(&str) -> Option<String>,
}

impl Place<'_> {
    /// A path of the file, relative to its folder.
    pub fn path(&self, text: &str) -> PathBuf {
        self.folder.join(text)
    }

    /// A folder that the program may create: the one above it must be there.
    pub fn new_folder(&self, text: &str) -> Result<PathBuf, String> {
        let path = self.path(text);
        let parent = path.parent().is_some_and(Path::is_dir);
        if parent { Ok(path) } else { Err(format!("the folder above {} does not exist", path.display())) }
    }

    /// A file that must be readable, with its text.
    pub fn file(&self, section: &Section, key: &str) -> Option<(PathBuf, String)> {
        section.parse(key, |text| {
            let path = self.path(text);
            let content = std::fs::read_to_string(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
            Ok((path, content))
        })
    }

    /// A secret out of `<name>_file` or `<name>_env`, whichever is given.
    pub fn secret(&self, section: &Section, name: &str) -> Option<SecretString> {
        let (file_key, env_key) = (format!("{name}_file"), format!("{name}_env"));
        if section.has(&file_key) && section.has(&env_key) {
            section.fault(&env_key, format!("give either {file_key} or {env_key}, not both"));
        }
        let from_file = self.file(section, &file_key).map(|(path, text)| {
            if readable_by_all(&path) {
                section.warn(&file_key, format!("every user of this machine can read {}: chmod 600", path.display()));
            }
            (file_key.clone(), text.trim_end_matches(['\r', '\n']).to_owned())
        });
        let from_env = section.parse(&env_key, |variable| {
            (self.environment)(variable).ok_or_else(|| format!("the environment variable {variable} is not set"))
        });
        let (key, secret) = from_file.or(from_env.map(|text| (env_key, text)))?;
        if secret.is_empty() {
            section.fault(&key, "the secret is empty");
        }
        Some(secret.into())
    }

    /// Whether a secret of this name is given at all.
    pub fn has_secret(&self, section: &Section, name: &str) -> bool {
        section.has(&format!("{name}_file")) | section.has(&format!("{name}_env"))
    }
}

#[cfg(unix)]
fn readable_by_all(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|m| m.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn readable_by_all(_: &Path) -> bool {
    false
}

pub fn address(text: &str) -> Result<Address, String> {
    Address::parse(text).ok_or_else(|| format!("expected a mail address such as name@example.com, found {text:?}"))
}

/// A person: `li@example.com` or `Li Na <li@example.com>`.
pub fn mailbox(text: &str) -> Result<Mailbox, String> {
    let (name, rest) = text.trim().rsplit_once('<').unwrap_or(("", text));
    let name = name.trim().trim_matches('"').to_owned();
    Ok(Mailbox::new(address(rest.trim().trim_end_matches('>'))?, name))
}

pub fn zone(text: &str) -> Result<Tz, String> {
    text.parse()
        .map_err(|_| format!("unknown time zone {text:?}; write it like \"Asia/Shanghai\" or \"Europe/Berlin\""))
}

pub fn language(text: &str) -> Result<Language, String> {
    Language::parse(text).ok_or_else(|| format!("expected \"zh-CN\" or \"en\", found {text:?}"))
}

pub fn category(text: &str) -> Result<Category, String> {
    let all: Vec<&str> = Category::ALL.iter().map(|c| c.as_str()).collect();
    Category::parse(text).ok_or_else(|| format!("unknown category {text:?}; known: {}", all.join(", ")))
}

/// One of a few words, each with what it stands for.
pub fn word<T: Clone>(words: &[(&str, T)], text: &str) -> Result<T, String> {
    let known: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
    let found = words.iter().find(|(name, _)| *name == text).map(|(_, value)| value.clone());
    found.ok_or_else(|| format!("expected one of {}, found {text:?}", known.join(", ")))
}

/// A duration within bounds.
pub fn duration(text: &str, bounds: RangeInclusive<Duration>) -> Result<Duration, String> {
    let duration = parse_duration(text)?;
    if bounds.contains(&duration) {
        return Ok(duration);
    }
    let shown = crate::time::format_duration;
    Err(format!("expected a duration from {} to {}, found {text:?}", shown(*bounds.start()), shown(*bounds.end())))
}

/// A duration in working time, where `1d` is one working day of this length and not 24 hours.
pub fn working_duration(text: &str, working_day: Duration) -> Result<Duration, String> {
    if text.contains('w') {
        return Err(format!("write working weeks in working days, for example \"5d\", found {text:?}"));
    }
    let Some((days, rest)) = text.trim().split_once('d') else { return bounded(parse_duration(text)?, text) };
    let days: u32 = days.parse().map_err(|_| format!("expected working days such as \"1d\", found {text:?}"))?;
    let rest = if rest.is_empty() { Duration::ZERO } else { parse_duration(rest)? };
    bounded(working_day.saturating_mul(days).saturating_add(rest), text)
}

fn bounded(duration: Duration, text: &str) -> Result<Duration, String> {
    let year = Duration::from_secs(366 * 86_400);
    let fits = !duration.is_zero() && duration <= year;
    if fits { Ok(duration) } else { Err(format!("expected a duration above zero and up to a year, found {text:?}")) }
}

/// `10MB`, `512KB`, `1GB` (powers of 1024) or plain bytes, at most 1 GB.
pub fn size(text: &str) -> Result<usize, String> {
    let expected = || format!("expected a size up to 1GB such as \"10MB\" or \"512KB\", found {text:?}");
    let trimmed = text.trim();
    let digits = trimmed.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
    let unit: usize = match trimmed[digits.len()..].trim().to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        "KB" => 1 << 10,
        "MB" => 1 << 20,
        "GB" => 1 << 30,
        _ => return Err(expected()),
    };
    let bytes = digits.parse::<usize>().ok().and_then(|n| n.checked_mul(unit));
    bytes.filter(|n| *n <= 1 << 30).ok_or_else(expected)
}

pub fn domain(text: &str) -> Result<String, String> {
    let name = text.trim().trim_start_matches('@').to_ascii_lowercase();
    let valid = name == "*" || Address::parse(&format!("x@{name}")).is_some();
    if valid {
        Ok(name)
    } else {
        Err(format!("expected a domain such as example.com, or \"*\" for everyone, found {text:?}"))
    }
}

/// The `List-Id` or the address of a mailing list: `it-help.example.com`, `it-help@example.com`.
pub fn list_name(text: &str) -> Result<String, String> {
    let name = text.trim().trim_matches(['<', '>']).to_ascii_lowercase();
    let valid = |c: char| c.is_ascii_alphanumeric() || ".-_+@".contains(c);
    if name.contains('.') && name.chars().all(valid) {
        return Ok(name);
    }
    Err(format!("expected a List-Id such as it-help.example.com or the list's address, found {text:?}"))
}

/// A host name or IP address: no scheme, no port.
pub fn host(text: &str) -> Result<String, String> {
    let text = text.trim();
    let valid = |c: char| c.is_ascii_alphanumeric() || ".-:_".contains(c);
    let is_ip = text.parse::<std::net::IpAddr>().is_ok();
    if is_ip || (!text.is_empty() && text.chars().all(valid) && !text.contains(':')) {
        return Ok(text.to_owned());
    }
    Err(format!("expected a host name such as imap.example.com (the port has its own key), found {text:?}"))
}

/// `https://desk.example.com`, perhaps with a path; a slash at the end is dropped.
pub fn public_url(text: &str) -> Result<String, String> {
    let url = text.trim().trim_end_matches('/');
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let valid = |c: char| c.is_ascii_alphanumeric() || "-._~/:[]%".contains(c);
    match rest {
        Some(rest) if !rest.is_empty() && !rest.starts_with('/') && rest.chars().all(valid) => Ok(url.to_owned()),
        _ => Err(format!("expected an address such as https://desk.example.com, found {text:?}")),
    }
}

pub fn timestamp(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text)
        .ok_or_else(|| format!("expected a time with its offset such as \"2026-11-23T08:00:00+08:00\", found {text:?}"))
}

/// `2026-12-24`.
pub fn date(text: &str) -> Result<NaiveDate, String> {
    text.trim().parse().map_err(|_| format!("expected a day such as \"2026-12-24\", found {text:?}"))
}

/// `09:00`, as minutes after midnight.
pub fn time_of_day(text: &str) -> Result<u16, String> {
    let time = NaiveTime::parse_from_str(text.trim(), "%H:%M");
    let minutes = |time: NaiveTime| (time.num_seconds_from_midnight() / 60) as u16;
    time.map(minutes).map_err(|_| format!("expected a time of day such as \"09:00\", found {text:?}"))
}

/// A rung of a ladder: `75% assignee supervisor`.
pub fn rung(text: &str) -> Result<Rung, String> {
    let expected = || format!("expected a rung such as \"75% assignee supervisor\", found {text:?}");
    let mut words = text.split_whitespace();
    let percent = words.next().and_then(|word| word.strip_suffix('%')).and_then(|number| number.parse().ok());
    let percent = percent.filter(|percent| (1..=1000).contains(percent)).ok_or_else(expected)?;
    let roles = [Role::Assignee, Role::Supervisor, Role::Managers].map(|role| (role.as_str(), role));
    let to = words.map(|name| word(&roles, name)).collect::<Result<Vec<Role>, String>>()?;
    if to.is_empty() { Err(expected()) } else { Ok(Rung { percent, to }) }
}

/// `2026-12-24`, `2026-12-24..2026-12-31` (both days included) or with times `2026-12-24 13:00..2026-12-28 09:00`.
pub fn away(text: &str, zone: Tz) -> Result<(Timestamp, Timestamp), String> {
    let (from, to) = text.split_once("..").unwrap_or((text, text));
    let moment = |text: &str, end: bool| {
        let (date, time) = text.trim().split_once([' ', 'T']).unwrap_or((text.trim(), ""));
        let date = date.parse::<NaiveDate>().ok()?;
        match time {
            "" if end => Some(start_of_day(zone, date.checked_add_days(Days::new(1))?)),
            "" => Some(start_of_day(zone, date)),
            _ => Some(local_time(zone, date, NaiveTime::parse_from_str(time.trim(), "%H:%M").ok()?)),
        }
    };
    let expected = "expected \"2026-12-24\", \"2026-12-24..2026-12-31\" or \"2026-12-24 13:00..2026-12-28 09:00\"";
    let (Some(from), Some(to)) = (moment(from, false), moment(to, true)) else {
        return Err(format!("{expected}, found {text:?}"));
    };
    if from < to { Ok((from, to)) } else { Err(format!("ends before it begins: {text:?}")) }
}

pub const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Working hours of the weekdays named in this section; `None` when there are none.
pub fn week(section: &Section) -> Option<Week> {
    let mut week = Week::default();
    let (mut named, any) = (false, Cell::new(false));
    let span = |text: &str| {
        any.set(true);
        Span::parse(text)
    };
    for (index, key) in WEEKDAYS.iter().enumerate() {
        let Some(mut spans) = section.list(key, span) else { continue };
        named = true;
        spans.sort();
        if spans.windows(2).any(|pair| pair[0].overlaps(pair[1])) {
            section.fault(key, "the hours overlap");
        }
        week[index] = spans;
    }
    if named && !any.get() {
        section.fault_here("no working hours on any day");
    }
    week.iter().any(|day| !day.is_empty()).then_some(week)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn working_days_are_not_calendar_days() {
        let day = Duration::from_secs(27_000);
        for (text, seconds) in [("1d", 27_000), ("2d", 54_000), ("8h", 28_800), ("30h", 108_000), ("1d2h", 34_200)] {
            assert_eq!(working_duration(text, day), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "d", "1w", "0m", "9999d", "1d2", "-1d", "99999999999d"] {
            assert!(working_duration(text, day).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes() {
        for (text, bytes) in [("10MB", 10 << 20), ("512 kb", 512 << 10), ("100", 100), ("1GB", 1 << 30)] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "MB", "2GB", "1TB", "-1", "1.5MB", "十MB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn public_addresses_lose_their_slash_and_take_nothing_odd() {
        assert_eq!(public_url("https://desk.example.com/it/"), Ok("https://desk.example.com/it".into()));
        for text in
            ["", "desk.example.com", "https://", "https:///x", "javascript:alert(1)", "https://a b", "https://x?y=1"]
        {
            assert!(public_url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn absences() {
        let zone = chrono_tz::Asia::Shanghai;
        for (text, from, to) in [
            ("2026-12-24", "2026-12-24T00:00:00+08:00", "2026-12-25T00:00:00+08:00"),
            ("2026-12-24..2026-12-31", "2026-12-24T00:00:00+08:00", "2027-01-01T00:00:00+08:00"),
            ("2026-12-24 13:00..2026-12-28T09:00", "2026-12-24T13:00:00+08:00", "2026-12-28T09:00:00+08:00"),
        ] {
            let expected = (Timestamp::parse(from).unwrap(), Timestamp::parse(to).unwrap());
            assert_eq!(away(text, zone), Ok(expected), "{text}");
        }
        for text in ["", "..", "2026-13-01", "2026-12-24..2026-12-01", "2026-12-24 25:00", "2026-12-24..2026-12-25 9"] {
            assert!(away(text, zone).is_err(), "{text}");
        }
    }

    #[test]
    fn hosts_and_domains() {
        for good in ["imap.example.com", "10.0.0.1", "::1", "localhost"] {
            assert!(host(good).is_ok(), "{good}");
        }
        for bad in ["", "imaps://x", "x:993", "a b", "x/y"] {
            assert!(host(bad).is_err(), "{bad}");
        }
        assert_eq!(domain("@Corp.Example"), Ok("corp.example".into()));
        assert_eq!(domain("*"), Ok("*".into()));
        assert!(domain("a b").is_err() && domain("").is_err());
    }
}
