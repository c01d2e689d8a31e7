//! From bytes to [`Inbound`](crate::desk::inbound::Inbound) and from letters to bytes.

mod attachment;
pub mod body;
mod bounce;
mod calendar;
mod charset;
pub mod compose;
mod content;
mod encoded_word;
mod external;
mod header;
mod kind;
mod language;
mod lists;
mod mailbox;
mod outgoing_body;
mod outgoing_header;
mod param;
pub mod parse;
mod part;
pub mod phrases;
pub mod pieces;
pub mod render;
pub mod samples;
#[cfg(test)]
mod stopwatch;
pub mod templates;
mod transfer;
mod view;
mod words;

pub use compose::{Composed, compose};
pub use kind::LOOP_FIELD;
pub use parse::{Shape, outline, parse};
pub use render::{Rendered, render};
pub use templates::{TemplateFault, Templates};
