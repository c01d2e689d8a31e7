//! Erasing a person, and letting go what has been kept long enough (`hardening.md` S65, S66).
//!
//! What happened stays, without whose it was: ticket, times, category, priority, rating, department. Words, names,
//! addresses, numbers, mails and files go, wherever they stand: on the person's own tickets all of it, on others' what the
//! person wrote and whatever names them. It is one transaction; [`Store::scrub`](crate::store::Store::scrub) then takes it
//! from the disk.

use super::Flow;
use crate::address::{Address, Mailbox};
use crate::desk::knowledge;
use crate::desk::knowledge::article::State;
use crate::desk::policy::{Policy, Retention};
use crate::desk::review::Kind;
use crate::desk::review::form::Form;
use crate::desk::ticket::{Entry, Number, What, Who};
use crate::desk::words::Status;
use crate::mail;
use crate::store::{Deletion, Kept, StoreError, Traces, Tx, replaced};
use crate::time::Timestamp;
use serde_json::Value;

/// What stands where a name was.
const GONE: &str = "…";
/// Tickets of one commit when their time is over.
const AT_ONCE: i64 = 100;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Erasure {
    /// This person works for the desk, as the configuration has it.
    Staff,
    /// These tickets of theirs are not over yet.
    Open(Vec<Number>),
    /// Nothing is known of them.
    Unknown,
    /// So much was taken away, or would be.
    Done(Deletion),
}

/// How much of each class has been kept long enough.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LetGo(pub Vec<(&'static str, Deletion)>);

impl Flow {
    /// Takes everything about a person away. `try_only`: only counts.
    ///
    /// # Errors
    /// The store's; nothing has happened then.
    pub async fn erase(&self, who: &Address, now: Timestamp, try_only: bool) -> Result<Erasure, StoreError> {
        if is_staff(&self.policy(), who) {
            return Ok(Erasure::Staff);
        }
        let nth = self.store.deletions().await?.len() + 1;
        let as_whom = pseudonym(nth);
        let mut tx = self.store.begin().await?;
        let traces = tx.traces(who).await?;
        let over = |status: &Status| matches!(status, Status::Closed | Status::Cancelled);
        let open: Vec<Number> = traces.own.iter().filter(|(_, status)| !over(status)).map(|(n, _)| *n).collect();
        if !open.is_empty() {
            return Ok(Erasure::Open(open));
        }
        let person = Person::of(&mut tx, who, &traces).await?;
        let held = person.holdings(&mut tx).await?;
        if person.own.is_empty() && person.others.is_empty() && held.is_empty() {
            return Ok(Erasure::Unknown);
        }
        let gone = person.erase(&mut tx, &as_whom, &held).await?;
        if !try_only {
            tx.note_deletion("erased", &gone, now).await?;
            tx.commit().await?;
        }
        Ok(Erasure::Done(gone))
    }

    /// Takes away what has been kept long enough, class by class. `try_only`: only counts.
    ///
    /// # Errors
    /// The store's; classes and tickets that were done stay done.
    pub async fn let_go(&self, now: Timestamp, try_only: bool) -> Result<LetGo, StoreError> {
        let Retention { tickets, urgent, aside } = self.policy().retention;
        let mut all = LetGo::default();
        for (class, keep, is_urgent) in [("tickets", tickets, false), ("urgent", urgent, true)] {
            let Some(keep) = keep else { continue };
            all.0.push((class, self.let_tickets_go(class, is_urgent, now - keep, now, try_only).await?));
        }
        if let Some(keep) = aside {
            all.0.push(("aside", self.let_aside_go(now - keep, now, try_only).await?));
        }
        Ok(all)
    }

