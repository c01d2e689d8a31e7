//! The machine-readable half of a delivery status report (RFC 3464 section 2).

use crate::mail::header::{self, Header};
use crate::mail::part::Part;

/// Recipients of one report that are read.
const MAX_RECIPIENTS: usize = 100;

/// One group of per-recipient fields (RFC 3464 section 2.3).
#[derive(Clone, Debug, Default)]
pub struct Recipient {
    pub recipient: String,
    /// `failed`, `delayed`, `delivered`, `relayed`, `expanded`, or empty.
    pub action: String,
    pub status: String,
    pub diagnostic: String,
}

/// The recipients the report speaks of, in order.
pub fn recipients(root: &Part) -> Vec<Recipient> {
    let is_status = |p: &&&Part| p.is("message/delivery-status") || p.is("message/global-delivery-status");
    let parts = std::iter::once(root).chain(&root.children).collect::<Vec<_>>();
    let Some(part) = parts.iter().find(is_status) else { return Vec::new() };
    let bytes = part.bytes();
    let mut found = Vec::new();
    let mut rest: &[u8] = &bytes;
    while !rest.is_empty() && found.len() < MAX_RECIPIENTS {
        let (group, after) = header::split(rest);
        found.extend(recipient(&group));
        // A line that is no field would stop the reading: step over it.
        rest = if after.len() == rest.len() { &rest[header::line_at(rest, 0).len()..] } else { after };
    }
    found
}

fn recipient(group: &Header) -> Option<Recipient> {
    let named = ["Final-Recipient", "Original-Recipient", "X-Actual-Recipient"].map(|name| group.text(name));
    let [last, first, actual] = named;
    if last.is_none() && first.is_none() && !group.has("Action") {
        return None;
    }
    let addresses = [last, first, actual].into_iter().flatten().map(|v| address(&v));
    let status = group.text("Status").map(|s| super::reason::enhanced_status(&s)).unwrap_or_default();
    Some(Recipient {
        recipient: addresses.into_iter().find(|a| a.contains('@')).unwrap_or_default(),
        action: group.token("Action").unwrap_or_default(),
        status,
        diagnostic: group.first("Diagnostic-Code").map(|v| without_type(&header::decode(v, None))).unwrap_or_default(),
    })
}

/// `rfc822; <li@corp.example>` without type and brackets.
fn address(value: &str) -> String {
    without_type(value).trim_matches(|c: char| c.is_whitespace() || "<>\"".contains(c)).to_owned()
}

fn without_type(value: &str) -> String {
    match value.split_once(';') {
        Some((kind, rest)) if kind.trim().len() <= 20 && !kind.contains(['@', '<']) => rest.trim().to_owned(),
        _ => value.trim().to_owned(),
    }
}
