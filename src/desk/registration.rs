//! Who a requester is: what the directory knows comes first, then what the text says, then what is remembered. Only where
//! somebody is and how to reach them the text knows better. What contradicts the directory is kept and shown, never
//! silently dropped.

use crate::address::Mailbox;
use crate::desk::directory::Entry;
use crate::desk::event::Person;
use crate::desk::policy::Policy;
use crate::desk::ticket::Fields;
use crate::desk::triage::fold;
use crate::desk::words::{Field, Language};
use serde::Serialize;

/// Something the text says otherwise than the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Contradiction {
    pub field: Field,
    pub said: String,
    /// What the directory knows, and the ticket goes by.
    pub known: String,
}

impl Contradiction {
    /// In words, for whoever works on the ticket.
    pub fn told(&self, language: Language) -> String {
        let Contradiction { field, said, known } = self;
        let name = field.name(language);
        match language {
            Language::Chinese => format!("来信写的{name}是“{said}”，通讯录里是“{known}”，工单按通讯录登记。"),
            Language::English => {
                let name = name.to_lowercase();
                format!("The mail says {name} \"{said}\"; the directory, which the ticket goes by, says \"{known}\".")
            }
        }
    }
}

/// The facts the directory decides.
const DECIDED: [Field; 3] = [Field::Name, Field::Department, Field::EmployeeId];

fn known(entry: &Entry, field: Field) -> &str {
    match field {
        Field::Name => &entry.name,
        Field::Department => &entry.department,
        Field::EmployeeId => &entry.employee_id,
        Field::Contact => &entry.contact,
        Field::Location => &entry.site,
        Field::Manager => &entry.manager,
        Field::Vip if entry.vip => "VIP",
        _ => "",
    }
}

/// What of `told` the directory says otherwise. `财务` and `财务部` are the same.
pub fn contradictions(told: &Fields, entry: Option<&Entry>) -> Vec<Contradiction> {
    let Some(entry) = entry else { return Vec::new() };
    let differs = |field: &Field| {
        let (said, known) = (told.get(field)?, known(entry, *field));
        let (a, b) = (bare(said), bare(known));
        // Finance and 财务部 may well be the same; nobody can tell from the letters.
        let comparable = a.is_ascii() == b.is_ascii();
        let same = known.is_empty() || !comparable || a.contains(&b) || b.contains(&a);
        (!same).then(|| Contradiction { field: *field, said: said.clone(), known: known.to_owned() })
    };
    DECIDED.iter().filter_map(differs).collect()
}

fn bare(text: &str) -> String {
    fold(text).chars().filter(|c| c.is_alphanumeric()).collect()
}

/// The facts of a new ticket, from what its first message tells.
pub fn complete(told: Fields, entry: Option<&Entry>, remembered: &Person, requester: &Mailbox) -> Fields {
    let mut fields = told;
    if let Some(entry) = entry {
        for field in DECIDED {
            put(&mut fields, field, known(entry, field));
        }
        for field in [Field::Contact, Field::Location, Field::Manager, Field::Vip] {
            fill(&mut fields, field, known(entry, field));
        }
    }
    let name = if requester.name.is_empty() { &remembered.name } else { &requester.name };
    fill(&mut fields, Field::Name, name);
    fill(&mut fields, Field::Department, &remembered.department);
    fill(&mut fields, Field::EmployeeId, &remembered.employee_id);
    fill(&mut fields, Field::Contact, &remembered.contact);
    fields
}

fn put(fields: &mut Fields, field: Field, value: &str) {
    if !value.trim().is_empty() {
        fields.insert(field, value.trim().chars().take(200).collect());
    }
}

fn fill(fields: &mut Fields, field: Field, value: &str) {
    if !fields.contains_key(&field) {
        put(fields, field, value);
    }
}

/// What a later message tells.
#[derive(Clone, Debug, Default)]
pub struct Learned {
    /// New facts, and those that replace what was only guessed before.
    pub facts: Vec<(Field, String)>,
    pub odd: Vec<Contradiction>,
    /// They stand behind labels: somebody filled in the form.
    pub by_form: bool,
}

