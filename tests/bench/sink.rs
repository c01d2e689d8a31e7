//! An SMTP server that says yes to everything at once and remembers what was accepted when.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

/// A letter the sink has said yes to.
pub struct Accepted {
    pub at: Instant,
    pub to: String,
    /// The Message-ID the letter answers, without angle brackets.
    pub in_reply_to: Option<String>,
}

#[derive(Clone, Default)]
pub struct Sink {
    accepted: Arc<Mutex<Vec<Accepted>>>,
}

impl Sink {
    /// Listens on a free port until the process ends.
    pub fn start() -> (Sink, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let sink = Sink::default();
        let serving = sink.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let sink = serving.clone();
                std::thread::spawn(move || sink.talk(stream));
            }
        });
        (sink, port)
    }

    pub fn accepted(&self) -> MutexGuard<'_, Vec<Accepted>> {
        self.accepted.lock().unwrap()
    }

    /// `None` when the client is gone.
    fn talk(&self, stream: TcpStream) -> Option<()> {
        stream.set_nodelay(true).ok()?;
        let mut say = stream.try_clone().ok()?;
        let mut lines = BufReader::with_capacity(64 << 10, stream);
        let (mut line, mut to) = (Vec::new(), String::new());
        say.write_all(b"220 sink\r\n").ok()?;
        loop {
            line.clear();
            if lines.read_until(b'\n', &mut line).ok()? == 0 {
                return None;
            }
            let command = String::from_utf8_lossy(&line).to_ascii_uppercase();
            let reply: &[u8] = match command.get(..4).unwrap_or("") {
                "EHLO" => b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n",
                "RCPT" => {
                    let text = String::from_utf8_lossy(&line);
                    to = text.split(['<', '>']).nth(1).unwrap_or("").to_owned();
                    b"250 ok\r\n"
                }
                "DATA" => {
                    say.write_all(b"354 go\r\n").ok()?;
                    let in_reply_to = letter(&mut lines)?;
                    self.accepted().push(Accepted { at: Instant::now(), to: to.clone(), in_reply_to });
                    b"250 taken\r\n"
                }
                "QUIT" => {
                    say.write_all(b"221 bye\r\n").ok()?;
                    return None;
                }
                _ => b"250 ok\r\n",
            };
            say.write_all(reply).ok()?;
        }
    }
}

/// Reads to the final dot; what the letter answers.
fn letter(lines: &mut impl BufRead) -> Option<Option<String>> {
    let (mut line, mut in_header, mut in_reply_to) = (Vec::new(), true, None);
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line).ok()? == 0 {
            return None;
        }
        if line == b".\r\n" {
            return Some(in_reply_to);
        }
        in_header &= line != b"\r\n";
        if in_header && line.len() > 12 && line[..12].eq_ignore_ascii_case(b"in-reply-to:") {
            let text = String::from_utf8_lossy(&line);
            in_reply_to = text.split(['<', '>']).nth(1).map(str::to_owned);
        }
    }
}
