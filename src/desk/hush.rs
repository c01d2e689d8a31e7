//! When the desk keeps quiet: mail that must not be answered by a machine (`hardening.md` L1 to L8).

use crate::desk::inbound::{Inbound, Kind};
use crate::desk::policy::Identity;
use crate::time::Timestamp;
use std::time::Duration;

/// `Received` fields beyond which a message runs in circles (L8; Postfix `hopcount_limit`).
pub const MAX_HOPS: usize = 50;

/// Why no automatic answer goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// L1 to L5.
    #[error("a machine wrote it")]
    Machine(Kind),
    /// No single plain author (S3, S4).
    #[error("there is nobody to answer")]
    NoAuthor,
    /// L7.
    #[error("nobody reads at the sender's address")]
    NoReplyAddress,
    /// L6.
    #[error("the sender asked for no automatic answer")]
    AskedNotTo,
    /// L8.
    #[error("it has passed too many servers")]
    Loop,
}

/// Whether an acknowledgement may be sent. Limits per sender and time are not judged here.
pub fn may_answer(message: &Inbound) -> Result<(), Reason> {
    if !message.kind.is_human() {
        return Err(Reason::Machine(message.kind));
    }
    let from = message.from.as_ref().ok_or(Reason::NoAuthor)?;
    if nobody_reads(from.address.local()) {
        return Err(Reason::NoReplyAddress);
    }
    if message.asks_no_answer {
        return Err(Reason::AskedNotTo);
    }
    if message.hops > MAX_HOPS {
        return Err(Reason::Loop);
    }
    Ok(())
}

/// Most letters to one reader about one ticket, and within which time (L18): more wait their turn. Two machines that answer
/// each other through the desk are slowed down, and no person's words are lost by it.
const PACE: [(usize, Duration); 2] = [(10, Duration::from_secs(10 * 60)), (50, PACED_OVER)];

/// Older letters do not count.
pub const PACED_OVER: Duration = Duration::from_secs(3 * 60 * 60);

/// When the next letter may leave, after these `earlier` ones to the same reader about the same ticket, oldest first.
pub fn pace(earlier: &[Timestamp], now: Timestamp) -> Timestamp {
    let after = |(most, within): &(usize, Duration)| {
        let counted = earlier.len().checked_sub(*most).map(|first| earlier[first] + *within);
        counted.unwrap_or(now)
    };
    PACE.iter().map(after).fold(now, Timestamp::max)
}

/// What a list message really is that came through the desk's own lists only: somebody wrote to the desk. `None` for
/// everything else; other signs of mass mail keep it what it is (L5).
pub fn through_own_list(desk: &Identity, message: &Inbound) -> Option<Kind> {
    let addressed = || message.to.iter().chain(&message.cc).any(|m| desk.is_own_list(m.address.key()));
    let own = message.lists.iter().all(|id| desk.is_own_list(id)) && (!message.lists.is_empty() || addressed());
    let answers = !message.in_reply_to.is_empty() || !message.references.is_empty();
    let kind = if answers { Kind::Reply } else { Kind::Request };
    (message.kind == Kind::Bulk && own && !message.mass).then_some(kind)
}

/// Local parts, lower case, of addresses that no person reads.
pub fn nobody_reads(local: &str) -> bool {
    let bare: String = local.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    const WHOLE: &[&str] = &[
        "mailerdaemon",
        "postmaster",
        "root",
        "abuse",
        "nobody",
        "daemon",
        "bounce",
        "bounces",
        "listserv",
        "majordomo",
        "autoreply",
        "autoresponder",
        "unsubscribe",
    ];
    const HOLDS: &[&str] = &["noreply", "donotreply", "donotrespond", "notreply", "mailerdaemon"];
    WHOLE.contains(&bare.as_str())
        || HOLDS.iter().any(|part| bare.contains(part))
        || local.ends_with("-bounces")
        || local.starts_with("bounce-")
        || local.starts_with("bounces+")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::{Address, Mailbox};

    fn message(kind: Kind, from: &str) -> Inbound {
        Inbound { kind, from: Address::parse(from).map(|a| Mailbox::new(a, "")), hops: 3, ..Inbound::unreadable(b"") }
    }

    #[test]
    fn l18_letters_about_one_ticket_are_paced() {
        let minute = |n: i64| Timestamp::from_millis(n * 60_000);
        let check = |count: usize, each: i64, now: i64, at: i64| {
            let earlier: Vec<Timestamp> = (0..count as i64).map(|n| minute(n * each)).collect();
            assert_eq!(pace(&earlier, minute(now)), minute(at), "{count} letters, one each {each} min, at {now}");
        };
        check(0, 0, 5, 5);
        check(9, 0, 0, 0);
        check(10, 0, 0, 10);
        check(10, 0, 11, 11);
        check(10, 1, 10, 10);
        check(25, 0, 3, 10);
        check(50, 2, 100, 180);
        check(49, 3, 147, 147);
        // What waits counts as sent when it will be.
        let mut letters = Vec::new();
        (0..30).for_each(|_| letters.push(pace(&letters, minute(0))));
        assert_eq!((letters[9], letters[10], letters[20]), (minute(0), minute(10), minute(20)));
    }

    #[test]
    fn l1_to_l5_machines_get_no_answer_and_people_do() {
        for kind in [Kind::Request, Kind::Reply, Kind::Forward, Kind::Calendar] {
            assert_eq!(may_answer(&message(kind, "li@corp.example")), Ok(()), "{kind:?}");
        }
        let machines = [
            Kind::AutoReply,
            Kind::AutoGenerated,
            Kind::Bounce,
            Kind::DeliveryReport,
            Kind::FeedbackReport,
            Kind::Receipt,
            Kind::Bulk,
            Kind::Own,
        ];
        for kind in machines {
            assert_eq!(may_answer(&message(kind, "li@corp.example")), Err(Reason::Machine(kind)));
        }
    }

    #[test]
    fn l7_addresses_nobody_reads() {
        for local in [
            "noreply",
            "No-Reply",
            "no_reply",
            "no-reply-it",
            "it.noreply",
            "donotreply",
            "do-not-reply",
            "root",
            "mailer-daemon",
            "postmaster",
            "abuse",
            "list-bounces",
            "bounces+123=a",
            "noreply+abc",
        ] {
            let address = format!("{local}@corp.example");
            assert_eq!(may_answer(&message(Kind::Request, &address)), Err(Reason::NoReplyAddress), "{local}");
        }
        for local in ["li", "rooter", "reply", "norep", "daemonhunter", "it-support", "bouncer"] {
            assert_eq!(may_answer(&message(Kind::Request, &format!("{local}@corp.example"))), Ok(()), "{local}");
        }
    }

    #[test]
    fn l6_l8_s3_wishes_loops_and_nobody() {
        assert_eq!(may_answer(&message(Kind::Request, "")), Err(Reason::NoAuthor));
        let asked = Inbound { asks_no_answer: true, ..message(Kind::Request, "li@corp.example") };
        assert_eq!(may_answer(&asked), Err(Reason::AskedNotTo));
        let looped = Inbound { hops: 51, ..message(Kind::Request, "li@corp.example") };
        assert_eq!(may_answer(&looped), Err(Reason::Loop));
        let far = Inbound { hops: 50, ..message(Kind::Request, "li@corp.example") };
        assert_eq!(may_answer(&far), Ok(()));
    }
}
