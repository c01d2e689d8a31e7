//! Carries out what the rules decided: rows, blobs, and every letter's exact bytes.

use super::Rules;
use super::gather::Facts;
use super::letters::Draft;
use crate::address::MessageId;
use crate::desk::behalf;
use crate::desk::decide::decide;
use crate::desk::event::{Effect, Event, Mail, Visibility};
use crate::desk::letter::Letter;
use crate::desk::ticket::Number;
use crate::store::{NewMessage, Place, Source, StoreError, Tx};
use crate::time::Timestamp;

/// What a transaction did that others want to hear of.
#[derive(Default)]
pub struct Applied {
    /// The first of the timers it set.
    pub next_timer: Option<Timestamp>,
    pub tickets: usize,
}

/// Where the message came from and its bytes.
pub struct Original<'a> {
    pub source: Option<&'a Source>,
    pub raw: &'a [u8],
}

/// What a transaction works with.
pub struct Work<'a> {
    pub tx: &'a mut Tx,
    pub rules: &'a Rules,
    pub facts: &'a mut Facts,
    pub applied: &'a mut Applied,
    pub now: Timestamp,
}

impl Work<'_> {
    /// Asks the rules what is to be done about an event, and does it. `original`: what a mail was read from.
    pub async fn carry_out(&mut self, event: &Event, original: Option<Original<'_>>) -> Result<(), StoreError> {
        let situation = self.facts.gather(self.tx, &self.rules.policy, event, self.now).await?;
        let effects = decide(&situation, event, self.now);
        // Before anything is applied: what it was lent is added to without a copy.
        drop(situation);
        // What no rule placed is kept aside all the same (promise G1).
        let mut place = Placed::Aside("no rule placed it".to_owned());
        let opened = effects.iter().find_map(|e| if let Effect::Open(ticket) = e { Some(ticket.number) } else { None });
        for effect in effects {
            match effect {
                Effect::Join { number, visibility } => {
                    place = Placed::On { number, visibility, opens: opened == Some(number) };
                    if let Event::Mail(mail) = event {
                        self.facts.joined(self.tx, &mail.inbound, number).await?;
                    }
                }
                Effect::SetAside { reason } => place = Placed::Aside(reason),
                other => self.apply(other).await?,
            }
        }
        if let (Event::Mail(mail), Some(original)) = (event, original) {
            let words = behalf::kept_words(&self.rules.policy, &mail.inbound).filter(|_| opened.is_some());
            let other = words.map(|body| {
                let mut other = mail.clone();
                other.inbound.body = body;
                other
            });
            keep(self.tx, other.as_ref().unwrap_or(mail), &original, place.as_place(), self.now).await?;
        }
        Ok(())
    }

    async fn apply(&mut self, effect: Effect) -> Result<(), StoreError> {
        let tx = &mut *self.tx;
        match effect {
            Effect::Open(ticket) => {
                tx.open_ticket(&ticket).await?;
                self.facts.opened(&ticket, self.now);
                self.applied.tickets += 1;
            }
            Effect::Save(ticket) => {
                tx.save_ticket(&ticket).await?;
                self.facts.saved(&ticket);
            }
            Effect::Record(number, entry) => {
                tx.record(number, &entry).await?;
                self.facts.recorded(number, &entry);
            }
            Effect::Participants(number, people) => {
                tx.add_participants(number, &people).await?;
                self.facts.take_part(number, &people);
            }
            Effect::Remember(who, person) => {
                if let Some(person) = self.facts.learn(tx, &who, &person).await? {
                    tx.remember(&who.address, person).await?;
                }
            }
            Effect::Rate { number, cycle, rating, comment } => {
                tx.rate(number, cycle, rating, &comment, self.now).await?;
            }
            Effect::Schedule(timer) => {
                tx.schedule(&timer).await?;
                let next = &mut self.applied.next_timer;
                *next = Some(next.map_or(timer.due, |next| next.min(timer.due)));
            }
            Effect::Unschedule(number, kind) => tx.unschedule(number, kind).await?,
            Effect::KeepVisit(number, visit) => {
                tx.keep_visit(number, &visit).await?;
                self.facts.visited(number, &visit);
            }
            Effect::Approval(number, approval) => {
                tx.keep_approval(number, &approval).await?;
                self.facts.keep_approval(number, &approval);
            }
            Effect::Send(letter) => self.send(*letter, self.now).await?,
            Effect::SendLater(letter, at) => self.send(*letter, at).await?,
            Effect::Hold(held) => {
                tx.hold_address(&held).await?;
                self.facts.now_held(&held.address, Some(&held));
            }
            Effect::Release(address) => {
                tx.release_address(&address, self.now).await?;
                self.facts.now_held(&address, None);
            }
            Effect::Archive(number) => {
                tx.archive(number, self.now).await?;
                self.facts.archived(number, self.now);
            }
            Effect::KeepArticle(article) => tx.keep_article(&article).await?,
            Effect::KeepReview(review) => {
                tx.keep_review(&review).await?;
                self.facts.reviewed(&review);
            }
            Effect::Recur { problem, tickets } => tx.mark_symptoms(problem, &tickets).await?,
            Effect::Suggest { number, article } => tx.suggest(number, article, self.now).await?,
            Effect::Helped { number, article, helped } => {
                tx.note_helped(number, article, helped, self.now).await?;
            }
            // Told by `carry_out`, which knows the message.
            Effect::Join { .. } | Effect::SetAside { .. } => {}
        }
        Ok(())
    }

    async fn send(&mut self, mut letter: Letter, not_before: Timestamp) -> Result<(), StoreError> {
        let (policy, number) = (&self.rules.policy, letter.ticket.as_ref().map(|t| t.number));
        if letter.with_first_files
            && let Some(number) = number
        {
            letter.attachments.extend(self.tx.first_files(number).await?.into_iter().map(std::sync::Arc::new));
            crop(&mut letter, policy.limits.relay_bytes);
        }
        for file in &letter.attachments {
            self.tx.put_blob(file.digest, &file.bytes).await?;
        }
        let mut conversation = Vec::new();
        if let Some(number) = number {
            let reader = &letter.to.mailbox.address;
            conversation = self.facts.conversation(self.tx, number, reader).await?;
            let id = policy.key.message_id(Some(number), reader, &letter.key, policy.desk.address.domain());
            if let Some(id) = MessageId::parse(&id) {
                self.facts.saw(self.tx, number, reader, id).await?;
            }
        }
        self.facts.told(&letter);
        let now = number.map_or(self.now, |number| self.facts.pace(number, &letter.to.mailbox.address));
        let queued = now.max(not_before);
        self.facts.letters.add(Draft { rules: self.rules.clone(), letter, conversation, now, queued });
        Ok(())
    }
}

/// Where the event's message ended up.
enum Placed {
    On { number: Number, visibility: Visibility, opens: bool },
    Aside(String),
}

impl Placed {
    fn as_place(&self) -> Place<'_> {
        match self {
            Placed::On { number, visibility, opens: true } => Place::Opens(*number, *visibility),
            Placed::On { number, visibility, opens: false } => Place::Ticket(*number, *visibility),
            Placed::Aside(reason) => Place::SetAside(reason),
        }
    }
}

/// Stores a message with its bytes in its one place (promise G1).
pub async fn keep(
    tx: &mut Tx,
    mail: &Mail,
    original: &Original<'_>,
    place: Place<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (source, bytes, inbound) = (original.source, original.raw, &mail.inbound);
    tx.add_message(&NewMessage { source, inbound, bytes, arrived: mail.arrived, handled: now, place }).await?;
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
