//! Scripted servers: they say exactly what a test wants, also what no real server would.

use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What the script does after a line.
#[derive(Clone, Debug)]
pub enum Say {
    Text(String),
    Bytes(Vec<u8>),
    /// Nothing: the client waits.
    Silence,
    /// Says this and closes the connection.
    Last(String),
}

/// A line-based server; remembers everything it was told.
#[derive(Clone, Debug)]
pub struct Script {
    pub port: u16,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Script {
    /// `answer` gets the connection's number from 0 and each line without its end.
    pub async fn start<F>(greeting: &str, answer: F) -> Script
    where
        F: FnMut(usize, &str) -> Say + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let script = Script { port: listener.local_addr().unwrap().port(), seen: Arc::default() };
        let (seen, greeting, answer) = (script.seen.clone(), greeting.to_owned(), Arc::new(Mutex::new(answer)));
        tokio::spawn(async move {
            for connection in 0.. {
                let Ok((stream, _)) = listener.accept().await else { return };
                let (seen, greeting, answer) = (seen.clone(), greeting.clone(), answer.clone());
                tokio::spawn(async move {
                    let say = |line: &str| (answer.lock().unwrap())(connection, line);
                    let _ = serve(stream, &greeting, &seen, say).await;
                });
            }
        });
        script
    }

    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// How many lines contain this.
    pub fn count(&self, what: &str) -> usize {
        self.seen().iter().filter(|line| line.contains(what)).count()
    }
}

async fn serve(
    stream: TcpStream,
    greeting: &str,
    seen: &Mutex<Vec<String>>,
    mut say: impl FnMut(&str) -> Say,
) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    writer.write_all(greeting.as_bytes()).await?;
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line).await? == 0 {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        seen.lock().unwrap().push(text.clone());
        match say(&text) {
            Say::Text(text) => writer.write_all(text.as_bytes()).await?,
            Say::Bytes(bytes) => writer.write_all(&bytes).await?,
            Say::Silence => {}
            Say::Last(text) => {
                writer.write_all(text.as_bytes()).await?;
                return writer.shutdown().await;
            }
        }
    }
}

/// A scripted IMAP server's ordinary answers: enough to log in and select an empty folder.
/// `special` is asked first, with the tag and the rest of the line.
pub fn imap(mut special: impl FnMut(usize, &str, &str) -> Option<Say> + Send) -> impl FnMut(usize, &str) -> Say + Send {
    move |connection, line| {
        let (tag, rest) = line.split_once(' ').unwrap_or((line, ""));
        if let Some(say) = special(connection, tag, rest) {
            return say;
        }
        let word = rest.split(' ').next().unwrap_or("");
        Say::Text(match word {
            "CAPABILITY" => format!("* CAPABILITY IMAP4rev1 ID IDLE MOVE UIDPLUS\r\n{tag} OK done\r\n"),
            "ID" => format!("* ID NIL\r\n{tag} OK done\r\n"),
            "SELECT" => format!(
                "* 0 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 1] ok\r\n{tag} OK [READ-WRITE] done\r\n"
            ),
            "IDLE" => "+ idling\r\n".to_owned(),
            _ => format!("{tag} OK done\r\n"),
        })
    }
}
