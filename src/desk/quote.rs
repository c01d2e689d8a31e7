//! New words and the letter quoted below them, where the reader could not part the two: a body that would be empty
//! without its quote is kept whole.

use crate::address::Address;
use crate::desk::inbound::{Body, Inbound};
use crate::desk::link::Key;
use std::borrow::Cow;

/// `body` holds a letter that only this reader was sent: its reference stands there.
pub fn holds_letter_to(key: &Key, inbound: &Inbound, reader: &Address, body: &Body) -> bool {
    let holds = |text: &str, reference: &str| text.to_ascii_uppercase().contains(reference);
    inbound.references_in_text.iter().any(|reference| {
        key.check_reference(reference, reader).is_some()
            && (holds(&body.text, reference) || body.html.as_deref().is_some_and(|html| holds(html, reference)))
    })
}

/// What the writer of this mail added to the letter they answer; often nothing.
pub fn own_words<'a>(key: &Key, inbound: &'a Inbound, writer: &Address) -> Cow<'a, str> {
    let text = &inbound.body.text;
    if !holds_letter_to(key, inbound, writer, &inbound.body) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(above_history(text).collect::<Vec<_>>().join("\n"))
}

/// The lines above the quoted letter, without the one a phone adds.
pub fn above_history(text: &str) -> impl Iterator<Item = &str> {
    const HISTORY: &[&str] =
        &["写道", "寫道", "写到：", "wrote:", "原始邮件", "邮件原件", "原邮件", "Original Message", "Replied Message"];
    const HEADS: &[&str] = &[">", "发件人", "寄件者", "From:", "-----", "_____"];
    const PHONES: &[&str] = &["发自", "來自", "来自", "从我的", "Sent from", "获取 Outlook", "Get Outlook"];
    let begins = |line: &str, marks: &[&str]| marks.iter().any(|mark| line.starts_with(mark));
    let history = move |line: &str| begins(line, HEADS) || HISTORY.iter().any(|mark| line.contains(mark));
    let lines = text.lines().take(2000).map(str::trim);
    lines.take_while(move |line| !history(line)).filter(move |line| !line.is_empty() && !begins(line, PHONES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_above_the_quote() {
        for (text, words) in [
            ("在 2026-11-23 10:00，IT 服务台 写道：\n> 满意吗？", ""),
            ("发自我的iPhone\n\n> 满意吗？", ""),
            ("还是不行\n\n------------------ 原始邮件 ------------------\n发件人: IT", "还是不行"),
            ("Still broken\nSent from my iPhone\nOn Mon, IT wrote:\n> x", "Still broken"),
            ("发件人: IT 服务台\n发送时间: x", ""),
        ] {
            assert_eq!(above_history(text).collect::<Vec<_>>().join("\n"), words, "{text}");
        }
    }
}
