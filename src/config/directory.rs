//! `[directory]`: who works here, from a CSV file, an LDAP server, or both.

use super::document::Section;
use super::transport::{Security, Server};
use super::values::{self, Place};
use crate::desk::policy::{Channel, Identity};
use secrecy::SecretString;
use std::path::PathBuf;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

/// Where the directory comes from; nothing of it is read yet.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    /// A CSV file and the line of the configuration that names it.
    pub file: Option<(PathBuf, usize)>,
    pub ldap: Option<Ldap>,
}

/// An LDAP server and how it is asked.
#[derive(Clone, Debug)]
pub struct Ldap {
    pub server: Server,
    /// Name and password; `None`: anonymously.
    pub login: Option<(String, SecretString)>,
    pub base: String,
    pub filter: String,
    pub vip_filter: Option<String>,
    /// How often everybody is read again.
    pub refresh: Duration,
    /// Attribute names instead of the usual ones, by what they hold.
    pub attributes: Vec<(&'static str, Vec<String>)>,
}

/// What attributes may hold, as the keys of `[directory.ldap.attributes]`.
const HELD: [&str; 8] = ["address", "name", "department", "employee_id", "contact", "site", "manager", "language"];

pub fn read(section: &Section, place: &Place) -> Directory {
    let file = section.parse("file", |text| match text.trim() {
        "" => Err("is empty".to_owned()),
        text => Ok(place.path(text)),
    });
    let file = file.map(|path| (path, section.line_of("file")));
    Directory { file, ldap: read_ldap(&section.section("ldap"), place) }
}

fn read_ldap(section: &Section, place: &Place) -> Option<Ldap> {
    if !section.is_present() {
        return None;
    }
    let server = Server::read(section, place, [636, 389, 389]);
    let user = section.text("user");
    let password = place.secret(section, "password");
    if user.is_some() && !place.has_secret(section, "password") {
        section.missing("password_file", "the password of user, in password_file or password_env");
    }
    let base = section.required("base", "below which people stand, such as dc=example,dc=com", |text| {
        if text.contains('=') {
            Ok(text.trim().to_owned())
        } else {
            Err("expected a name such as dc=example,dc=com".into())
        }
    });
    let filter = section.parse("filter", read_filter).unwrap_or_else(|| "(&(objectClass=person)(mail=*))".into());
    let vip_filter = section.parse("vip_filter", read_filter);
    let refresh = section.parse("refresh", |text| values::duration(text, MINUTE..=24 * 60 * MINUTE));
    let attributes = section.section("attributes");
    let attributes = HELD.iter().filter_map(|key| Some((*key, attributes.list(key, read_attribute)?))).collect();
    if server.as_ref().is_some_and(|server| server.security == Security::Plain) && user.is_some() {
        section.warn("security", "the password goes to the server unprotected; only for one on this machine");
    }
    Some(Ldap {
        server: server?,
        login: user.zip(password),
        base: base?,
        filter,
        vip_filter,
        refresh: refresh.unwrap_or(60 * MINUTE),
        attributes,
    })
}

fn read_filter(text: &str) -> Result<String, String> {
    let text = text.trim();
    let balanced = text.matches('(').count() == text.matches(')').count();
    if text.starts_with('(') && text.ends_with(')') && balanced {
        return Ok(text.to_owned());
    }
    Err("expected a filter in brackets, such as (objectClass=person)".into())
}

fn read_attribute(text: &str) -> Result<String, String> {
    let sound = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ';'));
    if sound { Ok(text.to_owned()) } else { Err(format!("{text:?} is no name of an attribute")) }
}

/// `[[channel]]`: machines that pass on what people say.
pub fn channels(sections: &[Section], desk: Option<&Identity>, directory: &Directory) -> Vec<Channel> {
    let mut channels: Vec<Channel> = Vec::new();
    for section in sections {
        let address = section.required("address", "what the machine writes from", values::address);
        let name = section.required("name", "what people call it, such as 语音信箱", |name| match name.trim() {
            "" => Err("is empty".to_owned()),
            name => Ok(name.to_owned()),
        });
        let (Some(address), Some(name)) = (address, name) else { continue };
        if desk.is_some_and(|desk| desk.is_own(&address)) {
            section.fault("address", "is an address of the desk itself");
        }
        if channels.iter().any(|channel| channel.address == address) {
            section.fault("address", "another [[channel]] has the same address");
        }
        if directory.file.is_none() && directory.ldap.is_none() {
            section.warn(
                "address",
                "without a [directory] nobody knows whose call it was: every report is left to an engineer",
            );
        }
        channels.push(Channel { address, name });
    }
    channels
}
