//! The rules: what to do about a message, a click or a timer. No I/O, no clock, no dice.

pub mod command;
pub mod hush;
pub mod inbound;
pub mod proof;
pub mod ticket;
pub mod triage;
pub mod words;