/// Takes what a later message tells into the ticket. `stated` stands behind labels and counts before what was known;
/// `guessed` only fills gaps. What the directory decides stays as it is.
pub fn learn(fields: &mut Fields, stated: &Fields, guessed: &Fields, entry: Option<&Entry>) -> Learned {
    let odd = contradictions(stated, entry);
    let decided = |field: Field| DECIDED.contains(&field) && entry.is_some_and(|entry| !known(entry, field).is_empty());
    let mut facts = Vec::new();
    for (field, value) in stated.iter().filter(|(field, _)| !decided(**field)) {
        if fields.get(field) != Some(value) {
            fields.insert(*field, value.clone());
            facts.push((*field, value.clone()));
        }
    }
    for (field, value) in guessed {
        if !fields.contains_key(field) && !decided(*field) {
            fields.insert(*field, value.clone());
            facts.push((*field, value.clone()));
        }
    }
    Learned { by_form: !stated.is_empty(), facts, odd }
}

/// The requester under the name the directory has for them.
pub fn called(policy: &Policy, who: &Mailbox) -> Mailbox {
    match policy.directory.find(&who.address) {
        Some(entry) if !entry.name.is_empty() => Mailbox::new(who.address.clone(), entry.name.clone()),
        _ => who.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;

    fn fields(pairs: &[(Field, &str)]) -> Fields {
        pairs.iter().map(|(field, value)| (*field, (*value).to_owned())).collect()
    }

    fn entry() -> Entry {
        Entry {
            name: "张伟".into(),
            department: "财务部".into(),
            contact: "8012".into(),
            site: "上海 3F".into(),
            vip: true,
            ..Entry::default()
        }
    }

    fn check(told: &[(Field, &str)], want: &[(Field, &str)]) {
        let remembered = Person { employee_id: "A1".into(), contact: "8000".into(), ..Person::default() };
        let requester = Mailbox::new(Address::parse("zhang@corp.example").unwrap(), "zhangwei");
        let found = complete(fields(told), Some(&entry()), &remembered, &requester);
        assert_eq!(found, fields(want), "{told:?}");
    }

    use Field::{Contact, Department, EmployeeId, Location, Name, Vip, When};

    #[test]
    fn the_directory_comes_first_and_the_text_knows_where_and_how_to_reach() {
        let by_directory = [
            (Name, "张伟"),
            (Department, "财务部"),
            (EmployeeId, "A1"),
            (Contact, "8012"),
            (Location, "上海 3F"),
            (Vip, "VIP"),
        ];
        check(&[], &by_directory);
        check(&[(Name, "李四"), (Department, "市场部")], &by_directory);
        let mut told = by_directory;
        (told[3].1, told[4].1) = ("13800138000", "北京");
        check(&[(Contact, "13800138000"), (Location, "北京")], &told);
        check(&[(When, "今天")], &[&by_directory[..], &[(When, "今天")]].concat());
    }

    #[test]
    fn a_form_counts_before_what_was_guessed_and_the_directory_before_the_form() {
        let mut ticket = fields(&[(When, "今天"), (Department, "财务部"), (Contact, "8012")]);
        let stated = fields(&[(When, "上周一"), (Department, "市场部"), (Contact, "8012"), (Location, "3F")]);
        let learned = learn(&mut ticket, &stated, &fields(&[(Contact, "1390"), (EmployeeId, "A1")]), Some(&entry()));
        assert_eq!(ticket[&When], "上周一");
        assert_eq!(
            (&ticket[&Department], &ticket[&Contact], &ticket[&EmployeeId]),
            (&"财务部".into(), &"8012".into(), &"A1".into())
        );
        let facts: Vec<Field> = learned.facts.iter().map(|(field, _)| *field).collect();
        assert_eq!(facts, [When, Location, EmployeeId]);
        assert!(learned.by_form && learned.odd.len() == 1);
        let again = learn(&mut ticket, &stated, &Fields::new(), Some(&entry()));
        assert!(again.facts.is_empty());
    }

    #[test]
    fn what_contradicts_the_directory_is_named() {
        let named = |told: &[(Field, &str)]| {
            let found = contradictions(&fields(told), Some(&entry()));
            found.into_iter().map(|c| format!("{} {} {}", c.field, c.said, c.known)).collect::<Vec<_>>()
        };
        assert_eq!(named(&[(Department, "市场部"), (Contact, "1"), (EmployeeId, "B2")]), ["department 市场部 财务部"]);
        assert_eq!(named(&[(Name, "李四")]), ["name 李四 张伟"]);
        for same in ["Finance Dept", "财务", "财务部", "集团 财务部", "（财务部）"] {
            assert_eq!(named(&[(Department, same)]), Vec::<String>::new(), "{same}");
        }
        assert_eq!(contradictions(&fields(&[(Name, "李四")]), None), []);
    }
}
