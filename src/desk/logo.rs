//! Pictures of the signature that some programs attach to every mail. Once it is plain what they are they stay with their
//! mail, and nobody gets them again.

use crate::desk::event::{Mail, Situation};
use crate::desk::inbound::{Digest, Inbound};
use std::borrow::Cow;

/// A logo is no larger.
const BYTES: usize = 64 * 1024;
/// Pictures of one mail that are looked at.
const MOST: usize = 16;
/// A picture that came with so many mails of its sender before is a logo.
const MAILS: u64 = 2;

/// The pictures of a mail that may be logos: small, and no words show them.
pub fn possible(inbound: &Inbound) -> Vec<Digest> {
    let pictures = inbound
        .attachments
        .iter()
        .filter(|file| file.media_type.starts_with("image/") && file.bytes.len() <= BYTES && !inbound.shows(file));
    pictures.take(MOST).map(|file| file.digest).collect()
}

/// The mail as everybody but its ticket gets it.
pub fn without<'a>(s: &Situation, mail: &'a Mail) -> Cow<'a, Mail> {
    let logos = s.sent_before.iter().filter(|(_, mails)| *mails >= MAILS);
    let logos: Vec<Digest> = logos.map(|(file, _)| *file).collect();
    let mut mail = Cow::Borrowed(mail);
    if !logos.is_empty() {
        mail.to_mut().inbound.attachments.retain(|file| !logos.contains(&file.digest));
    }
    mail
}
