//! From bytes to [`Inbound`](crate::desk::inbound::Inbound) and from letters to bytes.

pub mod body;
pub mod parse;

pub use parse::parse;
