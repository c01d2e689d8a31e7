//! A message that opens a ticket: sort it, find somebody, answer, tell the engineer.

use crate::address::{Address, Mailbox};
use crate::desk::draft::Draft;
use crate::desk::event::{Behalf, Effect, Mail, Person, Situation, Visibility};
use crate::desk::inbound::{Inbound, Kind};
use crate::desk::knowledge::learn;
use crate::desk::letter::{Content, Registered};
use crate::desk::policy::Reader;
use crate::desk::registration::{self, Contradiction};
use crate::desk::thread::plain_subject;
use crate::desk::ticket::{Fields, Number, Ticket, What, Who};
use crate::desk::triage::{Rules, Verdict};
use crate::desk::visit::site_in;
use crate::desk::words::{Field, Language, Priority, Status};
use crate::desk::{approval, assign, copies, fields, hush, incident, sla, team, vendor};
use crate::time::Timestamp;

/// What registering a message takes from its words alone.
#[derive(Clone, Debug)]
pub struct Sorted {
    pub verdict: Verdict,
    /// What its author told about the fault and about themselves, signature included.
    pub fields: Fields,
}

/// Sorts a message by its words. The same for every situation, and most of the work of opening a ticket.
pub fn sort(rules: &Rules, inbound: &Inbound) -> Sorted {
    let verdict = rules.triage(&plain_subject(&inbound.subject), inbound.told());
    Sorted { verdict, fields: fields::extract(&inbound.full_text) }
}

/// Opens a ticket for a message that belongs to none.
pub fn open(s: &Situation, mail: &Mail, requester: &Mailbox, related: Option<Number>, now: Timestamp) -> Vec<Effect> {
    let draft = begin(s, mail, requester, related, now);
    finish(s, mail, draft)
}

/// The new ticket with its owner, before any letter: an engineer's commands may still change it.
pub fn begin<'a>(
    s: &Situation<'a>,
    mail: &Mail,
    requester: &Mailbox,
    related: Option<Number>,
    now: Timestamp,
) -> Draft<'a> {
    let ticket = register(s, mail, requester, related, now);
    let who = match &mail.behalf {
        Some(behalf) => behalf.by.clone().map_or(Who::Desk, Who::Person),
        None => Who::Person(requester.address.clone()),
    };
    let mut draft = Draft::new(s.policy, ticket, who, now);
    draft.record(What::Opened, mail.inbound.subject.clone());
    for contradiction in contradictions(s, mail, requester) {
        draft.record(What::Note, contradiction.told(s.policy.desk.language));
    }
    draft.effect(Effect::Join { number: s.next_number, visibility: Visibility::Public });
    draft.effect(Effect::Remember(requester.clone(), person(&draft.ticket)));
    draft.copy(&copies::named(s.policy, &mail.inbound, &draft.ticket).inside, &[]);
    if let Some(leading) = incident::leading(s).filter(|_| hangs_on(s, mail, requester)) {
        draft.ticket.parent = Some(leading.ticket.number);
        if let Some(lead) = &leading.ticket.assignee {
            draft.assign(lead);
        }
        return draft;
    }
    let chosen = assign::choose(
        s.policy,
        draft.ticket.category,
        draft.ticket.priority,
        &s.loads,
        &not_for(s, requester, now),
        now,
    );
    draft.allot(chosen.map(|e| e.address()));
    draft
}

/// Who does not get the requester's ticket: the requester, and whoever no letter reaches at the moment.
fn not_for(s: &Situation, requester: &Mailbox, now: Timestamp) -> Vec<Address> {
    let unreachable = s.held.values().filter(|held| held.until > now).map(|held| held.address.clone());
    unreachable.chain([requester.address.clone()]).collect()
}

/// What the message says of its author otherwise than the directory.
fn contradictions(s: &Situation, mail: &Mail, requester: &Mailbox) -> Vec<Contradiction> {
    let entry = s.policy.directory.find(&requester.address);
    entry.map_or_else(Vec::new, |entry| registration::contradictions(&mail.sorted(&s.policy.rules).fields, Some(entry)))
}

