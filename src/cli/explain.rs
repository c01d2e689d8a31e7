//! `maildesk explain`: how messages would be understood (`design.md` 5.2).

use crate::mail;
use serde_json::json;
use std::io::Write;

/// Reads every path and prints one JSON object a line.
pub fn explain(paths: &[String], out: &mut impl Write) -> anyhow::Result<()> {
    for path in paths {
        let raw = std::fs::read(path)?;
        let m = mail::parse(&raw);
        let line = json!({"path": path, "kind": m.kind, "answer": m.kind.is_human(), "subject": m.subject,
            "text": m.body.text, "full_text": m.full_text, "category": "other", "priority": "P3"});
        writeln!(out, "{line}")?;
    }
    Ok(())
}
