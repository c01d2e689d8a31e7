//! A real Postfix of our own configuration: takes letters for `corp.example` and `outside.example` into a Maildir,
//! refuses the rest.
//! Passwords are checked by the Dovecot beside it, as in most companies.

use super::certificates::{Certificate, Flaw};
use super::dovecot::{Dovecot, PASSWORD, RunningDovecot, USER};
use super::{Server, free_port, give_to, is_root, program, run, server_folder};
use maildesk::mailer::{Credentials, SmtpSettings};
use maildesk::wire::{Endpoint, Security};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

#[derive(Debug)]
pub struct RunningPostfix {
    pub server: Server,
    /// Its users; and, when started with [`start_with_mailbox`], where mail for the desk goes.
    pub dovecot: RunningDovecot,
    pub plain: u16,
    pub tls: u16,
    pub start_tls: u16,
    pub maildir: PathBuf,
    pub ca: PathBuf,
}

/// Everything for `corp.example` goes into `maildir`.
pub fn start() -> RunningPostfix {
    start_flawed(Flaw::None)
}

pub fn start_flawed(flaw: Flaw) -> RunningPostfix {
    start_beside(Dovecot::default().start(), flaw, false)
}

/// Mail for `desk@corp.example` goes into the mailbox that Dovecot shows, everything else into `maildir`.
pub fn start_with_mailbox(dovecot: RunningDovecot) -> RunningPostfix {
    start_beside(dovecot, Flaw::None, true)
}

fn start_beside(dovecot: RunningDovecot, flaw: Flaw, with_mailbox: bool) -> RunningPostfix {
    let postconf = program("postconf", "postfix");
    assert!(is_root(), "Postfix starts as root only: run the tests as root (in a container)");
    let folder = server_folder("postfix");
    let maildir = folder.join("mail");
    for sub in ["etc", "data", "mail"] {
        fs::create_dir_all(folder.join(sub)).unwrap();
    }
    make_queue(&folder.join("spool"));
    give_to(&folder.join("data"), "postfix:root");
    give_to(&maildir, "nobody:nogroup");
    let certificate = Certificate::new(&folder, flaw);
    let (plain, tls, start_tls) = (free_port(), free_port(), free_port());
    let mut boxes = format!("@corp.example {0}/\n@outside.example {0}/\n", maildir.display());
    if with_mailbox {
        boxes.push_str(&format!("{USER} {}/\n", dovecot.maildir.display()));
    }
    fs::write(folder.join("boxes"), boxes).unwrap();
    fs::write(folder.join("etc/main.cf"), main_cf(&folder, &dovecot)).unwrap();
    fs::write(folder.join("etc/master.cf"), master_cf(plain, tls, start_tls)).unwrap();
    let etc = folder.join("etc").display().to_string();
    // The `postfix` command leaves its master process behind in a session of its own: start that one itself.
    let programs = run(Command::new(postconf).args(["-h", "daemon_directory"]));
    let mut server = Server::start(folder, "TERM", &[&format!("{}/master", programs.trim()), "-c", &etc, "-s"]);
    for port in [plain, tls, start_tls] {
        server.wait_for_port(port);
    }
    RunningPostfix { server, dovecot, plain, tls, start_tls, maildir, ca: certificate.ca }
}

/// The queue's folders, as `postfix check` makes them.
fn make_queue(spool: &Path) {
    fs::create_dir_all(spool.join("pid")).unwrap();
    let private =
        ["active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved", "trace"];
    let owned = private.map(|name| (name, "postfix:root", 0o700));
    for (name, owner, mode) in
        owned.into_iter().chain([("public", "postfix:postdrop", 0o710), ("maildrop", "postfix:postdrop", 0o730)])
    {
        let folder = spool.join(name);
        fs::create_dir(&folder).unwrap();
        give_to(&folder, owner);
        fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
    }
}

fn main_cf(folder: &Path, dovecot: &RunningDovecot) -> String {
    let f = folder.display();
    let sasl = dovecot.server.folder.join("run/sasl");
    format!(
        "compatibility_level = 3.6\nqueue_directory = {f}/spool\ndata_directory = {f}/data\nmaillog_file = /dev/stdout\n\
         myhostname = mx.corp.example\nmydestination =\nmynetworks =\ninet_protocols = ipv4\nalias_maps =\n\
         virtual_mailbox_domains = corp.example outside.example\nvirtual_mailbox_base = /\nvirtual_mailbox_maps = texthash:{f}/boxes\n\
         virtual_uid_maps = static:65534\nvirtual_gid_maps = static:65534\nvirtual_mailbox_limit = 0\n\
         smtpd_relay_restrictions = reject_unauth_destination\nmessage_size_limit = 60000000\n\
         smtpd_tls_cert_file = {f}/cert.pem\nsmtpd_tls_key_file = {f}/key.pem\nsmtpd_tls_security_level = may\n\
         smtpd_sasl_type = dovecot\nsmtpd_sasl_path = {}\nsmtpd_client_connection_count_limit = 0\nsmtpd_error_sleep_time = 0\nin_flow_delay = 0\n",
        sasl.display()
    )
}

fn master_cf(plain: u16, tls: u16, start_tls: u16) -> String {
    let login = "-o smtpd_sasl_auth_enable=yes -o smtpd_client_restrictions=permit_sasl_authenticated,reject";
    let mut text = format!(
        "127.0.0.1:{plain} inet n - n - - smtpd\n\
         127.0.0.1:{tls} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes {login}\n\
         127.0.0.1:{start_tls} inet n - n - - smtpd -o smtpd_tls_security_level=encrypt {login}\n\
         postlog unix-dgram n - n - 1 postlogd\nvirtual unix - n n - - virtual\n"
    );
    for (name, limit, program) in [
        ("cleanup unix n", "0", "cleanup"),
        ("qmgr unix n", "1", "qmgr"),
        ("tlsmgr unix -", "1", "tlsmgr"),
        ("rewrite unix -", "-", "trivial-rewrite"),
        ("bounce unix -", "0", "bounce"),
        ("defer unix -", "0", "bounce"),
        ("trace unix -", "0", "bounce"),
        ("proxymap unix -", "-", "proxymap"),
        ("anvil unix -", "1", "anvil"),
        ("smtp unix -", "-", "smtp"),
        ("error unix -", "-", "error"),
        ("retry unix -", "-", "error"),
        ("discard unix -", "-", "discard"),
        ("showq unix n", "-", "showq"),
    ] {
        text.push_str(&format!("{name} - n - {limit} {program}\n"));
    }
    text
}

impl RunningPostfix {
    pub fn settings(&self, security: Security) -> SmtpSettings {
        let port = match security {
            Security::Plain => self.plain,
            Security::Tls => self.tls,
            Security::StartTls => self.start_tls,
        };
        let server = Endpoint { host: "localhost".into(), port, security, ca_file: Some(self.ca.clone()) };
        let mut settings = SmtpSettings::new(server, "desk.corp.example");
        if security != Security::Plain {
            settings.credentials = Some(Credentials { user: USER.into(), password: PASSWORD.to_owned().into() });
        }
        settings
    }

    /// Everything delivered so far, waiting until there are `count`.
    pub async fn delivered(&self, count: usize) -> Vec<String> {
        for _ in 0..200 {
            let entries = fs::read_dir(self.maildir.join("new")).into_iter().flatten();
            let mut files: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
            if files.len() >= count {
                files.sort();
                return files.iter().map(|f| String::from_utf8_lossy(&fs::read(f).unwrap()).into_owned()).collect();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{count} letters were not delivered:\n{}", self.server.log());
    }
}