    async fn let_tickets_go(
        &self,
        class: &'static str,
        urgent: bool,
        before: Timestamp,
        now: Timestamp,
        try_only: bool,
    ) -> Result<Deletion, StoreError> {
        let (mut all, policy) = (Deletion::default(), self.policy());
        loop {
            let mut tx = self.store.begin().await?;
            let limit = if try_only { i64::MAX } else { AT_ONCE };
            let numbers = tx.kept_long_enough(urgent, before, limit).await?;
            if numbers.is_empty() {
                return Ok(all);
            }
            let nobody = Address::parse("nobody@erased.invalid").expect("a good address");
            let held: Vec<Kept> = {
                let mut held = tx.holdings(&numbers, &nobody).await?;
                let aside = tx.holdings(&[], &nobody).await?;
                held.retain(|one| !aside.contains(one));
                held
            };
            let archived = tx.unarchive(&numbers).await?;
            for number in &numbers {
                forget_in_article(&mut tx, *number, true, str::to_owned).await?;
                forget_in_reviews(&mut tx, *number, true, None, str::to_owned).await?;
            }
            let mut gone = tx.erase_held(&held).await?;
            tx.erase_tickets(&numbers, &nobody).await?;
            for number in &numbers {
                tx.rewrite_timeline(*number, |entry| without_words(&policy, entry, &nobody)).await?;
            }
            tx.forget_strangers().await?;
            forget_index(&mut tx, &numbers).await?;
            for (number, at) in archived {
                tx.archive(number, at).await?;
            }
            gone.tickets = numbers.len() as u64;
            all += gone;
            if try_only {
                return Ok(all);
            }
            tx.note_deletion(class, &gone, now).await?;
            tx.commit().await?;
        }
    }

    async fn let_aside_go(&self, before: Timestamp, now: Timestamp, try_only: bool) -> Result<Deletion, StoreError> {
        let mut all = Deletion::default();
        loop {
            let mut tx = self.store.begin().await?;
            let limit = if try_only { i64::MAX } else { AT_ONCE };
            let held = tx.aside_long_enough(before, limit).await?;
            if held.is_empty() {
                return Ok(all);
            }
            let gone = tx.erase_held(&held).await?;
            all += gone;
            if try_only {
                return Ok(all);
            }
            tx.note_deletion("aside", &gone, now).await?;
            tx.commit().await?;
        }
    }
}

/// Leads to nobody; `.invalid` is nobody's (RFC 2606 section 2).
fn pseudonym(nth: usize) -> Address {
    Address::parse(&format!("person{nth}@erased.invalid")).expect("a good address")
}

fn is_staff(policy: &Policy, who: &Address) -> bool {
    let supervisors = policy.duty.supervisors.iter().chain(&policy.escalation.managers);
    policy.engineer(who).is_some()
        || policy.desk.is_own(who)
        || supervisors.map(|staff| &staff.reader.mailbox.address).any(|address| address == who)
}

/// A person to be erased.
struct Person<'a> {
    who: &'a Address,
    own: Vec<Number>,
    others: Vec<Number>,
    /// What names them: address, names, numbers, the subjects of their tickets.
    needles: Vec<String>,
}

