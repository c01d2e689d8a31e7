//! The company's directory: who works here. A snapshot that is replaced as a whole, so that the rules never wait for
//! anybody.

use crate::address::Address;
use crate::desk::triage::fold;
use crate::desk::words::Language;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Bounds on what is kept: people, addresses of one of them, characters of a value.
pub const MOST_PEOPLE: usize = 200_000;
pub const MOST_ADDRESSES: usize = 20;
pub const LONGEST_VALUE: usize = 200;

/// A person. Empty: the directory does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The main one first.
    pub addresses: Vec<Address>,
    pub name: String,
    pub department: String,
    pub employee_id: String,
    /// Numbers as somebody would dial them; several stand between ` / `.
    pub contact: String,
    pub site: String,
    pub vip: bool,
    /// Name or address of whom they report to.
    pub manager: String,
    pub language: Option<Language>,
}

impl Entry {
    /// Takes over what is not known here.
    fn complete(&mut self, other: Entry) {
        let pairs = [
            (&mut self.name, other.name),
            (&mut self.department, other.department),
            (&mut self.employee_id, other.employee_id),
            (&mut self.contact, other.contact),
            (&mut self.site, other.site),
            (&mut self.manager, other.manager),
        ];
        for (known, new) in pairs {
            if known.is_empty() {
                *known = new;
            }
        }
        self.vip |= other.vip;
        self.language = self.language.or(other.language);
        for address in other.addresses {
            if !self.addresses.contains(&address) && self.addresses.len() < MOST_ADDRESSES {
                self.addresses.push(address);
            }
        }
    }
}

/// Everybody, found by address, number, name or employee number.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    people: Vec<Entry>,
    by_address: BTreeMap<Address, usize>,
    /// `None`: several people have it.
    by_number: BTreeMap<String, Option<usize>>,
    by_word: BTreeMap<String, Option<usize>>,
}

impl Directory {
    /// Of several sources the earlier ones win; later ones fill gaps and add people. Within one source the first of two
    /// people with one address keeps it.
    pub fn new(sources: impl IntoIterator<Item = Vec<Entry>>) -> Directory {
        let mut directory = Directory::default();
        for entry in sources.into_iter().flatten() {
            directory.add(entry);
        }
        for (at, person) in directory.people.iter().enumerate() {
            for number in numbers(&person.contact) {
                note(&mut directory.by_number, number, at);
            }
            for word in [&person.name, &person.employee_id].into_iter().filter(|word| !word.is_empty()) {
                note(&mut directory.by_word, fold(word), at);
            }
        }
        directory
    }

    fn add(&mut self, entry: Entry) {
        let known = entry.addresses.iter().find_map(|address| self.by_address.get(address)).copied();
        let at = match known {
            Some(at) => {
                self.people[at].complete(entry);
                at
            }
            None if self.people.len() < MOST_PEOPLE => {
                self.people.push(entry);
                self.people.len() - 1
            }
            None => return,
        };
        for address in &self.people[at].addresses {
            self.by_address.entry(address.clone()).or_insert(at);
        }
    }

    pub fn find(&self, address: &Address) -> Option<&Entry> {
        self.by_address.get(address).map(|at| &self.people[*at])
    }

    /// Whoever alone is reached at this number, however it is written.
    pub fn by_number(&self, number: &str) -> Option<&Entry> {
        let number = numbers(number).next()?;
        self.by_number.get(&number).copied().flatten().map(|at| &self.people[at])
    }

    /// Whoever alone has this name or employee number.
    pub fn by_word(&self, word: &str) -> Option<&Entry> {
        self.by_word.get(&fold(word)).copied().flatten().map(|at| &self.people[at])
    }

    pub fn len(&self) -> usize {
        self.people.len()
    }

    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }
}

fn note(index: &mut BTreeMap<String, Option<usize>>, key: String, at: usize) {
    index.entry(key).and_modify(|known| *known = known.filter(|known| *known == at)).or_insert(Some(at));
}

/// The numbers in a text, as they are compared: digits only, without the country code and the zero of a trunk.
pub fn numbers(text: &str) -> impl Iterator<Item = String> {
    let mut all: Vec<String> = Vec::new();
    let mut digits = String::new();
    for c in text.chars().chain(['/']) {
        match c {
            '0'..='9' => digits.push(c),
            // Written inside one number: +86 138-0013-8000, (021) 1234.
            ' ' | '-' | '+' | '(' | ')' | '.' if digits.len() < 20 => {}
            _ => {
                all.push(std::mem::take(&mut digits));
            }
        }
    }
    let bare = |digits: String| {
        let bare = digits.trim_start_matches('0');
        let without_country = bare.strip_prefix("86").filter(|rest| rest.len() >= 10).unwrap_or(bare);
        without_country.trim_start_matches('0').to_owned()
    };
    all.into_iter().map(bare).filter(|digits| (3..=15).contains(&digits.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(local: &str) -> Address {
        Address::parse(&format!("{local}@corp.example")).unwrap()
    }

    fn entry(addresses: &[&str], name: &str, contact: &str) -> Entry {
        let addresses = addresses.iter().map(|a| address(a)).collect();
        Entry { addresses, name: name.into(), contact: contact.into(), ..Entry::default() }
    }

    #[test]
    fn people_are_found_by_everything_that_is_theirs_alone() {
        let mut other = entry(&["zs"], "", "");
        (other.department, other.vip) = ("财务部".into(), true);
        let li = Entry { employee_id: "A17".into(), ..entry(&["li"], "李娜", "8012 / 138 0013 8000") };
        let file =
            vec![entry(&["zhang", "zs"], "张伟", "+86 139-1111-2222 / 8017"), li, entry(&["li2"], "李娜", "8017")];
        let directory = Directory::new([file, vec![other, entry(&["new", "li"], "ignored", "")]]);
        assert_eq!(directory.len(), 3);
        let zhang = directory.find(&address("ZS")).unwrap();
        assert_eq!((zhang.name.as_str(), zhang.department.as_str(), zhang.vip), ("张伟", "财务部", true));
        assert_eq!(directory.find(&address("new")).unwrap().name, "李娜");
        let name = |found: Option<&Entry>| found.map(|entry| entry.addresses[0].local().to_owned());
        for (number, who) in [
            ("13911112222", Some("zhang")),
            ("008613911112222", Some("zhang")),
            ("8012", Some("li")),
            ("138-0013-8000", Some("li")),
            ("8017", None), // two have it
            ("12", None),
            ("", None),
        ] {
            assert_eq!(name(directory.by_number(number)).as_deref(), who, "{number}");
        }
        assert_eq!(name(directory.by_word("张伟")).as_deref(), Some("zhang"));
        assert_eq!(name(directory.by_word("a17")).as_deref(), Some("li"));
        assert_eq!(name(directory.by_word("李娜")), None);
    }

    #[test]
    fn numbers_are_compared_without_their_dress() {
        let check = |text: &str, want: &[&str]| assert_eq!(numbers(text).collect::<Vec<_>>(), want, "{text}");
        check("+86 138 0013 8000", &["13800138000"]);
        check("(021) 1234-5678 / 8012", &["2112345678", "8012"]);
        check("ext. 8012", &["8012"]);
        check("12, x", &[]);
        check("99999999999999999999999999", &[]);
    }
}