/// An engineer who gives orders with a report means it to stand on its own; and what is said about the company's faults is
/// not for strangers.
fn hangs_on(s: &Situation, mail: &Mail, requester: &Mailbox) -> bool {
    mail.inbound.commands.is_empty() && s.policy.desk.is_colleague(&requester.address)
}

/// Adds the letters of a new ticket and closes the draft.
pub fn finish(s: &Situation, mail: &Mail, mut draft: Draft) -> Vec<Effect> {
    let requester = draft.ticket.requester.clone();
    let leading = incident::leading(s).filter(|_| draft.ticket.parent.is_some());
    approval::ask::recognise(s, mail, &mut draft);
    let missing = acknowledge(s, &mut draft, mail);
    // L5: bulk mail is kept and listed, but nobody is rung for it.
    match (mail.inbound.kind, leading) {
        (Kind::Bulk, _) => draft.unwatched(),
        (_, Some(_)) => {}
        (_, None) => {
            let odd = contradictions(s, mail, &requester);
            notify_owner(s, &mut draft, mail, missing, &odd);
        }
    }
    if let Some(vendor) = vendor::at_once(s.policy, &draft.ticket).filter(|_| mail.inbound.kind != Kind::Bulk) {
        let (attachments, _) = draft.fitting(&mail.inbound.attachments);
        vendor::ask(&mut draft, vendor, None, mail.inbound.body.clone(), "1").attachments = attachments;
    }
    let called = draft.circle().into_iter().map(|reader| reader.mailbox.address);
    let people = [Some(requester.address), draft.ticket.assignee.clone()].into_iter().flatten().chain(called).collect();
    draft.effect(Effect::Participants(draft.ticket.number, people));
    let report = draft.ticket.clone();
    let now = draft.now;
    let mut effects = draft.finish();
    effects.extend(leading.into_iter().flat_map(|leading| incident::join(s, leading, &report, now)));
    effects
}

/// Tells the requester that it is registered, when they may be told, and asks once for what is missing; gives that.
pub fn acknowledge(s: &Situation, draft: &mut Draft, mail: &Mail) -> Vec<Field> {
    let human = mail.inbound.kind.is_human();
    let missing = if human { fields::missing(&draft.ticket.fields, draft.ticket.priority) } else { Vec::new() };
    if !may_acknowledge(s, &mail.inbound) {
        return missing;
    }
    let outsider = !s.policy.desk.is_colleague(&draft.ticket.requester.address);
    let asked = if outsider { Vec::new() } else { missing.clone() };
    draft.ticket.asked = !asked.is_empty();
    let name = |address: &Address| s.policy.engineer(address).map(|e| e.reader.mailbox.called().to_owned());
    let engineer = draft.ticket.assignee.as_ref().and_then(name);
    let leading = incident::leading(s).filter(|_| draft.ticket.parent.is_some());
    let known = leading.map(|leading| leading.ticket.resolution_due);
    let registered = |behalf: &Behalf| Registered { by: behalf.by.as_ref().and_then(name), way: behalf.way.clone() };
    let behalf = mail.behalf.as_ref().map(registered);
    let article = if mail.behalf.is_none() { learn::suggest(s, draft) } else { None };
    let content = Content::Acknowledgement { missing: asked, engineer, outsider, known, behalf, article };
    let reader = draft.requester();
    draft.letter(reader, "1", content).answers = mail.inbound.message_id.clone();
    if !outsider && mail.behalf.is_none() {
        let (reader, kept) = (draft.requester(), draft.fitting(&mail.inbound.attachments).1);
        draft.tell_kept(reader, kept);
    }
    missing
}