impl<'a> Person<'a> {
    async fn of(tx: &mut Tx, who: &'a Address, traces: &Traces) -> Result<Person<'a>, StoreError> {
        let own: Vec<Number> = traces.own.iter().map(|(number, _)| *number).collect();
        let mut needles = vec![who.key().to_owned()];
        let telling = |word: &&String| word.trim().chars().count() >= if word.is_ascii() { 4 } else { 2 };
        needles.extend(traces.names.iter().filter(telling).map(|name| name.trim().to_owned()));
        needles.extend(traces.numbers.iter().filter(telling).map(|number| number.trim().to_owned()));
        for ticket in tx.tickets(&own).await? {
            for value in ticket.fields.iter().filter(|(field, _)| is_personal(**field)).map(|(_, value)| value) {
                needles.extend(Some(value.trim().to_owned()).filter(|value| value.chars().count() >= 4));
            }
            needles.extend(Some(ticket.subject).filter(|subject| subject.chars().count() >= 6));
        }
        needles.sort_unstable_by_key(|needle| std::cmp::Reverse(needle.len()));
        needles.dedup();
        Ok(Person { who, own, others: traces.others.clone(), needles })
    }

    /// What is to go: on their own tickets all of it, elsewhere what is theirs or names them.
    async fn holdings(&self, tx: &mut Tx) -> Result<Vec<Kept>, StoreError> {
        let own = tx.holdings(&self.own, self.who).await?;
        let none = tx.holdings(&[], self.who).await?;
        let mut gone: Vec<Kept> = own.into_iter().filter(|held| held.own || !none.contains(held)).collect();
        for held in tx.holdings(&self.others, self.who).await? {
            if held.own {
                gone.push(held);
            } else if !gone.contains(&held) {
                let bytes = tx.held_bytes(held.id).await?;
                if !bytes.is_empty() && self.is_named(&bytes) {
                    gone.push(held);
                }
            }
        }
        gone.sort_by_key(|held| held.id);
        gone.dedup_by_key(|held| held.id);
        Ok(gone)
    }

    fn is_named(&self, bytes: &[u8]) -> bool {
        let read = mail::parse(bytes);
        let header = String::from_utf8_lossy(&bytes[..bytes.len().min(64 << 10)]).to_ascii_lowercase();
        let names: Vec<String> =
            read.from.iter().chain(&read.to).chain(&read.cc).map(|mailbox| mailbox.name.clone()).collect();
        let text = format!("{}\n{}\n{}", read.subject, names.join("\n"), read.full_text).to_ascii_lowercase();
        self.needles.iter().map(|needle| needle.to_ascii_lowercase()).any(|n| text.contains(&n) || header.contains(&n))
    }

    async fn erase(&self, tx: &mut Tx, as_whom: &Address, held: &[Kept]) -> Result<Deletion, StoreError> {
        let archived = tx.unarchive(&[&self.own[..], &self.others[..]].concat()).await?;
        let mut gone = tx.erase_held(held).await?;
        gone.tickets = self.own.len() as u64;
        for number in self.own.iter().chain(&self.others) {
            tx.rewrite_timeline(*number, |entry| self.forgotten(entry, as_whom)).await?;
        }
        tx.drop_from_copies(&self.others, self.who).await?;
        tx.rename_in_approvals(&[&self.own[..], &self.others[..]].concat(), self.who, as_whom).await?;
        for number in self.own.iter().chain(&self.others) {
            let own = self.own.contains(number);
            forget_in_article(tx, *number, own, |part| self.without_needles(part)).await?;
            forget_in_reviews(tx, *number, own, Some((self.who, as_whom)), |part| self.without_needles(part)).await?;
        }
        tx.erase_tickets(&self.own, as_whom).await?;
        tx.erase_person(self.who, as_whom).await?;
        forget_index(tx, &[&self.own[..], &self.others[..]].concat()).await?;
        for (number, at) in archived {
            tx.archive(number, at).await?;
        }
        Ok(gone)
    }

    fn without_needles(&self, text: &str) -> String {
        self.needles.iter().fold(text.to_owned(), |text, needle| replaced(&text, needle, GONE))
    }

    /// An entry without them: that something happened stays.
    fn forgotten(&self, entry: Entry, as_whom: &Address) -> Entry {
        let theirs = entry.who == Who::Person(self.who.clone());
        let why = if theirs { String::new() } else { self.without_needles(&entry.why) };
        let who = if theirs { Who::Person(as_whom.clone()) } else { entry.who };
        let what = match entry.what {
            What::Absorbed { number, requester, language, .. } if requester.address == *self.who => {
                let requester = Mailbox { address: as_whom.clone(), name: String::new() };
                What::Absorbed { number, subject: String::new(), requester, language }
            }
            What::Joined { mut report } if report.address == *self.who => {
                (report.address, report.requester, report.subject) = (as_whom.clone(), String::new(), String::new());
                What::Joined { report }
            }
            other => self.renamed(other, as_whom),
        };
        Entry { who, what, why, ..entry }
    }

    /// The same with their address replaced wherever it stands; it stays what it was when that makes no sense.
    fn renamed(&self, what: What, as_whom: &Address) -> What {
        let text = serde_json::to_string(&what).unwrap_or_default();
        let renamed = replaced(&text, self.who.key(), as_whom.as_str());
        if renamed == text { what } else { serde_json::from_str(&renamed).unwrap_or(what) }
    }
}

fn is_personal(field: crate::desk::words::Field) -> bool {
    use crate::desk::words::Field;
    matches!(field, Field::Name | Field::EmployeeId | Field::Contact)
}

/// What happened, without what anybody said or is called; who works for the desk stays.
fn without_words(policy: &Policy, entry: Entry, nobody: &Address) -> Entry {
    let who = match entry.who {
        Who::Person(who) if !is_staff(policy, &who) => Who::Person(nobody.clone()),
        staff => staff,
    };
    let what = match entry.what {
        What::Absorbed { number, language, .. } => {
            let requester = Mailbox { address: nobody.clone(), name: String::new() };
            What::Absorbed { number, subject: String::new(), requester, language }
        }
        What::Joined { mut report } => {
            (report.address, report.requester, report.subject) = (nobody.clone(), String::new(), String::new());
            What::Joined { report }
        }
        other => without_people(policy, other, nobody),
    };
    Entry { who, what, why: String::new(), ..entry }
}

/// The same with everybody's address replaced who does not work for the desk, and their names taken away.
fn without_people(policy: &Policy, what: What, nobody: &Address) -> What {
    fn walk(value: &mut Value, is_anybody: &impl Fn(&str) -> bool, nobody: &str) {
        match value {
            Value::String(text) if is_anybody(text) => *text = nobody.to_owned(),
            Value::Array(items) => items.iter_mut().for_each(|item| walk(item, is_anybody, nobody)),
            Value::Object(fields) => {
                let named = fields.get("address").and_then(Value::as_str).is_some_and(is_anybody);
                if let Some(name) = fields.get_mut("name").filter(|_| named) {
                    *name = Value::from("");
                }
                fields.values_mut().for_each(|field| walk(field, is_anybody, nobody));
            }
            _ => {}
        }
    }
    let Ok(mut value) = serde_json::to_value(&what) else { return what };
    let is_anybody = |text: &str| Address::parse(text).is_some_and(|address| !is_staff(policy, &address));
    walk(&mut value, &is_anybody, nobody.as_str());
    serde_json::from_value(value).unwrap_or(what)
}

/// An engineer answers for an article, without names: it stays. What its ticket's requester wrote does not, and a draft is
/// nothing else.
async fn forget_in_article(
    tx: &mut Tx,
    number: Number,
    own: bool,
    change: impl Fn(&str) -> String,
) -> Result<(), StoreError> {
    let Some(mut article) = tx.article(number).await? else { return Ok(()) };
    if own && article.state != State::Published {
        return tx.drop_article(number).await;
    }
    let subject = tx.tickets(&[number]).await?.pop().map(|ticket| ticket.subject).unwrap_or_default();
    if own {
        article.parts.symptom = String::new();
        if !subject.is_empty() && article.parts.title.contains(&subject) {
            article.parts.title = article.category.name(article.language).to_owned();
        }
    }
    article.parts.map(change);
    article.version += 1;
    tx.keep_article(&article).await
}

/// The review of a ticket goes with its words; a problem is more than one person's, and only loses names. `who`: who is to be
/// forgotten, and who takes their place.
async fn forget_in_reviews(
    tx: &mut Tx,
    number: Number,
    own: bool,
    who: Option<(&Address, &Address)>,
    change: impl Fn(&str) -> String,
) -> Result<(), StoreError> {
    let reviews = tx.reviews_of(&[number]).await?;
    if reviews.is_empty() {
        return Ok(());
    }
    let subject = tx.tickets(&[number]).await?.pop().map(|ticket| ticket.subject).unwrap_or_default();
    for before in reviews {
        let mut review = before.clone();
        if own && review.kind == Kind::Incident {
            review.form = Form { due: review.form.due, ..Form::default() };
        }
        if own && !subject.is_empty() && review.title.contains(&subject) {
            review.title = String::new();
        }
        if let Some((who, as_whom)) = who {
            review.people.iter_mut().filter(|person| *person == who).for_each(|person| *person = as_whom.clone());
            if review.form.owner_address.as_ref() == Some(who) {
                (review.form.owner, review.form.owner_address) = (GONE.to_owned(), None);
            }
        }
        let form = &mut review.form;
        for text in [&mut review.title, &mut form.cause, &mut form.corrective, &mut form.preventive, &mut form.owner] {
            *text = change(text);
        }
        if review != before {
            review.version += 1;
            tx.keep_review(&review).await?;
        }
    }
    Ok(())
}

/// Writes the documents of these tickets and of their articles anew.
async fn forget_index(tx: &mut Tx, numbers: &[Number]) -> Result<(), StoreError> {
    tx.forget_symptoms(numbers, Timestamp::default()).await?;
    tx.take_stale(0).await?;
    let mut documents = Vec::new();
    for ticket in tx.tickets(numbers).await? {
        let (timeline, told) = (tx.timeline(ticket.number).await?, tx.told_on(ticket.number, 50).await?);
        documents.push(knowledge::of_ticket(&ticket, &timeline, &told));
        let article = tx.article(ticket.number).await?;
        let published = article.filter(|article| article.state == State::Published);
        documents.extend(published.map(|article| knowledge::of_article(&article)));
    }
    tx.put_documents(&documents).await
}
