//! Signed references and links: proof that somebody holds what only they were sent.

use crate::address::Address;
use crate::desk::ticket::{Number, Ticket};
use crate::desk::words::{Rating, Status};
use crate::time::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use unicode_normalization::UnicodeNormalization as _;

/// The desk's signing key: 32 random bytes, made once and kept in the database.
#[derive(Clone)]
pub struct Key(pub [u8; 32]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(secret)")
    }
}

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// RFC 4648 base 32 without padding, of the first bits that fill `length` characters, 25 at most.
fn base32(mac: &[u8; 32], length: usize) -> String {
    let bits = mac[..16].iter().fold(0, |bits, byte| bits << 8 | u128::from(*byte));
    (1..=length).map(|c| BASE32[(bits >> (128 - 5 * c)) as usize % 32] as char).collect()
}

fn equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (x, y)| difference | (x ^ y)) == 0
}

impl Key {
    fn mac(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        for part in std::iter::once(&purpose.as_bytes()).chain(parts) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    fn recipient_mac(&self, number: Number, recipient: &Address) -> [u8; 32] {
        self.mac("reference", &[&number.0.to_be_bytes(), recipient.key().as_bytes()])
    }

    /// The reference in the footer of every letter about `number` to `recipient`: `IT001-ABCDEFGH` (40 bits).
    pub fn reference(&self, number: Number, recipient: &Address) -> String {
        format!("{number}-{}", base32(&self.recipient_mac(number, recipient), 8))
    }

    /// Whether `reference` is the one that `sender` was sent; gives the ticket it names.
    pub fn check_reference(&self, reference: &str, sender: &Address) -> Option<Number> {
        let number = Number::parse(reference.split_once('-')?.0)?;
        equal(self.reference(number, sender).as_bytes(), reference.to_ascii_uppercase().as_bytes()).then_some(number)
    }

    /// The Message-ID of the letter with this deduplication key: `it001.<80-bit mac>.<digest of key>@domain`.
    /// The same letter always gets the same id (promise G2).
    pub fn message_id(&self, number: Option<Number>, recipient: &Address, letter_key: &str, domain: &str) -> String {
        let number = number.unwrap_or(Number(0));
        let mac = base32(&self.recipient_mac(number, recipient), 16);
        let unique = base32(&self.mac("letter", &[letter_key.as_bytes()]), 16);
        let mut id = format!("{number}.{mac}.{unique}@{domain}");
        id.make_ascii_lowercase();
        id
    }

    /// Whether this Message-ID is one that this desk gave to a letter for `sender`; gives the ticket.
    pub fn check_message_id(&self, id: &str, sender: &Address) -> Option<Number> {
        let (number, mac) = own_message_id(id)?;
        equal(base32(&self.recipient_mac(number, sender), 16).to_ascii_lowercase().as_bytes(), mac.as_bytes())
            .then_some(number)
    }

    /// A token for the satisfaction page; opaque, URL-safe, dies at `link.expires`.
    pub fn sign_rating(&self, link: &RatingLink) -> String {
        let mut bytes = link.encode();
        let mac = self.mac("rating", &[&bytes]);
        bytes.extend_from_slice(&mac[..16]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a token that [`Key::sign_rating`] made; `None` for anything else, whatever is wrong with it (S22, S26, S27).
    pub fn read_rating(&self, token: &str, now: Timestamp) -> Option<RatingLink> {
        if token.len() > 200 {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (payload, mac) = bytes.split_at_checked(bytes.len().checked_sub(16)?)?;
        if !equal(&self.mac("rating", &[payload])[..16], mac) {
            return None;
        }
        RatingLink::decode(payload).filter(|link| now < link.expires)
    }

    /// A token for the page of an article that a requester is shown; opaque, URL-safe, dies at `link.expires`.
    pub fn sign_help(&self, link: &HelpLink) -> String {
        let mut bytes = link.encode();
        let mac = self.mac("help_link", &[&bytes]);
        bytes.extend_from_slice(&mac[..16]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a token that [`Key::sign_help`] made; `None` for anything else, whatever is wrong with it.
    pub fn read_help(&self, token: &str, now: Timestamp) -> Option<HelpLink> {
        if token.len() > 200 {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (payload, mac) = bytes.split_at_checked(bytes.len().checked_sub(16)?)?;
        if !equal(&self.mac("help_link", &[payload])[..16], mac) {
            return None;
        }
        HelpLink::decode(payload).filter(|link| now < link.expires)
    }

    /// A token for an owner's approval page; opaque, URL-safe, dies at `link.expires`.
    pub fn sign_approval(&self, link: &ApprovalLink) -> String {
        let mut bytes = link.encode();
        let mac = self.mac("approval_link", &[&bytes]);
        bytes.extend_from_slice(&mac[..16]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a token that [`Key::sign_approval`] made; `None` for anything else, whatever is wrong with it.
    pub fn read_approval(&self, token: &str, now: Timestamp) -> Option<ApprovalLink> {
        if token.len() > 200 {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (payload, mac) = bytes.split_at_checked(bytes.len().checked_sub(16)?)?;
        if !equal(&self.mac("approval_link", &[payload])[..16], mac) {
            return None;
        }
        ApprovalLink::decode(payload).filter(|link| now < link.expires)
    }

    /// Whether the link was made for this owner; it does not name them, so that it tells nothing where it is read.
    pub fn is_owner(&self, link: &ApprovalLink, owner: &Address) -> bool {
        equal(&link.owner, &self.owner_mark(owner))
    }

    fn owner_mark(&self, owner: &Address) -> [u8; 16] {
        let mac = self.mac("owner", &[owner.key().as_bytes()]);
        mac[..16].try_into().expect("sixteen bytes")
    }

    /// Six digits that are mailed to an owner, who enters them on the page. They follow from the moment of mailing, so
    /// that nothing secret is stored.
    pub fn code(&self, number: Number, version: i64, owner: &Address, sent: Timestamp) -> String {
        let (number, version, sent) = (number.0.to_be_bytes(), version.to_be_bytes(), sent.millis().to_be_bytes());
        let mac = self.mac("code", &[&number, &version, owner.key().as_bytes(), &sent]);
        let digits = u64::from_be_bytes(mac[..8].try_into().expect("eight bytes")) % 1_000_000;
        format!("{digits:06}")
    }

    /// Whether somebody entered the code that was mailed at `sent`; blanks and full-width digits are fine.
    pub fn is_code(&self, entered: &str, number: Number, version: i64, owner: &Address, sent: Timestamp) -> bool {
        let digits: String = entered.chars().take(40).nfkc().filter(char::is_ascii_digit).collect();
        equal(digits.as_bytes(), self.code(number, version, owner, sent).as_bytes())
    }

    /// Signs a short text for a page's form, such as the moment it was shown.
    pub fn sign_text(&self, purpose: &str, text: &str) -> String {
        base32(&self.mac(purpose, &[text.as_bytes()]), 16)
    }
}

/// The ticket and the mac named by a Message-ID of our form, unverified.
pub fn own_message_id(id: &str) -> Option<(Number, &str)> {
    let (local, _) = id.split_once('@')?;
    let mut parts = local.split('.');
    let (number, mac, unique) = (parts.next()?, parts.next()?, parts.next()?);
    let whole = parts.next().is_none() && mac.len() == 16 && unique.len() == 16;
    let number = if number.eq_ignore_ascii_case("it000") { Number(0) } else { Number::parse(number)? };
    whole.then_some((number, mac))
}

/// What a satisfaction link says: one ticket, one round, one recipient, the grade that was clicked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RatingLink {
    pub number: Number,
    pub cycle: i64,
    pub rating: Rating,
    pub expires: Timestamp,
}

/// What an approval link says: one request of one version, one owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalLink {
    pub number: Number,
    pub version: i64,
    pub expires: Timestamp,
    /// See [`Key::is_owner`].
    owner: [u8; 16],
}

impl ApprovalLink {
    pub fn new(key: &Key, number: Number, version: i64, owner: &Address, expires: Timestamp) -> ApprovalLink {
        ApprovalLink { number, version, expires, owner: key.owner_mark(owner) }
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![1];
        for value in [self.number.0, self.version, self.expires.millis()] {
            bytes.extend_from_slice(&value.to_be_bytes());
        }
        bytes.extend_from_slice(&self.owner);
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<ApprovalLink> {
        let bytes: &[u8; 41] = bytes.try_into().ok()?;
        let value = |at: usize| i64::from_be_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
        (bytes[0] == 1).then(|| ApprovalLink {
            number: Number(value(1)),
            version: value(9),
            expires: Timestamp::from_millis(value(17)),
            owner: bytes[25..].try_into().expect("sixteen bytes"),
        })
    }
}

/// What the link to an article says: whose question it was shown for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelpLink {
    /// The requester's ticket.
    pub number: Number,
    pub article: Number,
    pub expires: Timestamp,
}

impl HelpLink {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![1];
        for value in [self.number.0, self.article.0, self.expires.millis()] {
            bytes.extend_from_slice(&value.to_be_bytes());
        }
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<HelpLink> {
        let bytes: &[u8; 25] = bytes.try_into().ok()?;
        let value = |at: usize| i64::from_be_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
        (bytes[0] == 1).then(|| HelpLink {
            number: Number(value(1)),
            article: Number(value(9)),
            expires: Timestamp::from_millis(value(17)),
        })
    }
}

/// How a ticket stands to a rating link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The round the link belongs to waits for its answer, or was closed with it.
    Open,
    /// The link's "not satisfied" opened the present round, which is still being worked on.
    ReopenedByIt,
    /// The ticket has moved on.
    Over,
}

impl Standing {
    /// Of a ticket's present state to a link of round `cycle`.
    pub fn of(ticket: &Ticket, cycle: i64) -> Standing {
        let unhappy = ticket.rating == Some(Rating::Dissatisfied);
        match ticket.status {
            Status::Resolved | Status::Closed if ticket.cycle == cycle => Standing::Open,
            status if ticket.cycle == cycle + 1 && unhappy && status.is_open() => Standing::ReopenedByIt,
            _ => Standing::Over,
        }
    }
}

impl RatingLink {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![1, self.rating as u8];
        for value in [self.number.0, self.cycle, self.expires.millis()] {
            bytes.extend_from_slice(&value.to_be_bytes());
        }
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<RatingLink> {
        let bytes: &[u8; 26] = bytes.try_into().ok()?;
        let value = |at: usize| i64::from_be_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
        let rating = *Rating::ALL.get(usize::from(bytes[1]))?;
        (bytes[0] == 1).then(|| RatingLink {
            number: Number(value(2)),
            cycle: value(10),
            rating,
            expires: Timestamp::from_millis(value(18)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key([7; 32])
    }

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    #[test]
    fn s17_s21_a_reference_counts_only_for_its_recipient() {
        let reference = key().reference(Number(1), &address("zhang@corp.example"));
        assert!(reference.starts_with("IT001-") && reference.len() == 14, "{reference}");
        assert_eq!(key().check_reference(&reference.to_lowercase(), &address("Zhang@corp.example")), Some(Number(1)));
        assert_eq!(key().check_reference(&reference, &address("li@corp.example")), None);
        assert_eq!(Key([8; 32]).check_reference(&reference, &address("zhang@corp.example")), None);
        for odd in ["", "IT001", "IT001-", "IT001-AAAAAAAA", "IT002-AAAAAAAA"] {
            assert_eq!(key().check_reference(odd, &address("zhang@corp.example")), None, "{odd}");
        }
    }

    #[test]
    fn s17_a_message_id_counts_only_for_its_recipient_and_repeats() {
        let zhang = address("zhang@corp.example");
        let id = key().message_id(Some(Number(12)), &zhang, "IT012/ack", "corp.example");
        assert_eq!(id, key().message_id(Some(Number(12)), &zhang, "IT012/ack", "corp.example"));
        assert_ne!(id, key().message_id(Some(Number(12)), &zhang, "IT012/other", "corp.example"));
        assert_eq!(key().check_message_id(&id, &zhang), Some(Number(12)));
        assert_eq!(key().check_message_id(&id, &address("li@corp.example")), None);
        assert_eq!(key().check_message_id("it012.aaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbb@x", &zhang), None);
    }

    #[test]
    fn s15_an_approval_link_is_for_one_owner_and_one_version() {
        let (li, wang) = (address("li@corp.example"), address("wang@corp.example"));
        let link = ApprovalLink::new(&key(), Number(3), 2, &li, Timestamp::from_seconds(1000));
        let token = key().sign_approval(&link);
        let read = key().read_approval(&token, Timestamp::from_seconds(999)).unwrap();
        assert_eq!(read, link);
        assert!(key().is_owner(&read, &li) && !key().is_owner(&read, &wang));
        assert_eq!(key().read_approval(&token, Timestamp::from_seconds(1000)), None);
        assert_eq!(Key([8; 32]).read_approval(&token, Timestamp::from_seconds(1)), None);
        assert_eq!(key().read_rating(&token, Timestamp::from_seconds(1)), None, "another purpose");
        for odd in ["", "%00", &token[1..], &format!("{token}A"), &"A".repeat(300)] {
            assert_eq!(key().read_approval(odd, Timestamp::from_seconds(1)), None, "{odd}");
        }
    }

    #[test]
    fn s26_an_article_link_is_for_one_ticket_and_one_article() {
        let link = HelpLink { number: Number(3), article: Number(2), expires: Timestamp::from_seconds(1000) };
        let token = key().sign_help(&link);
        assert_eq!(key().read_help(&token, Timestamp::from_seconds(999)), Some(link));
        assert_eq!(key().read_help(&token, Timestamp::from_seconds(1000)), None);
        assert_eq!(Key([8; 32]).read_help(&token, Timestamp::from_seconds(1)), None);
        assert_eq!(key().read_rating(&token, Timestamp::from_seconds(1)), None, "another purpose");
        for odd in ["", "%00", &token[1..], &format!("{token}A"), &"A".repeat(300)] {
            assert_eq!(key().read_help(odd, Timestamp::from_seconds(1)), None, "{odd}");
        }
    }

    #[test]
    fn a_code_is_six_digits_for_one_moment() {
        let li = address("li@corp.example");
        let code = |seconds| key().code(Number(3), 2, &li, Timestamp::from_seconds(seconds));
        assert!(code(1).len() == 6 && code(1).bytes().all(|b| b.is_ascii_digit()) && code(1) != code(2));
        let check = |entered: &str| key().is_code(entered, Number(3), 2, &li, Timestamp::from_seconds(1));
        let wide: String = code(1).chars().map(|c| char::from_u32(c as u32 + 0xfee0).unwrap()).collect();
        assert!(check(&code(1)) && check(&wide) && check(&format!(" {} {} ", &code(1)[..3], &code(1)[3..])));
        assert!(!check(&code(2)) && !check("") && !check(&format!("{}1", code(1))));
    }

    #[test]
    fn s26_s27_rating_links_refuse_what_was_not_signed_or_is_over() {
        let link =
            RatingLink { number: Number(3), cycle: 1, rating: Rating::Mostly, expires: Timestamp::from_seconds(1000) };
        let token = key().sign_rating(&link);
        assert_eq!(key().read_rating(&token, Timestamp::from_seconds(999)), Some(link));
        assert_eq!(key().read_rating(&token, Timestamp::from_seconds(1000)), None);
        assert_eq!(Key([8; 32]).read_rating(&token, Timestamp::from_seconds(1)), None);
        for odd in ["", "0", "%00", &token[1..], &format!("{token}A"), &token.to_uppercase(), &"A".repeat(300)] {
            assert_eq!(key().read_rating(odd, Timestamp::from_seconds(1)), None, "{odd}");
        }
    }
}
