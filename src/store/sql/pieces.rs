//! The exact bytes of messages and letters, in pieces; files among them are blobs (see `mail::pieces`).

use super::held::some;
use super::{Connection, Db, Row, Store, Tx, blobs, push_list};
use crate::desk::inbound::Digest;
use crate::mail::pieces::{Form, Piece, Pieces};
use crate::store::{Result, StoreError};
use sqlx::{QueryBuilder, Row as _};
use std::collections::HashMap;

/// Bytes of one piece in the database: a large message is written and read without a second copy of it.
const CHUNK: usize = 1 << 20;

pub struct PieceRow {
    whole: i64,
    seq: i64,
    bytes: Option<Vec<u8>>,
    file: Option<Digest>,
    form: Option<Form>,
}

impl PieceRow {
    fn columns(&self) -> Option<i64> {
        let Some(Form::Base64 { columns, .. }) = self.form else { return None };
        Some(i64::try_from(columns).unwrap_or(i64::MAX))
    }

    fn crlf(&self) -> Option<bool> {
        let Some(Form::Base64 { crlf, .. }) = self.form else { return None };
        Some(crlf)
    }
}

fn form(row: &Row) -> Result<Form> {
    let (columns, crlf): (Option<i64>, Option<bool>) = (row.try_get("columns")?, row.try_get("crlf")?);
    Ok(match columns.and_then(|columns| usize::try_from(columns).ok()) {
        Some(columns) => Form::Base64 { columns, crlf: crlf.unwrap_or_default() },
        None => Form::AsIs,
    })
}

/// The exact bytes of one message or letter; `None` when there is none of this number.
pub async fn read(db: &mut Connection, whole: i64) -> Result<Option<Vec<u8>>> {
    Ok(read_all(db, &[whole]).await?.remove(&whole))
}

/// The exact bytes of several.
pub async fn read_all(db: &mut Connection, wholes: &[i64]) -> Result<HashMap<i64, Vec<u8>>> {
    let mut found: HashMap<i64, Vec<u8>> = HashMap::new();
    for some in wholes.chunks(64) {
        let mut query = QueryBuilder::<Db>::new("select whole, bytes, file, columns, crlf from piece where whole in ");
        push_list(&mut query, some.iter().copied());
        for row in query.push(" order by whole, seq").build().fetch_all(&mut *db).await? {
            append(db, &row, found.entry(row.try_get("whole")?).or_default()).await?;
        }
    }
    Ok(found)
}

/// Appends the bytes of a piece: its own, or the file's in its form.
async fn append(db: &mut Connection, row: &Row, to: &mut Vec<u8>) -> Result<()> {
    if let Some(bytes) = row.try_get::<Option<&[u8]>, _>("bytes")? {
        to.extend_from_slice(bytes);
        return Ok(());
    }
    let digest = blobs::digest(row.try_get("file")?)?;
    let lost = || StoreError::Fault(format!("the file {} is lost", digest.hex()));
    let (file, form) = (blobs::read(db, &digest).await?.ok_or_else(lost)?, form(row)?);
    form.write(&file, to);
    Ok(())
}

impl Store {
    pub async fn whole(&self, id: i64) -> Result<Option<Vec<u8>>> {
        read(&mut *self.read.acquire().await?, id).await
    }
}

impl Tx {
    /// Holds the pieces of a message or a letter.
    pub(super) async fn hold_pieces(&mut self, whole: i64, pieces: &Pieces<'_>) -> Result<()> {
        let mut seq = 0..;
        let mut row = |bytes, file, form| PieceRow { whole, seq: seq.next().unwrap_or(i64::MAX), bytes, file, form };
        for piece in &pieces.0 {
            match piece {
                Piece::File { digest, form, .. } => self.held.pieces.push(row(None, Some(*digest), Some(*form))),
                Piece::Bytes(bytes) => {
                    for chunk in bytes.chunks(CHUNK) {
                        self.held.pieces.push(row(Some(chunk.to_owned()), None, None));
                        self.hold_bytes(chunk.len()).await?;
                    }
                }
            }
        }
        Ok(())
    }

    pub(super) async fn write_pieces(&mut self) -> Result<()> {
        while let Some(pieces) = some(&mut self.held.pieces) {
            let mut query = QueryBuilder::<Db>::new("insert into piece (whole, seq, bytes, file, columns, crlf) ");
            query.push_values(pieces, |mut to, piece| {
                let (columns, crlf) = (piece.columns(), piece.crlf());
                to.push_bind(piece.whole).push_bind(piece.seq).push_bind(piece.bytes);
                to.push_bind(piece.file.map(|digest| digest.0.to_vec())).push_bind(columns).push_bind(crlf);
            });
            query.build().execute(&mut *self.inner).await?;
        }
        Ok(())
    }
}
