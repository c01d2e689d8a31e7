//! The directory on an LDAP server (RFC 4511): everybody below a base, read page by page.

use super::csv::{fill, join, language, one_line};
use crate::address::Address;
use crate::desk::directory::{Entry, MOST_ADDRESSES, MOST_PEOPLE};
use crate::wire::{Endpoint, Security, client_config, without_secret};
use ldap3::adapters::{Adapter, EntriesOnly, PagedResults};
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, LdapError, Scope, SearchEntry};
use secrecy::{ExposeSecret as _, SecretString};
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use tokio::time::timeout;

/// People of one answer; servers such as Active Directory give at most 1000.
const PAGE: i32 = 500;

/// How long one answer may take, and all of them together.
const PATIENCE: Duration = Duration::from_secs(30);
const PATIENCE_IN_ALL: Duration = Duration::from_secs(10 * 60);

/// How the server is asked.
#[derive(Clone, Debug)]
pub struct Settings {
    pub endpoint: Endpoint,
    /// Name (DN, or what the server takes for one) and password; `None`: anonymously.
    pub login: Option<(String, SecretString)>,
    /// People stand below it.
    pub base: String,
    /// Who of them counts (RFC 4515).
    pub filter: String,
    /// Who of them is VIP; `None`: nobody.
    pub vip_filter: Option<String>,
    pub attributes: Attributes,
}

/// Which attributes hold what, the first that is there wins; of addresses and numbers all count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attributes {
    pub address: Vec<String>,
    pub name: Vec<String>,
    pub department: Vec<String>,
    pub employee_id: Vec<String>,
    pub contact: Vec<String>,
    pub site: Vec<String>,
    pub manager: Vec<String>,
    pub language: Vec<String>,
}

impl Default for Attributes {
    /// What Active Directory and OpenLDAP use (RFC 2798, RFC 4519).
    fn default() -> Attributes {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Attributes {
            address: list(&["mail", "proxyAddresses"]),
            name: list(&["displayName", "cn"]),
            department: list(&["department", "departmentNumber", "ou"]),
            employee_id: list(&["employeeID", "employeeNumber"]),
            contact: list(&["telephoneNumber", "mobile"]),
            site: list(&["physicalDeliveryOfficeName", "l"]),
            manager: list(&["manager"]),
            language: list(&["preferredLanguage"]),
        }
    }
}

impl Attributes {
    fn all(&self) -> Vec<String> {
        let lists = [
            &self.address,
            &self.name,
            &self.department,
            &self.employee_id,
            &self.contact,
            &self.site,
            &self.manager,
            &self.language,
        ];
        lists.into_iter().flatten().cloned().collect()
    }
}

/// Why the server was not read.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Heals by itself, try again later.
    #[error("{0}")]
    Network(String),
    /// Login, certificate, base or filter: somebody has to look at it.
    #[error("{0}")]
    Refused(String),
}

/// Reads everybody.
///
/// # Errors
/// [`Fault`] says whether waiting helps; nothing of what was read so far counts then.
pub async fn read(settings: &Settings) -> Result<Vec<Entry>, Fault> {
    let reading = timeout(PATIENCE_IN_ALL, read_all(settings)).await;
    let late = || Fault::Network(format!("not read within {} min", PATIENCE_IN_ALL.as_secs() / 60));
    let place = format!("{}:{}", settings.endpoint.host, settings.endpoint.port);
    let password = settings.login.as_ref().map(|(_, password)| password.expose_secret()).unwrap_or_default();
    let told = |text: String| format!("{place}: {}", without_secret(&text, &[password]));
    reading.unwrap_or_else(|_| Err(late())).map_err(|fault| match fault {
        Fault::Network(text) => Fault::Network(told(text)),
        Fault::Refused(text) => Fault::Refused(told(text)),
    })
}

