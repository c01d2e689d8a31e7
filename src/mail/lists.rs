//! The lists a message came through: what tells the desk's own group address from a newsletter (`hardening.md` L5).

use crate::mail::header::{self, Header};

/// The `List-Id`s (RFC 2919: the part in angle brackets, case does not count), at most ten.
pub fn ids(header: &Header) -> Vec<String> {
    let id = |value: &[u8]| {
        let text = header::unfold_text(value);
        let bracketed = text.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>'));
        bracketed.map_or(text.as_str(), |(id, _)| id).trim().to_ascii_lowercase()
    };
    header.all("List-Id").take(10).map(id).filter(|id| !id.is_empty()).collect()
}

/// It says itself that it is sent to many, whatever list it came through.
pub fn is_mass(header: &Header) -> bool {
    let precedence = header.token("Precedence").unwrap_or_default();
    matches!(precedence.as_str(), "bulk" | "junk") || header.has("Feedback-ID")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::part::{Notes, Part};

    #[test]
    fn l5_lists_and_mass_mail() {
        let check = |raw: &str, lists: &[&str], mass: bool| {
            let root = Part::parse(raw.as_bytes(), &mut Notes::default());
            assert_eq!(
                (ids(&root.header), is_mass(&root.header)),
                (lists.iter().map(|l| l.to_string()).collect(), mass),
                "{raw}"
            );
        };
        check("List-Id: IT Help <IT-Help.example.com>\n\nx", &["it-help.example.com"], false);
        check("List-ID: it-help.example.com\nPrecedence: list\n\nx", &["it-help.example.com"], false);
        check("List-Id: \"a <b>\"\n <news.example.com>\nPrecedence: Bulk\n\nx", &["news.example.com"], true);
        check("Feedback-ID: 1:2:esp\nList-Unsubscribe: <https://x>\n\nx", &[], true);
        check("List-Id: \nSubject: x\n\nx", &[], false);
    }
}
