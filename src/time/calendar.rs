//! The working calendar (stub: being written).
