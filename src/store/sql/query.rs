//! Building statements whose number of values varies.

use super::Db;
use sqlx::{Encode, QueryBuilder, Type};

/// Appends `(v1, v2, ..)`. The last value is repeated until the length is a power of two, so that a few prepared
/// statements serve lists of any length. `values` must not be empty.
pub fn push_list<'a, T>(query: &mut QueryBuilder<Db>, values: impl IntoIterator<Item = T>)
where
    T: Copy + Encode<'a, Db> + Type<Db>,
{
    let mut last = None;
    let mut length = 0_usize;
    query.push("(");
    let mut list = query.separated(", ");
    for value in values {
        list.push_bind(value);
        last = Some(value);
        length += 1;
    }
    if let Some(last) = last {
        for _ in length..length.next_power_of_two() {
            list.push_bind(last);
        }
    }
    query.push(")");
}