async fn read_all(settings: &Settings) -> Result<Vec<Entry>, Fault> {
    let mut ldap = connect(settings).await?;
    let found = search(&mut ldap, settings, &settings.filter, settings.attributes.all()).await?;
    let vips = match &settings.vip_filter {
        Some(filter) => search(&mut ldap, settings, filter, vec!["1.1".to_owned()]).await?,
        None => Vec::new(),
    };
    drop(timeout(PATIENCE, ldap.unbind()).await);
    let people = people(&settings.attributes, found, vips);
    // An answer without anybody is no answer: a right was taken away, or the base is wrong.
    if people.is_empty() {
        return Err(Fault::Refused("nobody with a mail address below the base; check base, filter and rights".into()));
    }
    Ok(people)
}

async fn connect(settings: &Settings) -> Result<Ldap, Fault> {
    let endpoint = &settings.endpoint;
    let scheme = if endpoint.security == Security::Tls { "ldaps" } else { "ldap" };
    let host = if endpoint.host.contains(':') { format!("[{}]", endpoint.host) } else { endpoint.host.clone() };
    let mut connection = LdapConnSettings::new().set_conn_timeout(PATIENCE);
    if endpoint.security != Security::Plain {
        let config = client_config(endpoint.ca_file.as_deref()).map_err(|error| Fault::Refused(error.to_string()))?;
        connection = connection.set_config(config).set_starttls(endpoint.security == Security::StartTls);
    }
    let url = format!("{scheme}://{host}:{}", endpoint.port);
    let connecting = timeout(2 * PATIENCE, LdapConnAsync::with_settings(connection, &url)).await;
    let connecting = connecting.map_err(|_| Fault::Network("cannot connect: no answer".into()))?;
    let (driver, mut ldap) = connecting.map_err(|error| fault("cannot connect", &error))?;
    ldap3::drive!(driver);
    if let Some((name, password)) = &settings.login {
        let bound = ldap.with_timeout(PATIENCE).simple_bind(name, password.expose_secret()).await;
        let bound = bound.map_err(|error| fault("login", &error))?;
        bound.success().map_err(|error| Fault::Refused(format!("login refused: {error}")))?;
    }
    Ok(ldap)
}

async fn search(
    ldap: &mut Ldap,
    settings: &Settings,
    filter: &str,
    attributes: Vec<String>,
) -> Result<Vec<SearchEntry>, Fault> {
    let pages: Vec<Box<dyn Adapter<_, _>>> = vec![Box::new(EntriesOnly::new()), Box::new(PagedResults::new(PAGE))];
    ldap.with_timeout(PATIENCE);
    let started = ldap.streaming_search_with(pages, &settings.base, Scope::Subtree, filter, attributes).await;
    let mut stream = started.map_err(|error| fault("search", &error))?;
    let mut found = Vec::new();
    while let Some(entry) = stream.next().await.map_err(|error| fault("search", &error))? {
        found.push(SearchEntry::construct(entry));
        if found.len() > MOST_PEOPLE {
            return Err(Fault::Refused(format!("more than {MOST_PEOPLE} people; narrow the filter")));
        }
    }
    let ended = stream.finish().await.success();
    ended.map_err(|error| Fault::Refused(format!("search refused: {error}")))?;
    Ok(found)
}

fn fault(what: &str, error: &LdapError) -> Fault {
    let text = format!("{what}: {error}");
    match error {
        LdapError::FilterParsing => Fault::Refused(format!("{text} (filter or vip_filter)")),
        LdapError::LdapResult { .. } => Fault::Refused(text),
        // A certificate is not mended by waiting.
        LdapError::Io { source } if source.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) => {
            Fault::Refused(text)
        }
        _ => Fault::Network(text),
    }
}

fn people(attributes: &Attributes, found: Vec<SearchEntry>, vips: Vec<SearchEntry>) -> Vec<Entry> {
    let vips: HashSet<String> = vips.into_iter().map(|entry| entry.dn.to_lowercase()).collect();
    let found: Vec<(String, Entry)> = found
        .into_iter()
        .map(|raw| {
            let dn = raw.dn.to_lowercase();
            let mut entry = person(attributes, &raw);
            entry.vip = vips.contains(&dn);
            (dn, entry)
        })
        .collect();
    let names: HashMap<String, String> = found.iter().map(|(dn, entry)| (dn.clone(), entry.name.clone())).collect();
    let with_manager = |(_, mut entry): (String, Entry)| {
        if let Some(name) = names.get(&entry.manager.to_lowercase()) {
            entry.manager.clone_from(name);
        }
        entry
    };
    found.into_iter().map(with_manager).filter(|entry| !entry.addresses.is_empty()).collect()
}