fn notify_owner(s: &Situation, draft: &mut Draft, mail: &Mail, missing: Vec<Field>, odd: &[Contradiction]) {
    let Some(owner) = draft.owner() else { return };
    let (attachments, kept) = draft.fitting(&mail.inbound.attachments);
    let reason = draft.new_for_owner();
    let may_belong_to = draft.ticket.related;
    let (body, mut warnings) = (mail.inbound.body.clone(), warnings(draft, &mail.inbound));
    if let Some(machine) = mail.behalf.as_ref().and_then(|behalf| behalf.unknown.as_ref()) {
        warnings.push(unknown_caller(machine, owner.language));
    }
    if let Some((by, remark)) = mail.behalf.as_ref().and_then(|b| b.by.as_ref().zip(b.remark.as_ref())) {
        let name = draft.policy.engineer(by).map_or(by.as_str(), |engineer| engineer.reader.mailbox.called());
        let wrote =
            owner.language.pick("转发时写道（报障人看不到）：", " wrote above the forward, for colleagues only: ");
        warnings.push(format!("{name}{wrote}{}", remark.lines().collect::<Vec<_>>().join(" ")));
    }
    warnings.extend(odd.iter().map(|contradiction| contradiction.told(owner.language)));
    let similar = learn::beside(s);
    let urgent = team::is_urgent(draft.ticket.priority) && draft.ticket.assignee.is_some();
    let mut readers = if urgent { draft.circle() } else { vec![owner.clone()] };
    // Who only stands in for the requester works on it all the same.
    if mail.behalf.as_ref().is_some_and(|behalf| behalf.unknown.is_some()) && !readers.contains(&owner) {
        readers.insert(0, owner);
    }
    for reader in readers {
        // Whoever was named by a command has it with that command.
        if draft.has_notice(&reader) {
            continue;
        }
        let reason = if urgent { team::call(draft.policy, &draft.ticket, &reader, draft.now) } else { reason.clone() };
        let (body, missing, kept, warnings) = (body.clone(), missing.clone(), kept.clone(), warnings.clone());
        let similar = similar.clone();
        let content = Content::Notice { reason, body, missing, may_belong_to, kept, warnings, similar };
        draft.letter(reader, "1", content).attachments = attachments.clone();
    }
}

/// The ticket as triage and the message make it.
fn register(s: &Situation, mail: &Mail, requester: &Mailbox, related: Option<Number>, now: Timestamp) -> Ticket {
    let inbound = &mail.inbound;
    let subject = plain_subject(&inbound.subject);
    let Sorted { verdict, fields } = mail.sorted(&s.policy.rules);
    let priority = if inbound.kind == Kind::Bulk { Priority::P4 } else { verdict.priority };
    let requester = &registration::called(s.policy, requester);
    let remembered = s.sender.clone().unwrap_or_default();
    let entry = s.policy.directory.find(&requester.address);
    let mut fields = registration::complete(fields, entry, &remembered, requester);
    if let Some(site) = site(s, &fields, &subject, inbound) {
        fields.insert(Field::Site, site);
    }
    let calendar = s.policy.calendar_at(fields.get(&Field::Site).map(String::as_str));
    let (response_due, resolution_due) = sla::due(&s.policy.targets, calendar, priority, mail.arrived);
    // Who says in passing whom it stops is not asked for it.
    if verdict.matched.iter().any(|term| term.points_to.starts_with("impact.")) {
        fields.entry(Field::Impact).or_insert_with(|| verdict.impact.name(inbound.language).to_owned());
    }
    Ticket {
        number: s.next_number,
        subject: title(&subject, inbound),
        requester: requester.clone(),
        copied: Vec::new(),
        language: inbound.language,
        category: verdict.category,
        priority,
        impact: verdict.impact,
        matched: verdict.matched,
        fields,
        status: Status::New,
        wait: None,
        assignee: None,
        created: mail.arrived,
        updated: now,
        first_response: None,
        answered: None,
        response_due,
        resolution_due,
        response_warned: 0,
        resolution_warned: 0,
        resolved: None,
        closed: None,
        rating: None,
        cycle: 1,
        asked: false,
        merged_into: None,
        fault: verdict.fault.filter(|_| inbound.kind != Kind::Bulk),
        parent: None,
        related,
        version: 1,
    }
}

/// The site they work at: as it is known already, or by the words they use.
fn site(s: &Situation, fields: &Fields, subject: &str, inbound: &Inbound) -> Option<String> {
    let fact = |field| fields.get(&field).map_or("", String::as_str);
    let told = [fact(Field::Site), fact(Field::Location), fact(Field::Department), subject, inbound.told()];
    told.iter().find_map(|text| site_in(&s.policy.sites, text)).map(|site| site.name.clone())
}

