//! A real OpenLDAP server with people of our own, in a folder and on ports of its own.

use super::certificates::{Certificate, Flaw};
use super::{Server, free_port};
use maildesk::wire::{Endpoint, Security};
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

pub const BASE: &str = "dc=corp,dc=example";
pub const ADMIN: &str = "cn=maildesk,dc=corp,dc=example";
pub const PASSWORD: &str = "ldap-hunter2";

pub struct Slapd {
    pub server: Server,
    pub plain: u16,
    pub tls: u16,
    pub certificate: Certificate,
}

const SETTINGS: &str = r#"
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile FOLDER/pid
TLSCACertificateFile FOLDER/ca.pem
TLSCertificateFile FOLDER/cert.pem
TLSCertificateKeyFile FOLDER/key.pem
sizelimit size.soft=500 size.hard=500 size.prtotal=unlimited
disallow bind_anon
require authc
database mdb
suffix "dc=corp,dc=example"
directory FOLDER/data
maxsize 104857600
rootdn "cn=root,dc=corp,dc=example"
access to attrs=userPassword by anonymous auth by * none
access to * by users read by * none
"#;

/// A person as LDIF: `uid`, then attributes.
pub fn person(uid: &str, attributes: &[(&str, &str)]) -> String {
    let mut ldif = format!("dn: uid={uid},ou=people,{BASE}\nobjectClass: inetOrgPerson\nuid: {uid}\n");
    for (name, value) in attributes {
        writeln!(ldif, "{name}: {value}").unwrap();
    }
    if !attributes.iter().any(|(name, _)| *name == "cn") {
        writeln!(ldif, "cn: {uid}").unwrap();
    }
    ldif + &format!("sn: {uid}\n\n")
}

/// Starts one with these people below `ou=people`.
pub fn start(people: &str) -> Slapd {
    let folder = tempfile::Builder::new().prefix("maildesk-slapd-").tempdir().unwrap().keep();
    let certificate = Certificate::new(&folder, Flaw::None);
    fs::create_dir(folder.join("data")).unwrap();
    let settings = SETTINGS.replace("FOLDER", folder.to_str().unwrap());
    let conf = folder.join("slapd.conf");
    fs::write(&conf, settings).unwrap();
    let ldif = format!(
        "dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\no: corp\ndc: corp\n\n\
         dn: {ADMIN}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: maildesk\nuserPassword: {PASSWORD}\n\n\
         dn: ou=people,{BASE}\nobjectClass: organizationalUnit\nou: people\n\n{people}"
    );
    fs::write(folder.join("people.ldif"), ldif).unwrap();
    let filled = Command::new(program("slapadd"))
        .arg("-q")
        .arg("-f")
        .arg(&conf)
        .arg("-l")
        .arg(folder.join("people.ldif"))
        .output();
    let filled = filled.expect("slapadd runs");
    assert!(filled.status.success(), "slapadd: {}", String::from_utf8_lossy(&filled.stderr));
    let (plain, tls) = (free_port(), free_port());
    let urls = format!("ldap://127.0.0.1:{plain} ldaps://127.0.0.1:{tls}");
    let slapd = program("slapd");
    let command = [slapd.as_str(), "-d", "0", "-f", conf.to_str().unwrap(), "-h", &urls];
    let mut server = Server::start(folder, "INT", &command);
    server.wait_for_port(plain);
    server.wait_for_port(tls);
    Slapd { server, plain, tls, certificate }
}

fn program(name: &str) -> String {
    super::program(name, "slapd").display().to_string()
}

impl Slapd {
    pub fn endpoint(&self, security: Security) -> Endpoint {
        let port = if security == Security::Tls { self.tls } else { self.plain };
        Endpoint { host: "localhost".into(), port, security, ca_file: Some(self.certificate.ca.clone()) }
    }

    /// The section of the configuration that names it, beside the files `ldap.password` and `ca.pem`.
    pub fn section(&self) -> String {
        format!(
            "[directory.ldap]\nhost = \"localhost\"\nport = {}\nca_file = \"ca.pem\"\nuser = \"{ADMIN}\"\n\
             password_file = \"ldap.password\"\nbase = \"ou=people,{BASE}\"\n",
            self.tls
        )
    }
}
