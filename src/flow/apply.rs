//! Carries out what the rules decided: rows, blobs, and every letter's exact bytes.

use super::Rules;
use super::gather::Facts;
use super::letters::Draft;
use crate::address::MessageId;
use crate::desk::event::{Effect, Event, Mail, Visibility};
use crate::desk::letter::Letter;
use crate::desk::ticket::Number;
use crate::store::{NewMessage, Place, Source, StoreError, Tx};
use crate::time::Timestamp;

/// What a transaction did that others want to hear of.
#[derive(Default)]
pub struct Applied {
    pub timers: usize,
    pub tickets: usize,
}

/// Where the message came from and its bytes.
pub struct Original<'a> {
    pub source: Option<&'a Source>,
    pub raw: &'a [u8],
}

/// Where the event's message ended up.
enum Placed {
    Nowhere,
    On(Number, Visibility),
    Aside(String),
}

#[expect(clippy::too_many_arguments, reason = "one call site per road; a struct would only rename them")]
pub async fn apply(
    tx: &mut Tx,
    rules: &Rules,
    event: &Event,
    original: Option<Original<'_>>,
    effects: Vec<Effect>,
    facts: &mut Facts,
    applied: &mut Applied,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut placed = Placed::Nowhere;
    let mut opened = None;
    for effect in effects {
        match effect {
            Effect::Open(ticket) => {
                tx.open_ticket(&ticket).await?;
                facts.opened(&ticket);
                applied.tickets += 1;
                opened = Some(ticket.number);
            }
            Effect::Save(ticket) => {
                tx.save_ticket(&ticket).await?;
                facts.saved();
            }
            Effect::Record(number, entry) => tx.record(number, &entry).await?,
            Effect::Join { number, visibility } => placed = Placed::On(number, visibility),
            Effect::SetAside { reason } => placed = Placed::Aside(reason),
            Effect::Participants(number, people) => tx.add_participants(number, &people).await?,
            Effect::Remember(mailbox, person) => tx.remember(&mailbox, &person).await?,
            Effect::Rate { number, cycle, rating, comment } => tx.rate(number, cycle, rating, &comment, now).await?,
            Effect::Schedule(timer) => {
                tx.schedule(&timer).await?;
                applied.timers += 1;
            }
            Effect::Unschedule(number) => tx.unschedule(number).await?,
            Effect::Send(letter) => send(tx, rules, *letter, event, opened, facts, now).await?,
        }
    }
    if let (Event::Mail(mail), Some(original)) = (event, original) {
        keep(tx, mail, original, placed, facts, now).await?;
    }
    Ok(())
}

/// Stores the message with its bytes in its one place (promise G1).
async fn keep(
    tx: &mut Tx,
    mail: &Mail,
    original: Original<'_>,
    placed: Placed,
    facts: &mut Facts,
    now: Timestamp,
) -> Result<(), StoreError> {
    for attachment in &mail.inbound.attachments {
        tx.put_blob(attachment.digest, &attachment.bytes).await?;
    }
    let place = match &placed {
        Placed::On(number, visibility) => Place::Ticket(*number, *visibility),
        Placed::Aside(reason) => Place::SetAside(reason),
        Placed::Nowhere => Place::SetAside("no rule placed it"),
    };
    if let Placed::On(number, _) = placed {
        facts.joined(&mail.inbound, number);
    }
    store(tx, mail, &original, place, now).await
}

/// A message that could not be handled, kept with its bytes and the reason.
pub async fn quarantine(
    tx: &mut Tx,
    mail: &Mail,
    original: &Original<'_>,
    reason: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    store(tx, mail, original, Place::SetAside(reason), now).await
}

async fn store(
    tx: &mut Tx,
    mail: &Mail,
    original: &Original<'_>,
    place: Place<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (inbound, source, raw, arrived) = (&mail.inbound, original.source, mail.inbound.digest, mail.arrived);
    tx.put_blob(raw, original.raw).await?;
    tx.add_message(&NewMessage { source, inbound, raw, arrived, handled: now, place }).await?;
    Ok(())
}

async fn send(
    tx: &mut Tx,
    rules: &Rules,
    mut letter: Letter,
    event: &Event,
    opened: Option<Number>,
    facts: &mut Facts,
    now: Timestamp,
) -> Result<(), StoreError> {
    let number = letter.ticket.as_ref().map(|t| t.number);
    if letter.with_first_files
        && let Some(number) = number
    {
        letter.attachments.extend(tx.first_files(number).await?.into_iter().map(std::sync::Arc::new));
        crop(&mut letter, rules.policy.limits.relay_bytes);
    }
    if number.is_some_and(|number| opened != Some(number) && facts.letters.concern(number)) {
        facts.letters.write(tx).await?;
    }
    let conversation = conversation(tx, &letter, event, number, opened).await?;
    facts.letters.add(Draft { rules: rules.clone(), letter, conversation, now });
    Ok(())
}

fn crop(letter: &mut Letter, limit: usize) {
    let mut room = limit;
    letter.attachments.retain(|file| {
        let fits = file.bytes.len() <= room;
        room -= if fits { file.bytes.len() } else { 0 };
        fits
    });
}

/// The ids this reader saw on the ticket; for a ticket opened just now that is at most their own message.
async fn conversation(
    tx: &mut Tx,
    letter: &Letter,
    event: &Event,
    number: Option<Number>,
    opened: Option<Number>,
) -> Result<Vec<MessageId>, StoreError> {
    let Some(number) = number else { return Ok(Vec::new()) };
    let mut ids =
        if opened == Some(number) { Vec::new() } else { tx.conversation(number, &letter.to.mailbox.address).await? };
    if let Event::Mail(mail) = event {
        let own = mail.inbound.from.as_ref().is_some_and(|from| from.address == letter.to.mailbox.address);
        ids.extend(mail.inbound.message_id.iter().filter(|_| own).cloned());
    }
    Ok(ids)
}
