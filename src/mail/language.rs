//! Which of the two languages a text is written in.

use crate::desk::words::Language;

/// The language of a text; `None` when it holds no words.
///
/// Chinese texts about computers are full of English names and error messages, English ones hold at most a Chinese
/// name: so a few Han characters outweigh many Latin words.
pub fn of_text(text: &str) -> Option<Language> {
    let (mut han, mut other, mut words, mut in_word) = (0usize, 0usize, 0usize, false);
    for c in text.chars().take(20_000) {
        let latin = c.is_alphabetic() && (c as u32) < 0x250;
        words += usize::from(latin && !in_word);
        in_word = latin || (in_word && (c == '\'' || c == '-'));
        match c {
            '\u{4E00}'..='\u{9FFF}' | '\u{3400}'..='\u{4DBF}' | '\u{20000}'..='\u{3134F}' => han += 1,
            // Kana and Hangul: not Chinese, whatever Han characters stand between.
            '\u{3041}'..='\u{30FA}' | '\u{AC00}'..='\u{D7A3}' => other += 1,
            _ => {}
        }
    }
    if han + other + words == 0 {
        return None;
    }
    let chinese = han > 4 * other && han > 0 && (han * 2 >= words || (han >= 12 && han * 6 >= words));
    Some(if chinese { Language::Chinese } else { Language::English })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages() {
        for (text, want) in [
            ("打印机坏了", Some(Language::Chinese)),
            ("Outlook 打不开，提示 The set of folders cannot be opened", Some(Language::Chinese)),
            ("VPN连不上 error 809", Some(Language::Chinese)),
            ("My printer is broken", Some(Language::English)),
            (
                "Dear 张三, the printer next to my desk does not work, please help me with it today",
                Some(Language::English),
            ),
            ("プリンターが動きません", Some(Language::English)),
            ("Der Drucker ist kaputt", Some(Language::English)),
            ("123 !!", None),
            ("", None),
        ] {
            assert_eq!(of_text(text), want, "{text}");
        }
    }
}
