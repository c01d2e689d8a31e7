//! Who a mail is from and to, and what it is called: addresses and message ids.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::hash::{Hash, Hasher};

/// An `addr-spec` (RFC 5321 section 4.1.2) as it was written, compared without ASCII case.
///
/// Only ASCII case is folded: look-alike letters never make two addresses equal (`hardening.md` S5).
#[derive(Clone)]
pub struct Address {
    text: String,
    key: String,
}

impl Address {
    /// Reads a bare address; `None` for anything a mail server would not take: spaces, controls, brackets,
    /// comments, several `@`, an empty side, a label beginning with `-`, over 254 bytes.
    pub fn parse(text: &str) -> Option<Address> {
        let text = text.trim();
        if text.len() > 254 {
            return None;
        }
        let (local, domain) = text.rsplit_once('@')?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
        if local.is_empty() || local.len() > 128 || !local.chars().all(plain) {
            return None;
        }
        let label = |l: &str| {
            !l.is_empty() && !l.starts_with('-') && l.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        };
        if domain.is_empty() || !domain.split('.').all(label) {
            return None;
        }
        Some(Address { text: text.to_owned(), key: text.to_ascii_lowercase() })
    }

    /// As it was written: what a letter is sent to.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Lower-case form: what the store compares.
    pub fn key(&self) -> &str {
        &self.key
    }

    pub fn domain(&self) -> &str {
        self.key.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    pub fn local(&self) -> &str {
        self.key.rsplit_once('@').map_or("", |(local, _)| local)
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}
impl Eq for Address {}
impl Hash for Address {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}
impl PartialOrd for Address {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Address {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
/// Masked, so that a log line never carries a whole address: `a***@example.com`.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}***@{}", self.local().chars().next().unwrap_or('?'), self.domain())
    }
}
impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}
impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Address::parse(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("{text:?} is not a mail address such as name@example.com")))
    }
}

/// An address with the name its owner shows beside it (may be empty).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailbox {
    pub address: Address,
    #[serde(default)]
    pub name: String,
}

impl Mailbox {
    pub fn new(address: Address, name: impl Into<String>) -> Mailbox {
        Mailbox { address, name: name.into() }
    }

    /// What to call this person: the shown name, else the part before the `@`.
    pub fn called(&self) -> &str {
        if self.name.trim().is_empty() { self.address.local() } else { self.name.trim() }
    }
}

/// A `Message-ID` without its angle brackets (RFC 5322 section 3.6.4).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(String);

impl MessageId {
    /// `None` when empty, over 900 bytes, or holding a space, control or angle bracket.
    pub fn parse(text: &str) -> Option<MessageId> {
        let text = text.trim().trim_start_matches('<').trim_end_matches('>').trim();
        let bad = |c: char| c.is_whitespace() || c.is_control() || c == '<' || c == '>';
        (!text.is_empty() && text.len() <= 900 && !text.contains(bad)).then(|| MessageId(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s4_s5_odd_addresses_are_refused_and_only_ascii_case_folds() {
        for good in ["a@b", "Li.Si+it@Example.COM", "x_y@mail-1.corp.example"] {
            assert!(Address::parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "a",
            "@b",
            "a@",
            "a b@c",
            "a@b@c",
            "<a@b>",
            "a@b c",
            "a@-b",
            "a@b..c",
            "eng＠corp",
            "a\u{0}@b",
            "=?utf-8?q?eng=40corp=3e?=@",
        ] {
            assert!(Address::parse(bad).is_none(), "{bad}");
        }
        assert_eq!(Address::parse("ENG@Corp"), Address::parse("eng@corp"));
        assert_ne!(Address::parse("admin@corp").unwrap().key(), "adm\u{131}n@corp");
    }

    #[test]
    fn message_ids_lose_their_brackets_and_refuse_injection() {
        assert_eq!(MessageId::parse(" <a.b@c> ").unwrap().as_str(), "a.b@c");
        for bad in ["", "<>", "<a b@c>", "<a\r\nBcc: x@y>", &"a".repeat(901)] {
            assert!(MessageId::parse(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn debug_masks_the_address() {
        assert_eq!(format!("{:?}", Address::parse("zhang@corp.example").unwrap()), "z***@corp.example");
    }
}
