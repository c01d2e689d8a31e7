//! A real Dovecot 2.3 with one user and a Maildir.

use super::certificates::{Certificate, Flaw};
use super::{Server, free_port, give_to, is_root, program, run, server_folder};
use maildesk::inbox::ImapSettings;
use maildesk::wire::{Endpoint, Security};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

pub const USER: &str = "desk@corp.example";
/// Not ASCII, on purpose.
pub const PASSWORD: &str = "pass\"wörd 密码";

static COUNTER: AtomicU64 = AtomicU64::new(0);

/// What is special about this server.
#[derive(Clone, Debug)]
pub struct Dovecot {
    /// The whole capability list after login; empty: Dovecot's own.
    pub capabilities: String,
    pub flaw: Flaw,
    /// Between folder levels; `.` is also the file name delimiter then.
    pub delimiter: char,
}

impl Default for Dovecot {
    fn default() -> Self {
        Dovecot { capabilities: String::new(), flaw: Flaw::None, delimiter: '/' }
    }
}

#[derive(Debug)]
pub struct RunningDovecot {
    pub server: Server,
    pub plain: u16,
    pub tls: u16,
    pub maildir: PathBuf,
    pub ca: PathBuf,
}

impl Dovecot {
    pub fn start(&self) -> RunningDovecot {
        let dovecot = program("dovecot", "dovecot-imapd");
        let version = run(Command::new(&dovecot).arg("--version"));
        assert!(
            version.starts_with("2.3"),
            "these tests write the configuration of Dovecot 2.3 (Debian 12), found {version}"
        );
        let folder = server_folder("dovecot");
        let maildir = folder.join("mail");
        for sub in ["run", "mail/new", "mail/cur", "mail/tmp"] {
            fs::create_dir_all(folder.join(sub)).unwrap();
        }
        let certificate = Certificate::new(&folder, self.flaw);
        let (plain, tls) = (free_port(), free_port());
        fs::write(folder.join("users"), format!("{USER}:{{PLAIN}}{PASSWORD}::::::\n")).unwrap();
        fs::write(folder.join("dovecot.conf"), self.configuration(&folder, plain, tls)).unwrap();
        fs::set_permissions(folder.join("users"), fs::Permissions::from_mode(0o644)).unwrap();
        give_to(&maildir, "nobody:nogroup");
        let conf = folder.join("dovecot.conf");
        let command = [dovecot.to_str().unwrap(), "-F", "-c", conf.to_str().unwrap()];
        let mut server = Server::start(folder, "TERM", &command);
        server.wait_for_port(plain);
        server.wait_for_port(tls);
        RunningDovecot { server, plain, tls, maildir, ca: certificate.ca }
    }

    fn configuration(&self, folder: &std::path::Path, plain: u16, tls: u16) -> String {
        let f = folder.display();
        let id = |flag: &str| run(Command::new("id").arg(flag)).trim().to_owned();
        let users = match is_root() {
            true => "mail_uid = nobody\nmail_gid = nogroup\nfirst_valid_uid = 1\n".to_owned(),
            false => format!(
                "default_internal_user = {me}\ndefault_internal_group = {group}\ndefault_login_user = {me}\n\
                 service anvil {{\n chroot =\n}}\nservice imap-login {{\n chroot =\n}}\nservice stats {{\n chroot =\n}}\n",
                me = id("-un"),
                group = id("-gn")
            ),
        };
        let capabilities = match self.capabilities.as_str() {
            "" => String::new(),
            list => format!("imap_capability = {list}\n"),
        };
        format!(
            "base_dir = {f}/run\nstate_dir = {f}/run\nlog_path = /dev/stderr\nprotocols = imap\nlisten = 127.0.0.1\n\
             {users}{capabilities}ssl = yes\nssl_cert = <{f}/cert.pem\nssl_key = <{f}/key.pem\n\
             disable_plaintext_auth = no\nauth_mechanisms = plain login\nmail_location = maildir:{f}/mail\n\
             mail_home = {f}\nmail_max_userip_connections = 50\nmail_fsync = never\n\
             default_vsz_limit = 0\nservice imap-login {{\n inet_listener imap {{\n  port = {plain}\n }}\n\
             inet_listener imaps {{\n  port = {tls}\n  ssl = yes\n }}\n}}\n\
             namespace inbox {{\n inbox = yes\n separator = {}\n}}\n\
             service auth {{\n unix_listener sasl {{\n  mode = 0666\n }}\n}}\n\
             passdb {{\n driver = passwd-file\n args = {f}/users\n}}\nuserdb {{\n driver = passwd-file\n args = {f}/users\n}}\n",
            self.delimiter
        )
    }
}

impl RunningDovecot {
    pub fn endpoint(&self, security: Security) -> Endpoint {
        let port = if security == Security::Tls { self.tls } else { self.plain };
        Endpoint { host: "localhost".into(), port, security, ca_file: Some(self.ca.clone()) }
    }

    pub fn settings(&self) -> ImapSettings {
        let mut settings = ImapSettings::new(self.endpoint(Security::Tls), USER, PASSWORD.to_owned().into());
        settings.command_timeout = Duration::from_secs(10);
        settings
    }

    /// Delivers as an MTA would; returns the file.
    pub fn deliver(&self, message: &[u8]) -> PathBuf {
        let name = format!("{:010}.{}.test", COUNTER.fetch_add(1, Ordering::Relaxed), std::process::id());
        let temporary = self.maildir.join("tmp").join(&name);
        fs::write(&temporary, message).unwrap();
        give_to(&temporary, "nobody:nogroup");
        let path = self.maildir.join("new").join(&name);
        fs::rename(temporary, &path).unwrap();
        path
    }

    /// Delivers with an arrival time (INTERNALDATE is the file's time).
    pub fn deliver_at(&self, message: &[u8], ago: Duration) {
        let path = self.deliver(message);
        #[allow(clippy::disallowed_methods)]
        let at = SystemTime::now() - ago;
        fs::File::options().append(true).open(path).unwrap().set_modified(at).unwrap();
    }

    /// File names in a folder of the mailbox: `""` is INBOX, `.Processed` another.
    pub fn files(&self, folder: &str) -> Vec<String> {
        let mut names = Vec::new();
        for sub in ["new", "cur"] {
            let Ok(entries) = fs::read_dir(self.maildir.join(folder).join(sub)) else { continue };
            names.extend(entries.map(|e| e.unwrap().file_name().into_string().unwrap()));
        }
        names.sort();
        names
    }
}
