//! From bytes to [`Inbound`](crate::desk::inbound::Inbound) and from letters to bytes.

pub mod body;
pub mod parse;
mod unreadable;

pub use parse::parse;
pub use unreadable::unreadable;
