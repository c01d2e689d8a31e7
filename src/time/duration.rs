//! Durations as the configuration and the letters write them: `15m`, `2h`, `1d`, `1h30m`.

use std::time::Duration;

/// Reads `90s`, `15m`, `2h`, `1d`, `1w` or a run of them (`1h30m`). One day is 24 hours.
///
/// # Errors
/// Says what was expected when the text is empty, has no unit or an unknown one, or overflows.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let expected = || format!("expected a duration such as \"90s\", \"15m\", \"2h\" or \"1d\", found {text:?}");
    let mut total: u64 = 0;
    let mut number: Option<u64> = None;
    for character in text.trim().chars() {
        if let Some(digit) = character.to_digit(10) {
            let shifted = number.unwrap_or(0).checked_mul(10).and_then(|n| n.checked_add(u64::from(digit)));
            number = Some(shifted.ok_or_else(expected)?);
            continue;
        }
        let unit = match character {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return Err(expected()),
        };
        let seconds = number.take().and_then(|n| n.checked_mul(unit)).ok_or_else(expected)?;
        total = total.checked_add(seconds).ok_or_else(expected)?;
    }
    if number.is_some() || text.trim().is_empty() {
        return Err(expected());
    }
    Ok(Duration::from_secs(total))
}

/// Writes a duration the way [`parse_duration`] reads it, at most two units: `1d4h`, `15m`, `0s`.
pub fn format_duration(duration: Duration) -> String {
    let mut rest = duration.as_secs();
    let mut text = String::new();
    let mut units = 0;
    for (size, name) in [(86_400, 'd'), (3600, 'h'), (60, 'm'), (1, 's')] {
        if rest >= size && units < 2 {
            text.push_str(&format!("{}{name}", rest / size));
            rest %= size;
            units += 1;
        }
    }
    if text.is_empty() { "0s".into() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for (text, seconds) in
            [("90s", 90), ("15m", 900), ("2h", 7200), ("1d", 86_400), ("1h30m", 5400), (" 1w ", 604_800)]
        {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "15", "m", "1x", "-1h", "99999999999999999999h", "1h30"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn writes_what_it_reads() {
        for text in ["0s", "15m", "1d4h", "1h30m"] {
            assert_eq!(format_duration(parse_duration(text).unwrap()), text);
        }
    }
}