/// The subject, or the first line of the text when there is none.
fn title(subject: &str, inbound: &Inbound) -> String {
    let nothing = ["", "(no subject)", "无主题", "（无主题）", "(无主题)"];
    if !nothing.contains(&subject.to_lowercase().as_str()) {
        return subject.to_owned();
    }
    let line = inbound.body.text.lines().map(str::trim).find(|l| !l.is_empty());
    let line = line.map(|l| l.chars().take(60).collect::<String>());
    line.unwrap_or_else(|| inbound.language.pick("（无主题）", "(no subject)").to_owned())
}

/// What a ticket teaches about its requester.
pub fn person(ticket: &Ticket) -> Person {
    let field = |f: Field| ticket.fields.get(&f).cloned().unwrap_or_default();
    Person {
        name: field(Field::Name),
        department: field(Field::Department),
        employee_id: field(Field::EmployeeId),
        contact: field(Field::Contact),
        language: Some(ticket.language),
    }
}

/// A machine, a list, or a sender who got too many already is not answered (`hardening.md` section 4).
pub fn may_acknowledge(s: &Situation, inbound: &Inbound) -> bool {
    let within =
        s.counts.acknowledgements.iter().zip(&s.policy.limits.acknowledgements).all(|(had, limit)| had < limit);
    // Some lists write in their own name: an answer would reach everybody on them, and the desk again.
    let desk = &s.policy.desk;
    let own = inbound.from.as_ref().is_some_and(|m| desk.is_own(&m.address) || desk.is_own_list(m.address.key()));
    within && !own && hush::may_answer(inbound).is_ok()
}

fn unknown_caller(machine: &str, language: Language) -> String {
    match language {
        Language::Chinese => format!(
            "这是{machine}转来的，通讯录里找不到是谁，暂时登记在您名下。知道是谁以后，回复本邮件，第一行写「#代报 邮箱」，工单就转给他。"
        ),
        Language::English => format!(
            "This came through {machine} and the directory does not know from whom, so you stand in as its requester. Once you know, reply with #for address on the first line."
        ),
    }
}

/// What the engineer should know before trusting the message (S6).
fn warnings(draft: &Draft, inbound: &Inbound) -> Vec<String> {
    let language = draft.owner().map_or(Language::English, |r: Reader| r.language);
    let mut warnings = Vec::new();
    let requester = &draft.ticket.requester;
    if !draft.policy.desk.is_colleague(&requester.address) {
        let text = language.pick("发件人不是本公司邮箱：", "The sender is not a colleague: ");
        warnings.push(format!("{text}{}", requester.address));
    }
    let shown = inbound.from.as_ref().filter(|from| from.address == requester.address).map_or("", |from| &from.name);
    if shown.contains('@') && !shown.to_ascii_lowercase().contains(requester.address.key()) {
        let text = language.pick(
            "显示名里写着另一个地址，实际发件地址是 ",
            "The shown name carries another address; the real one is ",
        );
        warnings.push(format!("{text}{}", requester.address));
    }
    let outside = copies::named(draft.policy, inbound, &draft.ticket).outside;
    if !outside.is_empty() {
        let addresses: Vec<&str> = outside.iter().map(|person| person.address.as_str()).collect();
        let addresses = addresses.join(language.pick("、", ", "));
        warnings.push(match language {
            Language::Chinese => format!("来信还抄送了公司以外的 {addresses}，服务台不会给他们发信；需要时回复「#抄送 地址」。"),
            Language::English => {
                format!("The mail also went to {addresses} outside the company; the desk does not write to them unless you reply with #cc address.")
            }
        });
    }
    if inbound.links_expire() {
        let text = language.pick(
            "来信里的大文件只是链接，存放在发信人的邮箱服务商那里，服务台没有存档，过期就打不开，请尽快下载。",
            "The mail links to files that its provider keeps. The desk has no copy and the links expire: download them soon.",
        );
        warnings.push(text.to_owned());
    }
    if inbound.anomalies.iter().any(|a| a.contains("winmail")) {
        let text = language.pick(
            "附件 winmail.dat 是 Outlook 格式，请对方改发普通附件。",
            "winmail.dat is an Outlook format; ask for ordinary attachments.",
        );
        warnings.push(text.to_owned());
    }
    warnings
}
