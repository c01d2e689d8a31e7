//! What went wrong in the store, told by what to do next.

use std::fmt;

/// Why a store call failed. Each kind asks for something else from the caller.
#[derive(Debug)]
pub enum StoreError {
    /// Somebody else changed or added the same thing first: handle the event again from its beginning.
    Conflict(String),
    /// The disk or the database is full: nothing was written; try again after a pause and tell the operator.
    Full(String),
    /// Another transaction or process is in the way: try again after a short pause.
    Busy(String),
    /// The connection to the database is gone or the server is restarting: try again with growing pauses.
    Lost(String),
    /// The disk failed or the file is damaged: stop the process rather than go on (`hardening.md` R5, R41).
    Damaged(String),
    /// The database cannot be used as configured: wrong path, another daemon, a newer schema. Stop and say so.
    Refused(String),
    /// A fault of this program or of a row in the database: log it, set the event aside.
    Fault(String),
}

impl StoreError {
    /// No room left on the disk.
    pub fn is_full(&self) -> bool {
        matches!(self, StoreError::Full(_))
    }

    /// Something holds a lock: the same call may succeed in a moment.
    pub fn is_busy(&self) -> bool {
        matches!(self, StoreError::Busy(_))
    }

    /// The database cannot be reached at the moment.
    pub fn is_lost(&self) -> bool {
        matches!(self, StoreError::Lost(_))
    }

    /// Somebody else was faster: read again and decide again.
    pub fn is_conflict(&self) -> bool {
        matches!(self, StoreError::Conflict(_))
    }

    /// Nothing can be stored at the moment, whatever it is: not the fault of the message in hand.
    pub fn is_systemic(&self) -> bool {
        !matches!(self, StoreError::Conflict(_) | StoreError::Fault(_))
    }

    /// Worth trying again without a person's help.
    pub fn is_passing(&self) -> bool {
        self.is_full() || self.is_busy() || self.is_lost() || self.is_conflict()
    }

    /// Going on could lose what was promised: leave the process with an error.
    pub fn is_fatal(&self) -> bool {
        matches!(self, StoreError::Damaged(_))
    }

    pub(super) fn damaged_row(row: impl fmt::Display, value: &str) -> StoreError {
        let value: String = value.chars().take(80).collect();
        StoreError::Fault(format!("{row}: cannot read {value:?}"))
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Conflict(what) => write!(f, "{what} was changed at the same moment; it is tried again"),
            StoreError::Full(what) => write!(f, "the disk of the database is full: free some space ({what})"),
            StoreError::Busy(what) => write!(f, "the database is busy; it is tried again ({what})"),
            StoreError::Lost(what) => write!(f, "the database cannot be reached; it is tried again ({what})"),
            StoreError::Damaged(what) => {
                write!(f, "the database file or its disk is damaged: check the disk, restore a backup ({what})")
            }
            StoreError::Refused(what) => f.write_str(what),
            StoreError::Fault(what) => write!(f, "the database refused a statement: {what}"),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> StoreError {
        let words = error.to_string();
        match &error {
            sqlx::Error::Database(refusal) if refusal.is_unique_violation() => {
                StoreError::Conflict(refusal.constraint().or(refusal.table()).unwrap_or("a row").to_owned())
            }
            sqlx::Error::Database(refusal) => {
                let code = refusal.code().unwrap_or_default();
                match refusal.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() {
                    Some(_) => from_sqlstate(&code, words),
                    None => from_sqlite_code(&code, words),
                }
            }
            sqlx::Error::PoolTimedOut => StoreError::Busy(words),
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => StoreError::Lost(words),
            sqlx::Error::Configuration(_) => StoreError::Refused(words),
            _ => StoreError::Fault(words),
        }
    }
}

/// <https://www.sqlite.org/rescode.html>; the low byte of an extended code is the primary one.
fn from_sqlite_code(code: &str, words: String) -> StoreError {
    let code: u32 = code.parse().unwrap_or(0);
    match code & 0xff {
        5 | 6 => StoreError::Busy(words),
        13 => StoreError::Full(words),
        10 | 11 | 26 => StoreError::Damaged(words),
        8 | 14 => StoreError::Refused(words),
        _ => StoreError::Fault(words),
    }
}

/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn from_sqlstate(code: &str, words: String) -> StoreError {
    match code {
        "53100" => StoreError::Full(words),
        // Serialization failure, deadlock, lock time-out, too many connections, out of memory, cancelled.
        "40001" | "40P01" | "55P03" | "53300" | "53200" | "57014" => StoreError::Busy(words),
        // Read-only after a fail-over; idle in transaction; 57P: shut down or starting.
        "25006" | "25P03" | "57P01" | "57P02" | "57P03" | "57P05" => StoreError::Lost(words),
        "58030" | "XX001" | "XX002" => StoreError::Damaged(words),
        // Wrong password, unknown role or database.
        "28000" | "28P01" | "3D000" => StoreError::Refused(words),
        _ if code.starts_with("08") => StoreError::Lost(words),
        _ => StoreError::Fault(words),
    }
}
