//! `maildesk explain`: how messages would be understood (`design.md` 5.2).

use crate::mail;
use serde_json::json;
use std::io::Write;

/// Reads every path and prints one JSON object a line.
pub fn explain(paths: &[String], out: &mut impl Write) -> anyhow::Result<()> {
    let rules = crate::desk::triage::Rules::builtin();
    for path in paths {
        let raw = std::fs::read(path)?;
        let m = mail::parse(&raw);
        let v = rules.triage(&m.subject, &m.body.text);
        let line = json!({"path": path, "kind": m.kind, "answer": m.kind.is_human(), "subject": m.subject,
            "text": m.body.text, "full_text": m.full_text, "category": v.category, "priority": v.priority,
            "impact": v.impact, "confidence": v.confidence, "matched": v.matched, "fields": v.fields});
        writeln!(out, "{line}")?;
    }
    Ok(())
}
