//! From bytes to [`Inbound`](crate::desk::inbound::Inbound) and from letters to bytes.

mod attachment;
pub mod body;
mod bounce;
mod charset;
mod content;
mod encoded_word;
mod header;
mod kind;
mod language;
mod mailbox;
mod param;
pub mod parse;
mod part;
mod transfer;
mod words;

pub use kind::LOOP_FIELD;
pub use parse::{Shape, outline, parse};
