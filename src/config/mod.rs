//! The configuration: one TOML file (`design.md` 5.7). Reading it names every fault at once, with file, line and key.

mod check;
mod digests;
mod directory;
mod document;
mod modules;
mod people;
mod service;
mod transport;
mod values;

pub use directory::{Directory, Ldap};
pub use document::Fault;
pub use service::RuleFiles;
pub use transport::{Log, LogFormat, Mailbox, Route, Security, Server, Smtp, Source, Web};

use crate::desk::approval::Module;
use crate::desk::digest::{Goals, Plan};
use crate::desk::duty::{Duty, Staff};
use crate::desk::link::Key;
use crate::desk::outage::Department;
use crate::desk::policy::{
    Channel, Engineer, Escalation, Hold, Identity, Incident, Knowledge, Limits, Policy, Proof, Retention, Reviews,
    Satisfaction, Site, Targets, Visits,
};
use crate::desk::triage::Rules;
use crate::desk::vendor::Vendor;
use crate::time::{Calendar, Timestamp};
use document::Document;
use secrecy::SecretString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use values::Place;

/// The commented example: every key with meaning, unit and default. The file is the only source of this text.
pub const EXAMPLE: &str = include_str!("../../config.example.toml");

/// A configuration without faults. Secrets in it are never printed.
#[derive(Clone, Debug)]
pub struct Config {
    pub desk: Identity,
    /// Folder whose letters replace the built-in ones.
    pub templates: Option<PathBuf>,
    /// Nothing that arrived earlier is answered; `None`: the time of the first start.
    pub start: Option<Timestamp>,
    /// `sqlite:///absolute/path` or `postgres://…`.
    pub database: SecretString,
    pub mailboxes: Vec<Mailbox>,
    pub smtp: Smtp,
    /// `None`: no web pages.
    pub web: Option<Web>,
    pub engineers: Vec<Engineer>,
    pub duty: Duty,
    pub escalation: Escalation,
    pub hold: Hold,
    pub incident: Incident,
    pub calendar: Calendar,
    pub targets: Targets,
    pub rules: Arc<Rules>,
    /// Where they come from.
    pub rule_files: RuleFiles,
    pub satisfaction: Satisfaction,
    pub limits: Limits,
    pub visits: Visits,
    pub sites: Vec<Site>,
    pub proof: Proof,
    pub vendors: Vec<Vendor>,
    pub departments: Vec<Department>,
    /// Whose owners approve requests.
    pub modules: Vec<Module>,
    pub directory: Directory,
    pub channels: Vec<Channel>,
    pub knowledge: Knowledge,
    pub reviews: Reviews,
    /// How long after it was closed a ticket is archived; `None`: never.
    pub archive_after: Option<Duration>,
    pub retention: Retention,
    pub digests: Vec<Plan>,
    pub goals: Goals,
    pub log: Log,
    /// What is allowed but probably not meant.
    pub warnings: Vec<Fault>,
}

impl Config {
    /// Reads the file and everything it names.
    ///
    /// # Errors
    /// Every fault of the file: syntax, unknown keys, bad values, missing secrets, people listed twice.
    pub fn load(file: &Path) -> Result<Config, Vec<Fault>> {
        let unreadable = |e: std::io::Error| {
            vec![Fault { file: file.to_owned(), line: 1, key: String::new(), message: format!("cannot read it: {e}") }]
        };
        let text = std::fs::read_to_string(file).map_err(unreadable)?;
        Config::read(file, &text, &|name| std::env::var(name).ok())
    }

    /// Like [`Config::load`], with the file's text and the environment as arguments.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn read(file: &Path, text: &str, environment: &dyn Fn(&str) -> Option<String>) -> Result<Config, Vec<Fault>> {
        let document = Document::parse(file, text);
        let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        let folder = absolute.parent().unwrap_or(Path::new("/"));
        let config = assemble(&document, &Place { folder, environment });
        let (faults, warnings) = (document.finish(), document.warnings());
        match config {
            Some(config) if faults.is_empty() => Ok(Config { warnings, ..config }),
            _ => Err(faults),
        }
    }

    /// What will be missing soon, as of `now`, in words.
    pub fn coming(&self, now: Timestamp) -> Vec<String> {
        check::coming(self, now)
    }

    /// What the rules need to know; `key` is kept in the database.
    pub fn policy(&self, key: Key) -> Policy {
        Policy {
            desk: self.desk.clone(),
            engineers: self.engineers.clone(),
            duty: self.duty.clone(),
            escalation: self.escalation.clone(),
            hold: self.hold.clone(),
            incident: self.incident,
            targets: self.targets,
            calendar: self.calendar.clone(),
            rules: self.rules.clone(),
            proof: self.proof.clone(),
            satisfaction: self.satisfaction,
            limits: self.limits,
            visits: self.visits,
            sites: self.sites.clone(),
            vendors: self.vendors.clone(),
            departments: self.departments.clone(),
            modules: self.modules.clone(),
            channels: self.channels.clone(),
            directory: Arc::default(),
            knowledge: self.knowledge,
            reviews: self.reviews,
            archive_after: self.archive_after,
            retention: self.retention,
            key,
        }
    }
}

