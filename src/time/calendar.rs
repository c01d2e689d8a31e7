//! The working calendar.

/// Working hours of a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar;
