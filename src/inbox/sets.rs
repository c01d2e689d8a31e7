//! UID sets as IMAP commands write them (RFC 3501 section 9, `sequence-set`).

/// Longest UID set in one command (RFC 2683 section 3.2.1.5 asks for lines under 1,000 bytes).
const SET_BYTES: usize = 900;

/// UIDs as sequence sets (`1:3,7`), each short enough for one command.
pub fn uid_sets(uids: &[u32]) -> Vec<String> {
    sets_of(uids, SET_BYTES)
}

fn sets_of(uids: &[u32], most: usize) -> Vec<String> {
    let mut uids = uids.to_vec();
    uids.sort_unstable();
    uids.dedup();
    let mut sets: Vec<String> = Vec::new();
    for run in uids.chunk_by(|a, b| a.checked_add(1) == Some(*b)) {
        let (first, last) = (run[0], run[run.len() - 1]);
        let part = if first == last { first.to_string() } else { format!("{first}:{last}") };
        match sets.last_mut() {
            Some(set) if set.len() + 1 + part.len() <= most => {
                set.push(',');
                set.push_str(&part);
            }
            _ => sets.push(part),
        }
    }
    sets
}

/// The UIDs of a set that [`uid_sets`] made.
pub fn expand(set: &str) -> Vec<u32> {
    let number = |text: &str| text.parse::<u32>().unwrap_or(0);
    let range = |part: &str| {
        let (first, last) = part.split_once(':').unwrap_or((part, part));
        number(first)..=number(last)
    };
    set.split(',').flat_map(range).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_compressed_and_cut() {
        for (uids, most, sets) in [
            (&[][..], 100, &[][..]),
            (&[5], 100, &["5"]),
            (&[3, 1, 2, 2, 7, 9, 10], 100, &["1:3,7,9:10"]),
            (&[1, 3, 5, 7], 3, &["1,3", "5,7"]),
            (&[u32::MAX], 100, &["4294967295"]),
        ] {
            assert_eq!(sets_of(uids, most), sets);
        }
        assert_eq!(expand("1:3,7"), [1, 2, 3, 7]);
    }
}