/// Reads every section. `None` when a part without which there is no configuration is missing or wrong; the document
/// then holds at least one fault.
fn assemble(document: &Document, place: &Place) -> Option<Config> {
    let root = document.root();
    let desk = people::Desk::read(&root.section("desk"), place);
    let address = desk.identity.as_ref().map(|identity| &identity.address);
    let database = transport::database(&root.section("database"), place);
    let mailboxes = root.sections("mailbox");
    let mailboxes = mailboxes.iter().map(|s| (s.clone(), Mailbox::read(s, place, address))).collect::<Vec<_>>();
    let smtp = Smtp::read(&root.section("smtp"), place, address);
    let web = Web::read(&root.section("web"));
    let days = service::calendar(&root.section("calendar"), place);
    let (calendar, holidays) = (days.in_zone(desk.zone), &days.holidays);
    let sites = service::sites(&root.sections("site"), desk.zone, &days, place);
    let engineers = root.sections("engineer");
    let engineers = engineers.iter().map(|s| (s.clone(), desk.engineer(s, holidays, &sites))).collect::<Vec<_>>();
    let supervisors = root.sections("supervisor");
    let supervisors = supervisors.iter().map(|s| (s.clone(), desk.staff(s))).collect::<Vec<_>>();
    let managers = root.sections("manager");
    let managers = managers.iter().map(|s| (s.clone(), desk.staff(s))).collect::<Vec<_>>();
    let vendors = root.sections("vendor");
    let vendors = vendors.iter().map(|s| (s.clone(), desk.vendor(s))).collect::<Vec<_>>();
    let others = supervisors.iter().chain(&managers);
    let others = others.map(|(section, s)| (section.clone(), s.as_ref().map(|s| s.reader.clone())));
    let suppliers = vendors.iter().map(|(section, v)| (section.clone(), v.as_ref().map(|v| v.reader.clone())));
    let outside: Vec<_> = suppliers.collect();
    let others: Vec<_> = others.collect();
    let supervisors: Vec<Staff> = supervisors.into_iter().filter_map(|(_, supervisor)| supervisor).collect();
    let managers = managers.into_iter().filter_map(|(_, manager)| manager).collect();
    let roster = desk.roster(&root.section("duty"), &supervisors);
    let duty = Duty { supervisors, roster };
    let escalation = service::escalation(&root.section("escalation"), managers);
    let working_day = calendar.day_length();
    let targets = service::targets(&root.section("sla"), working_day);
    let triage = root.section("triage");
    // Compiling the built-in rules takes a while; not for a configuration that is refused anyway.
    let rules = (triage.is_present() || !document.is_faulty()).then(|| service::rules(&triage, place));
    let satisfaction = service::satisfaction(&root.section("satisfaction"), working_day);
    let incident = service::incident(&root.section("incident"));
    let hold = service::hold(&root.section("pending"), working_day);
    let limits = service::limits(&root.section("limits"));
    let visits = service::visits(&root.section("visit"), working_day);
    let knowledge = service::knowledge(&root.section("knowledge"));
    let reviews = service::reviews(&root.section("review"), working_day);
    let archive_after = service::archive_after(&root.section("archive"), &satisfaction);
    let retention = service::retention(&root.section("retention"), &satisfaction);
    let proof = service::proof(&root.section("proof"));
    let log = Log::read(&root.section("log"));
    let directory = directory::read(&root.section("directory"), place);
    let channels = directory::channels(&root.sections("channel"), desk.identity.as_ref(), &directory);
    let engineers_read = engineers.iter().filter_map(|(_, engineer)| Some(engineer.as_ref()?.reader.clone()));
    let people = engineers_read.chain(others.iter().filter_map(|(_, reader)| reader.clone())).collect();
    let core_modules = triage.section("core_modules");
    let context = modules::Context {
        desk: &desk,
        people,
        mailboxes: &mailboxes,
        core_modules: core_modules.clone(),
        working_day,
        place,
    };
    let modules = modules::read(&root.sections("module"), &context);
    let digests = digests::read(&root.sections("digest"), &context, &engineers);
    let goals = digests::goals(&root.section("report"));
    let departments = modules::departments(&root.sections("department"), &desk, &modules, &core_modules);

    check::mailboxes(&root, &mailboxes);
    check::people(&root, desk.identity.as_ref(), &mailboxes, &engineers, &[others.clone(), outside].concat());
    check::links(&root, desk.identity.as_ref(), web);
    let (rules, rule_files) = rules?;
    Some(Config {
        desk: desk.identity?,
        templates: desk.templates,
        start: desk.start,
        database: database?,
        mailboxes: mailboxes.into_iter().map(|(_, mailbox)| mailbox).collect::<Option<_>>()?,
        smtp: smtp?,
        web,
        engineers: engineers.into_iter().map(|(_, engineer)| engineer).collect::<Option<_>>()?,
        duty,
        escalation,
        hold,
        incident,
        calendar,
        targets,
        rules: Arc::new(rules),
        rule_files,
        satisfaction,
        limits,
        visits,
        sites,
        proof,
        departments,
        vendors: vendors.into_iter().filter_map(|(_, vendor)| vendor).collect(),
        modules,
        directory,
        channels,
        knowledge,
        reviews,
        archive_after,
        retention,
        digests,
        goals,
        log,
        warnings: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Keys of a TOML text with those in comments: `#key = value` and `#   key = value`.
    fn keys_of(text: &str) -> BTreeSet<String> {
        let (mut section, mut keys) = (String::new(), BTreeSet::new());
        for line in text.lines() {
            let line = line.trim_start_matches('#').trim_start();
            let bare = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if let Some(header) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
                section = header.trim_matches(['[', ']']).to_owned();
            } else if let Some((key, _)) = line.split_once(" = ").filter(|(key, _)| key.chars().all(bare)) {
                keys.insert(format!("{section}.{key}"));
            }
        }
        keys
    }

    /// Every key the program reads, found by reading a document with one of each kind.
    fn keys_read() -> BTreeSet<String> {
        let text = r#"
            mailbox = [{kind = "imap"}, {kind = "maildir"}]
            engineer = [{address = "a@b.example"}]
            supervisor = [{address = "a@b.example"}]
            manager = [{address = "a@b.example"}]
            site = [{name = "Berlin", zone = "Europe/Berlin"}]
            vendor = [{address = "a@b.example"}]
            department = [{address = "a@b.example"}]
            duty = {week = [{mon = ["a@b.example"]}]}
            web = {}
            module = [{name = "ERP"}]
            channel = [{address = "a@b.example"}]
            directory = {ldap = {attributes = {}}}
            digest = [{name = "x"}]
            report = {staff = {Finance = 40}}
            triage = {core_modules = {ERP = ["SAP"], OA = ["x"]}}"#;
        let mut asked = BTreeSet::new();
        for smtp in ["smtp", "sendmail", "maildir"] {
            let text = format!("smtp = {{kind = {smtp:?}}}{text}");
            let document = Document::parse(Path::new("all.toml"), &text);
            assemble(&document, &Place { folder: Path::new("/nonexistent"), environment: &|_| None });
            asked.append(&mut document.asked());
        }
        let is_parent = |key: &String| asked.iter().any(|other| other.starts_with(&format!("{key}.")));
        asked.iter().filter(|key| !is_parent(key)).cloned().collect()
    }

    #[test]
    fn the_example_names_every_key_and_no_other() {
        assert_eq!(keys_of(EXAMPLE), keys_read());
    }

    #[test]
    fn values_after_a_lone_number_sign_are_the_defaults() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("mail.password"), "secret\n").unwrap();
        let file = folder.path().join("maildesk.toml");
        let shown = |text: &str| {
            let config = Config::read(&file, text, &|_| None).map_err(|f| format!("{f:#?}")).unwrap();
            format!("{:#?}", Config { warnings: Vec::new(), ..config })
        };
        let uncomment = |line: &str| match line.strip_prefix('#') {
            Some(setting) if setting.starts_with(|c: char| c.is_ascii_lowercase()) => format!("{setting}\n"),
            _ => format!("{line}\n"),
        };
        let all: String = EXAMPLE.lines().map(uncomment).collect();
        assert!(all.contains("\nholidays = \"cn\"\n") && shown(EXAMPLE).contains("IT服务台"));
        assert_eq!(shown(EXAMPLE), shown(&all));
    }
}
