//! The duty supervisor answers a notice. One who is no engineer may hand the ticket on; whatever else they write is for
//! the engineer, never for the requester.

use crate::desk::engineer::{Voice, Work, is_proven};
use crate::desk::event::{Candidate, Effect, Mail, Situation};
use crate::desk::policy::{Engineer, Reader};
use crate::desk::thread::By;
use crate::time::Timestamp;

/// A proven mail of the supervisor's on a ticket; `None` when it proves nothing and is anybody's.
pub fn mail(
    s: &Situation,
    on: &Candidate,
    by: By,
    mail: &Mail,
    supervisor: &Reader,
    now: Timestamp,
) -> Option<Vec<Effect>> {
    let (skills, away) = (Vec::new(), Vec::new());
    let aliases = Vec::new();
    let acting = Engineer { reader: supervisor.clone(), aliases, level: 3, skills, hours: None, away, site: None };
    if !mail.inbound.kind.is_human() || !is_proven(s.policy, &mail.inbound, &acting, Some(by)) {
        return None;
    }
    let mut work = Work::new(s, on, mail, &mail.inbound, &acting, now);
    work.voice = Voice::Supervisor;
    Some(work.carry_out())
}
