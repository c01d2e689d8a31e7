//! Hands letters to a local sendmail program, as every MTA brings one.

use crate::ports::{Envelope, Mailer, SendOutcome};
use crate::wire::readable;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufWriter};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Which program to call.
#[derive(Clone, Debug)]
pub struct SendmailSettings {
    pub program: PathBuf,
    /// How long it may take for one letter; then it is killed.
    pub timeout: Duration,
}

impl Default for SendmailSettings {
    fn default() -> Self {
        SendmailSettings { program: "/usr/sbin/sendmail".into(), timeout: Duration::from_secs(300) }
    }
}

/// Calls `sendmail -i -f <sender> -- <recipient>` for every letter.
#[derive(Clone, Debug)]
pub struct SendmailMailer {
    settings: SendmailSettings,
}

impl SendmailMailer {
    pub fn new(settings: SendmailSettings) -> SendmailMailer {
        SendmailMailer { settings }
    }

    /// Whether the program is there and may be run.
    ///
    /// # Errors
    /// `Misconfigured`, as [`Mailer::send`] would say.
    pub fn probe(&self) -> Result<String, SendOutcome> {
        let program = &self.settings.program;
        let fault = |what: String| SendOutcome::Misconfigured(format!("{}: {what}", program.display()));
        let about = std::fs::metadata(program).map_err(|e| fault(e.to_string()))?;
        if !about.is_file() || about.permissions().mode() & 0o111 == 0 {
            return Err(fault("is not a program".into()));
        }
        Ok(format!("{} is there; no mail was sent", program.display()))
    }

    fn command(&self, envelope: &Envelope) -> Command {
        let mut command = Command::new(&self.settings.program);
        let from = envelope.from.as_ref().map_or("<>", |a| a.as_str());
        command.args(["-i", "-f", from, "--", envelope.to.as_str()]);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }
}

impl Mailer for SendmailMailer {
    async fn send(&mut self, envelope: &Envelope, message: &[u8]) -> SendOutcome {
        let name = self.settings.program.display();
        let mut child = match self.command(envelope).spawn() {
            Ok(child) => child,
            Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => return SendOutcome::Retry(format!("{name}: {e}")),
            Err(e) => return SendOutcome::Misconfigured(format!("{name}: {e}")),
        };
        match timeout(self.settings.timeout, talk(&mut child, message)).await {
            Ok(Ok((Some(code), text))) => judge(code, &format!("{name}: {text}")),
            Ok(Ok((None, text))) => SendOutcome::Unknown(format!("{name} was killed: {text}")),
            Ok(Err(e)) => SendOutcome::Unknown(format!("{name}: {e}")),
            Err(_) => SendOutcome::Unknown(format!("{name} took longer than {:?}", self.settings.timeout)),
        }
    }
}

/// Feeds the letter and collects exit code and complaint. A program that stops reading has its reason in the code.
async fn talk(child: &mut Child, message: &[u8]) -> std::io::Result<(Option<i32>, String)> {
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    let feed = async {
        if let Some(stdin) = stdin {
            let _ = write_local(&mut BufWriter::new(stdin), message).await;
        }
    };
    let listen = async {
        let mut text = Vec::new();
        if let Some(mut stderr) = stderr {
            let _ = (&mut stderr).take(4096).read_to_end(&mut text).await;
            let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
        }
        readable(&text, 300).trim().to_owned()
    };
    let ((), text) = tokio::join!(feed, listen);
    Ok((child.wait().await?.code(), text))
}

/// A local program expects the machine's line ends (`\n`).
async fn write_local(stdin: &mut (impl AsyncWriteExt + Unpin), message: &[u8]) -> std::io::Result<()> {
    for line in message.split_inclusive(|b| *b == b'\n') {
        match line.strip_suffix(b"\r\n") {
            Some(text) => {
                stdin.write_all(text).await?;
                stdin.write_all(b"\n").await?;
            }
            None => stdin.write_all(line).await?,
        }
    }
    stdin.shutdown().await
}

/// Exit codes of `sysexits.h`, which every sendmail keeps to.
fn judge(code: i32, text: &str) -> SendOutcome {
    let text = format!("{text} (exit code {code})");
    match code {
        0 => SendOutcome::Accepted("handed to sendmail".into()),
        // EX_DATAERR, EX_NOUSER, EX_NOHOST
        65 | 67 | 68 => SendOutcome::Refused(text),
        // EX_USAGE, EX_NOPERM, EX_CONFIG; 126 and 127: a shell that found no program
        64 | 77 | 78 | 126 | 127 => SendOutcome::Misconfigured(text),
        // EX_TEMPFAIL, EX_UNAVAILABLE, EX_OSERR and all the rest
        _ => SendOutcome::Retry(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;
    use std::os::unix::fs::PermissionsExt;

    async fn send(script: &str, message: &[u8]) -> (SendOutcome, String) {
        let temp = tempfile::tempdir().unwrap();
        let program = temp.path().join("sendmail");
        let output = temp.path().join("out");
        std::fs::write(&program, format!("#!/bin/sh\nout={}\n{script}\n", output.display())).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut mailer = SendmailMailer::new(SendmailSettings { program, timeout: Duration::from_secs(2) });
        let envelope = Envelope { from: None, to: Address::parse("-x@corp.example").unwrap() };
        let outcome = mailer.send(&envelope, message).await;
        (outcome, std::fs::read_to_string(output).unwrap_or_default())
    }

    #[tokio::test]
    async fn exit_codes_decide() {
        let (outcome, seen) = send("echo \"$@\" > $out; cat >> $out", b"a\r\n.\r\nb\r\n").await;
        assert!(matches!(outcome, SendOutcome::Accepted(_)), "{outcome:?}");
        assert_eq!(seen, "-i -f <> -- -x@corp.example\na\n.\nb\n");
        let big = vec![b'x'; 1 << 20];
        let (outcome, _) = send("echo busy >&2; exit 75", &big).await;
        assert!(matches!(&outcome, SendOutcome::Retry(text) if text.contains("busy")), "{outcome:?}");
        assert!(matches!(send("exit 67", b"x").await.0, SendOutcome::Refused(_)));
        assert!(matches!(send("exit 78", b"x").await.0, SendOutcome::Misconfigured(_)));
        assert!(matches!(send("kill -9 $$", b"x").await.0, SendOutcome::Unknown(_)));
        assert!(matches!(send("exec sleep 10", b"x").await.0, SendOutcome::Unknown(_)));
    }

    #[tokio::test]
    async fn a_missing_program_is_a_configuration_fault() {
        let settings = SendmailSettings { program: "/nonexistent/sendmail".into(), ..SendmailSettings::default() };
        let envelope = Envelope { from: None, to: Address::parse("x@corp.example").unwrap() };
        let outcome = SendmailMailer::new(settings).send(&envelope, b"x").await;
        assert!(matches!(outcome, SendOutcome::Misconfigured(_)), "{outcome:?}");
    }
}