fn person(attributes: &Attributes, raw: &SearchEntry) -> Entry {
    // Names of attributes have no case.
    let values: HashMap<String, &Vec<String>> =
        raw.attrs.iter().map(|(name, values)| (name.to_lowercase(), values)).collect();
    let all = |names: &[String]| {
        let of = |name: &String| values.get(&name.to_lowercase()).into_iter().flat_map(|values| values.iter());
        names.iter().flat_map(of).map(|value| one_line(value)).filter(|value| !value.is_empty()).collect::<Vec<_>>()
    };
    let first = |names: &[String]| all(names).into_iter().next().unwrap_or_default();
    let mut entry = Entry {
        department: first(&attributes.department),
        employee_id: first(&attributes.employee_id),
        site: first(&attributes.site),
        manager: first(&attributes.manager),
        language: language(&first(&attributes.language)),
        ..Entry::default()
    };
    fill(&mut entry.name, first(&attributes.name));
    all(&attributes.contact).iter().for_each(|number| join(&mut entry.contact, number));
    for value in all(&attributes.address) {
        // proxyAddresses of Active Directory: SMTP: is the main one, smtp: an alias; X500: and SIP: are no mail.
        let address = match value.split_once(':') {
            Some((kind, rest)) if kind.eq_ignore_ascii_case("smtp") => Address::parse(rest),
            Some(_) => None,
            None => Address::parse(&value),
        };
        if let Some(address) = address
            && !entry.addresses.contains(&address)
            && entry.addresses.len() < MOST_ADDRESSES
        {
            entry.addresses.push(address);
        }
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(dn: &str, attributes: &[(&str, &[&str])]) -> SearchEntry {
        let attrs = attributes
            .iter()
            .map(|(name, values)| ((*name).to_owned(), values.iter().map(|value| (*value).to_owned()).collect()));
        SearchEntry { dn: dn.to_owned(), attrs: attrs.collect(), bin_attrs: HashMap::new() }
    }

    #[test]
    fn entries_of_active_directory() {
        let zhang = raw(
            "CN=Zhang Wei,OU=Staff,DC=corp",
            &[
                ("displayName", &["张伟"]),
                ("cn", &["Zhang Wei"]),
                ("mail", &["zhang@corp.example"]),
                (
                    "proxyAddresses",
                    &["SMTP:zhang@corp.example", "smtp:zw@corp.example", "X500:/o=x", "sip:zw@corp.example"],
                ),
                ("EmployeeID", &["A1"]),
                ("telephoneNumber", &["8012"]),
                ("mobile", &["+86 138 0013 8000"]),
                ("manager", &["cn=sun hao,OU=Staff,DC=corp"]),
                ("preferredLanguage", &["zh-CN"]),
            ],
        );
        let sun = raw("CN=Sun Hao,OU=Staff,DC=corp", &[("cn", &["Sun Hao"]), ("mail", &["sun@corp.example"])]);
        let printer = raw("CN=Printer,DC=corp", &[("cn", &["Printer"])]);
        let vip = raw("cn=Zhang Wei,OU=Staff,DC=corp", &[]);
        let people = people(&Attributes::default(), vec![zhang, sun, printer], vec![vip]);
        assert_eq!(people.len(), 2);
        let zhang = &people[0];
        assert_eq!(zhang.addresses.iter().map(Address::local).collect::<Vec<_>>(), ["zhang", "zw"]);
        assert_eq!(
            [&zhang.name, &zhang.employee_id, &zhang.contact, &zhang.manager],
            ["张伟", "A1", "8012 / +86 138 0013 8000", "Sun Hao"]
        );
        assert!(zhang.vip && !people[1].vip);
    }
}
