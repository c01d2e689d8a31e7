//! Reports: what supervisors and managers are mailed regularly (`domain.md` 6.2 and 6.3).
//!
//! A ticket's history is boiled down to [`Round`]s, one for each time it was worked on, whenever it has changed; a report
//! adds up rounds, and never reads a timeline. [`Figures`] are the numbers of one period, [`Plan`] says who gets which
//! report when.

mod board;
mod figures;
pub mod page;
mod plan;
mod round;
mod stock;

pub use board::Board;
pub use figures::{
    Aside, Complaint, Figures, Flow, Mails, Major, Missed, OfPriority, Ratio, Reuse, Spread, Took, percent,
};
pub use plan::{Goals, Kind, Period, Plan, Scope, Slot};
pub use round::{Ending, Origin, Past, Reason, Round, rounds};
pub use stock::{AGES, Due, Stock};
